/* SPDX-License-Identifier: MIT */
/** Comparing written parameters with octets by hand, and reading parameters made of octets by hand. */
#ifndef HIPHOP_TESTS_UNIT_HIP_WIRE_PARAMETER_CHECKS_H
#define HIPHOP_TESTS_UNIT_HIP_WIRE_PARAMETER_CHECKS_H

#include "hip/wire/parameters.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>

#define CHECK_CAPACITY 1200

/** A builder of stand-alone parameters with its buffer. */
struct check {
	struct packet_builder builder;
	uint8_t buffer[CHECK_CAPACITY];
	struct parameter_list list;
	uint8_t *exact; /**< contents in an allocation of just their size, so that the sanitizer sees every read behind
			 */
	struct parameter_view view;
};

static inline struct packet_builder *check_start(struct check *check)
{
	packet_builder_start_inner(&check->builder, check->buffer, sizeof check->buffer);
	return &check->builder;
}

static inline size_t check_octets(const char *hex, uint8_t *out, size_t capacity)
{
	size_t length = 0;

	for (; *hex; hex++) {
		char digits[3] = {hex[0], hex[1], 0};

		if (*hex == ' ')
			continue;
		assert_true(length < capacity);
		out[length++] = (uint8_t)strtoul(digits, NULL, 16);
		hex++;
	}
	return length;
}

/** What was written is this, in hexadecimal; spaces are for the eye. Then the one parameter is parsed and returned. */
static inline const struct parameter_view *check_written(struct check *check, const char *hex)
{
	uint8_t expected[CHECK_CAPACITY];
	size_t wanted = check_octets(hex, expected, sizeof expected);
	size_t length;

	assert_int_equal(packet_builder_finish(&check->builder, &length), HIPHOP_OK);
	assert_int_equal(length, wanted);
	assert_memory_equal(check->buffer, expected, length);
	assert_int_equal(parameters_parse(check->buffer, length, &check->list), HIPHOP_OK);
	assert_int_equal(check->list.count, 1);
	return &check->list.items[0];
}

/** A parameter of a type with the given contents. Free with check_free. */
static inline const struct parameter_view *check_contents(struct check *check, uint16_t type, const char *hex)
{
	uint8_t contents[CHECK_CAPACITY];
	size_t length = check_octets(hex, contents, sizeof contents);

	check->exact = malloc(length ? length : 1);
	assert_non_null(check->exact);
	memcpy(check->exact, contents, length);
	check->view = (struct parameter_view){.type = type, .contents = {check->exact, length}};
	return &check->view;
}

static inline void check_free(struct check *check)
{
	free(check->exact);
	check->exact = NULL;
}

/** `reader` on contents by hand gives `expected`; and on all shorter contents, `shorter` (HIPHOP_OK: any result). */
#define CHECK_READ(reader, out, type_, hex, expected, shorter)                                                         \
	do {                                                                                                           \
		struct check check_;                                                                                   \
		const struct parameter_view *whole_ = check_contents(&check_, (type_), (hex));                         \
		assert_int_equal(reader(whole_, (out)), (expected));                                                   \
		for (size_t cut_ = whole_->contents.length; cut_-- > 0;) {                                             \
			uint8_t *exact_ = malloc(cut_ ? cut_ : 1);                                                     \
			struct parameter_view view_ = {.type = (type_), .contents = {exact_, cut_}};                   \
			hiphop_error error_;                                                                           \
			assert_non_null(exact_);                                                                       \
			memcpy(exact_, whole_->contents.data, cut_);                                                   \
			error_ = reader(&view_, (out));                                                                \
			if ((shorter) != HIPHOP_OK)                                                                    \
				assert_int_equal(error_, (shorter));                                                   \
			free(exact_);                                                                                  \
		}                                                                                                      \
		assert_int_equal(reader(NULL, (out)), HIPHOP_NOT_FOUND);                                               \
		check_.view.type = 1;                                                                                  \
		assert_int_equal(reader(&check_.view, (out)), HIPHOP_INVALID_ARGUMENT);                                \
		check_free(&check_);                                                                                   \
	} while (0)

#define SPAN_TEXT(text) ((struct span){(const uint8_t *)(text), sizeof(text) - 1})

#endif
