/* SPDX-License-Identifier: MIT */
/*
 * The peer of a host on board: a router says by UPDATE-PROXY where that host is reached now. The ticket that the host
 * itself gave proves that the router may; the places are taken as those of an UPDATE are, and checked as those are (RFC
 * 8046 section 5.4), but that the router answers instead of the host.
 */
#include "hip/core/router_internal.h"

#include <string.h>

/* Of the place where an UPDATE-PROXY comes from, when it is not listed: what a relayed candidate has (RFC 8445 section
 * 5.1.2.2). */
#define UNLISTED_PRIORITY 65535
#define UNLISTED_LIFETIME 3600
#define PROTOCOL_UDP      17
/* A check that was sent so lately is not sent again because the router asks. */
#define AGAIN_AFTER MILLISECONDS(100)

/* ---- asking ---- */

static bool is_place(const struct router_dealings *dealings, const struct endpoint *remote)
{
	for (size_t i = 0; i < dealings->place_count; i++) {
		if (endpoint_equal(&dealings->places[i], remote))
			return true;
	}
	return false;
}

bool proxy_peer_asks(const struct association *association, instant now, const struct endpoint *remote)
{
	const struct router_dealings *dealings = association->dealings;

	return dealings && dealings->held.valid && now < dealings->held.expires && dealings->held.was_used &&
	       is_place(dealings, remote);
}

static void start(struct host *host, const struct association *association, struct outgoing *out)
{
	const struct parameter_sequence_list acks = {.count = 1, .items = {association->dealings->proxy_sequence}};

	outgoing_start(host, out, HIP_PACKET_UPDATE_PROXY, &association->peer);
	parameter_sequence_list_write(&out->builder, PARAMETER_ACK, &acks);
}

hiphop_error proxy_peer_build(struct host *host, const struct association *association,
	const uint8_t nonce[static PATH_NONCE_LENGTH], struct outgoing *out)
{
	const struct held_ticket *held = &association->dealings->held;

	start(host, association, out);
	parameter_opaque_write(&out->builder, PARAMETER_ECHO_REQUEST_SIGNED, (struct span){nonce, PATH_NONCE_LENGTH});
	return ticket_protect(&out->builder, held->id, held->key, &out->length);
}

/* Nothing is to be checked: the router is to know that it was heard. */
static void acknowledge(struct host *host, const struct incoming *in, struct association *association)
{
	const struct held_ticket *held = &association->dealings->held;
	struct outgoing out;
	struct way way;

	start(host, association, &out);
	if (ticket_protect(&out.builder, held->id, held->key, &out.length))
		return;
	way_of_arrival(in->arrival, &way);
	if (mobility_spend(host, in->now, association, &way.remote, out.length))
		(void)outgoing_send(host, &way, out.octets, out.length);
}

static bool is_due(const struct path *path, instant now)
{
	return path->state == PATH_UNVERIFIED && !path->link_gone &&
	       (!path->check.tries || now >= instant_after(path->check.sent, AGAIN_AFTER));
}

/* Sends the checks that are due; returns how many went out. */
static size_t send_checks(struct host *host, instant now, struct association *association)
{
	struct path_set *paths = &association->session->mobility->paths;
	size_t sent = 0;

	for (size_t i = 0; i < paths->count; i++) {
		if (is_due(&paths->items[i], now) && proxy_peer_asks(association, now, &paths->items[i].remote))
			sent += path_check_send(host, now, association, i, NULL, NULL, false);
	}
	return sent;
}

/* ---- the places ---- */

/* A NAT may stand before the router. */
static void add_sender(const struct host *host, const struct endpoint *from, struct parameter_locator_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		struct endpoint listed;

		if (candidates_endpoint(host, &set->items[i], &listed) && endpoint_equal(&listed, from))
			return;
	}
	if (set->count < LOCATOR_SET_MAXIMUM && from->transport == TRANSPORT_UDP)
		set->items[set->count++] = (struct locator){.address = from->address,
			.lifetime = UNLISTED_LIFETIME,
			.priority = UNLISTED_PRIORITY,
			.port = from->port,
			.protocol = PROTOCOL_UDP,
			.kind = LOCATOR_KIND_PEER_REFLEXIVE,
			.type = LOCATOR_TYPE_TRANSPORT_ADDRESS};
}

static void note_places(
	const struct host *host, struct router_dealings *dealings, const struct parameter_locator_set *set)
{
	dealings->place_count = 0;
	for (size_t i = 0; i < set->count && dealings->place_count <= ROUTER_LOCATORS_MAXIMUM; i++) {
		if (candidates_endpoint(host, &set->items[i], &dealings->places[dealings->place_count]))
			dealings->place_count++;
	}
}

