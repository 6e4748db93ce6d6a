# SPDX-License-Identifier: MIT
#
# Judges what lab_read_capture printed: one line a packet in, one line in all out, and status 1 when anything was wrong.

function plain(stack) {
	sub(/^(sll|eth):ethertype:/, "", stack)
	gsub(/:ipv6\.(hopopts|fraghdr)/, "", stack)
	return stack
}

function kind_of_datagram(ports, data) {
	if (ports !~ /(^|,)10500(,|$)/) return ""
	if (data == "ff") return "keepalive"
	return length(data) > 16 && substr(data, 1, 8) != "00000000" ? "ESP" : ""
}

function kind(stack, type, ports, protocol, data,    family) {
	family = stack ~ /^ipv6/ ? "/IPv6" : "/IPv4"
	if (stack == "arp") return "ARP"
	if (stack ~ /^ip(v6)?(:udp)?:hip(:data)?$/) return "HIP" family
	if (stack ~ /^ip(v6)?:esp$/) return "ESP" family
	if (stack ~ /^ip(v6)?:udp:data$/) return (data = kind_of_datagram(ports, data)) ? data family : ""
	if (stack ~ /^ip(v6)?:data$/ && protocol ~ /^(17|50|139)$/) return "fragment" family
	if (stack == "ipv6:icmpv6" && type >= 133 && type <= 136) return "ND"
	if (stack == "ipv6:icmpv6" && (type >= 130 && type <= 132 || type == 143)) return "MLD"
	return ""
}

function complain(what) {
	if (!wrong[what]++) first[what] = $1
	bad++
}

{
	stack = plain($2)
	name = kind(stack, $3, $4, $5 != "" ? $5 : $6, $7)
	if (name == "")
		complain("foreign " stack ($3 == "" ? "" : " type " $3))
	else
		seen[name]++
	for (i = 8; i <= 12; i++)
		if ($i ~ /(^|,)0(,|$)/) {
			complain("bad checksum in " stack)
			break
		}
	if ($13 != "") complain("malformed " stack)
}

END {
	for (name in seen) line = line (line == "" ? "" : ", ") name " " seen[name]
	for (what in wrong) line = line "; " what ": " wrong[what] " (first is packet " first[what] ")"
	print line == "" ? "no packet at all" : line
	exit bad || NR == 0
}
