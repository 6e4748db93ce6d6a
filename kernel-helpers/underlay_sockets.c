/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/underlay_internal.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** Asked of the kernel; what it grants may be less. */
#define SOCKET_BUFFER (4 * 1024 * 1024)

const struct underlay_sort underlay_sorts[UNDERLAY_SOCKETS] = {
	[UNDERLAY_UDP] = {"UDP", AF_INET6, IPPROTO_UDP, UNDERLAY_DATA},
	[UNDERLAY_UDP_CONTROL] = {"HIP over UDP", AF_INET6, IPPROTO_UDP, UNDERLAY_CONTROL},
	[UNDERLAY_UDP_I1] = {"I1 over UDP", AF_INET6, IPPROTO_UDP, UNDERLAY_STRANGERS},
	[UNDERLAY_HIP_IPV4] = {"HIP over IPv4", AF_INET, UNDERLAY_PROTOCOL_HIP, UNDERLAY_CONTROL},
	[UNDERLAY_HIP_IPV6] = {"HIP over IPv6", AF_INET6, UNDERLAY_PROTOCOL_HIP, UNDERLAY_CONTROL},
	[UNDERLAY_HIP_IPV4_I1] = {"I1 over IPv4", AF_INET, UNDERLAY_PROTOCOL_HIP, UNDERLAY_STRANGERS},
	[UNDERLAY_HIP_IPV6_I1] = {"I1 over IPv6", AF_INET6, UNDERLAY_PROTOCOL_HIP, UNDERLAY_STRANGERS},
	[UNDERLAY_ESP_IPV4] = {"ESP over IPv4", AF_INET, UNDERLAY_PROTOCOL_ESP, UNDERLAY_DATA},
	[UNDERLAY_ESP_IPV6] = {"ESP over IPv6", AF_INET6, UNDERLAY_PROTOCOL_ESP, UNDERLAY_DATA},
	[UNDERLAY_ICMP_IPV4] = {"ICMP", AF_INET, IPPROTO_ICMP, UNDERLAY_STRANGERS},
	[UNDERLAY_ICMP_IPV6] = {"ICMPv6", AF_INET6, IPPROTO_ICMPV6, UNDERLAY_STRANGERS},
};

underlay_rank underlay_rank_of(underlay_socket which)
{
	return which < UNDERLAY_SOCKETS ? underlay_sorts[which].rank : UNDERLAY_STRANGERS;
}

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

static int open_socket(int family, int type, const struct underlay_sort *sort)
{
	int descriptor = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, sort->protocol);
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

static int bind_any(int descriptor, int family, uint16_t port)
{
	union socket_address name;
	const struct address any = {0};
	socklen_t length =
		family == AF_INET ? socket_address_ipv4(&name, &any, port) : socket_address_ipv6(&name, &any, port);
	return bind(descriptor, &name.any, length);
}

static bool read_port(int descriptor, uint16_t *port)
{
	union socket_address name;
	struct address unused;
	socklen_t room = sizeof name;
	return getsockname(descriptor, &name.any, &room) == 0 && socket_address_read(&name, &unused, port);
}

