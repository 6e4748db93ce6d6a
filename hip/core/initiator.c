/* SPDX-License-Identifier: MIT */
#include "hip/core/state_actions.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is kept ---- */

struct initiation *initiation_make(host_state phase)
{
	struct initiation *initiation = calloc(1, sizeof *initiation);

	if (!initiation)
		return NULL;
	initiation->ending = ending_make();
	if (!initiation->ending) {
		free(initiation);
		return NULL;
	}
	initiation->phase = phase;
	return initiation;
}

void acceptance_free(struct acceptance *acceptance)
{
	if (!acceptance)
		return;
	host_identity_free(acceptance->identity);
	diffie_hellman_free(acceptance->own_key);
	buffer_free(&acceptance->peer_public);
	buffer_free(&acceptance->host_id);
	buffer_free(&acceptance->i2);
	buffer_free(&acceptance->i2_overlay);
	bytes_wipe(acceptance, sizeof *acceptance);
	free(acceptance);
}

void initiation_end(struct host *host, struct association *association)
{
	struct initiation *initiation = association->initiation;

	if (!initiation)
		return;
	if (initiation->acceptance)
		association_unregister_spi(host, initiation->acceptance->spi_in);
	acceptance_free(initiation->acceptance);
	solving_free(initiation->solving);
	certificates_free(host, initiation->certificates);
	free(initiation->ending);
	free(initiation);
	association->initiation = NULL;
	association_cancel_timer(host, association, TIMER_EXCHANGE);
}

/* ---- I1 ---- */

static hiphop_error build_i1(struct host *host, struct outgoing *out, const struct hit *receiver, bool overlay)
{
	const struct host_configuration *configuration = &host->configuration;
	struct parameter_octet_list groups = {.count = configuration->dh_group_count};

	memcpy(groups.items, configuration->dh_groups, groups.count);
	outgoing_start(host, out, HIP_PACKET_I1, receiver);
	parameter_dh_group_list_write(&out->builder, &groups);
	if (overlay) {
		outgoing_overlay_covered(host, out, NULL);
		outgoing_overlay_uncovered(host, out, true);
	}
	return outgoing_finish(out);
}

static bool send_i1(struct host *host, const struct hit *receiver, const struct way *way)
{
	struct outgoing out;

	return !build_i1(host, &out, receiver, way->overlay) && !outgoing_send(host, way, out.octets, out.length);
}

static bool send_i1_to(struct host *host, const struct hit *receiver, const struct endpoint *target)
{
	struct way way;

	return way_to_endpoint(host, target, &way) && send_i1(host, receiver, &way);
}

/* The same address by the transport that this host likes less. False when it uses only one. */
static bool other_transport(const struct host *host, const struct endpoint *target, struct endpoint *other)
{
	*other = (struct endpoint){.address = target->address};
	other->transport = target->transport == TRANSPORT_UDP ? TRANSPORT_IP : TRANSPORT_UDP;
	if (other->transport == TRANSPORT_UDP)
		other->port = host->configuration.port;
	return transport_is_used(host, other->transport);
}

static void add_target(struct host *host, struct initiation *initiation, const struct endpoint *target)
{
	if (initiation->target_count >= sizeof initiation->targets / sizeof initiation->targets[0])
		return;
	if (!transport_is_used(host, target->transport))
		return;
	for (size_t i = 0; i < initiation->target_count; i++) {
		if (endpoint_equal(&initiation->targets[i], target))
			return;
	}
	initiation->targets[initiation->target_count++] = *target;
}

/* The peer says that it is there, and has not answered: somebody else may be meant to get our I1s. */
static bool is_only_claimed(const struct association *association, const struct endpoint *locator)
{
	const struct mobility *mobility = association->session ? association->session->mobility : NULL;
	bool is_path = false;

	for (size_t i = 0; mobility && i < mobility->paths.count; i++)
		is_path = is_path || endpoint_equal(&mobility->paths.items[i].remote, locator);
	return is_path && !path_set_has_verified(&mobility->paths, locator);
}

