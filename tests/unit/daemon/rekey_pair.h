/* SPDX-License-Identifier: MIT */
/**
 * Two hosts with their real ESP engines on virtual time, and traffic between them. Every inner packet has a number, so
 * that one that is lost or comes twice is found; what becomes of an UPDATE is up to the test.
 */
#ifndef HIPHOP_TESTS_REKEY_PAIR_H
#define HIPHOP_TESTS_REKEY_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "hip/core/host.h"
#include "hip/esp/beet.h"
#include "hip/esp/esp.h"
#include "hip/wire/packet.h"
#include "hip/wire/parameters.h"

#define PAIR_LATENCY MILLISECONDS(10)
#define PAIR_EVERY   MILLISECONDS(5) /* between two packets of one end */
#define PAIR_SAS     8
#define PAIR_WINDOW  (1U << 16) /* numbers of packets that are told apart */

struct pair;

struct pair_flight {
	struct pair_flight *next;
	instant at;
	size_t to;
	bool is_esp;
	size_t length;
	uint8_t octets[2048];
};

/* What crossed to the data plane, to compare both ends. */
struct pair_sa {
	uint32_t spi_in, spi_out;
	struct esp_keys keys_in, keys_out;
};

struct pair_end {
	struct pair *pair;
	size_t index;
	struct host *host;
	struct esp *esp;
	struct host_identity *identity;
	struct hit hit;
	struct address address;
	struct pair_sa sas[PAIR_SAS];
	uint64_t number; /* of the next inner packet that it sends */
	bool came[PAIR_WINDOW];
	uint64_t received, twice, unknown, missed;
	unsigned updates, rekeyed, usable, over, highest_sas;
	bool mute;          /* sends no inner packets */
	bool install_fails; /* the data plane has no memory */
};

/** How a HIP packet travels: how many copies, and how much later each is than it should be. */
struct pair_fate {
	unsigned copies;
	duration late[2];
};

struct pair {
	instant now, next_traffic;
	struct seeded_random generator;
	struct random_source random;
	struct pair_flight *flying;
	struct packet_vector *vector;
	struct pair_end ends[2];
	struct pair_fate (*fate)(struct pair *pair, size_t from, const struct packet_view *view);
	void *fate_context;
	void (*before_input)(struct pair *pair, size_t to, const uint8_t *octets);
	void (*after_input)(struct pair *pair);
};

/* ---- the wire ---- */

static inline void pair_put(
	struct pair *pair, size_t to, bool is_esp, const uint8_t *octets, size_t length, duration late)
{
	struct pair_flight *flight = calloc(1, sizeof *flight), **link = &pair->flying;

	assert_non_null(flight);
	assert_true(length <= sizeof flight->octets);
	flight->at = pair->now + PAIR_LATENCY + late;
	flight->to = to;
	flight->is_esp = is_esp;
	flight->length = length;
	memcpy(flight->octets, octets, length);
	while (*link && (*link)->at <= flight->at)
		link = &(*link)->next;
	flight->next = *link;
	*link = flight;
}

static inline void pair_send_hip(struct pair_end *from, const struct host_effect *effect)
{
	struct pair *pair = from->pair;
	struct pair_fate fate = {.copies = 1};
	struct packet_view view;

	assert_int_equal(packet_parse(effect->octets, effect->length, &view), HIPHOP_OK);
	from->updates += view.type == HIP_PACKET_UPDATE;
	if (pair->fate && view.type == HIP_PACKET_UPDATE)
		fate = pair->fate(pair, from->index, &view);
	for (unsigned i = 0; i < fate.copies; i++)
		pair_put(pair, 1 - from->index, false, effect->octets, effect->length, fate.late[i]);
}

/* ---- effects ---- */

static inline struct pair_sa *pair_sa_by_spi(struct pair_end *end, uint32_t spi_in)
{
	for (size_t i = 0; i < PAIR_SAS; i++) {
		if (end->sas[i].spi_in == spi_in)
			return &end->sas[i];
	}
	return NULL;
}

static inline unsigned pair_sa_count(struct pair_end *end)
{
	unsigned count = 0;

	for (size_t i = 0; i < PAIR_SAS; i++)
		count += end->sas[i].spi_in != 0;
	return count;
}

