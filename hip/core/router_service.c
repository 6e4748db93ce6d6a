/* SPDX-License-Identifier: MIT */
/*
 * A mobile router takes hosts on board (RFC 8003), with them the hosts behind them, and their tickets; and tells them
 * where it is reached.
 */
#include "hip/core/router_internal.h"

#include "hip/core/registration.h"

#include <string.h>

#define LIFETIME_LEAST SECONDS(60)
#define LIFETIME_MOST  SECONDS(3600)
#define LOOK_EVERY     SECONDS(5)
/* UPDATEs that a host on board may send: one for some of its tickets at a time. */
#define UPDATES_PER_SECOND 50
#define UPDATES_BURST      200

/* ---- where this router is reached ---- */

bool router_is_inside(const struct host *host, const char *name)
{
	const struct host_configuration *configuration = &host->configuration;

	for (size_t i = 0; i < configuration->inside_count; i++) {
		if (strncmp(configuration->inside[i], name, LINK_NAME_SIZE) == 0)
			return true;
	}
	return false;
}

/* Hosts may board where it is inside; anywhere, when nothing is said of that. */
static bool may_board_at(const struct host *host, const struct address *address)
{
	const struct link_address *link = candidates_link(host, address);

	return !host->configuration.inside_count || (link && router_is_inside(host, link->name));
}

static void add_uplink(struct endpoint *uplinks, size_t *count, const struct endpoint *endpoint)
{
	for (size_t i = 0; i < *count; i++) {
		if (endpoint_equal(&uplinks[i], endpoint))
			return;
	}
	if (*count < ROUTER_LOCATORS_MAXIMUM)
		uplinks[(*count)++] = *endpoint;
}

static void add_own_uplink(
	const struct host *host, const struct link_address *link, struct endpoint *uplinks, size_t *count)
{
	const struct endpoint own = {
		.address = link->address, .port = host->configuration.port, .transport = TRANSPORT_UDP};

	add_uplink(uplinks, count, &own);
}

static size_t uplinks_of_next_router(const struct host *host, struct endpoint uplinks[ROUTER_LOCATORS_MAXIMUM])
{
	const struct parameter_router_locators *locators = &host->router.use.locators;
	size_t count = 0;

	for (size_t i = 0; i < locators->count; i++)
		add_uplink(uplinks, &count, &locators->endpoints[i]);
	return count;
}

/* A router that is on board of another is reached there alone. */
static size_t collect_uplinks(const struct host *host, struct endpoint uplinks[ROUTER_LOCATORS_MAXIMUM])
{
	size_t count = 0;

	if (is_on_board(host))
		return uplinks_of_next_router(host, uplinks);
	for (size_t i = 0; i < host->link_count; i++) {
		if (!router_is_inside(host, host->links[i].name))
			add_own_uplink(host, &host->links[i], uplinks, &count);
	}
	return count;
}

static void tell_all_locators(struct host *host, instant now)
{
	struct map_walk walk = map_walk_start(&host->router.service.on_board.hosts);
	const struct boarder *boarder;

	while ((boarder = map_walk_next(&walk, NULL))) {
		struct association *association = boarder->carrier ? NULL : association_find(host, &boarder->hit);

		if (association && association->session)
			router_tell(host, now, association, NEWS_LOCATORS);
	}
}

void service_look_at_uplinks(struct host *host, instant now)
{
	struct router_service *service = &host->router.service;
	struct endpoint uplinks[ROUTER_LOCATORS_MAXIMUM];
	size_t count;

	if (!host->configuration.mobile_router)
		return;
	on_board_forget_ways(&service->on_board);
	count = collect_uplinks(host, uplinks);
	if (count == service->uplink_count && memcmp(uplinks, service->uplinks, count * sizeof uplinks[0]) == 0)
		return;
	memcpy(service->uplinks, uplinks, count * sizeof uplinks[0]);
	service->uplink_count = count;
	proxy_router_begin_all(host, now);
	tell_all_locators(host, now);
}

void service_write_locators(const struct host *host, struct packet_builder *builder)
{
	const struct router_service *service = &host->router.service;
	struct parameter_router_locators locators = {.count = service->uplink_count};

	memcpy(locators.endpoints, service->uplinks, service->uplink_count * sizeof locators.endpoints[0]);
	parameter_router_locators_write(builder, &locators);
}

