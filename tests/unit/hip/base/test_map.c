/* SPDX-License-Identifier: MIT */
#include "hip/base/map.h"

#include "tests/unit/cmocka.h"
#include "tests/unit/failing_allocation.h"

#include <stdlib.h>
#include <string.h>

static struct seeded_random generator;

static struct map fresh_map(size_t key_length)
{
	struct random_source random = seeded_random_start(&generator, 11);
	struct map map;

	map_start(&map, key_length, &random);
	return map;
}

static void test_siphash_vectors(void **state)
{
	/* The reference vectors of SipHash-2-4: key 00…0f, message 00, 01, …, as many octets as the row. */
	static const struct {
		size_t length;
		uint64_t hash;
	} rows[] = {
		{0, UINT64_C(0x726fdb47dd0e0e31)},
		{1, UINT64_C(0x74f839c593dc67fd)},
		{7, UINT64_C(0xab0200f58b01d137)},
		{8, UINT64_C(0x93f5f5799a932462)},
		{15, UINT64_C(0xa129ca6149be45e5)},
		{63, UINT64_C(0x958a324ceb064572)},
	};
	uint8_t key[16], message[64];

	(void)state;
	for (uint8_t i = 0; i < 16; i++)
		key[i] = i;
	for (uint8_t i = 0; i < 64; i++)
		message[i] = i;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_true(map_hash(key, message, rows[i].length) == rows[i].hash);
}

static void test_put_get_remove(void **state)
{
	struct map map = fresh_map(4);
	static uint32_t values[1000];

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		values[i] = i;
		assert_int_equal(map_put(&map, &values[i], &values[i]), HIPHOP_OK);
	}
	assert_int_equal(map.count, 1000);
	for (uint32_t i = 0; i < 1000; i++)
		assert_ptr_equal(map_get(&map, &i), &values[i]);
	for (uint32_t i = 0; i < 1000; i += 2)
		assert_ptr_equal(map_remove(&map, &i), &values[i]);
	for (uint32_t i = 0; i < 1000; i++)
		assert_ptr_equal(map_get(&map, &i), i % 2 ? &values[i] : NULL);
	assert_null(map_remove(&map, &values[0]));
	assert_int_equal(map_put(&map, &values[1], &values[3]), HIPHOP_OK); /* replaces */
	assert_int_equal(map.count, 500);
	assert_ptr_equal(map_get(&map, &values[1]), &values[3]);
	assert_int_equal(map_put(&map, &values[1], NULL), HIPHOP_INVALID_ARGUMENT);
	map_free(&map);
	assert_null(map_get(&map, &values[1]));
}

static void test_walk_goes_in_order_and_allows_removal(void **state)
{
	struct map map = fresh_map(2);
	uint16_t keys[] = {9, 3, 7, 1, 5};
	struct map_walk walk;
	const void *key;
	uint16_t *value;
	size_t i = 0;

	(void)state;
	for (size_t k = 0; k < 5; k++)
		assert_int_equal(map_put(&map, &keys[k], &keys[k]), HIPHOP_OK);
	walk = map_walk_start(&map);
	while ((value = map_walk_next(&walk, &key))) {
		assert_ptr_equal(value, &keys[i]);
		assert_memory_equal(key, &keys[i], 2);
		if (i++ % 2 == 0)
			assert_ptr_equal(map_remove(&map, key), value);
	}
	assert_int_equal(i, 5);
	walk = map_walk_start(&map);
	assert_ptr_equal(map_walk_next(&walk, NULL), &keys[1]);
	assert_ptr_equal(map_walk_next(&walk, NULL), &keys[3]);
	assert_null(map_walk_next(&walk, NULL));
	map_free(&map);
}

static void test_no_memory_changes_nothing(void **state)
{
	struct map map = fresh_map(4);
	uint32_t keys[40];

	(void)state;
	for (uint32_t i = 0; i < 40; i++) {
		bool stored = false;

		keys[i] = i;
		for (unsigned allowed = 0; !stored; allowed++) {
			hiphop_error error;

			failing_allocation_after(allowed);
			error = map_put(&map, &keys[i], &keys[i]);
			failing_allocation_stop();
			stored = error == HIPHOP_OK;
			assert_true(error == HIPHOP_NO_MEMORY || (stored && allowed > 0));
			assert_int_equal(map.count, stored ? i + 1 : i);
			assert_ptr_equal(map_get(&map, &keys[i]), stored ? &keys[i] : NULL);
			assert_ptr_equal(map_get(&map, &keys[0]), i || stored ? &keys[0] : NULL);
		}
	}
	map_free(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siphash_vectors),
		cmocka_unit_test(test_put_get_remove),
		cmocka_unit_test(test_walk_goes_in_order_and_allows_removal),
		cmocka_unit_test(test_no_memory_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
