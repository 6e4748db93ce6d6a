/* SPDX-License-Identifier: MIT */
/**
 * Hosts wired together in memory on virtual time. HIP packets cross by address, sealed ones by SAs whose SPIs and keys
 * must fit on both ends; what crosses can be lost or changed by the test.
 */
#ifndef HIPHOP_TESTS_HOST_NETWORK_H
#define HIPHOP_TESTS_HOST_NETWORK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hip/core/host.h"
#include "hip/wire/constants.h"
#include "hip/wire/packet.h"
#include "hip/wire/parameters.h"

/** Around the calls into a host that time and packets bring about: a test may define it before. */
#ifndef NETWORK_CALL
#define NETWORK_CALL(call) call
#endif

#define NETWORK_HOSTS   8
#define NETWORK_SAS     32
#define NETWORK_LINKS   HOST_ADDRESSES_MAXIMUM
#define NETWORK_OVERLAY 0x0badcafe
#define NETWORK_LATENCY MILLISECONDS(10)
#define NETWORK_START   SECONDS(1000)
#define NETWORK_MAXIMUM 9000

struct flying {
	struct flying *next;
	instant at;
	size_t from;
	bool sealed, probe;
	struct hit to; /* sealed, probe */
	struct endpoint source, destination;
	size_t length;
	uint8_t octets[NETWORK_MAXIMUM];
};

struct network;

struct network_host {
	struct network *network;
	size_t index;
	struct host *host;
	struct host_configuration configuration;
	struct host_identity *identity;
	struct hit hit;
	struct address address;                   /* the one that the kernel chooses */
	struct link_address links[NETWORK_LINKS]; /* when it has several addresses: all of them */
	size_t link_count;
	bool routeless;                  /* has no route to anybody */
	bool barred[NETWORK_HOSTS];      /* may not associate with this one */
	bool wants_certificates;         /* of all */
	struct host_claim claim;         /* that its last question about an association had */
	struct host_sa sas[NETWORK_SAS]; /* spi_in 0: free; the newest of a peer is its outbound one */
	struct hit sa_peers[NETWORK_SAS];
	unsigned sa_ages[NETWORK_SAS], sa_age; /* 0: on standby */
	bool sa_heard[NETWORK_SAS];
	unsigned rekeyed, handovers, resumed, moves;
	struct host_handover handover; /* the last */
	instant sent[NETWORK_HOSTS], heard[NETWORK_HOSTS], heard_on_route[NETWORK_HOSTS];
	bool watched[NETWORK_HOSTS];
	unsigned probes; /* questions and answers that it sent */
	unsigned changes, usable, failed, closed, suspected, heard_again;
	struct host_association_change last;
	struct hit last_peer;
	struct hit learnt;
	unsigned learnt_count;
	unsigned data, data_failed;
	struct host_data last_data;
	uint8_t content[512];
	unsigned out_of_type[64];
	uint16_t last_notification; /* that it sent */
};

/** What becomes of a packet. It may be changed in place. */
typedef enum { FATE_PASS, FATE_LOSE } packet_fate;

struct network {
	size_t count;
	instant now;
	struct seeded_random generator;
	struct random_source random;
	struct flying *flying;
	struct network_host hosts[NETWORK_HOSTS];
	packet_fate (*fate)(struct network *network, struct flying *packet);
	void *fate_context;
	unsigned fate_counter;
	/** Whether anything passes from one address to another, ESP too; NULL: all does. */
	bool (*passes)(struct network *network, const struct address *source, const struct address *destination);
	bool chain;              /* the overlay's next hop is the neighbour in the row */
	bool probes_are_unknown; /* what comes of them is discarded, as by a host that does not know them */
};

static inline uint8_t flying_type(const struct flying *packet)
{
	return packet->octets[2] & 0x7f;
}

static inline uint16_t network_notification(const struct flying *packet)
{
	struct parameter_notification notification;
	struct packet_view view;

	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	assert_int_equal(
		parameter_notification_read(packet_find(&view, PARAMETER_NOTIFICATION), &notification), HIPHOP_OK);
	return notification.type;
}

