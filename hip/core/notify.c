/* SPDX-License-Identifier: MIT */
/*
 * NOTIFY (RFC 7401 sections 5.2.19, 5.3.6 and 6.13). What arrives changes no state; at most it makes this host ask the
 * peer whether it is there.
 */
#include "hip/core/state_actions.h"

#include <string.h>

struct notice {
	uint16_t type;
	struct span data;
	bool with_host_id;
};

/* `route` is NULL for a packet that does not go over the overlay. */
static hiphop_error build_notify(struct host *host, const struct hit *receiver, const struct notice *notice,
	const struct data_route *route, struct outgoing *out)
{
	const struct protection protection = {.signature_type = PARAMETER_HIP_SIGNATURE};
	const struct parameter_notification notification = {.type = notice->type, .data = notice->data};
	const struct parameter_host_id host_id = {.algorithm = host_identity_algorithm(host->identity),
		.host_identity = host_identity_octets(host->identity)};
	hiphop_error error;

	outgoing_start(host, out, HIP_PACKET_NOTIFY, receiver);
	if (notice->with_host_id)
		parameter_host_id_write(&out->builder, &host_id);
	parameter_notification_write(&out->builder, &notification);
	if (route)
		outgoing_overlay_covered(host, out, route);
	error = outgoing_protect(host, out, &protection);
	if (error)
		return error;
	if (route)
		outgoing_overlay_uncovered(host, out, false);
	return outgoing_finish(out);
}

/* By whom it says it is, by where it comes from, and in all. */
static bool may_notify(struct host *host, const struct hit *receiver, const struct endpoint *remote, instant now)
{
	const struct address *to = &remote->address;

	if (rate_table_take(host->notify_rates, receiver, now) &&
		(address_is_unspecified(to) ||
			hashed_rates_take(&host->notify_prefixes, to->octets, address_prefix_length(to), now, 1)) &&
		token_bucket_take(&host->notify_rate, now))
		return true;
	count(host, HOST_COUNT_DROP_NOTIFY_RATE);
	return false;
}

static void tell(struct host *host, const struct hit *peer, uint16_t notification, struct span data, bool outgoing)
{
	struct queued_effect *told = effect_make(HOST_NOTIFIED, data.length);

	if (!told)
		return;
	told->effect.peer = *peer;
	told->effect.notification = notification;
	told->effect.outgoing = outgoing;
	if (data.length)
		memcpy(told->octets, data.data, data.length);
	told->effect.octets = told->octets;
	told->effect.length = data.length;
	effects_add(&host->effects, told);
}

void notify_note_sent(struct host *host, const struct hit *peer, uint16_t notification, struct span data)
{
	host->notified[notification_index(notification)]++;
	tell(host, peer, notification, data, true);
}

void notify_sender(
	struct host *host, const struct incoming *in, uint16_t notification, struct span data, notification_proof shown)
{
	const struct notification_rule *rule = notification_rule_of(notification);
	const struct notice notice = {.type = notification, .data = data, .with_host_id = true};
	struct data_route route;
	struct outgoing out;
	struct way way;

	if (!rule || !notification_is_allowed(rule, in->view.type, shown) || !notification_data_fits(rule, data.length))
		return;
	if (!may_notify(host, &in->view.sender, &in->arrival->remote, in->now))
		return;
	if (!way_back(host, in, &route, &way) ||
		build_notify(host, &in->view.sender, &notice, in->overlay ? &route : NULL, &out))
		return;
	if (!outgoing_send(host, &way, out.octets, out.length))
		notify_note_sent(host, &in->view.sender, notification, data);
}

void notify_peer(
	struct host *host, instant now, const struct association *association, uint16_t notification, struct span data)
{
	const struct notice notice = {.type = notification, .data = data, .with_host_id = true};
	struct outgoing out;
	struct way way;

	if (!way_of_session(host, association, &way) || way.overlay ||
		!may_notify(host, &association->peer, &way.remote, now) ||
		build_notify(host, &association->peer, &notice, NULL, &out))
		return;
	if (!mobility_send(host, now, association, &way, out.octets, out.length))
		notify_note_sent(host, &association->peer, notification, data);
}

