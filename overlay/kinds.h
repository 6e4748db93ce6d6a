/* SPDX-License-Identifier: MIT */
/**
 * The table of Kinds: what may be stored, in which data model, by whom, how large, how many and how long
 * (RFC 6940 sections 7.2, 7.3 and 7.4.5).
 */
#ifndef HIPHOP_OVERLAY_KINDS_H
#define HIPHOP_OVERLAY_KINDS_H

#include "overlay/overlay.h"

/** Data models (RFC 6940 section 7.2). */
typedef enum { DATA_MODEL_SINGLE, DATA_MODEL_ARRAY, DATA_MODEL_DICTIONARY } data_model;

/** Access control policies (RFC 6940 section 7.3), and two of our own (docs/hipv2-mapping.md). */
typedef enum {
	ACCESS_USER_MATCH,      /**< the signer's user name hashes to the Resource-ID */
	ACCESS_NODE_MATCH,      /**< the signer's HIT hashes to the Resource-ID */
	ACCESS_USER_NODE_MATCH, /**< USER-MATCH, and the dictionary key is the signer's HIT */
	ACCESS_NODE_MULTIPLE,   /**< H(HIT || i) is the Resource-ID for an i of 1 to `multiple` */
	ACCESS_FIRST_COME,      /**< the key is the signer's HIT; the first signer under a Resource-ID owns it */
	ACCESS_OWN_KEY          /**< the key is the signer's HIT; any number of signers side by side */
} access_policy;

struct kind {
	uint32_t id;
	const char *name;
	data_model model;
	access_policy policy;
	uint32_t multiple;           /**< highest i of NODE-MULTIPLE */
	uint32_t maximum_size;       /**< octets of one value */
	uint32_t maximum_count;      /**< values under one Resource-ID */
	uint32_t maximum_lifetime_s; /**< longer lifetimes are cut to this by the storing peer */
	uint32_t tombstone_s;        /**< an expired or removed value still keeps its owner's right this long */
};

/** NULL for a Kind that we do not know. */
const struct kind *kind_find(uint32_t id);

/**
 * May `signer` write at `resource` under `key` (dictionary key octets; empty for other models)? Says nothing about
 * what is stored there already: FIRST-COME is finished by the storage. HIPHOP_OK, HIPHOP_REFUSED, or an error of
 * the hash. `hash_name` is the hash of the overlay.
 */
hiphop_error kind_permits(const struct kind *kind, const struct overlay_crypto *crypto, const char *hash_name,
	const struct hit *resource, const struct hit *signer, struct span key);

#endif
