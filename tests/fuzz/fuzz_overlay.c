/* SPDX-License-Identifier: MIT */
/**
 * The ring and its storage among members of which any may lie: the input is a script of messages that are delivered,
 * changed, forged, lost and repeated, of wishes of the user, and of time that passes. A signature holds whatever was
 * changed under it, as if its owner had signed the lie; only an empty or marked one does not.
 */
#include "tests/fuzz/input.h"
#include "tests/unit/overlay/fake_crypto.h"

#include "overlay/message.h"
#include "overlay/signed_value.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

#define NODES         3
#define OUTSIDERS     3 /* HITs that are nobody's here */
#define LETTERS       24
#define STEPS_MAXIMUM 64
#define FORGED_VALUES 12
#define BAD_SIGNATURE 0xee
#define WALL(now)     (1700000000000U + (now) / MILLISECONDS(1))

struct letter {
	unsigned from, to; /* nodes */
	bool answer;
	struct hit sender, receiver;
	uint64_t transaction;
	size_t length;
	uint8_t contents[OVERLAY_MESSAGE_MAXIMUM];
};

struct node {
	struct overlay *overlay;
	struct fake_identity identity;
	struct hit hit;
	struct seeded_random generator;
	struct random_source random;
};

struct ring {
	instant now;
	struct node nodes[NODES];
	struct fake_identity outsiders[OUTSIDERS];
	struct hit outsider_hits[OUTSIDERS];
	struct letter letters[LETTERS];
	struct letter *flying[LETTERS]; /* all of them; the first flying_count are on their way, in order */
	unsigned flying_count;
	struct letter last; /* delivered */
};

static hiphop_error lenient_verify(void *context, uint16_t algorithm, const uint8_t *host_identity,
	size_t host_identity_length, const uint8_t *data, size_t length, const uint8_t *signature,
	size_t signature_length)
{
	(void)context;
	(void)host_identity;
	(void)data;
	(void)length;
	if (algorithm != FAKE_ALGORITHM)
		return HIPHOP_UNSUPPORTED;
	return host_identity_length && signature_length && signature[0] != BAD_SIGNATURE ? HIPHOP_OK
											 : HIPHOP_BAD_SIGNATURE;
}

/* The user name of a HIT, so that USER-MATCH has its turn: one of two, or none. */
static hiphop_error user_name(void *context, const struct hit *hit, char *name, size_t name_size)
{
	(void)context;
	if (hit->octets[15] & 1)
		return HIPHOP_NOT_FOUND;
	snprintf(name, name_size, "%s@example.com", hit->octets[15] & 2 ? "bob" : "alice");
	return HIPHOP_OK;
}

/* ---- what the engines do ---- */

static unsigned index_of(const struct ring *ring, const struct hit *hit)
{
	unsigned index = 0;

	while (index < NODES && !hit_equal(&ring->nodes[index].hit, hit))
		index++;
	return index;
}

static struct letter *new_letter(struct ring *ring, unsigned from, unsigned to, const uint8_t *contents, size_t length)
{
	struct letter *letter;

	CHECK(length <= OVERLAY_MESSAGE_MAXIMUM);
	if (ring->flying_count == LETTERS)
		return NULL;
	letter = ring->flying[ring->flying_count++];
	letter->from = from;
	letter->to = to;
	letter->answer = false;
	letter->sender = ring->nodes[from].hit;
	letter->length = length;
	memcpy(letter->contents, contents, length);
	return letter;
}

/* Hop by hop, as the engines say, to who takes it. NODES: it is lost. */
static unsigned route(const struct ring *ring, unsigned from, const struct overlay_send *send)
{
	static const struct hit nobody;
	const struct hit *previous = NULL;
	unsigned at = from;

	if (!hit_equal(&send->via, &nobody)) {
		at = index_of(ring, &send->via);
		previous = &ring->nodes[from].hit;
	}
	for (unsigned hops = 0; hops < 8 && at < NODES; hops++) {
		struct hit next;
		switch (overlay_next_hop(ring->nodes[at].overlay, &send->destination, previous, &next)) {
		case OVERLAY_SELF:
			return at;
		case OVERLAY_HOP:
			previous = &ring->nodes[at].hit;
			at = index_of(ring, &next);
			break;
		default:
			return NODES;
		}
	}
	return NODES;
}

