/* SPDX-License-Identifier: MIT */
/*
 * UPDATE with SEQ and ACK (RFC 7401 sections 5.3.5, 6.11 and 6.12). This host sends one at a time: to ask whether the
 * peer is there, or for new keys (rekey.c); where it is, is asked and told beside that (mobility.h).
 */
#include "hip/core/router_internal.h"
#include "hip/core/state_actions.h"

#include <string.h>

/* Update IDs ahead of the expected one that are taken. */
#define UPDATE_WINDOW 64

struct protection session_protection(const struct session *session)
{
	return (struct protection){
		.keys = &session->keys, .mac_type = PARAMETER_HIP_MAC, .signature_type = PARAMETER_HIP_SIGNATURE};
}

/* `in` is the UPDATE that is acknowledged, or NULL; `route` is NULL for a packet that does not go over the overlay. */
static hiphop_error build_update(struct host *host, const struct association *association, const struct incoming *in,
	const uint32_t *seq, const uint32_t *ack, const struct data_route *route, struct outgoing *out)
{
	const struct protection protection = session_protection(association->session);
	struct parameter_sequence_list acks = {.count = 1};
	hiphop_error error;

	outgoing_start(host, out, HIP_PACKET_UPDATE, &association->peer);
	if (seq)
		parameter_number_write(&out->builder, PARAMETER_SEQ, *seq);
	if (ack) {
		acks.items[0] = *ack;
		parameter_sequence_list_write(&out->builder, PARAMETER_ACK, &acks);
	}
	if (ack)
		router_write_response(association, *ack, &out->builder);
	outgoing_echo_signed(out, in);
	if (route)
		outgoing_overlay_covered(host, out, route);
	if (ack)
		router_write_answer(host, association, *ack, &out->builder);
	error = outgoing_protect(host, out, &protection);
	if (error)
		return error;
	outgoing_echo_unsigned(out, in);
	if (route)
		outgoing_overlay_uncovered(host, out, false);
	return outgoing_finish(out);
}

void update_probe(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;
	struct retransmission *probe = &session->probe;
	struct outgoing out;
	struct way way;

	/* While a rekeying is under way its UPDATE is the only one (RFC 7402 section 6.8). */
	if (session->rekeying) {
		probe->tries++;
		return;
	}
	if (!probe->tries)
		probe->id = session->own_update++;
	else
		count(host, HOST_COUNT_RETRANSMITTED);
	probe->tries++;
	probe->sent = now;
	if (!way_of_session(host, association, &way) ||
		build_update(host, association, NULL, &probe->id, NULL, NULL, &out))
		return;
	mobility_send(host, now, association, &way, out.octets, out.length);
}

/* ---- receiving ---- */

static bool probe_waits_for(const struct session *session, const struct parameter_sequence_list *acks)
{
	return session->probe.tries && parameter_sequence_list_has(acks, session->probe.id);
}

static void take_ack(struct association *association, const struct parameter_sequence_list *acks, instant now)
{
	struct session *session = association->session;

	if (!probe_waits_for(session, acks))
		return;
	if (session->probe.tries == 1)
		association->round_trip = now - session->probe.sent;
	session->probe.tries = 0;
	session->silent_since = 0;
}

/* Places in a circular space (RFC 7401 section 6.12): of the expected Update ID, and of the one before it backwards. */
static uint32_t ahead(const struct session *session, uint32_t id)
{
	return id - session->peer_update;
}

static uint32_t behind(const struct session *session, uint32_t id)
{
	return session->peer_update - 1 - id;
}

static bool is_in_window(const struct session *session, uint32_t id)
{
	return ahead(session, id) < UPDATE_WINDOW || (session->peer_updates && behind(session, id) < UPDATE_WINDOW);
}

static bool was_processed(const struct session *session, uint32_t id)
{
	uint32_t steps = behind(session, id);

	return ahead(session, id) >= UPDATE_WINDOW && steps < UPDATE_WINDOW && session->peer_updates >> steps & 1;
}

static void note_processed(struct session *session, uint32_t id)
{
	uint32_t steps = ahead(session, id);

	if (steps < UPDATE_WINDOW) {
		session->peer_updates = steps + 1 < UPDATE_WINDOW ? session->peer_updates << (steps + 1) : 0;
		session->peer_update = id + 1;
	}
	session->peer_updates |= UINT64_C(1) << behind(session, id);
}

