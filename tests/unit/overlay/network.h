/* SPDX-License-Identifier: MIT */
/*
 * Many overlay engines in one process on virtual time, with the HIP layer played by a few rules: a message goes hop by
 * hop where overlay_next_hop says, over associations only; hops take time and lose packets; requests are sent again
 * with a fresh route and reported as failed in the end; answers go back by the path of the request, and are kept for a
 * repeated request; a dead neighbour is noticed only by who sends to it, after three seconds; an association that
 * neither side holds, and over which nothing has gone for five minutes, is closed.
 */
#ifndef NETWORK_H
#define NETWORK_H

#include "fake_crypto.h"

#include <stdlib.h>

#define NODES      400
#define IDLE_LIFE  SECONDS(300)
#define PATH       40
#define SEND_TRIES 5
#define RESULTS    64

struct packet_path {
	uint16_t count;
	uint16_t node[PATH];
};

/* A request or connection attempt of a node, until it is answered or has failed. */
struct sending {
	bool used, connect;
	unsigned serial;
	unsigned origin, tries;
	struct hit destination, via;
	uint64_t transaction;
	uint8_t *contents;
	size_t length;
};

enum event_type { EVENT_ARRIVE, EVENT_RETRY, EVENT_UP, EVENT_DOWN, EVENT_BOOTSTRAP, EVENT_IDLE };

struct event {
	instant at;
	uint64_t order;
	enum event_type type;
	unsigned node, other;
	bool answer, connect;
	unsigned sending, serial;
	struct packet_path path;
	unsigned back; /* answer: places of the path still to go */
	struct hit destination;
	unsigned origin;
	uint64_t transaction;
	uint8_t *contents;
	size_t length;
};

/* What a node has answered, for requests that come again. */
struct answered {
	unsigned origin;
	uint64_t transaction;
	uint8_t *contents;
	size_t length;
};
#define ANSWERED 512

struct result {
	uint64_t token;
	overlay_request_type request;
	hiphop_error error;
	struct hit answering, resource;
	unsigned hops;
	size_t value_count;
	struct hit owner[8];
	char value[8][64];
	struct hit path[OVERLAY_TRACE_HOPS];
	size_t path_length;
	bool partial;
};

struct node {
	struct overlay *overlay;
	struct fake_identity identity;
	struct hit hit;
	bool alive;
	unsigned side; /* of a split network */
	int bootstrap[2];
	struct answered answered[ANSWERED];
	unsigned answered_next;
	struct seeded_random generator;
	struct random_source random;
};

struct network {
	instant now;
	unsigned count;
	struct node *nodes;
	bool associated[NODES][NODES];
	bool dying[NODES][NODES];
	bool held[NODES][NODES]; /* the first holds the second */
	instant used[NODES][NODES];
	struct event *events;
	size_t event_count, event_capacity;
	uint64_t order;
	struct sending sendings[8192];
	unsigned next_serial;
	unsigned loss_permille;
	struct seeded_random generator;
	struct random_source random;
	struct result results[RESULTS];
	size_t result_count;
	uint64_t messages, hops, connects, releases, closes, parted;
	bool verbose;
	/* Around each call into an engine; may be NULL. */
	void (*before_call)(struct network *network);
	void (*after_call)(struct network *network);
};

#define WALL(network) (UINT64_C(1700000000000) + (network)->now / 1000000)

static void before_call(struct network *network)
{
	if (network->before_call)
		network->before_call(network);
}

static void after_call(struct network *network)
{
	if (network->after_call)
		network->after_call(network);
}

/* ---- Events: a binary heap by time, then order ---- */

