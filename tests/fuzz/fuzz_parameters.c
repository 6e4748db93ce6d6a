/* SPDX-License-Identifier: MIT */
/**
 * One parameter after the other, each of the type that the input chooses: what a reader takes, its writer must write so
 * that it reads the same. The rest of the packet is as it should be.
 */
#include "hip/wire/builder.h"
#include "hip/wire/parameters.h"
#include "tests/fuzz/hip_types.h"
#include "tests/fuzz/input.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

struct written {
	struct packet_builder builder;
	uint8_t octets[HIP_PACKET_MAXIMUM];
};

/* Reads what was written; false when it does not fit in a packet. */
static bool parse_written(const struct written *written, struct packet_view *view)
{
	size_t length;

	if (packet_builder_finish(&written->builder, &length) == HIPHOP_TOO_LARGE)
		return false;
	CHECK(packet_parse(written->octets, length, view) == HIPHOP_OK);
	CHECK(view->parameters.count == 1);
	return true;
}

static void start_written(struct written *written)
{
	static const struct hit hit = {{0x20, 0x01, 0x00, 0x22, [15] = 1}};

	packet_builder_start(&written->builder, written->octets, sizeof written->octets, HIP_PACKET_I1, 0, &hit, &hit);
}

/* Twice, so that what a reader leaves out has gone after the first time. */
#define ROUND(name, type, WRITE)                                                                                       \
	static void round_##name(const struct parameter_view *view)                                                    \
	{                                                                                                              \
		struct written first, second;                                                                          \
		struct packet_view again;                                                                              \
		type value;                                                                                            \
                                                                                                                       \
		if (parameter_##name##_read(view, &value))                                                             \
			return;                                                                                        \
		start_written(&first);                                                                                 \
		if (WRITE(&first, name, value))                                                                        \
			return;                                                                                        \
		if (!parse_written(&first, &again))                                                                    \
			return;                                                                                        \
		CHECK(parameter_##name##_read(&again.parameters.items[0], &value) == HIPHOP_OK);                       \
		start_written(&second);                                                                                \
		CHECK(WRITE(&second, name, value) == HIPHOP_OK);                                                       \
		CHECK(first.builder.writer.position == second.builder.writer.position);                                \
		CHECK(memcmp(first.octets, second.octets, first.builder.writer.position) == 0);                        \
	}

#define OF_STRUCT(written, name, value)          parameter_##name##_write(&(written)->builder, &(value))
#define OF_TYPE_AND_STRUCT(written, name, value) parameter_##name##_write(&(written)->builder, view->type, &(value))
#define OF_TYPE_AND_VALUE(written, name, value)  parameter_##name##_write(&(written)->builder, view->type, value)
#define OF_VALUE(written, name, value)           parameter_##name##_write(&(written)->builder, value)

ROUND(r1_counter, struct parameter_r1_counter, OF_STRUCT)
ROUND(puzzle, struct parameter_puzzle, OF_STRUCT)
ROUND(solution, struct parameter_solution, OF_STRUCT)
ROUND(dh_group_list, struct parameter_octet_list, OF_STRUCT)
ROUND(hit_suite_list, struct parameter_octet_list, OF_STRUCT)
ROUND(diffie_hellman, struct parameter_diffie_hellman, OF_STRUCT)
ROUND(hip_cipher, struct parameter_suite_list, OF_STRUCT)
ROUND(esp_transform, struct parameter_suite_list, OF_STRUCT)
ROUND(nat_traversal_mode, struct parameter_suite_list, OF_STRUCT)
ROUND(transport_format_list, struct parameter_transport_format_list, OF_STRUCT)
ROUND(host_id, struct parameter_host_id, OF_STRUCT)
ROUND(cert, struct parameter_cert, OF_STRUCT)
ROUND(notification, struct parameter_notification, OF_STRUCT)
ROUND(opaque, struct span, OF_TYPE_AND_VALUE)
ROUND(number, uint32_t, OF_TYPE_AND_VALUE)
ROUND(sequence_list, struct parameter_sequence_list, OF_TYPE_AND_STRUCT)
ROUND(payload_mic, struct parameter_payload_mic, OF_STRUCT)
ROUND(esp_info, struct parameter_esp_info, OF_STRUCT)
ROUND(locator_set, struct parameter_locator_set, OF_STRUCT)
ROUND(transport_address, struct endpoint, OF_TYPE_AND_STRUCT)
ROUND(address, struct address, OF_TYPE_AND_STRUCT)
ROUND(peer_permission, struct parameter_peer_permission, OF_STRUCT)
ROUND(transport_mode, struct parameter_transport_mode, OF_STRUCT)
ROUND(registration, struct parameter_registration, OF_TYPE_AND_STRUCT)
ROUND(ticket, struct ticket_grant, OF_STRUCT)
ROUND(delegation, struct parameter_delegation, OF_STRUCT)
ROUND(router_locators, struct parameter_router_locators, OF_STRUCT)
ROUND(delegation_refused, struct parameter_delegation_refused, OF_STRUCT)
ROUND(hosts_on_board, struct parameter_hosts_on_board, OF_STRUCT)
ROUND(overlay_ttl, uint16_t, OF_VALUE)
ROUND(route, struct parameter_route, OF_TYPE_AND_STRUCT)

static void round_signature(const struct parameter_view *view)
{
	struct parameter_signature value, again_value;
	struct written written;
	struct packet_view again;
	uint8_t *place;

	if (parameter_signature_read(view, &value))
		return;
	start_written(&written);
	place = parameter_signature_reserve(&written.builder, view->type, value.algorithm, value.signature.length);
	if (!place || !parse_written(&written, &again))
		return;
	CHECK(parameter_signature_read(&again.parameters.items[0], &again_value) == HIPHOP_OK);
	CHECK(again_value.algorithm == value.algorithm && again_value.signature.length == value.signature.length);
}

static void round_encrypted(const struct parameter_view *view)
{
	static const size_t iv_lengths[] = {0, 16};
	struct parameter_encrypted value;
	struct parameter_list inner;

	for (size_t i = 0; i < 2; i++) {
		if (parameter_encrypted_read(view, iv_lengths[i], &value))
			continue;
		CHECK(value.iv.length == iv_lengths[i]);
		(void)parameters_parse(value.data.data, value.data.length, &inner);
	}
}

static void (*const rounds[])(const struct parameter_view *view) = {round_r1_counter, round_puzzle, round_solution,
	round_dh_group_list, round_hit_suite_list, round_diffie_hellman, round_hip_cipher, round_esp_transform,
	round_nat_traversal_mode, round_transport_format_list, round_host_id, round_cert, round_notification,
	round_opaque, round_number, round_sequence_list, round_payload_mic, round_esp_info, round_locator_set,
	round_transport_address, round_address, round_peer_permission, round_transport_mode, round_registration,
	round_ticket, round_delegation, round_router_locators, round_delegation_refused, round_hosts_on_board,
	round_overlay_ttl, round_route, round_signature, round_encrypted};

static void renew_puzzle(const uint8_t *octets, size_t length)
{
	static const struct hit receiver = {{0x20, 0x01, 0x00, 0x22, [15] = 2}};
	static const uint8_t opaque[2] = {1, 2}, random_i[PUZZLE_RANDOM_MAXIMUM] = {3};
	uint8_t copy[HIP_PACKET_MAXIMUM];

	for (size_t random = 0; random <= PUZZLE_RANDOM_MAXIMUM; random += 16) {
		memcpy(copy, octets, length);
		(void)parameter_puzzle_renew(copy, length, &receiver, opaque, random_i, random);
	}
}

/* The type is one of the table's or any; then its length, then its contents. */
static uint16_t choose_type(struct fuzz_input *input)
{
	uint8_t choice = input_u8(input);

	return choice == 0xff ? input_u16(input) : forge_types[choice % FORGE_TYPES];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hit hit = {{0x20, 0x01, 0x00, 0x22, [15] = 1}};
	struct fuzz_input input = {data, size};
	struct packet_builder builder;
	struct packet_view view;
	uint8_t octets[HIP_PACKET_MAXIMUM], *exact;
	size_t length;
	uint16_t notification;

	packet_builder_start(&builder, octets, sizeof octets, forge_packet_types[input_u8(&input) % FORGE_PACKET_TYPES],
		0, &hit, &hit);
	while (!input_is_over(&input) && !builder.error) {
		uint16_t type = choose_type(&input);
		size_t wanted = input_u16(&input), got;
		const uint8_t *contents = input_octets(&input, wanted, &got);
		uint8_t *place = packet_builder_reserve(&builder, type, got);
		if (place && got)
			memcpy(place, contents, got);
	}
	builder.error = HIPHOP_OK;
	if (packet_builder_finish(&builder, &length))
		return 0;
	exact = malloc(length);
	CHECK(exact);
	memcpy(exact, octets, length);
	hiphop_error error = packet_parse(exact, length, &view);
	if (error) {
		CHECK(error == HIPHOP_TOO_LARGE && view.parameters.count == PACKET_PARAMETERS_MAXIMUM);
		free(exact);
		return 0;
	}
	if (packet_check_rules(&view, &notification) == HIPHOP_UNSUPPORTED)
		CHECK(notification == NOTIFY_UNSUPPORTED_CRITICAL_PARAMETER_TYPE && packet_unknown_critical(&view));
	for (size_t i = 0; i < view.parameters.count; i++) {
		for (size_t r = 0; r < sizeof rounds / sizeof rounds[0]; r++)
			rounds[r](&view.parameters.items[i]);
	}
	renew_puzzle(exact, length);
	free(exact);
	return 0;
}