static void answer(struct host *host, const struct incoming *in, struct association *association, uint32_t id)
{
	struct data_route route;
	struct outgoing out;
	struct way way;

	if (!way_back(host, in, &route, &way) ||
		build_update(host, association, in, NULL, &id, in->overlay ? &route : NULL, &out))
		return;
	mobility_send(host, in->now, association, &way, out.octets, out.length);
}

/* The peer speaks from another place than its SA goes to: its NAT has changed the mapping, say. */
static void follow(struct host *host, const struct incoming *in, struct association *association)
{
	const struct session *session = association->session;

	if (in->arrival->inside_esp || !session->has_sas || endpoint_equal(&in->arrival->remote, &session->remote))
		return;
	locator_observed(host, in->now, association, &in->arrival->local, &in->arrival->remote);
}

/* OLD SPI and NEW SPI are the same: nothing is rekeyed, middleboxes are told (RFC 8046 section 5.3 step 1). */
static bool is_gratuitous(const struct incoming *in)
{
	struct parameter_esp_info esp_info;

	return !parameter_esp_info_read(packet_find(&in->view, PARAMETER_ESP_INFO), &esp_info) &&
	       esp_info.old_spi == esp_info.new_spi && !packet_find(&in->view, PARAMETER_DIFFIE_HELLMAN);
}

/* Anything but HIPHOP_OK: the packet is not acknowledged, and may come again. */
static hiphop_error take_rekeying(struct host *host, const struct incoming *in, struct association *association,
	uint32_t id, const struct parameter_sequence_list *acks, bool *answered)
{
	char peer[HIT_TEXT_SIZE];
	hiphop_error error;

	if (!packet_find(&in->view, PARAMETER_ESP_INFO) || is_gratuitous(in))
		return HIPHOP_OK;
	/* It has no ESP yet, and is not to get it this way. */
	if (session_on_probation(association->session))
		return HIPHOP_REFUSED;
	/* With an acknowledgment the peer would take keys into use that this host does not make. */
	if (!rekey_is_possible(in, association))
		return association->session->rekeying ? HIPHOP_REFUSED : HIPHOP_OK;
	error = rekey_check(in, association->session);
	if (error)
		log_write(host->log, LOG_LEVEL_WARNING, "%s sends an ESP_INFO or DIFFIE_HELLMAN that cannot be",
			association_peer_text(association, peer));
	return error ? error : rekey_take(host, in, association, id, acks, answered);
}

static bool asks_for_echo(const struct incoming *in)
{
	return packet_find(&in->view, PARAMETER_ECHO_REQUEST_SIGNED) ||
	       packet_find(&in->view, PARAMETER_ECHO_REQUEST_UNSIGNED);
}

static void take_seq(struct host *host, const struct incoming *in, struct association *association, uint32_t id,
	const struct parameter_sequence_list *acks)
{
	bool answered = false, acknowledged = false;
	hiphop_error error;

	if (was_processed(association->session, id)) {
		if (rekey_gave_up(association->session, id))
			count(host, HOST_COUNT_DROP_WRONG_STATE);
		else if (!rekey_answers_again(host, in->now, association, id))
			answer(host, in, association, id);
		return;
	}
	error = take_rekeying(host, in, association, id, acks, &answered);
	if (!error)
		error = locator_set_take(host, in, association, id, &acknowledged);
	if (!error)
		error = router_take(host, in, association, id);
	if (error) {
		count(host, error == HIPHOP_NO_MEMORY   ? HOST_COUNT_DROP_NO_MEMORY
			    : error == HIPHOP_MALFORMED ? HOST_COUNT_DROP_MALFORMED
							: HOST_COUNT_DROP_WRONG_STATE);
		if (error == HIPHOP_MALFORMED)
			notify_sender(host, in, NOTIFY_INVALID_SYNTAX, (struct span){NULL, 0}, SHOWN_IDENTITY);
		return;
	}
	note_processed(association->session, id);
	follow(host, in, association);
	/* The part of a rekeying echoes nothing: that goes by itself then. */
	if (!acknowledged && (!answered || asks_for_echo(in)))
		answer(host, in, association, id);
	certificates_came(host, in, association);
}

