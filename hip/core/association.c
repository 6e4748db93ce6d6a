/* SPDX-License-Identifier: MIT */
#include "hip/core/router_internal.h"
#include "hip/core/state_actions.h"

#include <stdlib.h>
#include <string.h>

struct association *association_find(const struct host *host, const struct hit *peer)
{
	return map_get(&host->by_peer, peer->octets);
}

host_state association_state(const struct association *association)
{
	const struct session *session = association->session;
	const struct initiation *initiation = association->initiation;

	if (session && (session->state == HOST_R2_SENT || session->state == HOST_ESTABLISHED))
		return session->state;
	if (initiation)
		return initiation->phase;
	if (session)
		return session->state;
	return association->failed ? HOST_FAILED : HOST_UNASSOCIATED;
}

bool association_is_usable(const struct association *association)
{
	return association->session && association->session->has_sas && !session_on_probation(association->session);
}

bool association_is_neighbour(const struct association *association)
{
	return association_is_usable(association) && association->session->carries_hip;
}

/* ---- the table ---- */

static hiphop_error make_room(struct host *host)
{
	size_t capacity = host->capacity ? host->capacity * 2 : 16;
	struct association **all;

	if (host->count < host->capacity)
		return HIPHOP_OK;
	all = realloc(host->all, capacity * sizeof *all);
	if (!all)
		return HIPHOP_NO_MEMORY;
	host->all = all;
	host->capacity = capacity;
	return HIPHOP_OK;
}

static void association_free(struct host *host, struct association *association)
{
	size_t place = 0;

	deadline_cancel(&host->deadlines, &association->deadline);
	map_remove(&host->by_peer, association->peer.octets);
	while (host->all[place] != association)
		place++;
	host->count--;
	memmove(&host->all[place], &host->all[place + 1], (host->count - place) * sizeof host->all[0]);
	free(association->name);
	certificates_free(host, association->certificates);
	router_forget(host, association);
	free(association);
}

static bool free_one_in(struct host *host, host_state state)
{
	for (size_t i = 0; i < host->count; i++) {
		struct association *association = host->all[i];

		if (association->retired || association_state(association) != state)
			continue;
		session_drop(host, association);
		association->failed = false;
		association_free(host, association);
		return true;
	}
	return false;
}

/* What is only shown, or waits for repeated CLOSEs or their answer, makes room for the living. */
static bool free_a_dead_one(struct host *host)
{
	return free_one_in(host, HOST_FAILED) || (host->over && free_one_in(host, HOST_CLOSED)) ||
	       (host->over && free_one_in(host, HOST_CLOSING));
}

static struct association *association_make(struct host *host, instant now, const struct hit *peer)
{
	struct association *association = calloc(1, sizeof *association);

	if (!association)
		return NULL;
	association->peer = *peer;
	association->held = map_get(&host->held, peer->octets) != NULL;
	association->since = now;
	association->answers = token_bucket_start(20, 40, now);
	for (int kind = 0; kind < TIMER_KINDS; kind++)
		association->timers[kind] = INSTANT_NEVER;
	association->deadline.kind = DEADLINE_ASSOCIATION;
	association->deadline.owner = association;
	return association;
}

hiphop_error association_obtain(struct host *host, instant now, const struct hit *peer, struct association **found)
{
	struct association *association = association_find(host, peer);

	*found = association;
	if (association)
		return HIPHOP_OK;
	if (host->count >= host->configuration.associations && !free_a_dead_one(host))
		return HIPHOP_LIMITED;
	if (make_room(host) || deadline_heap_reserve(&host->deadlines, host->count + 1 + OPPORTUNISTS_MAXIMUM))
		return HIPHOP_NO_MEMORY;
	association = association_make(host, now, peer);
	if (!association || map_put(&host->by_peer, peer->octets, association)) {
		free(association);
		return HIPHOP_NO_MEMORY;
	}
	host->all[host->count++] = association;
	*found = association;
	return HIPHOP_OK;
}

char *association_peer_text(const struct association *association, char text[static HIT_TEXT_SIZE])
{
	static const char anonymous[] = "an anonymous host";

	if (!association->anonymous)
		return hit_format(&association->peer, text);
	memcpy(text, anonymous, sizeof anonymous);
	return text;
}

static void note_name(struct association *association, const struct parameter_view *host_id)
{
	struct parameter_host_id read;
	struct domain_identifier name;

	if (!host_id || parameter_host_id_read(host_id, &read) ||
		domain_identifier_from_octets(read.domain_identifier_type, read.domain_identifier, &name) ||
		domain_identifier_is_none(&name))
		return;
	association->name = malloc(sizeof name);
	if (association->name)
		*association->name = name;
}

