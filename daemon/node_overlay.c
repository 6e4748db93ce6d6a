/* SPDX-License-Identifier: MIT */
/**
 * Joins the HIP host and the overlay: the overlay's messages ride in HIP DATA, HIP forwards by the overlay's table, and
 * the overlay's signatures are made by the host identity.
 */
#include "daemon/node_internal.h"

#include "hip/base/bytes.h"
#include "hip/crypto/hash.h"

#include <stdlib.h>
#include <string.h>

#define WISH_LIFE SECONDS(15)

/* ---- the crypto that the overlay is given ---- */

static hiphop_error sign_value(void *context, const uint8_t *data, size_t length, struct buffer *signature)
{
	const struct node *node = context;
	const struct host_identity *identity = node->environment.identity;
	uint8_t octets[HOST_IDENTITY_SIGNATURE_MAXIMUM];
	struct span span = {data, length};
	hiphop_error error = host_identity_sign(identity, &span, 1, octets);

	return error ? error : buffer_copy(signature, octets, host_identity_signature_length(identity));
}

static hiphop_error hit_of_identity(
	void *context, uint16_t algorithm, const uint8_t *host_identity, size_t length, struct hit *hit)
{
	(void)context;
	return hit_from_octets(algorithm, (struct span){host_identity, length}, hit);
}

/* The slot that holds `hit`, or the one least recently used. */
static struct known_identity *identity_slot(struct node *node, const struct hit *hit)
{
	struct known_identity *oldest = &node->identities[0];

	for (size_t i = 0; i < KNOWN_IDENTITIES; i++) {
		struct known_identity *slot = &node->identities[i];

		if (slot->identity && hit_equal(&slot->hit, hit))
			return slot;
		if (slot->used < oldest->used)
			oldest = slot;
	}
	return oldest;
}

static hiphop_error known_identity(
	struct node *node, uint16_t algorithm, struct span octets, struct host_identity **out)
{
	struct known_identity *slot;
	struct host_identity *parsed;
	struct hit hit;
	const struct algorithm_list *suites = &node->configuration->hit_suites;
	hiphop_error error = hit_from_octets(algorithm, octets, &hit);

	if (error)
		return error;
	if (!memchr(suites->ids, hit_suite(&hit), suites->count))
		return HIPHOP_UNSUPPORTED;
	slot = identity_slot(node, &hit);
	if (!slot->identity || !hit_equal(&slot->hit, &hit)) {
		error = host_identity_from_octets(algorithm, octets, &parsed);
		if (error)
			return error;
		host_identity_free(slot->identity);
		slot->identity = parsed;
		slot->hit = hit;
	}
	slot->used = ++node->identity_clock;
	*out = slot->identity;
	return HIPHOP_OK;
}

static hiphop_error verify_value(void *context, uint16_t algorithm, const uint8_t *host_identity,
	size_t identity_length, const uint8_t *data, size_t length, const uint8_t *signature, size_t signature_length)
{
	struct span span = {data, length};
	struct host_identity *identity;
	hiphop_error error =
		known_identity(context, algorithm, (struct span){host_identity, identity_length}, &identity);

	if (error)
		return error;
	return host_identity_verify(identity, &span, 1, (struct span){signature, signature_length});
}

static hiphop_error digest_name(void *context, const char *hash_name, const uint8_t *data, size_t length,
	uint8_t out[static 64], size_t *out_length)
{
	hash_algorithm algorithm = hash_by_name(hash_name);
	struct span span = {data, length};

	(void)context;
	*out_length = hash_length(algorithm);
	return hash_spans(algorithm, &span, 1, out);
}

/* ---- life ---- */

hiphop_error node_overlay_create(struct node *node, instant now, wall_milliseconds wall)
{
	const struct configuration *configuration = node->configuration;
	struct span octets = host_identity_octets(node->environment.identity);
	struct overlay_configuration overlay = {
		.name = configuration->overlay_name,
		.topology = configuration->topology,
		.hash = configuration->hash,
		.role = configuration->client ? OVERLAY_CLIENT : OVERLAY_PEER,
		.self = node->self,
		.has_bootstrap = configuration->bootstrap_count > 0,
		.replicas = 2,
		.crypto = {.context = node,
			.sign = sign_value,
			.verify = verify_value,
			.hit_of = hit_of_identity,
			.digest = digest_name,
			.algorithm = host_identity_algorithm(node->environment.identity),
			.host_identity = octets.data,
			.host_identity_length = octets.length},
		.random = node->environment.random,
		.log = node->log,
	};

	return overlay_create(&overlay, now, wall, &node->overlay);
}

