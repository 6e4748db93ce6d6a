/* SPDX-License-Identifier: MIT */
/**
 * Hosts with several links, some of them on board of others, wired together in memory on virtual time. The net of a
 * vehicle is 10.N.0.0/16: who has no link there does not get a packet through, in neither direction. ESP goes from hop
 * to hop at once, by the SAs and the forwarding of the hosts.
 */
#ifndef HIPHOP_TESTS_ROUTER_WORLD_H
#define HIPHOP_TESTS_ROUTER_WORLD_H

/** What must hold. A program without cmocka may define it before. */
#ifndef WORLD_REQUIRE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#define WORLD_REQUIRE(condition) assert_true(condition)
#endif

/** Around the calls into a host that time and packets bring about: a test may define it before. */
#ifndef WORLD_CALL
#define WORLD_CALL(call) call
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hip/base/map.h"
#include "hip/core/router_internal.h"

#define WORLD_LINKS   4
#define WORLD_SAS     64
#define WORLD_START   SECONDS(1000)
#define WORLD_INSIDE  MILLISECONDS(1)
#define WORLD_OUTSIDE MILLISECONDS(25)

struct world;

struct world_sa {
	struct host_sa sa; /* spi_in 0: free */
	struct hit peer;
	unsigned age; /* 0: on standby */
	bool heard;
};

struct world_host {
	struct world *world;
	struct host *host;
	struct host_configuration configuration;
	struct host_identity *identity;
	struct hit hit;
	size_t link_count;
	struct link_address links[WORLD_LINKS];
	struct world_sa *sas;
	size_t sa_count, sa_capacity;
	unsigned age;
	bool refuses;  /* as a router */
	size_t octets; /* of UDP payload, the marker of HIP included, and of IPv4 and UDP headers */
	size_t packets;
	size_t octets_outside, packets_outside; /* of these, not on board */
	char last_event[96];
};

struct world_packet {
	instant at;
	uint64_t order;
	size_t from;
	uint32_t spi; /* a question inside ESP; 0: HIP */
	struct endpoint source, destination;
	size_t length;
	uint8_t *octets;
};

struct world {
	size_t count;
	struct world_host *hosts;
	instant now;
	struct seeded_random generator;
	struct random_source random;
	struct world_packet *heap; /* the earliest first */
	size_t in_flight, capacity;
	uint64_t order;
	/* False: the packet is lost. It may be changed. */
	bool (*fate)(struct world *world, struct world_packet *packet);
	void *context;
};

static inline uint8_t world_type(const struct world_packet *packet)
{
	return packet->octets[HIP_TYPE_OFFSET] & 0x7f;
}

/* ---- the net ---- */

static inline struct address world_address(const char *text)
{
	struct address address;

	WORLD_REQUIRE((address_parse(text, &address)) == HIPHOP_OK);
	return address;
}

static inline bool world_is_private(const struct address *address)
{
	return address->octets[12] == 10;
}

static inline bool world_same_net(const struct address *a, const struct address *b)
{
	return world_is_private(a) == world_is_private(b) && (!world_is_private(a) || a->octets[13] == b->octets[13]);
}

static inline bool world_source(void *context, const struct address *remote, struct address *source)
{
	const struct world_host *self = context;

	for (size_t i = 0; i < self->link_count; i++) {
		if (!world_same_net(&self->links[i].address, remote))
			continue;
		*source = self->links[i].address;
		return true;
	}
	/* By the first link, whatever is behind it. */
	if (self->link_count)
		*source = self->links[0].address;
	return self->link_count > 0;
}

static inline struct world_host *world_at(struct world *world, const struct address *source, const struct address *to)
{
	if (!world_same_net(source, to))
		return NULL;
	for (size_t i = 0; i < world->count; i++) {
		for (size_t j = 0; j < world->hosts[i].link_count; j++) {
			if (world->hosts[i].host && address_equal(&world->hosts[i].links[j].address, to))
				return &world->hosts[i];
		}
	}
	return NULL;
}

static inline bool world_may_board(void *context, instant now, const struct hit *peer)
{
	(void)now;
	(void)peer;
	return !((struct world_host *)context)->refuses;
}

/* ---- packets under way ---- */

