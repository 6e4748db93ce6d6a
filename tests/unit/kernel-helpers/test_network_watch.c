/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/network_watch.h"
#include "kernel-helpers/source_address.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"
#include "tests/unit/kernel-helpers/namespace.h"

#include <poll.h>
#include <stdlib.h>

static bool ready;

/** A pair of veth with addresses of every sort. */
static int start(void **state)
{
	(void)state;
	ready = namespace_enter() &&
		system("ip link add v0 type veth peer name v1 2>/dev/null && ip link set v1 up && ip link set v0 up &&"
		       " ip addr add 192.0.2.1/24 dev v0 && ip -6 addr add 2001:db8::1/64 dev v0 nodad &&"
		       " ip -6 addr add 2001:22::5/128 dev v0 nodad") == 0;
	return 0;
}

/** The entry of an address, or NULL. */
static const struct link_address *entry_of(struct network_watch *watch, const char *text)
{
	static struct link_address links[NETWORK_ADDRESSES];
	char got[ENDPOINT_TEXT_SIZE];
	size_t count;
	assert_int_equal(network_watch_addresses(watch, links, &count), HIPHOP_OK);
	for (size_t i = 0; i < count; i++)
		if (strcmp(address_format(&links[i].address, got), text) == 0)
			return &links[i];
	return NULL;
}

static bool listed(struct network_watch *watch, const char *text)
{
	return entry_of(watch, text) != NULL;
}

static network_change wait_for_change(struct network_watch *watch)
{
	struct pollfd wait = {.fd = network_watch_descriptor(watch), .events = POLLIN};
	assert_int_equal(poll(&wait, 1, 5000), 1);
	network_change change = network_watch_consume(watch);
	assert_int_not_equal(change, NETWORK_UNCHANGED);
	return change;
}

/** Waits for changes until the address is listed, or is not. */
static void wait_until_listed(struct network_watch *watch, const char *text, bool wanted)
{
	for (int i = 0; i < 100 && listed(watch, text) != wanted; i++)
		wait_for_change(watch);
	assert_int_equal(listed(watch, text), wanted);
}

/** Until nothing more comes. */
static void settle(struct network_watch *watch)
{
	struct pollfd wait = {.fd = network_watch_descriptor(watch), .events = POLLIN};
	while (poll(&wait, 1, 200) == 1)
		(void)network_watch_consume(watch);
}

static void only_usable_addresses_are_listed(void **state)
{
	(void)state;
	struct network_watch *watch;
	if (!ready)
		skip();
	assert_int_equal(network_watch_open("hip0", &watch), HIPHOP_OK);
	assert_true(listed(watch, "192.0.2.1"));
	assert_true(listed(watch, "2001:db8::1"));
	const struct link_address *entry = entry_of(watch, "192.0.2.1");
	assert_int_equal(entry->interface, if_nametoindex("v0"));
	assert_string_equal(entry->name, "v0");
	assert_int_equal(entry->preference, LINK_NORMAL);
	assert_int_equal(entry->cost, 0);
	assert_false(entry->metered);
	assert_string_equal(entry_of(watch, "2001:db8::1")->name, "v0");
	assert_false(listed(watch, "2001:22::5"));
	assert_false(listed(watch, "127.0.0.1"));
	assert_false(listed(watch, "::1"));
	network_watch_close(watch);
	assert_int_equal(network_watch_open("v0", &watch), HIPHOP_OK);
	assert_false(listed(watch, "192.0.2.1"));
	network_watch_close(watch);
}

static void changes_are_seen(void **state)
{
	(void)state;
	struct network_watch *watch;
	if (!ready)
		skip();
	assert_int_equal(network_watch_open("hip0", &watch), HIPHOP_OK);
	(void)network_watch_consume(watch);
	assert_int_equal(system("ip addr add 192.0.2.7/24 dev v0"), 0);
	wait_until_listed(watch, "192.0.2.7", true);
	assert_int_equal(system("ip -6 addr change 2001:db8::1/64 dev v0 preferred_lft 0"), 0);
	assert_false(listed(watch, "2001:db8::1"));
	assert_int_equal(system("ip link set v0 down"), 0);
	wait_for_change(watch);
	assert_false(listed(watch, "192.0.2.7"));
	assert_int_equal(system("ip link set v0 up"), 0);
	network_watch_close(watch);
}

