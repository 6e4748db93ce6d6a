/* SPDX-License-Identifier: MIT */
#include "hip/crypto/esp_suite.h"
#include "hip/base/bytes.h"
#include "hip/crypto/algorithm_name.h"
#include "hip/wire/constants.h"

#define SHA1    "its integrity check is SHA-1"
#define NOTHING "it encrypts nothing"

static const struct esp_suite suites[] = {
	/* id, name, alias, weakness, mode, AES key, salt, authentication key, IV, ICV, block */
	{ESP_SUITE_AES_128_CBC_HMAC_SHA1, "aes-128-cbc-hmac-sha1-96", "aes-128-sha1", SHA1, ESP_MODE_CBC, 16, 0, 20, 16,
		12, 16},
	{ESP_SUITE_NULL_HMAC_SHA256, "null-hmac-sha256-128", "null-sha256", NOTHING, ESP_MODE_NULL, 0, 0, 32, 0, 16, 4},
	{ESP_SUITE_AES_128_CBC_HMAC_SHA256, "aes-128-cbc-hmac-sha256-128", "aes-128-sha256", NULL, ESP_MODE_CBC, 16, 0,
		32, 16, 16, 16},
	{ESP_SUITE_AES_256_CBC_HMAC_SHA256, "aes-256-cbc-hmac-sha256-128", "aes-256-sha256", NULL, ESP_MODE_CBC, 32, 0,
		32, 16, 16, 16},
	{ESP_SUITE_AES_CCM_8, "aes-128-ccm-8", NULL, NULL, ESP_MODE_CCM, 16, 3, 0, 8, 8, 4},
	{ESP_SUITE_AES_CCM_16, "aes-128-ccm-16", NULL, NULL, ESP_MODE_CCM, 16, 3, 0, 8, 16, 4},
	{ESP_SUITE_AES_GCM_8, "aes-128-gcm-8", NULL, NULL, ESP_MODE_GCM, 16, 4, 0, 8, 8, 4},
	{ESP_SUITE_AES_GCM_16, "aes-128-gcm-16", NULL, NULL, ESP_MODE_GCM, 16, 4, 0, 8, 16, 4},
	{ESP_SUITE_AES_CMAC_96, "null-aes-cmac-96", "null-aes-cmac", NOTHING, ESP_MODE_NULL, 0, 0, 16, 0, 12, 4},
	{ESP_SUITE_AES_GMAC, "null-aes-128-gmac", "aes-128-gmac", NOTHING, ESP_MODE_GMAC, 16, 4, 0, 8, 16, 4},
};
#define SUITE_COUNT (sizeof suites / sizeof suites[0])

const struct esp_suite *esp_suite_by_id(uint16_t id)
{
	for (size_t n = 0; n < SUITE_COUNT; n++) {
		if (suites[n].id == id)
			return &suites[n];
	}
	return NULL;
}

const struct esp_suite *esp_suite_by_name(const char *name)
{
	for (size_t n = 0; n < SUITE_COUNT; n++) {
		if (algorithm_is_called(name, suites[n].name) || algorithm_is_called(name, suites[n].alias))
			return &suites[n];
	}
	return NULL;
}

const struct esp_suite *esp_suite_at(size_t index)
{
	return index < SUITE_COUNT ? &suites[index] : NULL;
}

bool esp_suite_encrypts(const struct esp_suite *suite)
{
	return suite->mode != ESP_MODE_NULL && suite->mode != ESP_MODE_GMAC;
}

bool esp_suite_is_combined(const struct esp_suite *suite)
{
	return suite->authentication_length == 0;
}

size_t esp_suite_encryption_key_length(const struct esp_suite *suite)
{
	return suite->cipher_key_length + suite->salt_length;
}

void esp_keys_clear(struct esp_keys *keys)
{
	bytes_wipe(keys, sizeof *keys);
}