static void free_request(struct node *node, struct node_request *request)
{
	map_remove(&node->requests, &request->token);
	buffer_free(&request->value);
	free(request);
}

void node_overlay_free(struct node *node)
{
	struct map_walk walk = map_walk_start(&node->requests);
	struct node_request *request;

	while ((request = map_walk_next(&walk, NULL))) {
		request->done(node, node->wall_at, request, NULL);
		free_request(node, request);
	}
	overlay_free(node->overlay);
	for (size_t i = 0; i < KNOWN_IDENTITIES; i++)
		host_identity_free(node->identities[i].identity);
}

/* ---- routing ---- */

static const struct first_hop_wish *find_wish(const struct node *node, const struct hit *destination)
{
	for (size_t i = 0; i < FIRST_HOP_WISHES; i++) {
		if (hit_equal(&node->wishes[i].destination, destination) &&
			esp_has_peer(node->esp, &node->wishes[i].via))
			return &node->wishes[i];
	}
	return NULL;
}

overlay_route node_next_hop(
	void *context, const struct hit *destination, const struct hit *arrived_from, struct hit *next)
{
	const struct node *node = context;
	bool round = arrived_from && hit_equal(arrived_from, destination);
	const struct first_hop_wish *wish = arrived_from && !round ? NULL : find_wish(node, destination);

	if (wish && !(round && hit_equal(&wish->via, destination))) {
		*next = wish->via;
		return OVERLAY_HOP;
	}
	return overlay_next_hop(node->overlay, destination, arrived_from, next);
}

/* The overlay names a first hop for some of its own packets; HIP asks for the hop again at each retransmission. */
static void remember_wish(struct node *node, instant now, const struct hit *destination, const struct hit *via)
{
	struct first_hop_wish *slot = &node->wishes[node->next_wish];

	for (size_t i = 0; i < FIRST_HOP_WISHES; i++) {
		if (hit_equal(&node->wishes[i].destination, destination) || node->wishes[i].expires <= now)
			slot = &node->wishes[i];
	}
	if (slot == &node->wishes[node->next_wish])
		node->next_wish = (node->next_wish + 1) % FIRST_HOP_WISHES;
	*slot = (struct first_hop_wish){*destination, *via, instant_after(now, WISH_LIFE)};
}

static void forget_wish(struct node *node, const struct hit *destination)
{
	for (size_t i = 0; i < FIRST_HOP_WISHES; i++) {
		if (hit_equal(&node->wishes[i].destination, destination))
			memset(&node->wishes[i], 0, sizeof(node->wishes[i]));
	}
}

static void note_wish(struct node *node, instant now, const struct hit *destination, const struct hit *via)
{
	if (hit_is_null(via))
		forget_wish(node, destination);
	else
		remember_wish(node, now, destination, via);
}

/* ---- messages ---- */

void node_on_host_data(struct node *node, instant now, const struct host_effect *effect)
{
	const struct host_data *data = effect->data;
	struct overlay_arrival arrival = {
		.sender = data->sender,
		.receiver = data->receiver,
		.transaction = data->transaction,
		.hops = data->hops,
		.route = &data->route,
		.route_length = sizeof(data->route),
	};

	overlay_input(node->overlay, now, node_wall(node, now), &arrival, data->content, data->length);
}

/* A message to a place that is ours goes round without the wire. */
static void loop_back(struct node *node, instant now, const struct hit *receiver, uint64_t transaction,
	const uint8_t *contents, size_t length)
{
	struct overlay_arrival arrival = {.sender = node->self, .receiver = *receiver, .transaction = transaction};
	struct buffer copy;

	if (buffer_copy(&copy, contents, length)) {
		overlay_send_failed(node->overlay, now, transaction, HIPHOP_NO_MEMORY);
		return;
	}
	overlay_input(node->overlay, now, node_wall(node, now), &arrival, copy.data, copy.length);
	buffer_free(&copy);
}

