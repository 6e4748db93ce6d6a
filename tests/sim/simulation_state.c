/* SPDX-License-Identifier: MIT */
#include "tests/sim/simulation_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The state file of a host, newest record first; only what is stored last under a key counts. */
struct kept_record {
	struct kept_record *next;
	struct node_record record;
	char space[32];
	char key[512];
	uint8_t value[4096];
};

void simulation_forget_record(struct simulation_host *host, const struct node_record *record)
{
	struct kept_record **place = &host->state;

	while (*place) {
		struct kept_record *kept = *place;

		if (strcmp(kept->space, record->space) == 0 && strcmp(kept->key, record->key) == 0) {
			*place = kept->next;
			free(kept);
		} else {
			place = &kept->next;
		}
	}
}

void simulation_keep_record(struct simulation_host *host, const struct node_record *record)
{
	struct kept_record *kept = calloc(1, sizeof(*kept));

	assert_non_null(kept);
	assert_true(record->length <= sizeof(kept->value));
	simulation_forget_record(host, record);
	snprintf(kept->space, sizeof(kept->space), "%s", record->space);
	snprintf(kept->key, sizeof(kept->key), "%s", record->key);
	memcpy(kept->value, record->value, record->length);
	kept->record = (struct node_record){kept->space, kept->key, kept->value, record->length, record->expires};
	kept->next = host->state;
	host->state = kept;
}

void simulation_restore_state(struct simulation *simulation, struct simulation_host *host)
{
	for (const struct kept_record *kept = host->state; kept; kept = kept->next)
		CALL(node_restore(host->node, &kept->record));
}

bool simulation_keeps(const struct simulation *simulation, size_t host, const struct hit *hit)
{
	char text[HIT_TEXT_SIZE];
	bool found = false;

	hit_format(hit, text);
	for (const struct kept_record *kept = simulation->hosts[host].state; kept; kept = kept->next)
		found |= strstr(kept->key, text) || memmem(kept->value, kept->record.length, hit->octets, HIT_LENGTH) ||
			 memmem(kept->value, kept->record.length, text, strlen(text));
	return found;
}

void simulation_free_state(struct simulation_host *host)
{
	while (host->state) {
		struct kept_record *next = host->state->next;

		free(host->state);
		host->state = next;
	}
}
