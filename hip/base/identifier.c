/* SPDX-License-Identifier: MIT */
#include "hip/base/identifier.h"

#include <arpa/inet.h>
#include <string.h>

/* Where the ring position starts: behind prefix and OGA nibble. */
#define POSITION_OFFSET (HIT_LENGTH - RING_POSITION_LENGTH)

static const uint8_t orchid_prefix[POSITION_OFFSET] = {0x20, 0x01, 0x00, 0x20};

bool hit_equal(const struct hit *a, const struct hit *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

int hit_compare(const struct hit *a, const struct hit *b)
{
	return memcmp(a, b, sizeof *a);
}

bool hit_is_null(const struct hit *hit)
{
	static const struct hit null_hit;

	return hit_equal(hit, &null_hit);
}

bool hit_has_orchid_prefix(const struct hit *hit)
{
	return memcmp(hit->octets, orchid_prefix, 3) == 0 && (hit->octets[3] & 0xf0) == orchid_prefix[3];
}

bool hit_is_host(const struct hit *hit)
{
	return hit_has_orchid_prefix(hit) && hit_suite(hit) != 0;
}

uint8_t hit_suite(const struct hit *hit)
{
	return hit->octets[3] & 0x0f;
}

char *hit_format(const struct hit *hit, char text[static HIT_TEXT_SIZE])
{
	if (!inet_ntop(AF_INET6, hit->octets, text, HIT_TEXT_SIZE))
		text[0] = '\0';
	return text;
}

hiphop_error hit_parse(const char *text, struct hit *hit)
{
	struct hit parsed;

	if (inet_pton(AF_INET6, text, parsed.octets) != 1 || !hit_has_orchid_prefix(&parsed))
		return HIPHOP_MALFORMED;
	*hit = parsed;
	return HIPHOP_OK;
}

static struct hit at_position(const uint8_t *position)
{
	struct hit id;

	memcpy(id.octets, orchid_prefix, POSITION_OFFSET);
	memcpy(id.octets + POSITION_OFFSET, position, RING_POSITION_LENGTH);
	return id;
}

hiphop_error resource_id_from_digest(const uint8_t *digest, size_t digest_length, struct hit *resource_id)
{
	if (digest_length < RING_POSITION_LENGTH)
		return HIPHOP_INVALID_ARGUMENT;
	*resource_id = at_position(digest + digest_length - RING_POSITION_LENGTH);
	return HIPHOP_OK;
}

struct hit resource_id_at(const struct hit *id)
{
	return at_position(id->octets + POSITION_OFFSET);
}

bool ring_position_equal(const struct hit *a, const struct hit *b)
{
	return ring_position_compare(a, b) == 0;
}

int ring_position_compare(const struct hit *a, const struct hit *b)
{
	return memcmp(a->octets + POSITION_OFFSET, b->octets + POSITION_OFFSET, RING_POSITION_LENGTH);
}

void ring_distance(const struct hit *from, const struct hit *to, uint8_t distance[static RING_POSITION_LENGTH])
{
	int borrow = 0;

	for (size_t i = RING_POSITION_LENGTH; i-- > 0;) {
		int digit = to->octets[POSITION_OFFSET + i] - from->octets[POSITION_OFFSET + i] - borrow;

		borrow = digit < 0;
		distance[i] = (uint8_t)(digit & 0xff);
	}
}

bool ring_in_arc(const struct hit *from, const struct hit *id, const struct hit *to)
{
	static const uint8_t zero[RING_POSITION_LENGTH];
	uint8_t to_id[RING_POSITION_LENGTH];
	uint8_t to_end[RING_POSITION_LENGTH];

	if (ring_position_equal(from, to))
		return true;
	ring_distance(from, id, to_id);
	ring_distance(from, to, to_end);
	return memcmp(to_id, zero, sizeof zero) != 0 && memcmp(to_id, to_end, sizeof to_id) <= 0;
}

struct hit ring_offset(const struct hit *id, unsigned bit)
{
	struct hit result = resource_id_at(id);
	unsigned carry;

	if (bit >= 8 * RING_POSITION_LENGTH)
		return result;
	carry = 1u << (bit % 8);
	for (size_t i = HIT_LENGTH - bit / 8; carry && i-- > POSITION_OFFSET;) {
		unsigned digit = result.octets[i] + carry;

		result.octets[i] = (uint8_t)(digit & 0xff);
		carry = digit >> 8;
	}
	return result;
}