/* Whatever one end has installed that the other has too must have the same keys. */
static inline void pair_compare(struct pair *pair)
{
	for (size_t i = 0; i < PAIR_SAS; i++) {
		const struct pair_sa *one = &pair->ends[0].sas[i];
		const struct pair_sa *other = one->spi_in ? pair_sa_by_spi(&pair->ends[1], one->spi_out) : NULL;

		if (!other)
			continue;
		assert_int_equal(other->spi_out, one->spi_in);
		assert_memory_equal(&other->keys_in, &one->keys_out, sizeof one->keys_out);
		assert_memory_equal(&other->keys_out, &one->keys_in, sizeof one->keys_in);
	}
}

static inline void pair_install(struct pair_end *end, const struct host_effect *effect)
{
	const struct host_sa *sa = effect->sa;
	struct esp_pair installed = {.peer = effect->peer,
		.remote = effect->remote,
		.spi_in = sa->spi_in,
		.spi_out = sa->spi_out,
		.keys_in = &sa->keys_in,
		.keys_out = &sa->keys_out,
		.standby = sa->standby,
		.limits = {sa->soft.packets, sa->hard.packets, sa->soft.octets, sa->hard.octets}};

	if (end->install_fails) {
		host_note_sa(end->host, end->pair->now, sa->spi_in, HOST_SA_LOST);
		return;
	}
	assert_int_equal(esp_install(end->esp, &installed), HIPHOP_OK);
	*pair_sa_by_spi(end, 0) = (struct pair_sa){sa->spi_in, sa->spi_out, sa->keys_in, sa->keys_out};
	if (pair_sa_count(end) > end->highest_sas)
		end->highest_sas = pair_sa_count(end);
	pair_compare(end->pair);
}

static inline void pair_remove(struct pair_end *end, uint32_t spi_in)
{
	struct pair_sa *sa = pair_sa_by_spi(end, spi_in);

	if (sa) {
		assert_int_equal(esp_remove(end->esp, spi_in), HIPHOP_OK);
		memset(sa, 0, sizeof *sa);
	}
}

static inline void pair_drain(struct pair_end *end)
{
	struct host_effect effect;

	while (host_next_effect(end->host, &effect)) {
		if (effect.kind == HOST_SEND)
			pair_send_hip(end, &effect);
		else if (effect.kind == HOST_INSTALL_SA)
			pair_install(end, &effect);
		else if (effect.kind == HOST_USE_SA)
			(void)esp_use(end->esp, effect.sa->spi_in);
		else if (effect.kind == HOST_REMOVE_SA)
			pair_remove(end, effect.sa->spi_in);
		else if (effect.kind == HOST_REKEYED)
			end->rekeyed++;
		else if (effect.kind == HOST_ASSOCIATION && effect.association.usable)
			end->usable++;
		else if (effect.kind == HOST_ASSOCIATION)
			end->over++;
	}
}

static inline void pair_note(struct pair_end *end)
{
	struct esp_notice notice;

	while (esp_next_notice(end->esp, &notice)) {
		/* They are between two addresses, so nothing else matters here. */
		if (notice.kind > ESP_NOTICE_HARD)
			continue;
		host_note_sa(end->host, end->pair->now, notice.spi_in,
			notice.kind == ESP_NOTICE_HEARD  ? HOST_SA_HEARD
			: notice.kind == ESP_NOTICE_SOFT ? HOST_SA_SOFT_LIMIT
							 : HOST_SA_HARD_LIMIT);
		pair_drain(end);
	}
}

/* ---- traffic ---- */

static inline void pair_send_inner(struct pair_end *from)
{
	struct pair *pair = from->pair;
	struct pair_end *to = &pair->ends[1 - from->index];
	uint8_t octets[BEET_INNER_HEADER_LENGTH + 8];
	struct packet *packet;

	beet_write(octets, 17, 8, &from->hit, &to->hit);
	memcpy(octets + BEET_INNER_HEADER_LENGTH, &from->number, 8);
	pair->vector->count = 0;
	packet = packet_vector_add(pair->vector);
	assert_int_equal(packet_fill(packet, PACKET_INNER, octets, sizeof octets), HIPHOP_OK);
	esp_seal(from->esp, pair->now, pair->vector);
	if (packet->kind == PACKET_ESP) {
		/* They overtake each other. */
		pair_put(pair, to->index, true, packet_data(packet), packet->length,
			random_below(&pair->random, (uint32_t)PAIR_LATENCY));
		from->number++;
	} else {
		from->missed++;
	}
	pair_note(from);
}

