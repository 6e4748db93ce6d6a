/* SPDX-License-Identifier: MIT */
/*
 * Copies of what we carry (RFC 6940 sections 7.4.1.1, 10.4 and 10.7.3). One resource at a time is taken from the
 * storage queue and looked at: a joining peer gets what it will be responsible for; the replica nodes get what we are
 * responsible for; whoever is responsible now gets what we are not; and what is none of our business any more, and
 * known to be elsewhere, goes.
 */
#include "overlay/engine.h"

#include <string.h>

/* Octets of a Store message that are kept free for its frame. */
#define STORE_FRAME 128
/* Stores of one resource that may be refused before we believe it. */
#define REFUSALS_MAXIMUM 4

/* ---- Fetching what another has newer ---- */

static void sync_answered(struct overlay *overlay, struct request *request, const struct overlay_arrival *arrival,
	const struct reload_message *message)
{
	struct reader reader = reader_over(message->kinds.data, message->kinds.length);
	struct reload_kind_values values;

	(void)arrival;
	while (reload_next_kind_values(&reader, &values)) {
		struct store_terms terms = {.right = STORE_MERGE, .generation = values.generation, .copies = 1};
		if (values.kind == request->kind && values.values.length)
			store_kind_values(overlay, &request->resource, &values, &terms, NULL);
	}
}

static void sync_failed(struct overlay *overlay, struct request *request, hiphop_error error, uint16_t reload_error)
{
	(void)overlay;
	(void)request;
	(void)error;
	(void)reload_error;
}

static const struct request_purpose purpose_sync = {"sync", 1, sync_answered, sync_failed};

static void fetch_newer(struct overlay *overlay, const struct request *store)
{
	struct request *request = request_new(overlay, &purpose_sync);

	if (request)
		send_fetch(overlay, request, RELOAD_FETCH_REQUEST, &store->peer, &store->resource, store->kind);
}

/* ---- Sending copies ---- */

static void send_values(struct overlay *overlay, struct stored_resource *resource, struct request *request,
	const struct hit *destination, uint8_t replica_number);

static void handed_over(struct overlay *overlay, struct stored_resource *resource, const struct hit *to)
{
	struct peer *peer = peer_find(overlay, to);

	if (resource && hit_equal(&resource->handover, to))
		resource->handover = (struct hit){{0}};
	if (peer && peer->joining && peer->handovers && --peer->handovers == 0)
		join_admit(overlay, peer);
}

static void note_copy(struct overlay *overlay, struct stored_resource *resource, const struct request *request,
	const struct hit *holder)
{
	size_t slot = 0;

	if (!hit_is_host(&request->destination)) {
		/* Handed to whoever is responsible: remember whom we meant, so that we do not ask again. */
		resource->told = overlay->topology->operations->responsible(overlay->topology, &resource->resource);
		return;
	}
	while (slot < STORAGE_REPLICAS - 1 && !hit_equal(&resource->copied[slot].hit, holder) &&
		!hit_is_null(&resource->copied[slot].hit))
		slot++;
	/* A full list forgets its last entry; the worst is one Store too many. */
	resource->copied[slot].hit = *holder;
	resource->copied[slot].revision = request->revision;
}

static void finish_copy(struct overlay *overlay, struct request *request, bool done, const struct hit *holder)
{
	struct stored_resource *resource = storage_find(&overlay->storage, request->kind, &request->resource);
	bool handover = request->type == OVERLAY_REQUEST_LEAVE;

	overlay->replication_outstanding--;
	if (resource) {
		resource->outstanding--;
		if (done)
			resource->refusals = 0;
		if (done)
			note_copy(overlay, resource, request, holder);
	}
	if (handover)
		handed_over(overlay, resource, &request->peer);
	if (resource && done && !resource->queued)
		storage_queue(&overlay->storage, resource);
	timer_set_sooner(overlay, TIMER_REPLICATE, 0);
}

