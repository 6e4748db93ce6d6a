/* SPDX-License-Identifier: MIT */
/*
 * What travels between hosts on board and the world. A host on board sends to its router and says with RELAY_TO where a
 * HIP packet is to go; the router says with RELAY_FROM where one came from (RFC 9028 section 5.6, both behind the
 * signature). ESP has its SPI. The transport is UDP, so no checksum depends on an address.
 */
#include "hip/core/router_internal.h"

#include "hip/wire/relay_edit.h"

#include <string.h>

/* ---- the host on board ---- */

/* It may take us for on board when we do not. */
bool router_is_hop(const struct host *host, const struct endpoint *endpoint)
{
	const struct router_use *use = &host->router.use;
	const struct locator_list *known;

	if (hit_is_null(&use->router))
		return false;
	if (is_on_board(host) && endpoint_equal(endpoint, &use->remote))
		return true;
	known = locators_of(&host->locators, &use->router);
	for (size_t i = 0; known && i < known->configured; i++) {
		if (endpoint_equal(endpoint, &known->endpoints[i]))
			return true;
	}
	return false;
}

void router_translate_arrival(const struct host *host, struct incoming *in, struct host_arrival *relayed)
{
	struct endpoint from;

	if (in->arrival->inside_esp || !router_is_hop(host, &in->arrival->remote) ||
		parameter_transport_address_read(packet_find(&in->view, PARAMETER_RELAY_FROM), &from))
		return;
	*relayed = *in->arrival;
	relayed->remote = from;
	in->arrival = relayed;
}

static bool leaves_on_board(const struct host *host, const struct endpoint *local, const struct endpoint *remote)
{
	const struct router_use *use = &host->router.use;

	return is_on_board(host) && address_equal(&local->address, &use->local.address) &&
	       remote->transport == TRANSPORT_UDP && !endpoint_equal(remote, &use->remote);
}

bool router_bridges(const struct host *host, const struct endpoint *local, const struct endpoint *remote)
{
	return leaves_on_board(host, local, remote);
}

bool router_way(const struct host *host, const struct endpoint *remote, struct endpoint *local)
{
	if (!is_on_board(host) || remote->transport != TRANSPORT_UDP ||
		endpoint_equal(remote, &host->router.use.remote))
		return false;
	*local = host->router.use.local;
	return true;
}

/* ESP has its SPI, and needs to be told nothing. */
static void redirect(const struct host *host, const struct endpoint *local, struct endpoint *remote)
{
	if (leaves_on_board(host, local, remote))
		*remote = host->router.use.remote;
}

/* The octets of an effect are the host's own until the next call. */
static bool add_relay_to(struct host *host, struct host_effect *effect)
{
	size_t length = effect->length;

	if (length > sizeof host->relayed)
		return false;
	memcpy(host->relayed, effect->octets, length);
	if (relay_put_endpoint(host->relayed, &length, sizeof host->relayed, PARAMETER_RELAY_TO, &effect->remote))
		return false;
	effect->octets = host->relayed;
	effect->length = length;
	return true;
}

static bool carry_packet(struct host *host, struct host_effect *effect)
{
	if (!leaves_on_board(host, &effect->local, &effect->remote))
		return true;
	if (!add_relay_to(host, effect)) {
		count(host, HOST_COUNT_DROP_RELAY);
		return false;
	}
	effect->remote = host->router.use.remote;
	return true;
}

bool router_carries(struct host *host, struct host_effect *effect)
{
	struct host_sa *sa = effects_taken_sa(&host->effects);

	if (!is_on_board(host))
		return true;
	if (effect->kind == HOST_SEND)
		return carry_packet(host, effect);
	if (effect->kind == HOST_SEND_PROBE || effect->kind == HOST_INSTALL_SA || effect->kind == HOST_MOVE_SA)
		redirect(host, &effect->local, &effect->remote);
	if (!sa || (effect->kind != HOST_INSTALL_SA && effect->kind != HOST_MOVE_SA))
		return true;
	redirect(host, &sa->local, &sa->remote);
	for (size_t i = 0; effect->kind == HOST_MOVE_SA && i < sa->route.more_count; i++)
		redirect(host, &sa->route.more[i].local, &sa->route.more[i].remote);
	return true;
}

/* ---- the router: HIP ---- */

static bool is_own_place(const struct host *host, const struct endpoint *endpoint)
{
	return candidates_link(host, &endpoint->address) != NULL;
}

/* A copy without RELAY_TO and RELAY_FROM, whoever put them in. HIPHOP_TOO_LARGE, HIPHOP_INVALID_ARGUMENT (a payload).
 */
