/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "hip/core/r1_pool.h"

static struct seeded_random generator;
static struct random_source source;
static struct r1_pool pool;

static void start(void)
{
	memset(&pool, 0, sizeof pool);
	source = seeded_random_start(&generator, 1);
	r1_pool_start(&pool, &source, 100);
}

/* As r1_preparation.c does, when it has made the next generation. */
static void turn_when_due(instant now)
{
	if (now >= r1_pool_due(&pool))
		r1_pool_turn(&pool, now);
}

static uint64_t offer(instant now)
{
	r1_pool_note_offer(&pool, now);
	return r1_pool_current(&pool)->counter;
}

/* conforms: RFC7401-4.1.4-3 RFC7401-4.1.4-4 RFC7401-5.2.3-1 RFC7401-5.2.3-2 RFC7401-5.3.2-4 RFC7401-6.7.1-3
 * RFC7401-6.9-7 */
static void a_generation_has_its_time(void **state)
{
	(void)state;
	start();
	/* Nobody has asked: it stays. */
	assert_true(r1_pool_due(&pool) == INSTANT_NEVER);
	assert_null(r1_pool_find(&pool, 100, SECONDS(5)));
	assert_int_equal(offer(SECONDS(10)), 100);
	assert_int_equal(offer(SECONDS(60)), 100);
	assert_int_equal(r1_pool_due(&pool), SECONDS(130));
	turn_when_due(SECONDS(129));
	assert_int_equal(r1_pool_current(&pool)->counter, 100);
	turn_when_due(SECONDS(130));
	assert_int_equal(offer(SECONDS(131)), 101);
	/* the old one is accepted for a while */
	assert_non_null(r1_pool_find(&pool, 100, SECONDS(131)));
	assert_non_null(r1_pool_find(&pool, 101, SECONDS(131)));
	assert_non_null(r1_pool_find(&pool, 100, SECONDS(130) + R1_POOL_ACCEPTED));
	assert_null(r1_pool_find(&pool, 100, SECONDS(130) + R1_POOL_ACCEPTED + 1));
	assert_null(r1_pool_find(&pool, 99, SECONDS(131)));
	assert_null(r1_pool_find(&pool, 0, SECONDS(131)));
	r1_pool_free(&pool);
}

/* conforms: RFC7401-6.7.1-2 */
static void a_used_generation_goes_early(void **state)
{
	static const uint8_t i[48] = {1, 2, 3};
	const struct span puzzle = {i, sizeof i};
	struct r1_generation *generation;

	(void)state;
	start();
	offer(SECONDS(1));
	generation = r1_pool_current(&pool);
	assert_false(r1_generation_is_solved(generation, puzzle));
	assert_int_equal(r1_generation_note_solved(generation, puzzle), HIPHOP_OK);
	assert_true(r1_generation_is_solved(generation, puzzle));
	assert_int_equal(r1_generation_note_solved(generation, (struct span){i, 4}), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(r1_pool_due(&pool), SECONDS(1) + R1_POOL_OFFERED_USED);
	r1_pool_free(&pool);
}

/* The next generation is made ready while the present one is offered, and is not offered before its turn. */
static void the_next_is_made_ready(void **state)
{
	struct r1_generation *next;

	(void)state;
	start();
	offer(SECONDS(1));
	next = r1_pool_next(&pool);
	assert_int_equal(next->counter, 101);
	assert_ptr_equal(r1_pool_next(&pool), next);
	assert_int_equal(offer(SECONDS(2)), 100);
	assert_null(r1_pool_find(&pool, 101, SECONDS(2)));
	r1_pool_turn(&pool, SECONDS(3));
	assert_ptr_equal(r1_pool_current(&pool), next);
	assert_int_equal(offer(SECONDS(3)), 101);
	assert_non_null(r1_pool_find(&pool, 101, SECONDS(3)));
	r1_pool_free(&pool);
}

static void the_oldest_makes_room(void **state)
{
	(void)state;
	start();
	/* and only when it is not accepted any more */
	assert_true((R1_POOL_GENERATIONS - 1) * R1_POOL_OFFERED_USED >= R1_POOL_ACCEPTED);
	for (uint64_t n = 0; n < 20; n++) {
		instant now = SECONDS(1) + n * R1_POOL_OFFERED_USED;

		turn_when_due(now);
		assert_int_equal(offer(now), 100 + n);
		r1_pool_current(&pool)->used = true;
	}
	assert_null(r1_pool_find(&pool, 119 - R1_POOL_GENERATIONS, SECONDS(1) + 19 * R1_POOL_OFFERED_USED));
	assert_non_null(r1_pool_find(&pool, 121 - R1_POOL_GENERATIONS, SECONDS(1) + 19 * R1_POOL_OFFERED_USED));
	r1_pool_free(&pool);
}

static void the_nearest_difficulty_serves(void **state)
{
	struct r1_entry entry = {.key = NULL};
	uint8_t octets[2] = {1, 2};
	unsigned level = 3;

	(void)state;
	assert_null(r1_entry_find(&entry, &level));
	entry.r1[1] = (struct buffer){.data = octets, .length = 2};
	assert_ptr_equal(r1_entry_find(&entry, &level), &entry.r1[1]);
	assert_int_equal(level, 1);
	level = 0;
	assert_ptr_equal(r1_entry_find(&entry, &level), &entry.r1[1]);
	assert_int_equal(level, 1);
	entry.r1[3] = (struct buffer){.data = octets, .length = 2};
	level = 2;
	assert_ptr_equal(r1_entry_find(&entry, &level), &entry.r1[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_generation_has_its_time),
		cmocka_unit_test(a_used_generation_goes_early),
		cmocka_unit_test(the_next_is_made_ready),
		cmocka_unit_test(the_oldest_makes_room),
		cmocka_unit_test(the_nearest_difficulty_serves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
