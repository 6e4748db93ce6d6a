/* SPDX-License-Identifier: MIT */
/* Several paths at once: what is spread over them, what goes by two, and that nothing moves without a cause. */
#include "tests/sim/moves.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define WIFI  0
#define FLOWS 64

/* Alice has two links like each other. Returns the number of the second. */
static size_t start_with_two_links(struct moves *moves, enum path_mode mode)
{
	size_t lte;

	moves_start(moves, &(struct moves_setup){.round_trip = MILLISECONDS(50), .mode = mode});
	lte = moves_add_link(moves, ALICE, "lte", (struct simulation_link){0});
	simulation_run(&moves->simulation, SECONDS(10));
	moves_measure(moves);
	/* What is under way when something happens is to be counted. */
	simulation_run(&moves->simulation, SECONDS(1));
	return lte;
}

static void stop_streams(struct moves *moves)
{
	simulation_stream_stop(&moves->simulation, TO_BOB);
	simulation_stream_stop(&moves->simulation, TO_ALICE);
	simulation_run(&moves->simulation, SECONDS(1));
}

static uint64_t missing(const struct moves *moves)
{
	return simulation_stream_missing(&moves->simulation, TO_BOB) +
	       simulation_stream_missing(&moves->simulation, TO_ALICE);
}

static void assert_nothing_twice(const struct moves *moves)
{
	assert_int_equal(moves->simulation.streams[TO_BOB].twice, 0);
	assert_int_equal(moves->simulation.streams[TO_ALICE].twice, 0);
}

/* ---- copies ---- */

static void copies_outlive_a_dead_path(void **state)
{
	(void)state;
	struct moves moves;

	for (size_t dead = 0; dead < 2; dead++) {
		size_t lte = start_with_two_links(&moves, PATH_MODE_DUPLICATE);

		simulation_link_set_silent(&moves.simulation, ALICE, dead ? lte : WIFI, true);
		simulation_run(&moves.simulation, SECONDS(5));
		stop_streams(&moves);
		/* But for those of the one that was under way alone, none. */
		assert_int_equal(missing(&moves), 0);
		assert_nothing_twice(&moves);
		moves_end(&moves);
	}
}

/* A minute of both streams, of whose packets a tenth is lost on each of the two links. Returns how many were sent. */
static uint64_t talk_with_loss(struct moves *moves, enum path_mode mode)
{
	size_t lte = start_with_two_links(moves, mode);

	moves->simulation.hosts[ALICE].links[WIFI].loss_per_mille = 100;
	moves->simulation.hosts[ALICE].links[lte].loss_per_mille = 100;
	moves_measure(moves);
	simulation_run(&moves->simulation, SECONDS(60));
	stop_streams(moves);
	return moves->simulation.streams[TO_BOB].sent + moves->simulation.streams[TO_ALICE].sent;
}

/* A hundredth is lost on both. */
static void copies_make_up_for_loss(void **state)
{
	(void)state;
	struct moves moves;
	uint64_t sent = talk_with_loss(&moves, PATH_MODE_DUPLICATE);

	assert_true(sent > 10000);
	assert_in_range(missing(&moves), 0, sent / 33);
	assert_nothing_twice(&moves);
	moves_end(&moves);
}

static void without_copies_more_is_lost(void **state)
{
	(void)state;
	struct moves moves;
	uint64_t sent = talk_with_loss(&moves, PATH_MODE_BEST);

	assert_in_range(missing(&moves), sent / 15, sent / 7);
	moves_end(&moves);
}

/* ---- flows ---- */

/* ESP of alice to bob, by link. */
struct ways {
	uint64_t packets[SIMULATION_LINKS];
};

static void count_ways(struct simulation *simulation, size_t from, const struct endpoint *source,
	const struct packet *packet, bool esp)
{
	struct moves *moves = simulation->observer_context;
	struct ways *ways = moves->also_context;
	const struct simulation_link *links = simulation->hosts[ALICE].links;

	if (from != ALICE || !esp || packet->length < 150 ||
		!address_equal(&packet->remote.address, &simulation->hosts[BOB].links[0].known.address))
		return;
	for (size_t i = 0; i < SIMULATION_LINKS; i++)
		ways->packets[i] += links[i].used && address_equal(&links[i].known.address, &source->address);
}

/* Sends ten packets of one flow. */
static struct ways ways_of_flow(struct moves *moves, uint16_t port)
{
	struct ways ways = {{0}};
	char payload[151];

	memset(payload, 'x', sizeof(payload) - 1);
	payload[sizeof(payload) - 1] = 0;
	moves->also = count_ways;
	moves->also_context = &ways;
	for (unsigned i = 0; i < 10; i++)
		simulation_phone_send_to(&moves->simulation, ALICE, port, BOB, 40000, payload);
	moves->also = NULL;
	return ways;
}

