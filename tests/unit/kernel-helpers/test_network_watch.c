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

static bool listed(struct network_watch *watch, const char *text)
{
	struct address addresses[NETWORK_ADDRESSES];
	char got[ENDPOINT_TEXT_SIZE];
	size_t count;
	bool found = false;
	assert_int_equal(network_watch_addresses(watch, addresses, &count), HIPHOP_OK);
	for (size_t i = 0; i < count; i++)
		found |= strcmp(address_format(&addresses[i], got), text) == 0;
	return found;
}

static void wait_for_change(struct network_watch *watch)
{
	struct pollfd wait = {.fd = network_watch_descriptor(watch), .events = POLLIN};
	assert_int_equal(poll(&wait, 1, 5000), 1);
	assert_true(network_watch_consume(watch));
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
	wait_for_change(watch);
	assert_true(listed(watch, "192.0.2.7"));
	assert_int_equal(system("ip -6 addr change 2001:db8::1/64 dev v0 preferred_lft 0"), 0);
	assert_false(listed(watch, "2001:db8::1"));
	assert_int_equal(system("ip link set v0 down"), 0);
	wait_for_change(watch);
	assert_false(listed(watch, "192.0.2.7"));
	assert_int_equal(system("ip link set v0 up"), 0);
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
		cmocka_unit_test(changes_are_seen),
		cmocka_unit_test(source_of_a_route),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