/* ---- registration ---- */

void service_announce(const struct host *host, struct packet_builder *builder)
{
	const struct parameter_registration info = {.value = registration_value(LIFETIME_LEAST),
		.maximum = registration_value(LIFETIME_MOST),
		.count = 1,
		.types = {REGISTRATION_MOBILE_ROUTER}};

	if (host->configuration.mobile_router)
		parameter_registration_write(builder, PARAMETER_REG_INFO, &info);
}

/* The Failure Type, or -1 when the host may come. */
static int reason_against(const struct host *host, const struct incoming *in)
{
	const struct host_environment *environment = &host->configuration.environment;

	if (!host->configuration.mobile_router || in->arrival->remote.transport != TRANSPORT_UDP ||
		!may_board_at(host, &in->arrival->local.address))
		return REGISTRATION_FAILED_UNAVAILABLE;
	if (environment->may_board && !environment->may_board(environment->context, in->now, &in->view.sender))
		return REGISTRATION_FAILED_CREDENTIALS_REQUIRED;
	return -1;
}

static void refuse_registration(struct host *host, struct router_answer *answer, int failure)
{
	answer->failed = true;
	answer->value = (uint8_t)failure;
	count(host, HOST_COUNT_BOARDING_REFUSED);
}

static duration allowed_lifetime(uint8_t value)
{
	duration asked = registration_lifetime(value);

	if (asked < LIFETIME_LEAST)
		return LIFETIME_LEAST;
	return asked < LIFETIME_MOST ? asked : LIFETIME_MOST;
}

static hiphop_error take_on_board(
	struct host *host, const struct incoming *in, struct association *association, struct router_answer *answer)
{
	struct router_service *service = &host->router.service;
	bool is_new = !on_board_at(&service->on_board, &in->arrival->remote);
	duration lifetime = allowed_lifetime(answer->value);
	hiphop_error error = on_board_register(&service->on_board, in->now, &in->view.sender, &in->arrival->local,
		&in->arrival->remote, instant_after(in->now, lifetime));

	if (error == HIPHOP_NO_MEMORY)
		return error;
	if (error) {
		refuse_registration(host, answer, REGISTRATION_FAILED_INSUFFICIENT_RESOURCES);
		return HIPHOP_OK;
	}
	answer->registered = true;
	answer->value = registration_value(lifetime);
	association->answers = token_bucket_start(UPDATES_PER_SECOND, UPDATES_BURST, in->now);
	if (service->look == INSTANT_NEVER)
		service->look = instant_after(in->now, LOOK_EVERY);
	if (!is_new)
		return HIPHOP_OK;
	count(host, HOST_COUNT_BOARDED);
	router_event(host, &in->view.sender, "has come on board");
	router_tell_next(host, in->now, NEWS_HOSTS);
	return HIPHOP_OK;
}

static hiphop_error take_request(
	struct host *host, const struct incoming *in, struct association *association, struct router_answer *answer)
{
	int failure;

	if (!answer->value) {
		service_leave(host, in->now, &in->view.sender);
		answer->registered = true;
		return HIPHOP_OK;
	}
	failure = reason_against(host, in);
	if (failure < 0)
		return take_on_board(host, in, association, answer);
	refuse_registration(host, answer, failure);
	return HIPHOP_OK;
}

/* Sorts the types that are asked for; all but ours are not here. */
static bool asks_for_us(const struct packet_view *view, struct router_answer *answer)
{
	struct parameter_registration request;
	bool asks = false;

	answer->unavailable.value = REGISTRATION_FAILED_UNAVAILABLE;
	if (parameter_registration_read(packet_find(view, PARAMETER_REG_REQUEST), &request))
		return false;
	for (size_t i = 0; i < request.count; i++) {
		if (request.types[i] == REGISTRATION_MOBILE_ROUTER)
			asks = true;
		else
			answer->unavailable.types[answer->unavailable.count++] = request.types[i];
	}
	answer->value = request.value;
	return asks;
}

