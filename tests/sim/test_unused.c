/* SPDX-License-Identifier: MIT */
/* How long an association stays that nobody uses: as configured for all, and for single peers (RFC 7402 section 3.3.7).
 */
#include "tests/sim/simulation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Outside overlays, where nobody is held: host 0 knows the others, and they know it. */
static void know(struct simulation *simulation, size_t host, size_t other)
{
	struct configuration *configuration = &simulation->hosts[host].configuration;
	struct configured_host *entry = &configuration->hosts[configuration->host_count++];

	entry->hit = *host_identity_hit(simulation->hosts[other].identity);
	entry->endpoint.address = simulation->hosts[other].address;
	entry->endpoint.port = configuration->port;
}

static void start(struct simulation *simulation)
{
	simulation_start(simulation, 1, 3);
	for (size_t i = 0; i < 3; i++) {
		struct configuration *configuration = &simulation->hosts[i].configuration;

		configuration->outside_overlay = true;
		configuration->bootstrap_count = 0;
		free(configuration->hosts);
		configuration->hosts = calloc(2, sizeof *configuration->hosts);
		assert_non_null(configuration->hosts);
		configuration->host_count = 0;
	}
	for (size_t i = 1; i < 3; i++) {
		know(simulation, 0, i);
		know(simulation, i, 0);
	}
}

static void associate(struct simulation *simulation)
{
	for (size_t i = 0; i < 3; i++)
		simulation_boot(simulation, i);
	for (size_t i = 1; i < 3; i++) {
		char hit[HIT_TEXT_SIZE];

		simulation_hit(simulation, i, hit);
		assert_true(json_is_true(
			json_object_get(simulation_ask(simulation, 0,
						json_pack("{s:s, s:s}", "command", "ping", "target", hit), SECONDS(5)),
				"ok")));
		assert_true(simulation_is_associated(simulation, 0, i));
	}
}

/* conforms: RFC7402-3.3.7-1 RFC7402-3.3.7-2 */
static void the_time_is_configured(void **state)
{
	struct simulation simulation;

	(void)state;
	start(&simulation);
	for (size_t i = 0; i < 3; i++)
		simulation.hosts[i].configuration.unused_seconds = 60;
	associate(&simulation);
	simulation_run(&simulation, SECONDS(50));
	assert_true(simulation_is_associated(&simulation, 0, 1));
	simulation_run(&simulation, SECONDS(30));
	assert_false(simulation_is_associated(&simulation, 0, 1));
	assert_false(simulation_is_associated(&simulation, 1, 0));
	simulation_free(&simulation);
}

/* conforms: RFC7402-3.3.7-3 */
static void one_peer_is_kept_for_days(void **state)
{
	struct simulation simulation;

	(void)state;
	start(&simulation);
	simulation.hosts[0].configuration.hosts[0].unused_seconds = 3 * 86400;
	simulation.hosts[1].configuration.hosts[0].unused_seconds = 3 * 86400;
	associate(&simulation);
	simulation_run(&simulation, SECONDS(400));
	assert_true(simulation_is_associated(&simulation, 0, 1));
	assert_false(simulation_is_associated(&simulation, 0, 2));
	simulation_run(&simulation, SECONDS(2 * 86400));
	assert_true(simulation_is_associated(&simulation, 0, 1));
	assert_true(simulation_is_associated(&simulation, 1, 0));
	simulation_run(&simulation, SECONDS(86400));
	assert_false(simulation_is_associated(&simulation, 0, 1));
	simulation_free(&simulation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_time_is_configured),
		cmocka_unit_test(one_peer_is_kept_for_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
