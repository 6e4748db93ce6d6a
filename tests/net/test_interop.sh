#!/bin/bash
# SPDX-License-Identifier: MIT
#
# hiphopd against hip_peer.py, a HIPv2 peer that was written from the RFCs and from nothing of hiphop: base exchange,
# ping, UPDATE, rekeying and CLOSE in both roles.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd
PEER=$LAB_ROOT/tests/net/hip_peer.py
/usr/bin/python3 -c 'import cryptography' 2>/dev/null ||
	lab_give_up 'python3-cryptography is missing: scripts/install-packages test'

lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
lab_host one left
lab_host peer right

# check_results CASE LOG STATUS: one result of the laboratory for all that the peer verified, and one for each thing
# that was not right. The peer's own list is in the LOG, and in what tests/run keeps.
check_results() {
	local line verified
	[ -z "${KEEP-}" ] || sed 's/^/# /' "$2"
	verified=$(grep -c '^ok ' "$2")
	while IFS= read -r line; do
		lab_not_ok "$1:" "${line#not ok }"
	done < <(grep '^not ok ' "$2")
	lab_check "$1: the peer verified $verified things and is content" [ "$3" = 0 ] || tail -n 1 "$2"
}

# try_initiator CASE OPTION...: one daemon answers all Initiators.
try_initiator() {
	local name="peer initiates, $1" log=$LAB_DIR/peer/initiate.log.$((++tries)) identity=ecdsa
	shift
	case $name in *RSA*) identity=rsa ;; *ECDSA_LOW*) identity=ecdsa-low ;; esac
	lab_exec peer /usr/bin/python3 "$PEER" initiate "$LAB_DIR/peer/$identity.pem" "$address" "$(lab_hit one)" "$@" \
		>"$log" 2>&1
	check_results "$name" "$log" $?
}

# try_responder CASE OPTION...: hiphopd starts afresh, pings the peer and ends, which closes the association. For each
# --then=OPTIONS there is one exchange more, which hiphopd begins when it pings after the peer's CLOSE.
try_responder() {
	local name="peer responds, $1" log=$LAB_DIR/peer/respond.log.$((++tries)) identity=ecdsa peer closed=0 one
	shift
	case $name in *RSA*) identity=rsa ;; *ECDSA_LOW*) identity=ecdsa-low ;; esac
	/usr/bin/python3 "$PEER" hit "$LAB_DIR/peer/$identity.pem" --identity "$identity" >"$LAB_DIR/peer/hit"
	lab_spawn "$log" peer /usr/bin/python3 "$PEER" respond "$LAB_DIR/peer/$identity.pem" "$@"
	peer=$LAB_SPAWNED
	LAB_KNOWN=peer lab_configure one
	lab_hiphopd one
	lab_hiphopd_ready one
	for one in "$@"; do
		case $one in --then=*) ;; *) continue ;; esac
		lab_exec one ping -q -c 1 -W 10 "$(lab_hit peer)" >/dev/null
		lab_wait 10 grep -q "^closed $closed" "$log"
		closed=$((closed + 1))
	done
	lab_check "$name: ping6 from HIT to HIT, base exchange included" lab_ping one peer
	lab_hiphopd_stop one
	lab_wait 10 lab_not kill -0 "$peer"
	lab_end "$peer"
	check_results "$name" "$log" $?
}

# Every HIP cipher and group, and every ESP suite that encrypts, however weak; six suites fit into one list.
ALL_BUT_NULL='hip = { weak = true; hit_suites = ( "ecdsa", "rsa", "ecdsa-low" ); ciphers = ( "null", "aes128", "aes256" );
	dh_groups = ( "modp1536", "secp160r1", "modp2048", "p-521", "p-384", "p-256", "modp3072" ); };
	esp = { suites = ( "aes128-sha1", "aes128ccm8", "aes128ccm16", "aes128gcm8", "aes256-sha256", "aes128-sha256" ); };'
