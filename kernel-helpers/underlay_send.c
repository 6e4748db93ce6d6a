/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/underlay_internal.h"

#include <errno.h>
#include <string.h>

/** Octets of one joined datagram: what IPv4 can carry. */
#define JOINED_MAXIMUM 65507

/** Messages that are being made of a vector. */
struct sending {
	struct underlay_exchange exchange;
	unsigned count; /**< messages */
	size_t parts;
	const struct packet *first;                        /**< of the last message; NULL when nothing may join it */
	size_t length;                                     /**< octets of the last message */
	const struct packet *bound[PACKET_VECTOR_MAXIMUM]; /**< of each message, when it names an interface */
};

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
	case PACKET_ICMP:
		return ipv4 ? UNDERLAY_ICMP_IPV4 : UNDERLAY_ICMP_IPV6;
	default:
		return -1;
	}
}

static void put_ancillary(struct msghdr *message, int level, int type, const void *data, size_t length)
{
	struct cmsghdr *part = (struct cmsghdr *)((uint8_t *)message->msg_control + message->msg_controllen);
	part->cmsg_level = level;
	part->cmsg_type = type;
	part->cmsg_len = CMSG_LEN(length);
	memcpy(CMSG_DATA(part), data, length);
	message->msg_controllen += CMSG_SPACE(length);
}

/** The source and the interface, in the place of the first ancillary part. */
static void write_source(void *place, const struct address *source, struct underlay_way way, bool ipv4_socket)
{
	if (ipv4_socket) {
		struct in_pktinfo info = {.ipi_ifindex = (int)way.interface, .ipi_spec_dst = address_to_ipv4(source)};
		memcpy(place, &info, sizeof info);
		return;
	}
	struct in6_pktinfo info = {.ipi6_ifindex = way.interface};
	if (!way.nameless)
		memcpy(&info.ipi6_addr, source->octets, sizeof source->octets);
	memcpy(place, &info, sizeof info);
}

static void put_source(struct msghdr *message, const struct address *source, struct underlay_way way, bool ipv4_socket)
{
	struct in6_pktinfo room;
	write_source(&room, source, way, ipv4_socket);
	if (ipv4_socket)
		put_ancillary(message, IPPROTO_IP, IP_PKTINFO, &room, sizeof(struct in_pktinfo));
	else
		put_ancillary(message, IPPROTO_IPV6, IPV6_PKTINFO, &room, sizeof room);
}

static void begin_message(
	struct underlay_sockets *sockets, struct sending *sending, bool ipv4_socket, struct packet *packet)
{
	struct underlay_exchange *exchange = &sending->exchange;
	struct msghdr *message = &exchange->messages[sending->count].msg_hdr;
	union socket_address *name = &exchange->names[sending->count];
	union underlay_ancillary *ancillary = &exchange->ancillaries[sending->count];
	/* Raw IPv6 sockets take a port for a protocol number; ours is 0 there. */
	uint16_t port = packet->kind == PACKET_DATAGRAM ? packet->remote.port : 0;
	memset(ancillary, 0, sizeof *ancillary);
	*message = (struct msghdr){
		.msg_name = name, .msg_iov = &exchange->parts[sending->parts], .msg_control = ancillary};
	message->msg_namelen = ipv4_socket ? socket_address_ipv4(name, &packet->remote.address, port)
					   : socket_address_ipv6(name, &packet->remote.address, port);
	sending->bound[sending->count] = NULL;
	if (!address_is_unspecified(&packet->local.address)) {
		struct underlay_way way =
			underlay_way_between(sockets->links, &packet->local.address, &packet->remote.address);
		put_source(message, &packet->local.address, way, ipv4_socket);
		sending->bound[sending->count] = way.interface ? packet : NULL;
	}
	sending->first = packet;
	sending->length = 0;
	sending->count++;
}

static void start_sending(struct sending *sending)
{
	sending->count = 0;
	sending->parts = sending->length = 0;
	sending->first = NULL;
}

static bool joins(const struct sending *sending, const struct packet *packet)
{
	const struct packet *first = sending->first;
	return first && packet->length && packet->length <= first->length &&
	       sending->length + packet->length <= JOINED_MAXIMUM && endpoint_equal(&first->remote, &packet->remote) &&
	       endpoint_equal(&first->local, &packet->local);
}

