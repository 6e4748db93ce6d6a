/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "hip/core/locators.h"

static struct seeded_random generator;
static struct random_source source;

static struct locator_cache fresh_cache(void)
{
	struct locator_cache cache;

	source = seeded_random_start(&generator, 1);
	locators_start(&cache, &source);
	return cache;
}

static struct hit peer_number(uint32_t number)
{
	struct hit peer = {{0x20, 0x01, 0x00, 0x22}};

	memcpy(peer.octets + 12, &number, sizeof number);
	return peer;
}

static struct endpoint endpoint_number(uint8_t number)
{
	struct endpoint endpoint = {.port = 10500, .transport = TRANSPORT_UDP};

	assert_int_equal(address_parse("192.0.2.1", &endpoint.address), HIPHOP_OK);
	endpoint.address.octets[15] = number;
	return endpoint;
}

static void the_newest_comes_first_behind_configured_ones(void **state)
{
	struct locator_cache cache = fresh_cache();
	struct hit peer = peer_number(1), found;
	const struct locator_list *list;
	struct endpoint endpoints[7];

	(void)state;
	for (uint8_t i = 0; i < 7; i++)
		endpoints[i] = endpoint_number(i);
	assert_int_equal(locators_learn(&cache, &peer, &endpoints[1], false), HIPHOP_OK);
	assert_int_equal(locators_learn(&cache, &peer, &endpoints[2], true), HIPHOP_OK);
	assert_int_equal(locators_learn(&cache, &peer, &endpoints[3], false), HIPHOP_OK);
	assert_int_equal(locators_learn(&cache, &peer, &endpoints[2], false), HIPHOP_OK);
	list = locators_of(&cache, &peer);
	assert_int_equal(list->count, 3);
	assert_true(endpoint_equal(&list->endpoints[0], &endpoints[2]));
	assert_true(endpoint_equal(&list->endpoints[1], &endpoints[3]));
	assert_true(endpoint_equal(&list->endpoints[2], &endpoints[1]));
	/* known again: to the front of the learnt ones */
	assert_int_equal(locators_learn(&cache, &peer, &endpoints[1], false), HIPHOP_OK);
	assert_true(endpoint_equal(&list->endpoints[1], &endpoints[1]));
	/* too many: the oldest learnt one goes */
	assert_int_equal(locators_learn(&cache, &peer, &endpoints[4], false), HIPHOP_OK);
	assert_int_equal(locators_learn(&cache, &peer, &endpoints[5], false), HIPHOP_OK);
	assert_int_equal(list->count, HOST_LOCATORS_MAXIMUM);
	assert_true(endpoint_equal(&list->endpoints[0], &endpoints[2]));
	assert_true(endpoint_equal(&list->endpoints[1], &endpoints[5]));
	assert_false(locators_peer_at(&cache, &endpoints[3].address, &found));
	assert_true(locators_peer_at(&cache, &endpoints[5].address, &found));
	locators_forget_learnt(&cache, &peer);
	assert_int_equal(list->count, 1);
	assert_false(locators_peer_at(&cache, &endpoints[5].address, &found));
	locators_free(&cache);
}

static void strangers_cannot_name_any_address(void **state)
{
	static const char *const refused[] = {
		"127.0.0.1", "::1", "fe80::1", "ff02::1", "224.0.0.1", "2001:20::1", "::"};
	struct locator_cache cache = fresh_cache();
	struct hit peer = peer_number(1);

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct endpoint endpoint = endpoint_number(1);

		assert_int_equal(address_parse(refused[i], &endpoint.address), HIPHOP_OK);
		assert_int_equal(locators_learn(&cache, &peer, &endpoint, false), HIPHOP_REFUSED);
	}
	assert_null(locators_of(&cache, &peer));
	locators_free(&cache);
}

static void the_cache_is_bounded(void **state)
{
	struct locator_cache cache = fresh_cache();
	struct endpoint endpoint = endpoint_number(1), configured = endpoint_number(2);
	struct hit first = peer_number(0);

	(void)state;
	assert_int_equal(locators_learn(&cache, &first, &configured, true), HIPHOP_OK);
	for (uint32_t i = 1; i <= LOCATOR_PEERS_LEARNT_MAXIMUM + 10; i++) {
		struct hit peer = peer_number(i);

		assert_int_equal(locators_learn(&cache, &peer, &endpoint, false), HIPHOP_OK);
	}
	assert_int_equal(cache.lists.count, LOCATOR_PEERS_LEARNT_MAXIMUM + 1);
	assert_non_null(locators_of(&cache, &first));
	first = peer_number(1);
	assert_null(locators_of(&cache, &first));
	locators_free(&cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_comes_first_behind_configured_ones),
		cmocka_unit_test(strangers_cannot_name_any_address),
		cmocka_unit_test(the_cache_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
