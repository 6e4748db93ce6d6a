/* SPDX-License-Identifier: MIT */
#include "hip/esp/beet.h"
#include "hip/esp/esp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define UDP 17

/* Two hosts with one pair of SAs between them, and a vector to work on. */
struct fixture {
	struct hit alice_hit, bob_hit;
	struct seeded_random generator;
	struct random_source random;
	struct esp *alice, *bob;
	struct packet_vector *vector;
};

static struct esp_keys make_keys(uint16_t suite, uint8_t seed)
{
	struct esp_keys keys = {.suite = suite};

	memset(keys.encryption, seed, sizeof(keys.encryption));
	memset(keys.authentication, seed + 1, sizeof(keys.authentication));
	return keys;
}

static void install(struct fixture *fixture, uint16_t suite, uint32_t spi)
{
	struct esp_keys one = make_keys(suite, (uint8_t)spi), two = make_keys(suite, (uint8_t)(spi + 100));
	struct esp_pair alice = {
		.peer = fixture->bob_hit, .spi_in = spi, .spi_out = spi + 1, .keys_in = &one, .keys_out = &two};
	struct esp_pair bob = {
		.peer = fixture->alice_hit, .spi_in = spi + 1, .spi_out = spi, .keys_in = &two, .keys_out = &one};

	alice.remote.port = 10500;
	assert_int_equal(esp_install(fixture->alice, &alice), HIPHOP_OK);
	assert_int_equal(esp_install(fixture->bob, &bob), HIPHOP_OK);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_int_equal(hit_parse("2001:22::a", &fixture->alice_hit), HIPHOP_OK);
	assert_int_equal(hit_parse("2001:22::b", &fixture->bob_hit), HIPHOP_OK);
	fixture->random = seeded_random_start(&fixture->generator, 1);
	fixture->vector = calloc(1, sizeof(*fixture->vector));
	assert_int_equal(esp_create(&fixture->alice_hit, &fixture->random, &fixture->alice), HIPHOP_OK);
	assert_int_equal(esp_create(&fixture->bob_hit, &fixture->random, &fixture->bob), HIPHOP_OK);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	esp_free(fixture->alice);
	esp_free(fixture->bob);
	free(fixture->vector);
	free(fixture);
	return 0;
}

static struct packet *add_inner(struct fixture *fixture, size_t payload, uint8_t protocol)
{
	static uint8_t octets[PACKET_DATA_MAXIMUM];
	struct packet *packet = packet_vector_add(fixture->vector);

	assert_non_null(packet);
	beet_write(octets, protocol, (uint16_t)payload, &fixture->alice_hit, &fixture->bob_hit);
	for (size_t i = 0; i < payload; i++)
		octets[BEET_INNER_HEADER_LENGTH + i] = (uint8_t)(i * 7);
	assert_int_equal(packet_fill(packet, PACKET_INNER, octets, BEET_INNER_HEADER_LENGTH + payload), HIPHOP_OK);
	return packet;
}

static const uint16_t suites[] = {8, 9, 12, 13};

/* conforms: RFC7402-3.3.5-1 RFC7402-5.2.1.1-1 RFC7402-5.2.1.2-1 RFC7402-B-2 RFC7402-B.1.4-2 RFC7402-B.1.4-3
 * RFC7402-B.1.5-3 RFC7402-B.1.6-3 RFC7402-B.1.6-5 */
