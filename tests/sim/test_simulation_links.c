/* SPDX-License-Identifier: MIT */
/* The simulated network itself: links, NATs, faults and what is counted. */
#include "tests/sim/simulation_internal.h"

#include <stdlib.h>
#include <string.h>

#define ALICE 1
#define BOB   2
#define CAROL 3

#define INTERVAL MILLISECONDS(20)

/* An overlay where alice and bob talk: streams 0 (to bob) and 1 (to alice). */
static void start_talk(struct simulation *simulation, size_t hosts)
{
	simulation_start(simulation, simulation_seed(), hosts);
	for (size_t i = 0; i < hosts; i++) {
		simulation_boot(simulation, i);
		simulation_run(simulation, MILLISECONDS(100));
	}
	assert_true(simulation_run_until(simulation, SECONDS(20), simulation_all_joined));
	assert_int_equal(simulation_stream_start(simulation, ALICE, BOB, INTERVAL), 0);
	assert_int_equal(simulation_stream_start(simulation, BOB, ALICE, INTERVAL), 1);
	simulation_run(simulation, SECONDS(2));
	assert_true(simulation_is_associated(simulation, ALICE, BOB));
	/* Away from the instant of sending, with nothing under way. */
	simulation_run(simulation, MILLISECONDS(15));
	simulation_stream_measure(simulation, 0);
	simulation_stream_measure(simulation, 1);
}

static struct endpoint at(const char *address, uint16_t port)
{
	return (struct endpoint){.address = simulation_address(address), .port = port, .transport = TRANSPORT_UDP};
}

/* ---- streams ---- */

static void a_stream_counts(void **state)
{
	(void)state;
	struct simulation simulation;
	struct simulation_stream *stream = &simulation.streams[0];

	start_talk(&simulation, 3);
	simulation_run(&simulation, SECONDS(1));
	assert_int_equal(stream->sent, 50);
	assert_int_equal(simulation_stream_missing(&simulation, 0), 0);
	assert_int_equal(stream->longest_gap, INTERVAL);
	assert_int_equal(stream->longest_delay, MILLISECONDS(10));
	assert_int_equal(stream->twice, 0);
	simulation_stream_stop(&simulation, 0);
	simulation_run(&simulation, SECONDS(1));
	assert_int_equal(stream->sent, 50);
	assert_true(simulation_stream_gap(&simulation, 0) >= MILLISECONDS(990));
	simulation_free(&simulation);
}

static void a_link_has_its_own_delay(void **state)
{
	(void)state;
	struct simulation simulation;

	start_talk(&simulation, 3);
	simulation.hosts[ALICE].links[0].delay = MILLISECONDS(3);
	simulation.hosts[BOB].links[0].delay = MILLISECONDS(1);
	simulation_run(&simulation, MILLISECONDS(200));
	assert_int_equal(simulation.streams[0].longest_delay, MILLISECONDS(14));
	assert_int_equal(simulation.streams[1].longest_delay, MILLISECONDS(14));
	simulation.hosts[BOB].links[0].jitter = MILLISECONDS(3);
	simulation_run(&simulation, SECONDS(1));
	assert_in_range(simulation.streams[0].longest_delay, MILLISECONDS(15), MILLISECONDS(17));
	simulation_free(&simulation);
}

static void a_link_has_its_own_loss(void **state)
{
	(void)state;
	struct simulation simulation;

	start_talk(&simulation, 3);
	simulation.hosts[BOB].links[0].loss_per_mille = 100;
	simulation_run(&simulation, SECONDS(10));
	assert_in_range(simulation_stream_missing(&simulation, 0), 20, 90); /* of 500 */
	assert_in_range(simulation_stream_missing(&simulation, 1), 20, 90);
	simulation_free(&simulation);
}

