/* SPDX-License-Identifier: MIT */
/**
 * What tests of paths need beside host_network.h: views of paths, and UPDATEs of a peer that says what it likes, under
 * its true keys.
 */
#ifndef HIPHOP_TESTS_MOBILE_NETWORK_H
#define HIPHOP_TESTS_MOBILE_NETWORK_H

#include "forge.h"

/* ---- views ---- */

static inline struct endpoint mobile_endpoint(const char *text)
{
	struct endpoint endpoint = {.port = 10500, .transport = TRANSPORT_UDP};

	assert_int_equal(address_parse(text, &endpoint.address), HIPHOP_OK);
	return endpoint;
}

static inline struct session *mobile_session(struct network *network, size_t a, size_t b)
{
	struct association *association = association_find(network->hosts[a].host, &network->hosts[b].hit);

	assert_non_null(association);
	assert_non_null(association->session);
	return association->session;
}

static inline size_t mobile_path_count(struct network *network, size_t a, size_t b)
{
	struct host_path_view view;
	size_t count = 0;

	while (host_path_at(network->hosts[a].host, &network->hosts[b].hit, count, &view))
		count++;
	return count;
}

/** The path of `a` to `b` by these addresses ("": any); false when there is none. */
static inline bool mobile_path(
	struct network *network, size_t a, size_t b, const char *local, const char *remote, struct host_path_view *view)
{
	for (size_t i = 0; host_path_at(network->hosts[a].host, &network->hosts[b].hit, i, view); i++) {
		char text[ENDPOINT_TEXT_SIZE];

		if (*local && strcmp(address_format(&view->local.address, text), local) != 0)
			continue;
		if (!*remote || strcmp(address_format(&view->remote.address, text), remote) == 0)
			return true;
	}
	return false;
}

/** The state of that path, or "" when there is none. */
static inline const char *mobile_state(
	struct network *network, size_t a, size_t b, const char *local, const char *remote)
{
	struct host_path_view view;

	return mobile_path(network, a, b, local, remote, &view) ? view.state : "";
}

/** Where ESP of `a` to `b` goes: addresses of the data plane, of the session and of the current path are the same. */
static inline void mobile_goes(struct network *network, size_t a, size_t b, const char *local, const char *remote)
{
	const struct host_sa *sa = network_outbound(&network->hosts[a], &network->hosts[b].hit);
	const struct session *session = mobile_session(network, a, b);
	struct host_path_view view;
	char text[ENDPOINT_TEXT_SIZE];

	assert_non_null(sa);
	assert_string_equal(address_format(&sa->remote.address, text), remote);
	assert_string_equal(address_format(&sa->local.address, text), local);
	assert_true(endpoint_equal(&session->remote, &sa->remote));
	assert_true(address_equal(&session->local.address, &sa->local.address));
	assert_true(mobile_path(network, a, b, local, remote, &view));
	assert_true(view.current);
}

/** Whether the data plane sends to where nobody has answered yet. */
static inline bool mobile_is_unverified(struct network *network, size_t a, size_t b)
{
	return network_outbound(&network->hosts[a], &network->hosts[b].hit)->route.unverified;
}

/* ---- UPDATEs ---- */

static inline struct locator mobile_locator(const char *text, bool preferred)
{
	struct locator locator = {.lifetime = 3600,
		.port = 10500,
		.protocol = 17,
		.type = LOCATOR_TYPE_TRANSPORT_ADDRESS,
		.priority = 126U << 24,
		.preferred = preferred};

	assert_int_equal(address_parse(text, &locator.address), HIPHOP_OK);
	return locator;
}

/** A set of addresses, with spaces between them, the first one preferred. */
static inline struct parameter_locator_set mobile_set(const char *text)
{
	struct parameter_locator_set set = {0};
	char copy[512], *rest = NULL;

	snprintf(copy, sizeof copy, "%s", text);
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		struct locator locator = mobile_locator(word, false);

		locator.priority -= (uint32_t)set.count << 8;
		set.items[set.count++] = locator;
	}
	return set;
}

