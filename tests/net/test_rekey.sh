#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Two daemons renew their ESP keys all the time while a thousand packets a second run each way: not one is lost. The
# capture shows the SPIs come and go.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

STEADY=$LAB_ROOT/tests/net/steady.py
lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
lab_host one left
lab_host other right
# One for their age, the other for their use, which is the sooner.
LAB_INBOUND='"icmp6", "udp/7000"'
LAB_ALGORITHMS='esp = { rekey_seconds = 3; };' lab_configure one
lab_hiphopd one
lab_hiphopd_ready one
LAB_ALGORITHMS='esp = { rekey_packets = 50; rekey_dh = false; };' lab_configure other one
lab_hiphopd other
lab_hiphopd_ready other
lab_check 'ping before all' lab_ping other one

counter() {
	lab_hiphop "$1" --json status | jq ".counters.$2 // 0"
}

rekeys_are() {
	[ "$(lab_association one other keys.rekeys)" -ge "$1" ]
}

# hear HOST, send HOST OTHER: one direction.
hear() {
	lab_spawn "$LAB_DIR/$1/heard.log" "$1" "$STEADY" hear udp 7000
	echo "$LAB_SPAWNED" >"$LAB_DIR/$1/hear.pid"
	lab_wait 5 grep -q listening "$LAB_DIR/$1/heard.log"
}

send() {
	lab_spawn "$LAB_DIR/$1/sent.log" "$1" "$STEADY" send udp "$(lab_hit "$2")" 7000 1
	echo "$LAB_SPAWNED" >"$LAB_DIR/$1/send.pid"
}

nothing_lost() {
	local sent heard
	sent=$(tail -n 1 "$LAB_DIR/$1/sent.log") heard=$(tail -n 1 "$LAB_DIR/$2/heard.log")
	echo "$sent sent, $heard heard"
	# The sender may be stopped between sending a piece and counting it.
	[ "$sent" -gt 500 ] && { [ "$heard" = "$sent" ] || [ "$heard" = $((sent + 1)) ]; }
}

# Distinct SPIs in ESP from an address.
spis_from() {
	tshark -n -r "$LAB_DIR/router-left/lan.pcap" -Y "udp.port == 10500 && ip.src == $1" -d udp.port==10500,data \
		-T fields -e data.data 2>/dev/null | cut -c 1-8 | grep -vx 00000000 | sort -u | wc -l
}

lab_monitor() {
	lab_spawn "$LAB_DIR/one/monitor.log" one "$LAB_HIPHOP" --socket "$LAB_DIR/one/control.sock" monitor
	echo "$LAB_SPAWNED" >"$LAB_DIR/one/monitor.pid"
	lab_wait 5 grep -q monitor "$LAB_DIR/one/monitor.log"
}

lab_monitor
lab_capture_start router-left lan
hear one
hear other
send one other
send other one
before=$(lab_association one other keys.rekeys)
lab_check 'keys are renewed five times while packets run' lab_wait 15 rekeys_are $((before + 5))
lab_check 'hiphop rekey' lab_wait 3 lab_hiphop one rekey --dh "$(lab_hit other)"
lab_wait 5 rekeys_are $((before + 6))
lab_end "$(cat "$LAB_DIR/one/send.pid")"
lab_end "$(cat "$LAB_DIR/other/send.pid")"
sleep 0.5
lab_end "$(cat "$LAB_DIR/one/hear.pid")"
lab_end "$(cat "$LAB_DIR/other/hear.pid")"
lab_check 'the capture is complete' lab_capture_stop router-left lan
lab_end "$(cat "$LAB_DIR/one/monitor.pid")"
lab_check "nothing is lost from one to other: $(nothing_lost one other)" nothing_lost one other
lab_check "nothing is lost from other to one: $(nothing_lost other one)" nothing_lost other one
for host in one other; do
	for counter in esp_drop_unknown_spi esp_drop_replayed esp_drop_icv esp_drop_expired rekey_failed; do
		lab_check "$host: $counter is 0" [ "$(counter "$host" "$counter")" = 0 ]
	done
	lab_check "$host began some: $(counter "$host" rekey_begun) of $(counter "$host" rekey_done), $(counter "$host" rekey_crossed) crossed" \
		[ "$(counter "$host" rekey_begun)" -gt 0 ]
	spis=$(spis_from "$(lab_address "$host" 4)")
	lab_check "$host has sent by $spis SPIs" [ "$spis" -ge 6 ]
done
lab_check 'hiphop monitor tells of it' [ "$(grep -c '"rekeyed"' "$LAB_DIR/one/monitor.log")" -ge 5 ]
lab_check 'the association was never made anew' [ "$(counter one i2_in)" -le 1 ]
lab_finish
