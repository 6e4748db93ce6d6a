/* SPDX-License-Identifier: MIT */
/*
 * Does a path still work? The question costs one small ESP packet: a dummy packet (RFC 4303 section 2.6), which a peer
 * that does not know it discards, with a nonce that this peer sends back the same way. While traffic flows and there is
 * another path, the one in use is asked whenever nothing was heard on it for a moment; the others are asked now and
 * then.
 */
#include "hip/core/host_internal.h"

#include <string.h>

/* The question as it travels: a mark, what it is, and the nonce. */
#define MARK_LENGTH 4
static const uint8_t mark[MARK_LENGTH] = {'H', 'i', 'P', 'p'};
enum { QUESTION = 1, ANSWER = 2, DEAF = 3 };

/* Traffic is flowing for this time after a packet. */
#define FLOWING SECONDS(1)
/* While it flows, nothing heard for this time is a reason to ask, and so long is between two questions. */
#define QUIET MILLISECONDS(40)
/* At least so many questions remain unanswered before a path in use is SILENT; so many before another one is. */
#define QUESTIONS_CURRENT 2
#define QUESTIONS_OTHER   4
/* How often other paths are asked: while traffic flows, and else; those that cost money more seldom. */
#define OTHER_FLOWING         SECONDS(3)
#define OTHER_FLOWING_METERED SECONDS(15)
#define OTHER_IDLE            SECONDS(15)
#define OTHER_IDLE_METERED    SECONDS(120)
#define OTHER_AGAIN           MILLISECONDS(500)
/* How often a further path that is used as well is asked. */
#define MORE_FLOWING MILLISECONDS(100)
/* How long an answer is waited for: a round trip and half of it, or as much as it varies, up to two of them, and a bit
 * more. With QUIET, and a round trip to tell the peer, a path that dies is left within three round trips and 200 ms. */
#define PATIENCE         MILLISECONDS(80)
#define PATIENCE_JITTER  MILLISECONDS(40)
#define PATIENCE_UNKNOWN MILLISECONDS(500)

static duration patience(const struct path *path)
{
	duration jitter = 4 * path->variation, most = path->round_trip / 2 + PATIENCE_JITTER;

	if (!path->round_trip)
		return PATIENCE_UNKNOWN;
	if (jitter < path->round_trip / 2)
		jitter = path->round_trip / 2;
	return path->round_trip + PATIENCE + (jitter < most ? jitter : most);
}

/* Between two questions while an answer is awaited: each keeps its place until its answer must be there. */
static duration question_interval(const struct path *path)
{
	duration interval = patience(path) / (PATH_QUESTIONS - 1);

	return interval > QUIET ? interval : QUIET;
}

/* ---- sending ---- */

static void send(struct host *host, const struct hit *peer, const struct endpoint *local, const struct endpoint *remote,
	uint8_t what, const uint8_t nonce[static 8])
{
	struct queued_effect *effect = effect_make(HOST_SEND_PROBE, HOST_PROBE_LENGTH);

	if (!effect)
		return;
	effect->effect.peer = *peer;
	effect->effect.local = *local;
	effect->effect.remote = *remote;
	effect->effect.length = HOST_PROBE_LENGTH;
	memset(effect->octets, 0, HOST_PROBE_LENGTH);
	memcpy(effect->octets, mark, MARK_LENGTH);
	effect->octets[MARK_LENGTH] = what;
	memcpy(effect->octets + 8, nonce, 8);
	effects_add(&host->effects, effect);
}

/* `counts`: the peer is known to answer, so that no answer says something about the path. */
static void note_question(struct path *path, instant now, uint64_t nonce, bool counts)
{
	const struct path_question *oldest = &path->questions[PATH_QUESTIONS - 1];

	if (oldest->sent && counts)
		path_note_question(path, false);
	memmove(&path->questions[1], &path->questions[0], (PATH_QUESTIONS - 1) * sizeof path->questions[0]);
	path->questions[0] = (struct path_question){.nonce = nonce, .sent = now};
	path->probed = now;
	if (!counts)
		return;
	if (!path->asked)
		path->asked = now;
	if (path->question_count < UINT8_MAX)
		path->question_count++;
}

void path_probe_send(struct host *host, instant now, struct association *association, struct path *path)
{
	uint64_t nonce = random_u64(host->random);
	uint8_t octets[8];

	if (path->questions[0].sent && now < instant_after(path->questions[0].sent, question_interval(path)))
		return;
	memcpy(octets, &nonce, sizeof octets);
	note_question(path, now, nonce, association->session->mobility->answers_questions);
	send(host, &association->peer, &path->local, &path->remote, QUESTION, octets);
}

