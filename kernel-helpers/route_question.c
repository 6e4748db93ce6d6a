/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/route_question.h"

#include "kernel-helpers/socket_address.h"

#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/** Answers read at most until the one that was asked for. */
#define ANSWERS_MAXIMUM 8

/** The header, three attributes of 16 octets at most, and room. */
struct request {
	struct nlmsghdr header;
	struct rtmsg route;
	uint8_t attributes[96];
};

hiphop_error route_asker_open(struct route_asker *asker)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	*asker = (struct route_asker){
		.descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE)};
	if (asker->descriptor >= 0 && connect(asker->descriptor, (struct sockaddr *)&kernel, sizeof kernel) == 0)
		return HIPHOP_OK;
	route_asker_close(asker);
	return HIPHOP_SYSTEM;
}

void route_asker_close(struct route_asker *asker)
{
	if (asker->descriptor >= 0)
		close(asker->descriptor);
	asker->descriptor = -1;
}

static void put_attribute(struct request *request, unsigned short type, const void *data, size_t length)
{
	struct rtattr attribute = {.rta_type = type, .rta_len = (unsigned short)RTA_LENGTH(length)};
	uint8_t *place = (uint8_t *)request + request->header.nlmsg_len;
	memcpy(place, &attribute, sizeof attribute);
	memcpy(place + sizeof attribute, data, length);
	request->header.nlmsg_len += (uint32_t)RTA_ALIGN(RTA_LENGTH(length));
}

static void put_address(struct request *request, unsigned short type, const struct address *address)
{
	bool ipv4 = request->route.rtm_family == AF_INET;
	put_attribute(request, type, ipv4 ? address->octets + 12 : address->octets, ipv4 ? 4 : 16);
}

static void write_request(const struct route_question *question, uint32_t number, struct request *request)
{
	bool ipv4 = address_is_ipv4(&question->remote);
	unsigned char bits = ipv4 ? 32 : 128;
	*request = (struct request){.header = {.nlmsg_len = offsetof(struct request, attributes),
					    .nlmsg_type = RTM_GETROUTE,
					    .nlmsg_flags = NLM_F_REQUEST,
					    .nlmsg_seq = number},
		.route = {
			.rtm_family = ipv4 ? AF_INET : AF_INET6, .rtm_dst_len = bits, .rtm_flags = RTM_F_LOOKUP_TABLE}};
	if (question->about_entry)
		request->route.rtm_flags |= RTM_F_FIB_MATCH;
	put_address(request, RTA_DST, &question->remote);
	if (!address_is_unspecified(&question->local)) {
		request->route.rtm_src_len = bits;
		put_address(request, RTA_SRC, &question->local);
	}
	if (question->interface)
		put_attribute(request, RTA_OIF, &question->interface, sizeof question->interface);
}

static bool read_answer(struct nlmsghdr *header, struct route_answer *answer)
{
	struct nlattr *attributes[RTA_MAX + 1];
	*answer = (struct route_answer){0};
	if (header->nlmsg_type != RTM_NEWROUTE ||
		nlmsg_parse(header, sizeof(struct rtmsg), attributes, RTA_MAX, NULL) < 0)
		return false;
	const struct rtmsg *route = nlmsg_data(header);
	/* Without any route IPv4 takes what is asked for through an interface to be on its link, and names no table. */
	if (route->rtm_family == AF_INET && attributes[RTA_TABLE] && nla_get_u32(attributes[RTA_TABLE]) == 0)
		return false;
	answer->is_special = route->rtm_dst_len > 0;
	answer->dealt_out = attributes[RTA_MULTIPATH] != NULL;
	if (attributes[RTA_OIF])
		answer->interface = nla_get_u32(attributes[RTA_OIF]);
	answer->to_others = route->rtm_type == RTN_UNICAST;
	if (attributes[RTA_PREFSRC] && nla_len(attributes[RTA_PREFSRC]) == (int)sizeof answer->source.octets)
		memcpy(answer->source.octets, nla_data(attributes[RTA_PREFSRC]), sizeof answer->source.octets);
	return true;
}

bool route_ask(struct route_asker *asker, const struct route_question *question, struct route_answer *answer)
{
	struct request request;
	union {
		struct nlmsghdr header;
		uint8_t octets[2048];
	} reply;
	write_request(question, ++asker->asked, &request);
	if (send(asker->descriptor, &request, request.header.nlmsg_len, 0) < 0)
		return false;
	/* The kernel has answered by now. What is left of an earlier question is passed over. */
	for (int i = 0; i < ANSWERS_MAXIMUM; i++) {
		ssize_t got = recv(asker->descriptor, &reply, sizeof reply, MSG_DONTWAIT);
		if (got < 0 || !nlmsg_ok(&reply.header, (int)got))
			return false;
		if (reply.header.nlmsg_seq == asker->asked)
			return read_answer(&reply.header, answer);
	}
	return false;
}
