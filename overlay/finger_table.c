/* SPDX-License-Identifier: MIT */
#include "overlay/chord.h"

unsigned finger_index(const struct hit *self, const struct hit *id)
{
	uint8_t distance[RING_POSITION_LENGTH];
	unsigned index = 0;

	ring_distance(self, id, distance);
	while (index < CHORD_FINGERS && !(distance[index / 8] & (0x80U >> index % 8)))
		index++;
	return index;
}

uint32_t finger_table_filled(const struct chord *chord)
{
	uint32_t filled = 0;

	for (size_t i = 0; i < chord->count; i++) {
		unsigned index = finger_index(&chord->self, &chord->members[i]);
		if (index < CHORD_FINGERS)
			filled |= UINT32_C(1) << index;
	}
	return filled;
}

/* Fingers that the successors already cover need no search. */
static unsigned fingers_wanted(const struct chord *chord)
{
	if (chord->count <= CHORD_NEIGHBOURS)
		return 0;
	return finger_index(&chord->self, &chord->members[CHORD_NEIGHBOURS - 1]);
}

/* The start of finger i plus a random offset below its length. */
static struct hit random_in_finger(const struct hit *self, unsigned index, const struct random_source *random)
{
	struct hit position = ring_offset(self, 95 - index);
	uint8_t octets[RING_POSITION_LENGTH];

	random_fill(random, octets, sizeof(octets));
	for (unsigned bit = 0; bit < 95 - index; bit++)
		if (octets[bit / 8] & (1U << bit % 8))
			position = ring_offset(&position, bit);
	return position;
}

bool finger_table_gap(const struct chord *chord, const struct random_source *random, struct hit *position)
{
	uint32_t filled = finger_table_filled(chord);
	unsigned wanted = fingers_wanted(chord), chosen = CHORD_FINGERS;

	for (unsigned i = 0; i < wanted; i++) {
		if (filled & (UINT32_C(1) << i))
			continue;
		chosen = i;
		if (random_below(random, 2) == 0)
			break;
	}
	if (chosen == CHORD_FINGERS)
		return false;
	*position = random_in_finger(&chord->self, chosen, random);
	return true;
}

size_t finger_table_members(const struct chord *chord, struct hit nodes[static CHORD_FINGERS])
{
	unsigned previous = CHORD_FINGERS;
	size_t count = 0;

	/* Members go up from us, so finger indices fall; the first member met is the nearest of its finger. */
	for (size_t i = 0; i < chord->count; i++) {
		unsigned index = finger_index(&chord->self, &chord->members[i]);
		if (index < CHORD_FINGERS && index != previous && count < CHORD_FINGERS)
			nodes[count++] = chord->members[i];
		previous = index;
	}
	return count;
}