static inline bool world_before(const struct world_packet *a, const struct world_packet *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static inline void world_push(struct world *world, const struct world_packet *packet)
{
	size_t place = world->in_flight++;

	if (place == world->capacity) {
		world->capacity = world->capacity ? 2 * world->capacity : 64;
		world->heap = realloc(world->heap, world->capacity * sizeof *world->heap);
		WORLD_REQUIRE((world->heap) != NULL);
	}
	while (place && world_before(packet, &world->heap[(place - 1) / 2])) {
		world->heap[place] = world->heap[(place - 1) / 2];
		place = (place - 1) / 2;
	}
	world->heap[place] = *packet;
}

static inline struct world_packet world_pop(struct world *world)
{
	struct world_packet first = world->heap[0], last = world->heap[--world->in_flight];
	size_t place = 0, child;

	while ((child = 2 * place + 1) < world->in_flight) {
		if (child + 1 < world->in_flight && world_before(&world->heap[child + 1], &world->heap[child]))
			child++;
		if (!world_before(&world->heap[child], &last))
			break;
		world->heap[place] = world->heap[child];
		place = child;
	}
	world->heap[place] = last;
	return first;
}

static inline void world_send(struct world_host *self, const struct host_effect *effect, uint32_t spi)
{
	struct world *world = self->world;
	bool inside = world_is_private(&effect->remote.address);
	struct world_packet packet = {.at = world->now + (inside ? WORLD_INSIDE : WORLD_OUTSIDE),
		.order = world->order++,
		.from = (size_t)(self - world->hosts),
		.spi = spi,
		.source = effect->local,
		.destination = effect->remote,
		.length = effect->length};

	if (!spi) {
		self->octets += effect->length + 4 + 28;
		self->packets++;
		self->octets_outside += inside ? 0 : effect->length + 4 + 28;
		self->packets_outside += !inside;
	}
	packet.octets = malloc(effect->length);
	WORLD_REQUIRE((packet.octets) != NULL);
	memcpy(packet.octets, effect->octets, effect->length);
	if (world->fate && !world->fate(world, &packet))
		free(packet.octets);
	else
		world_push(world, &packet);
}

/* ---- SAs ---- */

static inline struct world_sa *world_inbound(struct world_host *self, uint32_t spi)
{
	for (size_t i = 0; i < self->sa_count; i++) {
		if (self->sas[i].sa.spi_in == spi)
			return &self->sas[i];
	}
	return NULL;
}

static inline struct world_sa *world_outbound(struct world_host *self, const struct hit *peer)
{
	struct world_sa *newest = NULL;

	for (size_t i = 0; i < self->sa_count; i++) {
		struct world_sa *sa = &self->sas[i];

		if (sa->age && hit_equal(&sa->peer, peer) && (!newest || sa->age > newest->age))
			newest = sa;
	}
	return newest;
}

static inline void world_install(struct world_host *self, const struct host_effect *effect)
{
	struct world_sa *sa;

	WORLD_REQUIRE((world_inbound(self, effect->sa->spi_in)) == NULL);
	if (self->sa_count == self->sa_capacity) {
		self->sa_capacity = self->sa_capacity ? 2 * self->sa_capacity : 8;
		self->sas = realloc(self->sas, self->sa_capacity * sizeof *self->sas);
		WORLD_REQUIRE((self->sas) != NULL);
	}
	sa = &self->sas[self->sa_count++];
	*sa = (struct world_sa){.sa = *effect->sa, .peer = effect->peer, .age = effect->sa->standby ? 0 : ++self->age};
}

static inline void world_move(struct world_host *self, const struct host_effect *effect)
{
	for (size_t i = 0; i < self->sa_count; i++) {
		if (hit_equal(&self->sas[i].peer, &effect->peer)) {
			self->sas[i].sa.local = effect->local;
			self->sas[i].sa.remote = effect->remote;
			self->sas[i].sa.route = effect->sa->route;
		}
	}
}

static inline void world_drain(struct world_host *self)
{
	struct host_effect effect;

	while (self->host && host_next_effect(self->host, &effect)) {
		struct world_sa *sa = effect.sa ? world_inbound(self, effect.sa->spi_in) : NULL;

		switch (effect.kind) {
		case HOST_SEND:
			world_send(self, &effect, 0);
			break;
		case HOST_SEND_PROBE:
			sa = world_outbound(self, &effect.peer);
			if (sa)
				world_send(self, &effect, sa->sa.spi_out);
			break;
		case HOST_INSTALL_SA:
			world_install(self, &effect);
			break;
		case HOST_MOVE_SA:
			world_move(self, &effect);
			break;
		case HOST_USE_SA:
			WORLD_REQUIRE((sa) != NULL);
			sa->age = ++self->age;
			break;
		case HOST_REMOVE_SA:
			WORLD_REQUIRE((sa) != NULL);
			*sa = self->sas[--self->sa_count];
			break;
		case HOST_EVENT:
			snprintf(self->last_event, sizeof self->last_event, "%s", effect.event);
			break;
		default:
			break;
		}
	}
}

/** One ESP packet from one to the other, hop by hop. `hops` (may be NULL) counts those who handed it on. */
static inline bool world_esp(struct world *world, size_t from, size_t to, unsigned *hops)
{
	const struct world_sa *out = world_outbound(&world->hosts[from], &world->hosts[to].hit);
	struct host_esp_hop hop;
	unsigned taken = 0;

	if (!out)
		return false;
	hop = (struct host_esp_hop){
		.local = out->sa.local, .remote = out->sa.remote, .spi = out->sa.spi_out, .length = 100};
	for (; taken < 8; taken++) {
		struct world_host *at = world_at(world, &hop.local.address, &hop.remote.address);
		struct world_sa *in = at ? world_inbound(at, hop.spi) : NULL;
		struct endpoint source = hop.local;

		if (!at)
			return false;
		if (in) {
			if (hops)
				*hops = taken;
			if (at == &world->hosts[to] && !in->heard) {
				in->heard = true;
				host_note_sa(at->host, world->now, hop.spi, HOST_SA_HEARD);
				world_drain(at);
			}
			return at == &world->hosts[to] &&
			       memcmp(&in->sa.keys_in, &out->sa.keys_out, sizeof in->sa.keys_in) == 0;
		}
		hop.local = hop.remote;
		hop.remote = source;
		if (!host_forward_esp(at->host, world->now, &hop))
			return false;
		world_drain(at);
	}
	return false;
}

/** Both ways. */
static inline bool world_talk(struct world *world, size_t a, size_t b)
{
	bool there = world_esp(world, a, b, NULL), back = world_esp(world, b, a, NULL);

	return there && back;
}

/* ---- time ---- */

/* A question goes on to the next hop, or has arrived. */
static inline void world_arrive_inside(struct world *world, struct world_host *to, const struct world_packet *packet)
{
	struct host_esp_hop hop = {
		.local = packet->destination, .remote = packet->source, .spi = packet->spi, .length = packet->length};
	const struct world_sa *in = world_inbound(to, packet->spi);
	struct host_effect onward = {.octets = packet->octets, .length = packet->length};

	if (in) {
		host_probe_input(to->host, world->now, &in->peer, &hop.local, &hop.remote, packet->octets);
	} else if (host_forward_esp(to->host, world->now, &hop)) {
		onward.local = hop.local;
		onward.remote = hop.remote;
		world_send(to, &onward, packet->spi);
	}
	world_drain(to);
}

static inline void world_arrive(struct world *world, struct world_packet *packet)
{
	const struct host_arrival arrival = {.local = packet->destination, .remote = packet->source};
	struct world_host *to = world_at(world, &packet->source.address, &packet->destination.address);

	if (!to || packet->destination.port != 10500)
		return;
	if (packet->spi) {
		world_arrive_inside(world, to, packet);
		return;
	}
	WORLD_CALL(host_input(to->host, world->now, &arrival, packet->octets, packet->length));
	world_drain(to);
}

static inline instant world_next(const struct world *world)
{
	instant next = world->in_flight ? world->heap[0].at : INSTANT_NEVER;

	for (size_t i = 0; i < world->count; i++) {
		if (world->hosts[i].host)
			next = instant_earlier(next, host_next_wake(world->hosts[i].host));
	}
	return next;
}

static inline void world_tick(struct world *world)
{
	for (size_t i = 0; i < world->count; i++) {
		struct world_host *self = &world->hosts[i];

		if (!self->host || host_next_wake(self->host) > world->now)
			continue;
		WORLD_CALL(host_tick(self->host, world->now));
		world_drain(self);
		/* A wake that does not move on would never end. */
		WORLD_REQUIRE(host_next_wake(self->host) > world->now);
	}
}

/** Lets `span` pass. */
static inline void world_run(struct world *world, duration span)
{
	instant end = world->now + span, next;

	for (size_t i = 0; i < world->count; i++)
		world_drain(&world->hosts[i]);
	while ((next = world_next(world)) <= end) {
		if (next > world->now)
			world->now = next;
		while (world->in_flight && world->heap[0].at <= world->now) {
			struct world_packet packet = world_pop(world);

			world_arrive(world, &packet);
			free(packet.octets);
		}
		world_tick(world);
	}
	world->now = end;
}

/* ---- life ---- */

static inline void world_boot(struct world *world, size_t index)
{
	struct world_host *self = &world->hosts[index];

	self->sa_count = 0;
	WORLD_REQUIRE((host_create(&self->configuration, world->now, &self->host)) == HIPHOP_OK);
	host_set_links(self->host, world->now, self->links, self->link_count);
	world_drain(self);
}

static inline void world_crash(struct world *world, size_t index)
{
	host_free(world->hosts[index].host);
	world->hosts[index].host = NULL;
	world->hosts[index].sa_count = 0;
}

/** Hosts without links; world_link and world_boot follow. */
static inline struct world *world_make(size_t count)
{
	struct world *world = calloc(1, sizeof *world);

	WORLD_REQUIRE((world) != NULL);
	world->hosts = calloc(count, sizeof *world->hosts);
	WORLD_REQUIRE((world->hosts) != NULL);
	world->count = count;
	world->now = WORLD_START;
	world->random = seeded_random_start(&world->generator, 42);
	for (size_t i = 0; i < count; i++) {
		struct world_host *self = &world->hosts[i];

		self->world = world;
		WORLD_REQUIRE((host_identity_from_seed(&world->random, &self->identity)) == HIPHOP_OK);
		self->hit = *host_identity_hit(self->identity);
		self->configuration = (struct host_configuration){.identity = self->identity,
			.random = &world->random,
			.environment = {.context = self, .source_address = world_source, .may_board = world_may_board}};
	}
	return world;
}

static inline void world_free(struct world *world)
{
	while (world->in_flight)
		free(world->heap[--world->in_flight].octets);
	free(world->heap);
	for (size_t i = 0; i < world->count; i++) {
		host_free(world->hosts[i].host);
		host_identity_free(world->hosts[i].identity);
		free(world->hosts[i].sas);
	}
	free(world->hosts);
	free(world);
}

/** Adds a link without telling anybody. */
static inline void world_link(struct world *world, size_t index, const char *name, const char *address)
{
	struct world_host *self = &world->hosts[index];
	struct link_address *link;

	WORLD_REQUIRE(self->link_count < WORLD_LINKS);
	link = &self->links[self->link_count++];
	*link = (struct link_address){.address = world_address(address), .interface = (uint32_t)self->link_count};
	snprintf(link->name, sizeof link->name, "%s", name);
}

/** Another address on a link (NULL: none, it is down), told to the host. */
static inline void world_relink(struct world *world, size_t index, const char *name, const char *address)
{
	struct world_host *self = &world->hosts[index];
	size_t place = 0;

	while (place < self->link_count && strcmp(self->links[place].name, name) != 0)
		place++;
	if (place < self->link_count) {
		memmove(&self->links[place], &self->links[place + 1],
			(self->link_count - place - 1) * sizeof self->links[0]);
		self->link_count--;
	}
	if (address)
		world_link(world, index, name, address);
	WORLD_CALL(host_set_links(self->host, world->now, self->links, self->link_count));
	world_drain(self);
}

/** Tells `a` that `b` is at an address, and has it make an association. */
static inline void world_connect(struct world *world, size_t a, size_t b, const char *address)
{
	const struct endpoint at = {.address = world_address(address), .port = 10500};

	WORLD_REQUIRE((host_learn_locator(world->hosts[a].host, &world->hosts[b].hit, &at, true)) == HIPHOP_OK);
	(void)host_connect(world->hosts[a].host, world->now, &world->hosts[b].hit);
	world_drain(&world->hosts[a]);
}

/** Has `a` use `b` as its router, which is at an address on board. */
static inline void world_board(struct world *world, size_t a, size_t b, const char *address)
{
	const struct endpoint at = {.address = world_address(address), .port = 10500};

	WORLD_REQUIRE((host_learn_locator(world->hosts[a].host, &world->hosts[b].hit, &at, true)) == HIPHOP_OK);
	host_use_router(world->hosts[a].host, world->now, &world->hosts[b].hit);
	world_drain(&world->hosts[a]);
}

/** Has a host that is not booted yet be a mobile router, on board of which is who is at its link "inside". */
static inline void world_serve(struct world *world, size_t router)
{
	static const char inside[][LINK_NAME_SIZE] = {"inside"};

	world->hosts[router].configuration.mobile_router = true;
	world->hosts[router].configuration.inside = inside;
	world->hosts[router].configuration.inside_count = 1;
}

/** A host on board of a router, and a peer ashore, at these numbers; the host knows the router. */
static inline struct world *world_of_three(size_t host, size_t peer, size_t router)
{
	struct world *world = world_make(3);

	world_serve(world, router);
	world_link(world, host, "wlan0", "10.1.0.2");
	world_link(world, peer, "eth0", "192.0.2.1");
	world_link(world, router, "uplink", "198.51.100.1");
	world_link(world, router, "inside", "10.1.0.1");
	for (size_t i = 0; i < 3; i++)
		world_boot(world, i);
	world_board(world, host, router, "10.1.0.1");
	return world;
}

static inline struct host_router_view world_router(const struct world *world, size_t index)
{
	struct host_router_view view;

	host_router(world->hosts[index].host, &view);
	return view;
}

static inline uint64_t world_counter(const struct world *world, size_t index, host_counter counter)
{
	return host_counter_value(world->hosts[index].host, counter);
}

#endif
