/* SPDX-License-Identifier: MIT */
/*
 * Our own links change, and the peers are told (RFC 8046 sections 3.2 and 5.2): a path from a new address to where the
 * peer has answered before is used at once, and an UPDATE with LOCATOR_SET goes the same way.
 */
#include "hip/core/router_internal.h"

#include <stdlib.h>
#include <string.h>

/* What the base exchange did not carry is told this much later, so that no UPDATE overtakes an R2. */
#define BEGIN_DELAY  MILLISECONDS(300)
#define BEGIN_SPREAD MILLISECONDS(400)
/* Changes of our links that a peer is told, a second, and at once. */
#define ANNOUNCEMENTS_PER_SECOND 2
#define ANNOUNCEMENTS_AT_ONCE    5
/* Checks of paths, likewise: each is signed. */
#define CHECKS_PER_SECOND 10
#define CHECKS_AT_ONCE    (2 * PATHS_MAXIMUM)
/* HIP octets that are remembered at most. */
#define CREDIT_MOST 12800
/* When there are many peers, they are told one after the other. */
#define READDRESS_STEP NANOSECONDS(200000)
/* Those first to whom something was sent up to so long before the newest of all. */
#define READDRESS_BUSY SECONDS(1)

/* ---- having and not having ---- */

static void take_link(const struct host *host, struct path *path)
{
	const struct link_address *link = candidates_link(host, &path->local.address);

	path->link_gone = !link && !address_is_unspecified(&path->local.address) && host->links_known;
	if (!link)
		return;
	path->preference = link->preference;
	path->metered = link->metered;
	path->interface = link->interface;
	path->cost = link->cost;
}

hiphop_error mobility_obtain(const struct host *host, instant now, struct session *session)
{
	struct mobility *mobility;
	struct path *path;

	if (session->mobility)
		return HIPHOP_OK;
	mobility = calloc(1, sizeof *mobility);
	path = mobility ? path_set_add(&mobility->paths, &session->local, &session->remote) : NULL;
	if (!path) {
		free(mobility);
		return HIPHOP_NO_MEMORY;
	}
	path->state = PATH_ACTIVE;
	path->verified = true;
	path->priority = candidates_priority(PATH_BY_EXCHANGE);
	path->heard = session->control_heard;
	path->active_since = now;
	take_link(host, path);
	mobility->announcements = token_bucket_start(ANNOUNCEMENTS_PER_SECOND, ANNOUNCEMENTS_AT_ONCE, now);
	mobility->checks = token_bucket_start(CHECKS_PER_SECOND, CHECKS_AT_ONCE, now);
	session->mobility = mobility;
	return HIPHOP_OK;
}

void mobility_free(struct session *session)
{
	if (!session->mobility)
		return;
	path_set_free(&session->mobility->paths);
	free(session->mobility);
	session->mobility = NULL;
}

/* ---- credit ---- */

void mobility_earn(struct session *session, size_t octets)
{
	if (session->credit < CREDIT_MOST)
		session->credit += (uint32_t)octets;
}

static bool is_verified(const struct session *session, const struct endpoint *remote)
{
	return session->mobility ? path_set_has_verified(&session->mobility->paths, remote)
				 : endpoint_equal(&session->remote, remote);
}

bool mobility_spend(struct host *host, instant now, const struct association *association,
	const struct endpoint *remote, size_t octets)
{
	const struct host_environment *environment = &host->configuration.environment;
	struct session *session = association->session;

	if (is_verified(session, remote))
		return true;
	if (session->credit >= octets) {
		session->credit -= (uint32_t)octets;
		return true;
	}
	if (environment->spend_credit &&
		environment->spend_credit(environment->context, &association->peer, now, octets))
		return true;
	count(host, HOST_COUNT_CHECKS_BEYOND_CREDIT);
	return false;
}

hiphop_error mobility_send(struct host *host, instant now, const struct association *association, const struct way *way,
	const uint8_t *octets, size_t length)
{
	if (!way->overlay && !mobility_spend(host, now, association, &way->remote, length))
		return HIPHOP_LIMITED;
	return outgoing_send(host, way, octets, length);
}

/* ---- paths from our links ---- */

static struct endpoint local_endpoint(const struct host *host, const struct link_address *link, uint16_t transport)
{
	return (struct endpoint){.address = link->address,
		.port = transport == TRANSPORT_UDP ? host->configuration.port : 0,
		.transport = transport};
}

/* When there are too many, one that nobody relies on makes room. */
static void make_room(struct path_set *set)
{
	for (size_t i = 0; set->count >= PATHS_MAXIMUM && i < set->count; i++) {
		const struct path *path = &set->items[i];

		if (i != set->current && (!path->verified || path->state == PATH_SILENT))
			path_set_remove(set, i--);
	}
}

