#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What hiphopd says by ICMP about packets that came over plain IP (RFC 7401 sections 4.1.5 and 5.4), and what it does not say.
# tshark reads it again.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left 192.0.2 2001:db8:1
lab_host one left
lab_host two left
LAB_TRANSPORTS='"ip"' lab_configure one
lab_hiphopd one
lab_hiphopd_ready one
refused=2001:22:1:2:3:4:5:6
lab_hiphop one access deny "$refused" >"$LAB_DIR/access.log" || lab_give_up 'one takes no rule of access'
lab_capture_start one eth0

# strange FAMILY KIND [SENDER]: see strange_packets.py.
strange() { lab_exec two python3 "$LAB_ROOT/tests/net/strange_packets.py" "$(lab_address one "$1")" "$(lab_hit one)" "${@:2}"; }

for family in 4 6; do
	# conforms: RFC7401-5.4.1-1
	lab_check "IPv$family: another version is told by ICMP" strange $family version
	# conforms: RFC7401-5.2.1-8
	lab_check "IPv$family: an unknown critical parameter of a stranger is told by ICMP" strange $family structure
	lab_check "IPv$family: that there is no association is told by ICMP" strange $family association
	# conforms: RFC7401-4.3-3
	lab_check "IPv$family: ESP that nobody knows is told by ICMP" strange $family esp
	# conforms: RFC7401-6.7-2
	lab_check "IPv$family: a host that may not associate is told by ICMP" strange $family refused $refused
	# conforms: RFC7401-5.4.2-1 RFC7401-5.4.4-1 RFC7401-5.1-3
	lab_check "IPv$family: nothing is told about the rest" strange $family silence
	# conforms: RFC7401-5.4-1 RFC7401-4.3-5
	lab_check "IPv$family: few answers go to many packets" strange $family many
done
lab_check 'what was not said is counted' lab_status one '.counters.drop_icmp_rate > 300'
lab_check 'the capture is whole' lab_capture_stop one eth0

# Type, checksum (1 is good) and length of the IP packet of each ICMP message that one sent; the octets of strange packets.
told='(icmp.type == 12 || icmp.type == 3 || icmpv6.type == 4 || icmpv6.type == 1)'
read_fields() {
	local filter=$1
	shift
	tshark -n -r "$LAB_DIR/one/eth0.pcap" -Y "$filter" -T fields -E occurrence=f "${@/#/-e}" 2>"$LAB_DIR/tshark.log"
}
checksums_are_good() {
	read_fields "$told" icmp.checksum.status icmpv6.checksum.status |
		awk '{ n++ } $1 != 1 { bad++ } END { exit !(n >= 12 && !bad) }'
}
octets() { read_fields "$1" frame.len | awk '{ sum += $1 } END { print sum + 0 }'; }
less_goes_than_comes() { [ "$(octets "$told")" -lt "$(octets "!$told && (ip.proto == 139 || ip.proto == 50 || ipv6.nxt == 139 || ipv6.nxt == 50)")" ]; }
lab_check 'tshark finds the checksums good' checksums_are_good
lab_check 'fewer octets go out than have come' less_goes_than_comes
lab_finish
