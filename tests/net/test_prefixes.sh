#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Prefixes behind hosts: train is a router with plain devices behind it, plant another. bob accepts what train announces and
# reaches the devices, and they him; carol has not accepted it; mallory says that she is train, and forges.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
for host in train mallory; do lab_host "$host" left; done
for host in bob carol plant; do lab_host "$host" right; done

# device NAME ROUTER ADDRESS4 ADDRESS6: a plain device behind ROUTER; the router is .1 and ::1 there.
device() {
	lab_namespace "$1"
	lab_link "$1" eth0 "$2" lan0
	ip -n "$2" address add "${3%.*}.1/24" dev lan0
	ip -n "$2" address add "${4%::*}::1/64" dev lan0 nodad
	ip -n "$1" address add "$3/24" dev eth0
	ip -n "$1" address add "$4/64" dev eth0 nodad
	ip -n "$1" route add default via "${3%.*}.1"
	ip -n "$1" route add default via "${4%::*}::1"
	lab_exec "$2" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}
device camera train 10.1.0.7 2001:db8:100::7
device machine plant 10.2.0.9 2001:db8:200::9

lab_make_identities train bob carol plant mallory
accept() { printf '{ prefix = "%s"; from = "%s"; }' "$1" "$(lab_hit "$2")"; }
export LAB_INBOUND='"icmp6", "tcp/7001", "udp/7001"'
LAB_PREFIXES="announce = ( \"2001:db8:100::/56\", \"10.1.0.0/16\" );
	accept = ( $(accept 100.64.0.7/32 bob), $(accept 10.2.0.0/16 plant), $(accept 2001:db8:200::/56 plant) );" \
	lab_configure train
LAB_KNOWN=train LAB_PREFIXES='accept = ( { prefix = "2001:db8:100::/48"; from = "train"; },
	{ prefix = "10.1.0.0/16"; from = "train"; } ); address = "100.64.0.7";' lab_configure bob train
# Its addresses there are no locators, which bob would try in vain and in the clear. Those of train are, and bob, who has a
# route to them through the tunnel, must not send there.
LAB_PATHS='interfaces = ( { name = "lan*"; use = false; } );' \
	LAB_PREFIXES="announce = ( \"2001:db8:200::/56\", \"10.2.0.0/16\" );
	accept = ( $(accept 2001:db8:100::/56 train), $(accept 10.1.0.0/16 train) );" lab_configure plant train
LAB_PREFIXES="announce = ( \"2001:db8:100::/56\", \"2001:db8:900::/48\" ); accept = ( $(accept 2001:db8:100::/56 train) );" \
	lab_configure mallory train
lab_configure carol train
for host in train bob carol plant mallory; do lab_hiphopd "$host"; done
for host in train bob carol plant mallory; do lab_hiphopd_ready "$host"; done
for host in train bob carol plant mallory; do lab_wait 30 lab_joined "$host" || lab_give_up "$host did not join"; done

counter() { lab_status "$1" ".counters.$2 // 0"; }
# The route of a prefix, as the status of a host has it.
route() { lab_status "$1" ".prefixes.accepted[] | select(.prefix == \"$2\").route"; }
installed() { [ "$(route "$1" "$2")" = installed ]; }
kernel_route() { ip -n "$1" "-$2" route show proto 139 | grep -q "^$3 dev hip0 .*mtu 1360"; }
ping_from() { lab_exec "$1" ping -q -c 3 -i 0.3 -W 5 "${@:2}"; }

lab_check 'what is announced is in the overlay' lab_wait 30 lab_status train '.prefixes.announced | all(.stored)'
lab_check 'it is accepted' lab_wait 60 installed bob 2001:db8:100::/56
lab_check 'IPv4 as well' lab_wait 60 installed bob 10.1.0.0/16
lab_check 'the kernel has a route with room for the header' kernel_route bob 6 2001:db8:100::/56
lab_check 'one of IPv4 too' kernel_route bob 4 10.1.0.0/16
lab_check 'the other router has accepted it' lab_wait 60 installed plant 10.1.0.0/16
lab_check 'and the first one the other' lab_wait 60 installed train 10.2.0.0/16
lab_check 'and the address of the host' lab_wait 60 installed train 100.64.0.7/32
lab_check 'status tells people' grep -q '2001:db8:100::/56 behind train, route installed' <(lab_hiphop bob status)
lab_check 'who has no entry has no route' [ -z "$(ip -n carol -6 route show proto 139)" ]

