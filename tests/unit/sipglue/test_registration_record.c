/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sipglue/registration_record.h"

#include <string.h>

static const struct hit owner = {{0x20, 0x01, 0, 0x22, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};

static void test_route_octets(void **state)
{
	(void)state;
	struct registration_record record = {
		.type = REGISTRATION_ROUTE, .destinations = {owner}, .destination_count = 1};
	uint8_t octets[64];
	size_t length;
	assert_int_equal(registration_record_encode(&record, octets, sizeof octets, &length), HIPHOP_OK);
	/* type, length, contact_prefs, destination list of one node with 16 octets */
	const uint8_t head[] = {2, 0, 22, 0, 0, 0, 18, 1, 16};
	assert_int_equal(length, sizeof head + HIT_LENGTH);
	assert_memory_equal(octets, head, sizeof head);
	assert_memory_equal(octets + sizeof head, owner.octets, HIT_LENGTH);
	struct registration_record back;
	assert_int_equal(registration_record_decode(octets, length, &back), HIPHOP_OK);
	assert_int_equal(back.type, REGISTRATION_ROUTE);
	assert_int_equal(back.destination_count, 1);
	assert_true(hit_equal(&back.destinations[0], &owner));
	for (size_t cut = 0; cut < length; cut++)
		assert_int_not_equal(registration_record_decode(octets, cut, &back), HIPHOP_OK);
	assert_int_equal(registration_record_encode(&record, octets, length - 1, &length), HIPHOP_TOO_LARGE);
}

static void test_uri(void **state)
{
	(void)state;
	const char *aor = "sam@example.com";
	struct registration_record record = {.type = REGISTRATION_URI, .uri = {(const uint8_t *)aor, strlen(aor)}},
				   back;
	uint8_t octets[64];
	size_t length;
	assert_int_equal(registration_record_encode(&record, octets, sizeof octets, &length), HIPHOP_OK);
	assert_int_equal(length, 1 + 2 + 2 + strlen(aor));
	assert_int_equal(registration_record_decode(octets, length, &back), HIPHOP_OK);
	assert_int_equal(back.type, REGISTRATION_URI);
	assert_int_equal(back.uri.length, strlen(aor));
	assert_memory_equal(back.uri.data, aor, strlen(aor));
}

static void test_refusals(void **state)
{
	(void)state;
	struct registration_record record = {.type = REGISTRATION_ROUTE}, back;
	uint8_t octets[64];
	size_t length;
	assert_int_equal(registration_record_encode(&record, octets, sizeof octets, &length), HIPHOP_INVALID_ARGUMENT);
	const uint8_t unknown[] = {9, 0, 2, 0, 0};
	assert_int_equal(registration_record_decode(unknown, sizeof unknown, &back), HIPHOP_UNSUPPORTED);
	const uint8_t no_list[] = {2, 0, 4, 0, 0, 0, 0};
	assert_int_equal(registration_record_decode(no_list, sizeof no_list, &back), HIPHOP_MALFORMED);
	const uint8_t resource[] = {2, 0, 8, 0, 0, 0, 4, 2, 2, 1, 2};
	assert_int_equal(registration_record_decode(resource, sizeof resource, &back), HIPHOP_UNSUPPORTED);
	const uint8_t left_over[] = {1, 0, 3, 0, 1, 'a', 0};
	assert_int_equal(registration_record_decode(left_over, sizeof left_over, &back), HIPHOP_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_route_octets),
		cmocka_unit_test(test_uri),
		cmocka_unit_test(test_refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
