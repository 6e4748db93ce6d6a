/* SPDX-License-Identifier: MIT */
/* A host that carries values is killed and started again at once, before anybody has missed it: what others put is
 * found on every host all the time, although it has forgotten what it carried. */
#include "tests/sim/simulation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define HOSTS  4
#define VALUES 12

static bool all_joined(struct simulation *simulation)
{
	return simulation_ring_is_right(simulation);
}

static json_t *request(const char *command, unsigned value)
{
	char key[16];

	snprintf(key, sizeof(key), "key%u", value);
	return json_pack("{s:s, s:s, s:s}", "command", command, "key", key, "value", "there");
}

static bool is_found(struct simulation *simulation, size_t host, unsigned value)
{
	json_t *answer = simulation_ask(simulation, host, request("get", value), SECONDS(20));

	if (answer && json_array_size(json_object_get(answer, "values")) == 1)
		return true;
	print_error("host %zu does not get key%u at %.1f s\n", host, value, (double)simulation->now / 1e9);
	return false;
}

static void test_values_outlive_a_restart(void **state)
{
	struct simulation simulation;

	(void)state;
	simulation_start(&simulation, simulation_seed(), HOSTS);
	simulation.keep_state = true;
	for (size_t i = 0; i < HOSTS; i++)
		simulation_boot(&simulation, i);
	assert_true(simulation_run_until(&simulation, SECONDS(60), all_joined));
	simulation_run(&simulation, SECONDS(20));
	for (unsigned value = 0; value < VALUES; value++) {
		json_t *answer = simulation_ask(&simulation, 0, request("put", value), SECONDS(20));
		assert_true(json_is_true(json_object_get(answer, "ok")));
	}
	simulation_run(&simulation, SECONDS(20));
	for (size_t restarted = 1; restarted < HOSTS; restarted++) {
		simulation_kill(&simulation, restarted);
		simulation_run(&simulation, MILLISECONDS(300));
		simulation_boot(&simulation, restarted);
		simulation_run(&simulation, SECONDS(4));
		for (unsigned value = 0; value < VALUES; value++)
			for (size_t host = 0; host < HOSTS; host++)
				assert_true(is_found(&simulation, host, value));
		simulation_run(&simulation, SECONDS(30));
	}
	simulation_free(&simulation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_outlive_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