static void copy_answered(struct overlay *overlay, struct request *request, const struct overlay_arrival *arrival,
	const struct reload_message *message)
{
	struct stored_resource *resource = storage_find(&overlay->storage, request->kind, &request->resource);
	size_t next = request->next_value;

	(void)message;
	if (resource && next && next < resource->count && resource->revision == request->revision) {
		overlay->replication_outstanding--;
		resource->outstanding--;
		struct request *more = request_new(overlay, request->purpose);
		if (more) {
			more->next_value = next;
			more->type = request->type;
			more->peer = request->peer;
			send_values(overlay, resource, more, &request->destination, 1);
		} else {
			timer_set_sooner(overlay, TIMER_REQUEUE, overlay->timers.replica_hold);
		}
		return;
	}
	finish_copy(overlay, request, true, &arrival->sender);
}

/* A refusal may come from a peer that does not know its place yet, so it is tried again a few times; then the other has
 * a better claim, or no room. A failed transport is tried again always. */
static void copy_failed(struct overlay *overlay, struct request *request, hiphop_error error, uint16_t reload_error)
{
	struct stored_resource *resource = storage_find(&overlay->storage, request->kind, &request->resource);
	bool done = reload_error && reload_error != RELOAD_ERROR_FORBIDDEN;

	(void)error;
	if (reload_error == RELOAD_ERROR_FORBIDDEN && (!resource || ++resource->refusals >= REFUSALS_MAXIMUM))
		done = true;
	if (reload_error == RELOAD_ERROR_DATA_TOO_OLD && hit_is_host(&request->destination))
		fetch_newer(overlay, request);
	finish_copy(overlay, request, done, &request->peer);
	if (!done)
		timer_set_sooner(overlay, TIMER_REQUEUE, overlay->timers.replica_hold);
}

static const struct request_purpose purpose_copy = {"copy", 1, copy_answered, copy_failed};

/* Writes values from request->next_value on; leaves there the place of the first that did not fit, or 0. */
static void write_chunk(const struct overlay *overlay, const struct stored_resource *resource, struct request *request,
	struct writer *writer, uint32_t *tombstone_s)
{
	size_t mark = reload_begin_kind_values(writer, resource->kind->id, resource->generation);
	size_t i = request->next_value;

	request->next_value = 0;
	for (; i < resource->count; i++) {
		const struct stored_value *value = resource->values[i];
		size_t before = writer->position;
		stored_data_write(writer, value->storage_time, stored_value_lifetime(value, overlay->now),
			(struct span){value->octets.data, value->octets.length});
		if (writer->failed) {
			writer->failed = false;
			writer->position = before;
			request->next_value = i;
			break;
		}
		if (value->tombstone)
			*tombstone_s = stored_value_tombstone(value, overlay->now);
	}
	reload_end_kind_values(writer, mark);
}

/* Takes over the request. */
static void send_values(struct overlay *overlay, struct stored_resource *resource, struct request *request,
	const struct hit *destination, uint8_t replica_number)
{
	uint8_t octets[OVERLAY_MESSAGE_MAXIMUM - STORE_FRAME];
	struct writer writer = writer_over(octets, sizeof(octets));
	struct reload_message message = {.code = RELOAD_STORE_REQUEST, .has_copies = true, .copies = resource->copies};

	write_chunk(overlay, resource, request, &writer, &message.tombstone_s);
	message.store = (struct reload_store_request){
		.resource = resource->resource, .replica_number = replica_number, .kinds = {octets, writer.position}};
	request->resource = resource->resource;
	request->kind = resource->kind->id;
	request->revision = resource->revision;
	if (request_send(overlay, request, destination, NULL, &message)) {
		timer_set_sooner(overlay, TIMER_REQUEUE, overlay->timers.replica_hold);
		return;
	}
	resource->outstanding++;
	overlay->replication_outstanding++;
}

static void send_copy(struct overlay *overlay, struct stored_resource *resource, const struct hit *destination,
	uint8_t replica_number, bool handover)
{
	struct request *request = request_new(overlay, &purpose_copy);

	if (!request) {
		timer_set_sooner(overlay, TIMER_REQUEUE, overlay->timers.replica_hold);
		return;
	}
	request->peer = *destination;
	/* The type only marks a hand-over to a joining peer; no user waits for this request. */
	request->type = handover ? OVERLAY_REQUEST_LEAVE : OVERLAY_REQUEST_STORE;
	send_values(overlay, resource, request, destination, replica_number);
}

