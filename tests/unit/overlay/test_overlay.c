/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "network.h"

static uint64_t next_token = 1;

static struct network *ring_of(unsigned count, uint64_t seed, unsigned loss_permille)
{
	struct network *network = network_start(count, seed);

	network->loss_permille = loss_permille;
	network->verbose = getenv("OVERLAY_VERBOSE") != NULL;
	for (unsigned i = 0; i < count; i++)
		network_create_overlay(network, i, OVERLAY_PEER);
	return network;
}

static struct hit resource_of(struct network *network, const char *name)
{
	struct hit resource;

	assert_int_equal(overlay_resource_id_of_name(network->nodes[0].overlay, name, &resource), HIPHOP_OK);
	return resource;
}

static const struct result *wait_for(struct network *network, uint64_t token)
{
	for (unsigned i = 0; i < 120 && !network_result(network, token); i++)
		network_run(network, MILLISECONDS(500));
	const struct result *result = network_result(network, token);
	assert_non_null(result);
	return result;
}

static const struct result *store(
	struct network *network, unsigned n, uint32_t kind, const char *name, const char *value, bool keep)
{
	struct hit resource = resource_of(network, name);
	uint64_t token = next_token++;

	network->result_count = 0;
	assert_int_equal(overlay_store(network->nodes[n].overlay, network->now, WALL(network), token, kind, &resource,
				 (const uint8_t *)value, strlen(value), 3600, keep),
		HIPHOP_OK);
	drain(network, n);
	return wait_for(network, token);
}

static const struct result *fetch(struct network *network, unsigned n, uint32_t kind, const char *name)
{
	struct hit resource = resource_of(network, name);
	uint64_t token = next_token++;

	network->result_count = 0;
	assert_int_equal(overlay_fetch(network->nodes[n].overlay, network->now, token, kind, &resource), HIPHOP_OK);
	drain(network, n);
	return wait_for(network, token);
}

static unsigned joined(const struct network *network)
{
	unsigned count = 0;

	for (unsigned i = 0; i < network->count; i++)
		count += network->nodes[i].alive && overlay_is_joined(network->nodes[i].overlay);
	return count;
}

static void converges(struct network *network, unsigned seconds)
{
	duration took = network_converge(network, SECONDS(seconds));

	if (network->verbose)
		printf("converged after %.1f s, %llu messages, %llu hops, %llu connects\n", (double)took / 1e9,
			(unsigned long long)network->messages, (unsigned long long)network->hops,
			(unsigned long long)network->connects);
	assert_int_equal(wrong_successors(network), 0);
	network_run(network, SECONDS(20));
	assert_int_equal(wrong_successors(network), 0);
}

static void one_node_is_a_ring(void **state)
{
	(void)state;
	struct network *network = ring_of(1, 1, 0);
	struct overlay_status status;

	network_run(network, SECONDS(5));
	overlay_get_status(network->nodes[0].overlay, &status);
	assert_true(status.joined);
	assert_int_equal(status.members, 0);
	assert_int_equal(store(network, 0, OVERLAY_KIND_PUT, "key", "value", true)->error, HIPHOP_OK);
	const struct result *result = fetch(network, 0, OVERLAY_KIND_PUT, "key");
	assert_int_equal(result->error, HIPHOP_OK);
	assert_int_equal(result->value_count, 1);
	assert_string_equal(result->value[0], "value");
	assert_true(hit_equal(&result->owner[0], &network->nodes[0].hit));
	assert_int_equal(fetch(network, 0, OVERLAY_KIND_PUT, "other key")->error, HIPHOP_NOT_FOUND);
	network_free(network);
}

static void two_nodes_that_name_each_other_join(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 6; seed++) {
		struct network *network = network_start(2, seed);
		network->nodes[0].bootstrap[0] = 1;
		network_create_overlay(network, 0, OVERLAY_PEER);
		assert_false(overlay_is_joined(network->nodes[0].overlay));
		network_create_overlay(network, 1, OVERLAY_PEER);
		converges(network, 60);
		assert_int_equal(joined(network), 2);
		assert_int_equal(store(network, 0, OVERLAY_KIND_PUT, "key", "zero", true)->error, HIPHOP_OK);
		assert_int_equal(store(network, 1, OVERLAY_KIND_PUT, "key", "one", true)->error, HIPHOP_OK);
		assert_int_equal(fetch(network, 0, OVERLAY_KIND_PUT, "key")->value_count, 2);
		network_free(network);
	}
}

static void many_nodes_join(unsigned count, uint64_t seed, unsigned loss_permille, unsigned seconds)
{
	struct network *network = ring_of(count, seed, loss_permille);
	char name[32];

	converges(network, seconds);
	assert_int_equal(joined(network), count);
	for (unsigned i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "key %u", i);
		assert_int_equal(store(network, (i * 5) % count, OVERLAY_KIND_PUT, name, name, true)->error, HIPHOP_OK);
	}
	for (unsigned i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "key %u", i);
		const struct result *result = fetch(network, (i * 11 + 3) % count, OVERLAY_KIND_PUT, name);
		assert_int_equal(result->error, HIPHOP_OK);
		assert_string_equal(result->value[0], name);
	}
	network_free(network);
}

static void sixteen_nodes_join(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 4; seed++)
		many_nodes_join(16, seed, 0, 60);
}

static void sixteen_nodes_join_over_bad_links(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 4; seed++)
		many_nodes_join(16, seed, 100, 180);
}

static void sixty_four_nodes_join_at_once(void **state)
{
	(void)state;
	many_nodes_join(64, 5, 20, 180);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_node_is_a_ring),
		cmocka_unit_test(two_nodes_that_name_each_other_join),
		cmocka_unit_test(sixteen_nodes_join),
		cmocka_unit_test(sixteen_nodes_join_over_bad_links),
		cmocka_unit_test(sixty_four_nodes_join_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
