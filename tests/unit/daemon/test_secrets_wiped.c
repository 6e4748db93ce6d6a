/* SPDX-License-Identifier: MIT */
/*
 * After CLOSE, and the time that a closed association is remembered, no secret of the association is left anywhere in
 * the writable memory of the process: not on the heap (freed or not), not on the stack, not inside the crypto library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hip/core/host_internal.h"
#include "hip/wire/packet.h"
#include "hip/wire/parameters.h"
#include "tests/bench/host_pair.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Enough of a secret to know it by; shorter ones could be there by chance. */
#define KNOWN_BY        16
#define SECRETS_MAXIMUM 64
/* The test's own copies are kept so that the search does not find them. */
#define MASK 0xa5

struct masked_secret {
	const char *name;
	uint8_t octets[KNOWN_BY];
};

static struct masked_secret secrets[SECRETS_MAXIMUM];
static size_t secret_count;

static void keep(const char *name, const uint8_t *octets)
{
	static const uint8_t nothing[KNOWN_BY];
	struct masked_secret *secret = &secrets[secret_count];

	if (!memcmp(octets, nothing, KNOWN_BY))
		return;
	assert_true(secret_count < SECRETS_MAXIMUM);
	secret_count++;
	secret->name = name;
	for (size_t i = 0; i < KNOWN_BY; i++)
		secret->octets[i] = octets[i] ^ MASK;
}

/* ---- the search ---- */

static bool is_at(const struct masked_secret *secret, const uint8_t *place)
{
	for (size_t i = 0; i < KNOWN_BY; i++) {
		if ((place[i] ^ MASK) != secret->octets[i])
			return false;
	}
	return true;
}

/* By first octets, so that a region is gone through once. */
static size_t count_in(const uint8_t *octets, size_t length, bool found[static SECRETS_MAXIMUM])
{
	size_t places = 0;

	for (size_t at = 0; at + KNOWN_BY <= length; at++) {
		for (size_t i = 0; i < secret_count; i++) {
			if ((octets[at] ^ MASK) != secrets[i].octets[0] || !is_at(&secrets[i], octets + at))
				continue;
			found[i] = true;
			places++;
		}
	}
	return places;
}

/* Reads through the file of the memory, piece by piece with overlaps, as pages may be missing. */
static size_t search_region(int memory, uint64_t start, uint64_t end, bool found[static SECRETS_MAXIMUM])
{
	static uint8_t piece[65536];
	size_t places = 0;

	for (uint64_t at = start; at < end; at += sizeof piece - KNOWN_BY) {
		size_t wanted = end - at < sizeof piece ? (size_t)(end - at) : sizeof piece;

		/* The piece itself lies in a region, too. */
		if (at <= (uintptr_t)piece + sizeof piece && at + wanted > (uintptr_t)piece)
			continue;
		ssize_t length = pread(memory, piece, wanted, (off_t)at);
		if (length > 0)
			places += count_in(piece, (size_t)length, found);
	}
	bytes_wipe(piece, sizeof piece);
	return places;
}

static size_t search_memory(bool found[static SECRETS_MAXIMUM])
{
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	size_t places = 0;

	assert_true(memory >= 0);
	assert_non_null(maps);
	memset(found, 0, SECRETS_MAXIMUM * sizeof *found);
	while (fgets(line, sizeof line, maps)) {
		uint64_t start, end;
		char rights[5];

		if (sscanf(line, "%lx-%lx %4s", &start, &end, rights) == 3 && rights[0] == 'r' && rights[1] == 'w')
			places += search_region(memory, start, end, found);
	}
	fclose(maps);
	close(memory);
	return places;
}

/* ---- what is secret ---- */

static struct diffie_hellman *responders_key(const struct host *responder, uint8_t group)
{
	for (size_t g = 0; g < R1_POOL_GENERATIONS; g++) {
		const struct r1_generation *generation = &responder->r1_pool.generations[g];

		for (size_t i = 0; generation->counter && i < HOST_ALGORITHMS_MAXIMUM; i++) {
			if (generation->entries[i] && diffie_hellman_group_id(generation->entries[i]->key) == group)
				return generation->entries[i]->key;
		}
	}
	return NULL;
}

/* Kij, as the Responder computes it from an I2 that crosses. */
static void keep_shared_secret(const struct host_pair *pair, const struct host_effect *effect)
{
	struct packet_view view;
	struct parameter_diffie_hellman public;
	struct shared_secret shared;

	if (effect->kind != HOST_SEND || packet_parse(effect->octets, effect->length, &view) ||
		view.type != HIP_PACKET_I2 ||
		parameter_diffie_hellman_read(packet_find(&view, PARAMETER_DIFFIE_HELLMAN), &public))
		return;
	assert_int_equal(
		diffie_hellman_agree(responders_key(pair->ends[1].host, public.group), public.public_value, &shared),
		HIPHOP_OK);
	keep("Kij", shared.octets);
	shared_secret_clear(&shared);
}

