/* SPDX-License-Identifier: MIT */
#include "hip/base/bytes.h"
#include "hip/crypto/esp_cipher.h"
#include "hip/crypto/hash.h"
#include "hip/wire/constants.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <stdlib.h>
#include <string.h>

#define SALT_MAXIMUM        4
#define COMBINED_IV_LENGTH  8
#define AES_BLOCK_LENGTH    16
#define CMAC_LENGTH         16
#define PACKET_LENGTH_LIMIT 65535

/* What one packet looks like to the modes: pointers into it, lengths known. */
struct layout {
	uint64_t sequence;
	uint8_t *packet;  /* SPI | sequence low */
	uint8_t *iv;      /* suite->iv_length octets */
	uint8_t *payload; /* payload_length octets */
	uint8_t *icv;     /* suite->icv_length octets */
	int payload_length;
};

struct mode {
	hiphop_error (*set_keys)(struct esp_cipher *cipher, const struct esp_keys *keys);
	hiphop_error (*seal)(struct esp_cipher *cipher, const struct layout *layout);
	hiphop_error (*open)(struct esp_cipher *cipher, const struct layout *layout);
};

struct esp_cipher {
	const struct esp_suite *suite;
	const struct mode *mode;
	esp_direction direction;
	EVP_CIPHER_CTX *cipher;    /* NULL for suites that do not encrypt, GMAC excepted */
	struct hmac_context *hmac; /* for CBC and NULL … */
	EVP_MAC_CTX *cmac;         /* … one of the two */
	uint8_t salt[SALT_MAXIMUM];
};

static void put_u32(uint8_t *out, uint32_t value)
{
	for (int n = 0; n < 4; n++)
		out[n] = (uint8_t)(value >> (24 - 8 * n));
}

static uint32_t get_u32(const uint8_t *in)
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static void put_u64(uint8_t *out, uint64_t value)
{
	put_u32(out, (uint32_t)(value >> 32));
	put_u32(out + 4, (uint32_t)value);
}

/* ---- Separate integrity: HMAC or CMAC over SPI | sequence low | IV | payload | sequence high (RFC 4303 3.3.2.1) ----
 */

static hiphop_error set_integrity_key(struct esp_cipher *cipher, const struct esp_keys *keys)
{
	const struct esp_suite *suite = cipher->suite;
	if (suite->id != ESP_SUITE_AES_CMAC_96) {
		hash_algorithm hash = suite->id == ESP_SUITE_AES_128_CBC_HMAC_SHA1 ? HASH_SHA1 : HASH_SHA256;
		const struct span key = {keys->authentication, suite->authentication_length};
		return hmac_context_new(hash, key, &cipher->hmac);
	}
	EVP_MAC *algorithm = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_CMAC, NULL);
	cipher->cmac = algorithm ? EVP_MAC_CTX_new(algorithm) : NULL;
	EVP_MAC_free(algorithm);
	if (!cipher->cmac)
		return HIPHOP_NO_MEMORY;
	char block_cipher[] = "AES-128-CBC";
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, block_cipher, 0), OSSL_PARAM_construct_end()};
	bool done = EVP_MAC_init(cipher->cmac, keys->authentication, suite->authentication_length, parameters);
	return done ? HIPHOP_OK : HIPHOP_CRYPTO;
}

static hiphop_error compute_icv(struct esp_cipher *cipher, const struct layout *layout, uint8_t *icv)
{
	uint8_t sequence_high[4];
	put_u32(sequence_high, (uint32_t)(layout->sequence >> 32));
	size_t covered = (size_t)(layout->icv - layout->packet);
	if (cipher->hmac) {
		const struct span input[] = {{layout->packet, covered}, {sequence_high, sizeof sequence_high}};
		return hmac_context_compute(cipher->hmac, input, 2, icv);
	}
	size_t length;
	bool done = EVP_MAC_init(cipher->cmac, NULL, 0, NULL) &&
		    EVP_MAC_update(cipher->cmac, layout->packet, covered) &&
		    EVP_MAC_update(cipher->cmac, sequence_high, sizeof sequence_high) &&
		    EVP_MAC_final(cipher->cmac, icv, &length, CMAC_LENGTH);
	return done ? HIPHOP_OK : HIPHOP_CRYPTO;
}

