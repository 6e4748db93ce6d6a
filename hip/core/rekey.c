/* SPDX-License-Identifier: MIT */
/*
 * New ESP keys by UPDATE (RFC 7402 sections 3.3.2, 5.3 and 6.8 to 6.10), begun by either end or by both at once.
 *
 * Each end sends its part once: ESP_INFO, perhaps DIFFIE_HELLMAN, in an UPDATE with SEQ. When a host has the peer's
 * part as well, it derives the keys and installs the new pair on standby, before it lets the peer know: the pair
 * receives from then on. It sends by the new pair once its own part is acknowledged, or something came in by the new
 * pair, which proves the same. The old pair receives until the peer has been heard on the new one, so that no packet is
 * lost in whatever order the UPDATEs come.
 */
#include "hip/core/host_internal.h"
#include "hip/core/rekey_keys.h"

#include <stdlib.h>
#include <string.h>

/* An UPDATE with our part goes out this often, twice the round trip apart at first, and then ever less often. */
#define REKEY_TRIES         8
#define REKEY_TIMEOUT       SECONDS(1)
#define REKEY_TIMEOUT_LEAST MILLISECONDS(250)
#define REKEY_TIMEOUT_MOST  SECONDS(4)
/* A peer that has acknowledged our part sends its own within this time (RFC 7402 section 6.8 step 5). */
#define REKEY_PATIENCE SECONDS(10)
/* The old pair receives for this time at most when the peer is never heard on the new one. */
#define OLD_SA_UNPROVEN SECONDS(60)

struct rekeying {
	bool begun_here;
	/* Our part. */
	uint32_t own_update;
	uint16_t own_index;
	struct diffie_hellman *own_key; /* NULL: none that is new */
	struct buffer packet;
	unsigned tries;
	instant sent;
	bool acknowledged;
	/* The peer's. */
	bool has_peer;
	uint32_t peer_update;
	uint16_t peer_index;
	struct buffer peer_public; /* length 0: none that is new */
	/* What comes of both. The successor has its SPI in from the beginning; it is a session only as far as keys and
	 * SAs go, and at the end takes those of the old pair. */
	struct session *successor;
	struct esp_key_pair esp_keys; /* until they are installed */
	bool installed;
	struct queued_effect *install, *use, *told;
};

/* The peer's part as read. */
struct peer_part {
	struct parameter_esp_info esp_info;
	bool has_public;
	struct parameter_diffie_hellman public;
};

/* ---- beginning and dropping ---- */

/* Takes the standby pair away again. */
static void uninstall(struct host *host, struct rekeying *rekeying, const struct hit *peer)
{
	if (!rekeying->installed)
		return;
	rekeying->installed = false;
	session_tell_removal(host, rekeying->successor, peer);
}

/* Keys that were derived are never derived again, whatever became of them. */
static void skip_keys(struct session *session, const struct rekeying *rekeying)
{
	if (!rekeying->has_peer || rekeying->own_key || rekeying->peer_public.length)
		return;
	if (rekeying->successor->keys.keymat.index > session->keys.keymat.index)
		session->keys.keymat.index = rekeying->successor->keys.keymat.index;
}

static void rekeying_free(struct rekeying *rekeying)
{
	diffie_hellman_free(rekeying->own_key);
	buffer_free(&rekeying->packet);
	buffer_free(&rekeying->peer_public);
	session_free(rekeying->successor);
	effect_discard(rekeying->install);
	effect_discard(rekeying->use);
	effect_discard(rekeying->told);
	bytes_wipe(rekeying, sizeof *rekeying);
	free(rekeying);
}

void rekey_drop(struct host *host, struct session *session, const struct hit *peer)
{
	struct rekeying *rekeying = session->rekeying;

	if (!rekeying)
		return;
	session->rekeying = NULL;
	if (rekeying->tries) {
		session->has_abandoned = true;
		session->abandoned = rekeying->own_update;
	}
	if (rekeying->successor) {
		skip_keys(session, rekeying);
		uninstall(host, rekeying, peer);
		association_unregister_spi(host, rekeying->successor->spi_in);
	}
	rekeying_free(rekeying);
}

static hiphop_error rekeying_make(struct host *host, struct association *association)
{
	struct rekeying *rekeying = association->session->rekeying = calloc(1, sizeof *rekeying);
	struct session *successor;
	uint32_t spi_in = association_new_spi(host);

	if (!rekeying)
		return HIPHOP_NO_MEMORY;
	successor = rekeying->successor = session_make();
	rekeying->install = effect_make(HOST_INSTALL_SA, 0);
	rekeying->use = effect_make(HOST_USE_SA, 0);
	rekeying->told = effect_make(HOST_REKEYED, 0);
	if (!successor || !rekeying->install || !rekeying->use || !rekeying->told ||
		association_register_spi(host, association, spi_in))
		return HIPHOP_NO_MEMORY;
	successor->spi_in = spi_in;
	return HIPHOP_OK;
}

