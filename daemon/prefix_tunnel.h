/* SPDX-License-Identifier: MIT */
/**
 * Packets of prefixes that lie behind hosts: IPv6 or IPv4 in IPv6 between the HITs (RFC 2473, RFC 2003), and which of
 * them may pass. What is in front of such a packet, from the own HIT to the peer's, does not travel (BEET mode,
 * hip/esp/beet.h): on the wire it is ESP with next header 41 or 4. Pure, and nothing is allocated for a packet.
 *
 * A tunnel is one hop. The kernel takes that off the hop limit when it forwards a packet to or from the tunnel device;
 * what this host itself sends loses none. Traffic class and ECN stay in the inner packet as they are; since no header
 * in front of it travels, no other can come back from the way (RFC 6040 section 4.2, the first line of its table).
 */
#ifndef HIPHOP_DAEMON_PREFIX_TUNNEL_H
#define HIPHOP_DAEMON_PREFIX_TUNNEL_H

#include "daemon/prefix_table.h"
#include "hip/base/endpoint.h"
#include "hip/base/identifier.h"
#include "hip/base/packet_vector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Own HITs, and own addresses that lie in announced prefixes, at most. */
#define PREFIX_TUNNEL_HITS      8
#define PREFIX_TUNNEL_ADDRESSES 64

/** What was done, and the names in `status`. */
#define PREFIX_COUNTERS(X)                                                                                             \
	X(OUT, "prefix_out")                                                                                           \
	X(IN, "prefix_in")                                                                                             \
	X(DROP_OUT_SOURCE, "prefix_drop_out_source")                                                                   \
	X(DROP_OUT_TOO_LARGE, "prefix_drop_out_too_large")                                                             \
	X(DROP_OUT_NESTED, "prefix_drop_out_nested")                                                                   \
	X(DROP_OUT_UNDERLAY, "prefix_drop_out_underlay")                                                               \
	X(DROP_IN_MALFORMED, "prefix_drop_in_malformed")                                                               \
	X(DROP_IN_SOURCE, "prefix_drop_in_source")                                                                     \
	X(DROP_IN_DESTINATION, "prefix_drop_in_destination")

typedef enum {
#define PREFIX_COUNTER_MEMBER(name, text) PREFIX_COUNT_##name,
	PREFIX_COUNTERS(PREFIX_COUNTER_MEMBER)
#undef PREFIX_COUNTER_MEMBER
		PREFIX_COUNTER_COUNT
} prefix_counter;

struct prefix_tunnel {
	struct prefix_table announced;      /**< what lies behind this host; the owners do not matter */
	struct prefix_table accepted;       /**< what lies behind others */
	struct hit own[PREFIX_TUNNEL_HITS]; /**< of this host, the first identity first */
	size_t own_count;
	struct address addresses[PREFIX_TUNNEL_ADDRESSES]; /**< of this host */
	size_t address_count;
	uint16_t mtu;  /**< of the prefixes: longest packet that goes in */
	uint16_t port; /**< UDP port of the underlay, host order; 0 = not known */
	uint64_t counters[PREFIX_COUNTER_COUNT];
};

typedef enum {
	PREFIX_PASS, /**< it is none of a prefix: it goes on as it is */
	PREFIX_CARRY,
	PREFIX_DROP /**< counted */
} prefix_verdict;

/** What becomes of an outbound packet. */
struct prefix_way {
	struct hit from, to;  /**< of PREFIX_CARRY: own HIT, and the peer's */
	prefix_counter cause; /**< of PREFIX_DROP */
};

/**
 * Looks at a packet that the kernel sends into the tunnel device. It is carried when it goes to an accepted prefix,
 * from an own HIT or an announced prefix, or from an announced prefix to a HIT. It is dropped when its source is
 * another, it is longer than the MTU, it is one of the underlay itself (which would go round for ever), or it already
 * is one HIT to HIT that would be taken for a packet of a prefix.
 */
prefix_verdict prefix_tunnel_look_out(
	struct prefix_tunnel *tunnel, const uint8_t *octets, size_t length, struct prefix_way *way);
/** Puts the header in front of a packet of kind PACKET_INNER, in its head room. */
void prefix_tunnel_wrap(struct prefix_tunnel *tunnel, struct packet *packet, const struct prefix_way *way);

/**
 * Looks at an inner packet from `peer` that has come out of ESP, its HIT-to-HIT header in front. One with next header
 * 41 or 4 is carried when what is in it goes to the HIT in that header, or (only if that is the first own one) to an
 * announced prefix, and comes from the prefix that is accepted from this very peer, or, on its way to an announced
 * prefix, from the peer's HIT. Any other is dropped.
 */
prefix_verdict prefix_tunnel_look_in(
	struct prefix_tunnel *tunnel, const struct hit *peer, const uint8_t *octets, size_t length);
/** Takes the header off. */
void prefix_tunnel_unwrap(struct prefix_tunnel *tunnel, struct packet *packet);

/** The packet behind the header that prefix_tunnel_wrap has put in front; otherwise (NULL) it has none. */
const uint8_t *prefix_tunnel_inner(const uint8_t *octets, size_t length, size_t *inner_length);

const char *prefix_counter_name(prefix_counter counter);

#endif
