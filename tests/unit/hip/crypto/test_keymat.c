/* SPDX-License-Identifier: MIT */
#include "hip/crypto/hkdf.h"
#include "hip/crypto/keymat.h"
#include "hip/wire/constants.h"

#include "tests/unit/hip/crypto/material.h"

static const struct hit low = {{0x20, 0x01, 0x00, 0x22, [15] = 1}};
static const struct hit high = {{0x20, 0x01, 0x00, 0x22, 0x80, [15] = 1}};
static const struct hit stranger = {{0x20, 0x01, 0x00, 0x22, 0x90}};

static void start(struct keymat *keymat, const struct hit *a, const struct hit *b, uint8_t salt_fill)
{
	uint8_t i[48], j[48];
	struct shared_secret secret = {.length = 32};
	memset(secret.octets, 7, 32);
	memset(i, salt_fill, sizeof i);
	memset(j, 2, sizeof j);
	assert_int_equal(keymat_start(keymat, HASH_SHA384, &secret, (struct span){i, 48}, (struct span){j, 48}, a, b),
		HIPHOP_OK);
}

/* The definition of RFC 7401 section 6.5, put together by hand. */
static void test_is_hkdf_over_sorted_hits(void **state)
{
	struct keymat one, other;
	uint8_t salt[96], secret[32], key[48], expected[200], drawn[200];
	const struct span info[] = {{low.octets, 16}, {high.octets, 16}};
	(void)state;
	memset(secret, 7, sizeof secret);
	memset(salt, 1, 48);
	memset(salt + 48, 2, 48);
	hkdf_extract(HASH_SHA384, (struct span){salt, 96}, (struct span){secret, 32}, key);
	hkdf_expand(HASH_SHA384, key, info, 2, 0, expected, sizeof expected);
	start(&one, &low, &high, 1);
	start(&other, &high, &low, 1);
	assert_int_equal(keymat_draw(&one, drawn, 200), HIPHOP_OK);
	assert_memory_equal(drawn, expected, 200);
	assert_int_equal(keymat_draw(&other, drawn, 33), HIPHOP_OK);
	assert_int_equal(keymat_draw(&other, drawn + 33, 167), HIPHOP_OK);
	assert_memory_equal(drawn, expected, 200);
	assert_int_equal(other.index, 200);
}

static void test_salt_matters(void **state)
{
	struct keymat one, other;
	uint8_t a[32], b[32];
	(void)state;
	start(&one, &low, &high, 1);
	start(&other, &low, &high, 3);
	keymat_draw(&one, a, 32);
	keymat_draw(&other, b, 32);
	assert_memory_not_equal(a, b, 32);
}

/* Order of RFC 7401 section 6.5 and RFC 7402 section 7, and that what goes out here comes in there. */
static void test_order_of_keys(void **state)
{
	const struct hip_cipher *cipher = hip_cipher_by_id(HIP_CIPHER_AES_128_CBC);
	struct keymat plain, at_low, at_high;
	struct hip_keys low_out, low_in, high_out, high_in;
	struct esp_keys low_esp_out, low_esp_in, high_esp_out, high_esp_in;
	uint8_t all[2 * (16 + 48) + 2 * (32 + 32)];
	(void)state;
	start(&plain, &low, &high, 1);
	start(&at_low, &low, &high, 1);
	start(&at_high, &low, &high, 1);
	keymat_draw(&plain, all, sizeof all);
	assert_int_equal(keymat_draw_hip_keys(&at_low, cipher, &low, &low_out, &low_in), HIPHOP_OK);
	assert_int_equal(keymat_draw_hip_keys(&at_high, cipher, &high, &high_out, &high_in), HIPHOP_OK);
	assert_memory_equal(high_out.encryption, all, 16);
	assert_memory_equal(high_out.integrity, all + 16, 48);
	assert_memory_equal(low_out.encryption, all + 64, 16);
	assert_memory_equal(low_out.integrity, all + 80, 48);
	assert_memory_equal(&high_out, &low_in, sizeof high_out);
	assert_memory_equal(&low_out, &high_in, sizeof low_out);

	uint16_t suite = ESP_SUITE_AES_256_CBC_HMAC_SHA256;
	assert_int_equal(at_low.index, 128);
	assert_int_equal(keymat_draw_esp_keys(&at_low, suite, &low, &low_esp_out, &low_esp_in), HIPHOP_OK);
	assert_int_equal(keymat_draw_esp_keys(&at_high, suite, &high, &high_esp_out, &high_esp_in), HIPHOP_OK);
	assert_memory_equal(high_esp_out.encryption, all + 128, 32);
	assert_memory_equal(high_esp_out.authentication, all + 160, 32);
	assert_memory_equal(low_esp_out.encryption, all + 192, 32);
	assert_memory_equal(low_esp_out.authentication, all + 224, 32);
	assert_memory_equal(high_esp_in.encryption, low_esp_out.encryption, 32);
	assert_memory_equal(low_esp_in.authentication, high_esp_out.authentication, 32);
	assert_int_equal(high_esp_in.suite, suite);
	assert_int_equal(at_low.index, 256);
}

