/* SPDX-License-Identifier: MIT */
#include "hip/base/token_bucket.h"

#include "tests/unit/cmocka.h"

static unsigned take_all(struct token_bucket *bucket, instant now)
{
	unsigned taken = 0;

	while (taken < 1000 && token_bucket_take(bucket, now))
		taken++;
	return taken;
}

static void test_burst_then_rate(void **state)
{
	struct token_bucket bucket = token_bucket_start(10, 5, SECONDS(1));

	(void)state;
	assert_int_equal(take_all(&bucket, SECONDS(1)), 5);
	assert_false(token_bucket_take(&bucket, SECONDS(1) + MILLISECONDS(99)));
	assert_true(token_bucket_take(&bucket, SECONDS(1) + MILLISECONDS(100)));
	/* Half an interval is not lost by asking in between. */
	assert_false(token_bucket_take(&bucket, SECONDS(1) + MILLISECONDS(150)));
	assert_true(token_bucket_take(&bucket, SECONDS(1) + MILLISECONDS(200)));
	assert_int_equal(take_all(&bucket, SECONDS(100)), 5);
}

static void test_odd_input(void **state)
{
	struct token_bucket bucket = token_bucket_start(UINT32_MAX, 2, SECONDS(5));

	(void)state;
	assert_int_equal(take_all(&bucket, SECONDS(5)), 2);
	assert_false(token_bucket_take(&bucket, SECONDS(4))); /* time went back */
	assert_true(token_bucket_take(&bucket, INSTANT_NEVER));
	bucket = token_bucket_start(1, 0, 0);
	assert_int_equal(take_all(&bucket, SECONDS(5)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_then_rate),
		cmocka_unit_test(test_odd_input),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
