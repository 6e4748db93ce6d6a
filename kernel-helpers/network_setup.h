/* SPDX-License-Identifier: MIT */
/**
 * What is changed in the kernel for the tunnel device; needs CAP_NET_ADMIN and runs in the helper alone.
 */
#ifndef HIPHOP_KERNEL_HELPERS_NETWORK_SETUP_H
#define HIPHOP_KERNEL_HELPERS_NETWORK_SETUP_H

#include "hip/base/error.h"
#include "hip/base/identifier.h"

#include <stddef.h>
#include <stdint.h>

/** Length of the prefix of all HITs, 2001:20::/28 (RFC 7343). */
#define HIT_PREFIX_LENGTH 28
/** The label that HITs get in the kernel's policy table (RFC 6724 section 2.1), so that one is never the source towards
 * other addresses. */
#define HIT_ADDRESS_LABEL 20

/**
 * Brings the device up with `mtu`, gives it each of `hits` as an address /128 (without duplicate address detection),
 * routes 2001:20::/28 to it with the first as source for who asks for none, sets the address label, and brings the
 * loopback device up if it is down. What is there already stays, so it may be called again. HIPHOP_NOT_FOUND (no such
 * device), HIPHOP_REFUSED (no right), HIPHOP_UNSUPPORTED (the host has no IPv6), HIPHOP_SYSTEM; `step` then names what
 * failed.
 */
hiphop_error network_setup(
	const char *tunnel_name, uint16_t mtu, const struct hit *hits, size_t hit_count, const char **step);
/** Switches IPv6 on for the device where the system has it off for new ones (as in many containers). Needs the rights
 * of a file's owner in /proc/sys, which the helper has not: for hiphopd before its drop. What fails here shows in
 * network_setup. */
void network_enable_ipv6(const char *tunnel_name);
/** Takes back what does not go away with the device: the address label. Errors are ignored. */
void network_setup_undo(void);

#endif
