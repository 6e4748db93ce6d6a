/* SPDX-License-Identifier: MIT */
/**
 * Diffie-Hellman public values, Host Identities and contents of ENCRYPTED from strangers: the first octet chooses
 * which, the second the group or algorithm.
 */
#include "hip/crypto/diffie_hellman.h"
#include "hip/crypto/hip_cipher.h"
#include "hip/crypto/host_identity.h"
#include "tests/fuzz/input.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct seeded_random generator;

static void agree(uint8_t choice, struct span value)
{
	static const uint8_t groups[] = {7, 8, 9, 10, 3, 4, 11};
	static struct diffie_hellman *keys[sizeof groups];
	const struct random_source random = seeded_random_start(&generator, 1);
	struct shared_secret secret;
	uint8_t group = choice % sizeof groups;

	if (!keys[group] && diffie_hellman_new(groups[group], &random, &keys[group]))
		abort();
	if (!diffie_hellman_agree(keys[group], value, &secret) &&
		secret.length != diffie_hellman_group_by_id(groups[group])->secret_length)
		abort();
}

static void open_encrypted(uint8_t choice, struct span sealed)
{
	static const uint16_t ids[] = {1, 2, 4};
	static const uint8_t key[HIP_CIPHER_KEY_MAXIMUM] = {1};
	const struct hip_cipher *cipher = hip_cipher_by_id(ids[choice % 3]);
	uint8_t *out = malloc(sealed.length + 1);
	size_t length = 0;

	if (!out)
		return;
	if (cipher && !hip_cipher_open(cipher, (struct span){key, cipher->key_length}, sealed, out, &length) &&
		length > sealed.length)
		abort();
	free(out);
}

static void import(uint8_t choice, struct span octets)
{
	static const uint16_t algorithms[] = {5, 7, 9};
	struct host_identity *identity;

	if (!host_identity_from_octets(algorithms[choice % 3], octets, &identity))
		host_identity_free(identity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kinds[])(uint8_t choice, struct span octets) = {agree, open_encrypted, import};
	uint8_t *exact;

	if (size < 2)
		return 0;
	exact = malloc(size - 1); /* its own size, so that a sanitizer sees an overrun */
	if (!exact)
		return 0;
	memcpy(exact, data + 2, size - 2);
	kinds[data[0] % 3](data[1], (struct span){exact, size - 2});
	free(exact);
	return 0;
}
