/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/tunnel_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TUNNEL_CONTROL "/dev/net/tun"

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
	request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE;
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
	hiphop_error error = tunnel_queue_open(&tunnel->descriptor);
	if (error)
		return error;
	error = tunnel_queue_attach(tunnel->descriptor, name);
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

size_t tunnel_read(struct tunnel_device *tunnel, struct packet_vector *vector)
{
	vector->count = 0;
	while (vector->count < PACKET_VECTOR_MAXIMUM) {
		struct packet *packet = &vector->packets[vector->count];
		packet_reset(packet);
		ssize_t length = read(tunnel->descriptor, packet_data(packet), PACKET_DATA_MAXIMUM);
		if (length <= 0)
			break;
		packet->kind = PACKET_INNER;
		packet->length = (uint16_t)length;
		vector->count++;
	}
	tunnel->read_packets += vector->count;
	return vector->count;
}

void tunnel_write(struct tunnel_device *tunnel, struct packet_vector *vector)
{
	for (size_t i = 0; i < vector->count; i++) {
		struct packet *packet = &vector->packets[i];
		if (packet->kind != PACKET_INNER)
			continue;
		if (write(tunnel->descriptor, packet_data(packet), packet->length) == packet->length)
			tunnel->written_packets++;
		else
			tunnel->dropped_packets++;
	}
}