/* Where the peer is now, then where it is said to be. Looked up at every try: locators may be learnt meanwhile. */
static void collect_targets(struct host *host, struct association *association)
{
	const struct locator_list *known = locators_of(&host->locators, &association->peer);
	struct initiation *initiation = association->initiation;

	if (association->session && association->session->direct &&
		!is_only_claimed(association, &association->session->remote))
		add_target(host, initiation, &association->session->remote);
	for (size_t i = 0; known && i < known->count; i++) {
		if (i < known->configured || !is_only_claimed(association, &known->endpoints[i]))
			add_target(host, initiation, &known->endpoints[i]);
	}
}

/* The other transport to the same address gets its turn when this one is not answered. */
static bool has_same_address_before(const struct initiation *initiation, size_t place)
{
	for (size_t i = 0; i < place; i++) {
		if (address_equal(&initiation->targets[i].address, &initiation->targets[place].address) &&
			initiation->targets[i].transport != initiation->targets[place].transport)
			return true;
	}
	return false;
}

static size_t send_i1_in_parallel(struct host *host, struct association *association)
{
	struct initiation *initiation = association->initiation;
	size_t sent = 0;

	for (size_t i = 0; i < initiation->target_count && sent < I1_PARALLEL; i++) {
		if (!has_same_address_before(initiation, i))
			sent += send_i1_to(host, &association->peer, &initiation->targets[i]);
	}
	initiation->parallel = sent > 1;
	return sent;
}

static bool send_i1_over_overlay(struct host *host, struct association *association)
{
	struct way way;

	return way_over_overlay(host, &association->peer, &association->peer, &way) &&
	       send_i1(host, &association->peer, &way);
}

static bool send_i1_to_target(struct host *host, struct association *association)
{
	struct initiation *initiation = association->initiation;
	const struct endpoint *target;
	struct endpoint other;
	bool sent;

	if (!initiation->target_count)
		return false;
	target = &initiation->targets[initiation->tries / 2 % initiation->target_count];
	sent = send_i1_to(host, &association->peer, target);
	if (initiation->tries >= I1_FALLBACK_TRY && other_transport(host, target, &other))
		sent |= send_i1_to(host, &association->peer, &other);
	return sent;
}

/* One destination at a time after the first try (RFC 7401 section 6.6.1): in turn over the overlay and direct; and when
 * nobody answers by the transport that is liked most, by both. */
static bool send_i1_again(struct host *host, struct association *association)
{
	bool overlay_first = association->initiation->tries % 2 == 1;

	if (overlay_first && send_i1_over_overlay(host, association))
		return true;
	/* No link of ours reaches any of its locators, perhaps. */
	return send_i1_to_target(host, association) || (!overlay_first && send_i1_over_overlay(host, association));
}

static bool transmit_i1(struct host *host, instant now, struct association *association)
{
	struct initiation *initiation = association->initiation;
	bool sent;

	collect_targets(host, association);
	sent = initiation->tries == 0 && send_i1_in_parallel(host, association) > 0;
	sent = sent || send_i1_again(host, association);
	if (initiation->tries > 0)
		count(host, HOST_COUNT_RETRANSMITTED);
	association_set_timer(
		host, association, TIMER_EXCHANGE, instant_after(now, I1_FIRST_TIMEOUT << initiation->tries));
	initiation->tries++;
	initiation->sent = now;
	return sent;
}

hiphop_error initiator_begin(struct host *host, instant now, struct association *association)
{
	return state_machine_run(host, now, association, STATE_EVENT_WANTED, HIPHOP_OK);
}

hiphop_error initiator_send_i1(struct host *host, const struct state_step *step)
{
	struct association *association = step->association;
	instant now = step->now;

	association->initiation = initiation_make(step->rule->next);
	if (!association->initiation)
		return HIPHOP_NO_MEMORY;
	if (!transmit_i1(host, now, association)) {
		initiation_end(host, association);
		if (association->failed)
			association_set_timer(host, association, TIMER_EXCHANGE, instant_after(now, FAILED_SHOWN));
		return HIPHOP_NOT_FOUND;
	}
	association->failed = false;
	if (!association_is_usable(association))
		association->since = now;
	return HIPHOP_OK;
}