# ---- there and back -------------------------------------------------------------------------------------------------

lab_capture_start bob eth0
lab_check 'a host reaches a device' ping_from bob 2001:db8:100::7
lab_spawn "$LAB_DIR/camera.log" camera socat TCP6-LISTEN:7001,fork,reuseaddr SYSTEM:'echo $SOCAT_PEERADDR'
echoes=$LAB_SPAWNED
lab_wait 5 lab_listens camera 7001
# The address by which the device sees who asks, as its kernel writes it.
seen_as() { lab_exec "$1" timeout 5 socat -u "TCP6:[2001:db8:100::7]:7001" - | tr -d '[]' | sed 's/\b0*\([0-9a-f]\)/\1/g'; }
lab_check 'the device sees it by its HIT' [ "$(seen_as bob)" = "$(lab_hit bob)" ]
lab_end "$echoes"
lab_check 'a device reaches a host' ping_from camera "$(lab_hit bob)"
lab_check 'a host reaches a device by IPv4' ping_from bob 10.1.0.7
lab_check 'a device reaches the host by IPv4' ping_from camera 100.64.0.7
lab_check 'a device reaches one behind another router' ping_from camera 2001:db8:200::9
lab_check 'and back' ping_from machine 2001:db8:100::7
lab_check 'by IPv4' ping_from camera 10.2.0.9
lab_check 'and back by IPv4' ping_from machine 10.1.0.7
lab_check 'the router itself reaches what lies behind the other' ping_from train 2001:db8:200::9
lab_check 'packets of any size pass' ping_from bob -s 5000 2001:db8:100::7
lab_check 'and back ' ping_from camera -s 5000 "$(lab_hit bob)"
lab_check 'and by IPv4' ping_from camera -s 5000 10.2.0.9

# What arrives of 3 MB from $1 to TCP port 7001 at $2 (at host $3) is what was sent.
transfers() {
	local sent got server
	head -c 3000000 /dev/urandom >"$LAB_DIR/sent"
	lab_spawn "$LAB_DIR/got" "$3" socat -u "TCP${4:-6}-LISTEN:7001,reuseaddr" -
	server=$LAB_SPAWNED
	lab_wait 5 lab_listens "$3" 7001
	lab_exec "$1" timeout 60 socat -u - "TCP${4:-6}:$2:7001" <"$LAB_DIR/sent"
	wait "$server"
	cmp "$LAB_DIR/sent" "$LAB_DIR/got"
}
lab_check 'TCP from a host to a device' transfers bob '[2001:db8:100::7]' camera
lab_check 'TCP from a device to a host' transfers camera "[$(lab_hit bob)]" bob
lab_check 'TCP by IPv4' transfers bob 10.1.0.7 camera 4
lab_check 'TCP between devices' transfers machine '[2001:db8:100::7]' camera
lab_check 'TCP between devices by IPv4' transfers camera 10.2.0.9 machine 4
lab_check 'nothing was lost in the capture' lab_capture_stop bob eth0
lab_check 'nothing but HIP and ESP was on the wire' lab_check_captures "$LAB_DIR/bob/eth0.pcap"

# ---- what may not ---------------------------------------------------------------------------------------------------

lab_spawn "$LAB_DIR/camera.log" camera socat -u TCP6-LISTEN:7003,reuseaddr,fork -
lab_wait 5 lab_listens camera 7003
reaches() { lab_exec "$1" timeout 3 socat -u /dev/null "TCP6:[$2]:$3"; }
lab_check 'a port of a device that is not opened stays closed' lab_not reaches bob 2001:db8:100::7 7003
lab_check 'a rule opens it for one' lab_hiphop train access allow tcp/7003 from "$(lab_hit bob)"
lab_check 'who then reaches it' reaches bob 2001:db8:100::7 7003
lab_check 'another does not' lab_not reaches mallory 2001:db8:100::7 7003

lab_check 'who has not accepted the prefix reaches nothing' lab_not lab_exec carol ping -q -c 2 -W 1 2001:db8:100::7
lab_check 'although the router is there' lab_ping carol train
lab_check 'and is not reached from it' lab_not lab_exec camera ping -q -c 2 -W 1 "$(lab_hit carol)"

