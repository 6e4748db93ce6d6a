/* SPDX-License-Identifier: MIT */
#include "hip/wire/coverage.h"

#include "tests/unit/hip/wire/samples.h"

/* The spans in one piece. */
static size_t flatten(const struct coverage *coverage, uint8_t *out)
{
	size_t length = 0;

	assert_true(coverage->count <= COVERAGE_SPANS_MAXIMUM);
	for (size_t i = 0; i < coverage->count; i++) {
		assert_true(coverage->spans[i].length > 0);
		memcpy(out + length, coverage->spans[i].data, coverage->spans[i].length);
		length += coverage->spans[i].length;
	}
	assert_int_equal(length, coverage_length(coverage));
	return length;
}

/* What RFC 7401 section 6.4 says in words: cut before `type`, set the length, clear the checksum. */
static size_t cut_copy(const struct packet_view *view, uint16_t type, uint8_t *out)
{
	size_t length = packet_find(view, type)->offset;

	memcpy(out, view->octets.data, length);
	out[1] = (uint8_t)(length / 8 - 1);
	out[4] = out[5] = 0;
	return length;
}

static void parse_sample(uint8_t type, uint8_t *packet, struct packet_view *view)
{
	size_t length = sample_packet(type, packet, HIP_PACKET_WITH_PAYLOAD_MAXIMUM);

	packet[4] = 0xde; /* a checksum that must not count */
	packet[5] = 0xad;
	assert_int_equal(packet_parse(packet, length, view), HIPHOP_OK);
}