void path_probe_tell_deaf(struct host *host, const struct association *association)
{
	static const uint8_t nothing[8];
	const struct path *path = path_set_current(&association->session->mobility->paths);

	if (association->session->mobility->answers_questions)
		send(host, &association->peer, &path->local, &path->remote, DEAF, nothing);
}

/* ---- answers ---- */

static void note_answer(struct path *path, instant now, struct path_question *question)
{
	path_note_round_trip(path, now - question->sent);
	path_note_question(path, true);
	question->sent = 0;
	path->asked = 0;
	path->question_count = 0;
}

static bool take_answer(struct host *host, instant now, struct association *association, uint64_t nonce)
{
	struct path_set *set = &association->session->mobility->paths;

	for (size_t i = 0; i < set->count; i++) {
		struct path *path = &set->items[i];

		for (size_t j = 0; j < PATH_QUESTIONS; j++) {
			if (!path->questions[j].sent || path->questions[j].nonce != nonce)
				continue;
			note_answer(path, now, &path->questions[j]);
			path_happens(path, PATH_EVENT_ANSWERED, now);
			if (i == set->current)
				association->round_trip = path->round_trip;
			session_heard(host, now, association);
			return true;
		}
	}
	return false;
}

static struct association *probed(struct host *host, const struct hit *peer)
{
	struct association *association = association_find(host, peer);
	const struct session *session = association ? association->session : NULL;

	return session && session->has_sas && session->state < HOST_CLOSING ? association : NULL;
}

static void fall_silent(instant now, struct path *path)
{
	path_happens(path, PATH_EVENT_UNANSWERED, now);
	path->next_try = instant_after(now, SECONDS(1));
}

/* The peer hears nothing by the path that we send on, and tells it by another one that works. */
static void take_deaf(struct host *host, instant now, struct association *association, const struct endpoint *local,
	const struct endpoint *remote)
{
	struct path_set *set = &association->session->mobility->paths;
	struct path *path = path_set_find(set, local, remote);
	struct path *current = path_set_current(set);

	if (!path || path == current || path->state != PATH_ACTIVE || current->state != PATH_ACTIVE)
		return;
	fall_silent(now, current);
	/* Of the others nothing is known yet; this one works. */
	for (size_t i = 0; i < set->count; i++) {
		if (&set->items[i] != path && set->items[i].state == PATH_ACTIVE && !set->items[i].link_gone)
			path_probe_send(host, now, association, &set->items[i]);
	}
	path->asked = 0;
	path->question_count = 0;
	handover_settle(host, now, association);
	mobility_arm(host, now, association);
}

/* The peer knows questions. What was asked before says nothing when it is not answered. */
static void note_knowledge(struct mobility *mobility)
{
	struct path_set *set = &mobility->paths;

	if (mobility->answers_questions)
		return;
	mobility->answers_questions = true;
	for (size_t i = 0; i < set->count; i++)
		memset(set->items[i].questions, 0, sizeof set->items[i].questions);
}

void host_probe_input(struct host *host, instant now, const struct hit *peer, const struct endpoint *local,
	const struct endpoint *remote, const uint8_t octets[static HOST_PROBE_LENGTH])
{
	struct association *association = probed(host, peer);
	struct mobility *mobility;
	uint64_t nonce;
	bool taken;

	effects_release_taken(&host->effects);
	if (!association || memcmp(octets, mark, MARK_LENGTH) != 0)
		return;
	mobility = association->session->mobility;
	if (octets[MARK_LENGTH] == QUESTION) {
		send(host, peer, local, remote, ANSWER, octets + 8);
		if (mobility)
			note_knowledge(mobility);
		return;
	}
	if (octets[MARK_LENGTH] == DEAF && mobility)
		take_deaf(host, now, association, local, remote);
	if (octets[MARK_LENGTH] != ANSWER || !mobility)
		return;
	memcpy(&nonce, octets + 8, sizeof nonce);
	taken = take_answer(host, now, association, nonce);
	note_knowledge(mobility);
	if (taken)
		mobility_arm(host, now, association);
}

/* ---- time ---- */

void path_probe_note_heard(const struct host *host, const struct association *association, struct path *path)
{
	const struct host_environment *environment = &host->configuration.environment;
	instant heard =
		environment->heard_on_path ? environment->heard_on_path(environment->context, &association->peer) : 0;

	if (heard > path->heard)
		path->heard = heard;
	if (path->asked && path->heard > path->asked) {
		path->asked = 0;
		path->question_count = 0;
	}
}

/* When an answer is overdue, it is time to know who else is alive. */
static void ask_others(struct host *host, instant now, struct association *association, const struct path *current)
{
	struct path_set *set = &association->session->mobility->paths;

	for (size_t i = 0; i < set->count; i++) {
		struct path *path = &set->items[i];

		if (path != current && path->state == PATH_ACTIVE && !path->link_gone &&
			path->questions[0].sent < current->asked)
			path_probe_send(host, now, association, path);
	}
}

