/* SPDX-License-Identifier: MIT */
#include "hip/crypto/diffie_hellman.h"
#include "hip/crypto/openssl_curve.h"
#include "hip/wire/constants.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <stdlib.h>

/* Octets of a MODP private exponent: over twice the strength of the largest group (RFC 3526 section 8). */
#define EXPONENT_LENGTH 40

struct diffie_hellman {
	const struct diffie_hellman_group *group;
	unsigned owners; /* beyond the first */
	EVP_PKEY *pair;
	uint8_t public_value[]; /* group->public_length octets */
};

/* A group is a curve, or a safe prime with generator 2. */
struct arithmetic {
	uint8_t id;
	const struct curve *curve;
	const char *library_name;
	BIGNUM *(*prime)(BIGNUM *);
};

static const struct arithmetic arithmetics[] = {
	{DH_GROUP_MODP_1536, NULL, "modp_1536", BN_get_rfc3526_prime_1536},
	{DH_GROUP_MODP_3072, NULL, "modp_3072", BN_get_rfc3526_prime_3072},
	{DH_GROUP_NIST_P256, &curve_p256, NULL, NULL},
	{DH_GROUP_NIST_P384, &curve_p384, NULL, NULL},
	{DH_GROUP_NIST_P521, &curve_p521, NULL, NULL},
	{DH_GROUP_SECP160R1, &curve_secp160r1, NULL, NULL},
	{DH_GROUP_MODP_2048, NULL, "modp_2048", BN_get_rfc3526_prime_2048},
};

static const struct arithmetic *arithmetic_of(const struct diffie_hellman_group *group)
{
	const struct arithmetic *found = arithmetics;
	while (found->id != group->id)
		found++;
	return found;
}

static hiphop_error import_modp(
	const struct arithmetic *arithmetic, struct span public_value, struct span exponent, EVP_PKEY **out)
{
	uint8_t native_public[DIFFIE_HELLMAN_PUBLIC_MAXIMUM], native_exponent[EXPONENT_LENGTH];
	for (size_t n = 0; n < public_value.length; n++)
		native_public[n] = public_value.data[public_value.length - 1 - n];
	for (size_t n = 0; n < exponent.length; n++)
		native_exponent[n] = exponent.data[exponent.length - 1 - n];
	OSSL_PARAM parameters[4] = {OSSL_PARAM_construct_utf8_string(
					    OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)arithmetic->library_name, 0),
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PUB_KEY, native_public, public_value.length),
		OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
	if (exponent.length)
		parameters[2] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native_exponent, exponent.length);

	*out = NULL;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	hiphop_error error = context ? HIPHOP_OK : HIPHOP_NO_MEMORY;
	int selection = exponent.length ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
	if (context &&
		(EVP_PKEY_fromdata_init(context) <= 0 || EVP_PKEY_fromdata(context, out, selection, parameters) <= 0))
		error = HIPHOP_CRYPTO;
	EVP_PKEY_CTX_free(context);
	bytes_wipe(native_exponent, sizeof native_exponent);
	return error;
}

/* public_value = 2^exponent mod p */
static hiphop_error raise_generator(
	const struct arithmetic *arithmetic, const uint8_t *exponent, uint8_t *public_value, size_t length)
{
	hiphop_error error = HIPHOP_NO_MEMORY;
	BN_CTX *scratch = BN_CTX_secure_new();
	BIGNUM *prime = arithmetic->prime(NULL), *base = BN_new(), *power = BN_secure_new(), *result = BN_new();
	if (scratch && prime && base && power && result && BN_set_word(base, 2) &&
		BN_bin2bn(exponent, EXPONENT_LENGTH, power)) {
		BN_set_flags(power, BN_FLG_CONSTTIME);
		bool done = BN_mod_exp_mont_consttime(result, base, power, prime, scratch, NULL) &&
			    BN_bn2binpad(result, public_value, (int)length) == (int)length;
		error = done ? HIPHOP_OK : HIPHOP_CRYPTO;
	}
	BN_free(result);
	BN_clear_free(power);
	BN_free(base);
	BN_free(prime);
	BN_CTX_free(scratch);
	return error;
}

static hiphop_error make_modp_pair(
	struct diffie_hellman *key, const struct arithmetic *arithmetic, const struct random_source *random)
{
	uint8_t exponent[EXPONENT_LENGTH];
	size_t length = key->group->public_length;
	random_fill(random, exponent, sizeof exponent);
	exponent[0] |= 0x80; /* a fixed length, and never zero */
	hiphop_error error = raise_generator(arithmetic, exponent, key->public_value, length);
	if (!error)
		error = import_modp(arithmetic, (struct span){key->public_value, length},
			(struct span){exponent, sizeof exponent}, &key->pair);
	bytes_wipe(exponent, sizeof exponent);
	return error;
}

