/* SPDX-License-Identifier: MIT */
/** IPv4, as access control sees it; IPv6 is in test_access.c. */
#include "daemon/access_packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* 10.1.0.7 to 10.2.0.9, with `options` octets of options, then the transport header. */
static size_t make(uint8_t *octets, uint8_t protocol, size_t options, const uint8_t *transport, size_t length)
{
	const uint8_t header[20] = {(uint8_t)(0x45 + options / 4), 0, 0, (uint8_t)(20 + options + length), 0, 0, 0, 0,
		64, protocol, 0, 0, 10, 1, 0, 7, 10, 2, 0, 9};

	memcpy(octets, header, sizeof header);
	memset(octets + 20, 1, options);
	memcpy(octets + 20 + options, transport, length);
	return 20 + options + length;
}

static const uint8_t ports[8] = {0x1f, 0x90, 0, 80, 0, 8};

static void ports_and_addresses_are_found(void **state)
{
	static const uint8_t source[16] = {[10] = 0xff, [11] = 0xff, 10, 1, 0, 7};
	static const uint8_t destination[16] = {[10] = 0xff, [11] = 0xff, 10, 2, 0, 9};
	uint8_t octets[128];

	(void)state;
	for (size_t options = 0; options <= 40; options += 4) {
		struct access_packet packet;
		size_t length = make(octets, 17, options, ports, sizeof ports);
		assert_int_equal(access_packet_read(octets, length, &packet), HIPHOP_OK);
		assert_int_equal(packet.protocol, ACCESS_UDP);
		assert_memory_equal(packet.source.octets, source, 16);
		assert_memory_equal(packet.destination.octets, destination, 16);
		assert_int_equal(packet.source_port, 8080);
		assert_int_equal(packet.destination_port, 80);
		assert_false(packet.later_fragment);
	}
}

static void icmp_counts_as_icmp6(void **state)
{
	static const struct {
		uint8_t type;
		bool request, reply, error;
	} cases[] = {{8, true, false, false}, {0, false, true, false}, {3, false, false, true}, {4, false, false, true},
		{5, false, false, true}, {11, false, false, true}, {12, false, false, true}, {13, false, false, false},
		{14, false, false, false}, {128, false, false, false}, {255, false, false, false}};
	uint8_t octets[128];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const uint8_t message[10] = {cases[i].type, 0, 0, 0, 0x12, 0x34, 0, 1, 0x45, 0x46};
		struct access_packet packet;
		size_t length = make(octets, 1, 0, message, sizeof message);
		assert_int_equal(access_packet_read(octets, length, &packet), HIPHOP_OK);
		assert_int_equal(packet.protocol, ACCESS_ICMP6);
		assert_int_equal(packet.echo_request, cases[i].request);
		assert_int_equal(packet.echo_reply, cases[i].reply);
		assert_int_equal(packet.error, cases[i].error);
		if (cases[i].request || cases[i].reply)
			assert_int_equal(packet.source_port, 0x1234);
		if (cases[i].error) {
			assert_ptr_equal(packet.quoted.data, octets + 28);
			assert_int_equal(packet.quoted.length, 2);
		}
	}
}

static void later_fragments_are_known(void **state)
{
	uint8_t octets[128];
	struct access_packet packet;
	size_t length = make(octets, 17, 0, ports, 2);

	(void)state;
	octets[7] = 1;
	assert_int_equal(access_packet_read(octets, length, &packet), HIPHOP_OK);
	assert_true(packet.later_fragment);
	octets[7] = 0;
	octets[6] = 0x20; /* the first, and too short for its ports */
	assert_int_equal(access_packet_read(octets, length, &packet), HIPHOP_TRUNCATED);
	octets[6] = 0x40;
	length = make(octets, 17, 0, ports, 8);
	assert_int_equal(access_packet_read(octets, length, &packet), HIPHOP_OK);
	assert_false(packet.later_fragment);
}

static void what_cannot_be_is_refused(void **state)
{
	uint8_t octets[128];
	struct access_packet packet;
	size_t length = make(octets, 58, 0, ports, 8);

	(void)state;
	assert_int_equal(access_packet_read(octets, length, &packet), HIPHOP_MALFORMED); /* ICMPv6 over IPv4 */
	length = make(octets, 17, 0, ports, 8);
	octets[0] = 0x44;
	assert_int_equal(access_packet_read(octets, length, &packet), HIPHOP_MALFORMED);
	octets[0] = 0x4f;
	assert_int_equal(access_packet_read(octets, length, &packet), HIPHOP_TRUNCATED);
	/* At every length, in memory of just that length. */
	for (size_t cut = 1; cut < 24; cut++) {
		length = make(octets, 17, 0, ports, 8);
		uint8_t *exact = malloc(cut);
		assert_non_null(exact);
		memcpy(exact, octets, cut);
		assert_int_equal(access_packet_read(exact, cut, &packet), HIPHOP_TRUNCATED);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_and_addresses_are_found),
		cmocka_unit_test(icmp_counts_as_icmp6),
		cmocka_unit_test(later_fragments_are_known),
		cmocka_unit_test(what_cannot_be_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
