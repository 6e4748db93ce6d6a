# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Captures in the laboratory, and tshark as a reader of them that knows nothing of hiphop's own code.
# Part of lab.sh.

# lab_capture_start HOST [INTERFACE]: captures everything on INTERFACE of HOST (all when not given) into
# $LAB_DIR/HOST/INTERFACE.pcap until lab_capture_stop. Returns once the capture is on.
lab_capture_start() {
	local interface=${2:-any} place=$LAB_DIR/$1
	# Not tcpdump, which as Debian builds it insists on becoming another user, and a user namespace has none.
	lab_spawn "$place/dumpcap-$interface.log" "$1" dumpcap -q -P -B 16 -i "$interface" -w "$place/$interface.pcap"
	echo "$LAB_SPAWNED" >"$place/dumpcap-$interface.pid"
	lab_wait 10 grep -q '^File:' "$place/dumpcap-$interface.log"
}

# lab_capture_stop HOST [INTERFACE]: ends it. Fails when packets were dropped, since such a capture proves nothing.
lab_capture_stop() {
	local interface=${2:-any} place=$LAB_DIR/$1
	# The kernel hands packets over in blocks, at the latest after 250 ms, and dumpcap does not wait for the last one.
	sleep 0.4
	lab_end "$(cat "$place/dumpcap-$interface.pid")" &&
		grep -q '(pcap:0/dumpcap:0/flushed:0/ps_ifdrop:0)' "$place/dumpcap-$interface.log"
}

# Makes tshark's settings: every protocol is off but those that may be there and those that carry them. Otherwise it
# guesses at encrypted bytes behind UDP and finds broken DNS, RTCP and GOOSE in them.
lab_tshark_settings() {
	[ ! -e "$LAB_DIR/tshark/disabled_protos" ] || return
	mkdir -p "$LAB_DIR/tshark"
	tshark -G protocols 2>/dev/null | cut -f 3 |
		grep -vxE 'frame|sll|eth|ethertype|ip|ipv6|ipv6\..*|udp|tcp|icmp|icmpv6|arp|hip|esp|data|_ws\..*' \
		>"$LAB_DIR/tshark/disabled_protos"
}

# One line a packet: number, protocols, ICMPv6 type, UDP ports, IP protocol, its data, then the state of each
# checksum (0 is bad, 1 good, 2 not verified, 3 absent) and "Malformed" where tshark says so.
lab_read_capture() {
	WIRESHARK_CONFIG_DIR=$LAB_DIR/tshark tshark -n -r "$1" \
		-o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -o tcp.check_checksum:TRUE \
		-T fields -E separator=';' -E occurrence=a -E aggregator=, \
		-e frame.number -e frame.protocols -e icmpv6.type -e udp.port -e ip.proto -e ipv6.fraghdr.nxt -e data.data \
		-e ip.checksum.status -e udp.checksum.status -e tcp.checksum.status -e icmpv6.checksum.status \
		-e hip.checksum.status -e _ws.malformed 2>"$1.log"
}

# lab_check_captures FILE...: says what is in the captures, and fails when a packet is anything but HIP, ESP, ARP,
# neighbour discovery or MLD, when one is malformed, or when a checksum is bad. tshark does not know ESP behind UDP
# port 10500: there a datagram counts as ESP when its first four bytes, the SPI, are not zero, and as keepalive when
# it is the single byte ff. Fragments count as such: tshark judges the packet that they make.
lab_check_captures() {
	local file
	lab_tshark_settings
	for file in "$@"; do
		lab_read_capture "$file"
	done | awk -F ';' -f "$LAB_ROOT/tests/net/capture.awk"
}

# lab_rtp_streams FILE: the RTP streams in a capture where the SIP of the call is as well: one line each,
# "SOURCE DESTINATION PACKETS LOST".
lab_rtp_streams() {
	tshark -n -r "$1" -o rtp.heuristic_rtp:TRUE -q -z rtp,streams 2>/dev/null |
		awk '$1 ~ /^[0-9.]+$/ { for (i = 1; i <= NF; i++) if ($i ~ /^\(/) { print $3, $5, $(i - 2), $(i - 1); break } }'
}

# lab_rtp_silence FILE SOURCE DESTINATION [FROM TO [READY]]: prints "SILENCE LOST PACKETS GAP" of the RTP stream in a capture
# where the SIP of the call is as well: its longest pause in ms, how many packets are missing, how many came, and how many ms after
# READY the first one did (`none`). With FROM and TO only of what came between these times (microseconds, as lab_now tells
# them) and the last packet before them.
lab_rtp_silence() {
	tshark -n -r "$1" -o rtp.heuristic_rtp:TRUE -Y "rtp && ipv6.src == $2 && ipv6.dst == $3" \
		-T fields -e frame.time_epoch -e rtp.seq 2>/dev/null | awk -v from="${4:-0}" -v to="${5:-9e18}" -v ready="${6:-0}" '
		function ahead(number, other) { return (number - other + 65536 + 32768) % 65536 - 32768 }
		{
			time = $1 * 1e6
			if (time > to) exit
			if (time < from) { before = time; base = last = $2; known = 1; next }
			if (!known++) base = last = $2 - 1
			if (before && time - before > silence) silence = time - before
			if (time >= ready && !first) first = time
			before = time
			if (ahead($2, last) > 0) last = $2
			if (!seen[$2]++) came++
		}
		END {
			missing = ahead(last, base) - came
			gap = first ? sprintf("%.0f", (first - ready) / 1000) : "none"
			printf "%.0f %d %d %s\n", silence / 1000, (missing > 0 ? missing : 0), came, gap
		}'
}
