#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Who may come in on hip0, and who may associate: joining an overlay exposes no service that listens on [::], unless the
# configuration or a rule lets it in; rules by HIT, name, overlay, protocol and port change while calls and transfers
# go on.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
lab_host guest left
lab_host stranger left
lab_host guarded right
lab_host friendly right
lab_overlay guest guarded
LAB_KNOWN='guest guarded' LAB_INBOUND='"icmp6", "tcp/7001", "udp/7002"' lab_configure friendly guest
lab_hiphopd friendly
lab_hiphopd_ready friendly
for host in guarded friendly; do
	lab_spawn "$LAB_DIR/$host/7001.log" "$host" \
		socat TCP6-LISTEN:7001,fork,reuseaddr SYSTEM:'read question; echo service'
	lab_spawn "$LAB_DIR/$host/7002.log" "$host" socat UDP6-RECVFROM:7002,fork SYSTEM:'read question; echo service'
	lab_wait 5 lab_listens "$host" 7001
done

# True when the service answers that HOST asks by socat's ADDRESS, within SECONDS (4).
ask() {
	echo question | lab_exec "$1" timeout "${3:-4}" socat -t 1 - "$2" | grep -q service
}
hidden() { ! ask "$1" "$2" 1; }

guarded=$(lab_hit guarded)
friendly=$(lab_hit friendly)
lab_check 'ICMPv6 passes' lab_ping guest guarded
lab_check 'a TCP service that is not listed stays hidden' hidden guest "TCP6:[$guarded]:7001"
lab_check 'a UDP service that is not listed stays hidden' hidden guest "UDP6:[$guarded]:7002"
lab_check 'a listed TCP service is reached' ask guest "TCP6:[$friendly]:7001"
lab_check 'a listed UDP service is reached' ask guest "UDP6:[$friendly]:7002"
lab_check 'the same service is there for the host itself' ask guarded 'TCP6:[::1]:7001'
lab_check 'answers to what the host itself began pass' ask guarded "TCP6:[$friendly]:7001"

# ---- rules at run time, while a transfer and a call go on ----------------------------------------------------------

access() { lab_hiphop friendly access "$@"; }
counter() { lab_status friendly ".counters.$1 // 0"; }
associated() { [ "$(lab_association friendly "$1" state)" = ESTABLISHED ]; }
# One sentence on stderr, with these words in it, and nothing else.
complains() {
	local words=$1 sentence
	shift
	sentence=$("$@" 2>&1 >/dev/null) && return 1
	[ "$(wc -l <<<"$sentence")" = 1 ] && grep -q -- "$words" <<<"$sentence"
}

lab_check 'a range of ports is opened for one host' access allow udp/7004-7005 from guest
lab_check 'a port is opened for one host by its HIT' access allow in tcp/7003 from "$(lab_hit guest)"
hear_udp= hear_tcp= send_udp= send_tcp=
for kind in udp:7004 tcp:7003; do
	lab_spawn "$LAB_DIR/friendly/$kind.log" friendly "$LAB_ROOT/tests/net/steady.py" hear "${kind%:*}" "${kind#*:}"
	eval "hear_${kind%:*}=$LAB_SPAWNED"
	lab_wait 5 grep -q listening "$LAB_DIR/friendly/$kind.log"
	lab_spawn "$LAB_DIR/guest/$kind.log" guest "$LAB_ROOT/tests/net/steady.py" send "${kind%:*}" "$friendly" "${kind#*:}"
	eval "send_${kind%:*}=$LAB_SPAWNED"
done
lab_spawn "$LAB_DIR/friendly/monitor.log" friendly "$LAB_HIPHOP" --socket "$LAB_DIR/friendly/control.sock" monitor
lab_wait 5 grep -q '"monitor"' "$LAB_DIR/friendly/monitor.log"

# conforms: RFC7401-7-4
lab_check 'a host is denied by its name' access deny guarded
lab_check 'its association is closed at once' lab_not associated guarded
lab_check 'it is kept out' hidden guarded "TCP6:[$friendly]:7001"
lab_check 'the refusal is counted' lab_wait 5 test "$(counter associate_refused_by_rule)" -gt 0
lab_check 'and told to monitors' lab_wait 5 grep -q '"event":"refused","what":"associate"' "$LAB_DIR/friendly/monitor.log"
lab_check 'nobody else is' ask guest "TCP6:[$friendly]:7001"
lab_check 'it is allowed again' access allow guarded
lab_check 'and comes back' lab_wait 15 ask guarded "TCP6:[$friendly]:7001"

