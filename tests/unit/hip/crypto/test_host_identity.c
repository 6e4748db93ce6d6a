/* SPDX-License-Identifier: MIT */
#include "hip/crypto/host_identity.h"
#include "hip/wire/constants.h"

#include "tests/unit/failing_allocation.h"
#include "tests/unit/hip/crypto/material.h"
#include "tests/unit/hip/crypto/private_keys.h"

#include <openssl/ec.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <unistd.h>

static struct seeded_random generator;

/* The private key of RFC 6979 appendix A.2.5; its public key; the HIT was computed apart, with Python's hashlib. */
#define SEED "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"
#define SEED_PUBLIC                                                                                                    \
	"60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"                                             \
	"7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
#define SEED_HIT "2001:22:2a0a:7b7f:f99d:30bf:6f0d:507"

static struct host_identity *seeded(void)
{
	struct host_identity *identity;
	struct told_random told;
	uint8_t octets[32];
	struct random_source random = told_random_start(&told, from_hex(SEED, octets, sizeof octets));
	assert_int_equal(host_identity_from_seed(&random, &identity), HIPHOP_OK);
	return identity;
}

static struct host_identity *from_pem(const char *text)
{
	struct host_identity *identity;
	assert_int_equal(host_identity_from_pem(text, strlen(text), &identity), HIPHOP_OK);
	return identity;
}

static struct host_identity *public_part(const struct host_identity *identity)
{
	struct host_identity *copy;
	assert_int_equal(
		host_identity_from_octets(host_identity_algorithm(identity), host_identity_octets(identity), &copy),
		HIPHOP_OK);
	return copy;
}

static void assert_hit(const struct host_identity *identity, const char *expected)
{
	char text[HIT_TEXT_SIZE];
	assert_string_equal(hit_format(host_identity_hit(identity), text), expected);
	assert_true(hit_is_host(host_identity_hit(identity)));
}

/* ---- HITs ---- */

/* conforms: RFC7401-3.2-1 */
static void test_hits_of_every_algorithm(void **state)
{
	static const struct {
		const char *pem, *hit;
		uint16_t algorithm;
		uint8_t suite;
		hash_algorithm rhash;
		size_t octets, signature;
	} rows[] = {
		{key_rsa_2048, "2001:21:1360:4c33:101a:bb06:5f32:2e63", HI_ALGORITHM_RSA, HIT_SUITE_RSA_DSA_SHA256,
			HASH_SHA256, 260, 256},
		{key_ecdsa_p384, "2001:22:2e9b:db86:a6ce:1888:ed40:d957", HI_ALGORITHM_ECDSA, HIT_SUITE_ECDSA_SHA384,
			HASH_SHA384, 98, 96},
		{key_ecdsa_low, "2001:23:5edb:8a50:80a8:a116:6a38:837e", HI_ALGORITHM_ECDSA_LOW,
			HIT_SUITE_ECDSA_LOW_SHA1, HASH_SHA1, 42, 42},
	};
	(void)state;
	for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
		struct host_identity *identity = from_pem(rows[n].pem);
		assert_hit(identity, rows[n].hit);
		assert_int_equal(host_identity_algorithm(identity), rows[n].algorithm);
		assert_int_equal(host_identity_suite(identity), rows[n].suite);
		assert_int_equal(host_identity_rhash(identity), rows[n].rhash);
		assert_int_equal(host_identity_octets(identity).length, rows[n].octets);
		assert_int_equal(host_identity_signature_length(identity), rows[n].signature);
		host_identity_free(identity);
	}
}

/* conforms: RFC7401-3.2-1 */
static void test_seed(void **state)
{
	struct host_identity *identity = seeded();
	struct span octets = host_identity_octets(identity);
	(void)state;
	assert_hex(octets.data, octets.length, "0001" SEED_PUBLIC);
	assert_hit(identity, SEED_HIT);
	host_identity_free(identity);
}

