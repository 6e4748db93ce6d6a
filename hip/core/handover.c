/* SPDX-License-Identifier: MIT */
/*
 * From one path to another: the session takes its locators, the data plane its route, and whoever listens is told why.
 */
#include "hip/core/host_internal.h"

static const host_counter counters[HANDOVER_REASONS] = {
	[HANDOVER_LINK_GONE] = HOST_COUNT_HANDOVER_LINK_GONE,
	[HANDOVER_DEPRECATED] = HOST_COUNT_HANDOVER_DEPRECATED,
	[HANDOVER_SILENT] = HOST_COUNT_HANDOVER_SILENT,
	[HANDOVER_BETTER] = HOST_COUNT_HANDOVER_BETTER,
};

/* ---- the route ---- */

static size_t choose_more(const struct host *host, const struct path_set *set, uint8_t more[static HOST_MORE_WAYS])
{
	size_t most = host->configuration.paths == HOST_PATHS_SPREAD ? HOST_MORE_WAYS : 1;

	if (host->configuration.paths == HOST_PATHS_BEST || path_set_current(set)->state != PATH_ACTIVE)
		return 0;
	return path_set_choose_more(set, more, most);
}

/* The path of that rank, or NULL: it may be gone since the data plane was told. */
static const struct path *path_ranked(const struct path_set *set, unsigned rank)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->items[i].more_rank == rank)
			return &set->items[i];
	}
	return NULL;
}

static void fill_route(const struct host *host, const struct mobility *mobility, struct host_route *route)
{
	*route = (struct host_route){.unverified = mobility->is_unverified, .use = (uint8_t)host->configuration.paths};
	for (unsigned rank = 1; rank <= mobility->more_count; rank++) {
		const struct path *path = path_ranked(&mobility->paths, rank);

		if (!path)
			continue;
		route->more[route->more_count].local = path->local;
		route->more[route->more_count++].remote = path->remote;
	}
}

/* Ranks those at these places, and no others. True when the data plane knows it otherwise: a path that is gone took its
 * rank along, but is still counted. */
static bool rank_more(struct mobility *mobility, const uint8_t *more, size_t count)
{
	struct path *items = mobility->paths.items;
	bool changed = count != mobility->more_count;

	for (size_t i = 0; i < count; i++)
		changed = changed || items[more[i]].more_rank != i + 1;
	for (size_t i = 0; i < mobility->paths.count; i++)
		items[i].more_rank = 0;
	for (size_t i = 0; i < count; i++)
		items[more[i]].more_rank = (uint8_t)(i + 1);
	mobility->more_count = (uint8_t)count;
	return changed;
}

/* Whether the data plane knows another route than that of now; notes that of now. */
static bool route_has_changed(const struct host *host, struct mobility *mobility)
{
	uint8_t more[HOST_MORE_WAYS] = {0};
	size_t count = choose_more(host, &mobility->paths, more);
	bool unverified = !path_set_current(&mobility->paths)->verified;
	bool changed = rank_more(mobility, more, count) || unverified != mobility->is_unverified;

	mobility->is_unverified = unverified;
	return changed;
}

static void tell_route(struct host *host, const struct association *association, struct queued_effect *effect)
{
	fill_route(host, association->session->mobility, &effect->sa->route);
	session_tell_sa(host, association->session, &association->peer, effect);
}

void handover_tell_again(struct host *host, const struct association *association)
{
	struct session *session = association->session;
	struct queued_effect *effect = session && session->has_sas ? effect_make(HOST_MOVE_SA, 0) : NULL;

	if (!effect)
		return;
	if (session->mobility)
		tell_route(host, association, effect);
	else
		session_tell_sa(host, session, &association->peer, effect);
}

/* ---- the handover ---- */

static void log_handover(const struct host *host, const struct association *association)
{
	const struct session *session = association->session;
	const struct handover *handover = &session->mobility->handover;
	char peer[HIT_TEXT_SIZE], from[ENDPOINT_TEXT_SIZE], to[ENDPOINT_TEXT_SIZE];
	bool is_ours = !endpoint_equal(&handover->from_local, &session->local);

	log_write(host->log, LOG_LEVEL_INFO, "%s: from %s to %s (%s)", association_peer_text(association, peer),
		endpoint_format(is_ours ? &handover->from_local : &handover->from_remote, from),
		endpoint_format(is_ours ? &session->local : &session->remote, to),
		handover_reason_name(handover->reason));
}

static void tell_handover(struct host *host, const struct association *association)
{
	const struct session *session = association->session;
	const struct handover *handover = &session->mobility->handover;
	struct queued_effect *told = effect_make(HOST_HANDOVER, 0);

	if (told) {
		told->effect.peer = association->peer;
		told->effect.local = session->local;
		told->effect.remote = session->remote;
		told->effect.handover = (struct host_handover){.reason = handover_reason_name(handover->reason),
			.from_local = handover->from_local,
			.from_remote = handover->from_remote,
			.resumed = handover->resumed,
			.gap = handover->gap};
	}
	effects_add(&host->effects, told);
}

static void go(struct host *host, instant now, struct association *association, size_t place)
{
	struct session *session = association->session;
	struct mobility *mobility = session->mobility;
	struct path_set *set = &mobility->paths;

	mobility->handover.reason = path_set_reason(set, place);
	mobility->handover.at = now;
	mobility->handover.from_local = session->local;
	mobility->handover.from_remote = session->remote;
	mobility->handover.resumed = false;
	mobility->handover.count++;
	count(host, counters[mobility->handover.reason]);
	set->measured = path_set_is_measured(set, place, now) ? now : 0;
	set->current = (uint8_t)place;
	session->local = path_set_current(set)->local;
	session->remote = path_set_current(set)->remote;
	log_handover(host, association);
}

void handover_settle(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;
	struct mobility *mobility = session->mobility;
	size_t place = path_set_choose(&mobility->paths, now);
	struct queued_effect *effect;
	bool moves = place != mobility->paths.current;

	/* Without memory for it all stays as it is, and this is called again. */
	effect = effect_make(HOST_MOVE_SA, 0);
	if (!effect)
		return;
	if (moves)
		go(host, now, association, place);
	if (!route_has_changed(host, mobility) && !moves) {
		effect_discard(effect);
		return;
	}
	tell_route(host, association, effect);
	if (!moves)
		return;
	tell_handover(host, association);
	if (mobility->handover.reason == HANDOVER_SILENT)
		path_probe_tell_deaf(host, association);
	locators_learn(&host->locators, &association->peer, &session->remote, false);
}

void host_note_resumed(struct host *host, instant now, uint32_t spi_in, duration gap)
{
	struct association *association = map_get(&host->by_spi, &spi_in);
	struct mobility *mobility;

	(void)now;
	effects_release_taken(&host->effects);
	mobility = association && association->session ? association->session->mobility : NULL;
	if (!mobility || !mobility->handover.count || mobility->handover.resumed)
		return;
	mobility->handover.resumed = true;
	mobility->handover.gap = gap;
	tell_handover(host, association);
}
