#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A router on board, and phones behind it that know nothing of HIP: they register at its address in their network, call
# phones on other hosts by name and are called. (test_legacy_devices.sh has those that do not telephone.)
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

ROUTER4=192.168.10.1 ROUTER6=fd00::1
lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
lab_host router left
lab_host far right
lab_host third right

# board_device NAME NUMBER: a device in the network on board, without a route to anywhere else.
board_device() {
	mkdir -p "$LAB_DIR/$1"
	lab_namespace "$1"
	lab_link "$1" eth0 router "board-$1"
	ip -n router link set dev "board-$1" master board
	ip -n "$1" address add "192.168.10.$2/24" dev eth0
}

# The address on board comes only after the daemon has started, as where the link on board comes up late.
ip -n router link add name board type bridge mcast_snooping 0
ip -n router link set dev board up
LAB_SIP="listen = ( \"$ROUTER4\", \"$ROUTER6/64\" );" lab_configure router
lab_hiphopd router
lab_hiphopd_ready router
for host in far third; do
	lab_configure "$host" router
	lab_hiphopd "$host"
	lab_hiphopd_ready "$host"
	lab_wait 30 lab_joined "$host" || lab_give_up "$host did not join the overlay"
done
ip -n router address add "$ROUTER4/24" dev board
ip -n router address add "$ROUTER6/64" dev board nodad
board_device dave 11
board_device erin 12
board_device stranger 13
board_device frank 14
ip -n frank address add fd00::14/64 dev eth0 nodad

DAVE=440 ERIN=587 BOB=880 CAROL=1175 FRANK=1480
lab_phone_start dave dave "$DAVE" 192.168.10.11 "$ROUTER4" || lab_give_up "dave's phone did not start"
lab_phone_start erin erin "$ERIN" 192.168.10.12 "$ROUTER4" || lab_give_up "erin's phone did not start"
lab_phone_start frank frank "$FRANK" '[fd00::14]' "[$ROUTER6]" || lab_give_up "frank's phone did not start"
lab_phone_start far bob "$BOB" || lab_give_up "bob's phone did not start"
lab_phone_start router carol "$CAROL" || lab_give_up "carol's phone did not start"
for host in dave erin frank far router; do
	lab_check "the phone of $host is registered" lab_wait 10 lab_phone_registered "$host"
done
lab_check "dave's name leads to the router" lab_wait 10 lab_resolves far "sip:dave@$LAB_DOMAIN" router

# events HOST TYPE: how many events of that type the phone has seen.
events() { grep -c "\"type\": \"$2\"" "$LAB_DIR/$1/phone/events.json"; }
more_events() { [ "$(events "$1" "$2")" -gt "$3" ]; }
hears() {
	local heard
	heard=$(lab_phone_heard "$1" "$2")
	echo "heard: $heard"
	awk '{ exit !($1 > 0.8 && $2 > 1) }' <<<"$heard"
}
relays() { lab_status router '.sip.relays | length | tostring'; }
relays_are() { [ "$(relays)" = "$1" ]; }
relay_ports() { lab_exec router ss -Hlun 'sport >= :20000 and sport <= :21999'; }
nothing_open() { relays_are 0 && [ "$(lab_status router '.sip.calls | length | tostring')" = 0 ] && [ -z "$(relay_ports)" ]; }

# conversation FROM TO AOR HANGER RELAYS FROM_HERTZ TO_HERTZ: FROM calls AOR, which rings at TO; they talk, and HANGER
# hangs up.
conversation() {
	local from=$1 to=$2 aor=$3 hanger=$4 relays=$5 name="$1 calls $2" established closed_from closed_to
	established=$(events "$from" CALL_ESTABLISHED)
	closed_from=$(events "$from" CALL_CLOSED) closed_to=$(events "$to" CALL_CLOSED)
	lab_phone_command "$from" dial "$aor"
	lab_check "$name: the call stands" lab_wait 30 more_events "$from" CALL_ESTABLISHED "$established" || return
	sleep 3
	lab_check "$name: streams that the router relays: $relays" relays_are "$relays"
	[ "${8-}" = '' ] || "$8"
	lab_phone_command "$hanger" hangup
	lab_check "$name: $hanger hangs up, $from sees it" lab_wait 10 more_events "$from" CALL_CLOSED "$closed_from"
	lab_check "$name: and so does $to" lab_wait 10 more_events "$to" CALL_CLOSED "$closed_to"
	lab_check "$name: $from heard $to" hears "$from" "$7"
	lab_check "$name: $to heard $from" hears "$to" "$6"
	lab_check "$name: nothing is left open" lab_wait 10 nothing_open
}

# While dave and bob talk: somebody else on board, and a host that is no party, send to the ports of the relay.
strangers_send() {
	local port refused dropped
	port=$(lab_status router '.sip.relays[0].port')
	refused=$(lab_status router '[.sip.relays[].ends[].refused] | add | tostring')
	dropped=$(lab_status router '.counters.access_refused // 0 | tostring')
	lab_capture_start far hip0
	for _ in 1 2 3 4 5; do
		echo strange-packet | lab_exec stranger socat -u - "UDP4:$ROUTER4:$port"
		echo strange-packet | lab_exec third socat -u - "UDP6:[$(lab_hit router)]:$port"
	done
	sleep 1
	lab_capture_stop far hip0
	lab_check 'a stranger on board sends to the relay: refused' \
		[ "$(lab_status router '[.sip.relays[].ends[].refused] | add | tostring')" -ge $((refused + 5)) ]
	lab_check 'a stranger at another HIT does: its packets do not come in' \
		[ "$(lab_status router '.counters.access_refused // 0 | tostring')" -ge $((dropped + 5)) ]
	lab_check 'the capture of what came to bob has his call' \
		[ "$(tcpdump -nr "$LAB_DIR/far/hip0.pcap" udp 2>/dev/null | wc -l)" -gt 50 ]
	lab_check 'and nothing of the strangers' lab_not grep -q strange-packet "$LAB_DIR/far/hip0.pcap"
}

conversation dave far "sip:bob@$LAB_DOMAIN" far 1 "$DAVE" "$BOB" strangers_send
conversation far dave "sip:dave@$LAB_DOMAIN" dave 1 "$BOB" "$DAVE"
conversation dave erin "sip:erin@$LAB_DOMAIN" dave 0 "$DAVE" "$ERIN"
conversation dave router "sip:carol@$LAB_DOMAIN" router 1 "$DAVE" "$CAROL"
conversation frank dave "sip:dave@$LAB_DOMAIN" dave 1 "$FRANK" "$DAVE"
lab_finish
