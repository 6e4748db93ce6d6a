/* SPDX-License-Identifier: MIT */
/*
 * A mobile router tells the peers of its hosts where it is now: for each ticket an UPDATE-PROXY under the key of the
 * ticket, all in one go, and again until the peer answers. The peer answers with a check of the new place, in an
 * UPDATE-PROXY too, which acknowledges ours; the router echoes it.
 *
 * SEQ grows with each move, so that what was caught before is old. On board of another router this is that one's work;
 * it counts on from the SEQ in the DELEGATION, and this one far beyond that when it speaks for itself again.
 */
#include "hip/core/router_internal.h"

#include <string.h>

#define TRIES 8
/* After so many the host on board is told, since it may do more about it. */
#define TELL_AFTER    4
#define TIMEOUT_FIRST MILLISECONDS(300) /* doubles */
#define TIMEOUT_MOST  SECONDS(8)
/* So many at once, and the next so much later: what a socket and the hosts at the other end take without loss. */
#define AT_ONCE          64
#define ONCE_EVERY       MILLISECONDS(2)
#define LOCATOR_LIFETIME 3600
#define PROTOCOL_UDP     17
#define RELAYED_PRIORITY (126U << 24)

void service_locator_set(const struct host *host, struct parameter_locator_set *set)
{
	const struct router_service *service = &host->router.service;

	set->count = set->ignored = 0;
	for (size_t i = 0; i < service->uplink_count; i++)
		set->items[set->count++] = (struct locator){.address = service->uplinks[i].address,
			.lifetime = LOCATOR_LIFETIME,
			.priority = RELAYED_PRIORITY - (uint32_t)i * 256,
			.port = service->uplinks[i].port,
			.protocol = PROTOCOL_UDP,
			.kind = LOCATOR_KIND_HOST,
			.type = LOCATOR_TYPE_TRANSPORT_ADDRESS,
			.preferred = i == 0};
}

static void start(struct host *host, struct packet_builder *builder, const struct delegated *ticket)
{
	packet_builder_start(builder, host->work, sizeof host->work, HIP_PACKET_UPDATE_PROXY, 0, &ticket->what.owner,
		&ticket->what.peer);
}

static void finish_and_send(
	struct host *host, struct packet_builder *builder, const struct delegated *ticket, const struct way *way)
{
	size_t length;

	if (!ticket_protect(builder, ticket->what.grant.id, ticket->what.grant.key, &length))
		(void)outgoing_send(host, way, host->work, length);
}

/* ---- telling ---- */

/* The peer may be on board too, or may have moved as well. */
static bool way_to_peer(struct host *host, const struct delegated *ticket, struct way *way)
{
	const struct parameter_delegation *what = &ticket->what;
	struct boarder *peer = on_board_find(&host->router.service.on_board, &what->peer);

	if (!peer)
		return way_to_endpoint(host, &what->locators[ticket->tries % what->locator_count], way);
	memset(way, 0, sizeof *way);
	way->local = on_board_carrier(peer)->local;
	way->remote = on_board_carrier(peer)->remote;
	return true;
}

static void send_move(struct host *host, struct delegated *ticket)
{
	struct parameter_locator_set locators;
	struct packet_builder builder;
	struct way way;

	if (!way_to_peer(host, ticket, &way))
		return;
	service_locator_set(host, &locators);
	start(host, &builder, ticket);
	parameter_locator_set_write(&builder, &locators);
	parameter_number_write(&builder, PARAMETER_SEQ, ticket->sequence);
	finish_and_send(host, &builder, ticket, &way);
}

static void set_due(struct host *host, struct delegated *ticket, instant at)
{
	ticket->deadline.owner = ticket;
	/* Room was reserved with the ticket. */
	(void)deadline_set(&host->router.service.due, &ticket->deadline, at);
}

static void begin(struct host *host, struct delegated *ticket, instant at)
{
	ticket->sequence++;
	ticket->tries = 0;
	ticket->waiting = true;
	ticket->unanswered = false;
	set_due(host, ticket, at);
}

static bool is_left_to_next(const struct host *host, const struct delegated *ticket)
{
	return is_on_board(host) && !ticket->refused;
}

