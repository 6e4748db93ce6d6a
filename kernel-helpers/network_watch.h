/* SPDX-License-Identifier: MIT */
/**
 * What the host's own network looks like and when it changes (rtnetlink). The descriptor becomes readable at every
 * change of an address, a link or a route; then read what waits, and ask for the list.
 */
#ifndef HIPHOP_KERNEL_HELPERS_NETWORK_WATCH_H
#define HIPHOP_KERNEL_HELPERS_NETWORK_WATCH_H

#include "hip/base/error.h"
#include "hip/base/link_address.h"

#include <stddef.h>

/** Addresses in the list at most. */
#define NETWORK_ADDRESSES 64

/** What the messages told of. A later one says more than one before it. */
typedef enum {
	NETWORK_UNCHANGED,
	NETWORK_ADDRESSES_TOUCHED, /**< addresses alone; perhaps only their lifetimes, so that the list stays as it was
				    */
	NETWORK_PATHS_CHANGED      /**< a link or a route, or messages were lost: of interest whatever the list says */
} network_change;

struct network_watch;

/** `tunnel_name`: the device whose addresses are never listed. HIPHOP_NO_MEMORY, HIPHOP_SYSTEM. */
hiphop_error network_watch_open(const char *tunnel_name, struct network_watch **watch);
void network_watch_close(struct network_watch *watch);
int network_watch_descriptor(const struct network_watch *watch);
/** Reads waiting messages, up to a limit, so that a flood of them does not hold the caller; the descriptor stays
 *  readable while more wait. */
network_change network_watch_consume(struct network_watch *watch);
/** The complete list of usable addresses: the link is up and has a carrier, the address is neither tentative nor
 * deprecated, and a locator by address_is_usable_locator. With interface and name; what the configuration says is zero.
 * In the order of the kernel. HIPHOP_SYSTEM, HIPHOP_NO_MEMORY. */
hiphop_error network_watch_addresses(
	struct network_watch *watch, struct link_address links[static NETWORK_ADDRESSES], size_t *count);

#endif
