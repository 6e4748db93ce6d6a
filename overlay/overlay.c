/* SPDX-License-Identifier: MIT */
#include "overlay/overlay.h"

#include "overlay/engine.h"

#include <stdlib.h>
#include <string.h>

#define ROUTE_MAXIMUM 1024

/* A message to ourselves: what we are responsible for needs no wire. */
struct loopback {
	struct loopback *next;
	struct hit receiver;
	uint64_t transaction;
	size_t length;
	uint8_t contents[];
};

/* ---- Creation ---- */

static void default_duration(duration *value, duration standard)
{
	if (!*value)
		*value = standard;
}

static void default_size(size_t *value, size_t standard)
{
	if (!*value)
		*value = standard;
}

static void set_defaults(struct overlay *overlay)
{
	struct overlay_timers *timers = &overlay->timers;
	struct overlay_limits *limits = &overlay->limits;

	default_duration(&timers->stabilise, SECONDS(15));
	default_duration(&timers->update_delay, MILLISECONDS(200));
	default_duration(&timers->finger_search, SECONDS(60));
	default_duration(&timers->bootstrap_probe, SECONDS(60));
	default_duration(&timers->join_retry, SECONDS(1));
	default_duration(&timers->join_wait, SECONDS(3));
	default_duration(&timers->connect_timeout, SECONDS(10));
	default_duration(&timers->quarantine, SECONDS(30));
	default_duration(&timers->surplus_grace, SECONDS(60));
	default_duration(&timers->replica_hold, SECONDS(5));
	default_duration(&timers->request_timeout, SECONDS(10));
	default_duration(&timers->request_retry, SECONDS(1));
	default_size(&limits->storage_bytes, 16U << 20);
	default_size(&limits->storage_values, 32768);
	default_size(&limits->owner_bytes, 256U << 10);
	default_size(&limits->owner_values, 256);
	default_size(&limits->associations, 64);
	default_size(&limits->pending_requests, 512);
	default_size(&limits->own_records, 256);
	if (!limits->sender_per_second)
		limits->sender_per_second = 50;
	if (!limits->strangers_per_second)
		limits->strangers_per_second = 500;
}

static hiphop_error copy_name(char *to, const char *from)
{
	size_t length = from ? strlen(from) : OVERLAY_NAME_SIZE;

	if (length >= OVERLAY_NAME_SIZE)
		return HIPHOP_INVALID_ARGUMENT;
	memcpy(to, from, length + 1);
	return HIPHOP_OK;
}

static hiphop_error start(struct overlay *overlay, const struct topology_operations *topology)
{
	hiphop_error error =
		topology->create(&overlay->self, overlay->limits.associations * 2 + 64, &overlay->topology);

	storage_start(&overlay->storage, &overlay->limits, overlay->random);
	map_start(&overlay->peers, HIT_LENGTH, overlay->random);
	map_start(&overlay->requests, sizeof(uint64_t), overlay->random);
	map_start(&overlay->records, HIT_LENGTH + 4, overlay->random);
	map_start(&overlay->senders, HIT_LENGTH, overlay->random);
	deadline_heap_start(&overlay->deadlines);
	if (!error)
		error = deadline_heap_reserve(&overlay->deadlines, TIMER_COUNT);
	for (int timer = 0; timer < TIMER_COUNT; timer++)
		overlay->timers_set[timer].kind = timer;
	return error;
}

hiphop_error overlay_create(const struct overlay_configuration *configuration, instant now, wall_milliseconds wall,
	struct overlay **created)
{
	const struct topology_operations *topology = topology_find(configuration->topology);
	struct overlay *overlay;