/* Lifetimes are renewed again and again; that is told apart from a route or a link. */
static void what_kind_of_change_it_was(void **state)
{
	(void)state;
	static const struct {
		const char *command;
		network_change expected;
	} cases[] = {
		{"ip -6 addr add 2001:db8:1::1/64 dev v0 nodad noprefixroute valid_lft 900 preferred_lft 900",
			NETWORK_PATHS_CHANGED}, /* it brings a local route */
		{"ip -6 addr change 2001:db8:1::1/64 dev v0 noprefixroute valid_lft 600 preferred_lft 600",
			NETWORK_ADDRESSES_TOUCHED},
		{"ip route add default via 192.0.2.254", NETWORK_PATHS_CHANGED},
		{"ip -6 route add 2001:db8:ffff::/64 dev v0", NETWORK_PATHS_CHANGED},
		{"ip link set v0 mtu 1400", NETWORK_PATHS_CHANGED},
	};
	struct network_watch *watch;
	if (!ready)
		skip();
	assert_int_equal(network_watch_open("hip0", &watch), HIPHOP_OK);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		settle(watch);
		assert_int_equal(network_watch_consume(watch), NETWORK_UNCHANGED);
		assert_int_equal(system(cases[i].command), 0);
		network_change change = wait_for_change(watch);
		if (change != cases[i].expected)
			fail_msg("%s: %d", cases[i].command, change);
	}
	network_watch_close(watch);
}

/* The other end of the cable is pulled. The kernel itself may hold its message back for up to a second. */
static void without_carrier_there_is_no_address(void **state)
{
	(void)state;
	struct network_watch *watch;
	if (!ready)
		skip();
	assert_int_equal(system("ip addr replace 192.0.2.1/24 dev v0"), 0);
	assert_int_equal(network_watch_open("hip0", &watch), HIPHOP_OK);
	wait_until_listed(watch, "192.0.2.1", true);
	settle(watch);
	assert_int_equal(system("ip link set v1 down"), 0);
	/* The list itself knows before any message. */
	assert_false(listed(watch, "192.0.2.1"));
	assert_int_equal(wait_for_change(watch), NETWORK_PATHS_CHANGED);
	assert_int_equal(system("ip link set v1 up"), 0);
	wait_until_listed(watch, "192.0.2.1", true);
	network_watch_close(watch);
}

static void an_address_counts_when_its_check_has_ended(void **state)
{
	(void)state;
	struct network_watch *watch;
	if (!ready)
		skip();
	assert_int_equal(network_watch_open("hip0", &watch), HIPHOP_OK);
	settle(watch);
	assert_int_equal(system("ip -6 addr add 2001:db8:2::1/64 dev v0"), 0);
	assert_false(listed(watch, "2001:db8:2::1"));
	wait_until_listed(watch, "2001:db8:2::1", true);
	network_watch_close(watch);
}

/* More messages than the queue holds: that some were lost is a change too, and reading comes to an end. */
static void a_flood_of_changes(void **state)
{
	(void)state;
	struct network_watch *watch;
	int rounds = 0;
	if (!ready)
		skip();
	assert_int_equal(network_watch_open("hip0", &watch), HIPHOP_OK);
	settle(watch);
	assert_int_equal(system("for i in $(seq 250); do echo addr add 198.51.100.$i/32 dev v0; done | ip -batch - &&"
				" for i in $(seq 250); do echo addr del 198.51.100.$i/32 dev v0; done | ip -batch -"),
		0);
	assert_int_equal(network_watch_consume(watch), NETWORK_PATHS_CHANGED);
	while (rounds < 100 && network_watch_consume(watch) != NETWORK_UNCHANGED)
		rounds++;
	assert_true(rounds < 100);
	assert_true(listed(watch, "192.0.2.1"));
	assert_false(listed(watch, "198.51.100.1"));
	network_watch_close(watch);
}

static void source_of_a_route(void **state)
{
	(void)state;
	struct address remote, source;
	char text[ENDPOINT_TEXT_SIZE];
	if (!ready)
		skip();
	assert_int_equal(address_parse("192.0.2.200", &remote), HIPHOP_OK);
	assert_true(source_address_towards(&remote, &source));
	assert_string_equal(address_format(&source, text), "192.0.2.1");
	assert_int_equal(address_parse("198.51.100.1", &remote), HIPHOP_OK);
	assert_false(source_address_towards(&remote, &source));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_usable_addresses_are_listed),
		cmocka_unit_test(what_kind_of_change_it_was),
		cmocka_unit_test(without_carrier_there_is_no_address),
		cmocka_unit_test(an_address_counts_when_its_check_has_ended),
		cmocka_unit_test(a_flood_of_changes),
		cmocka_unit_test(changes_are_seen),
		cmocka_unit_test(source_of_a_route),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