static void drain(struct ring *ring, unsigned index)
{
	struct overlay_effect effect;
	struct letter *letter;
	unsigned to;

	while (overlay_next_effect(ring->nodes[index].overlay, &effect)) {
		if (effect.type == OVERLAY_SEND) {
			to = route(ring, index, &effect.send);
			letter = to < NODES ? new_letter(ring, index, to, effect.send.contents, effect.send.length)
					    : NULL;
			if (letter) {
				letter->receiver = effect.send.destination;
				letter->transaction = effect.send.transaction;
			}
		} else if (effect.type == OVERLAY_ANSWER) {
			to = index_of(ring, &effect.answer.receiver);
			letter = to < NODES ? new_letter(ring, index, to, effect.answer.contents, effect.answer.length)
					    : NULL;
			if (letter) {
				letter->answer = true;
				letter->receiver = effect.answer.receiver;
				letter->transaction = effect.answer.transaction;
			}
		} else if (effect.type == OVERLAY_CONNECT) {
			to = index_of(ring, &effect.connect.hit);
			if (to < NODES)
				overlay_neighbour_up(ring->nodes[index].overlay, ring->now, &effect.connect.hit);
			else
				overlay_neighbour_down(ring->nodes[index].overlay, ring->now, &effect.connect.hit);
		}
	}
}

static void deliver(struct ring *ring, const struct letter *letter)
{
	struct overlay_arrival arrival = {.sender = letter->sender,
		.receiver = letter->receiver,
		.transaction = letter->transaction,
		.hops = 1,
		.route = "r",
		.route_length = 1};
	uint8_t *exact = malloc(letter->length + 1); /* its own size, so that a sanitizer sees an overrun */

	CHECK(exact);
	memcpy(exact, letter->contents, letter->length);
	ring->now += MILLISECONDS(20);
	overlay_input(ring->nodes[letter->to].overlay, ring->now, WALL(ring->now), &arrival, exact, letter->length);
	free(exact);
	if (letter != &ring->last)
		ring->last = *letter;
	drain(ring, letter->to);
}

static struct letter take(struct ring *ring, unsigned index)
{
	struct letter *letter = ring->flying[index];

	ring->flying_count--;
	for (; index < ring->flying_count; index++)
		ring->flying[index] = ring->flying[index + 1];
	ring->flying[index] = letter;
	return *letter;
}

static void settle(struct ring *ring, unsigned limit)
{
	while (ring->flying_count && limit--) {
		struct letter letter = take(ring, 0);
		deliver(ring, &letter);
	}
}

static void pass(struct ring *ring, duration span)
{
	ring->now += span;
	for (unsigned i = 0; i < NODES; i++) {
		for (unsigned rounds = 0; overlay_next_wake(ring->nodes[i].overlay) <= ring->now; rounds++) {
			CHECK(rounds < 1000);
			overlay_tick(ring->nodes[i].overlay, ring->now, WALL(ring->now));
			drain(ring, i);
		}
	}
}

/* ---- changed and forged messages ---- */

static void edit(struct fuzz_input *input, struct letter *letter)
{
	uint8_t kind = input_u8(input);
	size_t place = letter->length ? input_u16(input) % letter->length : 0, length;
	const uint8_t *octets;

	switch (kind % 5) {
	case 0:
		if (letter->length)
			letter->contents[place] = input_u8(input);
		break;
	case 1:
		if (letter->length)
			letter->contents[place] = (uint8_t)(letter->contents[place] + (int8_t)input_u8(input));
		break;
	case 2: /* overwritten from there */
		octets = input_octets(input, input_u8(input), &length);
		if (length > letter->length - place)
			length = letter->length - place;
		if (length)
			memcpy(letter->contents + place, octets, length);
		break;
	case 3:
		letter->length = place;
		break;
	default: /* more behind it */
		octets = input_octets(input, input_u8(input), &length);
		if (length && length <= sizeof letter->contents - letter->length) {
			memcpy(letter->contents + letter->length, octets, length);
			letter->length += length;
		}
		break;
	}
}

