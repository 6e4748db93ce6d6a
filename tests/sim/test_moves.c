/* SPDX-License-Identifier: MIT */
/* Alice and bob talk while their links come, go and die: how long nothing arrives, what is lost, and that the
 * association stays. */
#include "tests/sim/moves.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static const duration round_trips[] = {MILLISECONDS(2), MILLISECONDS(50), MILLISECONDS(300)};

/* A new address is there: in this time packets arrive again. */
static duration break_limit(duration round_trip)
{
	return round_trip * 3 / 2 + MILLISECONDS(20);
}

/* A path has died without a word. */
static duration silence_limit(duration round_trip)
{
	return 3 * round_trip + MILLISECONDS(200);
}

static void assert_gap(const struct moves *moves, size_t stream, duration limit)
{
	duration gap = simulation_stream_gap(&moves->simulation, stream);

	if (gap > limit)
		fail_msg("stream %zu: nothing arrived for %.1f ms, limit %.1f ms", stream, (double)gap / 1e6,
			(double)limit / 1e6);
}

static void assert_gaps(const struct moves *moves, duration limit)
{
	assert_gap(moves, TO_BOB, limit);
	assert_gap(moves, TO_ALICE, limit);
}

/* What identifies the association: another base exchange would have made other SPIs. */
struct spis {
	uint32_t in, out;
};

static struct spis spis_of(struct moves *moves)
{
	struct host_association_view view;

	assert_true(moves_association(moves, ALICE, BOB, &view));
	return (struct spis){view.spi_in, view.spi_out};
}

static void assert_same_association(struct moves *moves, struct spis before)
{
	struct spis now = spis_of(moves);

	assert_int_not_equal(now.in, 0);
	assert_int_equal(now.in, before.in);
	assert_int_equal(now.out, before.out);
}

/* Stops both streams and waits until all has arrived that ever will. */
static void stop_streams(struct moves *moves)
{
	simulation_stream_stop(&moves->simulation, TO_BOB);
	simulation_stream_stop(&moves->simulation, TO_ALICE);
	simulation_run(&moves->simulation, SECONDS(1));
}

static void start_streams(struct moves *moves)
{
	moves->simulation.streams[TO_BOB].next = moves->simulation.now;
	moves->simulation.streams[TO_ALICE].next = moves->simulation.now;
	moves_measure(moves);
}

/* ---- break before make ---- */

/* `mover` is without link for `gap`, then has a new address. */
static void break_and_make(struct moves *moves, size_t mover, duration gap, bool ipv4)
{
	simulation_link_set_down(&moves->simulation, mover, 0, true);
	simulation_run(&moves->simulation, gap);
	simulation_links_hold(&moves->simulation, mover);
	moves_change(moves, mover, 0, ipv4);
	simulation_link_set_down(&moves->simulation, mover, 0, false);
	moves_measure(moves);
	simulation_links_release(&moves->simulation, mover);
}

static void check_break_before_make(size_t mover, duration round_trip, duration gap)
{
	struct moves moves;
	struct spis before;

	moves_start(&moves, &(struct moves_setup){.round_trip = round_trip});
	before = spis_of(&moves);
	break_and_make(&moves, mover, gap, false);
	simulation_run(&moves.simulation, SECONDS(5));
	assert_gaps(&moves, break_limit(round_trip));
	assert_same_association(&moves, before);
	/* And once more. */
	break_and_make(&moves, mover, gap, false);
	simulation_run(&moves.simulation, SECONDS(5));
	assert_gaps(&moves, break_limit(round_trip));
	assert_same_association(&moves, before);
	moves_end(&moves);
}

static void a_break_is_short(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(round_trips); i++) {
		check_break_before_make(ALICE, round_trips[i], 0);
		check_break_before_make(BOB, round_trips[i], 0);
		check_break_before_make(ALICE, round_trips[i], SECONDS(2));
		check_break_before_make(BOB, round_trips[i], SECONDS(2));
	}
}

/* Only one end sends: the moving one goes on at once, the other one as soon as it may (RFC 8046 section 5.4). */
static void a_break_of_a_one_way_stream_is_short(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(round_trips); i++) {
		for (size_t stream = TO_BOB; stream <= TO_ALICE; stream++) {
			struct moves moves;

			moves_start(&moves, &(struct moves_setup){.round_trip = round_trips[i]});
			simulation_stream_stop(&moves.simulation, 1 - stream);
			simulation_run(&moves.simulation, SECONDS(3));
			break_and_make(&moves, ALICE, SECONDS(1), false);
			simulation_run(&moves.simulation, SECONDS(5));
			assert_gap(&moves, stream,
				stream == TO_BOB ? break_limit(round_trips[i]) : 2 * round_trips[i] + MILLISECONDS(20));
			moves_end(&moves);
		}
	}
}

