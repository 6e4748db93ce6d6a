/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/underlay_internal.h"

#include <string.h>

static void prepare_message(struct underlay_exchange *exchange, size_t at, void *octets, size_t room)
{
	exchange->parts[at] = (struct iovec){.iov_base = octets, .iov_len = room};
	exchange->messages[at].msg_hdr = (struct msghdr){
		.msg_name = &exchange->names[at],
		.msg_namelen = sizeof exchange->names[at],
		.msg_iov = &exchange->parts[at],
		.msg_iovlen = 1,
		.msg_control = &exchange->ancillaries[at],
		.msg_controllen = sizeof exchange->ancillaries[at],
	};
}

static void read_part(const struct cmsghdr *part, struct address *destination, size_t *segment)
{
	const uint8_t *data = CMSG_DATA(part);
	if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;
		memcpy(&info, data, sizeof info);
		memcpy(destination->octets, &info.ipi6_addr, sizeof destination->octets);
	} else if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;
		memcpy(&info, data, sizeof info);
		*destination = address_from_ipv4(info.ipi_addr);
	} else if (part->cmsg_level == IPPROTO_UDP && part->cmsg_type == UDP_GRO) {
		int length;
		memcpy(&length, data, sizeof length);
		*segment = length > 0 ? (size_t)length : *segment;
	}
}

/* Where the message was sent to, and the length of the datagrams in it when the kernel has joined several. */
static void read_ancillary(struct msghdr *message, struct address *destination, size_t *segment)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part))
		read_part(part, destination, segment);
}

/* ---- one datagram a message, straight into the vector ---- */

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
	const struct underlay_sort *sort = &underlay_sorts[which];
	size_t segment = 0;
	if (message->msg_hdr.msg_flags & MSG_TRUNC || message->msg_len > PACKET_DATA_MAXIMUM)
		return false;
	packet->length = (uint16_t)message->msg_len;
	if (!socket_address_read(name, &packet->remote.address, &packet->remote.port))
		return false;
	read_ancillary(&message->msg_hdr, &packet->local.address, &segment);
	if (underlay_is_udp(which)) {
		packet->kind = PACKET_DATAGRAM;
		packet->local.port = sockets->port;
		return true;
	}
	packet->kind = sort->protocol == UNDERLAY_PROTOCOL_HIP ? PACKET_HIP : PACKET_ESP;
	packet->local.transport = packet->remote.transport = TRANSPORT_IP;
	packet->remote.port = 0;
	return sort->family != AF_INET || strip_ipv4_header(packet);
}

static size_t receive_single(struct underlay_sockets *sockets, underlay_socket which, struct packet_vector *vector)
{
	struct underlay_exchange exchange;
	for (size_t i = 0; i < PACKET_VECTOR_MAXIMUM; i++) {
		packet_reset(&vector->packets[i]);
		prepare_message(&exchange, i, packet_data(&vector->packets[i]), PACKET_DATA_MAXIMUM);
	}
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

/* ---- joined datagrams, by way of the staging ---- */

static void finish_joined(
	uint16_t port, struct mmsghdr *message, const union socket_address *name, struct underlay_joined *joined)
{
	joined->local = (struct endpoint){.port = port};
	joined->remote = (struct endpoint){0};
	joined->position = 0;
	joined->length = joined->segment = message->msg_len;
	joined->whole = !(message->msg_hdr.msg_flags & MSG_TRUNC) &&
			socket_address_read(name, &joined->remote.address, &joined->remote.port);
	read_ancillary(&message->msg_hdr, &joined->local.address, &joined->segment);
}

static void fill_staging(struct underlay_sockets *sockets)
{
	struct underlay_staging *staging = sockets->staging;
	struct underlay_exchange exchange;
	staging->count = staging->next = 0;
	for (size_t i = 0; i < UNDERLAY_STAGED; i++)
		prepare_message(&exchange, i, staging->joined[i].octets, UNDERLAY_STAGED_MAXIMUM);
	int got = recvmmsg(sockets->descriptors[UNDERLAY_UDP], exchange.messages, UNDERLAY_STAGED, MSG_DONTWAIT, NULL);
	if (got <= 0)
		return;
	staging->count = (size_t)got;
	for (size_t i = 0; i < staging->count; i++)
		finish_joined(sockets->port, &exchange.messages[i], &exchange.names[i], &staging->joined[i]);
}

/* Gives one datagram out. True when it was the last of its message. */
static bool give_out(struct underlay_sockets *sockets, struct underlay_joined *joined, struct packet *packet)
{
	size_t left = joined->length - joined->position;
	size_t length = left < joined->segment ? left : joined->segment;
	const uint8_t *octets = joined->octets + joined->position;
	joined->position += length;
	if (!joined->whole || packet_fill(packet, PACKET_DATAGRAM, octets, length)) {
		sockets->dropped_packets++;
	} else {
		packet->local = joined->local;
		packet->remote = joined->remote;
		sockets->received_packets++;
	}
	return joined->position == joined->length;
}

static size_t receive_joined(struct underlay_sockets *sockets, struct packet_vector *vector)
{
	struct underlay_staging *staging = sockets->staging;
	struct packet *packet;
	if (staging->next == staging->count)
		fill_staging(sockets);
	while (staging->next < staging->count && (packet = packet_vector_add(vector)))
		staging->next += give_out(sockets, &staging->joined[staging->next], packet);
	return vector->count;
}

size_t underlay_receive(struct underlay_sockets *sockets, underlay_socket which, struct packet_vector *vector)
{
	vector->count = 0;
	if (which == UNDERLAY_UDP && sockets->staging)
		return receive_joined(sockets, vector);
	return receive_single(sockets, which, vector);
}

bool underlay_holds(const struct underlay_sockets *sockets, underlay_socket which)
{
	return which == UNDERLAY_UDP && sockets->staging && sockets->staging->next < sockets->staging->count;
}
