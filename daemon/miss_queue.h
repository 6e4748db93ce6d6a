/* SPDX-License-Identifier: MIT */
/**
 * Where packets wait while the base exchange with their peer runs: the first packet to an unknown HIT is not lost.
 * Bounded in packets for a peer, in peers, and in octets in all; when it is full the oldest packet of that peer goes.
 */
#ifndef HIPHOP_DAEMON_MISS_QUEUE_H
#define HIPHOP_DAEMON_MISS_QUEUE_H

#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/packet_vector.h"
#include "hip/base/random.h"
#include "hip/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MISS_QUEUE_PEERS   1024
#define MISS_QUEUE_PACKETS 64                 /**< waiting for one peer */
#define MISS_QUEUE_OCTETS  (8U * 1024 * 1024) /**< waiting in all */

struct miss_queue;

/** HIPHOP_NO_MEMORY. */
hiphop_error miss_queue_create(const struct random_source *random, struct miss_queue **queue);
void miss_queue_free(struct miss_queue *queue);
/** Keeps a copy of an inner IPv6 packet. HIPHOP_LIMITED (too many peers or octets), HIPHOP_NO_MEMORY: the packet is
 * lost and counted. */
hiphop_error miss_queue_add(struct miss_queue *queue, const struct hit *peer, const uint8_t *packet, size_t length);
/** Moves the oldest packet for `peer` into `packet` as PACKET_INNER. False when none waits; the packet is then reset.
 */
bool miss_queue_take_one(struct miss_queue *queue, const struct hit *peer, struct packet *packet);
/** Whether a packet waits for `peer`. */
bool miss_queue_has(const struct miss_queue *queue, const struct hit *peer);
/** Throws away what waits for `peer`. Returns how many packets that was. */
size_t miss_queue_drop(struct miss_queue *queue, const struct hit *peer);
/** Packets lost so far: pushed out, refused or dropped. */
uint64_t miss_queue_lost(const struct miss_queue *queue);

#endif
