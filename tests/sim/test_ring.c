/* SPDX-License-Identifier: MIT */
/* Rings of real nodes on virtual time: join, route, store, fetch, die, leave. SIM_SEED chooses another run. */
#include "tests/sim/simulation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static bool settled(struct simulation *simulation)
{
	return simulation_all_joined(simulation) && simulation_ring_is_right(simulation);
}

static void boot_all(struct simulation *simulation, duration apart)
{
	for (size_t i = 0; i < simulation->host_count; i++) {
		simulation_boot(simulation, i);
		simulation_run(simulation, apart);
	}
}

static void assert_ok(json_t *answer)
{
	if (!answer)
		fail_msg("no answer");
	if (!json_is_true(json_object_get(answer, "ok")))
		fail_msg("%s", json_string_value(json_object_get(answer, "error")));
}

static void say(struct simulation *simulation, const char *what, size_t host, const char *key)
{
	if (getenv("SIM_SAY"))
		fprintf(stderr, "%9.3f host %zu: %s %s\n", (double)simulation->now / 1e9, host, what, key);
}

static void put(struct simulation *simulation, size_t host, const char *key, const char *value)
{
	say(simulation, "put", host, key);
	assert_ok(simulation_ask(simulation, host,
		json_pack("{s:s, s:s, s:s}", "command", "put", "key", key, "value", value), SECONDS(40)));
}

static void get(struct simulation *simulation, size_t host, const char *key, const char *value)
{
	json_t *answer;
	const char *found;

	say(simulation, "get", host, key);
	answer = simulation_ask(simulation, host, json_pack("{s:s, s:s}", "command", "get", "key", key), SECONDS(40));
	assert_ok(answer);
	found = json_string_value(json_object_get(json_array_get(json_object_get(answer, "values"), 0), "value"));
	assert_string_equal(found, value);
}

static void ping(struct simulation *simulation, size_t from, size_t to)
{
	char hit[HIT_TEXT_SIZE];

	assert_ok(simulation_ask(simulation, from,
		json_pack("{s:s, s:s, s:i, s:i}", "command", "ping", "target", simulation_hit(simulation, to, hit),
			"count", 1, "timeout_ms", 20000),
		SECONDS(30)));
}

static void test_two_nodes(void **state)
{
	(void)state;
	struct simulation simulation;

	simulation_start(&simulation, simulation_seed(), 2);
	boot_all(&simulation, MILLISECONDS(100));
	assert_true(simulation_run_until(&simulation, SECONDS(10), settled));
	ping(&simulation, 0, 1);
	ping(&simulation, 1, 0);
	put(&simulation, 1, "colour", "green");
	get(&simulation, 0, "colour", "green");
	simulation_free(&simulation);
}

/* Nothing that still waits for an answer is lost or heard of again; the sanitizers see to it. */
static void test_end_with_requests_under_way(void **state)
{
	(void)state;
	static const char *const commands[] = {
		"{\"command\":\"put\", \"key\":\"a\", \"value\":\"b\"}",
		"{\"command\":\"get\", \"key\":\"a\"}",
		"{\"command\":\"resolve\", \"aor\":\"sip:x@example.com\"}",
		"{\"command\":\"ping\", \"target\":\"sip:x@example.com\"}",
		"{\"command\":\"trace\", \"target\":\"2001:22::1\"}",
		"{\"command\":\"ping\", \"target\":\"2001:22::2\"}",
		"{\"command\":\"monitor\"}",
	};
	struct simulation simulation;

	simulation_start(&simulation, simulation_seed(), 3);
	boot_all(&simulation, SECONDS(1));
	simulation.hosts[0].cut_off = true;
	simulation.hosts[1].cut_off = true;
	for (unsigned wait = 0; wait < 3; wait++) {
		for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
			simulation_command(&simulation, 2, i, json_loads(commands[i], 0, NULL));
		simulation_run(&simulation, MILLISECONDS(700) * wait);
		simulation_kill(&simulation, 2);
		simulation_boot(&simulation, 2);
	}
	simulation_free(&simulation);
}

/* Finds a host that `from` has no association with. */
static size_t stranger_of(struct simulation *simulation, size_t from)
{
	json_t *status = node_status(simulation->hosts[from].node, simulation->now);
	json_t *associations = json_object_get(status, "associations"), *association;
	size_t found = SIZE_MAX, i;

	for (size_t host = 0; host < simulation->host_count && found == SIZE_MAX; host++) {
		char hit[HIT_TEXT_SIZE];
		bool known = host == from || !simulation->hosts[host].node;

		simulation_hit(simulation, host, hit);
		json_array_foreach(associations, i, association)
		{
			known |= strcmp(json_string_value(json_object_get(association, "hit")), hit) == 0;
		}
		if (!known)
			found = host;
	}
	json_decref(status);
	return found;
}

static json_int_t hops_of_ping(struct simulation *simulation, size_t from, size_t to)
{
	ping(simulation, from, to);
	return json_integer_value(json_object_get(simulation->replies[0], "overlay_hops"));
}