static void a_break_with_loss_is_survived(void **state)
{
	(void)state;
	struct moves moves;
	struct spis before;

	moves_start(&moves, &(struct moves_setup){0});
	before = spis_of(&moves);
	moves.simulation.loss_per_mille = 200;
	for (unsigned i = 0; i < 10; i++) {
		break_and_make(&moves, i % 2 ? BOB : ALICE, MILLISECONDS(300), false);
		simulation_run(&moves.simulation, SECONDS(5));
		assert_gaps(&moves, SECONDS(2));
	}
	assert_same_association(&moves, before);
	moves_end(&moves);
}

/* ---- make before break ---- */

static void check_make_before_break(size_t mover, duration round_trip)
{
	struct moves moves;
	struct spis before;

	moves_start(&moves, &(struct moves_setup){.round_trip = round_trip});
	before = spis_of(&moves);
	moves_add_link(&moves, mover, "lte", (struct simulation_link){.known.preference = LINK_PREFER});
	simulation_run(&moves.simulation, SECONDS(3));
	simulation_link_remove(&moves.simulation, mover, 0);
	simulation_run(&moves.simulation, SECONDS(5));
	stop_streams(&moves);
	assert_int_equal(simulation_stream_missing(&moves.simulation, TO_BOB), 0);
	assert_int_equal(simulation_stream_missing(&moves.simulation, TO_ALICE), 0);
	assert_int_equal(moves.simulation.streams[TO_BOB].twice, 0);
	assert_int_equal(moves.simulation.streams[TO_ALICE].twice, 0);
	assert_same_association(&moves, before);
	moves_end(&moves);
}

static void nothing_is_lost_when_links_overlap(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(round_trips); i++) {
		check_make_before_break(ALICE, round_trips[i]);
		check_make_before_break(BOB, round_trips[i]);
	}
}

/* ---- a path dies, and heals ---- */

#define WIFI 0

/* Alice has two links and prefers the first. Returns the number of the second. */
static size_t start_with_two_links(struct moves *moves, duration round_trip)
{
	size_t lte;

	moves_start(moves, &(struct moves_setup){.round_trip = round_trip});
	moves->simulation.hosts[ALICE].links[WIFI].known.preference = LINK_PREFER;
	lte = moves_add_link(moves, ALICE, "lte", (struct simulation_link){0});
	simulation_run(&moves->simulation, SECONDS(10));
	moves_measure(moves);
	/* What is under way when something happens is to be counted. */
	simulation_run(&moves->simulation, SECONDS(1));
	return lte;
}

static bool both_use(struct moves *moves, size_t link)
{
	const struct address *address = &moves->simulation.hosts[ALICE].links[link].known.address;
	struct host_path_view mine, yours;

	return moves_current(moves, ALICE, BOB, &mine) && moves_current(moves, BOB, ALICE, &yours) &&
	       address_equal(&mine.local.address, address) && address_equal(&yours.remote.address, address);
}

static void check_silence(duration round_trip, bool in, bool out)
{
	struct moves moves;
	struct spis before;
	size_t lte = start_with_two_links(&moves, round_trip);

	assert_true(both_use(&moves, WIFI));
	before = spis_of(&moves);
	moves.simulation.hosts[ALICE].links[WIFI].silent_in = in;
	moves.simulation.hosts[ALICE].links[WIFI].silent_out = out;
	simulation_run(&moves.simulation, SECONDS(10));
	assert_gaps(&moves, silence_limit(round_trip));
	assert_true(both_use(&moves, lte));
	assert_same_association(&moves, before);
	moves_end(&moves);
}

static void a_dead_path_is_left(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(round_trips); i++)
		check_silence(round_trips[i], true, true);
}

static void a_path_that_is_dead_one_way_is_left(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(round_trips); i++) {
		check_silence(round_trips[i], true, false);
		check_silence(round_trips[i], false, true);
	}
}

