/* SPDX-License-Identifier: MIT */
/*
 * What holds for packets of every type, each from a peer who has the right keys (RFC 7401 sections 5.1 to 5.3): what is
 * to be ignored is ignored, and what makes a packet unsound has it dropped.
 */
#include "forge.h"

#define AT_MOST 12

/* What host 0 or 1 sends, who does what on it, and what it must have (RFC 7401 section 5.3, RFC 7402 section 5.2). */
static const struct kind {
	uint8_t type;
	const char *name;
	uint16_t mandatory[AT_MOST];
	bool critical_is_told; /* by a NOTIFY: about what an unknown Initiator or a Responder sends first it is not */
} kinds[] = {
	{HIP_PACKET_I1, "I1", {PARAMETER_DH_GROUP_LIST}, false},
	{HIP_PACKET_R1, "R1",
		{PARAMETER_PUZZLE, PARAMETER_DIFFIE_HELLMAN, PARAMETER_HIP_CIPHER, PARAMETER_HOST_ID,
			PARAMETER_HIT_SUITE_LIST, PARAMETER_DH_GROUP_LIST, PARAMETER_TRANSPORT_FORMAT_LIST,
			PARAMETER_ESP_TRANSFORM, PARAMETER_HIP_SIGNATURE_2},
		false},
	{HIP_PACKET_I2, "I2",
		{PARAMETER_SOLUTION, PARAMETER_DIFFIE_HELLMAN, PARAMETER_HIP_CIPHER, PARAMETER_ENCRYPTED,
			PARAMETER_TRANSPORT_FORMAT_LIST, PARAMETER_ESP_INFO, PARAMETER_ESP_TRANSFORM, PARAMETER_HIP_MAC,
			PARAMETER_HIP_SIGNATURE},
		true},
	{HIP_PACKET_R2, "R2", {PARAMETER_ESP_INFO, PARAMETER_HIP_MAC_2, PARAMETER_HIP_SIGNATURE}, false},
	{HIP_PACKET_UPDATE, "UPDATE", {PARAMETER_SEQ, PARAMETER_HIP_MAC, PARAMETER_HIP_SIGNATURE}, true},
	{HIP_PACKET_NOTIFY, "NOTIFY", {PARAMETER_NOTIFICATION, PARAMETER_HIP_SIGNATURE}, false},
	{HIP_PACKET_CLOSE, "CLOSE", {PARAMETER_ECHO_REQUEST_SIGNED, PARAMETER_HIP_MAC, PARAMETER_HIP_SIGNATURE}, true},
	{HIP_PACKET_CLOSE_ACK, "CLOSE_ACK",
		{PARAMETER_ECHO_RESPONSE_SIGNED, PARAMETER_HIP_MAC, PARAMETER_HIP_SIGNATURE}, true},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* ---- a packet of each kind, on its way ---- */

static void begin(struct network *network, struct catch *catch, uint8_t type)
{
	struct endpoint nowhere = {.transport = TRANSPORT_UDP}, one = network_endpoint(network, 1);
	struct host *host = network->hosts[0].host;

	network_introduce(network, 0, 1);
	if (type > HIP_PACKET_R2) {
		network_associate(network, 0, 1);
		network_run(network, MILLISECONDS(50)); /* R2-SENT is over: ESP was heard */
	}
	catch_next(network, catch, type);
	switch (type) {
	case HIP_PACKET_UPDATE:
		network->hosts[0].sent[1] = network->now + 1; /* and nothing is heard: is it still there? */
		break;
	case HIP_PACKET_NOTIFY:
		host_unknown_spi(host, network->now, &nowhere, &one, 0x01020304);
		break;
	case HIP_PACKET_CLOSE:
	case HIP_PACKET_CLOSE_ACK:
		host_close(host, network->now, &network->hosts[1].hit);
		break;
	default:
		network_connect(network, 0, 1);
	}
	while (!catch->full)
		network_run(network, MILLISECONDS(10));
	network->fate = NULL;
}

static struct network *caught(struct catch *catch, uint8_t type)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	begin(network, catch, type);
	return network;
}

