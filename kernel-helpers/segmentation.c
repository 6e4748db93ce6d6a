/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/segmentation.h"

#include <string.h>

enum {
	IPV6_HEADER = 40,
	IPV6_PAYLOAD_LENGTH = 4,
	IPV6_NEXT_HEADER = 6,
	IPV6_ADDRESSES = 8,
	IPV6_PAYLOAD_MAXIMUM = 65535,
	/* of the TCP header */
	TCP_SEQUENCE = 4,
	TCP_ACKNOWLEDGEMENT = 8,
	TCP_DATA_OFFSET = 12,
	TCP_FLAGS = 13,
	TCP_CHECKSUM = 16,
	TCP_URGENT = 18,
	TCP_HEADER_MINIMUM = 20,
	TCP_PROTOCOL = 6,
	FIN = 0x01,
	PSH = 0x08,
	ACK = 0x10,
	ECE = 0x40,
	CWR = 0x80
};

static uint16_t get_u16(const uint8_t *octets)
{
	return (uint16_t)(octets[0] << 8 | octets[1]);
}

static uint32_t get_u32(const uint8_t *octets)
{
	return (uint32_t)get_u16(octets) << 16 | get_u16(octets + 2);
}

static void put_u16(uint8_t *octets, uint16_t value)
{
	octets[0] = (uint8_t)(value >> 8);
	octets[1] = (uint8_t)value;
}

static void put_u32(uint8_t *octets, uint32_t value)
{
	put_u16(octets, (uint16_t)(value >> 16));
	put_u16(octets + 2, (uint16_t)value);
}

/* ---- the Internet checksum (RFC 1071) ---- */

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The folded one's complement sum. Summing eight octets at a time in the order of the machine gives the same sum with
 * its octets in that order (RFC 1071 section 2 B), so that it is turned once at the end. */
static uint16_t sum_of(const uint8_t *octets, size_t length)
{
	uint64_t low = 0, high = 0, word;
	uint8_t pair[2];

	for (; length >= sizeof word; octets += sizeof word, length -= sizeof word) {
		memcpy(&word, octets, sizeof word);
		low += (uint32_t)word;
		high += word >> 32;
	}
	if (length) {
		word = 0;
		memcpy(&word, octets, length);
		low += (uint32_t)word;
		high += word >> 32;
	}
	uint16_t folded = fold(fold(low) + (uint64_t)fold(high));
	memcpy(pair, &folded, sizeof pair);
	return get_u16(pair);
}

/* The sum over the pseudo-header (RFC 8200 section 8.1) for `length` octets of TCP. */
static uint16_t pseudo_sum(const uint8_t *ipv6, size_t length)
{
	return fold((uint64_t)sum_of(ipv6 + IPV6_ADDRESSES, IPV6_HEADER - IPV6_ADDRESSES) + length + TCP_PROTOCOL);
}

bool checksum_complete(uint8_t *octets, size_t length, size_t start, size_t offset)
{
	if (start > length || offset + 2 > length - start)
		return false;
	uint16_t checksum = (uint16_t)~sum_of(octets + start, length - start);
	/* 0 says "none" in UDP (RFC 8200 section 8.1); in others both forms of zero are the same. */
	put_u16(octets + start + offset, checksum ? checksum : 0xffff);
	return true;
}

/* ---- cutting ---- */

hiphop_error superpacket_start(
	struct superpacket *superpacket, const uint8_t *octets, size_t length, size_t tcp, size_t segment)
{
	*superpacket = (struct superpacket){0};
	if (tcp < IPV6_HEADER || tcp > length || length - tcp < TCP_HEADER_MINIMUM || octets[0] >> 4 != 6)
		return HIPHOP_MALFORMED;
	size_t header = tcp + (size_t)(octets[tcp + TCP_DATA_OFFSET] >> 4) * 4;
	if (header < tcp + TCP_HEADER_MINIMUM || header >= length || !segment || segment > PACKET_DATA_MAXIMUM ||
		header + segment > PACKET_DATA_MAXIMUM)
		return HIPHOP_MALFORMED;
	*superpacket = (struct superpacket){octets, length, tcp, header, segment, header};
	return HIPHOP_OK;
}

bool superpacket_left(const struct superpacket *superpacket)
{
	return superpacket->position < superpacket->length;
}

/* The flags of one segment: CWR belongs to the first, FIN and PSH to the last. */
static uint8_t segment_flags(uint8_t flags, bool first, bool last)
{
	if (!first)
		flags &= (uint8_t)~CWR;
	if (!last)
		flags &= (uint8_t) ~(FIN | PSH);
	return flags;
}

static void write_headers(const struct superpacket *superpacket, uint8_t *octets, size_t payload)
{
	size_t before = superpacket->position - superpacket->header;
	bool last = superpacket->position + payload == superpacket->length;
	size_t tcp_length = superpacket->header - superpacket->tcp + payload;
	uint8_t *tcp = octets + superpacket->tcp;

	memcpy(octets, superpacket->octets, superpacket->header);
	put_u16(octets + IPV6_PAYLOAD_LENGTH, (uint16_t)(superpacket->header - IPV6_HEADER + payload));
	put_u32(tcp + TCP_SEQUENCE, get_u32(tcp + TCP_SEQUENCE) + (uint32_t)before);
	tcp[TCP_FLAGS] = segment_flags(tcp[TCP_FLAGS], before == 0, last);
	put_u16(tcp + TCP_CHECKSUM, pseudo_sum(octets, tcp_length));
}

