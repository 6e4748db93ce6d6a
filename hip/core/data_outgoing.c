/* SPDX-License-Identifier: MIT */
#include "hip/core/data_transport_state.h"
#include "hip/core/relay.h"

#include <stdlib.h>
#include <string.h>

/** A measured round-trip time does not stretch the first time-out beyond this. */
#define TIMEOUT_MAXIMUM SECONDS(3)
/** After a failed allocation, work is tried again this much later. */
#define MEMORY_RETRY MILLISECONDS(100)

void data_outgoing_free(struct data_outgoing *message)
{
	if (message == NULL)
		return;
	buffer_free(&message->packet);
	free(message);
}

struct data_outgoing *data_outgoing_find(const struct data_transport *transport, uint32_t sequence)
{
	return map_get(&transport->outgoing, &sequence);
}

static void forget(struct data_transport *transport, struct data_outgoing *message)
{
	deadline_cancel(&transport->deadlines, &message->timer);
	map_remove(&transport->outgoing, &message->sequence);
	if (message->answer)
		transport->answers--;
	data_outgoing_free(message);
}

/* ---- round-trip time (RFC 6298 section 2) ---------------------------------------------------------------------- */

static duration first_timeout(const struct data_transport *transport)
{
	duration measured = transport->smoothed_round_trip + 4 * transport->round_trip_variation;
	duration least = transport->settings.retransmit_after;

	if (measured < transport->backed_off)
		measured = transport->backed_off;
	if (measured > TIMEOUT_MAXIMUM)
		measured = TIMEOUT_MAXIMUM;
	return measured > least ? measured : least;
}

static void measure(struct data_transport *transport, duration round_trip)
{
	duration smoothed = transport->smoothed_round_trip;

	if (smoothed == 0) {
		transport->smoothed_round_trip = round_trip;
		transport->round_trip_variation = round_trip / 2;
		return;
	}
	duration difference = smoothed > round_trip ? smoothed - round_trip : round_trip - smoothed;
	transport->round_trip_variation = (3 * transport->round_trip_variation + difference) / 4;
	transport->smoothed_round_trip = (7 * smoothed + round_trip) / 8;
}

bool data_outgoing_acknowledged(struct data_transport *transport, instant now, uint32_t sequence, uint64_t transaction)
{
	struct data_outgoing *message = data_outgoing_find(transport, sequence);

	/* SEQ_DATA can be guessed, TRANSACTION_ID cannot: only who saw the message can acknowledge it. */
	if (message == NULL || message->transaction != transaction)
		return false;
	/* Karn: what was sent twice does not tell which copy was acknowledged, only that the time-out was short. */
	transport->backed_off = message->sent > 1 ? message->wait : 0;
	if (message->sent == 1 && now >= message->first_sent)
		measure(transport, now - message->first_sent);
	transport->counters[DATA_COUNT_ACKNOWLEDGED]++;
	forget(transport, message);
	return true;
}

/* ---- sending --------------------------------------------------------------------------------------------------- */

static bool is_identifier(const struct hit *hit)
{
	return hit_has_orchid_prefix(hit);
}

