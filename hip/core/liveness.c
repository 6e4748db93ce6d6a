/* SPDX-License-Identifier: MIT */
/*
 * Is the peer still there, does it know, and is it still reached from the right address?
 *
 * Once a second per association: when ESP was sent and nothing was heard for 2 s, or nothing was sent and not even a
 * keepalive heard for 40 s, UPDATEs go out. Then a new base exchange begins, if anybody has a use for it, and the
 * layers above are told to go round the peer; the old state yields only to a valid I2 or R2. UDP mappings are kept
 * alive (RFC 9028 section 4.10), and who is neither used nor held is closed (UAL, RFC 7401 section 4.4.1).
 */
#include "hip/core/host_internal.h"

#define LOOK_EVERY      SECONDS(1)
#define KEEPALIVE_AFTER SECONDS(15)
#define HELD_SILENCE    SECONDS(20) /* a held peer that nobody sends to is asked this often */
#define IDLE_SILENCE    SECONDS(40) /* any other, when not even a keepalive is heard */
/* Without a path another exchange is tried after this time, doubled each time. Either end does so: one of them may be
 * behind a NAT that lets nobody in. Who began the last one waits longer, so that the other one is next. */
#define RETRY_FIRST SECONDS(2)
#define RETRY_MOST  SECONDS(30) /* before that */

/* When the UPDATEs go out after the silence began, and then the I1. */
static const duration schedule[] = {SILENT_AFTER, MILLISECONDS(2500), MILLISECONDS(3500), MILLISECONDS(4500)};
#define PROBES (sizeof schedule / sizeof schedule[0] - 1)

struct esp_traffic esp_traffic_of(const struct host *host, const struct association *association)
{
	const struct host_environment *environment = &host->configuration.environment;
	struct esp_traffic esp = {0, 0};

	if (environment->traffic)
		environment->traffic(environment->context, &association->peer, &esp.sent, &esp.heard);
	return esp;
}

static instant later(instant a, instant b)
{
	return a > b ? a : b;
}

void liveness_start(struct host *host, instant now, struct association *association)
{
	association_set_timer(host, association, TIMER_LIVENESS, instant_after(now, LOOK_EVERY));
}

static duration unused_lifetime(const struct host *host, const struct hit *peer)
{
	const struct host_environment *environment = &host->configuration.environment;
	duration own = environment->unused_lifetime ? environment->unused_lifetime(environment->context, peer) : 0;

	return own ? own : host->configuration.unused_lifetime;
}

static bool is_unused(
	const struct host *host, instant now, const struct association *association, const struct esp_traffic *esp)
{
	const struct session *session = association->session;
	instant used = later(later(esp->sent, esp->heard), session->began);

	return !association->held && now >= instant_after(used, unused_lifetime(host, &association->peer));
}

static void keep_alive(struct host *host, instant now, struct association *association, const struct esp_traffic *esp)
{
	struct session *session = association->session;
	instant sent = later(later(esp->sent, session->control_sent), session->began);

	if (session->remote.transport == TRANSPORT_UDP && now >= instant_after(sent, KEEPALIVE_AFTER))
		notify_keepalive(host, now, association);
}

/* Sets or clears the beginning of a silence. */
static void judge_silence(struct association *association, instant now, const struct esp_traffic *esp)
{
	struct session *session = association->session;
	instant heard = later(esp->heard, session->control_heard);

	if (session->silent_since) {
		if (heard < session->silent_since)
			return;
		session->silent_since = 0;
		session->probe.tries = 0;
	}
	session->idle = false;
	if (esp->sent > heard)
		session->silent_since = later(heard, session->last_look);
	else if (association->held && now >= instant_after(heard, HELD_SILENCE))
		session->silent_since = now - SILENT_AFTER;
	else if (now >= instant_after(later(heard, session->keepalive_heard), IDLE_SILENCE)) {
		session->silent_since = now - SILENT_AFTER;
		session->idle = true;
	}
	if (session->silent_since == heard && heard)
		session->silent_since++;
}

static void tell(struct host *host, const struct association *association, host_effect_kind kind)
{
	struct queued_effect *told = effect_make(kind, 0);

	if (told)
		told->effect.peer = association->peer;
	effects_add(&host->effects, told);
}

static void suspect(struct host *host, instant now, struct association *association)
{
	char text[HIT_TEXT_SIZE];

	if (association->session->suspected)
		return;
	association->session->suspected = now;
	log_write(host->log, LOG_LEVEL_INFO, "%s does not answer", association_peer_text(association, text));
	tell(host, association, HOST_SUSPECT);
}

