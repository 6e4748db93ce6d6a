/* SPDX-License-Identifier: MIT */
/**
 * Names: an Address-of-Record of the overlay's domain → the HIT of its owner, by a signed record in the overlay, pinned
 * on first use (docs/hipv2-mapping.md, "Names before enrolment").
 */
#include "daemon/node_internal.h"

#include "hip/crypto/hash.h"
#include "sipglue/registration_record.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PIN_KEY_LENGTH 32
#define LOOKUP_DEPTH   3 /* records that point to another name are followed this far */

bool node_aor_normalise(const char *text, char aor[static CONFIGURATION_TEXT])
{
	const char *at;
	size_t length;

	if (strncasecmp(text, "sip:", 4) == 0)
		text += 4;
	at = strchr(text, '@');
	length = strlen(text);
	if (!at || at == text || !at[1] || strchr(at + 1, '@') || length >= CONFIGURATION_TEXT ||
		strpbrk(text, " \t<>;?"))
		return false;
	memcpy(aor, text, length + 1);
	for (char *c = aor + (at - text); *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return true;
}

/* ---- pins ---- */

static hiphop_error pin_key(const char *aor, uint8_t key[static PIN_KEY_LENGTH])
{
	struct span span = {(const uint8_t *)aor, strlen(aor)};

	return hash_spans(HASH_SHA256, &span, 1, key);
}

struct node_pin *node_pin_find(struct node *node, const char *aor)
{
	uint8_t key[PIN_KEY_LENGTH];

	return pin_key(aor, key) ? NULL : map_get(&node->pins, key);
}

static hiphop_error keep_pin(struct node *node, const char *aor, const struct hit *hit)
{
	struct node_pin *pin = node_pin_find(node, aor);
	uint8_t key[PIN_KEY_LENGTH];
	hiphop_error error;

	if (!pin) {
		if (node->pins.count >= NODE_PINS_MAXIMUM)
			return HIPHOP_LIMITED;
		error = pin_key(aor, key);
		if (error)
			return error;
		pin = calloc(1, sizeof(*pin));
		if (!pin)
			return HIPHOP_NO_MEMORY;
		snprintf(pin->aor, sizeof(pin->aor), "%s", aor);
		error = map_put(&node->pins, key, pin);
		if (error) {
			free(pin);
			return error;
		}
	}
	pin->hit = *hit;
	return HIPHOP_OK;
}

hiphop_error node_pin_set(struct node *node, const char *aor, const struct hit *hit)
{
	hiphop_error error = keep_pin(node, aor, hit);

	if (!error)
		node_persist(node, "pin", aor, hit->octets, HIT_LENGTH, 0);
	return error;
}

void node_pin_restore(struct node *node, const struct node_record *record)
{
	struct hit hit;

	if (record->length != HIT_LENGTH || strlen(record->key) >= CONFIGURATION_TEXT) {
		log_write(node->log, LOG_LEVEL_WARNING, "a stored pin is broken and was left out");
		return;
	}
	memcpy(hit.octets, record->value, HIT_LENGTH);
	keep_pin(node, record->key, &hit);
}

void node_names_free(struct node *node)
{
	struct map_walk walk = map_walk_start(&node->pins);
	struct node_pin *pin;

	while ((pin = map_walk_next(&walk, NULL)))
		free(pin);
	map_free(&node->pins);
}

/* ---- looking up ---- */

/* What a lookup needs until its end; it hangs on the request. */
struct name_lookup {
	char aor[CONFIGURATION_TEXT];     /* as asked */
	char current[CONFIGURATION_TEXT]; /* where the chain of records has led */
	bool pin;
	unsigned depth;
	node_name_done *done;
	uint64_t client;
	void *context;
};

static void end_lookup(struct node *node, instant now, struct name_lookup *lookup, const struct name_answer *answer)
{
	lookup->done(node, now, lookup->client, lookup->context, lookup->aor, answer);
	free(lookup);
}

/* A changed owner is refused until `hiphop trust` says otherwise; the first owner seen is pinned. */
static void apply_pin(struct node *node, instant now, const struct name_lookup *lookup, struct name_answer *answer)
{
	const struct node_pin *pin = node_pin_find(node, lookup->aor);

	if (answer->error)
		return;
	if (pin && !hit_equal(&pin->hit, &answer->owner)) {
		node_tell_name_refused(node, now, lookup->aor, &answer->owner, &pin->hit);
		answer->error = HIPHOP_REFUSED;
	} else if (!pin && lookup->pin) {
		node_pin_set(node, lookup->aor, &answer->owner);
		node_access_name_known(node, now, lookup->aor);
	}
}

static hiphop_error begin_fetch(struct node *node, instant now, struct name_lookup *lookup);

/* Reads the record of the first value whose owner and contents agree. */
static hiphop_error read_record(
	const struct overlay_result *result, struct name_answer *answer, char next[static CONFIGURATION_TEXT])
{
	next[0] = 0;
	for (size_t i = 0; i < result->value_count; i++) {
		const struct overlay_value *value = &result->values[i];
		struct registration_record record;

		if (registration_record_decode(value->value, value->length, &record))
			continue;
		answer->owner = value->owner;
		answer->holder = result->answering;
		answer->expires_s = value->lifetime_s;
		if (record.type == REGISTRATION_URI && record.uri.length < CONFIGURATION_TEXT) {
			memcpy(next, record.uri.data, record.uri.length);
			next[record.uri.length] = 0;
			return HIPHOP_OK;
		}
		/* A record may lead to its owner only; it must not send calls to somebody else. */
		if (record.type == REGISTRATION_ROUTE && record.destination_count &&
			hit_equal(&record.destinations[record.destination_count - 1], &value->owner))
			return HIPHOP_OK;
	}
	return HIPHOP_NOT_FOUND;
}

static void on_fetched(
	struct node *node, instant now, struct node_request *request, const struct overlay_result *result)
{
	struct name_lookup *lookup = request->context;
	struct name_answer answer = {.error = result ? result->error : HIPHOP_TIMEOUT};
	char next[CONFIGURATION_TEXT] = "";

	if (!answer.error)
		answer.error = read_record(result, &answer, next);
	if (!answer.error && next[0]) {
		answer.error = ++lookup->depth < LOOKUP_DEPTH && node_aor_normalise(next, lookup->current)
				       ? begin_fetch(node, now, lookup)
				       : HIPHOP_NOT_FOUND;
		if (!answer.error)
			return;
	}
	apply_pin(node, now, lookup, &answer);
	end_lookup(node, now, lookup, &answer);
}

static hiphop_error begin_fetch(struct node *node, instant now, struct name_lookup *lookup)
{
	struct node_request *request;
	struct hit resource;
	hiphop_error error = overlay_resource_id_of_name(node->overlay, lookup->current, &resource);

	if (error)
		return error;
	request = node_request_add(node, on_fetched, lookup->client);
	if (!request)
		return HIPHOP_NO_MEMORY;
	request->context = lookup;
	error = overlay_fetch(node->overlay, now, request->token, OVERLAY_KIND_SIP_REGISTRATION_FIRST_COME, &resource);
	if (error)
		node_request_drop(node, request);
	return error;
}

hiphop_error node_name_lookup(
	struct node *node, instant now, const char *aor, bool pin, node_name_done *done, uint64_t client, void *context)
{
	struct name_lookup *lookup = calloc(1, sizeof(*lookup));
	hiphop_error error;

	if (!lookup)
		return HIPHOP_NO_MEMORY;
	if (!node_aor_normalise(aor, lookup->aor)) {
		free(lookup);
		return HIPHOP_MALFORMED;
	}
	memcpy(lookup->current, lookup->aor, sizeof(lookup->current));
	lookup->pin = pin;
	lookup->done = done;
	lookup->client = client;
	lookup->context = context;
	error = begin_fetch(node, now, lookup);
	if (error)
		free(lookup);
	return error;
}
