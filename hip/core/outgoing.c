/* SPDX-License-Identifier: MIT */
#include "hip/core/router_internal.h"

#include "hip/wire/relay_edit.h"

#include <string.h>

void outgoing_start(struct host *host, struct outgoing *out, uint8_t type, const struct hit *receiver)
{
	uint16_t controls = host->configuration.anonymous ? HIP_CONTROL_ANONYMOUS : 0;

	out->type = type;
	out->length = 0;
	packet_builder_start(&out->builder, out->octets, sizeof out->octets, type, controls, &host->self, receiver);
}

struct parameter_host_id own_host_id(const struct host *host)
{
	const struct domain_identifier *name = &host->configuration.name;

	return (struct parameter_host_id){.algorithm = host_identity_algorithm(host->identity),
		.host_identity = host_identity_octets(host->identity),
		.domain_identifier_type = name->type,
		.domain_identifier = {name->octets, name->length}};
}

void outgoing_overlay_covered(struct host *host, struct outgoing *out, const struct data_route *route)
{
	uint32_t id = host->configuration.overlay_id;
	const uint8_t octets[4] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
	struct parameter_route destination;

	parameter_opaque_write(&out->builder, PARAMETER_OVERLAY_ID, (struct span){octets, sizeof octets});
	if (!route || !route->count)
		return;
	destination.flags = route->flags;
	destination.count = route->count;
	memcpy(destination.hits, route->hits, route->count * sizeof route->hits[0]);
	parameter_route_write(&out->builder, PARAMETER_ROUTE_DST, &destination);
}

void outgoing_overlay_uncovered(struct host *host, struct outgoing *out, bool record)
{
	const struct parameter_route via = {.flags = ROUTE_FLAG_SYMMETRIC | ROUTE_FLAG_MUST_FOLLOW};

	parameter_overlay_ttl_write(&out->builder, host->configuration.overlay_ttl);
	if (record)
		parameter_route_write(&out->builder, PARAMETER_ROUTE_VIA, &via);
}

static void echo(struct outgoing *out, const struct incoming *in, uint16_t request, uint16_t response)
{
	const struct parameter_view *asked;
	size_t octets = 0;

	for (size_t nth = 0; in && (asked = packet_find_nth(&in->view, request, nth)); nth++) {
		octets += asked->contents.length;
		if (octets > ECHO_OCTETS_MAXIMUM)
			return;
		parameter_opaque_write(&out->builder, response, asked->contents);
	}
}

void outgoing_echo_signed(struct outgoing *out, const struct incoming *in)
{
	echo(out, in, PARAMETER_ECHO_REQUEST_SIGNED, PARAMETER_ECHO_RESPONSE_SIGNED);
}

void outgoing_echo_unsigned(struct outgoing *out, const struct incoming *in)
{
	echo(out, in, PARAMETER_ECHO_REQUEST_UNSIGNED, PARAMETER_ECHO_RESPONSE_UNSIGNED);
}

static size_t room_of(const struct incoming *in, uint16_t request)
{
	const struct parameter_view *asked;
	size_t octets = 0, room = 0;

	for (size_t nth = 0; in && (asked = packet_find_nth(&in->view, request, nth)); nth++) {
		octets += asked->contents.length;
		room += asked->encoded.length;
	}
	return octets <= ECHO_OCTETS_MAXIMUM ? room : ECHO_OCTETS_MAXIMUM + 8;
}

size_t outgoing_echo_room(const struct incoming *in)
{
	return room_of(in, PARAMETER_ECHO_REQUEST_SIGNED) + room_of(in, PARAMETER_ECHO_REQUEST_UNSIGNED);
}

size_t outgoing_protection_room(const struct host *host)
{
	/* Type, Length, Algorithm and padding come to less than 16. A mobile router on the way adds RELAY_FROM. */
	return HASH_LENGTH_MAXIMUM + 16 + host_identity_signature_length(host->identity) + 16 + RELAYED_ENDPOINT_LENGTH;
}

hiphop_error outgoing_finish(struct outgoing *out)
{
	return packet_builder_finish(&out->builder, &out->length);
}

static hiphop_error parse_built(struct outgoing *out, struct packet_view *view)
{
	hiphop_error error = outgoing_finish(out);

	return error ? error : packet_parse(out->octets, out->length, view);
}

static hiphop_error add_mac(struct outgoing *out, const struct protection *protection)
{
	const struct exchange_keys *keys = protection->keys;
	size_t length = hash_length(keys->rhash);
	uint8_t *place = packet_builder_reserve(&out->builder, protection->mac_type, length);
	struct packet_view view;
	struct coverage coverage;
	hiphop_error error = parse_built(out, &view);

	if (error)
		return error;
	if (protection->mac_type == PARAMETER_HIP_MAC_2)
		error = coverage_of_mac_2(&view, protection->host_id, &coverage);
	else
		error = coverage_of_mac(&view, &coverage);
	if (error)
		return error;
	return hmac_spans(
		keys->rhash, (struct span){keys->outgoing.integrity, length}, coverage.spans, coverage.count, place);
}

static hiphop_error add_signature(struct host *host, struct outgoing *out, uint16_t type)
{
	uint8_t *place = parameter_signature_reserve(&out->builder, type, host_identity_algorithm(host->identity),
		host_identity_signature_length(host->identity));
	struct packet_view view;
	struct coverage coverage;
	hiphop_error error = parse_built(out, &view);

	if (error)
		return error;
	error = type == PARAMETER_HIP_SIGNATURE_2 ? coverage_of_signature_2(&view, &coverage)
						  : coverage_of_signature(&view, &coverage);
	if (error)
		return error;
	return host_identity_sign(host->identity, coverage.spans, coverage.count, place);
}

