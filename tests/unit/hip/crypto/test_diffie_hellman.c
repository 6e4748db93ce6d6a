/* SPDX-License-Identifier: MIT */
#include "hip/crypto/diffie_hellman.h"
#include "hip/wire/constants.h"

#include "tests/unit/failing_allocation.h"
#include "tests/unit/hip/crypto/material.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/objects.h>

static const uint8_t ids[] = {3, 4, 7, 8, 9, 10, 11};
static struct seeded_random generator;

static void test_table(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof ids; n++) {
		const struct diffie_hellman_group *group = diffie_hellman_group_by_id(ids[n]);
		assert_int_equal(group->id, ids[n]);
		assert_ptr_equal(diffie_hellman_group_by_name(group->name), group);
		assert_true(group->public_length <= DIFFIE_HELLMAN_PUBLIC_MAXIMUM);
		assert_true(group->secret_length <= DIFFIE_HELLMAN_SECRET_MAXIMUM);
	}
	for (uint8_t id = 0; id < 3; id++)
		assert_null(diffie_hellman_group_by_id(id));
	assert_null(diffie_hellman_group_by_id(5));
	assert_null(diffie_hellman_group_by_id(12));
	assert_null(diffie_hellman_group_by_name("curve25519"));
}

/* RFC 5903 section 8. */
static void test_curve_vectors(void **state)
{
	static const struct {
		uint8_t id;
		const char *i, *i_public, *r, *r_public, *secret;
	} rows[] = {
		{DH_GROUP_NIST_P256, "C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433",
			"DAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C3772581180"
			"5271A0461CDB8252D61F1C456FA3E59AB1F45B33ACCF5F58389E0577B8990BB3",
			"C6EF9C5D78AE012A011164ACB397CE2088685D8F06BF9BE0B283AB46476BEE53",
			"D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63"
			"56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB",
			"D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE"},
		{DH_GROUP_NIST_P384,
			"099F3C7034D4A2C699884D73A375A67F7624EF7C6B3C0F160647B67414DCE655"
			"E35B538041E649EE3FAEF896783AB194",
			"667842D7D180AC2CDE6F74F37551F55755C7645C20EF73E31634FE72B4C55EE6"
			"DE3AC808ACB4BDB4C88732AEE95F41AA"
			"9482ED1FC0EEB9CAFC4984625CCFC23F65032149E0E144ADA024181535A0F38E"
			"EB9FCFF3C2C947DAE69B4C634573A81C",
			"41CB0779B4BDB85D47846725FBEC3C9430FAB46CC8DC5060855CC9BDA0AA2942"
			"E0308312916B8ED2960E4BD55A7448FC",
			"E558DBEF53EECDE3D3FCCFC1AEA08A89A987475D12FD950D83CFA41732BC509D"
			"0D1AC43A0336DEF96FDA41D0774A3571"
			"DCFBEC7AACF3196472169E838430367F66EEBE3C6E70C416DD5F0C68759DD1FF"
			"F83FA40142209DFF5EAAD96DB9E6386C",
			"11187331C279962D93D604243FD592CB9D0A926F422E47187521287E7156C5C4"
			"D603135569B9E9D09CF5D4A270F59746"},
		{DH_GROUP_NIST_P521,
			"0037ADE9319A89F4DABDB3EF411AACCCA5123C61ACAB57B5393DCE47608172A0"
			"95AA85A30FE1C2952C6771D937BA9777F5957B2639BAB072462F68C27A57382D4A52",
			"0015417E84DBF28C0AD3C278713349DC7DF153C897A1891BD98BAB4357C9ECBE"
			"E1E3BF42E00B8E380AEAE57C2D107564941885942AF5A7F4601723C4195D176CED3E"
			"017CAE20B6641D2EEB695786D8C946146239D099E18E1D5A514C739D7CB4A10A"
			"D8A788015AC405D7799DC75E7B7D5B6CF2261A6A7F1507438BF01BEB6CA3926F9582",
			"0145BA99A847AF43793FDD0E872E7CDFA16BE30FDC780F97BCCC3F078380201E"
			"9C677D600B343757A3BDBF2A3163E4C2F869CCA7458AA4A4EFFC311F5CB151685EB9",
			"00D0B3975AC4B799F5BEA16D5E13E9AF971D5E9B984C9F39728B5E5739735A21"
			"9B97C356436ADC6E95BB0352F6BE64A6C2912D4EF2D0433CED2B6171640012D9460F"
			"015C68226383956E3BD066E797B623C27CE0EAC2F551A10C2C724D9852077B87"
			"220B6536C5C408A1D2AEBB8E86D678AE49CB57091F4732296579AB44FCD17F0FC56A",
			"01144C7D79AE6956BC8EDB8E7C787C4521CB086FA64407F97894E5E6B2D79B04"
			"D1427E73CA4BAA240A34786859810C06B3C715A3A8CC3151F2BEE417996D19F3DDEA"},
	};
	(void)state;
	for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
		uint8_t i_octets[66], r_octets[66];
		struct told_random i_told, r_told;
		struct random_source i_random =
			told_random_start(&i_told, from_hex(rows[n].i, i_octets, sizeof i_octets));
		struct random_source r_random =
			told_random_start(&r_told, from_hex(rows[n].r, r_octets, sizeof r_octets));
		struct diffie_hellman *i, *r;
		struct shared_secret secret;
		assert_int_equal(diffie_hellman_new(rows[n].id, &i_random, &i), HIPHOP_OK);
		assert_int_equal(diffie_hellman_new(rows[n].id, &r_random, &r), HIPHOP_OK);
		struct span i_public = diffie_hellman_public_value(i), r_public = diffie_hellman_public_value(r);
		assert_hex(i_public.data, i_public.length, rows[n].i_public);
		assert_hex(r_public.data, r_public.length, rows[n].r_public);
		assert_int_equal(diffie_hellman_agree(i, r_public, &secret), HIPHOP_OK);
		assert_hex(secret.octets, secret.length, rows[n].secret);
		assert_int_equal(diffie_hellman_agree(r, i_public, &secret), HIPHOP_OK);
		assert_hex(secret.octets, secret.length, rows[n].secret);
		diffie_hellman_free(i);
		diffie_hellman_free(r);
	}
}

