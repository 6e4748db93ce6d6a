/* SPDX-License-Identifier: MIT */
#include "daemon/access_flows.h"

#include "daemon/access_packet.h"

#include <stdlib.h>

struct access_flow_peer {
	struct hit hit;
	size_t count;
	struct access_flow_ends ends;
};

static const struct {
	uint8_t protocol;
	duration life;
} lives[] = {
	{ACCESS_TCP, SECONDS(7200)},
	{ACCESS_UDP, SECONDS(180)},
	{ACCESS_ICMP6, SECONDS(30)},
};

static duration life_of(uint8_t protocol)
{
	for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
		if (lives[i].protocol == protocol)
			return lives[i].life;
	}
	return SECONDS(60);
}

void access_flows_start(struct access_flows *flows, const struct random_source *random)
{
	*flows = (struct access_flows){.random = random};
	map_start(&flows->by_key, sizeof(struct access_flow_key), random);
	map_start(&flows->peers, HIT_LENGTH, random);
}

void access_flows_free(struct access_flows *flows)
{
	while (flows->ends.newest)
		access_flows_forget(flows, flows->ends.newest);
	map_free(&flows->by_key);
	map_free(&flows->peers);
}

static struct access_flow_ends *ends_of(
	struct access_flows *flows, const struct access_flow *flow, enum access_flow_list list)
{
	return list == ACCESS_FLOWS_OF_ALL ? &flows->ends : &flow->peer->ends;
}

static void link_newest(struct access_flows *flows, struct access_flow *flow)
{
	for (enum access_flow_list list = 0; list < ACCESS_FLOW_LISTS; list++) {
		struct access_flow_ends *ends = ends_of(flows, flow, list);

		flow->newer[list] = NULL;
		flow->older[list] = ends->newest;
		*(ends->newest ? &ends->newest->newer[list] : &ends->oldest) = flow;
		ends->newest = flow;
	}
}

static void unlink_flow(struct access_flows *flows, struct access_flow *flow)
{
	for (enum access_flow_list list = 0; list < ACCESS_FLOW_LISTS; list++) {
		struct access_flow_ends *ends = ends_of(flows, flow, list);

		*(flow->newer[list] ? &flow->newer[list]->older[list] : &ends->newest) = flow->older[list];
		*(flow->older[list] ? &flow->older[list]->newer[list] : &ends->oldest) = flow->newer[list];
	}
}

static void release_peer(struct access_flows *flows, struct access_flow_peer *peer)
{
	if (peer->count)
		return;
	map_remove(&flows->peers, &peer->hit);
	free(peer);
}

void access_flows_forget(struct access_flows *flows, struct access_flow *flow)
{
	struct access_flow_peer *peer = flow->peer;

	unlink_flow(flows, flow);
	map_remove(&flows->by_key, &flow->key);
	free(flow);
	peer->count--;
	release_peer(flows, peer);
}

void access_flows_forget_peer(struct access_flows *flows, const struct hit *hit)
{
	struct access_flow_peer *peer = map_get(&flows->peers, hit);

	/* The peer goes with its last flow. */
	for (size_t left = peer ? peer->count : 0; left; left--)
		access_flows_forget(flows, peer->ends.newest);
}

struct access_flow *access_flows_find(struct access_flows *flows, instant now, const struct access_flow_key *key)
{
	struct access_flow *flow = map_get(&flows->by_key, key);

	if (!flow || flow->expires > now)
		return flow;
	access_flows_forget(flows, flow);
	return NULL;
}

static struct access_flow_peer *obtain_peer(struct access_flows *flows, const struct hit *hit)
{
	struct access_flow_peer *peer = map_get(&flows->peers, hit);

	if (peer)
		return peer;
	peer = calloc(1, sizeof *peer);
	if (!peer)
		return NULL;
	peer->hit = *hit;
	if (map_put(&flows->peers, hit, peer)) {
		free(peer);
		return NULL;
	}
	return peer;
}

static void make_room(struct access_flows *flows, const struct hit *hit)
{
	struct access_flow_peer *peer = map_get(&flows->peers, hit);

	if (peer && peer->count >= ACCESS_PEER_FLOW_MAXIMUM)
		access_flows_forget(flows, peer->ends.oldest);
	else if (flows->by_key.count >= ACCESS_FLOW_MAXIMUM)
		access_flows_forget(flows, flows->ends.oldest);
}

struct access_flow *access_flows_add(struct access_flows *flows, instant now, const struct access_flow_key *key)
{
	struct access_flow_peer *peer;
	struct access_flow *flow;

	make_room(flows, &key->peer);
	peer = obtain_peer(flows, &key->peer);
	if (!peer)
		return NULL;
	flow = calloc(1, sizeof *flow);
	if (!flow || map_put(&flows->by_key, key, flow)) {
		free(flow);
		release_peer(flows, peer);
		return NULL;
	}
	flow->key = *key;
	flow->peer = peer;
	peer->count++;
	flow->expires = instant_after(now, life_of(key->protocol));
	link_newest(flows, flow);
	return flow;
}

void access_flows_touch(struct access_flows *flows, instant now, struct access_flow *flow)
{
	flow->expires = instant_after(now, life_of(flow->key.protocol));
	unlink_flow(flows, flow);
	link_newest(flows, flow);
}