static void a_healed_path_is_used_again(void **state)
{
	(void)state;
	struct moves moves;
	uint32_t before;

	start_with_two_links(&moves, MILLISECONDS(20));
	before = moves_handovers(&moves);
	simulation_link_set_silent(&moves.simulation, ALICE, WIFI, true);
	simulation_run(&moves.simulation, SECONDS(10));
	simulation_link_set_silent(&moves.simulation, ALICE, WIFI, false);
	simulation_run(&moves.simulation, SECONDS(60));
	assert_true(both_use(&moves, WIFI));
	/* There and back, at each end. */
	assert_in_range(moves_handovers(&moves) - before, 2, 4);
	moves_end(&moves);
}

/* A path that dies again and again is not run back to each time. */
static void a_flapping_path_is_kept_away_from(void **state)
{
	(void)state;
	struct moves moves;
	uint32_t before;
	size_t lte = start_with_two_links(&moves, MILLISECONDS(20));

	before = moves_handovers(&moves);
	for (unsigned i = 0; i < 30; i++) {
		simulation_link_set_silent(&moves.simulation, ALICE, WIFI, true);
		simulation_run(&moves.simulation, SECONDS(4));
		simulation_link_set_silent(&moves.simulation, ALICE, WIFI, false);
		simulation_run(&moves.simulation, SECONDS(6));
	}
	/* 30 deaths; there and back at each end would be 120. */
	assert_in_range(moves_handovers(&moves) - before, 2, 24);
	moves_measure(&moves);
	simulation_link_set_silent(&moves.simulation, ALICE, WIFI, true);
	simulation_run(&moves.simulation, SECONDS(4));
	assert_gaps(&moves, silence_limit(MILLISECONDS(20)));
	assert_true(both_use(&moves, lte));
	moves_end(&moves);
}

/* Loss alone is no death. */
static void a_bad_path_does_not_make_it_flap(void **state)
{
	(void)state;
	struct moves moves;
	uint32_t before;

	start_with_two_links(&moves, MILLISECONDS(50));
	before = moves_handovers(&moves);
	moves.simulation.loss_per_mille = 100;
	moves.simulation.jitter = MILLISECONDS(20);
	simulation_run(&moves.simulation, SECONDS(120));
	assert_in_range(moves_handovers(&moves) - before, 0, 8);
	assert_gaps(&moves, MILLISECONDS(500));
	moves_end(&moves);
}

/* ---- both move ---- */

static void check_both_move(duration round_trip, duration apart)
{
	struct moves moves;
	struct spis before;
	duration took;

	moves_start(&moves, &(struct moves_setup){.round_trip = round_trip});
	before = spis_of(&moves);
	moves_change(&moves, ALICE, 0, false);
	simulation_run(&moves.simulation, apart);
	moves_change(&moves, BOB, 0, false);
	assert_true(moves_converge(&moves, SECONDS(10), &took));
	assert_true(moves_flows(&moves, SECONDS(10), 95));
	assert_same_association(&moves, before);
	moves_end(&moves);
}

static void both_move_and_find_each_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(round_trips); i++) {
		check_both_move(round_trips[i], 0);
		check_both_move(round_trips[i], round_trips[i] / 4);
		check_both_move(round_trips[i], round_trips[i]);
	}
}

/* Both, and then both again before anything is found. */
static void both_move_twice(void **state)
{
	(void)state;
	struct moves moves;

	moves_start(&moves, &(struct moves_setup){.round_trip = MILLISECONDS(50)});
	for (unsigned i = 0; i < 4; i++) {
		moves_change(&moves, ALICE, 0, i % 2);
		moves_change(&moves, BOB, 0, i % 2);
		simulation_run(&moves.simulation, MILLISECONDS(30));
	}
	assert_true(moves_converge(&moves, SECONDS(10), NULL));
	moves_end(&moves);
}

/* ---- NATs ---- */

static void a_rebound_nat_is_followed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(round_trips); i++) {
		struct moves moves;
		struct spis before;

		moves_start(&moves, &(struct moves_setup){.round_trip = round_trips[i], .alice_in_nat = true});
		before = spis_of(&moves);
		for (unsigned times = 0; times < 3; times++) {
			moves_measure(&moves);
			simulation_nat_rebind(&moves.simulation, 1);
			simulation_run(&moves.simulation, SECONDS(5));
			assert_gaps(&moves, silence_limit(round_trips[i]));
		}
		assert_same_association(&moves, before);
		moves_end(&moves);
	}
}

