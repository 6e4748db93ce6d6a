/* SPDX-License-Identifier: MIT */
/*
 * Rekeying by UPDATE when the peer asks for it (RFC 7402 sections 6.9 and 6.10). This host never begins one: it renews
 * keys with a base exchange.
 *
 * The answer has all that the new pair of SAs needs, and so has everything ready that can fail. The pair comes into use
 * when the peer acknowledges the answer.
 */
#include "hip/core/host_internal.h"

#include <stdlib.h>
#include <string.h>

/* How often the answer goes out, and when again. */
#define REKEY_TRIES   8
#define REKEY_TIMEOUT SECONDS(1)

struct rekeying {
	uint32_t peer_update; /* the UPDATE that asked */
	uint32_t own_update;  /* ours, until it is acknowledged */
	unsigned tries;
	instant sent;
	struct session *successor;
	struct queued_effect *install, *change;
	struct buffer packet;
};

/* A request as read. */
struct request {
	struct parameter_esp_info esp_info;
	bool has_public;
	struct parameter_diffie_hellman public;
	struct diffie_hellman *own_key; /* made when there is a public value */
};

void rekey_drop(struct host *host, struct session *session)
{
	struct rekeying *rekeying = session->rekeying;

	if (!rekeying)
		return;
	if (rekeying->successor)
		association_unregister_spi(host, rekeying->successor->spi_in);
	session_free(rekeying->successor);
	effect_discard(rekeying->install);
	effect_discard(rekeying->change);
	buffer_free(&rekeying->packet);
	free(rekeying);
	session->rekeying = NULL;
}

bool rekey_is_asked(const struct incoming *in, const struct association *association)
{
	const struct session *session = association->session;

	return packet_find(&in->view, PARAMETER_ESP_INFO) && session->has_sas && !association->initiation &&
	       !in->overlay && !in->arrival->inside_esp;
}

static hiphop_error read_request(const struct incoming *in, const struct session *session, struct request *request)
{
	const struct parameter_view *public = packet_find(&in->view, PARAMETER_DIFFIE_HELLMAN);
	hiphop_error error = parameter_esp_info_read(packet_find(&in->view, PARAMETER_ESP_INFO), &request->esp_info);

	if (error)
		return error;
	if (request->esp_info.old_spi != session->spi_out || request->esp_info.new_spi < 256)
		return HIPHOP_MALFORMED;
	if (!public)
		return HIPHOP_OK;
	request->has_public = true;
	error = parameter_diffie_hellman_read(public, &request->public);
	if (!error && (request->public.group != session->keys.group || request->esp_info.keymat_index))
		error = HIPHOP_MALFORMED;
	return error;
}

/* ---- keys ---- */

static hiphop_error renew_keymat(struct host *host, struct request *request, struct exchange_keys *keys)
{
	size_t length = hash_length(keys->rhash);
	const struct hit lower = keys->keymat.lower, greater = keys->keymat.greater;
	struct shared_secret secret;
	hiphop_error error = diffie_hellman_new(keys->group, host->random, &request->own_key);

	if (error)
		return error;
	error = diffie_hellman_agree(request->own_key, request->public.public_value, &secret);
	if (!error)
		error = keymat_start(&keys->keymat, keys->rhash, &secret, (struct span){keys->i, length},
			(struct span){keys->j, length}, &lower, &greater);
	shared_secret_clear(&secret);
	return error;
}

/* The HIP keys stay, the ESP keys are new ones. */
static hiphop_error renew_keys(struct host *host, struct request *request, struct exchange_keys *keys)
{
	uint32_t asked = request->esp_info.keymat_index;
	hiphop_error error = HIPHOP_OK;

	if (request->has_public)
		error = renew_keymat(host, request, keys);
	else if (asked > keys->keymat.index)
		error = keymat_advance(&keys->keymat, asked);
	if (error)
		return error;
	if (keys->keymat.index > UINT16_MAX)
		return HIPHOP_LIMITED;
	keys->keymat_index = (uint16_t)keys->keymat.index;
	return keymat_draw_esp_keys(&keys->keymat, keys->suite, &host->self, &keys->esp_out, &keys->esp_in);
}

/* ---- the answer ---- */

static hiphop_error build_answer(struct host *host, const struct association *association,
	const struct rekeying *rekeying, const struct request *request, struct outgoing *out)
{
	const struct session *session = association->session;
	const struct protection protection = session_protection(session);
	const struct parameter_sequence_list acks = {.count = 1, .items = {rekeying->peer_update}};
	const struct parameter_esp_info esp_info = {.keymat_index = rekeying->successor->keys.keymat_index,
		.old_spi = session->spi_in,
		.new_spi = rekeying->successor->spi_in};
	struct parameter_diffie_hellman public;
	hiphop_error error;

	outgoing_start(host, out, HIP_PACKET_UPDATE, &association->peer);
	parameter_esp_info_write(&out->builder, &esp_info);
	parameter_number_write(&out->builder, PARAMETER_SEQ, rekeying->own_update);
	parameter_sequence_list_write(&out->builder, PARAMETER_ACK, &acks);
	if (request->own_key) {
		public.group = diffie_hellman_group_id(request->own_key);
		public.public_value = diffie_hellman_public_value(request->own_key);
		parameter_diffie_hellman_write(&out->builder, &public);
	}
	error = outgoing_protect(host, out, &protection);
	return error ? error : outgoing_finish(out);
}

