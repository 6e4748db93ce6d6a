/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/network_setup.h"

#include "kernel-helpers/netlink_error.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_addrlabel.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <sys/socket.h>

/** 2001:20::, the first octets of every HIT. */
static const uint8_t hit_prefix[HIT_LENGTH] = {0x20, 0x01, 0x00, 0x20};

struct setup {
	struct nl_sock *socket;
	const char *tunnel_name;
	unsigned mtu;
	const struct hit *hits;
	size_t hit_count;
	int index; /**< of the tunnel device, once found */
};

/** What is there already may stay. */
static hiphop_error from_netlink(int code)
{
	hiphop_error error = netlink_error(code);
	return error == HIPHOP_EXISTS ? HIPHOP_OK : error;
}

/** Sets the flag up, and the MTU unless it is 0. */
static hiphop_error link_up(struct nl_sock *socket, const char *name, unsigned mtu, int *index)
{
	struct rtnl_link *link = NULL, *wish = rtnl_link_alloc();
	if (!wish)
		return HIPHOP_NO_MEMORY;
	int code = rtnl_link_get_kernel(socket, 0, name, &link);
	if (code == 0) {
		*index = rtnl_link_get_ifindex(link);
		rtnl_link_set_flags(wish, IFF_UP);
		if (mtu)
			rtnl_link_set_mtu(wish, mtu);
		code = rtnl_link_change(socket, link, wish, 0);
		rtnl_link_put(link);
	}
	rtnl_link_put(wish);
	return from_netlink(code);
}

/** The device has its HIT and nothing else: no link-local address of the kernel's own making, hence no router
 * solicitations. */
static hiphop_error step_quiet(struct setup *setup)
{
	struct rtnl_link *link = NULL, *wish = rtnl_link_alloc();
	if (!wish)
		return HIPHOP_NO_MEMORY;
	int code = rtnl_link_get_kernel(setup->socket, 0, setup->tunnel_name, &link);
	if (code == 0) {
		/* A kernel that does not know this makes a noisy device, no broken one. */
		if (rtnl_link_inet6_set_addr_gen_mode(wish, IN6_ADDR_GEN_MODE_NONE) == 0)
			(void)rtnl_link_change(setup->socket, link, wish, 0);
		rtnl_link_put(link);
	}
	rtnl_link_put(wish);
	return from_netlink(code);
}

static hiphop_error step_loopback(struct setup *setup)
{
	int unused;
	/* A fresh namespace has it down. Where we may not touch it, somebody else has seen to it. */
	(void)link_up(setup->socket, "lo", 0, &unused);
	return HIPHOP_OK;
}

static hiphop_error step_link(struct setup *setup)
{
	return link_up(setup->socket, setup->tunnel_name, setup->mtu, &setup->index);
}

