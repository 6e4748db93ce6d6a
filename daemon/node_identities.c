/* SPDX-License-Identifier: MIT */
#include "daemon/node_identities.h"

#include "daemon/identity_kind.h"
#include "daemon/node_internal.h"
#include "hip/base/bytes.h"
#include "hip/wire/constants.h"

#include <string.h>

/* ---- life ---- */

static hiphop_error create_local(struct node *node, const struct host_identity *identity,
	const struct configured_identity *entry, struct local_identity *local)
{
	const struct random_source *random = node->environment.random;
	hiphop_error error;

	*local = (struct local_identity){
		.node = node, .identity = identity, .entry = entry, .hit = *host_identity_hit(identity)};
	error = esp_create(&local->hit, random, &local->esp);
	return error ? error : miss_queue_create(random, &local->misses);
}

hiphop_error node_locals_create(struct node *node, const struct node_environment *environment)
{
	const struct configuration *configuration = node->configuration;
	hiphop_error error = create_local(node, environment->identity, NULL, &node->locals[0]);

	node->local_count = 1;
	for (size_t i = 0; i < configuration->more_count && !error; i++)
		error = create_local(
			node, environment->more[i], &configuration->more[i], &node->locals[node->local_count++]);
	node->esp = node->locals[0].esp;
	node->misses = node->locals[0].misses;
	return error;
}

void node_locals_free(struct node *node)
{
	for (size_t i = 0; i < node->local_count; i++) {
		host_free(node->locals[i].host);
		esp_free(node->locals[i].esp);
		miss_queue_free(node->locals[i].misses);
	}
}

bool local_is_first(const struct local_identity *local)
{
	return !local->entry;
}

bool local_is_anonymous(const struct local_identity *local)
{
	return local->entry && local->entry->anonymous;
}

const struct domain_identifier *local_name(const struct local_identity *local)
{
	return local->entry ? &local->entry->name : &local->node->configuration->name;
}

/* ---- whose packet it is ---- */

struct local_identity *node_local_by_hit(struct node *node, const struct hit *hit)
{
	for (size_t i = 0; i < node->local_count; i++) {
		if (hit_equal(&node->locals[i].hit, hit))
			return &node->locals[i];
	}
	return NULL;
}

struct local_identity *node_local_of_source(struct node *node, struct packet *packet)
{
	struct reader reader = reader_over(packet_data(packet), packet->length);
	struct local_identity *local;
	struct hit source;

	reader_skip(&reader, 8);
	reader_copy(&reader, source.octets, HIT_LENGTH);
	local = reader_status(&reader) ? NULL : node_local_by_hit(node, &source);
	return local ? local : &node->locals[0];
}

struct local_identity *node_local_of_esp(struct node *node, struct packet *packet)
{
	struct reader reader = reader_over(packet_data(packet), packet->length);
	uint32_t spi = reader_u32(&reader);

	for (size_t i = 1; i < node->local_count; i++) {
		if (esp_has_spi(node->locals[i].esp, spi))
			return &node->locals[i];
	}
	return &node->locals[0];
}

/* RSA is what every host has to know (RFC 7401 sections 5.2.10 and 6.7 step 5). */
static struct local_identity *local_of_suite(struct node *node, uint8_t suite)
{
	for (size_t i = 0; i < node->local_count; i++) {
		if (!local_is_anonymous(&node->locals[i]) && hit_suite(&node->locals[i].hit) == suite)
			return &node->locals[i];
	}
	return suite == HIT_SUITE_RSA_DSA_SHA256 ? &node->locals[0] : local_of_suite(node, HIT_SUITE_RSA_DSA_SHA256);
}

static struct local_identity *local_that_knows(struct node *node, const struct hit *peer)
{
	struct host_association_view view;

	for (size_t i = 0; i < node->local_count; i++) {
		if (host_association_find(node->locals[i].host, peer, &view))
			return &node->locals[i];
	}
	return &node->locals[0];
}

