/* SPDX-License-Identifier: MIT */
#include "hip/wire/framing.h"

#include "tests/unit/cmocka.h"

static void test_rows(void **state)
{
	static const struct {
		uint8_t octets[12];
		size_t length;
		framing_kind kind;
		size_t contents;
	} rows[] = {
		{{0}, 0, FRAMING_INVALID, 0},
		{{0xff}, 1, FRAMING_KEEPALIVE, 0},
		{{0xfe}, 1, FRAMING_INVALID, 0},
		{{0xff, 0xff}, 2, FRAMING_INVALID, 0},
		{{0}, 3, FRAMING_INVALID, 0},
		{{0}, 4, FRAMING_INVALID, 0},
		{{0}, 5, FRAMING_HIP, 1},
		{{0, 0, 0, 0, 59}, 12, FRAMING_HIP, 8},
		{{0, 0, 0, 1}, 7, FRAMING_INVALID, 0},
		{{0, 0, 0, 1}, 8, FRAMING_ESP, 8},
		{{0xff, 0, 0, 0}, 12, FRAMING_ESP, 12},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct span contents;

		assert_int_equal(framing_classify(rows[i].octets, rows[i].length, &contents), rows[i].kind);
		assert_int_equal(contents.length, rows[i].contents);
		if (rows[i].contents)
			assert_ptr_equal(contents.data + contents.length, rows[i].octets + rows[i].length);
		assert_int_equal(framing_classify(rows[i].octets, rows[i].length, NULL), rows[i].kind);
	}
}

static void test_marker(void **state)
{
	uint8_t marker[FRAMING_MARKER_LENGTH + 1] = {9, 9, 9, 9, 9};

	(void)state;
	framing_write_marker(marker);
	assert_memory_equal(marker, "\0\0\0\0\11", 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_marker),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