/* conforms: RFC7401-5.2.12-1 RFC7401-5.2.14-1 */
static void test_mac_and_signature(void **state)
{
	uint8_t packet[HIP_PACKET_WITH_PAYLOAD_MAXIMUM], before[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	uint8_t expected[HIP_PACKET_MAXIMUM], actual[HIP_PACKET_MAXIMUM];
	struct packet_view view;
	struct coverage coverage;
	size_t length;

	(void)state;
	for (size_t t = 0; t < SAMPLE_TYPES; t++) {
		parse_sample(sample_types[t], packet, &view);
		memcpy(before, packet, sizeof packet);
		if (packet_find(&view, PARAMETER_HIP_MAC)) {
			assert_int_equal(coverage_of_mac(&view, &coverage), HIPHOP_OK);
			length = cut_copy(&view, PARAMETER_HIP_MAC, expected);
			assert_int_equal(flatten(&coverage, actual), length);
			assert_memory_equal(actual, expected, length);
		} else {
			assert_int_equal(coverage_of_mac(&view, &coverage), HIPHOP_NOT_FOUND);
			assert_int_equal(coverage.count, 0);
		}
		if (packet_find(&view, PARAMETER_HIP_SIGNATURE)) {
			assert_int_equal(coverage_of_signature(&view, &coverage), HIPHOP_OK);
			length = cut_copy(&view, PARAMETER_HIP_SIGNATURE, expected);
			assert_int_equal(flatten(&coverage, actual), length);
			assert_memory_equal(actual, expected, length);
		} else {
			assert_int_equal(coverage_of_signature(&view, &coverage), HIPHOP_NOT_FOUND);
		}
		assert_memory_equal(before, packet, sizeof packet); /* nothing was edited */
	}
}

/* conforms: RFC7401-5.2.15-1 RFC7401-5.2.15-2 */
static void test_signature_2(void **state)
{
	uint8_t packet[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	uint8_t expected[HIP_PACKET_MAXIMUM], actual[HIP_PACKET_MAXIMUM];
	struct packet_view view;
	struct coverage coverage;
	size_t length, puzzle;

	(void)state;
	parse_sample(HIP_PACKET_R1, packet, &view);
	assert_int_equal(coverage_of_signature_2(&view, &coverage), HIPHOP_OK);
	length = cut_copy(&view, PARAMETER_HIP_SIGNATURE_2, expected);
	memset(expected + 24, 0, 16); /* Receiver's HIT */
	puzzle = packet_find(&view, PARAMETER_PUZZLE)->offset;
	memset(expected + puzzle + 6, 0, 2 + 48); /* Opaque, Random #I; #K and Lifetime stay */
	assert_int_equal(expected[puzzle + 4], 10);
	assert_int_equal(expected[puzzle + 5], 37);
	assert_int_equal(flatten(&coverage, actual), length);
	assert_memory_equal(actual, expected, length);
}

/* The point of HIP_SIGNATURE_2: one signed R1 serves many. */
static void test_renewed_puzzle_keeps_the_signature(void **state)
{
	uint8_t packet[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	uint8_t before[HIP_PACKET_MAXIMUM], after[HIP_PACKET_MAXIMUM], random_i[48];
	size_t total = sample_packet(HIP_PACKET_R1, packet, sizeof packet);
	struct packet_view view;
	struct parameter_puzzle puzzle;
	struct coverage coverage;
	size_t length;

	(void)state;
	memset(random_i, 0x99, sizeof random_i);
	assert_int_equal(packet_parse(packet, total, &view), HIPHOP_OK);
	assert_int_equal(coverage_of_signature_2(&view, &coverage), HIPHOP_OK);
	length = flatten(&coverage, before);
	assert_int_equal(parameter_puzzle_renew(packet, total, &sample_initiator, (const uint8_t *)"op", random_i, 48),
		HIPHOP_OK);
	assert_int_equal(packet_parse(packet, total, &view), HIPHOP_OK);
	assert_true(hit_equal(&view.receiver, &sample_initiator));
	assert_int_equal(parameter_puzzle_read(packet_find(&view, PARAMETER_PUZZLE), &puzzle), HIPHOP_OK);
	assert_memory_equal(puzzle.opaque, "op", 2);
	assert_memory_equal(puzzle.random_i, random_i, 48);
	assert_int_equal(puzzle.difficulty, 10);
	assert_int_equal(coverage_of_signature_2(&view, &coverage), HIPHOP_OK);
	assert_int_equal(flatten(&coverage, after), length);
	assert_memory_equal(before, after, length);
	assert_int_equal(parameter_puzzle_renew(packet, total, &sample_initiator, (const uint8_t *)"op", random_i, 32),
		HIPHOP_INVALID_ARGUMENT);
}

/* conforms: RFC7401-5.2.13-1 */
static void test_mac_2_adds_the_host_id(void **state)
{
	uint8_t r1[HIP_PACKET_WITH_PAYLOAD_MAXIMUM], r2[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	uint8_t expected[2 * HIP_PACKET_MAXIMUM], actual[2 * HIP_PACKET_MAXIMUM];
	struct packet_view r1_view, view;
	struct coverage coverage;
	struct span host_id;
	size_t length;

	(void)state;
	parse_sample(HIP_PACKET_R1, r1, &r1_view);
	parse_sample(HIP_PACKET_R2, r2, &view);
	host_id = packet_find(&r1_view, PARAMETER_HOST_ID)->encoded;
	assert_int_equal(coverage_of_mac_2(&view, host_id, &coverage), HIPHOP_OK);
	length = cut_copy(&view, PARAMETER_HIP_MAC_2, expected);
	memcpy(expected + length, host_id.data, host_id.length);
	length += host_id.length;
	expected[1] = (uint8_t)(length / 8 - 1);
	assert_int_equal(flatten(&coverage, actual), length);
	assert_memory_equal(actual, expected, length);
	/* Not a whole HOST_ID. */
	host_id.length -= 8;
	assert_int_equal(coverage_of_mac_2(&view, host_id, &coverage), HIPHOP_INVALID_ARGUMENT);
	host_id = packet_find(&r1_view, PARAMETER_PUZZLE)->encoded;
	assert_int_equal(coverage_of_mac_2(&view, host_id, &coverage), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(coverage_of_mac_2(&view, (struct span){NULL, 0}, &coverage), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(coverage_of_mac_2(&r1_view, host_id, &coverage), HIPHOP_NOT_FOUND);
}

static void test_mac_2_that_would_not_fit_the_header_length(void **state)
{
	static const uint8_t zeros[1000];
	uint8_t big[1008], packet[HIP_PACKET_MAXIMUM];
	struct packet_builder builder;
	struct packet_view view;
	struct coverage coverage;
	size_t host_id_length, length;

	(void)state;
	packet_builder_start_inner(&builder, big, sizeof big);
	packet_builder_add(&builder, PARAMETER_HOST_ID, zeros, 1000);
	assert_int_equal(packet_builder_finish(&builder, &host_id_length), HIPHOP_OK);
	packet_builder_start(&builder, packet, sizeof packet, HIP_PACKET_R2, 0, &sample_responder, &sample_initiator);
	packet_builder_add(&builder, PARAMETER_ENCRYPTED, zeros, 1000);
	packet_builder_reserve(&builder, PARAMETER_HIP_MAC_2, 48);
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	assert_int_equal(packet_parse(packet, length, &view), HIPHOP_OK);
	assert_int_equal(coverage_of_mac_2(&view, (struct span){big, host_id_length}, &coverage), HIPHOP_TOO_LARGE);
	packet_builder_start(&builder, packet, sizeof packet, HIP_PACKET_R2, 0, &sample_responder, &sample_initiator);
	packet_builder_add(&builder, PARAMETER_ENCRYPTED, zeros, 996);
	packet_builder_reserve(&builder, PARAMETER_HIP_MAC_2, 48);
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	assert_int_equal(packet_parse(packet, length, &view), HIPHOP_OK);
	assert_int_equal(coverage_of_mac_2(&view, (struct span){big, host_id_length}, &coverage), HIPHOP_OK);
	assert_int_equal(coverage_length(&coverage), HIP_PACKET_MAXIMUM);
}

static void test_puzzle_out_of_bounds(void **state)
{
	static const uint8_t zeros[100];
	static const size_t lengths[] = {0, 3, 69};
	uint8_t packet[HIP_PACKET_MAXIMUM];
	struct packet_builder builder;
	struct packet_view view;
	struct coverage coverage;
	size_t length;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		packet_builder_start(
			&builder, packet, sizeof packet, HIP_PACKET_R1, 0, &sample_responder, &sample_initiator);
		packet_builder_add(&builder, PARAMETER_PUZZLE, zeros, lengths[i]);
		packet_builder_add(&builder, PARAMETER_HIP_SIGNATURE_2, zeros, 10);
		assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
		assert_int_equal(packet_parse(packet, length, &view), HIPHOP_OK);
		assert_int_equal(coverage_of_signature_2(&view, &coverage), HIPHOP_MALFORMED);
	}
}

static void test_relay_mac(void **state)
{
	uint8_t packet[HIP_PACKET_MAXIMUM], expected[HIP_PACKET_MAXIMUM], actual[HIP_PACKET_MAXIMUM];
	struct address from = {{1, 2, 3}};
	struct packet_builder builder;
	struct packet_view view;
	struct coverage coverage;
	size_t length;

	(void)state;
	packet_builder_start(&builder, packet, sizeof packet, HIP_PACKET_I1, 0, &sample_initiator, &sample_responder);
	packet_builder_add(&builder, PARAMETER_DH_GROUP_LIST, "\7", 1);
	parameter_address_write(&builder, PARAMETER_FROM, &from);
	packet_builder_reserve(&builder, PARAMETER_RVS_HMAC, 32);
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	assert_int_equal(packet_parse(packet, length, &view), HIPHOP_OK);
	assert_int_equal(coverage_of_relay_mac(&view, PARAMETER_RVS_HMAC, &coverage), HIPHOP_OK);
	length = cut_copy(&view, PARAMETER_RVS_HMAC, expected);
	assert_int_equal(flatten(&coverage, actual), length);
	assert_memory_equal(actual, expected, length);
	assert_int_equal(coverage_of_relay_mac(&view, PARAMETER_RELAY_HMAC, &coverage), HIPHOP_NOT_FOUND);
	assert_int_equal(coverage_of_relay_mac(&view, PARAMETER_FROM, &coverage), HIPHOP_INVALID_ARGUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mac_and_signature),
		cmocka_unit_test(test_signature_2),
		cmocka_unit_test(test_renewed_puzzle_keeps_the_signature),
		cmocka_unit_test(test_mac_2_adds_the_host_id),
		cmocka_unit_test(test_mac_2_that_would_not_fit_the_header_length),
		cmocka_unit_test(test_puzzle_out_of_bounds),
		cmocka_unit_test(test_relay_mac),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