/* conforms: RFC7401-5.2.7-2 RFC7401-5.2.7-3 RFC7401-5.2.7-4 */
static void test_every_group_agrees(void **state)
{
	struct random_source random = seeded_random_start(&generator, 9);
	(void)state;
	for (size_t n = 0; n < sizeof ids; n++) {
		const struct diffie_hellman_group *group = diffie_hellman_group_by_id(ids[n]);
		struct diffie_hellman *a, *b;
		struct shared_secret at_a, at_b;
		assert_int_equal(diffie_hellman_new(ids[n], &random, &a), HIPHOP_OK);
		assert_int_equal(diffie_hellman_new(ids[n], &random, &b), HIPHOP_OK);
		assert_int_equal(diffie_hellman_group_id(a), ids[n]);
		assert_int_equal(diffie_hellman_public_value(a).length, group->public_length);
		assert_int_equal(diffie_hellman_agree(a, diffie_hellman_public_value(b), &at_a), HIPHOP_OK);
		assert_int_equal(diffie_hellman_agree(b, diffie_hellman_public_value(a), &at_b), HIPHOP_OK);
		assert_int_equal(at_a.length, group->secret_length);
		assert_memory_equal(&at_a, &at_b, sizeof at_a);
		diffie_hellman_free(a);
		diffie_hellman_free(b);
	}
}

static void test_same_seed_same_key(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof ids; n++) {
		struct diffie_hellman *keys[3];
		for (size_t k = 0; k < 3; k++) {
			struct random_source random = seeded_random_start(&generator, k == 2 ? 8 : 7);
			assert_int_equal(diffie_hellman_new(ids[n], &random, &keys[k]), HIPHOP_OK);
		}
		size_t length = diffie_hellman_public_value(keys[0]).length;
		assert_memory_equal(
			diffie_hellman_public_value(keys[0]).data, diffie_hellman_public_value(keys[1]).data, length);
		assert_memory_not_equal(
			diffie_hellman_public_value(keys[0]).data, diffie_hellman_public_value(keys[2]).data, length);
		for (size_t k = 0; k < 3; k++)
			diffie_hellman_free(keys[k]);
	}
}

static void assert_refused(struct diffie_hellman *key, const uint8_t *value, size_t length)
{
	static const struct shared_secret cleared;
	struct shared_secret secret;
	memset(&secret, 0xff, sizeof secret);
	assert_int_equal(diffie_hellman_agree(key, (struct span){value, length}, &secret), HIPHOP_MALFORMED);
	assert_memory_equal(&secret, &cleared, sizeof secret);
}

/* All groups there are, so that a new one has to be looked at. */
/* conforms: RFC7401-5.2.7-1 */
static void test_curves_have_cofactor_1(void **state)
{
	static const struct {
		uint8_t id;
		int curve;
	} curves[] = {{7, NID_X9_62_prime256v1}, {8, NID_secp384r1}, {9, NID_secp521r1}, {10, NID_secp160r1}};
	const struct diffie_hellman_group *group;
	size_t found = 0;
	(void)state;
	for (size_t index = 0; (group = diffie_hellman_group_at(index)); index++) {
		if (group->id == 3 || group->id == 4 || group->id == 11) /* MODP */
			continue;
		assert_in_range(found, 0, 3);
		assert_int_equal(group->id, curves[found].id);
		EC_GROUP *curve = EC_GROUP_new_by_curve_name(curves[found++].curve);
		assert_non_null(curve);
		assert_true(BN_is_one(EC_GROUP_get0_cofactor(curve)));
		assert_int_equal(group->secret_length, (size_t)(EC_GROUP_get_degree(curve) + 7) / 8);
		EC_GROUP_free(curve);
	}
	assert_int_equal(found, 4);
}