static hiphop_error seal_null(struct esp_cipher *cipher, const struct layout *layout)
{
	uint8_t icv[HASH_LENGTH_MAXIMUM];
	hiphop_error error = compute_icv(cipher, layout, icv);
	if (!error)
		memcpy(layout->icv, icv, cipher->suite->icv_length);
	return error;
}

static hiphop_error open_null(struct esp_cipher *cipher, const struct layout *layout)
{
	uint8_t icv[HASH_LENGTH_MAXIMUM];
	hiphop_error error = compute_icv(cipher, layout, icv);
	if (error)
		return error;
	return bytes_equal_constant_time(icv, layout->icv, cipher->suite->icv_length) ? HIPHOP_OK : HIPHOP_BAD_MAC;
}

/* ---- Encryption ---- */

static hiphop_error set_cipher_key(
	struct esp_cipher *cipher, const EVP_CIPHER *algorithm, const struct esp_keys *keys, int tag_length)
{
	const struct esp_suite *suite = cipher->suite;
	memcpy(cipher->salt, keys->encryption + suite->cipher_key_length, suite->salt_length);
	cipher->cipher = EVP_CIPHER_CTX_new();
	if (!cipher->cipher)
		return HIPHOP_NO_MEMORY;
	int encrypt = cipher->direction == ESP_SEAL;
	bool done = EVP_CipherInit_ex2(cipher->cipher, algorithm, NULL, NULL, encrypt, NULL);
	if (done && suite->mode == ESP_MODE_CBC)
		done = EVP_CIPHER_CTX_set_padding(cipher->cipher, 0);
	if (done && suite->salt_length)
		done = EVP_CIPHER_CTX_ctrl(cipher->cipher, EVP_CTRL_AEAD_SET_IVLEN,
			       (int)suite->salt_length + COMBINED_IV_LENGTH, NULL) > 0;
	if (done && suite->mode == ESP_MODE_CCM)
		done = EVP_CIPHER_CTX_ctrl(cipher->cipher, EVP_CTRL_AEAD_SET_TAG, tag_length, NULL) > 0;
	if (done)
		done = EVP_CipherInit_ex2(cipher->cipher, NULL, keys->encryption, NULL, encrypt, NULL);
	return done ? HIPHOP_OK : HIPHOP_CRYPTO;
}

static hiphop_error set_keys_cbc(struct esp_cipher *cipher, const struct esp_keys *keys)
{
	const EVP_CIPHER *algorithm = cipher->suite->cipher_key_length == 32 ? EVP_aes_256_cbc() : EVP_aes_128_cbc();
	hiphop_error error = set_cipher_key(cipher, algorithm, keys, 0);
	return error ? error : set_integrity_key(cipher, keys);
}

static hiphop_error seal_cbc(struct esp_cipher *cipher, const struct layout *layout)
{
	static const uint8_t zero_iv[AES_BLOCK_LENGTH];
	/* The IV is the enciphered sequence number: enciphering "sequence | zeros | payload" under a zero IV makes it
	 * and uses it in one go. */
	memset(layout->iv, 0, AES_BLOCK_LENGTH);
	put_u64(layout->iv, layout->sequence);
	int written;
	bool done = EVP_EncryptInit_ex2(cipher->cipher, NULL, NULL, zero_iv, NULL) &&
		    EVP_EncryptUpdate(cipher->cipher, layout->iv, &written, layout->iv,
			    AES_BLOCK_LENGTH + layout->payload_length);
	return done ? seal_null(cipher, layout) : HIPHOP_CRYPTO;
}

static hiphop_error open_cbc(struct esp_cipher *cipher, const struct layout *layout)
{
	hiphop_error error = open_null(cipher, layout);
	if (error)
		return error;
	int written;
	bool done =
		EVP_DecryptInit_ex2(cipher->cipher, NULL, NULL, layout->iv, NULL) &&
		EVP_DecryptUpdate(cipher->cipher, layout->payload, &written, layout->payload, layout->payload_length);
	return done ? HIPHOP_OK : HIPHOP_CRYPTO;
}

/* ---- Combined modes ---- */

struct combined {
	uint8_t nonce[SALT_MAXIMUM + COMBINED_IV_LENGTH];
	uint8_t associated[4 + 8]; /* SPI | 64-bit sequence number */
};

