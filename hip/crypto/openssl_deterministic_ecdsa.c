/* SPDX-License-Identifier: MIT */
#include "hip/crypto/deterministic_ecdsa.h"

#include <openssl/bn.h>
#include <openssl/ec.h>

#include <string.h>

#define ORDER_LENGTH_MAXIMUM 48
#define CANDIDATES_MAXIMUM   64

/* The nonce generator of RFC 6979 section 3.2: HMAC_DRBG's K and V. */
struct nonce_generator {
	hash_algorithm hash;
	size_t hash_length;
	uint8_t k[HASH_LENGTH_MAXIMUM];
	uint8_t v[HASH_LENGTH_MAXIMUM];
};

/* K = HMAC_K(V | separator | seed), V = HMAC_K(V) */
static hiphop_error update(struct nonce_generator *generator, uint8_t separator, struct span scalar, struct span digest)
{
	const struct span key = {generator->k, generator->hash_length};
	const struct span input[] = {{generator->v, generator->hash_length}, {&separator, 1}, scalar, digest};
	uint8_t next[HASH_LENGTH_MAXIMUM];
	hiphop_error error = hmac_spans(generator->hash, key, input, 4, next);
	if (error)
		return error;
	memcpy(generator->k, next, generator->hash_length);
	error = hmac_spans(generator->hash, key, input, 1, next);
	memcpy(generator->v, next, generator->hash_length);
	bytes_wipe(next, sizeof next);
	return error;
}

static hiphop_error start(
	struct nonce_generator *generator, hash_algorithm hash, struct span scalar, struct span reduced_digest)
{
	*generator = (struct nonce_generator){.hash = hash, .hash_length = hash_length(hash)};
	memset(generator->v, 1, sizeof generator->v);
	hiphop_error error = update(generator, 0, scalar, reduced_digest);
	return error ? error : update(generator, 1, scalar, reduced_digest);
}

/* The next candidate; which is taken depends on the caller's check. */
static hiphop_error next_candidate(struct nonce_generator *generator, uint8_t *out, size_t length)
{
	const struct span key = {generator->k, generator->hash_length};
	const struct span input = {generator->v, generator->hash_length};
	uint8_t block[HASH_LENGTH_MAXIMUM];
	hiphop_error error = HIPHOP_OK;
	for (size_t position = 0; position < length; position += generator->hash_length) {
		error = hmac_spans(generator->hash, key, &input, 1, block);
		if (error)
			break;
		size_t part = length - position < generator->hash_length ? length - position : generator->hash_length;
		memcpy(generator->v, block, generator->hash_length);
		memcpy(out + position, block, part);
	}
	bytes_wipe(block, sizeof block);
	return error;
}

struct numbers {
	BN_CTX *scratch;
	EC_GROUP *group;
	EC_POINT *point;
	const BIGNUM *order;
	BIGNUM *scalar, *digest, *nonce, *inverse, *exponent, *r, *s;
};

static void numbers_free(struct numbers *n)
{
	BIGNUM *const all[] = {n->scalar, n->digest, n->nonce, n->inverse, n->exponent, n->r, n->s};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		BN_clear_free(all[i]);
	EC_POINT_clear_free(n->point);
	EC_GROUP_free(n->group);
	BN_CTX_free(n->scratch);
}

static hiphop_error numbers_start(struct numbers *n, const struct curve *curve, const uint8_t *scalar)
{
	*n = (struct numbers){.scratch = BN_CTX_secure_new(),
		.group = EC_GROUP_new_by_curve_name(curve->nid),
		.scalar = BN_bin2bn(scalar, curve->order_length, NULL),
		.digest = BN_new(),
		.nonce = BN_secure_new(),
		.inverse = BN_secure_new(),
		.exponent = BN_new(),
		.r = BN_new(),
		.s = BN_new()};
	if (n->group)
		n->point = EC_POINT_new(n->group);
	if (!n->scratch || !n->point || !n->scalar || !n->digest || !n->nonce || !n->inverse || !n->exponent || !n->r ||
		!n->s)
		return HIPHOP_NO_MEMORY;
	n->order = EC_GROUP_get0_order(n->group);
	/* The order is prime, so k^(n-2) is 1/k. */
	return BN_copy(n->exponent, n->order) && BN_sub_word(n->exponent, 2) ? HIPHOP_OK : HIPHOP_NO_MEMORY;
}

