/* SPDX-License-Identifier: MIT */
/** Routes to prefixes, in a namespace of their own, asked of a helper in its sandbox: what it makes, leaves and
 * removes. */
#include "kernel-helpers/prefix_routes.h"
#include "kernel-helpers/helper.h"
#include "kernel-helpers/source_address.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"
#include "tests/unit/kernel-helpers/namespace.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

static struct tunnel_device tunnel = {.descriptor = -1};
static struct hit own;

static struct ip_prefix prefix_of(const char *text)
{
	struct ip_prefix prefix;
	assert_int_equal(ip_prefix_parse(text, &prefix), HIPHOP_OK);
	return prefix;
}

static int start(void **state)
{
	static struct helper helper;
	struct helper_policy policy;
	struct privilege_user self = {0};
	*state = NULL;
	assert_int_equal(hit_parse("2001:22::aaaa", &own), HIPHOP_OK);
	if (!namespace_enter() || tunnel_device_open("hiptest0", &tunnel))
		return 0; /* the tests skip themselves */
	memset(&policy, 0, sizeof policy);
	strcpy(policy.tunnel_name, "hiptest0");
	policy.mtu = 1400;
	policy.hit = own;
	policy.prefix_count = 3;
	policy.prefixes[0] = prefix_of("2001:db8:100::/48");
	policy.prefixes[1] = prefix_of("10.1.0.0/16");
	policy.prefixes[2] = prefix_of("fd00:1::/32");
	policy.ipv4 = prefix_of("100.64.0.7/32").address;
	assert_int_equal(helper_start(&helper, &self), HIPHOP_OK);
	assert_int_equal(helper_set_policy(&helper, &policy), HIPHOP_OK);
	assert_int_equal(helper_ask(&helper, HELPER_SETUP_NETWORK, 0, NULL, NULL), HIPHOP_OK);
	*state = &helper;
	return 0;
}

static struct helper *running(void **state)
{
	if (!*state)
		skip();
	return *state;
}

/* As the loop does it. */
static hiphop_error ask(struct helper *helper, helper_choice choice, const char *text)
{
	struct ip_prefix prefix = prefix_of(text);
	struct pollfd wait = {.fd = helper->channel, .events = POLLIN};
	struct helper_answer answer;
	assert_int_equal(helper_take_answer(helper, &answer), HIPHOP_TIMEOUT);
	assert_int_equal(helper_ask_route(helper, choice, &prefix), HIPHOP_OK);
	assert_int_equal(poll(&wait, 1, 5000), 1);
	assert_int_equal(helper_take_answer(helper, &answer), HIPHOP_OK);
	return (hiphop_error)answer.error;
}

/* True when a line of the output of `command` has both words. */
static bool shows(const char *command, const char *word, const char *other)
{
	char line[256];
	bool found = false;
	FILE *output = popen(command, "r");
	assert_non_null(output);
	while (fgets(line, sizeof line, output))
		found |= strstr(line, word) && strstr(line, other);
	if (pclose(output) != 0)
		skip();
	return found;
}

static bool shows_route(const char *prefix, const char *word)
{
	return shows("ip -6 route show && ip -4 route show", prefix, word);
}

static struct address source_towards(const char *text)
{
	struct address peer, source = {{0}};
	assert_int_equal(address_parse(text, &peer), HIPHOP_OK);
	(void)source_address_towards(&peer, &source);
	return source;
}

static void routes_come_and_go(void **state)
{
	static const char *const prefixes[] = {
		"2001:db8:100:7::/64", "10.1.2.0/24", "10.1.0.9/32", "2001:db8:100::9/128"};
	struct helper *helper = running(state);
	struct address source;
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		assert_int_equal(ask(helper, HELPER_ADD_ROUTE, prefixes[i]), HIPHOP_OK);
	assert_true(shows_route("2001:db8:100:7::/64", "dev hiptest0"));
	assert_true(shows_route("2001:db8:100:7::/64", "mtu 1360"));
	assert_true(shows_route("2001:db8:100:7::/64", "proto 139"));
	assert_true(shows_route("10.1.2.0/24", "mtu 1360"));
	assert_true(shows_route("10.1.2.0/24", "proto 139"));
	source = source_towards("2001:db8:100:7::1");
	assert_memory_equal(source.octets, own.octets, HIT_LENGTH);
	source = source_towards("10.1.2.3");
	assert_true(address_equal(&source, &(struct address){{[10] = 0xff, [11] = 0xff, 100, 64, 0, 7}}));
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		assert_int_equal(ask(helper, HELPER_REMOVE_ROUTE, prefixes[i]), HIPHOP_OK);
		assert_false(shows_route(prefixes[i], "dev hiptest0"));
		assert_int_equal(ask(helper, HELPER_REMOVE_ROUTE, prefixes[i]), HIPHOP_NOT_FOUND);
	}
}

