/* SPDX-License-Identifier: MIT */
/* Certificates of Host Identities (RFC 8002). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "hip/crypto/certificate.h"
#include "hip/wire/constants.h"
#include "tests/unit/hip/certificate_maker.h"

/* A root, an authority below it, and a host. */
struct world {
	struct authority root, middle, stranger;
	struct host_identity *host, *other;
	struct certificate_authorities *authorities;
};

static struct world *make_world(host_identity_kind kind)
{
	struct world *world = calloc(1, sizeof *world);
	char text[8192] = "";

	world->root = maker_authority(EVP_EC_gen("P-384"), "root", NULL);
	world->middle = maker_authority(EVP_RSA_gen(2048), "middle", &world->root);
	world->stranger = maker_authority(EVP_EC_gen("P-256"), "stranger", NULL);
	assert_int_equal(host_identity_generate(kind, &world->host), HIPHOP_OK);
	assert_int_equal(host_identity_generate(HOST_IDENTITY_ECDSA_P256, &world->other), HIPHOP_OK);
	maker_pem(world->root.certificate, text, sizeof text);
	assert_int_equal(certificate_authorities_add(text, strlen(text), &world->authorities), HIPHOP_OK);
	return world;
}

static void free_world(struct world *world)
{
	maker_authority_free(&world->root);
	maker_authority_free(&world->middle);
	maker_authority_free(&world->stranger);
	host_identity_free(world->host);
	host_identity_free(world->other);
	certificate_authorities_free(world->authorities);
	free(world);
}

/* Verifies a leaf (freed) and the authority in the middle. */
static struct certificate_report verify(const struct world *world, X509 *leaf, bool with_middle)
{
	struct buffer one = maker_der(leaf), two = maker_der(world->middle.certificate);
	const struct certificate_item items[] = {
		{CERTIFICATE_X509, {one.data, one.length}}, {CERTIFICATE_X509, {two.data, two.length}}};
	struct certificate_report report;

	certificate_verify(world->authorities, items, with_middle ? 2 : 1, world->host, MAKER_WALL, &report);
	buffer_free(&one);
	buffer_free(&two);
	X509_free(leaf);
	return report;
}

static X509 *leaf_of(const struct world *world, const struct certificate_wish *wish)
{
	return maker_host(world->host, &world->middle, wish);
}

static void a_chain_holds_with_each_kind_of_key(void **state)
{
	static const host_identity_kind kinds[] = {
		HOST_IDENTITY_ECDSA_P256, HOST_IDENTITY_ECDSA_P384, HOST_IDENTITY_RSA_2048};

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct world *world = make_world(kinds[i]);
		struct certificate_report report = verify(
			world, leaf_of(world, &(struct certificate_wish){.hit = host_identity_hit(world->host)}), true);

		assert_int_equal(report.verdict, CERTIFICATE_VALID);
		assert_string_equal(report.subject, "CN=host");
		assert_string_equal(report.issuer, "CN=middle");
		assert_int_equal(report.valid_until, (wall_milliseconds)(MAKER_BEGIN + 864000) * 1000);
		free_world(world);
	}
}

static void expect(const struct world *world, const struct certificate_wish *wish, certificate_verdict verdict)
{
	struct certificate_report report = verify(world, leaf_of(world, wish), true);

	if (report.verdict != verdict)
		fail_msg("%s, not %s", certificate_verdict_text(report.verdict), certificate_verdict_text(verdict));
	if (verdict != CERTIFICATE_VALID)
		assert_int_equal(report.culprit, 0);
}

/* conforms: RFC8002-2-7 */
static void what_does_not_hold(void **state)
{
	struct world *world = make_world(HOST_IDENTITY_ECDSA_P256);
	const struct hit *hit = host_identity_hit(world->host), *other = host_identity_hit(world->other);

	(void)state;
	expect(world, &(struct certificate_wish){0}, CERTIFICATE_VALID);
	expect(world, &(struct certificate_wish){.hit = hit}, CERTIFICATE_VALID);
	expect(world, &(struct certificate_wish){.hit = other}, CERTIFICATE_FOREIGN_HIT);
	expect(world, &(struct certificate_wish){.ends = 3600}, CERTIFICATE_EXPIRED);
	expect(world, &(struct certificate_wish){.begins = 90000}, CERTIFICATE_NOT_YET_VALID);
	expect(world, &(struct certificate_wish){.digest = EVP_sha512()}, CERTIFICATE_WEAK);
	expect(world, &(struct certificate_wish){.digest = EVP_sha1()}, CERTIFICATE_WEAK);
	expect(world, &(struct certificate_wish){.digest = EVP_sha384()}, CERTIFICATE_VALID);
	assert_int_equal(
		verify(world, leaf_of(world, &(struct certificate_wish){0}), false).verdict, CERTIFICATE_UNTRUSTED);
	assert_int_equal(
		verify(world, maker_host(world->host, &world->stranger, &(struct certificate_wish){0}), true).verdict,
		CERTIFICATE_UNTRUSTED);
	assert_int_equal(
		verify(world, maker_host(world->other, &world->middle, &(struct certificate_wish){0}), true).verdict,
		CERTIFICATE_FOREIGN_KEY);
	assert_int_equal(verify(world, maker_host(world->host, NULL, &(struct certificate_wish){0}), true).verdict,
		CERTIFICATE_UNTRUSTED);
	free_world(world);
}

