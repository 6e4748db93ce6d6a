/* SPDX-License-Identifier: MIT */
/*
 * The tickets that this host gives: one for each peer while it is on board. The peer gets the ticket itself, the router
 * that and with it the SPIs and the places of the peer (DELEGATION), again whenever these change. A router that is on
 * board of another passes on what its hosts gave.
 */
#include "hip/core/router_internal.h"

#include <stdlib.h>
#include <string.h>

#define RENEW_AFTER     SECONDS(TICKET_LIFETIME_MAXIMUM / 2)
#define ORPHANS_MAXIMUM 256
/* A router moves less often than this while a host of it is on its way to another. */
#define SEQUENCE_STEP 65536

/* ---- what a ticket says ---- */

static uint32_t seconds_left(instant now, instant expires)
{
	return now < expires ? (uint32_t)((expires - now) / SECONDS(1)) : 0;
}

static void add_pair(struct parameter_delegation *delegation, uint32_t spi_in, uint32_t spi_out)
{
	if (delegation->pair_count < DELEGATION_PAIRS_MAXIMUM)
		delegation->pairs[delegation->pair_count++] = (struct delegation_pair){spi_in, spi_out};
}

/* The peer may send from wherever it has been reached. */
static void add_other_places(const struct path_set *paths, struct parameter_delegation *out)
{
	for (size_t i = 0; i < paths->count && out->locator_count < DELEGATION_LOCATORS_MAXIMUM; i++) {
		const struct path *path = &paths->items[i];
		size_t place = 0;

		while (place < out->locator_count && !endpoint_equal(&out->locators[place], &path->remote))
			place++;
		if (path->verified && path->state != PATH_DEPRECATED && place == out->locator_count)
			out->locators[out->locator_count++] = path->remote;
	}
}

/* As things are now: old pairs and those that are coming receive as well. */
static void describe(
	const struct host *host, instant now, const struct association *association, struct parameter_delegation *out)
{
	const struct session *session = association->session;
	const struct own_ticket *own = association->dealings->own;
	uint32_t spi_in, spi_out;

	memset(out, 0, sizeof *out);
	out->grant = own->grant;
	out->grant.lifetime = seconds_left(now, own->expires);
	out->owner = host->self;
	out->peer = association->peer;
	if (session->has_sas)
		add_pair(out, session->spi_in, session->spi_out);
	if (rekey_standby(session, &spi_in, &spi_out))
		add_pair(out, spi_in, spi_out);
	if (association->retired && association->retired->has_sas)
		add_pair(out, association->retired->spi_in, association->retired->spi_out);
	out->locators[0] = session->remote;
	out->locator_count = 1;
	if (session->mobility)
		add_other_places(&session->mobility->paths, out);
}

static bool has_same_pairs(const struct parameter_delegation *a, const struct parameter_delegation *b)
{
	return a->pair_count == b->pair_count && memcmp(a->pairs, b->pairs, a->pair_count * sizeof a->pairs[0]) == 0;
}

static bool says_the_same(const struct parameter_delegation *a, const struct parameter_delegation *b)
{
	return has_same_pairs(a, b) && a->locator_count == b->locator_count &&
	       memcmp(a->locators, b->locators, a->locator_count * sizeof a->locators[0]) == 0;
}

/* ---- life ---- */

static void ticket_free(struct own_ticket *own)
{
	bytes_wipe(own, sizeof *own);
	free(own);
}

/* The router is to hear that it is over. */
static void make_orphan(struct host *host, struct own_ticket *own)
{
	struct router_use *use = &host->router.use;

	if (use->orphan_count >= ORPHANS_MAXIMUM) {
		ticket_free(own);
		return;
	}
	own->said.grant.lifetime = 0;
	own->told = own->in_flight = false;
	own->next = use->orphans;
	use->orphans = own;
	use->orphan_count++;
}

void own_ticket_drop(struct host *host, struct association *association)
{
	struct own_ticket *own = association->dealings ? association->dealings->own : NULL;

	if (!own)
		return;
	association->dealings->own = NULL;
	if (is_on_board(host) && (own->told || own->in_flight))
		make_orphan(host, own);
	else
		ticket_free(own);
}

