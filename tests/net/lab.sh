# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The namespace laboratory: hosts, routers and networks made of network namespaces, with hiphopd in the hosts.
# A script sources this file and calls lab_start "$@" before anything else:
#
#	. "$(dirname "$0")/lab.sh"
#	lab_start "$@"
#	lab_network north 192.0.2 2001:db8:1
#	lab_host alice north
#	lab_exec alice ping -c 1 192.0.2.254
#	lab_finish
#
# Everything happens in a mount, PID and network namespace of the script's own (and a user namespace when it is not
# root), with a private tmpfs on /run. So two laboratories run side by side, nothing of the machine is touched, and
# when the script ends, however it ends, the kernel takes away every process, link and file.

LAB_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB_DIR=/run/lab
LAB_KEPT_MARK=$'\001kept'
# In what a script prints, this stands for the command that enters a host of a laboratory left running by lab_keep.
LAB_ENTER=$'\001enter'
PATH=$PATH:/usr/sbin:/sbin

# shellcheck source=tests/net/daemons.sh
. "$LAB_ROOT/tests/net/daemons.sh"
# shellcheck source=tests/net/captures.sh
. "$LAB_ROOT/tests/net/captures.sh"
# shellcheck source=tests/net/phones.sh
. "$LAB_ROOT/tests/net/phones.sh"
# shellcheck source=tests/net/links.sh
. "$LAB_ROOT/tests/net/links.sh"
# shellcheck source=tests/net/streams.sh
. "$LAB_ROOT/tests/net/streams.sh"

# ---- starting and ending -------------------------------------------------------------------------------------------

# lab_start [ARGUMENT...]: enters the laboratory by running the calling script again inside it, with the same
# arguments. Returns inside only. Call it first, with "$@".
lab_start() {
	[ "${LAB_INSIDE-}" ] || lab_run_inside "$@"
	mount --make-rprivate /
	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir -p /run/netns "$LAB_DIR"
	ip link set dev lo up
	trap lab_stop EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	LAB_PASSED=0 LAB_FAILED=0 LAB_NETWORKS=0
	ip netns add core
	ip -n core link add name core type bridge mcast_snooping 0
	ip -n core link set dev core up
}

# Runs the script inside, hands its output on, and ends with its status. Never returns. The inner side has a process
# group of its own, so that a signal to this side is answered by ending the whole of it.
lab_run_inside() {
	local namespaces=(--mount --net --pid --fork --kill-child --mount-proc) pipe line child status interrupted=
	[ "$(id -u)" = 0 ] || namespaces+=(--user --map-root-user)
	pipe=$(mktemp -d) && mkfifo "$pipe/output" || exit 1
	set -m
	LAB_INSIDE=$(id -u) unshare "${namespaces[@]}" -- "$BASH" "$0" "$@" >"$pipe/output" 2>&1 </dev/null &
	child=$!
	trap 'interrupted=130; kill -TERM -- "-$child" 2>/dev/null' INT
	trap 'kill -TERM -- "-$child" 2>/dev/null' TERM HUP
	exec 8<"$pipe/output"
	rm -r "$pipe"
	while IFS= read -r line <&8; do
		case $line in
		"$LAB_KEPT_MARK "*) lab_leave_running "$child" "${line##* }" ;;
		*) printf '%s\n' "${line//$LAB_ENTER/build/lab-$child/enter}" ;;
		esac
	done
	wait "$child" 2>/dev/null
	status=$?
	exit "${interrupted:-$status}"
}

# lab_keep: like lab_finish, but leaves the laboratory running after the script. The outer side writes
# build/lab-PID/enter and build/lab-PID/stop.
lab_keep() {
	printf '%d passed, %d failed\n' "$LAB_PASSED" "$LAB_FAILED"
	printf '%s %s\n' "$LAB_KEPT_MARK" "$((LAB_FAILED > 0))"
	exec >/dev/null 2>&1
	sleep infinity &
	wait $!
}

