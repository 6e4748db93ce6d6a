/* SPDX-License-Identifier: MIT */
/*
 * A host on board: it seeks the router that it is to use, registers (RFC 8003) and stays registered, and leaves. While
 * it is on board, its SAs go to the router (router_carries), and each peer has a ticket (own_tickets.c).
 */
#include "hip/core/router_internal.h"

#include "hip/core/registration.h"

#include <stdlib.h>
#include <string.h>

#define SEEK_FIRST      SECONDS(2) /* doubles */
#define SEEK_MOST       SECONDS(30)
#define ASK_AGAIN_AFTER SECONDS(60) /* when the router said no */
#define ASKED_FOR       SECONDS(60) /* so long an answer is awaited */
#define LEAVING_TAKES   SECONDS(1)  /* the router hands on what goes to the peers at the end */

/* ---- life ---- */

static void forget_deadline(void *context, struct delegated *ticket)
{
	struct host *host = context;

	deadline_cancel(&host->router.service.due, &ticket->deadline);
	own_tickets_withdrawn(host, ticket);
}

hiphop_error router_start(struct host *host)
{
	struct router_service *service = &host->router.service;

	on_board_start(&service->on_board, host->random);
	service->on_board.gone = forget_deadline;
	service->on_board.context = host;
	deadline_heap_start(&service->due);
	service->look = INSTANT_NEVER;
	host->router.use.seek = INSTANT_NEVER;
	return HIPHOP_OK;
}

void router_free(struct host *host)
{
	on_board_free(&host->router.service.on_board);
	deadline_heap_free(&host->router.service.due);
	own_tickets_free_orphans(host);
}

void router_forget(struct host *host, struct association *association)
{
	struct router_dealings *dealings = association->dealings;

	if (!dealings)
		return;
	own_ticket_drop(host, association);
	buffer_free(&dealings->packet);
	bytes_wipe(dealings, sizeof *dealings);
	free(dealings);
	association->dealings = NULL;
}

void router_event(struct host *host, const struct hit *peer, const char *phrase)
{
	struct queued_effect *told = effect_make(HOST_EVENT, 0);

	if (!told)
		return;
	told->effect.peer = *peer;
	told->effect.event = phrase;
	effects_add(&host->effects, told);
}

/* ---- what is asked ---- */

bool is_our_router(const struct host *host, const struct association *association)
{
	return !hit_is_null(&host->router.use.router) && hit_equal(&host->router.use.router, &association->peer);
}

bool is_on_board(const struct host *host)
{
	return host->router.use.state == HOST_ROUTER_REGISTERED || host->router.use.state == HOST_ROUTER_LEAVING;
}

static bool is_good(const struct association *association)
{
	const struct session *session = association ? association->session : NULL;

	return session && session->state < HOST_CLOSING && session->direct && session->has_sas &&
	       session->remote.transport == TRANSPORT_UDP;
}

struct association *boarding_association(const struct host *host)
{
	struct association *association =
		hit_is_null(&host->router.use.router) ? NULL : association_find(host, &host->router.use.router);

	return is_good(association) ? association : NULL;
}

void router_tell_next(struct host *host, instant now, uint8_t news)
{
	struct association *association = is_on_board(host) ? boarding_association(host) : NULL;

	if (association)
		router_tell(host, now, association, news);
}

bool router_locators_of(const struct host *host, const struct session *session, const struct address *address,
	const struct endpoint **locators, size_t *count)
{
	const struct router_use *use = &host->router.use;

	if (!is_on_board(host) || !address_equal(address, &use->local.address) ||
		(session && endpoint_equal(&session->remote, &use->remote)))
		return false;
	*locators = use->locators.endpoints;
	*count = use->locators.count;
	return true;
}

/* ---- SAs go to the router, and back ---- */

/* Where they go is decided when the effect leaves. */
static void move_all(struct host *host)
{
	for (size_t i = 0; i < host->count; i++)
		handover_tell_again(host, host->all[i]);
}

static void review_all(struct host *host, instant now)
{
	for (size_t i = 0; i < host->count; i++)
		own_ticket_review(host, now, host->all[i]);
}

/* ---- coming and leaving ---- */

static void ask(struct host *host, instant now, struct association *association)
{
	struct router_use *use = &host->router.use;
	struct router_dealings *dealings = router_dealings_of(association);

	if (!dealings)
		return;
	if (dealings->said_goodbye && dealings->telling & NEWS_REGISTRATION)
		router_take_back(host, association);
	dealings->leaving = false;
	if (use->state != HOST_ROUTER_REGISTERED)
		use->state = HOST_ROUTER_REGISTERING;
	use->renew = INSTANT_NEVER;
	use->seek = instant_after(now, ASKED_FOR);
	router_tell(host, now, association, NEWS_REGISTRATION);
}

