/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/network_watch.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/cache.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WATCH_GROUPS (RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE)
/** Messages read before the list is asked for. */
#define MESSAGES_AT_ONCE 256

struct network_watch {
	int changes;             /**< multicast groups; read for the fact of a change alone */
	struct nl_sock *queries; /**< dumps of links and addresses */
	struct nl_cache *links, *addresses;
	char tunnel_name[IFNAMSIZ];
};

static int open_changes(void)
{
	struct sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_groups = WATCH_GROUPS};
	int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (descriptor >= 0 && bind(descriptor, (struct sockaddr *)&name, sizeof name) < 0) {
		close(descriptor);
		return -1;
	}
	return descriptor;
}

static bool open_queries(struct network_watch *watch)
{
	watch->queries = nl_socket_alloc();
	return watch->queries && nl_connect(watch->queries, NETLINK_ROUTE) == 0 &&
	       rtnl_link_alloc_cache(watch->queries, AF_UNSPEC, &watch->links) == 0 &&
	       rtnl_addr_alloc_cache(watch->queries, &watch->addresses) == 0;
}

hiphop_error network_watch_open(const char *tunnel_name, struct network_watch **out)
{
	struct network_watch *watch = calloc(1, sizeof *watch);
	if (!watch)
		return HIPHOP_NO_MEMORY;
	strncpy(watch->tunnel_name, tunnel_name, sizeof watch->tunnel_name - 1);
	watch->changes = open_changes();
	if (watch->changes < 0 || !open_queries(watch)) {
		network_watch_close(watch);
		return HIPHOP_SYSTEM;
	}
	*out = watch;
	return HIPHOP_OK;
}

void network_watch_close(struct network_watch *watch)
{
	if (!watch)
		return;
	if (watch->addresses)
		nl_cache_free(watch->addresses);
	if (watch->links)
		nl_cache_free(watch->links);
	if (watch->queries)
		nl_socket_free(watch->queries);
	if (watch->changes >= 0)
		close(watch->changes);
	free(watch);
}

int network_watch_descriptor(const struct network_watch *watch)
{
	return watch->changes;
}

/** The kernel sends each message on its own, and its type is all that is read of it. */
static network_change meaning_of(const struct nlmsghdr *header, ssize_t got)
{
	if (got < (ssize_t)sizeof *header)
		return NETWORK_PATHS_CHANGED; /* among others ENOBUFS: messages were lost, so something did change */
	bool address = header->nlmsg_type == RTM_NEWADDR || header->nlmsg_type == RTM_DELADDR;
	return address ? NETWORK_ADDRESSES_TOUCHED : NETWORK_PATHS_CHANGED;
}

network_change network_watch_consume(struct network_watch *watch)
{
	network_change change = NETWORK_UNCHANGED;
	for (int i = 0; i < MESSAGES_AT_ONCE; i++) {
		struct nlmsghdr header;
		ssize_t got = recv(watch->changes, &header, sizeof header, MSG_DONTWAIT);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno != ENOBUFS)
			return change;
		network_change told = meaning_of(&header, got);
		if (told > change)
			change = told;
	}
	return change;
}

/** RUNNING follows a lost carrier late at times, LOWER_UP at once; RUNNING alone knows of a Wi-Fi still to log in. */
static bool link_is_usable(const struct network_watch *watch, int index, char name[static LINK_NAME_SIZE])
{
	const unsigned needed = IFF_UP | IFF_RUNNING | IFF_LOWER_UP;
	struct rtnl_link *link = rtnl_link_get(watch->links, index);
	if (!link)
		return false;
	unsigned flags = rtnl_link_get_flags(link);
	const char *known = rtnl_link_get_name(link);
	bool usable = (flags & needed) == needed && !(flags & IFF_LOOPBACK) && known &&
		      strcmp(known, watch->tunnel_name) != 0;
	if (usable)
		snprintf(name, LINK_NAME_SIZE, "%s", known);
	rtnl_link_put(link);
	return usable;
}

static bool read_address(struct rtnl_addr *entry, struct address *address)
{
	const struct nl_addr *local = rtnl_addr_get_local(entry);
	if (!local)
		return false;
	const uint8_t *octets = nl_addr_get_binary_addr(local);
	if (nl_addr_get_family(local) == AF_INET && nl_addr_get_len(local) == 4) {
		*address = (struct address){.octets = {[10] = 0xff, [11] = 0xff}};
		memcpy(address->octets + 12, octets, 4);
		return true;
	}
	if (nl_addr_get_family(local) != AF_INET6 || nl_addr_get_len(local) != sizeof address->octets)
		return false;
	memcpy(address->octets, octets, sizeof address->octets);
	return true;
}

static bool read_link_address(const struct network_watch *watch, struct rtnl_addr *entry, struct link_address *link)
{
	const unsigned unfit = IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED;
	const int index = rtnl_addr_get_ifindex(entry);
	*link = (struct link_address){.interface = (uint32_t)index};
	return !(rtnl_addr_get_flags(entry) & unfit) && link_is_usable(watch, index, link->name) &&
	       read_address(entry, &link->address) && address_is_usable_locator(&link->address);
}

static hiphop_error refill(struct network_watch *watch)
{
	if (nl_cache_refill(watch->queries, watch->links) < 0 || nl_cache_refill(watch->queries, watch->addresses) < 0)
		return HIPHOP_SYSTEM;
	return HIPHOP_OK;
}

hiphop_error network_watch_addresses(
	struct network_watch *watch, struct link_address links[static NETWORK_ADDRESSES], size_t *count)
{
	*count = 0;
	hiphop_error error = refill(watch);
	if (error)
		return error;
	struct nl_object *object = nl_cache_get_first(watch->addresses);
	for (; object && *count < NETWORK_ADDRESSES; object = nl_cache_get_next(object))
		if (read_link_address(watch, (struct rtnl_addr *)object, &links[*count]))
			(*count)++;
	return HIPHOP_OK;
}
