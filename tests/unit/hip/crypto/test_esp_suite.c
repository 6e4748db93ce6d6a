/* SPDX-License-Identifier: MIT */
#include "hip/crypto/esp_suite.h"
#include "hip/wire/constants.h"

#include "tests/unit/cmocka.h"

static void test_find(void **state)
{
	const struct esp_suite *suite;
	size_t count = 0;
	(void)state;
	for (; (suite = esp_suite_at(count)); count++) {
		assert_ptr_equal(esp_suite_by_id(suite->id), suite);
		assert_ptr_equal(esp_suite_by_name(suite->name), suite);
		assert_true(!count || suite->id > esp_suite_at(count - 1)->id);
	}
	assert_int_equal(count, 10);
	for (uint16_t id = 2; id <= 6; id++)
		assert_null(esp_suite_by_id(id));
	assert_null(esp_suite_by_id(0));
	assert_null(esp_suite_by_id(16));
	assert_null(esp_suite_by_name("aes"));
}

static void test_rows_keep_the_maxima(void **state)
{
	const struct esp_suite *suite;
	(void)state;
	for (size_t n = 0; (suite = esp_suite_at(n)); n++) {
		assert_true(esp_suite_encryption_key_length(suite) <= ESP_ENCRYPTION_KEY_MAXIMUM);
		assert_true(suite->authentication_length <= ESP_AUTHENTICATION_KEY_MAXIMUM);
		assert_true(suite->iv_length <= ESP_IV_MAXIMUM && suite->icv_length <= ESP_ICV_MAXIMUM);
		assert_int_equal(esp_suite_is_combined(suite), suite->salt_length > 0);
	}
	assert_int_equal(esp_suite_encryption_key_length(esp_suite_by_id(ESP_SUITE_AES_GCM_16)), 20);
	assert_int_equal(esp_suite_encryption_key_length(esp_suite_by_id(ESP_SUITE_AES_CCM_16)), 19);
	assert_int_equal(esp_suite_encryption_key_length(esp_suite_by_id(ESP_SUITE_NULL_HMAC_SHA256)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_rows_keep_the_maxima),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