static hiphop_error make_curve_pair(
	struct diffie_hellman *key, const struct curve *curve, const struct random_source *random)
{
	uint8_t scalar[CURVE_COORDINATE_MAXIMUM];
	hiphop_error error = curve_draw_scalar(curve, random, scalar);
	if (!error)
		error = curve_key_from_scalar(curve, scalar, &key->pair);
	if (!error)
		error = curve_point_of_key(curve, key->pair, key->public_value);
	bytes_wipe(scalar, sizeof scalar);
	return error;
}

hiphop_error diffie_hellman_new(uint8_t group_id, const struct random_source *random, struct diffie_hellman **out)
{
	*out = NULL;
	const struct diffie_hellman_group *group = diffie_hellman_group_by_id(group_id);
	if (!group)
		return HIPHOP_UNSUPPORTED;
	struct diffie_hellman *key = calloc(1, sizeof *key + group->public_length);
	if (!key)
		return HIPHOP_NO_MEMORY;
	key->group = group;
	const struct arithmetic *arithmetic = arithmetic_of(group);
	hiphop_error error = arithmetic->curve ? make_curve_pair(key, arithmetic->curve, random)
					       : make_modp_pair(key, arithmetic, random);
	if (error) {
		diffie_hellman_free(key);
		return error;
	}
	*out = key;
	return HIPHOP_OK;
}

struct diffie_hellman *diffie_hellman_share(struct diffie_hellman *key)
{
	key->owners++;
	return key;
}

void diffie_hellman_free(struct diffie_hellman *key)
{
	if (!key || key->owners--)
		return;
	EVP_PKEY_free(key->pair);
	free(key);
}

uint8_t diffie_hellman_group_id(const struct diffie_hellman *key)
{
	return key->group->id;
}

struct span diffie_hellman_public_value(const struct diffie_hellman *key)
{
	return (struct span){key->public_value, key->group->public_length};
}

/* With a safe prime, 2 … p - 2 leaves only subgroups of order q and 2q (RFC 2631 section 2.1.5). */
static hiphop_error check_modp_range(const struct arithmetic *arithmetic, struct span public_value)
{
	hiphop_error error = HIPHOP_NO_MEMORY;
	BIGNUM *limit = arithmetic->prime(NULL), *number = BN_bin2bn(public_value.data, (int)public_value.length, NULL);
	if (limit && number && BN_sub_word(limit, 1)) {
		bool inside = BN_cmp(number, BN_value_one()) > 0 && BN_cmp(number, limit) < 0;
		error = inside ? HIPHOP_OK : HIPHOP_MALFORMED;
	}
	BN_free(number);
	BN_free(limit);
	return error;
}

static hiphop_error import_peer(const struct diffie_hellman_group *group, struct span public_value, EVP_PKEY **out)
{
	const struct arithmetic *arithmetic = arithmetic_of(group);
	*out = NULL;
	if (public_value.length != group->public_length)
		return HIPHOP_MALFORMED;
	if (arithmetic->curve)
		return curve_key_from_point(arithmetic->curve, public_value, out);
	hiphop_error error = check_modp_range(arithmetic, public_value);
	return error ? error : import_modp(arithmetic, public_value, (struct span){NULL, 0}, out);
}

static hiphop_error derive(EVP_PKEY *pair, EVP_PKEY *peer, bool is_modp, struct shared_secret *secret)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pair, NULL);
	if (!context)
		return HIPHOP_NO_MEMORY;
	/* The peer's value was checked when it was imported; all curves have cofactor 1. */
	size_t length = sizeof secret->octets;
	bool done = EVP_PKEY_derive_init(context) > 0 && (!is_modp || EVP_PKEY_CTX_set_dh_pad(context, 1) > 0) &&
		    EVP_PKEY_derive_set_peer_ex(context, peer, 0) > 0 &&
		    EVP_PKEY_derive(context, secret->octets, &length) > 0;
	secret->length = length;
	EVP_PKEY_CTX_free(context);
	return done ? HIPHOP_OK : HIPHOP_CRYPTO;
}

hiphop_error diffie_hellman_agree(
	struct diffie_hellman *key, struct span peer_public_value, struct shared_secret *secret)
{
	shared_secret_clear(secret);
	EVP_PKEY *peer = NULL;
	hiphop_error error = import_peer(key->group, peer_public_value, &peer);
	if (!error)
		error = derive(key->pair, peer, !arithmetic_of(key->group)->curve, secret);
	if (!error && secret->length != key->group->secret_length)
		error = HIPHOP_CRYPTO;
	EVP_PKEY_free(peer);
	if (error)
		shared_secret_clear(secret);
	return error;
}