static struct combined combined_of(const struct esp_cipher *cipher, const struct layout *layout)
{
	struct combined combined;
	memcpy(combined.nonce, cipher->salt, sizeof cipher->salt);
	memcpy(combined.nonce + cipher->suite->salt_length, layout->iv, COMBINED_IV_LENGTH);
	memcpy(combined.associated, layout->packet, 4);
	put_u64(combined.associated + 4, layout->sequence);
	return combined;
}

static hiphop_error set_keys_gcm(struct esp_cipher *cipher, const struct esp_keys *keys)
{
	return set_cipher_key(cipher, EVP_aes_128_gcm(), keys, 0);
}

static hiphop_error set_keys_ccm(struct esp_cipher *cipher, const struct esp_keys *keys)
{
	return set_cipher_key(cipher, EVP_aes_128_ccm(), keys, (int)cipher->suite->icv_length);
}

/* GCM enciphers the payload; GMAC only authenticates it, and its IV with it (RFC 4543 section 3.3, erratum 1821). */
static bool gcm_run(struct esp_cipher *cipher, const struct layout *layout)
{
	const struct combined combined = combined_of(cipher, layout);
	EVP_CIPHER_CTX *state = cipher->cipher;
	int encrypt = cipher->direction == ESP_SEAL, written;
	if (!EVP_CipherInit_ex2(state, NULL, NULL, combined.nonce, encrypt, NULL) ||
		!EVP_CipherUpdate(state, NULL, &written, combined.associated, sizeof combined.associated))
		return false;
	if (cipher->suite->mode == ESP_MODE_GMAC)
		return EVP_CipherUpdate(state, NULL, &written, layout->iv, COMBINED_IV_LENGTH + layout->payload_length);
	return EVP_CipherUpdate(state, layout->payload, &written, layout->payload, layout->payload_length);
}

static hiphop_error seal_gcm(struct esp_cipher *cipher, const struct layout *layout)
{
	int written;
	uint8_t nothing[AES_BLOCK_LENGTH];
	put_u64(layout->iv, layout->sequence);
	bool done = gcm_run(cipher, layout) && EVP_EncryptFinal_ex(cipher->cipher, nothing, &written) &&
		    EVP_CIPHER_CTX_ctrl(
			    cipher->cipher, EVP_CTRL_AEAD_GET_TAG, (int)cipher->suite->icv_length, layout->icv) > 0;
	return done ? HIPHOP_OK : HIPHOP_CRYPTO;
}

static hiphop_error open_gcm(struct esp_cipher *cipher, const struct layout *layout)
{
	int written;
	uint8_t nothing[AES_BLOCK_LENGTH];
	if (!gcm_run(cipher, layout) || EVP_CIPHER_CTX_ctrl(cipher->cipher, EVP_CTRL_AEAD_SET_TAG,
						(int)cipher->suite->icv_length, layout->icv) <= 0)
		return HIPHOP_CRYPTO;
	return EVP_DecryptFinal_ex(cipher->cipher, nothing, &written) ? HIPHOP_OK : HIPHOP_BAD_MAC;
}

/* CCM wants to know the payload's length before the associated data. */
static bool ccm_start(struct esp_cipher *cipher, const struct layout *layout, const struct combined *combined)
{
	int encrypt = cipher->direction == ESP_SEAL, written;
	return EVP_CipherInit_ex2(cipher->cipher, NULL, NULL, combined->nonce, encrypt, NULL) &&
	       EVP_CipherUpdate(cipher->cipher, NULL, &written, NULL, layout->payload_length) &&
	       EVP_CipherUpdate(cipher->cipher, NULL, &written, combined->associated, sizeof combined->associated);
}

static hiphop_error seal_ccm(struct esp_cipher *cipher, const struct layout *layout)
{
	int written;
	put_u64(layout->iv, layout->sequence);
	const struct combined combined = combined_of(cipher, layout);
	bool done =
		ccm_start(cipher, layout, &combined) &&
		EVP_EncryptUpdate(cipher->cipher, layout->payload, &written, layout->payload, layout->payload_length) &&
		EVP_CIPHER_CTX_ctrl(
			cipher->cipher, EVP_CTRL_AEAD_GET_TAG, (int)cipher->suite->icv_length, layout->icv) > 0;
	return done ? HIPHOP_OK : HIPHOP_CRYPTO;
}

