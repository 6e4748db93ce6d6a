/* SPDX-License-Identifier: MIT */
/*
 * CLOSE and CLOSE_ACK (RFC 7401 sections 5.3.7, 5.3.8, 6.14 and 6.15).
 */
#include "hip/core/state_actions.h"

#include <string.h>

/* A CLOSE or CLOSE_ACK with its echo; `in` is the CLOSE that is answered, or NULL. `route` is NULL for one that does
 * not go over the overlay. */
static hiphop_error build(struct host *host, const struct association *association, const struct incoming *in,
	struct span echo, const struct data_route *route, struct outgoing *out)
{
	uint8_t type = in ? HIP_PACKET_CLOSE_ACK : HIP_PACKET_CLOSE;
	const struct protection protection = session_protection(association->session);
	hiphop_error error;

	outgoing_start(host, out, type, &association->peer);
	parameter_opaque_write(&out->builder,
		type == HIP_PACKET_CLOSE ? PARAMETER_ECHO_REQUEST_SIGNED : PARAMETER_ECHO_RESPONSE_SIGNED, echo);
	if (route)
		outgoing_overlay_covered(host, out, route);
	error = outgoing_protect(host, out, &protection);
	if (error)
		return error;
	outgoing_echo_unsigned(out, in);
	if (route)
		outgoing_overlay_uncovered(host, out, type == HIP_PACKET_CLOSE);
	return outgoing_finish(out);
}

/* Keeps what CLOSEs are answered with: keys for MACs, and the peer's identity (RFC 7401 section 6.14). */
static void begin_to_end(struct host *host, struct session *session, host_state state, instant over)
{
	if (session->state == state)
		return;
	if (session->state < HOST_CLOSING)
		host->over++;
	session->state = state;
	session->close_over = over;
	diffie_hellman_free(session->own_key);
	session->own_key = NULL;
	buffer_free(&session->peer_public);
	buffer_free(&session->r2);
}

void close_forget(struct host *host, const struct session *session)
{
	if (session->state >= HOST_CLOSING)
		host->over--;
}

/* UAL, and as many MSL (RFC 7401 section 4.4.3): so long may the peer have the association, or a CLOSE be on its way.
 */
static instant over_after(const struct host *host, instant now, unsigned segment_lifetimes)
{
	return instant_after(now, host->configuration.unused_lifetime + segment_lifetimes * MAXIMUM_SEGMENT_LIFETIME);
}

static instant next_close(const struct session *session, instant now)
{
	duration timeout = SECONDS(1) << (session->close_tries < 6 ? session->close_tries : 6);

	_Static_assert(CLOSE_TIMEOUT_MAXIMUM == SECONDS(1) << 6, "doubled six times");
	return instant_earlier(instant_after(now, timeout), session->close_over);
}

static void send_close(struct host *host, instant now, struct association *association)
{
	static const struct data_route by_topology;
	struct session *session = association->session;
	struct span nonce = {session->close_nonce, sizeof session->close_nonce};
	struct outgoing out;
	struct way way;

	association_set_timer(host, association, TIMER_SESSION, next_close(session, now));
	session->close_tries++;
	if (!way_of_session(host, association, &way) ||
		build(host, association, NULL, nonce, way.overlay ? &by_topology : NULL, &out))
		return;
	mobility_send(host, now, association, &way, out.octets, out.length);
}

void close_begin(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;

	begin_to_end(host, session, HOST_CLOSING, over_after(host, now, 1));
	random_fill(host->random, session->close_nonce, sizeof session->close_nonce);
	send_close(host, now, association);
}

hiphop_error close_send(struct host *host, const struct state_step *step)
{
	session_end(host, step->now, step->association, step->rule->next, HIPHOP_OK);
	close_begin(host, step->now, step->association);
	return HIPHOP_OK;
}

hiphop_error close_send_again(struct host *host, const struct state_step *step)
{
	count(host, HOST_COUNT_RETRANSMITTED);
	send_close(host, step->now, step->association);
	return HIPHOP_OK;
}

hiphop_error host_close(struct host *host, instant now, const struct hit *peer)
{
	struct association *association = association_find(host, peer);

	effects_release_taken(&host->effects);
	if (!association || (!association->session && !association->initiation))
		return HIPHOP_NOT_FOUND;
	if (association->session)
		initiation_end(host, association);
	return state_machine_run(host, now, association, STATE_EVENT_LEAVE, HIPHOP_OK);
}

