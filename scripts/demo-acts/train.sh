# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The third act of the demonstration: a train whose router has three uplinks, and goes through a tunnel. On board carol has a phone
# that knows nothing of HIP; the host OFFICE has a TCP session with the router. Part of scripts/demo.

TUNNEL_SECONDS=20
OFFICE=north1
CAROL_HERTZ=880
BOARD=192.168.10
STEADY=$LAB_ROOT/tests/net/steady.py
# Round trips of the uplinks, in ms.
declare -A UPLINK_RTT=([mob0]=40 [mob1]=80 [sat0]=600)
declare -A UPLINK_NETWORK=([mob0]=operator1 [mob1]=operator2 [sat0]=sat)

act_train() {
	say "== Third act: a train; its router has two mobile operators (RTT 40 and 80 ms) and a satellite (600 ms)"
	lay_out_train
	start_train
	say "== carol, on the train, with a phone that knows nothing of HIP, calls bob; $OFFICE has a session with the router"
	lab_capture_start train hip0
	lab_capture_start "$BOB" hip0
	lab_phone_forget "$BOB"
	call_again carol
	start_session
	note_association train
	sleep 1
	ride
	lab_check 'the call was never closed' lab_not lab_phone_saw carol CALL_CLOSED
	same_association train
	lab_check 'carol hangs up' hang_up_carol
	stop_captures train "$BOB"
	end_session
	count_ride
}

lay_out_train() {
	local uplink
	lab_network operator1 198.18.1 2001:db8:11
	lab_network operator2 198.18.2 2001:db8:12
	lab_network sat 198.18.3 2001:db8:13
	lab_roaming_host train
	for uplink in mob0 mob1 sat0; do
		prepare_uplink "$uplink"
		lab_uplink_ready train "$uplink"
	done
	ip -n train link add name board type bridge mcast_snooping 0
	ip -n train link set dev board up
	ip -n train address add "$BOARD.1/24" dev board
	mkdir -p "$LAB_DIR/carol"
	lab_namespace carol
	lab_link carol eth0 train carol
	ip -n train link set dev carol master board
	ip -n carol address add "$BOARD.11/24" dev eth0
}

prepare_uplink() {
	lab_uplink_prepare train "$1" "${UPLINK_NETWORK[$1]}" delay $((UPLINK_RTT[$1] / 2))
}

start_train() {
	local LAB_PATHS='interfaces = ( { name = "board"; use = false; }, { name = "sat*"; preference = "avoid"; },
		{ name = "mob1"; cost = 10; } );'
	LAB_INBOUND='"icmp6", "sip", "calls", "tcp/22"' LAB_SIP="listen = ( \"$BOARD.1\" );" lab_configure train "$OFFICE"
	lab_hiphopd train
	lab_hiphopd_ready train
	lab_check 'the router of the train is a member' lab_wait 30 lab_joined train
	lab_phone_start carol carol "$CAROL_HERTZ" "$BOARD.11" "$BOARD.1" || lab_give_up "carol's phone did not start"
	lab_check "carol's phone is registered at the router" lab_wait 10 lab_phone_registered carol
}

# ---- the session: numbered pieces over one TCP connection, each of which must come in order ----

start_session() {
	lab_spawn "$LAB_DIR/train/session" train "$STEADY" hear tcp 22
	session_end=$LAB_SPAWNED
	lab_wait 5 lab_listens train 22
	lab_spawn "$LAB_DIR/$OFFICE/session" "$OFFICE" "$STEADY" send tcp "$(lab_hit train)" 22
	session_begin=$LAB_SPAWNED
}

end_session() {
	lab_end "$session_begin"
	lab_check 'the session was one TCP connection to its end, every piece in order' lab_wait 20 session_is_whole
	wait "$session_end"
	say "   $(tail -n 1 "$LAB_DIR/train/session") pieces came of the $(cat "$LAB_DIR/$OFFICE/session") that were sent"
}

session_is_whole() {
	[ "$(tail -n 1 "$LAB_DIR/train/session")" = "$(cat "$LAB_DIR/$OFFICE/session")" ]
}

hang_up_carol() {
	lab_phone_hangup carol && lab_wait 10 lab_phone_saw "$BOB" CALL_CLOSED
}

# ---- the ride ----

ride() {
	say '   out of reach of the first operator'
	operator2=$(lab_now)
	lab_uplink_down train mob0
	sleep 2
	say '   the satellite is all there is'
	satellite=$(lab_now)
	lab_uplink_down train mob1
	sleep 3
	say "   a tunnel: no link at all for $TUNNEL_SECONDS s"
	tunnel=$(lab_now)
	lab_uplink_down train sat0
	in_tunnel
	lab_uplink_ready train mob0
	outside=$(lab_now)
	lab_uplink_ready train mob1
	lab_uplink_ready train sat0
	say '   out of the tunnel: all three uplinks, with new addresses'
	sleep 3
	over=$(lab_now)
}

# There is time to look at what the routers saw of the first act.
in_tunnel() {
	local uplink
	check_routers
	for uplink in mob0 mob1 sat0; do prepare_uplink "$uplink"; done
	while [ "$(lab_now)" -lt $((tunnel + TUNNEL_SECONDS * 1000000)) ]; do sleep 0.05; done
}

# What the call had of each stage, both ways.
count_ride() {
	local pair
	say '== What the call had of it: from the first operator to the second'
	for pair in "train $BOB" "$BOB train"; do
		change_of_link $pair "$operator2" "$satellite" "${UPLINK_RTT[mob1]}"
	done
	say '== From the second operator to the satellite'
	for pair in "train $BOB" "$BOB train"; do
		change_of_link $pair "$satellite" "$tunnel" "${UPLINK_RTT[sat0]}"
	done
	say '== Out of the tunnel'
	for pair in "train $BOB" "$BOB train"; do
		handover_of_call $pair "$tunnel" "$over" "$outside" "${UPLINK_RTT[mob0]}"
	done
}