static hiphop_error add_address(const struct setup *setup, const struct hit *hit)
{
	struct rtnl_addr *address = rtnl_addr_alloc();
	struct nl_addr *local = nl_addr_build(AF_INET6, hit->octets, HIT_LENGTH);
	hiphop_error error = HIPHOP_NO_MEMORY;
	if (address && local) {
		nl_addr_set_prefixlen(local, 128);
		rtnl_addr_set_ifindex(address, setup->index);
		rtnl_addr_set_local(address, local);
		rtnl_addr_set_flags(address, IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
		error = from_netlink(rtnl_addr_add(setup->socket, address, 0));
	}
	if (local)
		nl_addr_put(local);
	if (address)
		rtnl_addr_put(address);
	return error;
}

static hiphop_error step_addresses(struct setup *setup)
{
	hiphop_error error = HIPHOP_OK;
	for (size_t i = 0; i < setup->hit_count && !error; i++)
		error = add_address(setup, &setup->hits[i]);
	return error;
}

/** An on-link route through the device. Takes over nothing. */
static hiphop_error fill_route(
	const struct setup *setup, struct rtnl_route *route, struct nl_addr *destination, struct nl_addr *source)
{
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	if (!hop)
		return HIPHOP_NO_MEMORY;
	nl_addr_set_prefixlen(destination, HIT_PREFIX_LENGTH);
	rtnl_route_nh_set_ifindex(hop, setup->index);
	rtnl_route_add_nexthop(route, hop);
	rtnl_route_set_family(route, AF_INET6);
	rtnl_route_set_table(route, RT_TABLE_MAIN);
	rtnl_route_set_protocol(route, RTPROT_STATIC);
	rtnl_route_set_scope(route, RT_SCOPE_UNIVERSE);
	rtnl_route_set_type(route, RTN_UNICAST);
	if (rtnl_route_set_dst(route, destination) < 0 || rtnl_route_set_pref_src(route, source) < 0)
		return HIPHOP_SYSTEM;
	return HIPHOP_OK;
}

static hiphop_error step_route(struct setup *setup)
{
	struct rtnl_route *route = rtnl_route_alloc();
	struct nl_addr *destination = nl_addr_build(AF_INET6, hit_prefix, HIT_LENGTH);
	struct nl_addr *source = nl_addr_build(AF_INET6, setup->hits[0].octets, HIT_LENGTH);
	hiphop_error error = HIPHOP_NO_MEMORY;
	if (route && destination && source) {
		error = fill_route(setup, route, destination, source);
		if (!error)
			error = from_netlink(rtnl_route_add(setup->socket, route, NLM_F_CREATE | NLM_F_REPLACE));
	}
	if (source)
		nl_addr_put(source);
	if (destination)
		nl_addr_put(destination);
	if (route)
		rtnl_route_put(route);
	return error;
}

/** libnl has no objects for the policy table of RFC 6724, so this message is made by hand. */
static hiphop_error change_label(struct nl_sock *socket, int type, int flags)
{
	struct ifaddrlblmsg header = {.ifal_family = AF_INET6, .ifal_prefixlen = HIT_PREFIX_LENGTH};
	struct nl_msg *message = nlmsg_alloc_simple(type, flags);
	if (!message)
		return HIPHOP_NO_MEMORY;
	int code = nlmsg_append(message, &header, sizeof header, NLMSG_ALIGNTO);
	if (code == 0)
		code = nla_put(message, IFAL_ADDRESS, HIT_LENGTH, hit_prefix);
	if (code == 0)
		code = nla_put_u32(message, IFAL_LABEL, HIT_ADDRESS_LABEL);
	if (code < 0) {
		nlmsg_free(message);
		return HIPHOP_NO_MEMORY;
	}
	return from_netlink(nl_send_sync(socket, message));
}

static hiphop_error step_label(struct setup *setup)
{
	return change_label(setup->socket, RTM_NEWADDRLABEL, NLM_F_CREATE | NLM_F_REPLACE);
}

hiphop_error network_setup(
	const char *tunnel_name, uint16_t mtu, const struct hit *hits, size_t hit_count, const char **step)
{
	static const struct {
		const char *name;
		hiphop_error (*run)(struct setup *setup);
	} steps[] = {
		{"loopback up", step_loopback},
		{"device", step_quiet},
		{"device up, MTU", step_link},
		{"address", step_addresses},
		{"route 2001:20::/28", step_route},
		{"address label", step_label},
	};
	struct setup setup = {.tunnel_name = tunnel_name, .mtu = mtu, .hits = hits, .hit_count = hit_count};
	hiphop_error error = HIPHOP_SYSTEM;
	*step = "netlink socket";
	setup.socket = nl_socket_alloc();
	if (setup.socket && nl_connect(setup.socket, NETLINK_ROUTE) == 0) {
		error = HIPHOP_OK;
		for (size_t i = 0; i < sizeof steps / sizeof *steps && !error; i++) {
			*step = steps[i].name;
			error = steps[i].run(&setup);
		}
	}
	if (setup.socket)
		nl_socket_free(setup.socket);
	return error;
}

void network_setup_undo(void)
{
	struct nl_sock *socket = nl_socket_alloc();
	if (socket && nl_connect(socket, NETLINK_ROUTE) == 0)
		(void)change_label(socket, RTM_DELADDRLABEL, 0);
	if (socket)
		nl_socket_free(socket);
}

void network_enable_ipv6(const char *tunnel_name)
{
	char path[96];
	snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", tunnel_name);
	FILE *file = fopen(path, "we");
	if (!file)
		return;
	fputs("0", file);
	fclose(file);
}
