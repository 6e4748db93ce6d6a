/* SPDX-License-Identifier: MIT */
#include "overlay/engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One block on the heap: the effect and the octets that its pointers point at. */
struct effect_node {
	struct overlay_effect effect;
	struct effect_node *next;
	_Alignas(16) uint8_t octets[];
};

static struct effect_node *effect_add(struct overlay *overlay, overlay_effect_type type, size_t octets)
{
	struct effect_node *node = overlay->effects < EFFECTS_MAXIMUM ? calloc(1, sizeof(*node) + octets) : NULL;

	if (!node)
		return NULL;
	node->effect.type = type;
	if (overlay->last_effect)
		overlay->last_effect->next = node;
	else
		overlay->first_effect = node;
	overlay->last_effect = node;
	overlay->effects++;
	return node;
}

static void copy_octets(uint8_t *to, const void *from, size_t length)
{
	if (length)
		memcpy(to, from, length);
}

void effect_send(struct overlay *overlay, const struct request *request)
{
	struct effect_node *node = effect_add(overlay, OVERLAY_SEND, request->contents.length);

	if (!node)
		return;
	copy_octets(node->octets, request->contents.data, request->contents.length);
	node->effect.send = (struct overlay_send){.destination = request->destination,
		.via = request->via,
		.transaction = request->transaction,
		.ttl = OVERLAY_TTL_INITIAL,
		.contents = node->octets,
		.length = request->contents.length};
}

void effect_answer(
	struct overlay *overlay, const struct overlay_arrival *arrival, const uint8_t *contents, size_t length)
{
	struct effect_node *node = effect_add(overlay, OVERLAY_ANSWER, arrival->route_length + length);

	if (!node)
		return;
	copy_octets(node->octets, arrival->route, arrival->route_length);
	copy_octets(node->octets + arrival->route_length, contents, length);
	node->effect.answer = (struct overlay_answer){.receiver = arrival->sender,
		.transaction = arrival->transaction,
		.route = node->octets,
		.route_length = arrival->route_length,
		.contents = node->octets + arrival->route_length,
		.length = length};
}

void effect_connect(struct overlay *overlay, const struct hit *hit, const struct hit *via)
{
	struct effect_node *node = effect_add(overlay, OVERLAY_CONNECT, 0);

	if (!node)
		return;
	node->effect.connect.hit = *hit;
	if (via)
		node->effect.connect.via = *via;
}

bool effect_release(struct overlay *overlay, const struct hit *hit)
{
	struct effect_node *node = effect_add(overlay, OVERLAY_RELEASE, 0);

	if (!node)
		return false;
	node->effect.release = *hit;
	return true;
}

/* Who asked waits for an answer: in the end it gets one that needs no memory. */
static void keep_unreported(struct overlay *overlay, const struct overlay_result *result)
{
	if (overlay->unreported_count == UNREPORTED_MAXIMUM)
		return;
	overlay->unreported[overlay->unreported_count++] = (struct unreported){
		.token = result->token, .request = result->request, .kind = result->kind, .resource = result->resource};
}

static bool next_unreported(struct overlay *overlay, struct overlay_effect *effect)
{
	const struct unreported *unreported;

	memset(effect, 0, sizeof(*effect));
	if (!overlay->unreported_count)
		return false;
	unreported = &overlay->unreported[--overlay->unreported_count];
	effect->type = OVERLAY_RESULT;
	effect->result = (struct overlay_result){.token = unreported->token,
		.request = unreported->request,
		.error = HIPHOP_NO_MEMORY,
		.kind = unreported->kind,
		.resource = unreported->resource};
	return true;
}

void effect_result(struct overlay *overlay, const struct overlay_result *result)
{
	size_t values = result->value_count * sizeof(*result->values);
	size_t path = result->path_length * sizeof(*result->path);
	size_t octets = values + path;

	for (size_t i = 0; i < result->value_count; i++)
		octets += result->values[i].value ? result->values[i].length : 0;
	struct effect_node *node = effect_add(overlay, OVERLAY_RESULT, octets);
	if (!node) {
		keep_unreported(overlay, result);
		return;
	}
	struct overlay_result *out = &node->effect.result;
	*out = *result;
	struct overlay_value *copies = (struct overlay_value *)(void *)node->octets;
	copy_octets(node->octets, result->values, values);
	copy_octets(node->octets + values, result->path, path);
	uint8_t *at = node->octets + values + path;
	for (size_t i = 0; i < result->value_count; i++) {
		if (!result->values[i].value)
			continue;
		copy_octets(at, result->values[i].value, result->values[i].length);
		copies[i].value = at;
		at += result->values[i].length;
	}
	out->values = result->value_count ? copies : NULL;
	out->path = result->path_length ? (const struct hit *)(const void *)(node->octets + values) : NULL;
}

void effect_event(struct overlay *overlay, overlay_effect_type type, const char *format, ...)
{
	struct effect_node *node = effect_add(overlay, type, OVERLAY_EVENT_SIZE);
	va_list arguments;

	if (!node)
		return;
	va_start(arguments, format);
	vsnprintf((char *)node->octets, OVERLAY_EVENT_SIZE, format, arguments);
	va_end(arguments);
	node->effect.event = (const char *)node->octets;
	log_write(overlay->log, LOG_LEVEL_INFO, "overlay: %s", node->effect.event);
}

bool overlay_next_effect(struct overlay *overlay, struct overlay_effect *effect)
{
	struct effect_node *node = overlay->first_effect;

	free(overlay->given_effect);
	overlay->given_effect = node;
	if (!node)
		return next_unreported(overlay, effect);
	overlay->first_effect = node->next;
	if (!node->next)
		overlay->last_effect = NULL;
	overlay->effects--;
	*effect = node->effect;
	return true;
}

void overlay_effects_free(struct overlay *overlay)
{
	struct overlay_effect effect;

	while (overlay_next_effect(overlay, &effect))
		;
}
