/* SPDX-License-Identifier: MIT */
#include "hip/crypto/hip_cipher.h"

#include <openssl/evp.h>

#include <string.h>

/* A whole HIP packet is under 16 KiB; this only keeps lengths inside an int. */
#define LENGTH_MAXIMUM 65536

static const EVP_CIPHER *library_cipher(const struct hip_cipher *cipher)
{
	return cipher->key_length == 32 ? EVP_aes_256_cbc() : EVP_aes_128_cbc();
}

hiphop_error hip_cipher_seal(const struct hip_cipher *cipher, struct span key, const struct random_source *random,
	struct span plain, uint8_t *out)
{
	if (key.length != cipher->key_length || plain.length > LENGTH_MAXIMUM)
		return HIPHOP_INVALID_ARGUMENT;
	if (!cipher->iv_length) {
		if (plain.length)
			memmove(out, plain.data, plain.length);
		return HIPHOP_OK;
	}
	random_fill(random, out, cipher->iv_length);
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	if (!context)
		return HIPHOP_NO_MEMORY;
	uint8_t *body = out + cipher->iv_length;
	int written = 0, rest = 0;
	bool done = EVP_EncryptInit_ex2(context, library_cipher(cipher), key.data, out, NULL) &&
		    (!plain.length || EVP_EncryptUpdate(context, body, &written, plain.data, (int)plain.length)) &&
		    EVP_EncryptFinal_ex(context, body + written, &rest);
	EVP_CIPHER_CTX_free(context);
	return done ? HIPHOP_OK : HIPHOP_CRYPTO;
}

hiphop_error hip_cipher_open(
	const struct hip_cipher *cipher, struct span key, struct span sealed, uint8_t *out, size_t *length)
{
	*length = 0;
	if (key.length != cipher->key_length)
		return HIPHOP_INVALID_ARGUMENT;
	if (!cipher->iv_length) {
		if (sealed.length)
			memmove(out, sealed.data, sealed.length);
		*length = sealed.length;
		return HIPHOP_OK;
	}
	if (sealed.length < cipher->iv_length + cipher->block_length || sealed.length > LENGTH_MAXIMUM ||
		(sealed.length - cipher->iv_length) % cipher->block_length)
		return HIPHOP_MALFORMED;
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	if (!context)
		return HIPHOP_NO_MEMORY;
	const uint8_t *body = sealed.data + cipher->iv_length;
	int written = 0, rest = 0;
	bool done = EVP_DecryptInit_ex2(context, library_cipher(cipher), key.data, sealed.data, NULL) &&
		    EVP_DecryptUpdate(context, out, &written, body, (int)(sealed.length - cipher->iv_length)) &&
		    EVP_DecryptFinal_ex(context, out + written, &rest);
	EVP_CIPHER_CTX_free(context);
	if (!done)
		return HIPHOP_MALFORMED;
	*length = (size_t)written + (size_t)rest;
	return HIPHOP_OK;
}