static void add_packet(
	struct underlay_sockets *sockets, struct sending *sending, bool ipv4_socket, struct packet *packet)
{
	struct underlay_exchange *exchange = &sending->exchange;
	if (!joins(sending, packet))
		begin_message(sockets, sending, ipv4_socket, packet);
	exchange->messages[sending->count - 1].msg_hdr.msg_iovlen++;
	exchange->parts[sending->parts++] = (struct iovec){.iov_base = packet_data(packet), .iov_len = packet->length};
	sending->length += packet->length;
	/* Only the last of a run may be shorter. */
	if (packet->length < sending->first->length || packet->kind != PACKET_DATAGRAM || !sockets->segmentation)
		sending->first = NULL;
}

static void put_segment_lengths(struct sending *sending)
{
	for (unsigned i = 0; i < sending->count; i++) {
		struct msghdr *message = &sending->exchange.messages[i].msg_hdr;
		uint16_t segment = (uint16_t)message->msg_iov[0].iov_len;
		if (message->msg_iovlen > 1)
			put_ancillary(message, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment);
	}
}

static void count_send_error(struct underlay_sockets *sockets, int error_number)
{
	sockets->send_errors++;
	sockets->last_send_error = error_number;
}

/** The datagrams of a joined message one by one. */
static void send_apart(struct underlay_sockets *sockets, int descriptor, const struct msghdr *joined)
{
	struct msghdr message = *joined;
	message.msg_iovlen = 1;
	message.msg_controllen -= CMSG_SPACE(sizeof(uint16_t));
	for (size_t i = 0; i < joined->msg_iovlen; i++) {
		message.msg_iov = &joined->msg_iov[i];
		if (sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			sockets->sent_packets++;
		else
			count_send_error(sockets, errno);
	}
}

/** True when there was no way by the interface that message `which` named, and it left without. */
static bool send_unbound(struct underlay_sockets *sockets, int descriptor, struct sending *sending, unsigned which)
{
	struct msghdr *message = &sending->exchange.messages[which].msg_hdr;
	struct cmsghdr *part = message->msg_control;
	const struct packet *packet = sending->bound[which];
	const struct underlay_way as_routed = {0};
	underlay_way_failed(sockets->links, &packet->local.address, &packet->remote.address);
	write_source(CMSG_DATA(part), &packet->local.address, as_routed, part->cmsg_level == IPPROTO_IP);
	if (sendmsg(descriptor, message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return false;
	sockets->unbound_messages++;
	sockets->sent_packets += message->msg_iovlen;
	return true;
}

/** What could not be sent. A late ICMP error of an earlier packet can also show here; either way this message counts as
 *  lost, the rest goes on. */
static void settle_failure(struct underlay_sockets *sockets, int descriptor, struct sending *sending, unsigned which)
{
	const struct msghdr *message = &sending->exchange.messages[which].msg_hdr;
	int error_number = errno;
	bool no_way = error_number == ENETUNREACH || error_number == EHOSTUNREACH;
	if (no_way && sending->bound[which] && send_unbound(sockets, descriptor, sending, which))
		return;
	/* A device that makes no checksums cannot cut (EIO). What is larger than the path's MTU cannot be cut either
	 * (EMSGSIZE, from older kernels EINVAL), but be fragmented. */
	bool uncut = error_number == EIO || error_number == EMSGSIZE || error_number == EINVAL;
	if (message->msg_iovlen > 1 && uncut) {
		sockets->segmentation = sockets->segmentation && error_number != EIO;
		send_apart(sockets, descriptor, message);
		return;
	}
	for (size_t i = 0; i < message->msg_iovlen; i++)
		count_send_error(sockets, error_number);
}

static void send_messages(struct underlay_sockets *sockets, int descriptor, struct sending *sending)
{
	struct mmsghdr *messages = sending->exchange.messages;
	unsigned done = 0;
	while (done < sending->count) {
		int sent = sendmmsg(descriptor, messages + done, sending->count - done, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent <= 0) {
			settle_failure(sockets, descriptor, sending, done);
			done++;
			continue;
		}
		for (int i = 0; i < sent; i++)
			sockets->sent_packets += messages[done++].msg_hdr.msg_iovlen;
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
	struct sending sending; /* some 10 KB, of which only what is used needs a value */
	bool ipv4_socket = underlay_sorts[which].family == AF_INET || (which == UNDERLAY_UDP && sockets->ipv4_only);
	start_sending(&sending);
	for (size_t i = 0; i < vector->count; i++) {
		struct packet *packet = &vector->packets[i];
		if (socket_for(packet) != which)
			continue;
		if (is_sendable(sockets, packet, which))
			add_packet(sockets, &sending, ipv4_socket, packet);
		else
			count_send_error(sockets, EAFNOSUPPORT);
	}
	put_segment_lengths(&sending);
	send_messages(sockets, sockets->descriptors[which], &sending);
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
