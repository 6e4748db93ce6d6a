/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "hip/core/puzzle_difficulty.h"

#define START SECONDS(1000)

static struct puzzle_difficulty difficulty;
static instant now;

static int start(void **state)
{
	(void)state;
	difficulty = puzzle_difficulty_start(10, 16, 1000, 200);
	now = START;
	return 0;
}

static uint8_t bits(void)
{
	return puzzle_difficulty_of(&difficulty, difficulty.level);
}

/* One second in which so many come, evenly; ticks when it is asked to. */
static void a_second_with(unsigned i1, unsigned i2, unsigned fill)
{
	for (unsigned n = 0; n < i1 || n < i2; n++) {
		instant at = now + n * (SECONDS(1) / (i1 > i2 ? i1 : i2));

		if (at >= puzzle_difficulty_next_wake(&difficulty))
			puzzle_difficulty_tick(&difficulty, at, fill);
		if (n < i1)
			puzzle_difficulty_note_i1(&difficulty, at);
		if (n < i2)
			puzzle_difficulty_note_i2(&difficulty, at);
	}
	now += SECONDS(1);
	if (now >= puzzle_difficulty_next_wake(&difficulty))
		puzzle_difficulty_tick(&difficulty, now, fill);
}

static void levels_lie_between(void **state)
{
	static const uint8_t expected[] = {10, 12, 14, 16};

	(void)state;
	for (unsigned level = 0; level < PUZZLE_LEVELS; level++)
		assert_int_equal(puzzle_difficulty_of(&difficulty, level), expected[level]);
	difficulty = puzzle_difficulty_start(7, 7, 1, 1);
	for (unsigned level = 0; level < PUZZLE_LEVELS; level++)
		assert_int_equal(puzzle_difficulty_of(&difficulty, level), 7);
}

/* conforms: RFC7401-4.1.1-2 */
static void it_follows_a_flood_of_i1(void **state)
{
	(void)state;
	assert_true(puzzle_difficulty_next_wake(&difficulty) == INSTANT_NEVER);
	for (int i = 0; i < 20; i++)
		a_second_with(400, 20, 0);
	assert_int_equal(bits(), 10);
	a_second_with(20000, 0, 0);
	assert_int_equal(bits(), 12);
	/* Anybody can forge them, so they alone do not bring the hardest puzzles. */
	for (int i = 0; i < 5; i++)
		a_second_with(20000, 0, 0);
	assert_int_equal(bits(), 14);
	assert_in_range(difficulty.i1_rate, 19000, 21000);
}

static void it_follows_a_flood_of_i2(void **state)
{
	(void)state;
	a_second_with(0, 250, 0);
	assert_int_equal(bits(), 12);
	assert_in_range(difficulty.i2_rate, 240, 260);
	for (int i = 0; i < 5; i++)
		a_second_with(0, 250, 0);
	assert_int_equal(bits(), 16);
}

static void it_follows_a_full_table(void **state)
{
	(void)state;
	a_second_with(1, 1, 74);
	assert_int_equal(bits(), 10);
	a_second_with(1, 1, 90);
	assert_int_equal(bits(), 12);
	/* It presses, so the level stays. */
	for (int i = 0; i < 40; i++)
		a_second_with(1, 1, 80);
	assert_int_equal(bits(), 12);
	for (int i = 0; i < 40; i++)
		a_second_with(1, 1, 10);
	assert_int_equal(bits(), 10);
}

static void it_falls_when_all_has_been_calm(void **state)
{
	(void)state;
	a_second_with(5000, 0, 0);
	a_second_with(5000, 0, 0);
	assert_int_equal(bits(), 14);
	/* Between the two thresholds nothing moves. */
	for (int i = 0; i < 60; i++)
		a_second_with(700, 0, 0);
	assert_int_equal(bits(), 14);
	/* Calm that is interrupted is not calm. */
	for (int i = 0; i < 60; i++)
		a_second_with(i % 8 ? 0 : 700, 0, 0);
	assert_int_equal(bits(), 14);
	for (unsigned i = 0; i < PUZZLE_CALM_WINDOWS + 1; i++)
		a_second_with(0, 0, 0);
	assert_int_equal(bits(), 12);
	for (unsigned i = 0; i < PUZZLE_CALM_WINDOWS + 2; i++)
		a_second_with(0, 0, 0);
	assert_int_equal(bits(), 10);
	/* and then it sleeps */
	assert_true(puzzle_difficulty_next_wake(&difficulty) == INSTANT_NEVER);
	assert_int_equal(difficulty.i1_rate, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(levels_lie_between, start),
		cmocka_unit_test_setup(it_follows_a_flood_of_i1, start),
		cmocka_unit_test_setup(it_follows_a_flood_of_i2, start),
		cmocka_unit_test_setup(it_follows_a_full_table, start),
		cmocka_unit_test_setup(it_falls_when_all_has_been_calm, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
