/* SPDX-License-Identifier: MIT */
/* Engines whose allocations fail: nothing breaks, nothing stored is lost, and with memory again all is well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "network.h"
#include "overlay/chord.h"
#include "overlay/message.h"
#include "tests/unit/failing_allocation.h"

/* ---- One engine whose memory ends at each of its allocations in turn ---- */

struct one {
	struct fake_identity identity, other_identity;
	struct seeded_random generator;
	struct random_source random;
	struct hit self, other, resource;
	struct overlay *overlay;
	struct topology *other_topology;
	instant now;
	uint64_t token, transaction;
};

static void drain_one(struct one *one)
{
	struct overlay_effect effect;

	while (overlay_next_effect(one->overlay, &effect))
		;
}

static void arrive(struct one *one, const struct reload_message *message)
{
	static uint8_t octets[OVERLAY_MESSAGE_MAXIMUM];
	struct writer writer = writer_over(octets, sizeof(octets));
	struct overlay_arrival arrival = {.sender = one->other,
		.receiver = one->self,
		.transaction = ++one->transaction,
		.hops = 1,
		.route = "route",
		.route_length = 5};

	reload_message_write(&writer, message);
	one->now += MILLISECONDS(10);
	overlay_input(one->overlay, one->now, 1, &arrival, octets, writer.position);
	drain_one(one);
}

static void arrive_update(struct one *one)
{
	uint8_t octets[512];
	struct writer writer = writer_over(octets, sizeof(octets));

	chord_topology.write_update(one->other_topology, &writer, 1, &one->self, TOPOLOGY_UPDATE_FULL);
	struct reload_message message = {.code = RELOAD_UPDATE_REQUEST, .data = {octets, writer.position}};
	arrive(one, &message);
}

static void pass(struct one *one, duration length)
{
	instant end = one->now + length;

	while (overlay_next_wake(one->overlay) <= end) {
		one->now = overlay_next_wake(one->overlay) > one->now ? overlay_next_wake(one->overlay) : one->now;
		overlay_tick(one->overlay, one->now, 1);
		drain_one(one);
	}
	one->now = end;
}

/* What an engine meets: neighbours, messages, requests of the user, time. */
static void live(struct one *one)
{
	struct reload_message ping = {.code = RELOAD_PING_REQUEST};
	struct reload_message join = {.code = RELOAD_JOIN_REQUEST, .join = {.node = one->other}};
	struct reload_message query = {.code = RELOAD_ROUTE_QUERY_REQUEST,
		.route_query = {.send_update = true,
			.destination_type = RELOAD_DESTINATION_RESOURCE,
			.destination = one->resource}};

	overlay_store(one->overlay, one->now, 1, ++one->token, OVERLAY_KIND_PUT, &one->resource, (const uint8_t *)"1",
		1, 3600, true);
	drain_one(one);
	overlay_bootstrap_up(one->overlay, one->now, &one->other);
	drain_one(one);
	arrive(one, &ping);
	arrive(one, &query);
	arrive(one, &join);
	arrive_update(one);
	overlay_fetch(one->overlay, one->now, ++one->token, OVERLAY_KIND_PUT, &one->resource);
	overlay_stat(one->overlay, one->now, ++one->token, OVERLAY_KIND_PUT, &one->resource);
	overlay_find(one->overlay, one->now, ++one->token, OVERLAY_KIND_PUT, &one->resource);
	overlay_trace(one->overlay, one->now, ++one->token, &one->resource);
	drain_one(one);
	pass(one, SECONDS(30));
	overlay_neighbour_down(one->overlay, one->now, &one->other);
	drain_one(one);
}

static hiphop_error one_start(struct one *one)
{
	struct overlay_configuration configuration = {.name = "one", .topology = "chord", .hash = "sha256"};

	memset(one, 0, sizeof(*one));
	one->self = fake_identity_start(&one->identity, 1);
	one->other = fake_identity_start(&one->other_identity, 2);
	one->resource = resource_id_at(&one->self);
	one->random = seeded_random_start(&one->generator, 1);
	one->now = SECONDS(1);
	configuration.self = one->self;
	configuration.replicas = 2;
	configuration.crypto = fake_crypto(&one->identity);
	configuration.random = &one->random;
	hiphop_error error = overlay_create(&configuration, one->now, 1, &one->overlay);
	return error ? error : chord_topology.create(&one->other, 8, &one->other_topology);
}

static bool keeps(struct one *one)
{
	struct overlay_effect effect;
	bool found = false;

	overlay_fetch(one->overlay, one->now, 4711, OVERLAY_KIND_PUT, &one->resource);
	overlay_tick(one->overlay, one->now, 2);
	while (overlay_next_effect(one->overlay, &effect))
		if (effect.type == OVERLAY_RESULT && effect.result.token == 4711)
			found = effect.result.error == HIPHOP_OK && effect.result.value_count == 1;
	return found;
}

