/* SPDX-License-Identifier: MIT */
/**
 * The ciphers of HIP_CIPHER (RFC 7401 section 5.2.8), which seal the contents of ENCRYPTED (section 5.2.18).
 */
#ifndef HIPHOP_HIP_CRYPTO_HIP_CIPHER_H
#define HIPHOP_HIP_CRYPTO_HIP_CIPHER_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"
#include "hip/base/random.h"

#include <stddef.h>
#include <stdint.h>

/** Octets of the longest key: AES-256. */
#define HIP_CIPHER_KEY_MAXIMUM 32
/** Octets that sealing adds at most: an IV and a whole block of padding. */
#define HIP_CIPHER_OVERHEAD_MAXIMUM 32

/** One row: 1 NULL-ENCRYPT, 2 AES-128-CBC, 4 AES-256-CBC. NULL must not be offered unless configured for testing. */
struct hip_cipher {
	uint16_t id;          /**< Cipher ID */
	const char *name;     /**< for configuration and status: "null", "aes-128-cbc", "aes-256-cbc" */
	const char *alias;    /**< another way to write it */
	const char *weakness; /**< why it is off unless switched on; NULL when it is not weak */
	size_t key_length;    /**< octets, as drawn from KEYMAT */
	size_t iv_length;     /**< octets of the IV field in front of the encrypted data; 0 for NULL */
	size_t block_length;  /**< encrypted data is a multiple of it; 1 for NULL */
};

/** The row, or NULL when we do not have it. Static storage. */
const struct hip_cipher *hip_cipher_by_id(uint16_t id);
/** By name or alias as algorithm_is_called compares them, or NULL. */
const struct hip_cipher *hip_cipher_by_name(const char *name);
/** Row by row in order of id, NULL at the end. */
const struct hip_cipher *hip_cipher_at(size_t index);

/** Octets that hip_cipher_seal writes for `length` octets of padded parameters: IV and encrypted data. */
size_t hip_cipher_sealed_length(const struct hip_cipher *cipher, size_t length);

/**
 * Writes IV | encrypted data (PKCS#5 padding) into `out`, which has room for hip_cipher_sealed_length() octets; that is
 * ENCRYPTED after its Reserved field. `key` has key_length octets. The IV comes from `random`.
 * HIPHOP_INVALID_ARGUMENT for a wrong key length, HIPHOP_NO_MEMORY, HIPHOP_CRYPTO.
 */
hiphop_error hip_cipher_seal(const struct hip_cipher *cipher, struct span key, const struct random_source *random,
	struct span plain, uint8_t *out);

/**
 * Opens IV | encrypted data into `out` (room for sealed.length octets) and gives the length of the parameters.
 * Only call it when the packet's HIP_MAC has been checked: this layer's padding check is no integrity check.
 * HIPHOP_MALFORMED for a wrong length or padding, HIPHOP_INVALID_ARGUMENT, HIPHOP_NO_MEMORY.
 */
hiphop_error hip_cipher_open(
	const struct hip_cipher *cipher, struct span key, struct span sealed, uint8_t *out, size_t *length);

#endif
