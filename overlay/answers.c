/* SPDX-License-Identifier: MIT */
/* Requests of others that concern the ring: Ping, RouteQuery, Join, Update, Leave. */
#include "overlay/engine.h"

static void answer_ping(
	struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_message *message)
{
	struct reload_message answer = {.code = RELOAD_PING_ANSWER,
		.ping_answer = {.response_id = random_u64(overlay->random), .time = overlay->wall}};

	(void)message;
	answer_send(overlay, arrival, &answer);
}

static void answer_route_query(
	struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_message *message)
{
	const struct reload_route_query_request *query = &message->route_query;
	struct peer *peer = peer_find(overlay, &arrival->sender);
	const struct hit *from = overlay->in_ring ? NULL : &arrival->sender;
	struct hit next = overlay->self;
	uint8_t octets[64];
	struct writer writer = writer_over(octets, sizeof(octets));

	if (overlay_next_hop(overlay, &query->destination, from, &next) == OVERLAY_NO_ROUTE) {
		answer_error(overlay, arrival, RELOAD_ERROR_NOT_FOUND, "no route");
	} else {
		overlay->topology->operations->write_route_answer(overlay->topology, &writer, &next);
		struct reload_message answer = {.code = RELOAD_ROUTE_QUERY_ANSWER, .data = {octets, writer.position}};
		answer_send(overlay, arrival, &answer);
	}
	if (query->send_update && peer && peer->associated && overlay->role == OVERLAY_PEER)
		update_send(overlay, peer, TOPOLOGY_UPDATE_FULL);
}

/* Join, Update and Leave come from neighbours, in their own name (RFC 6940 section 6.4.2). */
static struct peer *neighbour_asking(struct overlay *overlay, const struct overlay_arrival *arrival)
{
	struct peer *peer = peer_find(overlay, &arrival->sender);

	if (peer && peer->associated)
		return peer;
	answer_error(overlay, arrival, RELOAD_ERROR_FORBIDDEN, "not a neighbour");
	return NULL;
}

static void answer_join(
	struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_message *message)
{
	struct reload_message answer = {.code = RELOAD_JOIN_ANSWER};
	struct peer *peer = neighbour_asking(overlay, arrival);

	if (!peer)
		return;
	if (!hit_equal(&message->join.node, &arrival->sender) || overlay->role == OVERLAY_CLIENT) {
		answer_error(overlay, arrival, RELOAD_ERROR_FORBIDDEN, "may not join here under that Node-ID");
		return;
	}
	answer_send(overlay, arrival, &answer);
	join_accept(overlay, peer);
}

static void answer_update(
	struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_message *message)
{
	struct reload_message answer = {.code = RELOAD_UPDATE_ANSWER};
	struct peer *peer = neighbour_asking(overlay, arrival);
	struct topology_news news;

	if (!peer)
		return;
	if (overlay->topology->operations->read_update(overlay->topology, message->data, &news)) {
		overlay->refused++;
		answer_error(overlay, arrival, RELOAD_ERROR_INVALID_MESSAGE, "not an Update of this topology");
		return;
	}
	answer_send(overlay, arrival, &answer);
	if (peer->shunned_until > overlay->now && !peer->member)
		return; /* it has just left, or we let it go; this was on its way */
	bool fresh = !peer->member;
	peer->names_us = news.names_us;
	/* A full one goes to anybody, once; the others go to those that the sender counts. */
	if (news.names_us || news.type != TOPOLOGY_UPDATE_FULL)
		peer->counted = overlay->now;
	peer_set_member(overlay, peer, true);
	if (overlay->role == OVERLAY_CLIENT)
		return;
	if (news.names_us && !peer->joining)
		join_enter_ring(overlay);
	if (fresh && overlay->in_ring)
		replication_hand_back(overlay, peer);
	if (fresh && overlay->in_ring)
		update_send(overlay, peer, TOPOLOGY_UPDATE_FULL);
	maintenance_news(overlay, peer, &news);
}

static void answer_leave(
	struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_message *message)
{
	struct reload_message answer = {.code = RELOAD_LEAVE_ANSWER};
	struct peer *peer = neighbour_asking(overlay, arrival);
	struct topology_news news;

	if (!peer)
		return;
	if (!hit_equal(&message->leave.node, &arrival->sender)) {
		answer_error(overlay, arrival, RELOAD_ERROR_FORBIDDEN, "may not leave under that Node-ID");
		return;
	}
	answer_send(overlay, arrival, &answer);
	peer_set_member(overlay, peer, false);
	peer->suspect = false;
	peer->shunned_until = instant_after(overlay->now, overlay->timers.quarantine);
	if (!overlay->topology->operations->read_leave(overlay->topology, message->leave.data, &news))
		maintenance_news(overlay, peer, &news);
}

static const struct {
	uint16_t code;
	bool by_clients; /* a client answers it too */
	void (*answer)(
		struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_message *message);
} answers[] = {
	{RELOAD_PING_REQUEST, true, answer_ping},
	{RELOAD_ROUTE_QUERY_REQUEST, true, answer_route_query},
	{RELOAD_JOIN_REQUEST, false, answer_join},
	{RELOAD_UPDATE_REQUEST, true, answer_update},
	{RELOAD_LEAVE_REQUEST, true, answer_leave},
	{RELOAD_STORE_REQUEST, false, answer_store},
	{RELOAD_FETCH_REQUEST, false, answer_fetch},
	{RELOAD_STAT_REQUEST, false, answer_fetch},
	{RELOAD_FIND_REQUEST, false, answer_find},
};

void answer_request(
	struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_message *message)
{
	if (message->unknown_critical_extension) {
		answer_error(overlay, arrival, RELOAD_ERROR_UNKNOWN_EXTENSION, "critical extension");
		return;
	}
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (answers[i].code != message->code)
			continue;
		if (overlay->role == OVERLAY_CLIENT && !answers[i].by_clients)
			answer_error(overlay, arrival, RELOAD_ERROR_FORBIDDEN, "a client carries nothing");
		else
			answers[i].answer(overlay, arrival, message);
		return;
	}
	answer_error(overlay, arrival, RELOAD_ERROR_INVALID_MESSAGE, "unknown request");
}
