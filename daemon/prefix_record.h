/* SPDX-License-Identifier: MIT */
/**
 * The value that a host stores in the overlay to announce what lies behind it (docs/hipv2-mapping.md, section 11).
 */
#ifndef HIPHOP_DAEMON_PREFIX_RECORD_H
#define HIPHOP_DAEMON_PREFIX_RECORD_H

#include "hip/base/error.h"
#include "hip/base/ip_prefix.h"

#include <stddef.h>
#include <stdint.h>

/** Prefixes of one host at most. */
#define PREFIX_RECORD_MAXIMUM 64
/** Octets of a value at most. */
#define PREFIX_RECORD_SIZE (2 + PREFIX_RECORD_MAXIMUM * (2 + 16))

struct prefix_record {
	size_t count;
	struct ip_prefix prefixes[PREFIX_RECORD_MAXIMUM];
};

/** Writes the value. The prefixes are clean. HIPHOP_TOO_LARGE. */
hiphop_error prefix_record_encode(const struct prefix_record *record, uint8_t *octets, size_t size, size_t *length);
/**
 * Reads a value; what it says is a claim, and may be any prefix. HIPHOP_UNSUPPORTED (another version),
 * HIPHOP_TRUNCATED, HIPHOP_MALFORMED (family, length, bits behind it, octets that are left over), HIPHOP_LIMITED (too
 * many).
 */
hiphop_error prefix_record_decode(const uint8_t *octets, size_t length, struct prefix_record *record);

#endif
