/* SPDX-License-Identifier: MIT */
#include "hip/wire/packet.h"

#include "hip/base/random.h"
#include "tests/unit/hip/wire/samples.h"

/* An I1 by hand, as it stands behind an IPv4 header 192.0.2.1 → 192.0.2.2. */
/* clang-format off */
static const uint8_t i1[] = {
	0x3b, 0x05, 0x01, 0x21, 0xe6, 0xb1, 0x00, 0x00, /* no next header, (5 + 1) * 8 octets, I1, version 2 */
	0x20, 0x01, 0x00, 0x22, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c,
	0x20, 0x01, 0x00, 0x22, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac,
	0x01, 0xff, 0x00, 0x03, 0x07, 0x08, 0x03, 0x00, /* DH_GROUP_LIST: 7, 8, 3 and one octet of padding */
};
/* clang-format on */

static void test_i1_by_hand(void **state)
{
	struct packet_view view;
	const struct parameter_view *groups;

	(void)state;
	assert_int_equal(packet_parse(i1, sizeof i1, &view), HIPHOP_OK);
	assert_int_equal(view.type, HIP_PACKET_I1);
	assert_int_equal(view.version, 2);
	assert_int_equal(view.checksum, 0xe6b1);
	assert_true(hit_equal(&view.sender, &sample_initiator));
	assert_true(hit_equal(&view.receiver, &sample_responder));
	assert_int_equal(view.octets.length, sizeof i1);
	assert_int_equal(view.payload.length, 0);
	assert_int_equal(view.parameters.count, 1);
	groups = packet_find(&view, PARAMETER_DH_GROUP_LIST);
	assert_non_null(groups);
	assert_int_equal(groups->offset, 40);
	assert_int_equal(groups->contents.length, 3);
	assert_int_equal(groups->encoded.length, 8);
	assert_ptr_equal(groups->contents.data, i1 + 44);
	assert_null(packet_find(&view, PARAMETER_PUZZLE));
	assert_int_equal(packet_check_rules(&view, NULL), HIPHOP_OK);
}

/* conforms: RFC7401-5.1-2 RFC7401-5.1-4 RFC7401-5.1-5 RFC7401-5.1.2-2 */
static void test_builder_makes_the_same_i1(void **state)
{
	uint8_t buffer[HIP_PACKET_MAXIMUM];
	struct address source, destination;
	size_t length = sample_packet(HIP_PACKET_I1, buffer, sizeof buffer);

	(void)state;
	assert_int_equal(address_parse("192.0.2.1", &source), HIPHOP_OK);
	assert_int_equal(address_parse("192.0.2.2", &destination), HIPHOP_OK);
	assert_int_equal(packet_set_checksum(buffer, length, HIP_CARRIER_IP, &source, &destination), HIPHOP_OK);
	assert_int_equal(length, sizeof i1);
	assert_memory_equal(buffer, i1, sizeof i1);
}

static void expect_header_fault(size_t offset, uint8_t value, hiphop_error error, size_t problem)
{
	uint8_t packet[sizeof i1];
	struct packet_view view;

	memcpy(packet, i1, sizeof i1);
	packet[offset] = value;
	assert_int_equal(packet_parse(packet, sizeof packet, &view), error);
	assert_int_equal(view.problem_offset, problem);
	assert_int_equal(view.parameters.count, 0);
}

/* conforms: RFC7401-5.1-2 RFC7401-5.1-3 RFC7401-5.3-1 */
static void test_header_faults(void **state)
{
	(void)state;
	expect_header_fault(3, 0x11, HIPHOP_UNSUPPORTED, 3); /* HIPv1 */
	expect_header_fault(3, 0x31, HIPHOP_UNSUPPORTED, 3); /* HIPv3 */
	expect_header_fault(2, 5, HIPHOP_UNSUPPORTED, 2);    /* no such packet type */
	expect_header_fault(2, 0, HIPHOP_UNSUPPORTED, 2);
	expect_header_fault(1, 3, HIPHOP_MALFORMED, 1); /* shorter than the fixed header */
	expect_header_fault(1, 6, HIPHOP_TRUNCATED, 1); /* longer than the octets */
	expect_header_fault(1, 255, HIPHOP_TRUNCATED, 1);
	expect_header_fault(0, HIP_PROTOCOL, HIPHOP_MALFORMED, 0);
	expect_header_fault(43, 5, HIPHOP_MALFORMED, 40); /* parameter past the end */
	expect_header_fault(42, 0xff, HIPHOP_MALFORMED, 40);
}