/* Only the peer, who has the keys of the MAC, can bring it about. */
static void log_wrong_signature(const struct host *host, const struct hit *peer)
{
	char text[HIT_TEXT_SIZE];

	log_write(host->log, LOG_LEVEL_WARNING, "UPDATE of %s has a wrong signature", hit_format(peer, text));
}

/* Whether it is more than what was said before: a repetition, by the peer or by somebody who has caught it, is no sign
 * that the peer is there. */
static bool has_news(
	const struct association *association, bool has_seq, uint32_t seq, const struct parameter_sequence_list *acks)
{
	const struct session *session = association->session;

	return (has_seq && !was_processed(session, seq)) || probe_waits_for(session, acks) ||
	       rekey_waits_for(session, acks) || certificates_wait_for(session, acks) ||
	       mobility_waits_for(session, acks) || router_waits_for(association, acks);
}

/* A HOST_ID in it, for firewalls that see the peer for the first time, must be the one of the exchange (RFC 8046
 * section 4.3). */
static bool is_of_its_identity(const struct incoming *in, const struct session *session)
{
	const struct parameter_view *view = packet_find(&in->view, PARAMETER_HOST_ID);
	struct span known = host_identity_octets(session->identity);
	struct parameter_host_id host_id;

	if (!view)
		return true;
	return !parameter_host_id_read(view, &host_id) &&
	       host_id.algorithm == host_identity_algorithm(session->identity) &&
	       host_id.host_identity.length == known.length &&
	       memcmp(host_id.host_identity.data, known.data, known.length) == 0;
}

void update_input(struct host *host, struct incoming *in)
{
	struct association *association = association_find(host, &in->view.sender);
	struct session *session = association->session;
	const struct parameter_view *seq_view = packet_find(&in->view, PARAMETER_SEQ);
	struct parameter_sequence_list acks = {.count = 0};
	uint32_t seq = 0;
	hiphop_error error;
	bool news;

	error = parameter_sequence_list_read(packet_find(&in->view, PARAMETER_ACK), &acks);
	if ((error && error != HIPHOP_NOT_FOUND) || (seq_view && parameter_number_read(seq_view, &seq))) {
		count(host, HOST_COUNT_DROP_MALFORMED);
		tell_breach(host, in, NOTIFY_INVALID_SYNTAX);
		return;
	}
	/* RFC 7401 sections 6.12.1 and 6.12.2: an Update ID outside the window; an ACK alone of nothing that is
	 * outstanding. */
	news = has_news(association, seq_view, seq, &acks);
	if (seq_view ? !is_in_window(session, seq) : !news) {
		count(host, HOST_COUNT_DROP_REPLAYED);
		return;
	}
	if (verify_mac(host, in, &session->keys))
		return;
	if (seq_view && !token_bucket_take(&association->answers, in->now)) {
		count(host, HOST_COUNT_DROP_UPDATE_RATE);
		return;
	}
	if (verify_signature(host, in, session->identity, PARAMETER_HIP_SIGNATURE)) {
		log_wrong_signature(host, &association->peer);
		notify_sender(host, in, NOTIFY_AUTHENTICATION_FAILED, (struct span){NULL, 0}, SHOWN_KEYS);
		return;
	}
	if (!is_of_its_identity(in, session)) {
		count(host, HOST_COUNT_DROP_IDENTITY);
		return;
	}
	if (news)
		session_heard(host, in->now, association);
	/* What came inside its own ESP counts there. */
	if (!in->arrival->inside_esp || !hit_equal(&in->arrival->neighbour, &association->peer))
		mobility_earn(session, in->length);
	take_ack(association, &acks, in->now);
	/* A part that is new comes first: what it acknowledges goes with it, not with one before. */
	if (!seq_view || !packet_find(&in->view, PARAMETER_ESP_INFO) || is_gratuitous(in) ||
		was_processed(session, seq))
		rekey_acknowledged(host, in->now, association, &acks);
	certificates_acknowledged(host, in->now, association, &acks);
	mobility_acknowledged(host, in, association, &acks);
	router_acknowledged(host, in, association, &acks);
	if (seq_view)
		take_seq(host, in, association, seq, &acks);
}
