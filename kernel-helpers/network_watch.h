/* SPDX-License-Identifier: MIT */
/**
 * What the host's own network looks like and when it changes (rtnetlink). The descriptor becomes readable at every
 * change of an address, a link or a route; the caller waits a moment for the rest of a burst, then asks for the list.
 */
#ifndef HIPHOP_KERNEL_HELPERS_NETWORK_WATCH_H
#define HIPHOP_KERNEL_HELPERS_NETWORK_WATCH_H

#include "hip/base/endpoint.h"
#include "hip/base/error.h"
#include "hip/base/time.h"

#include <stdbool.h>
#include <stddef.h>

/** Addresses in the list at most. */
#define NETWORK_ADDRESSES 64
/** How long a burst of changes is waited out. */
#define NETWORK_SETTLE MILLISECONDS(50)

struct network_watch;

/** `tunnel_name`: the device whose addresses are never listed. HIPHOP_NO_MEMORY, HIPHOP_SYSTEM. */
hiphop_error network_watch_open(const char *tunnel_name, struct network_watch **watch);
void network_watch_close(struct network_watch *watch);
int network_watch_descriptor(const struct network_watch *watch);
/** Reads all waiting messages; true when one of them told of a change (or messages were lost). */
bool network_watch_consume(struct network_watch *watch);
/** The complete list of usable addresses: link up, neither tentative nor deprecated, a locator by
 * address_is_usable_locator. In the order of the kernel. HIPHOP_SYSTEM, HIPHOP_NO_MEMORY. */
hiphop_error network_watch_addresses(
	struct network_watch *watch, struct address addresses[static NETWORK_ADDRESSES], size_t *count);

#endif
