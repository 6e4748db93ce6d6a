/* SPDX-License-Identifier: MIT */
#include "daemon/icmp_error.h"

#include "hip/base/bytes.h"
#include "hip/base/identifier.h"

enum {
	IPV6_HEADER_LENGTH = 40,
	IPV4_HEADER_LENGTH = 20,
	ICMP_HEADER_LENGTH = 8,
	IPV6_MINIMUM_MTU = 1280,
	IPV4_MINIMUM_MTU = 576,
	PROTOCOL_ICMP = 1,
	PROTOCOL_ICMP6 = 58,
	ICMP6_INFORMATIONAL = 128,
	HOP_LIMIT = 64
};

/* By icmp_error_cause. */
static const struct {
	uint8_t type, code;
} icmp6_codes[] = {{1, 1}, {1, 3}, {1, 5}, {2, 0}}, icmp_codes[] = {{3, 13}, {3, 1}, {3, 13}, {3, 4}};

static uint16_t checksum_of(const uint8_t *octets, size_t length, uint32_t sum)
{
	for (size_t i = 0; i < length; i++)
		sum += (uint32_t)(i % 2 ? octets[i] : octets[i] << 8);
	while (sum >> 16)
		sum = (sum & 0xffffU) + (sum >> 16);
	return (uint16_t)~sum;
}

static bool may_answer_ipv4(const uint8_t *about, size_t length)
{
	size_t header = (size_t)(about[0] & 15) * 4;

	if (header < IPV4_HEADER_LENGTH || header > length || (about[6] & 0x1f) || about[7])
		return false;
	/* Only of the types that ask something it is sure that they are no errors (RFC 792). */
	return about[9] != PROTOCOL_ICMP ||
	       (length > header && (about[header] == 8 || about[header] == 0 || about[header] == 13));
}

bool icmp_error_may_answer(const uint8_t *about, size_t length)
{
	if (length >= IPV4_HEADER_LENGTH && about[0] >> 4 == 4)
		return may_answer_ipv4(about, length);
	if (length < IPV6_HEADER_LENGTH || about[0] >> 4 != 6)
		return false;
	return about[6] != PROTOCOL_ICMP6 ||
	       (length > IPV6_HEADER_LENGTH && about[IPV6_HEADER_LENGTH] >= ICMP6_INFORMATIONAL);
}

static void write_icmp6(
	struct writer *writer, icmp_error_cause cause, uint32_t mtu, const uint8_t *about, size_t length)
{
	const size_t most = IPV6_MINIMUM_MTU - IPV6_HEADER_LENGTH - ICMP_HEADER_LENGTH;
	size_t quoted = length < most ? length : most;
	size_t message = ICMP_HEADER_LENGTH + quoted;

	writer_u32(writer, 6U << 28);
	writer_u16(writer, (uint16_t)message);
	writer_u8(writer, PROTOCOL_ICMP6);
	writer_u8(writer, HOP_LIMIT);
	writer_copy(writer, about + 24, HIT_LENGTH);
	writer_copy(writer, about + 8, HIT_LENGTH);
	writer_u8(writer, icmp6_codes[cause].type);
	writer_u8(writer, icmp6_codes[cause].code);
	writer_u16(writer, 0);
	writer_u32(writer, cause == ICMP_ERROR_TOO_BIG ? mtu : 0);
	writer_copy(writer, about, quoted);
	/* The pseudo-header (RFC 8200 section 8.1): the addresses, the length and the protocol. */
	writer_patch_u16(writer, IPV6_HEADER_LENGTH + 2,
		checksum_of(writer->data + 8, 32 + message, (uint32_t)message + PROTOCOL_ICMP6));
}

static void write_icmp(struct writer *writer, icmp_error_cause cause, uint32_t mtu, const uint8_t *about, size_t length)
{
	const size_t most = IPV4_MINIMUM_MTU - IPV4_HEADER_LENGTH - ICMP_HEADER_LENGTH;
	size_t quoted = length < most ? length : most;
	size_t message = ICMP_HEADER_LENGTH + quoted;

	writer_u16(writer, 0x4500);
	writer_u16(writer, (uint16_t)(IPV4_HEADER_LENGTH + message));
	writer_u32(writer, 0);
	writer_u8(writer, HOP_LIMIT);
	writer_u8(writer, PROTOCOL_ICMP);
	writer_u16(writer, 0);
	writer_copy(writer, about + 16, 4);
	writer_copy(writer, about + 12, 4);
	writer_patch_u16(writer, 10, checksum_of(writer->data, IPV4_HEADER_LENGTH, 0));
	writer_u8(writer, icmp_codes[cause].type);
	writer_u8(writer, icmp_codes[cause].code);
	writer_u16(writer, 0);
	writer_u32(writer, cause == ICMP_ERROR_TOO_BIG ? mtu : 0); /* two octets without meaning, then the MTU */
	writer_copy(writer, about, quoted);
	writer_patch_u16(writer, IPV4_HEADER_LENGTH + 2, checksum_of(writer->data + IPV4_HEADER_LENGTH, message, 0));
}

void icmp_error_write(struct packet *packet, icmp_error_cause cause, uint32_t mtu, const uint8_t *about, size_t length)
{
	struct writer writer;

	packet_reset(packet);
	writer = writer_over(packet_data(packet), PACKET_DATA_MAXIMUM);
	if (about[0] >> 4 == 4)
		write_icmp(&writer, cause, mtu, about, length);
	else
		write_icmp6(&writer, cause, mtu, about, length);
	packet->length = (uint16_t)writer.position;
	packet->kind = PACKET_INNER;
}
