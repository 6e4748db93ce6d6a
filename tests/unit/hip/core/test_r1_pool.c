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

static void start(instant now)
{
	memset(&pool, 0, sizeof pool);
	source = seeded_random_start(&generator, 1);
	r1_pool_start(&pool, &source, 100, now);
}

/* conforms: RFC7401-4.1.4-3 RFC7401-4.1.4-4 RFC7401-5.2.3-1 RFC7401-5.2.3-2 RFC7401-5.3.2-4 RFC7401-6.7.1-3
 * RFC7401-6.9-7 */
static void a_generation_has_its_time(void **state)
{
	(void)state;
	start(SECONDS(10));
	assert_int_equal(r1_pool_offered(&pool, SECONDS(10))->counter, 100);
	assert_int_equal(r1_pool_offered(&pool, SECONDS(129))->counter, 100);
	assert_int_equal(r1_pool_offered(&pool, SECONDS(130))->counter, 101);
	/* the old one is accepted for a while */
	assert_non_null(r1_pool_find(&pool, 100, SECONDS(131)));
	assert_non_null(r1_pool_find(&pool, 101, SECONDS(131)));
	assert_null(r1_pool_find(&pool, 100, SECONDS(130) + R1_POOL_ACCEPTED + 1));
	assert_null(r1_pool_find(&pool, 99, SECONDS(131)));
	assert_null(r1_pool_find(&pool, 0, SECONDS(131)));
	r1_pool_free(&pool);
}

/* conforms: RFC7401-5.3.2-6 RFC7401-5.3.2-8 RFC7401-6.7.1-2 */
static void a_used_generation_goes_early(void **state)
{
	static const uint8_t i[48] = {1, 2, 3};
	const struct span puzzle = {i, sizeof i};
	struct r1_generation *generation;

	(void)state;
	start(0);
	generation = r1_pool_offered(&pool, 0);
	assert_false(r1_generation_is_solved(generation, puzzle));
	assert_int_equal(r1_generation_note_solved(generation, puzzle), HIPHOP_OK);
	assert_true(r1_generation_is_solved(generation, puzzle));
	assert_int_equal(r1_generation_note_solved(generation, (struct span){i, 4}), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(r1_pool_offered(&pool, R1_POOL_OFFERED_USED - 1)->counter, 100);
	assert_int_equal(r1_pool_offered(&pool, R1_POOL_OFFERED_USED)->counter, 101);
	r1_pool_free(&pool);
}

static void the_oldest_makes_room(void **state)
{
	(void)state;
	start(0);
	for (uint64_t n = 0; n < 20; n++) {
		struct r1_generation *generation = r1_pool_offered(&pool, n * R1_POOL_OFFERED_USED);

		assert_int_equal(generation->counter, 100 + n);
		generation->used = true;
	}
	assert_null(r1_pool_find(&pool, 119 - R1_POOL_GENERATIONS, 19 * R1_POOL_OFFERED_USED));
	assert_non_null(r1_pool_find(&pool, 120 - R1_POOL_GENERATIONS, 19 * R1_POOL_OFFERED_USED));
	r1_pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_generation_has_its_time),
		cmocka_unit_test(a_used_generation_goes_early),
		cmocka_unit_test(the_oldest_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