static void what_is_outside_the_policy_is_refused(void **state)
{
	static const char *const prefixes[] = {"2001:db8::/32", "2001:db8:101::/48", "10.0.0.0/8", "192.0.2.0/24",
		"::/0", "0.0.0.0/0", "2001:20::/28", "127.0.0.1/32", "::1/128"};
	struct helper *helper = running(state);
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		assert_int_equal(ask(helper, HELPER_ADD_ROUTE, prefixes[i]), HIPHOP_REFUSED);
		assert_int_equal(ask(helper, HELPER_REMOVE_ROUTE, prefixes[i]), HIPHOP_REFUSED);
	}
	assert_true(shows_route("2001:20::/28", "dev hiptest0"));
	assert_false(shows_route("default", "hiptest0"));
}

/* Whatever is routed there by others stays theirs. */
static void routes_of_others_are_left_alone(void **state)
{
	struct helper *helper = running(state);
	if (system("ip route add 10.1.3.0/24 dev hiptest0 && ip route add 2001:db8:100:3::/64 dev hiptest0 &&"
		   "ip route add 10.1.4.0/24 dev lo && ip route add 2001:db8:100:4::/64 dev lo") != 0)
		skip();
	assert_int_equal(ask(helper, HELPER_ADD_ROUTE, "10.1.3.0/24"), HIPHOP_EXISTS);
	assert_int_equal(ask(helper, HELPER_ADD_ROUTE, "2001:db8:100:3::/64"), HIPHOP_EXISTS);
	assert_int_equal(ask(helper, HELPER_ADD_ROUTE, "10.1.4.0/24"), HIPHOP_EXISTS);
	assert_int_equal(ask(helper, HELPER_ADD_ROUTE, "2001:db8:100:4::/64"), HIPHOP_EXISTS);
	assert_int_equal(ask(helper, HELPER_REMOVE_ROUTE, "10.1.3.0/24"), HIPHOP_NOT_FOUND);
	assert_int_equal(ask(helper, HELPER_REMOVE_ROUTE, "2001:db8:100:3::/64"), HIPHOP_NOT_FOUND);
	assert_int_equal(ask(helper, HELPER_REMOVE_ROUTE, "10.1.4.0/24"), HIPHOP_NOT_FOUND);
	assert_int_equal(ask(helper, HELPER_REMOVE_ROUTE, "2001:db8:100:4::/64"), HIPHOP_NOT_FOUND);
	assert_true(shows_route("10.1.3.0/24", "dev hiptest0"));
	assert_true(shows_route("2001:db8:100:3::/64", "dev hiptest0"));
	assert_true(shows_route("10.1.4.0/24", "dev lo"));
	assert_true(shows_route("2001:db8:100:4::/64", "dev lo"));
}

static void there_are_only_so_many(void **state)
{
	struct helper *helper = running(state);
	char text[64];
	for (unsigned i = 0; i < HELPER_ROUTES_MAXIMUM; i++) {
		snprintf(text, sizeof text, "fd00:1:%x::/48", i);
		assert_int_equal(ask(helper, HELPER_ADD_ROUTE, text), HIPHOP_OK);
	}
	assert_int_equal(ask(helper, HELPER_ADD_ROUTE, "fd00:1:ffff::/48"), HIPHOP_LIMITED);
	assert_int_equal(ask(helper, HELPER_REMOVE_ROUTE, "fd00:1:5::/48"), HIPHOP_OK);
	assert_int_equal(ask(helper, HELPER_ADD_ROUTE, "fd00:1:ffff::/48"), HIPHOP_OK);
}

static void they_go_with_the_device(void **state)
{
	struct helper *helper = running(state);
	struct helper_answer answer;
	assert_true(shows_route("fd00:1:7::/48", "hiptest0"));
	tunnel_device_close(&tunnel);
	assert_false(shows_route("fd00:1:7::/48", "hiptest0"));
	assert_int_equal(ask(helper, HELPER_ADD_ROUTE, "10.1.5.0/24"), HIPHOP_LIMITED);
	assert_int_equal(ask(helper, HELPER_REMOVE_ROUTE, "fd00:1:7::/48"), HIPHOP_NOT_FOUND);
	helper_stop(helper);
	assert_int_not_equal(helper_take_answer(helper, &answer), HIPHOP_OK);
}

static void a_device_that_is_not_there(void **state)
{
	const struct prefix_route_settings settings = {.tunnel_name = "hipnone", .mtu = 1360};
	struct ip_prefix prefix = prefix_of("10.1.0.0/16");
	(void)state;
	assert_int_equal(prefix_route_add(&settings, &prefix), HIPHOP_NOT_FOUND);
	assert_int_equal(prefix_route_remove(&settings, &prefix), HIPHOP_NOT_FOUND);
	assert_int_equal(prefix_address_add("hipnone", &prefix.address), HIPHOP_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_come_and_go),
		cmocka_unit_test(what_is_outside_the_policy_is_refused),
		cmocka_unit_test(routes_of_others_are_left_alone),
		cmocka_unit_test(there_are_only_so_many),
		cmocka_unit_test(they_go_with_the_device),
		cmocka_unit_test(a_device_that_is_not_there),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
