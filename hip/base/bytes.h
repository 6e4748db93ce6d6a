/* SPDX-License-Identifier: MIT */
/**
 * The bounded reader and writer. Every octet from outside is read through `struct reader`; every message is built
 * with `struct writer`. Both remember their first failure, so that a run of calls needs one check at its end.
 */
#ifndef HIPHOP_HIP_BASE_BYTES_H
#define HIPHOP_HIP_BASE_BYTES_H

#include "hip/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A borrowed run of octets. */
struct span {
	const uint8_t *data;
	size_t length;
};

struct reader {
	const uint8_t *data;
	size_t length;   /**< octets in all */
	size_t position; /**< octets consumed */
	bool failed;     /**< a read went past the end; every later read gives zero */
};

struct reader reader_over(const void *data, size_t length);
size_t reader_left(const struct reader *reader);
/** HIPHOP_OK, or HIPHOP_TRUNCATED once any read has gone past the end. */
hiphop_error reader_status(const struct reader *reader);
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader); /* network order on the wire, host order here */
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
/** Copies `length` octets out; zeroes `out` when they are not there. */
void reader_copy(struct reader *reader, void *out, size_t length);
/** A view of the next `length` octets; empty when they are not there. */
struct span reader_span(struct reader *reader, size_t length);
void reader_skip(struct reader *reader, size_t length);
/** A view of an 8-, 16- or 32-bit length and then that many octets (the vectors of RELOAD's presentation language). */
struct span reader_vector8(struct reader *reader);
struct span reader_vector16(struct reader *reader);
struct span reader_vector32(struct reader *reader);

struct writer {
	uint8_t *data;
	size_t capacity;
	size_t position;
	bool failed; /**< something did not fit; every later write does nothing */
};

struct writer writer_over(void *data, size_t capacity);
/** HIPHOP_OK, or HIPHOP_TOO_LARGE once any write did not fit. */
hiphop_error writer_status(const struct writer *writer);
void writer_u8(struct writer *writer, uint8_t value);
void writer_u16(struct writer *writer, uint16_t value);
void writer_u32(struct writer *writer, uint32_t value);
void writer_u64(struct writer *writer, uint64_t value);
void writer_copy(struct writer *writer, const void *data, size_t length);
void writer_zero(struct writer *writer, size_t length);
/** Opens a length block of `width` octets (1, 2 or 4) and returns a mark; writer_end_vector fills the length in. */
size_t writer_begin_vector(struct writer *writer, unsigned width);
void writer_end_vector(struct writer *writer, size_t mark, unsigned width);
/** Overwrites two octets already written, at `position`. */
void writer_patch_u16(struct writer *writer, size_t position, uint16_t value);

/** Compares in constant time; for MACs, nonces, puzzle solutions and secrets. */
bool bytes_equal_constant_time(const void *a, const void *b, size_t length);
/** Zeroes memory; the compiler may not drop it. */
void bytes_wipe(void *data, size_t length);

/** A copy of octets on the heap, with its length. */
struct buffer {
	uint8_t *data;
	size_t length;
};

/** HIPHOP_NO_MEMORY. An empty source gives data == NULL. Free with buffer_free. */
hiphop_error buffer_copy(struct buffer *buffer, const void *data, size_t length);
void buffer_free(struct buffer *buffer);

/** The self-wiping holder of a secret: at most 256 octets, wiped by secret_clear, never logged or formatted. */
#define SECRET_MAXIMUM 256
struct secret {
	size_t length;
	uint8_t octets[SECRET_MAXIMUM];
};

/** HIPHOP_TOO_LARGE over SECRET_MAXIMUM. */
hiphop_error secret_set(struct secret *secret, const void *data, size_t length);
void secret_clear(struct secret *secret);

#endif