/* Of all algorithms that there are, so that a new one has to be looked at. */
/* conforms: RFC7401-5.2.9-6 */
static void test_curves_have_cofactor_1(void **state)
{
	static const struct {
		host_identity_kind kind;
		int curve;
	} rows[] = {{HOST_IDENTITY_ECDSA_P256, NID_X9_62_prime256v1}, {HOST_IDENTITY_ECDSA_P384, NID_secp384r1},
		{HOST_IDENTITY_ECDSA_LOW, NID_secp160r1}};
	(void)state;
	for (int kind = HOST_IDENTITY_ECDSA_P256; kind <= HOST_IDENTITY_ECDSA_LOW; kind++) {
		size_t n = 0;
		if (kind == HOST_IDENTITY_RSA_2048 || kind == HOST_IDENTITY_RSA_3072)
			continue;
		while (n < 3 && rows[n].kind != (host_identity_kind)kind)
			n++;
		assert_in_range(n, 0, 2);
		struct host_identity *identity;
		EC_GROUP *curve = EC_GROUP_new_by_curve_name(rows[n].curve);
		assert_non_null(curve);
		assert_true(BN_is_one(EC_GROUP_get0_cofactor(curve)));
		assert_int_equal(host_identity_generate((host_identity_kind)kind, &identity), HIPHOP_OK);
		/* Curve, x and y. */
		assert_int_equal(
			host_identity_octets(identity).length, 2 + 2 * (size_t)((EC_GROUP_get_degree(curve) + 7) / 8));
		host_identity_free(identity);
		EC_GROUP_free(curve);
	}
}

static void test_hit_check(void **state)
{
	struct host_identity *identity = seeded();
	struct span octets = host_identity_octets(identity);
	struct hit hit = *host_identity_hit(identity);
	(void)state;
	assert_int_equal(hit_check(&hit, HI_ALGORITHM_ECDSA, octets), HIPHOP_OK);
	assert_int_equal(hit_check(&hit, HI_ALGORITHM_ECDSA_LOW, octets), HIPHOP_BAD_IDENTITY);
	assert_int_equal(hit_check(&hit, HI_ALGORITHM_DSA, octets), HIPHOP_UNSUPPORTED);
	assert_int_equal(hit_check(&hit, HI_ALGORITHM_ECDSA, (struct span){octets.data, octets.length - 1}),
		HIPHOP_BAD_IDENTITY);
	hit.octets[15] ^= 1;
	assert_int_equal(hit_check(&hit, HI_ALGORITHM_ECDSA, octets), HIPHOP_BAD_IDENTITY);
	assert_int_equal(hit_suite_of_algorithm(HI_ALGORITHM_RSA), 1);
	assert_int_equal(hit_suite_of_algorithm(0), 0);
	host_identity_free(identity);
}

/* ---- Signatures ---- */

/* Every bit of a short signature, a spread of a long one; text, length and key. */
static void assert_signs(const struct host_identity *identity)
{
	struct host_identity *verifier = public_part(identity);
	uint8_t signature[HOST_IDENTITY_SIGNATURE_MAXIMUM];
	size_t length = host_identity_signature_length(identity);
	const struct span whole = from_text("a packet in two spans"),
			  spans[] = {from_text("a packet in"), {NULL, 0}, from_text(" two spans")},
			  changed = from_text("a packet in two spanz"), fits = {signature, length};

	assert_int_equal(host_identity_sign(identity, spans, 3, signature), HIPHOP_OK);
	for (int n = 0; n < 2; n++) /* the kept object can be used again */
		assert_int_equal(host_identity_verify(verifier, &whole, 1, fits), HIPHOP_OK);
	assert_int_equal(host_identity_verify(verifier, &changed, 1, fits), HIPHOP_BAD_SIGNATURE);
	assert_int_equal(
		host_identity_verify(verifier, &whole, 1, (struct span){signature, length - 1}), HIPHOP_BAD_SIGNATURE);
	assert_int_equal(host_identity_verify(verifier, &whole, 1, (struct span){NULL, 0}), HIPHOP_BAD_SIGNATURE);
	for (size_t octet = 0; octet<length; octet += length> 100 ? 17 : 1) {
		signature[octet] ^= 1;
		assert_int_equal(host_identity_verify(verifier, &whole, 1, fits), HIPHOP_BAD_SIGNATURE);
		signature[octet] ^= 1;
	}
	assert_int_equal(host_identity_verify(verifier, &whole, 1, fits), HIPHOP_OK);
	memset(signature, 0, sizeof signature);
	assert_int_equal(host_identity_verify(verifier, &whole, 1, fits), HIPHOP_BAD_SIGNATURE);
	memset(signature, 0xff, sizeof signature);
	assert_int_equal(host_identity_verify(verifier, &whole, 1, fits), HIPHOP_BAD_SIGNATURE);

	assert_false(host_identity_has_private_key(verifier));
	assert_true(host_identity_has_private_key(identity));
	assert_true(hit_equal(host_identity_hit(verifier), host_identity_hit(identity)));
	assert_int_equal(host_identity_sign(verifier, &whole, 1, signature), HIPHOP_WRONG_STATE);
	host_identity_free(verifier);
}

