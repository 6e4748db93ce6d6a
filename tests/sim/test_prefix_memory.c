/* SPDX-License-Identifier: MIT */
/* Prefixes while allocations fail: announcing, accepting and status. Nothing breaks, and once there is memory again
 * what is announced is reached. */
#include "tests/unit/failing_sweep.h"

#include "tests/sim/simulation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { ROUTER = 1, HOST, COUNT };

static void call(bool begins)
{
	if (begins)
		failing_allocation_resume();
	else
		failing_allocation_stop();
}

static void configure(struct simulation *simulation)
{
	struct configuration *router = &simulation->hosts[ROUTER].configuration;
	struct configuration *host = &simulation->hosts[HOST].configuration;

	router->announce = realloc(router->announce, sizeof(*router->announce));
	host->accept = realloc(host->accept, sizeof(*host->accept));
	assert_non_null(router->announce);
	assert_non_null(host->accept);
	assert_int_equal(ip_prefix_parse("2001:db8:100::/56", router->announce), HIPHOP_OK);
	router->announce_count = host->accept_count = 1;
	*host->accept = (struct configured_prefix){
		.prefix = *router->announce, .owner = *host_identity_hit(simulation->hosts[ROUTER].identity)};
}

static bool is_routed(struct simulation *simulation)
{
	return simulation->hosts[HOST].route_count == 1;
}

static bool is_not_routed(struct simulation *simulation)
{
	return simulation->hosts[HOST].route_count == 0;
}

static void play(const void *context)
{
	struct simulation simulation;

	(void)context;
	simulation_start(&simulation, 1, COUNT);
	simulation.keep_state = true;
	simulation.call = call;
	simulation.log.write = getenv("SIM_LOG") ? simulation.log.write : NULL;
	configure(&simulation);
	simulation_boot(&simulation, 0);
	simulation_run(&simulation, SECONDS(1));
	failing_sweep_begin();
	simulation_boot(&simulation, ROUTER);
	simulation_boot(&simulation, HOST);
	simulation_run(&simulation, SECONDS(30));
	simulation_ask(&simulation, HOST, json_pack("{s:s}", "command", "status"), SECONDS(1));
	failing_sweep_end();
	if (!simulation_run_until(&simulation, SECONDS(600), is_routed))
		fail_msg("the prefix is not reached");
	simulation_leave(&simulation, ROUTER);
	/* Where a holder of the record has missed the new one for want of memory, the old one expires. */
	if (!simulation_run_until(&simulation, SECONDS(3700), is_not_routed))
		fail_msg("the prefix is not given up");
	simulation_free(&simulation);
}

static void prefixes_come_and_go(void **state)
{
	(void)state;
	failing_sweep_run(&(struct failing_sweep){"prefixes", play, NULL, 60});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
