/* SPDX-License-Identifier: MIT */
/**
 * Base exchanges between two hosts in memory, both ends on one core, as a ratio to the public-key operations that an
 * exchange cannot do without: the Initiator verifies R1 and R2, signs I2, makes a Diffie-Hellman key pair and agrees;
 * the Responder verifies I2, signs R2 and agrees. (R1s are signed ahead; their keys serve many.) Once with the easiest
 * puzzle and once with the default one. 1: nothing costs time but public keys.
 */
#include "hip/core/host.h"
#include "hip/crypto/diffie_hellman.h"
#include "hip/crypto/host_identity.h"
#include "hip/wire/constants.h"
#include "tests/bench/rounds.h"

#include <string.h>

#define EXCHANGES       20
#define ENDS            2
#define DEFAULT_PUZZLE  10
#define EASIEST_PUZZLE  1
#define PACKET_MAXIMUM  9000
#define SIGNED_OCTETS   400
#define SIGNATURE_LIMIT 512

struct end {
	struct host_identity *identity;
	struct host *host;
	struct endpoint endpoint;
	unsigned usable;
};

struct world {
	struct seeded_random generator;
	struct random_source random;
	instant now;
	struct end ends[ENDS];
};

/* Hands what one end sends to the other. True when it sent something. */
static bool deliver_from(struct world *world, unsigned from)
{
	uint8_t packet[PACKET_MAXIMUM];
	struct host_effect effect;
	bool sent = false;

	while (host_next_effect(world->ends[from].host, &effect)) {
		if (effect.kind == HOST_ASSOCIATION)
			world->ends[from].usable += effect.association.usable;
		if (effect.kind != HOST_SEND || effect.length > sizeof packet)
			continue;
		struct host_arrival arrival = {
			.local = world->ends[1 - from].endpoint, .remote = world->ends[from].endpoint};
		size_t length = effect.length;

		memcpy(packet, effect.octets, length);
		host_input(world->ends[1 - from].host, world->now, &arrival, packet, length);
		sent = true;
	}
	return sent;
}

static void deliver_all(struct world *world)
{
	bool sent = true;

	while (sent) {
		sent = deliver_from(world, 0);
		sent = deliver_from(world, 1) || sent;
	}
}

static void let_time_pass(struct world *world, duration span)
{
	world->now += span;
	for (unsigned i = 0; i < ENDS; i++)
		host_tick(world->ends[i].host, world->now);
	deliver_all(world);
}

static bool make_hosts(struct world *world, uint8_t difficulty)
{
	struct host_configuration configuration = {.random = &world->random, .puzzle_difficulty = difficulty};

	world->now = SECONDS(1000);
	for (unsigned i = 0; i < ENDS; i++) {
		struct end *end = &world->ends[i];
		char text[] = {'1', '9', '2', '.', '0', '.', '2', '.', (char)('1' + i), 0};

		configuration.identity = end->identity;
		end->endpoint.port = 10500;
		end->usable = 0;
		if (address_parse(text, &end->endpoint.address) || host_create(&configuration, world->now, &end->host))
			return false;
		host_set_addresses(end->host, world->now, &end->endpoint.address, 1);
	}
	return !host_learn_locator(
		world->ends[0].host, host_identity_hit(world->ends[1].identity), &world->ends[1].endpoint, true);
}

/* Exchanges per second; 0 when one failed. What is between them does not count. */
static double run_exchanges(struct world *world)
{
	const struct hit *responder = host_identity_hit(world->ends[1].identity);
	double spent = 0;

	for (unsigned i = 0; i < EXCHANGES; i++) {
		world->ends[0].usable = 0;
		double start = processor_time();
		if (host_connect(world->ends[0].host, world->now, responder))
			return 0;
		deliver_all(world);
		spent += processor_time() - start;
		if (!world->ends[0].usable)
			return 0;
		host_close(world->ends[0].host, world->now, responder);
		deliver_all(world);
		let_time_pass(world, SECONDS(1));
	}
	return EXCHANGES / spent;
}

static bool public_keys_once(struct world *world, struct diffie_hellman *responder)
{
	static uint8_t octets[SIGNED_OCTETS];
	uint8_t signature[SIGNATURE_LIMIT];
	const struct host_identity *identity = world->ends[0].identity;
	const struct span message = {octets, sizeof octets};
	const struct span signed_by = {signature, host_identity_signature_length(identity)};
	struct diffie_hellman *initiator = NULL;
	struct shared_secret secret;
	bool done = !diffie_hellman_new(DH_GROUP_NIST_P256, &world->random, &initiator) &&
		    !diffie_hellman_agree(initiator, diffie_hellman_public_value(responder), &secret) &&
		    !diffie_hellman_agree(responder, diffie_hellman_public_value(initiator), &secret);

	for (int i = 0; done && i < 2; i++)
		done = !host_identity_sign(identity, &message, 1, signature);
	for (int i = 0; done && i < 3; i++)
		done = !host_identity_verify(identity, &message, 1, signed_by);
	diffie_hellman_free(initiator);
	return done;
}

static double run_public_keys(struct world *world)
{
	struct diffie_hellman *responder;
	double start, spent;

	if (diffie_hellman_new(DH_GROUP_NIST_P256, &world->random, &responder))
		return 0;
	start = processor_time();
	for (unsigned i = 0; i < EXCHANGES; i++) {
		if (!public_keys_once(world, responder)) {
			diffie_hellman_free(responder);
			return 0;
		}
	}
	spent = processor_time() - start;
	diffie_hellman_free(responder);
	return EXCHANGES / spent;
}

static bool bench(struct world *world, uint8_t difficulty, const char *name)
{
	double ours[ROUNDS], floor_rates[ROUNDS];
	bool done = make_hosts(world, difficulty);

	for (size_t i = 0; done && i < ROUNDS; i++) {
		ours[i] = run_exchanges(world);
		floor_rates[i] = run_public_keys(world);
		done = ours[i] > 0 && floor_rates[i] > 0;
	}
	if (done)
		print_ratio(name, ours, floor_rates, "exchanges a second");
	for (unsigned i = 0; i < ENDS; i++) {
		host_free(world->ends[i].host);
		world->ends[i].host = NULL;
	}
	return done;
}

int main(void)
{
	static struct world world;
	bool done = true;

	world.random = seeded_random_start(&world.generator, 1);
	for (unsigned i = 0; done && i < ENDS; i++)
		done = !host_identity_from_seed(&world.random, &world.ends[i].identity);
	puts("Base exchanges in memory, both ends on one core (1 = no cost but public keys)");
	done = done && bench(&world, EASIEST_PUZZLE, "hip/core / public keys") &&
	       bench(&world, DEFAULT_PUZZLE, "  with the default puzzle");
	for (unsigned i = 0; i < ENDS; i++)
		host_identity_free(world.ends[i].identity);
	if (!done)
		fputs("bench_exchange: an exchange failed\n", stderr);
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
