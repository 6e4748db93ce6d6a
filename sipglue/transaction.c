/* SPDX-License-Identifier: MIT */
#include "sipglue/transaction.h"

#include "sipglue/place.h"
#include "sipglue/stream.h"
#include "sipglue/via.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct transaction_list *bucket(const struct sip *sip, uint64_t key)
{
	return (struct transaction_list *)&sip->transactions[key % SIP_BUCKETS];
}

bool transaction_is_final(const struct transaction *transaction)
{
	return transaction->state >= TRANSACTION_COMPLETED;
}

/* ---- Matching ---- */

#define IDENTITY_SIZE 1024

/** Section 17.2.3: branch, sent-by and method. For a branch of RFC 2543, what that RFC compared instead. */
static void server_identity(const struct message *request, const char *method, char text[static IDENTITY_SIZE])
{
	osip_via_t *via = message_via(request, 0);
	const char *branch = parameter_value(&via->via_params, "branch");
	const char *port = via->port ? via->port : "5060";
	if (branch && strncmp(branch, "z9hG4bK", 7) == 0) {
		snprintf(text, IDENTITY_SIZE, "%s %s:%s %s", branch, via->host, port, method);
		return;
	}
	char call_id[SIP_TEXT_SIZE];
	message_call_id(request, call_id);
	snprintf(text, IDENTITY_SIZE, "%s %s %u %s:%s %s %s", call_id, message_tag(request->osip->from),
		message_cseq(request), via->host, port, branch ? branch : "", method);
}

static struct transaction *find_server(const struct sip *sip, const struct message *request, const char *method)
{
	char identity[IDENTITY_SIZE];
	struct transaction *found;
	server_identity(request, method, identity);
	uint64_t key = engine_hash(sip, identity);
	TAILQ_FOREACH(found, bucket(sip, key), link)
	if (found->server && found->key == key && strcmp(found->identity, identity) == 0)
		return found;
	return NULL;
}

struct transaction *transaction_find_server(const struct sip *sip, const struct message *request)
{
	return find_server(sip, request, message_is(request, "ACK") ? "INVITE" : request->osip->sip_method);
}

struct transaction *transaction_find_cancelled(const struct sip *sip, const struct message *cancel)
{
	return find_server(sip, cancel, "INVITE");
}

struct transaction *transaction_find_client(const struct sip *sip, const struct message *response)
{
	uint64_t id;
	struct transaction *found;
	if (!via_transaction_id(response, &id))
		return NULL;
	TAILQ_FOREACH(found, bucket(sip, id), link)
	if (!found->server && found->key == id &&
		strcmp(found->request->osip->sip_method, message_method(response)) == 0)
		return found;
	return NULL;
}

/* ---- Life ---- */

static void transaction_free(struct sip *sip, struct transaction *transaction)
{
	engine_retire_deadline(sip, &transaction->retransmit);
	engine_retire_deadline(sip, &transaction->expire);
	TAILQ_REMOVE(bucket(sip, transaction->key), transaction, link);
	sip->transaction_count--;
	message_free(transaction->request);
	buffer_free(&transaction->last);
	free(transaction->identity);
	free(transaction);
}

void transactions_free(struct sip *sip)
{
	for (size_t i = 0; i < SIP_BUCKETS; i++)
		while (!TAILQ_EMPTY(&sip->transactions[i]))
			transaction_free(sip, TAILQ_FIRST(&sip->transactions[i]));
}

/** A transaction with room for its timers; takes `request` over. */
static struct transaction *transaction_new(struct sip *sip, struct message *request, uint64_t key)
{
	struct transaction *made = calloc(1, sizeof *made);
	if (!made || engine_admit_deadlines(sip, 2) != HIPHOP_OK) {
		free(made);
		message_free(request);
		sip->counters.lost_for_memory++;
		return NULL;
	}
	made->key = key;
	made->request = request;
	made->invite = message_is(request, "INVITE");
	made->interval = TIMER_T1;
	TAILQ_INSERT_TAIL(bucket(sip, key), made, link);
	sip->transaction_count++;
	return made;
}

