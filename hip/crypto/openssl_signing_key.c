/* SPDX-License-Identifier: MIT */
#include "hip/crypto/deterministic_ecdsa.h"
#include "hip/crypto/openssl_curve.h"
#include "hip/crypto/openssl_key_octets.h"
#include "hip/crypto/openssl_rsa.h"
#include "hip/crypto/signing_key.h"
#include "hip/wire/constants.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdlib.h>
#include <string.h>

struct signing_key {
	uint16_t algorithm;
	bool is_private;
	hash_algorithm hash;
	const struct curve *curve; /* NULL for RSA */
	EVP_PKEY *key;
	EVP_PKEY_CTX *sign_context;
	EVP_PKEY_CTX *verify_context;
	size_t signature_length;
	uint8_t *scalar; /* order_length octets, for deterministic keys alone; else NULL */
};

/* Which curve a label of an HI stands for. */
struct curve_row {
	uint16_t algorithm;
	uint16_t label;
	const struct curve *curve;
};

static const struct curve_row curve_rows[] = {
	{HI_ALGORITHM_ECDSA, HI_ECDSA_CURVE_NIST_P256, &curve_p256},
	{HI_ALGORITHM_ECDSA, HI_ECDSA_CURVE_NIST_P384, &curve_p384},
	{HI_ALGORITHM_ECDSA_LOW, HI_ECDSA_LOW_CURVE_SECP160R1, &curve_secp160r1},
};
#define CURVE_ROW_COUNT (sizeof curve_rows / sizeof curve_rows[0])

static const struct curve_row *row_by_label(uint16_t algorithm, uint16_t label)
{
	for (size_t n = 0; n < CURVE_ROW_COUNT; n++) {
		if (curve_rows[n].algorithm == algorithm && curve_rows[n].label == label)
			return &curve_rows[n];
	}
	return NULL;
}

static const struct curve_row *row_by_library_name(const char *name)
{
	for (size_t n = 0; n < CURVE_ROW_COUNT; n++) {
		if (!strcmp(curve_rows[n].curve->name, name))
			return &curve_rows[n];
	}
	return NULL;
}

static const struct curve_row *row_by_curve(const struct curve *curve)
{
	return row_by_library_name(curve->name);
}

/* Takes `key` over, also on failure. `row` is NULL for RSA. */
static hiphop_error wrap(EVP_PKEY *key, const struct curve_row *row, bool is_private, struct signing_key **out)
{
	struct signing_key *wrapped = calloc(1, sizeof *wrapped);
	*out = wrapped;
	if (!wrapped) {
		EVP_PKEY_free(key);
		return HIPHOP_NO_MEMORY;
	}
	wrapped->key = key;
	wrapped->is_private = is_private;
	wrapped->algorithm = row ? row->algorithm : HI_ALGORITHM_RSA;
	wrapped->curve = row ? row->curve : NULL;
	wrapped->signature_length = row ? 2U * row->curve->order_length : (size_t)EVP_PKEY_get_size(key);
	return HIPHOP_OK;
}

void signing_key_free(struct signing_key *key)
{
	if (!key)
		return;
	EVP_PKEY_CTX_free(key->sign_context);
	EVP_PKEY_CTX_free(key->verify_context);
	EVP_PKEY_free(key->key);
	if (key->scalar)
		bytes_wipe(key->scalar, key->curve->order_length);
	free(key->scalar);
	free(key);
}

