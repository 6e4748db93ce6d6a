/* SPDX-License-Identifier: MIT */
/*
 * The way over the overlay: what came out of a neighbour's ESP is taken, handed on or refused (relay.h decides), and
 * the DATA transport is driven.
 */
#include "hip/core/host_internal.h"

#include <string.h>

static const host_counter counter_of_cause[] = {
	[RELAY_CAUSE_NONE] = HOST_COUNT_DROP_ROUTE,
	[RELAY_CAUSE_NOT_FOR_US] = HOST_COUNT_DROP_NOT_FOR_US,
	[RELAY_CAUSE_OTHER_OVERLAY] = HOST_COUNT_DROP_OTHER_OVERLAY,
	[RELAY_CAUSE_TTL_EXCEEDED] = HOST_COUNT_DROP_TTL,
	[RELAY_CAUSE_TTL_MISSING] = HOST_COUNT_DROP_TTL,
	[RELAY_CAUSE_ROUTE_INVALID] = HOST_COUNT_DROP_ROUTE,
	[RELAY_CAUSE_VIA_FORGED] = HOST_COUNT_DROP_ROUTE,
	[RELAY_CAUSE_LOOP] = HOST_COUNT_DROP_ROUTE,
	[RELAY_CAUSE_VIA_FULL] = HOST_COUNT_DROP_ROUTE,
	[RELAY_CAUSE_NEXT_HOP_UNKNOWN] = HOST_COUNT_DROP_NO_ROUTE,
};

/* ---- relaying ---- */

static void forward(struct host *host, const struct incoming *in, const struct hit *next)
{
	struct way way;
	size_t length;

	if (!relay_may_forward(host->relay_rates, &in->arrival->neighbour, in->now)) {
		count(host, HOST_COUNT_DROP_FORWARD_RATE);
		return;
	}
	if (!way_to_neighbour(host, next, &way)) {
		count(host, HOST_COUNT_DROP_NO_ROUTE);
		return;
	}
	if (relay_forward(in->octets, in->length, &host->self, next, host->work, sizeof host->work, &length)) {
		count(host, HOST_COUNT_DROP_ROUTE);
		return;
	}
	if (!outgoing_send(host, &way, host->work, length))
		count(host, HOST_COUNT_FORWARDED);
}

static void refuse(struct host *host, const struct incoming *in, uint16_t notification)
{
	struct data_route route;
	struct way way;
	struct hit first;
	size_t length;

	if (!relay_may_notify(host->relay_rates, &in->arrival->neighbour, in->now)) {
		count(host, HOST_COUNT_DROP_NOTIFY_RATE);
		return;
	}
	relay_route_back(&in->view, &host->self, &route);
	first = relay_first_hop(&route, &in->arrival->neighbour);
	if (!way_to_neighbour(host, &first, &way) || relay_notification(&in->view, notification, host->identity,
							     &host->place, host->work, sizeof host->work, &length))
		return;
	if (!outgoing_send(host, &way, host->work, length))
		notify_note_sent(host, &in->view.sender, notification, (struct span){NULL, 0});
}

/* Inside ESP and addressed by the overlay. */
static bool is_for_us(struct host *host, struct incoming *in)
{
	struct relay_decision decision;

	relay_decide(&in->view, &host->place, &in->arrival->neighbour, &decision);
	switch (decision.verdict) {
	case RELAY_DELIVER:
		in->overlay = true;
		return true;
	case RELAY_FORWARD:
		forward(host, in, &decision.next);
		return false;
	case RELAY_NOTIFY:
		refuse(host, in, decision.notification);
		break;
	default:
		break;
	}
	count(host, counter_of_cause[decision.cause]);
	return false;
}

bool overlay_path_accepts(struct host *host, struct incoming *in)
{
	bool addressed = packet_find(&in->view, PARAMETER_OVERLAY_ID) != NULL;
	const struct association *neighbour;

	in->overlay = false;
	if (!in->arrival->inside_esp) {
		if (!addressed && in->view.type != HIP_PACKET_DATA)
			return true;
		count(host, HOST_COUNT_DROP_NOT_SEALED);
		return false;
	}
	neighbour = association_find(host, &in->arrival->neighbour);
	if (!neighbour || !neighbour->session || !neighbour->session->carries_hip) {
		count(host, HOST_COUNT_DROP_TRANSPORT_MODE);
		return false;
	}
	if (addressed)
		return is_for_us(host, in);
	/* Without OVERLAY_ID a neighbour speaks for itself alone. */
	if (hit_equal(&in->view.sender, &in->arrival->neighbour) && in->view.type != HIP_PACKET_DATA)
		return true;
	count(host, HOST_COUNT_DROP_NOT_FOR_US);
	return false;
}

