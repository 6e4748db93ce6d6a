/* SPDX-License-Identifier: MIT */
#include "hip/crypto/esp_cipher.h"
#include "hip/crypto/hash.h"
#include "hip/wire/constants.h"

#include "tests/unit/failing_allocation.h"
#include "tests/unit/hip/crypto/material.h"

#include <openssl/evp.h>

#define PAYLOAD_LENGTH 64
#define SPI            0x12345678U

static const uint64_t sequence = UINT64_C(0x0000000200000007);

static struct esp_keys keys_of(uint16_t suite)
{
	struct esp_keys keys = {.suite = suite};
	for (size_t n = 0; n < sizeof keys.encryption; n++)
		keys.encryption[n] = (uint8_t)(3 * n + 1);
	for (size_t n = 0; n < sizeof keys.authentication; n++)
		keys.authentication[n] = (uint8_t)(5 * n + 2);
	return keys;
}

static void fill_payload(uint8_t *payload)
{
	for (size_t n = 0; n < PAYLOAD_LENGTH; n++)
		payload[n] = (uint8_t)n;
}

/* Seals one packet of PAYLOAD_LENGTH octets; returns its length. */
static size_t seal(const struct esp_keys *keys, uint64_t number, uint8_t *packet)
{
	struct esp_cipher *cipher;
	assert_int_equal(esp_cipher_new(keys, ESP_SEAL, &cipher), HIPHOP_OK);
	const struct esp_suite *suite = esp_cipher_suite(cipher);
	fill_payload(packet + ESP_HEADER_LENGTH + suite->iv_length);
	assert_int_equal(esp_cipher_seal(cipher, SPI, number, packet, PAYLOAD_LENGTH), HIPHOP_OK);
	esp_cipher_free(cipher);
	return ESP_HEADER_LENGTH + suite->iv_length + PAYLOAD_LENGTH + suite->icv_length;
}

static hiphop_error open_copy(
	const struct esp_keys *keys, uint64_t number, const uint8_t *packet, size_t length, uint8_t *payload)
{
	struct esp_cipher *cipher;
	uint8_t copy[512], *found;
	size_t found_length;
	memcpy(copy, packet, length);
	assert_int_equal(esp_cipher_new(keys, ESP_OPEN, &cipher), HIPHOP_OK);
	hiphop_error error = esp_cipher_open(cipher, number, copy, length, &found, &found_length);
	if (!error)
		memcpy(payload, found, found_length);
	esp_cipher_free(cipher);
	return error;
}

/* draft-mcgrew-gcm-test-01, test case 1: an ESP packet with an extended sequence number. */
static void test_gcm_vector(void **state)
{
	struct esp_keys keys = {.suite = ESP_SUITE_AES_GCM_16};
	uint8_t packet[256], *payload;
	size_t length;
	struct esp_cipher *cipher;
	(void)state;
	from_hex("4c80cdefbb5d10da906ac73c3613a634 2e443b68", keys.encryption, sizeof keys.encryption);
	struct span sealed = from_hex("00004321 00000000 4956ed7e3b244cfe"
				      "fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34"
				      "cfa2436f14a3f3cf65925bf1f4a13c5d15b21e1884f5ff6247aeabb786b93bce"
				      "61bc17d768fd9732 459018148f6cbe722fd04796562dfdb4",
		packet, sizeof packet);
	assert_int_equal(esp_cipher_new(&keys, ESP_OPEN, &cipher), HIPHOP_OK);
	assert_int_equal(
		esp_cipher_open(cipher, UINT64_C(0x8765432100000000), packet, sealed.length, &payload, &length),
		HIPHOP_OK);
	assert_hex(payload, length,
		"45000048699a000080114db7c0a80102c0a801010a9bf15638d3010000010000"
		"00000000045f736970045f756470037369700963796265726369747902646b00"
		"0021000101020201");
	esp_cipher_free(cipher);
}

/* RFC 3602 section 4, case 5, with an ICV by the HMAC that test_hash has checked; the sequence number has a high half.
 */
