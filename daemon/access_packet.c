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
	EXTENSION_HEADERS_MAXIMUM = 8,
	IPV4_HEADER_MINIMUM = 20,
	PROTOCOL_ICMP = 1
};

/* The types of ICMP that are errors (RFC 1122 section 3.2.2). */
static const uint8_t icmp_errors[] = {3, 4, 5, 11, 12};
enum { ICMP_ECHO_REPLY = 0, ICMP_ECHO_REQUEST = 8 };

static bool is_extension(uint8_t header)
{
	return header == HEADER_HOP_BY_HOP || header == HEADER_ROUTING || header == HEADER_DESTINATION;
}

static bool is_icmp_error(uint8_t type)
{
	return memchr(icmp_errors, type, sizeof icmp_errors) != NULL;
}

static void read_icmp(struct reader *reader, struct access_packet *packet, bool ipv4)
{
	uint8_t type = reader_u8(reader);

	reader_skip(reader, 3);
	packet->error = ipv4 ? is_icmp_error(type) : type < ICMP6_INFORMATIONAL;
	packet->echo_request = type == (ipv4 ? ICMP_ECHO_REQUEST : ICMP6_ECHO_REQUEST);
	packet->echo_reply = type == (ipv4 ? ICMP_ECHO_REPLY : ICMP6_ECHO_REPLY);
	if (packet->error) {
		reader_skip(reader, 4);
		packet->quoted = reader_span(reader, reader_left(reader));
	} else {
		uint16_t identifier = reader_u16(reader);

		if (packet->echo_request || packet->echo_reply)
			packet->source_port = packet->destination_port = identifier;
	}
}

static void read_transport_header(struct reader *reader, struct access_packet *packet, bool ipv4)
{
	if (packet->protocol == ACCESS_TCP || packet->protocol == ACCESS_UDP) {
		packet->source_port = reader_u16(reader);
		packet->destination_port = reader_u16(reader);
	} else if (packet->protocol == ACCESS_ICMP6) {
		read_icmp(reader, packet, ipv4);
	}
}

static void read_ipv4_address(struct reader *reader, struct hit *address)
{
	memset(address, 0, sizeof *address);
	address->octets[10] = address->octets[11] = 0xff;
	reader_copy(reader, address->octets + 12, 4);
}

static hiphop_error read_ipv4(const uint8_t *octets, size_t length, struct access_packet *packet)
{
	struct reader reader = reader_over(octets, length);
	size_t header = (size_t)(reader_u8(&reader) & 15) * 4;

	if (header < IPV4_HEADER_MINIMUM)
		return HIPHOP_MALFORMED;
	reader_skip(&reader, 5);
	packet->later_fragment = (reader_u16(&reader) & 0x1fffU) != 0;
	reader_skip(&reader, 1);
	packet->protocol = reader_u8(&reader);
	reader_skip(&reader, 2);
	read_ipv4_address(&reader, &packet->source);
	read_ipv4_address(&reader, &packet->destination);
	reader_skip(&reader, header - IPV4_HEADER_MINIMUM);
	/* ICMPv6 has no meaning over IPv4, so its number is free for what ICMP is called in the rules. */
	if (packet->protocol == ACCESS_ICMP6)
		return HIPHOP_MALFORMED;
	if (packet->protocol == PROTOCOL_ICMP)
		packet->protocol = ACCESS_ICMP6;
	if (!packet->later_fragment)
		read_transport_header(&reader, packet, true);
	return reader_status(&reader);
}

hiphop_error access_packet_read(const uint8_t *octets, size_t length, struct access_packet *packet)
{
	struct reader reader = reader_over(octets, length);

	memset(packet, 0, sizeof *packet);
	if (length && octets[0] >> 4 == 4)
		return read_ipv4(octets, length, packet);
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
			read_transport_header(&reader, packet, false);
			return reader_status(&reader);
		}
	}
	return HIPHOP_TOO_LARGE;
}