void mobility_add_path(struct host *host, struct session *session, const struct endpoint *local,
	const struct endpoint *remote, path_origin origin)
{
	struct path_set *set = &session->mobility->paths;
	struct path *path;

	if (path_set_find(set, local, remote))
		return;
	make_room(set);
	path = path_set_add(set, local, remote);
	if (!path)
		return;
	path->origin = (uint8_t)origin;
	path->priority = candidates_priority(origin);
	take_link(host, path);
}

void mobility_add_paths(struct host *host, struct session *session, const struct endpoint *remote, path_origin origin)
{
	for (size_t i = 0; i < host->link_count; i++) {
		struct endpoint local = local_endpoint(host, &host->links[i], remote->transport);

		if (candidates_link_fits(host, session, &host->links[i]) &&
			(address_is_ipv4(&local.address) == address_is_ipv4(&remote->address) ||
				router_bridges(host, &local, remote)))
			mobility_add_path(host, session, &local, remote, origin);
	}
}

void mobility_drop_useless(struct path_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct path *path = &set->items[i];

		if (i != set->current && (path->link_gone || path->state == PATH_DEPRECATED))
			path_set_remove(set, i--);
	}
}

/* Each locator of the peer that is known gets a path from each of our links, after those from links that are gone have
 * made room. */
static void add_missing_paths(struct host *host, struct session *session)
{
	struct path_set *set = &session->mobility->paths;
	struct endpoint remotes[PATHS_MAXIMUM];
	uint8_t origins[PATHS_MAXIMUM];
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++) {
		if (set->items[i].state != PATH_DEPRECATED && count < PATHS_MAXIMUM) {
			remotes[count] = set->items[i].remote;
			origins[count++] = set->items[i].origin;
		}
	}
	mobility_drop_useless(set);
	for (size_t i = 0; i < count; i++)
		mobility_add_paths(host, session, &remotes[i], (path_origin)origins[i]);
}

static void add_known_locators(struct host *host, struct association *association)
{
	const struct locator_list *known = locators_of(&host->locators, &association->peer);

	for (size_t i = 0; known && i < known->count; i++)
		mobility_add_paths(host, association->session, &known->endpoints[i], PATH_BY_EXCHANGE);
}

static bool has_family(const struct path_set *set, bool ipv4)
{
	for (size_t i = 0; i < set->count; i++) {
		if (!set->items[i].link_gone && address_is_ipv4(&set->items[i].remote.address) == ipv4)
			return true;
	}
	return false;
}

/* Those of a family of which there was no link so far have had no path. */
static void add_locators_of_new_family(struct host *host, struct association *association)
{
	const struct locator_list *known = locators_of(&host->locators, &association->peer);
	const struct path_set *set = &association->session->mobility->paths;
	const bool has[2] = {has_family(set, false), has_family(set, true)};

	for (size_t i = 0; known && i < known->count; i++) {
		if (!has[address_is_ipv4(&known->endpoints[i].address)])
			mobility_add_paths(host, association->session, &known->endpoints[i], PATH_BY_EXCHANGE);
	}
}

/* A path without link keeps what is known of the peer's locator, and comes back with the link. */
static void sync_links(const struct host *host, instant now, struct path_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		struct path *path = &set->items[i];
		bool was_gone = path->link_gone;

		take_link(host, path);
		if (path->link_gone == was_gone)
			continue;
		path_happens(path, PATH_EVENT_UNANSWERED, now);
		path->next_try = now;
		path->hold = 0;
		path->failed_tries = 0;
	}
}

/* ---- a session begins ---- */

static bool has_choice(const struct host *host, const struct association *association)
{
	const struct locator_list *known = locators_of(&host->locators, &association->peer);

	return host->link_count > 1 || (known && known->count > 1);
}

void mobility_begin(struct host *host, instant now, struct association *association)
{
	if (has_choice(host, association))
		association_set_timer(host, association, TIMER_PATHS,
			instant_after(now, BEGIN_DELAY + random_u64(host->random) % BEGIN_SPREAD));
}

/* The Initiator has told its locators in its I2, the Responder only if the R1 came over the overlay. How much it likes
 * each is taken from an UPDATE alone. */
static void tell_at_first(struct host *host, instant now, struct association *association)
{
	struct mobility *mobility = association->session->mobility;

	if (association->session->initiator && candidates_are_alike(host)) {
		mobility->told = announcement_digest(host, association->session);
		mobility->told_at = now;
	} else if (host->link_count > 1) {
		mobility_announce(now, association);
	}
}

