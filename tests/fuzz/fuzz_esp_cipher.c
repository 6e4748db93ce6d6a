/* SPDX-License-Identifier: MIT */
/* An ESP packet from a stranger: the first octet chooses the suite. Nothing may be accepted, nothing read outside. */
#include "hip/crypto/esp_cipher.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct esp_suite *suite = size ? esp_suite_at(data[0] % 16) : NULL;
	struct esp_keys keys = {.encryption = {1}, .authentication = {2}};
	struct esp_cipher *cipher;
	if (!suite)
		return 0;
	keys.suite = suite->id;
	if (esp_cipher_new(&keys, ESP_OPEN, &cipher))
		return 0;
	uint8_t *packet = malloc(size), *payload; /* its own size, so that a sanitizer sees an overrun */
	size_t length = size - 1, payload_length;
	if (packet) {
		memcpy(packet, data + 1, length);
		uint64_t sequence = 0;
		for (size_t n = 4; n < 8 && length >= 8; n++)
			sequence = sequence << 8 | packet[n];
		if (!esp_cipher_open(cipher, sequence, packet, length, &payload, &payload_length))
			abort();
	}
	free(packet);
	esp_cipher_free(cipher);
	return 0;
}