static void test_cbc_vector(void **state)
{
	struct esp_keys keys = keys_of(ESP_SUITE_AES_128_CBC_HMAC_SHA256);
	uint8_t packet[256], mac[64], *payload;
	size_t length;
	struct esp_cipher *cipher;
	static const uint8_t sequence_high[] = {0, 0, 0, 9};
	(void)state;
	from_hex("90d382b410eeba7ad938c46cec1a82bf", keys.encryption, sizeof keys.encryption);
	struct span body = from_hex("00004321 00000001 e96e8c08ab465763fd098d45dd3ff893"
				    "f663c25d325c18c6a9453e194e120849a4870b66cc6b9965330013b4898dc856"
				    "a4699e523a55db080b59ec3a8e4b7e52775b07d1db34ed9c538ab50c551b874a"
				    "a269add047ad2d5913ac19b7cfbad4a6",
		packet, sizeof packet);
	const struct span covered[] = {body, {sequence_high, 4}};
	hmac_spans(HASH_SHA256, (struct span){keys.authentication, 32}, covered, 2, mac);
	memcpy(packet + body.length, mac, 16);
	assert_int_equal(esp_cipher_new(&keys, ESP_OPEN, &cipher), HIPHOP_OK);
	assert_int_equal(
		esp_cipher_open(cipher, UINT64_C(0x900000001), packet, body.length + 16, &payload, &length), HIPHOP_OK);
	assert_hex(payload, length,
		"08000ebda70a00008e9c083db95b070008090a0b0c0d0e0f1011121314151617"
		"18191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637"
		"0102030405060708090a0b0c0d0e0e01");
	esp_cipher_free(cipher);
}

/* AES-128-GCM by the library alone, to compare with. */
static void library_gcm(const struct esp_keys *keys, struct span nonce, struct span associated, struct span plain,
	uint8_t *cipher_text, uint8_t *tag)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int written;
	assert_true(EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), NULL, keys->encryption, nonce.data));
	assert_true(EVP_EncryptUpdate(context, NULL, &written, associated.data, (int)associated.length));
	if (plain.length)
		assert_true(EVP_EncryptUpdate(context, cipher_text, &written, plain.data, (int)plain.length));
	assert_true(EVP_EncryptFinal_ex(context, tag, &written));
	assert_true(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag));
	EVP_CIPHER_CTX_free(context);
}

/* In GMAC the IV is authenticated with the payload (RFC 4543 section 3.3 and its erratum 1821). */
static void test_gcm_and_gmac_form(void **state)
{
	struct esp_keys keys = keys_of(ESP_SUITE_AES_GCM_16);
	uint8_t packet[256], plain[PAYLOAD_LENGTH], expected[PAYLOAD_LENGTH], tag[16], nonce[12], associated[256];
	(void)state;
	fill_payload(plain);
	memcpy(nonce, keys.encryption + 16, 4);
	from_hex("0000000200000007", nonce + 4, 8);
	from_hex("12345678 0000000200000007", associated, sizeof associated);

	library_gcm(&keys, (struct span){nonce, 12}, (struct span){associated, 12},
		(struct span){plain, PAYLOAD_LENGTH}, expected, tag);
	assert_int_equal(seal(&keys, sequence, packet), 8 + 8 + PAYLOAD_LENGTH + 16);
	assert_hex(packet, 16, "12345678 00000007 0000000200000007");
	assert_memory_equal(packet + 16, expected, PAYLOAD_LENGTH);
	assert_memory_equal(packet + 16 + PAYLOAD_LENGTH, tag, 16);

	memcpy(associated + 12, nonce + 4, 8);
	memcpy(associated + 20, plain, PAYLOAD_LENGTH);
	library_gcm(&keys, (struct span){nonce, 12}, (struct span){associated, 20 + PAYLOAD_LENGTH},
		(struct span){NULL, 0}, NULL, tag);
	keys.suite = ESP_SUITE_AES_GMAC;
	seal(&keys, sequence, packet);
	assert_memory_equal(packet + 16, plain, PAYLOAD_LENGTH);
	assert_memory_equal(packet + 16 + PAYLOAD_LENGTH, tag, 16);
}

