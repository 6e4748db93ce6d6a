/* SPDX-License-Identifier: MIT */
/* From one path to another: what the data plane and those who listen are told, and how often. */
#include "mobile_network.h"

static struct network *make(host_paths_use use)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	network_crash(network, 0);
	network->hosts[0].configuration.paths = use;
	network_boot(network, 0);
	network_set_addresses(network, 0, "192.0.2.1 198.51.100.1");
	network_set_addresses(network, 1, "192.0.2.2 198.51.100.2");
	network_associate(network, 0, 1);
	network_run_with_traffic(network, SECONDS(5), 0, 1);
	assert_int_equal(mobile_path_count(network, 0, 1), 4);
	return network;
}

static const struct host_route *route_of(struct network *network)
{
	return &network_outbound(&network->hosts[0], &network->hosts[1].hit)->route;
}

static struct host_handover_view handover_of(struct network *network)
{
	struct host_association_view view;

	assert_true(host_association_find(network->hosts[0].host, &network->hosts[1].hit, &view));
	return view.handover;
}

static void set_two(struct network *network, struct link_address first, struct link_address second)
{
	const struct link_address links[2] = {first, second};

	network_set_links(network, 0, links, 2);
}

static struct link_address liked(const char *text, link_preference preference, bool metered, uint16_t cost)
{
	struct link_address link = network_link(text);

	link.preference = (uint8_t)preference;
	link.metered = metered;
	link.cost = cost;
	return link;
}

/* ---- what is told ---- */

static void a_handover_is_told_with_its_reason(void **state)
{
	struct network *network = make(HOST_PATHS_BEST);
	struct network_host *self = &network->hosts[0];
	const struct endpoint old = mobile_endpoint("192.0.2.1"), peer = mobile_endpoint("192.0.2.2");
	struct host_handover_view view = handover_of(network);
	const unsigned moves = self->moves;

	(void)state;
	assert_int_equal(view.count, 0);
	network_set_addresses(network, 0, "198.51.100.1");
	network_run(network, MILLISECONDS(1));
	assert_int_equal(self->handovers, 1);
	assert_int_equal(self->moves, moves + 1);
	assert_string_equal(self->handover.reason, "link gone");
	assert_true(address_equal(&self->handover.from_local.address, &old.address));
	assert_true(endpoint_equal(&self->handover.from_remote, &peer));
	view = handover_of(network);
	assert_int_equal(view.count, 1);
	assert_string_equal(view.reason, "link gone");
	assert_false(view.resumed);
	assert_int_equal(counted(self, HOST_COUNT_HANDOVER_LINK_GONE), 1);
	network_free(network);
}

static void the_first_packet_after_it_is_told_once(void **state)
{
	struct network *network = make(HOST_PATHS_BEST);
	struct network_host *self = &network->hosts[0];
	const uint32_t spi = mobile_session(network, 0, 1)->spi_in;

	(void)state;
	/* Nothing has happened yet. */
	host_note_resumed(self->host, network->now, spi, MILLISECONDS(5));
	network_drain(network, self);
	assert_int_equal(self->resumed, 0);
	network_set_addresses(network, 0, "198.51.100.1");
	network_run(network, MILLISECONDS(1));
	host_note_resumed(self->host, network->now, spi ^ 1, MILLISECONDS(5));
	network_drain(network, self);
	assert_int_equal(self->resumed, 0);
	host_note_resumed(self->host, network->now, spi, MILLISECONDS(123));
	network_drain(network, self);
	assert_int_equal(self->resumed, 1);
	assert_int_equal(self->handover.gap, MILLISECONDS(123));
	host_note_resumed(self->host, network->now, spi, MILLISECONDS(456));
	network_drain(network, self);
	assert_int_equal(self->resumed, 1);
	assert_true(handover_of(network).resumed);
	assert_int_equal(handover_of(network).gap, MILLISECONDS(123));
	network_free(network);
}

