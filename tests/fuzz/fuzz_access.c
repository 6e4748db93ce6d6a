/* SPDX-License-Identifier: MIT */
/* Rules of access and the packets held against them: the first line of the input is a rule, the rest packets. What is a
 * rule is the same rule when it is written and read again. */
#include "daemon/access.h"

#include <stdlib.h>
#include <string.h>

static bool is_member(void *context, const struct hit *peer)
{
	(void)context;
	return peer->octets[15] & 1;
}

static void check_words(const struct access_rule *rule)
{
	char text[ACCESS_RULE_TEXT_SIZE], complaint[128];
	struct access_rule again;

	access_rule_format(rule, text);
	if (access_rule_parse(text, &again, complaint, sizeof complaint) || again.deny != rule->deny ||
		!access_rule_is_about_the_same(&again, rule))
		abort();
}

/* Each packet has an octet of length before it; the rule changes in the middle. */
static void filter(struct access *access, const struct access_rule *rule, const uint8_t *data, size_t size)
{
	struct hit peer = {{0x20, 0x01, 0, 0x22}};
	struct access_refusal refusal;
	instant now = SECONDS(1);

	for (size_t at = 0; at < size; at++) {
		size_t length = data[at] < size - at - 1 ? data[at] : size - at - 1;

		peer.octets[15] = data[at] & 3;
		if (data[at] & 4)
			access_outbound(access, now, &peer, data + at + 1, length, &refusal);
		else
			access_inbound(access, now, &peer, data + at + 1, length, &refusal);
		if (data[at] == 0x55)
			(void)access_insert(access, 0, rule);
		now += MILLISECONDS(900);
		at += length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct access_membership membership = {.is_member = is_member};
	struct seeded_random generator;
	struct random_source random = seeded_random_start(&generator, 1);
	const uint8_t *newline = memchr(data, '\n', size);
	size_t length = newline ? (size_t)(newline - data) : size;
	struct access_rule rule;
	struct access *access;
	char text[1024], complaint[128];

	if (length >= sizeof text)
		return 0;
	memcpy(text, data, length);
	text[length] = 0;
	if (access_rule_parse(text, &rule, complaint, sizeof complaint))
		return 0;
	check_words(&rule);
	if (access_create(5060, &membership, &random, &access))
		return 0;
	(void)access_insert(access, 0, &rule);
	if (newline)
		filter(access, &rule, newline + 1, size - length - 1);
	access_free(access);
	return 0;
}
