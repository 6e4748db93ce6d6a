/* SPDX-License-Identifier: MIT */
/**
 * Transactions (RFC 3261 section 17, with the Accepted states of RFC 6026). Messages go in and out; what they mean
 * is for the user of the transaction. A transaction lives until its last timer; then its user is told `gone`.
 */
#ifndef HIPHOP_SIPGLUE_TRANSACTION_H
#define HIPHOP_SIPGLUE_TRANSACTION_H

#include "sipglue/engine.h"

typedef enum {
	TRANSACTION_TRYING, /* Calling in an INVITE client */
	TRANSACTION_PROCEEDING,
	TRANSACTION_COMPLETED,
	TRANSACTION_CONFIRMED, /* INVITE server only */
	TRANSACTION_ACCEPTED,  /* INVITE only, RFC 6026 */
	TRANSACTION_TERMINATED
} transaction_state;

/** What a transaction tells its user. Any may be NULL. */
struct transaction_user {
	/** Client: a response to pass up. The message stays the caller's. */
	void (*response)(struct sip *sip, struct transaction *transaction, struct message *response);
	/** Client: no final response will come; `status` is 408 (timers B, F) or 503 (transport). */
	void (*failed)(struct sip *sip, struct transaction *transaction, int status);
	/** The transaction is about to be freed. */
	void (*gone)(struct sip *sip, struct transaction *transaction);
};

struct transaction {
	TAILQ_ENTRY(transaction) link;
	uint64_t key;   /* bucket, and for clients the id in the branch */
	char *identity; /* server: what makes a request the same one (section 17.2.3) */
	bool server;
	bool invite;
	transaction_state state;
	struct message *request; /* server: as received, with its source marked; client: as sent */
	struct buffer last;      /* sent again on need: the request of a client, the last response of a server */
	struct path path;        /* where `last` goes */
	struct path source;      /* server: where the request came from */
	char to_tag[17];         /* server: of the responses we make */
	int status;              /* last response sent or received */
	struct deadline retransmit, expire;
	duration interval;
	const struct transaction_user *user;
	void *owner;
};

/** The server transaction of `request`, or NULL. ACK finds the INVITE's; CANCEL finds its own. */
struct transaction *transaction_find_server(const struct sip *sip, const struct message *request);
/** The INVITE server transaction that a CANCEL names (section 9.2), or NULL. */
struct transaction *transaction_find_cancelled(const struct sip *sip, const struct message *cancel);
/** The client transaction that a response belongs to, or NULL. */
struct transaction *transaction_find_client(const struct sip *sip, const struct message *response);
/** Admits a new request and takes it over, also on failure. HIPHOP_LIMITED, HIPHOP_NO_MEMORY. */
hiphop_error transaction_serve(
	struct sip *sip, struct message *request, const struct path *from, struct transaction **transaction);
/** A retransmission or an ACK came in for a server transaction. */
void transaction_repeat(struct sip *sip, struct transaction *transaction, const struct message *request);
/** Sends a response; it stays the caller's. Errors are of the transport or of memory. */
hiphop_error transaction_respond(struct sip *sip, struct transaction *transaction, const struct message *response);
/** Makes a response of our own and sends it. `header` and `value` may be NULL. */
void transaction_answer(
	struct sip *sip, struct transaction *transaction, int status, const char *header, const char *value);
/** Sends `request` (taken over, also on failure) along `path`; its top Via must be ours and name `id`.
 *  HIPHOP_LIMITED, HIPHOP_NO_MEMORY, HIPHOP_TOO_LARGE. The user is not told of a failure that is returned here. */
hiphop_error transaction_send(struct sip *sip, struct message *request, const struct path *path, uint64_t id,
	const struct transaction_user *user, void *owner, struct transaction **transaction);
/** A response came in for a client transaction. */
void transaction_input_response(struct sip *sip, struct transaction *transaction, struct message *response);
/** Ends a client transaction silently (timer C with nobody there). */
void transaction_abandon(struct sip *sip, struct transaction *transaction);
/** Final response sent or received. */
bool transaction_is_final(const struct transaction *transaction);
void transaction_retransmit(struct sip *sip, struct transaction *transaction);
void transaction_expire(struct sip *sip, struct transaction *transaction);
/** The stream is gone: client transactions that wait on it fail with 503. */
void transactions_stream_failed(struct sip *sip, uint32_t connection);
/** Nothing gets to that host: client transactions on their way to it fail with 503. */
void transactions_peer_failed(struct sip *sip, const struct hit *peer);
void transactions_free(struct sip *sip);

#endif
