/* SPDX-License-Identifier: MIT */
/*
 * A train: a router with uplinks, hosts on board that register with it, and peers in the world that they talk with. The
 * router moves, goes through tunnels and is on board of another; hosts get on and off.
 */
#include "tests/sim/simulation_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOOTSTRAP, ROUTER, INNER, FIRST_PEER, SECOND_PEER, FIRST_ON_BOARD, HOSTS = FIRST_ON_BOARD + 3 };

/* Links of the routers: up is the one that every host has. */
#define UPLINK   0
#define INTERVAL MILLISECONDS(20)
/* One way between two hosts in the world: what the simulation has by default. */
#define ONE_WAY MILLISECONDS(10)

struct train {
	struct simulation simulation;
	size_t inside, inner_inside; /* links */
	size_t net, inner_net;       /* NATs, behind which the nets on board are; nothing comes in by them */
	unsigned next_place;
};

static struct address place(struct train *train)
{
	char text[32];

	snprintf(text, sizeof(text), "2001:db8:1::%x", train->next_place + 1);
	train->next_place++;
	return simulation_address(text);
}

static void serve(struct simulation_host *host)
{
	struct configured_router *router = &host->configuration.router;

	free(router->inside);
	router->serves = true;
	router->inside = calloc(1, sizeof(*router->inside));
	assert_non_null(router->inside);
	strcpy(router->inside[0], "inside");
	router->inside_count = 1;
}

/* `user` uses `router`, which is at an address on board. */
static void use(struct train *train, size_t user, size_t router, const char *address)
{
	struct configuration *configuration = &train->simulation.hosts[user].configuration;

	configuration->router.use.hit = *host_identity_hit(train->simulation.hosts[router].identity);
	free(configuration->hosts);
	configuration->hosts = calloc(1, sizeof(*configuration->hosts));
	assert_non_null(configuration->hosts);
	configuration->host_count = 1;
	configuration->hosts[0].hit = configuration->router.use.hit;
	configuration->hosts[0].endpoint = (struct endpoint){
		.address = simulation_address(address), .port = configuration->port, .transport = TRANSPORT_UDP};
}

/* `net` is the number of the net on board, 1 or 2. */
static void come_on_board(struct train *train, size_t host, unsigned net)
{
	struct address address;
	char text[32];

	snprintf(text, sizeof(text), "10.%u.0.%zu", net, host + 10);
	address = simulation_address(text);
	simulation_link_set_nat(&train->simulation, host, 0, net == 1 ? train->net : train->inner_net, &address);
}

static void make_nets(struct train *train)
{
	struct simulation *simulation = &train->simulation;
	const struct address outer = simulation_address("192.0.2.201"), inner = simulation_address("192.0.2.202");
	struct simulation_link inside = {.known = {.name = "inside", .address = simulation_address("10.1.0.1")}};

	train->net = simulation_nat_add(simulation, &outer, NAT_FILTERS_ENDPOINTS, 0);
	train->inner_net = simulation_nat_add(simulation, &inner, NAT_FILTERS_ENDPOINTS, 0);
	inside.nat = train->net;
	train->inside = simulation_link_add(simulation, ROUTER, &inside);
	inside.nat = train->inner_net;
	inside.known.address = simulation_address("10.2.0.1");
	train->inner_inside = simulation_link_add(simulation, INNER, &inside);
}

static void start(struct train *train)
{
	struct simulation *simulation = &train->simulation;

	memset(train, 0, sizeof(*train));
	simulation_start(simulation, simulation_seed(), HOSTS);
	simulation->delay = ONE_WAY;
	make_nets(train);
	serve(&simulation->hosts[ROUTER]);
	serve(&simulation->hosts[INNER]);
	for (size_t i = FIRST_ON_BOARD; i < HOSTS; i++) {
		use(train, i, ROUTER, "10.1.0.1");
		come_on_board(train, i, 1);
	}
	for (size_t i = 0; i < HOSTS; i++) {
		if (i != INNER)
			simulation_boot(simulation, i);
	}
}

static json_t *router_status(struct train *train, size_t host)
{
	json_t *status = simulation_ask(&train->simulation, host, json_pack("{s:s}", "command", "status"), SECONDS(1));
	json_t *router = json_object_get(status, "mobile_router");

	assert_non_null(router);
	return router;
}

