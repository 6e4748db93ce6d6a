# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The second act of the demonstration: while alice and bob talk, alice's host leaves its Wi-Fi, has nothing for a second and then
# LTE; and comes home, where the Wi-Fi is there again before LTE goes. Part of scripts/demo.

LTE_RTT=40

act_leaving_wifi() {
	local pair host
	say "== Second act: alice calls bob again, and leaves the house: 1 s after her Wi-Fi there is LTE (RTT $LTE_RTT ms)"
	lab_network lte 198.18.0 2001:db8:5
	lab_uplink_prepare "$ALICE" lte0 lte delay $((LTE_RTT / 2))
	lab_capture_start "$ALICE" hip0
	lab_capture_start "$BOB" hip0
	lab_phone_forget "$BOB"
	call_again "$ALICE"
	note_association "$ALICE"
	sleep 1
	leave_house
	say '== She comes home: the Wi-Fi is preferred, and LTE there for 2 s more'
	come_home
	same_association "$ALICE"
	lab_check 'both phones closed the call' hang_up
	stop_captures "$ALICE" "$BOB"
	say '== What the call had of it'
	for pair in "$ALICE $BOB" "$BOB $ALICE"; do
		handover_of_call $pair "$gone" "$settled" "$ready" "$LTE_RTT"
	done
	for pair in "$ALICE $BOB" "$BOB $ALICE"; do
		lossless_handover $pair "$settled" "$home"
	done
	# The next act captures there too; when something failed, this one is wanted.
	for host in "$ALICE" "$BOB"; do mv "$LAB_DIR/$host/hip0.pcap" "$LAB_DIR/$host/leaving-wifi.pcap"; done
}

# call_again PHONE: PHONE calls bob.
call_again() {
	local setup
	lab_phone_forget "$1"
	if setup=$(lab_phone_call "$1" "sip:bob@$LAB_DOMAIN"); then
		lab_ok "the call stands after $setup ms"
	else
		lab_give_up "the call did not come about: $setup"
	fi
}

stop_captures() {
	local host
	for host in "$@"; do lab_capture_stop "$host" hip0; done
}

leave_house() {
	gone=$(lab_now)
	lab_detach "$ALICE"
	sleep 1
	lab_uplink_ready "$ALICE" lte0
	ready=$(lab_now)
	sleep 2.5
	settled=$(lab_now)
}

come_home() {
	lab_attach "$ALICE" "${ALICE%%[0-9]*}"
	sleep 2
	lab_uplink_down "$ALICE" lte0
	sleep 1.5
	home=$(lab_now)
}

# ---- what is promised ----

# note_association HOST, same_association HOST: between them HOST's association with bob's host is the same one.
note_association() {
	association=$(lab_association "$1" "$BOB" spi_in) handovers=$(lab_association "$1" "$BOB" handovers)
}

same_association() {
	local now
	now=$(($(lab_association "$1" "$BOB" handovers) - handovers))
	lab_check "$1 changed its path to $BOB $now times; the association is the same" is_same "$1" "$now"
}

is_same() {
	[ "$(lab_association "$1" "$BOB" spi_in)" = "$association" ] && [ "$2" -gt 0 ]
}

# handover_of_call FROM TO BEGIN END READY RTT: what the call had of a handover in one direction, as TO's hip0 saw it. At READY
# there was another way, with that round trip; then the next packet must be there within one and a half of it and 20 ms, and the
# 20 ms from one packet to the next.
handover_of_call() {
	local silence lost packets gap limit=$(($6 * 3 / 2 + 20 + 20))
	read -r silence lost packets gap < <(
		lab_rtp_silence "$LAB_DIR/$2/hip0.pcap" "$(lab_hit "$1")" "$(lab_hit "$2")" "$3" "$4" "$5")
	say "   $1 to $2: $packets RTP packets, $lost lost; silent for $silence ms"
	lab_check "$1 to $2: the voice was back $gap ms after there was another way (at most $limit)" is_at_most "$gap" "$limit"
}

is_at_most() {
	[ "$1" != none ] && [ "$1" -le "$2" ]
}

# change_of_link FROM TO BEGIN END RTT: the same where another way with that round trip was there all the time.
change_of_link() {
	local silence lost packets gap limit=$(($5 * 3 / 2 + 20 + 20))
	read -r silence lost packets gap < <(
		lab_rtp_silence "$LAB_DIR/$2/hip0.pcap" "$(lab_hit "$1")" "$(lab_hit "$2")" "$3" "$4")
	say "   $1 to $2: $packets RTP packets, $lost lost"
	lab_check "$1 to $2: the voice was silent for $silence ms (at most $limit)" goes_on "$packets" "$silence" "$limit"
}

goes_on() {
	[ "$1" -ge 50 ] && [ "$2" -le "$3" ]
}

# lossless_handover FROM TO BEGIN END
lossless_handover() {
	local silence lost packets gap
	read -r silence lost packets gap < <(
		lab_rtp_silence "$LAB_DIR/$2/hip0.pcap" "$(lab_hit "$1")" "$(lab_hit "$2")" "$3" "$4")
	say "   $1 to $2: $packets RTP packets, $lost lost; silent for $silence ms"
	lab_check "$1 to $2: nothing was lost on the way home" nothing_lost "$packets" "$lost"
}

nothing_lost() {
	[ "$1" -ge 75 ] && [ "$2" = 0 ]
}