static void test_every_suite_and_many_sizes(void **state)
{
	struct fixture *fixture = *state;
	uint32_t spi = 1000;

	for (size_t s = 0; s < sizeof(suites) / sizeof(suites[0]); s++, spi += 2) {
		if (!esp_suite_by_id(suites[s]))
			continue;
		install(fixture, suites[s], spi);
		for (size_t payload = 0; payload < 70; payload++) {
			struct packet *packet;
			uint8_t before[200];
			size_t length;

			fixture->vector->count = 0;
			packet = add_inner(fixture, payload, UDP);
			length = packet->length;
			memcpy(before, packet_data(packet), length);
			esp_seal(fixture->alice, 5, fixture->vector);
			assert_int_equal(packet->kind, PACKET_ESP);
			assert_int_equal(packet->remote.port, 10500);
			/* One by one is the same. */
			if (payload % 2)
				esp_open_packet(fixture->bob, 6, packet);
			else
				esp_open(fixture->bob, 6, fixture->vector);
			assert_int_equal(packet->kind, PACKET_INNER);
			assert_int_equal(packet->length, length);
			assert_memory_equal(packet_data(packet), before, length);
			assert_true(hit_equal(&packet->peer, &fixture->alice_hit));
		}
		assert_true(esp_has_spi(fixture->alice, spi));
		assert_false(esp_has_spi(fixture->alice, spi + 1));
		assert_int_equal(esp_remove(fixture->alice, spi), HIPHOP_OK);
		assert_int_equal(esp_remove(fixture->bob, spi + 1), HIPHOP_OK);
		assert_false(esp_has_spi(fixture->alice, spi));
	}
}

static void test_largest_packet(void **state)
{
	struct fixture *fixture = *state;
	struct packet *packet;

	install(fixture, 8, 1000);
	packet = add_inner(fixture, PACKET_DATA_MAXIMUM - BEET_INNER_HEADER_LENGTH, UDP);
	esp_seal(fixture->alice, 1, fixture->vector);
	assert_int_equal(packet->kind, PACKET_ESP);
	esp_open(fixture->bob, 1, fixture->vector);
	assert_int_equal(packet->kind, PACKET_INNER);
	assert_int_equal(packet->length, PACKET_DATA_MAXIMUM);
}

/* conforms: RFC7401-4.3-2 RFC7401-6.2-1 RFC7402-3.3.6-1 RFC7402-3.4-2 RFC7402-B.1.6-1 RFC7402-B.1.6-2 */
static void test_every_flipped_octet_is_found(void **state)
{
	struct fixture *fixture = *state;

	for (size_t s = 0; s < 2; s++) {
		struct packet *packet;
		size_t length;

		install(fixture, suites[s * 2], (uint32_t)(1000 + 2 * s));
		fixture->vector->count = 0;
		packet = add_inner(fixture, 30, UDP);
		esp_seal(fixture->alice, 1, fixture->vector);
		length = packet->length;

		struct packet sealed = *packet;

		for (size_t i = 0; i < length; i++) {
			*packet = sealed;
			packet_data(packet)[i] ^= 0x10;
			esp_open(fixture->bob, 1, fixture->vector);
			if (i < 4)
				assert_int_equal(packet->kind, PACKET_ESP); /* an SPI of nobody */
			else
				assert_int_equal(packet->kind, PACKET_DROPPED);
		}
		for (size_t cut = 0; cut < length; cut++) {
			*packet = sealed;
			packet->length = (uint16_t)cut;
			esp_open(fixture->bob, 1, fixture->vector);
			assert_int_equal(packet->kind, PACKET_DROPPED);
		}
		*packet = sealed;
		esp_open(fixture->bob, 1, fixture->vector);
		assert_int_equal(packet->kind, PACKET_INNER);
		*packet = sealed;
		esp_open(fixture->bob, 1, fixture->vector);
		assert_int_equal(packet->kind, PACKET_DROPPED);
	}
	assert_int_equal(esp_counter_value(fixture->bob, ESP_COUNT_DROP_REPLAYED), 2);
}