void association_note_peer(struct association *association, bool anonymous, const struct parameter_view *host_id)
{
	association->anonymous = anonymous;
	free(association->name);
	association->name = NULL;
	note_name(association, host_id);
}

void association_note_certificates(
	struct host *host, struct association *association, struct peer_certificates **certificates)
{
	certificates_free(host, association->certificates);
	association->certificates = *certificates;
	*certificates = NULL;
}

void association_release_if_idle(struct host *host, struct association *association)
{
	if (!association->session && !association->retired && !association->initiation && !association->failed)
		association_free(host, association);
}

void association_free_all(struct host *host)
{
	while (host->count > 0) {
		struct association *association = host->all[host->count - 1];

		initiation_end(host, association);
		session_drop(host, association);
		association_retired_over(host, association);
		association_free(host, association);
	}
	free(host->all);
	host->all = NULL;
	host->capacity = 0;
}

/* ---- timers ---- */

static enum timer_kind earliest_timer(const struct association *association)
{
	enum timer_kind earliest = 0;

	for (enum timer_kind kind = 1; kind < TIMER_KINDS; kind++) {
		if (association->timers[kind] < association->timers[earliest])
			earliest = kind;
	}
	return earliest;
}

static void set_deadline(struct host *host, struct association *association)
{
	instant at = association->timers[earliest_timer(association)];

	if (at == INSTANT_NEVER)
		deadline_cancel(&host->deadlines, &association->deadline);
	else if (!association->deadline.slot || association->deadline.at != at)
		/* Room was reserved with the association. */
		(void)deadline_set(&host->deadlines, &association->deadline, at);
}

void association_set_timer(struct host *host, struct association *association, enum timer_kind kind, instant at)
{
	association->timers[kind] = at;
	set_deadline(host, association);
}

void association_cancel_timer(struct host *host, struct association *association, enum timer_kind kind)
{
	association_set_timer(host, association, kind, INSTANT_NEVER);
}

void association_expire(struct host *host, instant now, struct association *association)
{
	static void (*const timers[TIMER_KINDS])(struct host *, instant, struct association *) = {
		[TIMER_EXCHANGE] = initiator_timer,
		[TIMER_SESSION] = association_session_timer,
		[TIMER_RETIRED] = key_lifetime_retired_timer,
		[TIMER_LIVENESS] = liveness_timer,
		[TIMER_KEYS] = key_lifetime_timer,
		[TIMER_READDRESS] = mobility_readdress,
		[TIMER_PATHS] = mobility_timer,
		[TIMER_CERTIFICATES] = certificates_timer,
		[TIMER_ROUTER] = router_timer,
	};
	enum timer_kind kind = earliest_timer(association);
	const struct hit peer = association->peer;

	association_cancel_timer(host, association, kind);
	timers[kind](host, now, association);
	router_review(host, now, &peer);
}

/* ---- SPIs ---- */

static bool is_taken_elsewhere(const struct host *host, uint32_t spi)
{
	const struct host_environment *environment = &host->configuration.environment;

	return environment->spi_is_taken && environment->spi_is_taken(environment->context, spi);
}

uint32_t association_new_spi(struct host *host)
{
	const uint32_t mask = host->configuration.spi_mask;
	uint32_t spi;

	/* 0 to 255 are reserved (RFC 4303 section 2.1). */
	do
		spi = (random_u32(host->random) & ~mask) | (host->configuration.spi_mark & mask);
	while (spi < 256 || host_has_spi(host, spi) || is_taken_elsewhere(host, spi));
	return spi;
}

bool host_has_spi(const struct host *host, uint32_t spi)
{
	return map_get(&host->by_spi, &spi) != NULL || on_board_has_spi(&host->router.service.on_board, spi);
}

hiphop_error association_register_spi(struct host *host, struct association *association, uint32_t spi)
{
	return map_put(&host->by_spi, &spi, association);
}

void association_unregister_spi(struct host *host, uint32_t spi)
{
	if (spi)
		map_remove(&host->by_spi, &spi);
}

/* ---- sessions ---- */

struct session *session_make(void)
{
	struct session *session = calloc(1, sizeof *session);

	if (!session)
		return NULL;
	session->ending = ending_make();
	if (session->ending)
		return session;
	free(session);
	return NULL;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	host_identity_free(session->identity);
	diffie_hellman_free(session->own_key);
	buffer_free(&session->peer_public);
	buffer_free(&session->r2);
	free(session->ending);
	certificates_progress_free(session);
	mobility_free(session);
	exchange_keys_clear(&session->keys);
	bytes_wipe(session, sizeof *session);
	free(session);
}

