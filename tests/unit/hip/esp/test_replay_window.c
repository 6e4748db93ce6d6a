/* SPDX-License-Identifier: MIT */
#include "hip/esp/replay_window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define WINDOW  REPLAY_WINDOW_SIZE
#define HIGH(n) ((uint64_t)(n) << 32)

/* Each row: a number that arrives, and whether it is taken. */
struct arrival {
	uint64_t sequence;
	bool taken;
};

static void check_arrivals(const struct arrival *rows, size_t count)
{
	struct replay_window window = {0};

	for (size_t i = 0; i < count; i++) {
		if (replay_window_is_fresh(&window, rows[i].sequence) != rows[i].taken)
			fail_msg("row %zu: fresh is not %d", i, rows[i].taken);
		if (replay_window_accept(&window, rows[i].sequence) != rows[i].taken)
			fail_msg("row %zu: accept is not %d", i, rows[i].taken);
	}
}

/* conforms: RFC7402-3.3.6-1 */
static void test_order_and_replay(void **state)
{
	(void)state;
	static const struct arrival rows[] = {
		{0, false},
		{1, true},
		{1, false},
		{3, true},
		{2, true},
		{2, false},
		{3, false},
		{4, true},
		{WINDOW + 4, true},
		{4, false},
		{5, true},
		{5, false},
		{WINDOW + 3, true},
		{10 * WINDOW, true},
		{9 * WINDOW, false},
		{9 * WINDOW + 1, true},
		{9 * WINDOW + 1, false},
		{10 * WINDOW - 1, true},
		{10 * WINDOW, false},
	};

	check_arrivals(rows, sizeof(rows) / sizeof(rows[0]));
}

/* What was seen stays seen, what is left of the narrow window stays refused, and what comes after may be late by more.
 */
static void test_a_widened_window(void **state)
{
	struct replay_window window = {0};
	const uint64_t far = HIGH(1) - 5000; /* its low half runs over on the way */

	(void)state;
	for (uint64_t n = 1; n <= 3 * WINDOW; n += 2)
		assert_true(replay_window_accept(&window, n));
	assert_int_equal(replay_window_widen(&window), HIPHOP_OK);
	assert_int_equal(replay_window_widen(&window), HIPHOP_OK);
	for (uint64_t n = 0; n <= 3 * WINDOW - 1; n++)
		assert_int_equal(replay_window_is_fresh(&window, n), n >= 2 * WINDOW && n % 2 == 0);
	assert_true(replay_window_accept(&window, 3 * WINDOW + 50000));
	assert_true(replay_window_accept(&window, 3 * WINDOW + 1000));
	assert_false(replay_window_accept(&window, 3 * WINDOW + 1000));
	assert_true(replay_window_accept(&window, 3 * WINDOW + 2));
	assert_false(replay_window_accept(&window, 3 * WINDOW - 1));
	assert_true(replay_window_accept(&window, far));
	assert_true(replay_window_accept(&window, far - REPLAY_WINDOW_WIDE + 1));
	assert_false(replay_window_accept(&window, far - REPLAY_WINDOW_WIDE));
	for (uint64_t n = far + 1; n < far + 10000; n += 3)
		assert_int_equal(replay_window_infer(&window, (uint32_t)n), n);
	assert_true(replay_window_accept(&window, far + 9000));
	assert_int_equal(replay_window_infer(&window, (uint32_t)(far - 40000)), far - 40000);
	assert_true(replay_window_accept(&window, far + 1));
	replay_window_free(&window);
}

static void test_slide_clears_what_is_skipped(void **state)
{
	(void)state;
	struct replay_window window = {0};

	for (uint64_t n = 1; n <= WINDOW; n++)
		assert_true(replay_window_accept(&window, n));
	assert_true(replay_window_accept(&window, WINDOW + 100));
	for (uint64_t n = WINDOW + 1; n < WINDOW + 100; n++)
		assert_true(replay_window_is_fresh(&window, n));
	for (uint64_t n = 1; n <= WINDOW; n++)
		assert_false(replay_window_is_fresh(&window, n));
}

/* Each row: where the window stands, the low half that arrives, the full number. */
/* conforms: RFC7402-3.3.6-2 */
static void test_high_half_is_inferred(void **state)
{
	(void)state;
	static const struct {
		uint64_t highest;
		uint32_t low;
		uint64_t full;
	} rows[] = {
		{0, 1, 1},
		{5, 6, 6},
		{5000, 4999, 4999},
		{UINT32_MAX, 0, HIGH(1)},
		{UINT32_MAX - 1, UINT32_MAX, UINT32_MAX},
		{HIGH(1), UINT32_MAX, UINT32_MAX},
		{HIGH(1) + 10, UINT32_MAX - 5, UINT32_MAX - 5},
		{HIGH(1) + 10, 11, HIGH(1) + 11},
		{HIGH(1) + WINDOW, 1, HIGH(1) + 1},
		{HIGH(1) + 5000, 100, HIGH(2) + 100},
		{HIGH(7) + 5000, 5001, HIGH(7) + 5001},
		{10, UINT32_MAX, UINT32_MAX},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct replay_window window = {.highest = rows[i].highest};

		assert_int_equal(replay_window_infer(&window, rows[i].low), rows[i].full);
	}
}

/* conforms: RFC7402-3.3.6-2 */
static void test_across_the_32_bit_border(void **state)
{
	(void)state;
	struct replay_window window = {.highest = UINT32_MAX - 500};

	for (uint64_t n = UINT32_MAX - 499; n < HIGH(1) + 500; n++) {
		uint64_t inferred = replay_window_infer(&window, (uint32_t)n);

		assert_int_equal(inferred, n);
		assert_true(replay_window_accept(&window, inferred));
		assert_false(replay_window_accept(&window, inferred));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_replay),
		cmocka_unit_test(test_a_widened_window),
		cmocka_unit_test(test_slide_clears_what_is_skipped),
		cmocka_unit_test(test_high_half_is_inferred),
		cmocka_unit_test(test_across_the_32_bit_border),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
