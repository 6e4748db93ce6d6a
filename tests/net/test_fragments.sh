#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Control packets that no link on the way can carry whole: with RSA identities and a group of 3072 bits, and a long name, R1
# and I2 are longer than 1280 octets, which is all that the path takes. They are cut by their sender, and made whole again,
# over IPv4 and IPv6.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left4 192.0.2 -
lab_network right4 198.51.100 -
lab_network left6 - 2001:db8:1
lab_network right6 - 2001:db8:2
for family in 4 6; do
	lab_host "one$family" "left$family"
	lab_host "two$family" "right$family"
done
export LAB_IDENTITY=' name = "a-host-with-a-long-name.in-a-domain-with-a-long-name.example.com";'
export LAB_ALGORITHMS='hip = { dh_groups = ( "modp3072" ); };'
for host in one4 two4 one6 two6; do
	mkdir -p "$LAB_DIR/$host/state"
	"$LAB_HIPHOP" keygen -t rsa-3072 -o "$LAB_DIR/$host/state/host.pem" >/dev/null
	ip -n "$host" link set dev eth0 mtu 1280
done
lab_make_identities one4 two4 one6 two6

counted() { lab_exec "$1" nstat -asz "$2" | awk '!/^#/ { print $2 }'; }
# has_more HOST COUNTER BEFORE: true when the kernel of HOST has counted more.
has_more() { [ "$(counted "$1" "$2")" -gt "$3" ]; }

# try NAME FAMILY TRANSPORT CREATED REASSEMBLED: a base exchange, and two counters of the kernel that say what happened.
try() {
	local name=$1 one=one$2 two=two$2 host before=()
	for host in "$one" "$two"; do before+=("$(counted "$host" "$4")" "$(counted "$host" "$5")"); done
	LAB_TRANSPORTS="\"$3\"" lab_configure "$two"
	LAB_TRANSPORTS="\"$3\"" LAB_KNOWN=$two lab_configure "$one"
	for host in "$one" "$two"; do lab_hiphopd "$host"; done
	for host in "$one" "$two"; do lab_hiphopd_ready "$host"; done
	# conforms: RFC7401-5.1.3-1
	lab_check "$name: the base exchange comes to its end" lab_wait 10 lab_ping "$one" "$two"
	# conforms: RFC7401-5.1.3-2 RFC7401-5.1.3-3
	lab_check "$name: one end cut its packets" has_more "$one" "$4" "${before[0]}"
	# conforms: RFC7401-5.1.3-2 RFC7401-5.1.3-3
	lab_check "$name: the other end cut its packets" has_more "$two" "$4" "${before[2]}"
	# conforms: RFC7401-5.1.3-2
	lab_check "$name: one end made them whole" has_more "$one" "$5" "${before[1]}"
	# conforms: RFC7401-5.1.3-2
	lab_check "$name: the other end made them whole" has_more "$two" "$5" "${before[3]}"
	for host in "$one" "$two"; do lab_hiphopd_stop "$host"; done
}

try 'IPv4' 4 ip IpFragCreates IpReasmOKs
try 'IPv6' 6 ip Ip6FragCreates Ip6ReasmOKs
try 'UDP over IPv4' 4 udp IpFragCreates IpReasmOKs
try 'UDP over IPv6' 6 udp Ip6FragCreates Ip6ReasmOKs
lab_finish
