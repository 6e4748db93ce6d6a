/* SPDX-License-Identifier: MIT */
/* Prefixes behind hosts between whole nodes: announced, accepted by policy alone, carried both ways, forged, withdrawn.
 */
#include "tests/sim/simulation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Host 0 is everybody's bootstrap peer and nothing else. */
enum { ROUTER = 1, HOST, THIRD, COUNT };

static struct ip_prefix prefix_of(const char *text)
{
	struct ip_prefix prefix;

	assert_int_equal(ip_prefix_parse(text, &prefix), HIPHOP_OK);
	return prefix;
}

static void announce(struct simulation *simulation, size_t host, const char *prefix)
{
	struct configuration *configuration = &simulation->hosts[host].configuration;

	configuration->announce = realloc(
		configuration->announce, (configuration->announce_count + 1) * sizeof(*configuration->announce));
	assert_non_null(configuration->announce);
	configuration->announce[configuration->announce_count++] = prefix_of(prefix);
}

static void accept_from(struct simulation *simulation, size_t host, const char *prefix, size_t owner)
{
	struct configuration *configuration = &simulation->hosts[host].configuration;

	configuration->accept =
		realloc(configuration->accept, (configuration->accept_count + 1) * sizeof(*configuration->accept));
	assert_non_null(configuration->accept);
	configuration->accept[configuration->accept_count++] = (struct configured_prefix){
		.prefix = prefix_of(prefix), .owner = *host_identity_hit(simulation->hosts[owner].identity)};
}

/* ---- what is seen ---- */

static json_int_t counter(struct simulation *simulation, size_t host, const char *name)
{
	json_t *status = node_status(simulation->hosts[host].node, simulation->now);
	json_int_t value = json_integer_value(json_object_get(json_object_get(status, "counters"), name));

	json_decref(status);
	return value;
}

/* What `key` says of a prefix in one of the lists of `status`; "" when it is not there. */
static const char *seen(
	struct simulation *simulation, size_t host, const char *list, const char *prefix, const char *key)
{
	static char text[128];
	json_t *status = node_status(simulation->hosts[host].node, simulation->now), *entry;
	size_t i;

	text[0] = 0;
	json_array_foreach(json_object_get(json_object_get(status, "prefixes"), list), i, entry)
	{
		const json_t *value = json_object_get(entry, key);

		if (strcmp(json_string_value(json_object_get(entry, "prefix")), prefix) == 0)
			snprintf(text, sizeof(text), "%s",
				json_is_string(value) ? json_string_value(value)
				: json_is_true(value) ? "true"
						      : "false");
	}
	json_decref(status);
	return text;
}

static size_t awaited(struct simulation *simulation, size_t host)
{
	json_t *status = node_status(simulation->hosts[host].node, simulation->now);
	size_t count = json_array_size(json_object_get(json_object_get(status, "prefixes"), "awaited"));

	json_decref(status);
	return count;
}

static bool has_route(struct simulation *simulation, size_t host, const char *text)
{
	struct ip_prefix prefix = prefix_of(text);
	bool found = false;

	for (size_t i = 0; i < simulation->hosts[host].route_count; i++)
		found |= ip_prefix_equal(&simulation->hosts[host].routes[i], &prefix);
	return found;
}

/* The last datagram that the kernel of a host was given. */
struct arrival {
	unsigned count;
	struct endpoint from, to;
	char payload[32];
};

static struct arrival arrivals[COUNT];

static void take(struct simulation *simulation, size_t host, const struct endpoint *to, const struct endpoint *from,
	const uint8_t *octets, size_t length)
{
	struct arrival *arrival = &arrivals[host];

	(void)simulation;
	arrival->count++;
	arrival->from = *from;
	arrival->to = *to;
	snprintf(arrival->payload, sizeof(arrival->payload), "%.*s", (int)length, (const char *)octets);
}

static struct endpoint place(struct simulation *simulation, const char *address, size_t host, uint16_t port)
{
	struct endpoint endpoint = {.port = port};

	if (address)
		assert_int_equal(address_parse(address, &endpoint.address), HIPHOP_OK);
	else
		memcpy(endpoint.address.octets, host_identity_hit(simulation->hosts[host].identity)->octets,
			HIT_LENGTH);
	return endpoint;
}

/* Sends from an address (NULL: the HIT of `at`) at a host to another (NULL: the HIT of `to_host`); true when it is the
 * kernel of `to_host` that gets it, as it was. */
