/* SPDX-License-Identifier: MIT */
/**
 * The way of packets through the node: underlay → framing → HIP host or ESP → access → tunnel, and tunnel → access →
 * ESP → framing → underlay. Vectors are worked on in place.
 */
#include "daemon/icmp_error.h"
#include "daemon/node_internal.h"
#include "daemon/node_router.h"

#include "hip/base/bytes.h"
#include "hip/wire/framing.h"

#include <string.h>

#define IPV6_HEADER_LENGTH 40
#define HIP_MARKER_LENGTH  4

/* ---- out ---- */

/* ESP goes into UDP as it is (RFC 9028 section 5.3), or into IP protocol 50. */
static void frame_esp(struct packet *packet)
{
	if (packet->kind == PACKET_ESP && packet->remote.transport == TRANSPORT_UDP)
		packet->kind = PACKET_DATAGRAM;
}

/* A HIP packet goes into UDP behind four zero octets (RFC 9028 section 5.1), or into IP protocol 139. */
static void frame_hip(struct packet *packet)
{
	if (packet->remote.transport != TRANSPORT_UDP) {
		packet->kind = PACKET_HIP;
		return;
	}
	packet->offset = (uint16_t)(packet->offset - HIP_MARKER_LENGTH);
	packet->length = (uint16_t)(packet->length + HIP_MARKER_LENGTH);
	memset(packet_data(packet), 0, HIP_MARKER_LENGTH);
	packet->kind = PACKET_DATAGRAM;
}

void node_send_clear(struct node *node, const struct host_effect *effect)
{
	struct packet *packet = node_effects_packet(&node->effects, NODE_UNDERLAY_SEND);

	if (!packet || packet_fill(packet, PACKET_HIP, effect->octets, effect->length))
		return;
	packet->local = effect->local;
	packet->remote = effect->remote;
	frame_hip(packet);
}

void node_send_icmp(struct node *node, const struct host_effect *effect)
{
	struct packet *packet = node_effects_packet(&node->effects, NODE_UNDERLAY_SEND);

	if (!packet || packet_fill(packet, PACKET_ICMP, effect->octets, effect->length))
		return;
	packet->local = effect->local;
	packet->remote = effect->remote;
}

void node_send_sealed(struct local_identity *local, instant now, const struct host_effect *effect)
{
	struct packet *packet = node_effects_packet(&local->node->effects, NODE_UNDERLAY_SEND);

	if (!packet || packet_fill(packet, PACKET_CONTROL, effect->octets, effect->length))
		return;
	packet->peer = effect->peer;
	esp_seal_packet(local->esp, now, packet);
	frame_esp(packet);
}

void node_send_probe(struct local_identity *local, instant now, const struct host_effect *effect)
{
	struct packet *packet = node_effects_packet(&local->node->effects, NODE_UNDERLAY_SEND);

	if (!packet || packet_fill(packet, PACKET_PROBE, effect->octets, effect->length))
		return;
	packet->peer = effect->peer;
	packet->local = effect->local;
	packet->remote = effect->remote;
	esp_seal_packet(local->esp, now, packet);
	frame_esp(packet);
}

void node_move_sa(struct local_identity *local, instant now, const struct host_effect *effect)
{
	const struct host_route *wanted = &effect->sa->route;
	struct esp_route route = {.first = {effect->local, effect->remote},
		.unverified = wanted->unverified,
		.use = (esp_ways_use)wanted->use,
		.more_count = wanted->more_count};
	struct hit peer = effect->peer;

	_Static_assert(HOST_MORE_WAYS == ESP_MORE_WAYS && (int)HOST_PATHS_SPREAD == (int)ESP_WAYS_SPREAD &&
			       (int)HOST_PATHS_DUPLICATE == (int)ESP_WAYS_DUPLICATE,
		"a route of the host is one of ESP");
	for (size_t i = 0; i < wanted->more_count; i++)
		route.more[i] = (struct esp_way){wanted->more[i].local, wanted->more[i].remote};
	if (esp_set_route(local->esp, effect->sa->spi_in, &route) == HIPHOP_OK && !route.unverified)
		node_flush_misses(local, now, &peer);
}

/* A second copy by another path, which the peer's anti-replay window drops when it comes second (RFC 4303
 * section 3.4.3).
 */
