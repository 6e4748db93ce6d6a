#!/bin/bash
# SPDX-License-Identifier: MIT
#
# ICMP errors come for a packet of the base exchange, as from somebody who wants to end it: neither host gives up for that,
# and when the packets get through again, so does the exchange. (What hiphopd itself says by ICMP: test_icmp_sent.sh.)
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
lab_host one left
lab_host two right
lab_make_identities two
lab_exec router-left nft 'table ip errors { chain forward { type filter hook forward priority 0; }; }' ||
	lab_give_up 'the router cannot reject packets'

errors_heard() { lab_exec "$1" nstat -asz IcmpInDestUnreachs | awk '!/^#/ { print $2 }'; }
has_heard_more() { [ "$(errors_heard "$1")" -gt "$2" ]; }
state_is() { [ "$(lab_association "$1" "$2" state)" = "$3" ]; }

# refuse TYPE: HIP packets of that type are answered with ICMP port unreachable. allow: no more.
refuse() {
	lab_exec router-left nft "add rule ip errors forward udp dport 10500 @th,64,32 0 @th,112,8 $1 reject with icmp type port-unreachable"
}
allow() { lab_exec router-left nft flush chain ip errors forward; }

# begin SENDER: one starts and pings two; waits for the error that SENDER gets.
begin() {
	local before
	lab_hiphopd one
	lab_hiphopd_ready one
	before=$(errors_heard "$1")
	lab_spawn "$LAB_DIR/ping.log" one ping -c 1 -W 20 "$(lab_hit two)"
	ping=$LAB_SPAWNED
	lab_wait 10 has_heard_more "$1" "$before"
}

# What the kernel of a host without HIP answers to an I1 over plain IP: ICMP protocol unreachable.
LAB_TRANSPORTS='"ip"' LAB_KNOWN=two lab_configure one
lab_check 'no HIP: the I1 is answered with protocol unreachable' begin one
# conforms: RFC7401-6.6.2-1 RFC7401-8-3
lab_check 'no HIP: one still waits for an R1' state_is one two I1-SENT
lab_hiphopd two
lab_hiphopd_ready two
# conforms: RFC7401-6.1-5 RFC7401-6.6.2-2 RFC7401-8-3
lab_check 'no HIP: an R1 that comes later is welcome' wait "$ping"
lab_hiphopd_stop one
LAB_TRANSPORTS='"udp"' LAB_KNOWN=two lab_configure one

refuse 1
lab_check 'I1: it is answered with port unreachable' begin one
# conforms: RFC7401-8-3
lab_check 'I1: one still waits for an R1' state_is one two I1-SENT
allow
lab_check 'I1: the exchange comes to its end' wait "$ping"
lab_hiphopd_stop one

refuse 2
lab_check 'R1: it is answered with port unreachable' begin two
allow
# conforms: RFC7401-8-4
lab_check 'R1: the exchange comes to its end' wait "$ping"
lab_hiphopd_stop one

refuse 3
lab_check 'I2: it is answered with port unreachable' begin one
# conforms: RFC7401-8-6
lab_check 'I2: one still waits for an R2' state_is one two I2-SENT
allow
# conforms: RFC7401-8-6
lab_check 'I2: the exchange comes to its end' wait "$ping"
lab_hiphopd_stop one

refuse 4
lab_check 'R2: it is answered with port unreachable' begin two
# conforms: RFC7401-8-5
lab_check 'R2: two keeps what it has' state_is two one R2-SENT
allow
lab_check 'R2: the exchange comes to its end' wait "$ping"
lab_hiphopd_stop one
lab_finish