static void test_ccm_form(void **state)
{
	struct esp_keys keys = keys_of(ESP_SUITE_AES_CCM_8);
	uint8_t packet[256], plain[PAYLOAD_LENGTH], expected[PAYLOAD_LENGTH], tag[8], nonce[11], associated[12];
	int written;
	(void)state;
	fill_payload(plain);
	memcpy(nonce, keys.encryption + 16, 3);
	from_hex("0000000200000007", nonce + 3, 8);
	from_hex("12345678 0000000200000007", associated, sizeof associated);
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	assert_true(EVP_EncryptInit_ex(context, EVP_aes_128_ccm(), NULL, NULL, NULL));
	assert_true(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, 11, NULL));
	assert_true(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 8, NULL));
	assert_true(EVP_EncryptInit_ex(context, NULL, NULL, keys.encryption, nonce));
	assert_true(EVP_EncryptUpdate(context, NULL, &written, NULL, PAYLOAD_LENGTH));
	assert_true(EVP_EncryptUpdate(context, NULL, &written, associated, 12));
	assert_true(EVP_EncryptUpdate(context, expected, &written, plain, PAYLOAD_LENGTH));
	assert_true(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 8, tag));
	EVP_CIPHER_CTX_free(context);
	assert_int_equal(seal(&keys, sequence, packet), 8 + 8 + PAYLOAD_LENGTH + 8);
	assert_memory_equal(packet + 16, expected, PAYLOAD_LENGTH);
	assert_memory_equal(packet + 16 + PAYLOAD_LENGTH, tag, 8);
}

/* NULL: the payload in clear, the ICV over packet and high half; HMAC and CMAC. */
static void test_null_form(void **state)
{
	struct esp_keys keys = keys_of(ESP_SUITE_NULL_HMAC_SHA256);
	uint8_t packet[256], mac[64];
	static const uint8_t sequence_high[] = {0, 0, 0, 2};
	const struct span covered[] = {{packet, 8 + PAYLOAD_LENGTH}, {sequence_high, 4}};
	(void)state;
	assert_int_equal(seal(&keys, sequence, packet), 8 + PAYLOAD_LENGTH + 16);
	hmac_spans(HASH_SHA256, (struct span){keys.authentication, 32}, covered, 2, mac);
	assert_memory_equal(packet + 8 + PAYLOAD_LENGTH, mac, 16);

	keys.suite = ESP_SUITE_AES_CMAC_96;
	assert_int_equal(seal(&keys, sequence, packet), 8 + PAYLOAD_LENGTH + 12);
	uint8_t whole[8 + PAYLOAD_LENGTH + 4];
	size_t length;
	memcpy(whole, packet, 8 + PAYLOAD_LENGTH);
	memcpy(whole + 8 + PAYLOAD_LENGTH, sequence_high, 4);
	assert_non_null(EVP_Q_mac(NULL, "CMAC", NULL, "AES-128-CBC", NULL, keys.authentication, 16, whole, sizeof whole,
		mac, sizeof mac, &length));
	assert_memory_equal(packet + 8 + PAYLOAD_LENGTH, mac, 12);
}

static void test_every_suite_there_and_back(void **state)
{
	const struct esp_suite *suite;
	(void)state;
	for (size_t n = 0; (suite = esp_suite_at(n)); n++) {
		const struct esp_keys keys = keys_of(suite->id);
		struct esp_cipher *sealer, *opener;
		assert_int_equal(esp_cipher_new(&keys, ESP_SEAL, &sealer), HIPHOP_OK);
		assert_int_equal(esp_cipher_new(&keys, ESP_OPEN, &opener), HIPHOP_OK);
		for (uint64_t number = UINT32_MAX - UINT64_C(2); number < UINT32_MAX + UINT64_C(3); number++) {
			uint8_t packet[256], plain[PAYLOAD_LENGTH], *payload;
			size_t length;
			fill_payload(plain);
			fill_payload(packet + ESP_HEADER_LENGTH + suite->iv_length);
			assert_int_equal(esp_cipher_seal(sealer, SPI, number, packet, PAYLOAD_LENGTH), HIPHOP_OK);
			if (suite->cipher_key_length && suite->mode != ESP_MODE_GMAC)
				assert_memory_not_equal(packet + 8 + suite->iv_length, plain, PAYLOAD_LENGTH);
			assert_int_equal(
				esp_cipher_open(opener, number, packet,
					ESP_HEADER_LENGTH + suite->iv_length + PAYLOAD_LENGTH + suite->icv_length,
					&payload, &length),
				HIPHOP_OK);
			assert_int_equal(length, PAYLOAD_LENGTH);
			assert_ptr_equal(payload, packet + ESP_HEADER_LENGTH + suite->iv_length);
			assert_memory_equal(payload, plain, PAYLOAD_LENGTH);
		}
		esp_cipher_free(sealer);
		esp_cipher_free(opener);
	}
}

