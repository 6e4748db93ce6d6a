/* SPDX-License-Identifier: MIT */
/*
 * UPDATE with SEQ and ACK (RFC 7401 sections 5.3.5, 6.11 and 6.12). This host sends one at a time, to ask whether the
 * peer is there.
 */
#include "hip/core/state_actions.h"

/* Update IDs ahead of the expected one that are taken. */
#define UPDATE_WINDOW 64
/* A session is this old before its peer is followed elsewhere. */
#define FOLLOW_NOT_BEFORE SECONDS(3)

struct protection session_protection(const struct session *session)
{
	return (struct protection){
		.keys = &session->keys, .mac_type = PARAMETER_HIP_MAC, .signature_type = PARAMETER_HIP_SIGNATURE};
}

/* `route` is NULL for a packet that does not go over the overlay. */
static hiphop_error build_update(struct host *host, const struct association *association, const uint32_t *seq,
	const uint32_t *ack, const struct data_route *route, struct outgoing *out)
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
	if (route)
		outgoing_overlay_covered(host, out, route);
	error = outgoing_protect(host, out, &protection);
	if (error)
		return error;
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
	if (!way_of_session(host, association, &way) || build_update(host, association, &probe->id, NULL, NULL, &out))
		return;
	outgoing_send(host, &way, out.octets, out.length);
}

/* ---- receiving ---- */

static bool acknowledges(const struct parameter_sequence_list *acks, uint32_t id)
{
	for (size_t i = 0; i < acks->count; i++) {
		if (acks->items[i] == id)
			return true;
	}
	return false;
}

static void take_ack(struct association *association, const struct parameter_sequence_list *acks, instant now)
{
	struct session *session = association->session;

	if (!session->probe.tries || !acknowledges(acks, session->probe.id))
		return;
	if (session->probe.tries == 1)
		association->round_trip = now - session->probe.sent;
	session->probe.tries = 0;
	session->silent_since = 0;
}

/* Circular comparison: 0 is the expected one, small numbers lie ahead, great ones behind. */
static bool is_in_window(const struct session *session, uint32_t id)
{
	uint32_t ahead = id - session->peer_update;

	return ahead < UPDATE_WINDOW || (session->peer_updated && ahead == UINT32_MAX);
}

static void answer(struct host *host, const struct incoming *in, struct association *association, uint32_t id)
{
	struct data_route route;
	struct outgoing out;
	struct way way;

	if (!way_back(host, in, &route, &way) ||
		build_update(host, association, NULL, &id, in->overlay ? &route : NULL, &out))
		return;
	outgoing_send(host, &way, out.octets, out.length);
}

/* The peer speaks from another place than its SA goes to: its NAT has changed the mapping, say. Only a new exchange
 * proves that it is there. */
static void follow(struct host *host, const struct incoming *in, struct association *association)
{
	const struct session *session = association->session;
	const struct endpoint *from = &in->arrival->remote;

	if (in->arrival->inside_esp || !session->has_sas || endpoint_equal(from, &session->remote) ||
		in->now < instant_after(session->began, FOLLOW_NOT_BEFORE))
		return;
	if (!locators_learn(&host->locators, &association->peer, from, false))
		initiator_begin(host, in->now, association);
}

static void take_seq(struct host *host, const struct incoming *in, struct association *association, uint32_t id)
{
	struct session *session = association->session;

	/* One that was processed already is acknowledged again, and no more. */
	if (id - session->peer_update < UPDATE_WINDOW) {
		session->peer_update = id + 1;
		session->peer_updated = true;
		follow(host, in, association);
		if (rekey_is_asked(in, association) && !rekey_begin(host, in, association, id))
			return;
	} else if (rekey_answers_again(host, in->now, association, id)) {
		return;
	}
	answer(host, in, association, id);
}

/* Only the peer, who has the keys of the MAC, can bring it about. */
static void log_wrong_signature(const struct host *host, const struct hit *peer)
{
	char text[HIT_TEXT_SIZE];

	log_write(host->log, LOG_LEVEL_WARNING, "UPDATE of %s has a wrong signature", hit_format(peer, text));
}

void update_input(struct host *host, struct incoming *in)
{
	struct association *association = association_find(host, &in->view.sender);
	struct session *session = association->session;
	const struct parameter_view *seq_view = packet_find(&in->view, PARAMETER_SEQ);
	struct parameter_sequence_list acks = {.count = 0};
	uint32_t seq = 0;
	hiphop_error error;

	error = parameter_sequence_list_read(packet_find(&in->view, PARAMETER_ACK), &acks);
	if ((error && error != HIPHOP_NOT_FOUND) || (seq_view && parameter_number_read(seq_view, &seq))) {
		count(host, HOST_COUNT_DROP_MALFORMED);
		return;
	}
	if (seq_view && !is_in_window(session, seq)) {
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
		return;
	}
	session_heard(host, in->now, association);
	take_ack(association, &acks, in->now);
	rekey_acknowledged(host, in->now, association, &acks);
	if (seq_view)
		take_seq(host, in, association, seq);
}