static inline void pair_receive_esp(struct pair_end *to, const struct pair_flight *flight)
{
	struct pair *pair = to->pair;
	struct packet *packet;
	uint64_t number;

	pair->vector->count = 0;
	packet = packet_vector_add(pair->vector);
	assert_int_equal(packet_fill(packet, PACKET_ESP, flight->octets, flight->length), HIPHOP_OK);
	esp_open(to->esp, pair->now, pair->vector);
	if (packet->kind == PACKET_INNER) {
		memcpy(&number, packet_data(packet) + BEET_INNER_HEADER_LENGTH, 8);
		to->twice += to->came[number % PAIR_WINDOW];
		to->came[number % PAIR_WINDOW] = true;
		to->received++;
	} else if (packet->kind == PACKET_ESP) {
		struct endpoint local = {.address = to->address, .port = 10500, .transport = TRANSPORT_UDP};
		struct endpoint remote = {
			.address = pair->ends[1 - to->index].address, .port = 10500, .transport = TRANSPORT_UDP};
		const uint8_t *spi = flight->octets;

		to->unknown++;
		host_unknown_spi(to->host, pair->now, &local, &remote,
			(uint32_t)spi[0] << 24 | (uint32_t)spi[1] << 16 | (uint32_t)spi[2] << 8 | spi[3]);
		pair_drain(to);
	}
	pair_note(to);
}

static inline void pair_arrive(struct pair *pair, const struct pair_flight *flight)
{
	struct pair_end *to = &pair->ends[flight->to], *from = &pair->ends[1 - flight->to];
	const struct host_arrival arrival = {
		.local = {.address = to->address, .port = 10500, .transport = TRANSPORT_UDP},
		.remote = {.address = from->address, .port = 10500, .transport = TRANSPORT_UDP}};

	if (flight->is_esp) {
		pair_receive_esp(to, flight);
		return;
	}
	if (pair->before_input)
		pair->before_input(pair, flight->to, flight->octets);
	host_input(to->host, pair->now, &arrival, flight->octets, flight->length);
	if (pair->after_input)
		pair->after_input(pair);
	pair_drain(to);
}

/* ---- time ---- */

static inline instant pair_next(const struct pair *pair)
{
	instant next = pair->flying ? pair->flying->at : INSTANT_NEVER;

	for (size_t i = 0; i < 2; i++)
		next = instant_earlier(next, host_next_wake(pair->ends[i].host));
	return instant_earlier(next, pair->next_traffic);
}

static inline void pair_step(struct pair *pair)
{
	while (pair->flying && pair->flying->at <= pair->now) {
		struct pair_flight *flight = pair->flying;

		pair->flying = flight->next;
		pair_arrive(pair, flight);
		free(flight);
	}
	for (size_t i = 0; i < 2; i++) {
		host_tick(pair->ends[i].host, pair->now);
		pair_drain(&pair->ends[i]);
	}
	if (pair->now >= pair->next_traffic) {
		for (size_t i = 0; i < 2; i++) {
			if (!pair->ends[i].mute)
				pair_send_inner(&pair->ends[i]);
		}
		pair->next_traffic = pair->now + PAIR_EVERY;
	}
}

static inline void pair_run(struct pair *pair, duration span)
{
	instant end = pair->now + span, next;

	for (size_t i = 0; i < 2; i++)
		pair_drain(&pair->ends[i]);
	while ((next = pair_next(pair)) <= end) {
		if (next > pair->now)
			pair->now = next;
		pair_step(pair);
	}
	pair->now = end;
}

static inline void pair_run_without_traffic(struct pair *pair, duration span)
{
	pair->next_traffic = INSTANT_NEVER;
	pair_run(pair, span);
	pair->next_traffic = pair->now;
}

/** Lets what is in flight arrive, without new traffic, and checks that nothing was lost and nothing came twice. */
static inline void pair_check_traffic(struct pair *pair)
{
	instant traffic = pair->next_traffic;

	pair->next_traffic = INSTANT_NEVER;
	pair_run(pair, MILLISECONDS(40));
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(pair->ends[i].unknown, 0);
		assert_int_equal(pair->ends[i].missed, 0);
		assert_int_equal(pair->ends[i].twice, 0);
		assert_int_equal(pair->ends[i].received, pair->ends[1 - i].number);
	}
	pair->next_traffic = traffic == INSTANT_NEVER ? traffic : pair->now;
	if (pair->ends[0].number < PAIR_WINDOW / 2 && pair->ends[1].number < PAIR_WINDOW / 2)
		return;
	for (size_t i = 0; i < 2; i++) {
		memset(pair->ends[i].came, 0, sizeof pair->ends[i].came);
		pair->ends[i].number = pair->ends[i].received = 0;
	}
}

