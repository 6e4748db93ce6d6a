/* SPDX-License-Identifier: MIT */
#include "hip/wire/coverage.h"

/* Places in the fixed header. */
#define OFFSET_HEADER_LENGTH 1
#define OFFSET_CHECKSUM      4
#define OFFSET_RECEIVER      24

/* Opaque and Random #I of PUZZLE start behind Type, Length, #K and Lifetime. */
#define OFFSET_PUZZLE_OPAQUE 6

/* Every value of an octet, so that a header length can be a span without a home of its own. */
#define EIGHT(n) (n), (n) + 1, (n) + 2, (n) + 3, (n) + 4, (n) + 5, (n) + 6, (n) + 7
#define SIXTY_FOUR(n)                                                                                                  \
	EIGHT(n), EIGHT(n + 8), EIGHT(n + 16), EIGHT(n + 24), EIGHT(n + 32), EIGHT(n + 40), EIGHT(n + 48), EIGHT(n + 56)
static const uint8_t octet_values[256] = {SIXTY_FOUR(0), SIXTY_FOUR(64), SIXTY_FOUR(128), SIXTY_FOUR(192)};

static const uint8_t zeros[PUZZLE_RANDOM_MAXIMUM + 2];

static void add(struct coverage *coverage, const uint8_t *data, size_t length)
{
	if (length)
		coverage->spans[coverage->count++] = (struct span){data, length};
}

static void add_range(struct coverage *coverage, const struct packet_view *view, size_t start, size_t end)
{
	add(coverage, view->octets.data + start, end - start);
}

size_t coverage_length(const struct coverage *coverage)
{
	size_t length = 0;

	for (size_t i = 0; i < coverage->count; i++)
		length += coverage->spans[i].length;
	return length;
}

/* The fixed header up to Receiver's HIT, as if the packet were `length` octets long (a multiple of 8, at most 2048). */
static void start(struct coverage *coverage, const struct packet_view *view, size_t length)
{
	coverage->count = 0;
	add_range(coverage, view, 0, OFFSET_HEADER_LENGTH);
	add(coverage, &octet_values[length / 8 - 1], 1);
	add_range(coverage, view, OFFSET_HEADER_LENGTH + 1, OFFSET_CHECKSUM);
	add(coverage, zeros, 2);
	add_range(coverage, view, OFFSET_CHECKSUM + 2, OFFSET_RECEIVER);
}

static hiphop_error cover_up_to(const struct packet_view *view, uint16_t type, struct coverage *coverage)
{
	const struct parameter_view *end = packet_find(view, type);

	coverage->count = 0;
	if (!end)
		return HIPHOP_NOT_FOUND;
	start(coverage, view, end->offset);
	add_range(coverage, view, OFFSET_RECEIVER, end->offset);
	return HIPHOP_OK;
}

hiphop_error coverage_of_mac(const struct packet_view *view, struct coverage *coverage)
{
	return cover_up_to(view, PARAMETER_HIP_MAC, coverage);
}

hiphop_error coverage_of_signature(const struct packet_view *view, struct coverage *coverage)
{
	return cover_up_to(view, PARAMETER_HIP_SIGNATURE, coverage);
}

hiphop_error coverage_of_relay_mac(const struct packet_view *view, uint16_t type, struct coverage *coverage)
{
	if (type != PARAMETER_RVS_HMAC && type != PARAMETER_RELAY_HMAC)
		return HIPHOP_INVALID_ARGUMENT;
	return cover_up_to(view, type, coverage);
}

static bool is_one_host_id(struct span encoded)
{
	struct parameter_list list;

	return parameters_parse(encoded.data, encoded.length, &list) == HIPHOP_OK && list.count == 1 &&
	       list.items[0].type == PARAMETER_HOST_ID;
}

hiphop_error coverage_of_mac_2(const struct packet_view *view, struct span host_id, struct coverage *coverage)
{
	const struct parameter_view *end = packet_find(view, PARAMETER_HIP_MAC_2);

	coverage->count = 0;
	if (!end)
		return HIPHOP_NOT_FOUND;
	if (!is_one_host_id(host_id))
		return HIPHOP_INVALID_ARGUMENT;
	if (end->offset + host_id.length > HIP_PACKET_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	start(coverage, view, end->offset + host_id.length);
	add_range(coverage, view, OFFSET_RECEIVER, end->offset);
	add(coverage, host_id.data, host_id.length);
	return HIPHOP_OK;
}

hiphop_error coverage_of_signature_2(const struct packet_view *view, struct coverage *coverage)
{
	const struct parameter_view *end = packet_find(view, PARAMETER_HIP_SIGNATURE_2);
	const struct parameter_view *puzzle = packet_find(view, PARAMETER_PUZZLE);
	size_t opaque;
	size_t zeroed;

	coverage->count = 0;
	if (!end || !puzzle)
		return HIPHOP_NOT_FOUND;
	if (puzzle->contents.length < 4 || puzzle->contents.length > 4 + PUZZLE_RANDOM_MAXIMUM)
		return HIPHOP_MALFORMED;
	opaque = puzzle->offset + (size_t)OFFSET_PUZZLE_OPAQUE;
	zeroed = puzzle->contents.length - 2;
	start(coverage, view, end->offset);
	add(coverage, zeros, HIT_LENGTH);
	add_range(coverage, view, HIP_HEADER_LENGTH, opaque);
	add(coverage, zeros, zeroed);
	add_range(coverage, view, opaque + zeroed, end->offset);
	return HIPHOP_OK;
}
