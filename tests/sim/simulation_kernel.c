/* SPDX-License-Identifier: MIT */
#include "tests/sim/simulation_internal.h"

#include "tests/sim/inner_udp.h"

#include <stdlib.h>
#include <string.h>

#define IPV6_HEADER_LENGTH 40

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
	if (inner_udp_read(packet, &from, &to, &payload) &&
		!simulation_stream_take(host->simulation, host->index, &to, payload))
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
			simulation_send(simulation, host, &vector->packets[i]);
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
			simulation_keep_record(host, &effect.record);
		else if (effect.kind == NODE_FORGET)
			simulation_forget_record(host, &effect.record);
		else if (effect.kind == NODE_REPLY)
			keep_reply(simulation, &effect);
		else if (effect.kind == NODE_ROUTE_ADD || effect.kind == NODE_ROUTE_REMOVE)
			CALL(node_route_answer(host->node, simulation->now, change_route(host, &effect)));
	}
}

void simulation_drain(struct simulation *simulation, struct simulation_host *host)
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
	simulation_set_wake(simulation, host, node_next_wake(host->node));
}

void simulation_forget_waiting(struct simulation_host *host)
{
	while (host->waiting) {
		struct waiting_datagram *next = host->waiting->next;

		free(host->waiting);
		host->waiting = next;
	}
}

/* ---- phones ---- */

void simulation_phone_send(struct simulation *simulation, size_t index, uint16_t port, const char *message)
{
	struct simulation_host *host = &simulation->hosts[index];
	struct endpoint phone = own_endpoint(host, port), proxy = own_endpoint(host, SIMULATION_SIP_PORT);

	wait_datagram(host, &phone, &proxy, (const uint8_t *)message, strlen(message));
	/* At once, but not inside a drain of this host, which hands it over anyway. */
	simulation_set_wake(simulation, host, simulation->now);
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
	simulation_drain(simulation, host);
	free(vector);
}
