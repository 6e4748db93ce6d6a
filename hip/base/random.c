/* SPDX-License-Identifier: MIT */
#include "hip/base/random.h"

void random_fill(const struct random_source *source, void *out, size_t length)
{
	if (length)
		source->fill(source->context, out, length);
}

uint32_t random_u32(const struct random_source *source)
{
	return (uint32_t)(random_u64(source) >> 32);
}

uint64_t random_u64(const struct random_source *source)
{
	uint8_t octets[8];
	uint64_t value = 0;

	random_fill(source, octets, sizeof octets);
	for (size_t i = sizeof octets; i-- > 0;)
		value = value << 8 | octets[i];
	return value;
}

uint32_t random_below(const struct random_source *source, uint32_t bound)
{
	/* The high half of a 64 by 32 bit product: uneven by less than 2^-32, and no loop that a poor source could
	 * hold. */
	return (uint32_t)((unsigned __int128)random_u64(source) * bound >> 64);
}

static uint64_t rotate_left(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

/* xoshiro256** 1.0 of Blackman and Vigna. */
static uint64_t next(struct seeded_random *generator)
{
	uint64_t *state = generator->state;
	uint64_t result = rotate_left(state[1] * 5, 7) * 9;
	uint64_t shifted = state[1] << 17;

	state[2] ^= state[0];
	state[3] ^= state[1];
	state[1] ^= state[2];
	state[0] ^= state[3];
	state[2] ^= shifted;
	state[3] = rotate_left(state[3], 45);
	return result;
}

static void seeded_fill(void *context, void *out, size_t length)
{
	uint8_t *octets = out;
	uint64_t value = 0;

	for (size_t i = 0; i < length; i++) {
		value = i % 8 ? value >> 8 : next(context);
		octets[i] = (uint8_t)value;
	}
}

struct random_source seeded_random_start(struct seeded_random *generator, uint64_t seed)
{
	/* SplitMix64 spreads the seed, as the authors of the generator advise. */
	for (size_t i = 0; i < 4; i++) {
		uint64_t mixed = seed += UINT64_C(0x9e3779b97f4a7c15);

		mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
		generator->state[i] = mixed ^ mixed >> 31;
	}
	return (struct random_source){.fill = seeded_fill, .context = generator};
}