void notify_keepalive(struct host *host, instant now, struct association *association)
{
	const struct notice notice = {.type = NOTIFY_NAT_KEEPALIVE};
	struct session *session = association->session;
	struct outgoing out;
	struct way way;

	session->control_sent = now;
	if (way_of_session(host, association, &way) && !build_notify(host, &association->peer, &notice, NULL, &out) &&
		!mobility_send(host, now, association, &way, out.octets, out.length))
		host->notified[notification_index(NOTIFY_NAT_KEEPALIVE)]++;
}

void host_unknown_spi(
	struct host *host, instant now, const struct endpoint *local, const struct endpoint *remote, uint32_t spi)
{
	const uint8_t octets[4] = {(uint8_t)(spi >> 24), (uint8_t)(spi >> 16), (uint8_t)(spi >> 8), (uint8_t)spi};
	const struct notice notice = {
		.type = NOTIFY_INVALID_SPI, .data = {octets, sizeof octets}, .with_host_id = true};
	const struct way way = {.local = *local, .remote = *remote};
	struct outgoing out;
	struct hit peer;

	effects_release_taken(&host->effects);
	/* Of an exchange under way: this packet has overtaken its R2. */
	if (map_get(&host->by_spi, &spi))
		return;
	if (!locators_peer_at(&host->locators, &remote->address, &peer) || !may_notify(host, &peer, remote, now))
		return;
	if (!build_notify(host, &peer, &notice, NULL, &out) && !outgoing_send(host, &way, out.octets, out.length))
		notify_note_sent(host, &peer, notice.type, notice.data);
}

/* ---- receiving ---- */

static const struct host_identity *identity_of(const struct association *association)
{
	if (association->initiation && association->initiation->acceptance)
		return association->initiation->acceptance->identity;
	return association->session ? association->session->identity : NULL;
}

/* The peer says it does not know our SA: see at once whether it is still the peer that we know. */
static void take_invalid_spi(struct host *host, instant now, struct association *association, struct span data)
{
	struct session *session = association->session;
	struct reader reader = reader_over(data.data, data.length);

	if (!association_is_usable(association) || session->silent_since || association->initiation)
		return;
	if (reader_u32(&reader) != session->spi_out || reader_status(&reader))
		return;
	if (!session->proven) {
		/* New keys that only this host believes in: an UPDATE would be answered all the same. */
		initiator_begin(host, now, association);
		return;
	}
	session->silent_since = now;
	update_probe(host, now, association);
}

static void log_notification(const struct host *host, const struct association *association, uint16_t type)
{
	/* A peer that was restarted says so; the rest means that something does not fit. */
	log_level level =
		type == NOTIFY_INVALID_SPI || type >= NOTIFY_I2_ACKNOWLEDGEMENT ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
	char text[HIT_TEXT_SIZE];

	log_write(host->log, level, "%s says %s (NOTIFY %u)", association_peer_text(association, text),
		hip_notify_type_name(type), type);
}

/* It is the same packet each time, so it only counts where nothing else is expected to be heard. */
static void take_keepalive(struct host *host, const struct incoming *in, struct association *association)
{
	struct session *session = association->session;

	if (!session || !session->has_sas) {
		count(host, HOST_COUNT_DROP_NO_ASSOCIATION);
		return;
	}
	if (in->arrival->inside_esp || !endpoint_equal(&in->arrival->remote, &session->remote))
		return;
	if (!token_bucket_take(&session->keepalives, in->now)) {
		count(host, HOST_COUNT_DROP_NOTIFY_RATE);
		return;
	}
	if (verify_signature(host, in, session->identity, PARAMETER_HIP_SIGNATURE))
		return;
	session->keepalive_heard = in->now;
	host->heard_of[notification_index(NOTIFY_NAT_KEEPALIVE)]++;
}

/* Why a base exchange was in vain, if it was. */
static hiphop_error what_it_means(uint16_t error_type)
{
	switch (error_type) {
	case NOTIFY_NO_DH_PROPOSAL_CHOSEN:
	case NOTIFY_INVALID_DH_CHOSEN:
	case NOTIFY_NO_HIP_PROPOSAL_CHOSEN:
	case NOTIFY_INVALID_HIP_CIPHER_CHOSEN:
	case NOTIFY_NO_ESP_PROPOSAL_CHOSEN:
	case NOTIFY_INVALID_ESP_TRANSFORM_CHOSEN:
	case NOTIFY_UNSUPPORTED_HIT_SUITE:
	case NOTIFY_NO_VALID_HIP_TRANSPORT_MODE:
		return HIPHOP_NO_PROPOSAL;
	case NOTIFY_BLOCKED_BY_POLICY:
	case NOTIFY_CREDENTIALS_REQUIRED:
	case NOTIFY_INVALID_CERTIFICATE:
		return HIPHOP_REFUSED;
	default:
		return HIPHOP_OK;
	}
}

