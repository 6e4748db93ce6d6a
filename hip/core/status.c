/* SPDX-License-Identifier: MIT */
#include "hip/core/host_internal.h"

#include <string.h>

static const char *const state_names[] = {
	[HOST_UNASSOCIATED] = "UNASSOCIATED",
	[HOST_I1_SENT] = "I1-SENT",
	[HOST_I2_SENT] = "I2-SENT",
	[HOST_R2_SENT] = "R2-SENT",
	[HOST_ESTABLISHED] = "ESTABLISHED",
	[HOST_CLOSING] = "CLOSING",
	[HOST_CLOSED] = "CLOSED",
	[HOST_FAILED] = "E-FAILED",
};

static const char *const counter_names[] = {
#define HOST_COUNTER_NAME(name, text) text,
	HOST_COUNTERS(HOST_COUNTER_NAME)
#undef HOST_COUNTER_NAME
};

const char *host_state_name(host_state state)
{
	return (size_t)state < sizeof state_names / sizeof state_names[0] ? state_names[state] : "";
}

uint64_t host_counter_value(const struct host *host, host_counter counter)
{
	return (size_t)counter < HOST_COUNTER_COUNT ? host->counters[counter] : 0;
}

const char *host_counter_name(host_counter counter)
{
	return (size_t)counter < HOST_COUNTER_COUNT ? counter_names[counter] : "";
}

struct hit host_hit(const struct host *host)
{
	return host->self;
}

size_t host_association_count(const struct host *host)
{
	return host->count;
}

void host_load(const struct host *host, struct host_load *load)
{
	const struct puzzle_difficulty *difficulty = &host->difficulty;

	*load = (struct host_load){
		.difficulty = puzzle_difficulty_of(difficulty, difficulty->level),
		.calm_difficulty = difficulty->base,
		.maximum = difficulty->maximum,
		.i1_per_second = difficulty->i1_rate,
		.i2_per_second = difficulty->i2_rate,
		.i1_limit = difficulty->i1_limit,
		.i2_limit = difficulty->i2_limit,
		.associations = host->count,
		.associations_limit = host->configuration.associations,
	};
}

static void view_handover(const struct session *session, struct host_association_view *view)
{
	const struct handover *handover = session->mobility ? &session->mobility->handover : NULL;

	if (!handover)
		return;
	view->handover = (struct host_handover_view){.count = handover->count,
		.reason = handover_reason_name(handover->reason),
		.at = handover->at,
		.resumed = handover->resumed,
		.gap = handover->gap,
		.from_local = handover->from_local,
		.from_remote = handover->from_remote};
}

static void view_session(const struct host *host, const struct session *session, struct host_association_view *view)
{
	const struct esp_suite *suite = esp_suite_by_id(session->keys.suite);

	view->hip_cipher = session->keys.cipher->name;
	view->dh_group = diffie_hellman_group_by_id(session->keys.group)->name;
	view->usable = session->has_sas && !session_on_probation(session);
	view->on_probation = session_on_probation(session);
	view->carries_hip = session->carries_hip;
	view->suspect = session->suspected != 0;
	view->initiator = session->initiator;
	view->overlay_hops = session->overlay_hops;
	view->local = session->local;
	view->remote = session->remote;
	if (!session->has_sas)
		return;
	view->path = "direct";
	view_handover(session, view);
	view->keyed = session->keyed;
	view->rekey_at = session->rekey_at;
	view->expire_at = session->expire_at;
	view->rekeys = session->rekeys;
	view->rekeying = session->rekeying != NULL;
	view->soft = session->soft;
	view->hard = key_lifetime_hard(host, session->keys.suite);
	view->spi_in = session->spi_in;
	view->spi_out = session->spi_out;
	view->suite = suite ? suite->name : "";
}

static void view_path(const struct mobility *mobility, size_t place, struct host_path_view *view)
{
	const struct path *path = &mobility->paths.items[place];

	*view = (struct host_path_view){.local = path->local,
		.remote = path->remote,
		.state = path_state_name((path_state)path->state),
		.origin = path_origin_name((path_origin)path->origin),
		.current = place == mobility->paths.current,
		.preference = path->preference,
		.metered = path->metered,
		.cost = path->cost,
		.loss = path->loss,
		.round_trip = path->round_trip,
		.heard = path->heard,
		.held_until = path->held_until,
		.more = path->more_rank != 0};
}

bool host_path_at(const struct host *host, const struct hit *peer, size_t index, struct host_path_view *view)
{
	const struct association *association = association_find(host, peer);
	const struct session *session = association ? association->session : NULL;

	if (!session || !session->has_sas)
		return false;
	if (session->mobility) {
		if (index < session->mobility->paths.count)
			view_path(session->mobility, index, view);
		return index < session->mobility->paths.count;
	}
	*view = (struct host_path_view){.local = session->local,
		.remote = session->remote,
		.state = path_state_name(PATH_ACTIVE),
		.origin = path_origin_name(PATH_BY_EXCHANGE),
		.current = true,
		.round_trip = association->round_trip,
		.heard = session->control_heard};
	return index == 0;
}

static void view_initiation(const struct initiation *initiation, struct host_association_view *view)
{
	view->initiator = true;
	if (initiation->target_count)
		view->remote = initiation->targets[0];
	if (!initiation->acceptance)
		return;
	view->local = initiation->acceptance->ways[initiation->acceptance->way].local;
	view->remote = initiation->acceptance->ways[initiation->acceptance->way].remote;
	view->overlay_hops = initiation->acceptance->overlay_hops;
}

static void fill_view(
	const struct host *host, const struct association *association, struct host_association_view *view)
{
	const struct locator_list *locators = locators_of(&host->locators, &association->peer);

	memset(view, 0, sizeof *view);
	view->peer = association->peer;
	view->state = association_state(association);
	view->held = association->held;
	view->path = "none";
	view->suite = view->hip_cipher = view->dh_group = "";
	view->round_trip = association->round_trip;
	view->since = association->since;
	view->anonymous = association->anonymous;
	view->name = association->name;
	view->certificate_state = peer_certificates_state(association->certificates, true);
	if (association->certificates && association->certificates->judged)
		view->certificate = &association->certificates->report;
	if (association->session)
		view_session(host, association->session, view);
	else if (association->initiation)
		view_initiation(association->initiation, view);
	if (locators) {
		view->locators = locators->endpoints;
		view->locator_count = locators->count;
	}
}

bool host_association_at(const struct host *host, size_t index, struct host_association_view *view)
{
	if (index >= host->count)
		return false;
	fill_view(host, host->all[index], view);
	return true;
}

bool host_association_find(const struct host *host, const struct hit *peer, struct host_association_view *view)
{
	const struct association *association = association_find(host, peer);

	if (association)
		fill_view(host, association, view);
	return association != NULL;
}
