/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/media_sockets.h"

#include "kernel-helpers/socket_address.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

void media_sockets_start(struct media_sockets *sockets)
{
	for (size_t i = 0; i < 4; i++)
		sockets->descriptors[i / 2][i % 2] = -1;
}

void media_sockets_close(struct media_sockets *sockets)
{
	for (size_t i = 0; i < 4; i++)
		if (sockets->descriptors[i / 2][i % 2] >= 0)
			close(sockets->descriptors[i / 2][i % 2]);
	media_sockets_start(sockets);
}

static int open_one(const struct address *address, uint16_t port)
{
	const int on = 1;
	union socket_address name;
	socklen_t length = socket_address_natural(&name, address, port);
	bool ipv6 = name.any.sa_family == AF_INET6;
	int descriptor = socket(name.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return -1;
	/* An address may go and come back during a call. */
	(void)setsockopt(
		descriptor, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_FREEBIND : IP_FREEBIND, &on, sizeof on);
	if (bind(descriptor, &name.any, length) == 0)
		return descriptor;
	int kept = errno;
	close(descriptor);
	errno = kept;
	return -1;
}

hiphop_error media_sockets_open(struct media_sockets *sockets, const struct endpoint sides[static 2])
{
	media_sockets_start(sockets);
	for (unsigned i = 0; i < 4; i++) {
		const struct endpoint *side = &sides[i / 2];
		int descriptor = open_one(&side->address, (uint16_t)(side->port + i % 2));
		if (descriptor < 0) {
			hiphop_error error = errno == EADDRINUSE ? HIPHOP_EXISTS : HIPHOP_SYSTEM;
			media_sockets_close(sockets);
			return error;
		}
		sockets->descriptors[i / 2][i % 2] = descriptor;
	}
	return HIPHOP_OK;
}

/** What the kernel wants to know of a vector. */
struct exchange {
	struct mmsghdr messages[MEDIA_VECTOR];
	struct iovec parts[MEDIA_VECTOR];
	union socket_address names[MEDIA_VECTOR];
};

static void prepare(struct exchange *exchange, size_t at, void *octets, size_t length, socklen_t name_length)
{
	exchange->parts[at] = (struct iovec){.iov_base = octets, .iov_len = length};
	exchange->messages[at] = (struct mmsghdr){.msg_hdr = {.msg_name = &exchange->names[at],
							  .msg_namelen = name_length,
							  .msg_iov = &exchange->parts[at],
							  .msg_iovlen = 1}};
}

bool media_receive(int descriptor, struct media_vector *vector)
{
	struct exchange exchange;
	for (size_t i = 0; i < MEDIA_VECTOR; i++)
		prepare(&exchange, i, vector->datagrams[i].octets, MEDIA_DATAGRAM, sizeof exchange.names[i]);
	int got = recvmmsg(descriptor, exchange.messages, MEDIA_VECTOR, MSG_DONTWAIT, NULL);
	vector->count = got > 0 ? (size_t)got : 0;
	for (size_t i = 0; i < vector->count; i++) {
		struct media_datagram *datagram = &vector->datagrams[i];
		const struct msghdr *header = &exchange.messages[i].msg_hdr;
		datagram->going = false;
		datagram->length = exchange.messages[i].msg_len;
		datagram->remote = (struct endpoint){0};
		/* One without a source is nobody's, and goes nowhere. */
		if (header->msg_flags & MSG_TRUNC ||
			!socket_address_read(&exchange.names[i], &datagram->remote.address, &datagram->remote.port))
			datagram->remote.port = 0;
	}
	return got > 0;
}

size_t media_send(int descriptor, const struct media_vector *vector)
{
	struct exchange exchange;
	size_t count = 0, sent = 0, lost = 0;
	for (size_t i = 0; i < vector->count; i++) {
		const struct media_datagram *datagram = &vector->datagrams[i];
		if (!datagram->going)
			continue;
		socklen_t length = socket_address_natural(
			&exchange.names[count], &datagram->remote.address, datagram->remote.port);
		prepare(&exchange, count++, (void *)datagram->octets, datagram->length, length);
	}
	while (sent < count) {
		int taken = sendmmsg(
			descriptor, exchange.messages + sent, (unsigned)(count - sent), MSG_DONTWAIT | MSG_NOSIGNAL);
		/* An error is of the first one alone (an ICMP error of before, an address that is away): the rest may
		 * go. */
		lost += taken <= 0;
		sent += taken > 0 ? (size_t)taken : 1;
	}
	return lost;
}