	if (!topology)
		return HIPHOP_UNSUPPORTED;
	if (configuration->replicas > TOPOLOGY_REPLICAS || !hit_is_host(&configuration->self))
		return HIPHOP_INVALID_ARGUMENT;
	overlay = calloc(1, sizeof(*overlay));
	if (!overlay)
		return HIPHOP_NO_MEMORY;
	overlay->self = configuration->self;
	overlay->role = configuration->role;
	overlay->has_bootstrap = configuration->has_bootstrap;
	overlay->replicas = configuration->replicas;
	overlay->crypto = configuration->crypto;
	overlay->random = configuration->random;
	overlay->log = configuration->log;
	overlay->limits = configuration->limits;
	overlay->timers = configuration->timers;
	overlay->now = overlay->created = now;
	overlay->wall = wall;
	set_defaults(overlay);
	overlay->strangers =
		token_bucket_start(overlay->limits.strangers_per_second, overlay->limits.strangers_per_second * 8, now);
	hiphop_error error = copy_name(overlay->name, configuration->name);
	if (!error)
		error = copy_name(overlay->hash, configuration->hash);
	hiphop_error started = start(overlay, topology);
	if (error || started) {
		overlay_free(overlay);
		return error ? error : started;
	}
	overlay->joined = overlay_is_joined(overlay);
	timer_set(overlay, TIMER_STABILISE, jittered(overlay, overlay->timers.stabilise));
	timer_set(overlay, TIMER_PROBE, jittered(overlay, overlay->timers.bootstrap_probe));
	timer_set(overlay, TIMER_JOIN, overlay->timers.join_retry);
	*created = overlay;
	return HIPHOP_OK;
}

static void loopbacks_free(struct overlay *overlay)
{
	while (overlay->first_loopback) {
		struct loopback *loopback = overlay->first_loopback;
		overlay->first_loopback = loopback->next;
		free(loopback);
	}
}

void overlay_free(struct overlay *overlay)
{
	if (!overlay)
		return;
	loopbacks_free(overlay);
	overlay_effects_free(overlay);
	records_free(overlay);
	requests_free(overlay);
	peers_free(overlay);
	storage_free(&overlay->storage);
	if (overlay->topology)
		overlay->topology->operations->free(overlay->topology);
	deadline_heap_free(&overlay->deadlines);
	free(overlay);
}

/* ---- Timers ---- */

void timer_set(struct overlay *overlay, enum deadline_kind timer, duration after)
{
	if (overlay->leaving && timer != TIMER_LEAVE)
		return;
	/* Room was reserved at creation. */
	deadline_set(&overlay->deadlines, &overlay->timers_set[timer], instant_after(overlay->now, after));
}

void timer_set_sooner(struct overlay *overlay, enum deadline_kind timer, duration after)
{
	const struct deadline *set = &overlay->timers_set[timer];

	if (!set->slot || set->at > instant_after(overlay->now, after))
		timer_set(overlay, timer, after);
}

void timer_cancel(struct overlay *overlay, enum deadline_kind timer)
{
	deadline_cancel(&overlay->deadlines, &overlay->timers_set[timer]);
}

duration jittered(const struct overlay *overlay, duration base)
{
	uint32_t permille = 750 + random_below(overlay->random, 501);

	return base / 1000 * permille;
}

/* ---- Messages to ourselves, and answers ---- */

void loopback_add(struct overlay *overlay, uint64_t transaction, const struct hit *receiver, struct span contents)
{
	struct loopback *loopback = NULL;

	if (overlay->loopbacks < LOOPBACK_MAXIMUM)
		loopback = calloc(1, sizeof(*loopback) + contents.length);
	if (!loopback)
		return;
	loopback->receiver = *receiver;
	loopback->transaction = transaction;
	loopback->length = contents.length;
	if (contents.length)
		memcpy(loopback->contents, contents.data, contents.length);
	if (overlay->first_loopback)
		overlay->last_loopback->next = loopback;
	else
		overlay->first_loopback = loopback;
	overlay->last_loopback = loopback;
	overlay->loopbacks++;
}

void answer_send(struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_message *message)
{
	uint8_t octets[OVERLAY_MESSAGE_MAXIMUM];
	struct writer writer = writer_over(octets, sizeof(octets));

	if (reload_message_write(&writer, message))
		return;
	if (hit_equal(&arrival->sender, &overlay->self))
		loopback_add(overlay, arrival->transaction, &overlay->self, (struct span){octets, writer.position});
	else
		effect_answer(overlay, arrival, octets, writer.position);
}

void answer_error(struct overlay *overlay, const struct overlay_arrival *arrival, uint16_t code, const char *text)
{
	struct reload_message message = {
		.code = RELOAD_ERROR, .error = {.code = code, .information = {(const uint8_t *)text, strlen(text)}}};

	answer_send(overlay, arrival, &message);
}

/* ---- Dispatch ---- */

