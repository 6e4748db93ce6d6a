/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/tunnel_device.h"

#include "kernel-helpers/segmentation.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#define TUNNEL_CONTROL "/dev/net/tun"
/** A packet of the stack at most: 65,535 octets behind the IPv6 header. */
#define SUPERPACKET_MAXIMUM (40 + 65535)
#define IPV6_HEADER         40
#define TCP_CHECKSUM        16

struct tunnel_staging {
	struct superpacket superpacket; /**< in `octets`, on its way out in segments */
	struct virtio_net_hdr header;
	uint8_t octets[SUPERPACKET_MAXIMUM];
};

static bool name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	       c == '.';
}

bool tunnel_name_is_valid(const char *name)
{
	size_t length = strlen(name);
	if (length == 0 || length >= TUNNEL_NAME_SIZE || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!name_character(name[i]))
			return false;
	return true;
}

static hiphop_error open_error(int error_number)
{
	switch (error_number) {
	case EACCES:
	case EPERM:
		return HIPHOP_REFUSED;
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return HIPHOP_UNSUPPORTED;
	case EBUSY:
	case EEXIST:
		return HIPHOP_EXISTS;
	default:
		return HIPHOP_SYSTEM;
	}
}

hiphop_error tunnel_queue_open(int *descriptor)
{
	*descriptor = open(TUNNEL_CONTROL, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return *descriptor < 0 ? open_error(errno) : HIPHOP_OK;
}

hiphop_error tunnel_queue_attach(int descriptor, const char *name)
{
	struct ifreq request = {0};
	if (!tunnel_name_is_valid(name))
		return HIPHOP_INVALID_ARGUMENT;
	strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
	request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE | IFF_VNET_HDR;
	if (ioctl(descriptor, TUNSETIFF, &request) == 0)
		return HIPHOP_OK;
	/* The kernel says EINVAL for a device of this name that is of another sort. */
	return errno == EINVAL ? HIPHOP_EXISTS : open_error(errno);
}

hiphop_error tunnel_device_open(const char *name, struct tunnel_device *tunnel)
{
	*tunnel = (struct tunnel_device){.descriptor = -1};
	if (!tunnel_name_is_valid(name))
		return HIPHOP_INVALID_ARGUMENT;
	tunnel->staging = calloc(1, sizeof *tunnel->staging);
	if (!tunnel->staging)
		return HIPHOP_NO_MEMORY;
	hiphop_error error = tunnel_queue_open(&tunnel->descriptor);
	if (!error)
		error = tunnel_queue_attach(tunnel->descriptor, name);
	/* A kernel that cannot leave checksums and segments to us makes them itself. */
	if (!error)
		(void)ioctl(tunnel->descriptor, TUNSETOFFLOAD, (unsigned long)(TUN_F_CSUM | TUN_F_TSO6));
	if (error) {
		int kept = errno;
		tunnel_device_close(tunnel);
		errno = kept;
	}
	return error;
}

void tunnel_device_close(struct tunnel_device *tunnel)
{
	if (tunnel->descriptor >= 0)
		close(tunnel->descriptor);
	tunnel->descriptor = -1;
	free(tunnel->staging);
	tunnel->staging = NULL;
}

const char *tunnel_open_trouble(hiphop_error error, int error_number)
{
	if (error == HIPHOP_REFUSED && error_number == EACCES)
		return "/dev/net/tun may not be opened by this user (its mode is often 0600; as root, `chmod 0666 "
		       "/dev/net/tun` opens it to "
		       "all users, as udev does by default)";
	if (error == HIPHOP_REFUSED)
		return "CAP_NET_ADMIN is missing; start as root, or inside `unshare -Urnm`";
	if (error == HIPHOP_UNSUPPORTED)
		return "there is no /dev/net/tun; the kernel needs CONFIG_TUN (`modprobe tun`)";
	if (error == HIPHOP_EXISTS)
		return "a device of this name exists already; another hiphopd may be running, or choose another "
		       "tunnel.name";
	if (error == HIPHOP_INVALID_ARGUMENT)
		return "the name is not one of 1 to 15 letters, digits, '-', '_' and '.'";
	return strerror(error_number);
}

/* ---- reading ---- */

/* What the stack has left to the device, for a packet that need not be cut. */
static bool finish_packet(struct tunnel_staging *staging, size_t length, struct packet *packet)
{
	const struct virtio_net_hdr *header = &staging->header;
	if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM &&
		!checksum_complete(staging->octets, length, header->csum_start, header->csum_offset))
		return false;
	return packet_fill(packet, PACKET_INNER, staging->octets, length) == HIPHOP_OK;
}