# The outer half of lab_keep: writes the two scripts, says so, and ends.
lab_leave_running() {
	local child=$1 status=$2 place=build/lab-$1 user=
	[ "$(id -u)" = 0 ] || user='--user --preserve-credentials'
	mkdir -p "$LAB_ROOT/$place"
	cat >"$LAB_ROOT/$place/enter" <<-END
		#!/bin/sh
		# enter HOST [COMMAND...]: a shell, or the command, on HOST of this laboratory.
		[ \$# -gt 0 ] || { echo "usage: \$0 HOST [COMMAND...]" >&2; exit 2; }
		host=\$1; shift
		[ \$# -gt 0 ] || set -- "\${SHELL:-/bin/sh}"
		export PATH="$LAB_DIR/\$host/bin:\$PATH:/usr/sbin:/sbin"
		exec nsenter --target $child $user --mount --pid=/proc/$child/ns/pid_for_children \\
			nsenter --net=/run/netns/\$host -- "\$@"
	END
	cat >"$LAB_ROOT/$place/stop" <<-END
		#!/bin/sh
		# Ends this laboratory and removes these scripts.
		kill -TERM -$child
		rm -r "$LAB_ROOT/$place"
	END
	chmod +x "$LAB_ROOT/$place/enter" "$LAB_ROOT/$place/stop"
	echo "Left running. $place/enter HOST [COMMAND...] enters a host, $place/stop ends it all."
	disown -a
	exit "$status"
}

# Ends what runs inside, and keeps the logs in build/lab-logs/ when something failed.
lab_stop() {
	local status=$? logs
	trap '' INT TERM HUP
	logs=build/lab-logs/$(basename "$0" .sh)
	if [ "$status" != 0 ] && [ "$status" -lt 128 ]; then
		{ rm -rf "${LAB_ROOT:?}/$logs" && mkdir -p "$LAB_ROOT/$logs"; } 2>/dev/null || exit "$status"
		(cd "$LAB_DIR" && find . -type f \( -name '*.log*' -o -name '*.conf' -o -name '*.pcap' -o -name '*.json' \) \
			-size -20M -exec cp --parents -t "$LAB_ROOT/$logs" {} +)
		echo "The logs are in $logs."
	fi
	exit "$status"
}

# lab_finish: prints the count and ends the script, with status 1 when a check failed or none was made.
lab_finish() {
	printf '%d passed, %d failed\n' "$LAB_PASSED" "$LAB_FAILED"
	[ "$LAB_FAILED" = 0 ] && [ "$LAB_PASSED" -gt 0 ]
	exit
}

# ---- saying what was seen ------------------------------------------------------------------------------------------

# lab_ok NAME, lab_not_ok NAME WHY: one result, counted.
lab_ok() {
	LAB_PASSED=$((LAB_PASSED + 1))
	printf 'ok %s\n' "$1"
}

lab_not_ok() {
	LAB_FAILED=$((LAB_FAILED + 1))
	printf 'not ok %s %s\n' "$1" "$2"
}

# lab_check NAME COMMAND...: ok when COMMAND ends with 0; otherwise not ok, with the last line it printed.
# Returns what COMMAND returned.
lab_check() {
	local name=$1 output status
	shift
	# Not in a subshell: COMMAND may wait for processes that this shell started.
	"$@" >"$LAB_DIR/check-output" 2>&1
	status=$?
	if [ "$status" = 0 ]; then
		lab_ok "$name"
	else
		output=$(tail -n 1 "$LAB_DIR/check-output")
		lab_not_ok "$name" "(status $status) ${output:-$*}"
	fi
	return "$status"
}

# lab_give_up REASON: for a lab that cannot go on: counts a failure and ends the script.
lab_give_up() {
	lab_not_ok "$(basename "$0" .sh)" "$1"
	lab_finish
}

# lab_wait SECONDS COMMAND...: runs COMMAND, silent, every tenth of a second until it ends with 0. Fails after SECONDS,
# or LAB_PATIENCE times that, where a laboratory on a slow machine asks for it.
lab_wait() {
	local end=$((SECONDS + $1 * ${LAB_PATIENCE:-1} + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# lab_not COMMAND...: the opposite of COMMAND.
lab_not() {
	! "$@"
}

# ---- networks ------------------------------------------------------------------------------------------------------

# lab_network NAME PREFIX4 PREFIX6: a network and its router, the host router-NAME, which a core link joins to the
# routers of all others. PREFIX4 is three numbers (192.0.2) or - for a network without IPv4; PREFIX6 is a /64
# without its ::, or - as well. The router is .254 and ::fe there.
lab_network() {
	local name=$1 prefix4=$2 prefix6=$3 router=router-$1 other
	LAB_NETWORKS=$((LAB_NETWORKS + 1))
	mkdir -p "$LAB_DIR/networks/$name" "$LAB_DIR/$router"
	echo "$prefix4" >"$LAB_DIR/networks/$name/prefix4"
	echo "$prefix6" >"$LAB_DIR/networks/$name/prefix6"
	echo "$LAB_NETWORKS" >"$LAB_DIR/networks/$name/number"
	echo 0 >"$LAB_DIR/networks/$name/hosts"
	lab_namespace "$router"
	lab_exec "$router" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	lab_link "$router" core core "port$LAB_NETWORKS"
	ip -n core link set "port$LAB_NETWORKS" master core
	ip -n "$router" link add name lan type bridge mcast_snooping 0
	ip -n "$router" link set dev lan up
	lab_addresses "$router" lan "$prefix4" "$prefix6" 254 fe
	[ "$prefix4" = - ] || ip -n "$router" address add "10.255.0.$LAB_NETWORKS/24" dev core
	[ "$prefix6" = - ] || ip -n "$router" address add "2001:db8:ffff::$LAB_NETWORKS/64" dev core nodad
	for other in "$LAB_DIR"/networks/*/; do
		other=$(basename "$other")
		[ "$other" = "$name" ] || { lab_route "$name" "$other"; lab_route "$other" "$name"; }
	done
}

# Tells the router of network $1 the way to network $2.
lab_route() {
	local prefix4 prefix6 number
	prefix4=$(cat "$LAB_DIR/networks/$2/prefix4")
	prefix6=$(cat "$LAB_DIR/networks/$2/prefix6")
	number=$(cat "$LAB_DIR/networks/$2/number")
	[ "$prefix4" = - ] || [ "$(cat "$LAB_DIR/networks/$1/prefix4")" = - ] ||
		ip -n "router-$1" route add "$prefix4.0/24" via "10.255.0.$number"
	[ "$prefix6" = - ] || [ "$(cat "$LAB_DIR/networks/$1/prefix6")" = - ] ||
		ip -n "router-$1" route add "$prefix6::/64" via "2001:db8:ffff::$number"
}

# lab_host NAME NETWORK: a host on NETWORK, with the next free address of each family, and the router as default.
# Its directory is $LAB_DIR/NAME; the files address4 and address6 there tell its addresses (empty when it has none).
lab_host() {
	lab_host_files "$1"
	lab_namespace "$1"
	lab_attach "$1" "$2"
}

# The directory of host $1, with a command hiphop that speaks to its daemon.
lab_host_files() {
	mkdir -p "$LAB_DIR/$1/bin"
	printf '#!/bin/sh\nexec %q --socket %q "$@"\n' "$LAB_HIPHOP" "$LAB_DIR/$1/control.sock" >"$LAB_DIR/$1/bin/hiphop"
	chmod +x "$LAB_DIR/$1/bin/hiphop"
}

# lab_attach HOST NETWORK: plugs HOST's only link, eth0, into NETWORK (again: see lab_detach) with a fresh address.
lab_attach() {
	local name=$1 network=$LAB_DIR/networks/$2 prefix4 prefix6 number
	prefix4=$(cat "$network/prefix4")
	prefix6=$(cat "$network/prefix6")
	number=$(($(cat "$network/hosts") + 1))
	echo "$number" >"$network/hosts"
	lab_link "$name" eth0 "router-$2" "$name"
	ip -n "router-$2" link set dev "$name" master lan
	lab_addresses "$name" eth0 "$prefix4" "$prefix6" "$number" "$(printf %x "$number")"
	if [ "$prefix4" != - ]; then ip -n "$name" route add default via "$prefix4.254"; fi
	if [ "$prefix6" != - ]; then ip -n "$name" route add default via "$prefix6::fe"; fi
}

# lab_detach HOST: pulls HOST's link out and removes it, as when a cable is pulled.
lab_detach() {
	ip -n "$1" link delete dev eth0
}

# A namespace called $1 without duplicate address detection, whose addresses can be used at once.
lab_namespace() {
	ip netns add "$1"
	lab_exec "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.default.accept_ra=0 net.ipv6.conf.default.router_solicitations=0
	ip -n "$1" link set dev lo up
}

# A veth pair: $2 in namespace $1, $4 in namespace $3, both up. Checksums are made by the sender, unless LAB_OFFLOAD
# is set: a link that leaves them to hardware shows them wrong in a capture.
lab_link() {
	ip -n "$1" link add name "$2" type veth peer name "$4" netns "$3"
	if [ -z "${LAB_OFFLOAD-}" ]; then
		lab_exec "$1" ethtool -K "$2" tx off >/dev/null
		lab_exec "$3" ethtool -K "$4" tx off >/dev/null
	fi
	ip -n "$1" link set dev "$2" up
	ip -n "$3" link set dev "$4" up
}

# Gives link $2 of namespace $1 the address $5 of $3/24 and $6 of $4::/64, and writes both down.
lab_addresses() {
	: >"$LAB_DIR/$1/address4"
	: >"$LAB_DIR/$1/address6"
	if [ "$3" != - ]; then
		echo "$3.$5" >"$LAB_DIR/$1/address4"
		ip -n "$1" address add "$3.$5/24" dev "$2"
	fi
	if [ "$4" != - ]; then
		echo "$4::$6" >"$LAB_DIR/$1/address6"
		ip -n "$1" address add "$4::$6/64" dev "$2" nodad
	fi
}

# lab_address HOST [4|6]: prints HOST's address of that family; without one, IPv4 when it has that, else IPv6.
lab_address() {
	if [ "${2-}" ]; then
		cat "$LAB_DIR/$1/address$2"
	elif [ -s "$LAB_DIR/$1/address4" ]; then
		cat "$LAB_DIR/$1/address4"
	else
		cat "$LAB_DIR/$1/address6"
	fi
}

# lab_exec HOST COMMAND...: runs COMMAND on HOST, with this script's files.
lab_exec() {
	local host=$1
	shift
	nsenter --net="/run/netns/$host" -- "$@"
}

# lab_spawn LOG HOST COMMAND...: starts COMMAND on HOST in the background, its output in LOG. LAB_SPAWNED is then its
# process id.
lab_spawn() {
	local log=$1 host=$2
	shift 2
	(exec nsenter --net="/run/netns/$host" -- "$@" >"$log" 2>&1) &
	LAB_SPAWNED=$!
}

# lab_end PID: asks a process that lab_spawn started to end, and returns its status; after 5 seconds it is killed.
lab_end() {
	local status
	kill -TERM "$1" 2>/dev/null
	lab_wait 5 lab_not kill -0 "$1" || kill -KILL "$1"
	wait "$1"
	status=$?
	return "$status"
}

# lab_listens HOST PORT: true when something on HOST listens on that TCP port.
lab_listens() {
	lab_exec "$1" ss -Hltn "sport = :$2" | grep -q .
}

# lab_is_real_root: true when root here is more than the only user of a user namespace.
lab_is_real_root() {
	local count
	read -r _ _ count </proc/self/uid_map
	[ "$(id -u)" = 0 ] && [ "$count" -gt 1 ]
}
