/* SPDX-License-Identifier: MIT */
#include "hip/crypto/diffie_hellman.h"
#include "hip/wire/constants.h"

#include <string.h>

static const struct diffie_hellman_group groups[] = {
	{DH_GROUP_MODP_1536, "modp-1536", 192, 192},
	{DH_GROUP_MODP_3072, "modp-3072", 384, 384},
	{DH_GROUP_NIST_P256, "p-256", 64, 32},
	{DH_GROUP_NIST_P384, "p-384", 96, 48},
	{DH_GROUP_NIST_P521, "p-521", 132, 66},
	{DH_GROUP_SECP160R1, "secp160r1", 40, 20},
	{DH_GROUP_MODP_2048, "modp-2048", 256, 256},
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
		if (!strcmp(groups[n].name, name))
			return &groups[n];
	}
	return NULL;
}

void shared_secret_clear(struct shared_secret *secret)
{
	bytes_wipe(secret, sizeof *secret);
}
