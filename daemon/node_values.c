/* SPDX-License-Identifier: MIT */
/**
 * `hiphop put` and `hiphop get`: signed values under the private Kind of dictionaries keyed by the writer's HIT.
 */
#include "daemon/node_internal.h"
#include "daemon/node_commands.h"

#include <string.h>

#define VALUE_LIFETIME_S 86400

static void on_restored(
	struct node *node, instant now, struct node_request *request, const struct overlay_result *result)
{
	(void)now;
	if (result && result->error)
		log_write(node->log, LOG_LEVEL_WARNING, "the value of '%s' could not be stored again yet: %s",
			request->name, hiphop_error_text(result->error));
}

static hiphop_error begin_store(struct node *node, instant now, struct node_request *request, const char *key,
	const uint8_t *value, size_t length)
{
	struct hit resource;
	hiphop_error error = overlay_resource_id_of_name(node->overlay, key, &resource);

	snprintf(request->name, sizeof(request->name), "%s", key);
	if (!error)
		error = overlay_store(node->overlay, now, node_wall(node, now), request->token, OVERLAY_KIND_PUT,
			&resource, value, length, VALUE_LIFETIME_S, true);
	return error;
}

hiphop_error node_value_store(struct node *node, instant now, const char *key, const uint8_t *value, size_t length)
{
	struct node_request *request = node_request_add(node, on_restored, 0);
	hiphop_error error;

	if (!request)
		return HIPHOP_NO_MEMORY;
	error = begin_store(node, now, request, key, value, length);
	if (error)
		node_request_drop(node, request);
	return error;
}

/* ---- put ---- */

static void on_put(struct node *node, instant now, struct node_request *request, const struct overlay_result *result)
{
	json_t *holders;

	(void)now;
	if (!result)
		return;
	if (result->error) {
		node_reply_error(node, request->client, result->error, "The value could not be stored");
		return;
	}
	/* Kept only now, so that a value that was refused does not come back after a restart. */
	node_persist(node, "value", request->name, request->value.data, request->value.length, 0);
	holders = json_array();
	if (!hit_is_null(&result->answering))
		json_array_append_new(holders, node_hit_json(&result->answering));
	for (size_t i = 0; i < result->path_length; i++)
		json_array_append_new(holders, node_hit_json(&result->path[i]));
	node_reply(node, request->client,
		json_pack("{s:b, s:s, s:o, s:i}", "ok", 1, "key", request->name, "holders", holders, "expires_s",
			VALUE_LIFETIME_S),
		true);
}

void node_command_put(struct node *node, instant now, uint64_t token, json_t *command)
{
	const char *key = json_string_value(json_object_get(command, "key"));
	json_t *value = json_object_get(command, "value");
	struct node_request *request;
	hiphop_error error;

	if (!key || !*key || strlen(key) >= CONFIGURATION_TEXT || !json_is_string(value)) {
		node_reply_malformed(node, token, "put needs a key of 1 to 255 octets and a value");
		return;
	}
	request = node_request_add(node, on_put, token);
	error = request ? buffer_copy(&request->value, json_string_value(value), json_string_length(value))
			: HIPHOP_NO_MEMORY;
	if (!error)
		error = begin_store(node, now, request, key, request->value.data, request->value.length);
	if (error) {
		if (request)
			node_request_drop(node, request);
		node_reply_error(node, token, error, "The value could not be stored");
	}
}

/* ---- get ---- */

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static json_t *base64(const uint8_t *data, size_t length)
{
	char text[(OVERLAY_VALUE_MAXIMUM + 2) / 3 * 4];
	size_t position = 0;

	for (size_t i = 0; i < length; i += 3) {
		uint32_t group = (uint32_t)data[i] << 16;

		if (i + 1 < length)
			group |= (uint32_t)data[i + 1] << 8;
		if (i + 2 < length)
			group |= data[i + 2];
		text[position++] = base64_digits[group >> 18];
		text[position++] = base64_digits[group >> 12 & 63];
		text[position++] = i + 1 < length ? base64_digits[group >> 6 & 63] : '=';
		text[position++] = i + 2 < length ? base64_digits[group & 63] : '=';
	}
	return json_stringn(text, position);
}

static json_t *value_json(const struct overlay_value *value)
{
	json_t *object = json_object();
	json_t *text = value->length ? json_stringn((const char *)value->value, value->length) : json_string("");

	if (text)
		json_object_set_new(object, "value", text);
	else if (value->length <= OVERLAY_VALUE_MAXIMUM)
		json_object_set_new(object, "value_base64", base64(value->value, value->length));
	json_object_set_new(object, "writer", node_hit_json(&value->owner));
	json_object_set_new(object, "expires_s", json_integer(value->lifetime_s));
	return object;
}

static void on_get(struct node *node, instant now, struct node_request *request, const struct overlay_result *result)
{
	json_t *values;

	(void)now;
	if (!result)
		return;
	if (result->error) {
		node_reply_error(node, request->client, result->error, "No value was found");
		return;
	}
	values = json_array();
	for (size_t i = 0; i < result->value_count; i++)
		json_array_append_new(values, value_json(&result->values[i]));
	node_reply(node, request->client,
		json_pack("{s:b, s:s, s:o, s:b, s:o}", "ok", 1, "key", request->name, "values", values, "partial",
			result->partial, "holder",
			hit_is_null(&result->answering) ? json_null() : node_hit_json(&result->answering)),
		true);
}

void node_command_get(struct node *node, instant now, uint64_t token, json_t *command)
{
	const char *key = json_string_value(json_object_get(command, "key"));
	struct node_request *request;
	struct hit resource;
	hiphop_error error;

	if (!key || !*key || strlen(key) >= CONFIGURATION_TEXT) {
		node_reply_malformed(node, token, "get needs a key of 1 to 255 octets");
		return;
	}
	request = node_request_add(node, on_get, token);
	error = request ? overlay_resource_id_of_name(node->overlay, key, &resource) : HIPHOP_NO_MEMORY;
	if (!error) {
		snprintf(request->name, sizeof(request->name), "%s", key);
		error = overlay_fetch(node->overlay, now, request->token, OVERLAY_KIND_PUT, &resource);
	}
	if (error) {
		if (request)
			node_request_drop(node, request);
		node_reply_error(node, token, error, "The value could not be fetched");
	}
}
