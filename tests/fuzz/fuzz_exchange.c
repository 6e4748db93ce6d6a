/* SPDX-License-Identifier: MIT */
/**
 * Base exchanges, UPDATE, NOTIFY, CLOSE and DATA between hosts of which any may lie: the input is a script that says
 * what is delivered, in which order, with which changes. What is changed is protected again with the sender's true
 * keys, so that it gets past MAC and signature.
 *
 * The first octet or two choose the world; then come steps of an octet each, with what they need behind them. At the
 * end all that still flies is delivered, and time passes.
 */
#include "tests/fuzz/cheap_crypto.h"
#include "tests/fuzz/packet_forge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAXIMUM 64
#define EDITS_MAXIMUM 6

static struct forge forge;

/* ---- changes of one packet ---- */

enum edit {
	EDIT_OCTET,
	EDIT_BIT,
	EDIT_REPLACE,
	EDIT_RESIZE,
	EDIT_REMOVE,
	EDIT_DOUBLE,
	EDIT_INSERT,
	EDIT_TYPE,
	EDIT_SWAP,
	EDIT_SPLICE,
	EDIT_HEADER,
	EDIT_ADD_TO_NUMBER,
	EDIT_PAYLOAD,
	EDIT_ENCRYPT,
	EDIT_FLAGS,
	EDIT_PACKET_TYPE,
	EDITS
};

static struct forged_parameter *choose(struct fuzz_input *input)
{
	size_t index = input_u8(input);

	return forge.count ? &forge.parameters[index % forge.count] : NULL;
}

static void add_to_number(struct forged_parameter *parameter, size_t place, int8_t difference)
{
	uint32_t number = 0;

	if (parameter->length < 4)
		return;
	place %= parameter->length - 3u;
	for (size_t i = 0; i < 4; i++)
		number = number << 8 | parameter->contents[place + i];
	number += (uint32_t)difference;
	for (size_t i = 0; i < 4; i++)
		parameter->contents[place + i] = (uint8_t)(number >> (24 - 8 * i));
}

/* Contents of the same type out of a packet that was sent before, whoever sent it. */
static void splice(const struct world *world, struct fuzz_input *input, struct forged_parameter *parameter)
{
	unsigned kept = world->kept_count < WORLD_PARCELS ? world->kept_count : WORLD_PARCELS;
	unsigned index = input_u8(input);
	const struct parameter_view *found;
	struct packet_view view;

	if (!kept || packet_parse(world->kept[index % kept].octets, world->kept[index % kept].length, &view))
		return;
	found = packet_find(&view, parameter->type);
	if (!found || found->contents.length > FORGE_CONTENTS)
		return;
	parameter->length = (uint16_t)found->contents.length;
	memcpy(parameter->contents, found->contents.data, found->contents.length);
}

static void edit_parameter(
	struct world *world, struct fuzz_input *input, enum edit edit, struct forged_parameter *parameter)
{
	size_t index = (size_t)(parameter - forge.parameters), length, place;
	const uint8_t *octets;

	switch (edit) {
	case EDIT_OCTET:
		place = input_u8(input);
		if (parameter->length)
			parameter->contents[place % parameter->length] = input_u8(input);
		break;
	case EDIT_BIT:
		place = input_u16(input);
		if (parameter->length)
			parameter->contents[place / 8 % parameter->length] ^= (uint8_t)(1 << place % 8);
		break;
	case EDIT_REPLACE:
		octets = input_octets(input, input_u8(input), &length);
		parameter->length = (uint16_t)length;
		memcpy(parameter->contents, octets, length);
		break;
	case EDIT_RESIZE:
		parameter->length = input_u16(input) % FORGE_CONTENTS;
		break;
	case EDIT_REMOVE:
		forge_remove(&forge, index);
		break;
	case EDIT_DOUBLE:
		forge_add(&forge, parameter->type, parameter->contents, parameter->length);
		break;
	case EDIT_TYPE:
		parameter->type = forge_types[input_u8(input) % FORGE_TYPES];
		break;
	case EDIT_SWAP: {
		struct forged_parameter *other = choose(input), kept = *parameter;
		*parameter = *other;
		*other = kept;
		forge.unsorted = true;
		break;
	}
	case EDIT_SPLICE:
		splice(world, input, parameter);
		break;
	case EDIT_ADD_TO_NUMBER:
		place = input_u8(input);
		add_to_number(parameter, place, (int8_t)input_u8(input));
		break;
	default:
		break;
	}
}

