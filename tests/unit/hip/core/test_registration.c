/* SPDX-License-Identifier: MIT */
#include "hip/core/registration.h"

#include "tests/unit/cmocka.h"

/* RFC 8003 section 4.2: 4 ms to 178 days. */
static void test_lifetimes(void **state)
{
	(void)state;
	assert_int_equal(registration_lifetime(0), 0);
	assert_int_equal(registration_lifetime(64), SECONDS(1));
	assert_int_equal(registration_lifetime(72), SECONDS(2));
	assert_int_equal(registration_lifetime(56), MILLISECONDS(500));
	assert_in_range(registration_lifetime(1), MILLISECONDS(4), MILLISECONDS(5));
	assert_in_range(registration_lifetime(255) / SECONDS(86400), 177, 178);
	/* Half a step is the square root of two. */
	assert_in_range(registration_lifetime(68), MILLISECONDS(1414), MILLISECONDS(1415));
}

static void test_there_and_back(void **state)
{
	(void)state;
	for (unsigned value = 1; value <= UINT8_MAX; value++) {
		duration lifetime = registration_lifetime((uint8_t)value);

		assert_true(lifetime > registration_lifetime((uint8_t)(value - 1)));
		assert_int_equal(registration_value(lifetime), value);
		assert_int_equal(registration_value(lifetime - 1), value - 1);
	}
	assert_int_equal(registration_value(0), 0);
	assert_int_equal(registration_value(UINT64_MAX), UINT8_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lifetimes),
		cmocka_unit_test(test_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
