/* SPDX-License-Identifier: MIT */
/*
 * Signed UPDATEs about mobile routers: what is to be told to the peer of an association is noted as news; one UPDATE at
 * a time takes as much of them as fits, and goes out again until it is acknowledged. What it told is then no news, but
 * for what has changed meanwhile. The acknowledgment carries the answers (REG_RESPONSE, TICKET_ID …).
 */
#include "hip/core/router_internal.h"

#include <stdlib.h>
#include <string.h>

#define TRIES         6
#define TIMEOUT_LEAST MILLISECONDS(250) /* doubles */
#define TIMEOUT_FIRST SECONDS(1)        /* when no round trip was measured */
#define TIMEOUT_MOST  SECONDS(8)
#define PAUSE         SECONDS(20) /* after tries in vain */
/* How long a registration is asked for: 2^((158 - 64) / 8) s, 57 minutes. */
#define REGISTRATION_ASKED 158

struct router_dealings *router_dealings_of(struct association *association)
{
	if (!association->dealings)
		association->dealings = calloc(1, sizeof *association->dealings);
	return association->dealings;
}

/* ---- building ---- */

/* What goes into ENCRYPTED. */
static void write_secrets(
	struct host *host, instant now, struct association *association, uint8_t *told, struct packet_builder *inner)
{
	struct router_dealings *dealings = association->dealings;
	struct parameter_delegation list[DELEGATIONS_MAXIMUM];
	size_t count;

	if (dealings->news & NEWS_TICKET && dealings->own) {
		struct ticket_grant grant = dealings->own->grant;

		if (dealings->own->revoked)
			grant.lifetime = 0;
		parameter_ticket_write(inner, &grant);
		bytes_wipe(&grant, sizeof grant);
		*told |= NEWS_TICKET;
	}
	if (dealings->news & NEWS_DELEGATIONS) {
		count = own_tickets_gather(host, now, dealings->update, list);
		for (size_t i = 0; i < count; i++)
			parameter_delegation_write(inner, &list[i]);
		bytes_wipe(list, sizeof list);
		*told |= NEWS_DELEGATIONS;
	}
}

static hiphop_error seal_secrets(struct host *host, const struct exchange_keys *keys,
	const struct packet_builder *inner, struct packet_builder *builder)
{
	uint8_t sealed[HIP_PARAMETERS_MAXIMUM + HIP_CIPHER_OVERHEAD_MAXIMUM];
	const struct hip_cipher *cipher = keys->cipher;
	struct parameter_encrypted encrypted;
	size_t length, sealed_length;
	hiphop_error error = packet_builder_finish(inner, &length);

	if (error || !length)
		return error;
	sealed_length = hip_cipher_sealed_length(cipher, length);
	if (sealed_length > sizeof sealed)
		return HIPHOP_TOO_LARGE;
	error = hip_cipher_seal(cipher, (struct span){keys->outgoing.encryption, cipher->key_length}, host->random,
		(struct span){inner->writer.data, length}, sealed);
	if (error)
		return error;
	encrypted.iv = (struct span){sealed, cipher->iv_length};
	encrypted.data = (struct span){sealed + cipher->iv_length, sealed_length - cipher->iv_length};
	return parameter_encrypted_write(builder, &encrypted);
}

static void write_registration(struct router_dealings *dealings, struct packet_builder *builder)
{
	const struct parameter_registration request = {
		.value = dealings->leaving ? 0 : REGISTRATION_ASKED, .count = 1, .types = {REGISTRATION_MOBILE_ROUTER}};

	dealings->said_goodbye = dealings->leaving;
	parameter_registration_write(builder, PARAMETER_REG_REQUEST, &request);
}

static void write_hosts(struct host *host, uint32_t update, struct packet_builder *builder)
{
	struct parameter_hosts_on_board hosts;

	for (int left = 1; left >= 0; left--) {
		service_gather_hosts(host, update, left, &hosts);
		if (hosts.count)
			parameter_hosts_on_board_write(builder, &hosts);
	}
}

