#!/bin/bash
# SPDX-License-Identifier: MIT
#
# test_ping.sh [TRANSPORT...]: two hosts that know each other's locator ping each other HIT to HIT: over IPv4 and IPv6, in
# UDP and in plain IP (or one of these).
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left4 192.0.2 -
lab_network right4 198.51.100 -
lab_network left6 - 2001:db8:1
lab_network right6 - 2001:db8:2

# A pair of hosts with IP version $1 that use transport $2.
try_pair() {
	local family=$1 LAB_TRANSPORTS="\"$2\"" one=one-$1-$2 other=other-$1-$2 name="IPv$1, $2" LAB_KNOWN
	lab_host "$one" "left$family"
	lab_host "$other" "right$family"
	lab_make_identities "$one" "$other"
	LAB_KNOWN=$other lab_configure "$one"
	LAB_KNOWN=$one lab_configure "$other"
	lab_hiphopd "$one"
	lab_hiphopd "$other"
	lab_hiphopd_ready "$one"
	lab_hiphopd_ready "$other"
	lab_capture_start "router-left$family"
	# conforms: RFC7401-6.1-3 RFC7401-6.1-4 RFC7401-6.1-6
	lab_check "$name: ping6 from HIT to HIT, base exchange included" lab_ping "$one" "$other"
	lab_check "$name: ping6 the other way" lab_ping "$other" "$one"
	lab_check "$name: hiphop ping by name" lab_hiphop "$one" ping "$other"
	lab_check "$name: the association uses $2" [ "$(lab_association "$one" "$other" transport)" = "$2" ]
	lab_check "$name: the path is direct" [ "$(lab_association "$one" "$other" path)" = direct ]
	lab_check "$name: the I1 went straight" [ "$(lab_association "$one" "$other" overlay_hops)" = 0 ]
	lab_capture_stop "router-left$family"
	# conforms: RFC7402-3.4.1-1
	lab_check "$name: nothing but HIP and ESP on the wire" lab_check_captures "$LAB_DIR/router-left$family/any.pcap"
	cat "$LAB_DIR/check-output"
}

[ $# -gt 0 ] || set -- udp ip
for transport; do
	for family in 4 6; do
		try_pair "$family" "$transport"
	done
done
lab_finish