/* ---- Deciding ---- */

static bool has_copy(const struct stored_resource *resource, const struct hit *node)
{
	for (size_t i = 0; i < STORAGE_REPLICAS; i++)
		if (hit_equal(&resource->copied[i].hit, node))
			return resource->copied[i].revision == resource->revision;
	return false;
}

static void forget_old_replicas(struct stored_resource *resource, const struct hit *nodes, size_t count)
{
	for (size_t i = 0; i < STORAGE_REPLICAS; i++) {
		bool current = false;
		for (size_t j = 0; j < count; j++)
			current |= hit_equal(&resource->copied[i].hit, &nodes[j]);
		if (!current)
			memset(&resource->copied[i], 0, sizeof(resource->copied[i]));
	}
}

static void replicate(struct overlay *overlay, struct stored_resource *resource)
{
	struct hit nodes[TOPOLOGY_REPLICAS];
	size_t count = overlay->topology->operations->replica_set(overlay->topology, nodes, overlay->replicas);

	forget_old_replicas(resource, nodes, count);
	resource->told = (struct hit){{0}};
	if (count + 1 > resource->copies)
		resource->copies = (uint8_t)(count + 1);
	for (size_t i = 0; i < count; i++)
		if (!has_copy(resource, &nodes[i]))
			send_copy(overlay, resource, &nodes[i], (uint8_t)(i + 1), false);
}

static void examine(struct overlay *overlay, struct stored_resource *resource)
{
	const struct topology_operations *operations = overlay->topology->operations;
	struct hit responsible = operations->responsible(overlay->topology, &resource->resource);

	if (resource->outstanding)
		return; /* looked at again when they are answered */
	if (resource->count == 0) {
		storage_drop(&overlay->storage, resource);
		return;
	}
	if (!hit_is_null(&resource->handover)) {
		struct hit handover = resource->handover;
		resource->handover = (struct hit){{0}};
		send_copy(overlay, resource, &handover, 1, true);
		return;
	}
	if (!overlay->in_ring)
		return;
	if (hit_equal(&responsible, &overlay->self))
		replicate(overlay, resource);
	else if (!hit_equal(&resource->told, &responsible))
		send_copy(overlay, resource, &resource->resource, 1, false);
	else if (!operations->in_replica_range(overlay->topology, &resource->resource, overlay->replicas))
		storage_drop(&overlay->storage, resource);
}

void replication_run(struct overlay *overlay)
{
	size_t left = overlay->storage.queued;

	while (left-- && overlay->replication_outstanding < REPLICATION_OUTSTANDING) {
		struct stored_resource *resource = storage_take_queued(&overlay->storage);
		if (!resource)
			return;
		examine(overlay, resource);
	}
}

void replication_hand_back(struct overlay *overlay, const struct peer *peer)
{
	struct map_walk walk = map_walk_start(&overlay->storage.resources);
	struct stored_resource *resource;

	while ((resource = map_walk_next(&walk, NULL))) {
		struct hit responsible =
			overlay->topology->operations->responsible(overlay->topology, &resource->resource);
		if (hit_equal(&responsible, &peer->hit) && !hit_equal(&resource->told, &peer->hit))
			storage_queue(&overlay->storage, resource);
	}
}

void replication_begin_handover(struct overlay *overlay, struct peer *peer)
{
	const struct topology_operations *operations = overlay->topology->operations;
	struct map_walk walk = map_walk_start(&overlay->storage.resources);
	struct stored_resource *resource;

	peer->handovers = 0;
	while ((resource = map_walk_next(&walk, NULL))) {
		if (!is_responsible(overlay, &resource->resource) ||
			!operations->closer(overlay->topology, &resource->resource, &peer->hit, &overlay->self))
			continue;
		resource->handover = peer->hit;
		peer->handovers++;
		storage_queue(&overlay->storage, resource);
	}
}
