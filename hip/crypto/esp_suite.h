/* SPDX-License-Identifier: MIT */
/**
 * The ESP suites of ESP_TRANSFORM (RFC 7402 section 5.1.2): one table, and the keys of one direction as plain data.
 * The cipher itself is in hip/crypto/esp_cipher.h.
 */
#ifndef HIPHOP_HIP_CRYPTO_ESP_SUITE_H
#define HIPHOP_HIP_CRYPTO_ESP_SUITE_H

#include "hip/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Octets of the longest encryption key (AES-256; with salt AES-128 and 4) and authentication key (HMAC-SHA-256). */
#define ESP_ENCRYPTION_KEY_MAXIMUM     32
#define ESP_AUTHENTICATION_KEY_MAXIMUM 32
/** Longest IV and longest ICV, in octets. */
#define ESP_IV_MAXIMUM  16
#define ESP_ICV_MAXIMUM 16

/** How a suite works; the table's last column. */
typedef enum {
	ESP_MODE_CBC,  /**< AES-CBC, then HMAC over SPI | sequence low | IV | ciphertext | sequence high */
	ESP_MODE_NULL, /**< no encryption; HMAC or CMAC as above, without IV */
	ESP_MODE_GCM,  /**< RFC 4106 */
	ESP_MODE_CCM,  /**< RFC 4309 */
	ESP_MODE_GMAC  /**< RFC 4543: no encryption, the payload is associated data */
} esp_mode;

/**
 * One row. A key "as drawn" is what KEYMAT gives: the AES key with the salt after it, as RFC 4106 section 8.1 has it.
 * All suites with AES-CCM, AES-GCM, AES-GMAC and AES-CMAC use 128-bit keys here (RFC 7402 names no size).
 */
struct esp_suite {
	uint16_t id;          /**< Suite ID */
	const char *name;     /**< for configuration and status: "aes-128-gcm-16" … */
	const char *alias;    /**< another way to write it, strongSwan's; NULL when it is the same */
	const char *weakness; /**< why it is off unless switched on; NULL when it is not weak */
	esp_mode mode;
	size_t cipher_key_length;     /**< octets of the AES key; 0 without encryption */
	size_t salt_length;           /**< octets of salt after the AES key; 0 where there is none */
	size_t authentication_length; /**< octets of the authentication key as drawn; 0 for combined modes */
	size_t iv_length;             /**< octets of IV on the wire */
	size_t icv_length;            /**< octets of ICV on the wire */
	size_t block_length; /**< payload | padding | pad length | next header is a multiple of it: 16 for CBC, else 4
			      */
};

/** The row, or NULL when we do not have it. Static storage. Rows: 1, 7 to 15 of RFC 7402. */
const struct esp_suite *esp_suite_by_id(uint16_t id);
/** By name or alias as algorithm_is_called compares them, or NULL. */
const struct esp_suite *esp_suite_by_name(const char *name);
/** Row by row in order of id, NULL at the end: `for (size_t i = 0; (suite = esp_suite_at(i)); i++)`. */
const struct esp_suite *esp_suite_at(size_t index);
/** False for those without encryption: NULL, CMAC and GMAC. */
bool esp_suite_encrypts(const struct esp_suite *suite);
/** True for the combined modes (GCM, CCM, GMAC), which have no authentication key. */
bool esp_suite_is_combined(const struct esp_suite *suite);
/** Octets of the encryption key as drawn: the AES key and the salt. */
size_t esp_suite_encryption_key_length(const struct esp_suite *suite);

/** The keys of one direction: plain data, wiped with esp_keys_clear. The lengths are those of the suite. */
struct esp_keys {
	uint16_t suite;                                 /**< Suite ID */
	uint8_t encryption[ESP_ENCRYPTION_KEY_MAXIMUM]; /**< the AES key, then the salt */
	uint8_t authentication[ESP_AUTHENTICATION_KEY_MAXIMUM];
};
void esp_keys_clear(struct esp_keys *keys);

#endif