static void run_sixty_four(struct simulation *simulation, uint32_t loss_per_mille)
{
	size_t stranger;

	simulation_start(simulation, simulation_seed(), 64);
	simulation->loss_per_mille = loss_per_mille;
	simulation->jitter = MILLISECONDS(20);
	boot_all(simulation, MILLISECONDS(200));
	assert_true(simulation_run_until(simulation, SECONDS(180), settled));
	simulation_run(simulation, SECONDS(60));
	assert_true(settled(simulation));

	/* The first packet to an unknown HIT goes through the overlay, over at least one other host. */
	stranger = stranger_of(simulation, 5);
	assert_true(stranger != SIZE_MAX);
	assert_true(hops_of_ping(simulation, 5, stranger) >= 2);

	for (size_t i = 0; i < 16; i++) {
		char key[32];

		snprintf(key, sizeof(key), "key-%zu", i);
		put(simulation, i * 4, key, key);
		get(simulation, 63 - i * 3, key, key);
	}
	/* Two replicas: no value is lost when one host in eight dies, not all at once. */
	for (size_t i = 7; i < 64; i += 8) {
		simulation_kill(simulation, i);
		simulation_run(simulation, SECONDS(20));
	}
	assert_true(simulation_run_until(simulation, SECONDS(180), settled));
	simulation_run(simulation, SECONDS(30));
	for (size_t i = 0; i < 16; i++) {
		char key[32];

		snprintf(key, sizeof(key), "key-%zu", i);
		get(simulation, (i * 5) % 7, key, key);
	}
	simulation_leave(simulation, 9);
	assert_true(simulation_run_until(simulation, SECONDS(60), settled));
}

static void test_sixty_four_with_loss(void **state)
{
	(void)state;
	struct simulation simulation;

	run_sixty_four(&simulation, 20);
	print_message("%llu datagrams delivered, %llu lost\n", (unsigned long long)simulation.delivered,
		(unsigned long long)simulation.lost);
	simulation_free(&simulation);
}

static void test_restarted_neighbour_is_usable_within_six_seconds(void **state)
{
	(void)state;
	struct simulation simulation;

	simulation_start(&simulation, simulation_seed(), 4);
	boot_all(&simulation, MILLISECONDS(100));
	assert_true(simulation_run_until(&simulation, SECONDS(20), settled));
	ping(&simulation, 2, 3);
	simulation_run(&simulation, SECONDS(5));
	simulation_kill(&simulation, 3);
	simulation_boot(&simulation, 3);
	/* Traffic from the one who does not know goes on; the answer must be there within 6 s. */
	{
		char hit[HIT_TEXT_SIZE];
		json_t *answer;

		simulation_command(&simulation, 2, 0,
			json_pack("{s:s, s:s, s:i, s:i, s:i}", "command", "ping", "target",
				simulation_hit(&simulation, 3, hit), "count", 12, "interval_ms", 500, "timeout_ms",
				500));
		answer = simulation_answer(&simulation, 0, SECONDS(10));
		assert_ok(answer);
	}
	simulation_free(&simulation);
}

/* The first host of an overlay has nobody to join through; it remembers whom it knew. */
static void test_restarted_first_host_is_back_at_once(void **state)
{
	(void)state;
	struct simulation simulation;

	simulation_start(&simulation, simulation_seed(), 8);
	simulation.keep_state = true;
	boot_all(&simulation, MILLISECONDS(200));
	assert_true(simulation_run_until(&simulation, SECONDS(60), settled));
	put(&simulation, 3, "colour", "green");
	simulation_run(&simulation, SECONDS(30));
	simulation_kill(&simulation, 0);
	simulation_boot(&simulation, 0);
	simulation_run(&simulation, SECONDS(2));
	get(&simulation, 0, "colour", "green");
	assert_true(simulation_run_until(&simulation, SECONDS(10), settled));
	simulation_free(&simulation);
}

/* Returns the hash of all that was delivered. */
static uint64_t split_and_merge(void)
{
	struct simulation simulation;
	uint64_t trace;

	simulation_start(&simulation, simulation_seed(), 12);
	boot_all(&simulation, MILLISECONDS(100));
	assert_true(simulation_run_until(&simulation, SECONDS(60), settled));
	for (size_t i = 6; i < 12; i++)
		simulation.hosts[i].partition = 1;
	simulation_run(&simulation, SECONDS(120));
	for (size_t i = 6; i < 12; i++)
		simulation.hosts[i].partition = 0;
	assert_true(simulation_run_until(&simulation, SECONDS(300), settled));
	trace = simulation.trace;
	simulation_free(&simulation);
	return trace;
}

static void test_split_rings_merge_and_the_same_again(void **state)
{
	(void)state;
	uint64_t trace = split_and_merge();

	assert_true(split_and_merge() == trace);
}

#ifndef __SANITIZE_ADDRESS__
/* A bootstrap peer keeps the associations that the ring needs, not one for each of its users. */
static void test_bootstrap_peer_is_let_go(void **state)
{
	(void)state;
	struct simulation simulation;
	json_t *status;
	size_t associations;

	simulation_start(&simulation, simulation_seed(), 28);
	boot_all(&simulation, MILLISECONDS(200));
	assert_true(simulation_run_until(&simulation, SECONDS(120), settled));
	simulation_run(&simulation, SECONDS(600));
	assert_true(settled(&simulation));
	status = node_status(simulation.hosts[0].node, simulation.now);
	associations = json_array_size(json_object_get(status, "associations"));
	json_decref(status);
	print_message("%zu associations of the bootstrap peer of 27\n", associations);
	assert_true(associations < 24);
	simulation_free(&simulation);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_nodes),
		cmocka_unit_test(test_end_with_requests_under_way),
		cmocka_unit_test(test_restarted_neighbour_is_usable_within_six_seconds),
		cmocka_unit_test(test_sixty_four_with_loss),
		cmocka_unit_test(test_restarted_first_host_is_back_at_once),
		cmocka_unit_test(test_split_rings_merge_and_the_same_again),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(test_bootstrap_peer_is_let_go),
#endif
	};

	/* SIM_TEST chooses one. */
	if (getenv("SIM_TEST"))
		cmocka_set_test_filter(getenv("SIM_TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