/* It changes no state (RFC 7401 section 6.13), only what comes next in I2-SENT: when, and why it was in vain. An old
 * one may be repeated by anybody, so each counts once. */
static void take_answer_to_i2(struct host *host, instant now, struct association *association, uint16_t type)
{
	struct initiation *initiation = association->initiation;

	if (!initiation || !initiation->acceptance)
		return;
	if (type < NOTIFY_I2_ACKNOWLEDGEMENT && type != NOTIFY_RESPONDER_BUSY_PLEASE_RETRY)
		initiation->trouble = what_it_means(type);
	if (initiation->solving || initiation->busy || initiation->queued)
		return;
	if (type == NOTIFY_RESPONDER_BUSY_PLEASE_RETRY) {
		initiation->busy = true;
		association_set_timer(host, association, TIMER_EXCHANGE, instant_after(now, BUSY_RETRY));
	} else if (type == NOTIFY_I2_ACKNOWLEDGEMENT) {
		initiation->queued = true;
		association_set_timer(host, association, TIMER_EXCHANGE, instant_after(now, QUEUED_PATIENCE));
	}
}

void notify_overlay_input(struct host *host, struct incoming *in)
{
	struct parameter_notification notification;

	if (host->transport)
		data_transport_notified(host->transport, in->now, &in->view, &in->arrival->neighbour);
	if (parameter_notification_read(packet_find(&in->view, PARAMETER_NOTIFICATION), &notification))
		count(host, HOST_COUNT_DROP_MALFORMED);
}

/* A packet may have several (RFC 7401 section 5.2.19). It is verified. */
static void take_all(struct host *host, struct incoming *in, struct association *association)
{
	struct parameter_notification notification;

	for (size_t nth = 0; nth < NOTIFY_PARAMETERS_READ; nth++) {
		if (parameter_notification_read(packet_find_nth(&in->view, PARAMETER_NOTIFICATION, nth), &notification))
			return;
		host->heard_of[notification_index(notification.type)]++;
		tell(host, &association->peer, notification.type, notification.data, false);
		log_notification(host, association, notification.type);
		take_answer_to_i2(host, in->now, association, notification.type);
		if (notification.type == NOTIFY_INVALID_SPI)
			take_invalid_spi(host, in->now, association, notification.data);
	}
}

void notify_input(struct host *host, struct incoming *in)
{
	struct association *association = association_find(host, &in->view.sender);
	const struct host_identity *identity = identity_of(association);
	struct parameter_notification notification;

	if (parameter_notification_read(packet_find(&in->view, PARAMETER_NOTIFICATION), &notification)) {
		count(host, HOST_COUNT_DROP_MALFORMED);
		return;
	}
	if (notification.type == NOTIFY_NAT_KEEPALIVE) {
		take_keepalive(host, in, association);
		return;
	}
	if (!identity) {
		count(host, HOST_COUNT_DROP_NO_ASSOCIATION);
		return;
	}
	if (!token_bucket_take(&host->unmatched_rate, in->now)) {
		count(host, HOST_COUNT_DROP_NOTIFY_RATE);
		return;
	}
	if (verify_signature(host, in, identity, PARAMETER_HIP_SIGNATURE))
		return;
	take_all(host, in, association);
	if (association->session && association->session->identity == identity)
		certificates_came(host, in, association);
}

bool host_notify_count_at(const struct host *host, size_t index, struct host_notify_count *counted)
{
	if (index > NOTIFICATION_RULES)
		return false;
	*counted = (struct host_notify_count){
		.name = "unknown", .sent = host->notified[index], .received = host->heard_of[index]};
	if (index < NOTIFICATION_RULES)
		counted->name = hip_notify_type_name(notification_rule_at(index)->type);
	return true;
}
