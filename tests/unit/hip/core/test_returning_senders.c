/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "hip/core/returning_senders.h"

static struct seeded_random generator;
static struct random_source randomness;
static struct returning_senders senders;

static int start(void **state)
{
	(void)state;
	randomness = seeded_random_start(&generator, 1);
	returning_senders_start(&senders, &randomness);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	returning_senders_free(&senders);
	return 0;
}

static bool note(uint32_t key, instant now)
{
	return returning_senders_note(&senders, &key, sizeof key, now);
}

static void one_that_waits_returns(void **state)
{
	(void)state;
	assert_false(note(1, SECONDS(10)));
	assert_false(note(1, SECONDS(10) + MILLISECONDS(100))); /* a repetition */
	assert_false(note(2, SECONDS(11)));
	assert_true(note(1, SECONDS(11)));
	/* and then begins anew */
	assert_false(note(1, SECONDS(12)));
	assert_true(note(1, SECONDS(13)));
	assert_false(note(2, SECONDS(28)));
	assert_true(note(2, SECONDS(29)));
}

/* A flood of 200,000 a second from everywhere for as long as an Initiator waits before it comes again. */
static void a_flood_does_not_hide_it(void **state)
{
	unsigned strangers = 0, returned = 0;
	instant now = SECONDS(1000);

	(void)state;
	for (uint32_t honest = 0; honest < 100; honest++)
		assert_false(note(honest, now));
	for (uint32_t n = 0; n < 200000; n++)
		strangers += note(1000 + n, now + n * (SECONDS(1) / 200000));
	for (uint32_t honest = 0; honest < 100; honest++)
		returned += note(honest, now + SECONDS(1));
	assert_true(returned >= 80);
	assert_true(strangers <= 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_that_waits_returns, start, stop),
		cmocka_unit_test_setup_teardown(a_flood_does_not_hide_it, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
