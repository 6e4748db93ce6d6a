/* SPDX-License-Identifier: MIT */
/*
 * Finding our place, joining, merging two rings, leaving (RFC 6940 sections 10.5, 10.7.4.4 and 10.9).
 *
 * A Ping to our own position through a bootstrap peer names the peer that its ring holds responsible for it. We
 * connect to that one through the bootstrap peer. Not in a ring yet, we then ask for its Update, connect to the
 * neighbours it names, and send a Join to the nearest; once its Update names us we are in. In a ring already, we send
 * our Update: both rings then find each other's members from neighbour to neighbour, until they are one.
 */
#include "overlay/engine.h"

#include <string.h>

/* ---- Looking for our place ---- */

/* A client stays attached to the peer that it was told of last. */
static void forget_way_in(struct overlay *overlay)
{
	struct map_walk walk = map_walk_start(&overlay->peers);
	struct peer *peer;

	while ((peer = map_walk_next(&walk, NULL)))
		peer->admitting = false;
}

static void probe_answered(struct overlay *overlay, struct request *request, const struct overlay_arrival *arrival,
	const struct reload_message *message)
{
	struct peer *through = peer_find(overlay, &request->peer);
	const struct hit *place = &arrival->sender;

	(void)message;
	if (through)
		through->probing = false;
	if (hit_equal(place, &overlay->self)) {
		/* That ring counts us in already: an earlier life of ours, if we do not know it. */
		if (!overlay->in_ring && through && through->associated)
			peer_greet(overlay, through);
		return;
	}
	struct peer *peer = peer_get(overlay, place);
	if (!peer)
		return;
	peer->shunned_until = 0;
	if (overlay->role == OVERLAY_CLIENT)
		forget_way_in(overlay);
	peer->admitting = overlay->role == OVERLAY_CLIENT || !peer->member;
	if (!peer->associated)
		peer_want(overlay, place, &request->peer);
	else if (!peer->member)
		peer_greet(overlay, peer);
}

static void probe_failed(struct overlay *overlay, struct request *request, hiphop_error error, uint16_t reload_error)
{
	struct peer *through = peer_find(overlay, &request->peer);

	(void)error;
	(void)reload_error;
	if (through)
		through->probing = false;
}

static const struct request_purpose purpose_probe = {"probe", 1, probe_answered, probe_failed};

void join_probe(struct overlay *overlay, struct peer *through)
{
	struct reload_message message = {.code = RELOAD_PING_REQUEST};
	struct hit position = resource_id_at(&overlay->self);

	if (through->probing || overlay->leaving)
		return;
	struct request *request = request_new(overlay, &purpose_probe);
	if (!request)
		return;
	request->peer = through->hit;
	if (request_send(overlay, request, &position, &through->hit, &message) == HIPHOP_OK)
		through->probing = true;
}

/* ---- Joining ---- */

static void join_answered(struct overlay *overlay, struct request *request, const struct overlay_arrival *arrival,
	const struct reload_message *message)
{
	(void)request;
	(void)arrival;
	(void)message;
	/* The admitting peer's Update follows once it has handed our part over; ask again if it does not. */
	overlay->join_sent = false;
	if (!overlay->in_ring)
		timer_set(overlay, TIMER_JOIN, 2 * overlay->timers.join_wait);
}

static void join_failed(struct overlay *overlay, struct request *request, hiphop_error error, uint16_t reload_error)
{
	struct peer *peer = peer_find(overlay, &request->peer);

	(void)error;
	overlay->join_sent = false;
	if (peer && !reload_error)
		peer_suspect(overlay, peer);
	if (!overlay->in_ring)
		timer_set_sooner(overlay, TIMER_JOIN, overlay->timers.join_retry);
}

static const struct request_purpose purpose_join = {"join", 1, join_answered, join_failed};

static void send_join(struct overlay *overlay, const struct hit *admitting)
{
	struct reload_message message = {.code = RELOAD_JOIN_REQUEST, .join = {.node = overlay->self}};
	struct request *request = overlay->join_sent ? NULL : request_new(overlay, &purpose_join);

	if (!request)
		return;
	request->peer = *admitting;
	overlay->join_sent = request_send(overlay, request, admitting, NULL, &message) == HIPHOP_OK;
}

/* Asks every bootstrap peer, and the admitting peers that we found through them; without any, whoever is there. */
static void look_around(struct overlay *overlay)
{
	struct peer *found[WANTED_MAXIMUM];
	size_t count = 0;
	struct map_walk walk = map_walk_start(&overlay->peers);
	struct peer *peer;

	while ((peer = map_walk_next(&walk, NULL)) && count < WANTED_MAXIMUM)
		if (peer->associated && (peer->bootstrap || peer->admitting))
			found[count++] = peer;
	bool strangers = count == 0;
	walk = map_walk_start(&overlay->peers);
	while (strangers && (peer = map_walk_next(&walk, NULL)) && count < WANTED_MAXIMUM)
		if (peer->associated)
			found[count++] = peer;
	for (size_t i = 0; i < count; i++) {
		if (found[i]->admitting || strangers)
			peer_greet(overlay, found[i]);
		if (found[i]->bootstrap)
			join_probe(overlay, found[i]);
	}
}

