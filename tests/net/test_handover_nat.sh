#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A host behind a NAT, whose mapping changes: under traffic, and while nothing is said. The association is the same one, and
# what goes on over it goes on.
. "$(dirname "$0")/lab.sh"
. "$(dirname "$0")/continuity.sh"
lab_start "$@"
lab_needs_hiphopd
lab_needs_lines
command -v nft >/dev/null || lab_give_up 'nft is not installed'

HOSTS='home walker'
# A NAT is kept open by a packet every 15 s, and so the longest that an idle peer does not know of a new mapping.
KEEPALIVE=15

lab_network house 192.0.2 2001:db8:1
lab_network wifi 198.51.100 -
lab_host home house
lab_host nat wifi
lab_namespace walker
lab_host_files walker
lab_link_delayed walker eth0 nat inside delay 10
ip -n nat address add 10.0.0.1/24 dev inside
ip -n walker address add 10.0.0.2/24 dev eth0
ip -n walker route add default via 10.0.0.1
echo 10.0.0.2 >"$LAB_DIR/walker/address4"
: >"$LAB_DIR/walker/address6"
lab_exec nat sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.eth0.promote_secondaries=1
lab_exec nat nft -f - <<-END
	table ip nat {
		chain out {
			type nat hook postrouting priority srcnat;
			oifname "eth0" masquerade random
		}
	}
END

# rebind ADDRESS: the NAT has that address from $from on, and knows nothing of what went before.
rebind() {
	local old
	old=$(cat "$LAB_DIR/nat/address4")
	ip -n nat address add "$1/24" dev eth0
	from=$(lab_now)
	ip -n nat -batch - <<-END
		address delete $old/24 dev eth0
		route replace default via 198.51.100.254
	END
	echo "$1" >"$LAB_DIR/nat/address4"
}

sees() {
	lab_association home walker remote | tee /dev/stderr | grep -q "^$1:"
}

LAB_INBOUND="\"icmp6\", \"sip\", \"calls\", \"tcp/7000\", \"udp/$LAB_STREAM_PORT\"" lab_overlay $HOSTS
lab_check 'walker reaches home' lab_ping walker home
lab_check 'home sends to the NAT' sees "$(cat "$LAB_DIR/nat/address4")"
tcp_between home walker
both_ways walker home
exchanges=$(exchanges)

rebind 198.51.100.77
goes_on 'rebinding under traffic' walker home "$from"
within 'rebinding under traffic' walker home "$from" 320
lab_check 'rebinding under traffic: home sends to the new mapping' sees 198.51.100.77
lab_streams_stop walker home
lab_end "$sender"
lab_check 'rebinding under traffic: the TCP connection ends in order' lab_end "$hearer"

# A TCP connection that says nothing meanwhile.
tcp_between home walker
sleep 1
kill -STOP "$sender"
sleep 2
rebind 198.51.100.78
lab_check 'rebinding while idle: home learns of it with the next keepalive' lab_wait $((KEEPALIVE + 2)) sees 198.51.100.78
kill -CONT "$sender"
lab_check 'rebinding while idle: the TCP connection goes on' tcp_goes_on
lab_check 'rebinding while idle: home reaches walker' lab_ping home walker
lab_check 'rebinding while idle: the association is the same' same_association

# The host that stays speaks first, to where nobody is any more.
kill -STOP "$sender"
sleep 2
rebind 198.51.100.79
kill -CONT "$sender"
lab_check 'the other speaks first: the TCP connection goes on' tcp_goes_on
lab_check 'the other speaks first: the association is the same' same_association
lab_end "$sender"
lab_check 'the TCP connection ends in order' lab_end "$hearer"
lab_finish
