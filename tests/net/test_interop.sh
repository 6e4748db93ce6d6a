#!/bin/bash
# SPDX-License-Identifier: MIT
#
# hiphopd against hip_peer.py, a HIPv2 peer that was written from the RFCs and from nothing of hiphop: base exchange,
# ping, UPDATE, rekeying and CLOSE in both roles.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
. "$LAB_ROOT/tests/net/interop.sh"

lab_configure one
lab_hiphopd one
lab_hiphopd_ready one
address=$(lab_address one 4)
try_initiator 'UDP, P-256, AES-GCM, rekeying' --rekey
# conforms: RFC7401-5.2.7-3
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
for type in rsa-2048 ecdsa-p384; do
	lab_hiphop one keygen -f -t "$type" -o "$LAB_DIR/one/state/host.pem" >/dev/null
	lab_hiphopd one
	lab_hiphopd_ready one
	address=$(lab_address one 4)
	try_initiator "UDP, hiphopd has $type" --suite 8
	lab_hiphopd_stop one
	try_responder "UDP, hiphopd has $type" --suite 8
done
lab_hiphop one keygen -f -o "$LAB_DIR/one/state/host.pem" >/dev/null

# The R1 without counter comes first: after one with a counter it would pass for an old one.
try_responder 'UDP, R1 without options, then others' --bare --then='--group 7' --then='--group 4 --suite 8' --then=--odd
try_responder 'UDP, P-384, RSA' --group 8
LAB_TRANSPORTS='"ip"' try_responder 'IPv4' --raw
lab_finish
