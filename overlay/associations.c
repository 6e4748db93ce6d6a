/* SPDX-License-Identifier: MIT */
/* Associations that come and go, as the HIP layer tells. */
#include "overlay/engine.h"

/* ---- Those that there was no memory for ---- */

static void miss(struct overlay *overlay, const struct hit *hit, bool bootstrap)
{
	for (size_t i = 0; i < overlay->missed_count; i++) {
		if (!hit_equal(&overlay->missed[i].hit, hit))
			continue;
		overlay->missed[i].bootstrap |= bootstrap;
		return;
	}
	/* With the list full the others must do: one of them names this host sooner or later. */
	if (overlay->missed_count < MISSED_MAXIMUM)
		overlay->missed[overlay->missed_count++] = (struct missed_association){*hit, bootstrap};
}

static void stop_missing(struct overlay *overlay, const struct hit *hit)
{
	for (size_t i = 0; i < overlay->missed_count; i++) {
		if (!hit_equal(&overlay->missed[i].hit, hit))
			continue;
		overlay->missed[i] = overlay->missed[--overlay->missed_count];
		return;
	}
}

/* ---- Up ---- */

static struct peer *associate(struct overlay *overlay, const struct hit *hit)
{
	struct peer *peer = peer_get(overlay, hit);

	if (!peer)
		return NULL;
	bool was_wanted = peer->wanted;
	peer_stop_wanting(overlay, peer);
	peer_set_member(overlay, peer, false);
	peer->associated = true;
	/* It may have been started anew, and then has nothing of what it was given. */
	storage_forget_holder(&overlay->storage, hit);
	peer->suspect = peer->surplus = peer->names_us = false;
	peer->shunned_until = peer->greeted = peer->counted = 0;
	peer->needed = overlay->now;
	if (overlay->in_ring || was_wanted || peer->admitting)
		peer_greet(overlay, peer);
	if (peer->bootstrap)
		join_probe(overlay, peer);
	return peer;
}

static void bootstrap_up(struct overlay *overlay, const struct hit *hit)
{
	struct peer *peer = peer_find(overlay, hit);

	if (!peer || !peer->associated)
		peer = associate(overlay, hit);
	if (!peer) {
		miss(overlay, hit, true);
		return;
	}
	peer->bootstrap = true;
	join_probe(overlay, peer);
}

void overlay_neighbour_up(struct overlay *overlay, instant now, const struct hit *hit)
{
	advance(overlay, now);
	if (!hit_equal(hit, &overlay->self) && !associate(overlay, hit))
		miss(overlay, hit, false);
	settle(overlay);
}

void overlay_bootstrap_up(struct overlay *overlay, instant now, const struct hit *hit)
{
	advance(overlay, now);
	if (!hit_equal(hit, &overlay->self))
		bootstrap_up(overlay, hit);
	settle(overlay);
}

void associations_retry_missed(struct overlay *overlay)
{
	for (size_t i = overlay->missed_count; i-- > 0;) {
		struct missed_association missed = overlay->missed[i];
		if (!peer_get(overlay, &missed.hit))
			return;
		stop_missing(overlay, &missed.hit);
		if (missed.bootstrap)
			bootstrap_up(overlay, &missed.hit);
		else
			associate(overlay, &missed.hit);
	}
}

/* ---- Down ---- */

static void part(struct overlay *overlay, struct peer *peer)
{
	struct topology_place place = overlay->topology->operations->place(overlay->topology, &peer->hit);

	peer_stop_wanting(overlay, peer);
	peer_set_member(overlay, peer, false);
	/* RFC 6940 section 10.7.2: a lost finger is searched for at once. */
	if (place.finger && overlay->in_ring)
		timer_set_sooner(overlay, TIMER_FINGER, jittered(overlay, overlay->timers.join_retry));
	if (peer->joining) {
		peer->joining = false;
		deadline_cancel(&overlay->deadlines, &peer->deadline);
	}
	/* What nobody had a use for has been closed, not died. */
	peer->shunned_until = peer->surplus ? 0 : instant_after(overlay->now, overlay->timers.quarantine);
	peer->associated = peer->suspect = peer->admitting = peer->surplus = false;
	peer->probing = peer->update_again = false;
}

void overlay_neighbour_down(struct overlay *overlay, instant now, const struct hit *hit)
{
	struct peer *peer = peer_find(overlay, hit);

	advance(overlay, now);
	stop_missing(overlay, hit);
	if (peer)
		part(overlay, peer);
	settle(overlay);
}