void own_tickets_free_orphans(struct host *host)
{
	struct router_use *use = &host->router.use;

	while (use->orphans) {
		struct own_ticket *own = use->orphans;

		use->orphans = own->next;
		ticket_free(own);
	}
	use->orphan_count = 0;
}

void own_tickets_withdrawn(struct host *host, const struct delegated *ticket)
{
	struct own_ticket *own;

	if (!is_on_board(host) || (!ticket->passed_on && !ticket->passing))
		return;
	own = calloc(1, sizeof *own);
	if (!own)
		return;
	own->grant = ticket->what.grant;
	own->said = ticket->what;
	make_orphan(host, own);
}

/* Only whom we reach through the router needs to hear of it where we are. */
static bool is_wanted(const struct host *host, const struct association *association)
{
	const struct session *session = association->session;

	return host->router.use.state == HOST_ROUTER_REGISTERED && !is_our_router(host, association) && session &&
	       session->state < HOST_CLOSING && session->direct && session->has_sas && !session_on_probation(session) &&
	       session->remote.transport == TRANSPORT_UDP &&
	       address_equal(&session->local.address, &host->router.use.local.address);
}

static struct own_ticket *make_ticket(struct host *host, instant now, struct association *association)
{
	struct router_dealings *dealings = router_dealings_of(association);
	struct own_ticket *own = dealings ? calloc(1, sizeof *own) : NULL;

	if (!own) {
		count(host, HOST_COUNT_DROP_NO_MEMORY);
		return NULL;
	}
	ticket_make(host->random, &own->grant);
	own->expires = instant_after(now, SECONDS(own->grant.lifetime));
	own->renew = instant_after(now, RENEW_AFTER);
	dealings->own = own;
	dealings->session = association->session->began;
	return own;
}

static void give_more_time(instant now, struct own_ticket *own)
{
	own->expires = instant_after(now, SECONDS(own->grant.lifetime));
	own->renew = instant_after(now, RENEW_AFTER);
	own->told = false;
	own->changed = true;
}

/* Only new SPIs help. */
static void ask_for_other_spis(struct host *host, instant now, struct association *association)
{
	(void)rekey_begin(host, now, association, false);
}

static void tell_router(struct host *host, instant now, struct own_ticket *own)
{
	own->refused = false;
	own->told = false;
	own->changed = true;
	router_tell_next(host, now, NEWS_DELEGATIONS);
}

static void compare(struct host *host, instant now, struct association *association)
{
	struct own_ticket *own = association->dealings->own;
	struct parameter_delegation current;

	describe(host, now, association, &current);
	if (own->refused && has_same_pairs(&current, &own->said))
		ask_for_other_spis(host, now, association);
	else if ((!own->told && !own->in_flight) || !says_the_same(&current, &own->said))
		tell_router(host, now, own);
	bytes_wipe(&current, sizeof current);
}

/* The peer is reached otherwise now, or not at all. */
static void take_away(struct host *host, instant now, struct association *association)
{
	struct own_ticket *own = association->dealings->own, *copy;

	if (!association_is_usable(association) || association->session->state >= HOST_CLOSING) {
		own_ticket_drop(host, association);
		return;
	}
	copy = is_on_board(host) && (own->told || own->in_flight) ? calloc(1, sizeof *copy) : NULL;
	if (copy) {
		*copy = *own;
		make_orphan(host, copy);
	}
	own->revoked = true;
	own->told = own->in_flight = false;
	router_tell(host, now, association, NEWS_TICKET);
}

void own_ticket_review(struct host *host, instant now, struct association *association)
{
	struct own_ticket *own = association->dealings ? association->dealings->own : NULL;
	uint8_t news = 0;

	if (!is_wanted(host, association)) {
		if (own && !own->revoked)
			take_away(host, now, association);
		own_tickets_tell_ends(host, now);
		return;
	}
	/* A new one takes its place at the peer too. */
	if (own && own->revoked) {
		own_ticket_drop(host, association);
		own = NULL;
	}
	if (!own) {
		own = make_ticket(host, now, association);
		news = NEWS_TICKET;
	} else if (now >= own->renew) {
		give_more_time(now, own);
		news = NEWS_TICKET;
	}
	if (!own)
		return;
	/* The peer first: what the router sends it by the ticket comes behind that. */
	if (news)
		router_tell(host, now, association, news);
	compare(host, now, association);
}