static struct hit choose_resource(const struct ring *ring, uint8_t choice)
{
	struct hit resource = {{0x20, 0x01, 0x00, 0x20, [4] = 0x55, [15] = choice}};

	if (choice & 0x80)
		overlay_resource_id_of_name(
			ring->nodes[0].overlay, choice & 1 ? "bob@example.com" : "alice@example.com", &resource);
	return resource;
}

static uint32_t choose_kind(struct fuzz_input *input)
{
	static const uint32_t kinds[] = {OVERLAY_KIND_SIP_REGISTRATION, OVERLAY_KIND_SIP_REGISTRATION_FIRST_COME,
		OVERLAY_KIND_PUT, 2, 3, 4, 5, 0xF0000003};
	uint8_t choice = input_u8(input);

	return choice == 0xff ? input_u32(input) : kinds[choice % (sizeof kinds / sizeof kinds[0])];
}

/* A value of somebody's, valid but for what the script says. */
static void write_value(struct ring *ring, struct fuzz_input *input, struct writer *writer, uint32_t kind_id,
	const struct hit *resource)
{
	uint8_t choice = input_u8(input), owner = input_u8(input) % (NODES + OUTSIDERS);
	struct fake_identity *identity = owner < NODES ? &ring->nodes[owner].identity : &ring->outsiders[owner - NODES];
	const struct hit *hit = owner < NODES ? &ring->nodes[owner].hit : &ring->outsider_hits[owner - NODES];
	const struct kind *kind = kind_find(kind_id);
	const struct overlay_crypto crypto = fake_crypto(identity);
	struct unsigned_value value = {.kind = kind, .resource = *resource, .exists = !(choice & 1)};
	struct buffer octets;

	if (!kind)
		return;
	value.storage_time = WALL(ring->now) + (uint64_t)(int64_t)(int8_t)input_u8(input) * (choice & 2 ? 100000 : 1);
	value.index = choice & 4 ? input_u32(input) : input_u8(input);
	value.key = (struct span){hit->octets, HIT_LENGTH};
	value.value.data = input_octets(input, input_u8(input), &value.value.length);
	if (signed_value_make(&value, &crypto, &octets))
		return;
	if (choice & 8)
		octets.data[octets.length - 32] = BAD_SIGNATURE;
	stored_data_write(writer, value.storage_time, choice & 16 ? input_u32(input) : 100,
		(struct span){octets.data, octets.length});
	buffer_free(&octets);
}

static size_t forge_store(struct ring *ring, struct fuzz_input *input, uint8_t *out, const struct hit *resource)
{
	static uint8_t kinds[OVERLAY_MESSAGE_MAXIMUM];
	struct writer writer = writer_over(kinds, sizeof kinds - 64);
	struct reload_message message = {.code = RELOAD_STORE_REQUEST};
	uint8_t choice = input_u8(input);
	uint32_t kind = choose_kind(input);
	size_t mark = reload_begin_kind_values(&writer, kind, choice & 1 ? input_u8(input) : 0);

	for (unsigned i = 0; i <= choice >> 5 && i < FORGED_VALUES; i++)
		write_value(ring, input, &writer, kind, resource);
	reload_end_kind_values(&writer, mark);
	if (writer_status(&writer))
		return 0;
	message.store = (struct reload_store_request){
		.resource = *resource, .replica_number = choice >> 1 & 3, .kinds = {kinds, writer.position}};
	message.has_copies = choice & 8;
	message.copies = 2;
	message.tombstone_s = choice & 16 ? 5 : 0;
	writer = writer_over(out, OVERLAY_MESSAGE_MAXIMUM);
	return reload_message_write(&writer, &message) ? 0 : writer.position;
}

