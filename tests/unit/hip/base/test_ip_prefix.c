/* SPDX-License-Identifier: MIT */
#include "hip/base/ip_prefix.h"
#include "hip/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct ip_prefix prefix_of(const char *text)
{
	struct ip_prefix prefix;

	if (ip_prefix_parse(text, &prefix))
		fail_msg("%s", text);
	return prefix;
}

static struct address address_of(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), HIPHOP_OK);
	return address;
}

static void texts_are_read_and_written(void **state)
{
	static const char *const good[] = {"2001:db8:100::/56", "::/0", "0.0.0.0/0", "10.1.0.0/16", "192.0.2.7/32",
		"2001:db8::1/128", "128.0.0.0/1", "8000::/1", "fd00::/9"};
	static const struct {
		const char *text;
		hiphop_error error;
	} bad[] = {
		{"", HIPHOP_MALFORMED},
		{"/", HIPHOP_MALFORMED},
		{"2001:db8::", HIPHOP_MALFORMED},
		{"2001:db8::/", HIPHOP_MALFORMED},
		{"2001:db8::/129", HIPHOP_MALFORMED},
		{"2001:db8::/0128", HIPHOP_MALFORMED},
		{"2001:db8::/+8", HIPHOP_MALFORMED},
		{"2001:db8::/32 ", HIPHOP_MALFORMED},
		{"2001:db8::/32/32", HIPHOP_MALFORMED},
		{"10.0.0.0/33", HIPHOP_MALFORMED},
		{"10.0.0.0/999", HIPHOP_MALFORMED},
		{"10.0.0/8", HIPHOP_MALFORMED},
		{"::ffff:10.0.0.0/104", HIPHOP_MALFORMED},
		{"example.com/8", HIPHOP_MALFORMED},
		{"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/8", HIPHOP_MALFORMED},
		{"2001:db8::1/127", HIPHOP_INVALID_ARGUMENT},
		{"10.1.2.0/16", HIPHOP_INVALID_ARGUMENT},
		{"10.0.0.1/31", HIPHOP_INVALID_ARGUMENT},
		{"0.0.0.1/0", HIPHOP_INVALID_ARGUMENT},
	};
	char text[IP_PREFIX_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct ip_prefix prefix = prefix_of(good[i]);
		assert_string_equal(ip_prefix_format(&prefix, text), good[i]);
		assert_true(ip_prefix_is_clean(&prefix));
		assert_int_equal(ip_prefix_is_ipv4(&prefix), strchr(good[i], ':') == NULL);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ip_prefix prefix;
		hiphop_error error = ip_prefix_parse(bad[i].text, &prefix);
		if (error != bad[i].error)
			fail_msg("\"%s\" gives %d", bad[i].text, error);
	}
}

static void what_is_not_clean_is_seen(void **state)
{
	struct ip_prefix prefix = prefix_of("2001:db8:200::/40");

	(void)state;
	prefix.length = 39;
	assert_true(ip_prefix_is_clean(&prefix));
	prefix.address.octets[5] = 1;
	assert_false(ip_prefix_is_clean(&prefix));
	prefix.length = 129;
	assert_false(ip_prefix_is_clean(&prefix));
	prefix.length = 255;
	assert_false(ip_prefix_is_clean(&prefix));
	assert_non_null(ip_prefix_trouble(&prefix));
}

static void addresses_and_prefixes_lie_inside(void **state)
{
	struct ip_prefix wide = prefix_of("2001:db8:100::/47"), narrow = prefix_of("2001:db8:101:8000::/50");
	struct ip_prefix other = prefix_of("2001:db8:102::/48"), ipv4 = prefix_of("10.1.0.0/16");
	struct ip_prefix all = prefix_of("::/0"), one;
	struct address address = address_of("2001:db8:101:ffff::1");

	(void)state;
	assert_true(ip_prefix_has(&wide, &address));
	assert_true(ip_prefix_is_inside(&narrow, &wide));
	assert_false(ip_prefix_is_inside(&wide, &narrow));
	assert_true(ip_prefix_is_inside(&wide, &wide));
	assert_false(ip_prefix_is_inside(&other, &wide));
	assert_true(ip_prefix_overlaps(&narrow, &wide));
	assert_true(ip_prefix_overlaps(&wide, &narrow));
	assert_false(ip_prefix_overlaps(&other, &narrow));
	assert_true(ip_prefix_is_inside(&ipv4, &all));
	address = address_of("10.1.255.255");
	assert_true(ip_prefix_has(&ipv4, &address));
	one = ip_prefix_of_one(&address);
	assert_true(ip_prefix_is_inside(&one, &ipv4));
	assert_int_equal(ip_prefix_length(&one), 32);
	address = address_of("10.2.0.0");
	assert_false(ip_prefix_has(&ipv4, &address));
	assert_true(ip_prefix_compare(&wide, &narrow) < 0);
	assert_true(ip_prefix_compare(&all, &wide) < 0);
	assert_int_equal(ip_prefix_compare(&wide, &wide), 0);
}

