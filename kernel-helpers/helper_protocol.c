/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/helper_protocol.h"

#include "kernel-helpers/underlay_sockets.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MTU_MINIMUM 1280 /* RFC 8200 section 5 */
#define MTU_MAXIMUM PACKET_DATA_MAXIMUM

static bool more_hits_are_possible(const struct helper_policy *policy)
{
	for (size_t i = 0; i < HELPER_MORE_HITS_MAXIMUM; i++) {
		bool possible = i < policy->more_count ? hit_is_host(&policy->more[i]) : hit_is_null(&policy->more[i]);
		if (!possible)
			return false;
	}
	return true;
}

static bool ipv4_is_possible(const struct address *ipv4)
{
	static const struct address none;
	struct ip_prefix one = ip_prefix_of_one(ipv4);
	return address_equal(ipv4, &none) || (address_is_ipv4(ipv4) && !ip_prefix_trouble(&one));
}

static bool prefixes_are_possible(const struct helper_policy *policy)
{
	static const struct ip_prefix none;
	for (size_t i = 0; i < HELPER_PREFIXES_MAXIMUM; i++) {
		const struct ip_prefix *prefix = &policy->prefixes[i];
		bool possible = i < policy->prefix_count ? !ip_prefix_trouble(prefix) : ip_prefix_equal(prefix, &none);
		if (!possible)
			return false;
	}
	return true;
}

hiphop_error helper_policy_check(const void *octets, size_t length, struct helper_policy *policy)
{
	if (length != sizeof *policy)
		return HIPHOP_MALFORMED;
	memcpy(policy, octets, sizeof *policy);
	if (policy->magic != HELPER_MAGIC || policy->more_count > HELPER_MORE_HITS_MAXIMUM || policy->raw > 1 ||
		policy->prefix_count > HELPER_PREFIXES_MAXIMUM || policy->reserved ||
		memchr(policy->tunnel_name, 0, sizeof policy->tunnel_name) == NULL)
		return HIPHOP_MALFORMED;
	if (!tunnel_name_is_valid(policy->tunnel_name) || policy->mtu < MTU_MINIMUM || policy->mtu > MTU_MAXIMUM ||
		!hit_is_host(&policy->hit) || !more_hits_are_possible(policy) || !ipv4_is_possible(&policy->ipv4) ||
		!prefixes_are_possible(policy))
		return HIPHOP_REFUSED;
	return HIPHOP_OK;
}

static hiphop_error check_underlay(const struct helper_policy *policy, uint16_t which)
{
	/* The UDP sockets beside the first make sense with it alone. */
	if (which >= UNDERLAY_SOCKETS || (which != UNDERLAY_UDP && underlay_is_udp(which)))
		return HIPHOP_REFUSED;
	return which == UNDERLAY_UDP || policy->raw ? HIPHOP_OK : HIPHOP_REFUSED;
}

/** By what the policy says, and by what may never be routed to a tunnel whatever it says. */
static hiphop_error check_route(const struct helper_policy *policy, const struct helper_request *request)
{
	struct ip_prefix prefix = {.address = request->prefix, .length = (uint8_t)request->argument};
	if (request->argument > UINT8_MAX || ip_prefix_trouble(&prefix))
		return HIPHOP_REFUSED;
	for (size_t i = 0; i < policy->prefix_count; i++)
		if (ip_prefix_is_inside(&prefix, &policy->prefixes[i]))
			return HIPHOP_OK;
	return HIPHOP_REFUSED;
}

hiphop_error helper_request_check(
	const struct helper_policy *policy, const void *octets, size_t length, struct helper_request *request)
{
	if (length != sizeof *request)
		return HIPHOP_MALFORMED;
	memcpy(request, octets, sizeof *request);
	bool is_route = request->choice == HELPER_ADD_ROUTE || request->choice == HELPER_REMOVE_ROUTE;
	if (request->magic != HELPER_MAGIC || request->reserved ||
		(!is_route && !address_equal(&request->prefix, &(struct address){{0}})))
		return HIPHOP_MALFORMED;
	switch (request->choice) {
	case HELPER_SETUP_NETWORK:
	case HELPER_OPEN_QUEUE:
		return request->argument ? HIPHOP_REFUSED : HIPHOP_OK;
	case HELPER_OPEN_UNDERLAY:
		return check_underlay(policy, request->argument);
	case HELPER_ADD_ROUTE:
	case HELPER_REMOVE_ROUTE:
		return check_route(policy, request);
	default:
		return HIPHOP_UNSUPPORTED;
	}
}

/** Room for one descriptor, and aligned for the kernel. */
union descriptor_room {
	struct cmsghdr align;
	uint8_t octets[CMSG_SPACE(sizeof(int))];
};

hiphop_error helper_message_send(int channel, const void *octets, size_t length, int descriptor)
{
	struct iovec part = {.iov_base = (void *)octets, .iov_len = length};
	union descriptor_room room = {0};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	if (descriptor >= 0) {
		message.msg_control = &room;
		message.msg_controllen = sizeof room;
		struct cmsghdr *control = CMSG_FIRSTHDR(&message);
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(sizeof descriptor);
		memcpy(CMSG_DATA(control), &descriptor, sizeof descriptor);
	}
	ssize_t sent;
	do
		sent = sendmsg(channel, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)length ? HIPHOP_OK : HIPHOP_SYSTEM;
}

static int take_descriptor(struct msghdr *message)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	int descriptor = -1;
	if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS &&
		control->cmsg_len == CMSG_LEN(sizeof descriptor))
		memcpy(&descriptor, CMSG_DATA(control), sizeof descriptor);
	return descriptor;
}

hiphop_error helper_message_receive(int channel, void *octets, size_t capacity, size_t *length, int *descriptor)
{
	struct iovec part = {.iov_base = octets, .iov_len = capacity};
	union descriptor_room room = {0};
	/* Without the padding of CMSG_SPACE, where a second descriptor would find room; what finds none is closed. */
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = CMSG_LEN(sizeof(int))};
	ssize_t got;
	*length = 0;
	*descriptor = -1;
	do
		got = recvmsg(channel, &message, MSG_CMSG_CLOEXEC | MSG_TRUNC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == ECONNRESET ? HIPHOP_NOT_FOUND : HIPHOP_SYSTEM;
	*descriptor = take_descriptor(&message);
	*length = (size_t)got;
	return got == 0 ? HIPHOP_NOT_FOUND : HIPHOP_OK;
}