/* conforms: RFC7401-5.3.2-9 */
static void test_points_off_the_curve_are_refused(void **state)
{
	static const uint8_t curves[] = {7, 8, 9, 10};
	struct random_source random = seeded_random_start(&generator, 9);
	(void)state;
	for (size_t n = 0; n < sizeof curves; n++) {
		struct diffie_hellman *key, *other;
		uint8_t value[DIFFIE_HELLMAN_PUBLIC_MAXIMUM];
		assert_int_equal(diffie_hellman_new(curves[n], &random, &key), HIPHOP_OK);
		assert_int_equal(diffie_hellman_new(curves[n], &random, &other), HIPHOP_OK);
		struct span good = diffie_hellman_public_value(other);
		memcpy(value, good.data, good.length);
		assert_refused(key, value, good.length - 1);
		assert_refused(key, value, 0);
		value[good.length - 1] ^= 1;
		assert_refused(key, value, good.length);
		value[good.length - 1] ^= 1;
		value[good.length] = 0;
		assert_refused(key, value, good.length + 1);
		memset(value, 0, sizeof value); /* (0, 0): the point at infinity in disguise */
		assert_refused(key, value, good.length);
		memset(value, 0xff, sizeof value); /* coordinates past the prime */
		assert_refused(key, value, good.length);
		diffie_hellman_free(key);
		diffie_hellman_free(other);
	}
}

/* conforms: RFC7401-5.3.2-9 */
static void test_modp_values_out_of_range_are_refused(void **state)
{
	static const struct {
		uint8_t id;
		BIGNUM *(*prime)(BIGNUM *);
	} rows[] = {{3, BN_get_rfc3526_prime_1536}, {11, BN_get_rfc3526_prime_2048}, {4, BN_get_rfc3526_prime_3072}};
	struct random_source random = seeded_random_start(&generator, 9);
	(void)state;
	for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
		struct diffie_hellman *key;
		uint8_t value[DIFFIE_HELLMAN_PUBLIC_MAXIMUM + 1] = {0};
		assert_int_equal(diffie_hellman_new(rows[n].id, &random, &key), HIPHOP_OK);
		size_t length = diffie_hellman_public_value(key).length;
		assert_refused(key, value, length); /* 0 */
		value[length - 1] = 1;
		assert_refused(key, value, length); /* 1 */
		BIGNUM *number = rows[n].prime(NULL);
		assert_int_equal(BN_bn2binpad(number, value, (int)length), length);
		assert_refused(key, value, length); /* p */
		BN_sub_word(number, 1);
		BN_bn2binpad(number, value, (int)length);
		assert_refused(key, value, length); /* p - 1 */
		BN_sub_word(number, 1);
		BN_bn2binpad(number, value, (int)length);
		struct shared_secret secret;
		assert_int_equal(
			diffie_hellman_agree(key, (struct span){value, length}, &secret), HIPHOP_OK); /* p - 2 */
		assert_refused(key, value, length - 1);
		assert_refused(key, value, length + 1);
		memset(value, 0xff, sizeof value);
		assert_refused(key, value, length);
		BN_free(number);
		diffie_hellman_free(key);
	}
}

/* A source that only says zero must not hang or give a key on a curve. */
static void test_broken_random_source(void **state)
{
	static const uint8_t zero[1];
	struct told_random told;
	struct random_source random = told_random_start(&told, (struct span){zero, 1});
	struct diffie_hellman *key;
	(void)state;
	assert_int_equal(diffie_hellman_new(7, &random, &key), HIPHOP_CRYPTO);
	assert_null(key);
	assert_int_equal(diffie_hellman_new(6, &random, &key), HIPHOP_UNSUPPORTED);
	assert_null(key);
	diffie_hellman_free(NULL);
}

static void test_every_allocation_fails(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof ids; n++) {
		struct diffie_hellman *key;
		struct shared_secret secret;
		unsigned step = ids[n] == 4 || ids[n] == 9 ? 7 : 3; /* the long groups more coarsely */
		for (unsigned allowed = 0;; allowed += step) {
			struct random_source random = seeded_random_start(&generator, 9);
			failing_allocation_after(allowed);
			hiphop_error error = diffie_hellman_new(ids[n], &random, &key);
			failing_allocation_stop();
			assert_true(!error == !!key);
			assert_true(allowed < 3000);
			if (!error)
				break;
		}
		for (unsigned allowed = 0;; allowed += step) {
			failing_allocation_after(allowed);
			hiphop_error error = diffie_hellman_agree(key, diffie_hellman_public_value(key), &secret);
			failing_allocation_stop();
			assert_true(allowed < 3000);
			if (!error)
				break;
			assert_int_equal(secret.length, 0);
		}
		diffie_hellman_free(key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_curve_vectors),
		cmocka_unit_test(test_every_group_agrees),
		cmocka_unit_test(test_same_seed_same_key),
		cmocka_unit_test(test_curves_have_cofactor_1),
		cmocka_unit_test(test_points_off_the_curve_are_refused),
		cmocka_unit_test(test_modp_values_out_of_range_are_refused),
		cmocka_unit_test(test_broken_random_source),
		cmocka_unit_test(test_every_allocation_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
