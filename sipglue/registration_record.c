/* SPDX-License-Identifier: MIT */
#include "sipglue/registration_record.h"

#include <string.h>

/* DestinationType and length of a node, RFC 6940 section 6.3.2.2. */
enum { DESTINATION_NODE = 1 };

static void write_route(struct writer *writer, const struct registration_record *record)
{
	size_t preferences = writer_begin_vector(writer, 2);
	writer_copy(writer, record->contact_preferences.data, record->contact_preferences.length);
	writer_end_vector(writer, preferences, 2);
	size_t list = writer_begin_vector(writer, 2);
	for (size_t i = 0; i < record->destination_count; i++) {
		writer_u8(writer, DESTINATION_NODE);
		writer_u8(writer, HIT_LENGTH);
		writer_copy(writer, record->destinations[i].octets, HIT_LENGTH);
	}
	writer_end_vector(writer, list, 2);
}

hiphop_error registration_record_encode(
	const struct registration_record *record, uint8_t *out, size_t capacity, size_t *length)
{
	bool route = record->type == REGISTRATION_ROUTE;
	if (!route && record->type != REGISTRATION_URI)
		return HIPHOP_INVALID_ARGUMENT;
	if (route && (record->destination_count == 0 || record->destination_count > REGISTRATION_DESTINATIONS_MAXIMUM))
		return HIPHOP_INVALID_ARGUMENT;
	struct writer writer = writer_over(out, capacity);
	writer_u8(&writer, (uint8_t)record->type);
	size_t rest = writer_begin_vector(&writer, 2);
	if (route) {
		write_route(&writer, record);
	} else {
		size_t uri = writer_begin_vector(&writer, 2);
		writer_copy(&writer, record->uri.data, record->uri.length);
		writer_end_vector(&writer, uri, 2);
	}
	writer_end_vector(&writer, rest, 2);
	*length = writer.position;
	return writer_status(&writer);
}

static hiphop_error read_destinations(struct span list, struct registration_record *record)
{
	struct reader reader = reader_over(list.data, list.length);
	while (reader_left(&reader) > 0) {
		if (record->destination_count == REGISTRATION_DESTINATIONS_MAXIMUM)
			return HIPHOP_TOO_LARGE;
		uint8_t type = reader_u8(&reader);
		struct span node = reader_vector8(&reader);
		if (reader_status(&reader) != HIPHOP_OK)
			return HIPHOP_TRUNCATED;
		if (type != DESTINATION_NODE || node.length != HIT_LENGTH)
			return HIPHOP_UNSUPPORTED;
		memcpy(record->destinations[record->destination_count++].octets, node.data, HIT_LENGTH);
	}
	return record->destination_count ? HIPHOP_OK : HIPHOP_MALFORMED;
}

hiphop_error registration_record_decode(const void *data, size_t length, struct registration_record *record)
{
	memset(record, 0, sizeof *record);
	struct reader outer = reader_over(data, length);
	uint8_t type = reader_u8(&outer);
	struct span rest = reader_vector16(&outer);
	if (reader_status(&outer) != HIPHOP_OK)
		return HIPHOP_TRUNCATED;
	if (reader_left(&outer) > 0)
		return HIPHOP_MALFORMED;
	if (type != REGISTRATION_URI && type != REGISTRATION_ROUTE)
		return HIPHOP_UNSUPPORTED;
	record->type = (registration_type)type;
	struct reader inner = reader_over(rest.data, rest.length);
	struct span first = reader_vector16(&inner);
	struct span list = {0};
	if (type == REGISTRATION_ROUTE)
		list = reader_vector16(&inner);
	if (reader_status(&inner) != HIPHOP_OK)
		return HIPHOP_TRUNCATED;
	if (reader_left(&inner) > 0)
		return HIPHOP_MALFORMED;
	if (type == REGISTRATION_URI) {
		record->uri = first;
		return first.length ? HIPHOP_OK : HIPHOP_MALFORMED;
	}
	record->contact_preferences = first;
	return read_destinations(list, record);
}