void host_close_all(struct host *host, instant now)
{
	effects_release_taken(&host->effects);
	for (size_t i = 0; i < host->count; i++) {
		if (!host->all[i]->session)
			continue;
		initiation_end(host, host->all[i]);
		state_machine_run(host, now, host->all[i], STATE_EVENT_LEAVE, HIPHOP_OK);
	}
}

/* ---- receiving ---- */

/* A Responder that closes before its R2 got here does so under the keys of the exchange (RFC 7401 table 4). */
static struct acceptance *acceptance_behind(const struct incoming *in, const struct association *association)
{
	struct acceptance *acceptance = association->initiation ? association->initiation->acceptance : NULL;

	return acceptance && mac_fits(in, &acceptance->keys) ? acceptance : NULL;
}

/* Its session, which never had SAs, instead of the one before: the Responder has dropped that too. */
static bool take_over(struct host *host, struct association *association, struct acceptance *acceptance)
{
	struct session *session = session_make();

	if (!session) {
		count(host, HOST_COUNT_DROP_NO_MEMORY);
		return false;
	}
	session->initiator = true;
	session->keys = acceptance->keys;
	session->identity = acceptance->identity;
	acceptance->identity = NULL;
	session_drop(host, association);
	association->session = session;
	initiation_end(host, association);
	return true;
}

static bool close_is_right(struct host *host, const struct incoming *in, struct association *association)
{
	struct acceptance *acceptance = acceptance_behind(in, association);
	const struct session *session = association->session;

	if (!acceptance && !session) {
		count(host, HOST_COUNT_DROP_MAC);
		return false;
	}
	if (!acceptance && verify_mac(host, in, &session->keys))
		return false;
	if (!token_bucket_take(&association->answers, in->now)) {
		count(host, HOST_COUNT_DROP_UPDATE_RATE);
		return false;
	}
	if (verify_signature(
		    host, in, acceptance ? acceptance->identity : session->identity, PARAMETER_HIP_SIGNATURE)) {
		notify_sender(host, in, NOTIFY_AUTHENTICATION_FAILED, (struct span){NULL, 0}, SHOWN_KEYS);
		return false;
	}
	return !acceptance || take_over(host, association, acceptance);
}

void close_input(struct host *host, struct incoming *in)
{
	struct association *association = association_find(host, &in->view.sender);
	struct data_route route;
	struct outgoing out;
	struct span echo;
	struct way way;

	if (parameter_opaque_read(packet_find(&in->view, PARAMETER_ECHO_REQUEST_SIGNED), &echo) ||
		echo.length > ECHO_OCTETS_MAXIMUM) {
		count(host, HOST_COUNT_DROP_MALFORMED);
		tell_breach(host, in, NOTIFY_INVALID_SYNTAX);
		return;
	}
	if (!close_is_right(host, in, association))
		return;
	if (way_back(host, in, &route, &way) && !build(host, association, in, echo, in->overlay ? &route : NULL, &out))
		outgoing_send(host, &way, out.octets, out.length);
	session_end(host, in->now, association, in->rule->next, HIPHOP_OK);
	begin_to_end(host, association->session, in->rule->next, over_after(host, in->now, 2));
	association_set_timer(host, association, TIMER_SESSION, association->session->close_over);
}

void close_ack_input(struct host *host, struct incoming *in)
{
	struct association *association = association_find(host, &in->view.sender);
	struct session *session = association->session;
	struct span echo;

	if (!session->close_tries) {
		count(host, HOST_COUNT_DROP_WRONG_STATE);
		return;
	}
	if (parameter_opaque_read(packet_find(&in->view, PARAMETER_ECHO_RESPONSE_SIGNED), &echo) ||
		echo.length != sizeof session->close_nonce ||
		!bytes_equal_constant_time(echo.data, session->close_nonce, echo.length)) {
		count(host, HOST_COUNT_DROP_ECHO);
		return;
	}
	if (verify_protected(host, in, session))
		return;
	session_drop(host, association);
	association_release_if_idle(host, association);
}
