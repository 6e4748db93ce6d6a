/* SPDX-License-Identifier: MIT */
#include "hip/base/random.h"

#include "tests/unit/cmocka.h"

#include <string.h>

static void test_known_stream(void **state)
{
	/* xoshiro256** from state {1, 2, 3, 4}: the first values, as the published code gives them. */
	struct seeded_random generator;
	struct random_source source = seeded_random_start(&generator, 0);

	(void)state;
	/* SplitMix64 from 0. */
	assert_true(generator.state[0] == UINT64_C(0xe220a8397b1dcdaf));
	assert_true(generator.state[1] == UINT64_C(0x6e789e6aa1b965f4));
	memcpy(generator.state, (uint64_t[]){1, 2, 3, 4}, sizeof generator.state);
	assert_true(random_u64(&source) == 11520);
	assert_true(random_u64(&source) == 0);
	assert_true(random_u64(&source) == 1509978240);
	assert_true(random_u64(&source) == UINT64_C(1215971899390074240));
}

static void test_same_seed_same_octets(void **state)
{
	struct seeded_random a, b, c;
	struct random_source first = seeded_random_start(&a, 7);
	struct random_source second = seeded_random_start(&b, 7);
	struct random_source third = seeded_random_start(&c, 8);
	uint8_t one[37], two[37], three[37];

	(void)state;
	random_fill(&first, one, sizeof one);
	random_fill(&second, two, sizeof two);
	random_fill(&third, three, sizeof three);
	assert_memory_equal(one, two, sizeof one);
	assert_memory_not_equal(one, three, sizeof one);
	random_fill(&first, NULL, 0);
}

static void test_below(void **state)
{
	struct seeded_random generator;
	struct random_source source = seeded_random_start(&generator, 1);
	unsigned seen[5] = {0};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint32_t value = random_below(&source, 5);

		assert_true(value < 5);
		seen[value]++;
	}
	for (size_t i = 0; i < 5; i++)
		assert_true(seen[i] > 100);
	assert_int_equal(random_below(&source, 0), 0);
	assert_int_equal(random_below(&source, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_stream),
		cmocka_unit_test(test_same_seed_same_octets),
		cmocka_unit_test(test_below),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
