# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# hiphopd on the host `one` against hip_peer.py on the host `peer`, in both roles. A script sources this file after
# lab_start.

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

# has_closed LOG NUMBER: true when the peer has ended that exchange of its log; until then a ping brings it on.
has_closed() {
	grep -q "^closed $2" "$1" && return
	lab_exec one ping -q -c 1 -W 0.2 "$(lab_hit peer)"
	grep -q "^closed $2" "$1"
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
		lab_wait 10 has_closed "$log" "$closed"
		closed=$((closed + 1))
	done
	lab_check "$name: ping6 from HIT to HIT, base exchange included" lab_ping one peer
	lab_hiphopd_stop one
	lab_wait 10 lab_not kill -0 "$peer"
	lab_end "$peer"
	check_results "$name" "$log" $?
}

tries=0
/usr/bin/python3 "$PEER" hit "$LAB_DIR/peer/ecdsa.pem" >/dev/null
/usr/bin/python3 "$PEER" hit "$LAB_DIR/peer/rsa.pem" --identity rsa >/dev/null
/usr/bin/python3 "$PEER" hit "$LAB_DIR/peer/ecdsa-low.pem" --identity ecdsa-low >/dev/null
