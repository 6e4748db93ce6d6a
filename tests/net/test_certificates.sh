#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A host that asks for certificates (RFC 8002), with chains that openssl made: it takes who has one, and tells who has none
# or one of a stranger's. The packets that carry them are larger than the links: they come in fragments, over IPv4 and
# IPv6, in UDP and as IP protocol 139.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

CA=$LAB_DIR/ca
RULES='rules = ( "allow with certified", "deny with anyone" );'

# certify NAME ISSUER SUBJECT EXTENSIONS: signs the key $CA/NAME.key as $CA/NAME.pem.
certify() {
	printf '%b' "$4" >"$CA/$1.extensions"
	openssl req -new -sha256 -key "$CA/$1.key" -subj "$3" -out "$CA/$1.request" &&
		openssl x509 -req -sha256 -days 2 -in "$CA/$1.request" -CA "$CA/$2.pem" -CAkey "$CA/$2.key" \
			-CAcreateserial -extfile "$CA/$1.extensions" -out "$CA/$1.pem" 2>/dev/null
}

# make_root NAME
make_root() {
	openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -sha384 -days 2 \
		-subj "/O=hiphop laboratory/CN=$1" -keyout "$CA/$1.key" -out "$CA/$1.pem" 2>/dev/null
}

make_authorities() {
	mkdir -p "$CA"
	make_root root && make_root stranger
	openssl genrsa -out "$CA/middle.key" 2048 2>/dev/null
	certify middle root '/O=hiphop laboratory/CN=authority in the middle' 'basicConstraints=critical,CA:TRUE\n'
}

# make_chain HOST ISSUER: $CA/HOST-ISSUER.pem, that of the issuer behind its own.
make_chain() {
	cp "$LAB_DIR/$1/state/host.pem" "$CA/$1.key"
	certify "$1" "$2" "/O=hiphop laboratory/CN=$1" "subjectAltName=IP:$(lab_hit "$1")\n" &&
		cat "$CA/$1.pem" "$CA/$2.pem" >"$CA/$1-$2.pem"
}

# configure HOST OTHERS CHAIN [ACCESS]: CHAIN "" for none.
configure() {
	LAB_ROLE=none LAB_KNOWN=$2 LAB_IDENTITY=${3:+"certificate = \"$CA/$3.pem\";"} LAB_ACCESS=${4-} lab_configure "$1"
}

# certificate HOST OTHER FILTER: of the certificate that HOST was shown by OTHER.
certificate() {
	lab_hiphop "$1" --json peers |
		jq -er ".associations[] | select(.hit == \"$(lab_hit "$2")\").certificate | $3"
}

