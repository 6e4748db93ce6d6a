#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Bad days: configurations, keys, disks, devices and ports that will not do end the start with one clear sentence and exit code 1; a daemon that
# runs lives through a full disk, signals, being stopped and being killed; hosts with keys of every kind understand each other.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left 192.0.2 2001:db8:1
for host in one two three four; do lab_host "$host" left; done
place=$LAB_DIR/one
state=$place/state
mkdir "$LAB_DIR/disk"

# ---- the configuration ---------------------------------------------------------------------------------------------

# complains LINE WORDS TEXT: a file with TEXT ends hiphopd with 1 and one sentence that has FILE:LINE (or FILE, when LINE is empty) and WORDS.
complains() {
	printf '%b' "$3" >"$LAB_DIR/bad.conf"
	"$LAB_HIPHOPD" --check --config "$LAB_DIR/bad.conf" >"$LAB_DIR/said" 2>&1
	[ $? = 1 ] && [ "$(wc -l <"$LAB_DIR/said")" = 1 ] && grep -q "bad.conf:${1:+$1:}.*$2" "$LAB_DIR/said" ||
		{ cat "$LAB_DIR/said"; return 1; }
}

lab_check 'configuration: an unknown key' complains 2 'tunnel.mut' '\ntunnel = { mut = 1400; };'
lab_check 'configuration: a bad value' complains 3 'from 1280 to 8900' '\n\ntunnel = { mtu = 5; };'
lab_check 'configuration: the wrong type' complains 1 'double quotes' 'overlay = { name = 5; };'
lab_check 'configuration: twice the same' complains 2 'duplicate' 'state = "/a";\nstate = "/b";'
lab_check 'configuration: cut off' complains 1 'syntax error' 'tunnel = { name = "hip0"'
lab_check 'configuration: a zero octet' complains 2 'zero octet' '\ntunnel = { name = "a\0b"; };'
lab_check 'configuration: rubbish' complains 1 'syntax error' '\0377\0376\0300'
lab_check 'configuration: a domain that is none' complains 1 'no domain name' 'sip = { domain = "a b"; };'
lab_check 'configuration: a file too large' complains '' 'larger than' "$(head -c 1100000 /dev/zero | tr '\0' '#')"

# says PATTERN COMMAND...: COMMAND ends with 1, and the only error it prints has PATTERN.
says() {
	local pattern=$1
	shift
	timeout 20 "$@" >"$LAB_DIR/said" 2>&1
	[ $? = 1 ] && grep -q -- "$pattern" "$LAB_DIR/said" && [ "$(grep -cv ' info: \| warning: ' "$LAB_DIR/said")" = 1 ] ||
		{ tail -n 3 "$LAB_DIR/said" | tr '\n' ' '; return 1; }
}

lab_check 'configuration: a missing file' says 'No such file' "$LAB_HIPHOPD" --config "$LAB_DIR/nothing"
lab_check 'configuration: a directory' says 'Is a directory' "$LAB_HIPHOPD" --config "$LAB_DIR"
lab_check 'configuration: from a pipe' says ':1: tunnel.mtu' "$LAB_HIPHOPD" --check --config <(echo 'tunnel = { mtu = 5; };')

# ---- starts that cannot be -----------------------------------------------------------------------------------------

# start_says NAME PATTERN [PREFIX...]: the start of one's daemon fails and says so; then its state is cleared away.
start_says() {
	local name=$1 pattern=$2
	shift 2
	lab_check "start: $name" says "$pattern" nsenter --net=/run/netns/one -- "$@" "$LAB_HIPHOPD" --config "$place/hiphop.conf"
	rm -rf "$state"
}
# with_key COMMAND...: its output is one's key.
with_key() {
	mkdir -p "$state"
	"$@" >"$state/host.pem" 2>/dev/null
	chmod 600 "$state/host.pem"
}
# occupy PROTOCOL ADDRESS PORT: something on one holds that port. LAB_SPAWNED is its process id.
occupy() {
	rm -f "$LAB_DIR/occupy.log"
	lab_spawn "$LAB_DIR/occupy.log" one python3 -c '
import socket, sys, time
kind = socket.SOCK_DGRAM if sys.argv[1] == "udp" else socket.SOCK_STREAM
taken = socket.socket(socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET, kind)
taken.bind((sys.argv[2], int(sys.argv[3])))
kind == socket.SOCK_STREAM and taken.listen()
print("taken", flush=True)
time.sleep(600)' "$@"
	lab_wait 10 grep -q taken "$LAB_DIR/occupy.log"
}

