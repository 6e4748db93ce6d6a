/* SPDX-License-Identifier: MIT */
/**
 * Where a host can be reached in the underlay: an address, a port, and how HIP and ESP are carried there.
 */
#ifndef HIPHOP_HIP_BASE_ENDPOINT_H
#define HIPHOP_HIP_BASE_ENDPOINT_H

#include "hip/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How HIP and ESP are carried to an endpoint. */
enum transport {
	TRANSPORT_UDP = 0, /**< UDP, framed as in RFC 9028 section 5.1 and 5.3 */
	TRANSPORT_IP = 1   /**< IP protocols 139 (HIP) and 50 (ESP); the port is 0 */
};

/** An IPv6 address; IPv4 is kept as ::ffff:a.b.c.d, so that one form serves both. Network order. */
struct address {
	uint8_t octets[16];
};

struct endpoint {
	struct address address;
	uint16_t port;      /**< host order; 0 for TRANSPORT_IP and for "any" */
	uint16_t transport; /**< enum transport; 16 bits so that the struct has no padding */
};

/** Room for "[2001:db8::1]:10500/udp" and its zero. */
#define ENDPOINT_TEXT_SIZE 64

bool address_equal(const struct address *a, const struct address *b);
bool address_is_ipv4(const struct address *address);
bool address_is_unspecified(const struct address *address);
/** False for what no peer may claim as its locator: unspecified, loopback, multicast, link-local, 2001:20::/28,
 * broadcast. */
bool address_is_usable_locator(const struct address *address);
/** Parses IPv4 or IPv6 text without port. HIPHOP_MALFORMED. */
hiphop_error address_parse(const char *text, struct address *address);
/** Writes "192.0.2.1" or "2001:db8::1" and a zero; returns `text`. */
char *address_format(const struct address *address, char text[static ENDPOINT_TEXT_SIZE]);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
/** Writes "192.0.2.1:10500", "[2001:db8::1]:10500", or only the address when the port is 0; returns `text`. */
char *endpoint_format(const struct endpoint *endpoint, char text[static ENDPOINT_TEXT_SIZE]);
const char *transport_name(uint16_t transport);

#endif
