/* SPDX-License-Identifier: MIT */
/* Updates, stabilisation, fingers (RFC 6940 sections 10.7 and 10.7.4). */
#include "overlay/engine.h"

#include <string.h>

#define CHECK_PAUSE SECONDS(5)
/* Silent members that are checked in one round. */
#define CHECKS_AT_ONCE 16
/* A fresh member searches this many fingers quickly. */
#define QUICK_FINGER_SEARCHES 24

/* ---- Updates ---- */

static void update_done(struct overlay *overlay, struct peer *peer)
{
	peer->updating = false;
	if (peer->update_again && peer->associated) {
		peer->update_again = false;
		update_send(overlay, peer, peer->update_next);
	}
}

static void update_answered(struct overlay *overlay, struct request *request, const struct overlay_arrival *arrival,
	const struct reload_message *message)
{
	struct peer *peer = peer_find(overlay, &request->peer);

	(void)arrival;
	(void)message;
	if (!peer)
		return;
	if (peer->suspect && peer->associated)
		peer_set_member(overlay, peer, true);
	update_done(overlay, peer);
}

static void update_failed(struct overlay *overlay, struct request *request, hiphop_error error, uint16_t reload_error)
{
	struct peer *peer = peer_find(overlay, &request->peer);

	(void)error;
	if (!peer)
		return;
	/* One lost message is not a death; the HIP layer tells of those. */
	if (!reload_error && peer->member) {
		peer->update_again = false;
		peer_check(overlay, peer);
	}
	update_done(overlay, peer);
}

static const struct request_purpose purpose_update = {"update", 1, update_answered, update_failed};

void update_send(struct overlay *overlay, struct peer *peer, topology_update type)
{
	uint8_t octets[2048];
	struct writer writer = writer_over(octets, sizeof(octets));
	uint32_t uptime_s = (uint32_t)((overlay->now - overlay->created) / SECONDS(1));

	if (!peer->associated || overlay->leaving)
		return;
	if (peer->updating) {
		if (!peer->update_again || peer->update_next < type)
			peer->update_next = type;
		peer->update_again = true;
		return;
	}
	struct request *request = request_new(overlay, &purpose_update);
	if (!request)
		return;
	overlay->topology->operations->write_update(overlay->topology, &writer, uptime_s, &peer->hit, type);
	struct reload_message message = {.code = RELOAD_UPDATE_REQUEST, .data = {octets, writer.position}};
	request->peer = peer->hit;
	peer->updating = request_send(overlay, request, &peer->hit, NULL, &message) == HIPHOP_OK;
}

/* ---- First words ---- */

static void asked(struct overlay *overlay, struct request *request, const struct overlay_arrival *arrival,
	const struct reload_message *message)
{
	(void)overlay;
	(void)request;
	(void)arrival;
	(void)message;
}

static void not_asked(struct overlay *overlay, struct request *request, hiphop_error error, uint16_t reload_error)
{
	(void)overlay;
	(void)request;
	(void)error;
	(void)reload_error;
}

static const struct request_purpose purpose_ask = {"ask for Update", 1, asked, not_asked};

void peer_greet(struct overlay *overlay, struct peer *peer)
{
	struct reload_message message = {.code = RELOAD_ROUTE_QUERY_REQUEST,
		.route_query = {.send_update = true,
			.destination_type = RELOAD_DESTINATION_RESOURCE,
			.destination = resource_id_at(&overlay->self)}};

	if (overlay->in_ring && overlay->role == OVERLAY_PEER) {
		update_send(overlay, peer, TOPOLOGY_UPDATE_FULL);
		if (peer->updating)
			peer->greeted = overlay->now;
		return;
	}
	struct request *request = request_new(overlay, &purpose_ask);
	if (request && request_send(overlay, request, &peer->hit, NULL, &message) == HIPHOP_OK)
		peer->greeted = overlay->now;
}

/* ---- Doubt ---- */

static void check_answered(struct overlay *overlay, struct request *request, const struct overlay_arrival *arrival,
	const struct reload_message *message)
{
	struct peer *peer = peer_find(overlay, &request->peer);

	(void)arrival;
	(void)message;
	if (peer && peer->suspect && peer->associated) {
		peer->suspect = false;
		peer_greet(overlay, peer);
	}
}

static void check_failed(struct overlay *overlay, struct request *request, hiphop_error error, uint16_t reload_error)
{
	struct peer *peer = peer_find(overlay, &request->peer);

	(void)error;
	if (peer && !reload_error)
		peer_suspect(overlay, peer);
}

static const struct request_purpose purpose_check = {"check", 1, check_answered, check_failed};

void peer_check(struct overlay *overlay, struct peer *peer)
{
	struct reload_message message = {.code = RELOAD_PING_REQUEST};

	if (peer->checked && overlay->now - peer->checked < CHECK_PAUSE)
		return;
	struct request *request = request_new(overlay, &purpose_check);
	if (!request)
		return;
	peer->checked = overlay->now;
	request->peer = peer->hit;
	request_send(overlay, request, &peer->hit, NULL, &message);
}

static bool names(const struct topology_news *news, const struct hit *hit)
{
	for (size_t i = 0; i < news->count; i++)
		if (hit_equal(&news->named[i], hit))
			return true;
	return false;
}

