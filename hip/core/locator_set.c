/* SPDX-License-Identifier: MIT */
/*
 * Where the peer says it is (RFC 8046 section 5.3), and where it speaks from. What it says is only a claim: no data
 * goes to a locator beyond credit before the peer has answered there (section 5.4), be it ESP or a check. Checks spend
 * what HIP packets have brought first, then what ESP has brought.
 */
#include "hip/core/router_internal.h"

/* Nothing was heard on a path for so long, though the peer speaks. */
#define UNHEARD_LONG SECONDS(2)
/* Between two checks of the path in use for that. */
#define CHECK_AGAIN SECONDS(5)

static bool same_locator(const struct path *path, const struct endpoint *remote)
{
	return endpoint_equal(&path->remote, remote);
}

static instant expiry(instant now, uint32_t lifetime)
{
	return lifetime == LOCATOR_LIFETIME_UNBOUNDED ? INSTANT_NEVER : instant_after(now, SECONDS(lifetime));
}

static void note_listed(struct path *path, const struct locator *locator, instant now)
{
	bool has_priority = locator->type == LOCATOR_TYPE_TRANSPORT_ADDRESS;

	path_happens(path, PATH_EVENT_LISTED, now);
	path->origin = PATH_BY_LOCATOR_SET;
	path->expires = expiry(now, locator->lifetime);
	path->priority = has_priority ? locator->priority : candidates_priority(PATH_BY_LOCATOR_SET);
	path->preferred = locator->preferred && !has_priority;
	path->signaling_only = locator->traffic == LOCATOR_TRAFFIC_SIGNALING;
}

/* Adds what is new, renews what is known. */
static void note_set(struct host *host, instant now, struct session *session, const struct parameter_locator_set *set)
{
	struct path_set *paths = &session->mobility->paths;

	for (size_t i = 0; i < set->count; i++) {
		struct endpoint remote;

		if (!candidates_endpoint(host, &set->items[i], &remote)) {
			count(host, HOST_COUNT_DROP_LOCATOR);
			continue;
		}
		mobility_add_paths(host, session, &remote, PATH_BY_LOCATOR_SET);
		for (size_t j = 0; j < paths->count; j++) {
			if (same_locator(&paths->items[j], &remote))
				note_listed(&paths->items[j], &set->items[i], now);
		}
	}
}

static bool is_listed(const struct host *host, const struct parameter_locator_set *set, const struct path *path)
{
	for (size_t i = 0; i < set->count; i++) {
		struct endpoint remote;

		if (candidates_endpoint(host, &set->items[i], &remote) && same_locator(path, &remote))
			return true;
	}
	return false;
}

/* What it had before is no place to look for it, but for the one in use. */
static void replace_known(
	struct host *host, const struct association *association, const struct parameter_locator_set *set)
{
	const struct path *current = path_set_current(&association->session->mobility->paths);

	locators_forget_learnt(&host->locators, &association->peer);
	if (current->state != PATH_DEPRECATED)
		locators_learn(&host->locators, &association->peer, &current->remote, false);
	candidates_learn(host, &association->peer, set);
}

/* `from`: where the peer speaks from right now, which is as good as listed; NULL: that is not known. */
static void apply(struct host *host, instant now, struct association *association,
	const struct parameter_locator_set *set, const struct endpoint *from)
{
	struct path_set *paths = &association->session->mobility->paths;

	/* What is not listed goes first, so that there is room for what is. */
	for (size_t i = 0; i < paths->count; i++) {
		struct path *path = &paths->items[i];

		if (!is_listed(host, set, path) && !(from && same_locator(path, from)))
			path_happens(path, PATH_EVENT_UNLISTED, now);
	}
	mobility_drop_useless(paths);
	note_set(host, now, association->session, set);
	replace_known(host, association, set);
	association->session->mobility->listed = true;
	count(host, HOST_COUNT_LOCATOR_SET_IN);
}

