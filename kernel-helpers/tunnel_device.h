/* SPDX-License-Identifier: MIT */
/**
 * The TUN device through which the host sees HITs: IPv6 packets behind a struct virtio_net_hdr (IFF_VNET_HDR), without
 * packet information (IFF_NO_PI). To the stack it is a device that makes checksums and cuts TCP (TSO): one read may
 * bring 64 KiB of one flow, and segments that follow one another are written as one.
 */
#ifndef HIPHOP_KERNEL_HELPERS_TUNNEL_DEVICE_H
#define HIPHOP_KERNEL_HELPERS_TUNNEL_DEVICE_H

#include "hip/base/error.h"
#include "hip/base/packet_vector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Longest name of a network device, its zero included. */
#define TUNNEL_NAME_SIZE 16

struct tunnel_staging;

struct tunnel_device {
	int descriptor;                 /**< -1 when closed */
	struct tunnel_staging *staging; /**< what has been read and is being cut */
	uint64_t read_packets, written_packets;
	uint64_t unreadable_packets; /**< read, but larger than a packet of a vector or of a sort that was not asked for
				      */
	uint64_t dropped_packets;    /**< not written: the queue was full or the kernel refused the packet */
};

/** True for a name the kernel would take literally: 1 to 15 letters, digits, '-', '_' or '.', not "." or "..". */
bool tunnel_name_is_valid(const char *name);
/**
 * Makes the device `name` (or attaches a further queue to it) and opens it, non-blocking. The device is gone when the
 * last descriptor is closed. HIPHOP_INVALID_ARGUMENT (name), HIPHOP_EXISTS (another program holds the name),
 * HIPHOP_REFUSED (no right: errno tells whether /dev/net/tun cannot be opened (EACCES) or CAP_NET_ADMIN is missing
 * (EPERM)), HIPHOP_UNSUPPORTED (no TUN in this kernel), HIPHOP_NO_MEMORY, HIPHOP_SYSTEM.
 */
hiphop_error tunnel_device_open(const char *name, struct tunnel_device *tunnel);
/** Opens /dev/net/tun without a device yet, for tunnel_queue_attach. The errors of tunnel_device_open. */
hiphop_error tunnel_queue_open(int *descriptor);
/** Attaches an open /dev/net/tun to the device `name`. The errors of tunnel_device_open. */
hiphop_error tunnel_queue_attach(int descriptor, const char *name);
void tunnel_device_close(struct tunnel_device *tunnel);
/** A sentence for the operator about why tunnel_device_open failed, made of its error and errno. Static storage. */
const char *tunnel_open_trouble(hiphop_error error, int error_number);

/** Empties `vector`, then reads packets until it is full or nothing waits, or gives out what is held. Kind
 * PACKET_INNER, none larger than the MTU, with right checksums. Returns their number. */
size_t tunnel_read(struct tunnel_device *tunnel, struct packet_vector *vector);
/** True when segments of a packet that has left the kernel wait for the next tunnel_read; the descriptor will not
 * become readable for them. */
bool tunnel_holds(const struct tunnel_device *tunnel);
/** Writes the packets of kind PACKET_INNER, skips the rest; segments that follow one another in the vector as one, for
 * which the headers of the first are changed. Never blocks: what the kernel does not take is counted and lost. */
void tunnel_write(struct tunnel_device *tunnel, struct packet_vector *vector);

#endif
