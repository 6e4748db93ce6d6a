#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A long TCP session as ssh makes it: small writes both ways, with gaps where nothing is said.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
lab_host one left
lab_host other right
LAB_INBOUND='"icmp6", "tcp/22"' lab_overlay one other
hit=$(lab_hit other)

# The far end says every line back, and speaks by itself in the gaps too.
cat >"$LAB_DIR/far-end.sh" <<'END'
(for i in 1 2 3; do sleep 7; echo "prompt $i"; done) &
while read -r line; do echo "back $line"; done
END
lab_spawn "$LAB_DIR/far-end.log" other socat "TCP6-LISTEN:22,bind=[$hit],reuseaddr" "EXEC:bash $LAB_DIR/far-end.sh"
lab_wait 5 lab_listens other 22

# Types 60 keys quickly, then 3 more with gaps of 9 seconds: longer than dead-peer detection and than most timers.
type_keys() {
	local i
	for i in $(seq 60); do
		echo "key $i"
		sleep 0.05
	done
	for i in 61 62 63; do
		sleep 9
		echo "key $i"
	done
	sleep 1
}

type_keys | lab_exec one socat - "TCP6:[$hit]:22" >"$LAB_DIR/heard" 2>"$LAB_DIR/near-end.log"
lab_check 'every key came back, in order' \
	diff <(grep ^back "$LAB_DIR/heard") <(for i in $(seq 63); do echo "back key $i"; done)
lab_check 'what the far end said in the gaps came' [ "$(grep -c ^prompt "$LAB_DIR/heard")" = 3 ]
lab_check 'the connection was never reset' [ ! -s "$LAB_DIR/near-end.log" ]
lab_finish