/* The peer may have been first with a LOCATOR_SET, or a packet from elsewhere: then there are some paths already. */
static void find_paths(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;

	if (mobility_obtain(host, now, session))
		return;
	session->mobility->begun = true;
	if (!session->mobility->told && !session->mobility->announcement.due)
		tell_at_first(host, now, association);
	add_missing_paths(host, session);
	if (!session->mobility->listed)
		add_known_locators(host, association);
}

/* ---- our own links ---- */

/* With one link the path follows what the kernel would take, with several each has its own. */
static bool is_stale(struct host *host, const struct session *session)
{
	struct way way;

	if (address_is_unspecified(&session->local.address))
		return false;
	if (!candidates_link(host, &session->local.address) && host->links_known)
		return true;
	return way_to_endpoint(host, &session->remote, &way) && !address_is_unspecified(&way.local.address) &&
	       !address_equal(&way.local.address, &session->local.address);
}

/* The kernel's own choice may be an address that is not listed. */
static void add_path_of_kernel(struct host *host, struct session *session)
{
	struct way way;

	if (!way_to_endpoint(host, &session->remote, &way) || address_is_unspecified(&way.local.address))
		return;
	if (host->links_known && !candidates_link(host, &way.local.address))
		return;
	mobility_add_path(host, session, &way.local, &session->remote, PATH_BY_EXCHANGE);
}

static void move(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;

	sync_links(host, now, &session->mobility->paths);
	add_missing_paths(host, session);
	add_path_of_kernel(host, session);
	if (session->mobility->paths.count == 1 || !path_set_has_link(&session->mobility->paths))
		add_known_locators(host, association);
	else
		add_locators_of_new_family(host, association);
	handover_settle(host, now, association);
	mobility_drop_useless(&session->mobility->paths);
	if (session->mobility->told != announcement_digest(host, session))
		mobility_announce(now, association);
	mobility_timer(host, now, association);
}

void mobility_readdress(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;

	initiator_hurry(host, now, association);
	if (!session || session->state >= HOST_CLOSING || session_on_probation(session))
		return;
	if (!session->direct) {
		association->pathless_tries = 0;
		if (!association->initiation)
			initiator_begin(host, now, association);
		return;
	}
	if (!session->has_sas || (!session->mobility && host->link_count <= 1 && !is_stale(host, session)))
		return;
	if (!mobility_obtain(host, now, session))
		move(host, now, association);
	else if (!association->initiation)
		initiator_begin(host, now, association);
}

/* When ESP was sent last, to whomever. */
static instant newest_traffic(const struct host *host)
{
	instant newest = 0;

	for (size_t i = 0; i < host->count; i++) {
		instant sent = esp_traffic_of(host, host->all[i]).sent;

		newest = sent > newest ? sent : newest;
	}
	return newest;
}

/* Each UPDATE has a signature: who is talked to is not to wait for those of the overlay. */
static void tell_in_turn(struct host *host, instant now)
{
	const instant newest = newest_traffic(host);
	instant at = now;

	for (int busy = 1; busy >= 0; busy--) {
		for (size_t i = 0; i < host->count; i++) {
			struct association *association = host->all[i];
			instant sent = esp_traffic_of(host, association).sent;

			if ((!association->session && !association->initiation) ||
				(instant_after(sent, READDRESS_BUSY) >= newest) != busy)
				continue;
			association_set_timer(host, association, TIMER_READDRESS, at);
			at = instant_after(at, READDRESS_STEP);
		}
	}
}

void host_set_links(struct host *host, instant now, const struct link_address *links, size_t count)
{
	effects_release_taken(&host->effects);
	candidates_set_links(host, links, count);
	router_links(host, now);
	tell_in_turn(host, now);
}

void host_set_addresses(struct host *host, instant now, const struct address *addresses, size_t count)
{
	struct link_address links[HOST_ADDRESSES_MAXIMUM] = {0};
	size_t taken = 0;

	for (size_t i = 0; i < count && taken < HOST_ADDRESSES_MAXIMUM; i++) {
		if (address_is_usable_locator(&addresses[i]))
			links[taken++].address = addresses[i];
	}
	host_set_links(host, now, links, taken);
}

void mobility_resume_all(struct host *host, instant now)
{
	count(host, HOST_COUNT_RESUMED);
	log_write(host->log, LOG_LEVEL_INFO, "this host was suspended; its peers are told where it is");
	for (size_t i = 0; i < host->count; i++) {
		struct association *association = host->all[i];
		struct session *session = association->session;

		if (!session || !session->has_sas || session->state >= HOST_CLOSING ||
			mobility_obtain(host, now, session))
			continue;
		session->mobility->told = 0;
		association_set_timer(host, association, TIMER_READDRESS, now);
	}
}

/* ---- time and answers ---- */

