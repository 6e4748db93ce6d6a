/* SPDX-License-Identifier: MIT */
/*
 * Certificates in the life of an association (RFC 8002): what did not fit the base exchange follows in UPDATEs, and a
 * peer whose certificates are awaited is on probation. It has no ESP until they are there and hold, since neither its
 * SAs nor the association are told before.
 */
#include "hip/core/host_internal.h"

#include <stdlib.h>
#include <string.h>

#define UPDATE_TRIES   5
#define UPDATE_TIMEOUT SECONDS(1) /* doubles */

/* ---- a peer's ---- */

hiphop_error certificates_take(struct host *host, instant now, const struct packet_view *view,
	const struct host_identity *holder, struct peer_certificates **certificates)
{
	const struct certificate_judge judge = {
		.environment = &host->configuration.environment, .now = now, .holder = holder};
	hiphop_error error = peer_certificates_take(certificates, &host->certificate_space, &judge, view);

	if (error)
		count(host, HOST_COUNT_DROP_NO_MEMORY);
	return error;
}

void certificates_free(struct host *host, struct peer_certificates *certificates)
{
	peer_certificates_free(certificates, &host->certificate_space);
}

struct span certificates_culprit(const struct peer_certificates *certificates, uint8_t octets[static 2])
{
	if (!certificates || !certificates->culprit_id)
		return (struct span){NULL, 0};
	octets[0] = certificates->culprit_group;
	octets[1] = certificates->culprit_id;
	return (struct span){octets, 2};
}

static host_permission ask_again(
	const struct host *host, instant now, const struct association *association, host_certificate_state state)
{
	struct host_claim claim = {
		.proved = true, .over_overlay = association->session->overlay_hops > 0, .certificate = state};

	if (association->name)
		claim.name = *association->name;
	return peer_may_associate(host, now, &association->peer, &claim);
}

static void admit(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;
	struct certificate_progress *progress = session->certificates;

	progress->probation = false;
	effects_add(&host->effects, progress->install);
	effects_add(&host->effects, progress->change);
	progress->install = progress->change = NULL;
	session->last_look = now;
	/* What has changed meanwhile. */
	association_set_timer(host, association, TIMER_READDRESS, now);
	mobility_begin(host, now, association);
}

static void turn_away(struct host *host, instant now, struct association *association, host_certificate_state state)
{
	uint8_t octets[2];
	char text[HIT_TEXT_SIZE];

	log_write(host->log, LOG_LEVEL_INFO, "%s is turned away: %s", association_peer_text(association, text),
		state == HOST_CERTIFICATE_NONE ? "it sent no certificate"
					       : certificate_verdict_text(association->certificates->report.verdict));
	count(host, HOST_COUNT_DROP_POLICY);
	if (state == HOST_CERTIFICATE_NONE)
		notify_peer(host, now, association, NOTIFY_CREDENTIALS_REQUIRED, (struct span){NULL, 0});
	else
		notify_peer(host, now, association, NOTIFY_INVALID_CERTIFICATE,
			certificates_culprit(association->certificates, octets));
	initiation_end(host, association);
	state_machine_run(host, now, association, STATE_EVENT_LEAVE, HIPHOP_REFUSED);
}

void certificates_settle(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;
	host_certificate_state state = peer_certificates_state(association->certificates, true);

	if (!session || !session_on_probation(session) || session->state >= HOST_CLOSING)
		return;
	if (state == HOST_CERTIFICATE_PENDING && now < session->certificates->until)
		return;
	if (state == HOST_CERTIFICATE_PENDING) {
		peer_certificates_give_up(association->certificates, &host->certificate_space);
		state = peer_certificates_state(association->certificates, true);
	}
	if (ask_again(host, now, association, state) == HOST_ALLOWED)
		admit(host, now, association);
	else
		turn_away(host, now, association, state);
}

/* ---- progress ---- */

size_t certificates_count(const struct host *host)
{
	return host->configuration.certificates ? host->configuration.certificates->count : 0;
}

hiphop_error certificates_prepare(struct host *host, struct session *session, const struct peer_certificates *theirs,
	bool probation, size_t first, size_t sent)
{
	struct certificate_progress *progress;

	if (!probation && !certificates_count(host) && !(theirs && theirs->group))
		return HIPHOP_OK;
	progress = calloc(1, sizeof *progress);
	if (!progress)
		return HIPHOP_NO_MEMORY;
	progress->probation = probation;
	progress->first = (uint8_t)first;
	progress->sent = (uint8_t)sent;
	session->certificates = progress;
	return HIPHOP_OK;
}

void certificates_progress_free(struct session *session)
{
	if (!session->certificates)
		return;
	effect_discard(session->certificates->install);
	effect_discard(session->certificates->change);
	free(session->certificates);
	session->certificates = NULL;
}