static void edit_packet(struct fuzz_input *input, enum edit edit)
{
	const uint8_t *octets;
	size_t length, place;
	uint8_t flags;

	switch (edit) {
	case EDIT_INSERT: {
		uint16_t type = forge_types[input_u8(input) % FORGE_TYPES];
		octets = input_octets(input, input_u8(input), &length);
		forge_add(&forge, type, octets, length);
		break;
	}
	case EDIT_HEADER:
		place = input_u8(input);
		forge.header[place % HIP_HEADER_LENGTH] = input_u8(input);
		break;
	case EDIT_PAYLOAD:
		octets = input_octets(input, input_u8(input), &length);
		memcpy(forge.payload, octets, length);
		forge.payload_length = length;
		forge.header[0] = length ? HIP_NEXT_HEADER_RELOAD : HIP_NEXT_HEADER_NONE;
		break;
	case EDIT_FLAGS:
		flags = input_u8(input);
		forge.without_mac = flags & 1;
		forge.without_signature = flags & 2;
		forge.bad_checksum = flags & 4;
		forge.unsorted = flags & 8;
		break;
	case EDIT_PACKET_TYPE:
		forge.header[2] = forge_packet_types[input_u8(input) % FORGE_PACKET_TYPES];
		break;
	default:
		break;
	}
}

static void change(struct world *world, struct fuzz_input *input, struct parcel *parcel)
{
	unsigned edits = input_u8(input) % EDITS_MAXIMUM + 1;

	while (edits--) {
		enum edit edit = input_u8(input) % EDITS;
		bool of_packet = edit == EDIT_INSERT || edit == EDIT_HEADER || edit == EDIT_PAYLOAD ||
				 edit == EDIT_FLAGS || edit == EDIT_PACKET_TYPE;
		struct forged_parameter *parameter = of_packet ? NULL : choose(input);

		if (of_packet)
			edit_packet(input, edit);
		else if (parameter && edit == EDIT_ENCRYPT)
			forge_encrypt(world, &forge, (size_t)(parameter - forge.parameters), parcel);
		else if (parameter)
			edit_parameter(world, input, edit, parameter);
	}
	forge_close(&forge, parcel);
	forge_protect(world, &forge, parcel);
}

static void deliver_changed(struct world *world, struct fuzz_input *input, struct parcel *parcel)
{
	uint8_t place;

	if (parcel->probe && parcel->length) {
		place = input_u8(input);
		parcel->octets[place % parcel->length] = input_u8(input);
	} else if (forge_open(&forge, parcel->octets, parcel->length))
		change(world, input, parcel);
	world_deliver(world, parcel);
}

/* ---- steps ---- */

/* A packet that nobody sent, of any type, from one host to its neighbour: the changes give it its parameters. */
static void forge_new(struct world *world, struct fuzz_input *input)
{
	static const uint8_t zeros[2 + HOST_IDENTITY_SIGNATURE_MAXIMUM] = {0, HI_ALGORITHM_ECDSA};
	uint8_t choice = input_u8(input), type = forge_packet_types[input_u8(input) % FORGE_PACKET_TYPES];
	unsigned from = choice % world->count, to = (from + 1) % world->count;
	size_t signature = 2 + host_identity_signature_length(world_identity(from));
	struct parcel parcel = {.from = from, .sealed = world->overlay && choice & 0x80, .to = world->hosts[to].hit};

	parcel.source = world_endpoint(world, from);
	parcel.destination = world_endpoint(world, to);
	memset(&forge, 0, sizeof forge);
	forge.header[0] = HIP_NEXT_HEADER_NONE;
	forge.header[2] = type;
	forge.header[3] = HIP_VERSION << 4 | 1;
	memcpy(forge.header + 8, world->hosts[from].hit.octets, HIT_LENGTH);
	memcpy(forge.header + 24, world->hosts[to].hit.octets, HIT_LENGTH);
	if (type == HIP_PACKET_R2)
		forge_add(&forge, PARAMETER_HIP_MAC_2, zeros, 48);
	else if (type != HIP_PACKET_I1 && type != HIP_PACKET_R1 && type != HIP_PACKET_NOTIFY && type != HIP_PACKET_DATA)
		forge_add(&forge, PARAMETER_HIP_MAC, zeros, 48);
	if (type != HIP_PACKET_I1)
		forge_add(&forge, type == HIP_PACKET_R1 ? PARAMETER_HIP_SIGNATURE_2 : PARAMETER_HIP_SIGNATURE, zeros,
			signature);
	/* The keys are those of header and place, so the parcel has both before it is changed. */
	forge_close(&forge, &parcel);
	change(world, input, &parcel);
	world_deliver(world, &parcel);
}

