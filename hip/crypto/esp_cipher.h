/* SPDX-License-Identifier: MIT */
/**
 * Sealing and opening ESP packets with 64-bit sequence numbers (RFC 4303, 4106, 4309, 4543; RFC 7402 section 3.3.6).
 *
 * Made once per direction of an SA; then no call allocates (except inside OpenSSL 3.0, for suites with HMAC). An object
 * holds scratch contexts: one thread at a time; each further data thread makes its own from the same keys. (Two objects
 * may seal under one key as long as no sequence number is used twice; that is the caller's duty.)
 *
 * A packet is contiguous and is changed in place:
 *
 *     SPI (4) | sequence low (4) | IV | payload, padding, pad length, next header | ICV
 *
 * Padding, pad length and next header are the caller's; this layer sees them as payload. Replay is the caller's too.
 */
#ifndef HIPHOP_HIP_CRYPTO_ESP_CIPHER_H
#define HIPHOP_HIP_CRYPTO_ESP_CIPHER_H

#include "hip/base/error.h"
#include "hip/crypto/esp_suite.h"

#include <stddef.h>
#include <stdint.h>

/** Octets of SPI and the low half of the sequence number. */
#define ESP_HEADER_LENGTH 8

struct esp_cipher;

typedef enum { ESP_SEAL, ESP_OPEN } esp_direction;

/** Copies what it needs of the keys. HIPHOP_UNSUPPORTED for an unknown suite, HIPHOP_NO_MEMORY, HIPHOP_CRYPTO. */
hiphop_error esp_cipher_new(const struct esp_keys *keys, esp_direction direction, struct esp_cipher **out);
/** NULL is allowed. Wipes the keys. */
void esp_cipher_free(struct esp_cipher *cipher);
/** The row of its suite; for iv_length, icv_length and block_length. */
const struct esp_suite *esp_cipher_suite(const struct esp_cipher *cipher);

/**
 * Seals in place. `packet` points to where the SPI goes; `payload_length` octets of payload with its ESP trailer, a
 * multiple of block_length, stand ready at packet + ESP_HEADER_LENGTH + iv_length, and icv_length octets after them are
 * free. Writes SPI, sequence low, IV, ciphertext and ICV: ESP_HEADER_LENGTH + iv_length + payload_length + icv_length
 * octets in all.
 *
 * `sequence` must never be used twice under one key: the IV is made from it (as it is for combined modes; enciphered
 * under the same key for CBC, NIST SP 800-38A appendix C, so that it cannot be predicted).
 * HIPHOP_INVALID_ARGUMENT (wrong direction or length), HIPHOP_CRYPTO.
 */
hiphop_error esp_cipher_seal(
	struct esp_cipher *cipher, uint32_t spi, uint64_t sequence, uint8_t *packet, size_t payload_length);

/**
 * Checks and opens in place a packet of `length` octets that starts with its SPI. `sequence` is the full sequence
 * number that the caller has inferred; its low half must be what the packet says. On success `*payload` is where the
 * payload with its trailer starts, inside the packet, and `*payload_length` its octets, a multiple of block_length and
 * at least 4.
 *
 * HIPHOP_TRUNCATED or HIPHOP_MALFORMED for a wrong length, HIPHOP_BAD_MAC when the ICV does not fit (the payload is
 * then garbage and must be dropped), HIPHOP_INVALID_ARGUMENT (wrong direction or sequence), HIPHOP_CRYPTO.
 */
hiphop_error esp_cipher_open(struct esp_cipher *cipher, uint64_t sequence, uint8_t *packet, size_t length,
	uint8_t **payload, size_t *payload_length);

#endif
