#!/bin/bash
# SPDX-License-Identifier: MIT
#
# hiphopd asks hip_peer.py, the peer that was written from the RFCs alone, for new ESP keys by UPDATE, each second, with
# and without a new Diffie-Hellman, and is answered in every way that RFC 7402 allows. Meanwhile a ping runs.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
. "$LAB_ROOT/tests/net/interop.sh"

# Every echo request has to be answered.
ping_all_the_time() {
	lab_exec one ping -q -i 0.05 -c 35 -W 3 "$(lab_hit peer)" | grep -q '35 received, 0% packet loss'
}

has_rekeyed() {
	[ "$(lab_association one peer keys.rekeys)" -ge 1 ]
}

# rekey CASE ESP OPTION...: hiphopd with these members of esp, and the peer as Responder with these options.
rekey() {
	local name="hiphopd rekeys, $1" log=$LAB_DIR/peer/rekey.log.$((++tries)) peer
	local LAB_ALGORITHMS="esp = { rekey_seconds = 1; $2 };"
	shift 2
	/usr/bin/python3 "$PEER" hit "$LAB_DIR/peer/ecdsa.pem" >"$LAB_DIR/peer/hit"
	lab_spawn "$log" peer /usr/bin/python3 "$PEER" respond "$LAB_DIR/peer/ecdsa.pem" --rekeyings 1 "$@"
	peer=$LAB_SPAWNED
	LAB_KNOWN=peer lab_configure one
	lab_hiphopd one
	lab_hiphopd_ready one
	lab_check "$name: no echo is lost" ping_all_the_time
	lab_check "$name: hiphopd counts it" lab_wait 10 has_rekeyed
	lab_hiphopd_stop one
	lab_wait 10 lab_not kill -0 "$peer"
	lab_end "$peer"
	check_results "$name" "$log" $?
}

rekey 'answered in one packet' 'rekey_dh = true;'
rekey 'without Diffie-Hellman, acknowledged apart' 'rekey_dh = false;' --answer separate --suite 8
rekey 'answered with a key that was not asked for' 'rekey_dh = false;' --answer key --group 8
rekey 'crossed by a request without a key' 'rekey_dh = true;' --answer cross

# And when the peer was the Initiator.
LAB_ALGORITHMS='esp = { rekey_seconds = 1; };' lab_configure one
lab_hiphopd one
lab_hiphopd_ready one
address=$(lab_address one 4)
try_initiator 'UDP, hiphopd rekeys, crossed' --rekeyings 1 --answer cross
lab_hiphopd_stop one
lab_finish
