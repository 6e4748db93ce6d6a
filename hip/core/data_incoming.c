/* SPDX-License-Identifier: MIT */
#include "hip/core/data_transport_state.h"
#include "hip/core/packet_signature.h"
#include "hip/core/relay.h"

#include <stdlib.h>
#include <string.h>

/* ---- who sent it ----------------------------------------------------------------------------------------------- */

/** Tells a sender that its signature does not fit; at a limited rate, since anybody can write anybody's HIT. */
static void notify_authentication_failed(
	struct data_transport *transport, instant now, const struct packet_view *packet, const struct hit *neighbour)
{
	const struct relay_place place = {
		.self = transport->self, .overlay = true, .overlay_id = transport->settings.overlay_id};
	uint8_t octets[RELAY_NOTIFICATION_MAXIMUM];
	struct data_route back;
	size_t length;

	if (packet->type == HIP_PACKET_NOTIFY || !rate_table_take(transport->notifications, neighbour, now))
		return;
	if (relay_notification(packet, NOTIFY_AUTHENTICATION_FAILED, transport->settings.identity, &place, octets,
		    sizeof octets, &length))
		return;
	relay_route_back(packet, &transport->self, &back);
	const struct hit first_hop = relay_first_hop(&back, neighbour);
	struct data_effect *effect =
		data_effect_send(&packet->sender, &first_hop, (struct span){octets, length}, false);
	if (effect == NULL)
		return;
	data_effect_add(transport, effect);
	transport->counters[DATA_COUNT_NOTIFY_SENT]++;
}

static hiphop_error verify(const struct packet_view *packet, bool with_payload, const struct claimed_sender *claimed)
{
	hiphop_error error = with_payload ? data_packet_verify_mic(packet) : HIPHOP_OK;

	return error ? error : packet_verify_signature(packet, claimed->identity);
}

/** Rate of the neighbour, HOST_ID, PAYLOAD_MIC, signature, rate of the sender: the cheap before the dear, and nothing
 *  charged to a sender before it is proved that it was the sender. */
static hiphop_error authenticate(struct data_transport *transport, instant now, const struct packet_view *packet,
	bool with_payload, const struct hit *neighbour, const struct host_identity **identity)
{
	struct claimed_sender claimed;

	if (!rate_table_take(transport->per_neighbour, neighbour, now))
		return HIPHOP_LIMITED;
	hiphop_error error = known_senders_claim(&transport->senders, packet, &claimed);
	if (error)
		return error;
	error = verify(packet, with_payload, &claimed);
	if (error) {
		known_senders_dismiss(&claimed);
		return error;
	}
	if (known_senders_remember(&transport->senders, &claimed))
		return HIPHOP_NO_MEMORY;
	*identity = claimed.identity;
	return rate_table_take(transport->per_sender, &packet->sender, now) ? HIPHOP_OK : HIPHOP_LIMITED;
}

/* ---- acknowledging --------------------------------------------------------------------------------------------- */

/** A packet with ACK_DATA and no SEQ_DATA, the way the message came. */
static hiphop_error acknowledge_alone(struct data_transport *transport, const struct data_received *entry)
{
	struct data_packet fields = {
		.receiver = entry->sender,
		.acknowledged = {.count = 1, .items = {entry->sequence}},
		.transaction = entry->transaction,
		.overlay_id = transport->settings.overlay_id,
		.ttl = transport->settings.ttl,
	};
	struct buffer packet = {0};

	data_received_route(entry, &fields.route);
	hiphop_error error = data_packet_build(&fields, transport->settings.identity, &packet);
	if (error)
		return error;
	const struct hit first_hop = relay_first_hop(&fields.route, &entry->neighbour);
	struct data_effect *effect =
		data_effect_send(&entry->sender, &first_hop, (struct span){packet.data, packet.length}, false);
	buffer_free(&packet);
	if (effect == NULL)
		return HIPHOP_NO_MEMORY;
	data_effect_add(transport, effect);
	transport->counters[DATA_COUNT_BARE_ACK_SENT]++;
	return HIPHOP_OK;
}

static void forget(struct data_transport *transport, struct data_received *entry)
{
	deadline_cancel(&transport->deadlines, &entry->timer);
	data_received_remove(&transport->received, entry);
}

void data_received_timeout(struct data_transport *transport, instant now, struct data_received *entry)
{
	if (!entry->acknowledge_pending) {
		forget(transport, entry);
		return;
	}
	if (acknowledge_alone(transport, entry)) {
		deadline_set(&transport->deadlines, &entry->timer,
			instant_after(now, transport->settings.acknowledge_delay));
		return;
	}
	entry->acknowledge_pending = false;
	deadline_set(&transport->deadlines, &entry->timer, entry->forget_at);
}

static void make_room(struct data_transport *transport, const struct hit *sender)
{
	struct data_received *entry = data_received_to_replace(&transport->received, sender);

	if (entry == NULL)
		return;
	/* Its sender would else send it again, and we would deliver it again. */
	if (entry->acknowledge_pending)
		acknowledge_alone(transport, entry);
	forget(transport, entry);
}

/* ---- messages -------------------------------------------------------------------------------------------------- */