static bool is_registered(struct train *train, size_t host)
{
	return strcmp(json_string_value(json_object_get(router_status(train, host), "state")), "registered") == 0;
}

static size_t number(struct train *train, size_t host, const char *key)
{
	return (size_t)json_integer_value(json_object_get(router_status(train, host), key));
}

static void wait_for_registrations(struct train *train, size_t first, size_t count)
{
	for (unsigned i = 0; i < 200; i++) {
		size_t registered = 0;

		for (size_t host = first; host < first + count; host++)
			registered += is_registered(train, host);
		if (registered == count)
			return;
		simulation_run(&train->simulation, MILLISECONDS(200));
	}
	fail_msg("not all hosts have registered");
}

/* Streams 2n and 2n + 1: the n-th host on board with a peer, there and back. */
static void start_talk(struct train *train)
{
	for (size_t i = FIRST_ON_BOARD; i < HOSTS; i++) {
		size_t peer = i % 2 ? FIRST_PEER : SECOND_PEER;

		simulation_stream_start(&train->simulation, i, peer, INTERVAL);
		simulation_stream_start(&train->simulation, peer, i, INTERVAL);
	}
	simulation_run(&train->simulation, SECONDS(5));
}

static void measure_all(struct train *train)
{
	for (size_t i = 0; i < train->simulation.stream_count; i++)
		simulation_stream_measure(&train->simulation, i);
}

static void check_gaps(struct train *train, duration allowed)
{
	for (size_t i = 0; i < train->simulation.stream_count; i++) {
		duration gap = simulation_stream_gap(&train->simulation, i);

		if (gap > allowed)
			fail_msg("stream %zu had a gap of %llu ms, %llu are allowed", i,
				(unsigned long long)(gap / MILLISECONDS(1)),
				(unsigned long long)(allowed / MILLISECONDS(1)));
	}
}

static size_t count_updates(struct train *train)
{
	size_t updates = 0;

	for (size_t i = 0; i < HOSTS; i++) {
		json_t *status;

		if (!train->simulation.hosts[i].node)
			continue;
		status = simulation_ask(&train->simulation, i, json_pack("{s:s}", "command", "status"), SECONDS(1));
		updates +=
			(size_t)json_integer_value(json_object_get(json_object_get(status, "counters"), "update_out"));
	}
	return updates;
}

/* All streams flow without a gap for a second. */
static void check_flow(struct train *train)
{
	measure_all(train);
	simulation_run(&train->simulation, SECONDS(1));
	check_gaps(train, 3 * INTERVAL);
}

/* Long after the last change nobody has much to say. */
static void check_quiet(struct train *train)
{
	size_t updates = count_updates(train);

	simulation_run(&train->simulation, SECONDS(1));
	assert_in_range(count_updates(train) - updates, 0, 50);
}

/* The overlay is there, by which they find each other. */
static void settle(struct train *train)
{
	assert_true(simulation_run_until(&train->simulation, SECONDS(60), simulation_all_joined));
	assert_true(simulation_run_until(&train->simulation, SECONDS(60), simulation_ring_is_right));
}

static void start_with_talk(struct train *train)
{
	start(train);
	wait_for_registrations(train, FIRST_ON_BOARD, HOSTS - FIRST_ON_BOARD);
	settle(train);
	start_talk(train);
	check_flow(train);
}

static void move(struct train *train, size_t router)
{
	const struct address to = place(train);

	simulation_link_change(&train->simulation, router, UPLINK, &to);
}

/* ---- the train moves ---- */

static void streams_go_on_as_the_router_moves(void **state)
{
	struct train train;

	(void)state;
	start_with_talk(&train);
	/* What ESP can take before the peers have heard: one and a half round trips, as long as nothing is lost. */
	for (unsigned i = 0; i < 10; i++) {
		measure_all(&train);
		move(&train, ROUTER);
		simulation_run(&train.simulation, MILLISECONDS(900));
		check_gaps(&train, 3 * ONE_WAY + MILLISECONDS(20) + INTERVAL);
		check_flow(&train);
	}
	simulation_free(&train.simulation);
}