static hiphop_error make_successor(
	struct host *host, struct association *association, struct request *request, struct rekeying *rekeying)
{
	struct session *successor = rekeying->successor = session_make();
	hiphop_error error;

	rekeying->install = effect_make(HOST_INSTALL_SA, 0);
	rekeying->change = effect_make(HOST_ASSOCIATION, 0);
	if (!successor || !rekeying->install || !rekeying->change)
		return HIPHOP_NO_MEMORY;
	successor->keys = association->session->keys;
	error = renew_keys(host, request, &successor->keys);
	if (error)
		return error;
	successor->spi_out = request->esp_info.new_spi;
	successor->spi_in = association_new_spi(host);
	error = association_register_spi(host, association, successor->spi_in);
	if (error)
		successor->spi_in = 0;
	return error;
}

static hiphop_error prepare(struct host *host, struct association *association, struct request *request, uint32_t id)
{
	struct session *session = association->session;
	struct rekeying *rekeying = session->rekeying = calloc(1, sizeof *rekeying);
	struct outgoing out;
	hiphop_error error;

	if (!rekeying)
		return HIPHOP_NO_MEMORY;
	rekeying->peer_update = id;
	rekeying->own_update = session->own_update;
	error = make_successor(host, association, request, rekeying);
	if (!error)
		error = build_answer(host, association, rekeying, request, &out);
	if (error)
		return error;
	error = buffer_copy(&rekeying->packet, out.octets, out.length);
	if (error)
		return error;
	session->own_update++;
	return HIPHOP_OK;
}

static void send_answer(struct host *host, instant now, struct association *association)
{
	struct rekeying *rekeying = association->session->rekeying;
	struct way way;

	rekeying->sent = now;
	if (rekeying->tries++)
		count(host, HOST_COUNT_RETRANSMITTED);
	if (way_of_session(host, association, &way) && !way.overlay)
		outgoing_send(host, &way, rekeying->packet.data, rekeying->packet.length);
}

hiphop_error rekey_begin(
	struct host *host, const struct incoming *in, struct association *association, uint32_t update_id)
{
	struct request request = {.has_public = false};
	hiphop_error error = read_request(in, association->session, &request);

	if (error) {
		count(host, HOST_COUNT_DROP_MALFORMED);
		return error;
	}
	rekey_drop(host, association->session);
	error = prepare(host, association, &request, update_id);
	diffie_hellman_free(request.own_key);
	if (error) {
		rekey_drop(host, association->session);
		return error;
	}
	send_answer(host, in->now, association);
	return HIPHOP_OK;
}

bool rekey_answers_again(struct host *host, instant now, struct association *association, uint32_t update_id)
{
	const struct rekeying *rekeying = association->session->rekeying;

	if (!rekeying || rekeying->peer_update != update_id)
		return false;
	send_answer(host, now, association);
	return true;
}

void rekey_again(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;

	if (!session->rekeying || now < instant_after(session->rekeying->sent, REKEY_TIMEOUT))
		return;
	if (session->rekeying->tries >= REKEY_TRIES || !session->has_sas)
		rekey_drop(host, session);
	else
		send_answer(host, now, association);
}

/* ---- the end ---- */

/* What the session goes on with under its new keys. */
static void inherit(struct session *successor, struct session *session)
{
	successor->state = session->state;
	successor->initiator = session->initiator;
	successor->direct = session->direct;
	successor->carries_hip = session->carries_hip;
	successor->overlay_hops = session->overlay_hops;
	successor->local = session->local;
	successor->remote = session->remote;
	successor->own_update = session->own_update;
	successor->peer_update = session->peer_update;
	successor->peer_updated = session->peer_updated;
	successor->identity = session->identity;
	session->identity = NULL;
}

void rekey_acknowledged(
	struct host *host, instant now, struct association *association, const struct parameter_sequence_list *acks)
{
	struct session *session = association->session;
	struct rekeying *rekeying = session->rekeying;
	struct session *successor;
	bool is_ours = false;

	for (size_t i = 0; rekeying && i < acks->count; i++)
		is_ours = is_ours || acks->items[i] == rekeying->own_update;
	if (!is_ours || !session->has_sas || association->initiation)
		return;
	successor = rekeying->successor;
	inherit(successor, session);
	session_commit(host, now, association, successor, rekeying->install, rekeying->change);
	/* The old session has retired; what is left of the rekeying is ours to free. */
	rekeying->successor = NULL;
	rekeying->install = rekeying->change = NULL;
	rekey_drop(host, session);
}
