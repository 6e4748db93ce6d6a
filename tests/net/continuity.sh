# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What goes on between two hosts while their links change, and what is asked of every handover: the association is the same
# one, TCP connections stand, and nothing is lost but what was sent into the gap. Sourced by tests after lab.sh. HOSTS are all
# hosts, RATE the datagrams a second each way.

LAB_STEADY=$LAB_ROOT/tests/net/steady.py
RATE=100

# tcp_between HOST OTHER: a TCP connection from HOST to OTHER that carries numbered pieces.
tcp_between() {
	lab_spawn "$LAB_DIR/$2/heard" "$2" "$LAB_STEADY" hear tcp 7000
	hearer=$LAB_SPAWNED
	lab_wait 5 lab_listens "$2" 7000
	lab_spawn "$LAB_DIR/$1/sent" "$1" "$LAB_STEADY" send tcp "$(lab_hit "$2")" 7000
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

# exchanges: how many I2 all hosts have sent and received: none more while no association is made anew. (An I1 may be sent to
# ask for a peer that is silent for seconds; when it speaks again, nothing comes of it.)
exchanges() {
	local host
	for host in $HOSTS; do lab_status "$host" '"\(.counters.i2_out // 0) \(.counters.i2_in // 0)"'; done | paste -s -d ' '
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
	exchanges=$(exchanges)
}

no_holes() {
	local holes
	holes=$(lab_stream_holes "$@")
	echo "$holes lost outside the gap"
	[ "$holes" = 0 ]
}

same_association() {
	echo "I2 sent and received before: $exchanges; now: $(exchanges)"
	[ "$(exchanges)" = "$exchanges" ]
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

# sends_to HOST OTHER NAME: HOST sends to OTHER's uplink of that name.
sends_to() {
	local remote address4 address6
	remote=$(lab_association "$1" "$2" remote)
	address4=$(lab_uplink_address "$2" "$3" 4) address6=$(lab_uplink_address "$2" "$3" 6)
	echo "sends to $remote"
	case $remote in "$address4" | "$address4:"* | "$address6" | "[$address6]:"*) return 0 ;; esac
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

# within NAME HOST OTHER FROM LIMIT: after FROM nothing may be silent for longer than LIMIT ms, in either direction.
within() {
	gap_below "$1: from $2" "$2" "$3" "$4" "$5"
	gap_below "$1: to $2" "$3" "$2" "$4" "$5"
}

gap_below() {
	local gap
	gap=$(lab_stream_gap "$2" "$3" "$4" "$(lab_now)")
	lab_check "$1 it goes on within $5 ms ($gap)" awk -v gap="$gap" -v limit="$5" 'BEGIN { exit !(gap != "none" && gap < limit) }'
}

# counter HOST NAME: a counter of HOST's daemon.
counter() { lab_status "$1" ".counters.$2 // 0"; }
