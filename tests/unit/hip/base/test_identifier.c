/* SPDX-License-Identifier: MIT */
#include "hip/base/identifier.h"

#include "tests/unit/cmocka.h"

#include <string.h>

static struct hit hit_of(const char *text)
{
	struct hit hit;

	assert_int_equal(hit_parse(text, &hit), HIPHOP_OK);
	return hit;
}

static void test_text_form(void **state)
{
	char text[HIT_TEXT_SIZE];
	struct hit hit = hit_of("2001:22:0:0:0:1:2:3");

	(void)state;
	assert_string_equal(hit_format(&hit, text), "2001:22::1:2:3");
	assert_int_equal(hit_suite(&hit), 2);
	assert_true(hit_is_host(&hit));
	assert_false(hit_is_null(&hit));
	assert_int_equal(hit_parse("2001:30::1", &hit), HIPHOP_MALFORMED);
	assert_int_equal(hit_parse("2001:1f::1", &hit), HIPHOP_MALFORMED);
	assert_int_equal(hit_parse("192.0.2.1", &hit), HIPHOP_MALFORMED);
	assert_int_equal(hit_parse("", &hit), HIPHOP_MALFORMED);
	assert_int_equal(hit_suite(&hit), 2); /* a failed parse leaves it alone */
}

static void test_null_and_resource_ids_are_no_hosts(void **state)
{
	struct hit resource = hit_of("2001:20::1");
	struct hit null_hit;

	(void)state;
	memset(&null_hit, 0, sizeof null_hit);
	assert_true(hit_is_null(&null_hit));
	assert_false(hit_has_orchid_prefix(&null_hit));
	assert_true(hit_has_orchid_prefix(&resource));
	assert_false(hit_is_host(&resource));
}

static void test_comparison_is_unsigned(void **state)
{
	struct hit low = hit_of("2001:22::7fff");
	struct hit high = hit_of("2001:22::8000");

	(void)state;
	assert_true(hit_compare(&low, &high) < 0);
	assert_true(hit_compare(&high, &low) > 0);
	assert_int_equal(hit_compare(&low, &low), 0);
	assert_true(hit_equal(&low, &low));
	assert_false(hit_equal(&low, &high));
}

static void test_resource_id_from_digest(void **state)
{
	uint8_t digest[20];
	struct hit id;
	char text[HIT_TEXT_SIZE];

	(void)state;
	for (uint8_t i = 0; i < sizeof digest; i++)
		digest[i] = (uint8_t)(0x10 + i);
	assert_int_equal(resource_id_from_digest(digest, sizeof digest, &id), HIPHOP_OK);
	assert_string_equal(hit_format(&id, text), "2001:20:1819:1a1b:1c1d:1e1f:2021:2223");
	assert_int_equal(resource_id_from_digest(digest, 11, &id), HIPHOP_INVALID_ARGUMENT);
}

static void test_position_ignores_the_suite(void **state)
{
	struct hit rsa = hit_of("2001:21::5");
	struct hit ecdsa = hit_of("2001:22::5");
	struct hit at = resource_id_at(&ecdsa);

	(void)state;
	assert_true(ring_position_equal(&rsa, &ecdsa));
	assert_int_equal(ring_position_compare(&rsa, &ecdsa), 0);
	assert_int_equal(hit_suite(&at), 0);
	assert_true(ring_position_equal(&at, &rsa));
}

static void test_distance_wraps(void **state)
{
	struct hit one = hit_of("2001:22::1");
	struct hit three = hit_of("2001:22::3");
	uint8_t distance[RING_POSITION_LENGTH];
	static const uint8_t two[RING_POSITION_LENGTH] = {[11] = 2};
	static const uint8_t minus_two[RING_POSITION_LENGTH] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe};

	(void)state;
	ring_distance(&one, &three, distance);
	assert_memory_equal(distance, two, sizeof two);
	ring_distance(&three, &one, distance);
	assert_memory_equal(distance, minus_two, sizeof two);
}

static void test_arc(void **state)
{
	static const struct {
		const char *from, *id, *to;
		bool in;
	} rows[] = {
		{"2001:22::1", "2001:22::2", "2001:22::3", true},
		{"2001:22::1", "2001:22::3", "2001:22::3", true},  /* its end is in */
		{"2001:22::1", "2001:22::1", "2001:22::3", false}, /* its start is not */
		{"2001:22::1", "2001:22::4", "2001:22::3", false},
		{"2001:22::3", "2001:22::4", "2001:22::1", true}, /* over zero */
		{"2001:22::3", "2001:22::", "2001:22::1", true}, {"2001:22::3", "2001:22::2", "2001:22::1", false},
		{"2001:22::3", "2001:22::2", "2001:22::3", true}, /* the whole ring */
		{"2001:22::3", "2001:22::3", "2001:22::3", true},
		{"2001:21::1", "2001:20::2", "2001:22::3", true}, /* whatever the suites */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct hit from = hit_of(rows[i].from);
		struct hit id = hit_of(rows[i].id);
		struct hit to = hit_of(rows[i].to);

		assert_int_equal(ring_in_arc(&from, &id, &to), rows[i].in);
	}
}

static void test_finger_starts(void **state)
{
	struct hit start = hit_of("2001:22::ff");
	struct hit last = hit_of("2001:22:ffff:ffff:ffff:ffff:ffff:ffff");
	struct hit finger;
	char text[HIT_TEXT_SIZE];

	(void)state;
	finger = ring_offset(&start, 0);
	assert_string_equal(hit_format(&finger, text), "2001:20::100");
	finger = ring_offset(&start, 9);
	assert_string_equal(hit_format(&finger, text), "2001:20::2ff");
	finger = ring_offset(&start, 95);
	assert_string_equal(hit_format(&finger, text), "2001:20:8000::ff");
	finger = ring_offset(&last, 0);
	assert_string_equal(hit_format(&finger, text), "2001:20::");
	finger = ring_offset(&last, 95);
	assert_string_equal(hit_format(&finger, text), "2001:20:7fff:ffff:ffff:ffff:ffff:ffff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_form),
		cmocka_unit_test(test_null_and_resource_ids_are_no_hosts),
		cmocka_unit_test(test_comparison_is_unsigned),
		cmocka_unit_test(test_resource_id_from_digest),
		cmocka_unit_test(test_position_ignores_the_suite),
		cmocka_unit_test(test_distance_wraps),
		cmocka_unit_test(test_arc),
		cmocka_unit_test(test_finger_starts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
