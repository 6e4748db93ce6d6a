/* SPDX-License-Identifier: MIT */
/* P-256 is tested with whole identities, in test_host_identity.c. */
#include "hip/crypto/deterministic_ecdsa.h"

#include "tests/unit/failing_allocation.h"
#include "tests/unit/hip/crypto/material.h"

/* RFC 6979 appendix A.2.6: P-384 with SHA-384, "sample". */
static void test_p384_vector(void **state)
{
	uint8_t scalar[48], digest[HASH_LENGTH_MAXIMUM], signature[96];
	const struct span message = from_text("sample");
	(void)state;
	from_hex("6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D8"
		 "96D5724E4C70A825F872C9EA60D2EDF5",
		scalar, sizeof scalar);
	assert_int_equal(hash_spans(HASH_SHA384, &message, 1, digest), HIPHOP_OK);
	assert_int_equal(
		deterministic_ecdsa_sign(&curve_p384, scalar, HASH_SHA384, (struct span){digest, 48}, signature),
		HIPHOP_OK);
	assert_hex(signature, 96,
		"94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C"
		"81A648152E44ACF96E36DD1E80FABE4699EF4AEB15F178CEA1FE40DB2603138F"
		"130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8");
}

/* Without memory there is no signature, or the same: never one with another nonce. */
static void test_no_memory(void **state)
{
	const uint8_t scalar[32] = {1, 2, 3}, digest[48] = {4, 5, 6};
	uint8_t expected[64], signature[64];
	bool failed = true;
	(void)state;
	assert_int_equal(
		deterministic_ecdsa_sign(&curve_p256, scalar, HASH_SHA384, (struct span){digest, 48}, expected),
		HIPHOP_OK);
	for (unsigned allowed = 0; failed; allowed++) {
		failing_allocation_plan(allowed, 1);
		failing_allocation_resume();
		hiphop_error error = deterministic_ecdsa_sign(
			&curve_p256, scalar, HASH_SHA384, (struct span){digest, 48}, signature);
		failing_allocation_stop();
		failed = failing_allocation_failed > 0;
		assert_true(failed || !error);
		if (!error)
			assert_memory_equal(signature, expected, sizeof expected);
	}
}

static void test_unsupported(void **state)
{
	uint8_t scalar[66] = {0, 1}, digest[64] = {1}, signature[132];
	(void)state;
	assert_int_equal(
		deterministic_ecdsa_sign(&curve_p521, scalar, HASH_SHA512, (struct span){digest, 64}, signature),
		HIPHOP_UNSUPPORTED);
	assert_int_equal(
		deterministic_ecdsa_sign(&curve_secp160r1, scalar, HASH_SHA1, (struct span){digest, 20}, signature),
		HIPHOP_UNSUPPORTED);
	assert_int_equal(
		deterministic_ecdsa_sign(&curve_p384, scalar, HASH_SHA256, (struct span){digest, 32}, signature),
		HIPHOP_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_p384_vector),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_unsupported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