/* conforms: RFC7401-6.1-1 RFC7401-6.1-2 RFC7402-3.4.1-2 RFC7402-3.4.1-3 RFC7402-B.1.4-1 RFC7402-B.1.5-1 */
static void test_miss_control_and_refusals(void **state)
{
	struct fixture *fixture = *state;
	struct packet_vector *vector = fixture->vector;
	struct packet *packet = add_inner(fixture, 8, UDP);

	esp_seal(fixture->alice, 1, vector);
	assert_int_equal(packet->kind, PACKET_MISS);
	assert_true(hit_equal(&packet->peer, &fixture->bob_hit));

	install(fixture, 12, 1000);
	vector->count = 0;
	packet = packet_vector_add(vector);
	packet_fill(packet, PACKET_CONTROL, "HIP packet", 10);
	packet->peer = fixture->bob_hit;
	esp_seal(fixture->alice, 1, vector);
	assert_int_equal(packet->kind, PACKET_ESP);
	esp_open(fixture->bob, 1, vector);
	assert_int_equal(packet->kind, PACKET_CONTROL);
	assert_memory_equal(packet_data(packet), "HIP packet", 10);

	vector->count = 0;
	packet = add_inner(fixture, 8, BEET_PROTOCOL_HIP);
	esp_seal(fixture->alice, 1, vector);
	assert_int_equal(packet->kind, PACKET_DROPPED);

	vector->count = 0;
	packet = add_inner(fixture, 8, UDP);
	packet_data(packet)[8 + 15] ^= 1; /* not our source */
	esp_seal(fixture->alice, 1, vector);
	assert_int_equal(packet->kind, PACKET_DROPPED);
}

/* conforms: RFC7402-3.4-3 */
static void test_newest_pair_sends_and_older_still_receives(void **state)
{
	struct fixture *fixture = *state;
	struct packet *old, *new;

	install(fixture, 12, 1000);
	old = add_inner(fixture, 8, UDP);
	esp_seal(fixture->alice, 1, fixture->vector);
	install(fixture, 12, 2000);
	new = add_inner(fixture, 8, UDP);
	esp_seal(fixture->alice, 1, fixture->vector);
	assert_memory_equal(packet_data(old), "\0\0\x03\xe9", 4);
	assert_memory_equal(packet_data(new), "\0\0\x07\xd1", 4);
	esp_open(fixture->bob, 9, fixture->vector);
	assert_int_equal(old->kind, PACKET_INNER);
	assert_int_equal(new->kind, PACKET_INNER);

	instant sent, heard;

	esp_traffic(fixture->bob, &fixture->alice_hit, &sent, &heard);
	assert_int_equal(heard, 9);
	assert_int_equal(sent, 0);
	assert_int_equal(esp_remove(fixture->alice, 2000), HIPHOP_OK);
	assert_true(esp_has_peer(fixture->alice, &fixture->bob_hit));
	assert_int_equal(esp_remove(fixture->alice, 1000), HIPHOP_OK);
	assert_false(esp_has_peer(fixture->alice, &fixture->bob_hit));
	assert_int_equal(esp_remove(fixture->alice, 1000), HIPHOP_NOT_FOUND);
}

static void test_limits(void **state)
{
	struct fixture *fixture = *state;
	struct esp_keys keys = make_keys(12, 1);
	struct esp_pair pair = {.peer = fixture->bob_hit, .keys_in = &keys, .keys_out = &keys};

	for (uint32_t i = 0; i < ESP_PAIRS_PER_PEER; i++) {
		pair.spi_in = 300 + i;
		assert_int_equal(esp_install(fixture->alice, &pair), HIPHOP_OK);
		assert_int_equal(esp_install(fixture->alice, &pair), HIPHOP_EXISTS);
	}
	pair.spi_in = 400;
	assert_int_equal(esp_install(fixture->alice, &pair), HIPHOP_LIMITED);
	keys.suite = 999;
	pair.peer = fixture->alice_hit;
	assert_int_equal(esp_install(fixture->bob, &pair), HIPHOP_UNSUPPORTED);
	assert_false(esp_has_peer(fixture->bob, &fixture->alice_hit));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_suite_and_many_sizes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_largest_packet, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_every_flipped_octet_is_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_miss_control_and_refusals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_newest_pair_sends_and_older_still_receives, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