static void flows_are_spread(void **state)
{
	(void)state;
	struct moves moves;
	size_t lte = start_with_two_links(&moves, PATH_MODE_SPREAD), by_wifi = 0, by_lte = 0;

	for (uint16_t i = 0; i < FLOWS; i++) {
		struct ways ways = ways_of_flow(&moves, (uint16_t)(20000 + i));

		/* All of one flow go one way, so that they keep their order. */
		assert_int_equal(ways.packets[WIFI] + ways.packets[lte], 10);
		assert_true(ways.packets[WIFI] == 0 || ways.packets[lte] == 0);
		by_wifi += ways.packets[WIFI] != 0;
		by_lte += ways.packets[lte] != 0;
	}
	assert_in_range(by_wifi, FLOWS / 5, FLOWS * 4 / 5);
	assert_in_range(by_lte, FLOWS / 5, FLOWS * 4 / 5);
	moves_end(&moves);
}

static void without_spreading_all_go_one_way(void **state)
{
	(void)state;
	struct moves moves;
	size_t lte = start_with_two_links(&moves, PATH_MODE_BEST), by_wifi = 0;

	for (uint16_t i = 0; i < FLOWS; i++)
		by_wifi += ways_of_flow(&moves, (uint16_t)(20000 + i)).packets[WIFI] != 0;
	assert_true(by_wifi == 0 || by_wifi == FLOWS);
	(void)lte;
	moves_end(&moves);
}

/* Whichever of the two dies, what went by it goes by the other. */
static void spread_flows_leave_a_dead_path(void **state)
{
	(void)state;
	struct moves moves;

	for (size_t dead = 0; dead < 2; dead++) {
		size_t lte = start_with_two_links(&moves, PATH_MODE_SPREAD);

		simulation_link_set_silent(&moves.simulation, ALICE, dead ? lte : WIFI, true);
		simulation_run(&moves.simulation, SECONDS(10));
		assert_true(simulation_stream_gap(&moves.simulation, TO_BOB) <= MILLISECONDS(350));
		assert_true(simulation_stream_gap(&moves.simulation, TO_ALICE) <= MILLISECONDS(350));
		assert_true(moves_flows(&moves, SECONDS(5), 99));
		assert_nothing_twice(&moves);
		moves_end(&moves);
	}
}

/* ---- rest ---- */

/* Handovers of all associations of all hosts. */
static uint32_t all_handovers(struct moves *moves)
{
	struct host_association_view view;
	uint32_t sum = 0;

	for (size_t i = 0; i < moves->simulation.host_count; i++) {
		for (size_t j = 0; j < moves->simulation.host_count; j++) {
			if (i != j && moves_association(moves, i, j, &view))
				sum += view.handover.count;
		}
	}
	return sum;
}

static void nothing_moves_without_a_cause(void **state)
{
	(void)state;
	static const duration round_trips[] = {MILLISECONDS(2), MILLISECONDS(50), MILLISECONDS(300), MILLISECONDS(900)};

	for (size_t i = 0; i < sizeof(round_trips) / sizeof(round_trips[0]); i++) {
		struct moves moves;
		uint32_t before;

		moves_start(&moves, &(struct moves_setup){.round_trip = round_trips[i]});
		moves_add_link(&moves, ALICE, "lte", (struct simulation_link){0});
		moves_add_link(&moves, BOB, "lte", (struct simulation_link){0});
		moves.simulation.jitter = round_trips[i] / 20;
		simulation_run(&moves.simulation, SECONDS(20));
		before = all_handovers(&moves);
		simulation_run(&moves.simulation, SECONDS(120));
		assert_int_equal(all_handovers(&moves), before);
		stop_streams(&moves);
		simulation_run(&moves.simulation, SECONDS(300));
		assert_int_equal(all_handovers(&moves), before);
		moves_end(&moves);
	}
}

/* What probes and keepalives of an idle pair with two links each cost. */
static void rest_is_cheap(void **state)
{
	(void)state;
	struct moves moves;
	uint64_t before, after;

	moves_start(&moves, &(struct moves_setup){0});
	moves_add_link(&moves, ALICE, "lte", (struct simulation_link){0});
	moves_add_link(&moves, BOB, "lte", (struct simulation_link){0});
	stop_streams(&moves);
	simulation_run(&moves.simulation, SECONDS(30));
	before = moves.simulation.hosts[ALICE].sent;
	simulation_run(&moves.simulation, SECONDS(600));
	after = moves.simulation.hosts[ALICE].sent;
	print_message("alice sends %.2f packets a second at rest\n", (double)(after - before) / 600);
	/* To three peers, by up to four paths, with the upkeep of the overlay. */
	assert_true(after - before < 600 * 4);
	moves_end(&moves);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_outlive_a_dead_path),
		cmocka_unit_test(copies_make_up_for_loss),
		cmocka_unit_test(without_copies_more_is_lost),
		cmocka_unit_test(flows_are_spread),
		cmocka_unit_test(without_spreading_all_go_one_way),
		cmocka_unit_test(spread_flows_leave_a_dead_path),
		cmocka_unit_test(nothing_moves_without_a_cause),
		cmocka_unit_test(rest_is_cheap),
	};

	if (getenv("SIM_TEST"))
		cmocka_set_test_filter(getenv("SIM_TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