static void write_refusals(struct router_dealings *dealings, struct packet_builder *builder)
{
	for (size_t i = 0; i < dealings->refusal_count; i++)
		parameter_delegation_refused_write(builder, &dealings->refusals[i]);
	dealings->refusals_telling = dealings->refusal_count;
}

/* In ascending order of types. Tells in `*told` what is in it. */
static hiphop_error build(
	struct host *host, instant now, struct association *association, uint8_t *told, struct outgoing *out)
{
	const struct session *session = association->session;
	const struct protection protection = session_protection(session);
	struct router_dealings *dealings = association->dealings;
	struct packet_builder inner;
	uint8_t plain[HIP_PARAMETERS_MAXIMUM];
	hiphop_error error;

	*told = dealings->news & (NEWS_REGISTRATION | NEWS_LOCATORS | NEWS_HOSTS | NEWS_REFUSALS);
	packet_builder_start_inner(&inner, plain, sizeof plain);
	write_secrets(host, now, association, told, &inner);
	outgoing_start(host, out, HIP_PACKET_UPDATE, &association->peer);
	parameter_number_write(&out->builder, PARAMETER_SEQ, dealings->update);
	error = seal_secrets(host, &session->keys, &inner, &out->builder);
	bytes_wipe(plain, sizeof plain);
	if (error)
		return error;
	if (*told & NEWS_REGISTRATION)
		write_registration(dealings, &out->builder);
	if (*told & NEWS_LOCATORS)
		service_write_locators(host, &out->builder);
	if (*told & NEWS_REFUSALS)
		write_refusals(dealings, &out->builder);
	if (*told & NEWS_HOSTS)
		write_hosts(host, dealings->update, &out->builder);
	error = outgoing_protect(host, out, &protection);
	return error ? error : outgoing_finish(out);
}

/* ---- sending ---- */

static void send_built(struct host *host, instant now, struct association *association)
{
	struct router_dealings *dealings = association->dealings;
	struct way way;

	if (dealings->tries++)
		count(host, HOST_COUNT_RETRANSMITTED);
	dealings->sent = now;
	dealings->sent_from = association->session->local;
	dealings->sent_to = association->session->remote;
	if (way_of_session(host, association, &way) && !way.overlay)
		mobility_send(host, now, association, &way, dealings->packet.data, dealings->packet.length);
}

static bool may_send(const struct association *association, instant now)
{
	const struct router_dealings *dealings = association->dealings;
	const struct session *session = association->session;

	return session && session->state < HOST_CLOSING && session->direct && !session_on_probation(session) &&
	       dealings->news && !dealings->tries && now >= dealings->pause;
}

/* Gives up what the UPDATE under way told: it is news again. */
static void take_back(struct host *host, struct association *association)
{
	struct router_dealings *dealings = association->dealings;

	dealings->news |= dealings->telling;
	if (dealings->telling & NEWS_DELEGATIONS)
		own_tickets_told(host, dealings->update, false);
	if (dealings->telling & NEWS_HOSTS)
		service_hosts_told(host, dealings->update, false);
	dealings->refusals_telling = 0;
	dealings->telling = 0;
	dealings->tries = 0;
	buffer_free(&dealings->packet);
}

/* News that have become none meanwhile. */
static void forget_stale_news(const struct host *host, struct association *association)
{
	struct router_dealings *dealings = association->dealings;
	bool is_router = is_our_router(host, association);

	if (!dealings->own)
		dealings->news &= (uint8_t)~NEWS_TICKET;
	if (!is_router || !own_tickets_to_tell(host))
		dealings->news &= (uint8_t)~NEWS_DELEGATIONS;
	if (!is_router || !service_has_hosts_to_tell(host))
		dealings->news &= (uint8_t)~NEWS_HOSTS;
	if (!dealings->refusal_count)
		dealings->news &= (uint8_t)~NEWS_REFUSALS;
}