static inline size_t network_index(const struct network *network, const struct hit *hit)
{
	size_t index = 0;

	while (index < network->count && !hit_equal(&network->hosts[index].hit, hit))
		index++;
	return index;
}

/** Whether it has this address. */
static inline bool network_has(const struct network_host *self, const struct address *address)
{
	for (size_t i = 0; i < self->link_count; i++) {
		if (address_equal(&self->links[i].address, address))
			return true;
	}
	return !self->link_count && address_equal(&self->address, address);
}

static inline bool network_passes(
	struct network *network, const struct address *source, const struct address *destination)
{
	return !network->passes || network->passes(network, source, destination);
}

static inline bool network_source_address(void *context, const struct address *remote, struct address *source)
{
	struct network_host *self = context;

	(void)remote;
	*source = self->address;
	return !self->routeless;
}

static inline void network_traffic(void *context, const struct hit *peer, instant *sent, instant *heard)
{
	struct network_host *self = context;
	size_t index = network_index(self->network, peer);

	*sent = index < self->network->count ? self->sent[index] : 0;
	*heard = index < self->network->count ? self->heard[index] : 0;
}

static inline instant network_heard_on_path(void *context, const struct hit *peer)
{
	struct network_host *self = context;
	size_t index = network_index(self->network, peer);

	return index < self->network->count ? self->heard_on_route[index] : 0;
}

static inline overlay_route network_next_hop(
	void *context, const struct hit *destination, const struct hit *arrived_from, struct hit *next)
{
	struct network_host *self = context;
	size_t target = network_index(self->network, destination);

	(void)arrived_from;
	if (!self->network->chain || target == self->network->count || target == self->index)
		return OVERLAY_NO_ROUTE;
	*next = self->network->hosts[target > self->index ? self->index + 1 : self->index - 1].hit;
	return OVERLAY_HOP;
}

static inline host_permission network_may_associate(
	void *context, instant now, const struct hit *peer, const struct host_claim *claim)
{
	(void)now;
	struct network_host *self = context;
	size_t index = network_index(self->network, peer);

	self->claim = *claim;
	if (index < self->network->count && self->barred[index])
		return HOST_DENIED;
	return self->wants_certificates && claim->certificate != HOST_CERTIFICATE_VALID ? HOST_UNCERTIFIED
											: HOST_ALLOWED;
}

/* ---- SAs ---- */

static inline struct host_sa *network_outbound(struct network_host *self, const struct hit *peer)
{
	struct host_sa *newest = NULL;
	unsigned age = 0;

	for (size_t i = 0; i < NETWORK_SAS; i++) {
		if (self->sas[i].spi_in && hit_equal(&self->sa_peers[i], peer) && self->sa_ages[i] >= age) {
			newest = &self->sas[i];
			age = self->sa_ages[i];
		}
	}
	return newest;
}

static inline struct host_sa *network_inbound(struct network_host *self, uint32_t spi)
{
	for (size_t i = 0; i < NETWORK_SAS; i++) {
		if (spi && self->sas[i].spi_in == spi)
			return &self->sas[i];
	}
	return NULL;
}

static inline unsigned network_sa_count(struct network_host *self)
{
	unsigned count = 0;

	for (size_t i = 0; i < NETWORK_SAS; i++)
		count += self->sas[i].spi_in != 0;
	return count;
}

static inline void network_drain(struct network *network, struct network_host *self);

/** The first packet on a pair is told to the host. */
static inline void network_heard(struct network *network, struct network_host *self, const struct host_sa *sa)
{
	size_t slot = (size_t)(sa - self->sas);

	if (self->sa_heard[slot])
		return;
	self->sa_heard[slot] = true;
	NETWORK_CALL(host_note_sa(self->host, network->now, sa->spi_in, HOST_SA_HEARD));
	network_drain(network, self);
}

