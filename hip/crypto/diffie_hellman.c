/* SPDX-License-Identifier: MIT */
#include "hip/crypto/diffie_hellman.h"
#include "hip/crypto/algorithm_name.h"
#include "hip/wire/constants.h"

static const struct diffie_hellman_group groups[] = {
	{DH_GROUP_MODP_1536, "modp-1536", NULL, "a prime below 2048 bits", 192, 192},
	{DH_GROUP_MODP_3072, "modp-3072", NULL, NULL, 384, 384},
	{DH_GROUP_NIST_P256, "p-256", "ecp-256", NULL, 64, 32},
	{DH_GROUP_NIST_P384, "p-384", "ecp-384", NULL, 96, 48},
	{DH_GROUP_NIST_P521, "p-521", "ecp-521", NULL, 132, 66},
	{DH_GROUP_SECP160R1, "secp160r1", NULL, "a curve of 160 bits, no better than a prime of 1024", 40, 20},
	{DH_GROUP_MODP_2048, "modp-2048", NULL, NULL, 256, 256},
};
#define GROUP_COUNT (sizeof groups / sizeof groups[0])

const struct diffie_hellman_group *diffie_hellman_group_by_id(uint8_t id)
{
	for (size_t n = 0; n < GROUP_COUNT; n++) {
		if (groups[n].id == id)
			return &groups[n];
	}
	return NULL;
}

const struct diffie_hellman_group *diffie_hellman_group_by_name(const char *name)
{
	for (size_t n = 0; n < GROUP_COUNT; n++) {
		if (algorithm_is_called(name, groups[n].name) || algorithm_is_called(name, groups[n].alias))
			return &groups[n];
	}
	return NULL;
}

const struct diffie_hellman_group *diffie_hellman_group_at(size_t index)
{
	return index < GROUP_COUNT ? &groups[index] : NULL;
}

void shared_secret_clear(struct shared_secret *secret)
{
	bytes_wipe(secret, sizeof *secret);
}
