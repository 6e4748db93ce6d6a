/* SPDX-License-Identifier: MIT */
/**
 * Hop by hop through the overlay (RFC 6028, RFC 6079, RFC 7086 section 7): the decision what to do with a HIP packet
 * that a neighbour handed over inside its ESP, or that this host itself wants to send; the outgoing copy of a packet
 * that goes on; the way back; and the NOTIFY when it cannot go on.
 *
 * All of it is pure: no state but the rates, no verification of signatures (the final recipient does that). Any packet
 * type may travel this way: I1, R1, I2, R2, UPDATE, NOTIFY, CLOSE, DATA.
 *
 * Use: relay_decide; RELAY_DELIVER → process it here; RELAY_FORWARD → relay_may_forward, relay_forward, seal to
 * decision.next; RELAY_NOTIFY → relay_may_notify, relay_notification, send like an own packet; RELAY_DROP → count it.
 */
#ifndef HIPHOP_HIP_CORE_RELAY_H
#define HIPHOP_HIP_CORE_RELAY_H

#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/random.h"
#include "hip/base/time.h"
#include "hip/core/overlay_route.h"
#include "hip/wire/constants.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packet_view;   /* hip/wire/packet.h */
struct host_identity; /* hip/crypto/host_identity.h */

/** Overlay hops of a packet at most: RFC 6940 section 6.3 discards what claims more. */
#define RELAY_TTL_MAXIMUM 100
/** OVERLAY_TTL of a packet that starts here, when nothing else is asked for. */
#define RELAY_TTL_DEFAULT 32
/** A packet that is forwarded is at most this long, payload included. */
#define RELAY_PACKET_MAXIMUM HIP_PACKET_WITH_PAYLOAD_MAXIMUM
/** Octets that relay_notification needs at most. */
#define RELAY_NOTIFICATION_MAXIMUM 2048

/** Where the deciding host stands. */
struct relay_place {
	struct hit self;     /**< own HIT */
	bool overlay;        /**< takes part in an overlay */
	uint32_t overlay_id; /**< in which one */
	void *context;
	/** The next overlay hop towards a HIT or Resource-ID, for a packet that came from the neighbour `arrived_from`
	 * (NULL: it starts here). NULL = OVERLAY_NO_ROUTE. */
	overlay_route (*next_hop)(
		void *context, const struct hit *destination, const struct hit *arrived_from, struct hit *next);
	/** Whether a packet can be sealed to this HIT now ("has a valid locator", RFC 6028 section 3.3). NULL = yes to
	 * the next in the list, no to later ones. */
	bool (*is_neighbour)(void *context, const struct hit *hit);
};

typedef enum {
	RELAY_DELIVER = 1, /**< this host is the final recipient */
	RELAY_FORWARD,     /**< to decision.next */
	RELAY_DROP,        /**< silently, because of decision.cause */
	RELAY_NOTIFY       /**< drop, and tell the sender by a NOTIFY of type decision.notification */
} relay_verdict;

/** Why a packet does not go on. */
#define RELAY_CAUSES(X)                                                                                                \
	X(NONE, "none")                                                                                                \
	X(NOT_FOR_US, "no OVERLAY_ID and another's HIT")                                                               \
	X(OTHER_OVERLAY, "OVERLAY_ID of an overlay we are not in")                                                     \
	X(TTL_EXCEEDED, "OVERLAY_TTL used up, or over the maximum")                                                    \
	X(TTL_MISSING, "neither OVERLAY_TTL nor ROUTE_DST bounds its way")                                             \
	X(ROUTE_INVALID, "own HIT not in ROUTE_DST exactly once, or a HIT twice")                                      \
	X(VIA_FORGED, "ROUTE_VIA does not end in the neighbour that delivered it")                                     \
	X(LOOP, "it has been here, or would go back")                                                                  \
	X(VIA_FULL, "no room for one more HIT in ROUTE_VIA")                                                           \
	X(NEXT_HOP_UNKNOWN, "no way to the next hop")

typedef enum {
#define RELAY_CAUSE_MEMBER(name, text) RELAY_CAUSE_##name,
	RELAY_CAUSES(RELAY_CAUSE_MEMBER)
#undef RELAY_CAUSE_MEMBER
} relay_cause;

/** The sentence of the list above. Static storage. */
const char *relay_cause_text(relay_cause cause);

struct relay_decision {
	relay_verdict verdict;
	relay_cause cause;     /**< for RELAY_DROP and RELAY_NOTIFY */
	uint16_t notification; /**< for RELAY_NOTIFY: OVERLAY_TTL_EXCEEDED (70) or UNKNOWN_NEXT_HOP (90) */
	struct hit next;       /**< for RELAY_FORWARD: the neighbour to seal it to; never `self` */
};

