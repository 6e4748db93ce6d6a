/* SPDX-License-Identifier: MIT */
#include "sipglue/forking.h"

#include "sipglue/calls.h"
#include "sipglue/forward.h"
#include "sipglue/place.h"
#include "sipglue/transaction.h"
#include "sipglue/via.h"

#include <stdlib.h>
#include <string.h>

static void server_gone(struct sip *sip, struct transaction *transaction);
static void client_response(struct sip *sip, struct transaction *transaction, struct message *response);
static void client_failed(struct sip *sip, struct transaction *transaction, int status);
static void client_gone(struct sip *sip, struct transaction *transaction);

static const struct transaction_user server_user = {.gone = server_gone};
static const struct transaction_user client_user = {client_response, client_failed, client_gone};
static const struct transaction_user cancel_user = {NULL, NULL, NULL};

/* ---- Life ---- */

hiphop_error context_make(struct sip *sip, struct transaction *server, struct message *request, uint64_t mark,
	struct response_context **context)
{
	struct response_context *made = calloc(1, sizeof *made);
	if (!made || engine_admit_deadlines(sip, 1 + SIP_FORKS_MAXIMUM) != HIPHOP_OK) {
		free(made);
		message_free(request);
		return HIPHOP_NO_MEMORY;
	}
	made->server = server;
	made->request = request;
	made->source = server->source;
	made->mark = mark;
	server->user = &server_user;
	server->owner = made;
	TAILQ_INSERT_TAIL(&sip->contexts, made, link);
	*context = made;
	return HIPHOP_OK;
}

static void context_free(struct sip *sip, struct response_context *context)
{
	for (size_t i = 0; i < SIP_FORKS_MAXIMUM; i++)
		engine_retire_deadline(sip, &context->branches[i].timer_c);
	engine_retire_deadline(sip, &context->deadline);
	TAILQ_REMOVE(&sip->contexts, context, link);
	targets_free(&context->targets);
	message_free(context->request);
	message_free(context->best);
	free(context);
}

void contexts_free(struct sip *sip)
{
	while (!TAILQ_EMPTY(&sip->contexts))
		context_free(sip, TAILQ_FIRST(&sip->contexts));
}

static void free_when_unused(struct sip *sip, struct response_context *context)
{
	if (context->server)
		return;
	for (size_t i = 0; i < context->branch_count; i++)
		if (context->branches[i].client)
			return;
	context_free(sip, context);
}

static void server_gone(struct sip *sip, struct transaction *transaction)
{
	struct response_context *context = transaction->owner;
	context->server = NULL;
	free_when_unused(sip, context);
}

static void client_gone(struct sip *sip, struct transaction *transaction)
{
	struct branch *branch = transaction->owner;
	/* It ended with a response that could not be passed on. */
	if (!branch->done)
		client_failed(sip, transaction, 500);
	branch->client = NULL;
	free_when_unused(sip, branch->context);
}

/* ---- Waiting for the overlay ---- */

void context_wait_for(struct sip *sip, struct response_context *context, context_wait wait)
{
	context->wait = wait;
	context->token = ++sip->next_token;
	engine_set_deadline(sip, &context->deadline, DEADLINE_CONTEXT, context, WAIT_FOR_OVERLAY);
}

static void stop_waiting(struct sip *sip, struct response_context *context)
{
	context->wait = WAIT_NONE;
	deadline_cancel(&sip->deadlines, &context->deadline);
}

struct response_context *context_take_token(struct sip *sip, uint64_t token, context_wait wait)
{
	struct response_context *context;
	TAILQ_FOREACH(context, &sip->contexts, link)
	if (context->wait == wait && context->token == token) {
		stop_waiting(sip, context);
		return context;
	}
	return NULL;
}

void context_answer(struct sip *sip, struct response_context *context, int status)
{
	context->finished = true;
	if (context->server)
		transaction_answer(sip, context->server, status, NULL, NULL);
}

void context_deadline(struct sip *sip, struct response_context *context)
{
	stop_waiting(sip, context);
	context_answer(sip, context, 504);
}

/* ---- The best response: section 16.7 step 6 ---- */

