/* SPDX-License-Identifier: MIT */
/* The parameters of UPDATE and DATA sequences (RFC 7401, RFC 6078) and of the overlay (RFC 6079, RFC 6028). */
#include "hip/wire/parameters.h"

#include "hip/wire/parameter_io.h"

#include <string.h>

static const uint16_t number_types[] = {PARAMETER_SEQ, PARAMETER_SEQ_DATA, PARAMETER_CANDIDATE_PRIORITY,
	PARAMETER_TRANSACTION_PACING, PARAMETER_NOMINATE};
#define NUMBER_TYPES (sizeof number_types / sizeof number_types[0])

hiphop_error parameter_number_read(const struct parameter_view *view, uint32_t *out)
{
	struct reader reader;
	hiphop_error error = parameter_open_any(view, number_types, NUMBER_TYPES, &reader);

	if (error)
		return error;
	*out = reader_u32(&reader);
	return reader_status(&reader);
}

hiphop_error parameter_number_write(struct packet_builder *builder, uint16_t type, uint32_t in)
{
	struct writer writer;

	if (!parameter_type_in(type, number_types, NUMBER_TYPES))
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	writer = parameter_begin(builder, type, 4);
	writer_u32(&writer, in);
	return parameter_end(builder, &writer);
}

static const uint16_t sequence_list_types[] = {PARAMETER_ACK, PARAMETER_ACK_DATA};

hiphop_error parameter_sequence_list_read(const struct parameter_view *view, struct parameter_sequence_list *out)
{
	struct reader reader;
	hiphop_error error = parameter_open_any(view, sequence_list_types, 2, &reader);

	out->count = 0;
	if (error)
		return error;
	if (!reader_left(&reader))
		return HIPHOP_TRUNCATED;
	if (reader_left(&reader) % 4)
		return HIPHOP_MALFORMED;
	if (reader_left(&reader) / 4 > SEQUENCE_LIST_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	while (reader_left(&reader))
		out->items[out->count++] = reader_u32(&reader);
	return reader_status(&reader);
}

bool parameter_sequence_list_has(const struct parameter_sequence_list *list, uint32_t number)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i] == number)
			return true;
	}
	return false;
}

hiphop_error parameter_sequence_list_write(
	struct packet_builder *builder, uint16_t type, const struct parameter_sequence_list *in)
{
	struct writer writer;

	if (!parameter_type_in(type, sequence_list_types, 2) || !in->count || in->count > SEQUENCE_LIST_MAXIMUM)
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	writer = parameter_begin(builder, type, 4 * in->count);
	for (size_t i = 0; i < in->count; i++)
		writer_u32(&writer, in->items[i]);
	return parameter_end(builder, &writer);
}

hiphop_error parameter_payload_mic_read(const struct parameter_view *view, struct parameter_payload_mic *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_PAYLOAD_MIC, &reader);

	if (error)
		return error;
	out->next_header = reader_u8(&reader);
	reader_skip(&reader, 3);
	reader_copy(&reader, out->payload_end, sizeof out->payload_end);
	out->mic = parameter_rest(&reader);
	return reader_status(&reader);
}

hiphop_error parameter_payload_mic_write(struct packet_builder *builder, const struct parameter_payload_mic *in)
{
	struct writer writer = parameter_begin(builder, PARAMETER_PAYLOAD_MIC, 12 + in->mic.length);

	writer_u8(&writer, in->next_header);
	writer_zero(&writer, 3);
	writer_copy(&writer, in->payload_end, sizeof in->payload_end);
	writer_copy(&writer, in->mic.data, in->mic.length);
	return parameter_end(builder, &writer);
}

void parameter_payload_end(struct span payload, uint8_t payload_end[static 8])
{
	size_t length = payload.length < 8 ? payload.length : 8;

	memset(payload_end, 0, 8);
	if (length)
		memcpy(payload_end + 8 - length, payload.data + payload.length - length, length);
}

hiphop_error parameter_overlay_ttl_read(const struct parameter_view *view, uint16_t *ttl)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_OVERLAY_TTL, &reader);

	if (error)
		return error;
	*ttl = reader_u16(&reader);
	return reader_status(&reader);
}

hiphop_error parameter_overlay_ttl_write(struct packet_builder *builder, uint16_t ttl)
{
	struct writer writer = parameter_begin(builder, PARAMETER_OVERLAY_TTL, 4);

	writer_u16(&writer, ttl);
	writer_u16(&writer, 0);
	return parameter_end(builder, &writer);
}

static const uint16_t route_types[] = {PARAMETER_ROUTE_DST, PARAMETER_ROUTE_VIA};

hiphop_error parameter_route_read(const struct parameter_view *view, struct parameter_route *out)
{
	struct reader reader;
	hiphop_error error = parameter_open_any(view, route_types, 2, &reader);

	out->count = 0;
	if (error)
		return error;
	out->flags = reader_u16(&reader);
	reader_skip(&reader, 2);
	if (reader_status(&reader))
		return HIPHOP_TRUNCATED;
	if (reader_left(&reader) % HIT_LENGTH || (view->type == PARAMETER_ROUTE_DST && !reader_left(&reader)))
		return HIPHOP_MALFORMED;
	if (reader_left(&reader) / HIT_LENGTH > ROUTE_HITS_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	while (reader_left(&reader))
		reader_copy(&reader, out->hits[out->count++].octets, HIT_LENGTH);
	return reader_status(&reader);
}

hiphop_error parameter_route_write(struct packet_builder *builder, uint16_t type, const struct parameter_route *in)
{
	struct writer writer;

	if (!parameter_type_in(type, route_types, 2) || in->count > ROUTE_HITS_MAXIMUM ||
		(type == PARAMETER_ROUTE_DST && !in->count))
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	writer = parameter_begin(builder, type, 4 + HIT_LENGTH * in->count);
	writer_u16(&writer, in->flags);
	writer_u16(&writer, 0);
	for (size_t i = 0; i < in->count; i++)
		writer_copy(&writer, in->hits[i].octets, HIT_LENGTH);
	return parameter_end(builder, &writer);
}

void parameter_route_reverse(const struct parameter_route *via, struct parameter_route *destination)
{
	destination->flags = via->flags;
	destination->count = via->count;
	for (size_t i = 0; i < via->count; i++)
		destination->hits[i] = via->hits[via->count - 1 - i];
}
