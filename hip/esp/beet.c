/* SPDX-License-Identifier: MIT */
#include "hip/esp/beet.h"

#include "hip/base/bytes.h"

#define IPV6_VERSION 6
#define HOP_LIMIT    64

hiphop_error beet_read(const uint8_t *packet, size_t length, struct beet_header *header)
{
	struct reader reader = reader_over(packet, length);
	uint32_t first = reader_u32(&reader);

	header->payload_length = reader_u16(&reader);
	header->next_header = reader_u8(&reader);
	reader_skip(&reader, 1);
	reader_copy(&reader, header->source.octets, HIT_LENGTH);
	reader_copy(&reader, header->destination.octets, HIT_LENGTH);
	if (reader_status(&reader))
		return HIPHOP_TRUNCATED;
	if (first >> 28 != IPV6_VERSION || header->payload_length != reader_left(&reader))
		return HIPHOP_MALFORMED;
	return HIPHOP_OK;
}

void beet_write(uint8_t *packet, uint8_t next_header, uint16_t payload_length, const struct hit *source,
	const struct hit *destination)
{
	struct writer writer = writer_over(packet, BEET_INNER_HEADER_LENGTH);

	writer_u32(&writer, (uint32_t)IPV6_VERSION << 28);
	writer_u16(&writer, payload_length);
	writer_u8(&writer, next_header);
	writer_u8(&writer, HOP_LIMIT);
	writer_copy(&writer, source->octets, HIT_LENGTH);
	writer_copy(&writer, destination->octets, HIT_LENGTH);
}
