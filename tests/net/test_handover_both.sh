#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Two hosts that talk with each other move at the same instant, so that neither knows any more where the other is: they find each
# other through the overlay, and what they were doing goes on.
. "$(dirname "$0")/lab.sh"
. "$(dirname "$0")/continuity.sh"
lab_start "$@"
lab_needs_hiphopd
lab_needs_lines

HOSTS='home walker runner'

lab_network house 192.0.2 2001:db8:1
lab_network wifi 198.51.100 2001:db8:2
lab_network lte 203.0.113 2001:db8:3
lab_network cafe 198.18.0 2001:db8:4
lab_host home house
for host in walker runner; do
	lab_roaming_host "$host"
	lab_uplink "$host" wlan0 wifi delay 10
done
LAB_INBOUND="\"icmp6\", \"sip\", \"calls\", \"tcp/7000\", \"udp/$LAB_STREAM_PORT\"" lab_overlay $HOSTS
lab_check 'walker reaches runner' lab_ping walker runner
tcp_between runner walker
both_ways walker runner
exchanges=$(exchanges)

# together NAME NETWORK NETWORK: both lose their link, and a second later have one into these networks.
together() {
	from=$(lab_now)
	lab_uplink_down walker wlan0
	lab_uplink_down runner wlan0
	sleep 1
	lab_uplink_prepare walker wlan0 "$2" delay 10
	lab_uplink_prepare runner wlan0 "$3" delay 10
	lab_uplink_ready walker wlan0
	lab_uplink_ready runner wlan0
	back=$(lab_now)
	goes_on "$1" walker runner "$from"
	echo "   gaps after the addresses came: $(gap_after walker runner) ms, $(gap_after runner walker) ms"
}

gap_after() {
	local gap lost
	read -r gap lost < <(lab_stream_measure "$1" "$2" "$back" "$(lab_now)")
	echo "$gap"
}

together 'both move at once' cafe lte
together 'both move at once into one network' wifi wifi
lab_streams_stop walker runner
lab_end "$sender"
lab_check 'the TCP connection ends in order' lab_end "$hearer"
lab_finish