lab_check 'one port is denied to a HIT' access deny in tcp/7001 from "$guarded"
lab_check 'that port is closed to it' hidden guarded "TCP6:[$friendly]:7001"
lab_check 'another is open' ask guarded "UDP6:[$friendly]:7002"
lab_check 'to others both are' ask guest "TCP6:[$friendly]:7001"
lab_check 'what this host sends is denied by port' access deny out tcp/7009 to anyone
lab_check 'its applications hear so at once' complains 'Permission denied\|refused\|prohibited' \
	lab_exec friendly timeout 3 socat - "TCP6:[$guarded]:7009"

LAB_DOMAIN=elsewhere.example LAB_KNOWN=friendly lab_configure stranger
lab_hiphopd stranger
lab_hiphopd_ready stranger
lab_check 'a host outside the overlay may associate' lab_ping stranger friendly
lab_check 'strangers are denied' access deny with strangers
lab_check 'the association of the stranger is closed' lab_not associated stranger
lab_check 'that of a member is not' associated guest
lab_check 'the stranger is kept out' lab_not lab_exec stranger ping -q -c 1 -W 1 "$friendly"
lab_check 'a member comes in' ask guest "UDP6:[$friendly]:7002"

lab_check 'everything new is denied' access deny in any
lab_check 'the newest rule comes first' test "$(lab_hiphop friendly --json access | jq -r '.rules[0].rule')" = \
	'deny in any from anyone'
lab_check 'what is new is refused' hidden guest "TCP6:[$friendly]:7001"
lab_check 'a rule is removed by its number' access remove 1
lab_check 'what is new passes again' ask guest "TCP6:[$friendly]:7001"

# ---- wrong input ---------------------------------------------------------------------------------------------------

lab_check 'a slip of the pen is said' complains 'no kind of traffic, no HIT, and no name' access deny tpc/22
lab_check 'a bad port is said' complains '"tcp/99999" is no traffic' access allow in tcp/99999
lab_check 'a name without pin is said' complains 'not pinned' access deny carol@example.com
lab_check 'a number without rule is said' complains 'There is no rule 99' access remove 99
lab_check 'a rule of the file is not removed' complains 'stands in the configuration' access remove \
	"$(lab_hiphop friendly --json access | jq '.rules | length')"

# ---- the configuration again ---------------------------------------------------------------------------------------

configuration=$LAB_DIR/friendly/hiphop.conf
sed -i 's|"tcp/7001", ||' "$configuration"
lab_check 'the configuration is read again' lab_hiphop friendly reload
lab_check 'a service that is not listed any more is hidden' hidden guest "TCP6:[$friendly]:7001"
sed -i 's|access = { |access = { rules = ( "allow in tcp/7001 from nobody" ); |' "$configuration"
lab_check 'a mistake in it is said with its line' complains \
	'hiphop.conf:[0-9]*: no host of underlay.hosts is called "nobody"' lab_hiphop friendly reload
sed -i 's|nobody|guest|' "$configuration"
kill -HUP "$(cat "$LAB_DIR/friendly/hiphopd.pid")"
lab_check 'SIGHUP reads it again as well' lab_wait 10 ask guest "TCP6:[$friendly]:7001"

# ---- nothing was lost ----------------------------------------------------------------------------------------------

lab_end "$send_udp"
lab_end "$send_tcp"
last() { tail -n 1 "$LAB_DIR/$1"; }
# Whether all pieces were heard that were sent, and there were many.
heard_all() {
	kill -USR1 "$hear_udp" 2>/dev/null
	[ "$(last "guest/$1.log")" -gt 100 ] && [ "$(last "friendly/$1.log")" = "$(last "guest/$1.log")" ]
}
lab_check 'the call has lost nothing' lab_wait 5 heard_all udp:7004
lab_check 'the transfer has lost nothing' lab_wait 5 heard_all tcp:7003

# ---- over a restart ------------------------------------------------------------------------------------------------

given() { lab_hiphop friendly --json access | jq -c '[.rules[] | .rule, .source]'; }
before=$(given)
lab_hiphopd_kill friendly
lab_hiphopd friendly
lab_hiphopd_ready friendly
lab_check 'the rules are there after a restart' test "$(given)" = "$before"
lab_check 'they count: the stranger is kept out' lab_not lab_exec stranger ping -q -c 1 -W 1 "$friendly"
lab_check 'they count: the member comes in' lab_wait 15 ask guest "TCP6:[$friendly]:7001"
lab_check 'all of them are removed' access remove all
lab_check 'the stranger may associate again' lab_wait 15 lab_exec stranger ping -q -c 1 -W 1 "$friendly"
lab_finish