static void send_data(struct world *world, struct fuzz_input *input, struct world_host *self)
{
	uint8_t length = input_u8(input);
	struct hit destination = world->hosts[length % world->count].hit;
	const uint8_t *content;
	size_t got;

	if (length & 0x80)
		destination = (struct hit){{0x20, 0x01, 0x00, 0x20, [15] = length}};
	content = input_octets(input, length, &got);
	(void)host_send_data(self->host, world->now, &destination, length, NULL, 0, content, got);
}

static void answer_data(struct world *world, struct fuzz_input *input, struct world_host *self)
{
	size_t got;
	const uint8_t *content = input_octets(input, input_u8(input), &got);

	if (self->has_request)
		(void)host_answer_data(
			self->host, world->now, &self->requester, self->transaction, &self->way_back, content, got);
}

static void move(struct world *world, struct world_host *self, uint8_t number)
{
	self->address.octets[14] = (uint8_t)(number & 3);
	host_set_addresses(self->host, world->now, &self->address, 1);
}

/* One link or two, and what is thought of them. */
static void set_links(struct world *world, struct world_host *self, uint8_t choice)
{
	struct link_address links[2] = {{.address = self->address, .preference = choice >> 1 & 3}};

	self->has_second = choice & 1;
	self->second = (struct address){{[10] = 255, 255, 198, 51, 100, (uint8_t)(self->index + 1)}};
	links[1].address = self->second;
	links[1].preference = choice >> 3 & 3;
	links[1].metered = choice & 32;
	links[1].cost = choice >> 6;
	host_set_links(self->host, world->now, links, self->has_second ? 2 : choice != 0xfe);
}

static uint32_t some_spi(const struct world_host *self, uint8_t choice)
{
	return self->spis[choice & 7];
}

/* ESP of a peer came by other addresses: true ones, or of anybody. */
static void hear_elsewhere(struct world *world, struct fuzz_input *input, struct world_host *self, unsigned peer)
{
	uint8_t choice = input_u8(input);
	struct endpoint local = world_endpoint(world, self->index), remote = world_endpoint(world, peer);

	if (choice & 8)
		remote.address = world->hosts[peer].second;
	if (choice & 16)
		local.address = self->second;
	if (choice & 32)
		remote.address.octets[15] = input_u8(input);
	if (choice & 64)
		remote.port = input_u16(input);
	host_note_elsewhere(self->host, world->now, some_spi(self, choice), &local, &remote);
}

static void hear_probe(struct world *world, struct fuzz_input *input, struct world_host *self, unsigned peer)
{
	const struct endpoint local = world_endpoint(world, self->index), remote = world_endpoint(world, peer);
	uint8_t octets[HOST_PROBE_LENGTH] = {'H', 'i', 'P', 'p'};
	size_t length;
	const uint8_t *rest = input_octets(input, HOST_PROBE_LENGTH - 4, &length);

	memcpy(octets + 4, rest, length);
	host_probe_input(self->host, world->now, &world->hosts[peer].hit, &local, &remote, octets);
}

enum wish {
	WISH_CONNECT,
	WISH_CLOSE,
	WISH_HOLD,
	WISH_LET_GO,
	WISH_MOVE,
	WISH_SEND,
	WISH_ANSWER,
	WISH_OPPORTUNISTIC,
	WISH_UNKNOWN_SPI,
	WISH_CLOSE_ALL,
	WISH_SENT,
	WISH_HEARD,
	WISH_REFUSE,
	WISH_REKEY,
	WISH_NOTE_SA,
	WISH_LINKS,
	WISH_ELSEWHERE,
	WISH_PROBE,
	WISH_RESUMED,
	WISHES
};

