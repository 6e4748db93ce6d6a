/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_crypto.h"
#include "overlay/kinds.h"

static struct fake_identity identity;
static struct overlay_crypto crypto;
static struct hit signer, other;

static int start(void **state)
{
	(void)state;
	other = fake_identity_start(&identity, 2);
	signer = fake_identity_start(&identity, 1);
	crypto = fake_crypto(&identity);
	return 0;
}

static struct hit hash_of(const void *data, size_t length)
{
	uint8_t digest[64];
	size_t digest_length;
	struct hit resource;

	assert_int_equal(crypto.digest(crypto.context, "sha256", data, length, digest, &digest_length), HIPHOP_OK);
	assert_int_equal(resource_id_from_digest(digest, digest_length, &resource), HIPHOP_OK);
	return resource;
}

static hiphop_error permits(uint32_t id, const struct hit *resource, const struct hit *key)
{
	struct span octets = {key ? key->octets : NULL, key ? HIT_LENGTH : 0};

	return kind_permits(kind_find(id), &crypto, "sha256", resource, &signer, octets);
}

static void the_table(void **state)
{
	(void)state;
	assert_null(kind_find(0));
	assert_null(kind_find(0xFFFFFFFE));
	assert_int_equal(kind_find(OVERLAY_KIND_SIP_REGISTRATION)->policy, ACCESS_USER_NODE_MATCH);
	assert_int_equal(kind_find(OVERLAY_KIND_SIP_REGISTRATION_FIRST_COME)->policy, ACCESS_FIRST_COME);
	assert_int_equal(kind_find(OVERLAY_KIND_SIP_REGISTRATION_FIRST_COME)->tombstone_s, 30 * 86400);
	assert_int_equal(kind_find(OVERLAY_KIND_PUT)->model, DATA_MODEL_DICTIONARY);
	assert_int_equal(kind_find(OVERLAY_KIND_PUT)->maximum_size, OVERLAY_VALUE_MAXIMUM);
}

static void a_key_is_the_signers_own(void **state)
{
	struct hit resource = hash_of("anything", 8);

	(void)state;
	assert_int_equal(permits(OVERLAY_KIND_PUT, &resource, &signer), HIPHOP_OK);
	assert_int_equal(permits(OVERLAY_KIND_PUT, &resource, &other), HIPHOP_REFUSED);
	assert_int_equal(permits(OVERLAY_KIND_PUT, &resource, NULL), HIPHOP_REFUSED);
	assert_int_equal(permits(OVERLAY_KIND_SIP_REGISTRATION_FIRST_COME, &resource, &signer), HIPHOP_OK);
	assert_int_equal(permits(OVERLAY_KIND_SIP_REGISTRATION_FIRST_COME, &resource, &other), HIPHOP_REFUSED);
}

static void node_match(void **state)
{
	struct hit own = hash_of(signer.octets, HIT_LENGTH), others = hash_of(other.octets, HIT_LENGTH);

	(void)state;
	assert_int_equal(permits(0x3, &own, NULL), HIPHOP_OK);
	assert_int_equal(permits(0x3, &others, NULL), HIPHOP_REFUSED);
	assert_int_equal(permits(OVERLAY_KIND_PREFIXES, &own, &signer), HIPHOP_OK);
	assert_int_equal(permits(OVERLAY_KIND_PREFIXES, &others, &signer), HIPHOP_REFUSED);
	assert_int_equal(permits(OVERLAY_KIND_PREFIXES, &others, &other), HIPHOP_REFUSED);
}

static void node_multiple(void **state)
{
	uint8_t octets[HIT_LENGTH + 4] = {0};

	(void)state;
	memcpy(octets, signer.octets, HIT_LENGTH);
	for (uint8_t i = 0; i < 30; i++) {
		octets[HIT_LENGTH + 3] = i;
		struct hit resource = hash_of(octets, sizeof(octets));
		assert_int_equal(permits(0x2, &resource, NULL), i >= 1 && i <= 20 ? HIPHOP_OK : HIPHOP_REFUSED);
	}
}

static hiphop_error bob(void *context, const struct hit *hit, char *name, size_t name_size)
{
	(void)context;
	if (!hit_equal(hit, &signer))
		return HIPHOP_NOT_FOUND;
	snprintf(name, name_size, "bob@example.com");
	return HIPHOP_OK;
}

static void user_match_needs_a_certificate(void **state)
{
	struct hit bobs = hash_of("bob@example.com", 15), alices = hash_of("alice@example.com", 17);

	(void)state;
	assert_int_equal(permits(OVERLAY_KIND_SIP_REGISTRATION, &bobs, &signer), HIPHOP_REFUSED);
	crypto.user_name = bob;
	assert_int_equal(permits(OVERLAY_KIND_SIP_REGISTRATION, &bobs, &signer), HIPHOP_OK);
	assert_int_equal(permits(OVERLAY_KIND_SIP_REGISTRATION, &bobs, &other), HIPHOP_REFUSED);
	assert_int_equal(permits(OVERLAY_KIND_SIP_REGISTRATION, &alices, &signer), HIPHOP_REFUSED);
	assert_int_equal(permits(0x10, &bobs, NULL), HIPHOP_OK);
	assert_int_equal(permits(0x10, &alices, NULL), HIPHOP_REFUSED);
}

static void an_unknown_hash_permits_nothing(void **state)
{
	struct hit own = hash_of(signer.octets, HIT_LENGTH);
	struct span none = {NULL, 0};

	(void)state;
	assert_int_equal(kind_permits(kind_find(0x3), &crypto, "md1", &own, &signer, none), HIPHOP_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_table, start),
		cmocka_unit_test_setup(a_key_is_the_signers_own, start),
		cmocka_unit_test_setup(node_match, start),
		cmocka_unit_test_setup(node_multiple, start),
		cmocka_unit_test_setup(user_match_needs_a_certificate, start),
		cmocka_unit_test_setup(an_unknown_hash_permits_nothing, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
