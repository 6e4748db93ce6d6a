/* SPDX-License-Identifier: MIT */
/* An association stays small: whoever adds to one sees it here. bench_memory prints the numbers. */
#include "tests/bench/association_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* So many that what malloc keeps at hand for the next does not matter. */
#define ASSOCIATIONS 1000

static void an_association_stays_small(void **state)
{
	struct association_memory found;

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip(); /* it has another malloc */
#endif
	assert_true(association_memory_measure(ASSOCIATIONS, &found));
	assert_in_range(found.later.own, 1, ASSOCIATION_MEMORY_ALLOWED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(an_association_stays_small)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
