/* SPDX-License-Identifier: MIT */
/** Two hosts in memory, for benchmarks and tests: what one sends the other gets at once. Times are those that the
 * caller gives. */
#ifndef HIPHOP_TESTS_BENCH_HOST_PAIR_H
#define HIPHOP_TESTS_BENCH_HOST_PAIR_H

#include "hip/core/host.h"
#include "hip/crypto/host_identity.h"
#include "hip/esp/esp.h"

#include <string.h>

#define ENDS           2
#define PACKET_MAXIMUM 9000

struct end {
	struct host_identity *identity;
	struct host *host;
	struct esp *esp; /**< NULL: SAs are not installed anywhere */
	struct endpoint endpoint;
	unsigned usable; /**< times that an association became usable */
};

struct host_pair {
	struct seeded_random generator;
	struct random_source random;
	instant now;
	struct end ends[ENDS];
	/** Sees each effect before it is carried out; may be NULL. */
	void (*seen)(struct host_pair *pair, unsigned from, const struct host_effect *effect);
};

static inline void carry_out_sa(struct end *end, const struct host_effect *effect)
{
	const struct host_sa *sa = effect->sa;
	const struct esp_pair pair = {.peer = effect->peer,
		.local = effect->local,
		.remote = effect->remote,
		.spi_in = sa->spi_in,
		.spi_out = sa->spi_out,
		.keys_in = &sa->keys_in,
		.keys_out = &sa->keys_out};

	if (effect->kind == HOST_INSTALL_SA)
		(void)esp_install(end->esp, &pair);
	else if (effect->kind == HOST_REMOVE_SA)
		(void)esp_remove(end->esp, sa->spi_in);
}

/** Carries out what one end wants; its packets go to the other. True when it sent one. */
static inline bool host_pair_deliver_from(struct host_pair *pair, unsigned from)
{
	struct end *sender = &pair->ends[from], *receiver = &pair->ends[1 - from];
	uint8_t packet[PACKET_MAXIMUM];
	struct host_effect effect;
	bool sent = false;

	while (host_next_effect(sender->host, &effect)) {
		if (pair->seen)
			pair->seen(pair, from, &effect);
		if (effect.kind == HOST_ASSOCIATION)
			sender->usable += effect.association.usable;
		if (sender->esp && effect.sa)
			carry_out_sa(sender, &effect);
		if (effect.kind != HOST_SEND || effect.length > sizeof packet)
			continue;
		struct host_arrival arrival = {.local = receiver->endpoint, .remote = sender->endpoint};
		size_t length = effect.length;

		memcpy(packet, effect.octets, length);
		host_input(receiver->host, pair->now, &arrival, packet, length);
		sent = true;
	}
	return sent;
}

/* A puzzle is solved in slices, with this long between them at most. */
#define HOST_PAIR_PAUSE MILLISECONDS(2)

static inline bool host_pair_tick_what_is_due(struct host_pair *pair)
{
	bool due = false;

	for (unsigned i = 0; i < ENDS; i++) {
		instant wake = pair->ends[i].host ? host_next_wake(pair->ends[i].host) : INSTANT_NEVER;

		if (wake > instant_after(pair->now, HOST_PAIR_PAUSE))
			continue;
		pair->now = wake > pair->now ? wake : pair->now;
		host_tick(pair->ends[i].host, pair->now);
		due = true;
	}
	return due;
}

/** Until there is nothing more to do soon. */
static inline void host_pair_deliver(struct host_pair *pair)
{
	bool busy = true;

	while (busy) {
		busy = host_pair_deliver_from(pair, 0);
		busy = host_pair_deliver_from(pair, 1) || busy;
		busy = host_pair_tick_what_is_due(pair) || busy;
	}
}

static inline void host_pair_let_pass(struct host_pair *pair, duration span)
{
	pair->now += span;
	for (unsigned i = 0; i < ENDS; i++)
		host_tick(pair->ends[i].host, pair->now);
	host_pair_deliver(pair);
}

/** Makes the host of one end, with its identity. False for want of memory. */
static inline bool host_pair_start_end(struct host_pair *pair, unsigned index, struct host_configuration configuration)
{
	struct end *end = &pair->ends[index];
	char text[] = {'1', '9', '2', '.', '0', '.', '2', '.', (char)('1' + index), 0};

	configuration.identity = end->identity;
	configuration.random = &pair->random;
	end->endpoint.port = 10500;
	end->usable = 0;
	if (address_parse(text, &end->endpoint.address) || host_create(&configuration, pair->now, &end->host))
		return false;
	host_set_addresses(end->host, pair->now, &end->endpoint.address, 1);
	return true;
}

/** A whole base exchange, begun by end 0 or 1. True when that end can use the association. */
static inline bool host_pair_exchange(struct host_pair *pair, unsigned initiator)
{
	const struct hit *responder = host_identity_hit(pair->ends[1 - initiator].identity);

	pair->ends[initiator].usable = 0;
	if (host_learn_locator(pair->ends[initiator].host, responder, &pair->ends[1 - initiator].endpoint, true) ||
		host_connect(pair->ends[initiator].host, pair->now, responder))
		return false;
	host_pair_deliver(pair);
	return pair->ends[initiator].usable > 0;
}

#endif