static void silence_has_a_direction(void **state)
{
	(void)state;
	struct simulation simulation;

	start_talk(&simulation, 3);
	simulation.hosts[ALICE].links[0].silent_out = true;
	simulation_run(&simulation, MILLISECONDS(100));
	assert_int_equal(simulation.streams[0].sent, 5);
	assert_int_equal(simulation.streams[0].received, 0);
	assert_int_equal(simulation_stream_missing(&simulation, 1), 0);
	simulation.hosts[ALICE].links[0].silent_out = false;
	simulation.hosts[ALICE].links[0].silent_in = true;
	simulation_stream_measure(&simulation, 0);
	simulation_stream_measure(&simulation, 1);
	simulation_run(&simulation, MILLISECONDS(100));
	assert_int_equal(simulation_stream_missing(&simulation, 0), 0);
	assert_int_equal(simulation.streams[1].received, 0);
	simulation_free(&simulation);
}

/* ---- addresses ---- */

static void what_nobody_gets_is_counted(void **state)
{
	(void)state;
	struct simulation simulation;
	struct address old;
	struct simulation_octets before, nobody;
	uint64_t received;

	start_talk(&simulation, 4);
	old = simulation.hosts[BOB].address;
	before = simulation_traffic_with(&simulation, ALICE, &old).sent;
	assert_int_equal(simulation_sent_to_nobody(&simulation, &old).esp, 0);
	simulation_link_remove(&simulation, BOB, 0);
	simulation_run(&simulation, MILLISECONDS(50));
	nobody = simulation_sent_to_nobody(&simulation, &old);
	assert_true(nobody.esp > 0);
	assert_true(nobody.esp >= simulation_traffic_with(&simulation, ALICE, &old).sent.esp - before.esp);
	/* Given to another, it gets there, and is not counted any more. */
	simulation_link_change(&simulation, CAROL, 0, &old);
	nobody = simulation_sent_to_nobody(&simulation, &old);
	received = simulation.hosts[CAROL].received;
	simulation_run(&simulation, MILLISECONDS(50));
	assert_true(simulation.hosts[CAROL].received > received);
	assert_int_equal(simulation_sent_to_nobody(&simulation, &old).esp, nobody.esp);
	simulation_free(&simulation);
}

static void a_claimed_address_is_nobodys(void **state)
{
	(void)state;
	struct simulation simulation;
	struct simulation_link link = {.claimed = true};
	struct endpoint victim = at("192.0.2.9", 10500), other = at("192.0.2.7", 10500);
	struct address source;

	start_talk(&simulation, 3);
	link.known.address = victim.address;
	simulation_link_add(&simulation, ALICE, &link);
	simulation_inject(&simulation, &other, &victim, PACKET_DATAGRAM, (const uint8_t *)"\xff", 1);
	assert_int_equal(simulation_sent_to_nobody(&simulation, &victim.address).hip, 1);
	assert_false(simulation_source_address(&simulation.hosts[ALICE], &other.address, &source));
	assert_ptr_equal(simulation_link_for(&simulation.hosts[ALICE], &victim.address, &other.address),
		&simulation.hosts[ALICE].links[1]);
	simulation_free(&simulation);
}

/* As a kernel refuses it. */
static void nothing_leaves_from_an_address_that_is_gone(void **state)
{
	(void)state;
	struct simulation simulation;
	struct address new = simulation_address("2001:db8:1::1");
	uint64_t esp;

	start_talk(&simulation, 3);
	esp = simulation_traffic_with(&simulation, ALICE, &simulation.hosts[BOB].address).sent.esp;
	simulation_links_hold(&simulation, ALICE);
	simulation_link_change(&simulation, ALICE, 0, &new);
	simulation_run(&simulation, MILLISECONDS(100));
	assert_int_equal(simulation.streams[0].sent, 5);
	assert_int_equal(simulation.streams[0].received, 0);
	assert_int_equal(simulation_traffic_with(&simulation, ALICE, &simulation.hosts[BOB].address).sent.esp, esp);
	assert_true(simulation.hosts[ALICE].links_untold);
	simulation_links_release(&simulation, ALICE);
	assert_false(simulation.hosts[ALICE].links_untold);
	simulation_free(&simulation);
}

static bool source(struct simulation *simulation, const char *remote, const char *expected)
{
	struct address to = simulation_address(remote), found, right;

	if (!simulation_source_address(&simulation->hosts[ALICE], &to, &found))
		return false;
	right = simulation_address(expected);
	return address_equal(&found, &right);
}

