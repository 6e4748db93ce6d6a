/* SPDX-License-Identifier: MIT */
#include "hip/crypto/hip_cipher.h"
#include "hip/wire/constants.h"

#include "tests/unit/hip/crypto/material.h"

static const uint16_t ids[] = {HIP_CIPHER_NULL, HIP_CIPHER_AES_128_CBC, HIP_CIPHER_AES_256_CBC};

static struct seeded_random generator;
static const uint8_t key_octets[32] = {1, 2, 3};

static struct span key_of(const struct hip_cipher *cipher)
{
	return (struct span){key_octets, cipher->key_length};
}

static void test_table(void **state)
{
	(void)state;
	for (size_t n = 0; n < 3; n++) {
		const struct hip_cipher *cipher = hip_cipher_by_id(ids[n]);
		assert_int_equal(cipher->id, ids[n]);
		assert_ptr_equal(hip_cipher_by_name(cipher->name), cipher);
		assert_true(cipher->key_length <= HIP_CIPHER_KEY_MAXIMUM);
		assert_true(hip_cipher_sealed_length(cipher, 16) <= 16 + HIP_CIPHER_OVERHEAD_MAXIMUM);
	}
	assert_null(hip_cipher_by_id(0));
	assert_null(hip_cipher_by_id(3));
	assert_null(hip_cipher_by_name("rot13"));
}

/* RFC 3602 section 4 case 2, with the padding block that PKCS#5 adds: it starts like the vector. */
/* conforms: RFC7401-5.2.18-1 RFC7401-5.3.2-11 RFC7401-5.3.3-6 */
static void test_vector(void **state)
{
	uint8_t key[16], iv[16], plain[32], sealed[64];
	struct told_random told;
	const struct hip_cipher *cipher = hip_cipher_by_id(HIP_CIPHER_AES_128_CBC);
	struct random_source random =
		told_random_start(&told, from_hex("562e17996d093d28ddb3ba695a2e6f58", iv, sizeof iv));
	(void)state;
	assert_int_equal(hip_cipher_seal(cipher, from_hex("c286696d887c9aa0611bbb3e2025a45a", key, sizeof key), &random,
				 from_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", plain,
					 sizeof plain),
				 sealed),
		HIPHOP_OK);
	assert_int_equal(hip_cipher_sealed_length(cipher, 32), 64);
	assert_hex(sealed, 48,
		"562e17996d093d28ddb3ba695a2e6f58"
		"d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1");
}

/* conforms: RFC7401-5.3.2-11 RFC7401-5.3.3-6 */
static void test_there_and_back(void **state)
{
	struct random_source random = seeded_random_start(&generator, 3);
	(void)state;
	for (size_t n = 0; n < 3; n++) {
		const struct hip_cipher *cipher = hip_cipher_by_id(ids[n]);
		for (size_t length = 0; length <= 72; length += 8) {
			uint8_t plain[72], sealed[72 + HIP_CIPHER_OVERHEAD_MAXIMUM], opened[sizeof sealed];
			size_t opened_length, sealed_length = hip_cipher_sealed_length(cipher, length);
			memset(plain, (int)length + 1, sizeof plain);
			assert_int_equal(
				hip_cipher_seal(cipher, key_of(cipher), &random, (struct span){plain, length}, sealed),
				HIPHOP_OK);
			assert_int_equal(hip_cipher_open(cipher, key_of(cipher), (struct span){sealed, sealed_length},
						 opened, &opened_length),
				HIPHOP_OK);
			assert_int_equal(opened_length, length);
			assert_memory_equal(opened, plain, length);
		}
	}
}

static void test_bad_input(void **state)
{
	struct random_source random = seeded_random_start(&generator, 3);
	const struct hip_cipher *cipher = hip_cipher_by_id(HIP_CIPHER_AES_256_CBC);
	uint8_t plain[16] = {0}, sealed[48], opened[64];
	size_t length;
	(void)state;
	assert_int_equal(
		hip_cipher_seal(cipher, (struct span){key_octets, 16}, &random, (struct span){plain, 16}, sealed),
		HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(
		hip_cipher_open(cipher, (struct span){key_octets, 16}, (struct span){sealed, 48}, opened, &length),
		HIPHOP_INVALID_ARGUMENT);
	hip_cipher_seal(cipher, key_of(cipher), &random, (struct span){plain, 16}, sealed);
	for (size_t cut = 0; cut < 48; cut++) {
		if (cut == 32)
			continue; /* whole blocks; the padding will say */
		assert_int_equal(hip_cipher_open(cipher, key_of(cipher), (struct span){sealed, cut}, opened, &length),
			HIPHOP_MALFORMED);
	}
	assert_int_equal(
		hip_cipher_open(cipher, key_of(cipher), (struct span){sealed, 32}, opened, &length), HIPHOP_MALFORMED);
	sealed[31] ^= 0x55; /* the last octet of padding after decryption */
	assert_int_equal(
		hip_cipher_open(cipher, key_of(cipher), (struct span){sealed, 48}, opened, &length), HIPHOP_MALFORMED);
	assert_int_equal(length, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_bad_input),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
