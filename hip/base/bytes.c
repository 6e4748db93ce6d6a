/* SPDX-License-Identifier: MIT */
#include "hip/base/bytes.h"

#include <stdlib.h>
#include <string.h>

struct reader reader_over(const void *data, size_t length)
{
	return (struct reader){.data = data, .length = length};
}

size_t reader_left(const struct reader *reader)
{
	return reader->length - reader->position;
}

hiphop_error reader_status(const struct reader *reader)
{
	return reader->failed ? HIPHOP_TRUNCATED : HIPHOP_OK;
}

/* The next `length` octets, or NULL and the reader failed. Every other read goes through here. */
static const uint8_t *take(struct reader *reader, size_t length)
{
	const uint8_t *octets;

	if (reader->failed || length > reader_left(reader)) {
		reader->failed = true;
		return NULL;
	}
	octets = reader->data + reader->position;
	reader->position += length;
	return octets;
}

static uint64_t take_number(struct reader *reader, size_t width)
{
	const uint8_t *octets = take(reader, width);
	uint64_t value = 0;

	for (size_t i = 0; octets && i < width; i++)
		value = value << 8 | octets[i];
	return value;
}

uint8_t reader_u8(struct reader *reader)
{
	return (uint8_t)take_number(reader, 1);
}

uint16_t reader_u16(struct reader *reader)
{
	return (uint16_t)take_number(reader, 2);
}

uint32_t reader_u32(struct reader *reader)
{
	return (uint32_t)take_number(reader, 4);
}

uint64_t reader_u64(struct reader *reader)
{
	return take_number(reader, 8);
}

void reader_copy(struct reader *reader, void *out, size_t length)
{
	const uint8_t *octets;

	if (!length)
		return;
	octets = take(reader, length);
	if (octets)
		memcpy(out, octets, length);
	else
		memset(out, 0, length);
}

struct span reader_span(struct reader *reader, size_t length)
{
	const uint8_t *octets;

	if (!length)
		return (struct span){NULL, 0};
	octets = take(reader, length);
	return (struct span){octets, octets ? length : 0};
}

void reader_skip(struct reader *reader, size_t length)
{
	if (length)
		take(reader, length);
}

struct span reader_vector8(struct reader *reader)
{
	return reader_span(reader, reader_u8(reader));
}

struct span reader_vector16(struct reader *reader)
{
	return reader_span(reader, reader_u16(reader));
}

struct span reader_vector32(struct reader *reader)
{
	return reader_span(reader, reader_u32(reader));
}

struct writer writer_over(void *data, size_t capacity)
{
	return (struct writer){.data = data, .capacity = capacity};
}

hiphop_error writer_status(const struct writer *writer)
{
	return writer->failed ? HIPHOP_TOO_LARGE : HIPHOP_OK;
}

/* Room for `length` octets, or NULL and the writer failed. Every other write goes through here. */
static uint8_t *give(struct writer *writer, size_t length)
{
	uint8_t *octets;

	if (writer->failed || length > writer->capacity - writer->position) {
		writer->failed = true;
		return NULL;
	}
	octets = writer->data + writer->position;
	writer->position += length;
	return octets;
}

static void store_number(uint8_t *octets, uint64_t value, size_t width)
{
	for (size_t i = 0; i < width; i++)
		octets[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
}

static void give_number(struct writer *writer, uint64_t value, size_t width)
{
	uint8_t *octets = give(writer, width);

	if (octets)
		store_number(octets, value, width);
}

void writer_u8(struct writer *writer, uint8_t value)
{
	give_number(writer, value, 1);
}

void writer_u16(struct writer *writer, uint16_t value)
{
	give_number(writer, value, 2);
}

void writer_u32(struct writer *writer, uint32_t value)
{
	give_number(writer, value, 4);
}

void writer_u64(struct writer *writer, uint64_t value)
{
	give_number(writer, value, 8);
}

void writer_copy(struct writer *writer, const void *data, size_t length)
{
	uint8_t *octets;

	if (!length)
		return;
	octets = give(writer, length);
	if (octets)
		memcpy(octets, data, length);
}

void writer_zero(struct writer *writer, size_t length)
{
	uint8_t *octets;

	if (!length)
		return;
	octets = give(writer, length);
	if (octets)
		memset(octets, 0, length);
}

size_t writer_begin_vector(struct writer *writer, unsigned width)
{
	size_t mark = writer->position;

	writer_zero(writer, width);
	return mark;
}

void writer_end_vector(struct writer *writer, size_t mark, unsigned width)
{
	size_t length;

	if (writer->failed)
		return;
	length = writer->position - mark - width;
	if (width < sizeof length && length >> (8 * width)) {
		writer->failed = true;
		return;
	}
	store_number(writer->data + mark, length, width);
}

void writer_patch_u16(struct writer *writer, size_t position, uint16_t value)
{
	if (writer->failed)
		return;
	if (writer->position < 2 || position > writer->position - 2) {
		writer->failed = true;
		return;
	}
	store_number(writer->data + position, value, 2);
}

bool bytes_equal_constant_time(const void *a, const void *b, size_t length)
{
	const volatile uint8_t *left = a;
	const volatile uint8_t *right = b;
	uint8_t difference = 0;

	for (size_t i = 0; i < length; i++)
		difference |= left[i] ^ right[i];
	return difference == 0;
}

void bytes_wipe(void *data, size_t length)
{
	if (length)
		explicit_bzero(data, length);
}

hiphop_error buffer_copy(struct buffer *buffer, const void *data, size_t length)
{
	uint8_t *copy;

	*buffer = (struct buffer){NULL, 0};
	if (!length)
		return HIPHOP_OK;
	copy = malloc(length);
	if (!copy)
		return HIPHOP_NO_MEMORY;
	memcpy(copy, data, length);
	buffer->data = copy;
	buffer->length = length;
	return HIPHOP_OK;
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){NULL, 0};
}

hiphop_error secret_set(struct secret *secret, const void *data, size_t length)
{
	if (length > SECRET_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	if (length)
		memmove(secret->octets, data, length);
	bytes_wipe(secret->octets + length, SECRET_MAXIMUM - length);
	secret->length = length;
	return HIPHOP_OK;
}

void secret_clear(struct secret *secret)
{
	bytes_wipe(secret, sizeof *secret);
}