/* Fetch, Stat and Find of one resource; or octets as they are. */
static size_t forge_other(struct fuzz_input *input, uint8_t *out, const struct hit *resource)
{
	static const uint16_t codes[] = {RELOAD_FETCH_REQUEST, RELOAD_STAT_REQUEST, RELOAD_FIND_REQUEST};
	uint8_t parts[64], choice = input_u8(input), model[16];
	struct writer part = writer_over(parts, sizeof parts), writer = writer_over(out, OVERLAY_MESSAGE_MAXIMUM);
	struct reload_message message = {.code = codes[choice % 3]};
	size_t length;
	const uint8_t *octets;

	if (choice & 0x80) {
		octets = input_octets(input, input_u8(input), &length);
		if (length)
			memcpy(out, octets, length);
		return length;
	}
	input_fill(input, model, choice >> 3 & 15);
	if (message.code == RELOAD_FIND_REQUEST)
		writer_u32(&part, choose_kind(input));
	else
		reload_write_specifier(&part, choose_kind(input), 0, (struct span){model, choice >> 3 & 15});
	if (message.code == RELOAD_FIND_REQUEST)
		message.find = (struct reload_find_request){*resource, {parts, part.position}};
	else
		message.fetch = (struct reload_fetch_request){*resource, {parts, part.position}};
	return reload_message_write(&writer, &message) ? 0 : writer.position;
}

static void forge(struct ring *ring, struct fuzz_input *input)
{
	static struct letter letter;
	uint8_t choice = input_u8(input);
	struct hit resource = choose_resource(ring, input_u8(input));

	letter.from = choice % NODES;
	letter.to = choice / NODES % NODES;
	letter.sender = choice & 0x40 ? ring->outsider_hits[choice % OUTSIDERS] : ring->nodes[letter.from].hit;
	letter.receiver = resource;
	letter.transaction = choice;
	letter.length = choice & 0x80 ? forge_other(input, letter.contents, &resource)
				      : forge_store(ring, input, letter.contents, &resource);
	if (choice & 0x20)
		edit(input, &letter);
	deliver(ring, &letter);
}

/* ---- wishes ---- */

static void wish(struct ring *ring, struct fuzz_input *input)
{
	uint8_t choice = input_u8(input), length = input_u8(input);
	unsigned index = choice % NODES, other = (index + 1 + (choice >> 7)) % NODES;
	struct overlay *overlay = ring->nodes[index].overlay;
	struct hit resource = choose_resource(ring, length);
	const uint8_t *value;
	size_t got;

	switch (choice / NODES % 12) {
	case 0:
	case 1:
		value = input_octets(input, length, &got);
		(void)overlay_store(overlay, ring->now, WALL(ring->now), choice, choose_kind(input), &resource, value,
			got, length, choice & 1);
		break;
	case 2:
		(void)overlay_remove(overlay, ring->now, WALL(ring->now), choice, choose_kind(input), &resource);
		break;
	case 3:
		(void)overlay_fetch(overlay, ring->now, choice, choose_kind(input), &resource);
		break;
	case 4:
		(void)overlay_stat(overlay, ring->now, choice, choose_kind(input), &resource);
		break;
	case 5:
		(void)overlay_find(overlay, ring->now, choice, choose_kind(input), &resource);
		break;
	case 6:
		(void)overlay_ping(overlay, ring->now, choice, &resource);
		break;
	case 7:
		(void)overlay_trace(overlay, ring->now, choice, &resource);
		break;
	case 8:
		overlay_neighbour_down(overlay, ring->now, &ring->nodes[other].hit);
		break;
	case 9:
		overlay_neighbour_up(overlay, ring->now,
			length & 1 ? &ring->outsider_hits[length % OUTSIDERS] : &ring->nodes[other].hit);
		break;
	case 10:
		overlay_bootstrap_up(overlay, ring->now, &ring->nodes[other].hit);
		break;
	default:
		if (length & 1)
			(void)overlay_leave(overlay, ring->now, choice);
		else
			overlay_send_failed(overlay, ring->now, ring->last.transaction, HIPHOP_TIMEOUT);
		break;
	}
	drain(ring, index);
}

