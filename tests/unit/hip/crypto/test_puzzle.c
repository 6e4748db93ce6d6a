/* SPDX-License-Identifier: MIT */
#include "hip/crypto/puzzle.h"

#include "tests/unit/hip/crypto/material.h"

static struct seeded_random generator;
static struct random_source random_octets;

static const struct puzzle_parties parties = {
	HASH_SHA384, {{0x20, 0x01, 0, 0x22, [15] = 1}}, {{0x20, 0x01, 0, 0x22, [15] = 2}}};
static const duration lifetime = SECONDS(100);

static struct puzzle_source fresh_source(instant now)
{
	struct puzzle_source source;
	random_octets = seeded_random_start(&generator, 5);
	puzzle_source_start(&source, &random_octets, lifetime, now);
	return source;
}

static struct span solve(const struct puzzle_parties *who, uint8_t difficulty, struct span i, uint8_t *j)
{
	struct puzzle_search search;
	assert_int_equal(puzzle_search_start(&search, who, difficulty, i, &random_octets), HIPHOP_OK);
	hiphop_error error;
	while ((error = puzzle_search_run(&search, 100)) == HIPHOP_LIMITED)
		;
	assert_int_equal(error, HIPHOP_OK);
	memcpy(j, search.j, i.length);
	return (struct span){j, i.length};
}

/* conforms: RFC7401-6.9-9 */
static void test_solution_is_accepted_for_every_rhash(void **state)
{
	static const hash_algorithm hashes[] = {HASH_SHA1, HASH_SHA256, HASH_SHA384};
	(void)state;
	for (size_t n = 0; n < 3; n++) {
		struct puzzle_source source = fresh_source(0);
		struct puzzle_parties who = parties;
		uint8_t i[48], j[48];
		who.rhash = hashes[n];
		const struct span i_span = {i, hash_length(who.rhash)};
		assert_int_equal(puzzle_make(&source, 1, &who, 10, 7, i), HIPHOP_OK);
		struct span j_span = solve(&who, 10, i_span, j);
		assert_int_equal(puzzle_check(&source, 2, &who, 10, 7, i_span, j_span), HIPHOP_OK);
		assert_int_equal(puzzle_verify(&who, 10, i_span, j_span), HIPHOP_OK);
		puzzle_source_clear(&source);
	}
}

/* RHASH(#I | HIT-I | HIT-R | #J) of a solved puzzle, by hand: the last ten bits are zero. */
/* conforms: RFC7401-4.1.2-1 RFC7401-5.3.3-4 RFC7401-6.3-1 */
static void test_bits_are_the_low_ones(void **state)
{
	struct puzzle_source source = fresh_source(0);
	uint8_t i[48], j[48], digest[64];
	(void)state;
	puzzle_make(&source, 1, &parties, 10, 7, i);
	solve(&parties, 10, (struct span){i, 48}, j);
	const struct span input[] = {{i, 48}, {parties.initiator.octets, 16}, {parties.responder.octets, 16}, {j, 48}};
	hash_spans(HASH_SHA384, input, 4, digest);
	assert_int_equal(digest[47], 0);
	assert_int_equal(digest[46] & 3, 0);
}

/* conforms: RFC7401-4.1.2-3 RFC7401-4.1.2-4 */
static void test_what_is_not_ours_is_refused(void **state)
{
	struct puzzle_source source = fresh_source(0), other = fresh_source(0);
	uint8_t i[48], j[48];
	const struct span i_span = {i, 48}, j_span = {j, 48};
	(void)state;
	random_fill(&random_octets, other.current, sizeof other.current);
	puzzle_make(&source, 1, &parties, 4, 7, i);
	solve(&parties, 4, i_span, j);
	assert_int_equal(puzzle_check(&source, 1, &parties, 4, 7, i_span, j_span), HIPHOP_OK);
	assert_int_equal(puzzle_check(&other, 1, &parties, 4, 7, i_span, j_span), HIPHOP_BAD_PUZZLE);
	assert_int_equal(puzzle_check(&source, 1, &parties, 4, 8, i_span, j_span), HIPHOP_BAD_PUZZLE);
	assert_int_equal(puzzle_check(&source, 1, &parties, 4, 7, (struct span){i, 47}, j_span), HIPHOP_BAD_PUZZLE);
	assert_int_equal(puzzle_check(&source, 1, &parties, 4, 7, i_span, (struct span){j, 32}), HIPHOP_BAD_PUZZLE);
	struct puzzle_parties swapped = {HASH_SHA384, parties.responder, parties.initiator};
	assert_int_equal(puzzle_check(&source, 1, &swapped, 4, 7, i_span, j_span), HIPHOP_BAD_PUZZLE);
	i[0] ^= 1;
	assert_int_equal(puzzle_check(&source, 1, &parties, 4, 7, i_span, j_span), HIPHOP_BAD_PUZZLE);
}