/** A packet of a pair came by these endpoints: by the way back of what goes out, or elsewhere. */
static inline void network_came_by(struct network *network, struct network_host *to, size_t from,
	const struct host_sa *in, const struct endpoint *local, const struct endpoint *remote)
{
	const struct host_sa *back = network_outbound(to, &network->hosts[from].hit);

	if (address_is_unspecified(&remote->address) || address_is_unspecified(&back->local.address))
		return;
	if (address_equal(&back->remote.address, &remote->address) &&
		address_equal(&back->local.address, &local->address)) {
		to->heard_on_route[from] = network->now;
		return;
	}
	NETWORK_CALL(host_note_elsewhere(to->host, network->now, in->spi_in, local, remote));
	network_drain(network, to);
}

/** The pair that receives what the newest pair of `from` sends to `to`; NULL when they do not fit. */
static inline struct host_sa *network_fitting(struct network *network, size_t from, size_t to)
{
	struct host_sa *out = network_outbound(&network->hosts[from], &network->hosts[to].hit);
	struct host_sa *in = out ? network_inbound(&network->hosts[to], out->spi_out) : NULL;

	if (!in || !network->hosts[to].host || memcmp(&out->keys_out, &in->keys_in, sizeof in->keys_in) != 0)
		return NULL;
	return in;
}

static inline void network_tell_sends(struct network *network, struct network_host *self, size_t to, uint32_t spi_in)
{
	if (!self->watched[to])
		return;
	self->watched[to] = false;
	NETWORK_CALL(host_note_sa(self->host, network->now, spi_in, HOST_SA_SENDS));
	network_drain(network, self);
}

/** Whether ESP from one gets to the other; counts as traffic. */
static inline bool network_esp(struct network *network, size_t from, size_t to)
{
	struct host_sa *out = network_outbound(&network->hosts[from], &network->hosts[to].hit);
	struct host_sa *in = network_fitting(network, from, to);
	struct endpoint local, remote;

	if (!out)
		return false;
	network->hosts[from].sent[to] = network->now;
	local = out->local;
	remote = out->remote;
	network_tell_sends(network, &network->hosts[from], to, out->spi_in);
	if (!in || (remote.port && !network_has(&network->hosts[to], &remote.address)) ||
		(network->hosts[from].link_count && !network_has(&network->hosts[from], &local.address)) ||
		!network_passes(network, &local.address, &remote.address))
		return false;
	network->hosts[to].heard[from] = network->now;
	network_heard(network, &network->hosts[to], in);
	/* Behind a NAT nobody knows here where it comes from. */
	if (network_has(&network->hosts[from], &local.address))
		network_came_by(network, &network->hosts[to], from, in, &remote, &local);
	return true;
}

/* ---- effects ---- */

static inline void network_install(struct network_host *self, const struct host_effect *effect)
{
	size_t slot = 0;

	while (slot < NETWORK_SAS && self->sas[slot].spi_in)
		slot++;
	assert_true(slot < NETWORK_SAS);
	assert_true(effect->sa->spi_in > 255 && effect->sa->spi_out > 255);
	assert_null(network_inbound(self, effect->sa->spi_in));
	self->sas[slot] = *effect->sa;
	self->sa_peers[slot] = effect->peer;
	self->sa_ages[slot] = effect->sa->standby ? 0 : ++self->sa_age;
	self->sa_heard[slot] = false;
}

/** All pairs with a peer go the same way. */
static inline void network_move_sas(struct network_host *self, const struct host_effect *effect)
{
	assert_non_null(network_inbound(self, effect->sa->spi_in));
	for (size_t i = 0; i < NETWORK_SAS; i++) {
		if (!self->sas[i].spi_in || !hit_equal(&self->sa_peers[i], &effect->peer))
			continue;
		self->sas[i].local = effect->local;
		self->sas[i].remote = effect->remote;
		self->sas[i].route = effect->sa->route;
	}
	self->moves++;
	self->heard_on_route[network_index(self->network, &effect->peer)] = 0;
}

