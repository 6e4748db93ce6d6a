#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The daemon's processes, as the kernel shows them: the one that reads packets has no privilege, the helper two.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

# Calls of hiphopd that its filter has refused, as the kernel's audit log tells, but for clone3 (435), on which libc goes
# on with clone. Other laboratories may run at the same time: theirs must not be there either.
refused_calls() {
	dmesg 2>/dev/null | grep 'type=1326' | grep -F "exe=\"$LAB_HIPHOPD\"" | grep -cv ' syscall=435 '
}
refused_before=$(refused_calls)

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

every_thread_is_filtered() {
	local process=$1 thread
	for thread in /proc/"$process"/task/*; do
		thread=$process/task/${thread##*/}
		[ "$(shown "$thread" Seccomp)" = 2 ] && [ "$(shown "$thread" NoNewPrivs)" = 1 ] || { echo "$thread"; return 1; }
	done
}

# Memory that can be written is never code. (Of processes that may not be traced only root can look at the maps.)
writes_no_code() {
	! awk '$2 ~ /w.*x/ { found = 1; print } END { exit !found }' "/proc/$1/maps"
}

# Of a process that is not dumpable everything in /proc belongs to root.
is_closed_to_its_user() {
	[ "$(stat -c %u "/proc/$1/environ")" = 0 ]
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
	lab_check "$(ps -o comm= -p "$process") $process: every thread likewise" every_thread_is_filtered "$process"
	if lab_is_real_root; then
		lab_check "$(ps -o comm= -p "$process") $process: no writable code" writes_no_code "$process"
		lab_check "$(ps -o comm= -p "$process") $process: not to be traced" is_closed_to_its_user "$process"
		lab_check "$(ps -o comm= -p "$process") $process: not root" [ "$(shown "$process" Uid)" != 0 ]
	fi
done
lab_check 'it works all the same' lab_status one .overlay.joined
lab_check 'it ends in order' lab_hiphopd_stop one
if dmesg >/dev/null 2>&1; then
	lab_check 'its filter had nothing to refuse' [ "$(refused_calls)" -le "$refused_before" ]
fi
lab_finish
