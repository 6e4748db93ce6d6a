#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The laboratory's own lines: delay, loss, rate and silence are those asked for, and many packets pass.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_lines

lab_namespace one
lab_namespace two
mkdir -p "$LAB_DIR/one" "$LAB_DIR/two"
lab_link_delayed one eth0 two eth0
lab_addresses one eth0 192.0.2 2001:db8:1 1 1
lab_addresses two eth0 192.0.2 2001:db8:1 2 2

# ping_two COUNT [ARGUMENT...]: prints "LOST-PERCENT LEAST AVERAGE" of a series of pings.
ping_two() {
	lab_exec one ping -q -c "$1" -i 0.005 -W 1 "${@:2}" 192.0.2.2 | awk -F '[ =/%]+' '
		{ for (i = 2; i <= NF; i++) if ($i == "packet" && $(i + 1) ~ /loss/) lost = $(i - 1) }
		/^rtt/ { least = $6; average = $7 }
		END { print lost, least + 0, average + 0 }'
}

# between VALUE LEAST MOST
between() {
	awk -v value="$1" -v least="$2" -v most="$3" 'BEGIN { print value " is not from " least " to " most; exit value < least || value > most }'
}

read -r lost _ average < <(ping_two 100)
lab_check 'without commands nothing is lost' [ "$lost" = 0 ]
lab_check 'without commands it is quick' between "$average" 0 5

lab_line one eth0 delay 25
read -r lost least average < <(ping_two 200)
lab_check 'a delay of 25 ms each way loses nothing' [ "$lost" = 0 ]
lab_check 'a delay of 25 ms each way is never less' between "$least" 50 52
lab_check 'a delay of 25 ms each way is hardly more' between "$average" 50 55

lab_line one eth0 delay 5
lab_line one eth0 jitter 20
read -r lost least average < <(ping_two 400)
lab_check 'jitter loses nothing' [ "$lost" = 0 ]
lab_check 'jitter is added' between "$average" 20 50
lab_line one eth0 jitter 0
lab_line one eth0 delay 0

lab_line one eth0 loss 10
read -r lost _ _ < <(ping_two 1000)
# One in ten, twice: 19 % of the pings, and four standard deviations to each side.
lab_check 'a loss of 10 % each way' between "$lost" 14 24
lab_line one eth0 loss 0

lab_line one eth0 dead
lab_check 'a dead line passes nothing' lab_not lab_exec one ping -q -c 3 -i 0.05 -W 0.3 192.0.2.2
lab_check 'a dead line looks alive' [ "$(ip -n one -json link show dev eth0 | jq -r '.[0].operstate')" = UP ]
lab_line one eth0 alive
lab_check 'it comes back' lab_exec one ping -q -c 1 -W 1 192.0.2.2

lab_check 'large packets pass' lab_exec one ping -q -c 3 -i 0.05 -s 1472 -M do -W 1 192.0.2.2
lab_check 'IPv6 passes' lab_exec one ping -q -c 3 -i 0.05 -W 1 2001:db8:1::2

# Ten thousand packets a second, each way, for two seconds.
lab_line one eth0 delay 20
lab_stream_start one 192.0.2.1 192.0.2.2 10000
lab_stream_start two 192.0.2.2 192.0.2.1 10000
sleep 2.5
lab_streams_stop one two
# Those that came in the last two seconds: what is missing among their numbers, and how long they took.
for host in one two; do
	read -r count missing late < <(tail -n 20000 "$LAB_DIR/$host/stream" | awk '
		NR == 1 { first = $1 }
		{ last = $1; if ($3 - $2 > 25000) late++ }
		END { print NR, last - first + 1 - NR, late + 0 }')
	lab_check "$host: of many packets none is lost" [ "$missing" = 0 ]
	lab_check "$host: of many packets few are late" between "$late" 0 "$((count / 20))"
done

# A thousand octets take 8 ms at 1 Mbit/s, once each way.
lab_line one eth0 delay 0
lab_line one eth0 rate 1000
read -r lost least _ < <(lab_exec one ping -q -c 20 -i 0.03 -s 958 -W 1 192.0.2.2 | awk -F '[ =/%]+' '/^rtt/ { print 0, $6 }')
lab_check 'a rate of 1 Mbit/s' between "$least" 16 18
lab_unlink_delayed one eth0
lab_check 'and it goes' lab_not ip -n two link show dev eth0
lab_finish