hiphop_error signing_key_generate(host_identity_kind kind, struct signing_key **out)
{
	static const struct {
		const struct curve *curve;
		size_t modulus_bits;
	} kinds[] = {
		[HOST_IDENTITY_ECDSA_P256] = {&curve_p256, 0},
		[HOST_IDENTITY_ECDSA_P384] = {&curve_p384, 0},
		[HOST_IDENTITY_RSA_2048] = {NULL, 2048},
		[HOST_IDENTITY_RSA_3072] = {NULL, 3072},
		[HOST_IDENTITY_ECDSA_LOW] = {&curve_secp160r1, 0},
	};
	*out = NULL;
	if ((size_t)kind >= sizeof kinds / sizeof kinds[0])
		return HIPHOP_INVALID_ARGUMENT;
	const struct curve *curve = kinds[kind].curve;
	EVP_PKEY *key = curve ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve->name)
			      : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", kinds[kind].modulus_bits);
	if (!key)
		return HIPHOP_CRYPTO;
	return wrap(key, curve ? row_by_curve(curve) : NULL, true, out);
}

static hiphop_error keep_scalar(struct signing_key *key, const uint8_t *scalar)
{
	key->scalar = malloc(key->curve->order_length);
	if (!key->scalar)
		return HIPHOP_NO_MEMORY;
	memcpy(key->scalar, scalar, key->curve->order_length);
	return HIPHOP_OK;
}

hiphop_error signing_key_from_seed(const struct random_source *random, struct signing_key **out)
{
	uint8_t scalar[CURVE_COORDINATE_MAXIMUM];
	EVP_PKEY *key = NULL;
	*out = NULL;
	hiphop_error error = curve_draw_scalar(&curve_p256, random, scalar);
	if (!error)
		error = curve_key_from_scalar(&curve_p256, scalar, &key);
	if (!error)
		error = wrap(key, row_by_curve(&curve_p256), true, out);
	if (!error)
		error = keep_scalar(*out, scalar);
	if (error) {
		signing_key_free(*out);
		*out = NULL;
	}
	bytes_wipe(scalar, sizeof scalar);
	return error;
}

/* ---- PEM ---- */

/* Without this the library would ask at the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer, (void)size, (void)writing, (void)context;
	return -1;
}

/* Which row a library key belongs to, NULL for RSA. */
static hiphop_error classify(const EVP_PKEY *key, const struct curve_row **row)
{
	char name[64];
	size_t length;
	*row = NULL;
	if (EVP_PKEY_is_a(key, "RSA")) {
		int bits = EVP_PKEY_get_bits(key);
		return bits < RSA_MODULUS_BITS_MINIMUM || bits > RSA_MODULUS_BITS_MAXIMUM ? HIPHOP_UNSUPPORTED
											  : HIPHOP_OK;
	}
	if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, name, sizeof name, &length))
		*row = row_by_library_name(name);
	return *row ? HIPHOP_OK : HIPHOP_UNSUPPORTED;
}