static inline void network_put(struct network *network, struct network_host *from, const struct host_effect *effect)
{
	struct flying *packet = calloc(1, sizeof *packet);
	struct flying **link = &network->flying;

	assert_non_null(packet);
	assert_true(effect->length <= NETWORK_MAXIMUM);
	packet->at = network->now + NETWORK_LATENCY;
	packet->from = from->index;
	packet->sealed = effect->kind == HOST_SEND_SEALED;
	packet->probe = effect->kind == HOST_SEND_PROBE;
	packet->to = effect->peer;
	packet->source = effect->local;
	packet->destination = effect->remote;
	packet->length = effect->length;
	memcpy(packet->octets, effect->octets, effect->length);
	from->probes += packet->probe;
	if (!packet->probe)
		from->out_of_type[flying_type(packet) % 64]++;
	if (!packet->probe && flying_type(packet) == HIP_PACKET_NOTIFY)
		from->last_notification = network_notification(packet);
	if ((!packet->probe && network->fate && network->fate(network, packet) == FATE_LOSE) ||
		(!packet->sealed && !network_passes(network, &packet->source.address, &packet->destination.address))) {
		free(packet);
		return;
	}
	while (*link && (*link)->at <= packet->at)
		link = &(*link)->next;
	packet->next = *link;
	*link = packet;
}

static inline void network_note(struct network_host *self, const struct host_effect *effect)
{
	self->changes++;
	self->last = effect->association;
	self->last_peer = effect->peer;
	if (effect->association.usable)
		self->usable++;
	else if (effect->association.state == HOST_FAILED)
		self->failed++;
	else
		self->closed++;
}

static inline void network_drain(struct network *network, struct network_host *self)
{
	struct host_effect effect;

	while (self->host && host_next_effect(self->host, &effect)) {
		switch (effect.kind) {
		case HOST_SEND:
		case HOST_SEND_SEALED:
		case HOST_SEND_PROBE:
			network_put(network, self, &effect);
			break;
		case HOST_INSTALL_SA:
			network_install(self, &effect);
			break;
		case HOST_USE_SA:
			assert_non_null(network_inbound(self, effect.sa->spi_in));
			self->sa_ages[network_inbound(self, effect.sa->spi_in) - self->sas] = ++self->sa_age;
			break;
		case HOST_MOVE_SA:
			network_move_sas(self, &effect);
			break;
		case HOST_WATCH_SA:
			self->watched[network_index(network, &effect.peer)] = true;
			break;
		case HOST_HANDOVER:
			self->handovers += !effect.handover.resumed;
			self->resumed += effect.handover.resumed;
			self->handover = effect.handover;
			break;
		case HOST_REKEYED:
			self->rekeyed++;
			break;
		case HOST_REMOVE_SA:
			assert_non_null(network_inbound(self, effect.sa->spi_in));
			network_inbound(self, effect.sa->spi_in)->spi_in = 0;
			break;
		case HOST_ASSOCIATION:
			network_note(self, &effect);
			break;
		case HOST_SUSPECT:
			self->suspected++;
			break;
		case HOST_HEARD_AGAIN:
			self->heard_again++;
			break;
		case HOST_LEARNT_HIT:
			self->learnt = effect.peer;
			self->learnt_count++;
			break;
		case HOST_DATA:
			self->data++;
			self->last_data = *effect.data;
			assert_true(effect.data->length <= sizeof self->content);
			memcpy(self->content, effect.data->content, effect.data->length);
			break;
		case HOST_DATA_FAILED:
			self->data_failed++;
			break;
		default:
			break;
		}
	}
}

/* ---- time ---- */

