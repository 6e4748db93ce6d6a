/* SPDX-License-Identifier: MIT */
#include "hip/wire/builder.h"

#include "tests/unit/hip/wire/samples.h"

static uint8_t buffer[HIP_PACKET_WITH_PAYLOAD_MAXIMUM + 100];

static struct packet_builder started(size_t capacity)
{
	struct packet_builder builder;

	memset(buffer, 0xee, sizeof buffer);
	assert_int_equal(packet_builder_start(&builder, buffer, capacity, HIP_PACKET_UPDATE, 0, &sample_initiator,
				 &sample_responder),
		HIPHOP_OK);
	return builder;
}

static void expect_failed(struct packet_builder *builder, hiphop_error error)
{
	size_t length = 7;

	assert_int_equal(packet_builder_finish(builder, &length), error);
	assert_int_equal(length, 0);
	/* The first error stays. */
	assert_int_equal(packet_builder_add(builder, PARAMETER_ROUTE_VIA, "\0\0\0\0", 4), error);
	assert_null(packet_builder_reserve(builder, PARAMETER_ROUTE_VIA, 4));
	assert_int_equal(packet_builder_payload(builder, 17, "x", 1), error);
}

/* conforms: RFC7401-5.2.1-4 RFC7401-5.2.1-5 */
static void test_padding_of_every_length(void **state)
{
	(void)state;
	for (size_t length = 0; length <= 20; length++) {
		struct packet_builder builder = started(sizeof buffer);
		uint8_t *contents = packet_builder_reserve(&builder, PARAMETER_ENCRYPTED, length);
		size_t total;

		assert_non_null(contents);
		memset(contents, 0x11, length);
		assert_int_equal(packet_builder_finish(&builder, &total), HIPHOP_OK);
		assert_int_equal(total, 40 + (4 + length + 7) / 8 * 8);
		assert_int_equal(buffer[1], total / 8 - 1);
		assert_int_equal(buffer[42] << 8 | buffer[43], length);
		for (size_t i = 44 + length; i < total; i++)
			assert_int_equal(buffer[i], 0);
		assert_int_equal(buffer[total], 0xee);
	}
}

/* conforms: RFC7401-5.2.1-1 RFC7401-5.2.1-2 RFC7401-5.2.2-1 */
static void test_order(void **state)
{
	struct packet_builder builder = started(sizeof buffer);

	(void)state;
	assert_int_equal(packet_builder_add(&builder, PARAMETER_SEQ, "abcd", 4), HIPHOP_OK);
	assert_int_equal(packet_builder_add(&builder, PARAMETER_ESP_INFO, "abcdefghijkl", 12), HIPHOP_INVALID_ARGUMENT);
	expect_failed(&builder, HIPHOP_INVALID_ARGUMENT);

	builder = started(sizeof buffer);
	assert_int_equal(packet_builder_add(&builder, PARAMETER_SEQ, "abcd", 4), HIPHOP_OK);
	assert_int_equal(packet_builder_add(&builder, PARAMETER_SEQ, "abcd", 4), HIPHOP_INVALID_ARGUMENT);
	expect_failed(&builder, HIPHOP_INVALID_ARGUMENT);

	builder = started(sizeof buffer);
	assert_int_equal(packet_builder_add(&builder, PARAMETER_CERT, "abcd", 4), HIPHOP_OK);
	assert_int_equal(packet_builder_add(&builder, PARAMETER_CERT, "efgh", 4), HIPHOP_OK);
	assert_int_equal(packet_builder_payload(&builder, 17, "x", 1), HIPHOP_OK);
	assert_int_equal(packet_builder_add(&builder, PARAMETER_ROUTE_VIA, "\0\0\0\0", 4), HIPHOP_INVALID_ARGUMENT);
	expect_failed(&builder, HIPHOP_INVALID_ARGUMENT);
}

/* conforms: RFC7401-5.3-1 */
static void test_limits(void **state)
{
	static const uint8_t zeros[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	struct packet_builder builder;
	size_t length;

	(void)state;
	assert_int_equal(
		packet_builder_start(&builder, buffer, 39, HIP_PACKET_I1, 0, &sample_initiator, &sample_responder),
		HIPHOP_TOO_LARGE);
	expect_failed(&builder, HIPHOP_TOO_LARGE);

	builder = started(sizeof buffer);
	assert_int_equal(
		packet_builder_add(&builder, PARAMETER_ENCRYPTED, zeros, HIP_PARAMETERS_MAXIMUM - 4), HIPHOP_OK);
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	assert_int_equal(length, HIP_PACKET_MAXIMUM);
	assert_int_equal(buffer[1], 255);
	assert_int_equal(packet_builder_add(&builder, PARAMETER_HOST_ID, zeros, 0), HIPHOP_TOO_LARGE);

	builder = started(sizeof buffer);
	assert_int_equal(
		packet_builder_add(&builder, PARAMETER_ENCRYPTED, zeros, HIP_PARAMETERS_MAXIMUM - 3), HIPHOP_TOO_LARGE);
	expect_failed(&builder, HIPHOP_TOO_LARGE);

	builder = started(sizeof buffer);
	assert_null(packet_builder_reserve(&builder, PARAMETER_ENCRYPTED, SIZE_MAX));
	expect_failed(&builder, HIPHOP_TOO_LARGE);

	builder = started(55);
	assert_int_equal(packet_builder_add(&builder, PARAMETER_ESP_INFO, zeros, 12), HIPHOP_TOO_LARGE);
	builder = started(56);
	assert_int_equal(packet_builder_add(&builder, PARAMETER_ESP_INFO, zeros, 12), HIPHOP_OK);

	builder = started(sizeof buffer);
	assert_int_equal(packet_builder_payload(&builder, 17, zeros, HIP_PACKET_WITH_PAYLOAD_MAXIMUM - 40), HIPHOP_OK);
	builder = started(sizeof buffer);
	assert_int_equal(
		packet_builder_payload(&builder, 17, zeros, HIP_PACKET_WITH_PAYLOAD_MAXIMUM - 39), HIPHOP_TOO_LARGE);
	builder = started(sizeof buffer);
	assert_int_equal(packet_builder_payload(&builder, HIP_PROTOCOL, zeros, 1), HIPHOP_INVALID_ARGUMENT);
}

static void test_encoded_parameters(void **state)
{
	static const uint8_t unknown[] = {0x80, 0x00, 0, 2, 'h', 'i', 0, 0};
	struct packet_builder builder = started(sizeof buffer);

	(void)state;
	assert_int_equal(packet_builder_add_encoded(&builder, (struct span){unknown, 8}), HIPHOP_OK);
	assert_memory_equal(buffer + 40, unknown, 8);
	assert_int_equal(packet_builder_add_encoded(&builder, (struct span){unknown, 7}), HIPHOP_INVALID_ARGUMENT);
	builder = started(sizeof buffer);
	assert_int_equal(packet_builder_add_encoded(&builder, (struct span){NULL, 0}), HIPHOP_INVALID_ARGUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_padding_of_every_length),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_encoded_parameters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
