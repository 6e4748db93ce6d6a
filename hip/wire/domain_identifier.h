/* SPDX-License-Identifier: MIT */
/**
 * The Domain Identifier of HOST_ID (RFC 7401 section 5.2.9): the name that a host gives itself. It is a word of the
 * host about itself, under its signature, and no proof of anything.
 *
 * An FQDN travels as labels (RFC 1035 section 3.1), a Network Access Identifier as its text (RFC 4282).
 */
#ifndef HIPHOP_HIP_WIRE_DOMAIN_IDENTIFIER_H
#define HIPHOP_HIP_WIRE_DOMAIN_IDENTIFIER_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Octets of one at most: an FQDN in wire form (RFC 1035 section 2.3.4) has 255, an NAI 253 (RFC 4282 section 2.2). */
#define DOMAIN_IDENTIFIER_MAXIMUM 255
/** Room for the text: each octet may become "\123", and a zero. */
#define DOMAIN_IDENTIFIER_TEXT_SIZE (4 * DOMAIN_IDENTIFIER_MAXIMUM + 1)

/** All zero: none. */
struct domain_identifier {
	uint8_t type; /**< enum hip_domain_identifier */
	uint8_t length;
	uint8_t octets[DOMAIN_IDENTIFIER_MAXIMUM]; /**< as on the wire */
};

/**
 * "user@realm", "user@" and "@realm" are NAIs, all else is an FQDN: labels of letters, digits, '-' and '_', with or
 * without a dot at the end. An empty text is none. HIPHOP_MALFORMED (an empty label or one over 63 octets, an octet
 * that cannot stand there, an NAI without user and realm), HIPHOP_TOO_LARGE.
 */
hiphop_error domain_identifier_from_text(const char *text, struct domain_identifier *identifier);
/**
 * Checks the fields of a received HOST_ID: an FQDN must be labels up to and with the root and nothing after it,
 * uncompressed; an NAI must have an octet. HIPHOP_MALFORMED, HIPHOP_TOO_LARGE, HIPHOP_UNSUPPORTED (another DI-Type):
 * `identifier` is then none.
 */
hiphop_error domain_identifier_from_octets(uint8_t type, struct span octets, struct domain_identifier *identifier);
/** The text form, in printable ASCII: any other octet, and a dot inside of a label, is "\" and three digits (RFC 1035
 * section 5.1). Writes "" for none. Returns `text`. */
char *domain_identifier_format(
	const struct domain_identifier *identifier, char text[static DOMAIN_IDENTIFIER_TEXT_SIZE]);
bool domain_identifier_is_none(const struct domain_identifier *identifier);

#endif