hiphop_error locator_set_apply(struct host *host, instant now, struct association *association,
	const struct parameter_locator_set *set, const struct endpoint *from)
{
	struct session *session = association->session;

	if (mobility_obtain(host, now, session))
		return HIPHOP_NO_MEMORY;
	apply(host, now, association, set, from);
	handover_settle(host, now, association);
	mobility_arm(host, now, association);
	return HIPHOP_OK;
}

/* ---- from a packet ---- */

static bool is_newer(const struct mobility *mobility, uint32_t update_id)
{
	return !mobility->has_last_set || (int32_t)(update_id - mobility->last_set) > 0;
}

static bool may_be_a_locator(const struct host *host, const struct endpoint *endpoint)
{
	return address_is_usable_locator(&endpoint->address) && !candidates_link(host, &endpoint->address) &&
	       !router_is_hop(host, endpoint);
}

/* The path that a packet came by, made when there is none. NULL: there is no room, or it cannot be one. */
static struct path *path_of_arrival(
	struct host *host, struct session *session, const struct endpoint *local, const struct endpoint *remote)
{
	struct path_set *paths = &session->mobility->paths;
	struct path *path = path_set_find(paths, local, remote);

	if (path || !may_be_a_locator(host, remote))
		return path;
	mobility_add_path(host, session, local, remote, PATH_BY_OBSERVATION);
	path = path_set_find(paths, local, remote);
	if (path)
		count(host, HOST_COUNT_LOCATOR_OBSERVED);
	return path;
}

/* The acknowledgment goes with the nonce to where the peer speaks from (RFC 8046 section 3.2.1 step 2). */
static bool check_where_it_speaks(
	struct host *host, const struct incoming *in, struct association *association, uint32_t update_id)
{
	struct session *session = association->session;
	const struct host_arrival *arrival = in->arrival;
	struct path *path;

	if (arrival->inside_esp)
		return false;
	path = path_of_arrival(host, session, &arrival->local, &arrival->remote);
	if (!path || path->state != PATH_UNVERIFIED)
		return false;
	return path_check_send(
		host, in->now, association, (size_t)(path - session->mobility->paths.items), in, &update_id, false);
}

/* A session without path for ESP gets one by a new exchange, which knows these locators then. */
static hiphop_error take_without_path(
	struct host *host, const struct association *association, const struct parameter_locator_set *set)
{
	candidates_learn(host, &association->peer, set);
	return HIPHOP_OK;
}

/* Returns whether a check went back that acknowledges the UPDATE. */
static bool take_newer(struct host *host, const struct incoming *in, struct association *association,
	uint32_t update_id, const struct parameter_locator_set *set)
{
	struct session *session = association->session;
	const struct host_arrival *arrival = in->arrival;
	bool acknowledged;

	session->mobility->has_last_set = true;
	session->mobility->last_set = update_id;
	if (!arrival->inside_esp)
		(void)path_of_arrival(host, session, &arrival->local, &arrival->remote);
	apply(host, in->now, association, set, arrival->inside_esp ? NULL : &arrival->remote);
	acknowledged = check_where_it_speaks(host, in, association, update_id);
	handover_settle(host, in->now, association);
	mobility_arm(host, in->now, association);
	return acknowledged;
}

/* RFC 8046 section 5.3. */
static void tell_unknown_preferred(
	struct host *host, const struct incoming *in, const struct parameter_locator_set *set)
{
	if (set->unknown_preferred.data)
		notify_sender(host, in, NOTIFY_LOCATOR_TYPE_UNSUPPORTED, set->unknown_preferred, SHOWN_IDENTITY);
}

void locator_set_take_of_r2(struct host *host, const struct incoming *in, struct association *association)
{
	const struct session *session = association->session;
	struct parameter_locator_set set;

	if (parameter_locator_set_read(packet_find(&in->view, PARAMETER_LOCATOR_SET), &set))
		return;
	if (!session->has_sas || session_on_probation(session))
		(void)take_without_path(host, association, &set);
	else if (locator_set_apply(host, in->now, association, &set, &session->remote))
		count(host, HOST_COUNT_DROP_NO_MEMORY);
	tell_unknown_preferred(host, in, &set);
}