static void fill_sa(const struct session *session, const struct hit *peer, struct queued_effect *effect)
{
	effect->effect.peer = *peer;
	effect->effect.local = session->local;
	effect->effect.remote = session->remote;
	effect->sa->local = session->local;
	effect->sa->remote = session->remote;
	effect->sa->spi_in = session->spi_in;
	effect->sa->spi_out = session->spi_out;
	effect->sa->suite = (uint8_t)session->keys.suite;
}

void session_tell_sa(
	struct host *host, const struct session *session, const struct hit *peer, struct queued_effect *effect)
{
	fill_sa(session, peer, effect);
	effects_add(&host->effects, effect);
}

static struct ending *take_ending(struct session *session, const struct hit *peer)
{
	struct ending *ending = session->ending;

	session->ending = NULL;
	ending->peer = *peer;
	ending->local = session->local;
	ending->remote = session->remote;
	ending->spi_in = session->spi_in;
	ending->spi_out = session->spi_out;
	ending->suite = (uint8_t)session->keys.suite;
	ending->initiator = session->initiator;
	ending->overlay_hops = session->overlay_hops;
	return ending;
}

void session_tell_removal(struct host *host, struct session *session, const struct hit *peer)
{
	struct ending *ending = take_ending(session, peer);

	session->has_sas = false;
	ending->removes_sas = true;
	effects_add_ending(&host->effects, ending);
}

/* On probation nobody was told of the SAs. */
static void forget_withheld(struct session *session)
{
	if (!session_on_probation(session) || !session->certificates->install)
		return;
	effect_discard(session->certificates->install);
	session->certificates->install = NULL;
	session->has_sas = false;
}

/* Takes the SAs of the session away, now. */
static void remove_sas(struct host *host, struct session *session, const struct hit *peer)
{
	rekey_drop(host, session, peer);
	forget_withheld(session);
	if (session->has_sas)
		session_tell_removal(host, session, peer);
}

static void session_release(struct host *host, struct session *session, const struct hit *peer)
{
	if (!session)
		return;
	remove_sas(host, session, peer);
	association_unregister_spi(host, session->spi_in);
	close_forget(host, session);
	session_free(session);
}

void session_drop(struct host *host, struct association *association)
{
	session_release(host, association->session, &association->peer);
	association->session = NULL;
	association_cancel_timer(host, association, TIMER_SESSION);
	association_cancel_timer(host, association, TIMER_LIVENESS);
	association_cancel_timer(host, association, TIMER_READDRESS);
	association_cancel_timer(host, association, TIMER_PATHS);
	association_cancel_timer(host, association, TIMER_KEYS);
	association_cancel_timer(host, association, TIMER_CERTIFICATES);
}

void association_retired_over(struct host *host, struct association *association)
{
	session_release(host, association->retired, &association->peer);
	association->retired = NULL;
	association_cancel_timer(host, association, TIMER_RETIRED);
}

static void log_end(const struct host *host, const struct association *association, hiphop_error reason)
{
	char peer[HIT_TEXT_SIZE];

	association_peer_text(association, peer);
	if (reason)
		log_write(host->log, LOG_LEVEL_INFO, "the association with %s is lost: %s", peer,
			hiphop_error_text(reason));
	else
		log_write(host->log, LOG_LEVEL_DEBUG, "the association with %s is closed", peer);
}

void session_end(struct host *host, instant now, struct association *association, host_state shown, hiphop_error reason)
{
	struct session *session = association->session;
	struct ending *ending;

	rekey_drop(host, session, &association->peer);
	forget_withheld(session);
	association_retired_over(host, association);
	association_cancel_timer(host, association, TIMER_LIVENESS);
	association_cancel_timer(host, association, TIMER_READDRESS);
	association_cancel_timer(host, association, TIMER_PATHS);
	association->since = now;
	if (!session->ending)
		return;
	log_end(host, association, reason);
	ending = take_ending(session, &association->peer);
	ending->removes_sas = session->has_sas;
	ending->tells = true;
	ending->state = (uint8_t)shown;
	ending->reason = (uint8_t)reason;
	session->has_sas = false;
	effects_add_ending(&host->effects, ending);
}

/* ---- commit ---- */

static void retire_old_session(struct host *host, instant now, struct association *association)
{
	association_retired_over(host, association);
	if (association->session && association->session->has_sas) {
		association->retired = association->session;
		association->session = NULL;
		association_set_timer(host, association, TIMER_RETIRED, instant_after(now, OLD_SA_KEPT));
	}
	session_drop(host, association);
}

void session_fill_install(const struct host *host, const struct association *association, const struct session *session,
	const struct esp_key_pair *keys, struct queued_effect *install)
{
	fill_sa(session, &association->peer, install);
	install->sa->soft = session->soft;
	install->sa->hard = key_lifetime_hard(host, session->keys.suite);
	install->sa->keys_in = keys->in;
	install->sa->keys_out = keys->out;
}