static void say_goodbye(struct host *host, instant now)
{
	struct association *association = boarding_association(host);
	struct router_dealings *dealings = association ? router_dealings_of(association) : NULL;

	if (!dealings)
		return;
	dealings->leaving = true;
	router_tell(host, now, association, NEWS_REGISTRATION);
}

/* Takes the tickets back first: the router, where it is still there, hands that on. */
static void leave(struct host *host, instant now)
{
	struct router_use *use = &host->router.use;
	bool was_on_board = is_on_board(host);

	if (was_on_board)
		own_tickets_revoke(host, now);
	if (was_on_board || use->state == HOST_ROUTER_REGISTERING)
		say_goodbye(host, now);
	use->state = hit_is_null(&use->router) ? HOST_ROUTER_NONE : HOST_ROUTER_SEEKING;
	use->seek = instant_after(now, SEEK_FIRST);
	use->tries = 0;
	if (!was_on_board)
		return;
	router_event(host, &use->router, "has left its router");
	own_tickets_untold(host);
	service_untold(host);
	move_all(host);
	for (size_t i = 0; candidates_link(host, &use->local.address) && i < host->count; i++)
		mobility_tell_anew(host, now, host->all[i]);
	service_look_at_uplinks(host, now);
}

static void change_routers(struct host *host, instant now)
{
	struct router_use *use = &host->router.use;
	const struct hit next = use->next;

	if (!hit_is_null(&use->router)) {
		leave(host, now);
		host_hold(host, now, &use->router, false);
	}
	memset(use, 0, sizeof *use);
	use->seek = INSTANT_NEVER;
	if (hit_is_null(&next))
		return;
	host_hold(host, now, &next, true);
	use->router = use->next = next;
	use->state = HOST_ROUTER_SEEKING;
	use->seek = now;
}

void host_use_router(struct host *host, instant now, const struct hit *router)
{
	static const struct hit nobody;
	struct router_use *use = &host->router.use;

	effects_release_taken(&host->effects);
	use->next = router && !hit_equal(router, &host->self) ? *router : nobody;
	if (hit_equal(&use->next, &use->router))
		return;
	if (use->state != HOST_ROUTER_REGISTERED) {
		change_routers(host, now);
		return;
	}
	use->state = HOST_ROUTER_LEAVING;
	use->seek = instant_after(now, LEAVING_TAKES);
	own_tickets_revoke(host, now);
}

static void board(struct host *host, instant now, const struct association *association, duration lifetime)
{
	struct router_use *use = &host->router.use;
	const struct session *session = association->session;
	bool is_new = !is_on_board(host) || !endpoint_equal(&use->local, &session->local) ||
		      !endpoint_equal(&use->remote, &session->remote) || use->session != session->began;

	use->state = HOST_ROUTER_REGISTERED;
	use->session = session->began;
	use->local = session->local;
	use->remote = session->remote;
	use->expires = instant_after(now, lifetime);
	use->renew = instant_after(now, lifetime / 2);
	use->tries = 0;
	use->seek = INSTANT_NEVER;
	if (!is_new)
		return;
	use->locators.count = 0;
	router_event(host, &association->peer, "is on board of its router");
	own_tickets_untold(host);
	service_untold(host);
	move_all(host);
}

static bool has_type(const struct packet_view *view, uint16_t parameter, uint8_t *value)
{
	struct parameter_registration registration;
	const struct parameter_view *found;

	for (size_t n = 0; (found = packet_find_nth(view, parameter, n)); n++) {
		if (parameter_registration_read(found, &registration))
			continue;
		*value = registration.value;
		for (size_t i = 0; i < registration.count; i++) {
			if (registration.types[i] == REGISTRATION_MOBILE_ROUTER)
				return true;
		}
	}
	return false;
}

static bool is_among(const struct endpoint *endpoints, size_t count, const struct endpoint *endpoint)
{
	for (size_t i = 0; i < count; i++) {
		if (endpoint_equal(&endpoints[i], endpoint))
			return true;
	}
	return false;
}

/* On board the router is where the configuration says; without a word there, anywhere but where the world meets it. */
static bool is_place_on_board(const struct host *host, const struct association *association)
{
	const struct locator_list *known = locators_of(&host->locators, &association->peer);
	const struct parameter_router_locators *outside = &host->router.use.locators;
	const struct endpoint *remote = &association->session->remote;

	if (known && known->configured)
		return is_among(known->endpoints, known->configured, remote);
	return !is_among(outside->endpoints, outside->count, remote);
}