static void dispatch(
	struct overlay *overlay, const struct overlay_arrival *arrival, const uint8_t *contents, size_t length)
{
	bool own = hit_equal(&arrival->sender, &overlay->self);
	struct reload_message message;
	hiphop_error error = reload_message_parse(contents, length, &message);
	bool request = reload_is_request(error ? reload_peek_code(contents, length) : message.code);

	if (request && !own && !sender_may(overlay, &arrival->sender, 1)) {
		overlay->refused++;
		return;
	}
	if (error) {
		overlay->refused++;
		if (request)
			answer_error(overlay, arrival,
				error == HIPHOP_TOO_LARGE ? RELOAD_ERROR_MESSAGE_TOO_LARGE
							  : RELOAD_ERROR_INVALID_MESSAGE,
				hiphop_error_text(error));
		return;
	}
	struct peer *peer = own ? NULL : peer_find(overlay, &arrival->sender);
	if (peer)
		peer->heard = overlay->now;
	if (!request)
		requests_answer(overlay, arrival, &message);
	else if (!overlay->leaving)
		answer_request(overlay, arrival, &message);
}

static void drain_loopback(struct overlay *overlay)
{
	while (overlay->first_loopback) {
		struct loopback *loopback = overlay->first_loopback;
		struct overlay_arrival arrival = {
			.sender = overlay->self, .receiver = loopback->receiver, .transaction = loopback->transaction};
		overlay->first_loopback = loopback->next;
		overlay->loopbacks--;
		dispatch(overlay, &arrival, loopback->contents, loopback->length);
		free(loopback);
	}
}

/* ---- Settling: what follows from the new state, once, at the end of each call ---- */

static void notice_neighbours(struct overlay *overlay)
{
	struct hit nodes[TOPOLOGY_NEIGHBOURS];
	size_t count = overlay->topology->operations->neighbours(overlay->topology, nodes);

	if (count == overlay->neighbour_count && memcmp(nodes, overlay->neighbours, count * sizeof(*nodes)) == 0)
		return;
	memcpy(overlay->neighbours, nodes, count * sizeof(*nodes));
	overlay->neighbour_count = count;
	if (count == 0 && overlay->in_ring) {
		overlay->in_ring = false;
		overlay->join_attempts = 0;
		timer_set_sooner(overlay, TIMER_JOIN, overlay->timers.update_delay);
	}
	if (!overlay->in_ring)
		return;
	overlay->unsettled_until = instant_after(overlay->now, overlay->timers.replica_hold);
	timer_set_sooner(overlay, TIMER_UPDATE, overlay->timers.update_delay);
	timer_set_sooner(overlay, TIMER_REQUEUE, overlay->timers.replica_hold);
}

static void tell_joined(struct overlay *overlay)
{
	bool joined = overlay_is_joined(overlay);

	if (joined == overlay->joined)
		return;
	overlay->joined = joined;
	if (joined)
		effect_event(overlay, OVERLAY_JOINED, "joined overlay %s", overlay->name);
	else
		effect_event(overlay, OVERLAY_PARTED, "no other member of overlay %s is reachable", overlay->name);
}

void settle(struct overlay *overlay)
{
	drain_loopback(overlay);
	notice_neighbours(overlay);
	if (overlay->storage.queued && overlay->replication_outstanding < REPLICATION_OUTSTANDING)
		timer_set_sooner(overlay, TIMER_REPLICATE, 0);
	tell_joined(overlay);
}

void advance(struct overlay *overlay, instant now)
{
	if (now <= overlay->now)
		return;
	overlay->wall += (now - overlay->now) / MILLISECONDS(1);
	overlay->now = now;
}

/* ---- Input ---- */

void overlay_input(struct overlay *overlay, instant now, wall_milliseconds wall, const struct overlay_arrival *arrival,
	const uint8_t *contents, size_t length)
{
	advance(overlay, now);
	overlay->wall = wall;
	associations_retry_missed(overlay);
	if (arrival->route_length > ROUTE_MAXIMUM) {
		overlay->refused++;
		return;
	}
	dispatch(overlay, arrival, contents, length);
	settle(overlay);
}

void overlay_send_failed(struct overlay *overlay, instant now, uint64_t transaction, hiphop_error error)
{
	advance(overlay, now);
	requests_failed(overlay, transaction, error);
	settle(overlay);
}