hiphop_error locator_set_take(struct host *host, const struct incoming *in, struct association *association,
	uint32_t update_id, bool *acknowledged)
{
	struct session *session = association->session;
	struct parameter_locator_set set;
	hiphop_error error = parameter_locator_set_read(packet_find(&in->view, PARAMETER_LOCATOR_SET), &set);

	*acknowledged = false;
	if (error)
		return error == HIPHOP_NOT_FOUND ? HIPHOP_OK : HIPHOP_MALFORMED;
	if (!session->has_sas || session_on_probation(session))
		return take_without_path(host, association, &set);
	if (mobility_obtain(host, in->now, session))
		return HIPHOP_NO_MEMORY;
	if (!is_newer(session->mobility, update_id)) {
		count(host, HOST_COUNT_DROP_OLD_LOCATOR_SET);
		return HIPHOP_OK;
	}
	tell_unknown_preferred(host, in, &set);
	*acknowledged = take_newer(host, in, association, update_id, &set);
	return HIPHOP_OK;
}

/* ---- packets from elsewhere ---- */

/* A peer that knows no questions is asked by UPDATE, when it was not heard for a while on the path in use. */
static void check_current(struct host *host, instant now, struct association *association, struct path *current)
{
	path_probe_note_heard(host, association, current);
	if (current->state != PATH_ACTIVE || current->check.in_doubt ||
		now < instant_after(current->heard, UNHEARD_LONG) ||
		now < instant_after(current->check.sent, CHECK_AGAIN))
		return;
	current->check.in_doubt = true;
	current->check.tries = 0;
	current->next_try = now;
}

/* The peer sends by another path than we do: ours may be dead. */
static void note_known_path(struct host *host, instant now, struct association *association, struct path *path)
{
	struct mobility *mobility = association->session->mobility;
	struct path *current = path_set_current(&mobility->paths);

	path->heard = now;
	if (path->state == PATH_SILENT)
		path->next_try = now;
	if (path->state != PATH_ACTIVE || path == current)
		return;
	if (mobility->answers_questions)
		path_probe_send(host, now, association, current);
	else
		check_current(host, now, association, current);
}

static bool knows_locator(const struct path_set *paths, const struct endpoint *remote)
{
	for (size_t i = 0; i < paths->count; i++) {
		if (same_locator(&paths->items[i], remote))
			return true;
	}
	return false;
}

/* Who speaks by another transport as well has not moved for that. */
static void doubt_current(const struct path_set *paths, const struct endpoint *remote, instant now)
{
	struct path *current = path_set_current(paths);

	if (current->remote.transport == remote->transport)
		path_happens(current, PATH_EVENT_DOUBTED, now);
}

void locator_observed(struct host *host, instant now, struct association *association, const struct endpoint *local,
	const struct endpoint *remote)
{
	struct session *session = association->session;
	struct path *path;
	bool is_known;

	if (!session->has_sas || session->state >= HOST_CLOSING || session_on_probation(session) ||
		!may_be_a_locator(host, remote) || mobility_obtain(host, now, session))
		return;
	is_known = knows_locator(&session->mobility->paths, remote);
	path = path_of_arrival(host, session, local, remote);
	/* A NAT has another mapping, say: then nobody is where we send to. */
	if (path && !is_known)
		doubt_current(&session->mobility->paths, remote, now);
	else if (path)
		note_known_path(host, now, association, path);
	mobility_arm(host, now, association);
}

void host_note_elsewhere(
	struct host *host, instant now, uint32_t spi_in, const struct endpoint *local, const struct endpoint *remote)
{
	struct association *association = map_get(&host->by_spi, &spi_in);

	effects_release_taken(&host->effects);
	if (association && association->session)
		locator_observed(host, now, association, local, remote);
}