static hiphop_error copy_plain(struct host *host, const struct incoming *in, size_t *length)
{
	struct endpoint unused;

	*length = in->view.octets.length;
	if (*length > sizeof host->work || in->view.payload.length)
		return HIPHOP_INVALID_ARGUMENT;
	memcpy(host->work, in->view.octets.data, *length);
	(void)relay_take_endpoint(host->work, length, PARAMETER_RELAY_TO, &unused);
	(void)relay_take_endpoint(host->work, length, PARAMETER_RELAY_FROM, &unused);
	return HIPHOP_OK;
}

static bool has_rate(struct host *host, instant now, struct token_bucket *bucket)
{
	if (token_bucket_take(bucket, now))
		return true;
	count(host, HOST_COUNT_DROP_RELAY_RATE);
	return false;
}

static void send_relayed(struct host *host, const struct way *way, size_t length)
{
	if (!outgoing_send(host, way, host->work, length))
		count(host, HOST_COUNT_RELAYED_HIP);
}

/* For a host on board. What another one on board sends comes, as far as the receiver can tell, from where the world
 * reaches this router. */
static void relay_inward(struct host *host, const struct incoming *in, struct boarder *receiver)
{
	const struct router_service *service = &host->router.service;
	struct boarder *carrier = on_board_carrier(receiver);
	struct endpoint from = in->arrival->remote;
	/* A flood of made-up packets is not to keep those of peers away. */
	bool known = on_board_knows_peer(&service->on_board, receiver, &in->view.sender, &from);
	struct way way = {.local = carrier->local, .remote = carrier->remote};
	size_t length;

	if (!has_rate(host, in->now, known ? &carrier->packets_in : &carrier->strange_packets))
		return;
	if (on_board_at(&service->on_board, &from) && service->uplink_count)
		from = service->uplinks[0];
	if (copy_plain(host, in, &length) ||
		relay_put_endpoint(host->work, &length, sizeof host->work, PARAMETER_RELAY_FROM, &from)) {
		count(host, HOST_COUNT_DROP_RELAY);
		return;
	}
	send_relayed(host, &way, length);
}

static void relay_outward(
	struct host *host, const struct incoming *in, struct boarder *carrier, const struct endpoint *to)
{
	struct way way;
	size_t length;

	if (!has_rate(host, in->now, &carrier->packets_out))
		return;
	if (!address_is_usable_locator(&to->address) || to->transport != TRANSPORT_UDP || is_own_place(host, to) ||
		!way_to_endpoint(host, to, &way) || copy_plain(host, in, &length)) {
		count(host, HOST_COUNT_DROP_RELAY);
		return;
	}
	send_relayed(host, &way, length);
}

static bool is_for_another(const struct host *host, const struct incoming *in)
{
	return !in->arrival->inside_esp && in->arrival->remote.transport == TRANSPORT_UDP &&
	       !hit_equal(&in->view.receiver, &host->self);
}

/* The host on board that speaks from there; to us where it registered, since its address can be forged outside. */
static struct boarder *sender_at(const struct host *host, const struct endpoint *local, const struct endpoint *remote)
{
	struct boarder *sender = on_board_at(&host->router.service.on_board, remote);

	return sender && address_equal(&sender->local.address, &local->address) ? sender : NULL;
}

bool router_relays(struct host *host, struct incoming *in)
{
	const struct on_board *on_board = &host->router.service.on_board;
	struct boarder *receiver, *sender;
	struct endpoint to;

	if (!on_board->hosts.count || !is_for_another(host, in))
		return false;
	receiver = on_board_find(on_board, &in->view.receiver);
	if (receiver && in->view.type == HIP_PACKET_UPDATE_PROXY && proxy_router_input(host, in)) {
		count(host, HOST_COUNT_UPDATE_PROXY_IN);
		return true;
	}
	if (receiver) {
		relay_inward(host, in, receiver);
		return true;
	}
	sender = sender_at(host, &in->arrival->local, &in->arrival->remote);
	if (!sender || parameter_transport_address_read(packet_find(&in->view, PARAMETER_RELAY_TO), &to))
		return false;
	relay_outward(host, in, sender, &to);
	return true;
}

/* ---- the router: ESP ---- */

/* The way out, that is perhaps through the next router. The system is asked for it once. */
static bool leave_by(struct host *host, struct delegated *ticket, struct host_esp_hop *hop)
{
	struct way way;

	if (!ticket->has_way) {
		if (is_own_place(host, &ticket->what.locators[0]) ||
			!way_to_endpoint(host, &ticket->what.locators[0], &way))
			return false;
		redirect(host, &way.local, &way.remote);
		ticket->way_local = way.local;
		ticket->way_remote = way.remote;
		ticket->has_way = true;
	}
	hop->local = ticket->way_local;
	hop->remote = ticket->way_remote;
	return true;
}

