/* SPDX-License-Identifier: MIT */
#include "overlay/engine.h"

#include <stdlib.h>
#include <string.h>

/* Leaves and failed checks are believed this long against what others say. */
#define GREET_PAUSE SECONDS(5)

struct sender_rate {
	struct token_bucket bucket;
	uint32_t per_second;
};

struct peer *peer_find(const struct overlay *overlay, const struct hit *hit)
{
	return map_get(&overlay->peers, hit->octets);
}

bool overlay_knows_member(const struct overlay *overlay, const struct hit *hit)
{
	const struct peer *peer = peer_find(overlay, hit);

	return peer && (peer->member || peer->wanted);
}

static void peer_free(struct overlay *overlay, struct peer *peer)
{
	deadline_cancel(&overlay->deadlines, &peer->deadline);
	map_remove(&overlay->peers, peer->hit.octets);
	free(peer);
}

/* Makes room by forgetting the oldest host that we have no business with. */
static bool forget_one(struct overlay *overlay)
{
	struct map_walk walk = map_walk_start(&overlay->peers);
	struct peer *peer;

	while ((peer = map_walk_next(&walk, NULL))) {
		if (peer->associated || peer->wanted || peer->joining)
			continue;
		peer_free(overlay, peer);
		return true;
	}
	return false;
}

struct peer *peer_get(struct overlay *overlay, const struct hit *hit)
{
	struct peer *peer = peer_find(overlay, hit);

	if (peer)
		return peer;
	if (overlay->peers.count >= PEERS_MAXIMUM && !forget_one(overlay))
		return NULL;
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return NULL;
	peer->hit = *hit;
	peer->deadline.kind = DEADLINE_PEER;
	peer->deadline.owner = peer;
	if (map_put(&overlay->peers, hit->octets, peer)) {
		free(peer);
		return NULL;
	}
	return peer;
}

void peer_set_member(struct overlay *overlay, struct peer *peer, bool member)
{
	if (member == peer->member)
		return;
	if (overlay->role == OVERLAY_CLIENT) {
		peer->member = member;
		return;
	}
	if (!member) {
		overlay->topology->operations->remove(overlay->topology, &peer->hit);
		peer->member = false;
		return;
	}
	if (overlay->topology->operations->add(overlay->topology, &peer->hit))
		return;
	peer->member = true;
	peer->suspect = false;
	peer->admitting = false;
	if (!overlay->in_ring) {
		overlay->join_attempts = 0;
		if (overlay->topology->operations->count(overlay->topology) == 1)
			overlay->gather_until = instant_after(overlay->now, overlay->timers.join_wait);
		timer_set_sooner(overlay, TIMER_JOIN, overlay->timers.update_delay);
	}
}

void peer_stop_wanting(struct overlay *overlay, struct peer *peer)
{
	if (!peer->wanted)
		return;
	peer->wanted = false;
	overlay->wanted--;
	if (!peer->joining)
		deadline_cancel(&overlay->deadlines, &peer->deadline);
}

void peer_want(struct overlay *overlay, const struct hit *hit, const struct hit *via)
{
	struct peer *peer = peer_get(overlay, hit);

	if (!peer || peer->associated || peer->wanted || peer->shunned_until > overlay->now ||
		overlay->wanted >= WANTED_MAXIMUM || overlay->leaving)
		return;
	if (deadline_set(
		    &overlay->deadlines, &peer->deadline, instant_after(overlay->now, overlay->timers.connect_timeout)))
		return;
	peer->wanted = true;
	overlay->wanted++;
	effect_connect(overlay, hit, via);
}

void peer_consider(struct overlay *overlay, const struct hit *hit, const struct hit *via)
{
	struct topology_place place;
	struct peer *peer;

	if (overlay->role == OVERLAY_CLIENT || hit_equal(hit, &overlay->self))
		return;
	place = overlay->topology->operations->would_be(overlay->topology, hit);
	bool room = overlay->topology->operations->count(overlay->topology) < overlay->limits.associations;
	if (!place.successor && !place.predecessor && !(place.finger && room))
		return;
	peer = peer_find(overlay, hit);
	if (!peer || !peer->associated)
		peer_want(overlay, hit, via);
	else if (!peer->member && !peer->joining && overlay->now - peer->greeted >= GREET_PAUSE &&
		 peer->shunned_until <= overlay->now)
		peer_greet(overlay, peer);
}

void peer_suspect(struct overlay *overlay, struct peer *peer)
{
	if (!peer->member)
		return;
	peer_set_member(overlay, peer, false);
	peer->suspect = peer->associated;
}

void peer_deadline(struct overlay *overlay, struct peer *peer)
{
	if (peer->joining) {
		join_admit(overlay, peer);
	} else if (peer->wanted) {
		peer_stop_wanting(overlay, peer);
		peer->shunned_until = instant_after(overlay->now, overlay->timers.quarantine);
	}
}

/* Makes room for another sender; who it hits has a full bucket again. */
static void forget_a_rate(struct overlay *overlay)
{
	struct map_walk walk = map_walk_start(&overlay->senders);
	const void *any;
	struct hit key;

	if (!map_walk_next(&walk, &any))
		return;
	memcpy(key.octets, any, HIT_LENGTH);
	free(map_remove(&overlay->senders, key.octets));
}

static struct sender_rate *rate_of(struct overlay *overlay, const struct hit *sender)
{
	struct sender_rate *rate = map_get(&overlay->senders, sender->octets);

	if (rate)
		return rate;
	if (overlay->senders.count >= PEERS_MAXIMUM)
		forget_a_rate(overlay);
	rate = calloc(1, sizeof(*rate));
	if (rate && map_put(&overlay->senders, sender->octets, rate)) {
		free(rate);
		return NULL;
	}
	return rate;
}

bool sender_may(struct overlay *overlay, const struct hit *sender, size_t cost)
{
	const struct peer *peer = peer_find(overlay, sender);
	bool neighbour = peer && peer->associated;
	struct sender_rate *rate = rate_of(overlay, sender);
	/* A neighbour that hands its part over has much to say. */
	uint32_t per_second = overlay->limits.sender_per_second * (neighbour ? 4 : 1);

	if (!rate)
		return false;
	if (rate->per_second != per_second) {
		rate->per_second = per_second;
		rate->bucket = token_bucket_start(per_second, per_second * 8, overlay->now);
	}
	/* HITs cost little, so strangers also share one rate; it is no concern of our neighbours. */
	while (cost--)
		if (!token_bucket_take(&rate->bucket, overlay->now) ||
			(!neighbour && !token_bucket_take(&overlay->strangers, overlay->now)))
			return false;
	return true;
}

void peers_free(struct overlay *overlay)
{
	struct map_walk walk = map_walk_start(&overlay->peers);
	struct peer *peer;
	struct sender_rate *rate;

	while ((peer = map_walk_next(&walk, NULL)))
		peer_free(overlay, peer);
	map_free(&overlay->peers);
	walk = map_walk_start(&overlay->senders);
	while ((rate = map_walk_next(&walk, NULL)))
		free(rate);
	map_free(&overlay->senders);
}
