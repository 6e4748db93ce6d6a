/* SPDX-License-Identifier: MIT */
/**
 * The SAs of a host: pairs by inbound SPI, and per peer the pair that sends. Inside hip/esp only.
 */
#ifndef HIPHOP_HIP_ESP_SECURITY_ASSOCIATION_H
#define HIPHOP_HIP_ESP_SECURITY_ASSOCIATION_H

#include "hip/base/map.h"
#include "hip/crypto/esp_cipher.h"
#include "hip/esp/esp.h"
#include "hip/esp/replay_window.h"

struct security_association_peer;
struct security_association;

/** When to look at the limits of a pair again: two or three comparisons on the way of a packet, whatever there is to
 * find out. See lifetime.c. */
struct esp_lifetime {
	uint64_t look_packets_in, look_packets_out, look_octets_in, look_octets_out, look_sequence_in;
	struct esp_limits limits;
	uint8_t told, pending;             /* of esp_notice_kind */
	struct security_association *next; /* among those with something pending */
};

/** One pair of SAs. */
struct security_association {
	struct security_association_peer *peer;
	uint32_t spi_in, spi_out;
	struct esp_cipher *seal, *open;
	uint64_t sequence_out; /* last one used */
	struct replay_window window;
	uint64_t packets_in, octets_in, octets_out;
	struct esp_lifetime lifetime;
};

/** What only those few peers have that are reached, or come, by several ways. */
struct route_extras {
	esp_ways_use use;
	size_t count;
	struct esp_way ways[ESP_MORE_WAYS];
	struct esp_way other; /* by which packets came that was told last */
	instant told;         /* when */
	instant other_heard;  /* by another way than the first */
	uint32_t interleaved; /* packets by the first way soon after one by another */
	duration gap;         /* between the last packet before the route changed and the first after it */
};

/** Where what is sealed for a peer goes, and where it comes from; see route.c. */
struct peer_route {
	struct esp_way first;
	bool unverified;
	bool changed;    /* and nothing was heard since */
	instant heard;   /* by this way */
	uint64_t credit; /* octets that came lately */
	instant aged;    /* when the credit last became less by age */
	struct route_extras *extras;
};

/** All pairs with one peer, the newest first. It lives as long as it has a pair. */
struct security_association_peer {
	struct hit hit;
	struct security_association *pairs[ESP_PAIRS_PER_PEER];
	uint8_t pair_count;
	bool watched; /* the next packet sealed is told */
	instant sent, heard;
	uint64_t octets_in, octets_out;
	struct peer_route route;
};

struct security_association_table {
	struct map by_spi;
	struct map by_peer;
	struct security_association *noticed; /* with something pending, newest first */
};

void security_associations_start(struct security_association_table *table, const struct random_source *random);
void security_associations_free(struct security_association_table *table);
/** Errors as esp_install. */
hiphop_error security_association_add(struct security_association_table *table, const struct esp_pair *parameters);
/** Makes it the one that sends. HIPHOP_NOT_FOUND. */
hiphop_error security_association_use(struct security_association_table *table, uint32_t spi_in);
/** Takes it out, wipes and frees it. HIPHOP_NOT_FOUND. */
hiphop_error security_association_remove(struct security_association_table *table, uint32_t spi_in);
/** NULL when nobody has the SPI. */
struct security_association *security_association_by_spi(
	const struct security_association_table *table, uint32_t spi_in);
/** NULL when there is no pair with the peer. */
struct security_association_peer *security_association_peer_find(
	const struct security_association_table *table, const struct hit *peer);

/* route.c */
/** Takes a route over. HIPHOP_NO_MEMORY: its further ways are left out. */
hiphop_error route_set(struct peer_route *route, const struct esp_route *wanted);
void route_free(struct peer_route *route);
/** A packet was opened that came by `packet`s endpoints, `length` octets on the wire; tells of what is new. `is_probe`:
 * no traffic. */
void route_heard(struct security_association_table *table, instant now, struct security_association *pair,
	const struct packet *packet, size_t length, bool is_probe);
/** Octets that may go to an unverified address now. */
uint64_t route_credit(struct peer_route *route, instant now);
/** The way of a packet that has `length` octets on the wire: written into it. `inner`, its IPv6 packet, or NULL, tells
 * its flow. False when it is beyond the credit. Call route_sent when it is sealed. */
bool route_choose(struct peer_route *route, instant now, struct packet *packet, const uint8_t *inner, size_t length);
void route_sent(struct peer_route *route, size_t length);

/* lifetime.c */
/** Notes something to tell about a pair that may come again. */
void lifetime_tell_again(
	struct security_association_table *table, struct security_association *pair, esp_notice_kind notice);
void lifetime_start(struct security_association *pair, const struct esp_limits *limits);
/** To be called when lifetime_look_out is true, before a packet is sealed: notes what there is to tell. False when the
 * pair may seal nothing more. */
bool lifetime_may_seal(struct security_association_table *table, struct security_association *pair);
/** To be called when lifetime_look_in is true, after a packet was opened. False when it came behind the hard limit. */
bool lifetime_may_open(struct security_association_table *table, struct security_association *pair);
/** Takes a pair that goes out of the list of those with something to tell. */
void lifetime_forget(struct security_association_table *table, const struct security_association *pair);
bool lifetime_next_notice(struct security_association_table *table, struct esp_notice *notice);

static inline bool lifetime_look_out(const struct security_association *pair)
{
	return pair->sequence_out >= pair->lifetime.look_packets_out ||
	       pair->octets_out >= pair->lifetime.look_octets_out;
}

static inline bool lifetime_look_in(const struct security_association *pair)
{
	return pair->packets_in > pair->lifetime.look_packets_in || pair->octets_in > pair->lifetime.look_octets_in ||
	       pair->window.highest > pair->lifetime.look_sequence_in;
}

#endif
