/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hip/core/rate_table.h"

static struct seeded_random generator;
static struct random_source randomness;

static struct hit hit_number(uint8_t number)
{
	return (struct hit){{0x20, 0x01, 0x00, 0x21, [15] = number}};
}

static struct rate_table *table_of(uint32_t per_second, uint32_t burst, size_t entries)
{
	struct rate_table *table = NULL;

	randomness = seeded_random_start(&generator, 1);
	assert_int_equal(rate_table_create(per_second, burst, entries, &randomness, &table), HIPHOP_OK);
	return table;
}

static void test_each_hit_has_its_own_bucket(void **state)
{
	(void)state;
	struct rate_table *table = table_of(1, 2, 8);
	struct hit a = hit_number(1), b = hit_number(2);

	assert_true(rate_table_take(table, &a, SECONDS(10)));
	assert_true(rate_table_take(table, &a, SECONDS(10)));
	assert_false(rate_table_take(table, &a, SECONDS(10)));
	assert_true(rate_table_take(table, &b, SECONDS(10)));
	assert_true(rate_table_take(table, &a, SECONDS(11)));
	assert_false(rate_table_take(table, &a, SECONDS(11)));
	rate_table_free(table);
}

static void test_the_least_recently_used_makes_room(void **state)
{
	(void)state;
	struct rate_table *table = table_of(1, 1, 2);
	struct hit a = hit_number(1), b = hit_number(2), c = hit_number(3);

	assert_true(rate_table_take(table, &a, 0));
	assert_true(rate_table_take(table, &b, 0));
	assert_false(rate_table_take(table, &a, 0));
	assert_true(rate_table_take(table, &c, 0)); /* pushes b out */
	assert_int_equal(rate_table_count(table), 2);
	assert_false(rate_table_take(table, &a, 0));
	assert_true(rate_table_take(table, &b, 0));
	rate_table_free(table);
}

static void test_a_table_of_nothing_is_refused(void **state)
{
	(void)state;
	struct rate_table *table = NULL;
	struct random_source random = seeded_random_start(&generator, 1);

	assert_int_equal(rate_table_create(0, 1, 1, &random, &table), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(rate_table_create(1, 0, 1, &random, &table), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(rate_table_create(1, 1, 0, &random, &table), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(rate_table_create(1, 1, 1, NULL, &table), HIPHOP_INVALID_ARGUMENT);
	rate_table_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_hit_has_its_own_bucket),
		cmocka_unit_test(test_the_least_recently_used_makes_room),
		cmocka_unit_test(test_a_table_of_nothing_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