/* conforms: RFC7401-5.1-4 RFC7401-5.1-5 RFC7401-5.1.2-2 RFC7401-5.2.1-5 */
static void test_what_must_be_ignored(void **state)
{
	uint8_t packet[sizeof i1 + 5];
	struct packet_view view;

	(void)state;
	memcpy(packet, i1, sizeof i1);
	packet[2] |= 0x80; /* the first SHIM6 bit */
	packet[3] = 0x2e;  /* reserved bits set, the second SHIM6 bit clear */
	packet[6] = 0xff;  /* reserved controls */
	packet[47] = 0xee; /* padding */
	assert_int_equal(
		packet_parse(packet, sizeof packet, &view), HIPHOP_OK); /* five octets behind, no next header */
	assert_int_equal(view.type, HIP_PACKET_I1);
	assert_int_equal(view.payload.length, 0);
	packet[0] = 17;
	assert_int_equal(packet_parse(packet, sizeof packet, &view), HIPHOP_OK);
	assert_int_equal(view.payload.length, 5);
	assert_ptr_equal(view.payload.data, packet + sizeof i1);
}

static void test_truncation_at_every_length(void **state)
{
	uint8_t packet[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	struct packet_view view;

	(void)state;
	for (size_t t = 0; t < SAMPLE_TYPES; t++) {
		size_t length = sample_packet(sample_types[t], packet, sizeof packet);
		size_t end = (packet[1] + 1u) * 8;

		for (size_t cut = 0; cut < end; cut++) {
			uint8_t *exact = malloc(cut ? cut : 1); /* so that the sanitizer sees a read behind */

			assert_non_null(exact);
			memcpy(exact, packet, cut);
			assert_int_equal(packet_parse(exact, cut, &view), HIPHOP_TRUNCATED);
			/* With a header length that fits the cut it is either a shorter packet or malformed. */
			if (cut >= HIP_HEADER_LENGTH) {
				exact[1] = (uint8_t)(cut / 8 - 1);
				hiphop_error error = packet_parse(exact, cut, &view);

				assert_true(error == HIPHOP_OK || error == HIPHOP_MALFORMED);
			}
			free(exact);
		}
		assert_int_equal(packet_parse(packet, length, &view), HIPHOP_OK);
		assert_int_equal(packet_check_rules(&view, NULL), HIPHOP_OK);
		assert_int_equal(view.payload.length, length - end);
	}
}

/* conforms: RFC7401-5.2.1-3 */
static void test_every_reordering_is_malformed(void **state)
{
	uint8_t packet[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	uint8_t swapped[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	struct packet_view view, other;

	(void)state;
	for (size_t t = 0; t < SAMPLE_TYPES; t++) {
		size_t length = sample_packet(sample_types[t], packet, sizeof packet);

		assert_int_equal(packet_parse(packet, length, &view), HIPHOP_OK);
		for (size_t i = 0; i + 1 < view.parameters.count; i++) {
			const struct parameter_view *first = &view.parameters.items[i];
			const struct parameter_view *second = &view.parameters.items[i + 1];

			memcpy(swapped, packet, length);
			memcpy(swapped + first->offset, second->encoded.data, second->encoded.length);
			memcpy(swapped + first->offset + second->encoded.length, first->encoded.data,
				first->encoded.length);
			assert_int_equal(packet_parse(swapped, length, &other), HIPHOP_MALFORMED);
			assert_int_equal(other.problem_offset, first->offset + second->encoded.length);
		}
	}
}

static void test_too_many_parameters(void **state)
{
	uint8_t buffer[HIP_PACKET_MAXIMUM];
	struct packet_builder builder;
	struct packet_view view;
	size_t length;

	(void)state;
	packet_builder_start(
		&builder, buffer, sizeof buffer, HIP_PACKET_UPDATE, 0, &sample_initiator, &sample_responder);
	for (size_t i = 0; i < PACKET_PARAMETERS_MAXIMUM; i++)
		packet_builder_add(&builder, PARAMETER_ECHO_REQUEST_UNSIGNED, NULL, 0);
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	assert_int_equal(packet_parse(buffer, length, &view), HIPHOP_OK);
	assert_int_equal(view.parameters.count, PACKET_PARAMETERS_MAXIMUM);
	packet_builder_add(&builder, PARAMETER_ECHO_REQUEST_UNSIGNED, NULL, 0);
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	assert_int_equal(packet_parse(buffer, length, &view), HIPHOP_TOO_LARGE);
	assert_int_equal(packet_parse(buffer, HIP_PACKET_WITH_PAYLOAD_MAXIMUM + 1, &view), HIPHOP_TOO_LARGE);
}

static void test_repeated_parameters(void **state)
{
	uint8_t buffer[HIP_PACKET_MAXIMUM];
	struct packet_builder builder;
	struct packet_view view;
	size_t length;

	(void)state;
	packet_builder_start(
		&builder, buffer, sizeof buffer, HIP_PACKET_UPDATE, 0, &sample_initiator, &sample_responder);
	packet_builder_add(&builder, PARAMETER_ECHO_REQUEST_UNSIGNED, "a", 1);
	packet_builder_add(&builder, PARAMETER_ECHO_REQUEST_UNSIGNED, "bc", 2);
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	assert_int_equal(packet_parse(buffer, length, &view), HIPHOP_OK);
	assert_int_equal(packet_find_nth(&view, PARAMETER_ECHO_REQUEST_UNSIGNED, 0)->contents.length, 1);
	assert_int_equal(packet_find_nth(&view, PARAMETER_ECHO_REQUEST_UNSIGNED, 1)->contents.length, 2);
	assert_null(packet_find_nth(&view, PARAMETER_ECHO_REQUEST_UNSIGNED, 2));
}

static void test_parameters_that_stand_alone(void **state)
{
	uint8_t buffer[64];
	struct packet_builder builder;
	struct parameter_list list;
	size_t length;

	(void)state;
	packet_builder_start_inner(&builder, buffer, sizeof buffer);
	packet_builder_add(&builder, PARAMETER_HOST_ID, "\0\0\0\0\0\7", 6);
	packet_builder_add(&builder, PARAMETER_ECHO_RESPONSE_SIGNED, "x", 1);
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	assert_int_equal(length, 24);
	assert_int_equal(parameters_parse(buffer, length, &list), HIPHOP_OK);
	assert_int_equal(list.count, 2);
	assert_int_equal(parameters_find(&list, PARAMETER_ECHO_RESPONSE_SIGNED)->offset, 16);
	for (size_t cut = 1; cut < length; cut++)
		assert_int_equal(parameters_parse(buffer, cut, &list), cut == 16 ? HIPHOP_OK : HIPHOP_MALFORMED);
	assert_int_equal(parameters_parse(buffer, 0, &list), HIPHOP_OK);
	assert_int_equal(parameters_parse(buffer, HIP_PARAMETERS_MAXIMUM + 1, &list), HIPHOP_TOO_LARGE);
}

static void test_random_damage(void **state)
{
	struct seeded_random generator;
	struct random_source random = seeded_random_start(&generator, 7401);
	uint8_t packet[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	unsigned parsed = 0;

	(void)state;
	for (unsigned round = 0; round < 5000; round++) {
		size_t length = sample_packet(sample_types[round % SAMPLE_TYPES], packet, sizeof packet);
		struct packet_view view;

		for (uint32_t flips = random_below(&random, 4); flips != UINT32_MAX; flips--)
			packet[random_below(&random, (uint32_t)length)] = (uint8_t)random_u32(&random);
		if (packet_parse(packet, length, &view))
			continue;
		parsed++;
		packet_check_rules(&view, NULL);
		for (size_t i = 0; i < view.parameters.count; i++) {
			struct span encoded = view.parameters.items[i].encoded;

			assert_true(encoded.data >= packet && encoded.data + encoded.length <= packet + length);
			assert_int_equal(encoded.length % 8, 0);
		}
	}
	assert_true(parsed > 500 && parsed < 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_i1_by_hand),
		cmocka_unit_test(test_builder_makes_the_same_i1),
		cmocka_unit_test(test_header_faults),
		cmocka_unit_test(test_what_must_be_ignored),
		cmocka_unit_test(test_truncation_at_every_length),
		cmocka_unit_test(test_every_reordering_is_malformed),
		cmocka_unit_test(test_too_many_parameters),
		cmocka_unit_test(test_repeated_parameters),
		cmocka_unit_test(test_parameters_that_stand_alone),
		cmocka_unit_test(test_random_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
