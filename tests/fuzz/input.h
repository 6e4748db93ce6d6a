/* SPDX-License-Identifier: MIT */
/**
 * The octets of a fuzzer, taken one after the other. Behind their end everything is zero.
 */
#ifndef HIPHOP_TESTS_FUZZ_INPUT_H
#define HIPHOP_TESTS_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct fuzz_input {
	const uint8_t *data;
	size_t left;
};

static inline bool input_is_over(const struct fuzz_input *input)
{
	return input->left == 0;
}

static inline uint8_t input_u8(struct fuzz_input *input)
{
	if (!input->left)
		return 0;
	input->left--;
	return *input->data++;
}

static inline uint16_t input_u16(struct fuzz_input *input)
{
	uint8_t high = input_u8(input);

	return (uint16_t)(high << 8 | input_u8(input));
}

static inline uint32_t input_u32(struct fuzz_input *input)
{
	uint32_t high = input_u16(input);

	return high << 16 | input_u16(input);
}

/** Up to `wanted` octets, in place; `*length` says how many there are. */
static inline const uint8_t *input_octets(struct fuzz_input *input, size_t wanted, size_t *length)
{
	const uint8_t *octets = input->data;

	*length = wanted < input->left ? wanted : input->left;
	input->data += *length;
	input->left -= *length;
	return octets;
}

/** Fills all of `out`, with zeros at the end when there is less. */
static inline void input_fill(struct fuzz_input *input, void *out, size_t length)
{
	size_t got;
	const uint8_t *octets = input_octets(input, length, &got);

	memset(out, 0, length);
	if (got)
		memcpy(out, octets, got);
}

#endif
