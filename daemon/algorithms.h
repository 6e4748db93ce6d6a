/* SPDX-License-Identifier: MIT */
/**
 * The four kinds of algorithms that hosts agree on, seen as one: for the lists of the configuration and for `status`.
 * The tables themselves are those of hip/crypto.
 */
#ifndef HIPHOP_DAEMON_ALGORITHMS_H
#define HIPHOP_DAEMON_ALGORITHMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
	ALGORITHM_HIT_SUITE,  /**< RFC 7401 section 5.2.10 */
	ALGORITHM_DH_GROUP,   /**< RFC 7401 section 5.2.7 */
	ALGORITHM_HIP_CIPHER, /**< RFC 7401 section 5.2.8 */
	ALGORITHM_ESP_SUITE   /**< RFC 7402 section 5.1.2 */
} algorithm_kind;

struct algorithm {
	uint8_t id;
	const char *name;
	const char *alias;    /**< another way to write it, or NULL */
	const char *weakness; /**< why it is off unless switched on, or NULL */
};

/** Entries of a list at most. */
#define ALGORITHM_LIST_MAXIMUM 8

/** A preference list, best first. */
struct algorithm_list {
	uint8_t ids[ALGORITHM_LIST_MAXIMUM];
	size_t count;
};

/** "HIT suite", "Diffie-Hellman group" … Static storage. */
const char *algorithm_kind_name(algorithm_kind kind);
/** Row by row in order of id; false at the end. */
bool algorithm_at(algorithm_kind kind, size_t index, struct algorithm *algorithm);
/** False when there is none. */
bool algorithm_by_id(algorithm_kind kind, uint8_t id, struct algorithm *algorithm);
/** By name or alias; case, '-' and '_' do not count. False when there is none. */
bool algorithm_by_name(algorithm_kind kind, const char *name, struct algorithm *algorithm);
/** Writes "a, b, c", all there are, cut at `size`. */
void algorithm_names(algorithm_kind kind, char *text, size_t size);

#endif
