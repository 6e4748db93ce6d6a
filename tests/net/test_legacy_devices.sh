#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A device on board that knows nothing of HIP reaches a service at a HIT, under the identity of the router: the recipe of
# docs/moving-networks.md, word for word.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
lab_host router left
lab_host far right
lab_configure router
lab_hiphopd router
lab_hiphopd_ready router
LAB_INBOUND='"icmp6", "tcp/80"' lab_configure far router
lab_hiphopd far
lab_hiphopd_ready far
lab_wait 30 lab_joined far || lab_give_up 'far did not join the overlay'
hit=$(lab_hit far)

mkdir -p "$LAB_DIR/tablet"
lab_namespace tablet
lab_link tablet eth0 router board
ip -n router address add fd00::1/64 dev board nodad
ip -n tablet address add fd00::21/64 dev eth0 nodad
ip -n tablet route add default via fd00::1

# The service tells its client who that seems to be; and it is asked for much, so that packets have to fit the path.
lab_spawn "$LAB_DIR/far/service.log" far socat "TCP6-LISTEN:80,bind=[$hit],reuseaddr,fork" \
	SYSTEM:'echo $SOCAT_PEERADDR; head -c 300000 /dev/zero | tr "\\0" x'
lab_wait 5 lab_listens far 80 || lab_give_up 'the service did not start'
ask() { lab_exec tablet timeout 10 socat -u "TCP6:[$hit]:80,connect-timeout=5" - >"$LAB_DIR/answer" 2>&1; }
seen_as() { [ "$(head -n 1 "$LAB_DIR/answer" | tr -d '[]')" = "$1" ]; }
answer_is_whole() { [ "$(wc -c <"$LAB_DIR/answer")" -gt 300000 ]; }

lab_check 'without the recipe nothing passes' lab_not ask

# The recipe.
recipe=$(sed -n '/^<!-- recipe -->$/,/^<!-- end -->$/p' "$LAB_ROOT/docs/moving-networks.md" | grep -v '^```' | grep -v '^<!--')
lab_check 'the recipe is in the documentation' [ -n "$recipe" ]
lab_check 'the recipe can be followed' lab_exec router bash -ec "$recipe"

lab_check 'the device reaches the service at the HIT' lab_wait 10 ask
lab_check 'all of the answer has come' answer_is_whole
expanded() { python3 -c 'import ipaddress, sys; print(ipaddress.ip_address(sys.argv[1]).exploded)' "$1"; }
lab_check 'the service saw the HIT of the router' seen_as "$(expanded "$(lab_hit router)")"
lab_check 'ping, too' lab_exec tablet ping -q -c 3 -i 0.3 -W 5 "$hit"
lab_check 'nobody comes in from there' lab_not lab_exec far timeout 3 socat -u "TCP6:[fd00::21]:80,connect-timeout=2" -
lab_finish
