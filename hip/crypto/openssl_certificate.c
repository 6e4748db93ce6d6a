/* SPDX-License-Identifier: MIT */
#include "hip/crypto/certificate.h"
#include "hip/crypto/openssl_key_octets.h"
#include "hip/wire/constants.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <stdlib.h>
#include <string.h>

/* Certificates between the host's and the authority at most. */
#define DEPTH_MAXIMUM 6
/* 112 bits: no SHA-1, no RSA below 2048. */
#define SECURITY_LEVEL 2
/* Of Hash and URL (RFC 7296 section 3.6). */
#define SHA1_LENGTH 20

struct certificate_authorities {
	X509_STORE *store;
	STACK_OF(X509) * all;
};

/* ---- reading PEM ---- */

static hiphop_error authorities_make(struct certificate_authorities **authorities)
{
	struct certificate_authorities *made = calloc(1, sizeof *made);

	if (!made)
		return HIPHOP_NO_MEMORY;
	made->store = X509_STORE_new();
	made->all = sk_X509_new_null();
	*authorities = made;
	return made->store && made->all ? HIPHOP_OK : HIPHOP_NO_MEMORY;
}

void certificate_authorities_free(struct certificate_authorities *authorities)
{
	if (!authorities)
		return;
	X509_STORE_free(authorities->store);
	sk_X509_pop_free(authorities->all, X509_free);
	free(authorities);
}

static hiphop_error add_certificate(struct certificate_authorities *authorities, X509 *certificate)
{
	if (!X509_STORE_add_cert(authorities->store, certificate) || !X509_up_ref(certificate))
		return HIPHOP_NO_MEMORY;
	if (sk_X509_push(authorities->all, certificate) > 0)
		return HIPHOP_OK;
	X509_free(certificate);
	return HIPHOP_NO_MEMORY;
}

/* A certificate and the CRL behind it come as one. */
static hiphop_error add_information(struct certificate_authorities *authorities, const X509_INFO *information)
{
	hiphop_error error = information->x509 ? add_certificate(authorities, information->x509) : HIPHOP_OK;

	if (error || !information->crl)
		return error;
	if (!X509_STORE_add_crl(authorities->store, information->crl))
		return HIPHOP_NO_MEMORY;
	X509_STORE_set_flags(authorities->store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	return HIPHOP_OK;
}

/* All that is in the text. NULL on errors. */
static STACK_OF(X509_INFO) * read_pem(const char *pem, size_t length, hiphop_error *error)
{
	BIO *input = length <= CERTIFICATE_PEM_MAXIMUM ? BIO_new_mem_buf(pem, (int)length) : NULL;
	STACK_OF(X509_INFO) * all;

	*error = length <= CERTIFICATE_PEM_MAXIMUM ? HIPHOP_NO_MEMORY : HIPHOP_TOO_LARGE;
	if (!input)
		return NULL;
	all = PEM_X509_INFO_read_bio(input, NULL, NULL, NULL);
	BIO_free(input);
	ERR_clear_error();
	*error = all ? HIPHOP_OK : HIPHOP_MALFORMED;
	return all;
}

hiphop_error certificate_authorities_add(const char *pem, size_t length, struct certificate_authorities **authorities)
{
	hiphop_error error;
	STACK_OF(X509_INFO) *all = read_pem(pem, length, &error);
	bool made = !*authorities;
	size_t certificates = 0;

	if (!error && made)
		error = authorities_make(authorities);
	for (int i = 0; !error && i < sk_X509_INFO_num(all); i++) {
		const X509_INFO *information = sk_X509_INFO_value(all, i);

		certificates += information->x509 != NULL;
		error = add_information(*authorities, information);
	}
	sk_X509_INFO_pop_free(all, X509_INFO_free);
	if (!error && !certificates)
		error = HIPHOP_NOT_FOUND;
	if (error && made) {
		certificate_authorities_free(*authorities);
		*authorities = NULL;
	}
	return error;
}

/* ---- whose certificate it is ---- */

static bool has_key_of(const X509 *certificate, const struct host_identity *holder)
{
	const struct span wanted = host_identity_octets(holder);
	const EVP_PKEY *key = X509_get0_pubkey(certificate);
	uint8_t octets[HOST_IDENTITY_OCTETS_MAXIMUM];
	uint16_t algorithm;
	size_t length;

	return key && !key_octets(key, &algorithm, octets, &length) && algorithm == host_identity_algorithm(holder) &&
	       length == wanted.length && memcmp(octets, wanted.data, length) == 0;
}

/* HITs in the Subject Alternative Name are iPAddress forms (RFC 8002 section 3). */
static bool may_be_for(const X509 *certificate, const struct hit *hit)
{
	int critical;
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, NULL);
	bool names_hits = false, names_this = false;

	/* Absent, or more than one or unreadable. */
	if (!names)
		return critical == -1;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		struct hit named;

		if (name->type != GEN_IPADD || ASN1_STRING_length(name->d.iPAddress) != HIT_LENGTH)
			continue;
		memcpy(named.octets, ASN1_STRING_get0_data(name->d.iPAddress), HIT_LENGTH);
		names_hits |= hit_is_host(&named);
		names_this |= hit_equal(&named, hit);
	}
	GENERAL_NAMES_free(names);
	return names_this || !names_hits;
}