static void send_news(struct host *host, instant now, struct association *association)
{
	struct router_dealings *dealings = association->dealings;
	struct outgoing out;
	hiphop_error error;

	forget_stale_news(host, association);
	if (!dealings->news)
		return;
	dealings->update = association->session->own_update;
	error = build(host, now, association, &dealings->telling, &out);
	if (!error)
		error = buffer_copy(&dealings->packet, out.octets, out.length);
	if (error) {
		take_back(host, association);
		dealings->pause = instant_after(now, SECONDS(1));
		return;
	}
	association->session->own_update++;
	dealings->news &= (uint8_t)~dealings->telling;
	send_built(host, now, association);
}

void router_begin_anew(struct host *host, struct association *association)
{
	struct router_dealings *dealings = association->dealings;

	if (dealings->tries)
		take_back(host, association);
	dealings->pause = 0;
	dealings->answer.made = false;
	ticket_forget(&dealings->held);
}

void router_take_back(struct host *host, struct association *association)
{
	if (association->dealings->tries)
		take_back(host, association);
}

void router_follow_path(struct host *host, instant now, struct association *association)
{
	struct router_dealings *dealings = association->dealings;
	const struct session *session = association->session;

	if (!dealings || !dealings->tries || !session || session->state >= HOST_CLOSING ||
		(endpoint_equal(&dealings->sent_from, &session->local) &&
			endpoint_equal(&dealings->sent_to, &session->remote)))
		return;
	dealings->tries = 1;
	send_built(host, now, association);
	router_arm(host, association);
}

void router_tell(struct host *host, instant now, struct association *association, uint8_t news)
{
	struct router_dealings *dealings = router_dealings_of(association);

	if (!dealings) {
		count(host, HOST_COUNT_DROP_NO_MEMORY);
		return;
	}
	dealings->news |= news;
	if (may_send(association, now))
		send_news(host, now, association);
	router_arm(host, association);
}

/* ---- being acknowledged ---- */

bool router_waits_for(const struct association *association, const struct parameter_sequence_list *acks)
{
	const struct router_dealings *dealings = association->dealings;

	return dealings && dealings->tries && parameter_sequence_list_has(acks, dealings->update);
}

static bool has_ticket_id(const struct incoming *in, const struct own_ticket *own)
{
	uint8_t id[TICKET_ID_LENGTH];

	return !parameter_ticket_id_read(packet_find(&in->view, PARAMETER_TICKET_ID), id) &&
	       memcmp(id, own->grant.id, sizeof id) == 0;
}

static void drop_told_refusals(struct router_dealings *dealings)
{
	size_t left = dealings->refusal_count - dealings->refusals_telling;

	memmove(dealings->refusals, dealings->refusals + dealings->refusals_telling,
		left * sizeof dealings->refusals[0]);
	dealings->refusal_count = left;
	dealings->refusals_telling = 0;
	if (left)
		dealings->news |= NEWS_REFUSALS;
}

/* DELEGATION_REFUSED in an acknowledgment, or in an UPDATE of its own. */
static void take_refusals(struct host *host, const struct incoming *in, const struct association *association)
{
	struct parameter_delegation_refused refused;
	const struct parameter_view *view;

	if (!is_our_router(host, association))
		return;
	for (size_t i = 0; (view = packet_find_nth(&in->view, PARAMETER_DELEGATION_REFUSED, i)); i++) {
		if (!parameter_delegation_refused_read(view, &refused))
			own_ticket_refused(host, in->now, &refused);
	}
}