# notified HOST TYPE KEY: how many NOTIFYs of this type HOST has sent or received.
notified() { [ "$(lab_status "$1" ".notifications.$2.$3 // 0")" -gt 0 ]; }
unreachable() { ! lab_exec "$1" ping -q -c 1 -W 2 "$(lab_hit "$2")"; }

restart() {
	local host
	for host; do
		[ ! -e "$LAB_DIR/$host/up" ] || lab_hiphopd_stop "$host"
		touch "$LAB_DIR/$host/up"
		lab_hiphopd "$host"
	done
	for host; do
		lab_hiphopd_ready "$host"
	done
}

# frames HOST FILTER: how many packets in the capture at HOST fit.
frames() {
	tshark -n -r "$LAB_DIR/$1/eth0.pcap" -Y "$2" 2>/dev/null | wc -l
}
came_in_fragments() {
	local pieces whole=0
	if [ "$1" = 4 ]; then
		pieces=$(frames "guest$1" 'ip.flags.mf == 1') whole=$(frames "guest$1" 'hip && ip.flags.df == 1')
	else
		pieces=$(frames "guest$1" 'ipv6.fraghdr.more == 1')
	fi
	echo "$pieces pieces that others follow, $whole HIP packets that must stay whole, of $(frames "guest$1" '')"
	[ "$pieces" -ge 2 ] && [ "$whole" = 0 ]
}

# try FAMILY TRANSPORT: guest, with a chain, to strict, which asks for one.
try() {
	local guest=guest$1 strict=strict$1
	export LAB_TRANSPORTS="\"$2\""
	configure "$guest" "$strict" "$guest-middle" "certificate_authorities = ( \"$CA/root.pem\" ); $RULES"
	configure "$strict" '' "$strict-middle" "certificate_authorities = ( \"$CA/root.pem\" ); $RULES"
	# Before they start: any packet to a HIT, also a late one of the try before, begins the exchange.
	lab_capture_start "$guest" eth0
	restart "$guest" "$strict"
	lab_check "IPv$1, $2: both show their chains" lab_ping "$guest" "$strict"
	lab_capture_stop "$guest" eth0
	# conforms: RFC7401-5.1.3-1 RFC7401-5.1.3-2 RFC7401-5.1.3-3
	lab_check "IPv$1, $2: they come in fragments" came_in_fragments "$1"
	lab_check "IPv$1, $2: strict has verified guest's" \
		[ "$(certificate "$strict" "$guest" '[.verified, .subject, .issuer] | join(";")')" = \
		"true;CN=$guest,O=hiphop laboratory;CN=authority in the middle,O=hiphop laboratory" ]
	lab_check "IPv$1, $2: guest has verified strict's" certificate "$guest" "$strict" .verified
}

lab_network left4 192.0.2 -
lab_network right4 198.51.100 -
lab_network left6 - 2001:db8:1
lab_network right6 - 2001:db8:2
for family in 4 6; do
	lab_host "guest$family" "left$family"
	lab_host "strict$family" "right$family"
done
# The way between: routers cut what is larger over IPv4, over IPv6 the hosts do.
ip -n router-left4 link set dev core mtu 600
ip -n router-right4 link set dev core mtu 600
ip -n guest6 link set dev eth0 mtu 1280
ip -n strict6 link set dev eth0 mtu 1280
lab_make_identities guest4 strict4 guest6 strict6
make_authorities
for host in guest4 strict4 guest6 strict6; do
	make_chain "$host" middle || lab_give_up "openssl made no certificate for $host"
done
make_chain guest4 stranger

for family in 4 6; do
	for transport in udp ip; do
		try "$family" "$transport"
	done
done

# ---- who is not let in ----------------------------------------------------------------------------------------------

export LAB_TRANSPORTS='"udp"'
configure strict4 '' strict4-middle "certificate_authorities = ( \"$CA/root.pem\" ); $RULES"
configure guest4 strict4 ''
restart strict4 guest4
lab_spawn "$LAB_DIR/guest4/monitor.log" guest4 "$LAB_HIPHOP" --socket "$LAB_DIR/guest4/control.sock" monitor --json
lab_wait 5 grep -q monitor "$LAB_DIR/guest4/monitor.log"
lab_check 'a host without a certificate is not let in' unreachable guest4 strict4
lab_check '… it is told so' lab_wait 10 notified guest4 CREDENTIALS_REQUIRED received
lab_check '… hiphop monitor shows it by name' lab_wait 5 grep -q CREDENTIALS_REQUIRED "$LAB_DIR/guest4/monitor.log"
lab_check '… and has no association' [ "$(lab_status strict4 '[.associations[] | select(.path == "direct")] | length | tostring')" = 0 ]
lab_check '… which the counters know' lab_status strict4 .counters.associate_refused_uncertified
configure guest4 strict4 guest4-stranger
restart guest4
lab_check "one with a stranger's certificate is not let in" unreachable guest4 strict4
lab_check '… it is told so, too' lab_wait 10 notified guest4 INVALID_CERTIFICATE received
configure guest4 strict4 guest6-middle
lab_hiphopd_stop guest4
lab_hiphopd guest4
# shellcheck disable=SC2016
lab_check "a start with somebody else's certificate ends with one clear sentence" \
	lab_wait 5 sh -c 'cat "$1"/guest4/hiphopd.log.* | grep -q "the first is not of this host"' - "$LAB_DIR"
lab_finish
