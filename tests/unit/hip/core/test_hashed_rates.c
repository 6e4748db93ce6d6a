/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "hip/core/hashed_rates.h"

static struct seeded_random generator;
static struct random_source randomness;

static struct hashed_rates rates_of(duration interval, uint32_t burst, size_t cells)
{
	struct hashed_rates rates;

	randomness = seeded_random_start(&generator, 1);
	assert_int_equal(hashed_rates_start(&rates, interval, burst, cells, &randomness), HIPHOP_OK);
	return rates;
}

static unsigned taken(struct hashed_rates *rates, uint32_t key, instant now, uint32_t share)
{
	unsigned count = 0;

	while (hashed_rates_take(rates, &key, sizeof key, now, share))
		count++;
	return count;
}

static void each_key_has_its_rate(void **state)
{
	struct hashed_rates rates = rates_of(SECONDS(1), 3, 1000);

	(void)state;
	assert_int_equal(rates.count, 1024);
	assert_int_equal(taken(&rates, 1, SECONDS(100), 1), 3);
	assert_int_equal(taken(&rates, 2, SECONDS(100), 1), 3);
	assert_int_equal(taken(&rates, 1, SECONDS(100) + MILLISECONDS(999), 1), 0);
	assert_int_equal(taken(&rates, 1, SECONDS(101), 1), 1);
	assert_int_equal(taken(&rates, 1, SECONDS(103), 1), 2);
	assert_int_equal(taken(&rates, 1, SECONDS(500), 1), 3);
	hashed_rates_free(&rates);
}

static void a_share_costs_less(void **state)
{
	struct hashed_rates rates = rates_of(SECONDS(1), 3, 64);

	(void)state;
	assert_int_equal(taken(&rates, 1, SECONDS(100), 5), 15);
	assert_int_equal(taken(&rates, 1, SECONDS(100), 1), 0);
	assert_int_equal(taken(&rates, 1, SECONDS(101), 5), 5);
	hashed_rates_free(&rates);
}

/* What a table that forgets would give: a fresh allowance after enough others. */
static void others_win_nobody_a_fresh_rate(void **state)
{
	struct hashed_rates rates = rates_of(SECONDS(1), 1, 256);

	(void)state;
	assert_int_equal(taken(&rates, 1, SECONDS(100), 1), 1);
	for (uint32_t key = 2; key < 100000; key++)
		hashed_rates_take(&rates, &key, sizeof key, SECONDS(100), 1);
	assert_int_equal(taken(&rates, 1, SECONDS(100), 1), 0);
	hashed_rates_free(&rates);
}

static void nonsense_is_refused(void **state)
{
	struct hashed_rates rates;

	(void)state;
	randomness = seeded_random_start(&generator, 1);
	assert_int_equal(hashed_rates_start(&rates, 0, 1, 1, &randomness), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(hashed_rates_start(&rates, 1, 0, 1, &randomness), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(hashed_rates_start(&rates, 1, 1, 0, &randomness), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(hashed_rates_start(&rates, 1, 1, SIZE_MAX, &randomness), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(hashed_rates_start(&rates, 1, 1, 1, NULL), HIPHOP_INVALID_ARGUMENT);
	hashed_rates_free(&rates);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_has_its_rate),
		cmocka_unit_test(a_share_costs_less),
		cmocka_unit_test(others_win_nobody_a_fresh_rate),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
