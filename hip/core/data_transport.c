/* SPDX-License-Identifier: MIT */
#include "hip/core/data_transport.h"

#include "hip/core/data_transport_state.h"
#include "hip/core/relay.h"

#include <stdlib.h>
#include <string.h>

/** NOTIFYs about bad packets, for one neighbour. */
#define NOTIFICATIONS_PER_SECOND 5
#define NOTIFICATIONS_BURST      20
/** Neighbours and senders whose rate is remembered. */
#define RATES_REMEMBERED 1024

/* ---- life ------------------------------------------------------------------------------------------------------ */

static uint64_t number_or(uint64_t number, uint64_t otherwise)
{
	return number != 0 ? number : otherwise;
}

static uint32_t twice(uint32_t number)
{
	return number <= UINT32_MAX / 2 ? 2 * number : UINT32_MAX;
}

static struct data_transport_settings with_defaults(const struct data_transport_settings *given)
{
	struct data_transport_settings settings = *given;

	settings.ttl = (uint8_t)number_or(settings.ttl, RELAY_TTL_DEFAULT);
	settings.retransmit_after = number_or(settings.retransmit_after, MILLISECONDS(500));
	settings.tries = (unsigned)number_or(settings.tries, 5);
	settings.acknowledge_delay = number_or(settings.acknowledge_delay, MILLISECONDS(50));
	settings.outstanding = number_or(settings.outstanding, 1024);
	settings.remembered = number_or(settings.remembered, 1024);
	settings.remember_for = number_or(settings.remember_for, SECONDS(30));
	settings.identities = number_or(settings.identities, 128);
	settings.per_sender = (uint32_t)number_or(settings.per_sender, 200);
	settings.per_neighbour = (uint32_t)number_or(settings.per_neighbour, 1000);
	return settings;
}

static hiphop_error create_rates(struct data_transport *transport)
{
	const struct data_transport_settings *settings = &transport->settings;

	hiphop_error error = rate_table_create(settings->per_neighbour, twice(settings->per_neighbour),
		RATES_REMEMBERED, settings->random, &transport->per_neighbour);
	if (!error)
		error = rate_table_create(settings->per_sender, twice(settings->per_sender), RATES_REMEMBERED,
			settings->random, &transport->per_sender);
	if (!error)
		error = rate_table_create(NOTIFICATIONS_PER_SECOND, NOTIFICATIONS_BURST, RATES_REMEMBERED,
			settings->random, &transport->notifications);
	return error;
}

hiphop_error data_transport_create(const struct data_transport_settings *settings, struct data_transport **transport)
{
	if (settings->identity == NULL || settings->random == NULL ||
		!host_identity_has_private_key(settings->identity))
		return HIPHOP_INVALID_ARGUMENT;

	struct data_transport *made = calloc(1, sizeof *made);
	if (made == NULL)
		return HIPHOP_NO_MEMORY;
	made->settings = with_defaults(settings);
	made->self = *host_identity_hit(settings->identity);
	/* From a random start, numbers of before a restart are not met again soon. */
	made->next_sequence = random_u32(settings->random);
	map_start(&made->outgoing, sizeof made->next_sequence, settings->random);
	data_received_start(&made->received, made->settings.remembered, settings->random);
	known_senders_start(&made->senders, made->settings.identities, settings->random);
	deadline_heap_start(&made->deadlines);
	hiphop_error error = create_rates(made);
	if (error) {
		data_transport_free(made);
		return error;
	}
	*transport = made;
	return HIPHOP_OK;
}

static void free_effects(struct data_transport *transport)
{
	data_transport_release_taken(transport);
	while (transport->first != NULL) {
		struct data_effect *effect = transport->first;
		transport->first = effect->next;
		free(effect);
	}
}

void data_transport_free(struct data_transport *transport)
{
	if (transport == NULL)
		return;
	/* First: it looks at the deadlines that lie in the entries. */
	deadline_heap_free(&transport->deadlines);
	struct map_walk walk = map_walk_start(&transport->outgoing);
	struct data_outgoing *message;
	while ((message = map_walk_next(&walk, NULL)) != NULL)
		data_outgoing_free(message);
	map_free(&transport->outgoing);
	data_received_free(&transport->received);
	known_senders_free(&transport->senders);
	rate_table_free(transport->per_neighbour);
	rate_table_free(transport->per_sender);
	rate_table_free(transport->notifications);
	free_effects(transport);
	free(transport);
}

/* ---- effects --------------------------------------------------------------------------------------------------- */

void data_transport_release_taken(struct data_transport *transport)
{
	free(transport->taken);
	transport->taken = NULL;
}

struct data_effect *data_effect_make(data_transport_effect_kind kind, size_t capacity)
{
	struct data_effect *made = malloc(sizeof *made + capacity);

	if (made == NULL)
		return NULL;
	memset(made, 0, sizeof *made);
	made->effect.kind = kind;
	return made;
}

void data_effect_add(struct data_transport *transport, struct data_effect *effect)
{
	effect->next = NULL;
	if (transport->last != NULL)
		transport->last->next = effect;
	else
		transport->first = effect;
	transport->last = effect;
}

struct data_effect *data_effect_send(
	const struct hit *destination, const struct hit *first_hop, struct span octets, bool retransmission)
{
	struct data_effect *made = data_effect_make(DATA_TRANSPORT_SEND, octets.length);

	if (made == NULL)
		return NULL;
	memcpy(made->octets, octets.data, octets.length);
	made->effect.destination = *destination;
	made->effect.has_first_hop = first_hop != NULL;
	if (first_hop != NULL)
		made->effect.first_hop = *first_hop;
	made->effect.octets = made->octets;
	made->effect.length = octets.length;
	made->effect.retransmission = retransmission;
	return made;
}

bool data_transport_next_effect(struct data_transport *transport, struct data_transport_effect *effect)
{
	data_transport_release_taken(transport);
	struct data_effect *next = transport->first;
	if (next == NULL)
		return false;
	transport->first = next->next;
	if (transport->first == NULL)
		transport->last = NULL;
	transport->taken = next;
	*effect = next->effect;
	return true;
}

/* ---- time ------------------------------------------------------------------------------------------------------ */

void data_transport_tick(struct data_transport *transport, instant now)
{
	struct deadline *due;

	data_transport_release_taken(transport);
	while ((due = deadline_heap_pop(&transport->deadlines, now)) != NULL) {
		if (due->kind == DATA_TIMER_OUTGOING)
			data_outgoing_timeout(transport, now, due->owner);
		else
			data_received_timeout(transport, now, due->owner);
	}
}

instant data_transport_next_wake(const struct data_transport *transport)
{
	return deadline_heap_next(&transport->deadlines);
}

/* ---- status ---------------------------------------------------------------------------------------------------- */

static const char *const counter_names[] = {
#define COUNTER_NAME(name, text) text,
	DATA_TRANSPORT_COUNTERS(COUNTER_NAME)
#undef COUNTER_NAME
};

uint64_t data_transport_counter_value(const struct data_transport *transport, data_transport_counter counter)
{
	return (size_t)counter < DATA_COUNT_COUNT ? transport->counters[counter] : 0;
}

const char *data_transport_counter_name(data_transport_counter counter)
{
	return (size_t)counter < DATA_COUNT_COUNT ? counter_names[counter] : "";
}

size_t data_transport_outstanding(const struct data_transport *transport)
{
	return transport->outgoing.count;
}