/* conforms: RFC7401-6.9-9 */
static void test_wrong_solution_is_refused(void **state)
{
	struct puzzle_source source = fresh_source(0);
	uint8_t i[48], j[48];
	const struct span i_span = {i, 48}, j_span = {j, 48};
	unsigned accepted = 0;
	(void)state;
	puzzle_make(&source, 1, &parties, 12, 7, i);
	solve(&parties, 12, i_span, j);
	for (int bit = 0; bit < 64; bit++) {
		j[bit / 8] ^= (uint8_t)(1 << bit % 8);
		accepted += puzzle_check(&source, 1, &parties, 12, 7, i_span, j_span) == HIPHOP_OK;
		j[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(accepted, 0);
	assert_int_equal(puzzle_verify(&parties, 255, i_span, j_span), HIPHOP_BAD_PUZZLE);
}

/* The #K that was asked for comes back under the protection of #I. */
/* conforms: RFC7401-4.1.2-4 */
static void test_the_initiator_does_not_choose_the_difficulty(void **state)
{
	struct puzzle_source source = fresh_source(0);
	uint8_t i[48], j[48];
	const struct span i_span = {i, 48}, j_span = {j, 48};
	(void)state;
	puzzle_make(&source, 1, &parties, 9, 7, i);
	solve(&parties, 9, i_span, j);
	assert_int_equal(puzzle_check(&source, 1, &parties, 9, 7, i_span, j_span), HIPHOP_OK);
	for (uint8_t claimed = 0; claimed < 9; claimed++)
		assert_int_equal(puzzle_check(&source, 1, &parties, claimed, 7, i_span, j_span), HIPHOP_BAD_PUZZLE);
}

static void test_opaque_gives_another_number(void **state)
{
	struct puzzle_source source = fresh_source(0);
	uint8_t one[48], same[48], other[48];
	(void)state;
	puzzle_make(&source, 1, &parties, 9, 1, one);
	puzzle_make(&source, 2, &parties, 9, 1, same);
	puzzle_make(&source, 1, &parties, 9, 2, other);
	assert_memory_equal(one, same, 48);
	assert_memory_not_equal(one, other, 48);
}

/* Good for one lifetime at least, for two at most. */
/* conforms: RFC7401-4.1.2-8 */
static void test_age(void **state)
{
	static const struct {
		instant made, checked;
		hiphop_error expected;
	} rows[] = {
		{SECONDS(0), SECONDS(99), HIPHOP_OK},
		{SECONDS(99), SECONDS(101), HIPHOP_OK},
		{SECONDS(99), SECONDS(199), HIPHOP_OK},
		{SECONDS(1), SECONDS(150), HIPHOP_OK},
		{SECONDS(1), SECONDS(200), HIPHOP_BAD_PUZZLE},
		{SECONDS(99), SECONDS(500), HIPHOP_BAD_PUZZLE},
	};
	(void)state;
	for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
		struct puzzle_source source = fresh_source(0);
		uint8_t i[48], j[48];
		puzzle_make(&source, rows[n].made, &parties, 1, 7, i);
		solve(&parties, 1, (struct span){i, 48}, j);
		assert_int_equal(puzzle_check(&source, rows[n].checked, &parties, 1, 7, (struct span){i, 48},
					 (struct span){j, 48}),
			rows[n].expected);
	}
}

/* The same, when the owner rotates on its ticks. */
/* conforms: RFC7401-4.1.2-6 RFC7401-4.1.2-7 RFC7401-4.1.2-8 */
static void test_rotation_by_ticks(void **state)
{
	struct puzzle_source source = fresh_source(SECONDS(10));
	uint8_t i[48], j[48];
	(void)state;
	assert_int_equal(puzzle_source_next_rotation(&source), SECONDS(110));
	puzzle_make(&source, SECONDS(20), &parties, 1, 7, i);
	solve(&parties, 1, (struct span){i, 48}, j);
	assert_false(puzzle_source_rotate(&source, SECONDS(109)));
	assert_true(puzzle_source_rotate(&source, SECONDS(110)));
	assert_int_equal(source.generation, 2);
	assert_int_equal(
		puzzle_check(&source, SECONDS(111), &parties, 1, 7, (struct span){i, 48}, (struct span){j, 48}),
		HIPHOP_OK);
	assert_true(puzzle_source_rotate(&source, SECONDS(210)));
	assert_int_equal(
		puzzle_check(&source, SECONDS(211), &parties, 1, 7, (struct span){i, 48}, (struct span){j, 48}),
		HIPHOP_BAD_PUZZLE);
}

static void test_search_limits(void **state)
{
	struct puzzle_search search;
	uint8_t i[48] = {0};
	(void)state;
	random_octets = seeded_random_start(&generator, 5);
	assert_int_equal(
		puzzle_search_start(&search, &parties, 10, (struct span){i, 32}, &random_octets), HIPHOP_MALFORMED);
	struct puzzle_parties small = parties;
	small.rhash = HASH_SHA1;
	assert_int_equal(
		puzzle_search_start(&search, &small, 161, (struct span){i, 20}, &random_octets), HIPHOP_MALFORMED);
	small.rhash = HASH_NONE;
	assert_int_equal(
		puzzle_search_start(&search, &small, 1, (struct span){i, 20}, &random_octets), HIPHOP_UNSUPPORTED);
	assert_int_equal(puzzle_search_start(&search, &parties, 200, (struct span){i, 48}, &random_octets), HIPHOP_OK);
	assert_int_equal(puzzle_search_run(&search, 50), HIPHOP_LIMITED);
	assert_int_equal(search.tries, 50);
	assert_int_equal(puzzle_search_run(&search, 0), HIPHOP_LIMITED);
	assert_int_equal(puzzle_search_start(&search, &parties, 0, (struct span){i, 48}, &random_octets), HIPHOP_OK);
	assert_int_equal(puzzle_search_run(&search, 1), HIPHOP_OK);
	assert_int_equal(search.tries, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_solution_is_accepted_for_every_rhash),
		cmocka_unit_test(test_bits_are_the_low_ones),
		cmocka_unit_test(test_what_is_not_ours_is_refused),
		cmocka_unit_test(test_wrong_solution_is_refused),
		cmocka_unit_test(test_the_initiator_does_not_choose_the_difficulty),
		cmocka_unit_test(test_opaque_gives_another_number),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_rotation_by_ticks),
		cmocka_unit_test(test_search_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
