/* SPDX-License-Identifier: MIT */
/**
 * HIP DATA packets (RFC 6078) as a sub-engine of the host: unordered, duplicate-free, reliable, authenticated messages
 * to a HIT or a Resource-ID over the overlay. The one reliability layer of the overlay: end to end, above the hops.
 *
 * A packet has, in type order: HOST_ID, SEQ_DATA, ACK_DATA, PAYLOAD_MIC, TRANSACTION_ID, OVERLAY_ID, ROUTE_DST,
 * HIP_SIGNATURE, OVERLAY_TTL, ROUTE_VIA; the content follows the HIP header under Next Header 253. A request has an
 * empty ROUTE_VIA (SYMMETRIC, MUST_FOLLOW); an answer has the ROUTE_DST made of the request's ROUTE_VIA.
 *
 * Reliability (docs/hipv2-mapping.md): one SEQ_DATA counter per node. A message is sent up to `tries` times, with
 * exponential back-off, until an ACK_DATA names its SEQ_DATA under its TRANSACTION_ID; by whom does not matter, since
 * a Resource-ID is answered from a HIT. The acknowledgement of a request waits up to `acknowledge_delay` to ride on the
 * answer (the message to its sender with the same TRANSACTION_ID), else it goes alone; an answer always repeats it. A
 * message that carries an ACK_DATA is an answer and is acknowledged at once. A request seen before is not delivered
 * again: it gets the same answer once more, by the way the new copy came, or just the acknowledgement when there is no
 * answer yet or it has been acknowledged.
 *
 * The host drains effects after every call. Nothing here finds a next hop or seals: DATA_TRANSPORT_SEND says where to.
 */
#ifndef HIPHOP_HIP_CORE_DATA_TRANSPORT_H
#define HIPHOP_HIP_CORE_DATA_TRANSPORT_H

#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/log.h"
#include "hip/base/random.h"
#include "hip/base/time.h"
#include "hip/core/overlay_route.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packet_view;   /* hip/wire/packet.h */
struct host_identity; /* hip/crypto/host_identity.h */
struct data_transport;

/** Octets of content at most. */
#define DATA_TRANSPORT_CONTENT_MAXIMUM 8192
/** Answers to one requester that are not acknowledged yet, at most. */
#define DATA_TRANSPORT_ANSWERS_EACH 64

/** Zero in a number takes the default named there. */
struct data_transport_settings {
	const struct host_identity *identity; /**< own, with its private key; borrowed, outlives the engine */
	const struct random_source *random;   /**< borrowed */
	const struct log *log;                /**< borrowed; NULL = silent */
	uint32_t overlay_id;                  /**< goes into every packet; packets with another one are dropped */
	uint8_t ttl;                          /**< of packets that start here; 32 */
	duration retransmit_after;            /**< first time-out; 500 ms. Grows with the measured round-trip time. */
	unsigned tries;                       /**< transmissions of one message; 5 */
	duration acknowledge_delay;           /**< how long an ACK_DATA waits for an answer to ride on; 50 ms */
	size_t outstanding;                   /**< messages under way at once, answers at most half of them; 1024 */
	size_t remembered;                    /**< received messages remembered against duplicates; 1024 */
	duration remember_for;                /**< how long a received message is remembered; 30 s */
	size_t identities;                    /**< parsed identities of senders kept; 128 */
	uint32_t per_sender;                  /**< messages of one verified sender each second; 200, burst twice that */
	uint32_t per_neighbour; /**< signatures checked for one neighbour each second; 1000, burst twice that */
};

/** Makes an engine without anything under way. `*transport` is owned by the caller; data_transport_free.
 *  HIPHOP_NO_MEMORY, HIPHOP_INVALID_ARGUMENT (no identity, no random source). */
hiphop_error data_transport_create(const struct data_transport_settings *settings, struct data_transport **transport);
/** NULL is allowed. */
void data_transport_free(struct data_transport *transport);

/**
 * Sends a message. When `destination` sent us a request with this `transaction` that is still remembered, it is the
 * answer: it carries the acknowledgement, is cached for repetitions of the request, and goes back the way of the latest
 * copy of the request when `route` is NULL or empty. Otherwise `route` (may be NULL) becomes ROUTE_DST, and without
 * one ROUTE_VIA is added and the topology leads. `ttl` 0: as in the settings. `content` is copied.
 * DATA_TRANSPORT_SEND follows, and DATA_TRANSPORT_FAILED when nobody acknowledges; an acknowledgement makes no effect,
 * and says that the message was taken, not that it will be answered.
 * HIPHOP_TOO_LARGE, HIPHOP_LIMITED (too many outstanding; for answers: half of them, or DATA_TRANSPORT_ANSWERS_EACH to
 * one requester who acknowledges none), HIPHOP_NO_MEMORY, HIPHOP_CRYPTO, HIPHOP_INVALID_ARGUMENT
 * (no content, an identifier outside 2001:20::/28, over 32 HITs).
 */
hiphop_error data_transport_send(struct data_transport *transport, instant now, const struct hit *destination,
	uint64_t transaction, const struct data_route *route, uint8_t ttl, const uint8_t *content, size_t length);