static bool passes(struct simulation *simulation, size_t at, const char *from, size_t to_host, const char *to)
{
	struct endpoint source = place(simulation, from, at, 4000), destination = place(simulation, to, to_host, 7000);
	unsigned before = arrivals[to_host].count;
	const struct arrival *arrival = &arrivals[to_host];

	simulation_tunnel_send(simulation, at, &source, &destination, "hello", 5);
	simulation_run(simulation, SECONDS(3));
	return arrival->count == before + 1 && strcmp(arrival->payload, "hello") == 0 &&
	       endpoint_equal(&arrival->from, &source) && endpoint_equal(&arrival->to, &destination);
}

static void allow(struct simulation *simulation, size_t host, const char *rule)
{
	json_t *answer = simulation_ask(
		simulation, host, json_pack("{s:s, s:s}", "command", "access-add", "rule", rule), SECONDS(1));

	assert_true(json_is_true(json_object_get(answer, "ok")));
}

static void boot(struct simulation *simulation)
{
	memset(arrivals, 0, sizeof(arrivals));
	simulation->phone = take;
	for (size_t i = 0; i < COUNT; i++)
		simulation_boot(simulation, i);
	for (size_t i = 0; i < COUNT; i++)
		allow(simulation, i, "allow in udp/7000");
	simulation_run(simulation, SECONDS(60));
}

/* The router has a prefix behind it that the host accepts, as a part of a larger one. */
static void start(struct simulation *simulation)
{
	simulation_start(simulation, simulation_seed(), COUNT);
	simulation->keep_state = true;
	announce(simulation, ROUTER, "2001:db8:100::/56");
	accept_from(simulation, HOST, "2001:db8:100::/48", ROUTER);
}

#define DEVICE "2001:db8:100::7"

static void test_a_prefix_is_announced_accepted_and_reached(void **state)
{
	(void)state;
	struct simulation simulation;

	start(&simulation);
	boot(&simulation);
	assert_string_equal(seen(&simulation, ROUTER, "announced", "2001:db8:100::/56", "stored"), "true");
	assert_string_equal(seen(&simulation, HOST, "accepted", "2001:db8:100::/56", "route"), "installed");
	assert_true(has_route(&simulation, HOST, "2001:db8:100::/56"));
	assert_int_equal(simulation.hosts[THIRD].route_count, 0);
	assert_int_equal(simulation.hosts[ROUTER].route_count, 0);
	/* The first packet may have to wait for a base exchange; none is lost. */
	assert_true(passes(&simulation, HOST, NULL, ROUTER, DEVICE));
	assert_true(passes(&simulation, ROUTER, DEVICE, HOST, NULL));
	assert_int_equal(counter(&simulation, HOST, "prefix_out"), 1);
	assert_int_equal(counter(&simulation, HOST, "prefix_in"), 1);
	/* What is in the prefix that is accepted, but not in the one announced, goes nowhere. */
	assert_false(passes(&simulation, HOST, NULL, ROUTER, "2001:db8:100:ff00::7"));
	simulation_free(&simulation);
}

static void test_who_has_not_accepted_is_not_reached(void **state)
{
	(void)state;
	struct simulation simulation;

	start(&simulation);
	boot(&simulation);
	assert_true(passes(&simulation, ROUTER, NULL, THIRD, NULL));
	assert_false(passes(&simulation, THIRD, NULL, ROUTER, DEVICE));
	assert_int_equal(counter(&simulation, ROUTER, "prefix_in"), 0);
	assert_false(passes(&simulation, ROUTER, DEVICE, THIRD, NULL));
	assert_int_equal(counter(&simulation, THIRD, "access_refused_in_unlisted"), 1);
	simulation_free(&simulation);
}

static void test_more_than_is_allowed_is_refused(void **state)
{
	(void)state;
	struct simulation simulation;

	start(&simulation);
	announce(&simulation, ROUTER, "2001:db8:300::/48"); /* of which no entry speaks */
	announce(&simulation, ROUTER, "2001:db8::/32");     /* more than the entry */
	accept_from(&simulation, HOST, "2001:db8:300::/48", THIRD);
	boot(&simulation);
	assert_string_equal(seen(&simulation, HOST, "refused", "2001:db8:300::/48", "reason"),
		"no entry of prefixes.accept allows it");
	assert_string_equal(
		seen(&simulation, HOST, "refused", "2001:db8::/32", "reason"), "no entry of prefixes.accept allows it");
	assert_int_equal(simulation.hosts[HOST].route_count, 1);
	assert_false(passes(&simulation, HOST, NULL, ROUTER, "2001:db8:300::7"));
	/* The router's word for the source is not taken either. */
	assert_false(passes(&simulation, ROUTER, "2001:db8:300::7", HOST, NULL));
	assert_int_equal(counter(&simulation, HOST, "prefix_drop_in_source"), 1);
	assert_true(passes(&simulation, ROUTER, DEVICE, HOST, NULL));
	simulation_free(&simulation);
}

