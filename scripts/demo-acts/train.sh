# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The third act of the demonstration: a train whose router has three uplinks, and goes through a tunnel. Part of scripts/demo.
# CALLER is the host on board that has the call, SESSION the one that has a TCP session with the host OFFICE.

TUNNEL_SECONDS=20
CALLER=train
SESSION=train
OFFICE=north1
CAROL_HERTZ=880
STEADY=$LAB_ROOT/tests/net/steady.py

act_train() {
	say "== Third act: a train; its router has two mobile operators (RTT 40 and 80 ms) and a satellite (600 ms)"
	lay_out_train
	start_train
	say "== carol, on the train, calls bob; $OFFICE has a session with a host on the train"
	call_again "$CALLER" "$BOB" "sip:bob@$LAB_DOMAIN"
	start_session
	sleep 1
	ride
	lab_check 'the call was never closed' lab_not lab_phone_saw "$CALLER" CALL_CLOSED
	lab_check 'carol hangs up' hang_up_carol
	stop_captures "$CALLER" "$BOB"
	end_session
	count_ride
}

lay_out_train() {
	lab_network operator1 198.18.1 2001:db8:11
	lab_network operator2 198.18.2 2001:db8:12
	lab_network sat 198.18.3 2001:db8:13
	lab_roaming_host train
	train_uplink mob0
	train_uplink mob1
	train_uplink sat0
}

# train_uplink NAME: that uplink of the train comes, with fresh addresses.
train_uplink() {
	case $1 in
	mob0) lab_uplink train mob0 operator1 delay 20 jitter 5 ;;
	mob1) lab_uplink train mob1 operator2 delay 40 jitter 5 ;;
	sat0) lab_uplink train sat0 sat delay 300 ;;
	esac
}

start_train() {
	LAB_INBOUND='"icmp6", "sip", "calls", "tcp/22"' lab_configure train "$OFFICE"
	lab_hiphopd train
	lab_hiphopd_ready train
	lab_check 'the router of the train is a member' lab_wait 30 lab_joined train
	lab_phone_start "$CALLER" carol "$CAROL_HERTZ" || lab_give_up "carol's phone did not start"
	lab_check "carol's phone is registered" lab_wait 10 lab_phone_registered "$CALLER"
}

# ---- the session: numbered pieces over one TCP connection, each of which must come in order ----

start_session() {
	lab_spawn "$LAB_DIR/$SESSION/session" "$SESSION" "$STEADY" hear tcp 22
	session_end=$LAB_SPAWNED
	lab_wait 5 lab_listens "$SESSION" 22
	lab_spawn "$LAB_DIR/$OFFICE/session" "$OFFICE" "$STEADY" send tcp "$(lab_hit "$SESSION")" 22
	session_begin=$LAB_SPAWNED
}

end_session() {
	lab_end "$session_begin"
	lab_check 'the session was one TCP connection to its end, every piece in order' lab_wait 20 session_is_whole
	wait "$session_end"
	say "   $(tail -n 1 "$LAB_DIR/$SESSION/session") pieces came of the $(cat "$LAB_DIR/$OFFICE/session") that were sent"
}

session_is_whole() {
	[ "$(tail -n 1 "$LAB_DIR/$SESSION/session")" = "$(cat "$LAB_DIR/$OFFICE/session")" ]
}

hang_up_carol() {
	lab_phone_hangup "$CALLER" && lab_wait 10 lab_phone_saw "$BOB" CALL_CLOSED
}

# ---- the ride ----

# stage NAME SECONDS: from now on for so long.
stage() {
	say "   $1"
	stages+=("$1")
	stage_times+=("$(lab_now)")
	sleep "$2"
}

ride() {
	stages=() stage_times=()
	lab_uplink_down train mob0
	stage 'out of reach of the first operator' 3
	lab_uplink_down train mob1
	stage 'the satellite is all there is' 4
	lab_uplink_down train sat0
	stage "a tunnel: no link at all for $TUNNEL_SECONDS s" "$TUNNEL_SECONDS"
	tunnel_ms=$((($(lab_now) - stage_times[2]) / 1000))
	train_uplink sat0
	train_uplink mob1
	train_uplink mob0
	stage 'out of the tunnel: all three uplinks, with new addresses' 6
	stage_times+=("$(lab_now)")
}

# What the call had of each stage, both ways.
count_ride() {
	local i
	for i in "${!stages[@]}"; do
		say "== ${stages[i]}"
		count_stage "$i" "$CALLER" "$BOB"
		count_stage "$i" "$BOB" "$CALLER"
	done
}

count_stage() {
	local from=${stage_times[$1]} to=${stage_times[$1 + 1]}
	case ${stages[$1]} in
	'a tunnel'*) ;;
	'out of the tunnel'*) handover_of_call "$2" "$3" "$from" "$to" "$tunnel_ms" ;;
	*) handover_of_call "$2" "$3" "$from" "$to" 0 ;;
	esac
}
