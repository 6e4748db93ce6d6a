/* SPDX-License-Identifier: MIT */
#include "hip/wire/builder.h"

#define OFFSET_CHECKSUM 4

/* Sums 16-bit words; the sum of a whole packet and pseudo-header stays far below 2^32. `length` is even. */
static uint32_t sum_words(uint32_t sum, const uint8_t *octets, size_t length)
{
	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)octets[i] << 8 | octets[i + 1];
	return sum;
}

/* The folded sum of pseudo-header and the packet as it stands. The prefix of an IPv4-mapped address adds 0xffff, which
 * is zero in ones' complement arithmetic: one formula serves the pseudo-headers of IPv4 and IPv6. */
static uint16_t folded_sum(
	const uint8_t *packet, size_t length, const struct address *source, const struct address *destination)
{
	uint32_t sum = HIP_PROTOCOL + (uint32_t)length;

	sum = sum_words(sum, source->octets, sizeof source->octets);
	sum = sum_words(sum, destination->octets, sizeof destination->octets);
	sum = sum_words(sum, packet, length);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The octets that the checksum covers, from the header length field; 0 when this is no HIP packet. */
static size_t covered_length(const uint8_t *packet, size_t length)
{
	size_t covered;

	if (length < HIP_HEADER_LENGTH)
		return 0;
	covered = (packet[1] + 1u) * 8;
	return covered >= HIP_HEADER_LENGTH && covered <= length ? covered : 0;
}

hiphop_error packet_set_checksum(uint8_t *packet, size_t length, hip_carrier carrier, const struct address *source,
	const struct address *destination)
{
	size_t covered = covered_length(packet, length);
	uint16_t checksum;

	if (!covered)
		return HIPHOP_MALFORMED;
	packet[OFFSET_CHECKSUM] = packet[OFFSET_CHECKSUM + 1] = 0;
	if (carrier == HIP_CARRIER_UDP)
		return HIPHOP_OK;
	checksum = (uint16_t)~folded_sum(packet, covered, source, destination);
	packet[OFFSET_CHECKSUM] = (uint8_t)(checksum >> 8);
	packet[OFFSET_CHECKSUM + 1] = (uint8_t)checksum;
	return HIPHOP_OK;
}

hiphop_error packet_verify_checksum(const uint8_t *packet, size_t length, hip_carrier carrier,
	const struct address *source, const struct address *destination)
{
	size_t covered = covered_length(packet, length);

	if (!covered)
		return HIPHOP_MALFORMED;
	if (carrier == HIP_CARRIER_UDP)
		return packet[OFFSET_CHECKSUM] || packet[OFFSET_CHECKSUM + 1] ? HIPHOP_BAD_CHECKSUM : HIPHOP_OK;
	return folded_sum(packet, covered, source, destination) == 0xffff ? HIPHOP_OK : HIPHOP_BAD_CHECKSUM;
}
