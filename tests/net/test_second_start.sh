#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A second daemon on the same state is refused, with one clear sentence, and the first one does not notice.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left 192.0.2 2001:db8:1
lab_host one left
lab_host stranger left
lab_configure one
lab_hiphopd one
lab_hiphopd_ready one

# Runs a daemon that should end by itself, and says how it ended.
start_again() {
	lab_exec "$1" timeout 10 "$LAB_HIPHOPD" --config "$LAB_DIR/one/hiphop.conf" 2>"$LAB_DIR/second.log"
}

# Ended by itself, with an error: neither 0 nor what timeout says for having killed it.
is_refused() {
	local status
	start_again "$1"
	status=$?
	[ "$status" != 0 ] && [ "$status" != 124 ]
}

# The other host has another hip0 and other ports: only state and control socket are the same.
for host in one stranger; do
	lab_check "on $host: the second start is refused" is_refused "$host"
	lab_check "on $host: it says why" grep -q "$LAB_DIR/one" "$LAB_DIR/second.log"
	tail -n 1 "$LAB_DIR/second.log"
	lab_check "on $host: the first still answers" lab_status one .hit
done
lab_finish
