/* SPDX-License-Identifier: MIT */
#include "hip/crypto/openssl_curve.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>

#include <string.h>

const struct curve curve_p256 = {SN_X9_62_prime256v1, NID_X9_62_prime256v1, 32, 32, 256};
const struct curve curve_p384 = {SN_secp384r1, NID_secp384r1, 48, 48, 384};
const struct curve curve_p521 = {SN_secp521r1, NID_secp521r1, 66, 66, 521};
const struct curve curve_secp160r1 = {SN_secp160r1, NID_secp160r1, 20, 21, 161};

/* A draw fails with probability 1/2 at worst (an order just over a power of two); a broken source must not hang us. */
#define DRAWS_MAXIMUM 128

static bool scalar_is_valid(const BIGNUM *order, const BIGNUM *scalar)
{
	return !BN_is_zero(scalar) && BN_cmp(scalar, order) < 0;
}

hiphop_error curve_draw_scalar(const struct curve *curve, const struct random_source *random, uint8_t *scalar)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(curve->nid);
	BIGNUM *number = BN_secure_new();
	hiphop_error error = group && number ? HIPHOP_CRYPTO : HIPHOP_NO_MEMORY;
	for (int draw = 0; error == HIPHOP_CRYPTO && draw < DRAWS_MAXIMUM; draw++) {
		random_fill(random, scalar, curve->order_length);
		scalar[0] &= (uint8_t)(0xff >> (8 * curve->order_length - curve->order_bits));
		if (!BN_bin2bn(scalar, curve->order_length, number))
			error = HIPHOP_NO_MEMORY;
		else if (scalar_is_valid(EC_GROUP_get0_order(group), number))
			error = HIPHOP_OK;
	}
	BN_clear_free(number);
	EC_GROUP_free(group);
	if (error)
		bytes_wipe(scalar, curve->order_length);
	return error;
}

/* `octets` is 0x04 | x | y; `native_scalar` is in the machine's order, or NULL for a public key. */
static hiphop_error import_key(const struct curve *curve, uint8_t *octets, uint8_t *native_scalar, EVP_PKEY **out)
{
	OSSL_PARAM parameters[4];
	size_t count = 0;
	parameters[count++] =
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)curve->name, 0);
	parameters[count++] =
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets, 1 + 2U * curve->coordinate_length);
	if (native_scalar)
		parameters[count++] =
			OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native_scalar, curve->order_length);
	parameters[count] = OSSL_PARAM_construct_end();

	*out = NULL;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (!context)
		return HIPHOP_NO_MEMORY;
	int selection = native_scalar ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
	hiphop_error error = HIPHOP_OK;
	if (EVP_PKEY_fromdata_init(context) <= 0)
		error = HIPHOP_CRYPTO;
	else if (EVP_PKEY_fromdata(context, out, selection, parameters) <= 0)
		error = HIPHOP_MALFORMED;
	EVP_PKEY_CTX_free(context);
	return error;
}

static hiphop_error multiply_generator(const EC_GROUP *group, const BIGNUM *scalar, uint8_t *octets, size_t length)
{
	EC_POINT *point = EC_POINT_new(group);
	if (!point)
		return HIPHOP_NO_MEMORY;
	bool done = EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) &&
		    EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, octets, length, NULL) == length;
	EC_POINT_free(point);
	return done ? HIPHOP_OK : HIPHOP_CRYPTO;
}

hiphop_error curve_key_from_scalar(const struct curve *curve, const uint8_t *scalar, EVP_PKEY **out)
{
	uint8_t octets[1 + 2 * CURVE_COORDINATE_MAXIMUM];
	uint8_t native[CURVE_COORDINATE_MAXIMUM];
	*out = NULL;
	EC_GROUP *group = EC_GROUP_new_by_curve_name(curve->nid);
	BIGNUM *number = BN_secure_new();
	hiphop_error error = HIPHOP_OK;
	if (!group || !number || !BN_bin2bn(scalar, curve->order_length, number))
		error = HIPHOP_NO_MEMORY;
	else if (!scalar_is_valid(EC_GROUP_get0_order(group), number))
		error = HIPHOP_MALFORMED;
	else
		error = multiply_generator(group, number, octets, 1 + 2U * curve->coordinate_length);
	if (!error) {
		BN_bn2nativepad(number, native, curve->order_length);
		error = import_key(curve, octets, native, out);
	}
	bytes_wipe(native, sizeof native);
	BN_clear_free(number);
	EC_GROUP_free(group);
	return error;
}

hiphop_error curve_key_from_point(const struct curve *curve, struct span point, EVP_PKEY **out)
{
	uint8_t octets[1 + 2 * CURVE_COORDINATE_MAXIMUM];
	*out = NULL;
	if (point.length != 2U * curve->coordinate_length)
		return HIPHOP_MALFORMED;
	octets[0] = POINT_CONVERSION_UNCOMPRESSED;
	memcpy(octets + 1, point.data, point.length);
	return import_key(curve, octets, NULL, out);
}

hiphop_error curve_point_of_key(const struct curve *curve, const EVP_PKEY *key, uint8_t *point)
{
	BIGNUM *x = NULL, *y = NULL;
	int length = curve->coordinate_length;
	bool done = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) &&
		    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) &&
		    BN_bn2binpad(x, point, length) == length && BN_bn2binpad(y, point + length, length) == length;
	BN_free(x);
	BN_free(y);
	return done ? HIPHOP_OK : HIPHOP_CRYPTO;
}