/* ---- Routing ---- */

/* Through whom a host that is in no ring sends what is its own. `avoid` may be NULL. */
static const struct peer *way_in(const struct overlay *overlay, const struct hit *avoid)
{
	struct map_walk walk = map_walk_start(&overlay->peers);
	const struct peer *peer, *any = NULL;

	while ((peer = map_walk_next(&walk, NULL))) {
		if (!peer->associated || (avoid && hit_equal(&peer->hit, avoid)))
			continue;
		if (peer->bootstrap)
			return peer;
		if (!any && peer->member)
			any = peer;
	}
	return any;
}

/* The member nearest behind the destination: it has the destination as its predecessor, and so an association with it.
 */
static overlay_route way_round(const struct overlay *overlay, const struct hit *destination, struct hit *next)
{
	struct map_walk walk = map_walk_start(&overlay->peers);
	const struct peer *peer, *nearest = NULL;

	while ((peer = map_walk_next(&walk, NULL))) {
		if (!peer->associated || !peer->member || hit_equal(&peer->hit, destination))
			continue;
		if (!nearest || overlay->topology->operations->closer(
					overlay->topology, destination, &peer->hit, &nearest->hit))
			nearest = peer;
	}
	if (!nearest)
		return OVERLAY_NO_ROUTE;
	*next = nearest->hit;
	return OVERLAY_HOP;
}

overlay_route overlay_next_hop(
	const struct overlay *overlay, const struct hit *destination, const struct hit *arrived_from, struct hit *next)
{
	const struct topology_operations *operations = overlay->topology->operations;
	bool host = hit_is_host(destination);

	if (hit_equal(destination, &overlay->self))
		return OVERLAY_SELF;
	const struct peer *peer = host ? peer_find(overlay, destination) : NULL;
	bool round = arrived_from && hit_equal(arrived_from, destination);
	if (peer && peer->associated && !round) {
		*next = *destination;
		return OVERLAY_HOP;
	}
	if (overlay->leaving)
		return OVERLAY_NO_ROUTE;
	if (!overlay->in_ring || overlay->role == OVERLAY_CLIENT) {
		peer = arrived_from && !round ? NULL : way_in(overlay, arrived_from);
		if (peer) {
			*next = peer->hit;
			return OVERLAY_HOP;
		}
		if (overlay->role == OVERLAY_CLIENT)
			return OVERLAY_NO_ROUTE;
	}
	overlay_route route = operations->next_hop(overlay->topology, destination, next);
	if (host && round && (route == OVERLAY_SELF || hit_equal(next, destination)))
		return way_round(overlay, destination, next);
	if (route == OVERLAY_HOP && arrived_from && hit_equal(next, arrived_from)) {
		/* Who sent it here takes us for responsible: it may know of a death that we have not noticed. */
		bool replica = operations->in_replica_range(overlay->topology, destination, overlay->replicas);
		route = replica ? OVERLAY_SELF : OVERLAY_NO_ROUTE;
	}
	return route == OVERLAY_SELF && host ? OVERLAY_NO_ROUTE : route;
}

static hiphop_error resource_id_of(
	const struct overlay *overlay, const void *octets, size_t length, struct hit *resource_id)
{
	uint8_t digest[64];
	size_t digest_length = 0;
	hiphop_error error =
		overlay->crypto.digest(overlay->crypto.context, overlay->hash, octets, length, digest, &digest_length);

	return error ? error : resource_id_from_digest(digest, digest_length, resource_id);
}

hiphop_error overlay_resource_id_of_name(const struct overlay *overlay, const char *name, struct hit *resource_id)
{
	return resource_id_of(overlay, name, strlen(name), resource_id);
}

hiphop_error overlay_resource_id_of_node(const struct overlay *overlay, const struct hit *hit, struct hit *resource_id)
{
	return resource_id_of(overlay, hit->octets, HIT_LENGTH, resource_id);
}

/* ---- Time ---- */

