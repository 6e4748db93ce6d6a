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

/** One pair of SAs. */
struct security_association {
	struct security_association_peer *peer;
	struct endpoint local, remote;
	uint32_t spi_in, spi_out;
	struct esp_cipher *seal, *open;
	uint64_t sequence_out; /* last one used */
	struct replay_window window;
};

/** All pairs with one peer, the newest first. It lives as long as it has a pair. */
struct security_association_peer {
	struct hit hit;
	struct security_association *pairs[ESP_PAIRS_PER_PEER];
	size_t pair_count;
	instant sent, heard;
	uint64_t octets_in, octets_out;
};

struct security_association_table {
	struct map by_spi;
	struct map by_peer;
};

void security_associations_start(struct security_association_table *table, const struct random_source *random);
void security_associations_free(struct security_association_table *table);
/** Errors as esp_install. */
hiphop_error security_association_add(struct security_association_table *table, const struct esp_pair *parameters);
/** Takes it out, wipes and frees it. HIPHOP_NOT_FOUND. */
hiphop_error security_association_remove(struct security_association_table *table, uint32_t spi_in);
/** NULL when nobody has the SPI. */
struct security_association *security_association_by_spi(
	const struct security_association_table *table, uint32_t spi_in);
/** NULL when there is no pair with the peer. */
struct security_association_peer *security_association_peer_find(
	const struct security_association_table *table, const struct hit *peer);

#endif
