/* SPDX-License-Identifier: MIT */
/**
 * Joins SIP and the rest of the node: its messages go out through the daemon's sockets, its names come from the
 * overlay, its registrations are kept over a restart, and the media of its calls may pass the filter of hip0.
 */
#include "daemon/node_internal.h"

#include "hip/base/bytes.h"

#include <stdlib.h>
#include <string.h>

/** A call with one peer and the ports that are open for it. */
struct call_media {
	struct hit peer;
	struct sip_media_port ports[SIP_MEDIA_PORTS_MAXIMUM];
	size_t port_count;
	char *call_id;
	struct call_media *next;
};

hiphop_error node_sip_create(struct node *node)
{
	struct sip_configuration sip = {
		.domain = node->configuration->sip_domain,
		.self = node->self,
		.port = node->configuration->sip_port,
		.random = node->environment.random,
		.log = node->log,
		.networks = node->configuration->sip_networks,
		.network_count = node->configuration->sip_network_count,
	};

	return sip_create(&sip, &node->sip);
}

/* ---- media ---- */

static void close_ports(struct node *node, struct call_media *media)
{
	for (size_t i = 0; i < media->port_count; i++) {
		if (media->ports[i].protocol == 17)
			access_media(node->access, &media->peer, media->ports[i].port, false);
	}
	media->port_count = 0;
}

static void open_ports(struct node *node, struct call_media *media, const struct sip_effect *effect)
{
	media->port_count = effect->port_count;
	memcpy(media->ports, effect->ports, sizeof(media->ports));
	for (size_t i = 0; i < media->port_count; i++) {
		if (media->ports[i].protocol == 17)
			access_media(node->access, &media->peer, media->ports[i].port, true);
	}
}

/* The calls of one peer hang in a list under its HIT. */
static struct call_media **find_media(struct node *node, struct call_media **first, const char *call_id)
{
	(void)node;
	while (*first && strcmp((*first)->call_id, call_id) != 0)
		first = &(*first)->next;
	return first;
}

static struct call_media *add_media(struct node *node, const struct hit *peer, const char *call_id)
{
	struct call_media *media = calloc(1, sizeof(*media));

	if (!media)
		return NULL;
	media->peer = *peer;
	media->call_id = strdup(call_id);
	media->next = map_get(&node->media, peer);
	if (!media->call_id || map_put(&node->media, peer, media)) {
		free(media->call_id);
		free(media);
		return NULL;
	}
	return media;
}

static void on_media_open(struct node *node, const struct sip_effect *effect)
{
	struct call_media *first = map_get(&node->media, &effect->hit);
	struct call_media *media = *find_media(node, &first, effect->call_id);

	if (!media)
		media = add_media(node, &effect->hit, effect->call_id);
	if (!media)
		return;
	close_ports(node, media);
	open_ports(node, media, effect);
}

static void on_media_close(struct node *node, const struct sip_effect *effect)
{
	struct call_media *first = map_get(&node->media, &effect->hit);
	struct call_media **place = find_media(node, &first, effect->call_id);
	struct call_media *media = *place;

	if (!media)
		return;
	*place = media->next;
	if (first)
		map_put(&node->media, &effect->hit, first);
	else
		map_remove(&node->media, &effect->hit);
	close_ports(node, media);
	free(media->call_id);
	free(media);
}

void node_sip_free(struct node *node)
{
	struct map_walk walk = map_walk_start(&node->media);
	struct call_media *media;

	while ((media = map_walk_next(&walk, NULL))) {
		while (media) {
			struct call_media *next = media->next;

			free(media->call_id);
			free(media);
			media = next;
		}
	}
	map_free(&node->media);
	sip_free(node->sip);
}

/* ---- names ---- */

