# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# hiphopd and hiphop in the laboratory. Part of lab.sh.

LAB_DOMAIN=example.com
LAB_HIPHOPD=${LAB_HIPHOPD:-$LAB_ROOT/build/hiphopd}
LAB_HIPHOP=${LAB_HIPHOP:-$LAB_ROOT/build/hiphop}

# lab_needs_hiphopd: gives up, saying why, when hiphopd is not built or cannot open a TUN device here.
lab_needs_hiphopd() {
	local mode
	[ -x "$LAB_HIPHOPD" ] && [ -x "$LAB_HIPHOP" ] || lab_give_up "hiphopd is not built: run make"
	[ -e /dev/net/tun ] || lab_give_up "there is no /dev/net/tun: as root, modprobe tun"
	# A test of the access bits would not do: root of a user namespace passes it and is refused all the same.
	(exec 3<>/dev/net/tun) 2>/dev/null && return
	mode=$(stat -c %a /dev/net/tun)
	lab_give_up "/dev/net/tun is closed to you (mode 0$mode; udev makes it 0666): as root, chmod 0666 /dev/net/tun"
}

# lab_configure HOST [BOOTSTRAP...]: writes HOST's configuration. Each BOOTSTRAP is another host, by whose address of
# a family that both have (and HIT, when its daemon has run) HOST finds the overlay. These variables change more:
#	LAB_TRANSPORTS  underlay.transports       LAB_KNOWN    hosts for underlay.hosts, with their locators
#	LAB_ROLE        overlay.role              LAB_INBOUND  access.inbound
#	LAB_ALGORITHMS  whole groups hip and esp  LAB_IDENTITY  more members of identity
#	LAB_ACCESS      more members of access      LAB_SIP     more members of sip
#	LAB_PREFIXES    members of prefixes         LAB_PATHS   members of paths
lab_configure() {
	local host=$1 place=$LAB_DIR/$1 entries='' known='' other user=hiphop
	shift
	for other in "$@"; do
		entries+="${entries:+, }{ $(lab_locator "$host" "$other" port) }"
	done
	for other in ${LAB_KNOWN-}; do
		known+="${known:+, }{ name = \"$other\"; $(lab_locator "$host" "$other") }"
	done
	cat >"$place/hiphop.conf" <<-END
		identity = { key = "$place/state/host.pem"; ${LAB_IDENTITY-} };
		tunnel = { name = "hip0"; mtu = 1400; };
		underlay = { port = 10500; transports = ( ${LAB_TRANSPORTS:-\"udp\", \"ip\"} ); hosts = ( $known ); };
		paths = { ${LAB_PATHS-} };
		overlay = { name = "$LAB_DOMAIN"; topology = "chord"; hash = "sha256"; role = "${LAB_ROLE:-peer}";
			bootstrap = ( $entries ); };
		sip = { domain = "$LAB_DOMAIN"; port = 5060; ${LAB_SIP-} };
		access = { associate = "any"; ${LAB_ACCESS-} inbound = ( ${LAB_INBOUND:-\"icmp6\", \"sip\", \"calls\"} ); };
		prefixes = { ${LAB_PREFIXES-} };
		control = { socket = "$place/control.sock"; };
		state = "$place/state"; user = "$user"; group = "$user";
		${LAB_ALGORITHMS-}
	END
}

# Prints where HOST $1 finds HOST $2, in the words of the configuration; with its port when $3 is given.
lab_locator() {
	local address
	address=$(lab_address "$2" 4)
	[ -n "$address" ] && [ -n "$(lab_address "$1" 4)" ] || address=$(lab_address "$2" 6)
	printf 'address = "%s";' "$address"
	[ -z "${3-}" ] || printf ' port = 10500;'
	[ ! -e "$LAB_DIR/$2/hit" ] || printf ' hit = "%s";' "$(lab_hit "$2")"
}

# lab_hiphopd HOST: starts HOST's daemon with the configuration lab_configure wrote. Its log is
# $LAB_DIR/HOST/hiphopd.log.
lab_hiphopd() {
	local place=$LAB_DIR/$1
	lab_spawn "$place/hiphopd.log.$((++LAB_STARTS))" "$1" "$LAB_HIPHOPD" --config "$place/hiphop.conf"
	echo "$LAB_SPAWNED" >"$place/hiphopd.pid"
}

# lab_hiphopd_ready HOST: waits until the daemon answers, and writes its HIT down. Gives the lab up when it does not.
lab_hiphopd_ready() {
	lab_wait 10 lab_hiphop "$1" --json status || lab_give_up "hiphopd of $1: $(tail -n 1 "$LAB_DIR/$1"/hiphopd.log.*)"
	lab_status "$1" .hit >"$LAB_DIR/$1/hit"
}

# lab_hiphopd_stop HOST: ends the daemon; its exit status.
lab_hiphopd_stop() {
	lab_end "$(cat "$LAB_DIR/$1/hiphopd.pid")"
}

# lab_hiphopd_kill HOST: ends the daemon without warning, as a loss of power would. Fails when it had ended before.
lab_hiphopd_kill() {
	local pid
	pid=$(cat "$LAB_DIR/$1/hiphopd.pid")
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	[ $? = 137 ]
}

# lab_hiphop HOST ARGUMENT...: the command hiphop, talking to HOST's daemon.
lab_hiphop() {
	local host=$1
	shift
	"$LAB_HIPHOP" --socket "$LAB_DIR/$host/control.sock" "$@"
}

# lab_status HOST FILTER: what jq's FILTER finds in the daemon's status, as plain text. Fails when it is false, null
# or nothing.
lab_status() {
	lab_hiphop "$1" --json status | jq -er "$2"
}

# lab_hit HOST: prints the HIT of HOST's daemon, also when it no longer runs.
lab_hit() {
	cat "$LAB_DIR/$1/hit"
}

# lab_joined HOST: true when HOST is a member of the overlay.
lab_joined() {
	lab_status "$1" .overlay.joined
}

# lab_association HOST OTHER KEY: one value of the association that HOST has with OTHER, as plain text. Fails when
# there is none.
lab_association() {
	lab_status "$1" ".associations[] | select(.hit == \"$(lab_hit "$2")\").$3 | tostring"
}

# lab_overlay HOST...: configures and starts daemons on the hosts, the first as bootstrap peer of the others, and
# waits until all are members. Gives the lab up when they do not become that.
lab_overlay() {
	local first=$1 host
	lab_configure "$first"
	lab_hiphopd "$first"
	lab_hiphopd_ready "$first"
	shift
	for host in "$@"; do
		lab_configure "$host" "$first"
		lab_hiphopd "$host"
	done
	for host in "$@"; do
		lab_hiphopd_ready "$host"
	done
	for host in "$first" "$@"; do
		lab_wait 30 lab_joined "$host" || lab_give_up "$host did not join the overlay"
	done
}

# lab_resolves HOST AOR OWNER: true when HOST learns from the overlay that AOR is OWNER's name.
lab_resolves() {
	[ "$(lab_hiphop "$1" --json resolve "$2" | jq -r '.hits[]')" = "$(lab_hit "$3")" ]
}

# lab_make_identities HOST...: runs each host's daemon once, so that its HIT is known before others are configured.
lab_make_identities() {
	local host
	for host in "$@"; do
		lab_configure "$host"
		lab_hiphopd "$host"
	done
	for host in "$@"; do
		lab_hiphopd_ready "$host"
		lab_hiphopd_stop "$host"
	done
}

# lab_ping HOST OTHER: true when the kernel of HOST reaches OTHER's HIT with ping. The first packet may wait for a
# base exchange.
lab_ping() {
	lab_exec "$1" ping -q -c 3 -i 0.3 -W 5 "$(lab_hit "$2")"
}

# lab_sees_address HOST OTHER: true when HOST sends to an address that OTHER has now.
lab_sees_address() {
	local remote address
	remote=$(lab_association "$1" "$2" remote)
	for address in $(cat "$LAB_DIR/$2/address4" "$LAB_DIR/$2/address6"); do
		case $remote in "$address" | "$address:"* | "[$address]:"*) return 0 ;; esac
	done
	return 1
}
