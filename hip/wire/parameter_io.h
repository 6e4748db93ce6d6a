/* SPDX-License-Identifier: MIT */
/**
 * What the typed readers and writers of parameters.h share. Only for hip/wire.
 */
#ifndef HIPHOP_HIP_WIRE_PARAMETER_IO_H
#define HIPHOP_HIP_WIRE_PARAMETER_IO_H

#include "hip/base/bytes.h"
#include "hip/wire/builder.h"
#include "hip/wire/packet.h"

/** A reader over the contents of a parameter that must be of `type`. HIPHOP_NOT_FOUND when `view` is NULL,
 *  HIPHOP_INVALID_ARGUMENT for another type; the reader is empty then. */
hiphop_error parameter_open(const struct parameter_view *view, uint16_t type, struct reader *reader);
/** The same when one of several types will do. */
hiphop_error parameter_open_any(
	const struct parameter_view *view, const uint16_t *types, size_t count, struct reader *reader);
bool parameter_type_in(uint16_t type, const uint16_t *types, size_t count);
/** What is left, as a span. */
struct span parameter_rest(struct reader *reader);
/** Reads 16-bit numbers to the end, keeps the first `maximum`. HIPHOP_MALFORMED when half a number is left over. */
hiphop_error parameter_read_u16_list(struct reader *reader, uint16_t *items, size_t maximum, size_t *count);
/** Adds a parameter with `length` octets of contents and returns a writer over them; a failed builder gives an empty
 * one. */
struct writer parameter_begin(struct packet_builder *builder, uint16_t type, size_t length);
/** The error of builder or writer. HIPHOP_INVALID_ARGUMENT when the contents were not filled exactly. */
hiphop_error parameter_end(struct packet_builder *builder, const struct writer *writer);
/** Marks the builder failed for a breach of contract by its caller, and returns its first error. */
hiphop_error parameter_refuse(struct packet_builder *builder, hiphop_error error);

#endif