/* ---- our part ---- */

static hiphop_error build_part(
	struct host *host, const struct association *association, const uint32_t *ack, struct outgoing *out)
{
	const struct session *session = association->session;
	const struct rekeying *rekeying = session->rekeying;
	const struct protection protection = session_protection(session);
	const struct parameter_esp_info esp_info = {.keymat_index = rekeying->own_index,
		.old_spi = session->spi_in,
		.new_spi = rekeying->successor->spi_in};
	struct parameter_sequence_list acks = {.count = 1};
	struct parameter_diffie_hellman public;
	hiphop_error error;

	outgoing_start(host, out, HIP_PACKET_UPDATE, &association->peer);
	parameter_esp_info_write(&out->builder, &esp_info);
	parameter_number_write(&out->builder, PARAMETER_SEQ, rekeying->own_update);
	if (ack) {
		acks.items[0] = *ack;
		parameter_sequence_list_write(&out->builder, PARAMETER_ACK, &acks);
	}
	if (rekeying->own_key) {
		public.group = diffie_hellman_group_id(rekeying->own_key);
		public.public_value = diffie_hellman_public_value(rekeying->own_key);
		parameter_diffie_hellman_write(&out->builder, &public);
	}
	error = outgoing_protect(host, out, &protection);
	return error ? error : outgoing_finish(out);
}

/* A new Diffie-Hellman key when it is wanted, and when KEYMAT does not reach any further (RFC 7402 sections 5.1.1, 6.8
 * step 2, 6.9.1 step 2). `asked` is the peer's KEYMAT Index, or 0. */
static hiphop_error choose_keymat(struct host *host, const struct session *session, bool diffie_hellman, uint16_t asked)
{
	struct rekeying *rekeying = session->rekeying;
	uint32_t index = session->keys.keymat.index > asked ? session->keys.keymat.index : asked;

	if (diffie_hellman || !rekey_keymat_reaches(&session->keys, index))
		return diffie_hellman_new(session->keys.group, host->random, &rekeying->own_key);
	rekeying->own_index = (uint16_t)index;
	return HIPHOP_OK;
}

static hiphop_error make_part(
	struct host *host, struct association *association, bool diffie_hellman, uint16_t asked, const uint32_t *ack)
{
	struct session *session = association->session;
	struct outgoing out;
	hiphop_error error = rekeying_make(host, association);

	if (!error)
		error = choose_keymat(host, session, diffie_hellman, asked);
	if (error)
		return error;
	session->rekeying->own_update = session->own_update;
	error = build_part(host, association, ack, &out);
	return error ? error : buffer_copy(&session->rekeying->packet, out.octets, out.length);
}

static void send_part(struct host *host, instant now, struct association *association)
{
	struct rekeying *rekeying = association->session->rekeying;
	struct way way;

	rekeying->sent = now;
	if (rekeying->tries++)
		count(host, HOST_COUNT_RETRANSMITTED);
	if (way_of_session(host, association, &way) && !way.overlay)
		mobility_send(host, now, association, &way, rekeying->packet.data, rekeying->packet.length);
}

hiphop_error rekey_begin(struct host *host, instant now, struct association *association, bool diffie_hellman)
{
	struct session *session = association->session;
	hiphop_error error;

	if (!session || !session->has_sas || session_on_probation(session) || session->state >= HOST_CLOSING ||
		association->initiation)
		return HIPHOP_NOT_FOUND;
	if (session->rekeying)
		return HIPHOP_EXISTS;
	/* The peer would complete its old part with this one, which we acknowledged and do not have any more. */
	if (now < session->abandoned_until)
		return HIPHOP_LIMITED;
	error = make_part(host, association, diffie_hellman, 0, NULL);
	if (error) {
		rekey_drop(host, session, &association->peer);
		return error;
	}
	session->own_update++;
	session->rekeying->begun_here = true;
	count(host, HOST_COUNT_REKEY_BEGUN);
	send_part(host, now, association);
	key_lifetime_arm(host, now, association);
	return HIPHOP_OK;
}

hiphop_error host_rekey(struct host *host, instant now, const struct hit *peer, bool diffie_hellman)
{
	struct association *association = association_find(host, peer);

	effects_release_taken(&host->effects);
	return association ? rekey_begin(host, now, association, diffie_hellman) : HIPHOP_NOT_FOUND;
}