static struct data_effect *make_delivery(
	const struct data_packet *fields, const struct host_identity *identity, const struct hit *neighbour)
{
	const struct span known = host_identity_octets(identity);
	struct data_effect *made = data_effect_make(DATA_TRANSPORT_DELIVER, fields->content.length + known.length);

	if (made == NULL)
		return NULL;
	memcpy(made->octets, fields->content.data, fields->content.length);
	memcpy(made->octets + fields->content.length, known.data, known.length);
	struct data_transport_effect *effect = &made->effect;
	effect->sender = fields->sender;
	effect->receiver = fields->receiver;
	effect->previous_hop = *neighbour;
	effect->transaction = fields->transaction;
	effect->hops = (uint8_t)(fields->route.count + 1);
	effect->ttl = (uint8_t)(fields->ttl <= UINT8_MAX ? fields->ttl : UINT8_MAX);
	effect->answer = fields->acknowledged.count > 0;
	effect->route = fields->route;
	effect->content = made->octets;
	effect->content_length = fields->content.length;
	effect->identity = made->octets + fields->content.length;
	effect->identity_length = known.length;
	effect->algorithm = host_identity_algorithm(identity);
	return made;
}

/** Remembers a new message and hands it up: both or neither. */
static hiphop_error take_message(struct data_transport *transport, instant now, const struct data_packet *fields,
	const struct host_identity *identity, const struct hit *neighbour)
{
	struct data_received *entry;
	struct data_effect *delivery = make_delivery(fields, identity, neighbour);

	if (delivery == NULL)
		return HIPHOP_NO_MEMORY;
	make_room(transport, &fields->sender);
	hiphop_error error = deadline_heap_reserve(
		&transport->deadlines, transport->outgoing.count + transport->received.by_message.count + 1);
	if (!error)
		error = data_received_add(&transport->received, fields, neighbour, &entry);
	if (error) {
		free(delivery);
		return error;
	}
	entry->timer.kind = DATA_TIMER_RECEIVED;
	entry->timer.owner = entry;
	entry->forget_at = instant_after(now, transport->settings.remember_for);
	/* Nothing follows an answer that its acknowledgement could ride on. */
	entry->acknowledge_pending = !entry->answer || acknowledge_alone(transport, entry) != HIPHOP_OK;
	deadline_set(&transport->deadlines, &entry->timer,
		entry->acknowledge_pending ? instant_after(now, transport->settings.acknowledge_delay)
					   : entry->forget_at);
	data_effect_add(transport, delivery);
	transport->counters[DATA_COUNT_RECEIVED]++;
	return HIPHOP_OK;
}

/** A message seen before: the same answer or acknowledgement again, by the way this copy came. */
static hiphop_error repeat(struct data_transport *transport, struct data_received *entry,
	const struct data_packet *fields, const struct hit *neighbour)
{
	transport->counters[DATA_COUNT_DUPLICATE]++;
	hiphop_error error = data_received_set_route(entry, &fields->route, neighbour);
	if (error)
		return error;
	struct data_outgoing *answer = entry->answered ? data_outgoing_find(transport, entry->answer_sequence) : NULL;
	if (answer != NULL)
		error = data_outgoing_answer_again(transport, answer, &fields->route, neighbour);
	else if (!entry->acknowledge_pending)
		error = acknowledge_alone(transport, entry);
	return error ? error : HIPHOP_EXISTS;
}

static hiphop_error handle(struct data_transport *transport, instant now, const struct data_packet *fields,
	const struct host_identity *identity, const struct hit *neighbour)
{
	size_t matched = 0;

	for (size_t i = 0; i < fields->acknowledged.count; i++)
		matched +=
			data_outgoing_acknowledged(transport, now, fields->acknowledged.items[i], fields->transaction);
	if (!fields->has_sequence)
		return matched > 0 ? HIPHOP_OK : HIPHOP_NOT_FOUND;

	struct data_received *known = data_received_find(&transport->received, fields);
	if (known != NULL)
		return repeat(transport, known, fields, neighbour);
	return take_message(transport, now, fields, identity, neighbour);
}

/* ---- the entrances --------------------------------------------------------------------------------------------- */

static void count_drop(struct data_transport *transport, hiphop_error error)
{
	switch (error) {
	case HIPHOP_OK:
	case HIPHOP_EXISTS:
		return;
	case HIPHOP_REFUSED:
		transport->counters[DATA_COUNT_DROP_OTHER_OVERLAY]++;
		return;
	case HIPHOP_LIMITED:
		transport->counters[DATA_COUNT_DROP_RATE]++;
		return;
	case HIPHOP_BAD_IDENTITY:
		transport->counters[DATA_COUNT_DROP_IDENTITY]++;
		return;
	case HIPHOP_BAD_MAC:
		transport->counters[DATA_COUNT_DROP_MIC]++;
		return;
	case HIPHOP_BAD_SIGNATURE:
		transport->counters[DATA_COUNT_DROP_SIGNATURE]++;
		return;
	case HIPHOP_NOT_FOUND:
		transport->counters[DATA_COUNT_DROP_STRAY_ACK]++;
		return;
	case HIPHOP_NO_MEMORY:
		transport->counters[DATA_COUNT_DROP_NO_MEMORY]++;
		return;
	default:
		transport->counters[DATA_COUNT_DROP_MALFORMED]++;
	}
}

