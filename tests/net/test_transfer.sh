#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 100 MB over TCP (or LAB_TRANSFER_MB) from HIT to HIT, each way, compared byte by byte.
. "$(dirname "$0")/lab.sh"
LAB_OFFLOAD=yes
lab_start "$@"
lab_needs_hiphopd

MEGABYTES=${LAB_TRANSFER_MB:-100}
lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
lab_host one left
lab_host other right
LAB_INBOUND='"icmp6", "tcp/7000"' lab_overlay one other
head -c "${MEGABYTES}M" /dev/urandom >"$LAB_DIR/sent"

# Sends the file from $1 to $2 and compares.
transfer() {
	local hit reader
	hit=$(lab_hit "$2")
	lab_spawn "$LAB_DIR/$2/received" "$2" socat -u "TCP6-LISTEN:7000,bind=[$hit],reuseaddr" -
	reader=$LAB_SPAWNED
	lab_wait 5 lab_listens "$2" 7000
	lab_exec "$1" socat -u "FILE:$LAB_DIR/sent" "TCP6:[$hit]:7000" && wait "$reader" || { lab_end "$reader"; return 1; }
	cmp "$LAB_DIR/sent" "$LAB_DIR/$2/received"
}

lab_check "$MEGABYTES MB from one to other" transfer one other
lab_check "$MEGABYTES MB from other to one" transfer other one
lab_check "both daemons stayed up" lab_joined one
lab_finish