static void step(struct ring *ring, struct fuzz_input *input)
{
	static const duration spans[] = {
		MILLISECONDS(100), SECONDS(1), SECONDS(5), SECONDS(16), SECONDS(61), SECONDS(130), SECONDS(4000), 1};
	uint8_t choice = input_u8(input);
	static struct letter letter;

	switch (choice % 6) {
	case 0:
	case 1:
		if (!ring->flying_count)
			break;
		letter = take(ring, (choice >> 4) % ring->flying_count);
		for (unsigned edits = choice % 6 ? choice >> 3 & 3 : 0; edits; edits--)
			edit(input, &letter);
		deliver(ring, &letter);
		break;
	case 2:
		if (choice & 0x80 && ring->flying_count)
			(void)take(ring, (choice >> 4) % ring->flying_count);
		else if (ring->last.length) {
			if (choice & 0x40)
				edit(input, &ring->last);
			deliver(ring, &ring->last);
		}
		break;
	case 3:
		forge(ring, input);
		break;
	case 4:
		wish(ring, input);
		break;
	default:
		if (choice & 0x80)
			settle(ring, 16);
		else
			pass(ring, spans[choice >> 4 & 7]);
		break;
	}
}

static void start(struct ring *ring, uint8_t choice)
{
	ring->now = SECONDS(1000);
	ring->flying_count = 0;
	ring->last.length = 0;
	for (unsigned i = 0; i < LETTERS; i++)
		ring->flying[i] = &ring->letters[i];
	for (unsigned i = 0; i < OUTSIDERS; i++)
		ring->outsider_hits[i] = fake_identity_start(&ring->outsiders[i], 100 + i);
	for (unsigned i = 0; i < NODES; i++) {
		struct node *node = &ring->nodes[i];
		struct overlay_configuration configuration = {.name = "fuzz",
			.topology = "chord",
			.hash = "sha256",
			.role = i == 2 && choice & 1 ? OVERLAY_CLIENT : OVERLAY_PEER,
			.has_bootstrap = i > 0,
			.replicas = choice >> 1 & 3,
			.limits = {.storage_bytes = 4000, .storage_values = 20, .owner_bytes = 2000, .owner_values = 8},
			.random = &node->random};

		node->random = seeded_random_start(&node->generator, 7 + i);
		configuration.self = node->hit = fake_identity_start(&node->identity, i);
		configuration.crypto = fake_crypto(&node->identity);
		configuration.crypto.verify = lenient_verify;
		if (choice & 8)
			configuration.crypto.user_name = user_name;
		CHECK(!overlay_create(&configuration, ring->now, WALL(ring->now), &node->overlay));
	}
	if (choice & 16)
		return;
	for (unsigned i = 1; i < NODES; i++) {
		overlay_neighbour_up(ring->nodes[0].overlay, ring->now, &ring->nodes[i].hit);
		overlay_bootstrap_up(ring->nodes[i].overlay, ring->now, &ring->nodes[0].hit);
		drain(ring, 0);
		drain(ring, i);
		settle(ring, 20);
	}
	pass(ring, SECONDS(4));
	settle(ring, 40);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ring ring;
	struct fuzz_input input = {data, size};
	struct overlay_status status;

	start(&ring, input_u8(&input));
	for (unsigned steps = 0; steps < STEPS_MAXIMUM && !input_is_over(&input); steps++)
		step(&ring, &input);
	settle(&ring, 40);
	pass(&ring, SECONDS(30));
	settle(&ring, 40);
	for (unsigned i = 0; i < NODES; i++) {
		overlay_get_status(ring.nodes[i].overlay, &status);
		CHECK(status.stored_values <= 20 && status.stored_bytes <= 4000);
		overlay_free(ring.nodes[i].overlay);
	}
	return 0;
}
