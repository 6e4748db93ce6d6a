/* SPDX-License-Identifier: MIT */
#include "daemon/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

enum { TCP = 6, UDP = 17, ICMP6 = 58, FRAGMENT = 44, DESTINATION = 60 };

static const struct hit alice = {{0x20, 0x01, 0x00, 0x22, 1}};
static const struct hit bob = {{0x20, 0x01, 0x00, 0x22, 2}};

struct made_packet {
	uint8_t octets[128];
	size_t length;
};

static struct made_packet make(uint8_t protocol, uint16_t source, uint16_t destination)
{
	struct made_packet packet = {.length = 48};

	packet.octets[0] = 0x60;
	packet.octets[6] = protocol;
	if (protocol == ICMP6) {
		packet.octets[40] = (uint8_t)source;
		packet.octets[44] = (uint8_t)(destination >> 8);
		packet.octets[45] = (uint8_t)destination;
	} else {
		packet.octets[40] = (uint8_t)(source >> 8);
		packet.octets[41] = (uint8_t)source;
		packet.octets[42] = (uint8_t)(destination >> 8);
		packet.octets[43] = (uint8_t)destination;
	}
	return packet;
}

/* Puts an 8-octet extension header before the transport header. */
static struct made_packet with_extension(uint8_t header, uint16_t fragment_field, struct made_packet packet)
{
	memmove(packet.octets + 48, packet.octets + 40, 8);
	memset(packet.octets + 40, 0, 8);
	packet.octets[40] = packet.octets[6];
	packet.octets[6] = header;
	packet.octets[42] = (uint8_t)(fragment_field >> 8);
	packet.octets[43] = (uint8_t)fragment_field;
	packet.length += 8;
	return packet;
}

static struct access *make_access(const struct configured_access *rules, size_t count)
{
	static struct seeded_random generator;
	static struct random_source random;
	struct access *access;

	random = seeded_random_start(&generator, 1);
	assert_int_equal(access_create(rules, count, 5060, &random, &access), HIPHOP_OK);
	return access;
}

static bool comes_in(struct access *access, instant now, const struct hit *peer, struct made_packet packet)
{
	return access_inbound(access, now, peer, packet.octets, packet.length);
}

static void goes_out(struct access *access, instant now, const struct hit *peer, struct made_packet packet)
{
	access_outbound(access, now, peer, packet.octets, packet.length);
}

static const struct configured_access defaults[] = {
	{.kind = ACCESS_ICMP6}, {.kind = ACCESS_SIP}, {.kind = ACCESS_CALLS}};

static void test_defaults(void **state)
{
	(void)state;
	struct access *access = make_access(defaults, 3);

	assert_true(comes_in(access, 1, &alice, make(ICMP6, 128, 7)));
	assert_true(comes_in(access, 1, &alice, make(UDP, 9999, 5060)));
	assert_true(comes_in(access, 1, &alice, make(TCP, 9999, 5060)));
	assert_false(comes_in(access, 1, &alice, make(TCP, 9999, 22)));
	assert_false(comes_in(access, 1, &alice, make(UDP, 5060, 53)));
	assert_int_equal(access_refused(access), 2);
	access_free(access);
}

static void test_answers_pass_for_their_time_and_peer(void **state)
{
	(void)state;
	struct access *access = make_access(NULL, 0);

	goes_out(access, SECONDS(1), &bob, make(UDP, 4000, 53));
	assert_true(comes_in(access, SECONDS(100), &bob, make(UDP, 53, 4000)));
	assert_false(comes_in(access, SECONDS(100), &alice, make(UDP, 53, 4000)));
	assert_false(comes_in(access, SECONDS(100), &bob, make(TCP, 53, 4000)));
	assert_false(comes_in(access, SECONDS(100), &bob, make(UDP, 54, 4000)));
	assert_true(comes_in(access, SECONDS(279), &bob, make(UDP, 53, 4000)));
	assert_false(comes_in(access, SECONDS(460), &bob, make(UDP, 53, 4000)));
	access_free(access);
}