/** Lower is better: any 6xx first, then the lowest class, and in 4xx those that tell the caller how to do better. */
static int rank(int status)
{
	static const int helpful[] = {401, 407, 415, 420, 484};
	if (status >= 600)
		return 0;
	for (size_t i = 0; i < sizeof helpful / sizeof *helpful; i++)
		if (status == helpful[i])
			return status / 100 * 10;
	return status / 100 * 10 + 1;
}

/** Takes `response` over; NULL for a finding of our own. */
static void note_final(struct response_context *context, int status, struct message *response)
{
	if (context->best_status && rank(context->best_status) <= rank(status)) {
		message_free(response);
		return;
	}
	message_free(context->best);
	context->best = response;
	context->best_status = status;
}

static void send_best(struct sip *sip, struct response_context *context)
{
	context->finished = true;
	if (!context->server || context->answered)
		return;
	if (context->cancelled && context->best_status != 487)
		context_answer(sip, context, 487);
	else if (!context->best_status)
		context_answer(sip, context, 408);
	else if (context->best_status == 503) /* says nothing about other requests through us */
		context_answer(sip, context, context->best ? 500 : 480);
	else if (!context->best)
		context_answer(sip, context, context->best_status);
	else if (transaction_respond(sip, context->server, context->best) != HIPHOP_OK)
		context_answer(sip, context, 500);
}

/* ---- Cancelling ---- */

static void send_cancel(struct sip *sip, struct branch *branch)
{
	struct message *cancel = NULL;
	struct transaction *transaction;
	branch->cancel_sent = true;
	engine_set_deadline(sip, &branch->timer_c, DEADLINE_BRANCH, branch, TIMER_64_T1);
	if (message_cancel(branch->client->request, &cancel) != HIPHOP_OK)
		return;
	transaction_send(sip, cancel, &branch->client->path, branch->client->key, &cancel_user, NULL, &transaction);
}

/** Section 9.1: only INVITE, and not before the other side has shown that it has the request. */
static void cancel_branch(struct sip *sip, struct branch *branch)
{
	if (branch->done || !branch->client || !branch->client->invite || branch->cancel_sent)
		return;
	branch->cancel_wanted = true;
	if (branch->provisional)
		send_cancel(sip, branch);
}

static void cancel_all(struct sip *sip, struct response_context *context)
{
	for (size_t i = 0; i < context->branch_count; i++)
		cancel_branch(sip, &context->branches[i]);
}

void context_cancel(struct sip *sip, struct response_context *context)
{
	if (context->finished || context->answered || !message_is(context->request, "INVITE"))
		return;
	context->cancelled = true;
	if (context->branch_count == 0) {
		stop_waiting(sip, context);
		context_answer(sip, context, 487);
		return;
	}
	cancel_all(sip, context);
}

/* ---- Branches ---- */

static void branch_done(struct sip *sip, struct branch *branch)
{
	branch->done = true;
	deadline_cancel(&sip->deadlines, &branch->timer_c);
}

static bool all_done(const struct response_context *context)
{
	for (size_t i = 0; i < context->branch_count; i++)
		if (!context->branches[i].done)
			return false;
	return true;
}

static hiphop_error send_branch(struct sip *sip, struct response_context *context, const struct target *target)
{
	struct branch *branch = &context->branches[context->branch_count];
	struct message *request = NULL;
	uint64_t id = random_u64(sip->random);
	hiphop_error error =
		forward_build(sip, context->request, &context->source, target, id, context->mark, &request);
	if (error)
		return error;
	error = calls_request(sip, request, &context->source, &target->path);
	if (error)
		message_free(request);
	else
		error = transaction_send(sip, request, &target->path, id, &client_user, branch, &branch->client);
	if (error) {
		calls_branch_failed(sip, context->request, &context->source, &target->path, 503);
		return error;
	}
	context->branch_count++;
	branch->context = context;
	branch->path = target->path;
	if (branch->client->invite)
		engine_set_deadline(sip, &branch->timer_c, DEADLINE_BRANCH, branch, TIMER_C);
	sip->counters.forwarded++;
	return HIPHOP_OK;
}

/** A branch did not come about: for its SDP, which then no target would get, or for want of room. */
static void note_unsent(struct response_context *context, hiphop_error error)
{
	bool sdp = error == HIPHOP_MALFORMED || error == HIPHOP_TOO_LARGE;
	if (error)
		note_final(context, sdp ? 488 : 503, NULL);
}

