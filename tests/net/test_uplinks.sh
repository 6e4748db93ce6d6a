#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A host with two uplinks, of which the kernel likes eth0 best. What it sends from the address of eth1 leaves by eth1;
# and an uplink that the configuration leaves out is neither told to anybody nor used.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
lab_network far 203.0.113 2001:db8:3
lab_host two left
lab_host peer far
lab_link two eth1 router-right second
ip -n router-right link set dev second master lan
ip -n two address add 198.51.100.77/24 dev eth1
ip -n two address add 2001:db8:2::77/64 dev eth1 nodad
ip -n two route add default via 198.51.100.254 metric 900
ip -n two route add default via 2001:db8:2::fe metric 9000

# seen INTERFACE SOURCE: whether `two` sent anything of hiphop from SOURCE by INTERFACE.
seen() {
	tshark -n -r "$LAB_DIR/two/$1.pcap" -Y "(ip.src == $2 && (udp.port == 10500 || ip.proto == 139 || ip.proto == 50))" \
		2>/dev/null | grep -q .
}

# seen6 INTERFACE SOURCE: the same for IPv6.
seen6() {
	tshark -n -r "$LAB_DIR/two/$1.pcap" -Y "(ipv6.src == $2 && (udp.port == 10500 || ipv6.nxt == 139 || ipv6.nxt == 50))" \
		2>/dev/null | grep -q .
}

capture() {
	# An old log would say that a new capture is on.
	rm -f "$LAB_DIR"/two/dumpcap-*.log
	lab_capture_start two eth0 && lab_capture_start two eth1
}

captured() {
	lab_capture_stop two eth0 && lab_capture_stop two eth1
}

# Whom they met before, and where, is forgotten.
forget() {
	rm -f "$LAB_DIR"/two/state/hiphop.db* "$LAB_DIR"/peer/state/hiphop.db*
}

# asked_at ADDRESS TRANSPORT: `peer` knows `two` by this address alone, and pings it.
asked_at() {
	forget
	LAB_ROLE=none LAB_TRANSPORTS=$2 lab_configure two
	LAB_ROLE=none LAB_TRANSPORTS=$2 lab_configure peer
	sed -i "s|hosts = ( *)|hosts = ( { hit = \"$(lab_hit two)\"; address = \"$1\"; } )|" "$LAB_DIR/peer/hiphop.conf"
	lab_hiphopd two
	lab_hiphopd peer
	lab_hiphopd_ready two
	lab_hiphopd_ready peer
	capture
	lab_check "peer reaches it at $1 over $2" lab_wait 10 lab_exec peer ping -c 1 -W 1 "$(lab_hit two)"
	lab_check 'both uplinks were captured' captured
	lab_hiphopd_stop peer
	lab_hiphopd_stop two
}

lab_configure two
lab_hiphopd two
lab_hiphopd_ready two
lab_hiphopd_stop two

for transport in udp ip; do
	asked_at 198.51.100.77 "\"$transport\""
	lab_check 'answers from eth1 leave by eth1' seen eth1 198.51.100.77
	lab_check 'and by no other' lab_not seen eth0 198.51.100.77
	asked_at 2001:db8:2::77 "\"$transport\""
	lab_check 'answers from eth1 leave by eth1 (IPv6)' seen6 eth1 2001:db8:2::77
	lab_check 'and by no other' lab_not seen6 eth0 2001:db8:2::77
done

# Left out.
forget
lab_configure peer
lab_hiphopd peer
lab_hiphopd_ready peer
LAB_PATHS='interfaces = ( { name = "eth0"; use = false; }, { name = "eth*"; preference = "prefer"; } );' \
	lab_configure two peer
capture
lab_hiphopd two
lab_hiphopd_ready two
lab_check 'with eth0 left out it joins' lab_wait 30 lab_joined two
lab_check 'it reaches the peer' lab_wait 10 lab_ping two peer
lab_check 'both uplinks were captured' captured
lab_check 'by eth1' seen eth1 198.51.100.77
lab_check 'nothing left by eth0' lab_not seen eth0 192.0.2.1
lab_check 'nor from the other address there' lab_not seen eth0 198.51.100.77
lab_check 'the peer knows nothing of eth0' \
	lab_not grep -q '192\.0\.2\.1"' <(lab_hiphop peer --json status; lab_hiphop peer --json peers)
lab_finish
