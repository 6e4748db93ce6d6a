/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/underlay_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** Asked of the kernel; what it grants may be less. */
#define SOCKET_BUFFER (4 * 1024 * 1024)

const struct underlay_sort underlay_sorts[UNDERLAY_SOCKETS] = {
	[UNDERLAY_UDP] = {"UDP", AF_INET6, IPPROTO_UDP},
	[UNDERLAY_HIP_IPV4] = {"HIP over IPv4", AF_INET, UNDERLAY_PROTOCOL_HIP},
	[UNDERLAY_HIP_IPV6] = {"HIP over IPv6", AF_INET6, UNDERLAY_PROTOCOL_HIP},
	[UNDERLAY_ESP_IPV4] = {"ESP over IPv4", AF_INET, UNDERLAY_PROTOCOL_ESP},
	[UNDERLAY_ESP_IPV6] = {"ESP over IPv6", AF_INET6, UNDERLAY_PROTOCOL_ESP},
};

void underlay_sockets_start(struct underlay_sockets *sockets)
{
	*sockets = (struct underlay_sockets){0};
	for (size_t i = 0; i < UNDERLAY_SOCKETS; i++)
		sockets->descriptors[i] = -1;
}

const char *underlay_socket_name(underlay_socket which)
{
	return which < UNDERLAY_SOCKETS ? underlay_sorts[which].name : "unknown";
}

static hiphop_error socket_error(int error_number)
{
	switch (error_number) {
	case EADDRINUSE:
		return HIPHOP_EXISTS;
	case EPERM:
	case EACCES:
		return HIPHOP_REFUSED;
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT:
		return HIPHOP_UNSUPPORTED;
	default:
		return HIPHOP_SYSTEM;
	}
}

static void set_option(int descriptor, int level, int name, int value)
{
	/* None of these decides whether the socket is of use, so a kernel without one of them is no reason to stop. */
	(void)setsockopt(descriptor, level, name, &value, sizeof value);
}

static void set_common_options(int descriptor, int family)
{
	set_option(descriptor, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER);
	set_option(descriptor, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
	/* Beyond the limit of the system, where we have the right. */
	set_option(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER);
	set_option(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER);
	set_option(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
	if (family == AF_INET) {
		set_option(descriptor, IPPROTO_IP, IP_PKTINFO, 1);
		return;
	}
	set_option(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	set_option(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
}

static int open_socket(int family, int type, int protocol)
{
	int descriptor = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (descriptor >= 0)
		set_common_options(descriptor, family);
	return descriptor;
}

/* Lets the kernel join datagrams of one flow, when there is memory to take them apart. */
static void receive_joined(struct underlay_sockets *sockets)
{
	int on = 1;
	sockets->staging = malloc(sizeof *sockets->staging);
	if (!sockets->staging)
		return;
	sockets->staging->count = sockets->staging->next = 0;
	if (setsockopt(sockets->descriptors[UNDERLAY_UDP], IPPROTO_UDP, UDP_GRO, &on, sizeof on) == 0)
		return;
	free(sockets->staging);
	sockets->staging = NULL;
}

static hiphop_error bind_udp(struct underlay_sockets *sockets, int descriptor, int family, uint16_t port)
{
	union socket_address name;
	const struct address any = {0};
	socklen_t length =
		family == AF_INET ? socket_address_ipv4(&name, &any, port) : socket_address_ipv6(&name, &any, port);
	struct address unused;
	socklen_t room = sizeof name;
	if (bind(descriptor, &name.any, length) < 0 || getsockname(descriptor, &name.any, &room) < 0 ||
		!socket_address_read(&name, &unused, &sockets->port)) {
		hiphop_error error = socket_error(errno);
		int kept = errno;
		close(descriptor);
		errno = kept;
		return error;
	}
	sockets->descriptors[UNDERLAY_UDP] = descriptor;
	sockets->ipv4_only = family == AF_INET;
	sockets->segmentation = true;
	receive_joined(sockets);
	return HIPHOP_OK;
}

hiphop_error underlay_open_udp(struct underlay_sockets *sockets, uint16_t port)
{
	int descriptor = open_socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
	if (descriptor >= 0) {
		set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0);
		hiphop_error error = bind_udp(sockets, descriptor, AF_INET6, port);
		if (!error || errno != EADDRNOTAVAIL)
			return error;
	}
	/* No IPv6 in this kernel, or switched off in this namespace. */
	descriptor = open_socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	return descriptor < 0 ? socket_error(errno) : bind_udp(sockets, descriptor, AF_INET, port);
}

hiphop_error underlay_open_raw(struct underlay_sockets *sockets, underlay_socket which)
{
	if (which <= UNDERLAY_UDP || which >= UNDERLAY_SOCKETS)
		return HIPHOP_INVALID_ARGUMENT;
	int descriptor = open_socket(underlay_sorts[which].family, SOCK_RAW, underlay_sorts[which].protocol);
	if (descriptor < 0)
		return socket_error(errno);
	/* The HIP checksum is made by hip/wire over addresses of its choice; the kernel must keep its hands off. */
	if (underlay_sorts[which].family == AF_INET6)
		set_option(descriptor, IPPROTO_IPV6, IPV6_CHECKSUM, -1);
	sockets->descriptors[which] = descriptor;
	return HIPHOP_OK;
}

void underlay_sockets_close(struct underlay_sockets *sockets)
{
	for (size_t i = 0; i < UNDERLAY_SOCKETS; i++) {
		if (sockets->descriptors[i] >= 0)
			close(sockets->descriptors[i]);
		sockets->descriptors[i] = -1;
	}
	free(sockets->staging);
	sockets->staging = NULL;
}