static void set_retransmit(struct sip *sip, struct transaction *transaction, duration after)
{
	engine_set_deadline(sip, &transaction->retransmit, DEADLINE_RETRANSMIT, transaction, after);
}

static void stop_retransmit(struct sip *sip, struct transaction *transaction)
{
	deadline_cancel(&sip->deadlines, &transaction->retransmit);
}

static void set_expire(struct sip *sip, struct transaction *transaction, duration after)
{
	engine_set_deadline(sip, &transaction->expire, DEADLINE_EXPIRE, transaction, after);
}

static hiphop_error send_last(struct sip *sip, struct transaction *transaction)
{
	struct span octets = {transaction->last.data, transaction->last.length};
	return octets.length ? transport_send(sip, &transaction->path, octets) : HIPHOP_OK;
}

static hiphop_error replace_last(struct transaction *transaction, const struct message *message)
{
	struct buffer printed = {0};
	hiphop_error error = message_print(message, &printed);
	if (error)
		return error;
	buffer_free(&transaction->last);
	transaction->last = printed;
	return HIPHOP_OK;
}

/* ---- Server ---- */

static size_t held_by(const struct sip *sip, const struct address *remote)
{
	size_t count = 0;
	const struct transaction *each;
	for (size_t i = 0; i < SIP_BUCKETS; i++)
		TAILQ_FOREACH(each, &sip->transactions[i], link)
	count += each->server && address_equal(&each->source.remote.address, remote);
	return count;
}

static bool is_over_limit(const struct sip *sip, const struct address *remote)
{
	if (sip->transaction_count >= sip->limits.transactions)
		return true;
	/* Counting is dear, so it waits until there is something to share out. */
	return sip->transaction_count >= sip->limits.transactions_peer &&
	       held_by(sip, remote) >= sip->limits.transactions_peer;
}

hiphop_error transaction_serve(
	struct sip *sip, struct message *request, const struct path *from, struct transaction **transaction)
{
	char identity[IDENTITY_SIZE];
	if (is_over_limit(sip, &from->remote.address)) {
		sip->counters.limited++;
		message_free(request);
		return HIPHOP_LIMITED;
	}
	server_identity(request, request->osip->sip_method, identity);
	struct path path = via_response_path(request, from);
	struct transaction *made = transaction_new(sip, request, engine_hash(sip, identity));
	if (!made)
		return HIPHOP_NO_MEMORY;
	made->server = true;
	made->source = *from;
	made->path = path;
	made->identity = strdup(identity);
	if (!made->identity) {
		transaction_free(sip, made);
		return HIPHOP_NO_MEMORY;
	}
	engine_token_text(sip, made->to_tag);
	*transaction = made;
	return HIPHOP_OK;
}

void transaction_repeat(struct sip *sip, struct transaction *transaction, const struct message *request)
{
	sip->counters.retransmissions_in++;
	if (message_is(request, "ACK")) {
		if (transaction->state != TRANSACTION_COMPLETED)
			return;
		transaction->state = TRANSACTION_CONFIRMED;
		stop_retransmit(sip, transaction);
		set_expire(sip, transaction, transaction->source.stream ? 0 : TIMER_T4); /* timer I */
		return;
	}
	/* An INVITE that was accepted is answered by its user agents, end to end (RFC 6026 section 7.1). */
	if (transaction->state == TRANSACTION_PROCEEDING || transaction->state == TRANSACTION_COMPLETED)
		send_last(sip, transaction);
}