static void write_name(const X509_NAME *name, char text[static CERTIFICATE_NAME_SIZE])
{
	BIO *output = BIO_new(BIO_s_mem());
	int length = 0;

	if (output && X509_NAME_print_ex(output, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
		length = BIO_read(output, text, CERTIFICATE_NAME_SIZE - 1);
	text[length > 0 ? length : 0] = 0;
	BIO_free(output);
}

/* A time before 1970, or none that can be read, is 0. */
static wall_milliseconds end_of(const X509 *certificate)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	wall_milliseconds end = 0;
	int days, seconds;

	if (epoch && ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(certificate)) && days >= 0 &&
		seconds >= 0)
		end = ((wall_milliseconds)days * 86400 + (wall_milliseconds)seconds) * 1000;
	ASN1_TIME_free(epoch);
	return end;
}

/* ---- own chains ---- */

static hiphop_error keep_certificate(X509 *certificate, struct certificate_chain *chain)
{
	uint8_t *der = NULL;
	int length = i2d_X509(certificate, &der);
	hiphop_error error = HIPHOP_TOO_LARGE;

	if (length <= 0)
		return HIPHOP_NO_MEMORY;
	if (length <= CERTIFICATE_OCTETS_MAXIMUM && chain->count < CERTIFICATE_CHAIN_MAXIMUM)
		error = buffer_copy(&chain->certificates[chain->count], der, (size_t)length);
	OPENSSL_free(der);
	if (!error)
		chain->count++;
	return error;
}

hiphop_error certificate_chain_from_pem(
	const char *pem, size_t length, const struct host_identity *holder, struct certificate_chain *chain)
{
	hiphop_error error;
	STACK_OF(X509_INFO) *all = read_pem(pem, length, &error);

	*chain = (struct certificate_chain){.count = 0};
	for (int i = 0; !error && i < sk_X509_INFO_num(all); i++) {
		X509 *certificate = sk_X509_INFO_value(all, i)->x509;

		if (!certificate)
			continue;
		if (!chain->count &&
			(!has_key_of(certificate, holder) || !may_be_for(certificate, host_identity_hit(holder))))
			error = HIPHOP_BAD_IDENTITY;
		else
			error = keep_certificate(certificate, chain);
	}
	sk_X509_INFO_pop_free(all, X509_INFO_free);
	if (!error && !chain->count)
		error = HIPHOP_NOT_FOUND;
	if (error)
		certificate_chain_free(chain);
	return error;
}

/* ---- certificates of peers ---- */

/* The authority whose SHA-1 stands in front of the URL. */
static X509 *find_by_hash(const struct certificate_authorities *authorities, struct span octets)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned length;

	if (octets.length < SHA1_LENGTH)
		return NULL;
	for (int i = 0; i < sk_X509_num(authorities->all); i++) {
		X509 *certificate = sk_X509_value(authorities->all, i);

		if (X509_digest(certificate, EVP_sha1(), digest, &length) && length == SHA1_LENGTH &&
			memcmp(digest, octets.data, SHA1_LENGTH) == 0)
			return certificate;
	}
	return NULL;
}

