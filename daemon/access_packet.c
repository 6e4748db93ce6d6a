/* SPDX-License-Identifier: MIT */
#include "daemon/access_packet.h"

#include <string.h>

enum {
	HEADER_HOP_BY_HOP = 0,
	HEADER_ROUTING = 43,
	HEADER_FRAGMENT = 44,
	HEADER_DESTINATION = 60,
	ICMP6_INFORMATIONAL = 128, /* types below are errors (RFC 4443 section 2.1) */
	ICMP6_ECHO_REQUEST = 128,
	ICMP6_ECHO_REPLY = 129,
	EXTENSION_HEADERS_MAXIMUM = 8
};

static bool is_extension(uint8_t header)
{
	return header == HEADER_HOP_BY_HOP || header == HEADER_ROUTING || header == HEADER_DESTINATION;
}

static void read_icmp6(struct reader *reader, struct access_packet *packet)
{
	uint8_t type = reader_u8(reader);

	reader_skip(reader, 3);
	packet->error = type < ICMP6_INFORMATIONAL;
	packet->echo_request = type == ICMP6_ECHO_REQUEST;
	packet->echo_reply = type == ICMP6_ECHO_REPLY;
	if (packet->error) {
		reader_skip(reader, 4);
		packet->quoted = reader_span(reader, reader_left(reader));
	} else {
		uint16_t identifier = reader_u16(reader);

		if (packet->echo_request || packet->echo_reply)
			packet->source_port = packet->destination_port = identifier;
	}
}

static void read_transport_header(struct reader *reader, struct access_packet *packet)
{
	if (packet->protocol == ACCESS_TCP || packet->protocol == ACCESS_UDP) {
		packet->source_port = reader_u16(reader);
		packet->destination_port = reader_u16(reader);
	} else if (packet->protocol == ACCESS_ICMP6) {
		read_icmp6(reader, packet);
	}
}

hiphop_error access_packet_read(const uint8_t *octets, size_t length, struct access_packet *packet)
{
	struct reader reader = reader_over(octets, length);

	memset(packet, 0, sizeof *packet);
	reader_skip(&reader, 6);
	packet->protocol = reader_u8(&reader);
	reader_skip(&reader, 1);
	reader_copy(&reader, packet->source.octets, HIT_LENGTH);
	reader_copy(&reader, packet->destination.octets, HIT_LENGTH);
	for (unsigned headers = 0; headers < EXTENSION_HEADERS_MAXIMUM; headers++) {
		if (packet->protocol == HEADER_FRAGMENT) {
			packet->protocol = reader_u8(&reader);
			reader_skip(&reader, 1);
			packet->later_fragment = (reader_u16(&reader) & 0xfff8U) != 0;
			reader_skip(&reader, 4);
			if (packet->later_fragment)
				return reader_status(&reader);
		} else if (is_extension(packet->protocol)) {
			packet->protocol = reader_u8(&reader);
			size_t more = (size_t)reader_u8(&reader) * 8 + 6;

			reader_skip(&reader, more);
		} else {
			read_transport_header(&reader, packet);
			return reader_status(&reader);
		}
	}
	return HIPHOP_TOO_LARGE;
}