/* A host that is no authority vouches for nobody. */
static void a_host_signs_for_nobody(void **state)
{
	struct world *world = make_world(HOST_IDENTITY_ECDSA_P256);
	struct authority impostor = {maker_key(world->other),
		maker_host(world->other, &world->root, &(struct certificate_wish){.name = "other"})};
	X509 *leaf = maker_host(world->host, &impostor, &(struct certificate_wish){0});
	struct buffer one = maker_der(leaf), two = maker_der(impostor.certificate);
	const struct certificate_item items[] = {
		{CERTIFICATE_X509, {two.data, two.length}}, {CERTIFICATE_X509, {one.data, one.length}}};
	struct certificate_report report;

	(void)state;
	certificate_verify(world->authorities, items, 2, world->host, MAKER_WALL, &report);
	assert_int_not_equal(report.verdict, CERTIFICATE_VALID);
	buffer_free(&one);
	buffer_free(&two);
	X509_free(leaf);
	maker_authority_free(&impostor);
	free_world(world);
}

static void each_tampered_octet_is_found(void **state)
{
	struct world *world = make_world(HOST_IDENTITY_ECDSA_P256);
	X509 *leaf = leaf_of(world, &(struct certificate_wish){0});
	struct buffer one = maker_der(leaf), two = maker_der(world->middle.certificate);
	const struct certificate_item items[] = {
		{CERTIFICATE_X509, {one.data, one.length}}, {CERTIFICATE_X509, {two.data, two.length}}};
	struct certificate_report report;

	(void)state;
	for (size_t i = 0; i < one.length; i++) {
		one.data[i] ^= 0x01;
		certificate_verify(world->authorities, items, 2, world->host, MAKER_WALL, &report);
		assert_int_not_equal(report.verdict, CERTIFICATE_VALID);
		one.data[i] ^= 0x01;
	}
	for (size_t length = 0; length < one.length; length += 7) {
		const struct certificate_item cut = {CERTIFICATE_X509, {one.data, length}};

		certificate_verify(world->authorities, &cut, 1, world->host, MAKER_WALL, &report);
		assert_int_equal(report.verdict, CERTIFICATE_MALFORMED);
	}
	certificate_verify(world->authorities, items, 2, world->host, MAKER_WALL, &report);
	assert_int_equal(report.verdict, CERTIFICATE_VALID);
	certificate_verify(NULL, items, 2, world->host, MAKER_WALL, &report);
	assert_int_equal(report.verdict, CERTIFICATE_NO_AUTHORITIES);
	assert_string_equal(report.subject, "CN=host");
	certificate_verify(world->authorities, items, 0, world->host, MAKER_WALL, &report);
	assert_int_not_equal(report.verdict, CERTIFICATE_VALID);
	buffer_free(&one);
	buffer_free(&two);
	X509_free(leaf);
	free_world(world);
}

/* The authority in the middle is enough, and its certificates can be pointed at instead of sent. */
static void by_hash_and_by_name(void **state)
{
	struct world *world = make_world(HOST_IDENTITY_ECDSA_P256);
	X509 *leaf = leaf_of(world, &(struct certificate_wish){0});
	struct buffer one = maker_der(leaf);
	uint8_t hash_and_url[64] = {0};
	unsigned length;
	char text[8192] = "";
	struct certificate_report report;
	struct certificate_item items[] = {{CERTIFICATE_X509, {one.data, one.length}},
		{CERTIFICATE_X509_HASH_AND_URL, {hash_and_url, sizeof hash_and_url}}};

	(void)state;
	maker_pem(world->middle.certificate, text, sizeof text);
	certificate_verify(world->authorities, items, 2, world->host, MAKER_WALL, &report);
	assert_int_equal(report.verdict, CERTIFICATE_UNSUPPORTED);
	assert_int_equal(report.culprit, 1);
	assert_int_equal(certificate_authorities_add(text, strlen(text), &world->authorities), HIPHOP_OK);
	certificate_verify(world->authorities, items, 1, world->host, MAKER_WALL, &report);
	assert_int_equal(report.verdict, CERTIFICATE_VALID);
	X509_digest(world->middle.certificate, EVP_sha1(), hash_and_url, &length);
	certificate_verify(world->authorities, items, 2, world->host, MAKER_WALL, &report);
	assert_int_equal(report.verdict, CERTIFICATE_VALID);
	items[1] = (struct certificate_item){CERTIFICATE_X509_DISTINGUISHED_NAME, {(const uint8_t *)"CN=middle", 9}};
	certificate_verify(world->authorities, items, 2, world->host, MAKER_WALL, &report);
	assert_int_equal(report.verdict, CERTIFICATE_VALID);
	items[1].type = CERTIFICATE_X509_LDAP_URL;
	certificate_verify(world->authorities, items, 2, world->host, MAKER_WALL, &report);
	assert_int_equal(report.verdict, CERTIFICATE_UNSUPPORTED);
	buffer_free(&one);
	X509_free(leaf);
	free_world(world);
}

