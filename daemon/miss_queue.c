/* SPDX-License-Identifier: MIT */
#include "daemon/miss_queue.h"

#include "hip/base/map.h"

#include <stdlib.h>
#include <string.h>

struct waiting_packet {
	struct waiting_packet *next;
	size_t length;
	uint8_t octets[];
};

struct waiting_peer {
	struct hit peer;
	struct waiting_packet *first, **end;
	size_t count;
};

struct miss_queue {
	struct map peers;
	size_t octets;
	uint64_t lost;
};

hiphop_error miss_queue_create(const struct random_source *random, struct miss_queue **out)
{
	struct miss_queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return HIPHOP_NO_MEMORY;
	map_start(&queue->peers, HIT_LENGTH, random);
	*out = queue;
	return HIPHOP_OK;
}

static void pop_packet(struct miss_queue *queue, struct waiting_peer *waiting)
{
	struct waiting_packet *packet = waiting->first;

	waiting->first = packet->next;
	if (!waiting->first)
		waiting->end = &waiting->first;
	waiting->count--;
	queue->octets -= packet->length;
	free(packet);
}

static void forget_peer(struct miss_queue *queue, struct waiting_peer *waiting)
{
	while (waiting->first)
		pop_packet(queue, waiting);
	map_remove(&queue->peers, &waiting->peer);
	free(waiting);
}

void miss_queue_free(struct miss_queue *queue)
{
	if (!queue)
		return;

	struct map_walk walk = map_walk_start(&queue->peers);
	struct waiting_peer *waiting;

	while ((waiting = map_walk_next(&walk, NULL)))
		forget_peer(queue, waiting);
	map_free(&queue->peers);
	free(queue);
}

static struct waiting_peer *find_or_add_peer(struct miss_queue *queue, const struct hit *peer)
{
	struct waiting_peer *waiting = map_get(&queue->peers, peer);

	if (waiting || queue->peers.count >= MISS_QUEUE_PEERS)
		return waiting;
	waiting = calloc(1, sizeof(*waiting));
	if (!waiting)
		return NULL;
	waiting->peer = *peer;
	waiting->end = &waiting->first;
	if (map_put(&queue->peers, peer, waiting)) {
		free(waiting);
		return NULL;
	}
	return waiting;
}

hiphop_error miss_queue_add(struct miss_queue *queue, const struct hit *peer, const uint8_t *octets, size_t length)
{
	struct waiting_peer *waiting;
	struct waiting_packet *packet;

	if (queue->octets + length > MISS_QUEUE_OCTETS || !(waiting = find_or_add_peer(queue, peer))) {
		queue->lost++;
		return HIPHOP_LIMITED;
	}
	packet = malloc(sizeof(*packet) + length);
	if (!packet) {
		queue->lost++;
		return HIPHOP_NO_MEMORY;
	}
	packet->next = NULL;
	packet->length = length;
	memcpy(packet->octets, octets, length);
	*waiting->end = packet;
	waiting->end = &packet->next;
	waiting->count++;
	queue->octets += length;
	if (waiting->count > MISS_QUEUE_PACKETS) {
		pop_packet(queue, waiting);
		queue->lost++;
	}
	return HIPHOP_OK;
}

bool miss_queue_take_one(struct miss_queue *queue, const struct hit *peer, struct packet *packet)
{
	struct waiting_peer *waiting = map_get(&queue->peers, peer);

	packet_reset(packet);
	if (!waiting)
		return false;
	packet_fill(packet, PACKET_INNER, waiting->first->octets, waiting->first->length);
	pop_packet(queue, waiting);
	if (!waiting->count)
		forget_peer(queue, waiting);
	return true;
}

bool miss_queue_has(const struct miss_queue *queue, const struct hit *peer)
{
	return map_get(&queue->peers, peer) != NULL;
}

size_t miss_queue_drop(struct miss_queue *queue, const struct hit *peer)
{
	struct waiting_peer *waiting = map_get(&queue->peers, peer);
	size_t count;

	if (!waiting)
		return 0;
	count = waiting->count;
	queue->lost += count;
	forget_peer(queue, waiting);
	return count;
}

uint64_t miss_queue_lost(const struct miss_queue *queue)
{
	return queue->lost;
}
