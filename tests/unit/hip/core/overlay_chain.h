/* SPDX-License-Identifier: MIT */
/**
 * Hosts in a row on virtual time, each with a data_transport and the relay rules: host i can seal to i - 1 and i + 1.
 * What crosses a link can be lost, doubled or changed by the test. For test_data_*.c.
 */
#ifndef HIPHOP_TESTS_OVERLAY_CHAIN_H
#define HIPHOP_TESTS_OVERLAY_CHAIN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "hip/core/data_packet.h"
#include "hip/core/data_transport.h"
#include "hip/core/relay.h"
#include "hip/crypto/host_identity.h"
#include "hip/wire/builder.h"
#include "hip/wire/packet.h"
#include "hip/wire/parameters.h"

#define CHAIN_OVERLAY 0x0badcafe
#define CHAIN_HOSTS   36
#define CHAIN_LATENCY MILLISECONDS(10)

struct flying {
	struct flying *next;
	instant at;
	size_t from, to;
	size_t length;
	uint8_t octets[HIP_PACKET_WITH_PAYLOAD_MAXIMUM + HIT_LENGTH];
};

struct chain;

struct chain_host {
	struct chain *chain;
	size_t index;
	struct host_identity *identity;
	struct hit hit;
	struct data_transport *transport;
	bool answers; /* answers every request at once */
	unsigned requests, answered, failures;
	hiphop_error failure; /* the last */
	uint64_t failed_transaction;
	unsigned sends, again;    /* SEND effects, and those marked as retransmissions */
	unsigned relay_drops[16]; /* by relay_cause */
	unsigned too_large;
	struct data_transport_effect last; /* the last delivery, without its pointers */
	uint8_t content[DATA_TRANSPORT_CONTENT_MAXIMUM];
	uint8_t identity_octets[HOST_IDENTITY_OCTETS_MAXIMUM];
	unsigned per_transaction[256]; /* deliveries by the low octet of the transaction */
};

/** What a link does with a packet. */
typedef enum { LINK_PASS, LINK_LOSE, LINK_DOUBLE } link_fate;

struct chain {
	size_t count;
	size_t owner; /* of every Resource-ID */
	bool broken;  /* nobody knows a next hop beyond `owner` */
	duration latency;
	instant now;
	struct seeded_random generator;
	struct random_source random;
	struct flying *flying;
	struct chain_host hosts[CHAIN_HOSTS];
	link_fate (*fate)(struct chain *chain, struct flying *packet);
	unsigned crossed; /* packets that any link was given */
	unsigned counter; /* for the fate functions of tests */
};

static inline bool chain_index(const struct chain *chain, const struct hit *hit, size_t *index)
{
	for (size_t i = 0; i < chain->count; i++) {
		if (hit_equal(&chain->hosts[i].hit, hit)) {
			*index = i;
			return true;
		}
	}
	return false;
}

static inline overlay_route chain_next_hop(
	void *context, const struct hit *destination, const struct hit *arrived_from, struct hit *next)
{
	(void)arrived_from;
	const struct chain_host *self = context;
	const struct chain *chain = self->chain;
	size_t target = chain->owner;

	if (hit_is_host(destination) && !chain_index(chain, destination, &target))
		return OVERLAY_NO_ROUTE;
	if (target == self->index)
		return OVERLAY_SELF;
	if (chain->broken && self->index != 0)
		return OVERLAY_NO_ROUTE;
	*next = chain->hosts[target > self->index ? self->index + 1 : self->index - 1].hit;
	return OVERLAY_HOP;
}

static inline bool chain_is_neighbour(void *context, const struct hit *hit)
{
	const struct chain_host *self = context;
	size_t index;

	return chain_index(self->chain, hit, &index) && (index + 1 == self->index || index == self->index + 1);
}

static inline struct relay_place chain_place(struct chain_host *host)
{
	return (struct relay_place){
		.self = host->hit,
		.overlay = true,
		.overlay_id = CHAIN_OVERLAY,
		.context = host,
		.next_hop = chain_next_hop,
		.is_neighbour = chain_is_neighbour,
	};
}

static inline void chain_fly(struct chain *chain, const struct flying *packet)
{
	struct flying *made = malloc(sizeof *made), **place = &chain->flying;

	assert_non_null(made);
	*made = *packet;
	while (*place != NULL && (*place)->at <= made->at)
		place = &(*place)->next;
	made->next = *place;
	*place = made;
}