lab_configure one
with_key echo rubbish
start_says 'a key that is none' 'host.pem cannot be used'
with_key true
start_says 'an empty key' 'host.pem cannot be used'
with_key openssl genpkey -algorithm ED25519
start_says 'a key of an unknown kind' 'host.pem cannot be used (unsupported)'
with_key eval 'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 | head -n 2'
start_says 'half a key' 'host.pem cannot be used'
mkdir -p "$state/host.pem"
start_says 'a directory for a key' 'host.pem cannot be read: Is a directory'
echo >"$state"
start_says 'a file for the state' "$state cannot be made ready: Not a directory"
mkdir -p "$state"
head -c 5000 /dev/urandom >"$state/hiphop.db"
start_says 'a state file that is none' 'hiphop.db is no state file of hiphop'
mkdir -p "$state"
python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("CREATE TABLE theirs (x)").connection.commit()' "$state/hiphop.db"
start_says 'a database of another program' 'another program'
rm -f "$place/control.sock"
echo >"$place/control.sock"
start_says 'a file for the control socket' 'control.sock cannot be made'
rm "$place/control.sock"
ip -n one link add name hip0 type bridge
start_says 'hip0 is there already' 'a device of this name exists'
ip -n one link delete dev hip0
occupy udp :: 10500
start_says 'its UDP port is taken' 'UDP port 10500 is taken'
lab_end "$LAB_SPAWNED"
occupy tcp 127.0.0.1 5060
start_says 'its SIP port is taken' 'SIP port 127.0.0.1:5060 is taken'
lab_end "$LAB_SPAWNED"
start_says 'no TUN' 'there is no /dev/net/tun' unshare --mount sh -c 'mount -t tmpfs tmpfs /dev/net && exec "$@"' -

sed -i "s|$state|$LAB_DIR/disk/state|g" "$place/hiphop.conf"
mount -t tmpfs -o size=64k tmpfs "$LAB_DIR/disk"
mount -o remount,ro "$LAB_DIR/disk"
start_says 'a disk that cannot be written' 'Read-only file system'
mount -o remount,rw "$LAB_DIR/disk"
head -c 1000000 /dev/zero >"$LAB_DIR/disk/fill" 2>/dev/null
start_says 'a full disk' 'No space left on device'
lab_check 'keygen: a full disk' says 'No space left' "$LAB_HIPHOP" keygen "$LAB_DIR/disk/key"
lab_check 'keygen: nothing is left behind' eval '! ls "$LAB_DIR"/disk/key* 2>/dev/null'
umount "$LAB_DIR/disk"

# ---- keys ----------------------------------------------------------------------------------------------------------

