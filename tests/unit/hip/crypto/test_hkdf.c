/* SPDX-License-Identifier: MIT */
#include "hip/crypto/hkdf.h"

#include "tests/unit/hip/crypto/material.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

/* RFC 5869 appendix A: cases 1, 2 (longer, two info spans) and 4. */
static const struct {
	hash_algorithm hash;
	const char *input, *salt, *info[2], *pseudorandom_key, *output;
} vectors[] = {
	{HASH_SHA256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
		{"f0f1f2f3f4", "f5f6f7f8f9"}, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
		"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
	{HASH_SHA1, "0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", {"f0f1f2f3f4f5f6f7f8f9", ""},
		"9b6c18c432a7bf8f0e71c8eb88f4b30baa2ba243",
		"085a01ea1b10f36933068b56efa5ad81a4f14b822f5b091568a9cdd4f155fda2c22e422478d305f3f896"},
};

static void test_vectors(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof vectors / sizeof vectors[0]; n++) {
		uint8_t input[64], salt[64], info[2][64], key[64], out[64];
		const struct span infos[] = {from_hex(vectors[n].info[0], info[0], sizeof info[0]),
			from_hex(vectors[n].info[1], info[1], sizeof info[1])};
		assert_int_equal(hkdf_extract(vectors[n].hash, from_hex(vectors[n].salt, salt, sizeof salt),
					 from_hex(vectors[n].input, input, sizeof input), key),
			HIPHOP_OK);
		assert_hex(key, hash_length(vectors[n].hash), vectors[n].pseudorandom_key);
		assert_int_equal(hkdf_expand(vectors[n].hash, key, infos, 2, 0, out, 42), HIPHOP_OK);
		assert_hex(out, 42, vectors[n].output);
	}
}

static void library_hkdf(struct span key, struct span salt, struct span info, uint8_t *out, size_t length)
{
	EVP_KDF *algorithm = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = EVP_KDF_CTX_new(algorithm);
	char name[] = "SHA384";
	const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key.data, key.length),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt.data, salt.length),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info.data, info.length),
		OSSL_PARAM_construct_end()};
	assert_int_equal(EVP_KDF_derive(context, out, length, parameters), 1);
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(algorithm);
}

/* RFC 5869 has no SHA-384 vector: the library's own HKDF is the independent reader. Every cut must fit in. */
static void test_against_library(void **state)
{
	uint8_t whole[300], part[300], key[64];
	const struct span input = from_text("shared secret"), salt = from_text("salt"), info = from_text("info");
	(void)state;
	library_hkdf(input, salt, info, whole, sizeof whole);
	assert_int_equal(hkdf_extract(HASH_SHA384, salt, input, key), HIPHOP_OK);
	for (size_t index = 0; index < sizeof whole; index += 7) {
		for (size_t length = 0; index + length <= sizeof whole; length += 13) {
			assert_int_equal(hkdf_expand(HASH_SHA384, key, &info, 1, index, part, length), HIPHOP_OK);
			assert_memory_equal(part, whole + index, length);
		}
	}
}

static void test_limits(void **state)
{
	uint8_t key[64] = {0}, out[64];
	(void)state;
	assert_int_equal(hkdf_capacity(HASH_SHA256), 8160);
	assert_int_equal(hkdf_expand(HASH_SHA256, key, NULL, 0, 8159, out, 1), HIPHOP_OK);
	assert_int_equal(hkdf_expand(HASH_SHA256, key, NULL, 0, 8160, out, 0), HIPHOP_OK);
	assert_int_equal(hkdf_expand(HASH_SHA256, key, NULL, 0, 8160, out, 1), HIPHOP_LIMITED);
	assert_int_equal(hkdf_expand(HASH_SHA256, key, NULL, 0, 8150, out, 11), HIPHOP_LIMITED);
	assert_int_equal(hkdf_expand(HASH_SHA256, key, NULL, 0, SIZE_MAX, out, 2), HIPHOP_LIMITED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_against_library),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
