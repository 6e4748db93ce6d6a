/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/underlay_sockets.h"

#include "kernel-helpers/socket_address.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PROTOCOL_HIP 139
#define PROTOCOL_ESP 50
/** Asked of the kernel; what it grants may be less. */
#define SOCKET_BUFFER (4 * 1024 * 1024)

struct socket_sort {
	const char *name;
	int family;
	int protocol;
};

static const struct socket_sort sorts[UNDERLAY_SOCKETS] = {
	[UNDERLAY_UDP] = {"UDP", AF_INET6, IPPROTO_UDP},
	[UNDERLAY_HIP_IPV4] = {"HIP over IPv4", AF_INET, PROTOCOL_HIP},
	[UNDERLAY_HIP_IPV6] = {"HIP over IPv6", AF_INET6, PROTOCOL_HIP},
	[UNDERLAY_ESP_IPV4] = {"ESP over IPv4", AF_INET, PROTOCOL_ESP},
	[UNDERLAY_ESP_IPV6] = {"ESP over IPv6", AF_INET6, PROTOCOL_ESP},
};

void underlay_sockets_start(struct underlay_sockets *sockets)
{
	*sockets = (struct underlay_sockets){0};
	for (size_t i = 0; i < UNDERLAY_SOCKETS; i++)
		sockets->descriptors[i] = -1;
}

const char *underlay_socket_name(underlay_socket which)
{
	return which < UNDERLAY_SOCKETS ? sorts[which].name : "unknown";
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
	int descriptor = open_socket(sorts[which].family, SOCK_RAW, sorts[which].protocol);
	if (descriptor < 0)
		return socket_error(errno);
	/* The HIP checksum is made by hip/wire over addresses of its choice; the kernel must keep its hands off. */
	if (sorts[which].family == AF_INET6)
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
}

/** Room for one IP_PKTINFO or IPV6_PKTINFO. */
union ancillary {
	struct cmsghdr align;
	uint8_t octets[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/** What recvmmsg and sendmmsg want, for one vector. */
struct exchange {
	struct mmsghdr messages[PACKET_VECTOR_MAXIMUM];
	struct iovec parts[PACKET_VECTOR_MAXIMUM];
	union socket_address names[PACKET_VECTOR_MAXIMUM];
	union ancillary ancillaries[PACKET_VECTOR_MAXIMUM];
};

static void prepare_receive(struct exchange *exchange, struct packet_vector *vector)
{
	for (size_t i = 0; i < PACKET_VECTOR_MAXIMUM; i++) {
		struct packet *packet = &vector->packets[i];
		packet_reset(packet);
		exchange->parts[i] = (struct iovec){.iov_base = packet_data(packet), .iov_len = PACKET_DATA_MAXIMUM};
		exchange->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &exchange->names[i],
			.msg_namelen = sizeof exchange->names[i],
			.msg_iov = &exchange->parts[i],
			.msg_iovlen = 1,
			.msg_control = &exchange->ancillaries[i],
			.msg_controllen = sizeof exchange->ancillaries[i],
		};
	}
}

static void read_destination(struct msghdr *message, struct address *destination)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(part), sizeof info);
			memcpy(destination->octets, &info.ipi6_addr, sizeof destination->octets);
		} else if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(part), sizeof info);
			*destination = address_from_ipv4(info.ipi_addr);
		}
	}
}

/** Raw IPv4 sockets hand out the IP header as well. */
static bool strip_ipv4_header(struct packet *packet)
{
	if (packet->length < 20)
		return false;
	uint16_t header = (uint16_t)((packet_data(packet)[0] & 0x0f) * 4);
	if (header < 20 || header > packet->length)
		return false;
	packet->offset = (uint16_t)(packet->offset + header);
	packet->length = (uint16_t)(packet->length - header);
	return true;
}

static bool finish_packet(const struct underlay_sockets *sockets, underlay_socket which, struct mmsghdr *message,
	const union socket_address *name, struct packet *packet)
{
	if (message->msg_hdr.msg_flags & MSG_TRUNC || message->msg_len > PACKET_DATA_MAXIMUM)
		return false;
	packet->length = (uint16_t)message->msg_len;
	if (!socket_address_read(name, &packet->remote.address, &packet->remote.port))
		return false;
	read_destination(&message->msg_hdr, &packet->local.address);
	if (which == UNDERLAY_UDP) {
		packet->kind = PACKET_DATAGRAM;
		packet->local.port = sockets->port;
		return true;
	}
	packet->kind = sorts[which].protocol == PROTOCOL_HIP ? PACKET_HIP : PACKET_ESP;
	packet->local.transport = packet->remote.transport = TRANSPORT_IP;
	packet->remote.port = 0;
	return sorts[which].family != AF_INET || strip_ipv4_header(packet);
}

size_t underlay_receive(struct underlay_sockets *sockets, underlay_socket which, struct packet_vector *vector)
{
	struct exchange exchange;
	vector->count = 0;
	prepare_receive(&exchange, vector);
	int got = recvmmsg(sockets->descriptors[which], exchange.messages, PACKET_VECTOR_MAXIMUM, MSG_DONTWAIT, NULL);
	if (got <= 0)
		return 0;
	vector->count = (size_t)got;
	for (size_t i = 0; i < vector->count; i++) {
		struct packet *packet = &vector->packets[i];
		if (finish_packet(sockets, which, &exchange.messages[i], &exchange.names[i], packet)) {
			sockets->received_packets++;
		} else {
			packet->kind = PACKET_DROPPED;
			sockets->dropped_packets++;
		}
	}
	return vector->count;
}