/* r = x(kG) mod n, s = (z + r d) / k mod n; found when neither is zero. */
static hiphop_error try_nonce(struct numbers *n, bool *found)
{
	bool done = EC_POINT_mul(n->group, n->point, n->nonce, NULL, NULL, n->scratch) &&
		    EC_POINT_get_affine_coordinates(n->group, n->point, n->r, NULL, n->scratch) &&
		    BN_nnmod(n->r, n->r, n->order, n->scratch) &&
		    BN_mod_exp_mont_consttime(n->inverse, n->nonce, n->exponent, n->order, n->scratch, NULL) &&
		    BN_mod_mul(n->s, n->r, n->scalar, n->order, n->scratch) &&
		    BN_mod_add(n->s, n->s, n->digest, n->order, n->scratch) &&
		    BN_mod_mul(n->s, n->s, n->inverse, n->order, n->scratch);
	*found = done && !BN_is_zero(n->r) && !BN_is_zero(n->s);
	return done ? HIPHOP_OK : HIPHOP_CRYPTO;
}

static hiphop_error search(struct numbers *n, struct nonce_generator *generator, int length, uint8_t *out)
{
	uint8_t candidate[ORDER_LENGTH_MAXIMUM];
	hiphop_error error = HIPHOP_OK;
	bool found = false;
	for (int count = 0; !error && !found && count < CANDIDATES_MAXIMUM; count++) {
		error = next_candidate(generator, candidate, (size_t)length);
		if (!error && !BN_bin2bn(candidate, length, n->nonce))
			error = HIPHOP_NO_MEMORY;
		if (!error && !BN_is_zero(n->nonce) && BN_cmp(n->nonce, n->order) < 0)
			error = try_nonce(n, &found);
		if (!error && !found)
			error = update(generator, 0, (struct span){NULL, 0}, (struct span){NULL, 0});
	}
	bytes_wipe(candidate, sizeof candidate);
	if (!error && (!found || BN_bn2binpad(n->r, out, length) != length ||
			      BN_bn2binpad(n->s, out + length, length) != length))
		error = HIPHOP_CRYPTO;
	return error;
}

hiphop_error deterministic_ecdsa_sign(
	const struct curve *curve, const uint8_t *scalar, hash_algorithm hash, struct span digest, uint8_t *out)
{
	size_t length = curve->order_length;
	if (curve->order_bits % 8 || length > ORDER_LENGTH_MAXIMUM || digest.length < length)
		return HIPHOP_UNSUPPORTED;
	struct numbers numbers;
	struct nonce_generator generator;
	uint8_t reduced[ORDER_LENGTH_MAXIMUM];
	hiphop_error error = numbers_start(&numbers, curve, scalar);
	/* z is the leftmost bits of the digest; the seed takes z mod n (bits2octets). */
	if (!error && (!BN_bin2bn(digest.data, (int)length, numbers.digest) ||
			      !BN_nnmod(numbers.digest, numbers.digest, numbers.order, numbers.scratch) ||
			      BN_bn2binpad(numbers.digest, reduced, (int)length) != (int)length))
		error = HIPHOP_CRYPTO;
	if (!error)
		error = start(&generator, hash, (struct span){scalar, length}, (struct span){reduced, length});
	if (!error)
		error = search(&numbers, &generator, (int)length, out);
	bytes_wipe(&generator, sizeof generator);
	numbers_free(&numbers);
	return error;
}
