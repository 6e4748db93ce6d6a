/* SPDX-License-Identifier: MIT */
#include "tests/sim/simulation.h"

#include "hip/base/bytes.h"
#include "tests/sim/inner_udp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define IPV6_HEADER_LENGTH 40

/* Around each call into a node, of the simulation in sight. */
#define CALL(what) (tell_call(simulation, true), (what), tell_call(simulation, false))

static void tell_call(const struct simulation *simulation, bool begins)
{
	if (simulation->call)
		simulation->call(begins);
}

/* A datagram on its way. */
struct in_flight {
	instant at;
	uint64_t order;
	struct endpoint local, remote; /* as the receiver sees them */
	size_t to;
	uint16_t kind;
	size_t length;
	uint8_t octets[];
};

static void write_log(void *context, log_level level, const char *line)
{
	const struct simulation *simulation = context;

	fprintf(stderr, "%9.3f %d %s\n", (double)simulation->now / 1e9, (int)level, line);
}

/* ---- making ---- */

static struct address address_of(size_t index)
{
	struct address address = {{0x20, 0x01, 0x0d, 0xb8}};

	address.octets[14] = (uint8_t)((index + 1) >> 8);
	address.octets[15] = (uint8_t)(index + 1);
	return address;
}

static size_t index_of(const struct address *address)
{
	return (size_t)(address->octets[14] << 8 | address->octets[15]) - 1;
}

static void configure(struct simulation *simulation, struct simulation_host *host)
{
	struct configuration *configuration = &host->configuration;

	assert_int_equal(configuration_default(configuration), HIPHOP_OK);
	snprintf(configuration->overlay_name, sizeof(configuration->overlay_name), "example.com");
	snprintf(configuration->sip_domain, sizeof(configuration->sip_domain), "example.com");
	configuration->transports[0] = TRANSPORT_UDP;
	configuration->transport_count = 1;
	if (host->index > 0) {
		free(configuration->bootstrap);
		configuration->bootstrap = calloc(1, sizeof(*configuration->bootstrap));
		assert_non_null(configuration->bootstrap);
		configuration->bootstrap_count = 1;
		configuration->bootstrap->endpoint.address = address_of(0);
		configuration->bootstrap->endpoint.port = configuration->port;
		configuration->bootstrap->hit = *host_identity_hit(simulation->hosts[0].identity);
	}
}

