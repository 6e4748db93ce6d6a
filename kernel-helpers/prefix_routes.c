/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/prefix_routes.h"

#include "kernel-helpers/netlink_error.h"

#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>
#include <sys/socket.h>

/** One conversation with the kernel about the device. */
struct conversation {
	struct nl_sock *socket;
	int index; /**< of the device */
};

static hiphop_error begin(const char *tunnel_name, struct conversation *conversation)
{
	struct rtnl_link *link = NULL;
	conversation->socket = nl_socket_alloc();
	if (!conversation->socket)
		return HIPHOP_NO_MEMORY;
	if (nl_connect(conversation->socket, NETLINK_ROUTE) < 0)
		return HIPHOP_SYSTEM;
	int code = rtnl_link_get_kernel(conversation->socket, 0, tunnel_name, &link);
	if (code == 0) {
		conversation->index = rtnl_link_get_ifindex(link);
		rtnl_link_put(link);
	}
	return netlink_error(code);
}

static void end(struct conversation *conversation)
{
	if (conversation->socket)
		nl_socket_free(conversation->socket);
}

/** The address as libnl has it; NULL without memory. */
static struct nl_addr *build(const struct address *address, unsigned length)
{
	bool ipv4 = address_is_ipv4(address);
	struct nl_addr *built =
		nl_addr_build(ipv4 ? AF_INET : AF_INET6, address->octets + (ipv4 ? 12 : 0), ipv4 ? 4 : 16);
	if (built)
		nl_addr_set_prefixlen(built, (int)length);
	return built;
}

static hiphop_error fill(const struct conversation *conversation, const struct prefix_route_settings *settings,
	const struct ip_prefix *prefix, struct rtnl_route *route)
{
	bool ipv4 = ip_prefix_is_ipv4(prefix);
	struct nl_addr *destination = build(&prefix->address, ip_prefix_length(prefix));
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	hiphop_error error = HIPHOP_NO_MEMORY;
	if (destination && hop) {
		rtnl_route_nh_set_ifindex(hop, conversation->index);
		rtnl_route_add_nexthop(route, hop);
		hop = NULL;
		rtnl_route_set_family(route, ipv4 ? AF_INET : AF_INET6);
		rtnl_route_set_table(route, RT_TABLE_MAIN);
		rtnl_route_set_protocol(route, PREFIX_ROUTE_PROTOCOL);
		rtnl_route_set_scope(route, ipv4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
		rtnl_route_set_type(route, RTN_UNICAST);
		error = rtnl_route_set_metric(route, RTAX_MTU, settings->mtu) < 0 ||
					rtnl_route_set_dst(route, destination) < 0
				? HIPHOP_SYSTEM
				: HIPHOP_OK;
	}
	if (hop)
		rtnl_route_nh_free(hop);
	if (destination)
		nl_addr_put(destination);
	return error;
}

static hiphop_error prefer_source(const struct address *address, struct rtnl_route *route)
{
	struct nl_addr *source;
	if (address_is_unspecified(address))
		return HIPHOP_OK;
	source = build(address, address_is_ipv4(address) ? 32 : 128);
	if (!source)
		return HIPHOP_NO_MEMORY;
	int code = rtnl_route_set_pref_src(route, source);
	nl_addr_put(source);
	return netlink_error(code);
}

static hiphop_error change(const struct prefix_route_settings *settings, const struct ip_prefix *prefix, bool add)
{
	struct conversation conversation = {0};
	struct rtnl_route *route = rtnl_route_alloc();
	hiphop_error error = route ? begin(settings->tunnel_name, &conversation) : HIPHOP_NO_MEMORY;
	if (!error)
		error = fill(&conversation, settings, prefix, route);
	if (!error && add)
		error = prefer_source(&settings->source, route);
	if (!error)
		error = netlink_error(add ? rtnl_route_add(conversation.socket, route, NLM_F_CREATE | NLM_F_EXCL)
					  : rtnl_route_delete(conversation.socket, route, 0));
	end(&conversation);
	if (route)
		rtnl_route_put(route);
	return error;
}

hiphop_error prefix_route_add(const struct prefix_route_settings *settings, const struct ip_prefix *prefix)
{
	return change(settings, prefix, true);
}

hiphop_error prefix_route_remove(const struct prefix_route_settings *settings, const struct ip_prefix *prefix)
{
	return change(settings, prefix, false);
}

hiphop_error prefix_address_add(const char *tunnel_name, const struct address *ipv4)
{
	struct conversation conversation = {0};
	struct rtnl_addr *address = rtnl_addr_alloc();
	struct nl_addr *local = build(ipv4, 32);
	hiphop_error error = address && local ? begin(tunnel_name, &conversation) : HIPHOP_NO_MEMORY;
	if (!error) {
		rtnl_addr_set_ifindex(address, conversation.index);
		rtnl_addr_set_local(address, local);
		error = netlink_error(rtnl_addr_add(conversation.socket, address, 0));
	}
	end(&conversation);
	if (local)
		nl_addr_put(local);
	if (address)
		rtnl_addr_put(address);
	return error == HIPHOP_EXISTS ? HIPHOP_OK : error;
}
