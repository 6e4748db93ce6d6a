/* SPDX-License-Identifier: MIT */
/**
 * Prefixes and the hosts that they lie behind: the longest prefix that an address is in decides. Bounded; a look-up is
 * a binary search and a few steps.
 */
#ifndef HIPHOP_DAEMON_PREFIX_TABLE_H
#define HIPHOP_DAEMON_PREFIX_TABLE_H

#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/ip_prefix.h"

#include <stddef.h>
#include <stdint.h>

/** Entries at most. */
#define PREFIX_TABLE_MAXIMUM 256

struct prefix_entry {
	struct ip_prefix prefix;
	struct hit owner;
	int16_t around; /**< place of the next shorter prefix that this one is in; -1 without */
};

/** In the order of ip_prefix_compare. Zero it for an empty one. */
struct prefix_table {
	size_t count;
	struct prefix_entry entries[PREFIX_TABLE_MAXIMUM];
};

/** HIPHOP_EXISTS (this very prefix is there already, whoever has it), HIPHOP_LIMITED. */
hiphop_error prefix_table_add(struct prefix_table *table, const struct ip_prefix *prefix, const struct hit *owner);
/** The entry of this very prefix, or NULL. Valid until the table changes. */
const struct prefix_entry *prefix_table_get(const struct prefix_table *table, const struct ip_prefix *prefix);
/** The longest prefix that the address is in, or NULL. Valid until the table changes. */
const struct prefix_entry *prefix_table_find(const struct prefix_table *table, const struct address *address);

#endif
