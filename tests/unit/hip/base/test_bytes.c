/* SPDX-License-Identifier: MIT */
#include "hip/base/bytes.h"

#include "hip/base/error.h"
#include "tests/unit/cmocka.h"

#include <string.h>

static void test_reader_reads_in_order(void **state)
{
	static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 2, 'a', 'b'};
	struct reader reader = reader_over(data, sizeof data);
	struct span span;

	(void)state;
	assert_int_equal(reader_u8(&reader), 1);
	assert_int_equal(reader_u16(&reader), 0x0203);
	assert_int_equal(reader_u32(&reader), 0x04050607);
	assert_true(reader_u64(&reader) == UINT64_C(0x08090a0b0c0d0e0f));
	span = reader_vector8(&reader);
	assert_int_equal(span.length, 2);
	assert_memory_equal(span.data, "ab", 2);
	assert_int_equal(reader_left(&reader), 0);
	assert_int_equal(reader_status(&reader), HIPHOP_OK);
}

static void test_reader_remembers_failure(void **state)
{
	static const uint8_t data[] = {1, 2, 3};
	struct reader reader = reader_over(data, sizeof data);
	uint8_t out[4] = {9, 9, 9, 9};

	(void)state;
	assert_int_equal(reader_u32(&reader), 0);
	assert_int_equal(reader_status(&reader), HIPHOP_TRUNCATED);
	assert_int_equal(reader_u8(&reader), 0); /* though octets are left */
	reader_copy(&reader, out, sizeof out);
	assert_memory_equal(out, "\0\0\0\0", 4);
	assert_null(reader_span(&reader, 1).data);
}

static void test_reader_vectors_are_bounded(void **state)
{
	static const uint8_t data[] = {0xff, 0xff, 0xff, 0xff, 1};
	struct reader reader = reader_over(data, sizeof data);

	(void)state;
	assert_int_equal(reader_vector32(&reader).length, 0);
	assert_int_equal(reader_status(&reader), HIPHOP_TRUNCATED);
	reader = reader_over(data, sizeof data);
	assert_int_equal(reader_vector16(&reader).length, 0);
	assert_int_equal(reader_status(&reader), HIPHOP_TRUNCATED);
	reader = reader_over(NULL, 0);
	reader_skip(&reader, 0);
	assert_int_equal(reader_status(&reader), HIPHOP_OK);
	reader_skip(&reader, SIZE_MAX);
	assert_int_equal(reader_status(&reader), HIPHOP_TRUNCATED);
}

static void test_writer_writes_network_order(void **state)
{
	static const uint8_t expected[] = {1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 'x', 0, 0, 0, 2, 'y', 'z'};
	uint8_t data[sizeof expected];
	struct writer writer = writer_over(data, sizeof data);
	size_t mark;

	(void)state;
	writer_u8(&writer, 1);
	writer_u16(&writer, 0);
	writer_u32(&writer, 3);
	writer_u64(&writer, 4);
	writer_copy(&writer, "x", 1);
	writer_zero(&writer, 2);
	mark = writer_begin_vector(&writer, 2);
	writer_copy(&writer, "yz", 2);
	writer_end_vector(&writer, mark, 2);
	writer_patch_u16(&writer, 1, 2);
	assert_int_equal(writer_status(&writer), HIPHOP_OK);
	assert_int_equal(writer.position, sizeof expected);
	assert_memory_equal(data, expected, sizeof expected);
}

static void test_writer_stops_at_its_end(void **state)
{
	uint8_t data[4] = {0xaa, 0xaa, 0xaa, 0xaa};
	struct writer writer = writer_over(data, 3);

	(void)state;
	writer_u16(&writer, 0x0102);
	writer_u16(&writer, 0x0304);
	writer_u8(&writer, 5);
	assert_int_equal(writer_status(&writer), HIPHOP_TOO_LARGE);
	assert_int_equal(writer.position, 2);
	assert_memory_equal(data, "\x01\x02\xaa\xaa", 4);
}

static void test_writer_refuses_too_long_vector(void **state)
{
	uint8_t data[300];
	struct writer writer = writer_over(data, sizeof data);
	size_t mark = writer_begin_vector(&writer, 1);

	(void)state;
	writer_zero(&writer, 256);
	writer_end_vector(&writer, mark, 1);
	assert_int_equal(writer_status(&writer), HIPHOP_TOO_LARGE);
}

static void test_writer_refuses_patch_outside(void **state)
{
	uint8_t data[8];
	struct writer writer = writer_over(data, sizeof data);

	(void)state;
	writer_u8(&writer, 1);
	writer_patch_u16(&writer, 0, 7);
	assert_int_equal(writer_status(&writer), HIPHOP_TOO_LARGE);
}

static void test_comparison_and_wiping(void **state)
{
	uint8_t a[4] = {1, 2, 3, 4};
	uint8_t b[4] = {1, 2, 3, 5};

	(void)state;
	assert_false(bytes_equal_constant_time(a, b, 4));
	assert_true(bytes_equal_constant_time(a, b, 3));
	assert_true(bytes_equal_constant_time(a, b, 0));
	bytes_wipe(a, sizeof a);
	assert_memory_equal(a, "\0\0\0\0", 4);
}

static void test_buffer(void **state)
{
	struct buffer buffer;

	(void)state;
	assert_int_equal(buffer_copy(&buffer, "abc", 3), HIPHOP_OK);
	assert_memory_equal(buffer.data, "abc", 3);
	buffer_free(&buffer);
	assert_null(buffer.data);
	assert_int_equal(buffer_copy(&buffer, NULL, 0), HIPHOP_OK);
	assert_null(buffer.data);
}

static void test_secret(void **state)
{
	static const uint8_t long_one[SECRET_MAXIMUM + 1];
	static const struct secret empty;
	struct secret secret;

	(void)state;
	memset(&secret, 0xee, sizeof secret);
	assert_int_equal(secret_set(&secret, long_one, sizeof long_one), HIPHOP_TOO_LARGE);
	assert_int_equal(secret_set(&secret, "key", 3), HIPHOP_OK);
	assert_int_equal(secret.length, 3);
	assert_memory_equal(secret.octets, "key\0\0", 5);
	secret_clear(&secret);
	assert_memory_equal(&secret, &empty, sizeof empty);
}

static void test_error_texts(void **state)
{
	(void)state;
	for (int error = HIPHOP_OK; error <= HIPHOP_INVALID_ARGUMENT; error++)
		assert_string_not_equal(hiphop_error_text((hiphop_error)error), "unknown error");
	assert_string_equal(hiphop_error_text((hiphop_error)(HIPHOP_INVALID_ARGUMENT + 1)), "unknown error");
	assert_string_equal(hiphop_error_text(HIPHOP_BAD_SIGNATURE), "bad signature");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader_reads_in_order),
		cmocka_unit_test(test_reader_remembers_failure),
		cmocka_unit_test(test_reader_vectors_are_bounded),
		cmocka_unit_test(test_writer_writes_network_order),
		cmocka_unit_test(test_writer_stops_at_its_end),
		cmocka_unit_test(test_writer_refuses_too_long_vector),
		cmocka_unit_test(test_writer_refuses_patch_outside),
		cmocka_unit_test(test_comparison_and_wiping),
		cmocka_unit_test(test_buffer),
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_error_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
