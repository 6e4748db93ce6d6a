/* SPDX-License-Identifier: MIT */
/**
 * StoredData (RFC 6940 section 7) and its signature (section 7.1). The SignerIdentity is of our own type: algorithm
 * and Host Identity as in a HOST_ID parameter, so that a value proves its owner wherever it travels.
 *
 * On the wire: SignerIdentity { uint8 type = 0xFE; uint16 length; uint16 algorithm; opaque host_identity[length - 2] }.
 * The signature covers ResourceId (with its length octet) || Kind || storage_time || StoredDataValue || SignerIdentity;
 * an array index counts as zero there. The lifetime is not covered.
 */
#ifndef HIPHOP_OVERLAY_SIGNED_VALUE_H
#define HIPHOP_OVERLAY_SIGNED_VALUE_H

#include "overlay/kinds.h"

#define SIGNER_IDENTITY_NONE          3
#define SIGNER_IDENTITY_HOST_IDENTITY 0xFE
/** Longest Host Identity that a value may carry (RSA-4096 and some). */
#define SIGNER_HOST_IDENTITY_MAXIMUM 1024

/** One StoredData, parsed; spans point into the parsed octets. */
struct stored_data {
	wall_milliseconds storage_time;
	uint32_t lifetime_s;
	uint32_t index;  /**< array */
	struct span key; /**< dictionary */
	bool exists;
	struct span value;
	struct span entry;         /**< the whole StoredDataValue */
	struct span signed_octets; /**< StoredDataValue and Signature: what a holder must keep to pass it on */
	uint8_t identity_type;
	uint16_t algorithm; /**< of the Host Identity */
	struct span host_identity;
	struct span identity; /**< the whole SignerIdentity */
	struct span signature;
};

/** Reads the next StoredData of a values list. HIPHOP_TRUNCATED, HIPHOP_MALFORMED, HIPHOP_TOO_LARGE. */
hiphop_error stored_data_read(struct reader *reader, data_model model, struct stored_data *data);
/** Parses what `signed_octets` was. */
hiphop_error stored_data_read_kept(struct span signed_octets, data_model model, wall_milliseconds storage_time,
	uint32_t lifetime_s, struct stored_data *data);
/** Writes a StoredData from kept octets. */
void stored_data_write(
	struct writer *writer, wall_milliseconds storage_time, uint32_t lifetime_s, struct span signed_octets);
/** Octets that stored_data_write takes. */
size_t stored_data_size(struct span signed_octets);

/** What to sign; `key` for dictionaries, `index` for arrays, `exists` false to remove. */
struct unsigned_value {
	const struct kind *kind;
	struct hit resource;
	wall_milliseconds storage_time;
	uint32_t index;
	struct span key;
	bool exists;
	struct span value;
};
/** Signs with our identity and gives the octets for stored_data_write; free with buffer_free. HIPHOP_TOO_LARGE,
 *  HIPHOP_CRYPTO, HIPHOP_NO_MEMORY. */
hiphop_error signed_value_make(
	const struct unsigned_value *value, const struct overlay_crypto *crypto, struct buffer *signed_octets);
/** Writes the synthetic "no such value" of RFC 6940 section 7.4.2.2 (identity none, empty signature). */
void stored_data_write_nonexistent(struct writer *writer, uint32_t index, data_model model);

/**
 * Checks signature and access policy and gives the signer. HIPHOP_BAD_SIGNATURE, HIPHOP_UNSUPPORTED (no identity of
 * our type, or an algorithm we do not have), HIPHOP_REFUSED (policy), or an error of the crypto.
 */
hiphop_error signed_value_verify(const struct stored_data *data, const struct kind *kind, const struct hit *resource,
	const struct overlay_crypto *crypto, const char *hash_name, struct hit *signer);

#endif