lab_check 'who says that she is the router is not believed' [ "$(lab_status bob \
	'[.prefixes.accepted[] | .owner] | unique | length')" = 1 ]
ip -n mallory address add 2001:db8:100::66/128 dev lo
ip -n mallory address add 2001:db8:900::66/128 dev lo
before=$(counter bob prefix_drop_in_source)
lab_check 'her packets from the prefix do not arrive' lab_not lab_exec mallory \
	ping -q -c 2 -W 1 -I 2001:db8:100::66 "$(lab_hit bob)"
lab_check 'they are dropped for their source' [ "$(counter bob prefix_drop_in_source)" -gt "$before" ]
before=$(counter train prefix_drop_in_source)
lab_check 'nor do they at the router' lab_not lab_exec mallory ping -q -c 2 -W 1 -I 2001:db8:900::66 2001:db8:100::7
lab_check 'where they are dropped for their source too' [ "$(counter train prefix_drop_in_source)" -gt "$before" ]
before=$(counter bob prefix_drop_out_source)
ip -n bob address add 2001:db8:700::1/128 dev lo
lab_check 'a host sends to a prefix from its HIT alone' lab_not lab_exec bob \
	ping -q -c 2 -W 1 -I 2001:db8:700::1 2001:db8:100::7
lab_check 'and hears why' [ "$(counter bob prefix_drop_out_source)" -gt "$before" ]

# carol makes the packets herself, and her hiphopd takes them for some protocol.
dropped() { lab_status "$1" '[.counters | to_entries[] | select(.key | startswith("prefix_drop_in")).value] | add // 0'; }
for host in bob train; do
	lab_check "a host without prefixes and $host have an association" lab_ping carol "$host"
	before=$(dropped "$host") taken=$(counter "$host" prefix_in)
	count=$(lab_exec carol "$LAB_ROOT/tests/net/forged_prefixes.py" "$(lab_hit "$host")" "$(lab_hit carol)")
	all_dropped() { [ "$count" -gt 50 ] && [ "$(dropped "$host")" = $((before + count)) ]; }
	lab_check "all forged packets are dropped and counted at $host" lab_wait 5 all_dropped
	lab_check "none was taken at $host" [ "$(counter "$host" prefix_in)" = "$taken" ]
	lab_check "$host goes on" ping_from bob 2001:db8:100::7
done

# ---- the router moves -----------------------------------------------------------------------------------------------

lab_spawn "$LAB_DIR/move.log" bob ping -q -i 0.2 -c 50 2001:db8:100::7
moving=$LAB_SPAWNED
sleep 2
lab_detach train
lab_attach train right
wait "$moving"
received=$(sed -n 's/.* \([0-9]*\) received.*/\1/p' "$LAB_DIR/move.log")
lab_check 'what lies behind it is reached as before when it moves' [ "${received:-0}" -ge 40 ]
lab_check 'at its new address' lab_sees_address bob train
lab_check 'and reaches others' ping_from camera "$(lab_hit bob)"

# ---- the end ---------------------------------------------------------------------------------------------------------

gone() { [ -z "$(ip -n "$1" -6 route show proto 139)$(ip -n "$1" -4 route show proto 139)" ]; }
lab_spawn "$LAB_DIR/bob/monitor.log" bob "$LAB_HIPHOP" --socket "$LAB_DIR/bob/control.sock" monitor
lab_wait 5 grep -q '"monitor"' "$LAB_DIR/bob/monitor.log"
lab_check 'a router ends in order' lab_hiphopd_stop train
lab_check 'what it announced is not routed to it any more' lab_wait 60 gone bob
lab_check 'monitors hear of it' lab_wait 5 grep -q '"event":"prefix","what":"withdrawn"' "$LAB_DIR/bob/monitor.log"
lab_hiphopd train
lab_hiphopd_ready train
lab_check 'it comes back' lab_wait 120 installed bob 2001:db8:100::/56
lab_check 'and is reached again' lab_wait 15 ping_from bob 2001:db8:100::7
lab_hiphopd_kill bob
lab_check 'routes go with the device' lab_wait 10 gone bob
lab_finish