static bool is_ours(struct node *node, const struct overlay_send *send)
{
	struct hit next;

	return hit_is_null(&send->via) &&
	       (hit_equal(&send->destination, &node->self) ||
		       overlay_next_hop(node->overlay, &send->destination, NULL, &next) == OVERLAY_SELF);
}

static void send_message(struct node *node, instant now, const struct overlay_send *send)
{
	uint64_t transaction = send->transaction;
	hiphop_error error;

	if (is_ours(node, send)) {
		loop_back(node, now, &send->destination, transaction, send->contents, send->length);
		return;
	}
	note_wish(node, now, &send->destination, &send->via);
	error = host_send_data(
		node->host, now, &send->destination, transaction, NULL, send->ttl, send->contents, send->length);
	if (error)
		overlay_send_failed(node->overlay, now, transaction, error);
}

static void send_answer(struct node *node, instant now, const struct overlay_answer *answer)
{
	struct data_route route;

	if (hit_equal(&answer->receiver, &node->self)) {
		loop_back(node, now, &answer->receiver, answer->transaction, answer->contents, answer->length);
		return;
	}
	if (answer->route_length != sizeof(route))
		return;
	memcpy(&route, answer->route, sizeof(route));
	host_answer_data(
		node->host, now, &answer->receiver, answer->transaction, &route, answer->contents, answer->length);
}

static void connect_member(struct node *node, instant now, const struct overlay_connect *wanted)
{
	struct hit peer = wanted->hit;
	struct host_association_view view;
	hiphop_error error;

	note_wish(node, now, &peer, &wanted->via);
	host_hold(node->host, now, &peer, true);
	if (esp_has_peer(node->esp, &peer)) {
		if (!host_association_find(node->host, &peer, &view) || !view.carries_hip)
			overlay_neighbour_down(node->overlay, now, &peer);
		else if (!view.suspect)
			/* How a suspicion ends is told when it does. */
			overlay_neighbour_up(node->overlay, now, &peer);
		return;
	}
	error = host_connect(node->host, now, &peer);
	if (error && error != HIPHOP_EXISTS)
		overlay_neighbour_down(node->overlay, now, &peer);
}

/* ---- results ---- */

struct node_request *node_request_add(struct node *node, node_request_done *done, uint64_t client)
{
	struct node_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->token = ++node->next_token;
	request->done = done;
	request->client = client;
	if (map_put(&node->requests, &request->token, request)) {
		free(request);
		return NULL;
	}
	return request;
}

void node_request_drop(struct node *node, struct node_request *request)
{
	free_request(node, request);
}

static void finish_request(struct node *node, instant now, const struct overlay_result *result)
{
	struct node_request *request = map_get(&node->requests, &result->token);

	if (!request)
		return;
	request->done(node, now, request, result);
	free_request(node, request);
}

static void tell_overlay_event(struct node *node, instant now, const char *text)
{
	struct overlay_status *status = malloc(sizeof(*status));

	if (!status)
		return;
	overlay_get_status(node->overlay, status);
	node_monitor_event(node, now,
		json_pack("{s:s, s:b, s:I, s:s}", "event", "overlay", "joined", status->joined, "neighbours",
			(json_int_t)status->neighbour_count, "text", text));
	free(status);
}

void node_on_overlay_effect(struct node *node, instant now, const struct overlay_effect *effect)
{
	switch (effect->type) {
	case OVERLAY_SEND:
		send_message(node, now, &effect->send);
		break;
	case OVERLAY_ANSWER:
		send_answer(node, now, &effect->answer);
		break;
	case OVERLAY_CONNECT:
		connect_member(node, now, &effect->connect);
		break;
	case OVERLAY_RELEASE:
		host_hold(node->host, now, &effect->release, false);
		break;
	case OVERLAY_RESULT:
		finish_request(node, now, &effect->result);
		break;
	case OVERLAY_JOINED:
	case OVERLAY_PARTED:
	case OVERLAY_EVENT:
		tell_overlay_event(node, now, effect->event);
		break;
	case OVERLAY_EFFECT_NONE:
		break;
	}
}
