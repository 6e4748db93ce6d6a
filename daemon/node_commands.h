/* SPDX-License-Identifier: MIT */
/**
 * The commands of the control socket that other files of the node implement (docs/control.md), and how commands are
 * answered. Inside the node only.
 */
#ifndef HIPHOP_DAEMON_NODE_COMMANDS_H
#define HIPHOP_DAEMON_NODE_COMMANDS_H

#include "daemon/node.h"

void node_command_put(struct node *node, instant now, uint64_t token, json_t *command);
void node_command_get(struct node *node, instant now, uint64_t token, json_t *command);

void node_command_access(struct node *node, instant now, uint64_t token, json_t *command);
void node_command_access_add(struct node *node, instant now, uint64_t token, json_t *command);
void node_command_access_remove(struct node *node, instant now, uint64_t token, json_t *command);
void node_command_reload(struct node *node, instant now, uint64_t token, json_t *command);

/** Answers {"ok":false} with a sentence made of `what` and the error, and the code for it. It is the last answer. */
void node_reply_error(struct node *node, uint64_t token, hiphop_error error, const char *what);
/** Answers {"ok":false} with code "malformed". */
void node_reply_malformed(struct node *node, uint64_t token, const char *sentence);

#endif
