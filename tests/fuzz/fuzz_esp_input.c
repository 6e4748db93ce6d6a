/* SPDX-License-Identifier: MIT */
/**
 * ESP from a peer that has the keys: what is under the ICV is as the fuzzer likes, payload, padding and next header
 * alike; then the filter of inbound flows looks at the inner packet, and the joining of segments for the tunnel device.
 * Sequence numbers jump, packets come again, and what this host sends opens flows.
 */
#include "daemon/access.h"
#include "hip/crypto/esp_cipher.h"
#include "hip/esp/beet.h"
#include "hip/esp/esp.h"
#include "kernel-helpers/segmentation.h"
#include "tests/fuzz/input.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SPI 0x1000

static const struct hit own = {{0x20, 0x01, 0, 0x22, [15] = 1}}, peer = {{0x20, 0x01, 0, 0x22, [15] = 2}};

struct bench {
	struct seeded_random generator;
	struct random_source random;
	struct esp *esp;
	struct esp_cipher *seal;
	const struct esp_suite *suite;
	struct access *access;
	uint64_t sequence;
	instant now;
};

static bool is_member(void *context, const struct hit *hit)
{
	(void)context;
	return hit->octets[15] & 1;
}

static bool start(struct bench *bench, uint8_t choice)
{
	static const char *const rules[] = {"allow icmp6", "allow calls", "allow tcp/80-90 from members",
		"deny out udp/53", "deny ip/132", "allow in any from 2001:22::3"};
	const struct access_membership membership = {.is_member = is_member};
	struct esp_keys keys = {.encryption = {1}, .authentication = {2}};
	struct esp_pair pair = {.peer = peer, .spi_in = SPI, .spi_out = SPI + 1, .keys_in = &keys, .keys_out = &keys};

	bench->now = SECONDS(10);
	bench->random = seeded_random_start(&bench->generator, 1);
	bench->suite = esp_suite_at(choice % 16);
	if (!bench->suite)
		return false;
	keys.suite = bench->suite->id;
	if (choice & 0x80)
		pair.limits = (struct esp_limits){
			.soft_packets = 3, .hard_packets = 6, .soft_octets = 1000, .hard_octets = 4000};
	if (esp_create(&own, &bench->random, &bench->esp) || esp_install(bench->esp, &pair) ||
		esp_cipher_new(&keys, ESP_SEAL, &bench->seal) ||
		access_create(5060, &membership, &bench->random, &bench->access) ||
		access_media(bench->access, &peer, 4000, true))
		abort();
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		struct access_rule rule;
		char complaint[128];
		if (access_rule_parse(rules[i], &rule, complaint, sizeof complaint) ||
			access_insert(bench->access, 0, &rule))
			abort();
	}
	return true;
}

/* An ESP packet with this payload, which has its trailer. */
static void seal(struct bench *bench, struct fuzz_input *input, uint8_t choice, struct packet *packet)
{
	size_t block = bench->suite->block_length < 4 ? 4 : bench->suite->block_length;
	size_t place = ESP_HEADER_LENGTH + bench->suite->iv_length, length, wanted = input_u16(input) % 2048;
	const uint8_t *contents = input_octets(input, wanted, &length);
	uint8_t *octets;

	packet_reset(packet);
	octets = packet_data(packet);
	if (length)
		memcpy(octets + place, contents, length);
	if (choice & 1) { /* a right trailer behind it */
		uint8_t padding = (uint8_t)((block - (length + 3) % block) % block);
		for (uint8_t i = 0; i < padding; i++)
			octets[place + length++] = (uint8_t)(i + 1);
		octets[place + length++] = padding;
		octets[place + length++] = input_u8(input);
	}
	while (length % block || !length)
		octets[place + length++] = 0;
	if (esp_cipher_seal(bench->seal, SPI, bench->sequence, octets, length))
		return;
	packet->kind = PACKET_ESP;
	packet->length = (uint16_t)(place + length + bench->suite->icv_length);
	if (choice & 2) /* the ICV does not fit */
		octets[input_u16(input) % packet->length] ^= 1;
}

static void send(struct bench *bench, struct fuzz_input *input, struct packet_vector *vector)
{
	struct packet *packet = packet_vector_add(vector);
	struct access_refusal refusal;
	uint8_t octets[256];
	size_t length, wanted = input_u8(input);
	const uint8_t *contents = input_octets(input, wanted, &length);

	beet_write(octets, input_u8(input), (uint16_t)length, &own, &peer);
	if (!packet || length > sizeof octets - BEET_INNER_HEADER_LENGTH)
		return;
	if (length)
		memcpy(octets + BEET_INNER_HEADER_LENGTH, contents, length);
	packet_fill(packet, PACKET_INNER, octets, BEET_INNER_HEADER_LENGTH + length);
	(void)access_outbound(bench->access, bench->now, &peer, octets, BEET_INNER_HEADER_LENGTH + length, &refusal);
	esp_seal(bench->esp, bench->now, vector);
}

