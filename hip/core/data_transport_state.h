/* SPDX-License-Identifier: MIT */
/**
 * The inside of a data_transport, shared by the files that make it up: data_transport.c (life, effects, time),
 * data_outgoing.c (messages under way) and data_incoming.c (what arrives). For nobody else.
 */
#ifndef HIPHOP_HIP_CORE_DATA_TRANSPORT_STATE_H
#define HIPHOP_HIP_CORE_DATA_TRANSPORT_STATE_H

#include "hip/core/data_received.h"
#include "hip/core/data_transport.h"
#include "hip/core/known_senders.h"
#include "hip/core/rate_table.h"

/** An effect that waits to be taken, with its octets behind it. */
struct data_effect {
	struct data_effect *next;
	struct data_transport_effect effect;
	uint8_t octets[];
};

/** Labels of deadlines. */
enum { DATA_TIMER_OUTGOING = 1, DATA_TIMER_RECEIVED };

/** A message that nobody has acknowledged yet. */
struct data_outgoing {
	struct deadline timer;
	struct hit destination;
	uint64_t transaction;
	uint32_t sequence;
	bool answer;
	bool has_first_hop;
	struct hit first_hop;
	struct buffer packet; /**< as it was built: no forwarder has touched its ROUTE_VIA and OVERLAY_TTL */
	unsigned sent;        /**< transmissions so far */
	duration wait;        /**< until the next one */
	instant first_sent;
	hiphop_error told; /**< what a NOTIFY said, or HIPHOP_OK */
};

struct data_transport {
	struct data_transport_settings settings; /**< defaults filled in */
	struct hit self;
	uint32_t next_sequence;
	struct map outgoing; /**< struct data_outgoing by SEQ_DATA in host order */
	size_t answers;      /**< of them */
	struct data_received_table received;
	struct known_senders senders;
	struct rate_table *per_neighbour, *per_sender, *notifications;
	struct deadline_heap deadlines;
	struct data_effect *first, *last, *taken;
	duration smoothed_round_trip; /**< 0: not measured yet (RFC 6298 section 2) */
	duration round_trip_variation;
	duration backed_off; /**< time-out that a repeated message ended with; 0 since one got through at once */
	uint64_t counters[DATA_COUNT_COUNT];
};

/* data_transport.c */

/** Frees what the last effect pointed to, as every call into the engine does. */
void data_transport_release_taken(struct data_transport *transport);
/** A fresh effect with room for `capacity` octets, owned by the caller until it is added. NULL without memory. */
struct data_effect *data_effect_make(data_transport_effect_kind kind, size_t capacity);
/** Puts an effect at the end of the queue; cannot fail. */
void data_effect_add(struct data_transport *transport, struct data_effect *effect);
/** A DATA_TRANSPORT_SEND with a copy of `octets`. `first_hop` NULL: by the topology. NULL without memory. */
struct data_effect *data_effect_send(
	const struct hit *destination, const struct hit *first_hop, struct span octets, bool retransmission);

/* data_outgoing.c */

/** The message under way with this SEQ_DATA, or NULL. */
struct data_outgoing *data_outgoing_find(const struct data_transport *transport, uint32_t sequence);
/** An ACK_DATA named `sequence` under `transaction`. False when no such message is under way. */
bool data_outgoing_acknowledged(struct data_transport *transport, instant now, uint32_t sequence, uint64_t transaction);
/** Its timer ran out: sends it again, or gives up. */
void data_outgoing_timeout(struct data_transport *transport, instant now, struct data_outgoing *message);
/** The requester asked again: sends the answer again, along `route` from `neighbour`. */
hiphop_error data_outgoing_answer_again(struct data_transport *transport, struct data_outgoing *message,
	const struct data_route *route, const struct hit *neighbour);
void data_outgoing_free(struct data_outgoing *message);

/* data_incoming.c */

/** Its timer ran out: the acknowledgement goes alone, or the message is forgotten. */
void data_received_timeout(struct data_transport *transport, instant now, struct data_received *entry);

#endif