/* It answers there. */
static bool is_met_on_board(const struct host *host, const struct association *association)
{
	const struct mobility *mobility = association->session->mobility;

	return is_place_on_board(host, association) &&
	       (!mobility || path_set_current(&mobility->paths)->state == PATH_ACTIVE);
}

/* A request may have gone out on board and have come in outside. */
static void be_refused(struct host *host, instant now, const struct association *association, uint8_t failure)
{
	struct router_use *use = &host->router.use;

	leave(host, now);
	if (!is_met_on_board(host, association))
		return;
	use->state = HOST_ROUTER_REFUSED;
	use->failure = failure;
	use->seek = instant_after(now, ASK_AGAIN_AFTER);
	router_event(host, &use->router, "the router takes us not on board");
}

void boarding_answered(struct host *host, instant now, struct association *association, const struct packet_view *view)
{
	struct router_use *use = &host->router.use;
	uint8_t value = 0;

	if (association->dealings->said_goodbye) {
		association->dealings->said_goodbye = false;
		return;
	}
	if (!is_our_router(host, association) || use->state == HOST_ROUTER_LEAVING)
		return;
	if (has_type(view, PARAMETER_REG_RESPONSE, &value) && value) {
		board(host, now, association, registration_lifetime(value));
		boarding_locators(host, now, association, view);
		review_all(host, now);
		router_tell(host, now, association,
			(service_has_hosts_to_tell(host) ? NEWS_HOSTS : 0) |
				(own_tickets_to_tell(host) ? NEWS_DELEGATIONS : 0));
		return;
	}
	/* Who knows nothing of it acknowledges and says no more. */
	if (!has_type(view, PARAMETER_REG_FAILED, &value))
		value = REGISTRATION_FAILED_UNAVAILABLE;
	if (use->state == HOST_ROUTER_REGISTERING || use->state == HOST_ROUTER_REGISTERED)
		be_refused(host, now, association, value);
}

static bool is_on_another_link(const struct host *host, const struct session *session)
{
	return !address_equal(&session->local.address, &host->router.use.local.address) &&
	       candidates_link(host, &session->local.address);
}

/* The router tells those who have a ticket; all others hear of it from us. */
static void tell_peers(struct host *host, instant now)
{
	for (size_t i = 0; i < host->count; i++) {
		struct association *association = host->all[i];
		const struct session *session = association->session;
		const struct own_ticket *own = association->dealings ? association->dealings->own : NULL;

		if (!session || is_our_router(host, association) || is_on_another_link(host, session))
			continue;
		if (own && own->confirmed && !own->refused) {
			mobility_note_told(host, now, association);
		} else if (host->router.use.locators.count) {
			mobility_tell_anew(host, now, association);
			association_set_timer(host, association, TIMER_READDRESS, now);
		}
	}
}

static bool are_same(const struct parameter_router_locators *a, const struct parameter_router_locators *b)
{
	return a->count == b->count && memcmp(a->endpoints, b->endpoints, a->count * sizeof a->endpoints[0]) == 0;
}

void boarding_locators(struct host *host, instant now, struct association *association, const struct packet_view *view)
{
	struct router_use *use = &host->router.use;
	struct parameter_router_locators locators;
	bool same;

	if (!is_our_router(host, association) || !is_on_board(host) ||
		parameter_router_locators_read(packet_find(view, PARAMETER_ROUTER_LOCATORS), &locators))
		return;
	same = are_same(&locators, &use->locators);
	use->locators = locators;
	if (same)
		return;
	router_event(host, &association->peer, "the router has other locators");
	tell_peers(host, now);
	service_look_at_uplinks(host, now);
}

/* ---- as things change ---- */

/* We may have come on board while the association goes another way: the places on board are tried, and preferred. */
static void look_on_board(struct host *host, instant now, struct association *association)
{
	const struct locator_list *known = locators_of(&host->locators, &association->peer);
	struct session *session = association->session;
	struct path_set *paths;

	if (!known || !known->configured || mobility_obtain(host, now, session))
		return;
	paths = &session->mobility->paths;
	for (size_t i = 0; i < known->configured; i++)
		mobility_add_paths(host, session, &known->endpoints[i], PATH_BY_LOCATOR_SET);
	for (size_t i = 0; i < paths->count; i++) {
		struct path *path = &paths->items[i];

		if (!is_among(known->endpoints, known->configured, &path->remote))
			continue;
		path_happens(path, PATH_EVENT_LISTED, now);
		path->expires = INSTANT_NEVER;
		path->next_try = now;
		path->preferred = true;
	}
	mobility_arm(host, now, association);
}