static X509 *find_by_name(const struct certificate_authorities *authorities, struct span octets)
{
	char text[CERTIFICATE_NAME_SIZE];

	for (int i = 0; i < sk_X509_num(authorities->all); i++) {
		X509 *certificate = sk_X509_value(authorities->all, i);

		write_name(X509_get_subject_name(certificate), text);
		if (strlen(text) == octets.length && memcmp(text, octets.data, octets.length) == 0)
			return certificate;
	}
	return NULL;
}

static X509 *parse(struct span octets)
{
	const uint8_t *at = octets.data;
	X509 *certificate =
		octets.length <= CERTIFICATE_OCTETS_MAXIMUM * 2 ? d2i_X509(NULL, &at, (long)octets.length) : NULL;

	if (certificate && at != octets.data + octets.length) {
		X509_free(certificate);
		certificate = NULL;
	}
	return certificate;
}

/* A certificate of its own for the caller to free. */
static certificate_verdict open_item(
	const struct certificate_authorities *authorities, const struct certificate_item *item, X509 **certificate)
{
	*certificate = NULL;
	if (item->type == CERTIFICATE_X509) {
		*certificate = parse(item->octets);
		return *certificate ? CERTIFICATE_VALID : CERTIFICATE_MALFORMED;
	}
	if (authorities && item->type == CERTIFICATE_X509_HASH_AND_URL)
		*certificate = find_by_hash(authorities, item->octets);
	if (authorities && item->type == CERTIFICATE_X509_DISTINGUISHED_NAME)
		*certificate = find_by_name(authorities, item->octets);
	if (*certificate && !X509_up_ref(*certificate))
		*certificate = NULL;
	return *certificate ? CERTIFICATE_VALID : CERTIFICATE_UNSUPPORTED;
}

static const struct {
	int error;
	certificate_verdict verdict;
} verdicts[] = {
	{X509_V_ERR_CERT_NOT_YET_VALID, CERTIFICATE_NOT_YET_VALID},
	{X509_V_ERR_CERT_HAS_EXPIRED, CERTIFICATE_EXPIRED},
	{X509_V_ERR_CRL_HAS_EXPIRED, CERTIFICATE_REVOKED},
	{X509_V_ERR_CERT_REVOKED, CERTIFICATE_REVOKED},
	{X509_V_ERR_CERT_SIGNATURE_FAILURE, CERTIFICATE_BAD_SIGNATURE},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, CERTIFICATE_UNTRUSTED},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, CERTIFICATE_UNTRUSTED},
	{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, CERTIFICATE_UNTRUSTED},
	{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, CERTIFICATE_UNTRUSTED},
	{X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, CERTIFICATE_UNTRUSTED},
	{X509_V_ERR_CERT_CHAIN_TOO_LONG, CERTIFICATE_UNTRUSTED},
	{X509_V_ERR_INVALID_CA, CERTIFICATE_UNTRUSTED},
	{X509_V_ERR_CA_MD_TOO_WEAK, CERTIFICATE_WEAK},
	{X509_V_ERR_CA_KEY_TOO_SMALL, CERTIFICATE_WEAK},
	{X509_V_ERR_EE_KEY_TOO_SMALL, CERTIFICATE_WEAK},
};

static certificate_verdict verdict_of(int error)
{
	for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
		if (verdicts[i].error == error)
			return verdicts[i].verdict;
	}
	return CERTIFICATE_FAILED;
}

/* Authorities without a CRL revoke nothing. */
static int go_on(int fits, X509_STORE_CTX *context)
{
	return fits || X509_STORE_CTX_get_error(context) == X509_V_ERR_UNABLE_TO_GET_CRL;
}

/* Of RFC 7401, as RFC 8002 section 2 demands. */
static bool signature_is_taken(const X509 *certificate)
{
	int digest, key;

	return X509_get_signature_info((X509 *)certificate, &digest, &key, NULL, NULL) &&
	       (digest == NID_sha256 || digest == NID_sha384) &&
	       (key == NID_rsaEncryption || key == NID_rsassaPss || key == NID_X9_62_id_ecPublicKey);
}

struct verification {
	X509 *items[CERTIFICATE_CHAIN_MAXIMUM];
	size_t count;
	size_t leaf;
	STACK_OF(X509) * others;
};

static size_t place_of(const struct verification *verification, const X509 *certificate)
{
	size_t place = 0;

	while (place < verification->count && (!certificate || X509_cmp(verification->items[place], certificate) != 0))
		place++;
	return place;
}

