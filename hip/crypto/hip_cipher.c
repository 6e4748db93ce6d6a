/* SPDX-License-Identifier: MIT */
#include "hip/crypto/hip_cipher.h"
#include "hip/crypto/algorithm_name.h"
#include "hip/wire/constants.h"

static const struct hip_cipher ciphers[] = {
	{HIP_CIPHER_NULL, "null", "null-encrypt", "it encrypts nothing", 0, 0, 1},
	{HIP_CIPHER_AES_128_CBC, "aes-128-cbc", "aes-128", NULL, 16, 16, 16},
	{HIP_CIPHER_AES_256_CBC, "aes-256-cbc", "aes-256", NULL, 32, 16, 16},
};
#define CIPHER_COUNT (sizeof ciphers / sizeof ciphers[0])

const struct hip_cipher *hip_cipher_by_id(uint16_t id)
{
	for (size_t n = 0; n < CIPHER_COUNT; n++) {
		if (ciphers[n].id == id)
			return &ciphers[n];
	}
	return NULL;
}

const struct hip_cipher *hip_cipher_by_name(const char *name)
{
	for (size_t n = 0; n < CIPHER_COUNT; n++) {
		if (algorithm_is_called(name, ciphers[n].name) || algorithm_is_called(name, ciphers[n].alias))
			return &ciphers[n];
	}
	return NULL;
}

const struct hip_cipher *hip_cipher_at(size_t index)
{
	return index < CIPHER_COUNT ? &ciphers[index] : NULL;
}

size_t hip_cipher_sealed_length(const struct hip_cipher *cipher, size_t length)
{
	if (!cipher->iv_length)
		return length;
	return cipher->iv_length + length - length % cipher->block_length + cipher->block_length;
}
