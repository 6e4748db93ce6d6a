/* SPDX-License-Identifier: MIT */
/**
 * Memory of an association, SAs included: many hosts make a base exchange with one host, half of them as Initiator, and
 * what that one holds afterwards is divided by their number. What the crypto library holds (the peer's public key, the
 * ciphers of the SAs) is counted apart. "At once" is right after the exchange, "later" when the association is
 * established on both sides. What malloc itself needs for each piece counts as ours, also where the piece is the crypto
 * library's.
 */
#include "hip/wire/constants.h"
#include "tests/bench/host_pair.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#define ASSOCIATIONS 1000

static size_t crypto_octets;

static void *count_malloc(size_t size, const char *file, int line)
{
	void *made = malloc(size);

	(void)file;
	(void)line;
	crypto_octets += malloc_usable_size(made);
	return made;
}

static void count_free(void *octets, const char *file, int line)
{
	(void)file;
	(void)line;
	crypto_octets -= malloc_usable_size(octets);
	free(octets);
}

static void *count_realloc(void *octets, size_t size, const char *file, int line)
{
	size_t before = malloc_usable_size(octets);
	void *made = realloc(octets, size);

	(void)file;
	(void)line;
	if (made || !size)
		crypto_octets += malloc_usable_size(made) - before;
	return made;
}

struct usage {
	size_t all, crypto;
};

static struct usage usage_now(void)
{
	const struct mallinfo2 info = mallinfo2();

	/* Large pieces are mapped and counted apart. */
	return (struct usage){info.uordblks + info.hblkhd, crypto_octets};
}

static void print_usage(const char *when, struct usage before, struct usage after)
{
	size_t crypto = after.crypto - before.crypto;

	printf("  %-34s %8zu octets of hiphop, %zu of the crypto library\n", when,
		(after.all - before.all - crypto) / ASSOCIATIONS, crypto / ASSOCIATIONS);
}

/* End 1 is another host each time. */
static bool associate(struct host_pair *pair, unsigned number)
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

static bool bench(struct host_pair *pair)
{
	const struct host_configuration configuration = {.puzzle_difficulty = 1,
		.associations = ASSOCIATIONS + 8,
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
	for (unsigned i = 0; i < ASSOCIATIONS; i++) {
		if (!associate(pair, i))
			return false;
		pair->now += MILLISECONDS(10);
	}
	print_usage("at once", before, usage_now());
	for (unsigned i = 0; i < 15; i++) {
		host_tick(pair->ends[0].host, pair->now += SECONDS(1));
		while (host_next_effect(pair->ends[0].host, &effect))
			;
	}
	print_usage("later", before, usage_now());
	return true;
}

int main(void)
{
	static struct host_pair pair;
	bool done;

	if (!CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free))
		return EXIT_FAILURE;
	pair.random = seeded_random_start(&pair.generator, 1);
	printf("Memory of an association, mean of %d (P-256, AES-128-GCM)\n", ASSOCIATIONS);
	done = bench(&pair);
	if (!done)
		fputs("bench_memory: an exchange failed\n", stderr);
	host_free(pair.ends[0].host);
	esp_free(pair.ends[0].esp);
	host_identity_free(pair.ends[0].identity);
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