hiphop_error signing_key_from_pem(const char *text, size_t length, struct signing_key **out)
{
	*out = NULL;
	if (length > HOST_IDENTITY_PEM_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	BIO *input = BIO_new_mem_buf(text, (int)length);
	if (!input)
		return HIPHOP_NO_MEMORY;
	EVP_PKEY *key = PEM_read_bio_PrivateKey(input, NULL, no_passphrase, NULL);
	BIO_free(input);
	if (!key)
		return memmem(text, length, "ENCRYPTED", 9) ? HIPHOP_UNSUPPORTED : HIPHOP_MALFORMED;
	const struct curve_row *row;
	hiphop_error error = classify(key, &row);
	if (error) {
		EVP_PKEY_free(key);
		return error;
	}
	return wrap(key, row, true, out);
}

hiphop_error signing_key_to_pem(const struct signing_key *key, struct buffer *text)
{
	*text = (struct buffer){NULL, 0};
	if (!key->is_private)
		return HIPHOP_WRONG_STATE;
	BIO *output = BIO_new(BIO_s_secmem());
	if (!output)
		return HIPHOP_NO_MEMORY;
	hiphop_error error = HIPHOP_CRYPTO;
	char *data = NULL;
	if (PEM_write_bio_PKCS8PrivateKey(output, key->key, NULL, NULL, 0, NULL, NULL)) {
		long length = BIO_get_mem_data(output, &data);
		error = length > 0 ? buffer_copy(text, data, (size_t)length) : HIPHOP_CRYPTO;
	}
	BIO_free(output);
	return error;
}

/* ---- HI octets ---- */

static hiphop_error curve_from_octets(uint16_t algorithm, struct span octets, struct signing_key **out)
{
	struct reader reader = reader_over(octets.data, octets.length);
	uint16_t label = reader_u16(&reader);
	if (reader_status(&reader))
		return reader_status(&reader);
	const struct curve_row *row = row_by_label(algorithm, label);
	if (!row)
		return HIPHOP_UNSUPPORTED;
	EVP_PKEY *key;
	hiphop_error error = curve_key_from_point(row->curve, reader_span(&reader, reader_left(&reader)), &key);
	return error ? error : wrap(key, row, false, out);
}

hiphop_error signing_key_from_octets(uint16_t algorithm, struct span octets, struct signing_key **out)
{
	*out = NULL;
	if (algorithm == HI_ALGORITHM_ECDSA || algorithm == HI_ALGORITHM_ECDSA_LOW)
		return curve_from_octets(algorithm, octets, out);
	if (algorithm != HI_ALGORITHM_RSA)
		return HIPHOP_UNSUPPORTED;
	EVP_PKEY *key;
	hiphop_error error = rsa_key_from_octets(octets, &key);
	return error ? error : wrap(key, NULL, false, out);
}

/* `row` is NULL for RSA. */
static hiphop_error octets_of(const EVP_PKEY *key, const struct curve_row *row, uint8_t *out, size_t *length)
{
	if (!row)
		return rsa_octets_of_key(key, out, HOST_IDENTITY_OCTETS_MAXIMUM, length);
	out[0] = (uint8_t)(row->label >> 8);
	out[1] = (uint8_t)row->label;
	*length = 2 + 2U * row->curve->coordinate_length;
	return curve_point_of_key(row->curve, key, out + 2);
}

hiphop_error signing_key_octets(const struct signing_key *key, uint8_t *out, size_t *length)
{
	return octets_of(key->key, key->curve ? row_by_curve(key->curve) : NULL, out, length);
}

hiphop_error key_octets(const struct evp_pkey_st *key, uint16_t *algorithm,
	uint8_t octets[static HOST_IDENTITY_OCTETS_MAXIMUM], size_t *length)
{
	const struct curve_row *row;
	hiphop_error error = classify(key, &row);
	if (error)
		return error;
	*algorithm = row ? row->algorithm : HI_ALGORITHM_RSA;
	return octets_of(key, row, octets, length);
}

uint16_t signing_key_algorithm(const struct signing_key *key)
{
	return key->algorithm;
}

bool signing_key_is_private(const struct signing_key *key)
{
	return key->is_private;
}

size_t signing_key_signature_length(const struct signing_key *key)
{
	return key->signature_length;
}

/* ---- Signatures over digests ---- */

static const EVP_MD *library_digest(hash_algorithm hash)
{
	switch (hash) {
	case HASH_SHA1:
		return EVP_sha1();
	case HASH_SHA256:
		return EVP_sha256();
	case HASH_SHA384:
		return EVP_sha384();
	case HASH_SHA512:
		return EVP_sha512();
	case HASH_NONE:
		break;
	}
	return NULL;
}

static bool set_scheme(EVP_PKEY_CTX *context, const struct signing_key *key, int salt_length)
{
	if (key->curve)
		return true; /* ECDSA takes the digest as it is */
	return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_signature_md(context, library_digest(key->hash)) > 0 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt_length) > 0;
}

