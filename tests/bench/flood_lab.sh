# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A laboratory for floods: `one` is flooded by `mallory`, has calls with `two`, and new hosts come to it. For tests/bench/flood and
# tests/net/test_flood.sh, after lab.sh.

FLOODERS=$LAB_ROOT/build/release/tests/bench
FLOOD_PORTS='"icmp6", "udp/40000", "udp/40001", "udp/40002", "udp/40003", "udp/40004"'

flood_network() {
	local host
	[ -x "$FLOODERS/flood_generator" ] && [ -x "$FLOODERS/flood_call" ] || lab_give_up 'the generator is not built: run make flooders'
	lab_network left 192.0.2 2001:db8:1
	for host in one two first second third; do lab_host "$host" left; done
	# mallory has a cable to one, so that all the floods cost is what they cost one.
	mkdir -p "$LAB_DIR/mallory"
	lab_namespace mallory
	lab_link mallory eth0 one flooded
	lab_exec one sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.flooded.rp_filter=0
	ip -n mallory address add 198.51.100.2/30 dev eth0
	ip -n one address add 198.51.100.1/30 dev flooded
	ip -n mallory route add default via 198.51.100.1
}

# one and two, associated.
flood_hosts() {
	local LAB_INBOUND=$FLOOD_PORTS host
	lab_configure one
	lab_hiphopd one
	lab_hiphopd_ready one
	LAB_TRANSPORTS='"udp"' LAB_KNOWN=one lab_configure two
	lab_hiphopd two
	lab_hiphopd_ready two
}

flood_calls_work() { lab_wait 10 lab_ping two one && lab_ping one two >/dev/null; }

# flood_new_host HOST TRANSPORT: a daemon with an identity that nobody has seen.
flood_new_host() {
	rm -rf "$LAB_DIR/$1/state"
	LAB_TRANSPORTS=$2 LAB_KNOWN=one lab_configure "$1"
	lab_hiphopd "$1"
	lab_hiphopd_ready "$1"
}

flood_end_host() { lab_hiphopd_stop "$1" >/dev/null; }

# flood_start KIND FROM RATE SECONDS: mallory begins; its process id is flood_pid.
flood_start() {
	local link
	link=$(ip -n one -json link show dev flooded | jq -r '.[0].address')
	lab_spawn "$LAB_DIR/flood.log" mallory "$FLOODERS/flood_generator" eth0 "$link" "$(lab_address one 4)" "$(lab_hit one)" "$@"
	flood_pid=$LAB_SPAWNED
}

flood_memory() { awk '/^VmRSS/ { print $2 }' "/proc/$(cat "$LAB_DIR/one/hiphopd.pid")/status"; }

# flood_calls_start SECONDS: both ways.
flood_calls_start() {
	lab_spawn "$LAB_DIR/received.in" one "$FLOODERS/flood_call" receive "$(lab_hit one)"
	flood_receivers=$LAB_SPAWNED
	lab_spawn "$LAB_DIR/received.out" two "$FLOODERS/flood_call" receive "$(lab_hit two)"
	flood_receivers+=" $LAB_SPAWNED"
	lab_spawn "$LAB_DIR/sent.in" two "$FLOODERS/flood_call" send "$(lab_hit one)" "$1"
	flood_senders=$LAB_SPAWNED
	lab_spawn "$LAB_DIR/sent.out" one "$FLOODERS/flood_call" send "$(lab_hit two)" "$1"
	flood_senders+=" $LAB_SPAWNED"
}

flood_calls_end() {
	local pid
	# shellcheck disable=SC2086
	wait $flood_senders
	sleep 0.5
	for pid in $flood_receivers; do lab_end "$pid"; done
}

# flood_calls_lost in|out: in words, the streams at 50 a second and the one at 1,000.
flood_calls_lost() {
	paste "$LAB_DIR/sent.$1" "$LAB_DIR/received.$1" | awk '{
		printf "%d of %d (%.3f %%) at 50/s and %d of %d (%.3f %%) at 1,000/s", $1 - $3, $1, 100 * ($1 - $3) / $1, $2 - $4, $2, 100 * ($2 - $4) / $2 }'
}