/* The third host says that it is the router, and sends as if it were. */
static void test_another_owner_is_not_believed(void **state)
{
	(void)state;
	struct simulation simulation;

	start(&simulation);
	announce(&simulation, THIRD, "2001:db8:100::/56");
	boot(&simulation);
	assert_true(passes(&simulation, HOST, NULL, ROUTER, DEVICE));
	assert_false(passes(&simulation, THIRD, DEVICE, HOST, NULL));
	assert_int_equal(counter(&simulation, HOST, "prefix_drop_in_source"), 1);
	/* To the router itself, from what lies behind the router. */
	simulation.hosts[THIRD].configuration.accept_count = 0;
	accept_from(&simulation, THIRD, "2001:db8:100::/56", ROUTER);
	simulation_kill(&simulation, THIRD);
	simulation_boot(&simulation, THIRD);
	simulation_run(&simulation, SECONDS(60));
	assert_true(passes(&simulation, THIRD, NULL, ROUTER, DEVICE));
	assert_false(passes(&simulation, THIRD, "2001:db8:100::8", ROUTER, DEVICE));
	assert_int_equal(counter(&simulation, ROUTER, "prefix_drop_in_source"), 1);
	simulation_free(&simulation);
}

static void test_the_first_entry_has_what_two_announce(void **state)
{
	(void)state;
	struct simulation simulation;

	start(&simulation);
	announce(&simulation, THIRD, "2001:db8:100::/56");
	accept_from(&simulation, HOST, "2001:db8:100::/56", THIRD);
	boot(&simulation);
	assert_true(passes(&simulation, HOST, NULL, ROUTER, DEVICE));
	assert_string_equal(
		seen(&simulation, HOST, "refused", "2001:db8:100::/56", "reason"), "another host has announced it");
	/* When the router has left, the other one is there. */
	simulation_leave(&simulation, ROUTER);
	simulation_run(&simulation, SECONDS(200));
	assert_string_equal(seen(&simulation, HOST, "accepted", "2001:db8:100::/56", "route"), "installed");
	assert_true(passes(&simulation, HOST, NULL, THIRD, DEVICE));
	simulation_free(&simulation);
}

static void test_leaving_withdraws(void **state)
{
	(void)state;
	struct simulation simulation;

	start(&simulation);
	boot(&simulation);
	assert_true(has_route(&simulation, HOST, "2001:db8:100::/56"));
	assert_int_equal(awaited(&simulation, HOST), 0);
	simulation_leave(&simulation, ROUTER);
	simulation_run(&simulation, SECONDS(200));
	assert_int_equal(simulation.hosts[HOST].route_count, 0);
	assert_int_equal(awaited(&simulation, HOST), 1);
	assert_string_equal(seen(&simulation, HOST, "accepted", "2001:db8:100::/56", "route"), "");
	/* And comes back. */
	simulation_boot(&simulation, ROUTER);
	simulation_run(&simulation, SECONDS(200));
	assert_true(has_route(&simulation, HOST, "2001:db8:100::/56"));
	simulation_free(&simulation);
}

static void test_what_is_not_announced_any_more_is_taken_back(void **state)
{
	(void)state;
	struct simulation simulation;

	start(&simulation);
	boot(&simulation);
	assert_true(has_route(&simulation, HOST, "2001:db8:100::/56"));
	/* Killed, so that it has had no time to withdraw; and started without. */
	simulation_kill(&simulation, ROUTER);
	simulation.hosts[ROUTER].configuration.announce_count = 0;
	simulation_boot(&simulation, ROUTER);
	simulation_run(&simulation, SECONDS(200));
	assert_int_equal(simulation.hosts[HOST].route_count, 0);
	simulation_free(&simulation);
}

static void test_a_dead_router_is_forgotten_in_time(void **state)
{
	(void)state;
	struct simulation simulation;

	start(&simulation);
	boot(&simulation);
	simulation_kill(&simulation, ROUTER);
	simulation_run(&simulation, SECONDS(1200));
	/* Its word still holds. */
	assert_true(has_route(&simulation, HOST, "2001:db8:100::/56"));
	simulation_run(&simulation, SECONDS(2600));
	assert_int_equal(simulation.hosts[HOST].route_count, 0);
	simulation_free(&simulation);
}

static void test_it_is_announced_as_long_as_the_router_lives(void **state)
{
	(void)state;
	struct simulation simulation;

	start(&simulation);
	boot(&simulation);
	simulation_run(&simulation, SECONDS(3 * 3600));
	assert_true(has_route(&simulation, HOST, "2001:db8:100::/56"));
	assert_true(passes(&simulation, HOST, NULL, ROUTER, DEVICE));
	simulation_free(&simulation);
}