/* Time alone tells the data plane nothing: it would count each as a change. */
static void what_stays_is_not_told_again(void **state)
{
	(void)state;
	for (int use = HOST_PATHS_BEST; use <= HOST_PATHS_DUPLICATE; use++) {
		struct network *network = make((host_paths_use)use);
		const unsigned moves = network->hosts[0].moves;

		network_run_with_traffic(network, SECONDS(120), 0, 1);
		assert_int_equal(network->hosts[0].moves, moves);
		assert_int_equal(network->hosts[0].handovers, 0);
		network_free(network);
	}
}

/* What the peer learns of where we are is kept for the next exchange. */
static void where_it_went_is_kept(void **state)
{
	struct network *network = make(HOST_PATHS_BEST);
	struct endpoint known[HOST_LOCATORS_MAXIMUM];

	(void)state;
	network_set_addresses(network, 0, "203.0.113.1");
	network_run(network, SECONDS(1));
	assert_true(host_locators(network->hosts[1].host, &network->hosts[0].hit, known, HOST_LOCATORS_MAXIMUM) > 0);
	assert_true(address_equal(&known[0].address, &network->hosts[0].address));
	network_free(network);
}

/* ---- policy ---- */

static void a_preferred_link_is_gone_to(void **state)
{
	struct network *network = make(HOST_PATHS_BEST);

	(void)state;
	set_two(network, liked("192.0.2.1", LINK_NORMAL, false, 0), liked("198.51.100.1", LINK_PREFER, false, 0));
	network_run(network, MILLISECONDS(10));
	assert_string_equal(network->hosts[0].handover.reason, "better path");
	mobile_goes(network, 0, 1, "198.51.100.1", "192.0.2.2");
	/* The peer prefers what we say we prefer. */
	network_run(network, SECONDS(1));
	mobile_goes(network, 1, 0, "192.0.2.2", "198.51.100.1");
	network_free(network);
}

static void a_link_that_is_to_be_avoided_is_left(void **state)
{
	struct network *network = make(HOST_PATHS_BEST);

	(void)state;
	set_two(network, liked("192.0.2.1", LINK_AVOID, false, 0), liked("198.51.100.1", LINK_NORMAL, true, 9));
	network_run(network, SECONDS(1));
	assert_true(mobile_session(network, 0, 1)->local.address.octets[12] == 198);
	set_two(network, liked("192.0.2.1", LINK_NORMAL, false, 0), liked("198.51.100.1", LINK_NORMAL, true, 0));
	network_run(network, SECONDS(1));
	assert_true(mobile_session(network, 0, 1)->local.address.octets[12] == 192);
	network_free(network);
}

/* ---- several paths at once ---- */

static void flows_are_spread_over_what_works(void **state)
{
	struct network *network = make(HOST_PATHS_SPREAD);

	(void)state;
	assert_int_equal(route_of(network)->use, HOST_PATHS_SPREAD);
	assert_int_equal(route_of(network)->more_count, 3);
	network_set_addresses(network, 0, "192.0.2.1");
	network_run(network, SECONDS(1));
	assert_int_equal(route_of(network)->more_count, 1);
	network_free(network);
}

static void copies_go_by_the_second(void **state)
{
	struct network *network = make(HOST_PATHS_DUPLICATE);
	struct host_path_view view;
	unsigned used = 0;

	(void)state;
	assert_int_equal(route_of(network)->use, HOST_PATHS_DUPLICATE);
	assert_int_equal(route_of(network)->more_count, 1);
	for (size_t i = 0; host_path_at(network->hosts[0].host, &network->hosts[1].hit, i, &view); i++)
		used += view.current + view.more;
	assert_int_equal(used, 2);
	network_free(network);
}

/* The last one that is not used goes away: the places of those behind it change. */
static void remove_unused(struct path_set *set)
{
	for (size_t place = set->count; place-- > 0;) {
		if (place != set->current && !set->items[place].more_rank) {
			path_set_remove(set, place);
			return;
		}
	}
	fail();
}

