/* SPDX-License-Identifier: MIT */
/**
 * The response context of RFC 3261 section 16.7: one request, its branches, and which of their responses goes back.
 */
#ifndef HIPHOP_SIPGLUE_FORKING_H
#define HIPHOP_SIPGLUE_FORKING_H

#include "sipglue/engine.h"
#include "sipglue/targets.h"

struct branch {
	struct response_context *context;
	struct transaction *client; /* NULL once gone */
	struct path path;
	bool provisional; /* something was heard, so a CANCEL may be sent */
	bool done;        /* final response, or none will come */
	bool cancel_wanted, cancel_sent;
	struct deadline timer_c;
};

typedef enum { WAIT_NONE, WAIT_CALLER, WAIT_LOOKUP } context_wait;

struct response_context {
	TAILQ_ENTRY(response_context) link;
	struct transaction *server; /* NULL once gone */
	struct message *request;    /* a copy, with our Routes taken off */
	struct path source;
	uint64_t mark; /* for loops */
	context_wait wait;
	uint64_t token;
	char aor[SIP_TEXT_SIZE]; /* being looked up */
	unsigned redirects;
	bool from_cache;
	struct deadline deadline;
	struct target_set targets;
	size_t next_target;
	struct branch branches[SIP_FORKS_MAXIMUM];
	size_t branch_count;
	bool cancelled, answered, finished;
	int best_status;
	struct message *best; /* NULL: best_status is our own finding */
};

/** Makes the context of a request that was admitted; takes `request` over, also on failure. HIPHOP_NO_MEMORY. */
hiphop_error context_make(struct sip *sip, struct transaction *server, struct message *request, uint64_t mark,
	struct response_context **context);
/** Waits for the overlay, a bounded time. */
void context_wait_for(struct sip *sip, struct response_context *context, context_wait wait);
/** The context that waits with this token, or NULL; it no longer waits then. */
struct response_context *context_take_token(struct sip *sip, uint64_t token, context_wait wait);
/** Answers with a status of our own and is done with it. */
void context_answer(struct sip *sip, struct response_context *context, int status);
/** Forwards to the targets, the highest quality first, equal ones at once. */
void context_forward(struct sip *sip, struct response_context *context);
/** A CANCEL came for it (section 16.10). */
void context_cancel(struct sip *sip, struct response_context *context);
/** DEADLINE_CONTEXT, DEADLINE_BRANCH passed. */
void context_deadline(struct sip *sip, struct response_context *context);
void branch_deadline(struct sip *sip, struct branch *branch);
void contexts_free(struct sip *sip);

#endif