void service_leave(struct host *host, instant now, const struct hit *peer)
{
	struct router_service *service = &host->router.service;
	struct boarder *boarder = service->on_board.hosts.count ? on_board_find(&service->on_board, peer) : NULL;
	const struct hit hit = *peer;

	if (!boarder || boarder->carrier)
		return;
	if ((boarder->passed_on || boarder->passing) && service->left_count < HOSTS_ON_BOARD_MAXIMUM)
		service->left[service->left_count++] = hit;
	on_board_leave(&service->on_board, &hit);
	router_event(host, &hit, "has left");
	router_tell_next(host, now, NEWS_HOSTS | (own_tickets_to_tell(host) ? NEWS_DELEGATIONS : 0));
}

/* ---- hosts behind a host on board ---- */

static hiphop_error take_hosts(struct host *host, const struct incoming *in, struct boarder *carrier)
{
	struct on_board *on_board = &host->router.service.on_board;
	struct parameter_hosts_on_board hosts;
	const struct parameter_view *view;
	hiphop_error error = HIPHOP_OK;

	for (size_t n = 0; (view = packet_find_nth(&in->view, PARAMETER_HOSTS_ON_BOARD, n)); n++) {
		if (parameter_hosts_on_board_read(view, &hosts))
			return HIPHOP_MALFORMED;
		for (size_t i = 0; i < hosts.count && error != HIPHOP_NO_MEMORY; i++) {
			if (hit_is_host(&hosts.hits[i]) && !hit_equal(&hosts.hits[i], &host->self))
				error = on_board_set_behind(on_board, carrier, &hosts.hits[i], hosts.left);
		}
	}
	router_tell_next(host, in->now, NEWS_HOSTS);
	return error == HIPHOP_NO_MEMORY ? error : HIPHOP_OK;
}

/* ---- tickets ---- */

static bool is_own_spi(void *context, uint32_t spi)
{
	const struct host *host = context;
	const struct host_environment *environment = &host->configuration.environment;

	return map_get(&host->by_spi, &spi) ||
	       (environment->spi_is_taken && environment->spi_is_taken(environment->context, spi));
}

static void refuse_ticket(struct host *host, struct router_answer *answer,
	const struct parameter_delegation *delegation, delegation_refusal_reason reason)
{
	struct parameter_delegation_refused *refused;

	count(host, HOST_COUNT_DELEGATION_REFUSED);
	if (answer->refusal_count >= DELEGATIONS_MAXIMUM)
		return;
	refused = &answer->refusals[answer->refusal_count++];
	memcpy(refused->id, delegation->grant.id, sizeof refused->id);
	refused->reason = (uint8_t)reason;
}

/* Places that no peer may have are left out. */
static void keep_usable_locators(struct parameter_delegation *delegation)
{
	size_t kept = 0;

	for (size_t i = 0; i < delegation->locator_count; i++) {
		const struct endpoint *locator = &delegation->locators[i];

		if (address_is_usable_locator(&locator->address) && locator->transport == TRANSPORT_UDP &&
			locator->port)
			delegation->locators[kept++] = *locator;
	}
	delegation->locator_count = kept;
}

static hiphop_error take_delegation(struct host *host, const struct incoming *in, struct boarder *carrier,
	struct parameter_delegation *delegation, struct router_answer *answer)
{
	struct router_service *service = &host->router.service;
	bool is_new = !on_board_ticket(&service->on_board, delegation->grant.id);
	delegation_refusal_reason reason;
	struct delegated *ticket;
	hiphop_error error;

	keep_usable_locators(delegation);
	if (delegation->grant.lifetime && !delegation->locator_count)
		return HIPHOP_MALFORMED;
	if (delegation->grant.lifetime > TICKET_LIFETIME_MAXIMUM)
		delegation->grant.lifetime = TICKET_LIFETIME_MAXIMUM;
	error = deadline_heap_reserve(&service->due, service->on_board.tickets.count + 1);
	if (!error)
		error = on_board_delegate(
			&service->on_board, in->now, carrier, delegation, is_own_spi, host, &reason, &ticket);
	if (error == HIPHOP_REFUSED) {
		refuse_ticket(host, answer, delegation, reason);
		return HIPHOP_OK;
	}
	if (error || !ticket)
		return error;
	count(host, HOST_COUNT_DELEGATION_TAKEN);
	/* Where this router is now, the peer may have been told before it moved, or not at all. */
	if (is_new)
		proxy_router_begin(host, in->now, ticket);
	return HIPHOP_OK;
}