/* conforms: RFC7401-3-1 RFC7401-5.2.9-2 RFC7401-5.2.9-3 RFC7401-5.2.9-4 */
static void test_signatures_of_every_algorithm(void **state)
{
	struct host_identity *identities[] = {
		from_pem(key_rsa_2048), from_pem(key_ecdsa_p384), from_pem(key_ecdsa_low), seeded()};
	(void)state;
	for (size_t n = 0; n < sizeof identities / sizeof identities[0]; n++) {
		assert_signs(identities[n]);
		host_identity_free(identities[n]);
	}
}

static void test_signature_of_another_host(void **state)
{
	struct random_source random = seeded_random_start(&generator, 1);
	struct host_identity *one = seeded(), *other;
	uint8_t signature[HOST_IDENTITY_SIGNATURE_MAXIMUM];
	const struct span text = from_text("text");
	(void)state;
	assert_int_equal(host_identity_from_seed(&random, &other), HIPHOP_OK);
	assert_int_equal(host_identity_sign(one, &text, 1, signature), HIPHOP_OK);
	assert_int_equal(host_identity_verify(other, &text, 1, (struct span){signature, 64}), HIPHOP_BAD_SIGNATURE);
	host_identity_free(one);
	host_identity_free(other);
}

/* RFC 6979 appendix A.2.5, P-256 with SHA-384: seeded identities sign the same octets each time. */
static void test_seeded_signature_vectors(void **state)
{
	static const struct {
		const char *message, *signature;
	} rows[] = {
		{"sample", "0EAFEA039B20E9B42309FB1D89E213057CBF973DC0CFC8F129EDDDC800EF7719"
			   "4861F0491E6998B9455193E34E7B0D284DDD7149A74B95B9261F13ABDE940954"},
		{"test", "83910E8B48BB0C74244EBDF7F07A1C5413D61472BD941EF3920E623FBCCEBEB6"
			 "8DDBEC54CF8CD5874883841D712142A56A8D0F218F5003CB0296B6B509619F2C"},
	};
	struct host_identity *identity = seeded();
	(void)state;
	for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
		uint8_t signature[64];
		const struct span message = from_text(rows[n].message);
		assert_int_equal(host_identity_sign(identity, &message, 1, signature), HIPHOP_OK);
		assert_hex(signature, 64, rows[n].signature);
	}
	host_identity_free(identity);
}

static void test_generate(void **state)
{
	static const host_identity_kind kinds[] = {
		HOST_IDENTITY_ECDSA_P256, HOST_IDENTITY_ECDSA_P384, HOST_IDENTITY_RSA_2048, HOST_IDENTITY_ECDSA_LOW};
	(void)state;
	for (size_t n = 0; n < sizeof kinds / sizeof kinds[0]; n++) {
		struct host_identity *identity, *again;
		host_identity_kind kind;
		struct buffer text;
		assert_int_equal(host_identity_kind_by_name(host_identity_kind_name(kinds[n]), &kind), HIPHOP_OK);
		assert_int_equal(host_identity_generate(kind, &identity), HIPHOP_OK);
		assert_signs(identity);
		assert_int_equal(host_identity_to_pem(identity, &text), HIPHOP_OK);
		assert_int_equal(host_identity_from_pem((char *)text.data, text.length, &again), HIPHOP_OK);
		assert_true(hit_equal(host_identity_hit(identity), host_identity_hit(again)));
		host_identity_pem_free(&text);
		assert_null(text.data);
		host_identity_free(again);
		host_identity_free(identity);
	}
	struct host_identity *none;
	host_identity_kind kind;
	assert_int_equal(host_identity_generate((host_identity_kind)9, &none), HIPHOP_INVALID_ARGUMENT);
	assert_null(none);
	assert_int_equal(host_identity_kind_by_name("dsa", &kind), HIPHOP_NOT_FOUND);
	host_identity_free(NULL);
}

/* ---- PEM ---- */

static void test_bad_pem(void **state)
{
	static const struct {
		const char *text;
		hiphop_error expected;
	} rows[] = {
		{"", HIPHOP_MALFORMED},
		{"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", HIPHOP_MALFORMED},
		{key_rsa_1024, HIPHOP_UNSUPPORTED},
		{key_ecdsa_p521, HIPHOP_UNSUPPORTED},
		{key_ed25519, HIPHOP_UNSUPPORTED},
		{key_encrypted, HIPHOP_UNSUPPORTED},
		{key_mismatched, HIPHOP_MALFORMED},
	};
	struct host_identity *identity;
	(void)state;
	for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
		assert_int_equal(
			host_identity_from_pem(rows[n].text, strlen(rows[n].text), &identity), rows[n].expected);
		assert_null(identity);
	}
	assert_int_equal(
		host_identity_from_pem(key_rsa_2048, HOST_IDENTITY_PEM_MAXIMUM + 1, &identity), HIPHOP_TOO_LARGE);
	for (size_t length = 0; length < strlen(key_ecdsa_p384) - 2; length += 5)
		assert_int_equal(host_identity_from_pem(key_ecdsa_p384, length, &identity), HIPHOP_MALFORMED);
	struct host_identity *whole = seeded(), *verifier = public_part(whole);
	struct buffer text;
	assert_int_equal(host_identity_to_pem(verifier, &text), HIPHOP_WRONG_STATE);
	assert_null(text.data);
	host_identity_free(verifier);
	host_identity_free(whole);
}