static void on_resolved(struct node *node, instant now, uint64_t client, void *context, const char *aor,
	const struct name_answer *answer)
{
	struct sip_target target = {.hit = answer->owner};

	(void)context;
	(void)aor;
	sip_resolved(node->sip, now, client, answer->error, &target, answer->error ? 0 : 1);
}

static void on_resolve(struct node *node, instant now, const struct sip_effect *effect)
{
	uint64_t token = effect->token;
	hiphop_error error = node_name_lookup(node, now, effect->aor, true, on_resolved, token, NULL);

	if (error)
		sip_resolved(node->sip, now, token, error, NULL, 0);
}

static void on_caller_resolved(struct node *node, instant now, uint64_t client, void *context, const char *aor,
	const struct name_answer *answer)
{
	struct hit *claimed = context;
	hiphop_error error = answer->error;

	if (!error && !hit_equal(claimed, &answer->owner)) {
		node_tell_name_refused(node, now, aor, claimed, &answer->owner);
		error = HIPHOP_REFUSED;
	}
	free(claimed);
	sip_caller_verified(node->sip, now, client, error);
}

static void on_verify_caller(struct node *node, instant now, const struct sip_effect *effect)
{
	struct hit *claimed = malloc(sizeof(*claimed));
	uint64_t token = effect->token;
	hiphop_error error = HIPHOP_NO_MEMORY;

	if (claimed) {
		*claimed = effect->hit;
		error = node_name_lookup(node, now, effect->aor, true, on_caller_resolved, token, claimed);
	}
	if (error) {
		free(claimed);
		sip_caller_verified(node->sip, now, token, error);
	}
}

/* ---- registrations ---- */

static void on_stored(struct node *node, instant now, struct node_request *request, const struct overlay_result *result)
{
	if (!result)
		return;
	if (result->error)
		log_write(node->log, LOG_LEVEL_WARNING, "the registration of %s could not be stored: %s", request->name,
			hiphop_error_text(result->error));
	sip_stored(node->sip, now, request->client, result->error);
}

static hiphop_error begin_store(struct node *node, instant now, const struct sip_effect *effect)
{
	struct node_request *request = node_request_add(node, on_stored, effect->token);
	struct hit resource;
	hiphop_error error;

	if (!request)
		return HIPHOP_NO_MEMORY;
	snprintf(request->name, sizeof(request->name), "%s", effect->aor);
	error = overlay_resource_id_of_name(node->overlay, effect->aor, &resource);
	if (!error)
		error = overlay_store(node->overlay, now, node_wall(node, now), request->token,
			OVERLAY_KIND_SIP_REGISTRATION_FIRST_COME, &resource, effect->octets.data, effect->octets.length,
			effect->lifetime_s, true);
	if (error)
		node_request_drop(node, request);
	return error;
}

static void on_store(struct node *node, instant now, const struct sip_effect *effect)
{
	uint64_t token = effect->token;
	hiphop_error error = begin_store(node, now, effect);

	if (error)
		sip_stored(node->sip, now, token, error);
}

static void on_unstored(
	struct node *node, instant now, struct node_request *request, const struct overlay_result *result)
{
	(void)now;
	if (result && result->error)
		log_write(node->log, LOG_LEVEL_WARNING, "the record of %s could not be taken back, it will expire: %s",
			request->name, hiphop_error_text(result->error));
}

static void on_unstore(struct node *node, instant now, const struct sip_effect *effect)
{
	struct node_request *request = node_request_add(node, on_unstored, 0);
	struct hit resource;

	if (!request)
		return;
	snprintf(request->name, sizeof(request->name), "%s", effect->aor);
	if (overlay_resource_id_of_name(node->overlay, effect->aor, &resource) ||
		overlay_remove(node->overlay, now, node_wall(node, now), request->token,
			OVERLAY_KIND_SIP_REGISTRATION_FIRST_COME, &resource))
		node_request_drop(node, request);
}

