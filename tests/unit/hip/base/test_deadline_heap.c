/* SPDX-License-Identifier: MIT */
#include "hip/base/deadline_heap.h"

#include "hip/base/random.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/failing_allocation.h"

#include <stdlib.h>
#include <string.h>

static void test_comes_out_in_order(void **state)
{
	struct deadline_heap heap;
	struct deadline deadlines[200];
	struct seeded_random generator;
	struct random_source random = seeded_random_start(&generator, 3);
	instant last = 0;

	(void)state;
	memset(deadlines, 0, sizeof deadlines);
	deadline_heap_start(&heap);
	assert_true(deadline_heap_next(&heap) == INSTANT_NEVER);
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(deadline_set(&heap, &deadlines[i], random_below(&random, 1000)), HIPHOP_OK);
	for (size_t i = 0; i < 200; i += 3)
		deadline_cancel(&heap, &deadlines[i]);
	for (size_t i = 1; i < 200; i += 3)
		assert_int_equal(deadline_set(&heap, &deadlines[i], random_below(&random, 1000)), HIPHOP_OK);
	assert_int_equal(heap.count, 133);
	for (size_t i = 0; i < 133; i++) {
		struct deadline *first = deadline_heap_pop(&heap, INSTANT_NEVER);

		assert_non_null(first);
		assert_int_equal(first->slot, 0);
		assert_true(first->at >= last);
		last = first->at;
	}
	assert_null(deadline_heap_pop(&heap, INSTANT_NEVER));
	deadline_heap_free(&heap);
}

static void test_ties_keep_the_order_of_setting(void **state)
{
	struct deadline_heap heap;
	struct deadline deadlines[20];

	(void)state;
	memset(deadlines, 0, sizeof deadlines);
	deadline_heap_start(&heap);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(deadline_set(&heap, &deadlines[i], 5), HIPHOP_OK);
	assert_int_equal(deadline_set(&heap, &deadlines[0], 5), HIPHOP_OK); /* now the last */
	assert_null(deadline_heap_pop(&heap, 4));
	for (size_t i = 1; i < 20; i++)
		assert_ptr_equal(deadline_heap_pop(&heap, 5), &deadlines[i]);
	assert_ptr_equal(deadline_heap_pop(&heap, 5), &deadlines[0]);
	deadline_heap_free(&heap);
}

static void test_cancel_twice_and_free_while_set(void **state)
{
	struct deadline_heap heap;
	struct deadline deadline = {0};

	(void)state;
	deadline_heap_start(&heap);
	deadline_cancel(&heap, &deadline);
	assert_int_equal(deadline_set(&heap, &deadline, 1), HIPHOP_OK);
	deadline_cancel(&heap, &deadline);
	deadline_cancel(&heap, &deadline);
	assert_int_equal(heap.count, 0);
	assert_int_equal(deadline_set(&heap, &deadline, 1), HIPHOP_OK);
	deadline_heap_free(&heap);
	assert_int_equal(deadline.slot, 0);
}

static void test_no_memory_changes_nothing(void **state)
{
	struct deadline_heap heap;
	struct deadline deadlines[17];

	(void)state;
	memset(deadlines, 0, sizeof deadlines);
	deadline_heap_start(&heap);
	assert_int_equal(deadline_heap_reserve(&heap, SIZE_MAX), HIPHOP_NO_MEMORY);
	assert_int_equal(deadline_heap_reserve(&heap, 16), HIPHOP_OK);
	failing_allocation_after(0);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(deadline_set(&heap, &deadlines[i], i), HIPHOP_OK); /* room was reserved */
	assert_int_equal(deadline_set(&heap, &deadlines[16], 0), HIPHOP_NO_MEMORY);
	failing_allocation_stop();
	assert_int_equal(deadlines[16].slot, 0);
	assert_int_equal(heap.count, 16);
	assert_true(deadline_heap_next(&heap) == 0);
	deadline_heap_free(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_out_in_order),
		cmocka_unit_test(test_ties_keep_the_order_of_setting),
		cmocka_unit_test(test_cancel_twice_and_free_while_set),
		cmocka_unit_test(test_no_memory_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