void router_acknowledged(struct host *host, const struct incoming *in, struct association *association,
	const struct parameter_sequence_list *acks)
{
	struct router_dealings *dealings = association->dealings;
	uint8_t told;

	if (!router_waits_for(association, acks))
		return;
	told = dealings->telling;
	dealings->tries = 0;
	dealings->telling = 0;
	dealings->pause = 0;
	buffer_free(&dealings->packet);
	if (told & NEWS_TICKET && dealings->own)
		own_ticket_acknowledged(host, association, has_ticket_id(in, dealings->own));
	if (told & NEWS_DELEGATIONS)
		own_tickets_told(host, dealings->update, true);
	if (told & NEWS_HOSTS)
		service_hosts_told(host, dealings->update, true);
	if (told & NEWS_REFUSALS)
		drop_told_refusals(dealings);
	if (told & NEWS_REGISTRATION)
		boarding_answered(host, in->now, association, &in->view);
	take_refusals(host, in, association);
	if (is_our_router(host, association) && own_tickets_to_tell(host))
		dealings->news |= NEWS_DELEGATIONS;
	if (is_our_router(host, association) && service_has_hosts_to_tell(host))
		dealings->news |= NEWS_HOSTS;
	router_tell(host, in->now, association, 0);
}

/* ---- taking ---- */

/* Decrypts ENCRYPTED; without one the list is empty. */
static hiphop_error open_secrets(
	const struct incoming *in, const struct session *session, uint8_t *plain, struct parameter_list *list)
{
	const struct exchange_keys *keys = &session->keys;
	const struct parameter_view *view = packet_find(&in->view, PARAMETER_ENCRYPTED);
	struct parameter_encrypted encrypted;
	struct span sealed;
	size_t length;

	list->count = 0;
	if (!view)
		return HIPHOP_OK;
	if (parameter_encrypted_read(view, keys->cipher->iv_length, &encrypted))
		return HIPHOP_MALFORMED;
	/* IV and data lie side by side in the parameter. */
	sealed.data = keys->cipher->iv_length ? encrypted.iv.data : encrypted.data.data;
	sealed.length = keys->cipher->iv_length + encrypted.data.length;
	if (sealed.length > HIP_PARAMETERS_MAXIMUM ||
		hip_cipher_open(keys->cipher, (struct span){keys->incoming.encryption, keys->cipher->key_length},
			sealed, plain, &length))
		return HIPHOP_MALFORMED;
	return parameters_parse(plain, length, list) ? HIPHOP_MALFORMED : HIPHOP_OK;
}

static hiphop_error take_ticket(
	struct host *host, instant now, struct association *association, const struct parameter_list *inner)
{
	const struct parameter_view *view = parameters_find(inner, PARAMETER_TICKET);
	struct router_dealings *dealings = association->dealings;
	struct ticket_grant grant;

	if (!view)
		return HIPHOP_OK;
	if (parameter_ticket_read(view, &grant))
		return HIPHOP_MALFORMED;
	ticket_take(&dealings->held, now, &grant);
	if (grant.lifetime)
		count(host, HOST_COUNT_TICKET_TAKEN);
	dealings->answer.has_ticket = true;
	memcpy(dealings->answer.ticket, grant.id, sizeof grant.id);
	bytes_wipe(&grant, sizeof grant);
	return HIPHOP_OK;
}

static bool says_anything(const struct incoming *in)
{
	static const uint16_t types[] = {PARAMETER_ENCRYPTED, PARAMETER_REG_REQUEST, PARAMETER_ROUTER_LOCATORS,
		PARAMETER_DELEGATION_REFUSED, PARAMETER_HOSTS_ON_BOARD};

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if (packet_find(&in->view, types[i]))
			return true;
	}
	return false;
}

