# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The programs whose handovers tests/bench/handover measures, hiphop among them. Each has a host of its own that moves, P1,
# and one that stays, P2. For each program P of MOVERS:
#	P_needs       the commands it consists of
#	P_start       starts it on both hosts
#	P_restart     makes both ends begin anew
#	P_inner HOST  prints the address of HOST inside the tunnel
# As in peers.sh each is set up as its manual does for two hosts of which one moves; what differs from its defaults is said.

MOVERS='hiphop wireguard_go strongswan'

# What a program has of its own in the kernel has its name in it, since the hosts share one file system.
declare -A SHORT=([hiphop]=hip [wireguard_go]=wg [strongswan]=ss)

moving() { echo "${SHORT[$1]}1"; }
fixed() { echo "${SHORT[$1]}2"; }

# ---- hiphop ----

hiphop_needs='true'

# hip1 knows where hip2 is, and nothing else; there is no overlay to ask. What the metrics of the routes tell the others, that
# wlan0 is to be used while it is there, is in its configuration.
hiphop_start() {
	local LAB_INBOUND="\"icmp6\", \"udp/$LAB_STREAM_PORT\"" host
	lab_make_identities hip1 hip2
	LAB_PATHS='interfaces = ( { name = "wlan*"; preference = "prefer"; } );' LAB_KNOWN=hip2 lab_configure hip1
	lab_configure hip2
	for host in hip2 hip1; do lab_hiphopd "$host"; done
	for host in hip2 hip1; do lab_hiphopd_ready "$host"; done
}

hiphop_restart() {
	local host
	for host in hip2 hip1; do lab_hiphopd_kill "$host"; done
	for host in hip2 hip1; do lab_hiphopd "$host"; done
}

hiphop_inner() { lab_hit "$1"; }

# ---- wireguard-go: its normal roaming; the endpoint of the host that stays is configured, PersistentKeepalive is 25 s ----

wireguard_go_needs='wireguard-go wg'

wireguard_go_start() {
	local host
	for host in wg1 wg2; do
		wg genkey | write_file "$host/wg.key"
		wg pubkey <"$LAB_DIR/$host/wg.key" >"$LAB_DIR/$host/wg.public"
		lab_spawn "$LAB_DIR/$host/wireguard-go.log" "$host" \
			env WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1 wireguard-go -f "$host"
		tun_address "$host" "$host" "$(wireguard_go_inner "$host")/24" || return
		ip -n "$host" link set dev "$host" mtu 1420
		lab_exec "$host" wg set "$host" private-key "$LAB_DIR/$host/wg.key" listen-port 51820 || return
	done
	lab_exec wg1 wg set wg1 peer "$(cat "$LAB_DIR/wg2/wg.public")" allowed-ips "$(wireguard_go_inner wg2)/32" \
		endpoint "$(lab_address wg2 4):51820" persistent-keepalive 25 &&
		lab_exec wg2 wg set wg2 peer "$(cat "$LAB_DIR/wg1/wg.public")" allowed-ips "$(wireguard_go_inner wg1)/32" \
			persistent-keepalive 25
}

# Its sessions are forgotten by giving the keys anew.
wireguard_go_restart() {
	local host
	for host in wg1 wg2; do lab_exec "$host" wg set "$host" private-key /dev/null; done
	for host in wg1 wg2; do lab_exec "$host" wg set "$host" private-key "$LAB_DIR/$host/wg.key"; done
}

wireguard_go_inner() { echo "10.9.1.${1#wg}"; }

# ---- strongSwan: IKEv2 with MOBIKE, ESP in user space (kernel-libipsec, over UDP), AES-128-GCM ----
#
# Dead peers are looked for as often as it can be told, each second, and given up after two retransmissions, since with its
# defaults (no looking; five retransmissions, 165 s) it would not notice within this measurement that a link died.

CHARON=$LAB_ROOT/build/charon
strongswan_needs="$CHARON swanctl"

strongswan_start() {
	local host
	for host in ss2 ss1; do
		ip -n "$host" address add "$(strongswan_inner "$host")/32" dev lo
		strongswan_configure "$host"
		lab_spawn "$LAB_DIR/$host/charon.log" "$host" env STRONGSWAN_CONF="$LAB_DIR/$host/strongswan.conf" "$CHARON"
		lab_wait 10 [ -S "$LAB_DIR/$host/charon.vici" ] || return
		# The place of this file is built in, and the other host's daemon must not find it.
		rm -f /run/charon.pid
		strongswan_control "$host" --load-all || return
	done
	strongswan_control ss1 --initiate --child stream
}

strongswan_restart() {
	strongswan_control ss2 --terminate --ike tunnel --force
	strongswan_control ss1 --terminate --ike tunnel --force
	strongswan_control ss1 --initiate --child stream
}

# The command swanctl is copied, so that the rules that AppArmor has for it, which know only its usual files, do not hold.
strongswan_control() {
	local host=$1
	shift
	[ -e "$LAB_DIR/swanctl" ] || cp "$(command -v swanctl)" "$LAB_DIR/swanctl"
	lab_exec "$host" env SWANCTL_DIR="$LAB_DIR/$host/swanctl" STRONGSWAN_CONF="$LAB_DIR/$host/strongswan.conf" \
		"$LAB_DIR/swanctl" "$@" --uri "unix://$LAB_DIR/$host/charon.vici"
}

strongswan_configure() {
	local host=$1 peer=ss$((3 - ${1#ss})) remote=%any
	[ "$host" = ss2 ] || remote=$(lab_address ss2 4)
	write_file "$host/strongswan.conf" <<-END
		charon {
			load = random nonce openssl pem pkcs1 pkcs8 x509 pubkey kdf hmac sha2 gcm aes drbg \
				kernel-libipsec kernel-netlink socket-default vici
			interfaces_ignore = lo
			retransmit_timeout = 0.5
			retransmit_base = 1
			retransmit_tries = 2
			plugins { vici { socket = unix://$LAB_DIR/$host/charon.vici } }
			filelog { stderr { default = 1
				net = 0 } }
		}
	END
	write_file "$host/swanctl/swanctl.conf" <<-END
		connections {
			tunnel {
				version = 2
				mobike = yes
				remote_addrs = $remote
				proposals = aes128gcm16-prfsha256-x25519
				dpd_delay = 1s
				local { auth = psk
					id = $host }
				remote { auth = psk
					id = $peer }
				children {
					stream {
						local_ts = $(strongswan_inner "$host")/32
						remote_ts = $(strongswan_inner "$peer")/32
						esp_proposals = aes128gcm16
						dpd_action = $([ "$host" = ss1 ] && echo restart || echo clear)
					}
				}
			}
		}
		secrets { ike { secret = $(cat "$LAB_DIR/ss2/secret") } }
	END
}

strongswan_inner() { echo "10.9.6.${1#ss}"; }
