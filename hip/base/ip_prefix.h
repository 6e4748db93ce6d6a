/* SPDX-License-Identifier: MIT */
/**
 * Prefixes of addresses, IPv6 and IPv4 in one form, and which of them may lie behind another host.
 */
#ifndef HIPHOP_HIP_BASE_IP_PREFIX_H
#define HIPHOP_HIP_BASE_IP_PREFIX_H

#include "hip/base/endpoint.h"
#include "hip/base/error.h"

#include <stdbool.h>
#include <stdint.h>

/** Bits before the first of an IPv4 address in the form that `struct address` has. */
#define IP_PREFIX_IPV4_BITS 96
/** Room for the text of a prefix and its zero. */
#define IP_PREFIX_TEXT_SIZE (ENDPOINT_TEXT_SIZE + 4)

/** All addresses that begin with the first `length` bits of `address`; the other bits are zero. 10.1.0.0/16 has length
 * 112. */
struct ip_prefix {
	struct address address;
	uint8_t length; /**< 0 to 128 */
};

/** Parses "2001:db8::/32" or "10.1.0.0/16". HIPHOP_MALFORMED; HIPHOP_INVALID_ARGUMENT: bits behind the length are set.
 */
hiphop_error ip_prefix_parse(const char *text, struct ip_prefix *prefix);
/** Writes what ip_prefix_parse reads, and a zero; returns `text`. */
char *ip_prefix_format(const struct ip_prefix *prefix, char text[static IP_PREFIX_TEXT_SIZE]);
/** The prefix of one address alone. */
struct ip_prefix ip_prefix_of_one(const struct address *address);
bool ip_prefix_is_ipv4(const struct ip_prefix *prefix);
/** The length as people write it: 16 for 10.1.0.0/16. */
unsigned ip_prefix_length(const struct ip_prefix *prefix);
/** False for a length over 128, and when bits behind it are set. */
bool ip_prefix_is_clean(const struct ip_prefix *prefix);
bool ip_prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b);
/** Order by address, then by length: a prefix comes before those inside it. < 0, 0 or > 0. */
int ip_prefix_compare(const struct ip_prefix *a, const struct ip_prefix *b);
bool ip_prefix_has(const struct ip_prefix *prefix, const struct address *address);
/** Whether all addresses of `inner` are in `outer`. */
bool ip_prefix_is_inside(const struct ip_prefix *inner, const struct ip_prefix *outer);
/** Whether they have an address in common. */
bool ip_prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b);
/** Octets that a packet of a prefix grows by on its way through the tunnel device: an IPv6 header. */
#define IP_PREFIX_TUNNEL_OVERHEAD 40
/** The MTU of prefixes behind a tunnel device: its own less that, and never less than IPv6 needs (RFC 8200 section 5;
 * then the underlay cuts what is too long). */
uint16_t ip_prefix_tunnel_mtu(uint16_t device_mtu);
/**
 * NULL for a prefix that may lie behind a host, be announced and be routed to the tunnel device. Otherwise the reason
 * why not, as the end of a sentence ("… is the default route"): nobody else's identity (2001:20::/28), loopback,
 * link-local, multicast or unspecified address may ever be reached that way.
 */
const char *ip_prefix_trouble(const struct ip_prefix *prefix);

#endif