lab_check 'keygen: a missing directory' says 'No such file' "$LAB_HIPHOP" keygen "$LAB_DIR/nothing/key"
for pair in one:rsa-2048 two:ecdsa-p384 three:ecdsa-p256 four:rsa-3072; do
	key=$LAB_DIR/${pair%:*}/state/host.pem type=${pair#*:}
	mkdir -p "${key%/*}"
	lab_check "keygen: $type" "$LAB_HIPHOP" keygen --type "$type" "$key"
	lab_check "keygen: $type: openssl reads it" openssl pkey -in "$key" -noout
done
lab_check 'keygen: mode 0600' [ "$(stat -c %a "$key")" = 600 ]
before=$(sha256sum "$key")
lab_check 'keygen: an existing key stays' says 'left alone' "$LAB_HIPHOP" keygen "$key"
lab_check 'keygen: it did stay' [ "$(sha256sum "$key")" = "$before" ]

lab_overlay one two three four
for host in one two three; do
	lab_check "keys of different kinds: $host reaches four" lab_ping "$host" four
	[ "$host" = two ] || lab_check "keys of different kinds: two reaches $host" lab_ping two "$host"
done

# ---- the command -----------------------------------------------------------------------------------------------------

# exits CODE ARGUMENT...: hiphop, at one's daemon, ends in time with that exit code.
exits() {
	local code=$1 status
	shift
	timeout 15 "$LAB_HIPHOP" --socket "$place/control.sock" "$@"
	status=$?
	[ "$status" = "$code" ] || { echo "exit $status"; return 1; }
}

not_utf8=$'\xff\xfe'
lab_check 'hiphop: its own HIT is refused' exits 1 ping "$(lab_hit one)"
lab_check 'hiphop: a Resource-ID is refused' exits 1 ping 2001:20::1
lab_check 'hiphop: an unknown name' exits 1 ping nobody
lab_check 'hiphop: an unknown HIT' exits 1 ping -c 1 -W 1 2001:22:1:2:3:4:5:6
for command in ping trace resolve get; do
	lab_check "hiphop: $command of what is no UTF-8" exits 2 "$command" "$not_utf8"
	lab_check "hiphop: $command of nothing" exits 1 "$command" ''
	lab_check "hiphop: $command without arguments" exits 2 "$command"
done
lab_check 'hiphop: no command' exits 2
lab_check 'hiphop: an unknown command' exits 2 dance
lab_check 'hiphop: an unknown option' exits 2 put colour -5
lab_check 'hiphop: no daemon' exits 3 --socket "$LAB_DIR/nothing" status
lab_check 'hiphop: --json anywhere' eval 'exits 0 status --json | jq -e .ok && exits 0 --json status | jq -e .ok'
fits_80_columns() { lab_hiphop one status >"$LAB_DIR/said" && [ "$(wc -L <"$LAB_DIR/said")" -le 80 ]; }
lab_check 'hiphop: status fits a terminal of 80 columns' fits_80_columns

# ---- values --------------------------------------------------------------------------------------------------------

most=$(head -c 4096 /dev/zero | tr '\0' v)
key255=$(head -c 255 /dev/zero | tr '\0' k)
value_of() { lab_hiphop "$1" --json get "$2" | jq -r '.values[].value' | sort | tr '\n' ' '; }
lab_check 'values: 4096 octets' exits 0 put most "$most"
lab_check 'values: they come back' [ "$(value_of two most)" = "$most " ]
lab_check 'values: 4097 octets are too large' exits 1 put most "${most}v"
lab_check 'values: 70,000 octets are too large' exits 1 put most "$(head -c 70000 /dev/zero | tr '\0' v)"
lab_check 'values: none' exits 0 put empty ''
lab_check 'values: none comes back' [ "$(lab_hiphop two --json get empty | jq -c '[.values[].value]')" = '[""]' ]
lab_check 'values: a key of 255 octets' eval 'exits 0 put "$key255" long && [ "$(value_of two "$key255")" = "long " ]'
lab_check 'values: a key of 256 octets' exits 1 put "${key255}k" long
lab_check 'values: two writers of one key' eval 'lab_hiphop two put key 2 && lab_hiphop three put key 3 && [ "$(value_of one key)" = "2 3 " ]'

# ---- signals -------------------------------------------------------------------------------------------------------

pid_of() { cat "$LAB_DIR/$1/hiphopd.pid"; }
kill -HUP "$(pid_of one)"
lab_check 'SIGHUP: it stays' lab_wait 5 eval 'grep -q SIGHUP $place/hiphopd.log.* && lab_status one .hit'
kill -STOP "$(pid_of two)"
sleep 6
kill -CONT "$(pid_of two)"
lab_check 'stopped for 6 s: peers reach it again' lab_wait 20 lab_exec one ping -c 1 -W 1 "$(lab_hit two)"
lab_check 'stopped for 6 s: it is a member' lab_wait 20 lab_joined two
lab_spawn "$LAB_DIR/ping.log" one "$LAB_HIPHOP" --socket "$place/control.sock" ping -c 1 -W 5 2001:22:6:5:4:3:2:1
exchange=$LAB_SPAWNED
sleep 0.3
lab_check 'SIGTERM during a base exchange: it ends with 0' lab_hiphopd_stop one
wait "$exchange"
lab_check 'SIGTERM during a base exchange: the command ends with 3' [ $? = 3 ]
kill -INT "$(pid_of three)"
kill -INT "$(pid_of three)" 2>/dev/null
wait "$(pid_of three)"
lab_check 'SIGINT twice: it ends with 0' [ $? = 0 ]
lab_hiphopd_stop two
lab_hiphopd_stop four

# ---- a disk that fills up --------------------------------------------------------------------------------------------

mount -t tmpfs -o size=256k tmpfs "$LAB_DIR/disk"
sed -i "s|$state|$LAB_DIR/disk/state|g" "$place/hiphop.conf"
lab_hiphopd one
lab_hiphopd_ready one
head -c 1000000 /dev/zero >"$LAB_DIR/disk/fill" 2>/dev/null
for number in 1 2 3 4 5 6 7 8; do lab_hiphop one put "full$number" "$most" >/dev/null; done
in_trouble() { lab_status one '.trouble | map(select(contains("state file"))) | length > 0'; }
lab_check 'a full disk: status says so' lab_wait 5 in_trouble
lab_check 'a full disk: it goes on serving' [ "$(value_of one full8)" = "$most " ]
rm "$LAB_DIR/disk/fill"
lab_hiphop one put later 1 >/dev/null
lab_check 'room again: the trouble is over' lab_wait 5 lab_not in_trouble
lab_check 'room again: killed' lab_hiphopd_kill one
lab_hiphopd one
lab_hiphopd_ready one
lab_check 'room again: what was put before and after is there' lab_wait 10 eval '[ "$(value_of one full1)$(value_of one later)" = "$most 1 " ]'
lab_check 'it ends in order' lab_hiphopd_stop one
lab_finish
