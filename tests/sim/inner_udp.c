/* SPDX-License-Identifier: MIT */
#include "tests/sim/inner_udp.h"

#include <string.h>

#define IPV6_HEADER_LENGTH 40
#define UDP_HEADER_LENGTH  8
#define UDP_PROTOCOL       17

static uint16_t sum(const uint8_t *packet, size_t length)
{
	uint32_t total = UDP_PROTOCOL + (uint32_t)(length - IPV6_HEADER_LENGTH);

	for (size_t i = 8; i < length; i++)
		total += (uint32_t)(i % 2 ? packet[i] : packet[i] << 8);
	while (total >> 16)
		total = (total & 0xffffU) + (total >> 16);
	return (uint16_t)total;
}

void inner_udp_write(struct packet *packet, const struct endpoint *source, const struct endpoint *destination,
	const uint8_t *payload, size_t length)
{
	struct writer writer;
	uint16_t checksum;

	packet_reset(packet);
	writer = writer_over(packet_data(packet), PACKET_DATA_MAXIMUM);
	writer_u32(&writer, 6U << 28);
	writer_u16(&writer, (uint16_t)(UDP_HEADER_LENGTH + length));
	writer_u8(&writer, UDP_PROTOCOL);
	writer_u8(&writer, 64);
	writer_copy(&writer, source->address.octets, sizeof(source->address.octets));
	writer_copy(&writer, destination->address.octets, sizeof(destination->address.octets));
	writer_u16(&writer, source->port);
	writer_u16(&writer, destination->port);
	writer_u16(&writer, (uint16_t)(UDP_HEADER_LENGTH + length));
	writer_u16(&writer, 0);
	writer_copy(&writer, payload, length);
	checksum = (uint16_t)~sum(packet_data(packet), writer.position);
	writer_patch_u16(&writer, IPV6_HEADER_LENGTH + 6, checksum ? checksum : 0xffff);
	packet->length = (uint16_t)writer.position;
	packet->kind = PACKET_INNER;
}

bool inner_udp_read(struct packet *packet, struct endpoint *source, struct endpoint *destination, struct span *payload)
{
	struct reader reader = reader_over(packet_data(packet), packet->length);
	uint8_t protocol;

	memset(source, 0, sizeof(*source));
	memset(destination, 0, sizeof(*destination));
	reader_skip(&reader, 6);
	protocol = reader_u8(&reader);
	reader_skip(&reader, 1);
	reader_copy(&reader, source->address.octets, sizeof(source->address.octets));
	reader_copy(&reader, destination->address.octets, sizeof(destination->address.octets));
	source->port = reader_u16(&reader);
	destination->port = reader_u16(&reader);
	reader_skip(&reader, 4);
	*payload = reader_span(&reader, reader_left(&reader));
	return !reader_status(&reader) && protocol == UDP_PROTOCOL &&
	       sum(packet_data(packet), packet->length) == 0xffff;
}