/* The first of the port, on its own: so it finds out whether the port is taken. */
static hiphop_error bind_udp(struct underlay_sockets *sockets, int descriptor, int family, uint16_t port)
{
	if (bind_any(descriptor, family, port) < 0 || !read_port(descriptor, &sockets->port)) {
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

static int open_udp(int family, underlay_socket which)
{
	int descriptor = open_socket(family, SOCK_DGRAM, &underlay_sorts[which]);
	if (descriptor >= 0 && family == AF_INET6)
		set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	return descriptor;
}

static bool join_group(struct underlay_sockets *sockets, underlay_socket which)
{
	int family = sockets->ipv4_only ? AF_INET : AF_INET6;
	int descriptor = open_udp(family, which);
	if (descriptor < 0)
		return false;
	set_option(descriptor, SOL_SOCKET, SO_REUSEPORT, 1);
	sockets->descriptors[which] = descriptor;
	return bind_any(descriptor, family, sockets->port) == 0;
}

static void leave_group(struct underlay_sockets *sockets, underlay_socket which)
{
	if (sockets->descriptors[which] >= 0)
		close(sockets->descriptors[which]);
	sockets->descriptors[which] = -1;
}

/* The order of joining is what the program counts by. */
static void form_group(struct underlay_sockets *sockets)
{
	int first = sockets->descriptors[UNDERLAY_UDP];
	set_option(first, SOL_SOCKET, SO_REUSEPORT, 1);
	if (join_group(sockets, UNDERLAY_UDP_CONTROL) && join_group(sockets, UNDERLAY_UDP_I1) &&
		underlay_filter_group(first, 0, 0))
		return;
	leave_group(sockets, UNDERLAY_UDP_CONTROL);
	leave_group(sockets, UNDERLAY_UDP_I1);
}

static hiphop_error open_first(struct underlay_sockets *sockets, uint16_t port)
{
	int descriptor = open_udp(AF_INET6, UNDERLAY_UDP);
	if (descriptor >= 0) {
		hiphop_error error = bind_udp(sockets, descriptor, AF_INET6, port);
		if (!error || errno != EADDRNOTAVAIL)
			return error;
	}
	/* No IPv6 in this kernel, or switched off in this namespace. */
	descriptor = open_udp(AF_INET, UNDERLAY_UDP);
	return descriptor < 0 ? socket_error(errno) : bind_udp(sockets, descriptor, AF_INET, port);
}

void underlay_mark_spis(struct underlay_sockets *sockets, uint32_t mask, uint32_t mark)
{
	/* Where the kernel refuses, it goes on as it did. */
	if (sockets->descriptors[UNDERLAY_UDP_I1] >= 0)
		(void)underlay_filter_group(sockets->descriptors[UNDERLAY_UDP], mask, mark);
}

hiphop_error underlay_open_udp(struct underlay_sockets *sockets, uint16_t port)
{
	hiphop_error error = open_first(sockets, port);
	if (!error)
		form_group(sockets);
	return error;
}

/** Without a filter a socket for I1 has what the other one has too, and one for ICMP has what is none of ours. */
static bool filter_raw(int descriptor, const struct underlay_sort *sort)
{
	bool i1 = sort->rank == UNDERLAY_STRANGERS;
	if (sort->protocol == IPPROTO_ICMP || sort->protocol == IPPROTO_ICMPV6)
		return underlay_filter_all(descriptor);
	return sort->protocol != UNDERLAY_PROTOCOL_HIP || underlay_filter_raw(descriptor, sort->family, i1) || !i1;
}

hiphop_error underlay_open_raw(struct underlay_sockets *sockets, underlay_socket which)
{
	if (underlay_is_udp(which) || which >= UNDERLAY_SOCKETS)
		return HIPHOP_INVALID_ARGUMENT;
	const struct underlay_sort *sort = &underlay_sorts[which];
	int descriptor = open_socket(sort->family, SOCK_RAW, sort);
	if (descriptor < 0)
		return socket_error(errno);
	if (!filter_raw(descriptor, sort)) {
		close(descriptor);
		return HIPHOP_UNSUPPORTED;
	}
	/* The HIP checksum is made by hip/wire over addresses of its choice; the kernel must keep its hands off. That
	 * of ICMPv6 it makes itself. */
	if (sort->family == AF_INET6 && sort->protocol != IPPROTO_ICMPV6)
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
	underlay_links_free(sockets->links);
	sockets->links = NULL;
}

uint64_t underlay_queue_lost(const struct underlay_sockets *sockets, underlay_socket which)
{
	uint32_t memory[SK_MEMINFO_VARS] = {0};
	socklen_t length = sizeof memory;
	if (which >= UNDERLAY_SOCKETS || sockets->descriptors[which] < 0 ||
		getsockopt(sockets->descriptors[which], SOL_SOCKET, SO_MEMINFO, memory, &length) < 0)
		return 0;
	return memory[SK_MEMINFO_DROPS];
}