static void copy_packet(const struct local_identity *local, struct packet *packet)
{
	struct packet *copy;
	struct esp_way way;

	if (packet->kind != PACKET_ESP || !packet->copy || !esp_copy_way(local->esp, packet, &way))
		return;
	copy = node_effects_packet(&local->node->effects, NODE_UNDERLAY_SEND);
	if (!copy || packet_fill(copy, PACKET_ESP, packet_data(packet), packet->length))
		return;
	copy->local = way.local;
	copy->remote = way.remote;
	frame_esp(copy);
}

/* Lets a packet wait, and has an association made. */
static void wait_for_association(struct local_identity *local, instant now, struct packet *packet)
{
	struct hit peer = packet->peer;
	hiphop_error error;

	miss_queue_add(local->misses, &peer, packet_data(packet), packet->length);
	packet->kind = PACKET_DROPPED;
	error = node_local_connect(local, now, &peer);
	if (error && error != HIPHOP_EXISTS)
		node_drop_misses(local, &peer, error == HIPHOP_REFUSED);
}

static void seal_or_wait(struct node *node, instant now, struct packet *packet)
{
	struct local_identity *local = node_local_of_source(node, packet);

	esp_seal_packet(local->esp, now, packet);
	if (packet->kind == PACKET_MISS)
		wait_for_association(local, now, packet);
	copy_packet(local, packet);
	frame_esp(packet);
}

void node_send_inner(struct node *node, instant now, const uint8_t *octets, size_t length)
{
	struct packet *packet = node_effects_packet(&node->effects, NODE_UNDERLAY_SEND);

	if (packet && !packet_fill(packet, PACKET_INNER, octets, length))
		seal_or_wait(node, now, packet);
}

static struct hit inner_destination(const uint8_t *packet)
{
	struct hit destination;

	memcpy(destination.octets, packet + 24, HIT_LENGTH);
	return destination;
}

void node_flush_misses(struct local_identity *local, instant now, const struct hit *peer)
{
	/* One packet at a time through the vector of the node, since that is where they must end up. */
	size_t waiting = MISS_QUEUE_PACKETS;

	while (waiting) {
		struct packet *packet = node_effects_packet(&local->node->effects, NODE_UNDERLAY_SEND);

		if (!packet || !miss_queue_take_one(local->misses, peer, packet))
			break;
		esp_seal_packet(local->esp, now, packet);
		frame_esp(packet);
		waiting--;
	}
}

/* ---- errors for packets that cannot be delivered ---- */

void node_drop_misses(struct local_identity *local, const struct hit *peer, bool prohibited)
{
	struct packet *waiting = node_effects_packet(&local->node->effects, NODE_TUNNEL_WRITE);

	/* One error for the oldest packet is enough: it reaches the application that asked first. */
	if (waiting && miss_queue_take_one(local->misses, peer, waiting)) {
		uint8_t copy[1280];
		size_t length = waiting->length < sizeof(copy) ? waiting->length : sizeof(copy);
		const uint8_t *about;

		memcpy(copy, packet_data(waiting), length);
		packet_reset(waiting);
		about = node_prefixes_unwrapped(local->node, copy, &length);
		if (icmp_error_may_answer(about, length))
			icmp_error_write(
				waiting, prohibited ? ICMP_ERROR_PROHIBITED : ICMP_ERROR_ADDRESS, 0, about, length);
	}
	miss_queue_drop(local->misses, peer);
}

/* ---- out: what the applications send ---- */

/* A packet that the rules forbid goes back to its application as an error. */
static void refuse_outbound(struct node *node, instant now, struct packet *packet, const struct access_refusal *refusal)
{
	const uint8_t *about = packet_data(packet);
	struct packet *answer;

	node_tell_refusal(node, now, refusal);
	packet->kind = PACKET_DROPPED;
	answer = icmp_error_may_answer(about, packet->length) ? node_effects_packet(&node->effects, NODE_TUNNEL_WRITE)
							      : NULL;
	if (answer)
		icmp_error_write(answer, ICMP_ERROR_PROHIBITED, 0, about, packet->length);
}

/* Holds what leaves against the rules, and notes its flow, so that its answers pass. What goes from or to a prefix is
 * then put into a packet between the HITs. */