/**
 * Decides about `packet`, which came from `neighbour` (NULL: it starts at this host). The rules, in this order:
 *  1. OVERLAY_ID must be there and be ours, unless the Receiver HIT is `self` and there is no OVERLAY_ID at all.
 *  2. Receiver HIT is `self` → deliver.
 *  3. ROUTE_DST (RFC 6028 section 3.3): no HIT twice; `self` must be in it (an own packet starts before its first
 *     HIT); the next hop is the HIT after `self`, after the last one the Receiver. The routing table is not asked,
 *     except whether we are the one responsible when the Receiver is a Resource-ID. Without MUST_FOLLOW the last HIT
 *     that is_neighbour wins.
 *  4. ROUTE_VIA ends in `neighbour`, or is empty when `neighbour` is the sender; `self` is not in it.
 *  5. Without ROUTE_DST: next_hop. A Resource-ID with OVERLAY_SELF → deliver. Never back to the neighbour, the sender
 *     or a HIT of ROUTE_VIA.
 *  6. OVERLAY_TTL zero or over RELAY_TTL_MAXIMUM → notify 70; missing without ROUTE_DST → drop. ROUTE_VIA full → drop.
 *  7. No route, or the next hop is no neighbour → notify 90. Never a NOTIFY about a NOTIFY: then the verdict is drop.
 * For an own packet rules 4 and 6 do not apply.
 */
void relay_decide(const struct packet_view *packet, const struct relay_place *place, const struct hit *neighbour,
	struct relay_decision *decision);

/**
 * Makes the outgoing copy of a packet with verdict RELAY_FORWARD: OVERLAY_TTL one less, `self` at the end of ROUTE_VIA
 * if there is one, checksum anew for ESP from `self` to `next` (RFC 6261). `octets`, `length`: the packet as it arrived
 * (payload included); not changed. `out` has `capacity` octets (length + 16 suffice) and must not overlap;
 * `*out_length` is set. Not for own packets: those go out as they were built, with packet_set_checksum of
 * hip/wire/builder.h for the hop. HIPHOP_TOO_LARGE (the entry would not fit into the 2,008 octets of parameters, into
 * HIP_PACKET_WITH_PAYLOAD_MAXIMUM or into `capacity`: drop and count), HIPHOP_MALFORMED.
 */
hiphop_error relay_forward(const uint8_t *octets, size_t length, const struct hit *self, const struct hit *next,
	uint8_t *out, size_t capacity, size_t *out_length);

/**
 * The way back to the sender of `packet`, which `self` received (RFC 6028 section 3.1 and 3.2): ROUTE_VIA reversed, its
 * flags copied. Without ROUTE_VIA but with ROUTE_DST: those HITs of it that lie before `self` (all of them when `self`
 * is the receiver), reversed. A count of 0 means: no ROUTE_DST, hand the answer to the neighbour who delivered it.
 */
void relay_route_back(const struct packet_view *packet, const struct hit *self, struct data_route *route);
/** The first hop of an answer along `route`: its first HIT, or `neighbour` when it is empty. */
struct hit relay_first_hop(const struct data_route *route, const struct hit *neighbour);

/**
 * Builds the NOTIFY about `rejected`, signed by `identity`, with OVERLAY_ID, OVERLAY_TTL and ROUTE_DST back.
 * `notification` is 70 (RFC 6079 section 6.2: data = HIP header and TRANSACTION_ID), 90 (RFC 6028 section 3.3: data =
 * HIP header and ROUTE_DST) or any other error of RFC 7401 section 5.2.19 (data = HIP header and TRANSACTION_ID).
 * `out` has `capacity` octets, RELAY_NOTIFICATION_MAXIMUM suffices. The checksum is left zero: it depends on the hop.
 * Seal it to relay_first_hop of the route back, after packet_set_checksum.
 * HIPHOP_TOO_LARGE, HIPHOP_CRYPTO, HIPHOP_INVALID_ARGUMENT (`rejected` is itself a NOTIFY).
 */
hiphop_error relay_notification(const struct packet_view *rejected, uint16_t notification,
	const struct host_identity *identity, const struct relay_place *place, uint8_t *out, size_t capacity,
	size_t *out_length);

/** What neighbours may make this host forward: rates per neighbour, bounded tables. */
struct relay_rates;

/** Packets forwarded for one neighbour each second, and at once, when the configuration says 0. */
#define RELAY_FORWARDS_PER_SECOND 1000
#define RELAY_FORWARDS_BURST      2000
/** NOTIFYs made because of one neighbour. */
#define RELAY_NOTIFICATIONS_PER_SECOND 5
#define RELAY_NOTIFICATIONS_BURST      20
/** Neighbours whose rate is remembered. */
#define RELAY_NEIGHBOURS_MAXIMUM 1024

/** `forwards_per_second` 0 takes RELAY_FORWARDS_PER_SECOND; the burst is twice that. HIPHOP_NO_MEMORY. */
hiphop_error relay_rates_create(
	uint32_t forwards_per_second, const struct random_source *random, struct relay_rates **rates);
/** NULL is allowed. */
void relay_rates_free(struct relay_rates *rates);
/** Whether one more packet of this neighbour may be forwarded now; counts it. */
bool relay_may_forward(struct relay_rates *rates, const struct hit *neighbour, instant now);
/** Whether one more NOTIFY may be made because of this neighbour now; counts it. */
bool relay_may_notify(struct relay_rates *rates, const struct hit *neighbour, instant now);

#endif
