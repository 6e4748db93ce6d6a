/* SPDX-License-Identifier: MIT */
#include "tests/unit/hip/wire/parameter_checks.h"

#define HIT_A "2001002200000000000000000000000a"
#define HIT_B "2001002200000000000000000000000b"

static void test_numbers(void **state)
{
	static const struct {
		uint16_t type;
		const char *hex;
	} rows[] = {
		{PARAMETER_SEQ, "0181 0004 01020304"},
		{PARAMETER_TRANSACTION_PACING, "0262 0004 01020304"},
		{PARAMETER_SEQ_DATA, "1181 0004 01020304"},
		{PARAMETER_CANDIDATE_PRIORITY, "125c 0004 01020304"},
		{PARAMETER_NOMINATE, "1266 0004 01020304"},
	};
	struct check check;
	uint32_t out;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(parameter_number_write(check_start(&check), rows[i].type, 0x01020304), HIPHOP_OK);
		assert_int_equal(parameter_number_read(check_written(&check, rows[i].hex), &out), HIPHOP_OK);
		assert_int_equal(out, 0x01020304);
	}
	CHECK_READ(parameter_number_read, &out, PARAMETER_SEQ, "00000001", HIPHOP_OK, HIPHOP_TRUNCATED);
	assert_int_equal(parameter_number_write(check_start(&check), PARAMETER_ACK, 1), HIPHOP_INVALID_ARGUMENT);
}

static void test_sequence_lists(void **state)
{
	struct parameter_sequence_list in = {.count = 2, .items = {1, 0xffffffff}}, out;
	char hex[33 * 8 + 1];
	struct check check;

	(void)state;
	assert_int_equal(parameter_sequence_list_write(check_start(&check), PARAMETER_ACK, &in), HIPHOP_OK);
	assert_int_equal(
		parameter_sequence_list_read(check_written(&check, "01c1 0008 00000001 ffffffff 00000000"), &out),
		HIPHOP_OK);
	assert_int_equal(out.count, 2);
	assert_int_equal(out.items[1], 0xffffffff);
	assert_true(parameter_sequence_list_has(&out, 1));
	assert_true(parameter_sequence_list_has(&out, 0xffffffff));
	assert_false(parameter_sequence_list_has(&out, 0));
	assert_int_equal(parameter_sequence_list_write(check_start(&check), PARAMETER_ACK_DATA, &in), HIPHOP_OK);
	check_written(&check, "11c1 0008 00000001 ffffffff 00000000");
	CHECK_READ(parameter_sequence_list_read, &out, PARAMETER_ACK, "000000010000", HIPHOP_MALFORMED, HIPHOP_OK);
	CHECK_READ(parameter_sequence_list_read, &out, PARAMETER_ACK, "", HIPHOP_TRUNCATED, HIPHOP_TRUNCATED);
	memset(hex, '1', sizeof hex);
	hex[33 * 8] = '\0';
	CHECK_READ(parameter_sequence_list_read, &out, PARAMETER_ACK_DATA, hex, HIPHOP_TOO_LARGE, HIPHOP_OK);
	hex[32 * 8] = '\0';
	CHECK_READ(parameter_sequence_list_read, &out, PARAMETER_ACK_DATA, hex, HIPHOP_OK, HIPHOP_OK);
	in.count = 0;
	assert_int_equal(
		parameter_sequence_list_write(check_start(&check), PARAMETER_ACK, &in), HIPHOP_INVALID_ARGUMENT);
	in.count = 33;
	assert_int_equal(
		parameter_sequence_list_write(check_start(&check), PARAMETER_ACK, &in), HIPHOP_INVALID_ARGUMENT);
}

