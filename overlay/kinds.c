/* SPDX-License-Identifier: MIT */
#include "overlay/kinds.h"

#include <string.h>

#define DAY 86400U

static const struct kind kinds[] = {
	{.id = OVERLAY_KIND_SIP_REGISTRATION,
		.name = "SIP-REGISTRATION",
		.model = DATA_MODEL_DICTIONARY,
		.policy = ACCESS_USER_NODE_MATCH,
		.maximum_size = 1024,
		.maximum_count = 16,
		.maximum_lifetime_s = 7 * DAY},
	{.id = 0x2,
		.name = "TURN-SERVICE",
		.model = DATA_MODEL_SINGLE,
		.policy = ACCESS_NODE_MULTIPLE,
		.multiple = 20,
		.maximum_size = 64,
		.maximum_count = 1,
		.maximum_lifetime_s = DAY},
	{.id = 0x3,
		.name = "CERTIFICATE_BY_NODE",
		.model = DATA_MODEL_ARRAY,
		.policy = ACCESS_NODE_MATCH,
		.maximum_size = OVERLAY_VALUE_MAXIMUM,
		.maximum_count = 4,
		.maximum_lifetime_s = 30 * DAY},
	{.id = 0x10,
		.name = "CERTIFICATE_BY_USER",
		.model = DATA_MODEL_ARRAY,
		.policy = ACCESS_USER_MATCH,
		.maximum_size = OVERLAY_VALUE_MAXIMUM,
		.maximum_count = 4,
		.maximum_lifetime_s = 30 * DAY},
	{.id = OVERLAY_KIND_SIP_REGISTRATION_FIRST_COME,
		.name = "SIP-REGISTRATION-FIRST-COME",
		.model = DATA_MODEL_DICTIONARY,
		.policy = ACCESS_FIRST_COME,
		.maximum_size = 1024,
		.maximum_count = 1,
		.maximum_lifetime_s = 7 * DAY,
		.tombstone_s = 30 * DAY},
	{.id = OVERLAY_KIND_PUT,
		.name = "PUT",
		.model = DATA_MODEL_DICTIONARY,
		.policy = ACCESS_OWN_KEY,
		.maximum_size = OVERLAY_VALUE_MAXIMUM,
		.maximum_count = 64,
		.maximum_lifetime_s = DAY},
	{.id = OVERLAY_KIND_PREFIXES,
		.name = "PREFIXES",
		.model = DATA_MODEL_DICTIONARY,
		.policy = ACCESS_NODE_MATCH,
		.maximum_size = 1280,
		.maximum_count = 1,
		.maximum_lifetime_s = DAY},
};

const struct kind *kind_find(uint32_t id)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].id == id)
			return &kinds[i];
	return NULL;
}

/* True when the hash of the octets is the Resource-ID; a failing hash is no match, and says so. */
static hiphop_error hashes_to(const struct overlay_crypto *crypto, const char *hash_name, const uint8_t *octets,
	size_t length, const struct hit *resource)
{
	uint8_t digest[64];
	size_t digest_length = 0;
	struct hit hashed;

	hiphop_error error = crypto->digest(crypto->context, hash_name, octets, length, digest, &digest_length);
	if (!error)
		error = resource_id_from_digest(digest, digest_length, &hashed);
	if (error)
		return error;
	return hit_equal(&hashed, resource) ? HIPHOP_OK : HIPHOP_REFUSED;
}

static hiphop_error user_match(const struct overlay_crypto *crypto, const char *hash_name, const struct hit *resource,
	const struct hit *signer)
{
	char name[256];

	if (!crypto->user_name || crypto->user_name(crypto->context, signer, name, sizeof(name)))
		return HIPHOP_REFUSED;
	return hashes_to(crypto, hash_name, (const uint8_t *)name, strlen(name), resource);
}

static hiphop_error node_multiple(const struct kind *kind, const struct overlay_crypto *crypto, const char *hash_name,
	const struct hit *resource, const struct hit *signer)
{
	uint8_t octets[HIT_LENGTH + 4];
	hiphop_error error = HIPHOP_REFUSED;

	for (uint32_t i = 1; i <= kind->multiple && error == HIPHOP_REFUSED; i++) {
		struct writer writer = writer_over(octets, sizeof(octets));
		writer_copy(&writer, signer->octets, HIT_LENGTH);
		writer_u32(&writer, i);
		error = hashes_to(crypto, hash_name, octets, sizeof(octets), resource);
	}
	return error;
}

static bool key_is(struct span key, const struct hit *signer)
{
	return key.length == HIT_LENGTH && memcmp(key.data, signer->octets, HIT_LENGTH) == 0;
}

hiphop_error kind_permits(const struct kind *kind, const struct overlay_crypto *crypto, const char *hash_name,
	const struct hit *resource, const struct hit *signer, struct span key)
{
	switch (kind->policy) {
	case ACCESS_USER_MATCH:
		return user_match(crypto, hash_name, resource, signer);
	case ACCESS_NODE_MATCH:
		return hashes_to(crypto, hash_name, signer->octets, HIT_LENGTH, resource);
	case ACCESS_USER_NODE_MATCH:
		return key_is(key, signer) ? user_match(crypto, hash_name, resource, signer) : HIPHOP_REFUSED;
	case ACCESS_NODE_MULTIPLE:
		return node_multiple(kind, crypto, hash_name, resource, signer);
	case ACCESS_FIRST_COME:
	case ACCESS_OWN_KEY:
		return key_is(key, signer) ? HIPHOP_OK : HIPHOP_REFUSED;
	}
	return HIPHOP_REFUSED;
}
