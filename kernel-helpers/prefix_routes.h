/* SPDX-License-Identifier: MIT */
/**
 * Routes to prefixes behind other hosts through the tunnel device, and the device's IPv4 address; needs CAP_NET_ADMIN
 * and runs in the helper alone. All of it goes away with the device.
 */
#ifndef HIPHOP_KERNEL_HELPERS_PREFIX_ROUTES_H
#define HIPHOP_KERNEL_HELPERS_PREFIX_ROUTES_H

#include "hip/base/endpoint.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/ip_prefix.h"

#include <stdint.h>

/** The mark of these routes (rtm_protocol; `ip route` shows it as "proto 139"): only they are removed. */
#define PREFIX_ROUTE_PROTOCOL 139

/** What a route is made of besides its prefix. */
struct prefix_route_settings {
	const char *tunnel_name;
	uint16_t mtu;
	struct address source; /**< preferred, for who asks for none; unspecified = the kernel chooses */
};

/** Routes the prefix to the device. HIPHOP_EXISTS (there is a route to it, of whomever), HIPHOP_NOT_FOUND (no such
 * device), HIPHOP_REFUSED, HIPHOP_UNSUPPORTED, HIPHOP_SYSTEM. */
hiphop_error prefix_route_add(const struct prefix_route_settings *settings, const struct ip_prefix *prefix);
/** Removes such a route. HIPHOP_NOT_FOUND (there is none that was made here), and the other errors. */
hiphop_error prefix_route_remove(const struct prefix_route_settings *settings, const struct ip_prefix *prefix);
/** Gives the device an IPv4 address /32; one that it has already is none the worse. */
hiphop_error prefix_address_add(const char *tunnel_name, const struct address *ipv4);

#endif
