/* SPDX-License-Identifier: MIT */
/**
 * Where peers may be reached: a bounded cache from HIT to a few endpoints, best first. It is only a hint: whoever
 * answers there must still prove its HIT.
 */
#ifndef HIPHOP_HIP_CORE_LOCATORS_H
#define HIPHOP_HIP_CORE_LOCATORS_H

#include "hip/base/endpoint.h"
#include "hip/base/identifier.h"
#include "hip/base/map.h"
#include "hip/core/host.h"

/** Peers with learnt locators at most; the longest known goes first. */
#define LOCATOR_PEERS_LEARNT_MAXIMUM 4096
/** Peers with configured locators at most. */
#define LOCATOR_PEERS_CONFIGURED_MAXIMUM 16384

/** Of one peer; few have more than one. */
struct locator_list {
	struct hit peer;
	uint8_t count, capacity;    /**< of the endpoints; at most HOST_LOCATORS_MAXIMUM */
	uint8_t configured;         /**< so many at the front came from the configuration */
	struct endpoint *endpoints; /**< configured ones first */
};

struct locator_cache {
	struct map lists;     /**< HIT → struct locator_list */
	struct map addresses; /**< address octets → the struct locator_list of who was last said to be there */
	size_t learnt_only;   /**< lists without a configured entry */
};

void locators_start(struct locator_cache *cache, const struct random_source *random);
void locators_free(struct locator_cache *cache);
/** The list of a peer, or NULL. */
const struct locator_list *locators_of(const struct locator_cache *cache, const struct hit *peer);
/** See host_learn_locator. A known learnt locator moves to the front of the learnt ones. HIPHOP_REFUSED,
 *  HIPHOP_LIMITED, HIPHOP_NO_MEMORY. */
hiphop_error locators_learn(
	struct locator_cache *cache, const struct hit *peer, const struct endpoint *locator, bool configured);
/** Forgets the learnt locators of a peer, after they did not answer. */
void locators_forget_learnt(struct locator_cache *cache, const struct hit *peer);
/** A peer that is said to be at `address`; false when nobody is known there. */
bool locators_peer_at(const struct locator_cache *cache, const struct address *address, struct hit *peer);

#endif