static void what_goes_away_does_not_change_what_is_used(void **state)
{
	struct network *network = make(HOST_PATHS_DUPLICATE);
	struct path_set *set = &mobile_session(network, 0, 1)->mobility->paths;
	struct host_path_view view;
	unsigned used = 0;

	(void)state;
	remove_unused(set);
	remove_unused(set);
	for (size_t i = 0; host_path_at(network->hosts[0].host, &network->hosts[1].hit, i, &view); i++) {
		if (!view.more)
			continue;
		assert_true(endpoint_equal(&view.local, &route_of(network)->more[0].local));
		assert_true(endpoint_equal(&view.remote, &route_of(network)->more[0].remote));
		used++;
	}
	assert_int_equal(used, 1);
	network_free(network);
}

/* Not by what costs money, or is to be avoided, or is not verified. */
static void further_ways_are_good_ones(void **state)
{
	struct network *network = make(HOST_PATHS_SPREAD);
	const struct parameter_locator_set set = mobile_set("192.0.2.2 203.0.113.77");

	(void)state;
	set_two(network, liked("192.0.2.1", LINK_NORMAL, false, 0), liked("198.51.100.1", LINK_NORMAL, true, 0));
	network_run(network, SECONDS(1));
	assert_int_equal(route_of(network)->more_count, 1);
	set_two(network, liked("192.0.2.1", LINK_NORMAL, false, 0), liked("198.51.100.1", LINK_AVOID, false, 0));
	network_run(network, SECONDS(1));
	assert_int_equal(route_of(network)->more_count, 1);
	mobile_claim(network, 1, 0, &set);
	network_run(network, MILLISECONDS(5));
	for (size_t i = 0; i < route_of(network)->more_count; i++)
		assert_int_not_equal(route_of(network)->more[i].remote.address.octets[12], 203);
	network_free(network);
}

static void only_one_is_used_by_default(void **state)
{
	struct network *network = make(HOST_PATHS_BEST);

	(void)state;
	assert_int_equal(route_of(network)->more_count, 0);
	network_free(network);
}

/* ---- an unverified one ---- */

/* What is told of the route changes when the peer has answered. */
/* conforms: RFC8046-3.2.1-2 RFC8046-5.6-1 */
static void the_data_plane_knows_what_is_verified(void **state)
{
	struct network *network = make(HOST_PATHS_SPREAD);
	const unsigned moves = network->hosts[0].moves;

	(void)state;
	network_set_addresses(network, 1, "203.0.113.2");
	network_run(network, MILLISECONDS(12));
	assert_true(route_of(network)->unverified);
	assert_int_equal(route_of(network)->more_count, 0);
	assert_int_equal(network->hosts[0].handovers, 1);
	network_run(network, SECONDS(1));
	assert_false(route_of(network)->unverified);
	assert_true(network_esp(network, 0, 1));
	assert_in_range(network->hosts[0].handovers, 1, 2);
	assert_in_range(network->hosts[0].moves - moves, 2, 8);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handover_is_told_with_its_reason),
		cmocka_unit_test(the_first_packet_after_it_is_told_once),
		cmocka_unit_test(what_stays_is_not_told_again),
		cmocka_unit_test(where_it_went_is_kept),
		cmocka_unit_test(a_preferred_link_is_gone_to),
		cmocka_unit_test(a_link_that_is_to_be_avoided_is_left),
		cmocka_unit_test(flows_are_spread_over_what_works),
		cmocka_unit_test(copies_go_by_the_second),
		cmocka_unit_test(what_goes_away_does_not_change_what_is_used),
		cmocka_unit_test(further_ways_are_good_ones),
		cmocka_unit_test(only_one_is_used_by_default),
		cmocka_unit_test(the_data_plane_knows_what_is_verified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
