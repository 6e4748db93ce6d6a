#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A host with three identities, one of them anonymous: each pings and is pinged, the overlay knows the first alone, and a
# restart keeps what is stored and changes what is anonymous.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
lab_host peer left
lab_host many right

# identity HOST N: the HIT of HOST's identity N, from 0.
identity() {
	lab_hiphop "$1" --json id | jq -er ".identities[$2].hit"
}

# seen_as HIT FILTER: what jq's FILTER finds in the association that peer has with that HIT.
seen_as() {
	lab_hiphop peer --json peers | jq -er ".associations[] | select(.hit == \"$1\") | $2"
}

# Both answer each other under this HIT of many.
ping_from() {
	lab_exec many ping -q -c 2 -i 0.2 -W 5 -I "$1" "$(lab_hit peer)"
}

ping_to() {
	lab_exec peer ping -q -c 2 -i 0.2 -W 5 "$1"
}

# All that is said of the identities of many, which are in $first, $second and $anonymous.
check_identities() {
	local name=$1 hit
	for hit in "$first" "$second" "$anonymous"; do
		# conforms: RFC7401-7-1 RFC7401-7-2
		lab_check "$name: ping from $hit" ping_from "$hit"
		lab_check "$name: $hit has an association of its own" seen_as "$hit" 'select(.path == "direct")'
		lab_check "$name: ping to $hit" ping_to "$hit"
	done
	lab_check "$name: hiphop ping from the second" lab_hiphop many ping -c 1 -I "$second" "$(lab_hit peer)"
	lab_check "$name: the peer is shown the A control" seen_as "$anonymous" .anonymous
	lab_check "$name: only of the anonymous one" \
		[ "$(seen_as "$first" '.anonymous | tostring')$(seen_as "$second" '.anonymous | tostring')" = falsefalse ]
	lab_check "$name: the peer is told the name" [ "$(seen_as "$second" .claimed_name)" = second.example.com ]
	lab_check "$name: the overlay has the first" lab_wait 20 lab_joined many
	lab_check "$name: and no other" [ "$(lab_status peer '[.overlay.members[].hit] | join(" ")')" = "$first" ]
	lab_check "$name: a source is chosen among them for who names none" \
		[ "$(lab_exec many ip -6 route get "$(lab_hit peer)" | grep -o 'src [^ ]*')" = "src $first" ]
}

read_identities() {
	first=$(identity many 0)
	second=$(identity many 1)
	anonymous=$(identity many 2)
}

lab_make_identities peer
lab_configure peer
LAB_IDENTITY="more = ( { key = \"$LAB_DIR/many/state/second.pem\"; name = \"second.example.com\"; }, { anonymous = true; } );" \
	lab_configure many peer
lab_hiphopd peer
lab_hiphopd many
lab_hiphopd_ready peer
lab_hiphopd_ready many
lab_wait 20 lab_joined many
read_identities
# conforms: RFC7401-7-1 RFC7401-7-2
lab_check 'three identities differ' [ "$(printf '%s\n' "$first" "$second" "$anonymous" | sort -u | wc -l)" = 3 ]
lab_check 'hip0 has an address for each' [ "$(ip -n many -6 address show dev hip0 | grep -c 'inet6 2001:2')" = 3 ]
check_identities 'first run'

old_first=$first old_second=$second old_anonymous=$anonymous
lab_check 'the daemon ends' lab_hiphopd_stop many
lab_check 'two keys are stored' [ "$(cd "$LAB_DIR/many/state" && echo *.pem)" = 'host.pem second.pem' ]
# conforms: RFC7401-5.1.2-1
lab_check 'the anonymous HIT is stored nowhere' lab_not grep -raqi "$anonymous" "$LAB_DIR/many" "$LAB_DIR/peer"
lab_hiphopd many
lab_hiphopd_ready many
lab_wait 20 lab_joined many
read_identities
lab_check 'a restart keeps the first and the second' [ "$first $second" = "$old_first $old_second" ]
lab_check 'and makes another anonymous one' [ "$anonymous" != "$old_anonymous" ]
check_identities 'second run'
lab_finish