/* Takes one packet from the kernel: into `vector`, or to the staging when it is to be cut. False when nothing waits. */
static bool read_packet(struct tunnel_device *tunnel, struct packet_vector *vector)
{
	struct tunnel_staging *staging = tunnel->staging;
	const struct virtio_net_hdr *header = &staging->header;
	struct iovec parts[] = {{&staging->header, sizeof staging->header}, {staging->octets, sizeof staging->octets}};
	ssize_t got = readv(tunnel->descriptor, parts, 2);
	if (got <= (ssize_t)sizeof staging->header)
		return false;
	size_t length = (size_t)got - sizeof staging->header;
	if (header->gso_type == VIRTIO_NET_HDR_GSO_NONE) {
		struct packet *packet = packet_vector_add(vector);
		if (!packet || !finish_packet(staging, length, packet))
			tunnel->unreadable_packets++;
	} else if (header->gso_type != VIRTIO_NET_HDR_GSO_TCPV6 ||
		   superpacket_start(
			   &staging->superpacket, staging->octets, length, header->csum_start, header->gso_size)) {
		tunnel->unreadable_packets++;
	}
	return true;
}

static void cut_staged(struct tunnel_device *tunnel, struct packet_vector *vector)
{
	struct superpacket *superpacket = &tunnel->staging->superpacket;
	struct packet *packet;
	while (superpacket_left(superpacket) && (packet = packet_vector_add(vector)))
		superpacket_next(superpacket, packet);
}

size_t tunnel_read(struct tunnel_device *tunnel, struct packet_vector *vector)
{
	vector->count = 0;
	if (tunnel_holds(tunnel)) {
		cut_staged(tunnel, vector);
	} else {
		while (vector->count < PACKET_VECTOR_MAXIMUM && read_packet(tunnel, vector))
			cut_staged(tunnel, vector);
	}
	tunnel->read_packets += vector->count;
	return vector->count;
}

bool tunnel_holds(const struct tunnel_device *tunnel)
{
	return tunnel->staging && superpacket_left(&tunnel->staging->superpacket);
}

/* ---- writing ---- */

/* Writes the packets of a run as one. */
static bool write_run(struct tunnel_device *tunnel, struct packet *first, const struct segment_run *run)
{
	struct virtio_net_hdr header = {.gso_type = VIRTIO_NET_HDR_GSO_NONE};
	struct iovec parts[1 + PACKET_VECTOR_MAXIMUM] = {{&header, sizeof header}, {packet_data(first), first->length}};
	for (size_t i = 1; i < run->count; i++) {
		parts[1 + i].iov_base = packet_data(&first[i]) + run->header;
		parts[1 + i].iov_len = first[i].length - run->header;
	}
	if (run->count > 1) {
		header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		header.gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
		header.gso_size = (uint16_t)run->segment;
		header.hdr_len = (uint16_t)run->header;
		header.csum_start = IPV6_HEADER;
		header.csum_offset = TCP_CHECKSUM;
	}
	ssize_t written = writev(tunnel->descriptor, parts, 1 + (int)run->count);
	return written == (ssize_t)(sizeof header + run->length);
}

void tunnel_write(struct tunnel_device *tunnel, struct packet_vector *vector)
{
	struct segment_run run;
	for (size_t i = 0; i < vector->count; i += run.count) {
		struct packet *packet = &vector->packets[i];
		run.count = 1;
		if (packet->kind != PACKET_INNER)
			continue;
		run = segments_join(vector, i);
		if (write_run(tunnel, packet, &run))
			tunnel->written_packets += run.count;
		else
			tunnel->dropped_packets += run.count;
	}
}
