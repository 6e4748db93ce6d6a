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
/** Fills in preference, metered and cost of each link, and moves those that are not to be used behind the others; apart
 * from that the order stays. Returns how many are to be used. */
size_t link_policy_apply(const struct configuration *configuration, struct link_address *links, size_t count);
/** A source that is not to be used is replaced by the first of its family that is. False when there is none. What is in
 * neither part of the list stays as it is. */
bool link_policy_source(const struct link_address *links, size_t used, size_t count, struct address *source);
bool link_equal(const struct link_address *a, const struct link_address *b);

#endif