static bool event_before(const struct event *a, const struct event *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static struct event *event_add(struct network *network, duration after, enum event_type type)
{
	if (network->event_count == network->event_capacity) {
		network->event_capacity = network->event_capacity * 2 + 1024;
		network->events = realloc(network->events, network->event_capacity * sizeof(*network->events));
		if (!network->events)
			abort();
	}
	struct event event = {.at = network->now + after, .order = network->order++, .type = type};
	size_t i = network->event_count++;
	while (i && event_before(&event, &network->events[(i - 1) / 2])) {
		network->events[i] = network->events[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	network->events[i] = event;
	return &network->events[i];
}

static struct event event_take(struct network *network)
{
	struct event first = network->events[0], last = network->events[--network->event_count];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= network->event_count)
			break;
		if (child + 1 < network->event_count &&
			event_before(&network->events[child + 1], &network->events[child]))
			child++;
		if (!event_before(&network->events[child], &last))
			break;
		network->events[i] = network->events[child];
		i = child;
	}
	if (network->event_count)
		network->events[i] = last;
	return first;
}

/* ---- Carrying ---- */

static int node_of(const struct network *network, const struct hit *hit)
{
	for (unsigned i = 0; i < network->count; i++)
		if (hit_equal(&network->nodes[i].hit, hit))
			return (int)i;
	return -1;
}

static bool reachable(const struct network *network, unsigned a, unsigned b)
{
	return network->nodes[a].alive && network->nodes[b].alive && network->nodes[a].side == network->nodes[b].side;
}

static duration hop_delay(struct network *network)
{
	return MILLISECONDS(5) + random_below(&network->random, 40) * MILLISECONDS(1);
}

/* Sends one packet over one association. The event takes the contents over. */
static void hop(struct network *network, unsigned from, unsigned to, struct event packet)
{
	network->hops++;
	if (!network->associated[from][to] || !reachable(network, from, to) ||
		random_below(&network->random, 1000) < network->loss_permille) {
		free(packet.contents);
		if (network->associated[from][to] && !reachable(network, from, to) && !network->dying[from][to]) {
			network->dying[from][to] = true;
			struct event *down = event_add(network, SECONDS(3), EVENT_DOWN);
			down->node = from;
			down->other = to;
		}
		return;
	}
	network->used[from][to] = network->used[to][from] = network->now;
	struct event *event = event_add(network, hop_delay(network), EVENT_ARRIVE);
	instant at = event->at;
	uint64_t order = event->order;
	*event = packet;
	event->at = at;
	event->order = order;
	event->type = EVENT_ARRIVE;
	event->node = to;
	event->other = from;
}

static void *copy_of(const void *data, size_t length)
{
	void *copy = malloc(length ? length : 1);

	if (!copy)
		abort();
	memcpy(copy, data ? data : "", length);
	return copy;
}

static void drain(struct network *network, unsigned n);

static void transmit_sending(struct network *network, struct sending *sending)
{
	unsigned slot = (unsigned)(sending - network->sendings), origin = sending->origin;
	struct overlay *overlay = network->nodes[origin].overlay;
	struct hit next = sending->via;
	overlay_route route = OVERLAY_HOP;

	struct event *retry = event_add(network, SECONDS(1) << sending->tries, EVENT_RETRY);
	retry->sending = slot;
	retry->serial = sending->serial;
	sending->tries++;
	if (hit_is_null(&sending->via))
		route = overlay_next_hop(overlay, &sending->destination, NULL, &next);
	int to = node_of(network, &next);
	if (route != OVERLAY_HOP || to < 0)
		return;
	struct event packet = {.connect = sending->connect,
		.sending = slot,
		.serial = sending->serial,
		.destination = sending->destination,
		.origin = origin,
		.transaction = sending->transaction,
		.contents = copy_of(sending->contents, sending->length),
		.length = sending->length};
	packet.path.node[packet.path.count++] = (uint16_t)origin;
	hop(network, origin, (unsigned)to, packet);
}

static void sending_end(struct sending *sending)
{
	free(sending->contents);
	sending->contents = NULL;
	sending->used = false;
}

static struct sending *sending_start(struct network *network, unsigned origin)
{
	for (unsigned i = 0; i < 8192; i++) {
		if (network->sendings[i].used)
			continue;
		network->sendings[i] =
			(struct sending){.used = true, .origin = origin, .serial = ++network->next_serial};
		return &network->sendings[i];
	}
	abort();
}

static void keep_result(struct network *network, const struct overlay_result *from)
{
	if (network->result_count == RESULTS)
		return;
	struct result *to = &network->results[network->result_count++];
	*to = (struct result){.token = from->token,
		.request = from->request,
		.error = from->error,
		.answering = from->answering,
		.resource = from->resource,
		.hops = from->hops,
		.value_count = from->value_count,
		.partial = from->partial,
		.path_length = from->path_length};
	for (size_t i = 0; i < from->path_length && i < OVERLAY_TRACE_HOPS; i++)
		to->path[i] = from->path[i];
	for (size_t i = 0; i < from->value_count && i < 8; i++) {
		to->owner[i] = from->values[i].owner;
		if (from->values[i].value)
			memcpy(to->value[i], from->values[i].value,
				from->values[i].length < 63 ? from->values[i].length : 63);
	}
}

static void answer_back(struct network *network, unsigned n, const struct packet_path *path, uint64_t transaction,
	const uint8_t *contents, size_t length)
{
	struct event packet = {.answer = true,
		.path = *path,
		.back = path->count,
		.transaction = transaction,
		.origin = n,
		.contents = copy_of(contents, length),
		.length = length};

	packet.back--;
	hop(network, n, path->node[packet.back], packet);
}

static void carry_out(struct network *network, unsigned n, const struct overlay_effect *effect)
{
	struct node *node = &network->nodes[n];
	struct sending *sending;
	int other;

	switch (effect->type) {
	case OVERLAY_SEND:
		network->messages++;
		sending = sending_start(network, n);
		sending->destination = effect->send.destination;
		sending->via = effect->send.via;
		sending->transaction = effect->send.transaction;
		sending->contents = copy_of(effect->send.contents, effect->send.length);
		sending->length = effect->send.length;
		transmit_sending(network, sending);
		break;
	case OVERLAY_ANSWER: {
		struct answered *kept = &node->answered[node->answered_next++ % ANSWERED];
		const struct packet_path *path = effect->answer.route;
		free(kept->contents);
		*kept = (struct answered){.origin = path->node[0],
			.transaction = effect->answer.transaction,
			.contents = copy_of(effect->answer.contents, effect->answer.length),
			.length = effect->answer.length};
		answer_back(network, n, path, kept->transaction, kept->contents, kept->length);
		break;
	}
	case OVERLAY_CONNECT:
		network->connects++;
		other = node_of(network, &effect->connect.hit);
		if (other >= 0)
			network->held[n][other] = true;
		sending = sending_start(network, n);
		sending->connect = true;
		sending->destination = effect->connect.hit;
		sending->via = effect->connect.via;
		transmit_sending(network, sending);
		break;
	case OVERLAY_RELEASE:
		other = node_of(network, &effect->release);
		network->releases++;
		if (other >= 0 && other != node->bootstrap[0] && other != node->bootstrap[1])
			network->held[n][other] = false;
		break;
	case OVERLAY_RESULT:
		keep_result(network, &effect->result);
		break;
	case OVERLAY_PARTED:
		network->parted++;
		/* fall through */
	case OVERLAY_JOINED:
	case OVERLAY_EVENT:
		if (network->verbose)
			printf("%8.3f node %u: %s\n", (double)network->now / 1e9, n, effect->event);
		break;
	case OVERLAY_EFFECT_NONE:
		break;
	}
}

static void drain(struct network *network, unsigned n)
{
	struct overlay_effect effect;

	while (network->nodes[n].overlay && overlay_next_effect(network->nodes[n].overlay, &effect))
		carry_out(network, n, &effect);
}

/* ---- Arriving ---- */

static void associate(struct network *network, unsigned a, unsigned b)
{
	if (!reachable(network, a, b) || network->associated[a][b])
		return;
	network->associated[a][b] = network->associated[b][a] = true;
	network->used[a][b] = network->used[b][a] = network->now;
	network->dying[a][b] = network->dying[b][a] = false;
	before_call(network);
	overlay_neighbour_up(network->nodes[a].overlay, network->now, &network->nodes[b].hit);
	after_call(network);
	drain(network, a);
	before_call(network);
	overlay_neighbour_up(network->nodes[b].overlay, network->now, &network->nodes[a].hit);
	after_call(network);
	drain(network, b);
}

static void part(struct network *network, unsigned a, unsigned b)
{
	network->dying[a][b] = false;
	if (!network->associated[a][b])
		return;
	network->associated[a][b] = false;
	if (!network->nodes[a].overlay || !network->nodes[a].alive)
		return;
	before_call(network);
	overlay_neighbour_down(network->nodes[a].overlay, network->now, &network->nodes[b].hit);
	after_call(network);
	drain(network, a);
}

static void deliver_request(struct network *network, struct event *packet)
{
	struct node *node = &network->nodes[packet->node];
	struct overlay_arrival arrival = {.sender = network->nodes[packet->origin].hit,
		.receiver = packet->destination,
		.transaction = packet->transaction,
		.hops = packet->path.count,
		.route = &packet->path,
		.route_length = sizeof(packet->path)};

	if (packet->origin == packet->node)
		return;
	for (unsigned i = 0; i < ANSWERED; i++) {
		struct answered *kept = &node->answered[i];
		if (kept->contents && kept->origin == packet->origin && kept->transaction == packet->transaction) {
			answer_back(
				network, packet->node, &packet->path, kept->transaction, kept->contents, kept->length);
			return;
		}
	}
	before_call(network);
	overlay_input(node->overlay, network->now, WALL(network), &arrival, packet->contents, packet->length);
	after_call(network);
	drain(network, packet->node);
}

static void arrive_request(struct network *network, struct event *packet)
{
	struct node *node = &network->nodes[packet->node];
	struct hit next;
	overlay_route route =
		overlay_next_hop(node->overlay, &packet->destination, &network->nodes[packet->other].hit, &next);

	if (route == OVERLAY_SELF && packet->connect) {
		struct event *up = event_add(network, 2 * hop_delay(network), EVENT_UP);
		up->node = packet->origin;
		up->other = packet->node;
		up->sending = packet->sending;
		up->serial = packet->serial;
	} else if (route == OVERLAY_SELF) {
		deliver_request(network, packet);
	} else if (route == OVERLAY_HOP && packet->path.count < PATH) {
		int to = node_of(network, &next);
		for (unsigned i = 0; i < packet->path.count; i++)
			if (packet->path.node[i] == packet->node)
				to = -1; /* RFC 6028: a route that comes back is dropped */
		if (to >= 0) {
			struct event onward = *packet;
			onward.contents = copy_of(packet->contents, packet->length);
			onward.path.node[onward.path.count++] = (uint16_t)packet->node;
			hop(network, packet->node, (unsigned)to, onward);
		}
	}
	free(packet->contents);
}

static void arrive_answer(struct network *network, struct event *packet)
{
	struct overlay_arrival arrival = {.sender = network->nodes[packet->origin].hit,
		.receiver = network->nodes[packet->node].hit,
		.transaction = packet->transaction,
		.hops = packet->path.count};

	if (packet->back > 0) {
		struct event onward = *packet;
		onward.contents = copy_of(packet->contents, packet->length);
		onward.back--;
		hop(network, packet->node, packet->path.node[onward.back], onward);
		free(packet->contents);
		return;
	}
	for (unsigned i = 0; i < 8192; i++) {
		struct sending *sending = &network->sendings[i];
		if (!sending->used || sending->connect || sending->origin != packet->node ||
			sending->transaction != packet->transaction)
			continue;
		sending_end(sending);
		before_call(network);
		overlay_input(network->nodes[packet->node].overlay, network->now, WALL(network), &arrival,
			packet->contents, packet->length);
		after_call(network);
		drain(network, packet->node);
		break;
	}
	free(packet->contents);
}

static void retry(struct network *network, const struct event *event)
{
	struct sending *sending = &network->sendings[event->sending];

	if (!sending->used || sending->serial != event->serial || !network->nodes[sending->origin].alive)
		return;
	if (sending->tries < (sending->connect ? 3 : SEND_TRIES)) {
		transmit_sending(network, sending);
		return;
	}
	struct sending failed = *sending;
	sending->contents = NULL;
	sending_end(sending);
	int other = failed.connect ? node_of(network, &failed.destination) : -1;
	if (other >= 0 && network->associated[failed.origin][other])
		; /* it came from the other side meanwhile */
	else if (failed.connect) {
		before_call(network);
		overlay_neighbour_down(network->nodes[failed.origin].overlay, network->now, &failed.destination);
		after_call(network);
	} else {
		before_call(network);
		overlay_send_failed(
			network->nodes[failed.origin].overlay, network->now, failed.transaction, HIPHOP_TIMEOUT);
		after_call(network);
	}
	free(failed.contents);
	drain(network, failed.origin);
}

static void up(struct network *network, const struct event *event)
{
	struct sending *sending = &network->sendings[event->sending];

	if (sending->used && sending->serial == event->serial)
		sending_end(sending);
	if (network->associated[event->node][event->other] && network->nodes[event->node].alive) {
		/* It stands already: say so again, the engine asked. */
		before_call(network);
		overlay_neighbour_up(
			network->nodes[event->node].overlay, network->now, &network->nodes[event->other].hit);
		after_call(network);
		drain(network, event->node);
	}
	associate(network, event->node, event->other);
}

/* A node keeps trying its bootstrap list, and tells the engine when one is there. */
static void bootstrap(struct network *network, unsigned n)
{
	struct node *node = &network->nodes[n];

	for (unsigned i = 0; i < 2 && node->alive; i++) {
		int other = node->bootstrap[i];
		if (other < 0 || !reachable(network, n, (unsigned)other))
			continue;
		bool fresh = !network->associated[n][other];
		network->held[n][other] = true;
		associate(network, n, (unsigned)other);
		if (fresh) {
			before_call(network);
			overlay_bootstrap_up(node->overlay, network->now, &network->nodes[other].hit);
			after_call(network);
			drain(network, n);
		}
	}
	struct event *again = event_add(network, SECONDS(5), EVENT_BOOTSTRAP);
	again->node = n;
}

/* What nobody holds and nobody uses is closed, at both ends. */
static void close_idle(struct network *network)
{
	for (unsigned a = 0; a < network->count; a++) {
		for (unsigned b = 0; b < a; b++) {
			if (!network->associated[a][b] || !network->associated[b][a] || network->held[a][b] ||
				network->held[b][a] || network->now - network->used[a][b] < IDLE_LIFE)
				continue;
			network->closes++;
			part(network, a, b);
			part(network, b, a);
		}
	}
	event_add(network, SECONDS(5), EVENT_IDLE);
}

static void handle(struct network *network, struct event *event)
{
	if (event->type == EVENT_ARRIVE && !network->nodes[event->node].alive) {
		free(event->contents);
		return;
	}
	switch (event->type) {
	case EVENT_ARRIVE:
		if (event->answer)
			arrive_answer(network, event);
		else
			arrive_request(network, event);
		break;
	case EVENT_RETRY:
		retry(network, event);
		break;
	case EVENT_UP:
		up(network, event);
		break;
	case EVENT_DOWN:
		part(network, event->node, event->other);
		break;
	case EVENT_BOOTSTRAP:
		bootstrap(network, event->node);
		break;
	case EVENT_IDLE:
		close_idle(network);
		break;
	}
}

/* ---- Running ---- */

static void network_run(struct network *network, duration length)
{
	instant end = network->now + length;

	for (;;) {
		instant next = network->event_count ? network->events[0].at : INSTANT_NEVER;
		int wake = -1;
		for (unsigned i = 0; i < network->count; i++) {
			if (!network->nodes[i].alive)
				continue;
			instant at = overlay_next_wake(network->nodes[i].overlay);
			if (at < next) {
				next = at;
				wake = (int)i;
			}
		}
		if (next > end)
			break;
		if (next > network->now)
			network->now = next;
		if (wake >= 0) {
			before_call(network);
			overlay_tick(network->nodes[wake].overlay, network->now, WALL(network));
			after_call(network);
			drain(network, (unsigned)wake);
		} else {
			struct event event = event_take(network);
			handle(network, &event);
		}
	}
	network->now = end;
}

static void network_create_overlay(struct network *network, unsigned n, overlay_role role)
{
	struct node *node = &network->nodes[n];
	struct overlay_configuration configuration = {.name = "test",
		.topology = "chord",
		.hash = "sha256",
		.role = role,
		.self = node->hit,
		.has_bootstrap = node->bootstrap[0] >= 0,
		.replicas = 2,
		.crypto = fake_crypto(&node->identity),
		.random = &node->random};

	if (overlay_create(&configuration, network->now, WALL(network), &node->overlay))
		abort();
	node->alive = true;
	drain(network, n);
	struct event *event =
		event_add(network, random_below(&network->random, 1000) * MILLISECONDS(1), EVENT_BOOTSTRAP);
	event->node = n;
}

/* `count` peers; node 0 is everybody's bootstrap and has none itself. Their overlays are made by
 * network_create_overlay. */
static struct network *network_start(unsigned count, uint64_t seed)
{
	struct network *network = calloc(1, sizeof(*network));

	if (!network)
		abort();
	network->nodes = calloc(count, sizeof(*network->nodes));
	if (!network->nodes)
		abort();
	network->count = count;
	network->now = SECONDS(1000);
	network->random = seeded_random_start(&network->generator, seed);
	for (unsigned i = 0; i < count; i++) {
		struct node *node = &network->nodes[i];
		node->hit = fake_identity_start(&node->identity, i + (unsigned)seed * 1000);
		node->bootstrap[0] = i ? 0 : -1;
		node->bootstrap[1] = -1;
		node->random = seeded_random_start(&node->generator, seed * 7919 + i);
	}
	network->random.context = &network->generator;
	event_add(network, SECONDS(5), EVENT_IDLE);
	return network;
}

static void network_free(struct network *network)
{
	for (unsigned i = 0; i < network->count; i++) {
		overlay_free(network->nodes[i].overlay);
		for (unsigned j = 0; j < ANSWERED; j++)
			free(network->nodes[i].answered[j].contents);
	}
	for (size_t i = 0; i < network->event_count; i++)
		free(network->events[i].contents);
	for (unsigned i = 0; i < 8192; i++)
		free(network->sendings[i].contents);
	free(network->events);
	free(network->nodes);
	free(network);
}

static inline void network_kill(struct network *network, unsigned n)
{
	network->nodes[n].alive = false;
}

/* ---- Looking ---- */

/* The living node of the same side that comes next going up from n. */
static unsigned true_successor(const struct network *network, unsigned n)
{
	uint8_t best[RING_POSITION_LENGTH], distance[RING_POSITION_LENGTH];
	unsigned found = n;

	for (unsigned i = 0; i < network->count; i++) {
		if (i == n || !reachable(network, i, n))
			continue;
		ring_distance(&network->nodes[n].hit, &network->nodes[i].hit, distance);
		if (found != n && memcmp(distance, best, sizeof(best)) >= 0)
			continue;
		memcpy(best, distance, sizeof(best));
		found = i;
	}
	return found;
}

/* Nodes whose successor is not the right one. */
static unsigned wrong_successors(const struct network *network)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < network->count; i++) {
		struct overlay_status status;
		unsigned right = true_successor(network, i);
		if (!network->nodes[i].alive)
			continue;
		overlay_get_status(network->nodes[i].overlay, &status);
		if (status.role == OVERLAY_CLIENT)
			continue;
		bool good = right == i ? status.members == 0
				       : status.neighbour_count && status.neighbours[0].successor &&
						 hit_equal(&status.neighbours[0].hit, &network->nodes[right].hit);
		wrong += !good;
		if (!good && network->verbose)
			printf("node %u: wrong successor, joined %d, members %zu\n", i, status.joined, status.members);
	}
	return wrong;
}

/* Runs until every successor is right, at most `most`; gives the time it took, or 0. */
static duration network_converge(struct network *network, duration most)
{
	instant start = network->now;

	while (network->now - start < most) {
		network_run(network, MILLISECONDS(500));
		if (wrong_successors(network) == 0)
			return network->now - start;
	}
	return 0;
}

static const struct result *network_result(const struct network *network, uint64_t token)
{
	for (size_t i = 0; i < network->result_count; i++)
		if (network->results[i].token == token)
			return &network->results[i];
	return NULL;
}

#endif
