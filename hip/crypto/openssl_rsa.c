/* SPDX-License-Identifier: MIT */
#include "hip/crypto/openssl_rsa.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

/* A longer exponent would let a stranger choose how long our verifying takes. */
#define EXPONENT_LENGTH_MAXIMUM 8
#define MODULUS_LENGTH_MAXIMUM  (RSA_MODULUS_BITS_MAXIMUM / 8)

static size_t bit_length(struct span number)
{
	size_t bits = 8 * number.length;
	for (uint8_t mask = 0x80; number.length && mask && !(number.data[0] & mask); mask >>= 1)
		bits--;
	return bits;
}

static bool is_odd_without_leading_zero(struct span number)
{
	return number.length && number.data[0] && (number.data[number.length - 1] & 1);
}

static hiphop_error parse(struct span octets, struct span *exponent, struct span *modulus)
{
	struct reader reader = reader_over(octets.data, octets.length);
	size_t exponent_length = reader_u8(&reader);
	if (!exponent_length)
		exponent_length = reader_u16(&reader);
	*exponent = reader_span(&reader, exponent_length);
	*modulus = reader_span(&reader, reader_left(&reader));
	if (reader_status(&reader))
		return reader_status(&reader);
	if (!is_odd_without_leading_zero(*exponent) || !is_odd_without_leading_zero(*modulus) ||
		bit_length(*exponent) < 2)
		return HIPHOP_MALFORMED;
	/* The three-octet form of the length is for exponents over 255 octets, far over our limit. */
	if (exponent->length > EXPONENT_LENGTH_MAXIMUM)
		return HIPHOP_UNSUPPORTED;
	if (octets.data[0] == 0)
		return HIPHOP_MALFORMED;
	size_t bits = bit_length(*modulus);
	return bits < RSA_MODULUS_BITS_MINIMUM || bits > RSA_MODULUS_BITS_MAXIMUM ? HIPHOP_UNSUPPORTED : HIPHOP_OK;
}

hiphop_error rsa_key_from_octets(struct span octets, EVP_PKEY **out)
{
	*out = NULL;
	struct span exponent, modulus;
	hiphop_error error = parse(octets, &exponent, &modulus);
	if (error)
		return error;
	uint8_t native_exponent[EXPONENT_LENGTH_MAXIMUM], native_modulus[MODULUS_LENGTH_MAXIMUM];
	for (size_t n = 0; n < exponent.length; n++)
		native_exponent[n] = exponent.data[exponent.length - 1 - n];
	for (size_t n = 0; n < modulus.length; n++)
		native_modulus[n] = modulus.data[modulus.length - 1 - n];
	OSSL_PARAM parameters[] = {OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, native_exponent, exponent.length),
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, native_modulus, modulus.length),
		OSSL_PARAM_construct_end()};
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	if (!context)
		return HIPHOP_NO_MEMORY;
	if (EVP_PKEY_fromdata_init(context) <= 0 ||
		EVP_PKEY_fromdata(context, out, EVP_PKEY_PUBLIC_KEY, parameters) <= 0)
		error = HIPHOP_MALFORMED;
	EVP_PKEY_CTX_free(context);
	return error;
}

hiphop_error rsa_octets_of_key(const EVP_PKEY *key, uint8_t *out, size_t capacity, size_t *length)
{
	*length = 0;
	BIGNUM *exponent = NULL, *modulus = NULL;
	uint8_t octets[MODULUS_LENGTH_MAXIMUM];
	hiphop_error error = HIPHOP_OK;
	struct writer writer = writer_over(out, capacity);
	if (!EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) ||
		!EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus))
		error = HIPHOP_NO_MEMORY;
	else if (BN_num_bytes(exponent) > EXPONENT_LENGTH_MAXIMUM || BN_num_bits(modulus) < RSA_MODULUS_BITS_MINIMUM ||
		 BN_num_bits(modulus) > RSA_MODULUS_BITS_MAXIMUM)
		error = HIPHOP_UNSUPPORTED;
	if (!error) {
		size_t exponent_length = (size_t)BN_bn2bin(exponent, octets);
		writer_u8(&writer, (uint8_t)exponent_length);
		writer_copy(&writer, octets, exponent_length);
		writer_copy(&writer, octets, (size_t)BN_bn2bin(modulus, octets));
		error = writer_status(&writer);
		*length = writer.position;
	}
	BN_free(modulus);
	BN_free(exponent);
	return error;
}