static void keep_esp_keys(struct host_pair *pair, unsigned from, const struct host_effect *effect)
{
	(void)pair;
	(void)from;
	keep_shared_secret(pair, effect);
	if (effect->kind != HOST_INSTALL_SA)
		return;
	keep("ESP encryption, in", effect->sa->keys_in.encryption);
	keep("ESP encryption, out", effect->sa->keys_out.encryption);
	keep("ESP authentication, in", effect->sa->keys_in.authentication);
	keep("ESP authentication, out", effect->sa->keys_out.authentication);
}

static void keep_session_keys(const struct host_pair *pair, unsigned end)
{
	const struct association *association =
		association_find(pair->ends[end].host, host_identity_hit(pair->ends[1 - end].identity));
	const struct exchange_keys *keys = &association->session->keys;

	keep("HIP encryption, in", keys->incoming.encryption);
	keep("HIP encryption, out", keys->outgoing.encryption);
	keep("HIP integrity, in", keys->incoming.integrity);
	keep("HIP integrity, out", keys->outgoing.integrity);
	keep("KEYMAT", keys->keymat.pseudorandom_key);
}

/* ---- the test ---- */

static void start(struct host_pair *pair, const struct host_configuration *configuration)
{
	memset(pair, 0, sizeof *pair);
	secret_count = 0;
	pair->random = seeded_random_start(&pair->generator, 7);
	pair->now = SECONDS(1000);
	pair->seen = keep_esp_keys;
	for (unsigned end = 0; end < ENDS; end++) {
		assert_int_equal(host_identity_from_seed(&pair->random, &pair->ends[end].identity), HIPHOP_OK);
		assert_true(host_pair_start_end(pair, end, *configuration));
		assert_int_equal(
			esp_create(host_identity_hit(pair->ends[end].identity), &pair->random, &pair->ends[end].esp),
			HIPHOP_OK);
	}
}

static void stop(struct host_pair *pair)
{
	for (unsigned end = 0; end < ENDS; end++) {
		host_free(pair->ends[end].host);
		esp_free(pair->ends[end].esp);
		host_identity_free(pair->ends[end].identity);
	}
}

/* `name` NULL: none of them. */
static void expect_no(const char *name)
{
	bool found[SECRETS_MAXIMUM];
	size_t places = 0;

	(void)search_memory(found);
	for (size_t i = 0; i < secret_count; i++) {
		if (!found[i] || (name && strcmp(name, secrets[i].name) != 0))
			continue;
		print_error("left in memory: %s\n", secrets[i].name);
		places++;
	}
	assert_int_equal(places, 0);
}

/* The shadow of the address sanitizer has terabytes, and its quarantine is there to be looked at. */
static void skip_under_sanitizer(void)
{
#ifdef __SANITIZE_ADDRESS__
	skip();
#endif
}

static void close_wipes(const struct host_configuration *configuration)
{
	static struct host_pair pair;
	bool found[SECRETS_MAXIMUM];

	skip_under_sanitizer();
	start(&pair, configuration);
	assert_true(host_pair_exchange(&pair, 0));
	/* Kij goes as soon as KEYMAT is made from it. */
	expect_no("Kij");
	keep_session_keys(&pair, 0);
	keep_session_keys(&pair, 1);
	assert_true(secret_count >= 6);
	/* The search finds what is there. */
	assert_true(search_memory(found) > 0);
	host_close(pair.ends[0].host, pair.now, host_identity_hit(pair.ends[1].identity));
	host_pair_deliver(&pair);
	for (unsigned second = 0; second < 600; second++)
		host_pair_let_pass(&pair, SECONDS(1));
	expect_no(NULL);
	stop(&pair);
}

static void close_wipes_gcm(void **state)
{
	(void)state;
	close_wipes(&(struct host_configuration){.puzzle_difficulty = 1, .esp_suites = {12}, .esp_suite_count = 1});
}

static void close_wipes_cbc_and_hmac(void **state)
{
	(void)state;
	close_wipes(&(struct host_configuration){.puzzle_difficulty = 1, .esp_suites = {8}, .esp_suite_count = 1});
}

static void close_wipes_modp(void **state)
{
	(void)state;
	close_wipes(&(struct host_configuration){
		.puzzle_difficulty = 1, .dh_groups = {DH_GROUP_MODP_2048}, .dh_group_count = 1});
}

static void close_wipes_after_silence(void **state)
{
	static struct host_pair pair;

	(void)state;
	skip_under_sanitizer();
	start(&pair, &(struct host_configuration){.puzzle_difficulty = 1});
	assert_true(host_pair_exchange(&pair, 0));
	keep_session_keys(&pair, 0);
	keep_session_keys(&pair, 1);
	host_free(pair.ends[1].host);
	pair.ends[1].host = NULL;
	host_free(pair.ends[0].host);
	pair.ends[0].host = NULL;
	for (unsigned end = 0; end < ENDS; end++) {
		esp_free(pair.ends[end].esp);
		pair.ends[end].esp = NULL;
	}
	expect_no(NULL);
	stop(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(close_wipes_gcm),
		cmocka_unit_test(close_wipes_cbc_and_hmac),
		cmocka_unit_test(close_wipes_modp),
		cmocka_unit_test(close_wipes_after_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
