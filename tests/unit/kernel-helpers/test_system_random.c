/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/system_random.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"

#include <string.h>

static void octets_differ_and_are_wiped_from_the_pool(void **state)
{
	(void)state;
	struct system_random random;
	struct random_source source;
	uint8_t first[32], second[32];
	assert_int_equal(system_random_start(&random, &source), HIPHOP_OK);
	random_fill(&source, first, sizeof first);
	random_fill(&source, second, sizeof second);
	assert_memory_not_equal(first, second, sizeof first);
	for (size_t i = 0; i < sizeof first + sizeof second; i++)
		assert_int_equal(random.pool[i], 0);
	system_random_stop(&random);
}

static void more_than_a_pool_at_once(void **state)
{
	(void)state;
	struct system_random random;
	struct random_source source;
	uint8_t many[SYSTEM_RANDOM_POOL * 3 + 5];
	size_t zeroes = 0;
	assert_int_equal(system_random_start(&random, &source), HIPHOP_OK);
	random_fill(&source, many, sizeof many);
	for (size_t i = 0; i < sizeof many; i++)
		zeroes += many[i] == 0;
	assert_true(zeroes < 100);
	/* Two refills must not be alike. */
	assert_memory_not_equal(many, many + SYSTEM_RANDOM_POOL, SYSTEM_RANDOM_POOL);
	system_random_stop(&random);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(octets_differ_and_are_wiped_from_the_pool),
		cmocka_unit_test(more_than_a_pool_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