/* Bit by bit, as slowly as it is defined. */
static bool has_slowly(const struct ip_prefix *prefix, const struct address *address)
{
	for (unsigned bit = 0; bit < prefix->length; bit++) {
		unsigned mask = 0x80U >> (bit % 8);
		if ((prefix->address.octets[bit / 8] & mask) != (address->octets[bit / 8] & mask))
			return false;
	}
	return true;
}

static void each_length_is_as_defined(void **state)
{
	struct seeded_random generator;
	struct random_source random = seeded_random_start(&generator, 3);

	(void)state;
	for (unsigned length = 0; length <= 128; length++) {
		struct ip_prefix prefix = {.length = (uint8_t)length};
		struct address address;
		for (unsigned bit = 0; bit < length; bit++)
			prefix.address.octets[bit / 8] |= (uint8_t)(random_below(&random, 2) << (7 - bit % 8));
		assert_true(ip_prefix_is_clean(&prefix));
		for (int i = 0; i < 50; i++) {
			random_fill(&random, &address, sizeof address);
			if (i % 2)
				memcpy(&address, &prefix.address, length / 8);
			assert_int_equal(ip_prefix_has(&prefix, &address), has_slowly(&prefix, &address));
		}
	}
}

static void some_prefixes_are_never_behind_a_host(void **state)
{
	static const char *const bad[] = {"::/0", "0.0.0.0/0", "::/1", "2000::/3", "2001::/16", "2001:20::/28",
		"2001::/24", "2001:2f:ffff::/48", "2001:22::1/128", "::1/128", "::/128", "::/64", "fe80::/10",
		"fe80::/64", "fe80::1/128", "febf::/16", "ff00::/8", "ff02::1/128", "e000::/3", "127.0.0.0/8",
		"127.0.0.1/32", "0.0.0.0/1", "0.0.0.0/8", "64.0.0.0/2", "169.254.0.0/16", "169.254.1.1/32",
		"160.0.0.0/4", "224.0.0.0/4", "239.1.1.1/32", "128.0.0.0/1", "255.255.255.255/32", "240.0.0.0/4"};
	static const char *const good[] = {"2001:db8:100::/56", "2001:30::/28", "2001:10::/28", "fd00::/8", "fc00::/7",
		"64:ff9b::/96", "10.0.0.0/8", "192.168.0.0/16", "100.64.0.7/32", "172.16.0.0/12", "169.253.0.0/16",
		"2001:db8::1/128", "223.255.255.0/24"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ip_prefix prefix = prefix_of(bad[i]);
		if (!ip_prefix_trouble(&prefix))
			fail_msg("%s is allowed", bad[i]);
	}
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct ip_prefix prefix = prefix_of(good[i]);
		if (ip_prefix_trouble(&prefix))
			fail_msg("%s %s", good[i], ip_prefix_trouble(&prefix));
	}
}

static void the_mtu_leaves_room(void **state)
{
	(void)state;
	assert_int_equal(ip_prefix_tunnel_mtu(1400), 1360);
	assert_int_equal(ip_prefix_tunnel_mtu(1280), 1280);
	assert_int_equal(ip_prefix_tunnel_mtu(1319), 1280);
	assert_int_equal(ip_prefix_tunnel_mtu(8900), 8860);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_read_and_written),
		cmocka_unit_test(what_is_not_clean_is_seen),
		cmocka_unit_test(addresses_and_prefixes_lie_inside),
		cmocka_unit_test(each_length_is_as_defined),
		cmocka_unit_test(some_prefixes_are_never_behind_a_host),
		cmocka_unit_test(the_mtu_leaves_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