void own_tickets_tell_ends(struct host *host, instant now)
{
	for (const struct own_ticket *own = host->router.use.orphans; own; own = own->next) {
		if (!own->in_flight) {
			router_tell_next(host, now, NEWS_DELEGATIONS);
			return;
		}
	}
}

void own_ticket_acknowledged(struct host *host, struct association *association, bool known)
{
	struct own_ticket *own = association->dealings->own;

	own->confirmed = known;
	own->ignored = !known;
	if (own->revoked)
		own_ticket_drop(host, association);
}

void own_tickets_revoke(struct host *host, instant now)
{
	for (size_t i = 0; i < host->count; i++) {
		struct association *association = host->all[i];

		if (!association->dealings || !association->dealings->own)
			continue;
		association->dealings->own->revoked = true;
		association->dealings->own->told = association->dealings->own->in_flight = false;
		router_tell(host, now, association, NEWS_TICKET);
	}
	own_tickets_free_orphans(host);
}

/* ---- telling the router ---- */

static void untell(struct own_ticket *own)
{
	own->told = own->in_flight = own->refused = false;
}

/* The router may have used what it was given, and go on for a while. */
static void untell_passed_on(struct delegated *ticket)
{
	if (ticket->passed_on || ticket->passing)
		ticket->sequence += SEQUENCE_STEP;
	ticket->passed_on = ticket->passing = ticket->refused = false;
}

void own_tickets_untold(struct host *host)
{
	struct map_walk walk = map_walk_start(&host->router.service.on_board.tickets);
	struct delegated *ticket;

	for (size_t i = 0; i < host->count; i++) {
		if (host->all[i]->dealings && host->all[i]->dealings->own)
			untell(host->all[i]->dealings->own);
	}
	while ((ticket = map_walk_next(&walk, NULL)))
		untell_passed_on(ticket);
	own_tickets_free_orphans(host);
}

static bool is_to_tell(const struct own_ticket *own)
{
	return own && !own->revoked && !own->told && !own->in_flight && !own->refused;
}

static bool is_to_pass_on(const struct delegated *ticket)
{
	return !ticket->passed_on && !ticket->passing && !ticket->refused;
}

bool own_tickets_to_tell(const struct host *host)
{
	struct map_walk walk = map_walk_start(&host->router.service.on_board.tickets);
	const struct delegated *ticket;

	for (size_t i = 0; i < host->count; i++) {
		if (host->all[i]->dealings && is_to_tell(host->all[i]->dealings->own))
			return true;
	}
	for (const struct own_ticket *own = host->router.use.orphans; own; own = own->next) {
		if (is_to_tell(own))
			return true;
	}
	while ((ticket = map_walk_next(&walk, NULL))) {
		if (is_to_pass_on(ticket))
			return true;
	}
	return false;
}

static void mark(struct own_ticket *own, uint32_t update)
{
	own->in_flight = true;
	own->changed = false;
	own->telling = update;
}

static size_t gather_orphans(struct host *host, uint32_t update, struct parameter_delegation *list, size_t filled)
{
	for (struct own_ticket *own = host->router.use.orphans; own && filled < DELEGATIONS_MAXIMUM; own = own->next) {
		if (!is_to_tell(own))
			continue;
		mark(own, update);
		list[filled++] = own->said;
	}
	return filled;
}

static size_t gather_passed_on(
	struct host *host, instant now, uint32_t update, struct parameter_delegation *list, size_t filled)
{
	struct map_walk walk = map_walk_start(&host->router.service.on_board.tickets);
	struct delegated *ticket;

	while (filled < DELEGATIONS_MAXIMUM && (ticket = map_walk_next(&walk, NULL))) {
		if (!is_to_pass_on(ticket) || now >= ticket->expires)
			continue;
		ticket->passing = true;
		ticket->passing_by = update;
		list[filled] = ticket->what;
		list[filled].sequence = ticket->sequence;
		list[filled++].grant.lifetime = seconds_left(now, ticket->expires);
	}
	return filled;
}

