/* SPDX-License-Identifier: MIT */
#include "daemon/node_effects.h"

#include <stdlib.h>
#include <string.h>

#define FREE_VECTORS_MAXIMUM 2

struct output_vector {
	struct output_vector *next;
	struct packet_vector vector;
};

struct queued_effect {
	struct queued_effect *next;
	struct node_effect effect;
	struct output_vector *output; /* ours, back to the pool afterwards */
	uint8_t storage[];
};

void node_effects_start(struct node_effects *effects)
{
	memset(effects, 0, sizeof(*effects));
	effects->end = &effects->first;
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* Copies a run of octets to the storage and moves on. NULL stays NULL. */
static const void *keep(uint8_t **storage, const void *data, size_t length)
{
	uint8_t *copy = *storage;

	if (!data)
		return NULL;
	memcpy(copy, data, length);
	*storage += length;
	return copy;
}

static void append(struct node_effects *effects, struct queued_effect *queued)
{
	queued->next = NULL;
	*effects->end = queued;
	effects->end = &queued->next;
}

bool node_effects_push(struct node_effects *effects, const struct node_effect *effect)
{
	const struct node_record *record = &effect->record;
	size_t size = effect->length + text_size(effect->text) + text_size(record->space) + text_size(record->key) +
		      record->length;
	struct queued_effect *queued = malloc(sizeof(*queued) + size);
	uint8_t *storage;

	if (!queued) {
		effects->lost++;
		return false;
	}
	storage = queued->storage;
	queued->output = NULL;
	queued->effect = *effect;
	queued->effect.octets = keep(&storage, effect->octets, effect->length);
	queued->effect.text = keep(&storage, effect->text, text_size(effect->text));
	queued->effect.record.space = keep(&storage, record->space, text_size(record->space));
	queued->effect.record.key = keep(&storage, record->key, text_size(record->key));
	queued->effect.record.value = keep(&storage, record->value, record->length);
	append(effects, queued);
	return true;
}

void node_effects_out_of_memory(struct node_effects *effects, uint64_t token)
{
	if (effects->unanswered_count < NODE_EFFECTS_UNANSWERED)
		effects->unanswered[effects->unanswered_count++] = token;
	else
		effects->lost++;
}

static size_t open_index(enum node_effect_kind kind)
{
	return kind == NODE_TUNNEL_WRITE ? 1 : 0;
}

static struct output_vector *take_vector(struct node_effects *effects)
{
	struct output_vector *output = effects->free_vectors;

	if (output)
		effects->free_vectors = output->next;
	else
		output = malloc(sizeof(*output));
	if (output) {
		output->next = NULL;
		output->vector.count = 0;
	}
	return output;
}

static void give_vector_back(struct node_effects *effects, struct output_vector *output)
{
	size_t count = 0;

	for (const struct output_vector *other = effects->free_vectors; other; other = other->next)
		count++;
	if (count >= FREE_VECTORS_MAXIMUM) {
		free(output);
		return;
	}
	output->next = effects->free_vectors;
	effects->free_vectors = output;
}

static struct output_vector *open_vector(struct node_effects *effects, enum node_effect_kind kind)
{
	struct queued_effect *queued = calloc(1, sizeof(*queued));
	struct output_vector *output = queued ? take_vector(effects) : NULL;

	if (!output) {
		free(queued);
		effects->lost++;
		return NULL;
	}
	queued->effect.kind = kind;
	queued->effect.vector = &output->vector;
	queued->output = output;
	append(effects, queued);
	effects->open[open_index(kind)] = output;
	return output;
}

struct packet *node_effects_packet(struct node_effects *effects, enum node_effect_kind kind)
{
	struct output_vector *output = effects->open[open_index(kind)];

	if (!output || output->vector.count == PACKET_VECTOR_MAXIMUM)
		output = open_vector(effects, kind);
	return output ? packet_vector_add(&output->vector) : NULL;
}

static void release(struct node_effects *effects, struct queued_effect *queued)
{
	if (queued && queued->output)
		give_vector_back(effects, queued->output);
	free(queued);
}

static bool next_out_of_memory(struct node_effects *effects, struct node_effect *effect)
{
	if (!effects->unanswered_count)
		return false;
	*effect = (struct node_effect){.kind = NODE_REPLY,
		.token = effects->unanswered[--effects->unanswered_count],
		.text = "{\"ok\":false,\"error\":\"Out of memory.\",\"code\":\"failed\",\"last\":true}",
		.last = true};
	return true;
}

bool node_effects_next(struct node_effects *effects, struct node_effect *effect)
{
	struct queued_effect *queued = effects->first;

	release(effects, effects->taken);
	effects->taken = queued;
	if (!queued)
		return next_out_of_memory(effects, effect);
	effects->first = queued->next;
	if (!effects->first)
		effects->end = &effects->first;
	for (size_t i = 0; i < 2; i++) {
		if (effects->open[i] == queued->output)
			effects->open[i] = NULL;
	}
	*effect = queued->effect;
	return true;
}

void node_effects_free(struct node_effects *effects)
{
	struct node_effect ignored;

	while (node_effects_next(effects, &ignored))
		continue;
	while (effects->free_vectors) {
		struct output_vector *output = effects->free_vectors;

		effects->free_vectors = output->next;
		free(output);
	}
}