static void a_tunnel_of_twenty_seconds(void **state)
{
	struct train train;

	(void)state;
	start_with_talk(&train);
	simulation_link_set_down(&train.simulation, ROUTER, UPLINK, true);
	simulation_run(&train.simulation, SECONDS(20));
	move(&train, ROUTER);
	simulation_link_set_down(&train.simulation, ROUTER, UPLINK, false);
	measure_all(&train);
	simulation_run(&train.simulation, SECONDS(2));
	check_gaps(&train, 3 * ONE_WAY + MILLISECONDS(100));
	check_flow(&train);
	assert_true(is_registered(&train, FIRST_ON_BOARD));
	simulation_free(&train.simulation);
}

/* Make before break: the second uplink is there before the first goes. */
static void two_uplinks_that_overlap(void **state)
{
	struct simulation_link second = {.known = {.name = "second"}};
	struct train train;
	size_t link;

	(void)state;
	start_with_talk(&train);
	for (unsigned i = 0; i < 5; i++) {
		second.known.address = place(&train);
		link = simulation_link_add(&train.simulation, ROUTER, &second);
		simulation_run(&train.simulation, SECONDS(2));
		measure_all(&train);
		simulation_link_set_down(&train.simulation, ROUTER, UPLINK, true);
		simulation_run(&train.simulation, SECONDS(1));
		check_gaps(&train, 2 * ONE_WAY + MILLISECONDS(40));
		check_flow(&train);
		simulation_link_set_down(&train.simulation, ROUTER, UPLINK, false);
		simulation_run(&train.simulation, SECONDS(2));
		simulation_link_remove(&train.simulation, ROUTER, link);
		simulation_run(&train.simulation, SECONDS(1));
		check_flow(&train);
	}
	simulation_free(&train.simulation);
}

/* ---- who is on board ---- */

static void hosts_get_off_and_on(void **state)
{
	struct train train;

	(void)state;
	start_with_talk(&train);
	for (unsigned i = 0; i < 3; i++) {
		const struct address outside = place(&train);
		size_t host = FIRST_ON_BOARD + i;

		simulation_link_set_nat(&train.simulation, host, 0, 0, &outside);
		simulation_run(&train.simulation, SECONDS(2));
		check_flow(&train);
		assert_false(is_registered(&train, host));
		/* The train goes on without it. */
		move(&train, ROUTER);
		simulation_run(&train.simulation, SECONDS(2));
		check_flow(&train);
		come_on_board(&train, host, 1);
		wait_for_registrations(&train, host, 1);
		simulation_run(&train.simulation, SECONDS(5));
		check_flow(&train);
		move(&train, ROUTER);
		simulation_run(&train.simulation, SECONDS(2));
		check_flow(&train);
	}
	simulation_free(&train.simulation);
}

/* Nothing of those who are on board leaves but by the router, whatever address it is for. */
static void note_strays(struct simulation *simulation, size_t from, const struct endpoint *source,
	const struct packet *packet, bool is_esp)
{
	(void)source;
	(void)is_esp;
	if (from >= FIRST_ON_BOARD && packet->remote.address.octets[12] != 10)
		++*(size_t *)simulation->observer_context;
}

static void all_goes_by_the_router(void **state)
{
	struct train train;
	size_t strays = 0;

	(void)state;
	start_with_talk(&train);
	train.simulation.observer_context = &strays;
	train.simulation.observer = note_strays;
	for (unsigned i = 0; i < 5; i++) {
		move(&train, ROUTER);
		simulation_run(&train.simulation, SECONDS(3));
	}
	check_flow(&train);
	assert_int_equal(strays, 0);
	assert_true(number(&train, ROUTER, "delegations") >= 3);
	simulation_free(&train.simulation);
}

static void the_router_starts_again(void **state)
{
	struct train train;

	(void)state;
	start_with_talk(&train);
	simulation_kill(&train.simulation, ROUTER);
	simulation_run(&train.simulation, SECONDS(3));
	simulation_boot(&train.simulation, ROUTER);
	simulation_run(&train.simulation, SECONDS(60));
	wait_for_registrations(&train, FIRST_ON_BOARD, HOSTS - FIRST_ON_BOARD);
	simulation_run(&train.simulation, SECONDS(30));
	check_flow(&train);
	simulation_free(&train.simulation);
}

/* ---- a router on board of a router ---- */

