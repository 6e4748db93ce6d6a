/* SPDX-License-Identifier: MIT */
#include "daemon/prefix_table.h"
#include "hip/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static const struct hit first = {{0x20, 0x01, 0, 0x22, [15] = 1}}, second = {{0x20, 0x01, 0, 0x22, [15] = 2}};

static struct ip_prefix prefix_of(const char *text)
{
	struct ip_prefix prefix;

	assert_int_equal(ip_prefix_parse(text, &prefix), HIPHOP_OK);
	return prefix;
}

static hiphop_error add(struct prefix_table *table, const char *text, const struct hit *owner)
{
	struct ip_prefix prefix = prefix_of(text);

	return prefix_table_add(table, &prefix, owner);
}

/* The prefix that the address is found in, or "". */
static const char *found(const struct prefix_table *table, const char *text)
{
	static char prefix[IP_PREFIX_TEXT_SIZE];
	struct address address;
	const struct prefix_entry *entry;

	assert_int_equal(address_parse(text, &address), HIPHOP_OK);
	entry = prefix_table_find(table, &address);
	return entry ? ip_prefix_format(&entry->prefix, prefix) : "";
}

static void the_longest_prefix_decides(void **state)
{
	struct prefix_table table = {0};

	(void)state;
	assert_string_equal(found(&table, "2001:db8::1"), "");
	assert_int_equal(add(&table, "2001:db8:100::/48", &first), HIPHOP_OK);
	assert_int_equal(add(&table, "2001:db8::/32", &second), HIPHOP_OK);
	assert_int_equal(add(&table, "2001:db8:100:5::/64", &second), HIPHOP_OK);
	assert_int_equal(add(&table, "2001:db8:100:5::9/128", &first), HIPHOP_OK);
	assert_int_equal(add(&table, "10.1.0.0/16", &first), HIPHOP_OK);
	assert_int_equal(add(&table, "10.1.2.0/24", &second), HIPHOP_OK);
	assert_string_equal(found(&table, "2001:db8:ffff::1"), "2001:db8::/32");
	assert_string_equal(found(&table, "2001:db8:100:4::1"), "2001:db8:100::/48");
	assert_string_equal(found(&table, "2001:db8:100:5::1"), "2001:db8:100:5::/64");
	assert_string_equal(found(&table, "2001:db8:100:5::9"), "2001:db8:100:5::9/128");
	assert_string_equal(found(&table, "2001:db8:100:5::a"), "2001:db8:100:5::/64");
	assert_string_equal(found(&table, "2001:db8:100:6::"), "2001:db8:100::/48");
	assert_string_equal(found(&table, "2001:db9::1"), "");
	assert_string_equal(found(&table, "2001:db7:ffff::1"), "");
	assert_string_equal(found(&table, "10.1.1.1"), "10.1.0.0/16");
	assert_string_equal(found(&table, "10.1.2.255"), "10.1.2.0/24");
	assert_string_equal(found(&table, "10.2.0.1"), "");
	assert_string_equal(found(&table, "::"), "");
	assert_string_equal(found(&table, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "");
}

static void a_prefix_is_there_once(void **state)
{
	struct prefix_table table = {0};
	struct ip_prefix prefix = prefix_of("10.1.0.0/16"), longer = prefix_of("10.1.0.0/17");

	(void)state;
	assert_int_equal(prefix_table_add(&table, &prefix, &first), HIPHOP_OK);
	assert_int_equal(prefix_table_add(&table, &prefix, &second), HIPHOP_EXISTS);
	assert_true(hit_equal(&prefix_table_get(&table, &prefix)->owner, &first));
	assert_null(prefix_table_get(&table, &longer));
	assert_int_equal(prefix_table_add(&table, &longer, &second), HIPHOP_OK);
	assert_true(hit_equal(&prefix_table_get(&table, &longer)->owner, &second));
}

static void it_is_bounded(void **state)
{
	struct prefix_table table = {0};
	struct ip_prefix prefix = prefix_of("2001:db8::/64");

	(void)state;
	for (size_t i = 0; i < PREFIX_TABLE_MAXIMUM; i++) {
		prefix.address.octets[6] = (uint8_t)(i * 37);
		assert_int_equal(prefix_table_add(&table, &prefix, &first), HIPHOP_OK);
	}
	prefix.address.octets[7] = 1;
	assert_int_equal(prefix_table_add(&table, &prefix, &first), HIPHOP_LIMITED);
	assert_int_equal(table.count, PREFIX_TABLE_MAXIMUM);
}

/* Against a walk over all entries, with prefixes that lie in one another as often as can be. */
static void it_finds_what_a_walk_finds(void **state)
{
	struct seeded_random generator;
	struct random_source random = seeded_random_start(&generator, 5);

	(void)state;
	for (int round = 0; round < 50; round++) {
		struct prefix_table table = {0};
		for (int i = 0; i < 60; i++) {
			struct ip_prefix prefix = {.length = (uint8_t)random_below(&random, 13)};
			for (unsigned bit = 0; bit < prefix.length; bit++)
				prefix.address.octets[bit / 8] |= (uint8_t)(random_below(&random, 2) << (7 - bit % 8));
			(void)prefix_table_add(&table, &prefix, &first);
		}
		for (int i = 0; i < 300; i++) {
			const struct prefix_entry *longest = NULL;
			struct address address;
			random_fill(&random, &address, sizeof address);
			for (size_t j = 0; j < table.count; j++) {
				const struct prefix_entry *entry = &table.entries[j];
				if (ip_prefix_has(&entry->prefix, &address) &&
					(!longest || entry->prefix.length > longest->prefix.length))
					longest = entry;
			}
			assert_ptr_equal(prefix_table_find(&table, &address), longest);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_prefix_decides),
		cmocka_unit_test(a_prefix_is_there_once),
		cmocka_unit_test(it_is_bounded),
		cmocka_unit_test(it_finds_what_a_walk_finds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
