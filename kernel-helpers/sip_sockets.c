/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/sip_sockets.h"

#include "kernel-helpers/socket_address.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LISTEN_BACKLOG 64
#define FIRST_PLACES   3

void sip_sockets_start(struct sip_sockets *sockets)
{
	*sockets = (struct sip_sockets){.count = FIRST_PLACES};
	for (size_t i = 0; i < SIP_PLACES; i++) {
		sockets->places[i].datagram = -1;
		sockets->places[i].listener = -1;
	}
}

static void set_option(int descriptor, int level, int name, int value)
{
	(void)setsockopt(descriptor, level, name, &value, sizeof value);
}

static int open_at(const struct endpoint *local, int type)
{
	union socket_address name;
	socklen_t length = socket_address_natural(&name, &local->address, local->port);
	int descriptor = socket(name.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return -1;
	/* The address of hip0 may come a moment later, those of local networks much later. */
	if (name.any.sa_family == AF_INET6)
		set_option(descriptor, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	else
		set_option(descriptor, IPPROTO_IP, IP_FREEBIND, 1);
	if (type == SOCK_STREAM)
		set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(descriptor, &name.any, length) == 0 &&
		(type != SOCK_STREAM || listen(descriptor, LISTEN_BACKLOG) == 0))
		return descriptor;
	int kept = errno;
	close(descriptor);
	errno = kept;
	return -1;
}

/** Opens both sockets of a place. HIPHOP_SYSTEM leaves it closed. */
static hiphop_error open_place(struct sip_place *place)
{
	place->datagram = open_at(&place->local, SOCK_DGRAM);
	if (place->datagram >= 0)
		place->listener = open_at(&place->local, SOCK_STREAM);
	if (place->listener >= 0)
		return HIPHOP_OK;
	int kept = errno;
	if (place->datagram >= 0)
		close(place->datagram);
	place->datagram = -1;
	errno = kept;
	return kept == EADDRINUSE ? HIPHOP_EXISTS : HIPHOP_SYSTEM;
}

hiphop_error sip_sockets_add(struct sip_sockets *sockets, const struct address *address)
{
	if (sockets->count == SIP_PLACES)
		return HIPHOP_LIMITED;
	sockets->places[sockets->count++].local.address = *address;
	return HIPHOP_OK;
}

hiphop_error sip_sockets_open(struct sip_sockets *sockets, const struct hit *own, uint16_t port, struct endpoint *where)
{
	size_t opened = 0;
	memcpy(sockets->places[0].local.address.octets, own->octets, sizeof own->octets);
	address_parse("::1", &sockets->places[1].local.address);
	address_parse("127.0.0.1", &sockets->places[2].local.address);
	for (size_t i = 0; i < sockets->count; i++) {
		struct sip_place *place = &sockets->places[i];
		place->local.port = port;
		hiphop_error error = open_place(place);
		if (error == HIPHOP_EXISTS || (error && i >= FIRST_PLACES)) {
			int kept = errno;
			if (where)
				*where = place->local;
			sip_sockets_close(sockets);
			errno = kept;
			return error;
		}
		opened += !error;
	}
	return opened ? HIPHOP_OK : HIPHOP_SYSTEM;
}

void sip_sockets_close(struct sip_sockets *sockets)
{
	for (size_t i = 0; i < SIP_PLACES; i++) {
		if (sockets->places[i].datagram >= 0)
			close(sockets->places[i].datagram);
		if (sockets->places[i].listener >= 0)
			close(sockets->places[i].listener);
	}
	sip_sockets_start(sockets);
}

bool sip_datagram_receive(
	struct sip_sockets *sockets, size_t place, struct endpoint *remote, uint8_t *octets, size_t *length)
{
	union socket_address name;
	socklen_t room = sizeof name;
	*remote = (struct endpoint){0};
	ssize_t got =
		recvfrom(sockets->places[place].datagram, octets, SIP_MESSAGE_MAXIMUM, MSG_DONTWAIT, &name.any, &room);
	if (got < 0 || !socket_address_read(&name, &remote->address, &remote->port))
		return false;
	*length = (size_t)got;
	return true;
}

static int place_for(const struct sip_sockets *sockets, const struct endpoint *local, const struct endpoint *remote)
{
	for (int i = 0; i < SIP_PLACES; i++) {
		const struct sip_place *place = &sockets->places[i];
		if (place->datagram < 0)
			continue;
		if (address_is_unspecified(&local->address)
				? address_is_ipv4(&place->local.address) == address_is_ipv4(&remote->address)
				: address_equal(&place->local.address, &local->address))
			return i;
	}
	return -1;
}

void sip_datagram_send(struct sip_sockets *sockets, const struct endpoint *local, const struct endpoint *remote,
	const uint8_t *octets, size_t length)
{
	union socket_address name;
	int place = place_for(sockets, local, remote);
	if (place < 0) {
		sockets->send_errors++;
		return;
	}
	socklen_t size = socket_address_natural(&name, &remote->address, remote->port);
	if (sendto(sockets->places[place].datagram, octets, length, MSG_DONTWAIT | MSG_NOSIGNAL, &name.any, size) < 0)
		sockets->send_errors++;
}

static bool read_names(struct sip_stream *stream)
{
	union socket_address name;
	socklen_t room = sizeof name;
	if (getsockname(stream->descriptor, &name.any, &room) < 0 ||
		!socket_address_read(&name, &stream->local.address, &stream->local.port))
		return false;
	room = sizeof name;
	return getpeername(stream->descriptor, &name.any, &room) == 0 &&
	       socket_address_read(&name, &stream->remote.address, &stream->remote.port);
}

static int accept_one(const struct sip_sockets *sockets, size_t place)
{
	return accept4(sockets->places[place].listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

hiphop_error sip_stream_accept(const struct sip_sockets *sockets, size_t place, struct sip_stream *stream)
{
	*stream = (struct sip_stream){.descriptor = accept_one(sockets, place)};
	if (stream->descriptor < 0)
		return errno == EAGAIN ? HIPHOP_NOT_FOUND : HIPHOP_SYSTEM;
	set_option(stream->descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
	if (read_names(stream))
		return HIPHOP_OK;
	sip_stream_close(stream);
	return HIPHOP_SYSTEM;
}

bool sip_stream_reject(const struct sip_sockets *sockets, size_t place)
{
	int descriptor = accept_one(sockets, place);
	if (descriptor < 0)
		return false;
	close(descriptor);
	return true;
}

static bool bind_source(int descriptor, const struct endpoint *local)
{
	union socket_address name;
	if (address_is_unspecified(&local->address))
		return true;
	socklen_t length = socket_address_natural(&name, &local->address, 0);
	set_option(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	return bind(descriptor, &name.any, length) == 0;
}

hiphop_error sip_stream_connect(struct sip_stream *stream, const struct endpoint *local, const struct endpoint *remote)
{
	union socket_address name;
	socklen_t length = socket_address_natural(&name, &remote->address, remote->port);
	*stream = (struct sip_stream){.local = *local, .remote = *remote};
	stream->descriptor = socket(name.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (stream->descriptor < 0)
		return HIPHOP_SYSTEM;
	set_option(stream->descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
	if (bind_source(stream->descriptor, local) &&
		(connect(stream->descriptor, &name.any, length) == 0 || errno == EINPROGRESS)) {
		stream->connecting = true;
		return HIPHOP_OK;
	}
	sip_stream_close(stream);
	return HIPHOP_SYSTEM;
}

hiphop_error sip_stream_finish_connect(struct sip_stream *stream)
{
	int failure = 0;
	socklen_t room = sizeof failure;
	if (getsockopt(stream->descriptor, SOL_SOCKET, SO_ERROR, &failure, &room) < 0 || failure || !read_names(stream))
		return HIPHOP_SYSTEM;
	stream->connecting = false;
	return HIPHOP_OK;
}

hiphop_error sip_stream_read(struct sip_stream *stream, uint8_t *octets, size_t capacity, size_t *length)
{
	*length = 0;
	ssize_t got = recv(stream->descriptor, octets, capacity, MSG_DONTWAIT);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? HIPHOP_OK : HIPHOP_SYSTEM;
	*length = (size_t)got;
	return got == 0 ? HIPHOP_NOT_FOUND : HIPHOP_OK;
}

/** Returns what the kernel took, or -1. */
static ssize_t send_some(const struct sip_stream *stream, const uint8_t *octets, size_t length)
{
	ssize_t sent = send(stream->descriptor, octets, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
}

static hiphop_error keep_for_later(struct sip_stream *stream, const uint8_t *octets, size_t length)
{
	if (length == 0)
		return HIPHOP_OK;
	if (length > SIP_STREAM_BACKLOG - stream->backlog_length)
		return HIPHOP_TOO_LARGE;
	uint8_t *larger = realloc(stream->backlog, stream->backlog_length + length);
	if (!larger)
		return HIPHOP_NO_MEMORY;
	memcpy(larger + stream->backlog_length, octets, length);
	stream->backlog = larger;
	stream->backlog_length += length;
	return HIPHOP_OK;
}

hiphop_error sip_stream_write(struct sip_stream *stream, const uint8_t *octets, size_t length)
{
	if (stream->connecting || stream->backlog_length > 0)
		return keep_for_later(stream, octets, length);
	ssize_t sent = send_some(stream, octets, length);
	return sent < 0 ? HIPHOP_SYSTEM : keep_for_later(stream, octets + sent, length - (size_t)sent);
}

hiphop_error sip_stream_flush(struct sip_stream *stream)
{
	if (stream->backlog_length == 0)
		return HIPHOP_OK;
	ssize_t sent = send_some(stream, stream->backlog, stream->backlog_length);
	if (sent < 0)
		return HIPHOP_SYSTEM;
	stream->backlog_length -= (size_t)sent;
	memmove(stream->backlog, stream->backlog + sent, stream->backlog_length);
	if (stream->backlog_length == 0) {
		free(stream->backlog);
		stream->backlog = NULL;
	}
	return HIPHOP_OK;
}

bool sip_stream_wants_write(const struct sip_stream *stream)
{
	return stream->connecting || stream->backlog_length > 0;
}

void sip_stream_close(struct sip_stream *stream)
{
	if (stream->descriptor >= 0)
		close(stream->descriptor);
	free(stream->backlog);
	*stream = (struct sip_stream){.descriptor = -1};
}