static void the_source_is_the_first_link_of_the_family(void **state)
{
	(void)state;
	struct simulation simulation;
	struct simulation_link link = {.known = {.interface = 2, .name = "lte"}};
	size_t lte, second;

	simulation_start(&simulation, 1, 2);
	assert_false(source(&simulation, "198.51.100.1", "198.51.100.2"));
	link.known.address = simulation_address("198.51.100.2");
	lte = simulation_link_add(&simulation, ALICE, &link);
	link.known.address = simulation_address("2001:db8:2::1");
	second = simulation_link_add(&simulation, ALICE, &link);
	assert_true(source(&simulation, "198.51.100.1", "198.51.100.2"));
	assert_true(source(&simulation, "2001:db8::1", "2001:db8::2"));
	simulation_link_set_down(&simulation, ALICE, 0, true);
	assert_true(source(&simulation, "2001:db8::1", "2001:db8:2::1"));
	simulation_link_set_down(&simulation, ALICE, 0, false);
	simulation_link_remove(&simulation, ALICE, lte);
	assert_false(source(&simulation, "198.51.100.1", "198.51.100.2"));
	link.known.address = simulation_address("198.51.100.2");
	assert_int_equal(simulation_link_add(&simulation, ALICE, &link), lte);
	assert_int_not_equal(second, lte);
	simulation_free(&simulation);
}

/* ---- NATs ---- */

static void a_nat_maps_one_endpoint_to_one_port(void **state)
{
	(void)state;
	struct simulation_nat nat = {.idle = SECONDS(30), .next_port = 40000};
	struct endpoint one = at("10.0.0.2", 10500), two = at("10.0.0.3", 10500), remote = at("192.0.2.1", 10500),
			other = at("192.0.2.2", 10500), first, second;

	assert_false(simulation_nat_in(&nat, 0, &remote, 40000, &first));
	assert_true(simulation_nat_out(&nat, 0, &one, &remote, &first));
	assert_true(simulation_nat_out(&nat, 0, &one, &other, &second));
	assert_true(endpoint_equal(&first, &second));
	assert_true(simulation_nat_out(&nat, 0, &two, &remote, &second));
	assert_int_equal(first.port, 40000);
	assert_int_equal(second.port, 40001);
	assert_true(simulation_nat_in(&nat, 0, &remote, 40001, &first));
	assert_true(endpoint_equal(&first, &two));
	/* It lives as long as packets go out. */
	assert_true(simulation_nat_out(&nat, SECONDS(20), &one, &remote, &first));
	assert_true(simulation_nat_in(&nat, SECONDS(40), &remote, 40000, &second));
	assert_false(simulation_nat_in(&nat, SECONDS(40), &remote, 40001, &second));
	assert_true(simulation_nat_out(&nat, SECONDS(40), &two, &remote, &second));
	assert_int_equal(second.port, 40002);
	one.transport = TRANSPORT_IP;
	assert_false(simulation_nat_out(&nat, SECONDS(40), &one, &remote, &first));
}

static void a_nat_filters(void **state)
{
	(void)state;
	struct simulation_nat nat = {.next_port = 40000};
	struct endpoint inner = at("10.0.0.2", 10500), remote = at("192.0.2.1", 10500), port = at("192.0.2.1", 10501),
			stranger = at("192.0.2.2", 10500), out;
	static const bool lets_in[][2] = {
		[NAT_FILTERS_NOBODY] = {true, true},
		[NAT_FILTERS_ADDRESSES] = {true, false},
		[NAT_FILTERS_ENDPOINTS] = {false, false},
	};

	assert_true(simulation_nat_out(&nat, 0, &inner, &remote, &out));
	for (size_t i = 0; i < sizeof(lets_in) / sizeof(lets_in[0]); i++) {
		nat.filter = (nat_filter)i;
		assert_true(simulation_nat_in(&nat, 0, &remote, out.port, &inner));
		assert_int_equal(simulation_nat_in(&nat, 0, &port, out.port, &inner), lets_in[i][0]);
		assert_int_equal(simulation_nat_in(&nat, 0, &stranger, out.port, &inner), lets_in[i][1]);
	}
}