static void enter_final_server(struct sip *sip, struct transaction *transaction)
{
	bool reliable = transaction->source.stream;
	if (!transaction->invite) {
		transaction->state = TRANSACTION_COMPLETED;
		set_expire(sip, transaction, reliable ? 0 : TIMER_64_T1); /* timer J */
	} else if (transaction->status < 300) {
		transaction->state = TRANSACTION_ACCEPTED;
		set_expire(sip, transaction, TIMER_64_T1); /* timer L */
	} else {
		transaction->state = TRANSACTION_COMPLETED;
		if (!reliable)
			set_retransmit(sip, transaction, transaction->interval); /* timer G */
		set_expire(sip, transaction, TIMER_64_T1);                       /* timer H */
	}
}

hiphop_error transaction_respond(struct sip *sip, struct transaction *transaction, const struct message *response)
{
	int status = response->osip->status_code;
	bool accepted_again = transaction->state == TRANSACTION_ACCEPTED && status >= 200 && status < 300;
	if (transaction_is_final(transaction) && !accepted_again)
		return HIPHOP_WRONG_STATE;
	hiphop_error error = replace_last(transaction, response);
	if (error)
		return error;
	transaction->status = status;
	if (status >= 200 && !accepted_again)
		enter_final_server(sip, transaction);
	else if (status < 200)
		transaction->state = TRANSACTION_PROCEEDING;
	return send_last(sip, transaction);
}

void transaction_answer(
	struct sip *sip, struct transaction *transaction, int status, const char *header, const char *value)
{
	struct message *response = NULL;
	hiphop_error error =
		message_response(transaction->request, status, status == 100 ? NULL : transaction->to_tag, &response);
	if (!error && header)
		error = message_add_header(response, header, value);
	if (!error)
		error = transaction_respond(sip, transaction, response);
	message_free(response);
	if (error == HIPHOP_NO_MEMORY)
		sip->counters.lost_for_memory++;
	/* Nothing keeps a transaction alive whose final answer could not be made. */
	if (error && status >= 200 && !transaction_is_final(transaction)) {
		transaction->state = TRANSACTION_TERMINATED;
		set_expire(sip, transaction, 0);
	}
	if (status == 403)
		sip->counters.refused++;
}

/* ---- Client ---- */

hiphop_error transaction_send(struct sip *sip, struct message *request, const struct path *path, uint64_t id,
	const struct transaction_user *user, void *owner, struct transaction **transaction)
{
	if (sip->transaction_count >= sip->limits.transactions) {
		sip->counters.limited++;
		message_free(request);
		return HIPHOP_LIMITED;
	}
	struct transaction *made = transaction_new(sip, request, id);
	if (!made)
		return HIPHOP_NO_MEMORY;
	made->path = *path;
	made->user = user;
	made->owner = owner;
	hiphop_error error = replace_last(made, request);
	if (!error)
		error = send_last(sip, made);
	if (error) {
		transaction_free(sip, made);
		return error;
	}
	if (!path->stream)
		set_retransmit(sip, made, made->interval); /* timers A and E */
	set_expire(sip, made, TIMER_64_T1);                /* timers B and F */
	*transaction = made;
	return HIPHOP_OK;
}

static void send_ack(struct sip *sip, struct transaction *transaction, const struct message *response)
{
	struct message *ack = NULL;
	if (message_ack(transaction->request, response, &ack) != HIPHOP_OK ||
		replace_last(transaction, ack) != HIPHOP_OK)
		sip->counters.lost_for_memory++;
	else
		send_last(sip, transaction);
	message_free(ack);
}

/** False when the response is not for the user: one that came again, or came too late. */
static bool input_invite_response(struct sip *sip, struct transaction *transaction, const struct message *response)
{
	int status = response->osip->status_code;
	bool reliable = transaction->path.stream;
	switch (transaction->state) {
	case TRANSACTION_TRYING:
	case TRANSACTION_PROCEEDING:
		stop_retransmit(sip, transaction);
		if (status < 200) {
			transaction->state = TRANSACTION_PROCEEDING;
			deadline_cancel(&sip->deadlines, &transaction->expire);
		} else if (status < 300) {
			transaction->state = TRANSACTION_ACCEPTED;
			set_expire(sip, transaction, TIMER_64_T1); /* timer M */
		} else {
			transaction->state = TRANSACTION_COMPLETED;
			send_ack(sip, transaction, response);
			set_expire(sip, transaction, reliable ? 0 : TIMER_64_T1); /* timer D */
		}
		return true;
	case TRANSACTION_ACCEPTED:
		return status >= 200 && status < 300;
	case TRANSACTION_COMPLETED:
		if (status >= 300)
			send_last(sip, transaction); /* the ACK */
		return false;
	default:
		return false;
	}
}