/* ---- the end ---- */

static void swap_numbers(uint32_t *a, uint32_t *b)
{
	uint32_t kept = *a;

	*a = *b;
	*b = kept;
}

static void swap_pointers(void *a, void *b)
{
	void *kept;

	memcpy(&kept, a, sizeof kept);
	memcpy(a, b, sizeof kept);
	memcpy(b, &kept, sizeof kept);
}

/* The session goes on with the new keys and SAs; the successor has the old ones, to be removed. */
static void change_places(struct session *session, struct rekeying *rekeying)
{
	struct session *successor = rekeying->successor;
	struct buffer public = session->peer_public;

	swap_numbers(&session->spi_in, &successor->spi_in);
	swap_numbers(&session->spi_out, &successor->spi_out);
	session->keys = successor->keys;
	exchange_keys_clear(&successor->keys);
	successor->keys.suite = session->keys.suite;
	session->soft = successor->soft;
	successor->state = session->state;
	successor->local = session->local;
	successor->remote = session->remote;
	successor->has_sas = true;
	if (rekeying->own_key)
		swap_pointers(&session->own_key, &rekeying->own_key);
	if (rekeying->peer_public.length) {
		session->peer_public = rekeying->peer_public;
		rekeying->peer_public = public;
	}
}

static void retire(struct host *host, instant now, struct association *association, struct session *old)
{
	association_retired_over(host, association);
	old->expire_at = instant_after(now, OLD_SA_UNPROVEN);
	association->retired = old;
	association_set_timer(host, association, TIMER_RETIRED, instant_after(now, OLD_SA_KEPT));
}

/* RFC 7402 section 6.10 step 4. Nothing here can fail. */
static void finish(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;
	struct rekeying *rekeying = session->rekeying;
	struct queued_effect *use = rekeying->use, *told = rekeying->told;
	char peer[HIT_TEXT_SIZE];

	session->rekeying = NULL;
	rekeying->use = rekeying->told = NULL;
	change_places(session, rekeying);
	session_tell_sa(host, session, &association->peer, use);
	session_tell_sa(host, session, &association->peer, told);
	retire(host, now, association, rekeying->successor);
	rekeying->successor = NULL;
	rekeying_free(rekeying);
	session->rekeys++;
	session->proven = false;
	count(host, HOST_COUNT_REKEY_DONE);
	log_write(host->log, LOG_LEVEL_DEBUG, "new ESP keys with %s", association_peer_text(association, peer));
	key_lifetime_start(host, now, association);
}

/* ---- the peer's part ---- */

bool rekey_is_possible(const struct incoming *in, const struct association *association)
{
	const struct session *session = association->session;

	return session->has_sas && (!association->initiation || session->rekeying) && !in->overlay &&
	       !in->arrival->inside_esp;
}

static hiphop_error read_part(const struct incoming *in, struct peer_part *part)
{
	const struct parameter_view *public = packet_find(&in->view, PARAMETER_DIFFIE_HELLMAN);
	hiphop_error error = parameter_esp_info_read(packet_find(&in->view, PARAMETER_ESP_INFO), &part->esp_info);

	if (error)
		return error;
	part->has_public = public != NULL;
	return public ? parameter_diffie_hellman_read(public, &part->public) : HIPHOP_OK;
}

hiphop_error rekey_check(const struct incoming *in, const struct session *session)
{
	struct span old = {session->peer_public.data, session->peer_public.length}, new;
	struct peer_part part;

	if (read_part(in, &part) || part.esp_info.new_spi < 256 || part.esp_info.new_spi == session->spi_out)
		return HIPHOP_MALFORMED;
	if (!part.has_public)
		return HIPHOP_OK;
	new = part.public.public_value;
	/* The key in use once more would give keys that were used before. */
	if (part.public.group != session->keys.group || part.esp_info.keymat_index ||
		(new.length == old.length &&memcmp(new.data, old.data, old.length) == 0))
		return HIPHOP_MALFORMED;
	return HIPHOP_OK;
}

static hiphop_error derive(struct host *host, struct session *session)
{
	struct rekeying *rekeying = session->rekeying;
	const struct rekey_material material = {.own_key = session->own_key,
		.peer_public = {session->peer_public.data, session->peer_public.length},
		.new_own_key = rekeying->own_key,
		.new_peer_public = {rekeying->peer_public.data, rekeying->peer_public.length},
		.own_index = rekeying->own_index,
		.peer_index = rekeying->peer_index};

	rekeying->successor->keys = session->keys;
	return rekey_derive(&material, &host->self, &rekeying->successor->keys, &rekeying->esp_keys);
}