void join_step(struct overlay *overlay)
{
	struct hit admitting;
	unsigned doublings = overlay->join_attempts < 4 ? overlay->join_attempts : 4;

	if (overlay->leaving || (overlay->in_ring && overlay->role == OVERLAY_PEER))
		return;
	timer_set(overlay, TIMER_JOIN, jittered(overlay, overlay->timers.join_retry << doublings));
	overlay->join_attempts++;
	if (overlay->role == OVERLAY_CLIENT ||
		!overlay->topology->operations->admitting(overlay->topology, &admitting)) {
		look_around(overlay);
		return;
	}
	if (overlay->wanted && overlay->now < overlay->gather_until) {
		overlay->join_attempts = 0;
		timer_set(overlay, TIMER_JOIN, overlay->timers.update_delay);
		return;
	}
	send_join(overlay, &admitting);
}

void join_enter_ring(struct overlay *overlay)
{
	if (overlay->in_ring)
		return;
	overlay->in_ring = true;
	overlay->unsettled_until = instant_after(overlay->now, overlay->timers.replica_hold);
	overlay->join_attempts = 0;
	overlay->finger_searches = 0;
	timer_cancel(overlay, TIMER_JOIN);
	timer_set(overlay, TIMER_FINGER, overlay->timers.join_retry);
	timer_set_sooner(overlay, TIMER_STABILISE, jittered(overlay, overlay->timers.stabilise));
	/* RFC 6940 section 10.5 step 9; the neighbours that settle() sees as new get it at once. */
	struct hit nodes[TOPOLOGY_NEIGHBOURS];
	size_t count = overlay->topology->operations->neighbours(overlay->topology, nodes);
	for (size_t i = 0; i < count; i++) {
		struct peer *peer = peer_find(overlay, &nodes[i]);
		if (peer)
			update_send(overlay, peer, TOPOLOGY_UPDATE_FULL);
	}
	storage_queue_all(&overlay->storage);
	timer_set_sooner(overlay, TIMER_REPLICATE, overlay->timers.update_delay);
	records_restore_soon(overlay);
}

/* ---- Admitting another (RFC 6940 section 10.5 steps 5 to 8) ---- */

void join_admit(struct overlay *overlay, struct peer *peer)
{
	peer->joining = false;
	peer->handovers = 0;
	deadline_cancel(&overlay->deadlines, &peer->deadline);
	if (!peer->associated)
		return;
	peer_set_member(overlay, peer, true);
	join_enter_ring(overlay);
	update_send(overlay, peer, TOPOLOGY_UPDATE_FULL);
}

void join_accept(struct overlay *overlay, struct peer *peer)
{
	if (peer->joining)
		return;
	peer->shunned_until = 0;
	replication_begin_handover(overlay, peer);
	if (peer->handovers == 0 || deadline_set(&overlay->deadlines, &peer->deadline,
					    instant_after(overlay->now, overlay->timers.join_wait))) {
		join_admit(overlay, peer);
		return;
	}
	peer->joining = true;
	timer_set(overlay, TIMER_REPLICATE, 0);
}

/* ---- Leaving ---- */

static void leave_answered(struct overlay *overlay, struct request *request, const struct overlay_arrival *arrival,
	const struct reload_message *message)
{
	(void)request;
	(void)arrival;
	(void)message;
	if (overlay->leave_outstanding && --overlay->leave_outstanding == 0)
		leave_finish(overlay);
}

static void leave_failed(struct overlay *overlay, struct request *request, hiphop_error error, uint16_t reload_error)
{
	(void)error;
	(void)reload_error;
	leave_answered(overlay, request, NULL, NULL);
}

static const struct request_purpose purpose_leave = {"leave", 1, leave_answered, leave_failed};

void leave_finish(struct overlay *overlay)
{
	struct overlay_result result = {.token = overlay->leave_token, .request = OVERLAY_REQUEST_LEAVE};

	timer_cancel(overlay, TIMER_LEAVE);
	overlay->leave_outstanding = 0;
	effect_result(overlay, &result);
}

static void send_leave(struct overlay *overlay, const struct hit *neighbour)
{
	uint8_t octets[1024];
	struct writer writer = writer_over(octets, sizeof(octets));
	struct request *request = request_new(overlay, &purpose_leave);

	if (!request)
		return;
	overlay->topology->operations->write_leave(overlay->topology, &writer, neighbour);
	struct reload_message message = {
		.code = RELOAD_LEAVE_REQUEST, .leave = {.node = overlay->self, .data = {octets, writer.position}}};
	if (request_send(overlay, request, neighbour, NULL, &message) == HIPHOP_OK)
		overlay->leave_outstanding++;
}

hiphop_error overlay_leave(struct overlay *overlay, instant now, uint64_t token)
{
	struct hit nodes[TOPOLOGY_NEIGHBOURS];
	size_t count = overlay->topology->operations->neighbours(overlay->topology, nodes);

	if (overlay->leaving)
		return HIPHOP_WRONG_STATE;
	overlay->now = now > overlay->now ? now : overlay->now;
	/* What has no second copy yet gets one now. */
	storage_queue_all(&overlay->storage);
	replication_run(overlay);
	for (size_t i = 0; i < count && overlay->in_ring; i++)
		send_leave(overlay, &nodes[i]);
	overlay->leaving = true;
	overlay->leave_token = token;
	for (int timer = 0; timer < TIMER_COUNT; timer++)
		timer_cancel(overlay, (enum deadline_kind)timer);
	timer_set(overlay, TIMER_LEAVE, overlay->leave_outstanding ? overlay->timers.join_wait : 0);
	return HIPHOP_OK;
}
