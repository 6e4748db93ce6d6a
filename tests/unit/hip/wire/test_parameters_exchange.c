/* SPDX-License-Identifier: MIT */
#include "tests/unit/hip/wire/parameter_checks.h"

#define TWENTY  "0102030405060708090a0b0c0d0e0f1011121314"
#define TWENTY2 "2122232425262728292a2b2c2d2e2f3031323334"

static void test_r1_counter(void **state)
{
	struct parameter_r1_counter in = {.reserved = 0x01020304, .counter = UINT64_C(0x1122334455667788)}, out;
	struct check check;

	(void)state;
	assert_int_equal(parameter_r1_counter_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(parameter_r1_counter_read(check_written(&check, "0081 000c 01020304 1122334455667788"), &out),
		HIPHOP_OK);
	assert_int_equal(out.reserved, in.reserved);
	assert_true(out.counter == in.counter);
	CHECK_READ(parameter_r1_counter_read, &out, PARAMETER_R1_COUNTER, "00000000 0000000000000001", HIPHOP_OK,
		HIPHOP_TRUNCATED);
}

static void test_puzzle(void **state)
{
	struct parameter_puzzle in = {.difficulty = 10, .lifetime = 37, .opaque = {0xab, 0xcd}, .random_length = 20},
				out;
	char long_one[2 * 70 + 1];
	struct check check;

	(void)state;
	check_octets(TWENTY, in.random_i, 20);
	assert_int_equal(parameter_puzzle_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(parameter_puzzle_read(check_written(&check, "0101 0018 0a 25 abcd " TWENTY "00000000"), &out),
		HIPHOP_OK);
	assert_int_equal(out.difficulty, 10);
	assert_int_equal(out.lifetime, 37);
	assert_memory_equal(out.opaque, "\xab\xcd", 2);
	assert_int_equal(out.random_length, 20);
	assert_memory_equal(out.random_i, in.random_i, 20);
	CHECK_READ(parameter_puzzle_read, &out, PARAMETER_PUZZLE, "0a25abcd01", HIPHOP_OK, HIPHOP_TRUNCATED);
	memset(long_one, '1', sizeof long_one);
	long_one[2 * (4 + 64)] = '\0';
	CHECK_READ(parameter_puzzle_read, &out, PARAMETER_PUZZLE, long_one, HIPHOP_OK, HIPHOP_OK);
	long_one[2 * (4 + 64)] = '1';
	long_one[2 * (4 + 65)] = '\0';
	CHECK_READ(parameter_puzzle_read, &out, PARAMETER_PUZZLE, long_one, HIPHOP_TOO_LARGE, HIPHOP_OK);
	in.random_length = 65;
	assert_int_equal(parameter_puzzle_write(check_start(&check), &in), HIPHOP_INVALID_ARGUMENT);
}

static void test_solution(void **state)
{
	struct parameter_solution in = {.difficulty = 10, .opaque = {0xab, 0xcd}, .random_length = 20}, out;
	struct check check;

	(void)state;
	check_octets(TWENTY, in.random_i, 20);
	check_octets(TWENTY2, in.solution_j, 20);
	assert_int_equal(parameter_solution_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(parameter_solution_read(check_written(&check, "0141 002c 0a 00 abcd " TWENTY TWENTY2), &out),
		HIPHOP_OK);
	assert_int_equal(out.random_length, 20);
	assert_memory_equal(out.opaque, "\xab\xcd", 2);
	assert_memory_equal(out.random_i, in.random_i, 20);
	assert_memory_equal(out.solution_j, in.solution_j, 20);
	CHECK_READ(parameter_solution_read, &out, PARAMETER_SOLUTION, "0a00abcd 01 02 03", HIPHOP_MALFORMED, HIPHOP_OK);
	CHECK_READ(parameter_solution_read, &out, PARAMETER_SOLUTION, "0a00abcd", HIPHOP_TRUNCATED, HIPHOP_TRUNCATED);
	in.random_length = 65;
	assert_int_equal(parameter_solution_write(check_start(&check), &in), HIPHOP_INVALID_ARGUMENT);
}

static void test_octet_lists(void **state)
{
	struct parameter_octet_list groups = {.count = 3, .items = {7, 8, 3}},
				    suites = {.count = 2, .items = {0x20, 0x10}}, out;
	char forty[81];
	struct check check;

	(void)state;
	assert_int_equal(parameter_dh_group_list_write(check_start(&check), &groups), HIPHOP_OK);
	assert_int_equal(parameter_dh_group_list_read(check_written(&check, "01ff 0003 07 08 03 00"), &out), HIPHOP_OK);
	assert_int_equal(out.count, 3);
	assert_memory_equal(out.items, "\7\10\3", 3);
	assert_int_equal(parameter_hit_suite_list_write(check_start(&check), &suites), HIPHOP_OK);
	assert_int_equal(parameter_hit_suite_list_read(check_written(&check, "02cb 0002 20 10 0000"), &out), HIPHOP_OK);
	assert_int_equal(out.count, 2);
	memset(forty, '1', 80);
	forty[80] = '\0';
	CHECK_READ(parameter_dh_group_list_read, &out, PARAMETER_DH_GROUP_LIST, forty, HIPHOP_OK, HIPHOP_OK);
	CHECK_READ(parameter_dh_group_list_read, &out, PARAMETER_DH_GROUP_LIST, "07", HIPHOP_OK, HIPHOP_TRUNCATED);
	groups.count = 0;
	assert_int_equal(parameter_dh_group_list_write(check_start(&check), &groups), HIPHOP_INVALID_ARGUMENT);
	groups.count = OCTET_LIST_MAXIMUM + 1;
	assert_int_equal(parameter_dh_group_list_write(check_start(&check), &groups), HIPHOP_INVALID_ARGUMENT);
}

static void test_long_octet_list_is_cut(void **state)
{
	struct parameter_octet_list out;
	struct check check;
	char forty[81];

	(void)state;
	memset(forty, '1', 80);
	forty[80] = '\0';
	assert_int_equal(parameter_hit_suite_list_read(check_contents(&check, PARAMETER_HIT_SUITE_LIST, forty), &out),
		HIPHOP_OK);
	assert_int_equal(out.count, OCTET_LIST_MAXIMUM);
	check_free(&check);
}

static void test_diffie_hellman(void **state)
{
	struct parameter_diffie_hellman in = {.group = 7, .public_value = SPAN_TEXT("KEY12")}, out;
	struct check check;

	(void)state;
	assert_int_equal(parameter_diffie_hellman_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(
		parameter_diffie_hellman_read(check_written(&check, "0201 0008 07 0005 4b45593132 00000000"), &out),
		HIPHOP_OK);
	assert_int_equal(out.group, 7);
	assert_int_equal(out.public_value.length, 5);
	assert_memory_equal(out.public_value.data, "KEY12", 5);
	CHECK_READ(parameter_diffie_hellman_read, &out, PARAMETER_DIFFIE_HELLMAN, "07 0002 0102", HIPHOP_OK,
		HIPHOP_TRUNCATED);
	CHECK_READ(parameter_diffie_hellman_read, &out, PARAMETER_DIFFIE_HELLMAN, "07 0002 010203", HIPHOP_MALFORMED,
		HIPHOP_OK);
	CHECK_READ(parameter_diffie_hellman_read, &out, PARAMETER_DIFFIE_HELLMAN, "07 ffff 01", HIPHOP_TRUNCATED,
		HIPHOP_TRUNCATED);
}

/* conforms: RFC7401-5.2.8-1 */
static void test_suite_lists(void **state)
{
	struct parameter_suite_list in = {.count = 2, .items = {2, 4}}, out;
	struct check check;

	(void)state;
	assert_int_equal(parameter_hip_cipher_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(parameter_hip_cipher_read(check_written(&check, "0243 0004 0002 0004"), &out), HIPHOP_OK);
	assert_int_equal(out.count, 2);
	assert_int_equal(out.items[1], 4);
	assert_int_equal(parameter_esp_transform_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(
		parameter_esp_transform_read(check_written(&check, "0fff 0006 0000 0002 0004 000000000000"), &out),
		HIPHOP_OK);
	assert_int_equal(out.count, 2);
	assert_int_equal(out.items[0], 2);
	assert_int_equal(parameter_nat_traversal_mode_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(
		parameter_nat_traversal_mode_read(check_written(&check, "0260 0006 0000 0002 0004 000000000000"), &out),
		HIPHOP_OK);
	/* Eight on the wire: the first six count (RFC 7401 section 5.2.8). */
	CHECK_READ(parameter_hip_cipher_read, &out, PARAMETER_HIP_CIPHER, "00010002000300040005000600070008", HIPHOP_OK,
		HIPHOP_OK);
	CHECK_READ(parameter_hip_cipher_read, &out, PARAMETER_HIP_CIPHER, "000100", HIPHOP_MALFORMED, HIPHOP_OK);
	CHECK_READ(parameter_esp_transform_read, &out, PARAMETER_ESP_TRANSFORM, "0000", HIPHOP_TRUNCATED,
		HIPHOP_TRUNCATED);
	in.count = 7;
	assert_int_equal(parameter_hip_cipher_write(check_start(&check), &in), HIPHOP_INVALID_ARGUMENT);
	in.count = 0;
	assert_int_equal(parameter_esp_transform_write(check_start(&check), &in), HIPHOP_INVALID_ARGUMENT);
}

/* conforms: RFC7401-5.2.8-2 */
static void test_first_six_suites_count(void **state)
{
	struct parameter_suite_list out;
	struct check check;

	(void)state;
	assert_int_equal(
		parameter_hip_cipher_read(
			check_contents(&check, PARAMETER_HIP_CIPHER, "00010002000300040005000600070008"), &out),
		HIPHOP_OK);
	assert_int_equal(out.count, 6);
	assert_int_equal(out.items[5], 6);
	check_free(&check);
}

/* conforms: RFC7402-5.1.2-1 RFC7402-5.1.2-2 */
static void test_first_six_esp_suites_count(void **state)
{
	struct parameter_suite_list out, in = {.count = 7};
	struct check check;

	(void)state;
	assert_int_equal(
		parameter_esp_transform_read(
			check_contents(&check, PARAMETER_ESP_TRANSFORM, "000000010002000300040005000600070008"), &out),
		HIPHOP_OK);
	assert_int_equal(out.count, 6);
	assert_int_equal(out.items[5], 6);
	check_free(&check);
	assert_int_equal(parameter_esp_transform_write(check_start(&check), &in), HIPHOP_INVALID_ARGUMENT);
}

static void test_transport_format_list(void **state)
{
	struct parameter_transport_format_list in = {.count = 1, .items = {4095}}, out;
	struct check check;

	(void)state;
	assert_int_equal(parameter_transport_format_list_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(
		parameter_transport_format_list_read(check_written(&check, "0801 0002 0fff 0000"), &out), HIPHOP_OK);
	assert_int_equal(out.count, 1);
	assert_int_equal(out.items[0], 4095);
	CHECK_READ(parameter_transport_format_list_read, &out, PARAMETER_TRANSPORT_FORMAT_LIST, "0fff 10",
		HIPHOP_MALFORMED, HIPHOP_OK);
	in.count = 17;
	assert_int_equal(parameter_transport_format_list_write(check_start(&check), &in), HIPHOP_INVALID_ARGUMENT);
}

static void test_host_id(void **state)
{
	struct parameter_host_id in = {.algorithm = 7,
		.host_identity = SPAN_TEXT("\0\1KEY"),
		.domain_identifier_type = 2,
		.domain_identifier = SPAN_TEXT("b@e")};
	struct parameter_host_id out;
	struct check check;

	(void)state;
	assert_int_equal(parameter_host_id_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(
		parameter_host_id_read(
			check_written(&check, "02c1 000e 0005 2003 0007 00014b4559 624065 000000000000"), &out),
		HIPHOP_OK);
	assert_int_equal(out.algorithm, 7);
	assert_int_equal(out.host_identity.length, 5);
	assert_memory_equal(out.host_identity.data, "\0\1KEY", 5);
	assert_int_equal(out.domain_identifier_type, DOMAIN_IDENTIFIER_NAI);
	assert_memory_equal(out.domain_identifier.data, "b@e", 3);
	CHECK_READ(
		parameter_host_id_read, &out, PARAMETER_HOST_ID, "0002 1001 0007 aabb cc", HIPHOP_OK, HIPHOP_TRUNCATED);
	CHECK_READ(parameter_host_id_read, &out, PARAMETER_HOST_ID, "0002 0000 0007 aabb", HIPHOP_OK, HIPHOP_TRUNCATED);
	CHECK_READ(
		parameter_host_id_read, &out, PARAMETER_HOST_ID, "0002 0000 0007 aabb cc", HIPHOP_MALFORMED, HIPHOP_OK);
	/* DI Length without a DI type. */
	CHECK_READ(
		parameter_host_id_read, &out, PARAMETER_HOST_ID, "0002 0001 0007 aabb cc", HIPHOP_MALFORMED, HIPHOP_OK);
	CHECK_READ(parameter_host_id_read, &out, PARAMETER_HOST_ID, "ffff 0fff 0007 aabb cc", HIPHOP_TRUNCATED,
		HIPHOP_TRUNCATED);
	in.domain_identifier.length = 4096;
	assert_int_equal(parameter_host_id_write(check_start(&check), &in), HIPHOP_INVALID_ARGUMENT);
}

static hiphop_error read_encrypted_16(const struct parameter_view *view, struct parameter_encrypted *out)
{
	return parameter_encrypted_read(view, 16, out);
}

static void test_encrypted(void **state)
{
	struct parameter_encrypted in = {.iv = SPAN_TEXT("0123456789abcdef"), .data = SPAN_TEXT("cipher")}, out;
	struct check check;

	(void)state;
	assert_int_equal(parameter_encrypted_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(read_encrypted_16(check_written(&check, "0281 001a 00000000 30313233343536373839616263646566"
								 "636970686572 0000"),
				 &out),
		HIPHOP_OK);
	assert_memory_equal(out.iv.data, "0123456789abcdef", 16);
	assert_int_equal(out.data.length, 6);
	CHECK_READ(read_encrypted_16, &out, PARAMETER_ENCRYPTED, "00000000" TWENTY, HIPHOP_OK, HIPHOP_OK);
	CHECK_READ(read_encrypted_16, &out, PARAMETER_ENCRYPTED, "00000000 0102030405060708090a0b0c0d0e0f",
		HIPHOP_TRUNCATED, HIPHOP_TRUNCATED);
	/* NULL-ENCRYPT has no IV. */
	assert_int_equal(
		parameter_encrypted_read(check_contents(&check, PARAMETER_ENCRYPTED, "00000000 0102"), 0, &out),
		HIPHOP_OK);
	assert_int_equal(out.iv.length, 0);
	assert_int_equal(out.data.length, 2);
	check_free(&check);
}

static void test_cert_and_notification(void **state)
{
	struct parameter_cert cert = {.group = 1, .count = 2, .id = 3, .type = 4, .certificate = SPAN_TEXT("C")},
			      cert_out;
	struct parameter_notification notification = {.type = 70, .data = SPAN_TEXT("HDR")}, notification_out;
	struct check check;

	(void)state;
	assert_int_equal(parameter_cert_write(check_start(&check), &cert), HIPHOP_OK);
	assert_int_equal(parameter_cert_read(check_written(&check, "0300 0005 01020304 43 00000000000000"), &cert_out),
		HIPHOP_OK);
	assert_int_equal(cert_out.id, 3);
	assert_int_equal(cert_out.certificate.length, 1);
	assert_int_equal(parameter_notification_write(check_start(&check), &notification), HIPHOP_OK);
	assert_int_equal(parameter_notification_read(
				 check_written(&check, "0340 0007 0000 0046 484452 0000000000"), &notification_out),
		HIPHOP_OK);
	assert_int_equal(notification_out.type, NOTIFY_OVERLAY_TTL_EXCEEDED);
	assert_memory_equal(notification_out.data.data, "HDR", 3);
	CHECK_READ(parameter_cert_read, &cert_out, PARAMETER_CERT, "01020304", HIPHOP_OK, HIPHOP_TRUNCATED);
	CHECK_READ(parameter_notification_read, &notification_out, PARAMETER_NOTIFICATION, "00004001", HIPHOP_OK,
		HIPHOP_TRUNCATED);
}

static void test_signature(void **state)
{
	struct parameter_signature out;
	struct check check;
	uint8_t *signature = parameter_signature_reserve(check_start(&check), PARAMETER_HIP_SIGNATURE, 7, 4);

	(void)state;
	assert_non_null(signature);
	memcpy(signature, "SIGN", 4);
	assert_int_equal(parameter_signature_read(check_written(&check, "f101 0006 0007 5349474e 000000000000"), &out),
		HIPHOP_OK);
	assert_int_equal(out.algorithm, HI_ALGORITHM_ECDSA);
	assert_memory_equal(out.signature.data, "SIGN", 4);
	assert_null(parameter_signature_reserve(check_start(&check), PARAMETER_HIP_MAC, 7, 4));
	assert_null(parameter_signature_reserve(check_start(&check), PARAMETER_HIP_SIGNATURE_2, 7, 3000));
	CHECK_READ(parameter_signature_read, &out, PARAMETER_HIP_SIGNATURE_2, "0007", HIPHOP_OK, HIPHOP_TRUNCATED);
}

static void test_opaque(void **state)
{
	struct span out;
	struct check check;

	(void)state;
	assert_int_equal(
		parameter_opaque_write(check_start(&check), PARAMETER_OVERLAY_ID, SPAN_TEXT("OVER")), HIPHOP_OK);
	assert_int_equal(parameter_opaque_read(check_written(&check, "11f0 0004 4f564552"), &out), HIPHOP_OK);
	assert_int_equal(out.length, 4);
	CHECK_READ(parameter_opaque_read, &out, PARAMETER_ECHO_REQUEST_UNSIGNED, "01020304", HIPHOP_OK, HIPHOP_OK);
	assert_int_equal(parameter_opaque_write(check_start(&check), PARAMETER_HOST_ID, SPAN_TEXT("x")),
		HIPHOP_INVALID_ARGUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_r1_counter),
		cmocka_unit_test(test_puzzle),
		cmocka_unit_test(test_solution),
		cmocka_unit_test(test_octet_lists),
		cmocka_unit_test(test_long_octet_list_is_cut),
		cmocka_unit_test(test_diffie_hellman),
		cmocka_unit_test(test_suite_lists),
		cmocka_unit_test(test_first_six_suites_count),
		cmocka_unit_test(test_first_six_esp_suites_count),
		cmocka_unit_test(test_transport_format_list),
		cmocka_unit_test(test_host_id),
		cmocka_unit_test(test_encrypted),
		cmocka_unit_test(test_cert_and_notification),
		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_opaque),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
