#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Who may come in on hip0: joining an overlay exposes no service that listens on [::], unless the configuration lists
# it.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
lab_host guest left
lab_host guarded right
lab_host friendly right
lab_overlay guest guarded
LAB_INBOUND='"icmp6", "tcp/7001", "udp/7002"' lab_configure friendly guest
lab_hiphopd friendly
lab_hiphopd_ready friendly
for host in guarded friendly; do
	lab_spawn "$LAB_DIR/$host/7001.log" "$host" \
		socat TCP6-LISTEN:7001,fork,reuseaddr SYSTEM:'read question; echo service'
	lab_spawn "$LAB_DIR/$host/7002.log" "$host" socat UDP6-RECVFROM:7002,fork SYSTEM:'read question; echo service'
	lab_wait 5 lab_listens "$host" 7001
done

# True when the service answers that HOST asks by socat's ADDRESS.
ask() {
	echo question | lab_exec "$1" timeout 4 socat -t 2 - "$2" | grep -q service
}

guarded=$(lab_hit guarded)
friendly=$(lab_hit friendly)
lab_check 'ICMPv6 passes' lab_ping guest guarded
lab_check 'a TCP service that is not listed stays hidden' lab_not ask guest "TCP6:[$guarded]:7001"
lab_check 'a UDP service that is not listed stays hidden' lab_not ask guest "UDP6:[$guarded]:7002"
lab_check 'a listed TCP service is reached' ask guest "TCP6:[$friendly]:7001"
lab_check 'a listed UDP service is reached' ask guest "UDP6:[$friendly]:7002"
lab_check 'the same service is there for the host itself' ask guarded 'TCP6:[::1]:7001'
lab_check 'answers to what the host itself began pass' ask guarded "TCP6:[$friendly]:7001"
lab_finish
