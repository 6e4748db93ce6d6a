/* SPDX-License-Identifier: MIT */
/**
 * The part of a packet that access control looks at: its transport header, behind all extension headers of IPv6 or the
 * options of IPv4. Addresses of IPv4 have the form ::ffff:a.b.c.d, and its ICMP counts as ICMPv6.
 */
#ifndef HIPHOP_DAEMON_ACCESS_PACKET_H
#define HIPHOP_DAEMON_ACCESS_PACKET_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum access_protocol { ACCESS_TCP = 6, ACCESS_UDP = 17, ACCESS_ICMP6 = 58 };

struct access_packet {
	struct hit source, destination;
	uint8_t protocol;
	bool later_fragment;       /**< not the first: nothing below is known */
	bool echo_request;         /**< of ICMP(v6); both ports are then the identifier */
	bool echo_reply;           /**< likewise */
	bool error;                /**< an error of ICMPv6 (RFC 4443 section 2.1), or of ICMP */
	uint16_t source_port;      /**< TCP and UDP, else 0; host order */
	uint16_t destination_port; /**< likewise */
	struct span quoted;        /**< of an error: the start of the packet it speaks of; borrowed */
};

/** HIPHOP_TRUNCATED (no whole transport header in a first fragment), HIPHOP_TOO_LARGE (too many extension headers),
 * HIPHOP_MALFORMED (the length of an IPv4 header). */
hiphop_error access_packet_read(const uint8_t *octets, size_t length, struct access_packet *packet);

#endif