/** A question or an answer inside ESP, by the endpoints that it was sent by. */
static inline void network_arrive_probe(struct network *network, const struct flying *packet)
{
	size_t to = network_index(network, &packet->to);
	struct host_sa *in = to < network->count ? network_fitting(network, packet->from, to) : NULL;
	struct network_host *self = &network->hosts[to < network->count ? to : 0];

	if (!in || !network_has(self, &packet->destination.address) || network->probes_are_unknown)
		return;
	network_came_by(network, self, packet->from, in, &packet->destination, &packet->source);
	NETWORK_CALL(host_probe_input(self->host, network->now, &network->hosts[packet->from].hit, &packet->destination,
		&packet->source, packet->octets));
	network_drain(network, self);
}

static inline void network_arrive(struct network *network, struct flying *packet)
{
	struct host_arrival arrival = {.inside_esp = packet->sealed};

	if (packet->probe) {
		network_arrive_probe(network, packet);
		return;
	}
	for (size_t i = 0; i < network->count; i++) {
		struct network_host *to = &network->hosts[i];

		if (!to->host)
			continue;
		if (packet->sealed) {
			if (!hit_equal(&to->hit, &packet->to) || !network_esp(network, packet->from, i))
				continue;
			arrival.neighbour = network->hosts[packet->from].hit;
		} else {
			if (!network_has(to, &packet->destination.address))
				continue;
			arrival.local = packet->destination;
			arrival.remote = packet->source;
		}
		NETWORK_CALL(host_input(to->host, network->now, &arrival, packet->octets, packet->length));
		network_drain(network, to);
	}
}

static inline instant network_next(const struct network *network)
{
	instant next = network->flying ? network->flying->at : INSTANT_NEVER;

	for (size_t i = 0; i < network->count; i++) {
		if (network->hosts[i].host)
			next = instant_earlier(next, host_next_wake(network->hosts[i].host));
	}
	return next;
}

/** Lets `span` pass. */
static inline void network_run(struct network *network, duration span)
{
	instant end = network->now + span;
	instant next;

	for (size_t i = 0; i < network->count; i++)
		network_drain(network, &network->hosts[i]);
	while ((next = network_next(network)) <= end) {
		if (next > network->now)
			network->now = next;
		while (network->flying && network->flying->at <= network->now) {
			struct flying *packet = network->flying;

			network->flying = packet->next;
			network_arrive(network, packet);
			free(packet);
		}
		for (size_t i = 0; i < network->count; i++) {
			struct network_host *self = &network->hosts[i];

			if (self->host && host_next_wake(self->host) <= network->now) {
				NETWORK_CALL(host_tick(self->host, network->now));
				network_drain(network, self);
				/* A wake that does not move on would never end. */
				assert_true(host_next_wake(self->host) > network->now);
			}
		}
	}
	network->now = end;
}

/** Runs and lets ESP go both ways between two every 200 ms. */
static inline void network_run_with_traffic(struct network *network, duration span, size_t a, size_t b)
{
	instant end = network->now + span;

	while (network->now < end) {
		network_esp(network, a, b);
		network_esp(network, b, a);
		network_run(network, MILLISECONDS(200));
	}
}

/* ---- life ---- */

static inline struct endpoint network_endpoint(const struct network *network, size_t index)
{
	const struct network_host *self = &network->hosts[index];
	bool udp = self->configuration.transports[0] == TRANSPORT_UDP;

	return (struct endpoint){
		.address = self->address, .port = udp ? 10500 : 0, .transport = self->configuration.transports[0]};
}

static inline void network_boot(struct network *network, size_t index)
{
	struct network_host *self = &network->hosts[index];

	memset(self->sas, 0, sizeof self->sas);
	assert_int_equal(host_create(&self->configuration, network->now, &self->host), HIPHOP_OK);
	if (self->link_count)
		host_set_links(self->host, network->now, self->links, self->link_count);
	else
		host_set_addresses(self->host, network->now, &self->address, 1);
}

/** The links of a host, complete; the kernel chooses the first. */
static inline void network_set_links(
	struct network *network, size_t index, const struct link_address *links, size_t count)
{
	struct network_host *self = &network->hosts[index];