static void fill_change(const struct association *association, const struct session *session, bool renewed,
	struct queued_effect *change)
{
	change->effect.peer = association->peer;
	change->effect.local = session->local;
	change->effect.remote = session->remote;
	change->effect.association.state = session->state;
	change->effect.association.usable = session->direct;
	change->effect.association.carries_hip = session->carries_hip;
	change->effect.association.renewed = renewed;
	change->effect.association.initiator = session->initiator;
	change->effect.association.overlay_hops = session->overlay_hops;
}

hiphop_error session_lose_path(struct host *host, struct association *association)
{
	struct session *session = association->session;
	struct queued_effect *change = effect_make(HOST_ASSOCIATION, 0);
	struct ending *ending = ending_make();

	if (!change || !ending) {
		effect_discard(change);
		free(ending);
		return HIPHOP_NO_MEMORY;
	}
	remove_sas(host, session, &association->peer);
	if (session->ending)
		free(ending);
	else
		session->ending = ending;
	session->direct = false;
	fill_change(association, session, false, change);
	if (session_on_probation(session)) {
		effect_discard(session->certificates->change);
		session->certificates->change = change;
		return HIPHOP_OK;
	}
	effects_add(&host->effects, change);
	return HIPHOP_OK;
}

static void start_timers(struct host *host, instant now, struct association *association)
{
	association_cancel_timer(host, association, TIMER_EXCHANGE);
	if (association->session->state == HOST_R2_SENT)
		association_set_timer(host, association, TIMER_SESSION, instant_after(now, EXCHANGE_COMPLETE));
	liveness_start(host, now, association);
	key_lifetime_start(host, now, association);
}

static void log_commit(const struct host *host, const struct association *association, bool renewed)
{
	const struct session *session = association->session;
	char peer[HIT_TEXT_SIZE], remote[ENDPOINT_TEXT_SIZE];

	association_peer_text(association, peer);
	if (session->direct)
		log_write(host->log, renewed ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "associated with %s at %s", peer,
			endpoint_format(&session->remote, remote));
	else
		log_write(
			host->log, LOG_LEVEL_INFO, "associated with %s over the overlay alone: no path for ESP", peer);
}

void session_commit(struct host *host, instant now, struct association *association, struct session *session,
	const struct esp_key_pair *esp_keys, struct queued_effect *install, struct queued_effect *change)
{
	bool renewed = association_is_usable(association);

	session->soft = key_lifetime_soft(host, session->keys.suite);
	if (install)
		session_fill_install(host, association, session, esp_keys, install);
	fill_change(association, session, renewed, change);
	if (session_on_probation(session))
		session->certificates->install = install;
	else
		effects_add(&host->effects, install);
	retire_old_session(host, now, association);
	initiation_end(host, association);
	session->has_sas = install != NULL;
	session->began = now;
	session->proven = true;
	session->control_heard = now;
	session->keepalives = token_bucket_start(1, 3, now);
	session->last_look = now;
	association->session = session;
	association->failed = false;
	association->since = now;
	if (session_on_probation(session))
		session->certificates->change = change;
	else
		effects_add(&host->effects, change);
	log_commit(host, association, renewed);
	start_timers(host, now, association);
	certificates_begin(host, now, association);
	if (session->direct) {
		association->pathless_tries = 0;
		mobility_begin(host, now, association);
		locators_learn(&host->locators, &association->peer, &session->remote, false);
	}
}

void session_heard(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;

	session->control_heard = now;
	/* An exchange that began for want of answers has no use any more. */
	if (session->suspected && session->has_sas && association->initiation &&
		association->initiation->phase == HOST_I1_SENT)
		initiation_end(host, association);
	state_machine_run(host, now, association, STATE_EVENT_ESP, HIPHOP_OK);
}

hiphop_error session_move_on(struct host *host, const struct state_step *step)
{
	step->association->session->state = step->rule->next;
	buffer_free(&step->association->session->r2);
	step->association->since = step->now;
	association_cancel_timer(host, step->association, TIMER_SESSION);
	return HIPHOP_OK;
}

hiphop_error session_discard(struct host *host, const struct state_step *step)
{
	session_drop(host, step->association);
	association_release_if_idle(host, step->association);
	return HIPHOP_OK;
}

void association_session_timer(struct host *host, instant now, struct association *association)
{
	const struct session *session = association->session;
	bool again = session && session->state == HOST_CLOSING && now < session->close_over;

	state_machine_run(
		host, now, association, again ? STATE_EVENT_SESSION_TIMEOUT : STATE_EVENT_SESSION_OVER, HIPHOP_OK);
}