/** Gives a packet to the link from `host` to `next`, checksum set. */
static inline void chain_transmit(struct chain_host *host, const struct hit *next, const uint8_t *octets, size_t length)
{
	struct chain *chain = host->chain;
	struct flying packet = {.at = chain->now + chain->latency, .from = host->index, .length = length};
	const struct address source = hit_as_address(&host->hit), destination = hit_as_address(next);

	assert_true(chain_index(chain, next, &packet.to));
	assert_true(packet.to + 1 == host->index || packet.to == host->index + 1);
	memcpy(packet.octets, octets, length);
	assert_int_equal(packet_set_checksum(packet.octets, length, HIP_CARRIER_ESP, &source, &destination), HIPHOP_OK);
	chain->crossed++;
	link_fate fate = chain->fate != NULL ? chain->fate(chain, &packet) : LINK_PASS;
	if (fate != LINK_LOSE)
		chain_fly(chain, &packet);
	if (fate == LINK_DOUBLE)
		chain_fly(chain, &packet);
}

static inline void chain_receive(
	struct chain_host *host, const struct packet_view *packet, const struct hit *neighbour);

static inline void chain_originate(
	struct chain_host *host, const struct hit *first_hop, const uint8_t *octets, size_t length)
{
	const struct relay_place place = chain_place(host);
	struct packet_view packet;
	struct relay_decision decision;

	if (first_hop != NULL && chain_is_neighbour(host, first_hop)) {
		chain_transmit(host, first_hop, octets, length);
		return;
	}
	assert_int_equal(packet_parse(octets, length, &packet), HIPHOP_OK);
	relay_decide(&packet, &place, NULL, &decision);
	if (decision.verdict == RELAY_FORWARD)
		chain_transmit(host, &decision.next, octets, length);
	else if (decision.verdict == RELAY_DELIVER)
		chain_receive(host, &packet, &host->hit);
}

static inline void chain_note_delivery(struct chain_host *host, const struct data_transport_effect *effect)
{
	host->last = *effect;
	memcpy(host->content, effect->content, effect->content_length);
	memcpy(host->identity_octets, effect->identity, effect->identity_length);
	host->per_transaction[effect->transaction & 0xff]++;
	if (effect->answer)
		host->answered++;
	else
		host->requests++;
}

static inline void chain_deliver(struct chain_host *host, const struct data_transport_effect *effect)
{
	chain_note_delivery(host, effect);
	if (host->answers && !effect->answer)
		assert_int_equal(data_transport_send(host->transport, host->chain->now, &effect->sender,
					 effect->transaction, &effect->route, 0, (const uint8_t *)"answer", 6),
			HIPHOP_OK);
}

/** Carries out everything that a host has to do. */
static inline void chain_drain(struct chain_host *host)
{
	struct data_transport_effect effect;

	while (data_transport_next_effect(host->transport, &effect)) {
		switch (effect.kind) {
		case DATA_TRANSPORT_SEND:
			host->sends++;
			host->again += effect.retransmission;
			chain_originate(
				host, effect.has_first_hop ? &effect.first_hop : NULL, effect.octets, effect.length);
			break;
		case DATA_TRANSPORT_DELIVER:
			chain_deliver(host, &effect);
			break;
		case DATA_TRANSPORT_FAILED:
			host->failures++;
			host->failure = effect.error;
			host->failed_transaction = effect.transaction;
			break;
		}
	}
}

