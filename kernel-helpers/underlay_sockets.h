/* SPDX-License-Identifier: MIT */
/**
 * The sockets of the underlay: one dual-stack UDP port (RFC 9028 framing rides in it) and, for transport "ip", raw
 * sockets of IP protocol 139 (HIP, RFC 7401 section 5.1) and 50 (ESP, RFC 4303), each for IPv4 and IPv6, and two that
 * send ICMP messages about these.
 *
 * What strangers can send has queues of its own in the kernel, so that a flood fills its own queue alone: the UDP port
 * is a SO_REUSEPORT group of three sockets among which a classic BPF program deals out ESP, HIP and I1; the raw sockets
 * of protocol 139 have socket filters. A kernel without these mixes the queues, nothing else: each socket takes
 * whatever comes.
 */
#ifndef HIPHOP_KERNEL_HELPERS_UNDERLAY_SOCKETS_H
#define HIPHOP_KERNEL_HELPERS_UNDERLAY_SOCKETS_H

#include "hip/base/error.h"
#include "hip/base/link_address.h"
#include "hip/base/packet_vector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
	UNDERLAY_UDP,         /**< ESP and keepalives; sends all datagrams */
	UNDERLAY_UDP_CONTROL, /**< HIP but I1 */
	UNDERLAY_UDP_I1,
	UNDERLAY_HIP_IPV4, /**< all but I1 */
	UNDERLAY_HIP_IPV6,
	UNDERLAY_HIP_IPV4_I1,
	UNDERLAY_HIP_IPV6_I1,
	UNDERLAY_ESP_IPV4,
	UNDERLAY_ESP_IPV6,
	UNDERLAY_ICMP_IPV4, /**< only sends */
	UNDERLAY_ICMP_IPV6,
	UNDERLAY_SOCKETS
} underlay_socket;

/** How urgent the packets of a socket are: the more, the less a stranger can make of them. */
typedef enum { UNDERLAY_DATA, UNDERLAY_CONTROL, UNDERLAY_STRANGERS, UNDERLAY_RANKS } underlay_rank;

underlay_rank underlay_rank_of(underlay_socket which);
/** One of the three that underlay_open_udp opens together. */
static inline bool underlay_is_udp(underlay_socket which)
{
	return which <= UNDERLAY_UDP_I1;
}

/** Addresses of this host that are known by their interfaces, at most. */
#define UNDERLAY_LINKS 64

struct underlay_staging;
struct underlay_links;

struct underlay_sockets {
	int descriptors[UNDERLAY_SOCKETS]; /**< -1 when not open */
	uint16_t port;                     /**< of the UDP socket, host order; also for port 0 the one that was given */
	bool ipv4_only;                    /**< the host has no IPv6: the UDP socket is AF_INET */
	bool segmentation;                 /**< runs of datagrams go to the kernel as one (UDP_SEGMENT) */
	struct underlay_staging *staging;  /**< received joined (UDP_GRO) and not given out yet; NULL = not joined */
	struct underlay_links *links;      /**< which interface packets leave by; NULL = as the kernel routes them */
	uint64_t received_packets, sent_packets;
	uint64_t dropped_packets;  /**< received cut off or without a whole IP header */
	uint64_t send_errors;      /**< not sent: no route, no buffer, no right, no socket of the kind */
	int last_send_error;       /**< errno of the last of them */
	uint64_t unbound_messages; /**< sent without the interface, since by it they found no way after all */
};

/** All closed. */
void underlay_sockets_start(struct underlay_sockets *sockets);
/** Opens the UDP sockets at `port` (0 = any). Falls back to IPv4 alone where the host has no IPv6, and to UNDERLAY_UDP
 *  alone where the kernel cannot deal datagrams out. HIPHOP_EXISTS (port taken), HIPHOP_REFUSED, HIPHOP_SYSTEM; errno
 *  says more. */
hiphop_error underlay_open_udp(struct underlay_sockets *sockets, uint16_t port);
/** From now on ESP over UDP whose SPI has not the bits `mark` under `mask` waits with the packets of strangers, so that
 *  a flood of it takes no room from the rest. Without effect where the kernel cannot deal datagrams out. */
void underlay_mark_spis(struct underlay_sockets *sockets, uint32_t mask, uint32_t mark);
/** Opens one raw socket. HIPHOP_INVALID_ARGUMENT (a UDP socket), HIPHOP_REFUSED (no CAP_NET_RAW), HIPHOP_UNSUPPORTED
 * (no such family), HIPHOP_SYSTEM. */
hiphop_error underlay_open_raw(struct underlay_sockets *sockets, underlay_socket which);
/**
 * Opens what asks the kernel for routes, so that packets leave by the interface that has their `local` address,
 * whichever default route the kernel likes best. Once, before system calls are filtered. HIPHOP_NO_MEMORY,
 * HIPHOP_SYSTEM; without it the kernel alone decides.
 */
hiphop_error underlay_open_routes(struct underlay_sockets *sockets);
/**
 * The addresses of this host and their interfaces, the first UNDERLAY_LINKS of them. All of them, used or not. Call it
 * after every change of an address, a link or a route: what is known of routes is forgotten.
 */
void underlay_set_links(struct underlay_sockets *sockets, const struct link_address *links, size_t count);
/** "UDP", "HIP over IPv4" … for log lines. */
const char *underlay_socket_name(underlay_socket which);
void underlay_sockets_close(struct underlay_sockets *sockets);
/** Packets that the kernel has dropped since the opening because the queue of this socket was full; 0 when it does not
 *  say. */
uint64_t underlay_queue_lost(const struct underlay_sockets *sockets, underlay_socket which);

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
 * Sends the packets of kind PACKET_DATAGRAM, PACKET_HIP, PACKET_ESP and PACKET_ICMP from `local` (unspecified: the
 * kernel chooses) to `remote`, skips the rest. Consecutive datagrams between the same endpoints and of one length (the
 * last may be shorter) go down as one. Never blocks; what cannot be sent is counted and lost. Large packets may be
 * fragmented (no DF).
 */
void underlay_send(struct underlay_sockets *sockets, struct packet_vector *vector);

#endif