/* Nobody sends; the keepalives of the one inside show the new mapping, so that the other one can begin. */
static void a_nat_rebound_while_idle_is_followed(void **state)
{
	(void)state;
	struct moves moves;
	struct spis before;

	moves_start(&moves, &(struct moves_setup){.alice_in_nat = true});
	before = spis_of(&moves);
	stop_streams(&moves);
	simulation_run(&moves.simulation, SECONDS(40));
	simulation_nat_rebind(&moves.simulation, 1);
	simulation_run(&moves.simulation, SECONDS(40));
	start_streams(&moves);
	simulation_stream_stop(&moves.simulation, TO_BOB);
	simulation_run(&moves.simulation, SECONDS(5));
	assert_gap(&moves, TO_ALICE, SECONDS(1));
	assert_same_association(&moves, before);
	moves_end(&moves);
}

/* ---- from one family to the other ---- */

static void families_are_changed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(round_trips); i++) {
		struct moves moves;
		struct spis before;
		struct simulation_link second = {0};

		moves_start(&moves, &(struct moves_setup){.round_trip = round_trips[i]});
		second.known.address = moves_new_address(&moves, BOB, true);
		moves_add_link(&moves, BOB, "ether", second);
		simulation_run(&moves.simulation, SECONDS(3));
		before = spis_of(&moves);
		for (unsigned times = 0; times < 4; times++) {
			break_and_make(&moves, ALICE, MILLISECONDS(200), times % 2 == 0);
			simulation_run(&moves.simulation, SECONDS(5));
			assert_gaps(&moves, break_limit(round_trips[i]));
		}
		assert_same_association(&moves, before);
		moves_end(&moves);
	}
}

/* ---- suspend ---- */

static void check_suspend(size_t sleeper, duration length, bool moves_meanwhile, duration limit)
{
	struct moves moves;
	duration took;

	moves_start(&moves, &(struct moves_setup){0});
	simulation_suspend(&moves.simulation, sleeper);
	simulation_run(&moves.simulation, length);
	if (moves_meanwhile)
		moves_change(&moves, sleeper, 0, false);
	simulation_resume(&moves.simulation, sleeper);
	assert_true(moves_converge(&moves, limit, &took));
	assert_true(moves_flows(&moves, SECONDS(10), 95));
	moves_end(&moves);
}

static void a_short_sleep_is_survived(void **state)
{
	(void)state;
	check_suspend(ALICE, SECONDS(60), false, SECONDS(1));
	check_suspend(BOB, SECONDS(60), false, SECONDS(1));
	check_suspend(ALICE, SECONDS(60), true, SECONDS(1));
	check_suspend(BOB, SECONDS(60), true, SECONDS(1));
}

static void a_long_sleep_is_survived(void **state)
{
	(void)state;
	check_suspend(ALICE, SECONDS(3600), false, SECONDS(10));
	check_suspend(BOB, SECONDS(3600), false, SECONDS(10));
	check_suspend(ALICE, SECONDS(3600), true, SECONDS(10));
	check_suspend(BOB, SECONDS(3600), true, SECONDS(10));
}

static void a_minute_of_sleep_keeps_the_association(void **state)
{
	(void)state;
	struct moves moves;
	struct spis before;

	moves_start(&moves, &(struct moves_setup){0});
	before = spis_of(&moves);
	simulation_suspend(&moves.simulation, ALICE);
	simulation_run(&moves.simulation, SECONDS(60));
	moves_change(&moves, ALICE, 0, false);
	simulation_resume(&moves.simulation, ALICE);
	assert_true(moves_converge(&moves, SECONDS(2), NULL));
	assert_same_association(&moves, before);
	moves_end(&moves);
}

/* ---- a tunnel ---- */

/* Three links, none for 20 s, then all of them with new addresses, one after the other. */
static void a_tunnel_is_passed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(round_trips); i++) {
		struct moves moves;
		struct spis before;

		moves_start(&moves, &(struct moves_setup){.round_trip = round_trips[i]});
		moves_add_link(&moves, ALICE, "lte0", (struct simulation_link){0});
		moves_add_link(&moves, ALICE, "lte1", (struct simulation_link){0});
		simulation_run(&moves.simulation, SECONDS(5));
		before = spis_of(&moves);
		for (size_t link = 0; link < 3; link++) {
			simulation_link_set_down(&moves.simulation, ALICE, link, true);
			simulation_run(&moves.simulation, MILLISECONDS(300));
		}
		simulation_run(&moves.simulation, SECONDS(20));
		moves_measure(&moves);
		for (size_t link = 0; link < 3; link++) {
			simulation_links_hold(&moves.simulation, ALICE);
			moves_change(&moves, ALICE, link, false);
			simulation_link_set_down(&moves.simulation, ALICE, link, false);
			simulation_links_release(&moves.simulation, ALICE);
			simulation_run(&moves.simulation, MILLISECONDS(500));
		}
		simulation_run(&moves.simulation, SECONDS(5));
		assert_gaps(&moves, break_limit(round_trips[i]));
		assert_same_association(&moves, before);
		moves_end(&moves);
	}
}

