/* SPDX-License-Identifier: MIT */
#include "daemon/icmp_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The sum over octets and what `sum` begins with, folded; 0xffff for a right checksum. */
static uint32_t sum_of(const uint8_t *octets, size_t length, uint32_t sum)
{
	for (size_t i = 0; i < length; i++)
		sum += (uint32_t)(i % 2 ? octets[i] : octets[i] << 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static size_t ipv6(uint8_t *octets, uint8_t protocol, size_t payload)
{
	memset(octets, 0xa5, 40 + payload);
	octets[0] = 0x60;
	octets[4] = (uint8_t)(payload >> 8);
	octets[5] = (uint8_t)payload;
	octets[6] = protocol;
	memset(octets + 8, 0x11, 16);
	memset(octets + 24, 0x22, 16);
	return 40 + payload;
}

static size_t ipv4(uint8_t *octets, uint8_t protocol, size_t payload)
{
	memset(octets, 0, 20);
	memset(octets + 20, 0xa5, payload);
	octets[0] = 0x45;
	octets[2] = (uint8_t)((20 + payload) >> 8);
	octets[3] = (uint8_t)(20 + payload);
	octets[9] = protocol;
	memset(octets + 12, 0x11, 4);
	memset(octets + 16, 0x22, 4);
	return 20 + payload;
}

static struct packet packet;
static uint8_t about[9000];

static void icmp6_errors_are_right(void **state)
{
	static const struct {
		icmp_error_cause cause;
		uint8_t type, code;
		uint32_t mtu;
	} cases[] = {{ICMP_ERROR_PROHIBITED, 1, 1, 0}, {ICMP_ERROR_ADDRESS, 1, 3, 0}, {ICMP_ERROR_SOURCE, 1, 5, 0},
		{ICMP_ERROR_TOO_BIG, 2, 0, 1360}};
	static const size_t sizes[] = {0, 1, 100, 1191, 1192, 1193, 8000};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
			size_t length = ipv6(about, 17, sizes[j]), quoted = length < 1232 ? length : 1232;
			assert_true(icmp_error_may_answer(about, length));
			icmp_error_write(&packet, cases[i].cause, 1360, about, length);
			const uint8_t *octets = packet_data(&packet);
			assert_int_equal(packet.kind, PACKET_INNER);
			assert_int_equal(packet.length, 48 + quoted);
			assert_int_equal(octets[4] << 8 | octets[5], 8 + quoted);
			assert_memory_equal(octets + 8, about + 24, 16);
			assert_memory_equal(octets + 24, about + 8, 16);
			assert_int_equal(octets[40], cases[i].type);
			assert_int_equal(octets[41], cases[i].code);
			assert_int_equal(octets[46] << 8 | octets[47], cases[i].mtu);
			assert_memory_equal(octets + 48, about, quoted);
			assert_int_equal(
				sum_of(octets + 8, packet.length - 8u, 58 + (uint32_t)packet.length - 40), 0xffff);
		}
	}
}

static void icmp_errors_are_right(void **state)
{
	static const struct {
		icmp_error_cause cause;
		uint8_t code;
		uint32_t mtu;
	} cases[] = {{ICMP_ERROR_PROHIBITED, 13, 0}, {ICMP_ERROR_ADDRESS, 1, 0}, {ICMP_ERROR_SOURCE, 13, 0},
		{ICMP_ERROR_TOO_BIG, 4, 1360}};
	static const size_t sizes[] = {0, 1, 8, 527, 528, 529, 8000};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
			size_t length = ipv4(about, 6, sizes[j]), quoted = length < 548 ? length : 548;
			assert_true(icmp_error_may_answer(about, length));
			icmp_error_write(&packet, cases[i].cause, 1360, about, length);
			const uint8_t *octets = packet_data(&packet);
			assert_int_equal(packet.length, 28 + quoted);
			assert_int_equal(octets[0], 0x45);
			assert_int_equal(octets[2] << 8 | octets[3], packet.length);
			assert_int_equal(octets[9], 1);
			assert_memory_equal(octets + 12, about + 16, 4);
			assert_memory_equal(octets + 16, about + 12, 4);
			assert_int_equal(sum_of(octets, 20, 0), 0xffff);
			assert_int_equal(octets[20], 3);
			assert_int_equal(octets[21], cases[i].code);
			assert_int_equal(octets[26] << 8 | octets[27], cases[i].mtu);
			assert_memory_equal(octets + 28, about, quoted);
			assert_int_equal(sum_of(octets + 20, packet.length - 20u, 0), 0xffff);
		}
	}
}

static void errors_are_not_answered(void **state)
{
	size_t length = ipv6(about, 58, 8);

	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		about[40] = (uint8_t)type;
		assert_int_equal(icmp_error_may_answer(about, length), type >= 128);
	}
	length = ipv4(about, 1, 8);
	about[20] = 8;
	assert_true(icmp_error_may_answer(about, length));
	about[20] = 3;
	assert_false(icmp_error_may_answer(about, length));
	about[20] = 11;
	assert_false(icmp_error_may_answer(about, length));
}

static void what_cannot_be_quoted_is_not_answered(void **state)
{
	uint8_t *exact;
	size_t length = ipv4(about, 17, 8);

	(void)state;
	about[7] = 1; /* a later fragment */
	assert_false(icmp_error_may_answer(about, length));
	about[7] = 0;
	about[6] = 0x40; /* DF is no offset */
	assert_true(icmp_error_may_answer(about, length));
	about[0] = 0x44;
	assert_false(icmp_error_may_answer(about, length));
	about[0] = 0x4f;
	assert_false(icmp_error_may_answer(about, length));
	about[0] = 0x55;
	assert_false(icmp_error_may_answer(about, length));
	/* Of its own size, so that a sanitizer sees an overrun. */
	for (length = 0; length < 42; length++) {
		exact = malloc(length ? length : 1);
		assert_non_null(exact);
		memset(exact, 0, length);
		if (length)
			exact[0] = 0x60;
		assert_int_equal(icmp_error_may_answer(exact, length), length >= 40);
		if (length > 6)
			exact[6] = 58;
		assert_false(icmp_error_may_answer(exact, length));
		if (length)
			exact[0] = 0x45;
		if (length > 9)
			exact[9] = 1;
		(void)icmp_error_may_answer(exact, length);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(icmp6_errors_are_right),
		cmocka_unit_test(icmp_errors_are_right),
		cmocka_unit_test(errors_are_not_answered),
		cmocka_unit_test(what_cannot_be_quoted_is_not_answered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