static void add_crl(struct world *world, const X509 *revoked)
{
	X509_CRL *crl = X509_CRL_new();
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *time = ASN1_TIME_set(NULL, MAKER_BEGIN), *next = ASN1_TIME_set(NULL, MAKER_BEGIN + 864000);
	BIO *output = BIO_new(BIO_s_mem());
	char text[8192] = "";

	maker_pem(world->middle.certificate, text, sizeof text);
	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(world->middle.certificate));
	X509_CRL_set1_lastUpdate(crl, time);
	X509_CRL_set1_nextUpdate(crl, next);
	X509_REVOKED_set_serialNumber(entry, (ASN1_INTEGER *)X509_get0_serialNumber(revoked));
	X509_REVOKED_set_revocationDate(entry, time);
	X509_CRL_add0_revoked(crl, entry);
	assert_true(X509_CRL_sign(crl, world->middle.key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509_CRL(output, crl), 1);
	BIO_read(output, text + strlen(text), (int)(sizeof text - strlen(text) - 1));
	assert_int_equal(certificate_authorities_add(text, strlen(text), &world->authorities), HIPHOP_OK);
	BIO_free(output);
	X509_CRL_free(crl);
	ASN1_TIME_free(time);
	ASN1_TIME_free(next);
}

static void a_revoked_one(void **state)
{
	struct world *world = make_world(HOST_IDENTITY_ECDSA_P256);
	X509 *leaf = leaf_of(world, &(struct certificate_wish){0});

	(void)state;
	add_crl(world, leaf);
	assert_int_equal(verify(world, leaf, true).verdict, CERTIFICATE_REVOKED);
	/* Another of the same authority, and the root without a CRL, are as good as before. */
	assert_int_equal(verify(world, leaf_of(world, &(struct certificate_wish){0}), true).verdict, CERTIFICATE_VALID);
	free_world(world);
}

static void own_chains(void **state)
{
	struct world *world = make_world(HOST_IDENTITY_ECDSA_P256);
	X509 *leaf = leaf_of(world, &(struct certificate_wish){0});
	X509 *foreign = maker_host(world->other, &world->middle, &(struct certificate_wish){0});
	X509 *big = leaf_of(world, &(struct certificate_wish){.padding = CERTIFICATE_OCTETS_MAXIMUM});
	struct certificate_chain chain;
	char text[8192] = "";

	(void)state;
	maker_pem(leaf, text, sizeof text);
	maker_pem(world->middle.certificate, text, sizeof text);
	assert_int_equal(certificate_chain_from_pem(text, strlen(text), world->host, &chain), HIPHOP_OK);
	assert_int_equal(chain.count, 2);
	certificate_chain_free(&chain);
	assert_int_equal(certificate_chain_from_pem(text, strlen(text), world->other, &chain), HIPHOP_BAD_IDENTITY);
	assert_int_equal(chain.count, 0);
	assert_int_equal(certificate_chain_from_pem("hello", 5, world->host, &chain), HIPHOP_NOT_FOUND);
	text[0] = 0;
	maker_pem(foreign, text, sizeof text);
	assert_int_equal(certificate_chain_from_pem(text, strlen(text), world->host, &chain), HIPHOP_BAD_IDENTITY);
	text[0] = 0;
	maker_pem(big, text, sizeof text);
	assert_int_equal(certificate_chain_from_pem(text, strlen(text), world->host, &chain), HIPHOP_TOO_LARGE);
	assert_int_equal(certificate_authorities_add("hello", 5, &world->authorities), HIPHOP_NOT_FOUND);
	X509_free(leaf);
	X509_free(foreign);
	X509_free(big);
	free_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_holds_with_each_kind_of_key),
		cmocka_unit_test(what_does_not_hold),
		cmocka_unit_test(a_host_signs_for_nobody),
		cmocka_unit_test(each_tampered_octet_is_found),
		cmocka_unit_test(by_hash_and_by_name),
		cmocka_unit_test(a_revoked_one),
		cmocka_unit_test(own_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
