/* SPDX-License-Identifier: MIT */
/*
 * How long a pair of SAs may be used: soft and hard limits of packets and octets in each direction (RFC 4301 section
 * 4.4.2.1, RFC 7402 section 3.3.7). A packet is compared with the next number of interest only; what that means is
 * found out here, a few times in the life of a pair.
 */
#include "hip/esp/security_association.h"

/* The sequence number never cycles (RFC 4303 section 3.3.3), and new keys are asked for well before its end. */
#define PACKETS_AT_MOST (UINT64_MAX - 1)
#define PACKETS_SOFT    (PACKETS_AT_MOST - (UINT64_C(1) << 48))

static uint64_t limit_or(uint64_t limit, uint64_t otherwise)
{
	return limit && limit < otherwise ? limit : otherwise;
}

void lifetime_start(struct security_association *pair, const struct esp_limits *limits)
{
	struct esp_lifetime *lifetime = &pair->lifetime;

	lifetime->limits.hard_packets = limit_or(limits->hard_packets, PACKETS_AT_MOST);
	lifetime->limits.soft_packets = limit_or(limits->soft_packets, PACKETS_SOFT);
	lifetime->limits.hard_octets = limit_or(limits->hard_octets, UINT64_MAX);
	lifetime->limits.soft_octets = limit_or(limits->soft_octets, UINT64_MAX);
	lifetime->look_packets_out = lifetime->limits.soft_packets;
	lifetime->look_octets_out = lifetime->limits.soft_octets;
	lifetime->look_sequence_in = PACKETS_SOFT;
	/* The first packet that comes in is of interest. */
	lifetime->look_packets_in = 0;
	lifetime->look_octets_in = 0;
}

static void tell(struct security_association_table *table, struct security_association *pair, esp_notice_kind notice)
{
	struct esp_lifetime *lifetime = &pair->lifetime;

	if (lifetime->told & notice)
		return;
	if (!lifetime->pending) {
		lifetime->next = table->noticed;
		table->noticed = pair;
	}
	lifetime->told |= (uint8_t)notice;
	lifetime->pending |= (uint8_t)notice;
}

void lifetime_tell_again(
	struct security_association_table *table, struct security_association *pair, esp_notice_kind notice)
{
	pair->lifetime.told &= (uint8_t)~notice;
	tell(table, pair, notice);
}

bool lifetime_may_seal(struct security_association_table *table, struct security_association *pair)
{
	struct esp_lifetime *lifetime = &pair->lifetime;
	const struct esp_limits *limits = &lifetime->limits;

	tell(table, pair, ESP_NOTICE_SOFT);
	lifetime->look_packets_out = limits->hard_packets;
	lifetime->look_octets_out = limits->hard_octets;
	if (!lifetime_look_out(pair))
		return true;
	tell(table, pair, ESP_NOTICE_HARD);
	return false;
}

bool lifetime_may_open(struct security_association_table *table, struct security_association *pair)
{
	struct esp_lifetime *lifetime = &pair->lifetime;
	const struct esp_limits *limits = &lifetime->limits;

	tell(table, pair, ESP_NOTICE_HEARD);
	lifetime->look_packets_in = limits->soft_packets;
	lifetime->look_octets_in = limits->soft_octets;
	if (!lifetime_look_in(pair))
		return true;
	tell(table, pair, ESP_NOTICE_SOFT);
	lifetime->look_sequence_in = PACKETS_AT_MOST;
	lifetime->look_packets_in = limits->hard_packets;
	lifetime->look_octets_in = limits->hard_octets;
	if (!lifetime_look_in(pair))
		return true;
	tell(table, pair, ESP_NOTICE_HARD);
	return false;
}

void lifetime_forget(struct security_association_table *table, const struct security_association *pair)
{
	struct security_association **link = &table->noticed;

	while (*link && *link != pair)
		link = &(*link)->lifetime.next;
	if (*link)
		*link = pair->lifetime.next;
}

bool lifetime_next_notice(struct security_association_table *table, struct esp_notice *notice)
{
	static const esp_notice_kind kinds[] = {ESP_NOTICE_HEARD, ESP_NOTICE_SOFT, ESP_NOTICE_HARD, ESP_NOTICE_SENDS,
		ESP_NOTICE_ELSEWHERE, ESP_NOTICE_RESUMED};
	struct security_association *pair = table->noticed;
	size_t kind = 0;

	if (!pair)
		return false;
	while (!(pair->lifetime.pending & kinds[kind]))
		kind++;
	notice->kind = kinds[kind];
	notice->spi_in = pair->spi_in;
	if (notice->kind == ESP_NOTICE_ELSEWHERE)
		notice->way = pair->peer->route.extras->other;
	if (notice->kind == ESP_NOTICE_RESUMED)
		notice->gap = pair->peer->route.extras->gap;
	pair->lifetime.pending &= (uint8_t)~kinds[kind];
	if (!pair->lifetime.pending)
		table->noticed = pair->lifetime.next;
	return true;
}
