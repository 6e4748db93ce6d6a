/* SPDX-License-Identifier: MIT */
/**
 * Base exchanges between two hosts in memory, both ends on one core, for each suite, as a ratio to the public-key
 * operations that an exchange cannot do without: the Initiator verifies R1 and R2, signs I2, makes a Diffie-Hellman key
 * pair and agrees; the Responder verifies I2, signs R2 and agrees. (R1s are signed ahead; their keys serve many.) All
 * with the puzzle of a calm host, and once with that of one under load. 1: nothing costs time but public keys.
 */
#include "hip/crypto/diffie_hellman.h"
#include "hip/wire/constants.h"
#include "tests/bench/host_pair.h"
#include "tests/bench/rounds.h"

#define SIGNED_OCTETS 400
#define CALM_PUZZLE   0
#define LOADED_PUZZLE 10

struct suite {
	const char *name;
	host_identity_kind kind;
	uint8_t group;
	uint8_t difficulty;
	unsigned exchanges; /* in a round: fewer of the slow ones */
};

static const struct suite suites[] = {
	{"ECDSA P-256, DH P-256", HOST_IDENTITY_ECDSA_P256, DH_GROUP_NIST_P256, CALM_PUZZLE, 20},
	{"  with a puzzle of 10 bits", HOST_IDENTITY_ECDSA_P256, DH_GROUP_NIST_P256, LOADED_PUZZLE, 20},
	{"ECDSA P-384, DH P-384", HOST_IDENTITY_ECDSA_P384, DH_GROUP_NIST_P384, CALM_PUZZLE, 5},
	{"RSA 2048, DH P-256", HOST_IDENTITY_RSA_2048, DH_GROUP_NIST_P256, CALM_PUZZLE, 5},
	{"RSA 3072, DH P-256", HOST_IDENTITY_RSA_3072, DH_GROUP_NIST_P256, CALM_PUZZLE, 5},
	{"ECDSA_LOW, DH secp160r1", HOST_IDENTITY_ECDSA_LOW, DH_GROUP_SECP160R1, CALM_PUZZLE, 5},
	{"ECDSA P-256, DH P-384", HOST_IDENTITY_ECDSA_P256, DH_GROUP_NIST_P384, CALM_PUZZLE, 5},
	{"ECDSA P-256, DH P-521", HOST_IDENTITY_ECDSA_P256, DH_GROUP_NIST_P521, CALM_PUZZLE, 5},
	{"ECDSA P-256, DH MODP 1536", HOST_IDENTITY_ECDSA_P256, DH_GROUP_MODP_1536, CALM_PUZZLE, 5},
	{"ECDSA P-256, DH MODP 2048", HOST_IDENTITY_ECDSA_P256, DH_GROUP_MODP_2048, CALM_PUZZLE, 3},
	{"ECDSA P-256, DH MODP 3072", HOST_IDENTITY_ECDSA_P256, DH_GROUP_MODP_3072, CALM_PUZZLE, 3},
};

static bool make_hosts(struct host_pair *pair, const struct suite *suite)
{
	const struct host_configuration configuration = {.puzzle_difficulty = suite->difficulty,
		.dh_groups = {suite->group},
		.dh_group_count = 1,
		.hit_suites = {HIT_SUITE_ECDSA_SHA384, HIT_SUITE_RSA_DSA_SHA256, HIT_SUITE_ECDSA_LOW_SHA1},
		.hit_suite_count = 3};
	bool done = true;

	pair->now = SECONDS(1000);
	for (unsigned i = 0; done && i < ENDS; i++)
		done = !host_identity_generate(suite->kind, &pair->ends[i].identity) &&
		       host_pair_start_end(pair, i, configuration);
	return done;
}

static void free_hosts(struct host_pair *pair)
{
	for (unsigned i = 0; i < ENDS; i++) {
		host_free(pair->ends[i].host);
		host_identity_free(pair->ends[i].identity);
		pair->ends[i].host = NULL;
		pair->ends[i].identity = NULL;
	}
}