static void test_echo_reply_passes_but_echo_request_is_no_answer(void **state)
{
	(void)state;
	struct access *access = make_access(NULL, 0);

	goes_out(access, 1, &bob, make(ICMP6, 128, 77));
	assert_true(comes_in(access, 2, &bob, make(ICMP6, 129, 77)));
	assert_false(comes_in(access, 2, &bob, make(ICMP6, 129, 78)));
	assert_false(comes_in(access, 2, &bob, make(ICMP6, 128, 77)));
	assert_true(comes_in(access, 2, &bob, make(ICMP6, 2, 0)));
	access_free(access);
}

static void test_rules_by_port_and_hit(void **state)
{
	(void)state;
	static const struct configured_access rules[] = {
		{.kind = ACCESS_PORT, .protocol = TCP, .port = 22, .hit = {{0x20, 0x01, 0x00, 0x22, 1}}},
		{.kind = ACCESS_PORT, .protocol = UDP, .port = 69},
	};
	struct access *access = make_access(rules, 2);

	assert_true(comes_in(access, 1, &alice, make(TCP, 1, 22)));
	assert_false(comes_in(access, 1, &bob, make(TCP, 1, 22)));
	assert_false(comes_in(access, 1, &alice, make(UDP, 1, 22)));
	assert_true(comes_in(access, 1, &bob, make(UDP, 1, 69)));
	access_free(access);
}

static void test_media_is_open_while_calls_last(void **state)
{
	(void)state;
	struct access *access = make_access(defaults, 3);

	assert_false(comes_in(access, 1, &bob, make(UDP, 1, 9000)));
	assert_int_equal(access_media(access, &bob, 9000, true), HIPHOP_OK);
	assert_int_equal(access_media(access, &bob, 9000, true), HIPHOP_OK);
	assert_true(comes_in(access, 1, &bob, make(UDP, 1, 9000)));
	assert_false(comes_in(access, 1, &alice, make(UDP, 1, 9000)));
	assert_false(comes_in(access, 1, &bob, make(TCP, 1, 9000)));
	access_media(access, &bob, 9000, false);
	assert_true(comes_in(access, 1, &bob, make(UDP, 1, 9000)));
	access_media(access, &bob, 9000, false);
	assert_false(comes_in(access, 1, &bob, make(UDP, 1, 9000)));
	access_free(access);
}

static void test_fragments_and_extension_headers(void **state)
{
	(void)state;
	struct access *access = make_access(defaults, 3);
	struct made_packet cut = make(UDP, 1, 5060);

	assert_true(comes_in(access, 1, &bob, with_extension(FRAGMENT, 1, make(UDP, 1, 5060))));
	assert_false(comes_in(access, 1, &bob, with_extension(FRAGMENT, 1, make(UDP, 1, 53))));
	assert_true(comes_in(access, 1, &bob, with_extension(FRAGMENT, 8, make(UDP, 1, 53))));
	assert_true(comes_in(access, 1, &bob, with_extension(DESTINATION, 0, make(UDP, 1, 5060))));
	for (size_t length = 0; length < 44; length++) {
		cut.length = length;
		assert_false(comes_in(access, 1, &bob, cut));
	}
	access_free(access);
}

static void test_table_is_bounded(void **state)
{
	(void)state;
	struct access *access = make_access(NULL, 0);

	for (uint32_t i = 0; i < ACCESS_FLOW_MAXIMUM + 10; i++)
		goes_out(access, 1, &bob, make(UDP, (uint16_t)i, (uint16_t)(i >> 4)));
	assert_false(comes_in(access, 1, &bob, make(UDP, 0, 0)));
	assert_true(comes_in(access, 1, &bob, make(UDP, (ACCESS_FLOW_MAXIMUM + 9) >> 4, ACCESS_FLOW_MAXIMUM + 9)));
	access_free(access);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_answers_pass_for_their_time_and_peer),
		cmocka_unit_test(test_echo_reply_passes_but_echo_request_is_no_answer),
		cmocka_unit_test(test_rules_by_port_and_hit),
		cmocka_unit_test(test_media_is_open_while_calls_last),
		cmocka_unit_test(test_fragments_and_extension_headers),
		cmocka_unit_test(test_table_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
