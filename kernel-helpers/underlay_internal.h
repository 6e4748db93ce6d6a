/* SPDX-License-Identifier: MIT */
/** Between the files of the underlay's sockets: what sends, what receives, and what opens them. */
#ifndef HIPHOP_KERNEL_HELPERS_UNDERLAY_INTERNAL_H
#define HIPHOP_KERNEL_HELPERS_UNDERLAY_INTERNAL_H

#include "kernel-helpers/socket_address.h"
#include "kernel-helpers/underlay_sockets.h"

#include <netinet/udp.h>
#include <sys/socket.h>

#define UNDERLAY_PROTOCOL_HIP 139
#define UNDERLAY_PROTOCOL_ESP 50

/* Of linux/udp.h, which does not get along with netinet/udp.h. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/** What one socket is. */
struct underlay_sort {
	const char *name;
	int family;
	int protocol;
	underlay_rank rank;
};

extern const struct underlay_sort underlay_sorts[UNDERLAY_SOCKETS];

/* underlay_filter.c: which socket takes which packet. False when the kernel refuses. */

/** Deals datagrams out in the group of `descriptor`: ESP whose SPI has the bits `mark` under `mask`, and what is too
 * short to have one, to the socket that was bound first, HIP to the second, I1 and all other ESP to the third. */
bool underlay_filter_group(int descriptor, uint32_t mask, uint32_t mark);
/** Lets a raw socket of protocol 139 see I1 alone, or all but I1. */
bool underlay_filter_raw(int descriptor, int family, bool i1);
/** Lets a socket see nothing at all. */
bool underlay_filter_all(int descriptor);

/* underlay_links.c */

/** How a packet from one address to another leaves. */
struct underlay_way {
	uint32_t interface; /**< 0 = as the kernel routes it */
	bool nameless;      /**< only without the source will the kernel obey; it takes the right one then */
};

/**
 * By the interface that has `local`, when the kernel has a route to `remote` there. Else the kernel decides, since an
 * address may be reachable by another interface than its own.
 */
struct underlay_way underlay_way_between(
	struct underlay_links *links, const struct address *local, const struct address *remote);
/** That way was none: the kernel will be asked again. */
void underlay_way_failed(struct underlay_links *links, const struct address *local, const struct address *remote);
void underlay_links_free(struct underlay_links *links);

/** Room for one IP_PKTINFO or IPV6_PKTINFO, and the length of segments. */
union underlay_ancillary {
	struct cmsghdr align;
	uint8_t octets[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
};

/** What recvmmsg and sendmmsg want, for one vector. */
struct underlay_exchange {
	struct mmsghdr messages[PACKET_VECTOR_MAXIMUM];
	struct iovec parts[PACKET_VECTOR_MAXIMUM];
	union socket_address names[PACKET_VECTOR_MAXIMUM];
	union underlay_ancillary ancillaries[PACKET_VECTOR_MAXIMUM];
};

/** Joined datagrams taken with one system call. */
#define UNDERLAY_STAGED         16
#define UNDERLAY_STAGED_MAXIMUM 65536

/** Datagrams of one flow that the kernel has joined: `length` octets, a new one every `segment`. */
struct underlay_joined {
	struct endpoint local, remote;
	size_t length, segment;
	size_t position; /**< what lies before it has been given out */
	bool whole;      /**< false: to be dropped */
	uint8_t octets[UNDERLAY_STAGED_MAXIMUM];
};

struct underlay_staging {
	size_t count, next; /**< `next` is the first of `count` that has something left */
	struct underlay_joined joined[UNDERLAY_STAGED];
};

#endif
