/* SPDX-License-Identifier: MIT */
/**
 * The 128-bit identifiers that every layer shares: Host Identity Tags (RFC 7401, RFC 7343) and the Resource-IDs of
 * the overlay, which look like a HIT with OGA nibble 0 (docs/hipv2-mapping.md). This file knows their shape,
 * their text form and their place on the ring; it knows no key and no hash.
 */
#ifndef HIPHOP_HIP_BASE_IDENTIFIER_H
#define HIPHOP_HIP_BASE_IDENTIFIER_H

#include "hip/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HIT_LENGTH 16
/** Room for the text form of an identifier and its terminating zero. */
#define HIT_TEXT_SIZE 40
/** Octets of an identifier that make its position on the ring: the low 96 bits. */
#define RING_POSITION_LENGTH 12

/** A HIT or a Resource-ID, in network order. All zero means "no HIT" (the NULL HIT of RFC 7401 section 5.1). */
struct hit {
	uint8_t octets[HIT_LENGTH];
};

bool hit_equal(const struct hit *a, const struct hit *b);
/** Unsigned big-endian comparison (RFC 7401 section 6.5): < 0, 0 or > 0. */
int hit_compare(const struct hit *a, const struct hit *b);
bool hit_is_null(const struct hit *hit);
/** True for anything inside 2001:20::/28, Resource-IDs included. */
bool hit_has_orchid_prefix(const struct hit *hit);
/** True for a HIT that a host may have: ORCHID prefix and OGA nibble other than 0. */
bool hit_is_host(const struct hit *hit);
/** The OGA nibble (the HIT Suite ID of RFC 7401 section 5.2.10), 0 to 15. */
uint8_t hit_suite(const struct hit *hit);
/** Writes the IPv6 text form (RFC 5952) and a zero; returns `text`. */
char *hit_format(const struct hit *hit, char text[static HIT_TEXT_SIZE]);
/** Parses IPv6 text. HIPHOP_MALFORMED when it is no IPv6 address or not inside 2001:20::/28. */
hiphop_error hit_parse(const char *text, struct hit *hit);

/** Makes the Resource-ID whose low 96 bits are the last 12 octets of `digest`; `digest_length` >= 12. */
hiphop_error resource_id_from_digest(const uint8_t *digest, size_t digest_length, struct hit *resource_id);
/** The Resource-ID at the ring position of `id` (its low 96 bits under OGA nibble 0). */
struct hit resource_id_at(const struct hit *id);
/** True when both have the same low 96 bits. */
bool ring_position_equal(const struct hit *a, const struct hit *b);
/** Comparison of the low 96 bits only: < 0, 0 or > 0. */
int ring_position_compare(const struct hit *a, const struct hit *b);
/** (to - from) modulo 2^96, big-endian, into `distance`. */
void ring_distance(const struct hit *from, const struct hit *to, uint8_t distance[static RING_POSITION_LENGTH]);
/** True when going up from `from` one meets `id` no later than `to`: the half-open arc (from, to]. The whole ring when
 * from equals to. */
bool ring_in_arc(const struct hit *from, const struct hit *id, const struct hit *to);
/** The Resource-ID at position(id) + 2^bit modulo 2^96, bit 0 to 95 (finger starts of Chord). */
struct hit ring_offset(const struct hit *id, unsigned bit);

#endif
