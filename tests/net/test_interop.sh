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
	case $name in *RSA*) identity=rsa ;; esac
	lab_exec peer /usr/bin/python3 "$PEER" initiate "$LAB_DIR/peer/$identity.pem" "$address" "$(lab_hit one)" "$@" \
		>"$log" 2>&1
	check_results "$name" "$log" $?
}

# try_responder CASE OPTION...: hiphopd starts afresh, pings the peer and ends, which closes the association.
try_responder() {
	local name="peer responds, $1" log=$LAB_DIR/peer/respond.log.$((++tries)) identity=ecdsa peer
	shift
	case $name in *RSA*) identity=rsa ;; esac
	/usr/bin/python3 "$PEER" hit "$LAB_DIR/peer/$identity.pem" --identity "$identity" >"$LAB_DIR/peer/hit"
	lab_spawn "$log" peer /usr/bin/python3 "$PEER" respond "$LAB_DIR/peer/$identity.pem" "$@"
	peer=$LAB_SPAWNED
	LAB_KNOWN=peer lab_configure one
	lab_hiphopd one
	lab_hiphopd_ready one
	lab_check "$name: ping6 from HIT to HIT, base exchange included" lab_ping one peer
	lab_hiphopd_stop one
	lab_wait 10 lab_not kill -0 "$peer"
	lab_end "$peer"
	check_results "$name" "$log" $?
}

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
try_initiator 'UDP, strange and refused packets too' --spoil
try_initiator 'UDP, AES-CBC, strange and refused packets too' --spoil --suite 8
try_initiator 'IPv4' --raw
address=$(lab_address one 6)
try_initiator 'IPv6, rekeying' --raw --suite 8 --rekey
lab_hiphopd_stop one

# hiphopd with other identities than the usual one.
for type in rsa-2048 ecdsa-p384; do
	lab_hiphop one keygen -f -t "$type" -o "$LAB_DIR/one/state/host.pem" >/dev/null
	lab_hiphopd one
	lab_hiphopd_ready one
	address=$(lab_address one 4)
	try_initiator "UDP, hiphopd has $type" --suite 8
	lab_hiphopd_stop one
	try_responder "UDP, hiphopd has $type"
done
lab_hiphop one keygen -f -o "$LAB_DIR/one/state/host.pem" >/dev/null

try_responder 'UDP, P-256, AES-GCM'
try_responder 'UDP, 3072-bit MODP, AES-CBC' --group 4 --suite 8
try_responder 'UDP, R1 without options' --bare
try_responder 'UDP, P-384, RSA' --group 8
try_responder 'UDP, all set that is to be ignored' --odd
LAB_TRANSPORTS='"ip"' try_responder 'IPv4' --raw
lab_finish