static void test_payload_mic(void **state)
{
	struct parameter_payload_mic in = {.next_header = 253, .mic = SPAN_TEXT("MIC!")}, out;
	struct check check;

	(void)state;
	parameter_payload_end(SPAN_TEXT("0123456789"), in.payload_end);
	assert_memory_equal(in.payload_end, "23456789", 8);
	assert_int_equal(parameter_payload_mic_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(parameter_payload_mic_read(
				 check_written(&check, "11e1 0010 fd 000000 3233343536373839 4d494321 00000000"), &out),
		HIPHOP_OK);
	assert_int_equal(out.next_header, 253);
	assert_memory_equal(out.payload_end, "23456789", 8);
	assert_int_equal(out.mic.length, 4);
	CHECK_READ(parameter_payload_mic_read, &out, PARAMETER_PAYLOAD_MIC, "fd000000 3233343536373839", HIPHOP_OK,
		HIPHOP_TRUNCATED);
	parameter_payload_end(SPAN_TEXT("abc"), in.payload_end);
	assert_memory_equal(in.payload_end, "\0\0\0\0\0abc", 8);
	parameter_payload_end((struct span){NULL, 0}, in.payload_end);
	assert_memory_equal(in.payload_end, "\0\0\0\0\0\0\0\0", 8);
}

static void test_overlay_ttl(void **state)
{
	struct check check;
	uint16_t ttl;

	(void)state;
	assert_int_equal(parameter_overlay_ttl_write(check_start(&check), 0x0102), HIPHOP_OK);
	assert_int_equal(parameter_overlay_ttl_read(check_written(&check, "fa0b 0004 0102 0000"), &ttl), HIPHOP_OK);
	assert_int_equal(ttl, 0x0102);
	CHECK_READ(parameter_overlay_ttl_read, &ttl, PARAMETER_OVERLAY_TTL, "0102", HIPHOP_OK, HIPHOP_TRUNCATED);
}

static void test_routes(void **state)
{
	static struct parameter_route in, out, back;
	static char hex[8 + 33 * 32 + 1];
	struct check check;

	(void)state;
	in.flags = ROUTE_FLAG_SYMMETRIC | ROUTE_FLAG_MUST_FOLLOW;
	in.count = 2;
	check_octets(HIT_A, in.hits[0].octets, 16);
	check_octets(HIT_B, in.hits[1].octets, 16);
	assert_int_equal(parameter_route_write(check_start(&check), PARAMETER_ROUTE_VIA, &in), HIPHOP_OK);
	assert_int_equal(
		parameter_route_read(check_written(&check, "fa11 0024 c000 0000" HIT_A HIT_B), &out), HIPHOP_OK);
	assert_int_equal(out.count, 2);
	assert_int_equal(out.flags, in.flags);
	parameter_route_reverse(&out, &back);
	assert_int_equal(parameter_route_write(check_start(&check), PARAMETER_ROUTE_DST, &back), HIPHOP_OK);
	check_written(&check, "11f9 0024 c000 0000" HIT_B HIT_A);

	CHECK_READ(parameter_route_read, &out, PARAMETER_ROUTE_VIA, "00000000", HIPHOP_OK, HIPHOP_TRUNCATED);
	CHECK_READ(parameter_route_read, &out, PARAMETER_ROUTE_DST, "00000000", HIPHOP_MALFORMED, HIPHOP_TRUNCATED);
	CHECK_READ(parameter_route_read, &out, PARAMETER_ROUTE_DST, "00000000" HIT_A "00", HIPHOP_MALFORMED, HIPHOP_OK);
	memset(hex, '2', sizeof hex);
	hex[8 + 33 * 32] = '\0';
	CHECK_READ(parameter_route_read, &out, PARAMETER_ROUTE_VIA, hex, HIPHOP_TOO_LARGE, HIPHOP_OK);
	hex[8 + 32 * 32] = '\0';
	CHECK_READ(parameter_route_read, &out, PARAMETER_ROUTE_DST, hex, HIPHOP_OK, HIPHOP_OK);

	in.count = 33;
	assert_int_equal(parameter_route_write(check_start(&check), PARAMETER_ROUTE_VIA, &in), HIPHOP_INVALID_ARGUMENT);
	in.count = 0;
	assert_int_equal(parameter_route_write(check_start(&check), PARAMETER_ROUTE_DST, &in), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(parameter_route_write(check_start(&check), PARAMETER_ROUTE_VIA, &in), HIPHOP_OK);
	check_written(&check, "fa11 0004 c000 0000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_sequence_lists),
		cmocka_unit_test(test_payload_mic),
		cmocka_unit_test(test_overlay_ttl),
		cmocka_unit_test(test_routes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
