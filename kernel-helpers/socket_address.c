/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/socket_address.h"

#include <arpa/inet.h>
#include <string.h>

socklen_t socket_address_ipv6(union socket_address *out, const struct address *address, uint16_t port)
{
	memset(out, 0, sizeof *out);
	out->ipv6.sin6_family = AF_INET6;
	out->ipv6.sin6_port = htons(port);
	memcpy(&out->ipv6.sin6_addr, address->octets, sizeof address->octets);
	return sizeof out->ipv6;
}

socklen_t socket_address_ipv4(union socket_address *out, const struct address *address, uint16_t port)
{
	memset(out, 0, sizeof *out);
	out->ipv4.sin_family = AF_INET;
	out->ipv4.sin_port = htons(port);
	out->ipv4.sin_addr = address_to_ipv4(address);
	return sizeof out->ipv4;
}

socklen_t socket_address_natural(union socket_address *out, const struct address *address, uint16_t port)
{
	return address_is_ipv4(address) ? socket_address_ipv4(out, address, port)
					: socket_address_ipv6(out, address, port);
}

bool socket_address_read(const union socket_address *in, struct address *address, uint16_t *port)
{
	if (in->any.sa_family == AF_INET) {
		*address = address_from_ipv4(in->ipv4.sin_addr);
		*port = ntohs(in->ipv4.sin_port);
		return true;
	}
	if (in->any.sa_family == AF_INET6) {
		memcpy(address->octets, &in->ipv6.sin6_addr, sizeof address->octets);
		*port = ntohs(in->ipv6.sin6_port);
		return true;
	}
	return false;
}

struct address address_from_ipv4(struct in_addr ipv4)
{
	struct address address = {.octets = {[10] = 0xff, [11] = 0xff}};
	memcpy(address.octets + 12, &ipv4, sizeof ipv4);
	return address;
}

struct in_addr address_to_ipv4(const struct address *address)
{
	struct in_addr ipv4;
	memcpy(&ipv4, address->octets + 12, sizeof ipv4);
	return ipv4;
}
