/* SPDX-License-Identifier: MIT */
/**
 * The sockets of the underlay: one dual-stack UDP socket (RFC 9028 framing rides in it) and, for transport "ip", raw
 * sockets of IP protocol 139 (HIP, RFC 7401 section 5.1) and 50 (ESP, RFC 4303), each for IPv4 and IPv6.
 */
#ifndef HIPHOP_KERNEL_HELPERS_UNDERLAY_SOCKETS_H
#define HIPHOP_KERNEL_HELPERS_UNDERLAY_SOCKETS_H

#include "hip/base/error.h"
#include "hip/base/packet_vector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
	UNDERLAY_UDP,
	UNDERLAY_HIP_IPV4,
	UNDERLAY_HIP_IPV6,
	UNDERLAY_ESP_IPV4,
	UNDERLAY_ESP_IPV6,
	UNDERLAY_SOCKETS
} underlay_socket;

struct underlay_staging;

struct underlay_sockets {
	int descriptors[UNDERLAY_SOCKETS]; /**< -1 when not open */
	uint16_t port;                     /**< of the UDP socket, host order; also for port 0 the one that was given */
	bool ipv4_only;                    /**< the host has no IPv6: the UDP socket is AF_INET */
	bool segmentation;                 /**< runs of datagrams go to the kernel as one (UDP_SEGMENT) */
	struct underlay_staging *staging;  /**< received joined (UDP_GRO) and not given out yet; NULL = not joined */
	uint64_t received_packets, sent_packets;
	uint64_t dropped_packets; /**< received cut off or without a whole IP header */
	uint64_t send_errors;     /**< not sent: no route, no buffer, no right, no socket of the kind */
	int last_send_error;      /**< errno of the last of them */
};

/** All closed. */
void underlay_sockets_start(struct underlay_sockets *sockets);
/** Opens the UDP socket at `port` (0 = any). Falls back to IPv4 alone where the host has no IPv6.
 *  HIPHOP_EXISTS (port taken), HIPHOP_REFUSED, HIPHOP_SYSTEM; errno says more. */
hiphop_error underlay_open_udp(struct underlay_sockets *sockets, uint16_t port);
/** Opens one raw socket. HIPHOP_REFUSED (no CAP_NET_RAW), HIPHOP_UNSUPPORTED (no such family), HIPHOP_SYSTEM. */
hiphop_error underlay_open_raw(struct underlay_sockets *sockets, underlay_socket which);
/** "UDP", "HIP over IPv4" … for log lines. */
const char *underlay_socket_name(underlay_socket which);
void underlay_sockets_close(struct underlay_sockets *sockets);

/**
 * Empties `vector`, then receives up to a full vector from one socket without blocking, with one system call at most.
 * Kind PACKET_DATAGRAM, PACKET_HIP or PACKET_ESP; `local` and `remote` hold address, port (0 for IP) and transport.
 * Returns the number of packets taken from the socket, which may be more than vector->count after drops; 0 = nothing
 * waits.
 */
size_t underlay_receive(struct underlay_sockets *sockets, underlay_socket which, struct packet_vector *vector);
/** True when packets that have left the kernel wait for the next underlay_receive; `which` will not become readable for
 *  them. */
bool underlay_holds(const struct underlay_sockets *sockets, underlay_socket which);
/**
 * Sends the packets of kind PACKET_DATAGRAM, PACKET_HIP and PACKET_ESP from `local` (unspecified: the kernel chooses)
 * to `remote`, skips the rest. Consecutive datagrams between the same endpoints and of one length (the last may be
 * shorter) go down as one. Never blocks; what cannot be sent is counted and lost. Large packets may be fragmented
 * (no DF).
 */
void underlay_send(struct underlay_sockets *sockets, struct packet_vector *vector);

#endif
