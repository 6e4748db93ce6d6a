# SPDX-License-Identifier: MIT
#
# The programs that tests/bench/run compares hiphop with. For each program P of PEERS:
#	P_needs       the commands it consists of
#	P_start       starts it on the hosts `one` and `other`
#	P_address     prints the address of `other` inside its tunnel
#	P_forget      (where it can) makes both ends forget the other, so that the next packet needs a new association
# Each is set up as its manual does for two hosts that reach each other over UDP (yggdrasil: over TCP, all it has), with
# the default of its authors where there is one.

PEERS='wireguard_go nebula tinc fastd yggdrasil'

# write_file NAME: the standard input, below $LAB_DIR, for its owner alone.
write_file() {
	mkdir -p "$(dirname "$LAB_DIR/$1")"
	(umask 077; cat >"$LAB_DIR/$1")
}

# tun_address HOST INTERFACE ADDRESS/PREFIX: waits for the device that a program makes, and gives it an address.
tun_address() {
	lab_wait 10 ip -n "$1" link show dev "$2" && ip -n "$1" address add "$3" dev "$2" && ip -n "$1" link set dev "$2" up
}

other_of() { if [ "$1" = one ]; then echo other; else echo one; fi; }
number_of() { if [ "$1" = one ]; then echo 1; else echo 2; fi; }

# ---- wireguard-go: ChaCha20-Poly1305, MTU 1420, TUN with offload where its version has it ----

wireguard_go_needs='wireguard-go wg'

wireguard_go_start() {
	local host
	for host in one other; do
		wg genkey | write_file "$host/wg.key"
		wg pubkey <"$LAB_DIR/$host/wg.key" >"$LAB_DIR/$host/wg.public"
		lab_spawn "$LAB_DIR/$host/wireguard-go.log" "$host" \
			env WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1 wireguard-go -f "wg-$host"
		tun_address "$host" "wg-$host" "10.9.1.$(number_of "$host")/24" || return
		ip -n "$host" link set dev "wg-$host" mtu 1420
		lab_exec "$host" wg set "wg-$host" private-key "$LAB_DIR/$host/wg.key" listen-port 51820 || return
	done
	wireguard_go_meet
}

wireguard_go_meet() {
	local host peer
	for host in one other; do
		peer=$(other_of "$host")
		lab_exec "$host" wg set "wg-$host" peer "$(cat "$LAB_DIR/$peer/wg.public")" \
			allowed-ips "10.9.1.$(number_of "$peer")/32" endpoint "$(lab_address "$peer" 4):51820" || return
	done
}

wireguard_go_forget() {
	local host
	for host in one other; do
		lab_exec "$host" wg set "wg-$host" peer "$(cat "$LAB_DIR/$(other_of "$host")/wg.public")" remove
	done
	wireguard_go_meet
}

wireguard_go_address() { echo 10.9.1.2; }

# ---- nebula: AES-256-GCM, MTU 1300 ----

nebula_needs='nebula nebula-cert'

nebula_start() {
	local host peer place=$LAB_DIR/nebula
	mkdir -p "$place"
	(cd "$place" && nebula-cert ca -name bench && nebula-cert sign -name one -ip 10.9.2.1/24 &&
		nebula-cert sign -name other -ip 10.9.2.2/24) || return
	for host in one other; do
		peer=$(other_of "$host")
		write_file "nebula/$host.yml" <<-END
			pki: { ca: $place/ca.crt, cert: $place/$host.crt, key: $place/$host.key }
			static_host_map: { "10.9.2.$(number_of "$peer")": ["$(lab_address "$peer" 4):4242"] }
			lighthouse: { am_lighthouse: false }
			listen: { host: 0.0.0.0, port: 4242 }
			tun: { dev: neb-$host, mtu: 1300 }
			firewall:
			  outbound: [ { port: any, proto: any, host: any } ]
			  inbound: [ { port: any, proto: any, host: any } ]
		END
		lab_spawn "$place/$host.log" "$host" nebula -config "$place/$host.yml"
	done
}

nebula_address() { echo 10.9.2.2; }

# ---- tinc: AES-256-CBC with SHA-256 ----

tinc_needs='tincd'

tinc_start() {
	local host peer place
	for host in one other; do
		place=tinc-$host
		write_file "$place/tinc.conf" <<-END
			Name = $host
			Interface = tinc-$host
			ConnectTo = $(other_of "$host")
		END
		write_file "$place/hosts/$host" <<-END
			Address = $(lab_address "$host" 4)
			Subnet = 10.9.3.$(number_of "$host")/32
		END
		tincd -c "$LAB_DIR/$place" -K 2048 </dev/null >"$LAB_DIR/$place/keys.log" 2>&1 || return
	done
	for host in one other; do
		peer=$(other_of "$host")
		cp "$LAB_DIR/tinc-$peer/hosts/$peer" "$LAB_DIR/tinc-$host/hosts/"
		lab_spawn "$LAB_DIR/tinc-$host/log" "$host" \
			tincd -D -c "$LAB_DIR/tinc-$host" --pidfile="$LAB_DIR/tinc-$host/pid"
		tun_address "$host" "tinc-$host" "10.9.3.$(number_of "$host")/24" || return
	done
}

tinc_address() { echo 10.9.3.2; }

# ---- fastd: Salsa20/12 with UMAC, MTU 1406 ----

fastd_needs='fastd'

fastd_start() {
	local host peer
	for host in one other; do
		fastd --generate-key >"$LAB_DIR/$host/fastd.keys" 2>/dev/null || return
	done
	for host in one other; do
		peer=$(other_of "$host")
		write_file "$host/fastd.conf" <<-END
			mode tun;
			interface "fd-$host";
			mtu 1406;
			method "salsa2012+umac";
			bind $(lab_address "$host" 4):10000;
			secret "$(awk '/^Secret/ { print $2 }' "$LAB_DIR/$host/fastd.keys")";
			peer "$peer" {
				remote $(lab_address "$peer" 4):10000;
				key "$(awk '/^Public/ { print $2 }' "$LAB_DIR/$peer/fastd.keys")";
			}
		END
		lab_spawn "$LAB_DIR/$host/fastd.log" "$host" fastd -c "$LAB_DIR/$host/fastd.conf"
		tun_address "$host" "fd-$host" "10.9.4.$(number_of "$host")/24" || return
	done
}

fastd_address() { echo 10.9.4.2; }

# ---- yggdrasil: an overlay as well; XSalsa20-Poly1305 over TCP, MTU 65535 ----

yggdrasil_needs='yggdrasil'

yggdrasil_start() {
	local host filter
	for host in other one; do
		filter=".IfName = \"ygg-$host\" | .AdminListen = \"none\" | .MulticastInterfaces = []"
		if [ "$host" = one ]; then
			filter+=" | .Peers = [\"tcp://$(lab_address other 4):9001\"]"
		else
			filter+=' | .Listen = ["tcp://0.0.0.0:9001"]'
		fi
		yggdrasil -genconf -json | jq "$filter" | write_file "$host/yggdrasil.json"
		lab_spawn "$LAB_DIR/$host/yggdrasil.log" "$host" yggdrasil -useconffile "$LAB_DIR/$host/yggdrasil.json"
		[ "$host" = one ] || lab_wait 5 lab_listens other 9001 || return # who finds nobody tries again much later
	done
}

yggdrasil_address() { yggdrasil -useconffile "$LAB_DIR/other/yggdrasil.json" -address; }
