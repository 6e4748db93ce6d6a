/* SPDX-License-Identifier: MIT */
/**
 * Certificates for tests: a root, an authority below it, and hosts, with real keys and signatures.
 */
#ifndef HIPHOP_TESTS_CERTIFICATE_MAKER_H
#define HIPHOP_TESTS_CERTIFICATE_MAKER_H

#include "hip/base/bytes.h"
#include "hip/crypto/host_identity.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/** 2026-01-01, when certificates of tests begin, and what is "now" in them. */
#define MAKER_BEGIN 1767225600L
#define MAKER_NOW   (MAKER_BEGIN + 86400L)
#define MAKER_WALL  ((wall_milliseconds)MAKER_NOW * 1000)

/** Somebody who signs certificates. */
struct authority {
	EVP_PKEY *key;
	X509 *certificate;
};

/** What makes a certificate differ from an ordinary one of a host. */
struct certificate_wish {
	const char *name;      /**< CN; NULL: "host" */
	const struct hit *hit; /**< in the Subject Alternative Name */
	long begins, ends;     /**< seconds after MAKER_BEGIN; `ends` 0: ten days */
	const EVP_MD *digest;  /**< NULL: SHA-256 */
	bool authority;        /**< CA:TRUE */
	size_t padding;        /**< octets of a comment, to make it long */
};

static inline void maker_extension(X509 *certificate, const X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, (X509 *)issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static inline void maker_padding(X509 *certificate, size_t padding)
{
	char *comment = calloc(1, padding + 1);

	assert_non_null(comment);
	memset(comment, 'x', padding);
	maker_extension(certificate, certificate, NID_netscape_comment, comment);
	free(comment);
}

/** A certificate for `key` by `issuer` (NULL: by the key itself). The caller owns it. */
static inline X509 *maker_sign(EVP_PKEY *key, const struct authority *issuer, const struct certificate_wish *wish)
{
	static long serial;
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);
	const X509 *signer = issuer ? issuer->certificate : certificate;
	char text[80], hit[HIT_TEXT_SIZE];

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_UTF8, (const uint8_t *)(wish->name ? wish->name : "host"), -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(signer));
	ASN1_TIME_set(X509_getm_notBefore(certificate), MAKER_BEGIN + wish->begins);
	ASN1_TIME_set(X509_getm_notAfter(certificate), MAKER_BEGIN + (wish->ends ? wish->ends : 864000));
	X509_set_pubkey(certificate, key);
	maker_extension(certificate, signer, NID_basic_constraints, wish->authority ? "critical,CA:TRUE" : "CA:FALSE");
	if (wish->hit) {
		snprintf(text, sizeof text, "IP:%s", hit_format(wish->hit, hit));
		maker_extension(certificate, signer, NID_subject_alt_name, text);
	}
	if (wish->padding)
		maker_padding(certificate, wish->padding);
	assert_true(X509_sign(certificate, issuer ? issuer->key : key, wish->digest ? wish->digest : EVP_sha256()) > 0);
	return certificate;
}

/** Takes `key` over. */
static inline struct authority maker_authority(EVP_PKEY *key, const char *name, const struct authority *issuer)
{
	const struct certificate_wish wish = {.name = name, .authority = true};

	assert_non_null(key);
	return (struct authority){key, maker_sign(key, issuer, &wish)};
}

static inline void maker_authority_free(struct authority *authority)
{
	EVP_PKEY_free(authority->key);
	X509_free(authority->certificate);
}

/** The library's key of an identity. The caller owns it. */
static inline EVP_PKEY *maker_key(const struct host_identity *identity)
{
	struct buffer text;
	BIO *input;
	EVP_PKEY *key;

	assert_int_equal(host_identity_to_pem(identity, &text), HIPHOP_OK);
	input = BIO_new_mem_buf(text.data, (int)text.length);
	key = PEM_read_bio_PrivateKey(input, NULL, NULL, NULL);
	BIO_free(input);
	host_identity_pem_free(&text);
	assert_non_null(key);
	return key;
}

/** The certificate of an identity by an authority. */
static inline X509 *maker_host(
	const struct host_identity *identity, const struct authority *issuer, const struct certificate_wish *wish)
{
	EVP_PKEY *key = maker_key(identity);
	X509 *certificate = maker_sign(key, issuer, wish);

	EVP_PKEY_free(key);
	return certificate;
}

/** Adds a certificate to PEM text. */
static inline void maker_pem(X509 *certificate, char *text, size_t size)
{
	BIO *output = BIO_new(BIO_s_mem());
	size_t used = strlen(text);
	int length;

	assert_int_equal(PEM_write_bio_X509(output, certificate), 1);
	length = BIO_read(output, text + used, (int)(size - used - 1));
	assert_true(length > 0);
	text[used + (size_t)length] = 0;
	BIO_free(output);
}

/** A certificate as it is sent; free the octets. */
static inline struct buffer maker_der(X509 *certificate)
{
	uint8_t *der = NULL;
	int length = i2d_X509(certificate, &der);
	struct buffer copy;

	assert_true(length > 0);
	assert_int_equal(buffer_copy(&copy, der, (size_t)length), HIPHOP_OK);
	OPENSSL_free(der);
	return copy;
}

#endif
