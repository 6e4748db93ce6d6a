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

# Prints the SPIs that four has.
spis() { lab_status four '.associations[].keys | select(. != null) | .spi_in, .spi_out'; }

# are_not_kept SPI...: none of them is in the files of four, as text or as octets.
are_not_kept() {
	[ $# -gt 0 ] && python3 - "$LAB_DIR/four/state" "$@" <<-'END'
		import pathlib, sys
		octets = b"\0".join(file.read_bytes() for file in pathlib.Path(sys.argv[1]).rglob("*") if file.is_file())
		for spi in map(int, sys.argv[2:]):
		    for form in (spi.to_bytes(4, "big"), spi.to_bytes(4, "little"), b"%d" % spi, b"%08x" % spi):
		        if form in octets:
		            sys.exit(f"SPI {spi} is in the state")
	END
}

# $1 names the way, the rest ends the daemon of four.
come_back() {
	local name=$1 before began
	before=$(lab_hit four)
	mapfile -t had < <(spis)
	shift
	lab_check "$name: the daemon ends" "$@"
	# conforms: RFC7401-6.16-1 RFC7401-6.16-2
	lab_check "$name: no association was stored" are_not_kept "${had[@]}"
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