void simulation_start(struct simulation *simulation, uint64_t seed, size_t count)
{
	memset(simulation, 0, sizeof(*simulation));
	fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
	simulation->seed = seed;
	simulation->random = seeded_random_start(&simulation->generator, seed);
	simulation->now = SECONDS(1);
	simulation->wall_start = UINT64_C(1800000000000);
	simulation->delay = MILLISECONDS(10);
	simulation->trace = UINT64_C(0xcbf29ce484222325);
	simulation->vector = calloc(1, sizeof(*simulation->vector));
	simulation->replies_vectors = calloc(2, sizeof(*simulation->replies_vectors));
	assert_non_null(simulation->replies_vectors);
	simulation->hosts = calloc(count, sizeof(*simulation->hosts));
	assert_non_null(simulation->vector);
	assert_non_null(simulation->hosts);
	simulation->host_count = count;
	simulation->log = (struct log){write_log, simulation, getenv("SIM_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR};
	for (size_t i = 0; i < count; i++) {
		struct simulation_host *host = &simulation->hosts[i];

		host->simulation = simulation;
		host->index = i;
		host->address = address_of(i);
		host->wake = INSTANT_NEVER;
		host->random = seeded_random_start(&host->generator, seed * 1000003 + i);
		assert_int_equal(host_identity_from_seed(&host->random, &host->identity), HIPHOP_OK);
		configure(simulation, host);
	}
}

static void free_state(struct simulation_host *host);

void simulation_free(struct simulation *simulation)
{
	for (size_t i = 0; i < simulation->host_count; i++) {
		struct simulation_host *host = &simulation->hosts[i];

		if (host->node)
			simulation_kill(simulation, i);
		free_state(host);
		host_identity_free(host->identity);
		for (size_t j = 0; j < CONFIGURATION_MORE; j++)
			host_identity_free(host->more[j]);
		configuration_free(&host->configuration);
	}
	for (size_t i = 0; i < simulation->in_flight_count; i++)
		free(simulation->heap[i]);
	for (size_t i = 0; i < SIMULATION_REPLIES; i++)
		json_decref(simulation->replies[i]);
	free(simulation->heap);
	free(simulation->hosts);
	free(simulation->vector);
	free(simulation->replies_vectors);
}

/* ---- the network ---- */

static bool earlier(const struct in_flight *a, const struct in_flight *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void heap_push(struct simulation *simulation, struct in_flight *datagram)
{
	size_t slot = simulation->in_flight_count++;

	if (slot == simulation->in_flight_capacity) {
		simulation->in_flight_capacity = slot ? 2 * slot : 256;
		simulation->heap =
			realloc(simulation->heap, simulation->in_flight_capacity * sizeof(*simulation->heap));
		assert_non_null(simulation->heap);
	}
	while (slot && earlier(datagram, simulation->heap[(slot - 1) / 2])) {
		simulation->heap[slot] = simulation->heap[(slot - 1) / 2];
		slot = (slot - 1) / 2;
	}
	simulation->heap[slot] = datagram;
}

static struct in_flight *heap_pop(struct simulation *simulation)
{
	struct in_flight *first = simulation->heap[0];
	struct in_flight *last = simulation->heap[--simulation->in_flight_count];
	size_t slot = 0;

	for (;;) {
		size_t child = 2 * slot + 1;

		if (child >= simulation->in_flight_count)
			break;
		if (child + 1 < simulation->in_flight_count &&
			earlier(simulation->heap[child + 1], simulation->heap[child]))
			child++;
		if (!earlier(simulation->heap[child], last))
			break;
		simulation->heap[slot] = simulation->heap[child];
		slot = child;
	}
	simulation->heap[slot] = last;
	return first;
}

static bool is_lost(struct simulation *simulation, const struct simulation_host *from, size_t to)
{
	bool lost = random_below(&simulation->random, 1000) < simulation->loss_per_mille;

	if (to >= simulation->host_count || from->cut_off || simulation->hosts[to].cut_off)
		return true;
	return lost || from->partition != simulation->hosts[to].partition;
}

static void send_packet(struct simulation *simulation, struct simulation_host *from, struct packet *packet)
{
	size_t to = index_of(&packet->remote.address);
	struct in_flight *datagram;

	from->sent++;
	if (is_lost(simulation, from, to)) {
		simulation->lost++;
		return;
	}
	datagram = malloc(sizeof(*datagram) + packet->length);
	assert_non_null(datagram);
	datagram->at = simulation->now + simulation->delay +
		       (simulation->jitter ? random_u64(&simulation->random) % simulation->jitter : 0);
	datagram->order = simulation->next_order++;
	datagram->local = packet->remote;
	datagram->remote = packet->remote;
	datagram->remote.address = from->address;
	datagram->remote.port = packet->remote.transport == TRANSPORT_UDP ? from->configuration.port : 0;
	datagram->to = to;
	datagram->kind = packet->kind;
	datagram->length = packet->length;
	memcpy(datagram->octets, packet_data(packet), packet->length);
	heap_push(simulation, datagram);
}

/* ---- carrying a node's effects out ---- */

/* Does what a kernel would: answers an echo request to our HIT. */
static bool make_echo_reply(struct packet *packet)
{
	uint8_t *octets = packet_data(packet);
	struct hit swap;
	uint16_t checksum;

	if (packet->kind != PACKET_INNER || packet->length < IPV6_HEADER_LENGTH + 8 || octets[6] != 58 ||
		octets[40] != 128)
		return false;
	memcpy(&swap, octets + 8, HIT_LENGTH);
	memmove(octets + 8, octets + 24, HIT_LENGTH);
	memcpy(octets + 24, &swap, HIT_LENGTH);
	octets[40] = 129;
	/* The type grew by 1 in the high octet of its word; the checksum shrinks by as much. */
	checksum = (uint16_t)(octets[42] << 8 | octets[43]);
	checksum = (uint16_t)(checksum >= 0x100 ? checksum - 0x100 : checksum + 0xfeff);
	octets[42] = (uint8_t)(checksum >> 8);
	octets[43] = (uint8_t)checksum;
	return true;
}

/* What phones send, and what comes for them and for the proxy, waits until the node's effects are drained. */
struct waiting_datagram {
	struct waiting_datagram *next;
	struct endpoint from, to;
	size_t length;
	uint8_t octets[];
};

static void wait_datagram(struct simulation_host *host, const struct endpoint *from, const struct endpoint *to,
	const uint8_t *octets, size_t length)
{
	struct waiting_datagram *waiting = malloc(sizeof(*waiting) + length);
	struct waiting_datagram **end = &host->waiting;

	assert_non_null(waiting);
	waiting->next = NULL;
	waiting->from = *from;
	waiting->to = *to;
	waiting->length = length;
	memcpy(waiting->octets, octets, length);
	while (*end)
		end = &(*end)->next;
	*end = waiting;
}

static struct endpoint own_endpoint(const struct simulation_host *host, uint16_t port)
{
	struct endpoint endpoint = {.port = port};

	memcpy(endpoint.address.octets, host_identity_hit(host->identity)->octets, HIT_LENGTH);
	return endpoint;
}

static bool is_own(const struct simulation_host *host, const struct endpoint *endpoint)
{
	return memcmp(endpoint->address.octets, host_identity_hit(host->identity)->octets, HIT_LENGTH) == 0;
}

/* Hands over what waits: to the proxy through the node, to the phones through the test. True when there was something.
 */
static bool hand_over(struct simulation *simulation, struct simulation_host *host)
{
	struct waiting_datagram *waiting = host->waiting;

	if (!waiting)
		return false;
	host->waiting = waiting->next;
	if (waiting->to.port == SIMULATION_SIP_PORT)
		CALL(node_sip_datagram(
			host->node, simulation->now, &waiting->to, &waiting->from, waiting->octets, waiting->length));
	else if (simulation->phone)
		simulation->phone(
			simulation, host->index, &waiting->to, &waiting->from, waiting->octets, waiting->length);
	free(waiting);
	return true;
}

static void take_tunnel_udp(struct simulation_host *host, struct packet *packet)
{
	struct endpoint from, to;
	struct span payload;

	host->tunnel_packets++;
	if (inner_udp_read(packet, &from, &to, &payload))
		wait_datagram(host, &from, &to, payload.data, payload.length);
}

static void take_tunnel_packets(
	struct simulation_host *host, struct packet_vector *vector, struct packet_vector *replies)
{
	for (size_t i = 0; i < vector->count; i++) {
		struct packet *packet = &vector->packets[i];

		if (packet->kind != PACKET_INNER)
			continue;
		if (make_echo_reply(packet))
			packet_fill(packet_vector_add(replies), PACKET_INNER, packet_data(packet), packet->length);
		else
			take_tunnel_udp(host, packet);
	}
}

static void send_vector(struct simulation *simulation, struct simulation_host *host, struct packet_vector *vector)
{
	for (size_t i = 0; i < vector->count; i++) {
		uint16_t kind = vector->packets[i].kind;

		if (kind == PACKET_DATAGRAM || kind == PACKET_HIP || kind == PACKET_ESP)
			send_packet(simulation, host, &vector->packets[i]);
	}
}

static void keep_reply(struct simulation *simulation, const struct node_effect *effect)
{
	json_t **slot = &simulation->replies[effect->token % SIMULATION_REPLIES];

	json_decref(*slot);
	*slot = json_loads(effect->text, 0, NULL);
	if (!*slot)
		fail_msg("no JSON: %s", effect->text);
}

/* Local ones wait for the phone or the proxy; those for another HIT go into the tunnel. */
static void send_datagram(struct simulation_host *host, const struct endpoint *from, const struct endpoint *to,
	const uint8_t *octets, size_t length, struct packet_vector *replies)
{
	if (is_own(host, to))
		wait_datagram(host, from, to, octets, length);
	else
		inner_udp_write(packet_vector_add(replies), from, to, octets, length);
}

/* The state file of a host, newest record first; only what is stored last under a key counts. */
struct kept_record {
	struct kept_record *next;
	struct node_record record;
	char space[32];
	char key[512];
	uint8_t value[4096];
};

static void forget_record(struct simulation_host *host, const struct node_record *record)
{
	struct kept_record **place = &host->state;

	while (*place) {
		struct kept_record *kept = *place;

		if (strcmp(kept->space, record->space) == 0 && strcmp(kept->key, record->key) == 0) {
			*place = kept->next;
			free(kept);
		} else {
			place = &kept->next;
		}
	}
}

static void keep_record(struct simulation_host *host, const struct node_record *record)
{
	struct kept_record *kept = calloc(1, sizeof(*kept));

	assert_non_null(kept);
	assert_true(record->length <= sizeof(kept->value));
	forget_record(host, record);
	snprintf(kept->space, sizeof(kept->space), "%s", record->space);
	snprintf(kept->key, sizeof(kept->key), "%s", record->key);
	memcpy(kept->value, record->value, record->length);
	kept->record = (struct node_record){kept->space, kept->key, kept->value, record->length, record->expires};
	kept->next = host->state;
	host->state = kept;
}

static void restore_state(struct simulation *simulation, struct simulation_host *host)
{
	for (const struct kept_record *kept = host->state; kept; kept = kept->next)
		CALL(node_restore(host->node, &kept->record));
}

bool simulation_keeps(const struct simulation *simulation, size_t host, const struct hit *hit)
{
	char text[HIT_TEXT_SIZE];
	bool found = false;

	hit_format(hit, text);
	for (const struct kept_record *kept = simulation->hosts[host].state; kept; kept = kept->next)
		found |= strstr(kept->key, text) || memmem(kept->value, kept->record.length, hit->octets, HIT_LENGTH) ||
			 memmem(kept->value, kept->record.length, text, strlen(text));
	return found;
}

static void free_state(struct simulation_host *host)
{
	while (host->state) {
		struct kept_record *next = host->state->next;

		free(host->state);
		host->state = next;
	}
}

static bool next_effect(struct simulation *simulation, struct simulation_host *host, struct node_effect *effect)
{
	bool found;

	CALL(found = node_next_effect(host->node, effect));
	return found;
}

static hiphop_error change_route(struct simulation_host *host, const struct node_effect *effect)
{
	size_t place = 0;

	while (place < host->route_count && !ip_prefix_equal(&host->routes[place], &effect->prefix))
		place++;
	if (effect->kind == NODE_ROUTE_REMOVE) {
		if (place == host->route_count)
			return HIPHOP_NOT_FOUND;
		host->routes[place] = host->routes[--host->route_count];
		return HIPHOP_OK;
	}
	if (place < host->route_count)
		return HIPHOP_EXISTS;
	if (place == SIMULATION_ROUTES)
		return HIPHOP_LIMITED;
	host->routes[host->route_count++] = effect->prefix;
	return HIPHOP_OK;
}

/* Carries out all effects; what the kernel sends into the tunnel ends up in `replies`. */
static void carry_out(struct simulation *simulation, struct simulation_host *host, struct packet_vector *replies)
{
	struct node_effect effect;

	while (next_effect(simulation, host, &effect)) {
		if (effect.kind == NODE_UNDERLAY_SEND)
			send_vector(simulation, host, effect.vector);
		else if (effect.kind == NODE_TUNNEL_WRITE)
			take_tunnel_packets(host, effect.vector, replies);
		else if (effect.kind == NODE_SIP_DATAGRAM)
			send_datagram(host, &effect.local, &effect.remote, effect.octets, effect.length, replies);
		else if (effect.kind == NODE_PERSIST && simulation->keep_state)
			keep_record(host, &effect.record);
		else if (effect.kind == NODE_FORGET)
			forget_record(host, &effect.record);
		else if (effect.kind == NODE_REPLY)
			keep_reply(simulation, &effect);
		else if (effect.kind == NODE_ROUTE_ADD || effect.kind == NODE_ROUTE_REMOVE)
			CALL(node_route_answer(host->node, simulation->now, change_route(host, &effect)));
	}
}

static void drain(struct simulation *simulation, struct simulation_host *host)
{
	struct packet_vector *vectors = simulation->replies_vectors;
	size_t now = 0;

	do {
		vectors[now].count = 0;
		carry_out(simulation, host, &vectors[now]);
		/* A vector handed to the node is its own until the effects are drained: the next packets go into the
		 * other. */
		while (vectors[now].count) {
			CALL(node_input_tunnel(host->node, simulation->now, &vectors[now]));
			now = 1 - now;
			vectors[now].count = 0;
			carry_out(simulation, host, &vectors[now]);
		}
	} while (hand_over(simulation, host));
	host->wake = node_next_wake(host->node);
}

static void mix(struct simulation *simulation, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		simulation->trace = (simulation->trace ^ (value >> (8 * i) & 0xff)) * UINT64_C(0x100000001b3);
}

static void deliver(struct simulation *simulation, struct in_flight *datagram)
{
	struct simulation_host *host = &simulation->hosts[datagram->to];
	struct packet *packet;

	mix(simulation, datagram->at);
	mix(simulation, index_of(&datagram->remote.address));
	mix(simulation, datagram->to);
	mix(simulation, datagram->length);
	if (!host->node)
		return;
	simulation->delivered++;
	host->received++;
	simulation->vector->count = 0;
	packet = packet_vector_add(simulation->vector);
	assert_int_equal(
		packet_fill(packet, (packet_kind)datagram->kind, datagram->octets, datagram->length), HIPHOP_OK);
	packet->local = datagram->local;
	packet->remote = datagram->remote;
	CALL(node_input_underlay(host->node, simulation->now, simulation->vector));
	drain(simulation, host);
}

/* ---- phones ---- */

void simulation_phone_send(struct simulation *simulation, size_t index, uint16_t port, const char *message)
{
	struct simulation_host *host = &simulation->hosts[index];
	struct endpoint phone = own_endpoint(host, port), proxy = own_endpoint(host, SIMULATION_SIP_PORT);

	wait_datagram(host, &phone, &proxy, (const uint8_t *)message, strlen(message));
	/* At once, but not inside a drain of this host, which hands it over anyway. */
	host->wake = simulation->now;
}

void simulation_phone_send_to(
	struct simulation *simulation, size_t index, uint16_t port, size_t to, uint16_t to_port, const char *payload)
{
	struct simulation_host *host = &simulation->hosts[index];
	struct endpoint phone = own_endpoint(host, port), other = own_endpoint(&simulation->hosts[to], to_port);

	simulation_tunnel_send(simulation, index, &phone, &other, payload, strlen(payload));
}

void simulation_tunnel_send(struct simulation *simulation, size_t index, const struct endpoint *from,
	const struct endpoint *to, const void *payload, size_t length)
{
	struct simulation_host *host = &simulation->hosts[index];
	struct packet_vector *vector = calloc(1, sizeof(*vector));

	assert_non_null(vector);
	inner_udp_write(packet_vector_add(vector), from, to, payload, length);
	CALL(node_input_tunnel(host->node, simulation->now, vector));
	drain(simulation, host);
	free(vector);
}

/* ---- life of a host ---- */

static bool source_address(void *context, const struct address *remote, struct address *source)
{
	const struct simulation_host *host = context;

	(void)remote;
	*source = host->address;
	return true;
}

static wall_milliseconds wall_now(const struct simulation *simulation)
{
	return simulation->wall_start + simulation->now / MILLISECONDS(1);
}

struct hit simulation_add_identity(
	struct simulation *simulation, size_t index, struct host_identity *identity, bool anonymous)
{
	struct simulation_host *host = &simulation->hosts[index];
	struct configuration *configuration = &host->configuration;
	size_t place = configuration->more_count++;

	assert_true(place < CONFIGURATION_MORE);
	configuration->more = realloc(configuration->more, configuration->more_count * sizeof(*configuration->more));
	assert_non_null(configuration->more);
	configuration->more[place] = (struct configured_identity){.anonymous = anonymous};
	if (!identity)
		assert_int_equal(host_identity_from_seed(&host->random, &identity), HIPHOP_OK);
	host->more[place] = identity;
	return *host_identity_hit(identity);
}

void simulation_boot(struct simulation *simulation, size_t index)
{
	struct simulation_host *host = &simulation->hosts[index];
	struct node_environment environment = {
		.configuration = &host->configuration,
		.identity = host->identity,
		.more = host->more,
		.random = &host->random,
		.log = &simulation->log,
		.source_address = source_address,
		.context = host,
	};

	assert_null(host->node);
	assert_int_equal(node_create(&environment, simulation->now, wall_now(simulation), &host->node), HIPHOP_OK);
	restore_state(simulation, host);
	CALL(node_addresses(host->node, simulation->now, &(struct link_address){.address = host->address}, 1));
	CALL(node_start(host->node, simulation->now));
	drain(simulation, host);
}

void simulation_kill(struct simulation *simulation, size_t index)
{
	struct simulation_host *host = &simulation->hosts[index];

	node_free(host->node);
	host->node = NULL;
	host->route_count = 0; /* they went with the device */
	while (host->waiting) {
		struct waiting_datagram *next = host->waiting->next;

		free(host->waiting);
		host->waiting = next;
	}
	host->wake = INSTANT_NEVER;
}

void simulation_leave(struct simulation *simulation, size_t index)
{
	struct simulation_host *host = &simulation->hosts[index];

	CALL(node_leave(host->node, simulation->now));
	drain(simulation, host);
	for (int i = 0; i < 50 && !node_has_left(host->node); i++)
		simulation_run(simulation, MILLISECONDS(100));
	CALL(node_stop(host->node, simulation->now));
	drain(simulation, host);
	simulation_kill(simulation, index);
}

/* ---- running ---- */

static struct simulation_host *first_to_wake(struct simulation *simulation)
{
	struct simulation_host *first = &simulation->hosts[0];

	for (size_t i = 1; i < simulation->host_count; i++) {
		if (simulation->hosts[i].wake < first->wake)
			first = &simulation->hosts[i];
	}
	return first;
}

/* One step: the next delivery or the next timer, whichever is first. False when nothing is due up to `end`. */
static bool step(struct simulation *simulation, instant end)
{
	struct simulation_host *host = first_to_wake(simulation);
	instant arrival = simulation->in_flight_count ? simulation->heap[0]->at : INSTANT_NEVER;

	if (instant_earlier(arrival, host->wake) > end)
		return false;
	if (arrival <= host->wake) {
		struct in_flight *datagram = heap_pop(simulation);

		simulation->now = datagram->at;
		deliver(simulation, datagram);
		free(datagram);
	} else {
		if (host->wake > simulation->now)
			simulation->now = host->wake;
		CALL(node_tick(host->node, simulation->now));
		drain(simulation, host);
	}
	return true;
}

void simulation_run(struct simulation *simulation, duration length)
{
	instant end = simulation->now + length;

	while (step(simulation, end))
		continue;
	simulation->now = end;
}

bool simulation_run_until(struct simulation *simulation, duration limit, bool (*done)(struct simulation *simulation))
{
	instant end = simulation->now + limit;

	while (!done(simulation)) {
		if (simulation->now >= end)
			return false;
		simulation_run(simulation, MILLISECONDS(100));
	}
	return true;
}

/* ---- commands ---- */

void simulation_command(struct simulation *simulation, size_t index, size_t slot, json_t *request)
{
	struct simulation_host *host = &simulation->hosts[index];

	assert_non_null(request);
	assert_true(slot < SIMULATION_REPLIES);
	json_decref(simulation->replies[slot]);
	simulation->replies[slot] = NULL;
	CALL(node_command(host->node, simulation->now, slot, request));
	json_decref(request);
	drain(simulation, host);
}

json_t *simulation_answer(struct simulation *simulation, size_t slot, duration limit)
{
	instant end = simulation->now + limit;

	for (;;) {
		json_t *reply = simulation->replies[slot];

		if (reply && json_is_true(json_object_get(reply, "last")))
			return reply;
		if (simulation->now >= end)
			return NULL;
		simulation_run(simulation, MILLISECONDS(10));
	}
}

json_t *simulation_ask(struct simulation *simulation, size_t host, json_t *request, duration limit)
{
	simulation_command(simulation, host, 0, request);
	return simulation_answer(simulation, 0, limit);
}

char *simulation_hit(const struct simulation *simulation, size_t host, char text[static HIT_TEXT_SIZE])
{
	return hit_format(host_identity_hit(simulation->hosts[host].identity), text);
}

static const struct hit *true_successor(struct simulation *simulation, const struct simulation_host *host)
{
	const struct hit *self = host_identity_hit(host->identity), *best = NULL;

	for (size_t i = 0; i < simulation->host_count; i++) {
		const struct hit *other = host_identity_hit(simulation->hosts[i].identity);

		if (!simulation->hosts[i].node || other == self)
			continue;
		if (!best || ring_in_arc(self, other, best))
			best = other;
	}
	return best;
}

static bool has_successor(struct simulation_host *host, const struct hit *successor)
{
	json_t *status = node_status(host->node, host->simulation->now);
	json_t *members = json_object_get(json_object_get(status, "overlay"), "members");
	char text[HIT_TEXT_SIZE];
	bool right = false;
	json_t *member;
	size_t i;

	hit_format(successor, text);
	json_array_foreach(members, i, member)
	{
		if (json_is_true(json_object_get(member, "successor")) &&
			json_is_true(json_object_get(member, "associated"))) {
			right = strcmp(json_string_value(json_object_get(member, "hit")), text) == 0;
			break;
		}
	}
	json_decref(status);
	return right;
}

bool simulation_is_associated(struct simulation *simulation, size_t a, size_t b)
{
	json_t *status = node_status(simulation->hosts[a].node, simulation->now), *association;
	char hit[HIT_TEXT_SIZE];
	bool found = false;
	size_t i;

	simulation_hit(simulation, b, hit);
	json_array_foreach(json_object_get(status, "associations"), i, association)
	{
		found |= strcmp(json_string_value(json_object_get(association, "hit")), hit) == 0 &&
			 strcmp(json_string_value(json_object_get(association, "state")), "ESTABLISHED") == 0;
	}
	json_decref(status);
	return found;
}

bool simulation_ring_is_right(struct simulation *simulation)
{
	for (size_t i = 0; i < simulation->host_count; i++) {
		struct simulation_host *host = &simulation->hosts[i];
		const struct hit *successor;

		if (!host->node)
			continue;
		successor = true_successor(simulation, host);
		if (successor && !has_successor(host, successor))
			return false;
	}
	return true;
}

uint64_t simulation_seed(void)
{
	const char *text = getenv("SIM_SEED");

	return text ? strtoull(text, NULL, 10) : 1;
}