/* A neighbour between the sender and us that the sender does not name any more may be dead: see whether it answers. */
static void check_unnamed(struct overlay *overlay, const struct peer *sender, const struct topology_news *news)
{
	const struct topology_operations *operations = overlay->topology->operations;
	struct topology_place place = operations->place(overlay->topology, &sender->hit);
	struct hit nodes[TOPOLOGY_NEIGHBOURS];
	size_t count = operations->neighbours(overlay->topology, nodes);

	for (size_t i = 0; i < count; i++) {
		bool between = (place.predecessor && ring_in_arc(&sender->hit, &nodes[i], &overlay->self)) ||
			       (place.successor && ring_in_arc(&overlay->self, &nodes[i], &sender->hit));
		struct peer *peer = peer_find(overlay, &nodes[i]);
		if (between && peer && peer != sender && !names(news, &nodes[i]))
			peer_check(overlay, peer);
	}
}

void maintenance_news(struct overlay *overlay, struct peer *sender, const struct topology_news *news)
{
	for (size_t i = 0; i < news->count; i++)
		peer_consider(overlay, &news->named[i], &sender->hit);
	if (news->names_us && sender->member && overlay->in_ring)
		check_unnamed(overlay, sender, news);
}

/* ---- Periodic work ---- */

/* Neighbours, and whoever takes us for its neighbour, get our neighbours. A finger gets a sign of life, by which it
 * knows that it is one. When our tables change, everybody on either side gets our neighbours (RFC 6940 section 10.7.3).
 */
static void send_updates(struct overlay *overlay, bool changed)
{
	struct map_walk walk = map_walk_start(&overlay->peers);
	struct peer *peer;

	while (overlay->in_ring && (peer = map_walk_next(&walk, NULL))) {
		struct topology_place place = overlay->topology->operations->place(overlay->topology, &peer->hit);
		bool counts_us = peer_counts_us(overlay, peer);
		if (!peer->member)
			continue;
		if (place.successor || place.predecessor || (counts_us && (changed || peer->names_us)))
			update_send(overlay, peer, TOPOLOGY_UPDATE_NEIGHBOURS);
		else if (place.finger)
			update_send(overlay, peer, changed ? TOPOLOGY_UPDATE_NEIGHBOURS : TOPOLOGY_UPDATE_READY);
	}
}

void maintenance_tell_change(struct overlay *overlay)
{
	send_updates(overlay, true);
}

/* Suspects, and hosts in our tables that have been silent for long: a dead finger would swallow what is routed over it.
 * The rest is left alone, so that the HIP layer sees it idle. */
static void check_silent(struct overlay *overlay)
{
	struct map_walk walk = map_walk_start(&overlay->peers);
	duration silence = 2 * overlay->timers.stabilise;
	size_t checks = 0;
	struct peer *peer;

	while ((peer = map_walk_next(&walk, NULL)) && checks < CHECKS_AT_ONCE) {
		bool silent = peer->member && overlay->now - peer->heard > silence;
		if (!peer->associated || peer->surplus || !(peer->suspect || silent) ||
			!(peer->suspect || peer_is_needed(overlay, peer)))
			continue;
		peer_check(overlay, peer);
		checks++;
	}
}

/* Associations that came while we were in no ring, or when there was no memory for a word. */
static void greet_the_ungreeted(struct overlay *overlay)
{
	struct map_walk walk = map_walk_start(&overlay->peers);
	struct peer *peer;

	while (overlay->in_ring && (peer = map_walk_next(&walk, NULL)))
		if (peer->associated && !peer->member && !peer->joining && !peer->greeted &&
			peer->shunned_until <= overlay->now)
			peer_greet(overlay, peer);
}

void maintenance_stabilise(struct overlay *overlay)
{
	timer_set(overlay, TIMER_STABILISE, jittered(overlay, overlay->timers.stabilise));
	associations_retry_missed(overlay);
	records_retry_overdue(overlay);
	surplus_release(overlay);
	if (overlay->role == OVERLAY_CLIENT)
		return;
	send_updates(overlay, false);
	check_silent(overlay);
	greet_the_ungreeted(overlay);
}

void maintenance_probe(struct overlay *overlay)
{
	struct peer *found[WANTED_MAXIMUM];
	size_t count = 0;
	struct map_walk walk = map_walk_start(&overlay->peers);
	struct peer *peer;

	timer_set(overlay, TIMER_PROBE, jittered(overlay, overlay->timers.bootstrap_probe));
	while ((peer = map_walk_next(&walk, NULL)) && count < WANTED_MAXIMUM)
		if (peer->associated && peer->bootstrap && !peer->surplus)
			found[count++] = peer;
	for (size_t i = 0; i < count; i++)
		join_probe(overlay, found[i]);
}

/* ---- Fingers ---- */

static void finger_answered(struct overlay *overlay, struct request *request, const struct overlay_arrival *arrival,
	const struct reload_message *message)
{
	(void)request;
	(void)message;
	peer_consider(overlay, &arrival->sender, NULL);
}

static const struct request_purpose purpose_finger = {"finger", 1, finger_answered, not_asked};

void maintenance_search_finger(struct overlay *overlay)
{
	struct reload_message message = {.code = RELOAD_PING_REQUEST};
	struct hit position;
	bool quick = overlay->finger_searches++ < QUICK_FINGER_SEARCHES;

	timer_set(overlay, TIMER_FINGER,
		jittered(overlay, quick ? overlay->timers.join_retry : overlay->timers.finger_search));
	if (!overlay->in_ring || !overlay->topology->operations->gap(overlay->topology, overlay->random, &position))
		return;
	struct request *request = request_new(overlay, &purpose_finger);
	if (request)
		request_send(overlay, request, &position, NULL, &message);
}