static bool to_board(struct host *host, instant now, struct delegated *ticket, struct host_esp_hop *hop)
{
	struct boarder *carrier = ticket->via;

	if (!token_bucket_take(&carrier->esp_in, now)) {
		count(host, HOST_COUNT_DROP_RELAYED_ESP);
		return false;
	}
	carrier->octets_in += hop->length;
	hop->local = carrier->local;
	hop->remote = carrier->remote;
	return true;
}

static bool from_board(
	struct host *host, instant now, struct boarder *carrier, struct delegated *ticket, struct host_esp_hop *hop)
{
	const struct on_board *on_board = &host->router.service.on_board;
	struct delegated *other;

	if (!token_bucket_take(&carrier->esp_out, now)) {
		count(host, HOST_COUNT_DROP_RELAYED_ESP);
		return false;
	}
	carrier->octets_out += hop->length;
	if (!on_board_find(on_board, &ticket->what.peer))
		return leave_by(host, ticket, hop);
	other = map_get(&on_board->inward, &hop->spi);
	return other && to_board(host, now, other, hop);
}

/* From a locator of the peer; through the next router there is only that one to be seen. */
static struct delegated *find_inward(const struct host *host, const struct host_esp_hop *hop)
{
	const struct on_board *on_board = &host->router.service.on_board;

	if (is_on_board(host) && endpoint_equal(&hop->remote, &host->router.use.remote))
		return map_get(&on_board->inward, &hop->spi);
	return on_board_inward(on_board, hop->spi, &hop->remote);
}

bool host_forward_esp(struct host *host, instant now, struct host_esp_hop *hop)
{
	const struct on_board *on_board = &host->router.service.on_board;
	struct boarder *sender;
	struct delegated *ticket;
	bool forwarded = false;

	if (!on_board->tickets.count)
		return false;
	sender = sender_at(host, &hop->local, &hop->remote);
	ticket = sender ? on_board_outward(on_board, sender, hop->spi) : find_inward(host, hop);
	if (ticket)
		forwarded = sender ? from_board(host, now, sender, ticket, hop) : to_board(host, now, ticket, hop);
	else if (on_board_has_spi(on_board, hop->spi))
		count(host, HOST_COUNT_DROP_RELAYED_ESP);
	if (forwarded)
		count(host, HOST_COUNT_RELAYED_ESP);
	return forwarded;
}

/* ---- views ---- */

const char *host_router_state_name(host_router_state state)
{
	static const char *const names[] = {[HOST_ROUTER_NONE] = "none",
		[HOST_ROUTER_SEEKING] = "seeking",
		[HOST_ROUTER_REGISTERING] = "registering",
		[HOST_ROUTER_REGISTERED] = "registered",
		[HOST_ROUTER_LEAVING] = "leaving",
		[HOST_ROUTER_REFUSED] = "refused"};

	return (size_t)state < sizeof names / sizeof names[0] ? names[state] : "";
}

static size_t count_unconfirmed(const struct on_board *on_board, const struct boarder *boarder)
{
	struct map_walk walk = map_walk_start(&on_board->tickets);
	const struct delegated *ticket;
	size_t counted = 0;

	while ((ticket = map_walk_next(&walk, NULL)))
		counted += ticket->owner == boarder && (ticket->waiting || ticket->unanswered);
	return counted;
}

bool host_boarder_at(const struct host *host, size_t index, struct host_boarder_view *view)
{
	const struct on_board *on_board = &host->router.service.on_board;
	struct map_walk walk = map_walk_start(&on_board->hosts);
	const struct boarder *boarder = map_walk_next(&walk, NULL);

	while (boarder && index--)
		boarder = map_walk_next(&walk, NULL);
	if (!boarder)
		return false;
	*view = (struct host_boarder_view){.hit = boarder->hit,
		.remote = boarder->remote,
		.tickets = boarder->tickets,
		.unconfirmed = count_unconfirmed(on_board, boarder),
		.octets_in = boarder->octets_in,
		.octets_out = boarder->octets_out,
		.expires = boarder->expires};
	if (boarder->carrier)
		view->carrier = boarder->carrier->hit;
	return true;
}

void host_router(const struct host *host, struct host_router_view *view)
{
	const struct router_use *use = &host->router.use;
	const struct router_service *service = &host->router.service;

	*view = (struct host_router_view){.state = use->state,
		.router = use->router,
		.failure = use->failure,
		.local = use->local,
		.remote = use->remote,
		.locators = use->locators.endpoints,
		.locator_count = use->locators.count,
		.expires = use->expires,
		.serves = host->configuration.mobile_router,
		.boarders = service->on_board.hosts.count,
		.delegations = service->on_board.tickets.count,
		.uplinks = service->uplinks,
		.uplink_count = service->uplink_count};
	for (size_t i = 0; i < host->count; i++) {
		const struct own_ticket *own = host->all[i]->dealings ? host->all[i]->dealings->own : NULL;

		view->tickets += own && !own->revoked;
		view->confirmed += own && !own->revoked && own->confirmed;
	}
}