/* What the library does not look at: all signatures below the authority, and the end of them all. */
static void judge_chain(
	const struct verification *verification, X509_STORE_CTX *context, struct certificate_report *report)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);

	for (int i = 0; i < sk_X509_num(chain); i++) {
		const X509 *certificate = sk_X509_value(chain, i);
		wall_milliseconds end = end_of(certificate);

		if (end < report->valid_until)
			report->valid_until = end;
		if (i + 1 < sk_X509_num(chain) && !signature_is_taken(certificate)) {
			report->verdict = CERTIFICATE_WEAK;
			report->culprit = place_of(verification, certificate);
		}
	}
}

static void verify_chain(const struct certificate_authorities *authorities, const struct verification *verification,
	wall_milliseconds wall, struct certificate_report *report)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *parameters;

	if (!context || !X509_STORE_CTX_init(context, authorities->store, verification->items[verification->leaf],
				verification->others)) {
		X509_STORE_CTX_free(context);
		return;
	}
	parameters = X509_STORE_CTX_get0_param(context);
	X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_time(parameters, (time_t)(wall / 1000));
	X509_VERIFY_PARAM_set_depth(parameters, DEPTH_MAXIMUM);
	X509_VERIFY_PARAM_set_auth_level(parameters, SECURITY_LEVEL);
	X509_STORE_CTX_set_verify_cb(context, go_on);
	if (X509_verify_cert(context) == 1) {
		report->verdict = CERTIFICATE_VALID;
		judge_chain(verification, context, report);
	} else {
		report->verdict = verdict_of(X509_STORE_CTX_get_error(context));
		report->culprit = place_of(verification, X509_STORE_CTX_get_current_cert(context));
	}
	X509_STORE_CTX_free(context);
}

static hiphop_error open_all(const struct certificate_authorities *authorities, const struct certificate_item *items,
	size_t count, struct verification *verification, struct certificate_report *report)
{
	for (size_t i = 0; i < count; i++) {
		X509 *certificate;
		certificate_verdict verdict = open_item(authorities, &items[i], &certificate);

		if (verdict != CERTIFICATE_VALID) {
			report->verdict = verdict;
			report->culprit = i;
			return HIPHOP_MALFORMED;
		}
		verification->items[verification->count++] = certificate;
		if (sk_X509_push(verification->others, certificate) <= 0)
			return HIPHOP_NO_MEMORY;
	}
	return HIPHOP_OK;
}

/* Finds the host's own certificate, and says what it says. */
static bool find_leaf(
	struct verification *verification, const struct host_identity *holder, struct certificate_report *report)
{
	size_t place = 0;

	while (place < verification->count && !has_key_of(verification->items[place], holder))
		place++;
	report->culprit = verification->leaf = place < verification->count ? place : 0;
	if (!verification->count)
		return false;
	write_name(X509_get_subject_name(verification->items[verification->leaf]), report->subject);
	write_name(X509_get_issuer_name(verification->items[verification->leaf]), report->issuer);
	report->valid_until = end_of(verification->items[verification->leaf]);
	report->verdict = CERTIFICATE_FOREIGN_KEY;
	if (place == verification->count)
		return false;
	report->verdict = CERTIFICATE_FOREIGN_HIT;
	return may_be_for(verification->items[place], host_identity_hit(holder));
}

void certificate_verify(const struct certificate_authorities *authorities, const struct certificate_item *items,
	size_t count, const struct host_identity *holder, wall_milliseconds wall, struct certificate_report *report)
{
	struct verification verification = {.others = sk_X509_new_null()};

	*report = (struct certificate_report){.verdict = CERTIFICATE_FAILED, .culprit = count};
	if (count > CERTIFICATE_CHAIN_MAXIMUM)
		report->verdict = CERTIFICATE_MISGROUPED;
	else if (verification.others && !open_all(authorities, items, count, &verification, report) &&
		 find_leaf(&verification, holder, report)) {
		report->verdict = authorities ? CERTIFICATE_FAILED : CERTIFICATE_NO_AUTHORITIES;
		if (authorities)
			verify_chain(authorities, &verification, wall, report);
	}
	for (size_t i = 0; i < verification.count; i++)
		X509_free(verification.items[i]);
	sk_X509_free(verification.others);
	ERR_clear_error();
}
