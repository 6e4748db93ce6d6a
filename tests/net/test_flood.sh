#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Floods of I1, I2 and ESP from forged sources, as fast as this machine goes: the daemon stays up, an association goes on, a new host still
# gets in, memory has a bound, puzzles become harder. tests/bench/flood measures what this only looks at.
. "$(dirname "$0")/lab.sh"
. "$(dirname "$0")/../bench/flood_lab.sh"
lab_start "$@"
lab_needs_hiphopd

flood_network
flood_hosts
lab_check 'two hosts with an association' flood_calls_work || lab_give_up 'there is nothing to disturb'

pings() { tr -dc '\n' <"$LAB_DIR/ping.log" | wc -c; }
lab_spawn "$LAB_DIR/ping.log" two ping -i 0.2 "$(lab_hit one)"
ping=$LAB_SPAWNED
# Memory may settle once (the table of who comes again has 2 MiB), but not grow with what is sent. MEMORY_ROOM as in test_hostile.sh.
room=${MEMORY_ROOM:-8192}

# attack NAME KIND FROM RATE TRANSPORT COUNTER NEW-HOST
attack() {
	local name=$1 kind=$2 from=$3 rate=$4 transport=$5 counter=$6 host=$7 before seen
	flood_new_host "$host" "$transport"
	before=$(flood_memory) seen=$(pings)
	flood_start "$kind" "$from" "$rate" 2
	lab_check "$name: it is refused, and counted" lab_wait 10 lab_status one ".counters.$counter // 0 > 100"
	lab_check "$name: a new host gets in" lab_exec "$host" ping -q -c 1 -W 20 "$(lab_hit one)"
	lab_check "$name: it was sent" wait "$flood_pid"
	tail -n 1 "$LAB_DIR/flood.log"
	lab_check "$name: an association goes on" lab_wait 10 eval "[ \$(pings) -gt $((seen + 3)) ]"
	lab_check "$name: memory has a bound ($before kB, then $(flood_memory) kB)" [ "$(flood_memory)" -lt $((before + room)) ]
	flood_end_host "$host"
}

attack 'I1 from everywhere' i1 everywhere 100000 '"udp"' drop_i1_rate first
# conforms: RFC7401-4.1.1-2
lab_check 'puzzles are harder now' lab_status one '.puzzle.difficulty > .puzzle.calm'
attack 'I1 in the name of the new host' i1 "$(lab_address second 4)" 100000 '"udp"' drop_i1_rate second
attack 'I1 over protocol 139' i1-ip everywhere 100000 '"ip"' drop_i1_rate first
attack 'I2 with wrong solutions' i2 everywhere 20000 '"udp"' drop_puzzle third
attack 'ESP of nobody' esp everywhere 20000 '"udp"' esp_drop_unknown_spi second

lab_end "$ping"
lab_check 'status tells it all in one screen' lab_hiphop one status
lab_check 'it ends in order' lab_hiphopd_stop one
lab_check 'the log has no sign of a fault' lab_not grep -E 'Sanitizer|runtime error|Assertion' "$LAB_DIR"/one/hiphopd.log.*
lab_check 'the log is short' eval "[ \$(cat $LAB_DIR/one/hiphopd.log.* | wc -l) -lt 200 ]"
lab_finish