static hiphop_error check_arguments(
	const struct hit *destination, const struct data_route *route, const uint8_t *content, size_t length)
{
	if (!is_identifier(destination) || content == NULL || length == 0)
		return HIPHOP_INVALID_ARGUMENT;
	if (length > DATA_TRANSPORT_CONTENT_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	if (route != NULL && route->count > DATA_ROUTE_MAXIMUM)
		return HIPHOP_INVALID_ARGUMENT;
	for (size_t i = 0; route != NULL && i < route->count; i++)
		if (!is_identifier(&route->hits[i]))
			return HIPHOP_INVALID_ARGUMENT;
	return HIPHOP_OK;
}

static size_t answers_to(const struct data_transport *transport, const struct hit *requester)
{
	struct map_walk walk = map_walk_start(&transport->outgoing);
	const struct data_outgoing *message;
	size_t count = 0;

	while ((message = map_walk_next(&walk, NULL)) != NULL)
		if (message->answer && hit_equal(&message->destination, requester))
			count++;
	return count;
}

/** A requester who acknowledges nothing must not fill the table that our own requests need. */
static bool has_room(const struct data_transport *transport, bool answer, const struct hit *destination)
{
	size_t maximum = transport->settings.outstanding;

	if (transport->outgoing.count >= maximum)
		return false;
	if (!answer)
		return true;
	return transport->answers < (maximum + 1) / 2 &&
	       answers_to(transport, destination) < DATA_TRANSPORT_ANSWERS_EACH;
}

/** The way that a message takes from here: ROUTE_DST and the first hop. */
static void choose_way(const struct data_route *wished, const struct data_received *request, struct data_packet *fields,
	struct data_outgoing *message)
{
	if (wished != NULL && wished->count > 0)
		fields->route = *wished;
	else if (request != NULL)
		data_received_route(request, &fields->route);

	message->has_first_hop = fields->route.count > 0 || request != NULL;
	if (message->has_first_hop)
		message->first_hop = relay_first_hop(&fields->route, request != NULL ? &request->neighbour : NULL);
}

static void acknowledge_in(struct data_packet *fields, const struct data_received *request)
{
	if (request == NULL)
		return;
	fields->acknowledged.count = 1;
	fields->acknowledged.items[0] = request->sequence;
}

/** Adds the message to the table and its first transmission to the effects: all of it or nothing. */
static hiphop_error launch(struct data_transport *transport, instant now, struct data_outgoing *message)
{
	const struct span octets = {message->packet.data, message->packet.length};
	struct data_effect *effect = data_effect_send(
		&message->destination, message->has_first_hop ? &message->first_hop : NULL, octets, false);

	if (effect == NULL)
		return HIPHOP_NO_MEMORY;
	hiphop_error error = deadline_heap_reserve(
		&transport->deadlines, transport->outgoing.count + transport->received.by_message.count + 1);
	if (!error)
		error = map_put(&transport->outgoing, &message->sequence, message);
	if (error) {
		free(effect);
		return error;
	}
	message->sent = 1;
	message->first_sent = now;
	message->wait = first_timeout(transport);
	deadline_set(&transport->deadlines, &message->timer, instant_after(now, message->wait));
	data_effect_add(transport, effect);
	return HIPHOP_OK;
}

/** The answer carries the acknowledgement, so nothing is left to send for the request but the forgetting. */
static void note_answered(
	struct data_transport *transport, struct data_received *request, const struct data_outgoing *message)
{
	request->answered = true;
	request->answer_sequence = message->sequence;
	request->acknowledge_pending = false;
	deadline_set(&transport->deadlines, &request->timer, request->forget_at);
}

static hiphop_error make_message(const struct data_transport *transport, const struct data_received *request,
	const struct data_route *route, struct data_packet *fields, struct data_outgoing **message)
{
	struct data_outgoing *made = calloc(1, sizeof *made);

	if (made == NULL)
		return HIPHOP_NO_MEMORY;
	made->timer.kind = DATA_TIMER_OUTGOING;
	made->timer.owner = made;
	made->destination = fields->receiver;
	made->transaction = fields->transaction;
	made->sequence = fields->sequence;
	made->answer = request != NULL;
	choose_way(route, request, fields, made);
	acknowledge_in(fields, request);
	hiphop_error error = data_packet_build(fields, transport->settings.identity, &made->packet);
	if (error) {
		data_outgoing_free(made);
		return error;
	}
	*message = made;
	return HIPHOP_OK;
}

hiphop_error data_transport_send(struct data_transport *transport, instant now, const struct hit *destination,
	uint64_t transaction, const struct data_route *route, uint8_t ttl, const uint8_t *content, size_t length)
{
	struct data_outgoing *message = NULL;
	struct data_packet fields = {
		.has_sequence = true,
		.sequence = transport->next_sequence,
		.transaction = transaction,
		.overlay_id = transport->settings.overlay_id,
		.ttl = ttl != 0 ? ttl : transport->settings.ttl,
		.content = {content, length},
	};

	hiphop_error error = check_arguments(destination, route, content, length);
	if (error)
		return error;
	fields.receiver = *destination;
	struct data_received *request = data_received_find_request(&transport->received, destination, transaction);
	if (!has_room(transport, request != NULL, destination))
		return HIPHOP_LIMITED;
	error = make_message(transport, request, route, &fields, &message);
	if (error)
		return error;
	error = launch(transport, now, message);
	if (error) {
		data_outgoing_free(message);
		return error;
	}
	/* Only now: `content` may be that of the effect taken last. */
	data_transport_release_taken(transport);
	transport->next_sequence++;
	transport->counters[DATA_COUNT_SENT]++;
	if (request != NULL) {
		transport->answers++;
		note_answered(transport, request, message);
	}
	return HIPHOP_OK;
}

/* ---- again, and giving up -------------------------------------------------------------------------------------- */

static hiphop_error transmit_again(struct data_transport *transport, const struct data_outgoing *message)
{
	const struct span octets = {message->packet.data, message->packet.length};
	struct data_effect *effect = data_effect_send(
		&message->destination, message->has_first_hop ? &message->first_hop : NULL, octets, true);

	if (effect == NULL)
		return HIPHOP_NO_MEMORY;
	data_effect_add(transport, effect);
	transport->counters[DATA_COUNT_RETRANSMITTED]++;
	return HIPHOP_OK;
}

static hiphop_error give_up(struct data_transport *transport, struct data_outgoing *message)
{
	struct data_effect *effect = data_effect_make(DATA_TRANSPORT_FAILED, 0);

	if (effect == NULL)
		return HIPHOP_NO_MEMORY;
	effect->effect.destination = message->destination;
	effect->effect.transaction = message->transaction;
	effect->effect.answer = message->answer;
	effect->effect.error = message->told ? message->told : HIPHOP_TIMEOUT;
	data_effect_add(transport, effect);
	transport->counters[DATA_COUNT_FAILED]++;
	forget(transport, message);
	return HIPHOP_OK;
}

void data_outgoing_timeout(struct data_transport *transport, instant now, struct data_outgoing *message)
{
	bool last = message->sent >= transport->settings.tries;

	hiphop_error error = last ? give_up(transport, message) : transmit_again(transport, message);
	if (error) {
		deadline_set(&transport->deadlines, &message->timer, instant_after(now, MEMORY_RETRY));
		return;
	}
	if (last)
		return;
	message->sent++;
	message->wait *= 2;
	deadline_set(&transport->deadlines, &message->timer, instant_after(now, message->wait));
}

/** The same message by another way: ROUTE_DST is under the signature, so it is signed anew. */
static hiphop_error rebuild(
	struct data_transport *transport, struct data_outgoing *message, const struct data_route *route)
{
	struct packet_view packet;
	struct data_packet fields;
	struct buffer rebuilt = {0};

	hiphop_error error = packet_parse(message->packet.data, message->packet.length, &packet);
	if (!error)
		error = data_packet_read(&packet, &transport->self, &fields);
	if (error)
		return error;
	fields.route = *route;
	error = data_packet_build(&fields, transport->settings.identity, &rebuilt);
	if (error)
		return error;
	buffer_free(&message->packet);
	message->packet = rebuilt;
	return HIPHOP_OK;
}

static bool goes_along(const struct data_outgoing *message, const struct data_route *route)
{
	struct packet_view packet;
	struct parameter_route list = {0};

	if (packet_parse(message->packet.data, message->packet.length, &packet))
		return false;
	hiphop_error error = parameter_route_read(packet_find(&packet, PARAMETER_ROUTE_DST), &list);
	if (error && error != HIPHOP_NOT_FOUND)
		return false;
	if (list.count != route->count || (list.count > 0 && list.flags != route->flags))
		return false;
	return list.count == 0 || memcmp(list.hits, route->hits, list.count * sizeof list.hits[0]) == 0;
}

hiphop_error data_outgoing_answer_again(struct data_transport *transport, struct data_outgoing *message,
	const struct data_route *route, const struct hit *neighbour)
{
	if (!goes_along(message, route)) {
		hiphop_error error = rebuild(transport, message, route);
		if (error)
			return error;
	}
	message->has_first_hop = true;
	message->first_hop = relay_first_hop(route, neighbour);
	return transmit_again(transport, message);
}
