#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A host changes its links in every way, and what it is doing goes on: the association is the same one, TCP connections stand,
# and nothing is lost but what was sent into the gap. Looked for is continuity; how long a gap is, tests/bench/handover tells.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd
lab_needs_lines

STEADY=$LAB_ROOT/tests/net/steady.py
HOSTS='home walker runner'
RATE=100

# ---- hosts, and what goes on between them --------------------------------------------------------------------------

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
lab_check 'home reaches walker' lab_ping home walker
lab_check 'home reaches runner' lab_ping home runner
lab_check 'walker reaches runner' lab_ping walker runner

# tcp_between HOST OTHER: a TCP connection from HOST to OTHER that carries numbered pieces.
tcp_between() {
	lab_spawn "$LAB_DIR/$2/heard" "$2" "$STEADY" hear tcp 7000
	hearer=$LAB_SPAWNED
	lab_wait 5 lab_listens "$2" 7000
	lab_spawn "$LAB_DIR/$1/sent" "$1" "$STEADY" send tcp "$(lab_hit "$2")" 7000
	sender=$LAB_SPAWNED
	listener=$2
}

# tcp_heard: how many pieces came, in order.
tcp_heard() {
	local lines
	lines=$(wc -l <"$LAB_DIR/$listener/heard")
	kill -USR1 "$hearer" || return
	lab_wait 2 eval '[ "$(wc -l <"$LAB_DIR/$listener/heard")" -gt '"$lines"' ]' || return
	tail -n 1 "$LAB_DIR/$listener/heard"
}

tcp_goes_on() {
	local before
	before=$(tcp_heard) && lab_wait 20 eval '[ "$(tcp_heard)" -gt '"$((before + 25))"' ]'
}

# both_ways HOST OTHER: numbered datagrams between them.
both_ways() {
	lab_stream_start "$1" "$(lab_hit "$1")" "$(lab_hit "$2")" "$RATE"
	lab_stream_start "$2" "$(lab_hit "$2")" "$(lab_hit "$1")" "$RATE"
	lab_wait 10 lab_stream_arrives "$1" "$2" || lab_give_up "nothing goes between $1 and $2"
}

# first_packets: how many I1 all hosts have sent and received: none more while no association is made anew.
first_packets() {
	local host
	for host in $HOSTS; do lab_status "$host" '"\(.counters.i1_out // 0) \(.counters.i1_in // 0)"'; done | paste -s -d ' '
}

# ---- what is asked of every handover -------------------------------------------------------------------------------

# goes_on NAME HOST OTHER FROM: NAME began at FROM; from now on all must go on.
goes_on() {
	local name=$1 host=$2 other=$3 from=$4 end
	# Until then it would look as if nothing had happened.
	sleep 0.3
	lab_check "$name: the datagrams arrive again" lab_wait 20 lab_stream_arrives "$host" "$other"
	sleep 1.5
	end=$(($(lab_now) - 500000))
	lab_check "$name: from $host nothing is lost but in the gap" no_holes "$host" "$other" "$from" "$end"
	lab_check "$name: to $host nothing is lost but in the gap" no_holes "$other" "$host" "$from" "$end"
	lab_check "$name: the TCP connection goes on" tcp_goes_on
	lab_check "$name: the association is the same" same_association
	first_packets=$(first_packets)
}

no_holes() {
	local holes
	holes=$(lab_stream_holes "$@")
	echo "$holes lost outside the gap"
	[ "$holes" = 0 ]
}

same_association() {
	echo "I1 sent and received before: $first_packets; now: $(first_packets)"
	[ "$(first_packets)" = "$first_packets" ]
}

# nothing_lost NAME HOST OTHER FROM END
nothing_lost() {
	local name=$1 lost
	lost=$(lab_stream_measure "$2" "$3" "$4" "$5")
	lab_check "$name: from $2 nothing is lost (${lost#* })" [ "${lost#* }" = 0 ]
	lost=$(lab_stream_measure "$3" "$2" "$4" "$5")
	lab_check "$name: to $2 nothing is lost (${lost#* })" [ "${lost#* }" = 0 ]
}

# uses HOST OTHER NAME: HOST sends to OTHER over that uplink.
uses() {
	local local address4 address6
	local=$(lab_association "$1" "$2" local)
	address4=$(lab_uplink_address "$1" "$3" 4) address6=$(lab_uplink_address "$1" "$3" 6)
	echo "sends from $local"
	case $local in "$address4" | "$address4:"* | "$address6" | "[$address6]:"*) return 0 ;; esac
	return 1
}

# changes HOST OTHER SECONDS: how many times HOST changed the address it sends to OTHER from.
changes() {
	local end=$((SECONDS + $3)) before now count=0
	before=$(lab_association "$1" "$2" local)
	while [ "$SECONDS" -lt "$end" ]; do
		now=$(lab_association "$1" "$2" local)
		[ "$now" = "$before" ] || count=$((count + 1))
		before=$now
		sleep 0.1
	done
	echo "$count"
}

# ---- one host moves ------------------------------------------------------------------------------------------------

tcp_between home walker
both_ways walker home
first_packets=$(first_packets)

lab_uplink_down walker wlan0
from=$(lab_now)
sleep 1
lab_uplink walker lte0 lte delay 10
goes_on 'break before make' walker home "$from"

from=$(lab_now)
LAB_METRIC=50 lab_uplink walker wlan0 wifi delay 10
sleep 3
lab_uplink_down walker lte0
goes_on 'make before break' walker home "$from"
nothing_lost 'make before break' walker home "$from" "$(($(lab_now) - 500000))"

LAB_METRIC=200 lab_uplink walker lte0 lte delay 10
lab_check 'a second link changes nothing' uses walker home wlan0
sleep 3
lab_uplink_silent walker wlan0
from=$(lab_now)
goes_on 'silent death' walker home "$from"
lab_check 'silent death: the other link is used' uses walker home lte0

from=$(lab_now)
lab_uplink_heals walker wlan0
lab_check 'healed: it comes back to the preferred link' lab_wait 60 uses walker home wlan0
flaps=$(changes walker home 5)
lab_check "healed: and it stays there ($flaps changes)" [ "$flaps" = 0 ]
nothing_lost 'healed' walker home "$from" "$(($(lab_now) - 500000))"
lab_check 'healed: the association is the same' same_association
lab_streams_stop walker home
lab_end "$sender"
lab_check 'one host moves: the TCP connection ends in order' lab_end "$hearer"

# ---- both move at once ---------------------------------------------------------------------------------------------

lab_uplink_down walker lte0
tcp_between runner walker
both_ways walker runner
first_packets=$(first_packets)
lab_uplink_down walker wlan0
lab_uplink_down runner wlan0
from=$(lab_now)
sleep 1
lab_uplink_prepare walker wlan0 cafe delay 10
lab_uplink_prepare runner wlan0 lte delay 10
lab_uplink_ready walker wlan0
lab_uplink_ready runner wlan0
goes_on 'both move at once' walker runner "$from"
lab_streams_stop walker runner
lab_end "$sender"
lab_check 'both move at once: the TCP connection ends in order' lab_end "$hearer"
lab_finish
