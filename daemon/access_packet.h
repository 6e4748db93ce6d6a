/* SPDX-License-Identifier: MIT */
/**
 * The part of an IPv6 packet that access control looks at: its transport header, behind all extension headers.
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
	bool echo_request;         /**< of ICMPv6; both ports are then the identifier */
	bool echo_reply;           /**< likewise */
	bool error;                /**< an error of ICMPv6 (RFC 4443 section 2.1) */
	uint16_t source_port;      /**< TCP and UDP, else 0; host order */
	uint16_t destination_port; /**< likewise */
	struct span quoted;        /**< of an error: the start of the packet it speaks of; borrowed */
};

/** HIPHOP_TRUNCATED (no whole transport header in a first fragment), HIPHOP_TOO_LARGE (too many extension headers). */
hiphop_error access_packet_read(const uint8_t *octets, size_t length, struct access_packet *packet);

#endif
