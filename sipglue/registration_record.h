/* SPDX-License-Identifier: MIT */
/**
 * The SipRegistration record of RFC 7904 section 3.2: what the overlay stores under an Address-of-Record.
 */
#ifndef HIPHOP_SIPGLUE_REGISTRATION_RECORD_H
#define HIPHOP_SIPGLUE_REGISTRATION_RECORD_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"

#include <stddef.h>
#include <stdint.h>

/** SipRegistrationType. */
typedef enum {
	REGISTRATION_URI = 1,  /**< look up another Address-of-Record instead */
	REGISTRATION_ROUTE = 2 /**< go to this peer */
} registration_type;

/** Peers in a destination list at most (an overlay path is far shorter than this). */
#define REGISTRATION_DESTINATIONS_MAXIMUM 8
/** Octets that a record made by registration_record_encode can have at most. */
#define REGISTRATION_RECORD_MAXIMUM 1024

struct registration_record {
	registration_type type;
	struct span uri;                 /**< REGISTRATION_URI: the other Address-of-Record, without scheme */
	struct span contact_preferences; /**< REGISTRATION_ROUTE: RFC 3840 feature parameters; may be empty */
	struct hit destinations[REGISTRATION_DESTINATIONS_MAXIMUM]; /**< REGISTRATION_ROUTE: the path, owner last */
	size_t destination_count;
};

/** Writes the record into `out` and its size into `length`. HIPHOP_TOO_LARGE when it does not fit in `capacity`;
 *  HIPHOP_INVALID_ARGUMENT for an unknown type, no destination or too many. */
hiphop_error registration_record_encode(
	const struct registration_record *record, uint8_t *out, size_t capacity, size_t *length);
/** Reads a record; the spans point into `data`. Destinations other than nodes of 16 octets are HIPHOP_UNSUPPORTED, as
 *  are unknown types; HIPHOP_TRUNCATED, HIPHOP_MALFORMED (octets left over, empty list), HIPHOP_TOO_LARGE (long list).
 */
hiphop_error registration_record_decode(const void *data, size_t length, struct registration_record *record);

#endif