static hiphop_error open_ccm(struct esp_cipher *cipher, const struct layout *layout)
{
	int written;
	const struct combined combined = combined_of(cipher, layout);
	if (EVP_CIPHER_CTX_ctrl(cipher->cipher, EVP_CTRL_AEAD_SET_TAG, (int)cipher->suite->icv_length, layout->icv) <=
			0 ||
		!ccm_start(cipher, layout, &combined))
		return HIPHOP_CRYPTO;
	return EVP_DecryptUpdate(cipher->cipher, layout->payload, &written, layout->payload, layout->payload_length) > 0
		       ? HIPHOP_OK
		       : HIPHOP_BAD_MAC;
}

static const struct mode modes[] = {
	[ESP_MODE_CBC] = {set_keys_cbc, seal_cbc, open_cbc},
	[ESP_MODE_NULL] = {set_integrity_key, seal_null, open_null},
	[ESP_MODE_GCM] = {set_keys_gcm, seal_gcm, open_gcm},
	[ESP_MODE_CCM] = {set_keys_ccm, seal_ccm, open_ccm},
	[ESP_MODE_GMAC] = {set_keys_gcm, seal_gcm, open_gcm},
};

/* ---- The interface ---- */

hiphop_error esp_cipher_new(const struct esp_keys *keys, esp_direction direction, struct esp_cipher **out)
{
	*out = NULL;
	const struct esp_suite *suite = esp_suite_by_id(keys->suite);
	if (!suite)
		return HIPHOP_UNSUPPORTED;
	struct esp_cipher *cipher = calloc(1, sizeof *cipher);
	if (!cipher)
		return HIPHOP_NO_MEMORY;
	cipher->suite = suite;
	cipher->mode = &modes[suite->mode];
	cipher->direction = direction;
	hiphop_error error = cipher->mode->set_keys(cipher, keys);
	if (error) {
		esp_cipher_free(cipher);
		return error;
	}
	*out = cipher;
	return HIPHOP_OK;
}

void esp_cipher_free(struct esp_cipher *cipher)
{
	if (!cipher)
		return;
	EVP_CIPHER_CTX_free(cipher->cipher);
	hmac_context_free(cipher->hmac);
	EVP_MAC_CTX_free(cipher->cmac);
	bytes_wipe(cipher, sizeof *cipher);
	free(cipher);
}

const struct esp_suite *esp_cipher_suite(const struct esp_cipher *cipher)
{
	return cipher->suite;
}

static struct layout layout_of(const struct esp_suite *suite, uint64_t sequence, uint8_t *packet, size_t payload_length)
{
	uint8_t *iv = packet + ESP_HEADER_LENGTH;
	uint8_t *payload = iv + suite->iv_length;
	return (struct layout){sequence, packet, iv, payload, payload + payload_length, (int)payload_length};
}

hiphop_error esp_cipher_seal(
	struct esp_cipher *cipher, uint32_t spi, uint64_t sequence, uint8_t *packet, size_t payload_length)
{
	const struct esp_suite *suite = cipher->suite;
	if (cipher->direction != ESP_SEAL || !payload_length || payload_length > PACKET_LENGTH_LIMIT ||
		payload_length % suite->block_length)
		return HIPHOP_INVALID_ARGUMENT;
	put_u32(packet, spi);
	put_u32(packet + 4, (uint32_t)sequence);
	const struct layout layout = layout_of(suite, sequence, packet, payload_length);
	return cipher->mode->seal(cipher, &layout);
}

hiphop_error esp_cipher_open(struct esp_cipher *cipher, uint64_t sequence, uint8_t *packet, size_t length,
	uint8_t **payload, size_t *payload_length)
{
	const struct esp_suite *suite = cipher->suite;
	size_t overhead = ESP_HEADER_LENGTH + suite->iv_length + suite->icv_length;
	*payload = NULL;
	*payload_length = 0;
	if (length < overhead + suite->block_length)
		return HIPHOP_TRUNCATED;
	if (length > PACKET_LENGTH_LIMIT || (length - overhead) % suite->block_length)
		return HIPHOP_MALFORMED;
	if (cipher->direction != ESP_OPEN || get_u32(packet + 4) != (uint32_t)sequence)
		return HIPHOP_INVALID_ARGUMENT;
	const struct layout layout = layout_of(suite, sequence, packet, length - overhead);
	hiphop_error error = cipher->mode->open(cipher, &layout);
	if (error)
		return error;
	*payload = layout.payload;
	*payload_length = length - overhead;
	return HIPHOP_OK;
}