static duration interval_of(const struct path *path, bool flowing)
{
	if (flowing && path->samples_wanted && !path->metered)
		return OTHER_AGAIN;
	if (flowing)
		return path->metered ? OTHER_FLOWING_METERED : OTHER_FLOWING;
	return path->metered ? OTHER_IDLE_METERED : OTHER_IDLE;
}

/* A path in use that is never quiet is measured all the same. */
static duration measure_after(const struct path *path)
{
	return path->round_trip ? interval_of(path, true) : OTHER_AGAIN;
}

static bool is_dead(const struct path *path, instant now, unsigned questions)
{
	return path->asked && path->question_count >= questions && now >= instant_after(path->asked, patience(path));
}

/* The path in use while traffic flows: asked when something was `sent` and nothing heard since. */
static instant run_current(struct host *host, instant now, struct association *association, instant sent)
{
	struct path *path = path_set_current(&association->session->mobility->paths);
	instant due;

	path_probe_note_heard(host, association, path);
	if (path->state != PATH_ACTIVE)
		return INSTANT_NEVER;
	if (is_dead(path, now, QUESTIONS_CURRENT)) {
		fall_silent(now, path);
		return now;
	}
	if (path->asked)
		due = instant_after(path->probed, question_interval(path));
	else
		due = instant_after(sent > path->heard ? path->heard : now, QUIET);
	if (now >= due || now >= instant_after(path->probed, measure_after(path))) {
		path_probe_send(host, now, association, path);
		due = instant_after(now, QUIET);
	}
	if (path_is_overdue(path, now))
		ask_others(host, now, association, path);
	return path->asked ? instant_earlier(due, instant_after(path->asked, patience(path))) : due;
}

static instant run_other(
	struct host *host, instant now, struct association *association, struct path *path, bool flowing)
{
	instant last = path->questions[0].sent, due;

	if (path->heard > last && !path->asked)
		last = path->heard;
	if (is_dead(path, now, QUESTIONS_OTHER)) {
		fall_silent(now, path);
		return now;
	}
	due = instant_after(last, path->asked && now >= instant_after(path->asked, patience(path))
					  ? OTHER_AGAIN
					  : interval_of(path, flowing));
	if (path->asked)
		due = instant_earlier(
			due, instant_after(last, OTHER_AGAIN > patience(path) ? OTHER_AGAIN : patience(path)));
	if (now < due)
		return due;
	path_probe_send(host, now, association, path);
	return instant_after(now, OTHER_AGAIN);
}

/* A further path that is used as well while traffic flows. What is heard on it nobody tells. */
static instant run_more(struct host *host, instant now, struct association *association, struct path *path)
{
	instant due;

	if (is_dead(path, now, QUESTIONS_CURRENT)) {
		fall_silent(now, path);
		return now;
	}
	due = instant_after(path->probed, path->asked ? question_interval(path) : MORE_FLOWING);
	if (now >= due) {
		path_probe_send(host, now, association, path);
		due = instant_after(now, QUIET);
	}
	return path->asked ? instant_earlier(due, instant_after(path->asked, patience(path))) : due;
}

/* The data plane tells when traffic begins, so that nothing is looked at meanwhile. */
static void watch(struct host *host, const struct association *association)
{
	struct session *session = association->session;
	struct queued_effect *effect;

	if (session->mobility->watched)
		return;
	effect = effect_make(HOST_WATCH_SA, 0);
	if (!effect)
		return;
	session_tell_sa(host, session, &association->peer, effect);
	session->mobility->watched = true;
}

instant path_probes_run(struct host *host, instant now, struct association *association)
{
	struct mobility *mobility = association->session->mobility;
	struct path_set *set = &mobility->paths;
	struct esp_traffic esp = esp_traffic_of(host, association);
	bool flowing = esp.sent && now < instant_after(esp.sent, FLOWING);
	instant next = INSTANT_NEVER;

	if (set->count < 2 || !mobility->answers_questions)
		return INSTANT_NEVER;
	if (flowing)
		next = run_current(host, now, association, esp.sent);
	else
		watch(host, association);
	for (size_t i = 0; i < set->count; i++) {
		if (i == set->current || set->items[i].state != PATH_ACTIVE || set->items[i].link_gone)
			continue;
		next = instant_earlier(next, flowing && mobility->paths.items[i].more_rank
						     ? run_more(host, now, association, &set->items[i])
						     : run_other(host, now, association, &set->items[i], flowing));
	}
	return next;
}