/* Both ends are in a tunnel at once. */
static void two_tunnels_are_passed(void **state)
{
	(void)state;
	struct moves moves;

	moves_start(&moves, &(struct moves_setup){.round_trip = MILLISECONDS(50)});
	simulation_link_set_down(&moves.simulation, ALICE, 0, true);
	simulation_run(&moves.simulation, SECONDS(10));
	simulation_link_set_down(&moves.simulation, BOB, 0, true);
	simulation_run(&moves.simulation, SECONDS(10));
	break_and_make(&moves, ALICE, 0, false);
	simulation_run(&moves.simulation, SECONDS(10));
	break_and_make(&moves, BOB, 0, false);
	assert_true(moves_converge(&moves, SECONDS(10), NULL));
	moves_end(&moves);
}

/* ---- the judge himself ---- */

static void the_judge_sees_what_goes_to_a_victim(void **state)
{
	(void)state;
	struct moves moves;
	struct packet_vector *vector = calloc(1, sizeof(*vector));
	struct packet *packet;
	struct address victim = simulation_address("192.0.2.99");
	uint8_t octets[1000] = {1, 2, 3, 4};

	assert_non_null(vector);
	moves_start(&moves, &(struct moves_setup){0});
	moves_note_address(&moves, ALICE, &victim, true);
	packet = packet_vector_add(vector);
	packet_fill(packet, PACKET_DATAGRAM, octets, sizeof(octets));
	packet->remote = (struct endpoint){victim, 10500, TRANSPORT_UDP};
	/* As much as alice has sent is right. */
	moves.simulation.observer(&moves.simulation, BOB, &packet->remote, packet, true);
	assert_string_equal(moves.verdict, "");
	for (unsigned i = 0; i < 1000; i++)
		moves.simulation.observer(&moves.simulation, BOB, &packet->remote, packet, true);
	assert_non_null(strstr(moves.verdict, "of ESP to addresses of host 1"));
	moves_free(&moves);
	free(vector);
}

static void the_judge_knows_all_addresses(void **state)
{
	(void)state;
	struct moves moves;
	struct address stranger = simulation_address("192.0.2.98");

	moves_start(&moves, &(struct moves_setup){0});
	simulation_link_change(&moves.simulation, ALICE, 0, &stranger);
	simulation_run(&moves.simulation, SECONDS(2));
	assert_non_null(strstr(moves.verdict, "192.0.2.98, which nobody has ever had"));
	moves_free(&moves);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_judge_sees_what_goes_to_a_victim),
		cmocka_unit_test(the_judge_knows_all_addresses),
		cmocka_unit_test(a_break_is_short),
		cmocka_unit_test(a_break_of_a_one_way_stream_is_short),
		cmocka_unit_test(a_break_with_loss_is_survived),
		cmocka_unit_test(nothing_is_lost_when_links_overlap),
		cmocka_unit_test(a_dead_path_is_left),
		cmocka_unit_test(a_path_that_is_dead_one_way_is_left),
		cmocka_unit_test(a_healed_path_is_used_again),
		cmocka_unit_test(a_flapping_path_is_kept_away_from),
		cmocka_unit_test(a_bad_path_does_not_make_it_flap),
		cmocka_unit_test(both_move_and_find_each_other),
		cmocka_unit_test(both_move_twice),
		cmocka_unit_test(a_rebound_nat_is_followed),
		cmocka_unit_test(a_nat_rebound_while_idle_is_followed),
		cmocka_unit_test(families_are_changed),
		cmocka_unit_test(a_short_sleep_is_survived),
		cmocka_unit_test(a_long_sleep_is_survived),
		cmocka_unit_test(a_minute_of_sleep_keeps_the_association),
		cmocka_unit_test(a_tunnel_is_passed),
		cmocka_unit_test(two_tunnels_are_passed),
	};

	if (getenv("SIM_TEST"))
		cmocka_set_test_filter(getenv("SIM_TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