void proxy_router_begin_all(struct host *host, instant now)
{
	struct router_service *service = &host->router.service;
	struct map_walk walk = map_walk_start(&service->on_board.tickets);
	struct delegated *ticket;
	size_t number = 0;

	if (!service->uplink_count)
		return;
	while ((ticket = map_walk_next(&walk, NULL))) {
		if (is_left_to_next(host, ticket))
			continue;
		begin(host, ticket, instant_after(now, number++ / AT_ONCE * ONCE_EVERY));
	}
	if (number)
		count(host, HOST_COUNT_PROXY_MOVES);
	proxy_router_tick(host, now);
}

void proxy_router_begin(struct host *host, instant now, struct delegated *ticket)
{
	struct router_service *service = &host->router.service;

	if (!service->uplink_count || is_left_to_next(host, ticket))
		return;
	begin(host, ticket, now);
	proxy_router_tick(host, now);
}

static void give_up(struct host *host, struct delegated *ticket)
{
	ticket->waiting = false;
	ticket->unanswered = true;
	count(host, HOST_COUNT_PROXY_UNANSWERED);
}

static void go_on(struct host *host, instant now, struct delegated *ticket)
{
	duration pause = TIMEOUT_FIRST << ticket->tries;

	if (!ticket->waiting)
		return;
	if (ticket->tries >= TRIES || !host->router.service.uplink_count) {
		give_up(host, ticket);
		return;
	}
	if (ticket->tries)
		count(host, HOST_COUNT_RETRANSMITTED);
	if (ticket->tries == TELL_AFTER)
		own_tickets_tell_owner(host, now, ticket, DELEGATION_UNANSWERED);
	send_move(host, ticket);
	ticket->tries++;
	set_due(host, ticket, instant_after(now, pause < TIMEOUT_MOST ? pause : TIMEOUT_MOST));
}

void proxy_router_tick(struct host *host, instant now)
{
	struct deadline *deadline;

	while ((deadline = deadline_heap_pop(&host->router.service.due, now)))
		go_on(host, now, deadline->owner);
}

/* ---- being checked ---- */

/* An acknowledgment may come without a question: then the peer knows the place already. */
static void echo_back(struct host *host, const struct incoming *in, const struct delegated *ticket)
{
	const struct parameter_sequence_list acks = {.count = 1, .items = {ticket->sequence}};
	struct packet_builder builder;
	struct span echo;
	struct way way;

	if (parameter_opaque_read(packet_find(&in->view, PARAMETER_ECHO_REQUEST_SIGNED), &echo) ||
		echo.length > ECHO_OCTETS_MAXIMUM)
		return;
	start(host, &builder, ticket);
	parameter_sequence_list_write(&builder, PARAMETER_ACK, &acks);
	parameter_opaque_write(&builder, PARAMETER_ECHO_RESPONSE_SIGNED, echo);
	way_of_arrival(in->arrival, &way);
	finish_and_send(host, &builder, ticket, &way);
}

static void be_confirmed(struct host *host, struct delegated *ticket)
{
	ticket->unanswered = false;
	if (!ticket->waiting)
		return;
	ticket->waiting = false;
	deadline_cancel(&host->router.service.due, &ticket->deadline);
	count(host, HOST_COUNT_PROXY_CONFIRMED);
}

bool proxy_router_input(struct host *host, const struct incoming *in)
{
	struct parameter_sequence_list acks;
	uint8_t id[TICKET_ID_LENGTH];
	struct delegated *ticket;

	if (parameter_ticket_id_read(packet_find(&in->view, PARAMETER_TICKET_ID), id))
		return false;
	ticket = on_board_ticket(&host->router.service.on_board, id);
	if (!ticket || !hit_equal(&ticket->what.peer, &in->view.sender) ||
		!hit_equal(&ticket->what.owner, &in->view.receiver))
		return false;
	if (ticket_verify(&in->view, ticket->what.grant.key)) {
		count(host, HOST_COUNT_DROP_MAC);
		return true;
	}
	/* Another router on the way down has asked: then it is for that one. */
	if (parameter_sequence_list_read(packet_find(&in->view, PARAMETER_ACK), &acks) ||
		acks.items[0] != ticket->sequence) {
		if (ticket->owner->carrier)
			return false;
		count(host, HOST_COUNT_DROP_REPLAYED);
		return true;
	}
	be_confirmed(host, ticket);
	echo_back(host, in, ticket);
	return true;
}