static bool input_other_response(struct sip *sip, struct transaction *transaction, const struct message *response)
{
	if (transaction_is_final(transaction))
		return false;
	if (response->osip->status_code < 200) {
		transaction->state = TRANSACTION_PROCEEDING;
		return true;
	}
	transaction->state = TRANSACTION_COMPLETED;
	stop_retransmit(sip, transaction);
	set_expire(sip, transaction, transaction->path.stream ? 0 : TIMER_T4); /* timer K */
	return true;
}

void transaction_input_response(struct sip *sip, struct transaction *transaction, struct message *response)
{
	bool pass = transaction->invite ? input_invite_response(sip, transaction, response)
					: input_other_response(sip, transaction, response);
	if (!pass) {
		sip->counters.retransmissions_in++;
		return;
	}
	transaction->status = response->osip->status_code;
	if (transaction->user && transaction->user->response)
		transaction->user->response(sip, transaction, response);
}

void transaction_abandon(struct sip *sip, struct transaction *transaction)
{
	transaction->state = TRANSACTION_TERMINATED;
	stop_retransmit(sip, transaction);
	set_expire(sip, transaction, 0);
}

static void fail(struct sip *sip, struct transaction *transaction, int status)
{
	transaction_abandon(sip, transaction);
	if (transaction->user && transaction->user->failed)
		transaction->user->failed(sip, transaction, status);
}

/* ---- Timers ---- */

void transaction_retransmit(struct sip *sip, struct transaction *transaction)
{
	sip->counters.retransmissions_out++;
	send_last(sip, transaction);
	transaction->interval *= 2;
	/* Timer A doubles without end; E and G stop at T2, and E is T2 at once after a provisional response. */
	bool capped = transaction->server || !transaction->invite;
	if (capped && (transaction->interval > TIMER_T2 ||
			      (!transaction->server && transaction->state == TRANSACTION_PROCEEDING)))
		transaction->interval = TIMER_T2;
	set_retransmit(sip, transaction, transaction->interval);
}

void transaction_expire(struct sip *sip, struct transaction *transaction)
{
	if (!transaction->server && !transaction_is_final(transaction)) {
		fail(sip, transaction, 408);
		return;
	}
	if (transaction->user && transaction->user->gone)
		transaction->user->gone(sip, transaction);
	transaction_free(sip, transaction);
}

static bool waits_on_stream(const struct transaction *transaction, uint32_t connection)
{
	return !transaction->server && transaction->path.stream && transaction->path.connection == connection &&
	       !transaction_is_final(transaction);
}

void transactions_stream_failed(struct sip *sip, uint32_t connection)
{
	struct transaction *each;
	for (size_t i = 0; i < SIP_BUCKETS; i++)
		TAILQ_FOREACH(each, &sip->transactions[i], link)
	if (waits_on_stream(each, connection))
		fail(sip, each, 503);
}

void transactions_peer_failed(struct sip *sip, const struct hit *peer)
{
	struct transaction *each;
	for (size_t i = 0; i < SIP_BUCKETS; i++)
		TAILQ_FOREACH(each, &sip->transactions[i], link)
		{
			struct hit hit = place_hit(&each->path.remote.address);
			if (!each->server && each->state == TRANSACTION_TRYING && hit_equal(&hit, peer))
				fail(sip, each, 503);
		}
}