size_t own_tickets_gather(
	struct host *host, instant now, uint32_t update, struct parameter_delegation list[DELEGATIONS_MAXIMUM])
{
	size_t filled = gather_orphans(host, update, list, 0);

	for (size_t i = 0; i < host->count && filled < DELEGATIONS_MAXIMUM; i++) {
		struct association *association = host->all[i];
		struct own_ticket *own = association->dealings ? association->dealings->own : NULL;

		if (!is_to_tell(own) || !association->session)
			continue;
		mark(own, update);
		describe(host, now, association, &own->said);
		list[filled++] = own->said;
	}
	return gather_passed_on(host, now, update, list, filled);
}

static void drop_told_orphans(struct host *host, uint32_t update, bool told)
{
	struct router_use *use = &host->router.use;
	struct own_ticket **link = &use->orphans;

	while (*link) {
		struct own_ticket *own = *link;

		if (own->in_flight && own->telling == update && told) {
			*link = own->next;
			use->orphan_count--;
			ticket_free(own);
			continue;
		}
		if (own->telling == update)
			own->in_flight = false;
		link = &own->next;
	}
}

void own_tickets_told(struct host *host, uint32_t update, bool told)
{
	struct map_walk walk = map_walk_start(&host->router.service.on_board.tickets);
	struct delegated *ticket;

	drop_told_orphans(host, update, told);
	for (size_t i = 0; i < host->count; i++) {
		struct own_ticket *own = host->all[i]->dealings ? host->all[i]->dealings->own : NULL;

		if (!own || !own->in_flight || own->telling != update)
			continue;
		own->in_flight = false;
		own->told = told && !own->changed;
	}
	while ((ticket = map_walk_next(&walk, NULL))) {
		if (!ticket->passing || ticket->passing_by != update)
			continue;
		ticket->passing = false;
		ticket->passed_on = told;
	}
}

/* ---- refusals ---- */

void own_tickets_tell_owner(
	struct host *host, instant now, const struct delegated *ticket, delegation_refusal_reason reason)
{
	struct association *association = association_find(host, &ticket->via->hit);
	struct router_dealings *dealings = association ? router_dealings_of(association) : NULL;
	struct parameter_delegation_refused *refused;

	if (!dealings || dealings->refusal_count >= REFUSALS_MAXIMUM)
		return;
	refused = &dealings->refusals[dealings->refusal_count++];
	memcpy(refused->id, ticket->what.grant.id, sizeof refused->id);
	refused->reason = (uint8_t)reason;
	router_tell(host, now, association, NEWS_REFUSALS);
}

/* A host on board gave it: it is told what the next router says. */
static void refuse_downwards(struct host *host, instant now, const struct parameter_delegation_refused *refused)
{
	struct delegated *ticket = on_board_ticket(&host->router.service.on_board, refused->id);

	if (!ticket)
		return;
	if (refused->reason != DELEGATION_UNANSWERED) {
		ticket->passed_on = false;
		ticket->refused = true;
	}
	own_tickets_tell_owner(host, now, ticket, (delegation_refusal_reason)refused->reason);
}

/* The peer has lost the ticket, say: it gets another, and hears from us where we are. */
static void begin_anew(struct host *host, instant now, struct association *association)
{
	own_ticket_drop(host, association);
	mobility_tell_anew(host, now, association);
	own_ticket_review(host, now, association);
}

void own_ticket_refused(struct host *host, instant now, const struct parameter_delegation_refused *refused)
{
	for (size_t i = 0; i < host->count; i++) {
		struct association *association = host->all[i];
		struct own_ticket *own = association->dealings ? association->dealings->own : NULL;

		if (!own || memcmp(own->grant.id, refused->id, sizeof refused->id) != 0)
			continue;
		if (refused->reason == DELEGATION_UNANSWERED) {
			if (!own->ignored)
				begin_anew(host, now, association);
			return;
		}
		own->refused = true;
		own->told = false;
		router_event(host, &association->peer, "the router refuses a ticket");
		if (refused->reason == DELEGATION_SPI_COLLIDES)
			ask_for_other_spis(host, now, association);
		return;
	}
	refuse_downwards(host, now, refused);
}