# Those that encrypt nothing, which only a host outside overlays may have.
NULLS='hip = { weak = true; };
	esp = { suites = ( "null-sha256", "null-aescmac", "aes128gmac", "aes128-sha256" ); };'

tries=0
/usr/bin/python3 "$PEER" hit "$LAB_DIR/peer/ecdsa.pem" >/dev/null
/usr/bin/python3 "$PEER" hit "$LAB_DIR/peer/rsa.pem" --identity rsa >/dev/null
lab_configure one
lab_hiphopd one
lab_hiphopd_ready one
address=$(lab_address one 4)
try_initiator 'UDP, P-256, AES-GCM, rekeying' --rekey
try_initiator 'UDP, 3072-bit MODP, AES-CBC, rekeying' --group 4 --suite 8 --rekey
try_initiator 'UDP, P-384, HOST_ID in the clear' --group 8 --plain
try_initiator 'UDP, RSA, rekeying' --rekey
try_initiator 'UDP, all set that is to be ignored' --odd
try_initiator 'UDP, AES-CBC, strange and refused packets too' --spoil --suite 8
try_initiator 'IPv4' --raw
address=$(lab_address one 6)
try_initiator 'IPv6, rekeying' --raw --suite 8 --rekey
lab_hiphopd_stop one

# hiphopd with other identities than the usual one.
for type in rsa-2048 ecdsa-p384 ecdsa-low; do
	lab_hiphop one keygen -f -t "$type" --weak -o "$LAB_DIR/one/state/host.pem" >/dev/null
	[ "$type" != ecdsa-low ] || export LAB_ALGORITHMS=$ALL_BUT_NULL
	lab_configure one
	lab_hiphopd one
	lab_hiphopd_ready one
	address=$(lab_address one 4)
	try_initiator "UDP, hiphopd has $type" --suite 8 ${LAB_ALGORITHMS:+--weak}
	lab_hiphopd_stop one
	try_responder "UDP, hiphopd has $type" --suite 8 ${LAB_ALGORITHMS:+--weak}
done
lab_hiphop one keygen -f -o "$LAB_DIR/one/state/host.pem" >/dev/null

# Every algorithm, those of ESP one by one, and the others along with them.
lab_configure one
lab_hiphopd one
lab_hiphopd_ready one
try_initiator '1536-bit MODP, NULL cipher, AES-CBC with SHA-1' --weak --group 3 --cipher 1 --suite 1 --rekey
try_initiator '2048-bit MODP, AES-256, AES-256-CBC' --weak --group 11 --cipher 4 --suite 9
try_initiator 'P-521, AES-CCM-8' --weak --group 9 --suite 10 --rekey
try_initiator 'SECP160R1, ECDSA_LOW, AES-CCM-16' --weak --group 10 --suite 11
try_initiator 'P-384, AES-GCM-8' --weak --group 8 --cipher 4 --suite 12 --rekey
lab_hiphopd_stop one
try_responder 'weak algorithms' --weak --group 3 --cipher 1 --suite 1 --then='--weak --group 11 --cipher 4 --suite 9' \
	--then='--weak --group 9 --suite 10' --then='--weak --group 8 --cipher 4 --suite 12' \
	--then='--weak --group 10 --suite 11'
export LAB_ALGORITHMS=$NULLS LAB_ROLE=none
lab_configure one
lab_hiphopd one
lab_hiphopd_ready one
try_initiator 'ESP NULL with SHA-256' --weak --suite 7
try_initiator 'AES-CMAC-96' --weak --suite 14
try_initiator 'AES-GMAC' --weak --suite 15 --rekey
lab_hiphopd_stop one
try_responder 'ESP without encryption' --weak --suite 7 --then='--weak --suite 14' --then='--weak --suite 15'
unset LAB_ALGORITHMS LAB_ROLE

try_responder 'UDP, P-256, AES-GCM, then others' --then='--group 4 --suite 8' --then=--bare --then=--odd
try_responder 'UDP, P-384, RSA' --group 8
LAB_TRANSPORTS='"ip"' try_responder 'IPv4' --raw
lab_finish
