/* SPDX-License-Identifier: MIT */
#include "hip/wire/icmp_problem.h"

#include "tests/unit/hip/wire/samples.h"

static struct icmp_problem problem_of(icmp_problem_kind kind, const char *source, const char *destination)
{
	struct icmp_problem problem = {
		.kind = kind, .pointer = 3, .protocol = HIP_PROTOCOL, .packet = {(const uint8_t *)"HIP packet!", 11}};

	assert_int_equal(address_parse(source, &problem.source), HIPHOP_OK);
	assert_int_equal(address_parse(destination, &problem.destination), HIPHOP_OK);
	return problem;
}

static uint16_t sum_of(const uint8_t *octets, size_t length)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? octets[i] : (uint32_t)octets[i] << 8;
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static void test_ipv4(void **state)
{
	struct icmp_problem problem = problem_of(ICMP_PARAMETER_PROBLEM, "192.0.2.1", "192.0.2.2");
	static const uint8_t ip[] = {0x45, 0, 0, 31, 0, 0, 0, 0, 64, 139};
	uint8_t out[ICMP_PROBLEM_MAXIMUM];
	size_t length;

	(void)state;
	assert_int_equal(icmp_problem_write(&problem, out, sizeof out, &length), HIPHOP_OK);
	assert_int_equal(length, 8 + 20 + 11);
	assert_memory_equal(out, "\14\0", 2);         /* Parameter Problem, pointer */
	assert_memory_equal(out + 4, "\27\0\0\0", 4); /* 20 + 3 */
	assert_memory_equal(out + 8, ip, sizeof ip);
	assert_memory_equal(out + 8 + 12, "\300\0\2\1\300\0\2\2", 8);
	assert_memory_equal(out + 28, "HIP packet!", 11);
	/* The sum over what a checksum covers, itself among it, is all ones. */
	assert_int_equal(sum_of(out + 8, 20), 0xffff);
	assert_int_equal(sum_of(out, length), 0xffff);
	problem.kind = ICMP_PROHIBITED;
	assert_int_equal(icmp_problem_write(&problem, out, sizeof out, &length), HIPHOP_OK);
	assert_memory_equal(out, "\3\15", 2);
	assert_memory_equal(out + 4, "\0\0\0\0", 4);
	assert_int_equal(sum_of(out, length), 0xffff);
}

static void test_ipv6(void **state)
{
	struct icmp_problem problem = problem_of(ICMP_PARAMETER_PROBLEM, "2001:db8::1", "2001:db8::2");
	static const uint8_t ip[] = {0x60, 0, 0, 0, 0, 11, 139, 64, 0x20, 1, 0xd, 0xb8};
	uint8_t out[ICMP_PROBLEM_MAXIMUM];
	size_t length;

	(void)state;
	problem.pointer = 300;
	assert_int_equal(icmp_problem_write(&problem, out, sizeof out, &length), HIPHOP_OK);
	assert_int_equal(length, 8 + 40 + 11);
	assert_memory_equal(out, "\4\0\0\0\0\0\1\124", 8); /* Parameter Problem, erroneous header field; 340 */
	assert_memory_equal(out + 8, ip, sizeof ip);
	assert_int_equal(out[8 + 23], 1);
	assert_int_equal(out[8 + 39], 2);
	assert_memory_equal(out + 48, "HIP packet!", 11);
	problem.kind = ICMP_PROHIBITED;
	assert_int_equal(icmp_problem_write(&problem, out, sizeof out, &length), HIPHOP_OK);
	assert_memory_equal(out, "\1\1\0\0\0\0\0\0", 8);
}

static void test_limits(void **state)
{
	struct icmp_problem problem = problem_of(ICMP_PARAMETER_PROBLEM, "192.0.2.1", "192.0.2.2");
	static const uint8_t large[9000];
	uint8_t out[ICMP_PROBLEM_MAXIMUM];
	size_t length;

	(void)state;
	problem.packet = (struct span){large, sizeof large};
	assert_int_equal(icmp_problem_write(&problem, out, sizeof out, &length), HIPHOP_OK);
	assert_int_equal(length, ICMP_PROBLEM_MAXIMUM);
	assert_int_equal(icmp_problem_write(&problem, out, sizeof out - 1, &length), HIPHOP_TOO_LARGE);
	assert_int_equal(length, 0);
	problem.pointer = 236;
	assert_int_equal(icmp_problem_write(&problem, out, sizeof out, &length), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(address_parse("2001:db8::2", &problem.destination), HIPHOP_OK);
	problem.pointer = 0;
	assert_int_equal(icmp_problem_write(&problem, out, sizeof out, &length), HIPHOP_INVALID_ARGUMENT);
	problem.packet.length = 0;
	assert_int_equal(address_parse("2001:db8::1", &problem.source), HIPHOP_OK);
	assert_int_equal(icmp_problem_write(&problem, out, sizeof out, &length), HIPHOP_OK);
	assert_int_equal(length, 48);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
