/* SPDX-License-Identifier: MIT */
/**
 * Between our addresses (IPv4 as ::ffff:a.b.c.d) and the kernel's sockaddr.
 */
#ifndef HIPHOP_KERNEL_HELPERS_SOCKET_ADDRESS_H
#define HIPHOP_KERNEL_HELPERS_SOCKET_ADDRESS_H

#include "hip/base/endpoint.h"

#include <netinet/in.h>
#include <sys/socket.h>

union socket_address {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
};

/** Fills in an AF_INET6 address (v4-mapped for IPv4) and returns its length. */
socklen_t socket_address_ipv6(union socket_address *out, const struct address *address, uint16_t port);
/** Fills in an AF_INET address from a v4-mapped one and returns its length. */
socklen_t socket_address_ipv4(union socket_address *out, const struct address *address, uint16_t port);
/** AF_INET for a v4-mapped address, else AF_INET6. Returns the length. */
socklen_t socket_address_natural(union socket_address *out, const struct address *address, uint16_t port);
/** Takes either family; false for any other. */
bool socket_address_read(const union socket_address *in, struct address *address, uint16_t *port);
struct address address_from_ipv4(struct in_addr ipv4);
struct in_addr address_to_ipv4(const struct address *address);

#endif
