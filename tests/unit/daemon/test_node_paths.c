/* SPDX-License-Identifier: MIT */
/* Paths and handovers as JSON: names, units, and null for what is not known. */
#include "daemon/node_internal.h"

#include "tests/unit/hip/core/host_network.h"

static const char *text_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	assert_non_null(value);
	return json_is_string(value) ? json_string_value(value) : "";
}

static bool is_true(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	assert_true(json_is_boolean(value));
	return json_is_true(value);
}

static bool is_null(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	assert_non_null(value);
	return json_is_null(value);
}

static double number_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	assert_true(json_is_number(value));
	return json_number_value(value);
}

/* The path by this local address, or NULL. */
static const json_t *path_from(const json_t *paths, const char *local)
{
	for (size_t i = 0; i < json_array_size(paths); i++) {
		if (strcmp(text_of(json_array_get(paths, i), "local"), local) == 0)
			return json_array_get(paths, i);
	}
	return NULL;
}

static json_t *paths_of(struct network *network, size_t index)
{
	const struct local_identity local = {.host = network->hosts[index].host};
	json_t *paths = node_paths_json(&local, network->now, &network->hosts[1 - index].hit);

	assert_true(json_is_array(paths));
	return paths;
}

static void one_path(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	const json_t *path;
	json_t *paths;

	(void)state;
	paths = paths_of(network, 0);
	assert_int_equal(json_array_size(paths), 0);
	json_decref(paths);
	network_associate(network, 0, 1);
	paths = paths_of(network, 0);
	assert_int_equal(json_array_size(paths), 1);
	path = path_from(paths, "192.0.2.1:10500");
	assert_non_null(path);
	assert_string_equal(text_of(path, "remote"), "192.0.2.2:10500");
	assert_string_equal(text_of(path, "state"), "ACTIVE");
	assert_string_equal(text_of(path, "known_by"), "base exchange");
	assert_string_equal(text_of(path, "preference"), "normal");
	assert_true(is_true(path, "current"));
	assert_false(is_true(path, "also_used"));
	assert_false(is_true(path, "metered"));
	assert_false(is_true(path, "on_probation"));
	json_decref(paths);
	network_free(network);
}

static void two_links(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct link_address links[2] = {network_link("192.0.2.1"), network_link("198.51.100.1")};
	const json_t *first, *second;
	json_t *paths;

	(void)state;
	links[0].preference = LINK_PREFER;
	links[1].preference = LINK_AVOID;
	links[1].metered = true;
	links[1].cost = 7;
	network_set_links(network, 0, links, 2);
	network_associate(network, 0, 1);
	network_run_with_traffic(network, SECONDS(5), 0, 1);
	paths = paths_of(network, 0);
	assert_int_equal(json_array_size(paths), 2);
	first = path_from(paths, "192.0.2.1:10500");
	second = path_from(paths, "198.51.100.1:10500");
	assert_non_null(first);
	assert_non_null(second);
	assert_string_equal(text_of(first, "preference"), "prefer");
	assert_true(is_true(first, "current"));
	assert_string_equal(text_of(second, "preference"), "avoid");
	assert_false(is_true(second, "current"));
	assert_true(is_true(second, "metered"));
	assert_true(number_of(second, "cost") == 7);
	assert_true(number_of(second, "rtt_ms") >= 19.9 && number_of(second, "rtt_ms") < 21);
	assert_true(number_of(second, "loss_percent") == 0);
	assert_true(number_of(second, "heard_s") >= 0 && number_of(second, "heard_s") < 20);
	json_decref(paths);
	network_free(network);
}

static struct host_handover_view handover_of(struct network *network)
{
	struct host_association_view view;

	assert_true(host_association_find(network->hosts[0].host, &network->hosts[1].hit, &view));
	return view.handover;
}

static void a_handover(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct host_handover_view view;
	json_t *handover;

	(void)state;
	network_associate(network, 0, 1);
	view = handover_of(network);
	handover = node_handover_json(network->now, &view);
	assert_true(json_is_null(handover));
	json_decref(handover);
	network_set_addresses(network, 0, "198.51.100.1");
	network_run(network, SECONDS(2));
	view = handover_of(network);
	handover = node_handover_json(network->now, &view);
	assert_string_equal(text_of(handover, "reason"), "link gone");
	assert_string_equal(text_of(handover, "from_local"), "192.0.2.1:10500");
	assert_string_equal(text_of(handover, "from_remote"), "192.0.2.2:10500");
	assert_true(number_of(handover, "ago_s") > 1.9 && number_of(handover, "ago_s") <= 2);
	assert_true(is_null(handover, "gap_ms"));
	json_decref(handover);
	view.resumed = true;
	view.gap = MILLISECONDS(120) + 500000;
	view.from_local = (struct endpoint){0};
	handover = node_handover_json(network->now, &view);
	assert_true(number_of(handover, "gap_ms") == 120.5);
	assert_true(is_null(handover, "from_local"));
	json_decref(handover);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_path),
		cmocka_unit_test(two_links),
		cmocka_unit_test(a_handover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
