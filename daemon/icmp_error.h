/* SPDX-License-Identifier: MIT */
/**
 * Errors of ICMPv6 (RFC 4443) and ICMP (RFC 792, RFC 1191) that tell a sender on this side of the tunnel device what
 * became of its packet.
 */
#ifndef HIPHOP_DAEMON_ICMP_ERROR_H
#define HIPHOP_DAEMON_ICMP_ERROR_H

#include "hip/base/packet_vector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
	ICMP_ERROR_PROHIBITED, /**< the rules forbid it */
	ICMP_ERROR_ADDRESS,    /**< its destination cannot be reached */
	ICMP_ERROR_SOURCE,     /**< it may not go there from its source address */
	ICMP_ERROR_TOO_BIG     /**< longer than `mtu` */
} icmp_error_cause;

/** Whether a packet may be answered with an error at all: not an error itself (RFC 4443 section 2.4 (e), RFC 1122
 * section 3.2.2), of IPv4 no fragment but the first, and whole enough to be quoted. */
bool icmp_error_may_answer(const uint8_t *about, size_t length);
/** Makes `packet` the error about an IPv6 or IPv4 packet for which icmp_error_may_answer is true: from its destination
 * to its source. `mtu` is for ICMP_ERROR_TOO_BIG. `about` is not in `packet`. */
void icmp_error_write(struct packet *packet, icmp_error_cause cause, uint32_t mtu, const uint8_t *about, size_t length);

#endif