static void deadline_passed(struct overlay *overlay, struct deadline *deadline)
{
	switch ((enum deadline_kind)deadline->kind) {
	case TIMER_STABILISE:
		maintenance_stabilise(overlay);
		break;
	case TIMER_UPDATE:
		maintenance_tell_change(overlay);
		break;
	case TIMER_FINGER:
		maintenance_search_finger(overlay);
		break;
	case TIMER_PROBE:
		maintenance_probe(overlay);
		break;
	case TIMER_JOIN:
		join_step(overlay);
		break;
	case TIMER_REQUEUE:
		storage_queue_all(&overlay->storage);
		replication_run(overlay);
		break;
	case TIMER_REPLICATE:
		replication_run(overlay);
		break;
	case TIMER_LEAVE:
		leave_finish(overlay);
		break;
	case DEADLINE_PEER:
		peer_deadline(overlay, deadline->owner);
		break;
	case DEADLINE_REQUEST:
		request_deadline(overlay, deadline->owner);
		break;
	case DEADLINE_RECORD:
		record_deadline(overlay, deadline->owner);
		break;
	case TIMER_COUNT:
		break;
	}
}

void overlay_tick(struct overlay *overlay, instant now, wall_milliseconds wall)
{
	struct deadline *deadline;
	/* What a deadline sets for this very moment waits for the next call, so that none can spin here. */
	size_t most = overlay->deadlines.count;

	advance(overlay, now);
	overlay->wall = wall;
	storage_expire(&overlay->storage, overlay->now);
	while (most-- && (deadline = deadline_heap_pop(&overlay->deadlines, overlay->now)))
		deadline_passed(overlay, deadline);
	settle(overlay);
}

instant overlay_next_wake(const struct overlay *overlay)
{
	instant wake = deadline_heap_next(&overlay->deadlines);

	if (overlay->first_loopback)
		return overlay->now;
	return instant_earlier(wake, storage_next_wake(&overlay->storage));
}

/* ---- Status ---- */

bool overlay_is_joined(const struct overlay *overlay)
{
	struct map_walk walk = map_walk_start(&overlay->peers);
	const struct peer *peer;

	if (overlay->role == OVERLAY_PEER)
		return !overlay->leaving && (overlay->in_ring || !overlay->has_bootstrap);
	while ((peer = map_walk_next(&walk, NULL)))
		if (peer->associated && (peer->member || peer->bootstrap))
			return true;
	return false;
}

static void add_neighbour(const struct overlay *overlay, const struct peer *peer, struct overlay_status *status)
{
	struct topology_place place = overlay->topology->operations->place(overlay->topology, &peer->hit);
	struct overlay_neighbour *out = &status->neighbours[status->neighbour_count];

	if (status->neighbour_count == OVERLAY_STATUS_NEIGHBOURS || (!peer->associated && !peer->wanted))
		return;
	*out = (struct overlay_neighbour){.hit = peer->hit,
		.associated = peer->associated,
		.member = peer->member,
		.successor = place.successor,
		.predecessor = place.predecessor,
		.finger = place.finger,
		.bootstrap = peer->bootstrap,
		.heard = peer->heard};
	status->neighbour_count++;
	status->members += peer->member;
}

void overlay_get_status(const struct overlay *overlay, struct overlay_status *status)
{
	struct map_walk walk = map_walk_start(&overlay->peers);
	const struct storage *storage = &overlay->storage;
	struct hit nodes[TOPOLOGY_NEIGHBOURS];
	size_t count = overlay->topology->operations->neighbours(overlay->topology, nodes);
	const struct peer *peer;

	memset(status, 0, sizeof(*status));
	memcpy(status->name, overlay->name, sizeof(status->name));
	copy_name(status->topology, overlay->topology->operations->name);
	status->role = overlay->role;
	status->joined = overlay_is_joined(overlay);
	for (size_t i = 0; i < count; i++)
		if ((peer = peer_find(overlay, &nodes[i])))
			add_neighbour(overlay, peer, status);
	while ((peer = map_walk_next(&walk, NULL))) {
		struct topology_place place = overlay->topology->operations->place(overlay->topology, &peer->hit);
		if (!place.successor && !place.predecessor)
			add_neighbour(overlay, peer, status);
	}
	status->stored_values = storage->values;
	status->stored_bytes = storage->bytes;
	status->own_records = overlay->records.count;
	status->pending_requests = overlay->requests.count;
	for (uint64_t i = 0; i < storage->conflict_total && i < OVERLAY_CONFLICTS; i++)
		status->conflicts[status->conflict_count++] = storage->conflicts[i];
	status->refused = overlay->refused;
}
