/* SPDX-License-Identifier: MIT */
/*
 * The peer of a host on board: a router says by UPDATE-PROXY where that host is reached now. The ticket that the host
 * itself gave proves that the router may; the place is checked before anything goes there (RFC 8046 section 5.4).
 */
#include "hip/core/router_internal.h"

#include <stdlib.h>
#include <string.h>

#define CHECK_TRIES         4 /* for each place */
#define CHECK_TIMEOUT_LEAST MILLISECONDS(250)
#define NONCE_LENGTH        8

/* The places of one UPDATE-PROXY, one after the other. */
struct proxy_check {
	uint32_t sequence;
	size_t count, place;
	struct endpoint places[CANDIDATES_MAXIMUM];
	uint8_t nonce[NONCE_LENGTH]; /* of the one under way */
	unsigned tries;
	instant sent;
	struct way way;
	bool over;
};

void proxy_peer_free(struct router_dealings *dealings)
{
	free(dealings->check);
	dealings->check = NULL;
}

/* ---- sending ---- */

static bool choose_way(struct host *host, struct proxy_check *check)
{
	while (check->place < check->count) {
		if (way_to_endpoint(host, &check->places[check->place], &check->way))
			return true;
		check->place++;
	}
	check->over = true;
	return false;
}

static void send_check(struct host *host, instant now, struct association *association)
{
	struct router_dealings *dealings = association->dealings;
	struct proxy_check *check = dealings->check;
	const struct parameter_sequence_list acks = {.count = 1, .items = {check->sequence}};
	struct packet_builder builder;
	size_t length;

	if (!choose_way(host, check))
		return;
	if (check->tries++)
		count(host, HOST_COUNT_RETRANSMITTED);
	check->sent = now;
	packet_builder_start(
		&builder, host->work, sizeof host->work, HIP_PACKET_UPDATE_PROXY, 0, &host->self, &association->peer);
	parameter_number_write(&builder, PARAMETER_SEQ, check->sequence);
	parameter_sequence_list_write(&builder, PARAMETER_ACK, &acks);
	parameter_opaque_write(
		&builder, PARAMETER_ECHO_REQUEST_SIGNED, (struct span){check->nonce, sizeof check->nonce});
	if (!ticket_protect(&builder, dealings->held.id, dealings->held.key, &length))
		(void)outgoing_send(host, &check->way, host->work, length);
}

static void begin_place(struct host *host, instant now, struct association *association)
{
	struct proxy_check *check = association->dealings->check;

	random_fill(host->random, check->nonce, sizeof check->nonce);
	check->tries = 0;
	send_check(host, now, association);
}

/* ---- receiving ---- */

static void add_place(struct proxy_check *check, const struct endpoint *place)
{
	for (size_t i = 0; i < check->count; i++) {
		if (endpoint_equal(&check->places[i], place))
			return;
	}
	if (check->count < CANDIDATES_MAXIMUM)
		check->places[check->count++] = *place;
}

static struct proxy_check *obtain_check(struct host *host, struct router_dealings *dealings)
{
	if (!dealings->check)
		dealings->check = malloc(sizeof *dealings->check);
	if (!dealings->check) {
		count(host, HOST_COUNT_DROP_NO_MEMORY);
		return NULL;
	}
	memset(dealings->check, 0, sizeof *dealings->check);
	return dealings->check;
}

static void check_anew(struct host *host, const struct incoming *in, struct association *association, uint32_t sequence,
	const struct parameter_locator_set *locators)
{
	struct proxy_check *check = obtain_check(host, association->dealings);
	bool preferred;

	if (!check)
		return;
	ticket_note(&association->dealings->held, sequence);
	check->sequence = sequence;
	check->count = candidates_take(host, locators, check->places, CANDIDATES_MAXIMUM - 1, &preferred);
	/* A NAT may stand before the router. */
	add_place(check, &in->arrival->remote);
	begin_place(host, in->now, association);
	router_arm(host, association);
}

/* The router has not heard our check, or we not its answer. */
static void check_again(struct host *host, const struct incoming *in, struct association *association)
{
	const struct proxy_check *check = association->dealings->check;

	if (check && !check->over)
		send_check(host, in->now, association);
	else
		count(host, HOST_COUNT_DROP_REPLAYED);
}

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
		check_anew(host, in, association, sequence, &locators);
	else
		check_again(host, in, association);
}

static void move_there(struct host *host, struct association *association)
{
	struct session *session = association->session;
	struct proxy_check *check = association->dealings->check;
	struct queued_effect *move = effect_make(HOST_MOVE_SA, 0);

	if (!move) {
		count(host, HOST_COUNT_DROP_NO_MEMORY);
		return;
	}
	check->over = true;
	session->local = check->way.local;
	session->remote = check->way.remote;
	session_tell_sa(host, session, &association->peer, move);
	(void)locators_learn(&host->locators, &association->peer, &session->remote, false);
	count(host, HOST_COUNT_PROXY_CONFIRMED);
	router_event(host, &association->peer, "is reached at a new place, as its router says");
}

static void take_echo(struct host *host, const struct incoming *in, struct association *association)
{
	struct proxy_check *check = association->dealings->check;
	struct span echo;

	if (!check || check->over ||
		parameter_opaque_read(packet_find(&in->view, PARAMETER_ECHO_RESPONSE_SIGNED), &echo) ||
		echo.length != sizeof check->nonce ||
		!bytes_equal_constant_time(echo.data, check->nonce, sizeof check->nonce)) {
		count(host, HOST_COUNT_DROP_ECHO);
		return;
	}
	session_heard(host, in->now, association);
	move_there(host, association);
	router_arm(host, association);
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

/* ---- time ---- */

static duration timeout(const struct association *association, unsigned tries)
{
	duration first = 2 * association->round_trip;

	return (first > CHECK_TIMEOUT_LEAST ? first : CHECK_TIMEOUT_LEAST) << (tries - 1);
}

instant proxy_peer_wake(const struct association *association)
{
	const struct proxy_check *check = association->dealings->check;

	if (!check || check->over || !check->tries)
		return INSTANT_NEVER;
	return instant_after(check->sent, timeout(association, check->tries));
}

void proxy_peer_timer(struct host *host, instant now, struct association *association)
{
	struct proxy_check *check = association->dealings->check;

	if (now < proxy_peer_wake(association))
		return;
	if (check->tries < CHECK_TRIES) {
		send_check(host, now, association);
		return;
	}
	check->place++;
	begin_place(host, now, association);
}
