/* SPDX-License-Identifier: MIT */
/**
 * Two or three hosts of which one is hostile: each packet can be changed on its way and is then protected again with
 * the true keys of its sender (MAC, signature, PAYLOAD_MIC, checksum), as a peer could that has proved who it is.
 */
#ifndef HIPHOP_TESTS_FUZZ_HOSTILE_WORLD_H
#define HIPHOP_TESTS_FUZZ_HOSTILE_WORLD_H

#include "hip/core/host_internal.h"
#include "hip/core/packet_signature.h"

#include "tests/fuzz/input.h"

#include <stdlib.h>

#define WORLD_HOSTS   3
#define WORLD_PARCELS 32 /* on their way, and as many remembered */
#define WORLD_SPIS    64
#define WORLD_OVERLAY 0x01020304
#define WORLD_START   SECONDS(1000)

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

struct parcel {
	unsigned from;
	bool sealed, probe;
	struct hit to; /* sealed, probe */
	struct endpoint source, destination;
	size_t length;
	uint8_t octets[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
};

struct world;

struct world_host {
	struct world *world;
	unsigned index;
	struct host *host;
	struct hit hit;
	struct address address, second; /* the second when it has two links */
	bool has_second;
	instant sent, heard;        /* what the data plane says of every peer */
	uint32_t spis[WORLD_SPIS];  /* of the SAs installed; 0: free */
	struct data_route way_back; /* of the last DATA */
	struct hit requester;
	uint64_t transaction;
	bool has_request;
};

struct world {
	unsigned count;
	instant now;
	bool udp, overlay, answering, strangers_refused;
	uint8_t flavour; /* what the hosts prefer and say of themselves */
	struct seeded_random generator;
	struct random_source random;
	struct world_host hosts[WORLD_HOSTS];
	struct parcel parcels[WORLD_PARCELS];
	struct parcel *flying[WORLD_PARCELS]; /* all of them; the first flying_count are on their way, in order */
	unsigned flying_count;
	struct parcel kept[WORLD_PARCELS]; /* the last ones sent */
	unsigned kept_count;
};

/* The identities are the same in all runs. */
static inline struct host_identity *world_identity(unsigned index)
{
	static struct host_identity *identities[WORLD_HOSTS];
	static struct seeded_random generator;

	if (!identities[0]) {
		const struct random_source random = seeded_random_start(&generator, 7);
		for (unsigned i = 0; i < WORLD_HOSTS; i++)
			CHECK(!host_identity_from_seed(&random, &identities[i]));
	}
	return identities[index];
}

/* ---- the environment ---- */

static inline bool world_source_address(void *context, const struct address *remote, struct address *source)
{
	const struct world_host *self = context;

	(void)remote;
	*source = self->address;
	return true;
}

static inline void world_traffic(void *context, const struct hit *peer, instant *sent, instant *heard)
{
	const struct world_host *self = context;

	(void)peer;
	*sent = self->sent;
	*heard = self->heard;
}

static inline unsigned world_index(const struct world *world, const struct hit *hit)
{
	unsigned index = 0;

	while (index < world->count && !hit_equal(&world->hosts[index].hit, hit))
		index++;
	return index;
}

/* A row: the next hop to a host is the neighbour on its side. A Resource-ID is at home where its last octet says. */
static inline overlay_route world_next_hop(
	void *context, const struct hit *destination, const struct hit *arrived_from, struct hit *next)
{
	const struct world_host *self = context;
	unsigned target = world_index(self->world, destination);

	if (target == self->world->count)
		target = destination->octets[15] % (self->world->count + 1);
	if (target == self->world->count)
		return OVERLAY_NO_ROUTE;
	if (target == self->index)
		return OVERLAY_SELF;
	*next = self->world->hosts[target > self->index ? self->index + 1 : self->index - 1].hit;
	return arrived_from && hit_equal(arrived_from, next) ? OVERLAY_NO_ROUTE : OVERLAY_HOP;
}

static inline host_permission world_may_associate(
	void *context, instant now, const struct hit *peer, const struct host_claim *claim)
{
	const struct world_host *self = context;

	(void)now;
	(void)claim;
	return !self->world->strangers_refused || world_index(self->world, peer) < self->world->count ? HOST_ALLOWED
												      : HOST_DENIED;
}

/* ---- what the hosts do ---- */

static inline struct parcel *world_new_parcel(struct world *world)
{
	if (world->flying_count == WORLD_PARCELS)
		return NULL;
	return world->flying[world->flying_count++];
}

static inline void world_put(struct world *world, const struct world_host *from, const struct host_effect *effect)
{
	struct parcel *parcel = world_new_parcel(world);

	CHECK(effect->length <= sizeof parcel->octets);
	if (!parcel)
		return;
	parcel->from = from->index;
	parcel->sealed = effect->kind == HOST_SEND_SEALED;
	parcel->probe = effect->kind == HOST_SEND_PROBE;
	parcel->to = effect->peer;
	parcel->source = effect->local;
	parcel->destination = effect->remote;
	parcel->length = effect->length;
	memcpy(parcel->octets, effect->octets, effect->length);
	if (!parcel->probe)
		world->kept[world->kept_count++ % WORLD_PARCELS] = *parcel;
}

static inline uint32_t *world_spi(struct world_host *self, uint32_t spi)
{
	for (unsigned i = 0; i < WORLD_SPIS; i++) {
		if (self->spis[i] == spi)
			return &self->spis[i];
	}
	return NULL;
}

/* What no input may bring about: an SPI used twice, an SA taken away that is not there. */
static inline void world_check_sa(struct world_host *self, const struct host_effect *effect)
{
	uint32_t *place = world_spi(self, effect->sa->spi_in);

	CHECK(effect->sa->spi_in > 255);
	if (effect->kind == HOST_INSTALL_SA) {
		CHECK(!place && effect->sa->spi_out > 255 && esp_suite_by_id(effect->sa->suite));
		place = world_spi(self, 0);
		CHECK(place);
		*place = effect->sa->spi_in;
	} else {
		CHECK(place);
		if (effect->kind == HOST_REMOVE_SA)
			*place = 0;
	}
}

static inline void world_carry_out(struct world *world, struct world_host *self)
{
	struct host_effect effect;

	while (host_next_effect(self->host, &effect)) {
		switch (effect.kind) {
		case HOST_SEND:
		case HOST_SEND_SEALED:
		case HOST_SEND_PROBE:
			world_put(world, self, &effect);
			break;
		case HOST_INSTALL_SA:
		case HOST_MOVE_SA:
		case HOST_WATCH_SA:
		case HOST_USE_SA:
		case HOST_REMOVE_SA:
			world_check_sa(self, &effect);
			break;
		case HOST_DATA:
			self->has_request = true;
			self->requester = effect.data->sender;
			self->transaction = effect.data->transaction;
			self->way_back = effect.data->route;
			break;
		default:
			break;
		}
	}
}

static inline void world_drain(struct world *world, struct world_host *self)
{
	world_carry_out(world, self);
	if (!self->has_request || !world->answering)
		return;
	self->has_request = false;
	(void)host_answer_data(self->host, world->now, &self->requester, self->transaction, &self->way_back,
		(const uint8_t *)"answer", 6);
	world_carry_out(world, self);
}

static inline bool world_has(const struct world_host *self, const struct address *address)
{
	return address_equal(&self->address, address) || (self->has_second && address_equal(&self->second, address));
}

/* A question or an answer came out of ESP. */
static inline void world_deliver_probe(struct world *world, const struct parcel *parcel)
{
	for (unsigned i = 0; i < world->count; i++) {
		struct world_host *to = &world->hosts[i];

		if (!hit_equal(&to->hit, &parcel->to) || !world_has(to, &parcel->destination.address))
			continue;
		host_probe_input(to->host, world->now, &world->hosts[parcel->from].hit, &parcel->destination,
			&parcel->source, parcel->octets);
		world_drain(world, to);
	}
}

static inline void world_deliver(struct world *world, const struct parcel *parcel)
{
	struct host_arrival arrival = {.inside_esp = parcel->sealed, .neighbour = world->hosts[parcel->from].hit};

	arrival.local = parcel->destination;
	arrival.remote = parcel->source;
	world->now += MILLISECONDS(10);
	if (parcel->probe) {
		world_deliver_probe(world, parcel);
		return;
	}
	for (unsigned i = 0; i < world->count; i++) {
		struct world_host *to = &world->hosts[i];
		uint8_t *exact;

		if (parcel->sealed ? !hit_equal(&to->hit, &parcel->to) : !world_has(to, &parcel->destination.address))
			continue;
		exact = malloc(parcel->length + 1); /* its own size, so that a sanitizer sees an overrun */
		CHECK(exact);
		memcpy(exact, parcel->octets, parcel->length);
		host_input(to->host, world->now, &arrival, exact, parcel->length);
		free(exact);
		world_drain(world, to);
	}
}

static inline struct parcel world_take(struct world *world, unsigned index)
{
	struct parcel *parcel = world->flying[index];

	world->flying_count--;
	for (; index < world->flying_count; index++)
		world->flying[index] = world->flying[index + 1];
	world->flying[index] = parcel;
	return *parcel;
}

/* Delivers what flies, in order, until all is silent or `limit` packets have gone. */
static inline void world_settle(struct world *world, unsigned limit)
{
	while (world->flying_count && limit--) {
		struct parcel parcel = world_take(world, 0);
		world_deliver(world, &parcel);
	}
}

static inline void world_tick(struct world *world, duration span)
{
	world->now += span;
	for (unsigned i = 0; i < world->count; i++) {
		struct world_host *self = &world->hosts[i];
		unsigned rounds = 0;

		while (host_next_wake(self->host) <= world->now) {
			host_tick(self->host, world->now);
			world_drain(world, self);
			CHECK(++rounds < 100);
		}
	}
}

/* ---- life ---- */

static inline struct endpoint world_endpoint(const struct world *world, unsigned index)
{
	return (struct endpoint){.address = world->hosts[index].address,
		.port = world->udp ? HIP_UDP_PORT : 0,
		.transport = world->udp ? TRANSPORT_UDP : TRANSPORT_IP};
}

static inline void world_introduce(struct world *world, unsigned a, unsigned b)
{
	const struct endpoint endpoint = world_endpoint(world, b);

	(void)host_learn_locator(world->hosts[a].host, &world->hosts[b].hit, &endpoint, true);
}

static inline void world_connect(struct world *world, unsigned a, unsigned b)
{
	(void)host_connect(world->hosts[a].host, world->now, &world->hosts[b].hit);
	world_drain(world, &world->hosts[a]);
}

static inline void world_flavour(struct host_configuration *configuration, uint8_t flavour, unsigned index)
{
	static const struct domain_identifier names[] = {
		{.type = DOMAIN_IDENTIFIER_FQDN, .length = 13, .octets = "\7example\3com"},
		{.type = DOMAIN_IDENTIFIER_NAI, .length = 5, .octets = "a@b.c"},
	};

	configuration->refuse_anonymous = flavour & 1 && index == 0;
	configuration->anonymous = flavour & 2 && index == 1 && !configuration->overlay;
	if (flavour & 4 && !configuration->anonymous)
		configuration->name = names[index % 2];
	if (flavour & 8) {
		memcpy(configuration->dh_groups, (const uint8_t[]){9, 7, 3}, 3);
		configuration->dh_group_count = 3;
	}
	if (flavour & 16 && index == 0) {
		memcpy(configuration->hip_ciphers, (const uint8_t[]){4, 2}, 2);
		configuration->hip_cipher_count = 2;
		memcpy(configuration->esp_suites, (const uint8_t[]){8, 12, 13}, 3);
		configuration->esp_suite_count = 3;
	}
	configuration->refuse_opportunists = flavour & 32 && index == 1;
	if (flavour & 64)
		configuration->rekey.time = SECONDS(20);
	configuration->rekey_without_diffie_hellman = flavour & 128;
	configuration->paths = (host_paths_use)(flavour % 3);
	configuration->rekey_on_move = flavour % 5 == 4;
}

static inline void world_add_host(struct world *world, unsigned index)
{
	struct world_host *self = &world->hosts[index];
	struct host_configuration configuration = {.identity = world_identity(index),
		.random = &world->random,
		.environment = {.context = self,
			.source_address = world_source_address,
			.traffic = world_traffic,
			.next_hop = world_next_hop,
			.may_associate = world_may_associate},
		.overlay = world->overlay,
		.overlay_id = WORLD_OVERLAY,
		.transports = {world->udp ? TRANSPORT_UDP : TRANSPORT_IP},
		.transport_count = 1,
		.i1_per_second = 100000,
		.i2_per_second = 100000,
		.puzzle_difficulty = 1};

	world_flavour(&configuration, world->flavour, index);
	self->world = world;
	self->index = index;
	self->hit = *host_identity_hit(configuration.identity);
	self->address = (struct address){{[10] = 255, 255, 192, 0, 2, (uint8_t)(index + 1)}};
	CHECK(!host_create(&configuration, world->now, &self->host));
	host_set_addresses(self->host, world->now, &self->address, 1);
}

/* `count` hosts in a row; the neighbours know where the other is. One at a time. */
static inline struct world *world_make(unsigned count, bool udp, bool overlay, uint8_t flavour)
{
	static struct world the_world;
	struct world *world = &the_world;

	memset(world->hosts, 0, sizeof world->hosts);
	world->flying_count = world->kept_count = 0;
	world->strangers_refused = false;
	world->count = count;
	world->now = WORLD_START;
	world->udp = udp;
	world->overlay = overlay;
	world->flavour = flavour;
	world->random = seeded_random_start(&world->generator, 42);
	for (unsigned i = 0; i < WORLD_PARCELS; i++)
		world->flying[i] = &world->parcels[i];
	for (unsigned i = 0; i < count; i++)
		world_add_host(world, i);
	for (unsigned i = 0; i + 1 < count; i++) {
		world_introduce(world, i, i + 1);
		world_introduce(world, i + 1, i);
	}
	return world;
}

static inline void world_free(struct world *world)
{
	for (unsigned i = 0; i < world->count; i++)
		host_free(world->hosts[i].host);
}

#endif
