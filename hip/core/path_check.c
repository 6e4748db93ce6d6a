/* SPDX-License-Identifier: MIT */
/*
 * Does the peer answer there? An UPDATE with a nonce goes to the locator, and the peer sends the nonce back (RFC 8046
 * section 5.4). The same packet may carry our LOCATOR_SET, and acknowledge an UPDATE of the peer. Towards an unverified
 * locator no more octets go out than have come from the peer.
 */
#include "hip/core/router_internal.h"

#include <string.h>

/* A check is sent this often, then the path is SILENT. */
#define CHECK_TRIES 6
/* A SILENT path is tried again after this time, doubled each time. */
#define RETRY_FIRST SECONDS(1)
#define RETRY_MOST  SECONDS(60)
/* One that the peer does not list is forgotten after so many tries. */
#define UNLISTED_TRIES 4
/* Without credit it is tried again after this time, */
#define CREDIT_WAIT SECONDS(1)
/* and when there are too many after this one. */
#define CROWD_WAIT MILLISECONDS(100)

/* What an UPDATE about paths has in it. */
struct contents {
	uint32_t seq;
	const uint32_t *acknowledge; /* NULL: nothing */
	const struct incoming *in;   /* what is acknowledged and echoed, or NULL */
	bool announces;
	const uint8_t *nonce; /* NULL: none */
	bool over_overlay;
};

static void write_locators(const struct host *host, const struct session *session, struct packet_builder *builder)
{
	struct parameter_locator_set set;

	candidates_offer(host, session, &set);
	parameter_locator_set_write(builder, &set);
}

/* ESP_INFO names the SA for middleboxes (RFC 8046 section 3.2.1). */
static void write_covered(
	struct host *host, const struct session *session, const struct contents *contents, struct outgoing *out)
{
	const struct parameter_esp_info esp_info = {.old_spi = session->spi_in, .new_spi = session->spi_in};
	struct parameter_sequence_list acks = {.count = 1};

	parameter_esp_info_write(&out->builder, &esp_info);
	if (contents->announces)
		write_locators(host, session, &out->builder);
	parameter_number_write(&out->builder, PARAMETER_SEQ, contents->seq);
	if (contents->acknowledge) {
		acks.items[0] = *contents->acknowledge;
		parameter_sequence_list_write(&out->builder, PARAMETER_ACK, &acks);
	}
	if (contents->nonce)
		parameter_opaque_write(&out->builder, PARAMETER_ECHO_REQUEST_SIGNED,
			(struct span){contents->nonce, PATH_NONCE_LENGTH});
	outgoing_echo_signed(out, contents->in);
	if (contents->over_overlay)
		outgoing_overlay_covered(host, out, NULL);
}

static hiphop_error build(
	struct host *host, const struct association *association, const struct contents *contents, struct outgoing *out)
{
	const struct protection protection = session_protection(association->session);
	hiphop_error error;

	outgoing_start(host, out, HIP_PACKET_UPDATE, &association->peer);
	write_covered(host, association->session, contents, out);
	error = outgoing_protect(host, out, &protection);
	if (error)
		return error;
	outgoing_echo_unsigned(out, contents->in);
	if (contents->over_overlay)
		outgoing_overlay_uncovered(host, out, true);
	return outgoing_finish(out);
}

static void way_of_path(const struct path *path, struct way *way)
{
	memset(way, 0, sizeof *way);
	way->local = path->local;
	way->remote = path->remote;
}

/* The peer takes an Update ID once: a check without our LOCATOR_SET must not have that of the announcement. */
static bool needs_update_id(const struct mobility *mobility, const struct path *path)
{
	const struct announcement *announcement = &mobility->announcement;

	return !path->check.tries ||
	       (announcement->due && announcement->tries && path->check.update == announcement->update);
}

/* The check as it is with the next try. `*is_new`: that takes a new Update ID. */
static struct path_check next_try(struct host *host, const struct session *session, const struct path *path,
	bool announces, bool by_router, bool *is_new)
{
	struct path_check check = path->check;
	bool changes = check.tries && check.by_router != by_router;

	*is_new = !announces && !by_router && (changes || needs_update_id(session->mobility, path));
	if (announces)
		check.update = session->mobility->announcement.update;
	else if (*is_new)
		check.update = session->own_update;
	check.by_router = by_router;
	/* An answer to an earlier try is an answer: the new path may be slower than any before. */
	if (*is_new || changes || !check.tries)
		random_fill(host->random, check.nonce, PATH_NONCE_LENGTH);
	check.tries++;
	return check;
}

static hiphop_error build_check(struct host *host, const struct association *association,
	const struct path_check *check, struct contents *contents, struct outgoing *out)
{
	if (check->by_router)
		return proxy_peer_build(host, association, check->nonce, out);
	contents->seq = check->update;
	contents->nonce = check->nonce;
	return build(host, association, contents, out);
}

bool path_check_send(struct host *host, instant now, struct association *association, size_t place,
	const struct incoming *in, const uint32_t *acknowledge, bool announces)
{
	struct session *session = association->session;
	struct path *path = &session->mobility->paths.items[place];
	struct contents contents = {.in = in, .acknowledge = acknowledge, .announces = announces};
	bool by_router = !announces && !acknowledge && proxy_peer_asks(association, now, &path->remote);
	bool is_new;
	struct path_check check = next_try(host, session, path, announces, by_router, &is_new);
	struct outgoing out;
	struct way way;

	/* Until it goes nothing is taken: an Update ID of two packets would be processed once. */
	if (build_check(host, association, &check, &contents, &out) ||
		!mobility_spend(host, now, association, &path->remote, out.length))
		return false;
	session->own_update += is_new;
	check.sent = now;
	path->check = check;
	way_of_path(path, &way);
	if (outgoing_send(host, &way, out.octets, out.length))
		return false;
	count(host, announces ? HOST_COUNT_LOCATOR_SET_OUT : HOST_COUNT_CHECKS_OUT);
	return true;
}

