#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Two hosts on board of a train talk with a peer in the world. The train has one uplink and forwards no IP, so that all goes
# by the tickets that its router has; it changes from one network to another, and goes through a tunnel.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd
lab_needs_lines

RATE=100
# One way over the uplink; the net on board has no delay.
DELAY=20

lab_network left 192.0.2 -
lab_network right 198.51.100 -
lab_network far 203.0.113 -
lab_host peer far
lab_roaming_host train
lab_uplink train up0 left delay $DELAY

# on_board HOST NUMBER: a host on board, whose only link ends at the train.
on_board() {
	lab_roaming_host "$1"
	lab_link "$1" eth0 train "in-$1"
	ip -n train link set dev "in-$1" master inside
	ip -n "$1" address add "10.1.0.$2/24" dev eth0
	ip -n "$1" route add default via 10.1.0.1
	echo "10.1.0.$2" >"$LAB_DIR/$1/address4"
}

ip -n train link add name inside type bridge mcast_snooping 0
ip -n train link set dev inside up
ip -n train address add 10.1.0.1/24 dev inside
lab_exec train sysctl -qw net.ipv4.ip_forward=0
on_board alice 2
on_board bob 3

export LAB_TRANSPORTS='"udp"' LAB_INBOUND='"icmp6", "udp/40000"'
lab_configure peer
lab_hiphopd peer
lab_hiphopd_ready peer
lab_configure train peer
echo 'router = { serve = true; inside = ( "inside" ); };' >>"$LAB_DIR/train/hiphop.conf"
lab_hiphopd train
lab_hiphopd_ready train

# configure_on_board HOST: it knows the train by its address on board, and the peer by its address in the world.
configure_on_board() {
	lab_configure "$1" peer
	sed -i "s|hosts = ( *)|hosts = ( { name = \"train\"; hit = \"$(lab_hit train)\"; address = \"10.1.0.1\"; } )|" \
		"$LAB_DIR/$1/hiphop.conf"
	echo 'router = { use = "train"; };' >>"$LAB_DIR/$1/hiphop.conf"
}

# router_says HOST FILTER: of mobile_router in the status.
router_says() {
	lab_status "$1" ".mobile_router | $2"
}

is_on_board() {
	router_says "$1" '.state == "registered"'
}

for host in alice bob; do
	configure_on_board "$host"
	lab_hiphopd "$host"
	lab_hiphopd_ready "$host"
done
for host in alice bob; do
	lab_check "$host is on board" lab_wait 20 is_on_board "$host"
	lab_check "$host is in the overlay" lab_wait 30 lab_joined "$host"
	lab_check "$host reaches the peer" lab_wait 20 lab_ping "$host" peer
done
lab_check 'alice reaches bob' lab_wait 20 lab_ping alice bob
lab_check 'the peer reaches alice' lab_wait 20 lab_ping peer alice
lab_check 'the train has both on board' router_says train '.on_board | length == 2'
lab_check 'alice is told where the world meets the train' \
	router_says alice ".locators == [\"$(lab_uplink_address train up0 4):10500\"]"
lab_check 'each peer of alice has its ticket' lab_wait 10 router_says alice '.tickets > 0 and .tickets == .confirmed'

# ---- the train moves ----

lab_stream_start alice "$(lab_hit alice)" "$(lab_hit peer)" $RATE
lab_stream_start peer "$(lab_hit peer)" "$(lab_hit alice)" $RATE
lab_check 'a stream goes both ways' lab_wait 10 lab_stream_arrives alice peer

# below LIMIT NUMBER
below() {
	awk -v limit="$1" -v number="$2" 'BEGIN { exit !(number != "none" && number + 0 <= limit + 0) }'
}

# moved NETWORK WHAT: the train is in another network, and the stream goes on.
moved() {
	local ready down gap
	lab_uplink_prepare train up0 "$1" delay $DELAY
	ready=$(lab_now)
	lab_uplink_ready train up0
	sleep 2
	for down in 'alice peer' 'peer alice'; do
		# shellcheck disable=SC2086
		gap=$(lab_stream_measure $down "$ready" "$(lab_now)" | cut -d ' ' -f 1)
		echo "# $2: $gap ms until the first datagram from ${down% *} to ${down#* }"
		# One and a half round trips and 20 ms, and what there is between two datagrams; a loaded machine takes its time.
		lab_check "$2: ${down% *} to ${down#* } goes on in time" below $((3 * DELAY + 20 + 1000 / RATE + 150)) "$gap"
	done
	lab_check "$2: it arrives" lab_stream_arrives alice peer
}

lab_uplink_down train up0
moved right 'another network'
lab_check 'alice is told the new place' \
	lab_wait 5 router_says alice ".locators == [\"$(lab_uplink_address train up0 4):10500\"]"
lab_uplink_down train up0
sleep 8
lab_check 'in the tunnel nothing arrives' lab_not lab_stream_arrives alice
moved left 'out of the tunnel'
lab_streams_stop alice peer
lab_check 'bob still reaches the peer' lab_wait 10 lab_ping bob peer
lab_check 'all peers have answered the train' lab_wait 10 router_says train '[.on_board[].unconfirmed] | add == 0'

# ---- leaving ----

tickets=$(router_says train .delegations)
lab_hiphopd_stop bob
lab_check 'bob gets off, and his tickets with him' \
	lab_wait 10 router_says train "(.on_board | length == 1) and .delegations < $tickets"
lab_check 'alice is not touched' lab_wait 10 lab_ping alice peer
lab_finish