/** What an UPDATE has. */
struct update {
	bool has_seq, has_ack;
	uint32_t seq, ack;
	const struct parameter_locator_set *set;
	struct span raw; /* contents of a LOCATOR_SET instead */
	const struct parameter_esp_info *esp_info;
	struct span request, response; /* ECHO, signed */
};

/** The next Update ID of `a` to `b`, which is taken. */
static inline uint32_t mobile_next_id(struct network *network, size_t a, size_t b)
{
	return mobile_session(network, a, b)->own_update++;
}

static inline void mobile_write(struct packet_builder *builder, const struct update *update)
{
	const struct parameter_sequence_list acks = {.count = 1, .items = {update->ack}};

	if (update->esp_info)
		parameter_esp_info_write(builder, update->esp_info);
	if (update->set)
		parameter_locator_set_write(builder, update->set);
	if (update->raw.data)
		packet_builder_add(builder, PARAMETER_LOCATOR_SET, update->raw.data, update->raw.length);
	if (update->has_seq)
		parameter_number_write(builder, PARAMETER_SEQ, update->seq);
	if (update->has_ack)
		parameter_sequence_list_write(builder, PARAMETER_ACK, &acks);
	if (update->request.data)
		parameter_opaque_write(builder, PARAMETER_ECHO_REQUEST_SIGNED, update->request);
	if (update->response.data)
		parameter_opaque_write(builder, PARAMETER_ECHO_RESPONSE_SIGNED, update->response);
}

/** An UPDATE of `from` to `to`, between the addresses that these have. */
static inline void mobile_update(
	struct network *network, size_t from, size_t to, const struct update *update, struct flying *made)
{
	struct host *host = network->hosts[from].host;
	const struct protection protection = session_protection(mobile_session(network, from, to));
	static struct outgoing out;

	outgoing_start(host, &out, HIP_PACKET_UPDATE, &network->hosts[to].hit);
	mobile_write(&out.builder, update);
	assert_int_equal(outgoing_protect(host, &out, &protection), HIPHOP_OK);
	assert_int_equal(outgoing_finish(&out), HIPHOP_OK);
	*made = (struct flying){.from = from,
		.source = network_endpoint(network, from),
		.destination = network_endpoint(network, to),
		.length = out.length};
	memcpy(made->octets, out.octets, out.length);
}

/** It arrives now, from `source`; NULL: from where it says. */
static inline void mobile_arrive(
	struct network *network, size_t to, const struct flying *packet, const struct endpoint *source)
{
	const struct host_arrival arrival = {.local = packet->destination, .remote = source ? *source : packet->source};

	NETWORK_CALL(host_input(network->hosts[to].host, network->now, &arrival, packet->octets, packet->length));
	network_drain(network, &network->hosts[to]);
}

/** An UPDATE with these locators arrives at `to` from where `from` is. Returns its Update ID. */
static inline uint32_t mobile_claim(
	struct network *network, size_t from, size_t to, const struct parameter_locator_set *set)
{
	const struct update update = {.has_seq = true, .seq = mobile_next_id(network, from, to), .set = set};
	struct flying packet;

	mobile_update(network, from, to, &update, &packet);
	mobile_arrive(network, to, &packet, NULL);
	return update.seq;
}

/* ---- what goes where ---- */

/** HIP packets of one host to one address: they are counted and lost. */
struct mobile_tally {
	size_t from;
	struct address to;
	unsigned packets;
	size_t octets;
};

static inline packet_fate mobile_count(struct network *network, struct flying *packet)
{
	struct mobile_tally *tally = network->fate_context;

	if (packet->from != tally->from || packet->sealed || !address_equal(&packet->destination.address, &tally->to))
		return FATE_PASS;
	tally->packets++;
	tally->octets += packet->length;
	return FATE_LOSE;
}

static inline void mobile_watch(struct network *network, struct mobile_tally *tally, size_t from, const char *to)
{
	*tally = (struct mobile_tally){.from = from};
	assert_int_equal(address_parse(to, &tally->to), HIPHOP_OK);
	network->fate = mobile_count;
	network->fate_context = tally;
}

#endif