	assert_true(count <= NETWORK_LINKS);
	memcpy(self->links, links, count * sizeof *links);
	self->link_count = count;
	self->routeless = !count;
	memset(&self->address, 0, sizeof self->address);
	if (count)
		self->address = links[0].address;
	NETWORK_CALL(host_set_links(self->host, network->now, self->links, count));
	network_drain(network, self);
}

static inline struct link_address network_link(const char *text)
{
	struct link_address link = {0};

	assert_int_equal(address_parse(text, &link.address), HIPHOP_OK);
	return link;
}

/** The same, from text with spaces between the addresses. */
static inline void network_set_addresses(struct network *network, size_t index, const char *text)
{
	struct link_address links[NETWORK_LINKS];
	char copy[256], *rest = NULL;
	size_t count = 0;

	snprintf(copy, sizeof copy, "%s", text);
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_true(count < NETWORK_LINKS);
		links[count++] = network_link(word);
	}
	network_set_links(network, index, links, count);
}

static inline void network_crash(struct network *network, size_t index)
{
	host_free(network->hosts[index].host);
	network->hosts[index].host = NULL;
	memset(network->hosts[index].sas, 0, sizeof network->hosts[index].sas);
}

static inline struct network *network_make(size_t count, uint16_t transport)
{
	struct network *network = calloc(1, sizeof *network);

	assert_non_null(network);
	network->count = count;
	network->now = NETWORK_START;
	network->random = seeded_random_start(&network->generator, 42);
	for (size_t i = 0; i < count; i++) {
		struct network_host *self = &network->hosts[i];
		char text[64];

		self->network = network;
		self->index = i;
		assert_int_equal(host_identity_from_seed(&network->random, &self->identity), HIPHOP_OK);
		self->hit = *host_identity_hit(self->identity);
		snprintf(text, sizeof text, "192.0.2.%zu", i + 1);
		assert_int_equal(address_parse(text, &self->address), HIPHOP_OK);
		self->configuration = (struct host_configuration){.identity = self->identity,
			.random = &network->random,
			.environment = {.context = self,
				.source_address = network_source_address,
				.traffic = network_traffic,
				.heard_on_path = network_heard_on_path,
				.next_hop = network_next_hop,
				.may_associate = network_may_associate},
			.overlay = true,
			.overlay_id = NETWORK_OVERLAY,
			.transports = {transport},
			.transport_count = 1,
			.puzzle_difficulty = 4,
			.puzzle_difficulty_maximum = 10,
			.patience = SECONDS(10)};
		network_boot(network, i);
	}
	return network;
}

static inline void network_free(struct network *network)
{
	while (network->flying) {
		struct flying *packet = network->flying;

		network->flying = packet->next;
		free(packet);
	}
	for (size_t i = 0; i < network->count; i++) {
		host_free(network->hosts[i].host);
		host_identity_free(network->hosts[i].identity);
	}
	free(network);
}

/** Tells a where b is. */
static inline void network_introduce(struct network *network, size_t a, size_t b)
{
	struct endpoint endpoint = network_endpoint(network, b);

	assert_int_equal(
		host_learn_locator(network->hosts[a].host, &network->hosts[b].hit, &endpoint, true), HIPHOP_OK);
}

static inline void network_connect(struct network *network, size_t a, size_t b)
{
	assert_int_equal(host_connect(network->hosts[a].host, network->now, &network->hosts[b].hit), HIPHOP_OK);
	network_drain(network, &network->hosts[a]);
}

static inline void network_associate(struct network *network, size_t a, size_t b)
{
	network_introduce(network, a, b);
	network_connect(network, a, b);
	network_run(network, SECONDS(1));
	assert_true(network_esp(network, a, b));
	assert_true(network_esp(network, b, a));
}

static inline host_state network_state(struct network *network, size_t a, size_t b)
{
	struct host_association_view view;

	if (!host_association_find(network->hosts[a].host, &network->hosts[b].hit, &view))
		return HOST_UNASSOCIATED;
	return view.state;
}

#endif
