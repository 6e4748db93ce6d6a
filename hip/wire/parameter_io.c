/* SPDX-License-Identifier: MIT */
#include "hip/wire/parameter_io.h"

bool parameter_type_in(uint16_t type, const uint16_t *types, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (types[i] == type)
			return true;
	return false;
}

hiphop_error parameter_open_any(
	const struct parameter_view *view, const uint16_t *types, size_t count, struct reader *reader)
{
	*reader = reader_over(NULL, 0);
	if (!view)
		return HIPHOP_NOT_FOUND;
	if (!parameter_type_in(view->type, types, count))
		return HIPHOP_INVALID_ARGUMENT;
	*reader = reader_over(view->contents.data, view->contents.length);
	return HIPHOP_OK;
}

hiphop_error parameter_open(const struct parameter_view *view, uint16_t type, struct reader *reader)
{
	return parameter_open_any(view, &type, 1, reader);
}

struct span parameter_rest(struct reader *reader)
{
	return reader_span(reader, reader_left(reader));
}

hiphop_error parameter_read_u16_list(struct reader *reader, uint16_t *items, size_t maximum, size_t *count)
{
	*count = 0;
	if (reader_left(reader) % 2)
		return HIPHOP_MALFORMED;
	while (reader_left(reader) && *count < maximum)
		items[(*count)++] = reader_u16(reader);
	return reader_status(reader);
}

struct writer parameter_begin(struct packet_builder *builder, uint16_t type, size_t length)
{
	uint8_t *contents = packet_builder_reserve(builder, type, length);

	return writer_over(contents, contents ? length : 0);
}

hiphop_error parameter_end(struct packet_builder *builder, const struct writer *writer)
{
	if (!builder->error && (writer_status(writer) || writer->position != writer->capacity))
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	return builder->error;
}

hiphop_error parameter_refuse(struct packet_builder *builder, hiphop_error error)
{
	if (!builder->error)
		builder->error = error;
	return builder->error;
}