static inline void chain_receive(struct chain_host *host, const struct packet_view *packet, const struct hit *neighbour)
{
	/* A packet may reach its own host while that host's effects are drained: copy what the view points to. */
	uint8_t octets[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	struct packet_view kept;
	size_t length = packet->octets.length + packet->payload.length;

	memcpy(octets, packet->octets.data, packet->octets.length);
	if (packet->payload.length > 0)
		memcpy(octets + packet->octets.length, packet->payload.data, packet->payload.length);
	assert_int_equal(packet_parse(octets, length, &kept), HIPHOP_OK);
	if (kept.type == HIP_PACKET_NOTIFY)
		data_transport_notified(host->transport, host->chain->now, &kept, neighbour);
	else
		data_transport_input(host->transport, host->chain->now, &kept, neighbour);
}

static inline void chain_relay(struct chain_host *host, const struct flying *packet, const struct hit *next)
{
	uint8_t copy[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	size_t length;

	if (relay_forward(packet->octets, packet->length, &host->hit, next, copy, sizeof copy, &length)) {
		host->too_large++;
		return;
	}
	chain_transmit(host, next, copy, length);
}

static inline void chain_notify(
	struct chain_host *host, const struct packet_view *rejected, uint16_t notification, const struct hit *neighbour)
{
	const struct relay_place place = chain_place(host);
	uint8_t octets[RELAY_NOTIFICATION_MAXIMUM];
	struct data_route back;
	size_t length;

	assert_int_equal(
		relay_notification(rejected, notification, host->identity, &place, octets, sizeof octets, &length),
		HIPHOP_OK);
	relay_route_back(rejected, &host->hit, &back);
	const struct hit first = relay_first_hop(&back, neighbour);
	chain_originate(host, &first, octets, length);
}

static inline void chain_arrive(struct chain *chain, const struct flying *packet)
{
	struct chain_host *host = &chain->hosts[packet->to];
	const struct hit neighbour = chain->hosts[packet->from].hit;
	const struct relay_place place = chain_place(host);
	const struct address source = hit_as_address(&neighbour), destination = hit_as_address(&host->hit);
	struct relay_decision decision;
	struct packet_view view;

	if (packet_parse(packet->octets, packet->length, &view) ||
		packet_verify_checksum(packet->octets, packet->length, HIP_CARRIER_ESP, &source, &destination))
		return;
	relay_decide(&view, &place, &neighbour, &decision);
	host->relay_drops[decision.cause]++;
	if (decision.verdict == RELAY_DELIVER)
		chain_receive(host, &view, &neighbour);
	else if (decision.verdict == RELAY_FORWARD)
		chain_relay(host, packet, &decision.next);
	else if (decision.verdict == RELAY_NOTIFY)
		chain_notify(host, &view, decision.notification, &neighbour);
	chain_drain(host);
}

/** The next instant at which something happens; INSTANT_NEVER when all is quiet. */
static inline instant chain_next(const struct chain *chain)
{
	instant next = chain->flying != NULL ? chain->flying->at : INSTANT_NEVER;

	for (size_t i = 0; i < chain->count; i++)
		next = instant_earlier(next, data_transport_next_wake(chain->hosts[i].transport));
	return next;
}

/** Lets everything happen that is due up to `until`. */
static inline void chain_run(struct chain *chain, instant until)
{
	for (size_t i = 0; i < chain->count; i++)
		chain_drain(&chain->hosts[i]);
	while (chain_next(chain) <= until) {
		chain->now = chain_next(chain);
		while (chain->flying != NULL && chain->flying->at <= chain->now) {
			struct flying *packet = chain->flying;
			chain->flying = packet->next;
			chain_arrive(chain, packet);
			free(packet);
		}
		for (size_t i = 0; i < chain->count; i++) {
			data_transport_tick(chain->hosts[i].transport, chain->now);
			chain_drain(&chain->hosts[i]);
		}
	}
	chain->now = until;
}

static inline struct data_transport *chain_transport_make(
	struct chain *chain, size_t index, struct data_transport_settings settings)
{
	struct data_transport *transport = NULL;

	settings.identity = chain->hosts[index].identity;
	settings.random = &chain->random;
	settings.overlay_id = CHAIN_OVERLAY;
	assert_int_equal(data_transport_create(&settings, &transport), HIPHOP_OK);
	return transport;
}

/** `count` hosts; the last one owns all resources; nobody answers by itself. */
static inline struct chain *chain_make_with(size_t count, struct data_transport_settings settings)
{
	struct chain *chain = calloc(1, sizeof *chain);

	assert_non_null(chain);
	chain->count = count;
	chain->owner = count - 1;
	chain->latency = CHAIN_LATENCY;
	chain->now = SECONDS(100);
	chain->random = seeded_random_start(&chain->generator, 7);
	for (size_t i = 0; i < count; i++) {
		struct chain_host *host = &chain->hosts[i];
		host->chain = chain;
		host->index = i;
		assert_int_equal(host_identity_from_seed(&chain->random, &host->identity), HIPHOP_OK);
		host->hit = *host_identity_hit(host->identity);
		host->transport = chain_transport_make(chain, i, settings);
	}
	return chain;
}

static inline struct chain *chain_make(size_t count)
{
	return chain_make_with(count, (struct data_transport_settings){0});
}

static inline void chain_free(struct chain *chain)
{
	while (chain->flying != NULL) {
		struct flying *packet = chain->flying;
		chain->flying = packet->next;
		free(packet);
	}
	for (size_t i = 0; i < chain->count; i++) {
		data_transport_free(chain->hosts[i].transport);
		host_identity_free(chain->hosts[i].identity);
	}
	free(chain);
}

/** Host 0 sends `text` to `destination`. */
static inline void chain_ask(struct chain *chain, const struct hit *destination, uint64_t transaction, const char *text)
{
	assert_int_equal(data_transport_send(chain->hosts[0].transport, chain->now, destination, transaction, NULL, 0,
				 (const uint8_t *)text, strlen(text)),
		HIPHOP_OK);
}

static inline uint64_t chain_count(const struct chain *chain, size_t index, data_transport_counter counter)
{
	return data_transport_counter_value(chain->hosts[index].transport, counter);
}

/* ---- single packets ---- */

/** Of the first transaction; those that follow count up. */
#define TRANSACTION UINT64_C(0x1122334455667701)

/** A request of `fields` for `to`, straight from `from`, as the receiver's engine sees it. */
static inline hiphop_error hand_over(struct chain *chain, const struct host_identity *from, size_t to,
	const struct data_packet *fields, const struct hit *neighbour)
{
	struct buffer octets = {0};
	struct packet_view view;

	assert_int_equal(data_packet_build(fields, from, &octets), HIPHOP_OK);
	assert_int_equal(packet_parse(octets.data, octets.length, &view), HIPHOP_OK);
	hiphop_error error = data_transport_input(chain->hosts[to].transport, chain->now, &view, neighbour);
	buffer_free(&octets);
	return error;
}

static inline struct data_packet request_for(const struct hit *receiver, uint32_t sequence)
{
	return (struct data_packet){
		.receiver = *receiver,
		.has_sequence = true,
		.sequence = sequence,
		.transaction = TRANSACTION + sequence,
		.overlay_id = CHAIN_OVERLAY,
		.ttl = 10,
		.content = {(const uint8_t *)"some content", 12},
	};
}

/** Takes the effects of a host and keeps the last packet that it wants to send. */
static inline unsigned take_sends(struct chain_host *host, struct data_packet *sent, struct hit *first_hop)
{
	static uint8_t octets[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	struct data_transport_effect effect;
	struct packet_view view;
	unsigned sends = 0;

	while (data_transport_next_effect(host->transport, &effect)) {
		if (effect.kind != DATA_TRANSPORT_SEND)
			continue;
		sends++;
		memcpy(octets, effect.octets, effect.length);
		assert_int_equal(packet_parse(octets, effect.length, &view), HIPHOP_OK);
		assert_int_equal(packet_check_rules(&view, NULL), HIPHOP_OK);
		if (view.type == HIP_PACKET_DATA)
			assert_int_equal(data_packet_read(&view, &host->hit, sent), HIPHOP_OK);
		if (first_hop != NULL)
			*first_hop = effect.has_first_hop ? effect.first_hop : (struct hit){{0}};
	}
	return sends;
}

static inline struct data_route list_of(const struct chain *chain, size_t first)
{
	struct data_route route = {.flags = ROUTE_FLAG_SYMMETRIC | ROUTE_FLAG_MUST_FOLLOW, .count = 2};

	route.hits[0] = chain->hosts[first].hit;
	route.hits[1] = chain->hosts[first + 1].hit;
	return route;
}

struct covered {
	size_t signed_end; /* octets before this are signed, the checksum apart */
	size_t payload;    /* where the payload starts */
	size_t total;
};

static inline struct covered coverage_of_packet(const struct buffer *packet)
{
	struct packet_view view;

	assert_int_equal(packet_parse(packet->data, packet->length, &view), HIPHOP_OK);
	const struct parameter_view *signature = packet_find(&view, PARAMETER_HIP_SIGNATURE);
	return (struct covered){
		.signed_end = (size_t)(signature->contents.data + signature->contents.length - packet->data),
		.payload = view.octets.length,
		.total = packet->length,
	};
}

static inline bool is_protected(const struct covered *covered, size_t offset)
{
	bool is_checksum = offset == 4 || offset == 5;

	return (offset < covered->signed_end && !is_checksum) || offset >= covered->payload;
}

#endif
