#!/bin/bash
# SPDX-License-Identifier: MIT
#
# hiphopd against the peer from the RFCs with every algorithm of RFC 7401 and 7402: groups, HIP ciphers, ESP suites and the weak
# identity, in both roles.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
. "$LAB_ROOT/tests/net/interop.sh"

# Every HIP cipher and group, and every ESP suite that encrypts, however weak; six suites fit into one list.
ALL_BUT_NULL='hip = { weak = true; hit_suites = ( "ecdsa", "rsa", "ecdsa-low" ); ciphers = ( "null", "aes128", "aes256" );
	dh_groups = ( "modp1536", "secp160r1", "modp2048", "p-521", "p-384", "p-256", "modp3072" ); };
	esp = { suites = ( "aes128-sha1", "aes128ccm8", "aes128ccm16", "aes128gcm8", "aes256-sha256", "aes128-sha256" ); };'
# Those that encrypt nothing, which only a host outside overlays may have.
NULLS='hip = { weak = true; };
	esp = { suites = ( "null-sha256", "null-aescmac", "aes128gmac", "aes128-sha256" ); };'

export LAB_ALGORITHMS=$ALL_BUT_NULL
lab_configure one
lab_hiphopd one
lab_hiphopd_ready one
address=$(lab_address one 4)
# conforms: RFC7401-5.2.7-2
try_initiator '1536-bit MODP, NULL cipher, AES-CBC with SHA-1' --weak --group 3 --cipher 1 --suite 1 --rekey
# conforms: RFC7401-5.2.7-4 RFC7402-3.3.5-1
try_initiator '2048-bit MODP, AES-256, AES-256-CBC' --weak --group 11 --cipher 4 --suite 9
# conforms: RFC7401-5.2.7-4
try_initiator 'P-521, AES-CCM-8' --weak --group 9 --suite 10 --rekey
# conforms: RFC7401-5.2.7-4 RFC7401-5.2.9-4
try_initiator 'SECP160R1, ECDSA_LOW, AES-CCM-16' --weak --group 10 --suite 11
# conforms: RFC7401-5.2.7-3
try_initiator 'P-384, AES-GCM-8' --weak --group 8 --cipher 4 --suite 12 --rekey
lab_hiphopd_stop one
try_responder 'weak algorithms' --weak --group 3 --cipher 1 --suite 1 --then='--weak --group 11 --cipher 4 --suite 9' \
	--then='--weak --group 9 --suite 10' --then='--weak --group 8 --cipher 4 --suite 12' \
	--then='--weak --group 10 --suite 11'

lab_hiphop one keygen -f -t ecdsa-low --weak -o "$LAB_DIR/one/state/host.pem" >/dev/null
lab_hiphopd one
lab_hiphopd_ready one
# conforms: RFC7401-5.2.9-4 RFC7401-5.2.10-4
try_initiator 'hiphopd has ecdsa-low' --weak --suite 8
lab_hiphopd_stop one
try_responder 'hiphopd has ecdsa-low, ECDSA_LOW too' --weak --suite 8
lab_hiphop one keygen -f -o "$LAB_DIR/one/state/host.pem" >/dev/null

export LAB_ALGORITHMS=$NULLS LAB_ROLE=none
lab_configure one
lab_hiphopd one
lab_hiphopd_ready one
# conforms: RFC7402-3.3.5-2 RFC7402-3.3.5-3 RFC7402-5.1.2-4
try_initiator 'ESP NULL with SHA-256' --weak --suite 7
try_initiator 'AES-CMAC-96' --weak --suite 14
try_initiator 'AES-GMAC' --weak --suite 15 --rekey
lab_hiphopd_stop one
try_responder 'ESP without encryption' --weak --suite 7 --then='--weak --suite 14' --then='--weak --suite 15'
lab_finish
