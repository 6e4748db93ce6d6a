# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The second act of the demonstration: while alice and bob talk, alice's host leaves its Wi-Fi for LTE, first with both for a
# moment, then back with a second of nothing between them. Part of scripts/demo.

act_leaving_wifi() {
	say "== Second act: alice's host gets LTE beside its Wi-Fi; alice calls bob again"
	lab_network lte 198.18.0 2001:db8:5
	call_again "$ALICE" "$BOB" "sip:bob@$LAB_DOMAIN"
	sleep 1
	make_before_break
	break_before_make
	lab_check "both phones closed the call" hang_up
	stop_captures "$ALICE" "$BOB"
	say "== With LTE there for 2 s before the Wi-Fi went"
	handover_of_call "$ALICE" "$BOB" "$make_from" "$make_to" 0 nothing
	handover_of_call "$BOB" "$ALICE" "$make_from" "$make_to" 0 nothing
	say "== Back to a Wi-Fi that came 1 s after LTE had gone"
	handover_of_call "$ALICE" "$BOB" "$break_from" "$break_to" "$break_ms"
	handover_of_call "$BOB" "$ALICE" "$break_from" "$break_to" "$break_ms"
}

# call_again HOST OTHER AOR: captures at both ends, and a call.
call_again() {
	local setup
	lab_phone_forget "$1" "$2"
	lab_capture_start "$1" hip0
	lab_capture_start "$2" hip0
	if setup=$(lab_phone_call "$1" "$3"); then
		lab_ok "the call stands after $setup ms"
	else
		lab_give_up "the call did not come about: $setup"
	fi
}

stop_captures() {
	local host
	for host in "$@"; do lab_capture_stop "$host" hip0; done
}

make_before_break() {
	make_from=$(lab_now)
	lab_uplink "$ALICE" lte0 lte delay 20
	sleep 2
	lab_detach "$ALICE"
	sleep 2
	make_to=$(lab_now)
}

break_before_make() {
	lab_uplink_down "$ALICE" lte0
	break_from=$(lab_now)
	sleep 1
	lab_attach "$ALICE" "${ALICE%[0-9]}"
	break_ms=$((($(lab_now) - break_from) / 1000))
	sleep 3
	break_to=$(lab_now)
}

# handover_of_call FROM TO BEGIN END LINKLESS [nothing]: what the call had of that handover in one direction, as TO's hip0 saw
# it. There was no link for LINKLESS ms of the time. With `nothing`, nothing may be lost.
handover_of_call() {
	local silence lost packets
	read -r silence lost packets < <(lab_rtp_silence "$LAB_DIR/$2/hip0.pcap" "$(lab_hit "$1")" "$(lab_hit "$2")" "$3" "$4")
	say "   $1 to $2: $packets RTP packets, $lost lost; the longest silence was $silence ms$(
		[ "$5" = 0 ] || echo ", $5 of them without any link")"
	[ -z "${6-}" ] || lab_check "$1 to $2: nothing was lost" [ "$lost" = 0 ]
	lab_check "$1 to $2: the call went on" [ "$packets" -ge 25 ]
}
