# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Links as they are out of doors: with a delay, losing packets, dying without a word; and hosts that have several of them, or
# others than before. Part of lab.sh. The delay is made by delayed_link, since not every kernel has netem; delayed_link.c
# lists the commands that a line obeys.

LAB_DELAYED_LINK=${LAB_DELAYED_LINK:-$LAB_ROOT/build/release/tests/net/delayed_link}
LAB_FIRST_METRIC=100

# lab_needs_lines: gives up, saying why, when delayed_link and numbered_stream are not built.
lab_needs_lines() {
	[ -x "$LAB_DELAYED_LINK" ] && [ -x "$LAB_STREAM" ] || lab_give_up 'delayed_link is not built: run make lab-tools'
}

# lab_link_delayed NAMESPACE LINK NAMESPACE LINK [COMMAND...]: as lab_link, with a line between the two ends that begins
# with those commands: delay 25 loss 1. The line is known as NAMESPACE LINK of the first end.
lab_link_delayed() {
	local line=line-$1-$2 place=$LAB_DIR/lines/$1-$2
	mkdir -p "$place"
	[ -p "$place/control" ] || mkfifo "$place/control"
	lab_namespace "$line"
	lab_exec "$line" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	lab_plain_link "$1" "$2" "$line" near
	lab_line_start "$@"
}

# A veth pair as lab_link makes it, on which no frame is larger than the link.
lab_plain_link() {
	lab_link "$@"
	lab_exec "$1" ethtool -K "$2" tx off tso off gso off gro off tx-udp-segmentation off >/dev/null
	lab_exec "$3" ethtool -K "$4" tx off tso off gso off gro off tx-udp-segmentation off >/dev/null
}

# The other half of lab_link_delayed: joins the line to its far end and starts what carries the frames.
lab_line_start() {
	local line=line-$1-$2 place=$LAB_DIR/lines/$1-$2
	lab_plain_link "$3" "$4" "$line" far
	ip -n "$line" link set dev near up
	lab_spawn "$place/log" "$line" "$LAB_DELAYED_LINK" near far "$place/control" "${@:5}"
	echo "$LAB_SPAWNED" >"$place/pid"
	lab_wait 5 grep -q ready "$place/log" || lab_give_up "delayed_link: $(tail -n 1 "$place/log")"
}

# Ends what lab_line_start began. The near end has no carrier from then on.
lab_line_end() {
	lab_end "$(cat "$LAB_DIR/lines/$1-$2/pid")" 2>/dev/null
	ip -n "line-$1-$2" link delete dev far
	ip -n "line-$1-$2" link set dev near down
}

# lab_line NAMESPACE LINK COMMAND [NUMBER]: has that line obey: `delay 25`, `loss 5`, `dead`.
lab_line() {
	printf '%s\n' "${*:3}" >"$LAB_DIR/lines/$1-$2/control"
}

# lab_unlink_delayed NAMESPACE LINK: takes link, line and the far end away.
lab_unlink_delayed() {
	lab_line_end "$1" "$2"
	ip -n "$1" link delete dev "$2"
	ip netns delete "line-$1-$2"
}

# ---- hosts with several uplinks ------------------------------------------------------------------------------------

# lab_roaming_host NAME: a host without any link; see lab_uplink.
lab_roaming_host() {
	lab_host_files "$1"
	lab_namespace "$1"
	: >"$LAB_DIR/$1/address4"
	: >"$LAB_DIR/$1/address6"
}

# lab_uplink HOST NAME NETWORK [COMMAND...]: gives HOST the link NAME (wlan0, lte0) into NETWORK, over a line that begins
# with the commands. It has a fresh address of each family that NETWORK has, and default routes whose metric is
# LAB_METRIC; without one, each uplink that is new to the host ranks after those before it. lab_address tells the addresses
# of the uplink that came last. An uplink that was taken down comes up again this way, in the same or in another network.
lab_uplink() {
	lab_uplink_prepare "$@"
	lab_uplink_ready "$1" "$2"
}

# lab_uplink_prepare: as lab_uplink, but HOST has no address on the link before lab_uplink_ready HOST NAME, which takes no
# time worth speaking of.
lab_uplink_prepare() {
	local host=$1 name=$2 network=$LAB_DIR/networks/$3 number
	mkdir -p "$LAB_DIR/$host/uplinks"
	number=$(($(cat "$network/hosts") + 1))
	echo "$number" >"$network/hosts"
	if [ -e "$LAB_DIR/$host/uplinks/$name.metric" ]; then
		lab_line_end "$host" "$name"
		lab_line_start "$host" "$name" "router-$3" "$host-$name" "${@:4}"
	else
		lab_new_metric "$host" "$name"
		lab_link_delayed "$host" "$name" "router-$3" "$host-$name" "${@:4}"
	fi
	ip -n "router-$3" link set dev "$host-$name" master lan
	lab_uplink_commands "$(cat "$network/prefix4")" "$(cat "$network/prefix6")" "$number" "$name" \
		"${LAB_METRIC:-$(cat "$LAB_DIR/$host/uplinks/$name.metric")}" >"$LAB_DIR/$host/uplinks/$name.commands"
}

lab_new_metric() {
	local known
	known=$(find "$LAB_DIR/$1/uplinks" -name '*.metric' | wc -l)
	echo "$((LAB_FIRST_METRIC * (known + 1)))" >"$LAB_DIR/$1/uplinks/$2.metric"
}

# What ip is told for the addresses and routes of host number $3 in network $1, $2 on link $4 with metric $5.
lab_uplink_commands() {
	if [ "$1" != - ]; then
		echo "address add $1.$3/24 dev $4"
		echo "route add default via $1.254 dev $4 metric $5"
	fi
	if [ "$2" != - ]; then
		echo "address add $2::$(printf %x "$3")/64 dev $4 nodad"
		echo "route add default via $2::fe dev $4 metric $5"
	fi
}

# The commands come last: what is measured from here on begins when they have run.
lab_uplink_ready() {
	local file=$LAB_DIR/$1/uplinks/$2
	sed -n 's|^address add \([0-9.]*\)/24 .*|\1|p' "$file.commands" | tee "$file.address4" >"$LAB_DIR/$1/address4"
	sed -n 's|^address add \(.*\)/64 .*|\1|p' "$file.commands" | tee "$file.address6" >"$LAB_DIR/$1/address6"
	ip -n "$1" -batch "$file.commands"
}

# lab_uplink_address HOST NAME 4|6: the address of that uplink.
lab_uplink_address() {
	cat "$LAB_DIR/$1/uplinks/$2.address$3"
}

# lab_uplink_down HOST NAME: the link has no carrier any more, and its addresses and routes are gone, as the programs that
# manage the links of a laptop or a phone do it. What is on its way is lost.
lab_uplink_down() {
	lab_line "$1" "$2" dead
	ip -n "line-$1-$2" link set dev near down
	ip -n "$1" address flush dev "$2" scope global
	ip -n "$1" route flush dev "$2"
	ip -n "$1" -6 route flush dev "$2" proto boot
}

# lab_uplink_silent HOST NAME: nothing passes the link any more, but it looks as before from both ends.
# lab_uplink_heals HOST NAME: it passes again.
lab_uplink_silent() {
	lab_line "$1" "$2" dead
}

lab_uplink_heals() {
	lab_line "$1" "$2" alive
}
