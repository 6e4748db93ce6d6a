#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Who may come in on hip0: joining an overlay exposes no service that listens on [::], unless the configuration lists it.
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
	lab_spawn "$LAB_DIR/$host/7001.log" "$host" socat TCP6-LISTEN:7001,fork,reuseaddr SYSTEM:'read question; echo service'
	lab_spawn "$LAB_DIR/$host/7002.log" "$host" socat UDP6-RECVFROM:7002,fork SYSTEM:'read question; echo service'
	lab_wait 5 lab_listens "$host" 7001
done

# What comes back from port $3 of host $2 over protocol $1, asked from the guest.
ask() {
	echo question | lab_exec guest timeout 4 socat -t 2 - "$1:[$(lab_hit "$2")]:$3" | grep -q service
}

lab_check 'ICMPv6 passes' lab_ping guest guarded
lab_check 'a TCP service that is not listed stays hidden' lab_not ask TCP6 guarded 7001
lab_check 'a UDP service that is not listed stays hidden' lab_not ask UDP6 guarded 7002
lab_check 'a listed TCP service is reached' ask TCP6 friendly 7001
lab_check 'a listed UDP service is reached' ask UDP6 friendly 7002
lab_check 'the same service is there for the host itself' lab_exec guarded socat -u "TCP6:[::1]:7001" -
# The guarded host's own flows get their answers.
answers_pass() {
	lab_exec guarded socat -t 2 -u "TCP6:[$(lab_hit friendly)]:7001" - | grep -q service
}
lab_check 'answers to what the host itself began pass' answers_pass
lab_finish
