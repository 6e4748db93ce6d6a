/* SPDX-License-Identifier: MIT */
#include "daemon/link_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static struct configured_interface entries[] = {
	{.name = "wlan1", .preference = LINK_AVOID},
	{.name = "wl*", .preference = LINK_PREFER, .cost = 3},
	{.name = "wwan?", .metered = true, .cost = 10},
	{.name = "docker*", .unused = true},
	{.name = "*", .cost = 65535},
};
static struct configuration configuration = {.interfaces = entries, .interface_count = 5};

static struct link_address link_of(const char *name, uint8_t last)
{
	struct link_address link = {.interface = last, .address.octets = {0x20, 0x01, [15] = last}};
	snprintf(link.name, sizeof link.name, "%s", name);
	return link;
}

static void the_first_entry_that_fits_decides(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int entry;
	} cases[] = {{"wlan1", 0}, {"wlan10", 1}, {"wlp2s0", 1}, {"wl", 1}, {"wwan0", 2}, {"wwan10", 4}, {"docker0", 3},
		{"eth0", 4}, {".hidden", 4}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_ptr_equal(link_policy_of(&configuration, cases[i].name), &entries[cases[i].entry]);
	/* Nothing is known of it, not even that it has a name. */
	assert_null(link_policy_of(&configuration, ""));
	assert_null(link_policy_of(&(struct configuration){0}, "eth0"));
}

static void the_policy_is_filled_in(void **state)
{
	(void)state;
	struct link_address links[] = {link_of("wlan0", 1), link_of("docker0", 2), link_of("wwan0", 3),
		link_of("wlan1", 4), link_of("docker1", 5), link_of("eth0", 6), link_of("", 7)};
	static const struct {
		uint8_t last, preference;
		bool metered;
		uint16_t cost;
	} expected[] = {{1, LINK_PREFER, false, 3}, {3, LINK_NORMAL, true, 10}, {4, LINK_AVOID, false, 0},
		{6, LINK_NORMAL, false, 65535}, {7, LINK_NORMAL, false, 0}};
	/* What was there before does not stay. */
	links[6].cost = 9;
	links[6].metered = true;
	assert_int_equal(link_policy_apply(&configuration, links, 7), 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(links[i].address.octets[15], expected[i].last);
		assert_int_equal(links[i].interface, expected[i].last);
		assert_int_equal(links[i].preference, expected[i].preference);
		assert_int_equal(links[i].metered, expected[i].metered);
		assert_int_equal(links[i].cost, expected[i].cost);
	}
	/* The others stand behind them. */
	assert_string_equal(links[5].name, "docker0");
	assert_string_equal(links[6].name, "docker1");
	assert_int_equal(link_policy_apply(&configuration, links, 0), 0);
}

static void no_unused_address_is_a_source(void **state)
{
	(void)state;
	static const struct {
		const char *source, *expected;
	} cases[] = {{"192.0.2.1", "192.0.2.1"}, {"192.0.2.9", "192.0.2.1"}, {"2001:db8::1", "2001:db8::1"},
		{"2001:db8::9", "2001:db8::1"}, {"127.0.0.1", "127.0.0.1"}, {"2001:db8:7::7", "2001:db8:7::7"}};
	static const char *const addresses[] = {"192.0.2.1", "2001:db8::1", "2001:db8::9", "192.0.2.9"};
	struct link_address links[4] = {0};
	struct address source;
	char text[ENDPOINT_TEXT_SIZE];
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(address_parse(addresses[i], &links[i].address), HIPHOP_OK);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(address_parse(cases[i].source, &source), HIPHOP_OK);
		assert_true(link_policy_source(links, 2, 4, &source));
		assert_string_equal(address_format(&source, text), cases[i].expected);
	}
	assert_int_equal(address_parse("2001:db8::9", &source), HIPHOP_OK);
	assert_false(link_policy_source(links, 1, 4, &source));
	assert_false(link_policy_source(links, 0, 4, &source));
	assert_true(link_policy_source(links, 0, 0, &source));
}

static void links_are_compared_in_all(void **state)
{
	(void)state;
	const struct link_address link = link_of("eth0", 1);
	struct link_address others[6] = {link, link, link, link, link, link};
	assert_true(link_equal(&link, &(struct link_address){link.address, 1, "eth0", 0, false, 0}));
	others[0].address.octets[15]++;
	others[1].interface++;
	others[2].name[0]++;
	others[3].preference++;
	others[4].metered = true;
	others[5].cost++;
	for (size_t i = 0; i < 6; i++)
		assert_false(link_equal(&link, &others[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_entry_that_fits_decides),
		cmocka_unit_test(the_policy_is_filled_in),
		cmocka_unit_test(no_unused_address_is_a_source),
		cmocka_unit_test(links_are_compared_in_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
