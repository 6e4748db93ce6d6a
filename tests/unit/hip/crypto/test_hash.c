/* SPDX-License-Identifier: MIT */
#include "hip/crypto/hash.h"

#include "tests/unit/failing_allocation.h"
#include "tests/unit/hip/crypto/material.h"

static void test_table(void **state)
{
	(void)state;
	assert_int_equal(rhash_of_suite(1), HASH_SHA256);
	assert_int_equal(rhash_of_suite(2), HASH_SHA384);
	assert_int_equal(rhash_of_suite(3), HASH_SHA1);
	assert_int_equal(rhash_of_suite(0), HASH_NONE);
	assert_int_equal(rhash_of_suite(4), HASH_NONE);
	assert_int_equal(hash_length(HASH_NONE), 0);
	assert_int_equal(hash_length(HASH_SHA384), 48);
	assert_int_equal(hash_length((hash_algorithm)99), 0);
	assert_int_equal(hash_by_name("sha256"), HASH_SHA256);
	assert_int_equal(hash_by_name(""), HASH_NONE);
	assert_int_equal(hash_by_name("md4"), HASH_NONE);
}

/* FIPS 180-4: "abc", given in two spans with an empty one between. */
static void test_digests(void **state)
{
	static const struct {
		hash_algorithm algorithm;
		const char *digest;
	} rows[] = {
		{HASH_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{HASH_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{HASH_SHA384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
			      "8086072ba1e7cc2358baeca134c825a7"},
		{HASH_SHA512, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
			      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
	};
	(void)state;
	for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
		const struct span spans[] = {from_text("a"), {NULL, 0}, from_text("bc")};
		uint8_t digest[HASH_LENGTH_MAXIMUM];
		assert_int_equal(hash_spans(rows[n].algorithm, spans, 3, digest), HIPHOP_OK);
		assert_hex(digest, hash_length(rows[n].algorithm), rows[n].digest);
	}
	uint8_t digest[HASH_LENGTH_MAXIMUM];
	assert_int_equal(hash_spans(HASH_NONE, NULL, 0, digest), HIPHOP_UNSUPPORTED);
	assert_int_equal(hash_spans((hash_algorithm)77, NULL, 0, digest), HIPHOP_UNSUPPORTED);
}

/* RFC 4231 test cases 2 and 6 (a key longer than a block), RFC 2202 test case 2 for SHA-1. */
static void test_hmac(void **state)
{
	uint8_t mac[HASH_LENGTH_MAXIMUM], long_key[131];
	const struct span jefe = from_text("Jefe"), data[] = {from_text("what do ya "), from_text("want for nothing?")};
	(void)state;
	memset(long_key, 0xaa, sizeof long_key);
	assert_int_equal(hmac_spans(HASH_SHA1, jefe, data, 2, mac), HIPHOP_OK);
	assert_hex(mac, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	assert_int_equal(hmac_spans(HASH_SHA256, jefe, data, 2, mac), HIPHOP_OK);
	assert_hex(mac, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	assert_int_equal(hmac_spans(HASH_SHA384, jefe, data, 2, mac), HIPHOP_OK);
	assert_hex(mac, 48,
		"af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649");
	const struct span key = {long_key, sizeof long_key},
			  text = from_text("Test Using Larger Than Block-Size Key - Hash Key First");
	assert_int_equal(hmac_spans(HASH_SHA256, key, &text, 1, mac), HIPHOP_OK);
	assert_hex(mac, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void test_hmac_verify(void **state)
{
	uint8_t mac[HASH_LENGTH_MAXIMUM];
	const struct span key = from_text("key");
	struct span text = from_text("text");
	(void)state;
	assert_int_equal(hmac_spans(HASH_SHA384, key, &text, 1, mac), HIPHOP_OK);
	assert_int_equal(hmac_verify(HASH_SHA384, key, &text, 1, (struct span){mac, 48}), HIPHOP_OK);
	assert_int_equal(hmac_verify(HASH_SHA384, key, &text, 1, (struct span){mac, 47}), HIPHOP_BAD_MAC);
	assert_int_equal(hmac_verify(HASH_SHA384, key, &text, 1, (struct span){NULL, 0}), HIPHOP_BAD_MAC);
	assert_int_equal(hmac_verify(HASH_SHA384, from_text("kez"), &text, 1, (struct span){mac, 48}), HIPHOP_BAD_MAC);
	mac[47] ^= 1;
	assert_int_equal(hmac_verify(HASH_SHA384, key, &text, 1, (struct span){mac, 48}), HIPHOP_BAD_MAC);
	assert_int_equal(hmac_verify(HASH_NONE, key, &text, 1, (struct span){mac, 48}), HIPHOP_UNSUPPORTED);
}

static void test_contexts_repeat(void **state)
{
	struct hash_context *hash;
	struct hmac_context *hmac;
	uint8_t once[HASH_LENGTH_MAXIMUM], again[HASH_LENGTH_MAXIMUM], mac[HASH_LENGTH_MAXIMUM];
	const struct span key = from_text("key"), text = from_text("text");
	(void)state;
	assert_int_equal(hash_context_new(HASH_SHA256, &hash), HIPHOP_OK);
	assert_int_equal(hmac_context_new(HASH_SHA256, key, &hmac), HIPHOP_OK);
	assert_int_equal(hash_context_compute(hash, &text, 1, once), HIPHOP_OK);
	assert_int_equal(hash_context_compute(hash, &text, 1, again), HIPHOP_OK);
	assert_memory_equal(once, again, 32);
	for (int n = 0; n < 3; n++) {
		assert_int_equal(hmac_context_compute(hmac, &text, 1, mac), HIPHOP_OK);
		assert_int_equal(hmac_verify(HASH_SHA256, key, &text, 1, (struct span){mac, 32}), HIPHOP_OK);
	}
	hash_context_free(hash);
	hmac_context_free(hmac);
	hash_context_free(NULL);
	hmac_context_free(NULL);
}

static void test_every_allocation_fails(void **state)
{
	uint8_t mac[HASH_LENGTH_MAXIMUM];
	const struct span text = from_text("text");
	(void)state;
	unsigned allowed = 0;
	for (hiphop_error error = HIPHOP_NO_MEMORY; error; allowed++) {
		failing_allocation_after(allowed);
		error = hmac_spans(HASH_SHA384, text, &text, 1, mac);
		failing_allocation_stop();
		assert_true(error == HIPHOP_OK || error == HIPHOP_NO_MEMORY || error == HIPHOP_CRYPTO);
		assert_true(allowed < 1000);
	}
	assert_true(allowed > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_digests),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_hmac_verify),
		cmocka_unit_test(test_contexts_repeat),
		cmocka_unit_test(test_every_allocation_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