static void start_nested(struct train *train)
{
	size_t host = FIRST_ON_BOARD;

	start(train);
	use(train, INNER, ROUTER, "10.1.0.1");
	come_on_board(train, INNER, 1);
	simulation_boot(&train->simulation, INNER);
	simulation_kill(&train->simulation, host);
	use(train, host, INNER, "10.2.0.1");
	come_on_board(train, host, 2);
	simulation_boot(&train->simulation, host);
	wait_for_registrations(train, INNER, 1);
	wait_for_registrations(train, FIRST_ON_BOARD, HOSTS - FIRST_ON_BOARD);
	settle(train);
	start_talk(train);
	check_flow(train);
}

static void nested_routers(void **state)
{
	struct train train;

	(void)state;
	start_nested(&train);
	for (unsigned i = 0; i < 5; i++) {
		measure_all(&train);
		move(&train, ROUTER);
		simulation_run(&train.simulation, SECONDS(2));
		check_gaps(&train, 5 * ONE_WAY + MILLISECONDS(60));
		check_flow(&train);
	}
	simulation_free(&train.simulation);
}

/* The inner one leaves the outer with all who are on board of it, and comes back. */
static void the_inner_router_gets_off_and_on(void **state)
{
	struct train train;

	(void)state;
	start_nested(&train);
	for (unsigned i = 0; i < 3; i++) {
		const struct address outside = place(&train);

		simulation_link_set_nat(&train.simulation, INNER, UPLINK, 0, &outside);
		simulation_run(&train.simulation, SECONDS(5));
		check_flow(&train);
		move(&train, INNER);
		simulation_run(&train.simulation, SECONDS(2));
		check_flow(&train);
		come_on_board(&train, INNER, 1);
		wait_for_registrations(&train, INNER, 1);
		simulation_run(&train.simulation, SECONDS(5));
		check_flow(&train);
	}
	simulation_free(&train.simulation);
}

/* ---- by chance ---- */

static void change_something(struct train *train)
{
	struct simulation *simulation = &train->simulation;
	size_t host = FIRST_ON_BOARD + random_below(&simulation->random, HOSTS - FIRST_ON_BOARD);
	bool is_outside = simulation->hosts[host].links[0].nat == 0;
	const struct address outside = place(train);

	switch (random_below(&simulation->random, 5)) {
	case 0:
		simulation_link_set_down(simulation, ROUTER, UPLINK, true);
		simulation_run(simulation, MILLISECONDS(1 + random_below(&simulation->random, 8000)));
		simulation_link_set_down(simulation, ROUTER, UPLINK, false);
		break;
	case 1:
		if (is_outside)
			come_on_board(train, host, 1);
		else
			simulation_link_set_nat(simulation, host, 0, 0, &outside);
		break;
	case 2:
		simulation->loss_per_mille = random_below(&simulation->random, 100);
		break;
	default:
		move(train, ROUTER);
	}
}

static void whatever_happens_it_heals(void **state)
{
	struct train train;

	(void)state;
	start_with_talk(&train);
	for (unsigned round = 0; round < 15; round++) {
		unsigned changes = 1 + random_below(&train.simulation.random, 6);

		for (unsigned i = 0; i < changes; i++) {
			change_something(&train);
			simulation_run(&train.simulation, MILLISECONDS(random_below(&train.simulation.random, 3000)));
		}
		train.simulation.loss_per_mille = 0;
		simulation_run(&train.simulation, SECONDS(40));
		check_flow(&train);
		check_quiet(&train);
		/* Nothing grows: a ticket for each of those who talk and of the overlay. */
		assert_true(number(&train, ROUTER, "delegations") <= 3 * HOSTS);
	}
	simulation_free(&train.simulation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_go_on_as_the_router_moves),
		cmocka_unit_test(a_tunnel_of_twenty_seconds),
		cmocka_unit_test(two_uplinks_that_overlap),
		cmocka_unit_test(hosts_get_off_and_on),
		cmocka_unit_test(all_goes_by_the_router),
		cmocka_unit_test(the_router_starts_again),
		cmocka_unit_test(nested_routers),
		cmocka_unit_test(the_inner_router_gets_off_and_on),
		cmocka_unit_test(whatever_happens_it_heals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
