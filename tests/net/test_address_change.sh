#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A host is carried from one network to another: it keeps its HIT, its place in the overlay, and its TCP connections.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left 192.0.2 2001:db8:1
lab_network middle 203.0.113 2001:db8:3
lab_network right 198.51.100 2001:db8:2
for host in one two; do lab_host "$host" left; done
lab_host three middle
lab_host walker right
LAB_INBOUND='"icmp6", "sip", "calls", "tcp/7000"' lab_overlay one two three walker
lab_check 'reached before' lab_ping one walker

hit=$(lab_hit walker)
lab_spawn "$LAB_DIR/received" walker socat -u "TCP6-LISTEN:7000,bind=[$hit]" -
reader=$LAB_SPAWNED
lab_wait 5 lab_listens walker 7000
mkfifo "$LAB_DIR/talk"
lab_spawn "$LAB_DIR/talk.log" one socat -u "PIPE:$LAB_DIR/talk" "TCP6:[$hit]:7000"
exec 7>"$LAB_DIR/talk"
echo before >&7
lab_check 'a TCP connection stands' lab_wait 5 grep -q before "$LAB_DIR/received"

lab_detach walker
lab_attach walker middle
echo after >&7
lab_check 'reached again, from a host that knew it' lab_wait 30 lab_exec one ping -c 1 -W 1 "$hit"
lab_check 'the TCP connection goes on' lab_wait 30 grep -q after "$LAB_DIR/received"
lab_check 'it reaches others itself' lab_wait 30 lab_ping walker two
lab_check 'reached by name of its HIT from a host that had no association' lab_wait 30 lab_hiphop three ping "$hit"
lab_check 'still a member' lab_wait 30 lab_joined walker
lab_check 'others see its new address' lab_wait 30 lab_sees_address one walker

lab_attach_elsewhere() {
	lab_detach walker
	lab_attach walker left
}
lab_check 'carried once more' lab_attach_elsewhere
lab_check 'reached again' lab_wait 30 lab_exec one ping -c 1 -W 1 "$hit"
exec 7>&-
lab_end "$reader"
lab_finish