void superpacket_next(struct superpacket *superpacket, struct packet *packet)
{
	size_t left = superpacket->length - superpacket->position;
	size_t payload = left < superpacket->segment ? left : superpacket->segment;
	uint8_t *octets = packet_data(packet);

	write_headers(superpacket, octets, payload);
	memcpy(octets + superpacket->header, superpacket->octets + superpacket->position, payload);
	packet->length = (uint16_t)(superpacket->header + payload);
	packet->kind = PACKET_INNER;
	checksum_complete(octets, packet->length, superpacket->tcp, TCP_CHECKSUM);
	superpacket->position += payload;
}

/* ---- joining ---- */

/* Octets of IPv6 and TCP header of a packet that may take part in a run; 0 when it may not. */
static size_t joinable_header(struct packet *packet)
{
	const uint8_t *octets = packet_data(packet), *tcp = octets + IPV6_HEADER;

	if (packet->kind != PACKET_INNER || packet->length < IPV6_HEADER + TCP_HEADER_MINIMUM || octets[0] >> 4 != 6 ||
		octets[IPV6_NEXT_HEADER] != TCP_PROTOCOL ||
		get_u16(octets + IPV6_PAYLOAD_LENGTH) != packet->length - IPV6_HEADER)
		return 0;
	size_t header = IPV6_HEADER + (size_t)(tcp[TCP_DATA_OFFSET] >> 4) * 4;
	bool plain = (tcp[TCP_FLAGS] & ~(PSH | ECE)) == ACK;
	if (!plain || header < IPV6_HEADER + TCP_HEADER_MINIMUM || header >= packet->length)
		return 0;
	return header;
}

static bool checksum_is_right(struct packet *packet)
{
	const uint8_t *octets = packet_data(packet);
	size_t length = (size_t)packet->length - IPV6_HEADER;

	return fold((uint64_t)pseudo_sum(octets, length) + sum_of(octets + IPV6_HEADER, length)) == 0xffff;
}

/* True when the headers differ in nothing but lengths, sequence numbers, PSH and checksums. */
static bool headers_agree(const uint8_t *a, const uint8_t *b, size_t header)
{
	const uint8_t *x = a + IPV6_HEADER, *y = b + IPV6_HEADER;

	return memcmp(a, b, IPV6_PAYLOAD_LENGTH) == 0 &&
	       memcmp(a + IPV6_NEXT_HEADER, b + IPV6_NEXT_HEADER, IPV6_HEADER - IPV6_NEXT_HEADER + TCP_SEQUENCE) == 0 &&
	       memcmp(x + TCP_ACKNOWLEDGEMENT, y + TCP_ACKNOWLEDGEMENT, TCP_FLAGS - TCP_ACKNOWLEDGEMENT) == 0 &&
	       ((x[TCP_FLAGS] ^ y[TCP_FLAGS]) & ~PSH) == 0 &&
	       memcmp(x + TCP_FLAGS + 1, y + TCP_FLAGS + 1, TCP_CHECKSUM - TCP_FLAGS - 1) == 0 &&
	       memcmp(x + TCP_URGENT, y + TCP_URGENT, header - IPV6_HEADER - TCP_URGENT) == 0;
}

static uint8_t flags_of(struct packet *packet)
{
	return packet_data(packet)[IPV6_HEADER + TCP_FLAGS];
}

/* True when `next` can be added to a run that starts with `first`. */
static bool continues(const struct segment_run *run, struct packet *first, struct packet *next)
{
	if (joinable_header(next) != run->header || !headers_agree(packet_data(first), packet_data(next), run->header))
		return false;
	size_t payload = next->length - run->header;
	uint32_t sequence = get_u32(packet_data(first) + IPV6_HEADER + TCP_SEQUENCE);
	uint32_t next_sequence = get_u32(packet_data(next) + IPV6_HEADER + TCP_SEQUENCE);
	return payload <= run->segment && run->length + payload <= IPV6_HEADER + IPV6_PAYLOAD_MAXIMUM &&
	       next_sequence == sequence + (uint32_t)(run->length - run->header) && checksum_is_right(next);
}

static void write_joined_header(const struct segment_run *run, uint8_t *octets, uint8_t last_flags)
{
	uint8_t *tcp = octets + IPV6_HEADER;
	size_t length = run->length - IPV6_HEADER;

	put_u16(octets + IPV6_PAYLOAD_LENGTH, (uint16_t)length);
	tcp[TCP_FLAGS] |= last_flags & PSH;
	put_u16(tcp + TCP_CHECKSUM, pseudo_sum(octets, length));
}

struct segment_run segments_join(struct packet_vector *vector, size_t first)
{
	struct packet *head = &vector->packets[first], *last = head;
	struct segment_run run = {.count = 1, .length = head->length, .header = joinable_header(head)};

	if (!run.header || first + 1 >= vector->count)
		return run;
	run.segment = run.length - run.header;
	/* Only the last may be shorter, and what carries PSH is the last. */
	while (first + run.count < vector->count && !(flags_of(last) & PSH) &&
		last->length - run.header == run.segment) {
		struct packet *next = &vector->packets[first + run.count];

		if (!continues(&run, head, next) || (run.count == 1 && !checksum_is_right(head)))
			break;
		run.length += next->length - run.header;
		run.count++;
		last = next;
	}
	if (run.count > 1)
		write_joined_header(&run, packet_data(head), flags_of(last));
	return run;
}