static void take_places(struct host *host, const struct incoming *in, struct association *association,
	uint32_t sequence, struct parameter_locator_set *set)
{
	struct router_dealings *dealings = association->dealings;

	/* Those of a router may not be more than are kept. */
	if (set->count > ROUTER_LOCATORS_MAXIMUM)
		set->count = ROUTER_LOCATORS_MAXIMUM;
	add_sender(host, &in->arrival->remote, set);
	if (locator_set_apply(host, in->now, association, set, NULL)) {
		count(host, HOST_COUNT_DROP_NO_MEMORY);
		return;
	}
	ticket_note(&dealings->held, sequence);
	dealings->proxy_sequence = sequence;
	note_places(host, dealings, set);
	mobility_earn(association->session, in->length);
	count(host, HOST_COUNT_PROXY_MOVES);
	router_event(host, &association->peer, "is elsewhere, its router says");
	if (!send_checks(host, in->now, association))
		acknowledge(host, in, association);
}

/* The router has not heard our check, or we not its answer. */
static void repeat(struct host *host, const struct incoming *in, struct association *association)
{
	const struct mobility *mobility = association->session->mobility;

	mobility_earn(association->session, in->length);
	if (!mobility || !send_checks(host, in->now, association))
		acknowledge(host, in, association);
}

/* ---- receiving ---- */

static void take_move(struct host *host, const struct incoming *in, struct association *association)
{
	struct parameter_locator_set locators;
	uint32_t sequence;
	ticket_sequence judged;

	if (parameter_number_read(packet_find(&in->view, PARAMETER_SEQ), &sequence) ||
		parameter_locator_set_read(packet_find(&in->view, PARAMETER_LOCATOR_SET), &locators)) {
		count(host, HOST_COUNT_DROP_MALFORMED);
		return;
	}
	judged = ticket_judge(&association->dealings->held, sequence);
	if (judged == TICKET_SEQUENCE_OLD) {
		count(host, HOST_COUNT_DROP_REPLAYED);
		return;
	}
	if (!token_bucket_take(&association->answers, in->now)) {
		count(host, HOST_COUNT_DROP_UPDATE_RATE);
		return;
	}
	if (judged == TICKET_SEQUENCE_NEW)
		take_places(host, in, association, sequence, &locators);
	else
		repeat(host, in, association);
}

static struct path *find_asked(const struct association *association, struct span echo)
{
	struct path_set *paths = &association->session->mobility->paths;

	for (size_t i = 0; echo.length == PATH_NONCE_LENGTH && i < paths->count; i++) {
		struct path *path = &paths->items[i];

		if (path->check.tries && bytes_equal_constant_time(echo.data, path->check.nonce, PATH_NONCE_LENGTH))
			return path;
	}
	return NULL;
}

static void take_echo(struct host *host, const struct incoming *in, struct association *association)
{
	struct path *path = NULL;
	struct span echo;

	if (association->session->mobility &&
		!parameter_opaque_read(packet_find(&in->view, PARAMETER_ECHO_RESPONSE_SIGNED), &echo))
		path = find_asked(association, echo);
	if (!path || !is_place(association->dealings, &path->remote)) {
		count(host, HOST_COUNT_DROP_ECHO);
		return;
	}
	mobility_earn(association->session, in->length);
	session_heard(host, in->now, association);
	count(host, HOST_COUNT_PROXY_CONFIRMED);
	mobility_path_answered(host, in->now, association, path);
}

/* The association whose ticket it is under; NULL, counted, when it is under none. */
static struct association *find_ticket(struct host *host, const struct incoming *in)
{
	struct association *association = association_find(host, &in->view.sender);
	uint8_t id[TICKET_ID_LENGTH];

	if (!association || !association->dealings || !association_is_usable(association) ||
		association->session->state >= HOST_CLOSING ||
		parameter_ticket_id_read(packet_find(&in->view, PARAMETER_TICKET_ID), id) ||
		!ticket_is(&association->dealings->held, in->now, id)) {
		count(host, HOST_COUNT_DROP_TICKET);
		return NULL;
	}
	if (ticket_verify(&in->view, association->dealings->held.key)) {
		count(host, HOST_COUNT_DROP_MAC);
		return NULL;
	}
	return association;
}

void proxy_peer_input(struct host *host, struct incoming *in)
{
	struct association *association;

	if (in->arrival->inside_esp) {
		count(host, HOST_COUNT_DROP_WRONG_STATE);
		return;
	}
	association = find_ticket(host, in);
	if (!association)
		return;
	if (packet_find(&in->view, PARAMETER_LOCATOR_SET))
		take_move(host, in, association);
	else
		take_echo(host, in, association);
}