/* All that shows that a host has taken a packet, NOTIFYs that it sends apart. */
struct reaction {
	unsigned sent, changes;
	host_state state;
	uint64_t heard;
};

static struct reaction reaction_of(struct network *network, const struct flying *packet)
{
	struct network_host *to = target_of(network, packet);
	struct reaction reaction = {.sent = sent_in_all(to) - to->out_of_type[HIP_PACKET_NOTIFY],
		.changes = to->changes,
		.state = network_state(network, to->index, packet->from)};
	struct host_notify_count counted;

	for (size_t i = 0; host_notify_count_at(to->host, i, &counted); i++)
		reaction.heard += counted.received;
	return reaction;
}

/* Lets it arrive, and says whether the host took it, at once or after `wait`. Nothing else happens in that time. */
static bool is_taken_within(struct network *network, const struct flying *packet, duration wait)
{
	struct reaction before = reaction_of(network, packet), after;

	deliver(network, packet);
	if (wait)
		network_run(network, wait);
	after = reaction_of(network, packet);
	return before.sent != after.sent || before.changes != after.changes || before.state != after.state ||
	       before.heard != after.heard;
}

static bool is_taken(struct network *network, const struct flying *packet)
{
	return is_taken_within(network, packet, MILLISECONDS(20)); /* an R1 has a puzzle */
}

static bool taken_when_forged(
	uint8_t type, const struct change *changes, size_t count, const struct alteration *alteration, bool *told)
{
	struct catch catch;
	struct network *network = caught(&catch, type);
	struct network_host *to = target_of(network, &catch.packet);
	struct flying forged;
	unsigned notified;
	bool taken;

	forge_altered(network, &catch.packet, changes, count, 0, alteration, &forged);
	notified = to->out_of_type[HIP_PACKET_NOTIFY];
	taken = is_taken(network, &forged);
	if (told)
		*told = to->out_of_type[HIP_PACKET_NOTIFY] > notified;
	network_free(network);
	return taken;
}

static void expect(const struct kind *kind, const char *what, bool taken, bool wanted)
{
	if (taken != wanted)
		fail_msg("%s, %s: %s", kind->name, what, taken ? "taken" : "dropped");
}

/* ---- what is ignored ---- */

/* conforms: RFC7401-5.1-4 RFC7401-5.1-5 RFC7401-5.1.2-2 RFC7401-5.2.1-5 */
static void bits_that_mean_nothing(void **state)
{
	static const struct {
		const char *what;
		struct alteration alteration;
	} cases[] = {
		{"as it is", {{0}, false}},
		{"the reserved bits of the version", {{0, 0, 0, 0x0e}, false}},
		{"the first bit for SHIM6", {{0, 0, 0x80}, false}},
		{"the last bit for SHIM6", {{0, 0, 0, 0x01}, false}},
		{"reserved controls", {{0, 0, 0, 0, 0, 0, 0xff, 0xfe}, false}},
		{"padding", {{0}, true}},
		{"all of them", {{0, 0, 0x80, 0x0f, 0, 0, 0xff, 0xfe}, true}},
	};

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		for (size_t j = 0; j < sizeof cases / sizeof cases[0]; j++)
			expect(&kinds[i], cases[j].what,
				taken_when_forged(kinds[i].type, NULL, 0, &cases[j].alteration, NULL), true);
	}
}

/* conforms: RFC7401-5.1-1 */
static void what_follows_the_packet(void **state)
{
	static const uint8_t next_headers[] = {59, 6, 17, 41, 58, 254};

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		for (size_t j = 0; j < sizeof next_headers; j++) {
			const struct alteration alteration = {.header = {(uint8_t)(next_headers[j] ^ 59)}};
			struct catch catch;
			struct network *network = caught(&catch, kinds[i].type);
			struct flying forged;

			forge_altered(network, &catch.packet, NULL, 0, 0, &alteration, &forged);
			memset(forged.octets + forged.length, 0xee, 13);
			forged.length += 13;
			expect(&kinds[i], "trailing data", is_taken(network, &forged), true);
			network_free(network);
		}
	}
}