void initiator_restart(struct host *host, struct association *association, const struct incoming *in)
{
	struct initiation *initiation = association->initiation;
	struct way way;

	if (initiation->restarts >= DOWNGRADE_RESTARTS_MAXIMUM)
		return;
	if (in->overlay) {
		if (!way_over_overlay(host, &association->peer, &association->peer, &way))
			return;
	} else {
		way_of_arrival(in->arrival, &way);
	}
	initiation->restarts++;
	count(host, HOST_COUNT_DOWNGRADE_RESTARTS);
	send_i1(host, &association->peer, &way);
}

void initiator_hurry(struct host *host, instant now, struct association *association)
{
	struct initiation *initiation = association->initiation;
	instant soon;

	if (!initiation || initiation->phase != HOST_I1_SENT || initiation->tries >= I1_TRIES)
		return;
	soon = instant_after(initiation->sent, I1_HURRIED_AFTER);
	initiation->tries = 0;
	association_set_timer(host, association, TIMER_EXCHANGE, soon > now ? soon : now + 1);
}

void initiator_meet(struct host *host, instant now, struct association *association, const struct endpoint *remote)
{
	struct initiation *initiation = association->initiation;
	size_t before = initiation->target_count;

	(void)now;
	add_target(host, initiation, remote);
	if (initiation->target_count > before)
		send_i1_to(host, &association->peer, remote);
}

/* ---- I2 ---- */

static bool is_last_way(const struct acceptance *acceptance)
{
	return acceptance->way + 1 >= acceptance->way_count;
}

void initiator_send_i2(struct host *host, instant now, struct association *association)
{
	struct initiation *initiation = association->initiation;
	struct acceptance *acceptance = initiation->acceptance;
	const struct way *way = &acceptance->ways[acceptance->way];
	const struct buffer *i2 = way->overlay ? &acceptance->i2_overlay : &acceptance->i2;
	unsigned doublings = is_last_way(acceptance) ? initiation->tries : 0;

	outgoing_send(host, way, i2->data, i2->length);
	initiation->tries++;
	initiation->sent = now;
	association_set_timer(host, association, TIMER_EXCHANGE, instant_after(now, I2_FIRST_TIMEOUT << doublings));
}

void initiator_meet_i2(struct host *host, struct association *association, const struct incoming *in)
{
	struct acceptance *acceptance = association->initiation->acceptance;
	size_t place = 0;

	while (place < acceptance->way_count &&
		(acceptance->ways[place].overlay ||
			!endpoint_equal(&acceptance->ways[place].remote, &in->arrival->remote)))
		place++;
	if (place == acceptance->way || place >= CANDIDATES_MAXIMUM)
		return;
	if (place == acceptance->way_count)
		way_of_arrival(in->arrival, &acceptance->ways[acceptance->way_count++]);
	outgoing_send(host, &acceptance->ways[place], acceptance->i2.data, acceptance->i2.length);
}

/* The same I2 would be in vain: its puzzle is over, or the Responder wants another one solved (RFC 7401
 * section 5.2.19).
 */
static bool needs_another_puzzle(const struct initiation *initiation, instant now)
{
	return initiation->offers < R1S_FOLLOWED && (initiation->busy || now >= initiation->acceptance->puzzle_over);
}

/* An I1 on the way that the I2 went. The state stays: an R2 to the I2 is still welcome. */
static void ask_for_another_puzzle(struct host *host, instant now, struct association *association)
{
	struct initiation *initiation = association->initiation;

	initiation->wants_puzzle = true;
	send_i1(host, &association->peer, &initiation->acceptance->ways[initiation->acceptance->way]);
	association_set_timer(
		host, association, TIMER_EXCHANGE, instant_after(now, I2_FIRST_TIMEOUT << initiation->tries));
	initiation->tries++;
}

static bool i2_has_another_try(struct initiation *initiation)
{
	struct acceptance *acceptance = initiation->acceptance;

	if (is_last_way(acceptance))
		return initiation->tries < I2_TRIES_LAST;
	if (initiation->tries >= I2_TRIES_DIRECT) {
		acceptance->way++;
		initiation->tries = 0;
	}
	return true;
}

/* ---- the end ---- */