static void review_router(struct host *host, instant now, struct association *association)
{
	struct router_use *use = &host->router.use;
	const struct session *session = association->session;

	if (!is_good(association)) {
		if (is_on_board(host) || use->state == HOST_ROUTER_REGISTERING)
			leave(host, now);
		return;
	}
	if (use->state == HOST_ROUTER_SEEKING && is_met_on_board(host, association)) {
		ask(host, now, association);
		return;
	}
	if (use->state != HOST_ROUTER_REGISTERED)
		return;
	if (!is_place_on_board(host, association))
		leave(host, now);
	else if (use->renew != INSTANT_NEVER &&
		 (use->session != session->began || !endpoint_equal(&use->local, &session->local) ||
			 !endpoint_equal(&use->remote, &session->remote)))
		ask(host, now, association);
}

static void follow_session(struct host *host, instant now, struct association *association)
{
	struct router_dealings *dealings = association->dealings;
	const struct session *session = association->session;

	if (!dealings || !session || dealings->session == session->began)
		return;
	if (dealings->session) {
		router_begin_anew(host, association);
		own_ticket_drop(host, association);
		/* Who has begun anew may have forgotten all that it gave. */
		service_leave(host, now, &association->peer);
	}
	dealings->session = session->began;
}

void router_review(struct host *host, instant now, const struct hit *peer)
{
	struct association *association = association_find(host, peer);

	/* A host on board whose association has ended is gone. */
	if (!is_good(association))
		service_leave(host, now, peer);
	if (!association) {
		if (is_on_board(host) && hit_equal(peer, &host->router.use.router))
			leave(host, now);
		own_tickets_tell_ends(host, now);
		return;
	}
	follow_session(host, now, association);
	router_follow_path(host, now, association);
	if (is_our_router(host, association))
		review_router(host, now, association);
	else if (is_on_board(host) || association->dealings)
		own_ticket_review(host, now, association);
	if (association->dealings && association->dealings->news)
		router_tell(host, now, association, 0);
}

void router_links(struct host *host, instant now)
{
	struct router_use *use = &host->router.use;

	if (is_on_board(host) && !candidates_link(host, &use->local.address))
		leave(host, now);
	if (use->state == HOST_ROUTER_SEEKING || use->state == HOST_ROUTER_REFUSED) {
		use->seek = now;
		use->tries = 0;
	}
	service_look_at_uplinks(host, now);
}

/* ---- time ---- */

static void seek(struct host *host, instant now)
{
	struct router_use *use = &host->router.use;
	struct association *association = boarding_association(host);
	duration pause = SEEK_FIRST << (use->tries < 4 ? use->tries : 4);

	use->tries++;
	use->seek = instant_after(now, pause < SEEK_MOST ? pause : SEEK_MOST);
	use->state = HOST_ROUTER_SEEKING;
	if (association && !is_met_on_board(host, association))
		look_on_board(host, now, association);
	else if (association)
		review_router(host, now, association);
	else if (host->link_count)
		(void)host_connect(host, now, &use->router);
}

static bool is_seeking(const struct router_use *use)
{
	return use->state == HOST_ROUTER_SEEKING || use->state == HOST_ROUTER_REGISTERING ||
	       use->state == HOST_ROUTER_REFUSED;
}

void router_tick(struct host *host, instant now)
{
	struct router_use *use = &host->router.use;
	struct association *association = boarding_association(host);

	if (is_seeking(use) && now >= use->seek)
		seek(host, now);
	if (use->state == HOST_ROUTER_LEAVING && now >= use->seek)
		change_routers(host, now);
	if (is_on_board(host) && (now >= use->expires || !association))
		leave(host, now);
	else if (use->state == HOST_ROUTER_REGISTERED && now >= use->renew)
		ask(host, now, association);
	service_tick(host, now);
}

instant router_next_wake(const struct host *host)
{
	const struct router_use *use = &host->router.use;
	instant wake = service_next_wake(host);

	if (is_seeking(use) || use->state == HOST_ROUTER_LEAVING)
		wake = instant_earlier(wake, use->seek);
	if (use->state == HOST_ROUTER_REGISTERED)
		wake = instant_earlier(wake, instant_earlier(use->expires, use->renew));
	return wake;
}
