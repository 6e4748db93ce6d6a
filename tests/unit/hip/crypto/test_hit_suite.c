/* SPDX-License-Identifier: MIT */
#include "hip/crypto/hit_suite.h"
#include "hip/crypto/diffie_hellman.h"
#include "hip/crypto/esp_suite.h"
#include "hip/crypto/hash.h"
#include "hip/crypto/hip_cipher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_suites_of_the_rfc(void **state)
{
	const struct hit_suite_entry *suite;
	size_t count = 0;

	(void)state;
	for (; (suite = hit_suite_at(count)); count++) {
		assert_ptr_equal(hit_suite_by_id(suite->id), suite);
		assert_ptr_equal(hit_suite_by_name(suite->name), suite);
		assert_ptr_equal(hit_suite_by_name(suite->alias), suite);
		assert_int_not_equal(rhash_of_suite(suite->id), HASH_NONE);
	}
	assert_int_equal(count, 3);
	assert_null(hit_suite_by_id(0));
	assert_null(hit_suite_by_id(4));
	assert_null(hit_suite_by_name("dsa"));
}

/* SHA-1, no encryption, curves of 160 bits and primes below 2048 are weak, and nothing else is. */
static void what_is_weak(void **state)
{
	(void)state;
	for (size_t i = 0; hit_suite_at(i); i++)
		assert_int_equal(hit_suite_at(i)->weakness != NULL, hit_suite_at(i)->id == 3);
	for (size_t i = 0; diffie_hellman_group_at(i); i++) {
		uint8_t id = diffie_hellman_group_at(i)->id;

		assert_int_equal(diffie_hellman_group_at(i)->weakness != NULL, id == 3 || id == 10);
	}
	for (size_t i = 0; hip_cipher_at(i); i++)
		assert_int_equal(hip_cipher_at(i)->weakness != NULL, hip_cipher_at(i)->id == 1);
	for (size_t i = 0; esp_suite_at(i); i++) {
		uint16_t id = esp_suite_at(i)->id;

		assert_int_equal(esp_suite_at(i)->weakness != NULL, id == 1 || id == 7 || id == 14 || id == 15);
		assert_int_equal(esp_suite_encrypts(esp_suite_at(i)), id != 7 && id != 14 && id != 15);
	}
}

/* No name may mean two things. */
static void names_are_of_one_row(void **state)
{
	(void)state;
	for (size_t i = 0; diffie_hellman_group_at(i); i++) {
		const struct diffie_hellman_group *group = diffie_hellman_group_at(i);

		assert_ptr_equal(diffie_hellman_group_by_name(group->name), group);
		assert_ptr_equal(diffie_hellman_group_by_name(group->alias ? group->alias : group->name), group);
	}
	for (size_t i = 0; hip_cipher_at(i); i++) {
		assert_ptr_equal(hip_cipher_by_name(hip_cipher_at(i)->name), hip_cipher_at(i));
		assert_ptr_equal(hip_cipher_by_name(hip_cipher_at(i)->alias), hip_cipher_at(i));
	}
	for (size_t i = 0; esp_suite_at(i); i++) {
		const struct esp_suite *suite = esp_suite_at(i);

		assert_ptr_equal(esp_suite_by_name(suite->name), suite);
		assert_ptr_equal(esp_suite_by_name(suite->alias ? suite->alias : suite->name), suite);
	}
	/* as strongSwan writes them */
	assert_int_equal(diffie_hellman_group_by_name("modp3072")->id, 4);
	assert_int_equal(diffie_hellman_group_by_name("ecp256")->id, 7);
	assert_int_equal(esp_suite_by_name("aes128gcm16")->id, 13);
	assert_int_equal(esp_suite_by_name("aes256-sha256")->id, 9);
	assert_int_equal(esp_suite_by_name("aes128gmac")->id, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_suites_of_the_rfc),
		cmocka_unit_test(what_is_weak),
		cmocka_unit_test(names_are_of_one_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
