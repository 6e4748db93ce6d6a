#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The daemon's processes, as the kernel shows them: the one that reads packets has no privilege, the helper two.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

NET_ADMIN_AND_NET_RAW=$((1 << 12 | 1 << 13))
lab_network left 192.0.2 2001:db8:1
lab_host one left
lab_overlay one
daemon=$(cat "$LAB_DIR/one/hiphopd.pid")
helper=$(ps -o pid= --ppid "$daemon" | tr -d ' ')

# One value of a process or thread, as /proc shows it.
shown() {
	awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/status"
}

holds_none() {
	local set
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		[ "$((16#$(shown "$1" "$set")))" = 0 ] || { echo "$1: $set is $(shown "$1" "$set")"; return 1; }
	done
}

every_thread_holds_none() {
	local thread
	for thread in /proc/"$daemon"/task/*; do
		holds_none "$daemon/task/${thread##*/}" || return 1
	done
}

holds_at_most_the_network() {
	local set
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		if [ "$((16#$(shown "$1" "$set") & ~NET_ADMIN_AND_NET_RAW))" != 0 ]; then
			echo "$set is $(shown "$1" "$set")"
			return 1
		fi
	done
}

lab_check 'the daemon has one helper' [ "$(wc -w <<<"$helper")" = 1 ]
lab_check 'no thread of the daemon holds a capability' every_thread_holds_none
lab_check 'the helper holds nothing but CAP_NET_ADMIN and CAP_NET_RAW' holds_at_most_the_network "$helper"
for process in "$daemon" "$helper"; do
	lab_check "$(ps -o comm= -p "$process") $process: no new privileges" [ "$(shown "$process" NoNewPrivs)" = 1 ]
	lab_check "$(ps -o comm= -p "$process") $process: a filter of system calls" [ "$(shown "$process" Seccomp)" = 2 ]
	if lab_is_real_root; then
		lab_check "$(ps -o comm= -p "$process") $process: not root" [ "$(shown "$process" Uid)" != 0 ]
	fi
done
lab_check 'it works all the same' lab_status one .overlay.joined
lab_finish