/* What we write is what others read: the command prints the same public key. */
static void test_openssl_command_reads_our_pem(void **state)
{
	char path[] = "/tmp/hiphop-test-XXXXXX", command[128], line[256], all[2048] = "";
	struct host_identity *identity = seeded();
	struct buffer text;
	(void)state;
	if (system("openssl version >/dev/null 2>&1")) {
		host_identity_free(identity);
		skip();
	}
	int file = mkstemp(path);
	assert_true(file >= 0);
	assert_int_equal(host_identity_to_pem(identity, &text), HIPHOP_OK);
	assert_int_equal(write(file, text.data, text.length), text.length);
	close(file);
	snprintf(command, sizeof command, "openssl pkey -in %s -noout -text_pub", path);
	FILE *output = popen(command, "r");
	assert_non_null(output);
	while (fgets(line, sizeof line, output))
		strncat(all, line, sizeof all - strlen(all) - 1);
	int status = pclose(output);
	unlink(path);
	assert_int_equal(status, 0);
	assert_non_null(strstr(all, "04:60:fe:d4:ba:25:5a:9d:31"));
	assert_non_null(strstr(all, "prime256v1"));
	host_identity_pem_free(&text);
	host_identity_free(identity);
}

/* ---- HI octets from a stranger ---- */

static hiphop_error parse(uint16_t algorithm, const uint8_t *octets, size_t length)
{
	struct host_identity *identity;
	hiphop_error error = host_identity_from_octets(algorithm, (struct span){octets, length}, &identity);
	assert_true(!error == !!identity);
	host_identity_free(identity);
	return error;
}

static void test_bad_curve_octets(void **state)
{
	uint8_t octets[70] = {0};
	(void)state;
	from_hex("0001" SEED_PUBLIC, octets, sizeof octets);
	assert_int_equal(parse(HI_ALGORITHM_ECDSA, octets, 66), HIPHOP_OK);
	assert_int_equal(parse(HI_ALGORITHM_DSA, octets, 66), HIPHOP_UNSUPPORTED);
	assert_int_equal(parse(HI_ALGORITHM_ECDSA_LOW, octets, 66), HIPHOP_MALFORMED);
	assert_int_equal(parse(HI_ALGORITHM_ECDSA, octets, 0), HIPHOP_TRUNCATED);
	assert_int_equal(parse(HI_ALGORITHM_ECDSA, octets, 1), HIPHOP_TRUNCATED);
	for (size_t length = 2; length < 70; length++)
		assert_int_equal(
			parse(HI_ALGORITHM_ECDSA, octets, length), length == 66 ? HIPHOP_OK : HIPHOP_MALFORMED);
	octets[65] ^= 1;
	assert_int_equal(parse(HI_ALGORITHM_ECDSA, octets, 66), HIPHOP_MALFORMED);
	octets[65] ^= 1;
	octets[1] = 3;
	assert_int_equal(parse(HI_ALGORITHM_ECDSA, octets, 66), HIPHOP_UNSUPPORTED);
	memset(octets, 0, sizeof octets);
	octets[1] = 1;
	assert_int_equal(parse(HI_ALGORITHM_ECDSA, octets, 66), HIPHOP_MALFORMED);
}

static size_t rsa_octets(uint8_t *out, const char *exponent, size_t modulus_length)
{
	size_t start = from_hex(exponent, out, 16).length;
	memset(out + start, 0xc1, modulus_length);
	return start + modulus_length;
}

