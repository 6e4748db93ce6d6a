/* SPDX-License-Identifier: MIT */
/*
 * Who is needed. A host is associated with many others for a while: who joins looks around, and rings that meet connect
 * widely. What counts is who has whom in its tables, and each side can see only its own. So each side lets go of what
 * it has no use for; the association stays while either holds it or sends. A sign of life goes from the side that has
 * the other in its tables, never back, so that where neither has a use for the other there is silence, and the HIP
 * layer closes what is silent.
 */
#include "overlay/engine.h"

/* A bootstrap peer is the way in, until the ring has us both: then it is a member like any other, and a well-known one
 * must not carry an association for each of its users. The daemon asks it again now and then. */
static bool is_way_in(const struct overlay *overlay, const struct peer *peer)
{
	return peer->bootstrap && !(overlay->role == OVERLAY_PEER && overlay->in_ring && peer->member);
}

bool peer_is_needed(const struct overlay *overlay, const struct peer *peer)
{
	struct topology_place place = overlay->topology->operations->place(overlay->topology, &peer->hit);

	return place.successor || place.predecessor || place.finger || is_way_in(overlay, peer) || peer->admitting ||
	       peer->wanted || peer->joining || peer->probing || peer->updating;
}

bool peer_counts_us(const struct overlay *overlay, const struct peer *peer)
{
	/* Two stabilisations that were late by the most that jittered() gives. */
	return peer->associated && peer->counted && overlay->now - peer->counted <= overlay->timers.stabilise / 2 * 5;
}

static bool may_release(const struct overlay *overlay)
{
	struct map_walk walk = map_walk_start(&overlay->peers);
	const struct peer *peer;

	if (overlay->leaving || overlay->role == OVERLAY_PEER)
		return !overlay->leaving && overlay->in_ring;
	/* A client needs one way in. */
	while ((peer = map_walk_next(&walk, NULL)))
		if (peer->associated && (peer->bootstrap || peer->admitting))
			return true;
	return false;
}

static void release_unneeded(struct overlay *overlay)
{
	struct map_walk walk = map_walk_start(&overlay->peers);
	struct peer *peer;

	while ((peer = map_walk_next(&walk, NULL))) {
		if (!peer->associated)
			continue;
		if (peer_is_needed(overlay, peer)) {
			peer->needed = overlay->now;
			peer->surplus = false;
		} else if (!peer->surplus &&
			   overlay->now - peer->needed >= jittered(overlay, overlay->timers.surplus_grace)) {
			peer->surplus = effect_release(overlay, &peer->hit);
		}
	}
}

/* Over the limit they are not even used for routing. */
static void release_over_limit(struct overlay *overlay)
{
	const struct topology_operations *operations = overlay->topology->operations;
	struct hit least;

	while (operations->count(overlay->topology) > overlay->limits.associations &&
		operations->least_useful(overlay->topology, &least)) {
		struct peer *peer = peer_find(overlay, &least);
		if (!peer)
			return;
		peer_set_member(overlay, peer, false);
		peer->shunned_until = instant_after(overlay->now, overlay->timers.quarantine);
		if (!peer->surplus)
			peer->surplus = effect_release(overlay, &least);
	}
}

void surplus_release(struct overlay *overlay)
{
	if (!may_release(overlay))
		return;
	release_unneeded(overlay);
	release_over_limit(overlay);
}
