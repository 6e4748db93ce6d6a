/* SPDX-License-Identifier: MIT */
#include "hip/wire/builder.h"

#include "hip/wire/packet.h"

#include <string.h>

/* Fixed bits of the third and fourth octet: 0 before the packet type, 1 at the end (RFC 7401 section 5.1). */
#define VERSION_OCTET (HIP_VERSION << 4 | 1)

static hiphop_error fail(struct packet_builder *builder, hiphop_error error)
{
	if (!builder->error)
		builder->error = error;
	return builder->error;
}

hiphop_error packet_builder_start(struct packet_builder *builder, void *buffer, size_t capacity, uint8_t packet_type,
	uint16_t controls, const struct hit *sender, const struct hit *receiver)
{
	struct writer *writer = &builder->writer;

	*builder = (struct packet_builder){.writer = writer_over(buffer, capacity)};
	writer_u8(writer, HIP_NEXT_HEADER_NONE);
	writer_u8(writer, HIP_HEADER_LENGTH / 8 - 1);
	writer_u8(writer, packet_type & 0x7f);
	writer_u8(writer, VERSION_OCTET);
	writer_u16(writer, 0);
	writer_u16(writer, controls);
	writer_copy(writer, sender->octets, HIT_LENGTH);
	writer_copy(writer, receiver->octets, HIT_LENGTH);
	builder->error = writer_status(writer);
	return builder->error;
}

hiphop_error packet_builder_start_inner(struct packet_builder *builder, void *buffer, size_t capacity)
{
	*builder = (struct packet_builder){.writer = writer_over(buffer, capacity), .inner = true};
	return HIPHOP_OK;
}

static bool order_allows(const struct packet_builder *builder, uint16_t type)
{
	const struct parameter_rule *rule = parameter_rule_of(type);
	bool first = builder->writer.position == (builder->inner ? 0 : HIP_HEADER_LENGTH);

	if (first || type > builder->last_type)
		return true;
	return type == builder->last_type && (!rule || rule->repeats);
}

uint8_t *packet_builder_reserve(struct packet_builder *builder, uint16_t type, size_t length)
{
	struct writer *writer = &builder->writer;
	size_t limit = builder->inner ? HIP_PARAMETERS_MAXIMUM : HIP_PACKET_MAXIMUM;
	size_t total = 11 + length - (length + 3) % 8;
	uint8_t *contents;

	if (builder->error)
		return NULL;
	if (builder->has_payload || !order_allows(builder, type)) {
		fail(builder, HIPHOP_INVALID_ARGUMENT);
		return NULL;
	}
	if (length > limit || total > limit - writer->position || total > writer->capacity - writer->position) {
		fail(builder, HIPHOP_TOO_LARGE);
		return NULL;
	}
	writer_u16(writer, type);
	writer_u16(writer, (uint16_t)length);
	contents = writer->data + writer->position;
	writer_zero(writer, total - 4);
	if (!builder->inner)
		writer->data[1] = (uint8_t)(writer->position / 8 - 1);
	builder->last_type = type;
	return contents;
}

hiphop_error packet_builder_add(struct packet_builder *builder, uint16_t type, const void *contents, size_t length)
{
	uint8_t *out = packet_builder_reserve(builder, type, length);

	if (out && length)
		memcpy(out, contents, length);
	return builder->error;
}

hiphop_error packet_builder_add_encoded(struct packet_builder *builder, struct span encoded)
{
	struct reader reader = reader_over(encoded.data, encoded.length);
	uint16_t type = reader_u16(&reader);
	uint16_t length = reader_u16(&reader);
	struct span contents = reader_span(&reader, length);

	if (reader_status(&reader) || encoded.length != 11u + length - (length + 3u) % 8)
		return fail(builder, HIPHOP_INVALID_ARGUMENT);
	return packet_builder_add(builder, type, contents.data, contents.length);
}

hiphop_error packet_builder_payload(
	struct packet_builder *builder, uint8_t next_header, const void *data, size_t length)
{
	struct writer *writer = &builder->writer;

	if (builder->error)
		return builder->error;
	if (builder->inner || builder->has_payload || next_header == HIP_PROTOCOL ||
		next_header == HIP_NEXT_HEADER_NONE)
		return fail(builder, HIPHOP_INVALID_ARGUMENT);
	if (length > HIP_PACKET_WITH_PAYLOAD_MAXIMUM - writer->position)
		return fail(builder, HIPHOP_TOO_LARGE);
	writer_copy(writer, data, length);
	if (writer_status(writer))
		return fail(builder, HIPHOP_TOO_LARGE);
	writer->data[0] = next_header;
	builder->has_payload = true;
	return HIPHOP_OK;
}

hiphop_error packet_builder_finish(const struct packet_builder *builder, size_t *length)
{
	*length = builder->error ? 0 : builder->writer.position;
	return builder->error;
}