bool session_on_probation(const struct session *session)
{
	return session->certificates && session->certificates->probation;
}

/* ---- our own ---- */

static hiphop_error build(struct host *host, const struct association *association, struct outgoing *out)
{
	struct certificate_progress *progress = association->session->certificates;
	const struct protection protection = session_protection(association->session);
	hiphop_error error;

	outgoing_start(host, out, HIP_PACKET_UPDATE, &association->peer);
	parameter_number_write(&out->builder, PARAMETER_SEQ, progress->update.id);
	progress->next = (uint8_t)own_certificates_write(
		host->configuration.certificates, &out->builder, progress->sent, outgoing_protection_room(host));
	error = outgoing_protect(host, out, &protection);
	return error ? error : outgoing_finish(out);
}

/* One UPDATE with as many as fit; the next when it is acknowledged. Over the overlay there is none: what is not in the
 * base exchange stays unsent. */
static void send_rest(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;
	struct certificate_progress *progress = session->certificates;
	struct retransmission *update = &progress->update;
	struct outgoing out;
	struct way way;

	if (progress->sent >= certificates_count(host) || !session->direct || session->state >= HOST_CLOSING ||
		update->tries >= UPDATE_TRIES) {
		update->tries = 0;
		return;
	}
	if (!update->tries++)
		update->id = session->own_update++;
	else
		count(host, HOST_COUNT_RETRANSMITTED);
	update->sent = now;
	if (way_of_session(host, association, &way) && !build(host, association, &out))
		mobility_send(host, now, association, &way, out.octets, out.length);
}

/* Without progress it would go on for ever. */
static void move_on(const struct host *host, struct certificate_progress *progress)
{
	progress->sent = progress->next > progress->sent ? progress->next : (uint8_t)certificates_count(host);
	progress->update.tries = 0;
}

bool certificates_wait_for(const struct session *session, const struct parameter_sequence_list *acks)
{
	const struct certificate_progress *progress = session->certificates;

	return progress && progress->update.tries && parameter_sequence_list_has(acks, progress->update.id);
}

void certificates_acknowledged(
	struct host *host, instant now, struct association *association, const struct parameter_sequence_list *acks)
{
	if (!certificates_wait_for(association->session, acks))
		return;
	move_on(host, association->session->certificates);
	send_rest(host, now, association);
	certificates_arm(host, association);
}

/* ---- time ---- */

static instant next_try(const struct certificate_progress *progress)
{
	const struct retransmission *update = &progress->update;

	return update->tries ? instant_after(update->sent, UPDATE_TIMEOUT << (update->tries - 1)) : INSTANT_NEVER;
}

void certificates_arm(struct host *host, struct association *association)
{
	const struct certificate_progress *progress = association->session->certificates;
	bool awaited = progress->probation || (association->certificates && association->certificates->group);
	instant at = instant_earlier(next_try(progress), awaited ? progress->until : INSTANT_NEVER);

	association_set_timer(host, association, TIMER_CERTIFICATES, at);
}

void certificates_begin(struct host *host, instant now, struct association *association)
{
	struct certificate_progress *progress = association->session->certificates;

	if (!progress)
		return;
	progress->until = instant_after(now, CERTIFICATE_GROUP_LIFE);
	send_rest(host, now, association);
	certificates_arm(host, association);
}

void certificates_timer(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;

	if (!session || !session->certificates || session->state >= HOST_CLOSING)
		return;
	if (now >= next_try(session->certificates))
		send_rest(host, now, association);
	if (now >= session->certificates->until) {
		certificates_settle(host, now, association);
		if (association->certificates)
			peer_certificates_give_up(association->certificates, &host->certificate_space);
	}
	if (association->session == session && session->state < HOST_CLOSING)
		certificates_arm(host, association);
}

/* ---- later packets ---- */

/* A group that begins later has its time as well. */
static void await_rest(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;

	if (!association->certificates || !association->certificates->group || session_on_probation(session))
		return;
	if (!session->certificates &&
		certificates_prepare(host, session, association->certificates, false, 0, certificates_count(host))) {
		peer_certificates_give_up(association->certificates, &host->certificate_space);
		return;
	}
	session->certificates->until = instant_after(now, CERTIFICATE_GROUP_LIFE);
	certificates_arm(host, association);
}

void certificates_came(struct host *host, const struct incoming *in, struct association *association)
{
	if (!packet_find(&in->view, PARAMETER_CERT) || association->session->state >= HOST_CLOSING)
		return;
	(void)certificates_take(host, in->now, &in->view, association->session->identity, &association->certificates);
	await_rest(host, in->now, association);
	certificates_settle(host, in->now, association);
}