static void refuse_flow(struct node *node, instant now, struct packet *packet)
{
	struct access_refusal refusal;
	struct prefix_way way = {0};
	bool carried = node_prefixes_take(node, packet, &way);

	if (packet->kind != PACKET_INNER)
		return;
	if (!carried && packet->length >= IPV6_HEADER_LENGTH)
		way.to = inner_destination(packet_data(packet));
	if (hit_has_orchid_prefix(&way.to) &&
		!access_outbound(node->access, now, &way.to, packet_data(packet), packet->length, &refusal))
		refuse_outbound(node, now, packet, &refusal);
	else if (carried)
		prefix_tunnel_wrap(&node->prefixes->tunnel, packet, &way);
}

static void refuse_flows(struct node *node, instant now, struct packet_vector *vector)
{
	for (size_t i = 0; i < vector->count; i++) {
		if (vector->packets[i].kind == PACKET_INNER)
			refuse_flow(node, now, &vector->packets[i]);
	}
}

static void seal(struct local_identity *local, instant now, struct packet *packet)
{
	esp_seal_packet(local->esp, now, packet);
	copy_packet(local, packet);
}

/* Each packet by the identity that it comes from. */
static void seal_all(struct node *node, instant now, struct packet_vector *vector)
{
	for (size_t i = 0; i < vector->count; i++) {
		struct packet *packet = &vector->packets[i];

		if (packet->kind == PACKET_INNER)
			seal(node->local_count == 1 ? &node->locals[0] : node_local_of_source(node, packet), now,
				packet);
	}
}

void node_input_tunnel(struct node *node, instant now, struct packet_vector *vector)
{
	struct node_effect effect = {.kind = NODE_UNDERLAY_SEND, .vector = vector};

	refuse_flows(node, now, vector);
	seal_all(node, now, vector);
	/* Before those are looked at that found no SA, or one at its end. */
	if (node_note_sas(node, now))
		node_pump(node, now);
	for (size_t i = 0; i < vector->count; i++) {
		struct packet *packet = &vector->packets[i];

		if (packet->kind == PACKET_MISS)
			wait_for_association(node_local_of_source(node, packet), now, packet);
		frame_esp(packet);
	}
	node_effects_push(&node->effects, &effect);
	node_pump(node, now);
}

/* ---- SAs ---- */

static void hand_on(struct host *host, instant now, const struct esp_notice *notice)
{
	switch (notice->kind) {
	case ESP_NOTICE_HEARD:
		host_note_sa(host, now, notice->spi_in, HOST_SA_HEARD);
		break;
	case ESP_NOTICE_SOFT:
		host_note_sa(host, now, notice->spi_in, HOST_SA_SOFT_LIMIT);
		break;
	case ESP_NOTICE_HARD:
		host_note_sa(host, now, notice->spi_in, HOST_SA_HARD_LIMIT);
		break;
	case ESP_NOTICE_SENDS:
		host_note_sa(host, now, notice->spi_in, HOST_SA_SENDS);
		break;
	case ESP_NOTICE_ELSEWHERE:
		host_note_elsewhere(host, now, notice->spi_in, &notice->way.local, &notice->way.remote);
		break;
	case ESP_NOTICE_RESUMED:
		host_note_resumed(host, now, notice->spi_in, notice->gap);
		break;
	}
}

static bool note_sas(struct local_identity *local, instant now)
{
	struct esp_notice notice;
	bool any = false;

	while (esp_next_notice(local->esp, &notice)) {
		hand_on(local->host, now, &notice);
		any = true;
	}
	return any;
}

bool node_note_sas(struct node *node, instant now)
{
	bool any = false;

	for (size_t i = 0; i < node->local_count; i++)
		any |= note_sas(&node->locals[i], now);
	return any;
}

/* ---- in ---- */

static void host_input_clear(
	struct node *node, instant now, const struct packet *packet, const uint8_t *octets, size_t length)
{
	struct host_arrival arrival = {.local = packet->local, .remote = packet->remote};

	host_input(node_local_of_hip(node, octets, length)->host, now, &arrival, octets, length);
	/* At once: an R2 installs the SA that the ESP behind it in the same vector needs. */
	node_pump(node, now);
}

