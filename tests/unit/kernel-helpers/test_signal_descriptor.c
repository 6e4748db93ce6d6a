/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/signal_descriptor.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void signals_come_as_numbers(void **state)
{
	(void)state;
	int descriptor;
	assert_int_equal(signal_descriptor_open(&descriptor), HIPHOP_OK);
	assert_int_equal(signal_descriptor_next(descriptor), 0);
	raise(SIGHUP);
	assert_int_equal(signal_descriptor_next(descriptor), SIGHUP);
	raise(SIGINT);
	raise(SIGTERM);
	assert_int_equal(signal_descriptor_next(descriptor), SIGINT);
	assert_int_equal(signal_descriptor_next(descriptor), SIGTERM);
	assert_int_equal(signal_descriptor_next(descriptor), 0);
	close(descriptor);
}

static void a_late_signal_does_not_change_the_exit_code(void **state)
{
	(void)state;
	pid_t child = fork();
	if (child == 0) {
		int descriptor;
		if (signal_descriptor_open(&descriptor))
			_exit(1);
		close(descriptor);
		raise(SIGINT);
		_exit(7);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_come_as_numbers),
		cmocka_unit_test(a_late_signal_does_not_change_the_exit_code),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