static bool announcement_waits_for(const struct announcement *announcement, const struct parameter_sequence_list *acks)
{
	return announcement->due && announcement->tries && parameter_sequence_list_has(acks, announcement->update);
}

bool mobility_waits_for(const struct session *session, const struct parameter_sequence_list *acks)
{
	const struct mobility *mobility = session->mobility;

	return mobility &&
	       (announcement_waits_for(&mobility->announcement, acks) || path_checks_wait_for(mobility, acks));
}

static bool has_another(const struct path_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct path *path = &set->items[i];

		if (i != set->current && path->state == PATH_ACTIVE && !path->link_gone && !path->signaling_only)
			return true;
	}
	return false;
}

void mobility_unanswered(struct host *host, instant now, struct association *association)
{
	struct mobility *mobility = association->session->mobility;

	if (!mobility || session_on_probation(association->session) || !has_another(&mobility->paths))
		return;
	path_happens(path_set_current(&mobility->paths), PATH_EVENT_UNANSWERED, now);
	handover_settle(host, now, association);
	mobility_arm(host, now, association);
}

static void verify_locator(struct path_set *set, const struct path *answered)
{
	for (size_t i = 0; i < set->count; i++) {
		if (endpoint_equal(&set->items[i].remote, &answered->remote) && set->items[i].state != PATH_DEPRECATED)
			set->items[i].verified = true;
	}
}

void mobility_tell_anew(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;

	if (!session || !session->has_sas || session->state >= HOST_CLOSING || session_on_probation(session) ||
		mobility_obtain(host, now, session))
		return;
	mobility_announce(now, association);
	mobility_arm(host, now, association);
}

void mobility_note_told(const struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;

	if (!session || !session->mobility)
		return;
	session->mobility->told = announcement_digest(host, session);
	session->mobility->told_at = now;
}

/* The peer has received our nonce at its locator. */
static void take_answer(struct host *host, instant now, struct association *association, struct path *path)
{
	struct mobility *mobility = association->session->mobility;

	count(host, HOST_COUNT_CHECKS_ANSWERED);
	if (path->check.tries == 1)
		path_note_check(path, now - path->check.sent);
	if (path->round_trip)
		association->round_trip = path->round_trip;
	path->check.tries = 0;
	path_happens(path, PATH_EVENT_ANSWERED, now);
	verify_locator(&mobility->paths, path);
	/* Whether the peer knows the cheap question. */
	if (!mobility->answers_questions)
		path_probe_send(host, now, association, path);
}

void mobility_path_answered(struct host *host, instant now, struct association *association, struct path *path)
{
	take_answer(host, now, association, path);
	handover_settle(host, now, association);
	mobility_drop_useless(&association->session->mobility->paths);
	mobility_arm(host, now, association);
}

void mobility_acknowledged(struct host *host, const struct incoming *in, struct association *association,
	const struct parameter_sequence_list *acks)
{
	struct mobility *mobility = association->session->mobility;
	struct path *path;

	if (!mobility || !association->session->has_sas)
		return;
	path = path_check_answered(mobility, in, acks);
	if (path)
		take_answer(host, in->now, association, path);
	if (announcement_waits_for(&mobility->announcement, acks))
		announcement_acknowledged(host, in->now, association);
	handover_settle(host, in->now, association);
	mobility_drop_useless(&mobility->paths);
	mobility_arm(host, in->now, association);
}

/* Returns when the next one expires. */
static instant expire_locators(instant now, struct path_set *set)
{
	instant next = INSTANT_NEVER;

	for (size_t i = 0; i < set->count; i++) {
		if (now >= set->items[i].expires)
			path_happens(&set->items[i], PATH_EVENT_UNLISTED, now);
		else
			next = instant_earlier(next, set->items[i].expires);
	}
	return next;
}

void mobility_arm(struct host *host, instant now, struct association *association)
{
	if (association->session && association->session->mobility)
		association_set_timer(host, association, TIMER_PATHS, now);
}

void mobility_timer(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;
	instant next;

	if (!session || !session->has_sas || session->state >= HOST_CLOSING || session_on_probation(session))
		return;
	if (!session->mobility || !session->mobility->begun)
		find_paths(host, now, association);
	if (!session->mobility)
		return;
	next = expire_locators(now, &session->mobility->paths);
	if (!session->mobility->announcement.due && now >= announcement_next(host, session->mobility))
		mobility_announce(now, association);
	announcement_run(host, now, association);
	next = instant_earlier(next, path_checks_run(host, now, association));
	next = instant_earlier(next, path_probes_run(host, now, association));
	handover_settle(host, now, association);
	mobility_drop_useless(&session->mobility->paths);
	next = instant_earlier(next, announcement_next(host, session->mobility));
	association_set_timer(host, association, TIMER_PATHS, next > now ? next : now + 1);
}