/* In front of MAC and signature, and behind them. */
/* conforms: RFC7401-5.2.1-9 */
static void unknown_parameters(void **state)
{
	static const uint16_t types[] = {2, 500, 6000, 32768, 61440 - 2, 65400};

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		for (size_t j = 0; j < sizeof types / sizeof types[0]; j++) {
			const struct change harmless = {types[j], "unknown", 7};

			expect(&kinds[i], "an unknown parameter",
				taken_when_forged(kinds[i].type, &harmless, 1, NULL, NULL), true);
		}
	}
}

/* ---- what is not taken ---- */

/* conforms: RFC7401-5.2.1-6 RFC7401-5.2.1-7 RFC7401-5.2.1-8 RFC7401-4.3-1 */
static void unknown_critical_parameters(void **state)
{
	static const uint16_t types[] = {3, 501, 6001, 32769, 61440 - 1, 65401};

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		for (size_t j = 0; j < sizeof types / sizeof types[0]; j++) {
			const struct change critical = {types[j], "unknown", 7};
			bool told;

			expect(&kinds[i], "an unknown critical parameter",
				taken_when_forged(kinds[i].type, &critical, 1, NULL, &told), false);
			assert_int_equal(told, kinds[i].critical_is_told);
		}
	}
}

/* Cuts a parameter out, without protecting the packet again. */
static void cut(struct flying *packet, uint16_t type)
{
	const struct parameter_view *item;
	struct packet_view view;

	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	item = packet_find(&view, type);
	assert_non_null(item);
	memmove(packet->octets + item->offset, packet->octets + item->offset + item->encoded.length,
		packet->length - item->offset - item->encoded.length);
	packet->length -= item->encoded.length;
	packet->octets[1] = (uint8_t)(packet->length / 8 - 1);
}

static bool is_protection(uint16_t type)
{
	return parameter_coverage_of(type) == PARAMETER_PROTECTION;
}

static void without_what_is_mandatory(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		for (size_t j = 0; j < AT_MOST && kinds[i].mandatory[j]; j++) {
			const struct change without = {kinds[i].mandatory[j], NULL, 0};
			bool taken;

			/* A signature of an R1 is over the PUZZLE as well, in a way of its own. */
			if (is_protection(without.type) || without.type == PARAMETER_PUZZLE) {
				struct catch catch;
				struct network *network = caught(&catch, kinds[i].type);

				cut(&catch.packet, without.type);
				taken = is_taken(network, &catch.packet);
				network_free(network);
			} else {
				taken = taken_when_forged(kinds[i].type, &without, 1, NULL, NULL);
			}
			expect(&kinds[i], parameter_name(without.type), taken, false);
		}
	}
}

static void dropped_and_counted(
	struct network *network, const struct kind *kind, const struct flying *packet, host_counter counter)
{
	struct network_host *to = target_of(network, packet);
	uint64_t before = counted(to, counter);

	if (kind->type == HIP_PACKET_I1)
		network->now += MILLISECONDS(25); /* they have a rate of their own, which comes first */
	expect(kind, host_counter_name(counter), is_taken_within(network, packet, 0), false);
	assert_int_equal(counted(to, counter), before + 1);
}

/* Puts a parameter in a second time, without protecting the packet again. */
static void repeat(struct flying *packet, uint16_t type)
{
	const struct parameter_view *item;
	struct packet_view view;
	uint8_t *end;

	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	item = packet_find(&view, type);
	assert_non_null(item);
	end = packet->octets + item->offset + item->encoded.length;
	memmove(end + item->encoded.length, end, packet->length - (size_t)(end - packet->octets));
	memcpy(end, item->encoded.data, item->encoded.length);
	packet->length += item->encoded.length;
	packet->octets[1] = (uint8_t)(packet->length / 8 - 1);
}