static hiphop_error finish(struct data_transport *transport, instant now, const struct packet_view *packet,
	const struct hit *neighbour, hiphop_error error)
{
	char sender[HIT_TEXT_SIZE];

	count_drop(transport, error);
	if (error == HIPHOP_BAD_IDENTITY || error == HIPHOP_BAD_SIGNATURE)
		notify_authentication_failed(transport, now, packet, neighbour);
	/* Repetitions, and acknowledgements that come twice, are routine. */
	if (error && error != HIPHOP_EXISTS && error != HIPHOP_NOT_FOUND)
		log_write(transport->settings.log, LOG_LEVEL_DEBUG, "%s from %s dropped: %s",
			hip_packet_type_name(packet->type), hit_format(&packet->sender, sender),
			hiphop_error_text(error));
	return error;
}

hiphop_error data_transport_input(
	struct data_transport *transport, instant now, const struct packet_view *packet, const struct hit *neighbour)
{
	const struct host_identity *identity = NULL;
	struct data_packet fields;

	data_transport_release_taken(transport);
	hiphop_error error = data_packet_read(packet, &transport->self, &fields);
	if (!error && fields.overlay_id != transport->settings.overlay_id)
		error = HIPHOP_REFUSED;
	if (!error)
		error = authenticate(transport, now, packet, fields.has_sequence, neighbour, &identity);
	if (!error)
		error = handle(transport, now, &fields, identity, neighbour);
	return finish(transport, now, packet, neighbour, error);
}

/* ---- NOTIFY ---------------------------------------------------------------------------------------------------- */

/** What a NOTIFY says about a message of ours; HIPHOP_OK when it says nothing. */
static hiphop_error meaning_of(uint16_t notification)
{
	switch (notification) {
	case NOTIFY_OVERLAY_TTL_EXCEEDED:
	case NOTIFY_UNKNOWN_NEXT_HOP:
		return HIPHOP_NOT_FOUND;
	case NOTIFY_AUTHENTICATION_FAILED:
		return HIPHOP_REFUSED;
	default:
		return HIPHOP_OK;
	}
}

/** Reads from Notification Data whose packet it was: header, then TRANSACTION_ID. HIPHOP_NOT_FOUND when it had none: it
 *  was no DATA. */
static hiphop_error read_rejected(struct span data, struct hit *sender, struct hit *receiver, uint64_t *transaction)
{
	struct reader reader = reader_over(data.data, data.length);
	struct parameter_list parameters;
	struct span identifier;

	reader_skip(&reader, HIP_HEADER_LENGTH - 2 * HIT_LENGTH);
	reader_copy(&reader, sender->octets, HIT_LENGTH);
	reader_copy(&reader, receiver->octets, HIT_LENGTH);
	if (reader_status(&reader) ||
		parameters_parse(data.data + HIP_HEADER_LENGTH, data.length - HIP_HEADER_LENGTH, &parameters))
		return HIPHOP_MALFORMED;
	if (!parameters_find(&parameters, PARAMETER_TRANSACTION_ID))
		return HIPHOP_NOT_FOUND;
	if (parameter_opaque_read(parameters_find(&parameters, PARAMETER_TRANSACTION_ID), &identifier) ||
		identifier.length != 8)
		return HIPHOP_MALFORMED;
	reader = reader_over(identifier.data, identifier.length);
	*transaction = reader_u64(&reader);
	return HIPHOP_OK;
}

static hiphop_error apply_notification(struct data_transport *transport, const struct packet_view *packet)
{
	struct parameter_notification notification;
	struct data_outgoing *message;
	struct hit sender, receiver;
	uint64_t transaction;

	if (parameter_notification_read(packet_find(packet, PARAMETER_NOTIFICATION), &notification))
		return HIPHOP_MALFORMED;
	hiphop_error error = read_rejected(notification.data, &sender, &receiver, &transaction);
	if (error)
		return error == HIPHOP_NOT_FOUND ? HIPHOP_OK : error;
	if (!hit_equal(&sender, &transport->self))
		return HIPHOP_MALFORMED;
	struct map_walk walk = map_walk_start(&transport->outgoing);
	while ((message = map_walk_next(&walk, NULL)) != NULL)
		if (message->transaction == transaction && hit_equal(&message->destination, &receiver))
			message->told = meaning_of(notification.type);
	return HIPHOP_OK;
}

hiphop_error data_transport_notified(
	struct data_transport *transport, instant now, const struct packet_view *packet, const struct hit *neighbour)
{
	const struct host_identity *identity = NULL;

	data_transport_release_taken(transport);
	if (packet->type != HIP_PACKET_NOTIFY)
		return finish(transport, now, packet, neighbour, HIPHOP_MALFORMED);
	hiphop_error error = authenticate(transport, now, packet, false, neighbour, &identity);
	if (!error)
		error = apply_notification(transport, packet);
	return finish(transport, now, packet, neighbour, error);
}