/* Each octet of the packet but the sequence number, which the caller checks, and then key, salt and high half. */
static void test_every_suite_notices_tampering(void **state)
{
	const struct esp_suite *suite;
	(void)state;
	for (size_t n = 0; (suite = esp_suite_at(n)); n++) {
		struct esp_keys keys = keys_of(suite->id);
		uint8_t packet[256], plain[PAYLOAD_LENGTH];
		size_t length = seal(&keys, sequence, packet);
		for (size_t octet = 0; octet < length; octet++) {
			packet[octet] ^= 0x20;
			hiphop_error expected = octet / 4 == 1 ? HIPHOP_INVALID_ARGUMENT : HIPHOP_BAD_MAC;
			assert_int_equal(open_copy(&keys, sequence, packet, length, plain), expected);
			packet[octet] ^= 0x20;
		}
		assert_int_equal(open_copy(&keys, sequence, packet, length, plain), HIPHOP_OK);
		assert_int_equal(
			open_copy(&keys, sequence + (UINT64_C(1) << 32), packet, length, plain), HIPHOP_BAD_MAC);
		if (suite->salt_length) {
			keys.encryption[suite->cipher_key_length] ^= 1;
			assert_int_equal(open_copy(&keys, sequence, packet, length, plain), HIPHOP_BAD_MAC);
			keys.encryption[suite->cipher_key_length] ^= 1;
			keys.encryption[0] ^= 1;
		} else {
			keys.authentication[suite->authentication_length - 1] ^= 1;
		}
		assert_int_equal(open_copy(&keys, sequence, packet, length, plain), HIPHOP_BAD_MAC);
	}
}

/* An opener goes on after a bad packet as if nothing had been. */
static void test_opener_survives_bad_packets(void **state)
{
	const struct esp_suite *suite;
	(void)state;
	for (size_t n = 0; (suite = esp_suite_at(n)); n++) {
		const struct esp_keys keys = keys_of(suite->id);
		struct esp_cipher *opener;
		uint8_t good[256], bad[256], *payload;
		size_t found, length = seal(&keys, sequence, good);
		memcpy(bad, good, length);
		bad[length - 1] ^= 1;
		assert_int_equal(esp_cipher_new(&keys, ESP_OPEN, &opener), HIPHOP_OK);
		assert_int_equal(esp_cipher_open(opener, sequence, bad, length, &payload, &found), HIPHOP_BAD_MAC);
		assert_null(payload);
		assert_int_equal(esp_cipher_open(opener, sequence, good, length, &payload, &found), HIPHOP_OK);
		esp_cipher_free(opener);
	}
}

/* The IV of CBC must not be the counter, nor repeat. */
static void test_cbc_iv_is_unpredictable(void **state)
{
	const struct esp_keys keys = keys_of(ESP_SUITE_AES_256_CBC_HMAC_SHA256);
	uint8_t one[256], other[256];
	(void)state;
	seal(&keys, 1, one);
	seal(&keys, 2, other);
	for (int n = 0; n < 16; n += 8)
		assert_memory_not_equal(one + 8 + n, other + 8 + n, 8);
	assert_memory_not_equal(one + 8, "\0\0\0\0\0\0\0\1", 8);
}

