/* SPDX-License-Identifier: MIT */
/**
 * Rules of access control as words, and packets held against them: what is read is written so that it reads the same,
 * and rules come and go while flows pass. Lines of the input are rules; one that begins with an octet below 32 is a
 * step.
 */
#include "daemon/access.h"
#include "hip/esp/beet.h"
#include "tests/fuzz/input.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

static const struct hit own = {{0x20, 0x01, 0, 0x22, [15] = 1}};

static bool is_member(void *context, const struct hit *hit)
{
	(void)context;
	return hit->octets[15] & 1;
}

static struct hit hit_of(void *context, const char *name)
{
	(void)context;
	return (struct hit){{0x20, 0x01, 0, 0x22, [15] = (uint8_t)name[0]}};
}

static void read_rule(struct access *access, const char *text, size_t place)
{
	struct access_rule rule, again;
	char complaint[128], words[ACCESS_RULE_TEXT_SIZE], twice[ACCESS_RULE_TEXT_SIZE];

	memset(complaint, 'x', sizeof complaint);
	if (access_rule_parse(text, &rule, complaint, sizeof complaint)) {
		CHECK(memchr(complaint, 0, sizeof complaint));
		return;
	}
	access_rule_format(&rule, words);
	CHECK(!access_rule_parse(words, &again, complaint, sizeof complaint));
	CHECK(access_rule_is_about_the_same(&rule, &again) && rule.deny == again.deny);
	CHECK(!strcmp(access_rule_format(&again, twice), words));
	(void)access_insert(access, place, &rule);
}

/* An inner packet of any contents, from or to a peer. */
static void pass(struct access *access, struct fuzz_input *input, instant now, uint8_t choice)
{
	struct hit peer = {{0x20, 0x01, 0, 0x22, [15] = choice}};
	struct access_refusal refusal;
	uint8_t header = input_u8(input), *packet;
	size_t length;
	const uint8_t *contents = input_octets(input, input_u8(input), &length);

	packet = malloc(BEET_INNER_HEADER_LENGTH + length); /* its own size, so that a sanitizer sees an overrun */
	CHECK(packet);
	if (length)
		memcpy(packet + BEET_INNER_HEADER_LENGTH, contents, length);
	if (header == 0x7f) { /* no IPv6 header before it */
		(void)access_inbound(access, now, &peer, packet + BEET_INNER_HEADER_LENGTH, length, &refusal);
		(void)access_outbound(access, now, &peer, packet + BEET_INNER_HEADER_LENGTH, length, &refusal);
	} else if (header & 0x80) {
		beet_write(packet, header & 0x7f, (uint16_t)length, &own, &peer);
		(void)access_outbound(access, now, &peer, packet, BEET_INNER_HEADER_LENGTH + length, &refusal);
	} else {
		beet_write(packet, header, (uint16_t)length, &peer, &own);
		(void)access_inbound(access, now, &peer, packet, BEET_INNER_HEADER_LENGTH + length, &refusal);
	}
	free(packet);
}

static void step(struct access *access, struct fuzz_input *input, uint8_t kind, instant *now)
{
	const struct access_membership membership = {.is_member = is_member};
	uint8_t choice = input_u8(input);
	struct hit peer = {{0x20, 0x01, 0, 0x22, [15] = choice}};
	size_t count;
	const struct access_rule *rules = access_rules(access, &count);

	switch (kind % 8) {
	case 0:
		(void)access_remove(access, choice);
		break;
	case 1:
		access_resolve_names(access, hit_of, NULL);
		break;
	case 2:
		CHECK(access_associate(access, &peer, &membership) <= count);
		break;
	case 3:
		(void)access_media(access, &peer, 4000, choice & 1);
		break;
	case 4:
		access_forget_peer(access, &peer);
		break;
	case 5:
		(void)access_configure(access, rules, choice < count ? choice : count);
		break;
	case 6:
		*now += SECONDS(choice);
		break;
	default:
		pass(access, input, *now, choice);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct access_membership membership = {.is_member = is_member};
	struct seeded_random generator;
	const struct random_source random = seeded_random_start(&generator, 1);
	struct fuzz_input input = {data, size};
	struct access *access;
	instant now = SECONDS(10);
	char text[600];

	CHECK(!access_create(5060, &membership, &random, &access));
	while (!input_is_over(&input)) {
		uint8_t first = input_u8(&input);
		size_t length = 0;
		if (first < 32) {
			step(access, &input, first, &now);
			continue;
		}
		text[length++] = (char)first;
		for (uint8_t next; !input_is_over(&input) && (next = input_u8(&input)) != '\n';)
			if (length < sizeof text - 1 && next)
				text[length++] = (char)next;
		text[length] = 0;
		read_rule(access, text, 0);
	}
	access_free(access);
	return 0;
}
