#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A HIT that nobody has: the application is told, and the host goes on.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
lab_host one left
lab_host two right
lab_overlay one two
nobody=2001:22:dead:beef:1:2:3:4

ping_is_told() { lab_exec one ping -c 3 -W 20 "$nobody" | grep -q 'Destination unreachable'; }
connect_is_told() { lab_exec one timeout 40 socat -u "TCP6:[$nobody]:80" - 2>&1 | grep -q 'No route to host'; }

lab_check 'ping gets an ICMPv6 error' ping_is_told
lab_check 'connect fails with an error before it would time out' connect_is_told
lab_check 'hiphop ping says so too' lab_not lab_hiphop one ping -c 1 "$nobody"
lab_check 'others are reached all the same' lab_ping one two
lab_finish