/* ---- life ---- */

static inline bool pair_source_address(void *context, const struct address *remote, struct address *source)
{
	const struct pair_end *end = context;

	(void)remote;
	*source = end->address;
	return true;
}

static inline void pair_traffic(void *context, const struct hit *peer, instant *sent, instant *heard)
{
	const struct pair_end *end = context;

	esp_traffic(end->esp, peer, sent, heard);
}

static inline void pair_make_end(struct pair *pair, size_t index, const struct host_configuration *wishes)
{
	struct pair_end *end = &pair->ends[index];
	struct host_configuration configuration = *wishes;

	end->pair = pair;
	end->index = index;
	assert_int_equal(host_identity_from_seed(&pair->random, &end->identity), HIPHOP_OK);
	end->hit = *host_identity_hit(end->identity);
	assert_int_equal(address_parse(index ? "192.0.2.2" : "192.0.2.1", &end->address), HIPHOP_OK);
	configuration.identity = end->identity;
	configuration.random = &pair->random;
	configuration.environment.context = end;
	configuration.environment.source_address = pair_source_address;
	configuration.environment.traffic = pair_traffic;
	configuration.puzzle_difficulty = 1;
	assert_int_equal(host_create(&configuration, pair->now, &end->host), HIPHOP_OK);
	assert_int_equal(esp_create(&end->hit, &pair->random, &end->esp), HIPHOP_OK);
	host_set_addresses(end->host, pair->now, &end->address, 1);
}

/** Two ends that are associated; end 0 was the Initiator. No traffic runs before pair->next_traffic is set. */
static inline struct pair *pair_make(const struct host_configuration *one, const struct host_configuration *other)
{
	struct pair *pair = calloc(1, sizeof *pair);
	struct endpoint endpoint = {.port = 10500, .transport = TRANSPORT_UDP};

	assert_non_null(pair);
	pair->now = SECONDS(1000);
	pair->next_traffic = INSTANT_NEVER;
	pair->random = seeded_random_start(&pair->generator, 7);
	pair->vector = calloc(1, sizeof *pair->vector);
	pair_make_end(pair, 0, one);
	pair_make_end(pair, 1, other);
	endpoint.address = pair->ends[1].address;
	assert_int_equal(host_learn_locator(pair->ends[0].host, &pair->ends[1].hit, &endpoint, true), HIPHOP_OK);
	assert_int_equal(host_connect(pair->ends[0].host, pair->now, &pair->ends[1].hit), HIPHOP_OK);
	pair_run(pair, MILLISECONDS(200));
	assert_int_equal(pair_sa_count(&pair->ends[0]), 1);
	assert_int_equal(pair_sa_count(&pair->ends[1]), 1);
	return pair;
}

static inline void pair_free(struct pair *pair)
{
	while (pair->flying) {
		struct pair_flight *flight = pair->flying;

		pair->flying = flight->next;
		free(flight);
	}
	for (size_t i = 0; i < 2; i++) {
		host_free(pair->ends[i].host);
		esp_free(pair->ends[i].esp);
		host_identity_free(pair->ends[i].identity);
	}
	free(pair->vector);
	free(pair);
}

static inline struct host_association_view pair_view(struct pair *pair, size_t index)
{
	struct host_association_view view;

	assert_true(host_association_find(pair->ends[index].host, &pair->ends[1 - index].hit, &view));
	return view;
}

/** Both ends use the same pair of SAs, and no rekeying is under way. */
static inline bool pair_is_settled(struct pair *pair)
{
	const struct host_association_view one = pair_view(pair, 0), other = pair_view(pair, 1);

	return one.spi_in && one.spi_in == other.spi_out && one.spi_out == other.spi_in && !one.rekeying &&
	       !other.rekeying;
}

/** Has a rekeying begun by `index`. */
static inline void pair_rekey(struct pair *pair, size_t index, bool diffie_hellman)
{
	assert_int_equal(
		host_rekey(pair->ends[index].host, pair->now, &pair->ends[1 - index].hit, diffie_hellman), HIPHOP_OK);
	pair_drain(&pair->ends[index]);
}

#endif