/* A kept registration: its key is "aor contact", its value the q value in two octets. */
static void on_persist(struct node *node, instant now, const struct sip_effect *effect)
{
	char key[2 * SIP_TEXT_SIZE + 2];
	uint8_t quality[2] = {(uint8_t)(effect->quality >> 8), (uint8_t)effect->quality};

	snprintf(key, sizeof(key), "%s %s", effect->aor, effect->contact);
	if (effect->remove)
		node_forget(node, "registration", key);
	else
		node_persist(node, "registration", key, quality, sizeof(quality),
			node_wall(node, now) + effect->lifetime_s * UINT64_C(1000));
}

void node_registration_restore(struct node *node, const struct node_record *record)
{
	wall_milliseconds wall = node_wall(node, node->started);
	char aor[SIP_TEXT_SIZE];
	const char *space = strchr(record->key, ' ');
	size_t length = space ? (size_t)(space - record->key) : 0;
	uint16_t quality;

	if (!space || length >= sizeof(aor) || record->length != 2) {
		log_write(node->log, LOG_LEVEL_WARNING, "a stored registration is broken and was left out");
		return;
	}
	if (record->expires <= wall)
		return;
	memcpy(aor, record->key, length);
	aor[length] = 0;
	quality = (uint16_t)(record->value[0] << 8 | record->value[1]);
	sip_restore_registration(
		node->sip, node->started, aor, space + 1, quality, (uint32_t)((record->expires - wall) / 1000));
}

/* ---- events and transport ---- */

static void on_event(struct node *node, instant now, const struct sip_effect *effect)
{
	json_t *event = json_pack("{s:s, s:s*, s:s*, s:s*}", "event", sip_event_text(effect->event), "aor", effect->aor,
		"contact", effect->contact, "call_id", effect->call_id);

	if (event && !hit_is_null(&effect->hit))
		json_object_set_new(event, "hit", node_hit_json(&effect->hit));
	if (event && effect->status)
		json_object_set_new(event, "status", json_integer(effect->status));
	if (event && effect->lifetime_s)
		json_object_set_new(event, "expires_s", json_integer(effect->lifetime_s));
	node_monitor_event(node, now, event);
}

static void on_transport(struct node *node, const struct sip_effect *effect, enum node_effect_kind kind)
{
	struct node_effect out = {
		.kind = kind,
		.local = effect->local,
		.remote = effect->remote,
		.connection = effect->connection,
		.octets = effect->octets.data,
		.length = effect->octets.length,
	};

	node_effects_push(&node->effects, &out);
}

void node_on_sip_effect(struct node *node, instant now, const struct sip_effect *effect)
{
	switch (effect->kind) {
	case SIP_SEND_DATAGRAM:
		on_transport(node, effect, NODE_SIP_DATAGRAM);
		break;
	case SIP_STREAM_CONNECT:
		on_transport(node, effect, NODE_SIP_CONNECT);
		break;
	case SIP_STREAM_SEND:
		on_transport(node, effect, NODE_SIP_STREAM);
		break;
	case SIP_STREAM_CLOSE:
		on_transport(node, effect, NODE_SIP_CLOSE);
		break;
	case SIP_RESOLVE:
		on_resolve(node, now, effect);
		break;
	case SIP_STORE:
		on_store(node, now, effect);
		break;
	case SIP_UNSTORE:
		on_unstore(node, now, effect);
		break;
	case SIP_VERIFY_CALLER:
		on_verify_caller(node, now, effect);
		break;
	case SIP_MEDIA_OPEN:
		on_media_open(node, effect);
		break;
	case SIP_MEDIA_CLOSE:
		on_media_close(node, effect);
		break;
	case SIP_RELAY_OPEN:
	case SIP_RELAY_CLOSE:
		node_on_relay_effect(node, effect);
		break;
	case SIP_PERSIST_REGISTRATION:
		on_persist(node, now, effect);
		break;
	case SIP_EVENT:
		on_event(node, now, effect);
		break;
	}
}
