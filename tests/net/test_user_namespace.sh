#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Everything runs for an ordinary user inside unshare -Urnm, where there is one uid; and where /dev/net/tun is closed,
# the daemon says so.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left 192.0.2 2001:db8:1
lab_host one left
lab_check 'the ping test passes inside unshare -Urnm' \
	env -u LAB_INSIDE unshare -Urnm "$LAB_ROOT/tests/net/test_ping.sh"

# Only true root can make a device that others may not open.
if lab_is_real_root; then
	lab_configure one
	cp "$LAB_HIPHOPD" "$LAB_DIR/hiphopd"
	mount -t tmpfs -o mode=755 tmpfs /dev/net
	mknod -m 0600 /dev/net/tun c 10 200
	mkdir -m 0777 "$LAB_DIR/one/state"
	lab_exec one setpriv --reuid nobody --regid nogroup --clear-groups unshare -Ur \
		timeout 10 "$LAB_DIR/hiphopd" --config "$LAB_DIR/one/hiphop.conf" 2>"$LAB_DIR/closed.log"
	status=$?
	lab_check 'a closed /dev/net/tun ends the daemon with an error' [ "$status" != 0 ]
	lab_check 'by itself' [ "$status" != 124 ]
	lab_check 'and it names the device' grep -q /dev/net/tun "$LAB_DIR/closed.log"
	tail -n 1 "$LAB_DIR/closed.log"
fi
lab_finish