static hiphop_error take_delegations(struct host *host, const struct incoming *in, struct boarder *carrier,
	const struct parameter_list *inner, struct router_answer *answer)
{
	struct parameter_delegation delegation;
	hiphop_error error = HIPHOP_OK;
	bool any = false;

	for (size_t i = 0; i < inner->count && !error; i++) {
		if (inner->items[i].type != PARAMETER_DELEGATION)
			continue;
		any = true;
		error = parameter_delegation_read(&inner->items[i], &delegation) ? HIPHOP_MALFORMED : HIPHOP_OK;
		if (!error)
			error = take_delegation(host, in, carrier, &delegation, answer);
	}
	bytes_wipe(&delegation, sizeof delegation);
	if (any)
		router_tell_next(host, in->now, NEWS_DELEGATIONS);
	return error;
}

hiphop_error service_take(struct host *host, const struct incoming *in, struct association *association,
	const struct packet_view *view, const struct parameter_list *inner, struct router_answer *answer)
{
	struct boarder *boarder;
	hiphop_error error = HIPHOP_OK;

	if (asks_for_us(view, answer))
		error = take_request(host, in, association, answer);
	boarder = on_board_find(&host->router.service.on_board, &association->peer);
	if (error || !boarder || boarder->carrier)
		return error;
	error = take_hosts(host, in, boarder);
	return error ? error : take_delegations(host, in, boarder, inner, answer);
}

/* ---- telling the next router ---- */

void service_gather_hosts(struct host *host, uint32_t update, bool left, struct parameter_hosts_on_board *hosts)
{
	struct router_service *service = &host->router.service;
	struct map_walk walk = map_walk_start(&service->on_board.hosts);
	struct boarder *boarder;

	hosts->left = left;
	hosts->count = 0;
	if (left) {
		memcpy(hosts->hits, service->left, service->left_count * sizeof service->left[0]);
		hosts->count = service->left_telling = service->left_count;
		return;
	}
	while (hosts->count < HOSTS_ON_BOARD_MAXIMUM / 2 && (boarder = map_walk_next(&walk, NULL))) {
		if (boarder->passed_on || boarder->passing)
			continue;
		boarder->passing = true;
		boarder->passing_by = update;
		hosts->hits[hosts->count++] = boarder->hit;
	}
}

bool service_has_hosts_to_tell(const struct host *host)
{
	const struct router_service *service = &host->router.service;
	struct map_walk walk = map_walk_start(&service->on_board.hosts);
	const struct boarder *boarder;

	while ((boarder = map_walk_next(&walk, NULL))) {
		if (!boarder->passed_on && !boarder->passing)
			return true;
	}
	return service->left_count > service->left_telling;
}

void service_hosts_told(struct host *host, uint32_t update, bool told)
{
	struct router_service *service = &host->router.service;
	struct map_walk walk = map_walk_start(&service->on_board.hosts);
	struct boarder *boarder;

	while ((boarder = map_walk_next(&walk, NULL))) {
		if (!boarder->passing || boarder->passing_by != update)
			continue;
		boarder->passing = false;
		boarder->passed_on = told;
	}
	if (told) {
		service->left_count -= service->left_telling;
		memmove(service->left, service->left + service->left_telling,
			service->left_count * sizeof service->left[0]);
	}
	service->left_telling = 0;
}

void service_untold(struct host *host)
{
	struct router_service *service = &host->router.service;
	struct map_walk walk = map_walk_start(&service->on_board.hosts);
	struct boarder *boarder;

	while ((boarder = map_walk_next(&walk, NULL)))
		boarder->passed_on = boarder->passing = false;
	service->left_count = service->left_telling = 0;
}

/* ---- time ---- */

void service_tick(struct host *host, instant now)
{
	struct router_service *service = &host->router.service;

	proxy_router_tick(host, now);
	if (now < service->look)
		return;
	on_board_expire(&service->on_board, now);
	own_tickets_tell_ends(host, now);
	service->look = service->on_board.hosts.count ? instant_after(now, LOOK_EVERY) : INSTANT_NEVER;
}

instant service_next_wake(const struct host *host)
{
	const struct router_service *service = &host->router.service;

	return instant_earlier(service->look, deadline_heap_next(&service->due));
}
