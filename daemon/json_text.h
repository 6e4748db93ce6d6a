/* SPDX-License-Identifier: MIT */
/**
 * JSON as text, whole or not at all: json_dumps of jansson leaves something out when memory ends in the middle.
 */
#ifndef HIPHOP_DAEMON_JSON_TEXT_H
#define HIPHOP_DAEMON_JSON_TEXT_H

#include <jansson.h>

/** The text with these flags of jansson, on one line, for the caller to free. NULL without memory, or without `value`.
 */
char *json_text(const json_t *value, size_t flags);

#endif