static void a_full_nat_forgets_the_oldest(void **state)
{
	(void)state;
	struct simulation_nat nat = {.next_port = 40000};
	struct endpoint inner = at("10.0.0.2", 1), remote = at("192.0.2.1", 10500), out;

	for (uint16_t i = 0; i <= SIMULATION_NAT_MAPPINGS; i++) {
		inner.port = (uint16_t)(i + 1);
		assert_true(simulation_nat_out(&nat, i, &inner, &remote, &out));
	}
	assert_false(simulation_nat_in(&nat, 100, &remote, 40000, &inner));
	assert_true(simulation_nat_in(&nat, 100, &remote, 40001, &inner));
	assert_int_equal(inner.port, 2);
}

/* What the world saw last of alice. */
static void see_alice(struct simulation *simulation, size_t from, const struct endpoint *source_seen,
	const struct packet *packet, bool esp)
{
	struct endpoint *seen = simulation->observer_context;

	(void)packet;
	if (from == ALICE && esp)
		*seen = *source_seen;
}

/* Alice is behind a NAT from the beginning. */
static void start_behind_nat(struct simulation *simulation, struct endpoint *seen, size_t count)
{
	struct address outer = simulation_address("2001:db8:9::1"), inner = simulation_address("fd00::2");

	simulation_start(simulation, simulation_seed(), count);
	simulation_nat_add(simulation, &outer, NAT_FILTERS_ENDPOINTS, SECONDS(60));
	simulation_link_set_nat(simulation, ALICE, 0, 1, &inner);
	simulation->observer = see_alice;
	simulation->observer_context = seen;
	for (size_t i = 0; i < count; i++)
		simulation_boot(simulation, i);
	assert_true(simulation_run_until(simulation, SECONDS(20), simulation_all_joined));
}

static void a_host_behind_a_nat(void **state)
{
	(void)state;
	struct simulation simulation;
	struct endpoint seen = {.port = 0}, first;
	struct address outer = simulation_address("2001:db8:9::1"), inner = simulation_address("fd00::2");
	struct endpoint stranger = at("2001:db8:7::7", 10500);
	uint64_t received;

	start_behind_nat(&simulation, &seen, 2);
	simulation_stream_start(&simulation, ALICE, 0, INTERVAL);
	simulation_stream_start(&simulation, 0, ALICE, INTERVAL);
	simulation_run(&simulation, SECONDS(2));
	first = seen;
	assert_true(address_equal(&first.address, &outer));
	assert_int_not_equal(first.port, 10500);
	assert_true(simulation.streams[0].received > 90);
	assert_true(simulation.streams[1].received > 90);
	assert_true(simulation_traffic_with(&simulation, 0, &outer).received.esp > 0);
	assert_int_equal(simulation_traffic_with(&simulation, 0, &inner).received.esp, 0);
	/* Strangers are not let in; nobody else reaches the inner address. */
	received = simulation.nats[0].refused;
	simulation_inject(&simulation, &stranger, &first, PACKET_DATAGRAM, (const uint8_t *)"\xff", 1);
	assert_int_equal(simulation.nats[0].refused, received + 1);
	first.address = inner;
	simulation_inject(&simulation, &stranger, &first, PACKET_DATAGRAM, (const uint8_t *)"\xff", 1);
	assert_int_equal(simulation_sent_to_nobody(&simulation, &inner).hip, 1);
	simulation_free(&simulation);
}

static void a_rebound_nat_has_another_port(void **state)
{
	(void)state;
	struct simulation simulation;
	struct endpoint seen = {.port = 0}, before;
	uint64_t refused;

	start_behind_nat(&simulation, &seen, 2);
	simulation_stream_start(&simulation, 0, ALICE, INTERVAL);
	simulation_run(&simulation, SECONDS(2));
	before = seen;
	simulation_nat_rebind(&simulation, 1);
	refused = simulation.nats[0].refused;
	/* Nothing goes out: nothing comes in. */
	simulation_stream_measure(&simulation, 0);
	simulation_run(&simulation, MILLISECONDS(100));
	assert_true(simulation.nats[0].refused > refused);
	assert_int_equal(simulation.streams[0].received, 0);
	simulation_stream_start(&simulation, ALICE, 0, INTERVAL);
	simulation_run(&simulation, MILLISECONDS(100));
	assert_true(address_equal(&seen.address, &before.address));
	assert_int_not_equal(seen.port, before.port);
	assert_true(simulation.streams[1].received > 0);
	simulation_free(&simulation);
}

