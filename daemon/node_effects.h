/* SPDX-License-Identifier: MIT */
/**
 * The queue of what a node wants done: effects in order, with copies of what they point to, and the vectors that the
 * node fills with packets of its own.
 */
#ifndef HIPHOP_DAEMON_NODE_EFFECTS_H
#define HIPHOP_DAEMON_NODE_EFFECTS_H

#include "daemon/node.h"

struct queued_effect;
struct output_vector;

/** Requests that can wait for an answer that needs no memory; more than a control socket has clients. */
#define NODE_EFFECTS_UNANSWERED 64

struct node_effects {
	struct queued_effect *first, **end;
	struct queued_effect *taken; /* the one whose pointers the caller holds */
	struct output_vector *free_vectors;
	struct output_vector *open[2];                /* being filled: for the underlay, for the tunnel */
	uint64_t lost;                                /* effects dropped for want of memory */
	uint64_t unanswered[NODE_EFFECTS_UNANSWERED]; /* tokens of requests that get "Out of memory." for an answer */
	size_t unanswered_count;
};

void node_effects_start(struct node_effects *effects);
void node_effects_free(struct node_effects *effects);
/** Queues a copy of `effect` and of everything it points to, except its vector. Without memory it is dropped and
 * counted, and false returned. */
bool node_effects_push(struct node_effects *effects, const struct node_effect *effect);
/** The last answer to a request whose own answer could not be made. Needs no memory; beyond NODE_EFFECTS_UNANSWERED it
 * is dropped and counted. */
void node_effects_out_of_memory(struct node_effects *effects, uint64_t token);
/** A fresh packet at the end of the node's own vector for NODE_UNDERLAY_SEND or NODE_TUNNEL_WRITE; NULL without memory.
 */
struct packet *node_effects_packet(struct node_effects *effects, enum node_effect_kind kind);
/** Takes the next effect out; its pointers live until the next call here. */
bool node_effects_next(struct node_effects *effects, struct node_effect *effect);

#endif