hiphop_error signing_key_prepare(struct signing_key *key, hash_algorithm hash)
{
	key->hash = hash;
	key->verify_context = EVP_PKEY_CTX_new_from_pkey(NULL, key->key, NULL);
	if (!key->verify_context)
		return HIPHOP_NO_MEMORY;
	/* RFC 7401 names no salt length: any is taken, the digest's own is made. */
	if (EVP_PKEY_verify_init(key->verify_context) <= 0 ||
		!set_scheme(key->verify_context, key, RSA_PSS_SALTLEN_AUTO))
		return HIPHOP_CRYPTO;
	if (!key->is_private)
		return HIPHOP_OK;
	key->sign_context = EVP_PKEY_CTX_new_from_pkey(NULL, key->key, NULL);
	if (!key->sign_context)
		return HIPHOP_NO_MEMORY;
	bool done =
		EVP_PKEY_sign_init(key->sign_context) > 0 && set_scheme(key->sign_context, key, RSA_PSS_SALTLEN_DIGEST);
	return done ? HIPHOP_OK : HIPHOP_CRYPTO;
}

/* r | s of fixed length from the library's DER. */
static hiphop_error fixed_from_der(const uint8_t *der, size_t der_length, size_t half, uint8_t *out)
{
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)der_length);
	if (!signature)
		return HIPHOP_NO_MEMORY;
	const BIGNUM *r, *s;
	ECDSA_SIG_get0(signature, &r, &s);
	bool done = BN_bn2binpad(r, out, (int)half) == (int)half && BN_bn2binpad(s, out + half, (int)half) == (int)half;
	ECDSA_SIG_free(signature);
	return done ? HIPHOP_OK : HIPHOP_CRYPTO;
}

#define DER_SIGNATURE_MAXIMUM (2 * (CURVE_COORDINATE_MAXIMUM + 4) + 8)

static hiphop_error sign_curve(struct signing_key *key, struct span digest, uint8_t *out)
{
	uint8_t der[DER_SIGNATURE_MAXIMUM];
	size_t length = sizeof der;
	if (key->scalar)
		return deterministic_ecdsa_sign(key->curve, key->scalar, key->hash, digest, out);
	if (EVP_PKEY_sign(key->sign_context, der, &length, digest.data, digest.length) <= 0)
		return HIPHOP_CRYPTO;
	return fixed_from_der(der, length, key->curve->order_length, out);
}

hiphop_error signing_key_sign(struct signing_key *key, struct span digest, uint8_t *out)
{
	if (!key->is_private)
		return HIPHOP_WRONG_STATE;
	if (key->curve)
		return sign_curve(key, digest, out);
	size_t length = key->signature_length;
	bool done = EVP_PKEY_sign(key->sign_context, out, &length, digest.data, digest.length) > 0 &&
		    length == key->signature_length;
	return done ? HIPHOP_OK : HIPHOP_CRYPTO;
}

/* Writes the DER of r | s; 0 for want of memory. */
static size_t der_from_fixed(struct span fixed, uint8_t der[static DER_SIGNATURE_MAXIMUM])
{
	int half = (int)(fixed.length / 2), length = 0;
	ECDSA_SIG *signature = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(fixed.data, half, NULL), *s = BN_bin2bn(fixed.data + half, half, NULL);
	if (signature && r && s && ECDSA_SIG_set0(signature, r, s)) {
		r = s = NULL;
		length = i2d_ECDSA_SIG(signature, &der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(signature);
	return length > 0 ? (size_t)length : 0;
}

hiphop_error signing_key_verify(struct signing_key *key, struct span digest, struct span signature)
{
	uint8_t der[DER_SIGNATURE_MAXIMUM];
	if (signature.length != key->signature_length)
		return HIPHOP_BAD_SIGNATURE;
	if (key->curve) {
		signature = (struct span){der, der_from_fixed(signature, der)};
		if (!signature.length)
			return HIPHOP_NO_MEMORY;
	}
	bool fits =
		EVP_PKEY_verify(key->verify_context, signature.data, signature.length, digest.data, digest.length) == 1;
	return fits ? HIPHOP_OK : HIPHOP_BAD_SIGNATURE;
}