static void receive(struct bench *bench, struct packet_vector *vector)
{
	esp_open(bench->esp, bench->now, vector);
	for (size_t i = 0; i < vector->count; i++) {
		struct packet *packet = &vector->packets[i];
		struct access_refusal refusal;
		size_t length = packet->length;
		uint8_t *exact;

		if (packet->kind != PACKET_INNER)
			continue;
		exact = malloc(length);
		if (!exact)
			continue;
		memcpy(exact, packet_data(packet), length);
		if (!access_inbound(bench->access, bench->now, &peer, exact, length, &refusal))
			packet->kind = PACKET_DROPPED;
		free(exact);
	}
	for (size_t i = 0; i < vector->count;) {
		struct segment_run run = {.count = 1};
		if (vector->packets[i].kind == PACKET_INNER)
			run = segments_join(vector, i);
		if (!run.count || run.count > vector->count - i)
			abort();
		i += run.count;
	}
}

/* What a local program hands over in one piece is cut, and the pieces are joined. */
static void cut(struct fuzz_input *input, struct packet_vector *vector)
{
	struct superpacket superpacket;
	size_t wanted = input_u16(input) % 4096, length, tcp = input_u8(input), segment = input_u16(input);
	const uint8_t *contents = input_octets(input, wanted, &length);
	uint8_t *exact = malloc(length + 1); /* its own size, so that a sanitizer sees an overrun */
	struct packet *packet;

	if (!exact)
		return;
	if (length)
		memcpy(exact, contents, length);
	if (length > 60)
		(void)checksum_complete(exact, length, exact[40], exact[41]);
	vector->count = 0;
	if (!superpacket_start(&superpacket, exact, length, tcp, segment))
		while (superpacket_left(&superpacket) && (packet = packet_vector_add(vector)))
			superpacket_next(&superpacket, packet);
	for (size_t i = 0; i < vector->count;)
		i += segments_join(vector, i).count;
	vector->count = 0;
	free(exact);
}

/* The control plane's wishes. */
static void manage(struct bench *bench, struct fuzz_input *input)
{
	static const struct esp_way elsewhere = {.local = {.port = 1}, .remote = {.port = 1}};
	struct esp_keys keys = {.encryption = {3}, .authentication = {4}, .suite = bench->suite->id};
	uint8_t choice = input_u8(input);
	struct esp_pair pair = {
		.peer = peer, .spi_in = SPI + (choice >> 4), .spi_out = SPI + 1, .keys_in = &keys, .keys_out = &keys};
	const struct esp_route route = {.first = elsewhere,
		.unverified = choice & 16,
		.use = (esp_ways_use)(choice >> 5 & 3) % 3,
		.more_count = choice >> 6,
		.more = {elsewhere}};
	struct esp_notice notice;

	switch (choice % 7) {
	case 0:
		(void)esp_install(bench->esp, &pair);
		break;
	case 1:
		(void)esp_remove(bench->esp, pair.spi_in);
		break;
	case 2:
		(void)esp_set_route(bench->esp, SPI, &route);
		break;
	case 3:
		(void)esp_use(bench->esp, pair.spi_in);
		break;
	case 4:
		(void)esp_watch(bench->esp, SPI);
		break;
	case 5:
		access_forget_peer(bench->access, &peer);
		break;
	default:
		while (esp_next_notice(bench->esp, &notice))
			;
		break;
	}
}

static void step(struct bench *bench, struct fuzz_input *input, struct packet_vector *vector)
{
	uint8_t choice = input_u8(input);

	if (choice == 0xff) {
		cut(input, vector);
		return;
	}
	if (choice == 0xfe) {
		manage(bench, input);
		return;
	}
	bench->now += SECONDS(choice >> 6);
	if (choice & 32 && vector->count) { /* what came before is opened now */
		receive(bench, vector);
		vector->count = 0;
	}
	if (choice & 16) {
		vector->count = 0;
		send(bench, input, vector);
		vector->count = 0;
		return;
	}
	if (choice & 8)
		bench->sequence += input_u32(input);
	if (choice & 4)
		bench->sequence -= input_u8(input);
	else
		bench->sequence++;
	struct packet *packet = packet_vector_add(vector);
	if (packet)
		seal(bench, input, choice, packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct packet_vector *vector;
	struct fuzz_input input = {data, size};
	struct bench bench = {0};

	if (!vector && !(vector = calloc(1, sizeof *vector)))
		return 0;
	vector->count = 0;
	if (!start(&bench, input_u8(&input)))
		return 0;
	while (!input_is_over(&input))
		step(&bench, &input, vector);
	receive(&bench, vector);
	access_free(bench.access);
	esp_cipher_free(bench.seal);
	esp_free(bench.esp);
	return 0;
}
