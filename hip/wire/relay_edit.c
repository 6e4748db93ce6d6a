/* SPDX-License-Identifier: MIT */
#include "hip/wire/relay_edit.h"

#include "hip/wire/parameters.h"

#include <string.h>

hiphop_error relay_decrement_ttl(uint8_t *packet, size_t length)
{
	struct packet_view view;
	const struct parameter_view *parameter;
	hiphop_error error = packet_parse(packet, length, &view);
	struct reader reader;
	struct writer writer;
	uint16_t ttl;

	if (error)
		return error;
	parameter = packet_find(&view, PARAMETER_OVERLAY_TTL);
	if (!parameter)
		return HIPHOP_NOT_FOUND;
	reader = reader_over(parameter->contents.data, parameter->contents.length);
	ttl = reader_u16(&reader);
	if (reader_status(&reader))
		return HIPHOP_MALFORMED;
	if (!ttl)
		return HIPHOP_LIMITED;
	writer = writer_over(packet + parameter->offset + 4, 2);
	writer_u16(&writer, (uint16_t)(ttl - 1));
	return writer_status(&writer);
}

/* Whether one more HIT fits the list and the packet. */
static hiphop_error check_room(const struct packet_view *view, const struct parameter_view *via)
{
	size_t length = via->contents.length;

	if (length < 4 || (length - 4) % HIT_LENGTH != 0)
		return HIPHOP_MALFORMED;
	if ((length - 4) / HIT_LENGTH >= ROUTE_HITS_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	return view->octets.length + HIT_LENGTH > HIP_PACKET_MAXIMUM ? HIPHOP_TOO_LARGE : HIPHOP_OK;
}

hiphop_error relay_append_via(uint8_t *packet, size_t *length, size_t capacity, const struct hit *hit)
{
	struct packet_view view;
	const struct parameter_view *via;
	hiphop_error error = packet_parse(packet, *length, &view);
	size_t grown = *length + HIT_LENGTH;
	struct writer writer;
	size_t end;

	if (error)
		return error;
	via = packet_find(&view, PARAMETER_ROUTE_VIA);
	if (!via)
		return HIPHOP_NOT_FOUND;
	error = check_room(&view, via);
	if (error)
		return error;
	if (grown > capacity || grown > HIP_PACKET_WITH_PAYLOAD_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	/* Flags and whole HITs fill the parameter without padding: the new HIT goes right behind it. */
	end = via->offset + via->encoded.length;
	memmove(packet + end + HIT_LENGTH, packet + end, *length - end);
	memcpy(packet + end, hit->octets, HIT_LENGTH);
	writer = writer_over(packet + via->offset + 2, 2);
	writer_u16(&writer, (uint16_t)(via->contents.length + HIT_LENGTH));
	packet[1] = (uint8_t)(view.header_length + HIT_LENGTH / 8);
	*length = grown;
	return HIPHOP_OK;
}

/* ---- RELAY_FROM and RELAY_TO ---- */

static bool is_relayed_type(uint16_t type)
{
	return type == PARAMETER_RELAY_FROM || type == PARAMETER_RELAY_TO;
}

static void set_length(uint8_t *packet, size_t header_and_parameters)
{
	packet[1] = (uint8_t)(header_and_parameters / 8 - 1);
}

static hiphop_error parse_without_payload(uint8_t *packet, size_t length, uint16_t type, struct packet_view *view)
{
	hiphop_error error = packet_parse(packet, length, view);

	if (error)
		return error;
	return view->payload.length || !is_relayed_type(type) ? HIPHOP_INVALID_ARGUMENT : HIPHOP_OK;
}

/* Cuts out a parameter; behind it is nothing but parameters. */
static void cut_out(uint8_t *packet, size_t *length, const struct parameter_view *parameter)
{
	size_t end = parameter->offset + parameter->encoded.length;

	memmove(packet + parameter->offset, packet + end, *length - end);
	*length -= parameter->encoded.length;
	set_length(packet, *length);
}

/* Where a parameter of this type goes. */
static size_t place_of(const struct packet_view *view, uint16_t type)
{
	for (size_t i = 0; i < view->parameters.count; i++) {
		if (view->parameters.items[i].type > type)
			return view->parameters.items[i].offset;
	}
	return view->octets.length;
}

hiphop_error relay_put_endpoint(
	uint8_t *packet, size_t *length, size_t capacity, uint16_t type, const struct endpoint *endpoint)
{
	uint8_t encoded[RELAYED_ENDPOINT_LENGTH];
	struct packet_builder builder;
	struct packet_view view;
	size_t written, place;
	hiphop_error error = parse_without_payload(packet, *length, type, &view);

	if (error)
		return error;
	if (packet_find(&view, type))
		return HIPHOP_EXISTS;
	*length = view.octets.length;
	packet_builder_start_inner(&builder, encoded, sizeof encoded);
	parameter_transport_address_write(&builder, type, endpoint);
	error = packet_builder_finish(&builder, &written);
	if (error)
		return error;
	if (*length + written > HIP_PACKET_MAXIMUM || *length + written > capacity)
		return HIPHOP_TOO_LARGE;
	place = place_of(&view, type);
	memmove(packet + place + written, packet + place, *length - place);
	memcpy(packet + place, encoded, written);
	*length += written;
	set_length(packet, *length);
	return HIPHOP_OK;
}

hiphop_error relay_take_endpoint(uint8_t *packet, size_t *length, uint16_t type, struct endpoint *endpoint)
{
	const struct parameter_view *parameter;
	struct packet_view view;
	hiphop_error error = parse_without_payload(packet, *length, type, &view);

	if (error)
		return error;
	parameter = packet_find(&view, type);
	error = parameter_transport_address_read(parameter, endpoint);
	if (error)
		return error == HIPHOP_TRUNCATED ? HIPHOP_MALFORMED : error;
	*length = view.octets.length;
	cut_out(packet, length, parameter);
	return HIPHOP_OK;
}
