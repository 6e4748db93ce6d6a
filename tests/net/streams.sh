# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Numbered datagrams between two hosts, a steady number a second each way, and what a handover did to them. Part of lab.sh;
# see numbered_stream.c.

LAB_STREAM=$LAB_ROOT/build/release/tests/net/numbered_stream
LAB_STREAM_PORT=40000

# lab_now: microseconds of the clock that is in the files of the streams.
lab_now() {
	echo "${EPOCHREALTIME/./}"
}

# lab_stream_start HOST OWN PEER RATE: HOST sends RATE datagrams a second from its address OWN to PEER, and writes what it
# receives from there into $LAB_DIR/HOST/stream. Its process id goes to $LAB_DIR/HOST/stream.pid.
lab_stream_start() {
	lab_spawn "$LAB_DIR/$1/stream" "$1" "$LAB_STREAM" "$2" "$3" "$LAB_STREAM_PORT" "$4"
	echo "$LAB_SPAWNED" >"$LAB_DIR/$1/stream.pid"
}

# lab_streams_stop HOST...: ends what lab_stream_start began.
lab_streams_stop() {
	local host
	for host in "$@"; do lab_end "$(cat "$LAB_DIR/$host/stream.pid")"; done
}

# lab_stream_arrives HOST...: true when each of them has received a datagram in the last 0.2 s.
lab_stream_arrives() {
	local host received
	for host in "$@"; do
		read -r _ _ received < <(tail -n 1 "$LAB_DIR/$host/stream")
		[[ $received =~ ^[0-9]+$ ]] && [ "$(($(lab_now) - received))" -lt 200000 ] || return
	done
}

# lab_stream_measure SENDER RECEIVER FROM END [BLIND]: prints "GAP LOST". GAP is the time in ms from FROM to the first datagram
# that arrives later than BLIND (0) after it; `none` when that is not before END. LOST is how many of those that were to be
# sent between FROM and END have not arrived. All times are in microseconds, as lab_now tells them.
lab_stream_measure() {
	local begins every
	read -r _ begins _ every <"$LAB_DIR/$1/stream"
	awk -v from="$3" -v end="$4" -v blind="${5:-0}" -v begins="$begins" -v every="$every" '
		NR == 1 { next }
		$3 >= from + blind && (!first || $3 < first) { first = $3 }
		begins + $1 * every >= from && begins + $1 * every < end && !seen[$1]++ { came++ }
		END {
			sent = int((end - begins) / every) - int((from - begins) / every)
			gap = first && first < end ? sprintf("%.1f", (first - from) / 1000) : "none"
			print gap, (sent > came ? sent - came : 0)
		}' "$LAB_DIR/$2/stream"
}

# What awk makes of a stream: seen[NUMBER] is when that datagram arrived first, and the gap is the longest row of lost ones
# that begins within a tenth of a second of `from`: those before `before` have nothing to do with it, and `after` is the
# first behind it. Those before the first that arrived do not count: nobody heard yet. BEGINS, EVERY, FROM and END are given.
LAB_STREAM_GAP='
	NR == 1 { next }
	!($1 in seen) || $3 < seen[$1] { seen[$1] = $3 }
	NR == 2 || $1 < lowest { lowest = $1 }
	# The first datagram that is sent at that time or after.
	function number_at(time) {
		return time <= begins ? 0 : int((time - begins + every - 1) / every)
	}
	function find_gap(    number, row, longest) {
		before = after = number_at(from - 100000)
		stop = number_at(end)
		for (number = before; number < number_at(from + 100000); number = row + 1) {
			for (row = number; row < stop && !(row in seen); row++);
			if (row - number > longest) { longest = row - number; after = row }
		}
		return longest + 0
	}'

# lab_stream_gap SENDER RECEIVER FROM END: prints the time in ms from FROM to the first datagram that arrives behind the gap: 0
# when there was no gap, `none` when it did not end before END.
lab_stream_gap() {
	local begins every
	read -r _ begins _ every <"$LAB_DIR/$1/stream"
	awk -v from="$3" -v end="$4" -v begins="$begins" -v every="$every" "$LAB_STREAM_GAP"'
		END {
			if (!find_gap()) { print 0; exit }
			for (number in seen)
				if (number + 0 >= after && (!first || seen[number] < first)) first = seen[number]
			print (after < stop && first ? sprintf("%.1f", (first - from) / 1000) : "none")
		}' "$LAB_DIR/$2/stream"
}

# lab_stream_holes SENDER RECEIVER FROM END: prints how many datagrams were lost outside the gap, of those sent from a second
# before FROM to END. Prints `none` when none arrived after FROM.
lab_stream_holes() {
	local begins every
	read -r _ begins _ every <"$LAB_DIR/$1/stream"
	awk -v from="$3" -v end="$4" -v begins="$begins" -v every="$every" "$LAB_STREAM_GAP"'
		$3 >= from + 5000 { arrived = 1 }
		function lost_between(start, stop,    number, lost) {
			for (number = start > lowest ? start : lowest; number < stop; number++)
				if (!(number in seen)) lost++
			return lost + 0
		}
		END {
			find_gap()
			print arrived ? lost_between(number_at(from - 1000000), before) + lost_between(after, stop) : "none"
		}' "$LAB_DIR/$2/stream"
}