void path_check_send_over_overlay(struct host *host, struct association *association)
{
	const struct contents contents = {
		.seq = association->session->mobility->announcement.update, .announces = true, .over_overlay = true};
	struct outgoing out;
	struct way way;

	if (!way_over_overlay(host, &association->peer, &association->peer, &way) ||
		build(host, association, &contents, &out) || outgoing_send(host, &way, out.octets, out.length))
		return;
	count(host, HOST_COUNT_LOCATOR_SET_OUT);
}

/* ---- answers ---- */

bool path_checks_wait_for(const struct mobility *mobility, const struct parameter_sequence_list *acks)
{
	for (size_t i = 0; i < mobility->paths.count; i++) {
		const struct path_check *check = &mobility->paths.items[i].check;

		if (check->tries && parameter_sequence_list_has(acks, check->update))
			return true;
	}
	return false;
}

struct path *path_check_answered(
	const struct mobility *mobility, const struct incoming *in, const struct parameter_sequence_list *acks)
{
	const struct parameter_view *echo = packet_find(&in->view, PARAMETER_ECHO_RESPONSE_SIGNED);

	if (!echo || echo->contents.length != PATH_NONCE_LENGTH)
		return NULL;
	for (size_t i = 0; i < mobility->paths.count; i++) {
		struct path *path = &mobility->paths.items[i];

		if (path->check.tries && parameter_sequence_list_has(acks, path->check.update) &&
			bytes_equal_constant_time(echo->contents.data, path->check.nonce, PATH_NONCE_LENGTH))
			return path;
	}
	return NULL;
}

/* ---- time ---- */

duration path_check_wait(const struct association *association, const struct path *path, unsigned tries)
{
	const struct path like = {.round_trip = association->round_trip, .variation = association->round_trip / 2};

	return path_retransmission(path->round_trip ? path : &like, tries);
}

static instant retry_after(const struct path *path, instant now)
{
	duration wait = RETRY_FIRST << (path->failed_tries < 6 ? path->failed_tries : 6);

	return instant_after(now, wait < RETRY_MOST ? wait : RETRY_MOST);
}

static void give_up(struct host *host, instant now, struct path *path)
{
	count(host, HOST_COUNT_CHECKS_FAILED);
	path_happens(path, PATH_EVENT_UNANSWERED, now);
	path->next_try = retry_after(path, now);
}

/* A path that nobody has answered on yet, or that may be dead. */
static instant run_unverified(struct host *host, instant now, struct association *association, size_t place)
{
	struct path *path = &association->session->mobility->paths.items[place];
	instant due = path->check.tries
			      ? instant_after(path->check.sent, path_check_wait(association, path, path->check.tries))
			      : now;

	if (path->next_try > due)
		due = path->next_try;
	if (now < due)
		return due;
	if (path->check.tries >= CHECK_TRIES) {
		give_up(host, now, path);
		return path->next_try;
	}
	if (!token_bucket_take(&association->session->mobility->checks, now)) {
		path->next_try = instant_after(now, CROWD_WAIT);
		return path->next_try;
	}
	if (!path_check_send(host, now, association, place, NULL, NULL, false)) {
		path->next_try = instant_after(now, CREDIT_WAIT);
		return path->next_try;
	}
	return instant_after(now, path_check_wait(association, path, path->check.tries));
}

/* One that is silent is tried now and then, by the cheap question where the peer knows it. */
static instant run_silent(struct host *host, instant now, struct association *association, size_t place)
{
	struct mobility *mobility = association->session->mobility;
	struct path *path = &mobility->paths.items[place];

	if (now < path->next_try)
		return path->next_try;
	if (path->failed_tries < UINT8_MAX)
		path->failed_tries++;
	path->next_try = retry_after(path, now);
	if (mobility->answers_questions && path->verified) {
		path_probe_send(host, now, association, path);
	} else if (token_bucket_take(&mobility->checks, now)) {
		path->check.tries = 0;
		path_check_send(host, now, association, place, NULL, NULL, false);
	}
	return path->next_try;
}

static bool is_of_no_use(const struct path_set *set, size_t place)
{
	const struct path *path = &set->items[place];

	/* Where the peer is still, another link of ours may reach it again. */
	return path->state == PATH_SILENT && path->origin != PATH_BY_LOCATOR_SET &&
	       !endpoint_equal(&path->remote, &path_set_current(set)->remote) &&
	       (!path->verified || path->failed_tries >= UNLISTED_TRIES);
}

instant path_checks_run(struct host *host, instant now, struct association *association)
{
	struct path_set *set = &association->session->mobility->paths;
	instant next = INSTANT_NEVER;

	for (size_t i = 0; i < set->count; i++) {
		if (set->items[i].link_gone)
			continue;
		if (set->items[i].state == PATH_UNVERIFIED || set->items[i].check.in_doubt)
			next = instant_earlier(next, run_unverified(host, now, association, i));
		else if (set->items[i].state == PATH_SILENT)
			next = instant_earlier(next, run_silent(host, now, association, i));
		if (is_of_no_use(set, i))
			path_set_remove(set, i--);
	}
	return next;
}
