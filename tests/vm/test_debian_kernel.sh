#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Tests of tests/net under Debian's own kernel: it is older than most, and it has ESP, which must leave IP protocol 50 to
# hiphopd's raw sockets. They run side by side, for the sake of time.
cd "$(dirname "$0")/../net" || exit 2
[ "${VM_INSIDE-}" ] || exec ../vm/boot "$PWD/../vm/$(basename "$0")"
modprobe -a tun veth bridge esp4 esp6 xfrm_user || exit
export LAB_PATIENCE=6 LAB_TRANSFER_MB=5
output=$(mktemp -d)
failed=0

./test_ping.sh ip >"$output/ping" 2>&1 &
for name in transfer second_start privilege; do
	"./test_$name.sh" >"$output/$name" 2>&1
done
wait

uname -srv
grep -E '^(esp4|esp6|xfrm_user) ' /proc/modules | cut -d ' ' -f 1,2
for name in ping transfer second_start privilege; do
	echo "== $name"
	cat "$output/$name"
	tail -n 1 "$output/$name" | grep -q ' passed, 0 failed$' || failed=1
done
exit "$failed"
