/* SPDX-License-Identifier: MIT */
/**
 * What the configuration (`paths.interfaces`) says about the links that the kernel has. Pure.
 */
#ifndef HIPHOP_DAEMON_LINK_POLICY_H
#define HIPHOP_DAEMON_LINK_POLICY_H

#include "daemon/configuration.h"
#include "hip/base/link_address.h"

#include <stdbool.h>
#include <stddef.h>

/** The first entry whose pattern fits the name of the interface, or NULL. A link without a name fits none. */
const struct configured_interface *link_policy_of(const struct configuration *configuration, const char *name);
/** Fills in preference, metered and cost of each link, and takes out those that are not to be used; the others keep
 * their order. Returns how many are left. */
size_t link_policy_apply(const struct configuration *configuration, struct link_address *links, size_t count);
bool link_equal(const struct link_address *a, const struct link_address *b);

#endif