static void test_lengths(void **state)
{
	const struct esp_keys gcm = keys_of(ESP_SUITE_AES_GCM_16), cbc = keys_of(ESP_SUITE_AES_128_CBC_HMAC_SHA256);
	struct esp_cipher *sealer, *opener;
	uint8_t packet[256] = {0}, *payload;
	size_t length;
	(void)state;
	assert_int_equal(esp_cipher_new(&cbc, ESP_SEAL, &sealer), HIPHOP_OK);
	assert_int_equal(esp_cipher_seal(sealer, SPI, 1, packet, 0), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(esp_cipher_seal(sealer, SPI, 1, packet, 20), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(esp_cipher_seal(sealer, SPI, 1, packet, 65536), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(esp_cipher_open(sealer, 0, packet, 56, &payload, &length), HIPHOP_INVALID_ARGUMENT);
	esp_cipher_free(sealer);
	assert_int_equal(esp_cipher_new(&gcm, ESP_OPEN, &opener), HIPHOP_OK);
	assert_int_equal(esp_cipher_seal(opener, SPI, 1, packet, 16), HIPHOP_INVALID_ARGUMENT);
	for (size_t short_length = 0; short_length < 8 + 8 + 4 + 16; short_length++)
		assert_int_equal(esp_cipher_open(opener, 0, packet, short_length, &payload, &length), HIPHOP_TRUNCATED);
	assert_int_equal(esp_cipher_open(opener, 0, packet, 37, &payload, &length), HIPHOP_MALFORMED);
	assert_int_equal(esp_cipher_open(opener, 0, packet, 36, &payload, &length), HIPHOP_BAD_MAC);
	esp_cipher_free(opener);
	const struct esp_keys unknown = {.suite = 3};
	assert_int_equal(esp_cipher_new(&unknown, ESP_OPEN, &opener), HIPHOP_UNSUPPORTED);
	assert_null(opener);
	esp_cipher_free(NULL);
}

static void test_combined_modes_do_not_allocate(void **state)
{
	static const uint16_t suites[] = {ESP_SUITE_AES_GCM_16, ESP_SUITE_AES_GCM_8, ESP_SUITE_AES_CCM_16,
		ESP_SUITE_AES_GMAC, ESP_SUITE_AES_CMAC_96};
	(void)state;
	for (size_t n = 0; n < sizeof suites / sizeof suites[0]; n++) {
		const struct esp_keys keys = keys_of(suites[n]);
		struct esp_cipher *sealer, *opener;
		uint8_t packet[256], *payload;
		size_t length;
		assert_int_equal(esp_cipher_new(&keys, ESP_SEAL, &sealer), HIPHOP_OK);
		assert_int_equal(esp_cipher_new(&keys, ESP_OPEN, &opener), HIPHOP_OK);
		const struct esp_suite *suite = esp_cipher_suite(sealer);
		memset(packet, 0, sizeof packet);
		failing_allocation_after(0);
		hiphop_error sealed = esp_cipher_seal(sealer, SPI, 5, packet, PAYLOAD_LENGTH);
		hiphop_error opened = esp_cipher_open(opener, 5, packet,
			ESP_HEADER_LENGTH + suite->iv_length + PAYLOAD_LENGTH + suite->icv_length, &payload, &length);
		failing_allocation_stop();
		assert_int_equal(sealed, HIPHOP_OK);
		assert_int_equal(opened, HIPHOP_OK);
		esp_cipher_free(sealer);
		esp_cipher_free(opener);
	}
}

static void test_every_allocation_fails(void **state)
{
	const struct esp_suite *suite;
	(void)state;
	for (size_t n = 0; (suite = esp_suite_at(n)); n++) {
		const struct esp_keys keys = keys_of(suite->id);
		struct esp_cipher *cipher;
		unsigned allowed = 0;
		for (hiphop_error error = HIPHOP_NO_MEMORY; error; allowed++) {
			failing_allocation_after(allowed);
			error = esp_cipher_new(&keys, ESP_SEAL, &cipher);
			failing_allocation_stop();
			assert_true(!error == !!cipher);
			assert_true(allowed < 1000);
		}
		esp_cipher_free(cipher);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gcm_vector),
		cmocka_unit_test(test_cbc_vector),
		cmocka_unit_test(test_gcm_and_gmac_form),
		cmocka_unit_test(test_ccm_form),
		cmocka_unit_test(test_null_form),
		cmocka_unit_test(test_every_suite_there_and_back),
		cmocka_unit_test(test_every_suite_notices_tampering),
		cmocka_unit_test(test_opener_survives_bad_packets),
		cmocka_unit_test(test_cbc_iv_is_unpredictable),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_combined_modes_do_not_allocate),
		cmocka_unit_test(test_every_allocation_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
