/* SPDX-License-Identifier: MIT */
#include "hip/crypto/algorithm_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void case_and_joints_do_not_count(void **state)
{
	(void)state;
	assert_true(algorithm_is_called("P-256", "p-256"));
	assert_true(algorithm_is_called("p256", "p-256"));
	assert_true(algorithm_is_called("aes128gcm16", "aes-128-gcm-16"));
	assert_true(algorithm_is_called("AES_128_GCM_16-", "aes-128-gcm-16"));
}

static void everything_else_does(void **state)
{
	(void)state;
	assert_false(algorithm_is_called("p-25", "p-256"));
	assert_false(algorithm_is_called("p-2567", "p-256"));
	assert_false(algorithm_is_called("", "p-256"));
	assert_false(algorithm_is_called("p 256", "p-256"));
	assert_false(algorithm_is_called("p-256", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(case_and_joints_do_not_count),
		cmocka_unit_test(everything_else_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
