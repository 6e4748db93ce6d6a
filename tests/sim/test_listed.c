/* SPDX-License-Identifier: MIT */
/* access.associate = "listed": who is not in the configuration of a node gets no association with it. */
#include "tests/sim/simulation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void list(struct simulation *simulation, size_t host, size_t listed)
{
	struct configuration *configuration = &simulation->hosts[host].configuration;

	free(configuration->hosts);
	configuration->hosts = calloc(1, sizeof(*configuration->hosts));
	assert_non_null(configuration->hosts);
	configuration->host_count = 1;
	configuration->hosts->hit = *host_identity_hit(simulation->hosts[listed].identity);
	configuration->hosts->endpoint.address = simulation->hosts[listed].address;
	configuration->hosts->endpoint.port = configuration->port;
}

static void test_only_the_listed_associate(void **state)
{
	(void)state;
	struct simulation simulation;

	simulation_start(&simulation, 1, 3);
	simulation.hosts[0].configuration.associate_listed = true;
	list(&simulation, 0, 1);
	for (size_t i = 0; i < 3; i++)
		simulation_boot(&simulation, i);
	simulation_run(&simulation, SECONDS(20));
	assert_true(simulation_is_associated(&simulation, 0, 1));
	assert_false(simulation_is_associated(&simulation, 0, 2));
	assert_false(simulation_is_associated(&simulation, 2, 0));
	simulation_free(&simulation);
}

static void test_a_bootstrap_peer_is_listed(void **state)
{
	(void)state;
	struct simulation simulation;

	simulation_start(&simulation, 1, 3);
	for (size_t i = 1; i < 3; i++)
		simulation.hosts[i].configuration.associate_listed = true;
	for (size_t i = 0; i < 3; i++)
		simulation_boot(&simulation, i);
	simulation_run(&simulation, SECONDS(20));
	assert_true(simulation_is_associated(&simulation, 1, 0));
	assert_true(simulation_is_associated(&simulation, 2, 0));
	assert_false(simulation_is_associated(&simulation, 1, 2));
	simulation_free(&simulation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_the_listed_associate),
		cmocka_unit_test(test_a_bootstrap_peer_is_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