static void tell_end(struct host *host, struct association *association, host_state state, hiphop_error reason)
{
	struct ending *ending = association->initiation->ending;

	association->initiation->ending = NULL;
	ending->peer = association->peer;
	ending->tells = true;
	ending->state = (uint8_t)state;
	ending->reason = (uint8_t)reason;
	ending->initiator = true;
	effects_add_ending(&host->effects, ending);
}

static void tell_failed(struct host *host, struct association *association, hiphop_error reason)
{
	char peer[HIT_TEXT_SIZE];

	log_write(host->log, LOG_LEVEL_INFO, "no association with %s: %s", association_peer_text(association, peer),
		hiphop_error_text(reason));
	tell_end(host, association, HOST_FAILED, reason);
}

/* A session that has heard its peer not so long ago outlives a failed exchange: the peer may be in a tunnel, or a
 * machine that sleeps. */
static bool session_survives(struct host *host, instant now, const struct association *association)
{
	const struct host_environment *environment = &host->configuration.environment;
	const struct session *session = association->session;
	instant sent = 0, heard = 0;

	if (!session || !session->has_sas)
		return false;
	if (environment->traffic)
		environment->traffic(environment->context, &association->peer, &sent, &heard);
	if (session->control_heard > heard)
		heard = session->control_heard;
	return heard != 0 && now < instant_after(heard, host->configuration.patience);
}

/* Ends the association, unless its session still hears the peer. */
hiphop_error initiator_fail(struct host *host, const struct state_step *step)
{
	struct association *association = step->association;
	hiphop_error reason = step->reason;
	instant now = step->now;

	if (session_survives(host, now, association)) {
		initiation_end(host, association);
		return HIPHOP_OK;
	}
	locators_forget_learnt(&host->locators, &association->peer);
	if (association->session && association->session->has_sas) {
		/* RFC 7401 section 6.11 step 4. A peer that was only out of reach learns of it by the CLOSE. */
		initiation_end(host, association);
		session_end(host, now, association, HOST_FAILED, reason);
		close_begin(host, now, association);
		return HIPHOP_OK;
	}
	tell_failed(host, association, reason);
	session_drop(host, association);
	initiation_end(host, association);
	association->failed = true;
	association->since = now;
	association_set_timer(host, association, TIMER_EXCHANGE, instant_after(now, FAILED_SHOWN));
	return HIPHOP_OK;
}

hiphop_error initiator_forget_failure(struct host *host, const struct state_step *step)
{
	step->association->failed = false;
	association_release_if_idle(host, step->association);
	return HIPHOP_OK;
}

/* An exchange that has not come to a session is just forgotten: the peer knows nothing of it. */
hiphop_error initiator_forget(struct host *host, const struct state_step *step)
{
	struct association *association = step->association;

	tell_end(host, association, HOST_CLOSED, HIPHOP_OK);
	initiation_end(host, association);
	association_release_if_idle(host, association);
	return HIPHOP_OK;
}

/* ---- time ---- */

hiphop_error initiator_send_i1_again(struct host *host, const struct state_step *step)
{
	transmit_i1(host, step->now, step->association);
	return HIPHOP_OK;
}

hiphop_error initiator_send_i2_again(struct host *host, const struct state_step *step)
{
	count(host, HOST_COUNT_RETRANSMITTED);
	if (needs_another_puzzle(step->association->initiation, step->now))
		ask_for_another_puzzle(host, step->now, step->association);
	else
		initiator_send_i2(host, step->now, step->association);
	return HIPHOP_OK;
}

static bool has_another_try(struct initiation *initiation)
{
	if (!initiation)
		return false;
	return initiation->acceptance ? i2_has_another_try(initiation) : initiation->tries < I1_TRIES;
}

void initiator_timer(struct host *host, instant now, struct association *association)
{
	const struct initiation *initiation = association->initiation;
	hiphop_error trouble = initiation ? initiation->trouble : HIPHOP_OK;
	bool again;

	if (initiation && initiation->solving) {
		solving_run(host, now, association);
		return;
	}
	again = has_another_try(association->initiation);
	state_machine_run(host, now, association, again ? STATE_EVENT_EXCHANGE_TIMEOUT : STATE_EVENT_EXCHANGE_OVER,
		trouble ? trouble : HIPHOP_TIMEOUT);
}

