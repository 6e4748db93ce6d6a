/* SPDX-License-Identifier: MIT */
/* Hosts die without a word: the others find out, whether they use them or not, and forget them. */
#include "tests/sim/simulation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define HOSTS 24
#define DEAD  5 /* the last ones */

static bool is_dead(struct simulation *simulation, const char *hit)
{
	char text[HIT_TEXT_SIZE];

	for (size_t i = HOSTS - DEAD; i < HOSTS; i++) {
		if (strcmp(simulation_hit(simulation, i, text), hit) == 0)
			return true;
	}
	return false;
}

/* Associations of the living with the dead; those in `state` alone, if it is not NULL. */
static size_t associations_with_the_dead(struct simulation *simulation, const char *state)
{
	size_t found = 0, i;

	for (size_t host = 0; host < HOSTS - DEAD; host++) {
		json_t *status = node_status(simulation->hosts[host].node, simulation->now), *association;

		json_array_foreach(json_object_get(status, "associations"), i, association)
		{
			if (!is_dead(simulation, json_string_value(json_object_get(association, "hit"))))
				continue;
			found += !state || strcmp(json_string_value(json_object_get(association, "state")), state) == 0;
		}
		json_decref(status);
	}
	return found;
}

static void test_the_dead_are_noticed_and_forgotten(void **state)
{
	(void)state;
	struct simulation simulation;

	simulation_start(&simulation, simulation_seed(), HOSTS);
	simulation.jitter = MILLISECONDS(20);
	for (size_t i = 0; i < HOSTS; i++) {
		simulation_boot(&simulation, i);
		simulation_run(&simulation, MILLISECONDS(200));
	}
	simulation_run(&simulation, SECONDS(100));
	for (size_t i = HOSTS - DEAD; i < HOSTS; i++)
		simulation_kill(&simulation, i);
	assert_true(associations_with_the_dead(&simulation, "ESTABLISHED") > 2 * DEAD);
	/* Who was heard three minutes ago may be in a tunnel. */
	simulation_run(&simulation, SECONDS(230));
	assert_int_equal(associations_with_the_dead(&simulation, "ESTABLISHED"), 0);
	simulation_run(&simulation, SECONDS(430)); /* CLOSING lasts for seven minutes */
	assert_int_equal(associations_with_the_dead(&simulation, NULL), 0);
	simulation_free(&simulation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_dead_are_noticed_and_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
