#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Links as bad as a moving train's: 20 ms that vary by 10, 3 % of the packets lost, some out of order. An overlay forms over
# them, hosts reach each other, TCP carries every byte, and values are stored and found. Run under Debian's kernel, which
# has netem.
[ "${VM_INSIDE-}" ] || exec "$(dirname "$0")/boot" "$(realpath "$0")"
LAB_PATIENCE=6
. "$(dirname "$0")/../net/lab.sh"
modprobe -a tun veth bridge sch_netem || exit
lab_start "$@"
lab_needs_hiphopd

BAD='delay 20ms 10ms loss 3% reorder 10% 50%'
MEGABYTES=5
hosts='one two three four'
lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
for host in one two; do lab_host "$host" left; done
for host in three four; do lab_host "$host" right; done

# Makes the way to HOST bad: on the router's side, where each packet stands alone, however many the host sent as one.
make_bad() {
	local network=$1 host=$2
	# shellcheck disable=SC2086
	lab_exec "router-$network" tc qdisc add dev "$host" root netem $BAD
}

for host in one two; do lab_check "the way to $host is bad" make_bad left "$host"; done
for host in three four; do lab_check "the way to $host is bad" make_bad right "$host"; done

LAB_INBOUND='"icmp6", "tcp/7000"' lab_overlay $hosts
lab_ok 'an overlay of four formed'

# 6 % of the questions or answers are lost; three times that would be a fault of ours.
most_come_back() {
	local received
	received=$(lab_exec "$1" ping -q -c 50 -i 0.2 -W 5 "$(lab_hit "$2")" | sed -n 's/.* \([0-9]*\) received.*/\1/p')
	echo "   $received of 50 came back"
	[ "$received" -ge 40 ]
}

lab_check 'a first ping, base exchange included' lab_wait 10 lab_ping one three
lab_check 'most pings come back' most_come_back one three
tail -n 1 "$LAB_DIR/check-output"

transfer() {
	local hit reader
	hit=$(lab_hit "$2")
	lab_spawn "$LAB_DIR/$2/received" "$2" socat -u "TCP6-LISTEN:7000,bind=[$hit],reuseaddr" -
	reader=$LAB_SPAWNED
	lab_wait 5 lab_listens "$2" 7000
	lab_exec "$1" socat -u "FILE:$LAB_DIR/sent" "TCP6:[$hit]:7000" && wait "$reader" || { lab_end "$reader"; return 1; }
	[ "$(sha256sum <"$LAB_DIR/sent")" = "$(sha256sum <"$LAB_DIR/$2/received")" ]
}

head -c "${MEGABYTES}M" /dev/urandom >"$LAB_DIR/sent"
began=$SECONDS
lab_check "$MEGABYTES MB by TCP" transfer one three
echo "   $((SECONDS - began)) s"

# Put on one host, seen on every one.
is_got_everywhere() {
	local host
	for host in $hosts; do
		lab_wait 10 lab_gets "$host" "$1" "$2" || { echo "$host does not get it"; return 1; }
	done
}

lab_gets() {
	lab_hiphop "$1" get "$2" | grep -q "$3"
}

for host in one four; do
	lab_check "a value put on $host" lab_wait 10 lab_hiphop "$host" put "colour-$host" "green-$host"
	lab_check "every host gets it" is_got_everywhere "colour-$host" "green-$host"
done
for host in $hosts; do lab_check "$host is still a member" lab_joined "$host"; done

# Carried from one network to the other in the middle of a transfer: the association and the TCP connection go on.
is_carried() {
	lab_detach "$1"
	sleep 1
	lab_attach "$1" "$2" && make_bad "$2" "$1"
}

handovers() {
	lab_association one three handovers
}

slowly() {
	local line
	for line in $(seq 1 60); do echo "$line"; sleep 0.1; done
}

hit=$(lab_hit three)
lab_spawn "$LAB_DIR/received" three socat -u "TCP6-LISTEN:7000,bind=[$hit]" -
reader=$LAB_SPAWNED
lab_wait 5 lab_listens three 7000
slowly | lab_exec one socat -u - "TCP6:[$hit]:7000" &
writer=$!
lab_wait 5 grep -q 5 "$LAB_DIR/received"
i1s=$(lab_status one '.counters.i1_out // 0 | tostring')
lab_check 'a host is carried elsewhere during a transfer' is_carried one right
lab_check 'the transfer goes on to its end' wait "$writer"
lab_check 'every line of it arrives, in order' lab_wait 10 cmp -s <(seq 1 60) "$LAB_DIR/received"
lab_end "$reader"
lab_check 'the other sees where it is' lab_wait 10 lab_sees_address three one
lab_check "by handovers: $(handovers)" [ "$(handovers)" -ge 1 ]
lab_check 'without a base exchange with the other' \
	[ "$(lab_status one '.counters.i1_out // 0 | tostring')" = "$i1s" ]
lab_check 'the host is still a member' lab_wait 20 lab_joined one

# The links were as bad as said.
dropped=$(for router in left right; do lab_exec "router-$router" tc -s qdisc; done |
	sed -n 's/.*(dropped \([0-9]*\),.*/\1/p' | paste -sd +)
lab_check "packets were lost on the way: $((dropped))" [ $((dropped)) -gt 50 ]
lab_finish
