/* SPDX-License-Identifier: MIT */
#include "daemon/prefix_record.h"
#include "hip/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void add(struct prefix_record *record, const char *text)
{
	assert_int_equal(ip_prefix_parse(text, &record->prefixes[record->count++]), HIPHOP_OK);
}

static void the_octets_are_as_documented(void **state)
{
	static const uint8_t expected[] = {1, 3, 6, 56, 0x20, 0x01, 0x0d, 0xb8, 0x01, 0x00, 0x00, 4, 16, 10, 1, 6, 0};
	struct prefix_record record = {0}, out;
	uint8_t octets[PREFIX_RECORD_SIZE];
	size_t length;

	(void)state;
	add(&record, "2001:db8:100::/56");
	add(&record, "10.1.0.0/16");
	add(&record, "::/0");
	assert_int_equal(prefix_record_encode(&record, octets, sizeof octets, &length), HIPHOP_OK);
	assert_int_equal(length, sizeof expected);
	assert_memory_equal(octets, expected, length);
	assert_int_equal(prefix_record_decode(octets, length, &out), HIPHOP_OK);
	assert_int_equal(out.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(ip_prefix_equal(&out.prefixes[i], &record.prefixes[i]));
}

static void the_longest_value_fits(void **state)
{
	struct prefix_record record = {0}, out;
	uint8_t octets[PREFIX_RECORD_SIZE];
	size_t length;

	(void)state;
	for (size_t i = 0; i < PREFIX_RECORD_MAXIMUM; i++)
		add(&record, "2001:db8:1:2:3:4:5:6/128");
	assert_int_equal(prefix_record_encode(&record, octets, sizeof octets, &length), HIPHOP_OK);
	assert_int_equal(length, PREFIX_RECORD_SIZE);
	assert_int_equal(prefix_record_decode(octets, length, &out), HIPHOP_OK);
	assert_int_equal(out.count, PREFIX_RECORD_MAXIMUM);
	assert_int_equal(prefix_record_encode(&record, octets, sizeof octets - 1, &length), HIPHOP_TOO_LARGE);
	record.count++;
	assert_int_equal(prefix_record_encode(&record, octets, sizeof octets, &length), HIPHOP_TOO_LARGE);
}

static void nothing_is_a_value_too(void **state)
{
	struct prefix_record record = {0};
	uint8_t octets[PREFIX_RECORD_SIZE];
	size_t length;

	(void)state;
	assert_int_equal(prefix_record_encode(&record, octets, sizeof octets, &length), HIPHOP_OK);
	assert_int_equal(length, 2);
	record.count = 9;
	assert_int_equal(prefix_record_decode(octets, length, &record), HIPHOP_OK);
	assert_int_equal(record.count, 0);
}

static void what_is_wrong_is_refused(void **state)
{
	static const struct {
		hiphop_error error;
		size_t length;
		uint8_t octets[24];
	} cases[] = {
		{HIPHOP_TRUNCATED, 0, {0}}, {HIPHOP_TRUNCATED, 1, {1}}, {HIPHOP_UNSUPPORTED, 2, {0, 0}},
		{HIPHOP_UNSUPPORTED, 2, {2, 0}}, {HIPHOP_LIMITED, 2, {1, 65}}, {HIPHOP_LIMITED, 2, {1, 255}},
		{HIPHOP_MALFORMED, 3, {1, 0, 0}},                                 /* something is left over */
		{HIPHOP_MALFORMED, 6, {1, 1, 4, 8, 10, 0}},                       /* likewise */
		{HIPHOP_TRUNCATED, 2, {1, 1}},                                    /* no prefix */
		{HIPHOP_TRUNCATED, 3, {1, 1, 4}},                                 /* no length */
		{HIPHOP_TRUNCATED, 4, {1, 1, 4, 8}},                              /* no octets */
		{HIPHOP_TRUNCATED, 5, {1, 1, 4, 9, 10}},                          /* one too few */
		{HIPHOP_TRUNCATED, 6, {1, 2, 4, 8, 10, 4}},                       /* half a second one */
		{HIPHOP_MALFORMED, 5, {1, 1, 5, 8, 10}},                          /* family */
		{HIPHOP_MALFORMED, 5, {1, 1, 0, 8, 10}},                          /* likewise */
		{HIPHOP_MALFORMED, 9, {1, 1, 4, 33, 10, 0, 0, 0, 0}},             /* length of IPv4 */
		{HIPHOP_MALFORMED, 24, {1, 1, 6, 129, 0x20, 0x01}},               /* of IPv6 */
		{HIPHOP_MALFORMED, 24, {1, 1, 6, 255, 0x20, 0x01}},               /* likewise */
		{HIPHOP_MALFORMED, 5, {1, 1, 4, 7, 11}},                          /* a bit behind the length */
		{HIPHOP_MALFORMED, 17, {1, 1, 6, 104, [14] = 0xff, [15] = 0xff}}, /* IPv4 in disguise */
	};
	struct prefix_record record;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		hiphop_error error = prefix_record_decode(cases[i].octets, cases[i].length, &record);
		if (error != cases[i].error)
			fail_msg("case %zu gives %d", i, error);
		assert_int_equal(record.count, 0);
	}
}

static void random_values_read_the_same_again(void **state)
{
	struct seeded_random generator;
	struct random_source random = seeded_random_start(&generator, 11);
	unsigned good = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint8_t octets[32], again[PREFIX_RECORD_SIZE];
		struct prefix_record record;
		size_t size = random_below(&random, sizeof octets + 1), length;
		random_fill(&random, octets, sizeof octets);
		octets[0] = 1;
		octets[1] &= 3;
		octets[2] = octets[2] & 1 ? 4 : 6;
		octets[3] &= 15;
		if (prefix_record_decode(octets, size, &record))
			continue;
		good++;
		assert_int_equal(prefix_record_encode(&record, again, sizeof again, &length), HIPHOP_OK);
		assert_int_equal(length, size);
		assert_memory_equal(again, octets, size);
	}
	assert_true(good > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_octets_are_as_documented),
		cmocka_unit_test(the_longest_value_fits),
		cmocka_unit_test(nothing_is_a_value_too),
		cmocka_unit_test(what_is_wrong_is_refused),
		cmocka_unit_test(random_values_read_the_same_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