/* GCM draws 16 octets of key and 4 of salt for each direction and nothing else (RFC 4106 section 8.1). */
static void test_combined_mode_draws_no_authentication_key(void **state)
{
	struct keymat keymat;
	struct esp_keys out, in;
	static const uint8_t none[ESP_AUTHENTICATION_KEY_MAXIMUM];
	(void)state;
	start(&keymat, &low, &high, 1);
	assert_int_equal(keymat_draw_esp_keys(&keymat, ESP_SUITE_AES_GCM_16, &low, &out, &in), HIPHOP_OK);
	assert_int_equal(keymat.index, 40);
	assert_memory_equal(out.authentication, none, sizeof none);
	assert_memory_not_equal(out.encryption, in.encryption, 20);
}

static void test_null_cipher_draws_only_integrity(void **state)
{
	struct keymat keymat;
	struct hip_keys out, in;
	(void)state;
	start(&keymat, &low, &high, 1);
	assert_int_equal(keymat_draw_hip_keys(&keymat, hip_cipher_by_id(HIP_CIPHER_NULL), &low, &out, &in), HIPHOP_OK);
	assert_int_equal(keymat.index, 96);
}

static void test_limits(void **state)
{
	struct keymat keymat;
	struct esp_keys out, in;
	struct hip_keys hip_out, hip_in;
	uint8_t octets[64];
	(void)state;
	start(&keymat, &low, &high, 1);
	assert_int_equal(keymat_capacity(&keymat), 255 * 48);
	assert_int_equal(keymat_advance(&keymat, 255 * 48 - 10), HIPHOP_OK);
	assert_int_equal(keymat_draw(&keymat, octets, 11), HIPHOP_LIMITED);
	assert_int_equal(keymat_draw_esp_keys(&keymat, ESP_SUITE_AES_GCM_16, &low, &out, &in), HIPHOP_LIMITED);
	assert_int_equal(keymat.index, 255 * 48 - 10);
	assert_int_equal(keymat_draw(&keymat, octets, 10), HIPHOP_OK);
	assert_int_equal(keymat_advance(&keymat, 5), HIPHOP_MALFORMED);
	assert_int_equal(keymat_advance(&keymat, 255 * 48 + 1), HIPHOP_LIMITED);
	assert_int_equal(keymat_draw_esp_keys(&keymat, 2, &low, &out, &in), HIPHOP_UNSUPPORTED);
	assert_int_equal(
		keymat_draw_esp_keys(&keymat, ESP_SUITE_AES_GCM_16, &stranger, &out, &in), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(keymat_draw_hip_keys(&keymat, hip_cipher_by_id(2), &stranger, &hip_out, &hip_in),
		HIPHOP_INVALID_ARGUMENT);
	struct shared_secret secret = {.length = 32};
	const struct span right = {octets, 48}, wrong = {octets, 32};
	assert_int_equal(
		keymat_start(&keymat, HASH_SHA384, &secret, wrong, right, &low, &high), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(
		keymat_start(&keymat, HASH_SHA384, &secret, right, wrong, &low, &high), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(keymat_start(&keymat, HASH_NONE, &secret, right, right, &low, &high), HIPHOP_UNSUPPORTED);
}

static void test_clear_wipes(void **state)
{
	struct keymat keymat, zero;
	struct hip_keys keys = {{1}, {2}}, no_keys;
	struct esp_keys esp = {8, {1}, {2}}, no_esp;
	(void)state;
	memset(&zero, 0, sizeof zero);
	memset(&no_keys, 0, sizeof no_keys);
	memset(&no_esp, 0, sizeof no_esp);
	start(&keymat, &low, &high, 1);
	keymat_clear(&keymat);
	hip_keys_clear(&keys);
	esp_keys_clear(&esp);
	assert_memory_equal(&keymat, &zero, sizeof zero);
	assert_memory_equal(&keys, &no_keys, sizeof keys);
	assert_memory_equal(&esp, &no_esp, sizeof esp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_hkdf_over_sorted_hits),
		cmocka_unit_test(test_salt_matters),
		cmocka_unit_test(test_order_of_keys),
		cmocka_unit_test(test_combined_mode_draws_no_authentication_key),
		cmocka_unit_test(test_null_cipher_draws_only_integrity),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_clear_wipes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
