/* SPDX-License-Identifier: MIT */
/**
 * Sealing and opening vectors of ESP packets (hip/esp) as a ratio to AES-128-GCM of OpenSSL alone over the same octets,
 * one thread, in memory. Below 1: what BEET, SAs and the window against replay cost, and that each packet is a new
 * nonce.
 */
#include "hip/esp/beet.h"
#include "hip/esp/esp.h"
#include "hip/wire/constants.h"
#include "tests/bench/rounds.h"

#include <openssl/evp.h>
#include <string.h>

#define PAYLOAD      1408
#define VECTORS      200
#define UDP          17
#define TAG          16
#define NONCE        12
#define ENDS         2
#define OCTETS_ROUND ((double)VECTORS * PACKET_VECTOR_MAXIMUM * PAYLOAD)

struct world {
	struct hit hits[ENDS];
	struct esp *ends[ENDS];
	struct seeded_random generator;
	struct random_source random;
	struct packet_vector *vector;
	EVP_CIPHER_CTX *seal, *open;
};

static bool make_ends(struct world *world)
{
	struct esp_keys keys[ENDS] = {{.suite = 0}};

	for (unsigned i = 0; i < ENDS; i++) {
		char text[] = {'2', '0', '0', '1', ':', '2', '2', ':', ':', (char)('a' + i), 0};

		keys[i].suite = ESP_SUITE_AES_GCM_16;
		memset(keys[i].encryption, (int)i + 1, sizeof keys[i].encryption);
		if (hit_parse(text, &world->hits[i]))
			return false;
	}
	for (unsigned i = 0; i < ENDS; i++) {
		struct esp_pair pair = {.peer = world->hits[1 - i], .spi_in = 1000 + i, .spi_out = 1001 - i};

		pair.keys_in = &keys[i];
		pair.keys_out = &keys[1 - i];
		if (esp_create(&world->hits[i], &world->random, &world->ends[i]) || esp_install(world->ends[i], &pair))
			return false;
	}
	return true;
}

static bool make_world(struct world *world)
{
	static const uint8_t key[16] = {1};

	world->random = seeded_random_start(&world->generator, 1);
	world->vector = calloc(1, sizeof *world->vector);
	world->seal = EVP_CIPHER_CTX_new();
	world->open = EVP_CIPHER_CTX_new();
	return world->vector && world->seal && world->open && make_ends(world) &&
	       EVP_EncryptInit_ex2(world->seal, EVP_aes_128_gcm(), key, NULL, NULL) &&
	       EVP_DecryptInit_ex2(world->open, EVP_aes_128_gcm(), key, NULL, NULL);
}

static void fill(struct world *world)
{
	world->vector->count = 0;
	for (size_t i = 0; i < PACKET_VECTOR_MAXIMUM; i++) {
		struct packet *packet = packet_vector_add(world->vector);

		beet_write(packet_data(packet), UDP, PAYLOAD, &world->hits[0], &world->hits[1]);
		packet->length = BEET_INNER_HEADER_LENGTH + PAYLOAD;
		packet->kind = PACKET_INNER;
	}
}

/* Bits per second of hip/esp; 0 when a packet was lost. */
static double run_esp(struct world *world)
{
	double start = processor_time();
	size_t arrived = 0;

	for (size_t round = 0; round < VECTORS; round++) {
		fill(world);
		esp_seal(world->ends[0], 1, world->vector);
		esp_open(world->ends[1], 1, world->vector);
		for (size_t i = 0; i < PACKET_VECTOR_MAXIMUM; i++)
			arrived += world->vector->packets[i].kind == PACKET_INNER;
	}
	return arrived == (size_t)VECTORS * PACKET_VECTOR_MAXIMUM ? OCTETS_ROUND * 8 / (processor_time() - start) : 0;
}

static bool cipher_alone(struct world *world, uint8_t *octets, const uint8_t nonce[static NONCE])
{
	uint8_t tag[TAG];
	int length;

	return EVP_EncryptInit_ex2(world->seal, NULL, NULL, nonce, NULL) &&
	       EVP_EncryptUpdate(world->seal, octets, &length, octets, PAYLOAD) &&
	       EVP_EncryptFinal_ex(world->seal, tag, &length) &&
	       EVP_CIPHER_CTX_ctrl(world->seal, EVP_CTRL_AEAD_GET_TAG, TAG, tag) > 0 &&
	       EVP_DecryptInit_ex2(world->open, NULL, NULL, nonce, NULL) &&
	       EVP_DecryptUpdate(world->open, octets, &length, octets, PAYLOAD) &&
	       EVP_CIPHER_CTX_ctrl(world->open, EVP_CTRL_AEAD_SET_TAG, TAG, tag) > 0 &&
	       EVP_DecryptFinal_ex(world->open, tag, &length) > 0;
}

static double run_cipher(struct world *world)
{
	uint8_t nonce[NONCE] = {0};
	double start = processor_time();

	for (size_t round = 0; round < VECTORS; round++) {
		for (size_t i = 0; i < PACKET_VECTOR_MAXIMUM; i++) {
			nonce[0] = (uint8_t)i;
			nonce[1] = (uint8_t)round;
			if (!cipher_alone(world, world->vector->packets[i].octets, nonce))
				return 0;
		}
	}
	return OCTETS_ROUND * 8 / (processor_time() - start);
}

int main(void)
{
	static struct world world;
	double ours[ROUNDS], cipher[ROUNDS];

	if (!make_world(&world)) {
		fputs("bench_esp: cannot be set up\n", stderr);
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < ROUNDS; i++) {
		ours[i] = run_esp(&world) / 1e9;
		cipher[i] = run_cipher(&world) / 1e9;
		if (ours[i] <= 0 || cipher[i] <= 0) {
			fputs("bench_esp: a packet was lost\n", stderr);
			return EXIT_FAILURE;
		}
	}
	puts("ESP in memory, 1408 octets, sealed and opened (1 = no cost but the cipher's)");
	print_ratio("hip/esp / AES-128-GCM alone", ours, cipher, "Gbit/s");
	for (unsigned i = 0; i < ENDS; i++)
		esp_free(world.ends[i]);
	EVP_CIPHER_CTX_free(world.seal);
	EVP_CIPHER_CTX_free(world.open);
	free(world.vector);
	return EXIT_SUCCESS;
}