/* Exchanges per second; 0 when one failed. What is between them does not count. */
static double run_exchanges(struct host_pair *pair, const struct suite *suite)
{
	double spent = 0;

	for (unsigned i = 0; i < suite->exchanges; i++) {
		double start = processor_time();

		if (!host_pair_exchange(pair, 0))
			return 0;
		spent += processor_time() - start;
		host_close(pair->ends[0].host, pair->now, host_identity_hit(pair->ends[1].identity));
		host_pair_deliver(pair);
		host_pair_let_pass(pair, SECONDS(1));
	}
	return suite->exchanges / spent;
}

static bool public_keys_once(const struct host_pair *pair, uint8_t group, struct diffie_hellman *responder)
{
	static uint8_t octets[SIGNED_OCTETS];
	uint8_t signature[HOST_IDENTITY_SIGNATURE_MAXIMUM];
	const struct host_identity *identity = pair->ends[0].identity;
	const struct span message = {octets, sizeof octets};
	const struct span signed_by = {signature, host_identity_signature_length(identity)};
	struct diffie_hellman *initiator = NULL;
	struct shared_secret secret;
	bool done = !diffie_hellman_new(group, &pair->random, &initiator) &&
		    !diffie_hellman_agree(initiator, diffie_hellman_public_value(responder), &secret) &&
		    !diffie_hellman_agree(responder, diffie_hellman_public_value(initiator), &secret);

	for (int i = 0; done && i < 2; i++)
		done = !host_identity_sign(identity, &message, 1, signature);
	for (int i = 0; done && i < 3; i++)
		done = !host_identity_verify(identity, &message, 1, signed_by);
	diffie_hellman_free(initiator);
	return done;
}

static double run_public_keys(const struct host_pair *pair, const struct suite *suite)
{
	struct diffie_hellman *responder;
	double start;
	bool done = true;

	if (diffie_hellman_new(suite->group, &pair->random, &responder))
		return 0;
	start = processor_time();
	for (unsigned i = 0; done && i < suite->exchanges; i++)
		done = public_keys_once(pair, suite->group, responder);
	double spent = processor_time() - start;
	diffie_hellman_free(responder);
	return done ? suite->exchanges / spent : 0;
}

static void print_suite(const struct suite *suite, double ours[static ROUNDS], const double floor_rates[static ROUNDS])
{
	double ratios[ROUNDS];

	for (size_t i = 0; i < ROUNDS; i++)
		ratios[i] = ours[i] / floor_rates[i];
	double median = median_of_rounds(ratios), rate = median_of_rounds(ours);
	printf("  %-34s %8.3f  (%.3f to %.3f)   %10.2f a second, %.2f ms each\n", suite->name, median, ratios[0],
		ratios[ROUNDS - 1], rate, 1000 / rate);
}

static bool bench(struct host_pair *pair, const struct suite *suite)
{
	double ours[ROUNDS], floor_rates[ROUNDS];
	bool done = make_hosts(pair, suite);

	for (size_t i = 0; done && i < ROUNDS; i++) {
		ours[i] = run_exchanges(pair, suite);
		floor_rates[i] = run_public_keys(pair, suite);
		done = ours[i] > 0 && floor_rates[i] > 0;
	}
	if (done)
		print_suite(suite, ours, floor_rates);
	free_hosts(pair);
	return done;
}

int main(void)
{
	static struct host_pair pair;
	bool done = true;

	pair.random = seeded_random_start(&pair.generator, 1);
	puts("Base exchanges in memory, both ends on one core (1 = no cost but public keys)");
	for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
		if (!bench(&pair, &suites[i])) {
			fprintf(stderr, "bench_exchange: %s: an exchange failed\n", suites[i].name);
			done = false;
		}
	}
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
