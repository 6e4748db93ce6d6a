/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/clocks.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"

#include <poll.h>
#include <unistd.h>

static bool readable(int descriptor, int milliseconds)
{
	struct pollfd wait = {.fd = descriptor, .events = POLLIN};
	return poll(&wait, 1, milliseconds) == 1;
}

static void now_goes_forward(void **state)
{
	(void)state;
	instant before = clock_now();
	assert_true(before > 0);
	assert_true(clock_now() >= before);
	assert_true(clock_wall() > 1600000000000U);
}

static void timer_becomes_readable(void **state)
{
	(void)state;
	int timer;
	assert_int_equal(clock_timer_open(&timer), HIPHOP_OK);
	assert_false(readable(timer, 0));
	clock_timer_set(timer, clock_now() + MILLISECONDS(5));
	assert_true(readable(timer, -1));
	clock_timer_consume(timer);
	assert_false(readable(timer, 0));
	close(timer);
}

static void timer_in_the_past_is_due_at_once(void **state)
{
	(void)state;
	int timer;
	assert_int_equal(clock_timer_open(&timer), HIPHOP_OK);
	clock_timer_set(timer, 0);
	assert_true(readable(timer, -1));
	clock_timer_set(timer, INSTANT_NEVER);
	assert_false(readable(timer, 0));
	close(timer);
}

static void no_step_without_a_step(void **state)
{
	(void)state;
	int step;
	assert_int_equal(clock_step_open(&step), HIPHOP_OK);
	assert_false(clock_step_consume(step));
	close(step);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(now_goes_forward),
		cmocka_unit_test(timer_becomes_readable),
		cmocka_unit_test(timer_in_the_past_is_due_at_once),
		cmocka_unit_test(no_step_without_a_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