/* Two routers, and a host that has accepted one of them. */
static void test_prefixes_reach_each_other(void **state)
{
	(void)state;
	struct simulation simulation;

	start(&simulation);
	announce(&simulation, THIRD, "2001:db8:200::/56");
	accept_from(&simulation, THIRD, "2001:db8:100::/56", ROUTER);
	accept_from(&simulation, ROUTER, "2001:db8:200::/56", THIRD);
	boot(&simulation);
	assert_true(passes(&simulation, THIRD, "2001:db8:200::9", ROUTER, DEVICE));
	assert_true(passes(&simulation, ROUTER, DEVICE, THIRD, "2001:db8:200::9"));
	/* From elsewhere it does not even leave. */
	assert_false(passes(&simulation, THIRD, "2001:db8:400::9", ROUTER, DEVICE));
	assert_int_equal(counter(&simulation, THIRD, "prefix_drop_out_source"), 1);
	simulation_free(&simulation);
}

static void test_the_rules_hold_for_what_lies_behind(void **state)
{
	(void)state;
	struct simulation simulation;
	struct endpoint from, device;

	start(&simulation);
	boot(&simulation);
	from = place(&simulation, NULL, HOST, 4000);
	device = place(&simulation, DEVICE, ROUTER, 7001);
	simulation_tunnel_send(&simulation, HOST, &from, &device, "hello", 5);
	simulation_run(&simulation, SECONDS(3));
	assert_int_equal(arrivals[ROUTER].count, 0);
	assert_int_equal(counter(&simulation, ROUTER, "access_refused_in_unlisted"), 1);
	/* What opens the router's proxy does not open the devices. */
	device.port = SIMULATION_SIP_PORT;
	simulation_tunnel_send(&simulation, HOST, &from, &device, "hello", 5);
	simulation_run(&simulation, SECONDS(3));
	assert_int_equal(counter(&simulation, ROUTER, "access_refused_in_unlisted"), 2);
	/* A device may ask, and is answered. */
	allow(&simulation, ROUTER, "deny in any");
	assert_true(passes(&simulation, ROUTER, DEVICE, HOST, NULL));
	from = place(&simulation, NULL, HOST, 7000);
	device = place(&simulation, DEVICE, ROUTER, 4000);
	simulation_tunnel_send(&simulation, HOST, &from, &device, "answer", 6);
	simulation_run(&simulation, SECONDS(3));
	assert_string_equal(arrivals[ROUTER].payload, "answer");
	allow(&simulation, HOST, "deny out udp");
	assert_false(passes(&simulation, HOST, NULL, ROUTER, DEVICE));
	assert_int_equal(counter(&simulation, HOST, "access_refused_out_by_rule"), 1);
	simulation_free(&simulation);
}

static void test_what_is_too_long_is_said(void **state)
{
	(void)state;
	static const uint8_t payload[1400];
	struct simulation simulation;
	struct endpoint from, device;
	uint64_t before;

	start(&simulation);
	boot(&simulation);
	from = place(&simulation, NULL, HOST, 4000);
	device = place(&simulation, DEVICE, ROUTER, 7000);
	simulation_tunnel_send(&simulation, HOST, &from, &device, payload, 1360 - 48);
	simulation_run(&simulation, SECONDS(3));
	assert_int_equal(arrivals[ROUTER].count, 1);
	before = simulation.hosts[HOST].tunnel_packets;
	simulation_tunnel_send(&simulation, HOST, &from, &device, payload, 1361 - 48);
	simulation_run(&simulation, SECONDS(3));
	assert_int_equal(arrivals[ROUTER].count, 1);
	assert_int_equal(counter(&simulation, HOST, "prefix_drop_out_too_large"), 1);
	assert_int_equal(simulation.hosts[HOST].tunnel_packets, before + 1); /* Packet Too Big */
	simulation_free(&simulation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_prefix_is_announced_accepted_and_reached),
		cmocka_unit_test(test_who_has_not_accepted_is_not_reached),
		cmocka_unit_test(test_more_than_is_allowed_is_refused),
		cmocka_unit_test(test_another_owner_is_not_believed),
		cmocka_unit_test(test_the_first_entry_has_what_two_announce),
		cmocka_unit_test(test_leaving_withdraws),
		cmocka_unit_test(test_what_is_not_announced_any_more_is_taken_back),
		cmocka_unit_test(test_a_dead_router_is_forgotten_in_time),
		cmocka_unit_test(test_it_is_announced_as_long_as_the_router_lives),
		cmocka_unit_test(test_prefixes_reach_each_other),
		cmocka_unit_test(test_the_rules_hold_for_what_lies_behind),
		cmocka_unit_test(test_what_is_too_long_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
