/* SPDX-License-Identifier: MIT */
/** One well-formed packet of every type, for tests; keys, MACs and signatures are only octets of the right length. */
#ifndef HIPHOP_TESTS_UNIT_HIP_WIRE_SAMPLES_H
#define HIPHOP_TESTS_UNIT_HIP_WIRE_SAMPLES_H

#include "hip/wire/parameters.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>

static const struct hit sample_initiator = {{0x20, 0x01, 0x00, 0x22, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
static const struct hit sample_responder = {
	{0x20, 0x01, 0x00, 0x22, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac}};

static const uint8_t sample_types[] = {HIP_PACKET_I1, HIP_PACKET_R1, HIP_PACKET_I2, HIP_PACKET_R2, HIP_PACKET_UPDATE,
	HIP_PACKET_NOTIFY, HIP_PACKET_CLOSE, HIP_PACKET_CLOSE_ACK, HIP_PACKET_DATA, HIP_PACKET_UPDATE_PROXY};
#define SAMPLE_TYPES (sizeof sample_types)

#define SPAN_OF(text) ((struct span){(const uint8_t *)(text), sizeof(text) - 1})

static inline void sample_exchange(struct packet_builder *builder, uint8_t type)
{
	static const uint8_t key[64] = {0x77};
	const struct parameter_octet_list groups = {.count = 3, .items = {7, 8, 3}};
	const struct parameter_octet_list suites = {.count = 2, .items = {0x20, 0x10}};
	const struct parameter_suite_list ciphers = {.count = 2, .items = {2, 4}};
	const struct parameter_suite_list transforms = {.count = 3, .items = {13, 8, 7}};
	const struct parameter_transport_format_list formats = {.count = 1, .items = {PARAMETER_ESP_TRANSFORM}};
	const struct parameter_host_id host_id = {.algorithm = HI_ALGORITHM_ECDSA,
		.host_identity = {key, 66 - 2},
		.domain_identifier_type = DOMAIN_IDENTIFIER_FQDN,
		.domain_identifier = SPAN_OF("\3bob\7example\0")};
	const struct parameter_diffie_hellman public_key = {.group = 7, .public_value = {key, sizeof key}};
	const struct parameter_r1_counter counter = {.counter = 42};
	struct parameter_puzzle puzzle = {
		.difficulty = 10, .lifetime = 37, .opaque = {0xab, 0xcd}, .random_length = 48};
	struct parameter_solution solution = {.difficulty = 10, .opaque = {0xab, 0xcd}, .random_length = 48};
	const struct parameter_esp_info esp = {.keymat_index = 160, .new_spi = 0x11223344};

	memset(puzzle.random_i, 0x5a, 48);
	memset(solution.random_i, 0x5a, 48);
	memset(solution.solution_j, 0xa5, 48);
	if (type == HIP_PACKET_I2)
		parameter_esp_info_write(builder, &esp);
	parameter_r1_counter_write(builder, &counter);
	if (type == HIP_PACKET_R1)
		parameter_puzzle_write(builder, &puzzle);
	else
		parameter_solution_write(builder, &solution);
	if (type == HIP_PACKET_R1)
		parameter_dh_group_list_write(builder, &groups);
	parameter_diffie_hellman_write(builder, &public_key);
	parameter_hip_cipher_write(builder, &ciphers);
	parameter_host_id_write(builder, &host_id);
	if (type == HIP_PACKET_R1)
		parameter_hit_suite_list_write(builder, &suites);
	if (type == HIP_PACKET_R1)
		parameter_opaque_write(builder, PARAMETER_ECHO_REQUEST_SIGNED, SPAN_OF("cookie"));
	else
		parameter_opaque_write(builder, PARAMETER_ECHO_RESPONSE_SIGNED, SPAN_OF("cookie"));
	parameter_transport_format_list_write(builder, &formats);
	parameter_esp_transform_write(builder, &transforms);
}

static inline void sample_body(struct packet_builder *builder, uint8_t type)
{
	const struct parameter_octet_list groups = {.count = 3, .items = {7, 8, 3}};
	const struct parameter_sequence_list acknowledged = {.count = 2, .items = {6, 7}};
	const struct parameter_esp_info esp = {.keymat_index = 160, .old_spi = 1, .new_spi = 0x11223344};
	const struct parameter_notification notification = {.type = NOTIFY_NAT_KEEPALIVE};
	struct parameter_payload_mic mic = {
		.next_header = HIP_NEXT_HEADER_RELOAD, .mic = SPAN_OF("0123456789abcdef01234567")};

	switch (type) {
	case HIP_PACKET_I1:
		parameter_dh_group_list_write(builder, &groups);
		break;
	case HIP_PACKET_R1:
	case HIP_PACKET_I2:
		sample_exchange(builder, type);
		break;
	case HIP_PACKET_R2:
		parameter_esp_info_write(builder, &esp);
		break;
	case HIP_PACKET_UPDATE:
		parameter_esp_info_write(builder, &esp);
		parameter_number_write(builder, PARAMETER_SEQ, 5);
		parameter_sequence_list_write(builder, PARAMETER_ACK, &acknowledged);
		break;
	case HIP_PACKET_NOTIFY:
		parameter_notification_write(builder, &notification);
		break;
	case HIP_PACKET_UPDATE_PROXY:
		parameter_number_write(builder, PARAMETER_SEQ, 5);
		parameter_sequence_list_write(builder, PARAMETER_ACK, &acknowledged);
		parameter_opaque_write(builder, PARAMETER_ECHO_REQUEST_SIGNED, SPAN_OF("nonce"));
		parameter_ticket_id_write(builder, (const uint8_t *)"TICKETID");
		break;
	case HIP_PACKET_CLOSE:
		parameter_opaque_write(builder, PARAMETER_ECHO_REQUEST_SIGNED, SPAN_OF("nonce"));
		break;
	case HIP_PACKET_CLOSE_ACK:
		parameter_opaque_write(builder, PARAMETER_ECHO_RESPONSE_SIGNED, SPAN_OF("nonce"));
		break;
	default:
		parameter_number_write(builder, PARAMETER_SEQ_DATA, 9);
		parameter_sequence_list_write(builder, PARAMETER_ACK_DATA, &acknowledged);
		parameter_payload_end(SPAN_OF("find the peer"), mic.payload_end);
		parameter_payload_mic_write(builder, &mic);
		parameter_opaque_write(builder, PARAMETER_TRANSACTION_ID, SPAN_OF("TRANSACT"));
		parameter_opaque_write(builder, PARAMETER_OVERLAY_ID, SPAN_OF("OVER"));
	}
}

static inline void sample_protection(struct packet_builder *builder, uint8_t type)
{
	const struct parameter_route via = {.flags = ROUTE_FLAG_SYMMETRIC | ROUTE_FLAG_MUST_FOLLOW};

	switch (type) {
	case HIP_PACKET_I1:
		break;
	case HIP_PACKET_R1:
		parameter_signature_reserve(builder, PARAMETER_HIP_SIGNATURE_2, HI_ALGORITHM_ECDSA, 64);
		break;
	case HIP_PACKET_R2:
		packet_builder_reserve(builder, PARAMETER_HIP_MAC_2, 48);
		parameter_signature_reserve(builder, PARAMETER_HIP_SIGNATURE, HI_ALGORITHM_ECDSA, 64);
		break;
	case HIP_PACKET_UPDATE_PROXY:
		packet_builder_reserve(builder, PARAMETER_HIP_MAC, 32);
		break;
	case HIP_PACKET_NOTIFY:
		parameter_signature_reserve(builder, PARAMETER_HIP_SIGNATURE, HI_ALGORITHM_ECDSA, 64);
		break;
	case HIP_PACKET_DATA:
		parameter_signature_reserve(builder, PARAMETER_HIP_SIGNATURE, HI_ALGORITHM_ECDSA, 64);
		parameter_overlay_ttl_write(builder, 20);
		parameter_route_write(builder, PARAMETER_ROUTE_VIA, &via);
		packet_builder_payload(builder, HIP_NEXT_HEADER_RELOAD, "find the peer", 13);
		break;
	default:
		packet_builder_reserve(builder, PARAMETER_HIP_MAC, 48);
		parameter_signature_reserve(builder, PARAMETER_HIP_SIGNATURE, HI_ALGORITHM_ECDSA, 64);
	}
}

/** Builds the sample of `type` into `buffer` and returns its length. */
static inline size_t sample_packet(uint8_t type, uint8_t *buffer, size_t capacity)
{
	struct packet_builder builder;
	size_t length = 0;

	packet_builder_start(&builder, buffer, capacity, type, 0, &sample_initiator, &sample_responder);
	sample_body(&builder, type);
	sample_protection(&builder, type);
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	return length;
}

/** Copies a packet's parameters, but not those of type `without` (0: all), into a new packet; returns its length. */
static inline size_t sample_without(const struct packet_view *view, uint16_t without, uint8_t *buffer, size_t capacity)
{
	struct packet_builder builder;
	size_t length = 0;

	packet_builder_start(&builder, buffer, capacity, view->type, view->controls, &view->sender, &view->receiver);
	for (size_t i = 0; i < view->parameters.count; i++)
		if (view->parameters.items[i].type != without)
			packet_builder_add_encoded(&builder, view->parameters.items[i].encoded);
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	return length;
}

#endif