hiphop_error outgoing_protect(struct host *host, struct outgoing *out, const struct protection *protection)
{
	hiphop_error error = protection->keys ? add_mac(out, protection) : HIPHOP_OK;

	return error ? error : add_signature(host, out, protection->signature_type);
}

void count_out(struct host *host, uint8_t type)
{
	static const struct {
		uint8_t type;
		host_counter counter;
	} counters[] = {
		{HIP_PACKET_I1, HOST_COUNT_I1_OUT},
		{HIP_PACKET_R1, HOST_COUNT_R1_OUT},
		{HIP_PACKET_I2, HOST_COUNT_I2_OUT},
		{HIP_PACKET_R2, HOST_COUNT_R2_OUT},
		{HIP_PACKET_UPDATE, HOST_COUNT_UPDATE_OUT},
		{HIP_PACKET_NOTIFY, HOST_COUNT_NOTIFY_OUT},
		{HIP_PACKET_CLOSE, HOST_COUNT_CLOSE_OUT},
		{HIP_PACKET_CLOSE_ACK, HOST_COUNT_CLOSE_ACK_OUT},
		{HIP_PACKET_DATA, HOST_COUNT_DATA_OUT},
		{HIP_PACKET_UPDATE_PROXY, HOST_COUNT_UPDATE_PROXY_OUT},
	};

	for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
		if (counters[i].type == type)
			count(host, counters[i].counter);
	}
}

static hiphop_error set_checksum(struct host *host, const struct way *way, uint8_t *octets, size_t length)
{
	struct address source, destination;

	if (way->overlay) {
		source = hit_as_address(&host->self);
		destination = hit_as_address(&way->neighbour);
		return packet_set_checksum(octets, length, HIP_CARRIER_ESP, &source, &destination);
	}
	return packet_set_checksum(octets, length,
		way->remote.transport == TRANSPORT_UDP ? HIP_CARRIER_UDP : HIP_CARRIER_IP, &way->local.address,
		&way->remote.address);
}

struct queued_effect *outgoing_effect(struct host *host, const struct way *way, const uint8_t *octets, size_t length)
{
	struct queued_effect *made = effect_make(way->overlay ? HOST_SEND_SEALED : HOST_SEND, length);

	if (!made)
		return NULL;
	memcpy(made->octets, octets, length);
	made->effect.length = length;
	made->effect.local = way->local;
	made->effect.remote = way->remote;
	made->effect.peer = way->neighbour;
	if (set_checksum(host, way, made->octets, length)) {
		effect_discard(made);
		return NULL;
	}
	return made;
}

hiphop_error outgoing_send(struct host *host, const struct way *way, const uint8_t *octets, size_t length)
{
	struct queued_effect *made = outgoing_effect(host, way, octets, length);

	if (!made) {
		count(host, HOST_COUNT_DROP_NO_MEMORY);
		return HIPHOP_NO_MEMORY;
	}
	effects_add(&host->effects, made);
	count_out(host, octets[2] & 0x7f);
	return HIPHOP_OK;
}

bool way_to_endpoint(struct host *host, const struct endpoint *remote, struct way *way)
{
	const struct host_environment *environment = &host->configuration.environment;

	memset(way, 0, sizeof *way);
	way->remote = *remote;
	way->local.transport = remote->transport;
	if (remote->transport == TRANSPORT_UDP)
		way->local.port = host->configuration.port;
	if (!environment->source_address ||
		environment->source_address(environment->context, &remote->address, &way->local.address))
		return true;
	return router_way(host, remote, &way->local);
}

bool way_to_neighbour(struct host *host, const struct hit *neighbour, struct way *way)
{
	const struct association *association = association_find(host, neighbour);

	memset(way, 0, sizeof *way);
	way->overlay = true;
	way->neighbour = *neighbour;
	return association && association_is_neighbour(association);
}

bool way_over_overlay(struct host *host, const struct hit *destination, const struct hit *avoid, struct way *way)
{
	const struct host_environment *environment = &host->configuration.environment;
	struct hit next;

	if (!host->configuration.overlay || !environment->next_hop)
		return false;
	if (environment->next_hop(environment->context, destination, avoid, &next) != OVERLAY_HOP)
		return false;
	if (avoid && hit_equal(&next, avoid))
		return false;
	return way_to_neighbour(host, &next, way);
}

void way_of_arrival(const struct host_arrival *arrival, struct way *way)
{
	memset(way, 0, sizeof *way);
	way->overlay = arrival->inside_esp;
	way->local = arrival->local;
	way->remote = arrival->remote;
	way->neighbour = arrival->neighbour;
}

bool way_back(struct host *host, const struct incoming *in, struct data_route *route, struct way *way)
{
	struct hit first;

	route->count = 0;
	if (!in->overlay) {
		way_of_arrival(in->arrival, way);
		return true;
	}
	relay_route_back(&in->view, &host->self, route);
	first = relay_first_hop(route, &in->arrival->neighbour);
	return way_to_neighbour(host, &first, way);
}

bool way_of_session(struct host *host, const struct association *association, struct way *way)
{
	const struct session *session = association->session;

	if (!session->direct)
		return way_over_overlay(host, &association->peer, &association->peer, way);
	memset(way, 0, sizeof *way);
	way->local = session->local;
	way->remote = session->remote;
	return true;
}