static void wish(struct world *world, struct fuzz_input *input)
{
	uint8_t choice = input_u8(input);
	struct world_host *self = &world->hosts[choice % world->count];
	unsigned peer = (self->index + 1 + (choice >> 7)) % world->count;
	const struct hit *hit = &world->hosts[peer].hit;
	struct endpoint here = world_endpoint(world, self->index), there = world_endpoint(world, peer);
	uint8_t note;

	switch ((enum wish)(input_u8(input) % WISHES)) {
	case WISH_CONNECT:
		(void)host_connect(self->host, world->now, hit);
		break;
	case WISH_CLOSE:
		(void)host_close(self->host, world->now, hit);
		break;
	case WISH_HOLD:
		host_hold(self->host, world->now, hit, true);
		break;
	case WISH_LET_GO:
		host_hold(self->host, world->now, hit, false);
		break;
	case WISH_MOVE:
		move(world, self, input_u8(input));
		break;
	case WISH_SEND:
		send_data(world, input, self);
		break;
	case WISH_ANSWER:
		answer_data(world, input, self);
		break;
	case WISH_OPPORTUNISTIC:
		(void)host_connect_opportunistic(self->host, world->now, &there);
		break;
	case WISH_UNKNOWN_SPI:
		host_unknown_spi(self->host, world->now, &here, &there, input_u32(input));
		break;
	case WISH_CLOSE_ALL:
		host_close_all(self->host, world->now);
		break;
	case WISH_SENT:
		self->sent = world->now;
		break;
	case WISH_HEARD:
		self->heard = world->now;
		break;
	case WISH_REFUSE:
		world->strangers_refused = !world->strangers_refused;
		break;
	case WISH_REKEY:
		(void)host_rekey(self->host, world->now, hit, choice & 0x40);
		break;
	case WISH_NOTE_SA:
		note = input_u8(input);
		host_note_sa(self->host, world->now, self->spis[note >> 2 & 7], (host_sa_notice)(note % 5));
		break;
	case WISH_LINKS:
		set_links(world, self, input_u8(input));
		break;
	case WISH_ELSEWHERE:
		hear_elsewhere(world, input, self, peer);
		break;
	case WISH_PROBE:
		hear_probe(world, input, self, peer);
		break;
	case WISH_RESUMED:
		note = input_u8(input);
		host_note_resumed(self->host, world->now, some_spi(self, note), MILLISECONDS(note));
		break;
	case WISHES:
		break;
	}
	world_drain(world, self);
}

static void pass(struct world *world, uint8_t choice)
{
	static const duration spans[] = {MILLISECONDS(1), MILLISECONDS(200), SECONDS(1), SECONDS(2), SECONDS(4),
		SECONDS(16), SECONDS(70), SECONDS(310)};

	world_tick(world, spans[choice % 8]);
}

static void step(struct world *world, struct fuzz_input *input)
{
	uint8_t choice = input_u8(input);
	unsigned index = world->flying_count ? (choice >> 4) % world->flying_count : 0;
	unsigned kept = world->kept_count < WORLD_PARCELS ? world->kept_count : WORLD_PARCELS;
	struct parcel parcel;

	switch (choice % 8) {
	case 0: /* one packet, as it is */
		if (world->flying_count) {
			parcel = world_take(world, index);
			world_deliver(world, &parcel);
		}
		break;
	case 1: /* one packet, changed */
	case 2:
		if (world->flying_count) {
			parcel = world_take(world, index);
			deliver_changed(world, input, &parcel);
		}
		break;
	case 3: /* one is lost */
		if (world->flying_count)
			(void)world_take(world, index);
		break;
	case 4: /* one from before comes again, changed or not */
		if (kept) {
			parcel = world->kept[(world->kept_count - 1 - (choice >> 4) % kept) % WORLD_PARCELS];
			if (choice & 8)
				deliver_changed(world, input, &parcel);
			else
				world_deliver(world, &parcel);
		}
		break;
	case 5:
		wish(world, input);
		break;
	case 6:
		if (choice & 8)
			world_settle(world, 20);
		else
			pass(world, choice >> 4);
		break;
	default:
		forge_new(world, input);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t choice = input_u8(&input);
	bool overlay = choice & 2;
	uint8_t flavour = choice & 16 ? input_u8(&input) : 0;
	struct world *world = world_make(overlay && choice & 4 ? 3 : 2, !(choice & 1), overlay, flavour);

	world->answering = choice & 32;
	if (choice & 8) {
		for (unsigned i = 0; i + 1 < world->count; i++)
			world_connect(world, i, i + 1);
		world_settle(world, 40);
	} else {
		world_connect(world, 0, 1);
	}
	for (unsigned steps = 0; steps < STEPS_MAXIMUM && !input_is_over(&input); steps++)
		step(world, &input);
	world_settle(world, 40);
	world_tick(world, SECONDS(2));
	world_settle(world, 40);
	world_tick(world, SECONDS(400));
	world_free(world);
	return 0;
}
