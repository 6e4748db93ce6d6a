#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A host with three uplinks, of which one costs money and one is to be avoided: both ends keep to that. Then flows spread over
# two uplinks, and copies of small packets go by both.
. "$(dirname "$0")/lab.sh"
. "$(dirname "$0")/continuity.sh"
lab_start "$@"
lab_needs_hiphopd
lab_needs_lines

HOSTS='home walker'
FLOWS='41000 41001 41002 41003 41004 41005 41006 41007'

lab_network house 192.0.2 2001:db8:1
lab_network wifi 198.51.100 2001:db8:2
lab_network lte 203.0.113 2001:db8:3
lab_network sat 198.18.0 2001:db8:4
lab_host home house
lab_roaming_host walker
lab_uplink walker lte0 lte delay 10
lab_uplink walker sat0 sat delay 10
export LAB_INBOUND="\"icmp6\", \"sip\", \"calls\", \"tcp/7000\", \"udp/41000-41007\", \"udp/$LAB_STREAM_PORT\""
INTERFACES='interfaces = ( { name = "lte*"; metered = true; cost = 10; }, { name = "sat*"; preference = "avoid"; } );'

# packets NAME WAY: how many frames walker has sent (tx) or received (rx) on that uplink.
packets() { ip -n walker -j -s link show dev "$1" | jq ".[0].stats64.$2.packets"; }

# load SECONDS NAME...: "RX TX" of each uplink in that time.
load() {
	local name seconds=$1
	declare -A rx tx
	shift
	for name in "$@"; do rx[$name]=$(packets "$name" rx) tx[$name]=$(packets "$name" tx); done
	sleep "$seconds"
	for name in "$@"; do echo "$name $(($(packets "$name" rx) - rx[$name])) $(($(packets "$name" tx) - tx[$name]))"; done
}

# nearly_idle NAME SECONDS LOAD: neither way more than five packets a second went there.
nearly_idle() {
	awk -v name="$1" -v most=$((5 * $2)) '$1 == name { print name " received " $2 " and sent " $3; bad = $2 > most || $3 > most }
		END { exit bad }' <<<"$3"
}

# ---- metered, and to be avoided ------------------------------------------------------------------------------------

LAB_PATHS=$INTERFACES lab_overlay $HOSTS
lab_check 'walker reaches home' lab_ping walker home
tcp_between home walker
both_ways walker home
exchanges=$(exchanges)
lab_check 'what costs money is used before what is to be avoided' lab_wait 10 uses walker home lte0
lab_check 'and by home as well' lab_wait 10 sends_to home walker lte0
load=$(load 4 lte0 sat0)
lab_check 'what is to be avoided stays idle' nearly_idle sat0 4 "$load"

from=$(lab_now)
lab_uplink walker wlan0 wifi delay 10
lab_check 'what costs nothing is used as soon as it is there' lab_wait 5 uses walker home wlan0
lab_check 'and by home as well' lab_wait 5 sends_to home walker wlan0
sleep 1
nothing_lost 'to what costs nothing' walker home "$from" "$(($(lab_now) - 500000))"
load=$(load 4 lte0 sat0 wlan0)
lab_check 'what costs money stays idle' nearly_idle lte0 4 "$load"
lab_check 'what is to be avoided stays idle too' nearly_idle sat0 4 "$load"

from=$(lab_now)
lab_uplink_silent walker wlan0
goes_on 'silent death' walker home "$from"
lab_check 'silent death: what costs money is used, not what is to be avoided' uses walker home lte0
from=$(lab_now)
lab_uplink_silent walker lte0
goes_on 'the second one dies' walker home "$from"
lab_check 'the second one dies: what is to be avoided is used' uses walker home sat0
lab_uplink_heals walker lte0
lab_uplink_heals walker wlan0
lab_check 'healed: what costs nothing is used again' lab_wait 60 uses walker home wlan0
lab_streams_stop walker home
lab_end "$sender"
lab_check 'the TCP connection ends in order' lab_end "$hearer"

# ---- several at once -----------------------------------------------------------------------------------------------

# begin_again PATHS: all daemons with other members of paths.
begin_again() {
	local host
	for host in $HOSTS; do lab_hiphopd_stop "$host"; done
	LAB_PATHS=$1 lab_overlay $HOSTS
	lab_ping walker home >/dev/null
	lab_wait 10 several walker home && lab_wait 10 several home walker
}

several() {
	lab_hiphop "$1" --json peers | jq -e ".. | objects | select(.hit? == \"$(lab_hit "$2")\") | .paths[]? | select(.also_used)"
}

lab_uplink_down walker sat0
lab_check 'spread: several paths are used' begin_again 'mode = "spread";'
for port in $FLOWS; do
	lab_spawn "$LAB_DIR/home/heard-$port" home "$LAB_STEADY" hear udp "$port"
	hearers+=("$LAB_SPAWNED")
	lab_wait 5 grep -q listening "$LAB_DIR/home/heard-$port"
	lab_spawn "$LAB_DIR/walker/sent-$port" walker "$LAB_STEADY" send udp "$(lab_hit home)" "$port"
	senders+=("$LAB_SPAWNED")
done
sleep 1
load=$(load 4 wlan0 lte0)
for name in wlan0 lte0; do
	lab_check "spread: $name carries some of the flows" awk -v name="$name" '{ print } $1 == name && $3 >= 150 { good = 1 }
		END { exit !good }' <<<"$load"
done
for sender in "${senders[@]}"; do lab_end "$sender"; done
sleep 0.5
for hearer in "${hearers[@]}"; do lab_end "$hearer"; done
all_heard() {
	local port heard sent
	for port in $FLOWS; do
		read -r heard <<<"$(tail -n 1 "$LAB_DIR/home/heard-$port")"
		read -r sent <"$LAB_DIR/walker/sent-$port"
		[ "$heard" = "$sent" ] || { echo "of $port $heard of $sent"; return 1; }
	done
}
lab_check 'spread: all of every flow arrives' all_heard

lab_check 'duplicate: several paths are used' begin_again 'mode = "duplicate";'
both_ways walker home
lab_line walker wlan0 loss 30
sleep 1
from=$(lab_now)
sleep 8
nothing_lost 'duplicate: one link loses 30 %' walker home "$from" "$(($(lab_now) - 500000))"
lab_line walker wlan0 loss 0
lab_line walker lte0 loss 30
sleep 1
from=$(lab_now)
sleep 8
nothing_lost 'duplicate: the other link loses 30 %' walker home "$from" "$(($(lab_now) - 500000))"
lab_streams_stop walker home
lab_finish