struct local_identity *node_local_of_hip(struct node *node, const uint8_t *packet, size_t length)
{
	struct reader reader = reader_over(packet, length);
	struct local_identity *local;
	struct hit sender, receiver;
	uint8_t type;

	if (node->local_count == 1)
		return &node->locals[0];
	reader_skip(&reader, 2);
	type = reader_u8(&reader) & 0x7f;
	reader_skip(&reader, 5);
	reader_copy(&reader, sender.octets, HIT_LENGTH);
	reader_copy(&reader, receiver.octets, HIT_LENGTH);
	if (reader_status(&reader))
		return &node->locals[0];
	if (hit_is_null(&receiver) && type == HIP_PACKET_I1)
		return local_of_suite(node, hit_suite(&sender));
	if (hit_is_null(&receiver))
		return local_that_knows(node, &sender);
	local = node_local_by_hit(node, &receiver);
	return local ? local : &node->locals[0];
}

bool node_spi_is_taken(const struct local_identity *local, uint32_t spi)
{
	const struct node *node = local->node;

	for (size_t i = 0; i < node->local_count; i++) {
		const struct local_identity *other = &node->locals[i];

		/* While the node is made, not all of them have a host. */
		if (other != local && other->host && (host_has_spi(other->host, spi) || esp_has_spi(other->esp, spi)))
			return true;
	}
	return false;
}

/* ---- associations of those after the first ---- */

/* The first identity is told of locators by the overlay and by peers. What is learnt last counts as the best. */
static void learn_from_first(struct local_identity *local, const struct hit *peer)
{
	struct endpoint known[HOST_LOCATORS_MAXIMUM];
	size_t count = host_locators(local->node->host, peer, known, HOST_LOCATORS_MAXIMUM);
	struct host_association_view view;

	while (count-- > 0)
		host_learn_locator(local->host, peer, &known[count], false);
	if (host_association_find(local->node->host, peer, &view) && view.usable)
		host_learn_locator(local->host, peer, &view.remote, false);
}

hiphop_error node_local_connect(struct local_identity *local, instant now, const struct hit *peer)
{
	hiphop_error error;

	if (!local_is_first(local))
		learn_from_first(local, peer);
	error = host_connect(local->host, now, peer);
	if (error != HIPHOP_NOT_FOUND || local_is_first(local) || local_is_anonymous(local))
		return error;
	/* The first finds it in the overlay, or not: node_locals_follow. */
	return host_connect(local->node->host, now, peer);
}

static bool is_under_way(const struct local_identity *local, const struct hit *peer)
{
	struct host_association_view view;

	return host_association_find(local->host, peer, &view) &&
	       (view.state == HOST_I1_SENT || view.state == HOST_I2_SENT);
}

static void follow(struct local_identity *local, instant now, const struct hit *peer, bool usable)
{
	hiphop_error error;

	if (!miss_queue_has(local->misses, peer) || is_under_way(local, peer))
		return;
	learn_from_first(local, peer);
	error = usable ? host_connect(local->host, now, peer) : HIPHOP_NOT_FOUND;
	if (error)
		node_drop_misses(local, peer, error == HIPHOP_REFUSED);
}

void node_locals_follow(struct node *node, instant now, const struct hit *peer, bool usable)
{
	for (size_t i = 1; i < node->local_count; i++)
		follow(&node->locals[i], now, peer, usable);
}

/* ---- views ---- */

json_t *node_local_json(const struct local_identity *local)
{
	char kind[IDENTITY_KIND_SIZE];

	return json_pack("{s:o, s:s, s:o, s:b}", "hit", node_hit_json(&local->hit), "algorithm",
		identity_kind_name(local->identity, kind), "name", node_name_json(local_name(local)), "anonymous",
		local_is_anonymous(local));
}

json_t *node_locals_json(const struct node *node)
{
	json_t *list = json_array();

	for (size_t i = 0; i < node->local_count; i++)
		json_array_append_new(list, node_local_json(&node->locals[i]));
	return list;
}