/** Sends to the next targets of one quality. */
static void send_group(struct sip *sip, struct response_context *context)
{
	const struct target_set *set = &context->targets;
	uint16_t quality = set->targets[context->next_target].quality;
	while (context->next_target < set->count && set->targets[context->next_target].quality == quality)
		note_unsent(context, send_branch(sip, context, &set->targets[context->next_target++]));
}

/** When no branch is left: the next group, or the end. */
static void advance(struct sip *sip, struct response_context *context)
{
	if (context->finished || !all_done(context))
		return;
	bool more = !context->cancelled && !context->answered && context->best_status < 600;
	while (more && context->next_target < context->targets.count && all_done(context))
		send_group(sip, context);
	if (all_done(context))
		send_best(sip, context);
}

void context_forward(struct sip *sip, struct response_context *context)
{
	advance(sip, context);
}

/** What a failure says about an answer of the overlay that was kept. */
static void doubt_cache(struct sip *sip, const struct response_context *context, int status)
{
	if (context->from_cache && (status == 404 || status == 408 || status == 480 || status == 503))
		lookup_forget(sip, context->aor);
}

/* ---- What comes back ---- */

static void pass_provisional(struct sip *sip, struct branch *branch, const struct message *response)
{
	struct response_context *context = branch->context;
	branch->provisional = true;
	if (branch->cancel_wanted && !branch->cancel_sent)
		send_cancel(sip, branch);
	if (response->osip->status_code == 100)
		return;
	if (branch->client->invite && !branch->cancel_sent)
		engine_set_deadline(sip, &branch->timer_c, DEADLINE_BRANCH, branch, TIMER_C);
	if (context->server && !context->finished && !context->cancelled)
		transaction_respond(sip, context->server, response);
}

static void pass_success(struct sip *sip, struct branch *branch, const struct message *response)
{
	struct response_context *context = branch->context;
	branch_done(sip, branch);
	context->answered = true;
	if (context->server)
		transaction_respond(sip, context->server, response);
	cancel_all(sip, context);
	advance(sip, context);
}

static void keep_failure(struct sip *sip, struct branch *branch, struct message *response)
{
	struct response_context *context = branch->context;
	int status = response->osip->status_code;
	branch_done(sip, branch);
	doubt_cache(sip, context, status);
	note_final(context, status, response);
	if (status >= 600)
		cancel_all(sip, context);
	advance(sip, context);
}

static void client_response(struct sip *sip, struct transaction *transaction, struct message *response)
{
	struct branch *branch = transaction->owner;
	struct message *passed = NULL;
	int status = response->osip->status_code;
	if (message_clone(response, &passed) != HIPHOP_OK) {
		sip->counters.lost_for_memory++;
		if (status >= 300)
			client_failed(sip, transaction, 500);
		return;
	}
	via_pop(passed);
	/* Not so for a response whose next hop is nobody: it was meant for us (section 16.7 step 3). A final one is the
	 * end of the branch all the same, or the caller's transaction would wait for ever. */
	if (!message_via(passed, 0)) {
		message_free(passed);
		if (status >= 200)
			client_failed(sip, transaction, 502);
		return;
	}
	if (status > 100)
		calls_response(sip, passed, &branch->path, &branch->context->source);
	if (status >= 300) {
		keep_failure(sip, branch, passed);
		return;
	}
	if (status < 200)
		pass_provisional(sip, branch, passed);
	else
		pass_success(sip, branch, passed);
	message_free(passed);
}

static void client_failed(struct sip *sip, struct transaction *transaction, int status)
{
	struct branch *branch = transaction->owner;
	struct response_context *context = branch->context;
	if (branch->done)
		return;
	branch_done(sip, branch);
	doubt_cache(sip, context, status);
	calls_branch_failed(sip, transaction->request, &context->source, &branch->path, status);
	note_final(context, status, NULL);
	advance(sip, context);
}

/** Timer C, section 16.8: a phone that rings too long is cancelled; one that then does not answer is given up. */
void branch_deadline(struct sip *sip, struct branch *branch)
{
	if (branch->done || !branch->client)
		return;
	if (branch->provisional && !branch->cancel_sent) {
		send_cancel(sip, branch);
		return;
	}
	transaction_abandon(sip, branch->client);
	client_failed(sip, branch->client, branch->context->cancelled ? 487 : 408);
}