static void clear_suspicion(struct host *host, struct association *association, instant heard)
{
	char text[HIT_TEXT_SIZE];

	if (!association->session->suspected || heard <= association->session->suspected)
		return;
	association->session->suspected = 0;
	log_write(host->log, LOG_LEVEL_INFO, "%s answers again", association_peer_text(association, text));
	tell(host, association, HOST_HEARD_AGAIN);
}

/* The next step of the schedule, when it is due. Returns when to look again. */
static instant ask(struct host *host, instant now, struct association *association, const struct esp_traffic *esp)
{
	struct session *session = association->session;
	instant heard = later(esp->heard, session->control_heard);
	instant due = instant_after(session->silent_since, schedule[session->probe.tries]);
	instant first = session->silent_since;

	if (now < due)
		return due;
	if (session->probe.tries < PROBES) {
		if (session->probe.tries)
			mobility_unanswered(host, now, association);
		update_probe(host, now, association);
		return instant_after(first, schedule[session->probe.tries]);
	}
	session->silent_since = 0;
	session->probe.tries = 0;
	if (session->idle && !association->held && esp->sent <= heard) {
		/* Nobody has a use for it: it may go. */
		state_machine_run(host, now, association, STATE_EVENT_LOST, HIPHOP_TIMEOUT);
		return instant_after(now, LOOK_EVERY);
	}
	suspect(host, now, association);
	if (initiator_begin(host, now, association) && now >= instant_after(heard, host->configuration.patience))
		state_machine_run(host, now, association, STATE_EVENT_LOST, HIPHOP_NOT_FOUND);
	return instant_after(now, LOOK_EVERY);
}

static void look_after_direct(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;
	struct esp_traffic esp = esp_traffic_of(host, association);
	instant again = instant_after(now, LOOK_EVERY);

	if (esp.heard > session->began)
		state_machine_run(host, now, association, STATE_EVENT_ESP, HIPHOP_OK);
	if (is_unused(host, now, association, &esp) && !association->initiation) {
		state_machine_run(host, now, association, STATE_EVENT_UNUSED, HIPHOP_OK);
		if (association->session->state >= HOST_CLOSING)
			return;
	}
	keep_alive(host, now, association, &esp);
	clear_suspicion(host, association, later(esp.heard, session->control_heard));
	if (!association->initiation) {
		judge_silence(association, now, &esp);
		if (session->silent_since)
			again = instant_earlier(again, ask(host, now, association, &esp));
	}
	if (association->session != session || session->state >= HOST_CLOSING)
		return;
	session->last_look = now;
	association_set_timer(host, association, TIMER_LIVENESS, later(again, now + 1));
}

static duration retry_after(const struct association *association)
{
	duration wait = RETRY_FIRST << (association->pathless_tries < 4 ? association->pathless_tries : 4);

	wait = wait < RETRY_MOST ? wait : RETRY_MOST;
	return association->session->initiator ? wait + wait / 2 : wait;
}

bool liveness_may_retry(struct association *association, instant now)
{
	struct session *session = association->session;

	if (!session || session->direct || session->state >= HOST_CLOSING)
		return true;
	if (association->initiation ||
		now < instant_after(later(session->began, session->last_look), retry_after(association)))
		return false;
	session->last_look = now;
	if (association->pathless_tries < UINT8_MAX)
		association->pathless_tries++;
	return true;
}

/* Without a path for ESP there is no traffic to watch; a held peer gets another exchange now and then. */
static void look_after_pathless(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;
	const struct esp_traffic none = {0, 0};

	if (is_unused(host, now, association, &none) && !association->initiation) {
		state_machine_run(host, now, association, STATE_EVENT_UNUSED, HIPHOP_OK);
		if (session->state >= HOST_CLOSING)
			return;
	}
	if (association->held && liveness_may_retry(association, now))
		initiator_begin(host, now, association);
	association_set_timer(host, association, TIMER_LIVENESS, instant_after(now, LOOK_EVERY));
}

void liveness_timer(struct host *host, instant now, struct association *association)
{
	const struct session *session = association->session;

	if (!session || session->state >= HOST_CLOSING)
		return;
	if (session->has_sas)
		look_after_direct(host, now, association);
	else
		look_after_pathless(host, now, association);
}

void liveness_hurry(struct host *host, instant now, struct association *association)
{
	if (association->session && association->session->has_sas)
		association_set_timer(host, association, TIMER_LIVENESS, now);
}