/* Takes away what was installed for a part that came before, and gets ready to install another. */
static hiphop_error begin_part_anew(struct host *host, struct rekeying *rekeying, const struct hit *peer)
{
	struct queued_effect *again = effect_make(HOST_INSTALL_SA, 0);
	struct ending *ending = ending_make();

	if (!again || !ending) {
		effect_discard(again);
		free(ending);
		return HIPHOP_NO_MEMORY;
	}
	uninstall(host, rekeying, peer);
	rekeying->install = again;
	rekeying->successor->ending = ending;
	return HIPHOP_OK;
}

/* What a part that came before has left behind, when the peer has begun anew. */
static hiphop_error forget_part(struct host *host, struct association *association)
{
	struct rekeying *rekeying = association->session->rekeying;
	hiphop_error error = HIPHOP_OK;

	if (rekeying->installed)
		error = begin_part_anew(host, rekeying, &association->peer);
	if (error)
		return error;
	buffer_free(&rekeying->peer_public);
	rekeying->has_peer = false;
	return HIPHOP_OK;
}

/* Saves the part and derives the keys; the pair is not installed yet. */
static hiphop_error save_part(
	struct host *host, struct association *association, const struct peer_part *part, uint32_t update_id)
{
	struct session *session = association->session;
	struct rekeying *rekeying = session->rekeying;
	hiphop_error error = forget_part(host, association);

	if (!error && part->has_public)
		error = buffer_copy(
			&rekeying->peer_public, part->public.public_value.data, part->public.public_value.length);
	if (error)
		return error;
	rekeying->peer_update = update_id;
	rekeying->peer_index = part->esp_info.keymat_index;
	rekeying->successor->spi_out = part->esp_info.new_spi;
	error = derive(host, session);
	rekeying->has_peer = !error;
	return error;
}

static void install(struct host *host, struct association *association)
{
	struct session *session = association->session;
	struct rekeying *rekeying = session->rekeying;
	struct session *successor = rekeying->successor;
	struct queued_effect *effect = rekeying->install;

	rekeying->install = NULL;
	rekeying->installed = true;
	successor->local = session->local;
	successor->remote = session->remote;
	successor->soft = key_lifetime_soft(host, successor->keys.suite);
	session_fill_install(host, association, successor, &rekeying->esp_keys, effect);
	effect->sa->standby = true;
	esp_key_pair_clear(&rekeying->esp_keys);
	effects_add(&host->effects, effect);
}

/* No request of ours is outstanding (RFC 7402 section 6.9.1). */
static hiphop_error answer(struct host *host, instant now, struct association *association,
	const struct peer_part *part, uint32_t update_id)
{
	struct session *session = association->session;
	hiphop_error error;

	rekey_drop(host, session, &association->peer);
	error = make_part(host, association, part->has_public, part->esp_info.keymat_index, &update_id);
	if (!error)
		error = save_part(host, association, part, update_id);
	if (error) {
		rekey_drop(host, session, &association->peer);
		return error;
	}
	session->own_update++;
	install(host, association);
	count(host, HOST_COUNT_REKEY_ANSWERED);
	send_part(host, now, association);
	key_lifetime_arm(host, now, association);
	return HIPHOP_OK;
}

bool rekey_waits_for(const struct session *session, const struct parameter_sequence_list *acks)
{
	const struct rekeying *rekeying = session->rekeying;

	return rekeying && !rekeying->acknowledged && parameter_sequence_list_has(acks, rekeying->own_update);
}

/* One of ours is (section 6.10). */
static hiphop_error complete(struct host *host, instant now, struct association *association,
	const struct peer_part *part, uint32_t update_id, const struct parameter_sequence_list *acks)
{
	struct session *session = association->session;
	bool had_part = session->rekeying->has_peer;
	hiphop_error error = save_part(host, association, part, update_id);

	if (error) {
		rekey_drop(host, session, &association->peer);
		key_lifetime_rekey_failed(host, now, association);
		key_lifetime_arm(host, now, association);
		return error;
	}
	install(host, association);
	if (session->rekeying->acknowledged || rekey_waits_for(session, acks)) {
		finish(host, now, association);
		return HIPHOP_OK;
	}
	/* The peer is there, and with our acknowledgment it may send by the new pair: this is no time to give up. */
	if (!had_part)
		session->rekeying->tries = 1;
	count(host, HOST_COUNT_REKEY_CROSSED);
	return HIPHOP_OK;
}