/**
 * Takes a DATA packet whose final recipient is this host (RELAY_DELIVER: own HIT, or a Resource-ID it is responsible
 * for), with its payload, delivered by `neighbour`. Checked in this order: the parameters that must
 * be there, the rate of the neighbour, HOST_ID against the Sender HIT, PAYLOAD_MIC, HIP_SIGNATURE, the rate of the
 * sender. Only then is anything remembered. What is wrong is counted and dropped; for HIPHOP_BAD_SIGNATURE and
 * HIPHOP_BAD_IDENTITY a NOTIFY AUTHENTICATION_FAILED goes back, at a limited rate.
 * Returned only for counting: HIPHOP_OK, HIPHOP_MALFORMED, HIPHOP_NOT_FOUND (an acknowledgement of nothing),
 * HIPHOP_LIMITED, HIPHOP_BAD_IDENTITY, HIPHOP_BAD_MAC, HIPHOP_BAD_SIGNATURE, HIPHOP_UNSUPPORTED, HIPHOP_REFUSED (other
 * overlay), HIPHOP_EXISTS (a duplicate, answered again), HIPHOP_NO_MEMORY.
 */
hiphop_error data_transport_input(
	struct data_transport *transport, instant now, const struct packet_view *packet, const struct hit *neighbour);

/**
 * Takes a NOTIFY (70, 90 or AUTHENTICATION_FAILED) that came over the overlay to this host. Its signature is checked;
 * it changes no state (RFC 7401 section 5.3.6) but the error that DATA_TRANSPORT_FAILED will give, should the message
 * fail: HIPHOP_NOT_FOUND for 70 and 90, HIPHOP_REFUSED for AUTHENTICATION_FAILED. Errors as data_transport_input.
 */
hiphop_error data_transport_notified(
	struct data_transport *transport, instant now, const struct packet_view *packet, const struct hit *neighbour);

/** Does what has become due: retransmissions, bare acknowledgements, failures, forgetting. Early calls do nothing. */
void data_transport_tick(struct data_transport *transport, instant now);
/** When to call data_transport_tick next; INSTANT_NEVER when nothing is pending. */
instant data_transport_next_wake(const struct data_transport *transport);

typedef enum {
	/** Hand `octets` to `first_hop` when has_first_hop, else to the hop that the topology names for `destination`.
	 */
	DATA_TRANSPORT_SEND = 1,
	/** A message for the layers above: `sender` … `algorithm`. */
	DATA_TRANSPORT_DELIVER,
	/** The message to `destination` with `transaction` was not acknowledged: `error`, HIPHOP_TIMEOUT unless a
	 * NOTIFY told better. */
	DATA_TRANSPORT_FAILED
} data_transport_effect_kind;

/** Plain data; what is behind pointers is valid until the next call into the engine (next_effect included). */
struct data_transport_effect {
	data_transport_effect_kind kind;

	/* DATA_TRANSPORT_SEND: a whole HIP packet; its checksum is zero and is to be set for the ESP to the next hop
	 * (packet_set_checksum with HIP_CARRIER_ESP) in the copy that is sealed. destination: also of FAILED. */
	struct hit destination;
	bool has_first_hop;
	struct hit first_hop;
	const uint8_t *octets;
	size_t length;
	bool retransmission; /**< it has been sent before */

	/* DATA_TRANSPORT_DELIVER; transaction also of FAILED. */
	struct hit sender, receiver;
	struct hit previous_hop; /**< the neighbour who delivered it */
	uint64_t transaction;
	uint8_t hops;            /**< overlay hops it took: forwarders + 1 */
	uint8_t ttl;             /**< what was left of OVERLAY_TTL; 0 without one */
	bool answer;             /**< it carries an ACK_DATA, as answers do; FAILED: it was an answer of ours */
	struct data_route route; /**< the way back, for the answer */
	const uint8_t *content;
	size_t content_length;
	const uint8_t *identity; /**< the sender's verified Host Identity (the HI field of HOST_ID) */
	size_t identity_length;
	uint16_t algorithm; /**< of that Host Identity, RFC 7401 section 5.2.9 */

	/* DATA_TRANSPORT_FAILED */
	hiphop_error error;
};

/** The next thing to carry out, in order; false when there is none. */
bool data_transport_next_effect(struct data_transport *transport, struct data_transport_effect *effect);

/** Counters. */
#define DATA_TRANSPORT_COUNTERS(X)                                                                                     \
	X(SENT, "data_sent")                                                                                           \
	X(RETRANSMITTED, "data_retransmitted")                                                                         \
	X(ACKNOWLEDGED, "data_acknowledged")                                                                           \
	X(FAILED, "data_failed")                                                                                       \
	X(BARE_ACK_SENT, "data_bare_ack_sent")                                                                         \
	X(RECEIVED, "data_received")                                                                                   \
	X(DUPLICATE, "data_duplicate")                                                                                 \
	X(NOTIFY_SENT, "data_notify_sent")                                                                             \
	X(DROP_MALFORMED, "data_drop_malformed")                                                                       \
	X(DROP_OTHER_OVERLAY, "data_drop_other_overlay")                                                               \
	X(DROP_RATE, "data_drop_rate")                                                                                 \
	X(DROP_IDENTITY, "data_drop_identity")                                                                         \
	X(DROP_MIC, "data_drop_mic")                                                                                   \
	X(DROP_SIGNATURE, "data_drop_signature")                                                                       \
	X(DROP_STRAY_ACK, "data_drop_stray_ack")                                                                       \
	X(DROP_NO_MEMORY, "data_drop_no_memory")

typedef enum {
#define DATA_TRANSPORT_COUNTER_MEMBER(name, text) DATA_COUNT_##name,
	DATA_TRANSPORT_COUNTERS(DATA_TRANSPORT_COUNTER_MEMBER)
#undef DATA_TRANSPORT_COUNTER_MEMBER
		DATA_COUNT_COUNT
} data_transport_counter;

/** Since creation. 0 for a number out of range. */
uint64_t data_transport_counter_value(const struct data_transport *transport, data_transport_counter counter);
/** The name in the list above; "" out of range. */
const char *data_transport_counter_name(data_transport_counter counter);
/** Messages under way now. */
size_t data_transport_outstanding(const struct data_transport *transport);

#endif
