/* SPDX-License-Identifier: MIT */
#include "hip/wire/packet.h"

#include <string.h>

/* Places in the fixed header. */
#define OFFSET_NEXT_HEADER   0
#define OFFSET_HEADER_LENGTH 1
#define OFFSET_PACKET_TYPE   2
#define OFFSET_VERSION       3

#define PARAMETER_HEADER_LENGTH 4

/* Parses the parameters in [start, end) of `data`; `*problem` is where it stopped. */
static hiphop_error parse_parameters(
	const uint8_t *data, size_t start, size_t end, struct parameter_list *list, size_t *problem)
{
	struct reader reader = reader_over(data, end);
	uint16_t last_type = 0;

	list->count = 0;
	reader_skip(&reader, start);
	while (reader_left(&reader)) {
		struct parameter_view *item = &list->items[list->count];
		size_t offset = reader.position;
		uint16_t type = reader_u16(&reader);
		uint16_t length = reader_u16(&reader);

		*problem = offset;
		if (list->count == PACKET_PARAMETERS_MAXIMUM)
			return HIPHOP_TOO_LARGE;
		item->type = type;
		item->offset = (uint16_t)offset;
		item->contents = reader_span(&reader, length);
		reader_skip(&reader, (size_t)(7 - (length + 3) % 8));
		if (reader_status(&reader) || type < last_type)
			return HIPHOP_MALFORMED;
		item->contents.data = data + offset + PARAMETER_HEADER_LENGTH;
		item->encoded = (struct span){data + offset, reader.position - offset};
		last_type = type;
		list->count++;
	}
	return HIPHOP_OK;
}

static void read_header(struct reader *reader, struct packet_view *view)
{
	view->next_header = reader_u8(reader);
	view->header_length = reader_u8(reader);
	view->type = reader_u8(reader) & 0x7f;
	view->version = reader_u8(reader) >> 4;
	view->checksum = reader_u16(reader);
	view->controls = reader_u16(reader);
	reader_copy(reader, view->sender.octets, HIT_LENGTH);
	reader_copy(reader, view->receiver.octets, HIT_LENGTH);
}

/* `length` is at least that of the fixed header. */
static hiphop_error check_header(struct packet_view *view, size_t length)
{
	view->problem_offset = OFFSET_VERSION;
	if (view->version != HIP_VERSION)
		return HIPHOP_UNSUPPORTED;
	view->problem_offset = OFFSET_PACKET_TYPE;
	if (!packet_type_bit(view->type))
		return HIPHOP_UNSUPPORTED;
	view->problem_offset = OFFSET_HEADER_LENGTH;
	if (view->header_length < HIP_HEADER_LENGTH / 8 - 1)
		return HIPHOP_MALFORMED;
	if ((view->header_length + 1u) * 8 > length)
		return HIPHOP_TRUNCATED;
	view->problem_offset = OFFSET_NEXT_HEADER;
	if (view->next_header == HIP_PROTOCOL)
		return HIPHOP_MALFORMED;
	return HIPHOP_OK;
}

hiphop_error packet_parse(const uint8_t *data, size_t length, struct packet_view *view)
{
	struct reader reader = reader_over(data, length);
	size_t end;
	hiphop_error error;

	view->octets = view->payload = (struct span){NULL, 0};
	view->parameters.count = 0;
	view->problem_offset = length;
	if (length > HIP_PACKET_WITH_PAYLOAD_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	read_header(&reader, view);
	if (reader_status(&reader))
		return HIPHOP_TRUNCATED;
	error = check_header(view, length);
	if (error)
		return error;
	end = (view->header_length + 1u) * 8;
	view->octets = (struct span){data, end};
	if (view->next_header != HIP_NEXT_HEADER_NONE && length > end)
		view->payload = (struct span){data + end, length - end};
	error = parse_parameters(data, HIP_HEADER_LENGTH, end, &view->parameters, &view->problem_offset);
	if (!error)
		view->problem_offset = 0;
	return error;
}

hiphop_error parameters_parse(const uint8_t *data, size_t length, struct parameter_list *list)
{
	size_t problem;

	list->count = 0;
	if (length > HIP_PARAMETERS_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	return parse_parameters(data, 0, length, list, &problem);
}

static const struct parameter_view *find_nth(const struct parameter_list *list, uint16_t type, size_t nth)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].type == type && nth-- == 0)
			return &list->items[i];
	return NULL;
}

const struct parameter_view *packet_find(const struct packet_view *view, uint16_t type)
{
	return find_nth(&view->parameters, type, 0);
}

const struct parameter_view *packet_find_nth(const struct packet_view *view, uint16_t type, size_t nth)
{
	return find_nth(&view->parameters, type, nth);
}

const struct parameter_view *parameters_find(const struct parameter_list *list, uint16_t type)
{
	return find_nth(list, type, 0);
}

const struct parameter_view *packet_unknown_critical(const struct packet_view *view)
{
	for (size_t i = 0; i < view->parameters.count; i++) {
		const struct parameter_view *item = &view->parameters.items[i];

		if ((item->type & 1) && !parameter_rule_of(item->type))
			return item;
	}
	return NULL;
}