hiphop_error router_take(struct host *host, const struct incoming *in, struct association *association, uint32_t id)
{
	uint8_t plain[HIP_PARAMETERS_MAXIMUM];
	struct router_dealings *dealings;
	struct parameter_list inner;
	hiphop_error error;

	if (!says_anything(in) || in->overlay || in->arrival->inside_esp)
		return HIPHOP_OK;
	dealings = router_dealings_of(association);
	if (!dealings)
		return HIPHOP_NO_MEMORY;
	dealings->answer = (struct router_answer){.made = true, .update = id};
	error = open_secrets(in, association->session, plain, &inner);
	if (!error)
		error = take_ticket(host, in->now, association, &inner);
	if (!error)
		error = service_take(host, in, association, &in->view, &inner, &dealings->answer);
	bytes_wipe(plain, sizeof plain);
	if (error) {
		dealings->answer.made = false;
		return error;
	}
	boarding_locators(host, in->now, association, &in->view);
	take_refusals(host, in, association);
	return HIPHOP_OK;
}

/* ---- answering ---- */

static const struct router_answer *answer_to(const struct association *association, uint32_t id)
{
	const struct router_dealings *dealings = association->dealings;

	return dealings && dealings->answer.made && dealings->answer.update == id ? &dealings->answer : NULL;
}

void router_write_response(const struct association *association, uint32_t id, struct packet_builder *builder)
{
	const struct router_answer *answer = answer_to(association, id);
	struct parameter_registration registration = {.count = 1, .types = {REGISTRATION_MOBILE_ROUTER}};

	if (!answer)
		return;
	registration.value = answer->value;
	if (answer->registered)
		parameter_registration_write(builder, PARAMETER_REG_RESPONSE, &registration);
	if (answer->failed)
		parameter_registration_write(builder, PARAMETER_REG_FAILED, &registration);
	if (answer->unavailable.count)
		parameter_registration_write(builder, PARAMETER_REG_FAILED, &answer->unavailable);
}

void router_write_answer(
	const struct host *host, const struct association *association, uint32_t id, struct packet_builder *builder)
{
	const struct router_answer *answer = answer_to(association, id);

	if (!answer)
		return;
	if (answer->registered && answer->value)
		service_write_locators(host, builder);
	for (size_t i = 0; i < answer->refusal_count; i++)
		parameter_delegation_refused_write(builder, &answer->refusals[i]);
	if (answer->has_ticket)
		parameter_ticket_id_write(builder, answer->ticket);
}

/* ---- time ---- */

static duration timeout(const struct association *association, unsigned tries)
{
	duration first = association->round_trip ? 2 * association->round_trip : TIMEOUT_FIRST;

	if (first < TIMEOUT_LEAST)
		first = TIMEOUT_LEAST;
	while (tries-- > 1 && first < TIMEOUT_MOST)
		first *= 2;
	return first < TIMEOUT_MOST ? first : TIMEOUT_MOST;
}

static instant next_try(const struct association *association)
{
	const struct router_dealings *dealings = association->dealings;

	if (dealings->tries)
		return instant_after(dealings->sent, timeout(association, dealings->tries));
	return dealings->news && dealings->pause ? dealings->pause : INSTANT_NEVER;
}

void router_arm(struct host *host, struct association *association)
{
	const struct router_dealings *dealings = association->dealings;
	instant at;

	if (!dealings)
		return;
	at = next_try(association);
	if (dealings->own && !dealings->own->revoked)
		at = instant_earlier(at, dealings->own->renew);
	association_set_timer(host, association, TIMER_ROUTER, at);
}

static void try_again(struct host *host, instant now, struct association *association)
{
	struct router_dealings *dealings = association->dealings;

	if (now < next_try(association))
		return;
	if (dealings->tries && dealings->tries < TRIES) {
		send_built(host, now, association);
		return;
	}
	if (dealings->tries) {
		take_back(host, association);
		dealings->pause = instant_after(now, PAUSE);
	}
	if (may_send(association, now))
		send_news(host, now, association);
}

void router_timer(struct host *host, instant now, struct association *association)
{
	struct router_dealings *dealings = association->dealings;

	if (!dealings || !association->session || association->session->state >= HOST_CLOSING)
		return;
	try_again(host, now, association);
	own_ticket_review(host, now, association);
	router_arm(host, association);
}