/* ---- opportunistic mode ---- */

struct opportunist *opportunist_at(struct host *host, const struct endpoint *remote)
{
	struct opportunist *opportunist = host->opportunists;

	for (; opportunist; opportunist = opportunist->next) {
		if (endpoint_equal(&opportunist->remote, remote) ||
			(opportunist->has_fallback && endpoint_equal(&opportunist->fallback, remote)))
			break;
	}
	return opportunist;
}

void opportunist_drop(struct host *host, struct opportunist *opportunist)
{
	struct opportunist **link = &host->opportunists;

	while (*link != opportunist)
		link = &(*link)->next;
	*link = opportunist->next;
	deadline_cancel(&host->deadlines, &opportunist->timer);
	host->opportunist_count--;
	free(opportunist);
}

static void transmit_opportunistic(struct host *host, instant now, struct opportunist *opportunist)
{
	static const struct hit nobody;

	send_i1_to(host, &nobody, &opportunist->remote);
	if (opportunist->tries >= I1_FALLBACK_TRY)
		opportunist->has_fallback = other_transport(host, &opportunist->remote, &opportunist->fallback);
	if (opportunist->has_fallback)
		send_i1_to(host, &nobody, &opportunist->fallback);
	(void)deadline_set(
		&host->deadlines, &opportunist->timer, instant_after(now, I1_FIRST_TIMEOUT << opportunist->tries));
	opportunist->tries++;
	opportunist->sent = now;
}

void initiator_opportunist_timer(struct host *host, instant now, struct opportunist *opportunist)
{
	struct queued_effect *failed;

	if (opportunist->tries < I1_TRIES) {
		transmit_opportunistic(host, now, opportunist);
		return;
	}
	failed = effect_make(HOST_ASSOCIATION, 0);
	if (failed) {
		failed->effect.remote = opportunist->remote;
		failed->effect.association.state = HOST_FAILED;
		failed->effect.association.reason = opportunist->trouble ? opportunist->trouble : HIPHOP_TIMEOUT;
		failed->effect.association.initiator = true;
	}
	effects_add(&host->effects, failed);
	opportunist_drop(host, opportunist);
}

hiphop_error host_connect_opportunistic(struct host *host, instant now, const struct endpoint *remote)
{
	struct opportunist *opportunist;

	effects_release_taken(&host->effects);
	if (host->configuration.never_opportunistic)
		return HIPHOP_REFUSED;
	if (opportunist_at(host, remote))
		return HIPHOP_EXISTS;
	if (host->opportunist_count >= OPPORTUNISTS_MAXIMUM)
		return HIPHOP_LIMITED;
	if (deadline_heap_reserve(&host->deadlines, host->count + OPPORTUNISTS_MAXIMUM))
		return HIPHOP_NO_MEMORY;
	opportunist = calloc(1, sizeof *opportunist);
	if (!opportunist)
		return HIPHOP_NO_MEMORY;
	opportunist->remote = *remote;
	opportunist->timer.kind = DEADLINE_OPPORTUNIST;
	opportunist->timer.owner = opportunist;
	opportunist->next = host->opportunists;
	host->opportunists = opportunist;
	host->opportunist_count++;
	transmit_opportunistic(host, now, opportunist);
	return HIPHOP_OK;
}

hiphop_error host_connect(struct host *host, instant now, const struct hit *peer)
{
	struct association *association;
	hiphop_error error;

	effects_release_taken(&host->effects);
	if (!hit_is_host(peer) || hit_equal(peer, &host->self))
		return HIPHOP_INVALID_ARGUMENT;
	if (!peer_may_associate(host, now, peer, &(struct host_claim){.ours = true}))
		return HIPHOP_REFUSED;
	if (!hit_suite_is_accepted(host, peer))
		return HIPHOP_NO_PROPOSAL;
	error = association_obtain(host, now, peer, &association);
	if (error)
		return error;
	if (association_is_usable(association) || !liveness_may_retry(association, now))
		return HIPHOP_OK;
	error = initiator_begin(host, now, association);
	association_release_if_idle(host, association);
	return error;
}
