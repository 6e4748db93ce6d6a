#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A hostile neighbour, hostile.py: real packets replayed, cut, changed, noise, a flood of I1, and clients that should not do what they do
# at the control socket and at SIP. The daemon stays up, makes no state, does not grow, counts what it drops, and goes on serving its peers.
# HOSTILE_SEED repeats a run.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd
HOSTILE_SEED=${HOSTILE_SEED:-$RANDOM}
HOSTILE=$LAB_ROOT/tests/net/hostile.py
echo "HOSTILE_SEED=$HOSTILE_SEED"

lab_network left 192.0.2 2001:db8:1
lab_network six - 2001:db8:6
for host in one two plain mallory; do lab_host "$host" left; done
lab_host three six

# All that one hears and says, its base exchanges with a peer over each transport and IP version among it.
lab_spawn "$LAB_DIR/record.log" router-left "$HOSTILE" record one "$LAB_DIR/packets"
recorder=$LAB_SPAWNED
lab_wait 10 [ -e "$LAB_DIR/packets" ] || lab_give_up 'nothing can be recorded'
lab_overlay one two three
LAB_TRANSPORTS='"ip"' LAB_KNOWN=one lab_configure plain
lab_hiphopd plain
lab_hiphopd_ready plain
lab_check 'peers over UDP, over IPv6 and over plain IP' eval 'lab_ping two one && lab_ping three one && lab_ping plain one'
lab_end "$recorder"
echo "   $(wc -l <"$LAB_DIR/packets") packets recorded"

lab_spawn "$LAB_DIR/ping.log" two ping -i 0.2 "$(lab_hit one)"
ping=$LAB_SPAWNED
daemon=$(cat "$LAB_DIR/one/hiphopd.pid")

dropped() { lab_status one '[.counters | to_entries[] | select(.key | test("drop|refused|malformed|miss")) | .value] | add // 0'; }
# Without the one that an attack asks for itself, by a proper command to a control socket.
associations() { lab_status one '[.associations[].hit] | map(select(. != "2001:22::1")) | sort | join(" ")'; }
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$daemon/status"; }
is_up() { lab_status one .hit; }
# Memory may settle, but not grow with what is sent. With sanitizers, which keep what is freed, set MEMORY_ROOM=400000 (kB).
has_not_grown() { [ "$(memory)" -lt $((before_memory + ${MEMORY_ROOM:-4096})) ]; }
pings() { tr -dc '\n' <"$LAB_DIR/ping.log" | wc -c; }

# attack NAME COUNTS COMMAND...: carries it out on mallory, and looks at one before and after. COUNTS: whether drops must be counted.
attack() {
	local name=$1 counts=$2 before_drops before_associations before_memory before_pings
	shift 2
	before_drops=$(dropped) before_associations=$(associations) before_memory=$(memory) before_pings=$(pings)
	lab_check "$name: it is sent" "$@"
	cat "$LAB_DIR/check-output"
	lab_check "$name: hiphopd stays up" lab_wait 10 is_up || lab_give_up "$(tail -n 20 "$LAB_DIR"/one/hiphopd.log.* | grep -m1 -E 'ERROR|error' )"
	lab_check "$name: the same associations as before" [ "$(associations)" = "$before_associations" ]
	lab_check "$name: memory is flat ($before_memory kB, then $(memory) kB)" has_not_grown
	[ "$counts" = no ] || lab_check "$name: what is dropped is counted ($before_drops, then $(dropped))" [ "$(dropped)" -gt "$before_drops" ]
	lab_check "$name: a ping that ran goes on" lab_wait 5 eval "[ \$(pings) -gt $((before_pings + 3)) ]"
}
campaign() { # NAME: at both addresses of one
	attack "$1" yes lab_exec mallory "$HOSTILE" "$1" "$HOSTILE_SEED" "$LAB_DIR/packets" "$(lab_address one 4)" "$(lab_address one 6)"
}

# What a first run needs once (buffers, tables) is not growth.
lab_exec mallory env COUNT=500 "$HOSTILE" mutate 1 "$LAB_DIR/packets" "$(lab_address one 4)" >/dev/null
for name in replay truncate mutate noise flood; do campaign "$name"; done
attack 'control socket' no lab_exec one "$HOSTILE" control "$LAB_DIR/one/control.sock"
for host in 127.0.0.1 ::1; do attack "SIP at $host" yes lab_exec one "$HOSTILE" sip "$host"; done

for host in two three plain; do lab_check "$host still reaches it" lab_ping "$host" one; done
lab_end "$ping"
lab_check 'it ends in order' lab_hiphopd_stop one
lab_check 'the log has no sign of a fault' lab_not grep -E 'Sanitizer|runtime error|Assertion' "$LAB_DIR"/one/hiphopd.log.*
lab_finish
