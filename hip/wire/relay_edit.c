/* SPDX-License-Identifier: MIT */
#include "hip/wire/relay_edit.h"

#include "hip/wire/packet.h"

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