static void twice_what_may_be_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		for (size_t j = 0; j < AT_MOST && kinds[i].mandatory[j]; j++) {
			struct catch catch;
			struct network *network = caught(&catch, kinds[i].type);

			if (!parameter_rule_of(kinds[i].mandatory[j])->repeats) {
				repeat(&catch.packet, kinds[i].mandatory[j]);
				dropped_and_counted(network, &kinds[i], &catch.packet, HOST_COUNT_DROP_MALFORMED);
			}
			network_free(network);
		}
	}
}

/* conforms: RFC7401-5.1-2 RFC7401-5.1-3 RFC7401-5.2.1-2 RFC7401-5.2.1-3 */
static void headers_and_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct catch catch;
		struct network *network = caught(&catch, kinds[i].type);
		struct flying wrong;

		for (unsigned version = 0; version < 16; version++) {
			wrong = catch.packet;
			wrong.octets[3] = (uint8_t)(version << 4 | 1);
			if (version != HIP_VERSION)
				dropped_and_counted(network, &kinds[i], &wrong, HOST_COUNT_DROP_UNSUPPORTED);
		}
		for (unsigned type = 0; type < 128; type++) {
			wrong = catch.packet;
			wrong.octets[2] = (uint8_t)type;
			if (!packet_type_bit(type))
				dropped_and_counted(network, &kinds[i], &wrong, HOST_COUNT_DROP_UNKNOWN_TYPE);
		}
		for (unsigned length = 0; length < 256; length++) {
			wrong = catch.packet;
			wrong.octets[1] = (uint8_t)length;
			if (length < 4 || 8 * (length + 1) > wrong.length)
				dropped_and_counted(network, &kinds[i], &wrong, HOST_COUNT_DROP_MALFORMED);
		}
		wrong = catch.packet;
		memcpy(wrong.octets + wrong.length, "\0\1\0\1?\0\0\0", 8); /* type 1 is the last */
		wrong.length += 8;
		wrong.octets[1]++;
		dropped_and_counted(network, &kinds[i], &wrong, HOST_COUNT_DROP_MALFORMED);
		/* and all that came to nothing has spoilt nothing */
		expect(&kinds[i], "after all",
			is_taken_within(network, &catch.packet, kinds[i].type == HIP_PACKET_R1 ? MILLISECONDS(20) : 0),
			true);
		network_free(network);
	}
}

/* ---- what is sent ---- */

/* conforms: RFC7401-5.1-4 RFC7401-5.1-5 RFC7401-5.1.2-2 RFC7401-5.2.1-1 RFC7401-5.2.1-4 RFC7401-5.2.1-5 */
static void what_is_sent(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct packet_view view;
		struct catch catch;

		network_free(caught(&catch, kinds[i].type));
		assert_int_equal(catch.packet.octets[0], 59);
		assert_int_equal(catch.packet.octets[2], kinds[i].type);
		assert_int_equal(catch.packet.octets[3], 0x21);
		assert_memory_equal(catch.packet.octets + 6, "\0\0", 2);
		assert_int_equal(packet_parse(catch.packet.octets, catch.packet.length, &view), HIPHOP_OK);
		assert_int_equal(view.octets.length, catch.packet.length);
		assert_int_equal(packet_check_rules(&view, NULL), HIPHOP_OK);
		for (size_t j = 0; j < view.parameters.count; j++) {
			const struct parameter_view *item = &view.parameters.items[j];

			assert_true(j == 0 || item->type >= view.parameters.items[j - 1].type);
			assert_int_equal(item->encoded.length % 8, 0);
			assert_true(parameter_expected_in(item->type, view.type));
			for (size_t at = 4 + item->contents.length; at < item->encoded.length; at++)
				assert_int_equal(item->encoded.data[at], 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bits_that_mean_nothing),
		cmocka_unit_test(what_follows_the_packet),
		cmocka_unit_test(unknown_parameters),
		cmocka_unit_test(unknown_critical_parameters),
		cmocka_unit_test(without_what_is_mandatory),
		cmocka_unit_test(twice_what_may_be_once),
		cmocka_unit_test(headers_and_order),
		cmocka_unit_test(what_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
