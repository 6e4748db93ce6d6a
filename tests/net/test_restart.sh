#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A daemon that ends, kindly or not, comes back: same HIT, member again, its registrations back, its neighbours served.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
for host in one two three; do lab_host "$host" left; done
lab_host four right
lab_overlay one two three four
lab_phone_start four dora 440
lab_check 'a phone registers' lab_wait 10 lab_phone_registered four
lab_check 'a neighbour has an association with it' lab_ping one four

# $1 names the way, the rest ends the daemon of four.
come_back() {
	local name=$1 before began
	before=$(lab_hit four)
	shift
	lab_check "$name: the daemon ends" "$@"
	lab_check "$name: hip0 is gone with it" lab_wait 5 lab_not ip -n four link show dev hip0
	lab_hiphopd four
	began=$(date +%s%N)
	lab_hiphopd_ready four
	lab_check "$name: same HIT" [ "$(lab_hit four)" = "$before" ]
	lab_check "$name: a neighbour reaches it again" lab_wait 20 lab_exec one ping -c 1 -W 1 "$before"
	echo "   $(((($(date +%s%N) - began)) / 1000000)) ms after its start"
	lab_check "$name: it is a member again" lab_wait 20 lab_joined four
	lab_check "$name: the registration is back" lab_wait 20 \
		lab_status four ".sip.registrations[] | select(.aor | contains(\"dora@$LAB_DOMAIN\"))"
	lab_check "$name: others find the name" lab_wait 20 lab_resolves two "sip:dora@$LAB_DOMAIN" four
	lab_check "$name: the daemon reaches others" lab_wait 20 lab_ping four three
}

come_back 'asked to end' lab_hiphopd_stop four
come_back 'killed' lab_hiphopd_kill four
lab_finish