/* Takes the UDP framing off: what is HIP goes to the host, ESP stays in the vector. */
static void unframe(struct node *node, instant now, struct packet *packet)
{
	struct span hip;

	switch (framing_classify(packet_data(packet), packet->length, &hip)) {
	case FRAMING_HIP:
		host_input_clear(node, now, packet, hip.data, hip.length);
		packet->kind = PACKET_DROPPED;
		break;
	case FRAMING_ESP:
		packet->kind = PACKET_ESP;
		break;
	default:
		packet->kind = PACKET_DROPPED;
	}
}

static void take_hip_packets(struct node *node, instant now, struct packet_vector *vector)
{
	for (size_t i = 0; i < vector->count; i++) {
		struct packet *packet = &vector->packets[i];

		if (packet->kind == PACKET_DATAGRAM) {
			unframe(node, now, packet);
		} else if (packet->kind == PACKET_HIP) {
			host_input_clear(node, now, packet, packet_data(packet), packet->length);
			packet->kind = PACKET_DROPPED;
		}
	}
}

static void take_control(struct local_identity *local, instant now, struct packet *packet)
{
	struct host_arrival arrival = {.inside_esp = true, .neighbour = packet->peer};

	host_input(local->host, now, &arrival, packet_data(packet), packet->length);
	node_pump(local->node, now);
	packet->kind = PACKET_DROPPED;
}

static void take_probe(struct local_identity *local, instant now, struct packet *packet)
{
	host_probe_input(local->host, now, &packet->peer, &packet->local, &packet->remote, packet_data(packet));
	packet->kind = PACKET_DROPPED;
}

static void take_inner(struct node *node, instant now, struct packet *packet)
{
	struct access_refusal refusal;

	if (node_ping_input(node, now, &packet->peer, packet_data(packet), packet->length) ||
		!node_prefixes_unwrap(node, packet)) {
		packet->kind = PACKET_DROPPED;
	} else if (!access_inbound(node->access, now, &packet->peer, packet_data(packet), packet->length, &refusal)) {
		node_tell_refusal(node, now, &refusal);
		packet->kind = PACKET_DROPPED;
	}
}

/* A peer from before a restart may have known any identity; an anonymous one is new since then. */
static void take_unknown_spi(struct node *node, instant now, struct packet *packet)
{
	struct reader reader = reader_over(packet_data(packet), packet->length);
	uint32_t spi = reader_u32(&reader);

	packet->kind = PACKET_DROPPED;
	for (size_t i = 0; i < node->local_count; i++) {
		/* Of an exchange under way: this packet has overtaken its R2. */
		if (host_has_spi(node->locals[i].host, spi))
			return;
	}
	for (size_t i = 0; i < node->local_count; i++) {
		if (!local_is_anonymous(&node->locals[i]))
			host_unknown_spi(node->locals[i].host, now, &packet->local, &packet->remote, spi);
	}
	host_unmatched_esp(node->host, now, &packet->local, &packet->remote, packet_data(packet), packet->length);
}

/* Opens the ESP packets of a vector; `locals` are then the identities that they were for. */
static void open_all(struct node *node, instant now, struct packet_vector *vector,
	struct local_identity *locals[static PACKET_VECTOR_MAXIMUM])
{
	for (size_t i = 0; i < vector->count; i++) {
		struct packet *packet = &vector->packets[i];

		locals[i] = node->local_count == 1 ? &node->locals[0] : node_local_of_esp(node, packet);
		esp_open_packet(locals[i]->esp, now, packet);
	}
}

void node_input_underlay(struct node *node, instant now, struct packet_vector *vector)
{
	struct node_effect effect = {.kind = NODE_TUNNEL_WRITE, .vector = vector};
	struct local_identity *locals[PACKET_VECTOR_MAXIMUM];

	take_hip_packets(node, now, vector);
	node_router_forward(node, now, vector);
	open_all(node, now, vector, locals);
	if (node_note_sas(node, now))
		node_pump(node, now);
	for (size_t i = 0; i < vector->count; i++) {
		struct packet *packet = &vector->packets[i];

		if (packet->kind == PACKET_CONTROL)
			take_control(locals[i], now, packet);
		else if (packet->kind == PACKET_PROBE)
			take_probe(locals[i], now, packet);
		else if (packet->kind == PACKET_INNER)
			take_inner(node, now, packet);
		else if (packet->kind == PACKET_ESP)
			take_unknown_spi(node, now, packet);
	}
	node_effects_push(&node->effects, &effect);
	node_pump(node, now);
}
