/* SPDX-License-Identifier: MIT */
/**
 * Memory of an association, SAs included: many hosts make a base exchange with one host, half of them as Initiator, and
 * what that one holds afterwards is divided by their number. What the crypto library holds (the peer's public key, the
 * ciphers of the SAs) is counted apart. "At once" is right after the exchange, "later" when the association is
 * established on both sides. What malloc itself needs for each piece counts as ours, also where the piece is the crypto
 * library's. With the C library's malloc only.
 */
#ifndef HIPHOP_TESTS_BENCH_ASSOCIATION_MEMORY_H
#define HIPHOP_TESTS_BENCH_ASSOCIATION_MEMORY_H

#include "hip/wire/constants.h"
#include "tests/bench/host_pair.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>

/** Octets that an association may take, later, with P-256 and AES-128-GCM. */
#define ASSOCIATION_MEMORY_ALLOWED 3072

static size_t crypto_octets;

static inline void *count_malloc(size_t size, const char *file, int line)
{
	void *made = malloc(size);

	(void)file;
	(void)line;
	crypto_octets += malloc_usable_size(made);
	return made;
}

static inline void count_free(void *octets, const char *file, int line)
{
	(void)file;
	(void)line;
	crypto_octets -= malloc_usable_size(octets);
	free(octets);
}

static inline void *count_realloc(void *octets, size_t size, const char *file, int line)
{
	size_t before = malloc_usable_size(octets);
	void *made = realloc(octets, size);

	(void)file;
	(void)line;
	if (made || !size)
		crypto_octets += malloc_usable_size(made) - before;
	return made;
}

/** Octets. */
struct usage {
	size_t own, crypto;
};

/** Of one association, the mean. */
struct association_memory {
	struct usage at_once, later;
};

static inline struct usage usage_now(void)
{
	const struct mallinfo2 info = mallinfo2();

	/* Large pieces are mapped and counted apart. */
	return (struct usage){info.uordblks + info.hblkhd, crypto_octets};
}

static inline struct usage usage_between(struct usage before, struct usage after, unsigned associations)
{
	size_t crypto = after.crypto - before.crypto;

	return (struct usage){(after.own - before.own - crypto) / associations, crypto / associations};
}

/* End 1 is another host each time. */
static inline bool associate(struct host_pair *pair, unsigned number)
{
	struct end *peer = &pair->ends[1];
	const struct host_configuration configuration = {.puzzle_difficulty = 1};
	bool done;

	if (host_identity_from_seed(&pair->random, &peer->identity))
		return false;
	done = host_pair_start_end(pair, 1, configuration) && host_pair_exchange(pair, number % 2);
	host_free(peer->host);
	host_identity_free(peer->identity);
	peer->host = NULL;
	peer->identity = NULL;
	return done;
}

static inline bool association_memory_play(
	struct host_pair *pair, unsigned associations, struct association_memory *found)
{
	const struct host_configuration configuration = {.puzzle_difficulty = 1,
		.associations = associations + 8,
		.i2_per_second = 100000,
		.i1_per_second = 100000};
	struct host_effect effect;

	pair->now = SECONDS(1000);
	if (host_identity_from_seed(&pair->random, &pair->ends[0].identity) ||
		!host_pair_start_end(pair, 0, configuration) ||
		esp_create(host_identity_hit(pair->ends[0].identity), &pair->random, &pair->ends[0].esp))
		return false;
	/* What is made once, with the first. */
	if (!associate(pair, 0) || !associate(pair, 1))
		return false;
	struct usage before = usage_now();
	for (unsigned i = 0; i < associations; i++) {
		if (!associate(pair, i))
			return false;
		pair->now += MILLISECONDS(10);
	}
	found->at_once = usage_between(before, usage_now(), associations);
	for (unsigned i = 0; i < 15; i++) {
		host_tick(pair->ends[0].host, pair->now += SECONDS(1));
		while (host_next_effect(pair->ends[0].host, &effect))
			;
	}
	found->later = usage_between(before, usage_now(), associations);
	return true;
}

/** To be called once, before anything else is done. False when it cannot be measured, or an exchange failed. */
static inline bool association_memory_measure(unsigned associations, struct association_memory *found)
{
	static struct host_pair pair;
	bool done;

	if (!CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free))
		return false;
	pair.random = seeded_random_start(&pair.generator, 1);
	done = association_memory_play(&pair, associations, found);
	host_free(pair.ends[0].host);
	esp_free(pair.ends[0].esp);
	host_identity_free(pair.ends[0].identity);
	return done;
}

#endif
