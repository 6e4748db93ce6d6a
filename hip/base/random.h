/* SPDX-License-Identifier: MIT */
/**
 * Where randomness comes from. The daemon hands in the system's generator, a test a seeded one; nothing else draws.
 */
#ifndef HIPHOP_HIP_BASE_RANDOM_H
#define HIPHOP_HIP_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/** A source of random octets. `fill` never fails and never blocks after start. Borrowed by its users. */
struct random_source {
	void (*fill)(void *context, void *out, size_t length);
	void *context;
};

void random_fill(const struct random_source *source, void *out, size_t length);
uint32_t random_u32(const struct random_source *source);
uint64_t random_u64(const struct random_source *source);
/** Uniform in 0 … bound - 1; 0 when bound is 0. */
uint32_t random_below(const struct random_source *source, uint32_t bound);

/** A seeded generator for tests and simulation (not secure). Same seed, same octets, on every machine. */
struct seeded_random {
	uint64_t state[4];
};
struct random_source seeded_random_start(struct seeded_random *generator, uint64_t seed);

#endif
