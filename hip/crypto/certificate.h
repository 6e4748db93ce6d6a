/* SPDX-License-Identifier: MIT */
/**
 * X.509 certificates of Host Identities (RFC 8002): own chains as they are sent, authorities that are trusted, and
 * whether the certificates of a peer lead from its Host Identity to one of them. Wall time comes in as an argument.
 *
 * A certificate is of a host when the Host Identity is its subject's public key; HITs in its Subject Alternative Name,
 * if there are any, must have the host's among them (RFC 8002 section 3). The signatures on the way must be of the
 * algorithms of RFC 7401: RSA and ECDSA, with SHA-256 or SHA-384 (section 2). A serial number on a CRL that was given
 * with the authorities makes a certificate invalid, whatever the reason (section 4).
 */
#ifndef HIPHOP_HIP_CRYPTO_CERTIFICATE_H
#define HIPHOP_HIP_CRYPTO_CERTIFICATE_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"
#include "hip/base/time.h"
#include "hip/crypto/host_identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Octets of one certificate at most: it must fit a packet besides what else is in it. */
#define CERTIFICATE_OCTETS_MAXIMUM 1400
/** Certificates of one chain at most. */
#define CERTIFICATE_CHAIN_MAXIMUM 8
/** Room for a Distinguished Name as text (RFC 4514); longer ones are cut. */
#define CERTIFICATE_NAME_SIZE 160
/** Characters of PEM text at most. */
#define CERTIFICATE_PEM_MAXIMUM 262144

/** Certificates in DER, that of the host first. */
struct certificate_chain {
	size_t count;
	struct buffer certificates[CERTIFICATE_CHAIN_MAXIMUM];
};

/** What came of it. */
#define CERTIFICATE_VERDICTS(X)                                                                                        \
	X(VALID, "valid")                                                                                              \
	X(NO_AUTHORITIES, "no authorities are configured")                                                             \
	X(MALFORMED, "not a certificate")                                                                              \
	X(UNSUPPORTED, "a kind of certificate that is not taken")                                                      \
	X(MISGROUPED, "the certificates do not make a group")                                                          \
	X(FOREIGN_KEY, "no certificate has the Host Identity as its key")                                              \
	X(FOREIGN_HIT, "the certificate is for another HIT")                                                           \
	X(UNTRUSTED, "no chain to a configured authority")                                                             \
	X(NOT_YET_VALID, "not valid yet")                                                                              \
	X(EXPIRED, "expired")                                                                                          \
	X(REVOKED, "revoked")                                                                                          \
	X(WEAK, "an algorithm that RFC 7401 does not have")                                                            \
	X(BAD_SIGNATURE, "a signature does not fit")                                                                   \
	X(FAILED, "it cannot be verified")

typedef enum {
#define CERTIFICATE_VERDICT_MEMBER(name, text) CERTIFICATE_##name,
	CERTIFICATE_VERDICTS(CERTIFICATE_VERDICT_MEMBER)
#undef CERTIFICATE_VERDICT_MEMBER
		CERTIFICATE_VERDICT_COUNT
} certificate_verdict;

/** The text above. Static. */
const char *certificate_verdict_text(certificate_verdict verdict);

/** What is known of a peer's certificate. The names are its own words unless it is valid. */
struct certificate_report {
	certificate_verdict verdict;
	size_t culprit; /**< place in the chain of the one that does not hold; the count when that is none of them */
	char subject[CERTIFICATE_NAME_SIZE];
	char issuer[CERTIFICATE_NAME_SIZE];
	wall_milliseconds valid_until; /**< the earliest end in the chain when valid, else of the host's certificate */
};

/** One received certificate. */
struct certificate_item {
	uint8_t type; /**< hip_certificate_type */
	struct span octets;
};

struct certificate_authorities;

/**
 * Reads certificates and CRLs in PEM. Each certificate is trusted for what it has signed, whether it is a root or
 * not. `authorities` NULL makes a new set, owned by the caller; else they are added to it. HIPHOP_NOT_FOUND (there is
 * none in the text), HIPHOP_MALFORMED, HIPHOP_TOO_LARGE, HIPHOP_NO_MEMORY; a set that was there is as before then, or
 * has some of them.
 */
hiphop_error certificate_authorities_add(const char *pem, size_t length, struct certificate_authorities **authorities);
/** NULL is allowed. */
void certificate_authorities_free(struct certificate_authorities *authorities);

/**
 * Reads a chain in PEM, to be sent: first the certificate of `holder`, behind it those of the authorities on the way.
 * The caller owns it; certificate_chain_free. HIPHOP_NOT_FOUND (no certificate), HIPHOP_MALFORMED, HIPHOP_BAD_IDENTITY
 * (the first is not of the holder), HIPHOP_TOO_LARGE (one certificate, or too many), HIPHOP_NO_MEMORY.
 */
hiphop_error certificate_chain_from_pem(
	const char *pem, size_t length, const struct host_identity *holder, struct certificate_chain *chain);
void certificate_chain_free(struct certificate_chain *chain);

/**
 * Whether the items, in any order, have a certificate of `holder` that an authority stands behind at `wall`.
 * Certificates by Hash and URL or by Distinguished Name are looked up among the authorities, never fetched. Fills
 * `report`. The items come from a stranger. `authorities` NULL: NO_AUTHORITIES, with what the certificate says of
 * itself.
 */
void certificate_verify(const struct certificate_authorities *authorities, const struct certificate_item *items,
	size_t count, const struct host_identity *holder, wall_milliseconds wall, struct certificate_report *report);

#endif