/* ---- suspend ---- */

static unsigned calls;

static void count_call(bool begins)
{
	calls += begins;
}

static void a_suspended_host_gets_no_calls(void **state)
{
	(void)state;
	struct simulation simulation;
	struct simulation_link link = {.known.address = simulation_address("2001:db8:5::5")};

	simulation_start(&simulation, 1, 1);
	simulation_boot(&simulation, 0);
	simulation_run(&simulation, SECONDS(1));
	simulation_suspend(&simulation, 0);
	simulation.call = count_call;
	calls = 0;
	simulation_run(&simulation, SECONDS(600));
	simulation_link_add(&simulation, 0, &link);
	assert_int_equal(calls, 0);
	assert_true(simulation.hosts[0].links_untold);
	simulation_resume(&simulation, 0);
	assert_true(calls > 0);
	assert_false(simulation.hosts[0].links_untold);
	simulation_free(&simulation);
}

static void a_suspended_host_hears_nothing(void **state)
{
	(void)state;
	struct simulation simulation;
	uint64_t received;

	start_talk(&simulation, 3);
	received = simulation.hosts[BOB].received;
	simulation_suspend(&simulation, BOB);
	simulation_run(&simulation, MILLISECONDS(200));
	assert_int_equal(simulation.hosts[BOB].received, received);
	assert_int_equal(simulation.streams[0].received, 0);
	assert_int_equal(simulation.streams[1].sent, 0);
	simulation_resume(&simulation, BOB);
	simulation_run(&simulation, MILLISECONDS(200));
	assert_true(simulation.streams[0].received >= 9);
	assert_true(simulation.streams[1].received >= 9);
	simulation_free(&simulation);
}

/* ---- the same again ---- */

static uint64_t trace_of_a_run(void)
{
	struct simulation simulation;
	struct endpoint seen;
	uint64_t trace;

	start_behind_nat(&simulation, &seen, 4);
	simulation.hosts[ALICE].links[0].jitter = MILLISECONDS(5);
	simulation.hosts[BOB].links[0].loss_per_mille = 100;
	simulation_stream_start(&simulation, ALICE, BOB, INTERVAL);
	simulation_run(&simulation, SECONDS(2));
	simulation_link_change(&simulation, BOB, 0, &(struct address){{0x20, 1, 0xd, 0xb8, 7}});
	simulation_nat_rebind(&simulation, 1);
	simulation_run(&simulation, SECONDS(2));
	trace = simulation.trace;
	simulation_free(&simulation);
	return trace;
}

static void the_same_seed_gives_the_same_run(void **state)
{
	(void)state;
	assert_true(trace_of_a_run() == trace_of_a_run());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_counts),
		cmocka_unit_test(a_link_has_its_own_delay),
		cmocka_unit_test(a_link_has_its_own_loss),
		cmocka_unit_test(silence_has_a_direction),
		cmocka_unit_test(what_nobody_gets_is_counted),
		cmocka_unit_test(a_claimed_address_is_nobodys),
		cmocka_unit_test(nothing_leaves_from_an_address_that_is_gone),
		cmocka_unit_test(the_source_is_the_first_link_of_the_family),
		cmocka_unit_test(a_nat_maps_one_endpoint_to_one_port),
		cmocka_unit_test(a_nat_filters),
		cmocka_unit_test(a_full_nat_forgets_the_oldest),
		cmocka_unit_test(a_host_behind_a_nat),
		cmocka_unit_test(a_rebound_nat_has_another_port),
		cmocka_unit_test(a_suspended_host_gets_no_calls),
		cmocka_unit_test(a_suspended_host_hears_nothing),
		cmocka_unit_test(the_same_seed_gives_the_same_run),
	};

	if (getenv("SIM_TEST"))
		cmocka_set_test_filter(getenv("SIM_TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
