/* SPDX-License-Identifier: MIT */
/**
 * Mobile routers in the node (docs/moving-networks.md): the first identity serves hosts on board, or is on board of
 * another. What the core decides is carried out here: ESP that is handed on never comes near the tunnel.
 */
#ifndef HIPHOP_DAEMON_NODE_ROUTER_H
#define HIPHOP_DAEMON_NODE_ROUTER_H

#include "hip/base/identifier.h"
#include "hip/base/packet_vector.h"
#include "hip/base/time.h"

#include <jansson.h>
#include <stdbool.h>

struct node;
struct host_configuration;

/** Adds what the configuration says to that of the host of the first identity. */
void node_router_configure(const struct node *node, struct host_configuration *host);
/** Whether a peer may come on board. */
bool node_may_board(const struct node *node, const struct hit *peer);
/** The node starts: the configured router is sought. */
void node_router_start(struct node *node, instant now);
/** Hands the ESP packets of a vector on that are for hosts on board or from them; the others are left as they are. */
void node_router_forward(struct node *node, instant now, struct packet_vector *vector);
/** {serves, uplinks, hosts; uses, state, locators …} */
json_t *node_router_json(const struct node *node, instant now);

#endif
