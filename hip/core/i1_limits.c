/* SPDX-License-Identifier: MIT */
/*
 * Which I1s that come straight from the network are read at all (RFC 7401 section 6.7: R1s sent to an address must be
 * limited, and a storm of I1s survived). Decided by source and Sender HIT alone, before anything is parsed.
 *
 * Each source prefix has a share of the R1s, and all have a limit together. A prefix may have several times its share
 * while there is more than half of what there is for all. Who is refused by that has two more ways in, so that neither
 * a flood from everywhere nor one in his own name shuts him out: as a peer whose locator is known, and by coming again
 * as an Initiator does.
 */
#include "hip/core/host_internal.h"

#include <string.h>

/* How many times its share a prefix may have while most of the R1s for all are left. */
#define SHARES_WHEN_CALM 5
/* A prefix has this part of all. */
#define PREFIX_PART 20
/* R1s a second to one prefix for those who come again or are known. */
#define PREFIX_SECOND_WAY 10
#define PREFIX_CELLS      16384

#define SENDER_OFFSET 8

/* Tells one Initiator from another, without a gap. */
struct initiator_key {
	struct hit hit;
	struct address address;
	uint16_t port, transport;
};
_Static_assert(sizeof(struct initiator_key) == HIT_LENGTH + 16 + 4, "padding would be hashed");

static uint32_t part_of(uint32_t rate, uint32_t parts)
{
	return rate / parts ? rate / parts : 1;
}

hiphop_error i1_limits_start(
	struct i1_limits *limits, uint32_t per_second, const struct random_source *random, instant now)
{
	uint32_t share = part_of(per_second, PREFIX_PART), second_way = part_of(per_second, 4);
	hiphop_error error;

	limits->all = token_bucket_start(per_second, per_second, now);
	limits->second_way = token_bucket_start(second_way, second_way, now);
	returning_senders_start(&limits->returning, random);
	error = hashed_rates_start(&limits->prefixes, SECONDS(1) / share, share, PREFIX_CELLS, random);
	if (!error)
		error = hashed_rates_start(&limits->second_prefixes, SECONDS(1) / PREFIX_SECOND_WAY,
			2 * PREFIX_SECOND_WAY, PREFIX_CELLS, random);
	return error;
}

void i1_limits_free(struct i1_limits *limits)
{
	hashed_rates_free(&limits->prefixes);
	hashed_rates_free(&limits->second_prefixes);
	returning_senders_free(&limits->returning);
}

static bool has_second_way(struct i1_limits *limits, const struct address *from, instant now)
{
	return hashed_rates_take(&limits->second_prefixes, from->octets, address_prefix_length(from), now, 1) &&
	       token_bucket_take(&limits->second_way, now);
}

static bool is_known(const struct host *host, const struct initiator_key *key)
{
	struct hit known;

	return locators_peer_at(&host->locators, &key->address, &known) && hit_equal(&known, &key->hit);
}

bool i1_is_admitted(struct host *host, instant now, const struct endpoint *remote, const uint8_t *packet)
{
	struct i1_limits *limits = &host->i1_limits;
	const struct address *from = &remote->address;
	struct initiator_key key = {.address = *from, .port = remote->port, .transport = remote->transport};
	uint32_t share = limits->all.tokens > limits->all.burst / 2 ? SHARES_WHEN_CALM : 1;

	/* Its own share first, so that one prefix cannot use up what there is for all. */
	if (hashed_rates_take(&limits->prefixes, from->octets, address_prefix_length(from), now, share) &&
		token_bucket_take(&limits->all, now))
		return true;
	memcpy(key.hit.octets, packet + SENDER_OFFSET, HIT_LENGTH);
	if ((is_known(host, &key) || returning_senders_note(&limits->returning, &key, sizeof key, now)) &&
		has_second_way(limits, from, now))
		return true;
	count(host, HOST_COUNT_DROP_I1_RATE);
	return false;
}