static int socket_for(const struct packet *packet)
{
	bool ipv4 = address_is_ipv4(&packet->remote.address);
	switch (packet->kind) {
	case PACKET_DATAGRAM:
		return UNDERLAY_UDP;
	case PACKET_HIP:
		return ipv4 ? UNDERLAY_HIP_IPV4 : UNDERLAY_HIP_IPV6;
	case PACKET_ESP:
		return ipv4 ? UNDERLAY_ESP_IPV4 : UNDERLAY_ESP_IPV6;
	default:
		return -1;
	}
}

static void put_source(
	struct msghdr *message, union ancillary *ancillary, const struct address *source, bool ipv4_socket)
{
	memset(ancillary, 0, sizeof *ancillary);
	message->msg_control = ancillary;
	message->msg_controllen = sizeof *ancillary;
	struct cmsghdr *part = CMSG_FIRSTHDR(message);
	if (ipv4_socket) {
		struct in_pktinfo info = {.ipi_spec_dst = address_to_ipv4(source)};
		part->cmsg_level = IPPROTO_IP;
		part->cmsg_type = IP_PKTINFO;
		part->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(part), &info, sizeof info);
	} else {
		struct in6_pktinfo info = {0};
		memcpy(&info.ipi6_addr, source->octets, sizeof source->octets);
		part->cmsg_level = IPPROTO_IPV6;
		part->cmsg_type = IPV6_PKTINFO;
		part->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(part), &info, sizeof info);
	}
	message->msg_controllen = CMSG_SPACE(ipv4_socket ? sizeof(struct in_pktinfo) : sizeof(struct in6_pktinfo));
}

static void prepare_send(struct exchange *exchange, size_t at, bool ipv4_socket, struct packet *packet)
{
	struct msghdr *message = &exchange->messages[at].msg_hdr;
	/* Raw IPv6 sockets take a port for a protocol number; ours is 0 there. */
	uint16_t port = packet->kind == PACKET_DATAGRAM ? packet->remote.port : 0;
	exchange->parts[at] = (struct iovec){.iov_base = packet_data(packet), .iov_len = packet->length};
	*message = (struct msghdr){.msg_name = &exchange->names[at], .msg_iov = &exchange->parts[at], .msg_iovlen = 1};
	message->msg_namelen = ipv4_socket ? socket_address_ipv4(&exchange->names[at], &packet->remote.address, port)
					   : socket_address_ipv6(&exchange->names[at], &packet->remote.address, port);
	if (!address_is_unspecified(&packet->local.address))
		put_source(message, &exchange->ancillaries[at], &packet->local.address, ipv4_socket);
}

static void count_send_error(struct underlay_sockets *sockets, int error_number)
{
	sockets->send_errors++;
	sockets->last_send_error = error_number;
}

static void send_run(struct underlay_sockets *sockets, int descriptor, struct mmsghdr *messages, unsigned count)
{
	unsigned done = 0;
	while (done < count) {
		int sent = sendmmsg(descriptor, messages + done, count - done, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent > 0) {
			done += (unsigned)sent;
			sockets->sent_packets += (unsigned)sent;
			continue;
		}
		/* A late ICMP error of an earlier packet can also show here; either way this packet counts as lost, the
		 * rest goes on. */
		count_send_error(sockets, errno);
		done++;
	}
}

static bool is_sendable(const struct underlay_sockets *sockets, const struct packet *packet, int which)
{
	if (sockets->descriptors[which] < 0)
		return false;
	bool ipv4 = address_is_ipv4(&packet->remote.address);
	if (which == UNDERLAY_UDP && sockets->ipv4_only && !ipv4)
		return false;
	return address_is_unspecified(&packet->local.address) || address_is_ipv4(&packet->local.address) == ipv4;
}

static void send_through(struct underlay_sockets *sockets, int which, struct packet_vector *vector)
{
	struct exchange exchange;
	unsigned count = 0;
	bool ipv4_socket = sorts[which].family == AF_INET || (which == UNDERLAY_UDP && sockets->ipv4_only);
	for (size_t i = 0; i < vector->count; i++) {
		struct packet *packet = &vector->packets[i];
		if (socket_for(packet) != which)
			continue;
		if (is_sendable(sockets, packet, which))
			prepare_send(&exchange, count++, ipv4_socket, packet);
		else
			count_send_error(sockets, EAFNOSUPPORT);
	}
	send_run(sockets, sockets->descriptors[which], exchange.messages, count);
}

void underlay_send(struct underlay_sockets *sockets, struct packet_vector *vector)
{
	bool used[UNDERLAY_SOCKETS] = {false};
	for (size_t i = 0; i < vector->count; i++) {
		int which = socket_for(&vector->packets[i]);
		if (which >= 0)
			used[which] = true;
	}
	for (int which = 0; which < UNDERLAY_SOCKETS; which++)
		if (used[which])
			send_through(sockets, which, vector);
}