static bool answers_what_was_given_up(const struct session *session, const struct parameter_sequence_list *acks)
{
	return session->has_abandoned && parameter_sequence_list_has(acks, session->abandoned);
}

hiphop_error rekey_take(struct host *host, const struct incoming *in, struct association *association,
	uint32_t update_id, const struct parameter_sequence_list *acks, bool *answered)
{
	struct session *session = association->session;
	const struct rekeying *rekeying = session->rekeying;
	struct peer_part part;

	*answered = false;
	if (read_part(in, &part))
		return HIPHOP_MALFORMED;
	if (answers_what_was_given_up(session, acks))
		return HIPHOP_REFUSED;
	/* It speaks of the new pair as of the old one: so it has finished, and its acknowledgment was lost. */
	if (rekeying && rekeying->has_peer && part.esp_info.old_spi == rekeying->successor->spi_out) {
		finish(host, in->now, association);
		rekeying = NULL;
	}
	/* Zero asks for one more pair, which is a rekeying here: one pair serves all paths (RFC 8046 section 5.3). It
	 * is no answer to one of ours. */
	if (!part.esp_info.old_spi && rekeying && rekeying->begun_here)
		return HIPHOP_REFUSED;
	if (part.esp_info.old_spi && part.esp_info.old_spi != session->spi_out)
		return rekeying ? HIPHOP_REFUSED : HIPHOP_OK;
	if (rekeying && rekeying->begun_here)
		return complete(host, in->now, association, &part, update_id, acks);
	*answered = true;
	return answer(host, in->now, association, &part, update_id);
}

bool rekey_gave_up(const struct session *session, uint32_t update_id)
{
	return session->has_abandoned_part && session->abandoned_part == update_id;
}

bool rekey_answers_again(struct host *host, instant now, struct association *association, uint32_t update_id)
{
	const struct rekeying *rekeying = association->session->rekeying;

	if (!rekeying || rekeying->begun_here || rekeying->peer_update != update_id)
		return false;
	send_part(host, now, association);
	return true;
}

/* ---- what proves that the peer has our part ---- */

void rekey_acknowledged(
	struct host *host, instant now, struct association *association, const struct parameter_sequence_list *acks)
{
	struct rekeying *rekeying = association->session->rekeying;

	if (!rekey_waits_for(association->session, acks))
		return;
	rekeying->acknowledged = true;
	rekeying->sent = now;
	if (rekeying->has_peer)
		finish(host, now, association);
	else
		key_lifetime_arm(host, now, association);
}

bool rekey_has(const struct session *session, uint32_t spi_in)
{
	const struct rekeying *rekeying = session->rekeying;

	return rekeying && rekeying->installed && rekeying->successor->spi_in == spi_in;
}

bool rekey_standby(const struct session *session, uint32_t *spi_in, uint32_t *spi_out)
{
	const struct rekeying *rekeying = session->rekeying;

	if (!rekeying || !rekeying->installed)
		return false;
	*spi_in = rekeying->successor->spi_in;
	*spi_out = rekeying->successor->spi_out;
	return true;
}

void rekey_heard(struct host *host, instant now, struct association *association)
{
	finish(host, now, association);
}

/* ---- time ---- */

static duration timeout(const struct association *association, unsigned tries)
{
	duration first = association->round_trip ? 2 * association->round_trip : REKEY_TIMEOUT;

	if (first < REKEY_TIMEOUT_LEAST)
		first = REKEY_TIMEOUT_LEAST;
	while (tries-- > 1 && first < REKEY_TIMEOUT_MOST)
		first *= 2;
	return first < REKEY_TIMEOUT_MOST ? first : REKEY_TIMEOUT_MOST;
}

instant rekey_wake(const struct association *association)
{
	const struct rekeying *rekeying = association->session->rekeying;

	if (rekeying->acknowledged)
		return instant_after(rekeying->sent, REKEY_PATIENCE);
	return instant_after(rekeying->sent, timeout(association, rekeying->tries));
}

void rekey_timer(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;
	const struct rekeying *rekeying = session->rekeying;

	if (now < rekey_wake(association))
		return;
	if (!rekeying->acknowledged && rekeying->tries < REKEY_TRIES) {
		send_part(host, now, association);
		return;
	}
	if (rekeying->has_peer) {
		session->has_abandoned_part = true;
		session->abandoned_part = rekeying->peer_update;
		session->abandoned_until = instant_after(now, REKEY_PATIENCE);
	}
	rekey_drop(host, session, &association->peer);
	key_lifetime_rekey_failed(host, now, association);
}