/* ---- DATA ---- */

void data_input(struct host *host, struct incoming *in)
{
	hiphop_error error;

	if (!in->overlay || !host->transport) {
		count(host, HOST_COUNT_DROP_NOT_SEALED);
		return;
	}
	if (!hit_suite_is_accepted(host, &in->view.sender)) {
		count(host, HOST_COUNT_DROP_UNSUPPORTED);
		return;
	}
	error = data_transport_input(host->transport, in->now, &in->view, &in->arrival->neighbour);
	if (error && error != HIPHOP_EXISTS)
		count(host, HOST_COUNT_DROP_DATA);
}

/* A neighbour needs no route; all others are reached by the topology. */
static bool way_of_data(struct host *host, const struct data_transport_effect *send, struct way *way)
{
	if (send->has_first_hop)
		return way_to_neighbour(host, &send->first_hop, way);
	return way_to_neighbour(host, &send->destination, way) || way_over_overlay(host, &send->destination, NULL, way);
}

static void send_data(struct host *host, const struct data_transport_effect *send)
{
	struct way way;

	if (!way_of_data(host, send, &way)) {
		count(host, HOST_COUNT_DROP_NO_ROUTE);
		return;
	}
	if (send->retransmission)
		count(host, HOST_COUNT_RETRANSMITTED);
	outgoing_send(host, &way, send->octets, send->length);
}

static void deliver_data(struct host *host, const struct data_transport_effect *delivered)
{
	struct queued_effect *made = effect_make(HOST_DATA, delivered->content_length + delivered->identity_length);

	if (!made) {
		count(host, HOST_COUNT_DROP_NO_MEMORY);
		return;
	}
	memcpy(made->octets, delivered->content, delivered->content_length);
	memcpy(made->octets + delivered->content_length, delivered->identity, delivered->identity_length);
	made->effect.peer = delivered->sender;
	*made->data = (struct host_data){.sender = delivered->sender,
		.receiver = delivered->receiver,
		.neighbour = delivered->previous_hop,
		.transaction = delivered->transaction,
		.hops = delivered->hops,
		.ttl = delivered->ttl,
		.route = delivered->route,
		.content = made->octets,
		.length = delivered->content_length,
		.identity = made->octets + delivered->content_length,
		.identity_length = delivered->identity_length,
		.algorithm = delivered->algorithm};
	effects_add(&host->effects, made);
}

static void fail_data(struct host *host, const struct data_transport_effect *failed)
{
	struct queued_effect *made = effect_make(HOST_DATA_FAILED, 0);

	if (!made) {
		count(host, HOST_COUNT_DROP_NO_MEMORY);
		return;
	}
	made->effect.peer = failed->destination;
	made->effect.error = failed->error;
	made->data->receiver = failed->destination;
	made->data->transaction = failed->transaction;
	effects_add(&host->effects, made);
}

void overlay_path_pump(struct host *host)
{
	struct data_transport_effect effect;

	while (host->transport && data_transport_next_effect(host->transport, &effect)) {
		switch (effect.kind) {
		case DATA_TRANSPORT_SEND:
			send_data(host, &effect);
			break;
		case DATA_TRANSPORT_DELIVER:
			deliver_data(host, &effect);
			break;
		case DATA_TRANSPORT_FAILED:
			fail_data(host, &effect);
			break;
		}
	}
}

static bool is_reachable(struct host *host, const struct hit *destination, const struct data_route *route)
{
	struct way way;

	if (route && route->count)
		return way_to_neighbour(host, &route->hits[0], &way);
	return way_to_neighbour(host, destination, &way) || way_over_overlay(host, destination, NULL, &way);
}

hiphop_error host_send_data(struct host *host, instant now, const struct hit *destination, uint64_t transaction,
	const struct data_route *route, uint8_t ttl, const uint8_t *content, size_t length)
{
	hiphop_error error;

	effects_release_taken(&host->effects);
	if (!host->transport)
		return HIPHOP_INVALID_ARGUMENT;
	if (!is_reachable(host, destination, route))
		return HIPHOP_NOT_FOUND;
	error = data_transport_send(host->transport, now, destination, transaction, route, ttl, content, length);
	overlay_path_pump(host);
	return error;
}

hiphop_error host_answer_data(struct host *host, instant now, const struct hit *requester, uint64_t transaction,
	const struct data_route *route, const uint8_t *content, size_t length)
{
	hiphop_error error;

	effects_release_taken(&host->effects);
	if (!host->transport)
		return HIPHOP_INVALID_ARGUMENT;
	error = data_transport_send(host->transport, now, requester, transaction, route, 0, content, length);
	overlay_path_pump(host);
	return error;
}