static void test_bad_rsa_octets(void **state)
{
	static const struct {
		const char *exponent;
		size_t modulus_length;
		hiphop_error expected;
	} rows[] = {
		{"03 010001", 256, HIPHOP_OK}, {"01 03", 512, HIPHOP_OK}, {"03 010001", 255, HIPHOP_UNSUPPORTED},
		{"03 010001", 513, HIPHOP_UNSUPPORTED}, {"03 010001", 0, HIPHOP_MALFORMED},
		{"01 01", 256, HIPHOP_MALFORMED},                   /* exponent 1 */
		{"01 04", 256, HIPHOP_MALFORMED},                   /* even exponent */
		{"02 0003", 256, HIPHOP_MALFORMED},                 /* leading zero */
		{"00 0003 010001", 256, HIPHOP_MALFORMED},          /* the long form for a short exponent */
		{"00 0000", 256, HIPHOP_MALFORMED},                 /* no exponent */
		{"09 010000000000000001", 256, HIPHOP_UNSUPPORTED}, /* a long exponent */
	};
	uint8_t octets[600];
	(void)state;
	for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
		size_t length = rsa_octets(octets, rows[n].exponent, rows[n].modulus_length);
		assert_int_equal(parse(HI_ALGORITHM_RSA, octets, length), rows[n].expected);
	}
	size_t length = rsa_octets(octets, "03 010001", 256);
	octets[length - 1] ^= 1; /* an even modulus */
	assert_int_equal(parse(HI_ALGORITHM_RSA, octets, length), HIPHOP_MALFORMED);
	octets[length - 1] ^= 1;
	octets[4] = 0; /* a modulus with a leading zero */
	assert_int_equal(parse(HI_ALGORITHM_RSA, octets, length), HIPHOP_MALFORMED);
	assert_int_equal(parse(HI_ALGORITHM_RSA, octets, 0), HIPHOP_TRUNCATED);
	assert_int_equal(parse(HI_ALGORITHM_RSA, octets, 3), HIPHOP_TRUNCATED);
	memset(octets, 0, 3);
	octets[1] = 0xff; /* an exponent longer than all there is */
	assert_int_equal(parse(HI_ALGORITHM_RSA, octets, 200), HIPHOP_TRUNCATED);
}

/* A verifier must hold exactly the octets it was given, or its HIT would be another. */
static void test_octets_come_out_as_they_went_in(void **state)
{
	uint8_t octets[600];
	size_t length = rsa_octets(octets, "05 0100000001", 300);
	struct host_identity *identity;
	struct hit hit;
	(void)state;
	const struct span given = {octets, length};
	assert_int_equal(host_identity_from_octets(HI_ALGORITHM_RSA, given, &identity), HIPHOP_OK);
	struct span kept = host_identity_octets(identity);
	assert_int_equal(kept.length, length);
	assert_memory_equal(kept.data, octets, length);
	assert_int_equal(hit_from_octets(HI_ALGORITHM_RSA, given, &hit), HIPHOP_OK);
	assert_true(hit_equal(&hit, host_identity_hit(identity)));
	host_identity_free(identity);
}

static void test_every_allocation_fails(void **state)
{
	uint8_t octets[66];
	struct host_identity *identity;
	const struct span span = from_hex("0001" SEED_PUBLIC, octets, sizeof octets);
	(void)state;
	for (unsigned allowed = 0;; allowed++) {
		failing_allocation_after(allowed);
		hiphop_error error = host_identity_from_octets(HI_ALGORITHM_ECDSA, span, &identity);
		failing_allocation_stop();
		assert_true(!error == !!identity);
		assert_true(allowed < 3000);
		if (!error)
			break;
	}
	host_identity_free(identity);
	identity = seeded();
	for (unsigned allowed = 0;; allowed++) {
		uint8_t signature[64];
		const struct span text = from_text("text");
		failing_allocation_after(allowed);
		hiphop_error error = host_identity_sign(identity, &text, 1, signature);
		failing_allocation_stop();
		assert_true(allowed < 3000);
		if (!error) {
			assert_int_equal(
				host_identity_verify(identity, &text, 1, (struct span){signature, 64}), HIPHOP_OK);
			break;
		}
	}
	host_identity_free(identity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hits_of_every_algorithm),
		cmocka_unit_test(test_seed),
		cmocka_unit_test(test_curves_have_cofactor_1),
		cmocka_unit_test(test_hit_check),
		cmocka_unit_test(test_signatures_of_every_algorithm),
		cmocka_unit_test(test_signature_of_another_host),
		cmocka_unit_test(test_seeded_signature_vectors),
		cmocka_unit_test(test_generate),
		cmocka_unit_test(test_bad_pem),
		cmocka_unit_test(test_openssl_command_reads_our_pem),
		cmocka_unit_test(test_bad_curve_octets),
		cmocka_unit_test(test_bad_rsa_octets),
		cmocka_unit_test(test_octets_come_out_as_they_went_in),
		cmocka_unit_test(test_every_allocation_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