static void memory_ends_at_each_allocation(void **state)
{
	struct one one;
	unsigned created = 0;

	(void)state;
	for (unsigned allowed = 0; allowed < 600; allowed++) {
		failing_allocation_after(allowed);
		hiphop_error error = one_start(&one);
		if (!error)
			live(&one);
		failing_allocation_stop();
		if (error) {
			assert_int_equal(error, HIPHOP_NO_MEMORY);
			if (one.overlay)
				overlay_free(one.overlay);
			continue;
		}
		created++;
		pass(&one, SECONDS(30));
		assert_int_equal(overlay_store(one.overlay, one.now, 2, ++one.token, OVERLAY_KIND_PUT, &one.resource,
					 (const uint8_t *)"2", 1, 3600, true),
			HIPHOP_OK);
		drain_one(&one);
		pass(&one, SECONDS(60));
		assert_true(keeps(&one));
		overlay_free(one.overlay);
		chord_topology.free(one.other_topology);
	}
	assert_true(created > 500);
}

/* ---- A ring in which memory is scarce for a while ---- */

static void starve(struct network *network)
{
	(void)network;
	if (rand() % 100 < 30)
		failing_allocation_after((unsigned)rand() % 4);
}

static void feed(struct network *network)
{
	(void)network;
	failing_allocation_stop();
}

static void hunger(struct network *network, duration length)
{
	network->before_call = starve;
	network->after_call = feed;
	network_run(network, length);
	network->before_call = NULL;
}

static struct hit resource_of(struct network *network, unsigned number)
{
	char name[32];
	struct hit resource;

	snprintf(name, sizeof(name), "key %u", number);
	assert_int_equal(overlay_resource_id_of_name(network->nodes[0].overlay, name, &resource), HIPHOP_OK);
	return resource;
}

static const struct result *result_of(struct network *network, unsigned n, uint64_t token)
{
	drain(network, n);
	for (unsigned i = 0; i < 120 && !network_result(network, token); i++)
		network_run(network, MILLISECONDS(500));
	assert_non_null(network_result(network, token));
	return network_result(network, token);
}

static void store(struct network *network, unsigned n, unsigned number, bool keep)
{
	struct hit resource = resource_of(network, number);

	network->result_count = 0;
	assert_int_equal(overlay_store(network->nodes[n].overlay, network->now, WALL(network), 1, OVERLAY_KIND_PUT,
				 &resource, (const uint8_t *)"value", 5, 3600, keep),
		HIPHOP_OK);
	assert_int_equal(result_of(network, n, 1)->error, HIPHOP_OK);
}

static void finds(struct network *network, unsigned n, unsigned number)
{
	struct hit resource = resource_of(network, number);

	network->result_count = 0;
	assert_int_equal(
		overlay_fetch(network->nodes[n].overlay, network->now, 2, OVERLAY_KIND_PUT, &resource), HIPHOP_OK);
	assert_int_equal(result_of(network, n, 2)->value_count, 1);
}

static void a_ring_outlives_a_lack_of_memory(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 6; seed++) {
		struct network *network = network_start(16, seed);

		srand((unsigned)seed);
		for (unsigned i = 0; i < 16; i++)
			network_create_overlay(network, i, OVERLAY_PEER);
		hunger(network, SECONDS(20));
		network_converge(network, SECONDS(120));
		assert_int_equal(wrong_successors(network), 0);
		for (unsigned i = 0; i < 16; i++)
			store(network, i, i, i % 2);
		network_run(network, SECONDS(10));
		hunger(network, SECONDS(60));
		network_converge(network, SECONDS(120));
		assert_int_equal(wrong_successors(network), 0);
		for (unsigned i = 0; i < 16; i++)
			finds(network, (i * 7 + 3) % 16, i);
		network_free(network);
	}
}

/* What is told while there is no memory at all, and never again, is remembered. */
static void no_association_is_forgotten(void **state)
{
	struct one one;
	struct overlay_status status;

	(void)state;
	assert_int_equal(one_start(&one), HIPHOP_OK);
	failing_allocation_after(0);
	overlay_neighbour_up(one.overlay, one.now, &one.other);
	failing_allocation_stop();
	overlay_get_status(one.overlay, &status);
	assert_int_equal(status.neighbour_count, 0);
	pass(&one, SECONDS(20)); /* a stabilisation */
	overlay_get_status(one.overlay, &status);
	assert_int_equal(status.neighbour_count, 1);
	assert_true(status.neighbours[0].associated);
	overlay_free(one.overlay);

	/* Or with the next message. */
	chord_topology.free(one.other_topology);
	assert_int_equal(one_start(&one), HIPHOP_OK);
	failing_allocation_after(0);
	overlay_bootstrap_up(one.overlay, one.now, &one.other);
	failing_allocation_stop();
	arrive_update(&one);
	overlay_get_status(one.overlay, &status);
	assert_int_equal(status.neighbour_count, 1);
	assert_true(status.neighbours[0].member && status.neighbours[0].bootstrap);
	/* What is gone again is not brought back. */
	overlay_neighbour_down(one.overlay, one.now, &one.other);
	failing_allocation_after(0);
	overlay_neighbour_up(one.overlay, one.now, &one.self);
	failing_allocation_stop();
	pass(&one, SECONDS(20));
	overlay_get_status(one.overlay, &status);
	assert_int_equal(status.neighbour_count, 0);
	overlay_free(one.overlay);
	chord_topology.free(one.other_topology);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_ends_at_each_allocation),
		cmocka_unit_test(a_ring_outlives_a_lack_of_memory),
		cmocka_unit_test(no_association_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
