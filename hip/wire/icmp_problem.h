/* SPDX-License-Identifier: MIT */
/**
 * ICMP and ICMPv6 messages about packets of HIP and ESP that came over plain IP (RFC 7401 section 5.4, RFC 7402 section
 * 5.4): what a host says that has no association to speak in.
 */
#ifndef HIPHOP_HIP_WIRE_ICMP_PROBLEM_H
#define HIPHOP_HIP_WIRE_ICMP_PROBLEM_H

#include "hip/base/bytes.h"
#include "hip/base/endpoint.h"
#include "hip/base/error.h"

#include <stddef.h>
#include <stdint.h>

/** Octets of a message at most: an IPv4 or IPv6 packet with it passes everywhere. */
#define ICMP_PROBLEM_MAXIMUM 548

typedef enum {
	ICMP_PARAMETER_PROBLEM, /**< `pointer` says where */
	ICMP_PROHIBITED         /**< destination unreachable, administratively prohibited */
} icmp_problem_kind;

struct icmp_problem {
	icmp_problem_kind kind;
	uint16_t pointer;      /**< place in `packet` */
	uint8_t protocol;      /**< of the packet: 139 or 50 */
	struct address source; /**< of the packet: to whom the message goes */
	struct address destination;
	struct span packet; /**< as it came, behind its IP header; only its beginning is used */
};

/**
 * Writes the message: of ICMP when the addresses are IPv4, else of ICMPv6, whose checksum the kernel makes. The IP
 * header of the packet in it is made anew, since raw sockets do not show it. HIPHOP_INVALID_ARGUMENT (addresses of two
 * families, or a pointer that ICMP cannot express: 255 octets with the IP header are the most), HIPHOP_TOO_LARGE (less
 * than ICMP_PROBLEM_MAXIMUM of room).
 */
hiphop_error icmp_problem_write(const struct icmp_problem *problem, uint8_t *out, size_t capacity, size_t *length);

#endif
