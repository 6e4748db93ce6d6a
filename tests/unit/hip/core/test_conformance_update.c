/* SPDX-License-Identifier: MIT */
/* UPDATE and NOTIFY, sentence by sentence (RFC 7401 sections 4.3, 5.2.19, 5.3.5, 5.3.6 and 6.11 to 6.13). */
#include "forge.h"

/* ---- an UPDATE under way ---- */

/* What host 0 sends arrives; what host 1 says is only kept: its last packet. */
struct deafness {
	bool full;
	struct flying packet;
};

static packet_fate keep_from_one(struct network *network, struct flying *packet)
{
	struct deafness *deafness = network->fate_context;

	if (packet->from != 1)
		return FATE_PASS;
	deafness->packet = *packet;
	deafness->full = true;
	return FATE_LOSE;
}

/* Host 0 has sent an UPDATE, host 1 has answered, and nobody has heard that. */
static struct network *ask(struct deafness *deafness)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	network_associate(network, 0, 1);
	deafness->full = false;
	network->fate = keep_from_one;
	network->fate_context = deafness;
	network->hosts[0].sent[1] = network->now + 1;
	while (!deafness->full)
		network_run(network, MILLISECONDS(50));
	assert_int_equal(flying_type(&deafness->packet), HIP_PACKET_UPDATE);
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_UPDATE], 1);
	return network;
}

/* Whether host 0 still waits for the acknowledgment: then the UPDATE goes out again. */
static bool asks_again(struct network *network)
{
	unsigned before = network->hosts[0].out_of_type[HIP_PACKET_UPDATE];

	network_run(network, MILLISECONDS(1300));
	return network->hosts[0].out_of_type[HIP_PACKET_UPDATE] > before;
}

static struct change number(uint16_t type, const uint8_t *octets, size_t count)
{
	return (struct change){.type = type, .contents = octets, .length = 4 * count};
}

/* The UPDATE of host 0, to be forged. */
static struct network *catch_update(struct catch *catch)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	network_associate(network, 0, 1);
	catch_next(network, catch, HIP_PACKET_UPDATE);
	network->hosts[0].sent[1] = network->now + 1;
	while (!catch->full)
		network_run(network, MILLISECONDS(50));
	network->fate = NULL;
	return network;
}

/* Hands over the UPDATE with this Update ID; true when it is acknowledged. */
static bool is_acknowledged(struct network *network, const struct catch *catch, uint32_t id, unsigned spoil)
{
	const uint8_t octets[4] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
	const struct change change = number(PARAMETER_SEQ, octets, 1);
	struct network_host *b = &network->hosts[1];
	unsigned before = b->out_of_type[HIP_PACKET_UPDATE];
	struct flying forged;

	network->now += SECONDS(1);
	forge(network, &catch->packet, &change, 1, spoil, &forged);
	deliver(network, &forged);
	return b->out_of_type[HIP_PACKET_UPDATE] == before + 1;
}

/* ---- SEQ ---- */

/* conforms: RFC7401-6.12-2 RFC7401-6.12.1-1 RFC7401-6.12.1-2 RFC7401-6.12.1-3 RFC7401-6.12.1-7 */
static void update_ids_have_a_window(void **state)
{
	struct catch catch;
	struct network *network = catch_update(&catch);

	(void)state;
	assert_true(is_acknowledged(network, &catch, 0, 0));
	/* one that was processed is acknowledged again, but not without its MAC */
	assert_true(is_acknowledged(network, &catch, 0, 0));
	assert_false(is_acknowledged(network, &catch, 0, SPOIL_MAC));
	/* far ahead, and behind */
	assert_false(is_acknowledged(network, &catch, 5000, 0));
	assert_false(is_acknowledged(network, &catch, UINT32_MAX - 5000, 0));
	assert_true(is_acknowledged(network, &catch, 1, 0));
	network_free(network);
}

/* A window that is moved along comes to the end of the numbers in 2^32 / 64 steps; from there it is the same again. */
/* conforms: RFC7401-6.12-1 */
static void update_ids_wrap_around(void **state)
{
	struct catch catch;
	struct network *network = catch_update(&catch);

	(void)state;
	association_find(network->hosts[1].host, &network->hosts[0].hit)->session->peer_update = UINT32_MAX - 1;
	assert_true(is_acknowledged(network, &catch, UINT32_MAX - 1, 0));
	assert_true(is_acknowledged(network, &catch, UINT32_MAX, 0));
	assert_true(is_acknowledged(network, &catch, 0, 0));
	assert_true(is_acknowledged(network, &catch, 1, 0));
	assert_true(is_acknowledged(network, &catch, UINT32_MAX - 1, 0));
	assert_false(is_acknowledged(network, &catch, UINT32_MAX - 100, 0));
	network_free(network);
}

/* conforms: RFC7401-6.12.1-3 */
static void repetitions_are_acknowledged_at_a_limited_rate(void **state)
{
	struct catch catch;
	struct network *network = catch_update(&catch);

	(void)state;
	for (int i = 0; i < 1000; i++)
		deliver(network, &catch.packet);
	assert_in_range(network->hosts[1].out_of_type[HIP_PACKET_UPDATE], 2, 50);
	network_free(network);
}

/* conforms: RFC7401-5.3.5-1 RFC7401-5.3.5-2 */
static void an_acknowledgment_is_not_acknowledged(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	network_associate(network, 0, 1);
	network->hosts[0].sent[1] = network->now + 1;
	network_run(network, SECONDS(5));
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_UPDATE], 1);
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_UPDATE], 1);
	network_free(network);
}

/* Neither SEQ nor ACK; and since the peer is known and has signed it, it is told what is wrong, and no more than that.
 */
/* conforms: RFC7401-4.3-1 RFC7401-5.2.19-5 RFC7401-5.3.5-3 */
static void an_update_of_nothing_is_invalid(void **state)
{
	const struct change without = {.type = PARAMETER_SEQ};
	struct deafness deafness = {.full = false};
	struct catch catch;
	struct network *network = catch_update(&catch);
	struct parameter_notification notification;
	struct packet_view view;
	struct flying forged;

	(void)state;
	forge(network, &catch.packet, &without, 1, 0, &forged);
	network->fate = keep_from_one;
	network->fate_context = &deafness;
	deliver(network, &forged);
	assert_int_equal(counted(&network->hosts[1], HOST_COUNT_DROP_MALFORMED), 1);
	assert_true(deafness.full);
	assert_int_equal(packet_parse(deafness.packet.octets, deafness.packet.length, &view), HIPHOP_OK);
	assert_int_equal(view.type, HIP_PACKET_NOTIFY);
	assert_int_equal(
		parameter_notification_read(packet_find(&view, PARAMETER_NOTIFICATION), &notification), HIPHOP_OK);
	assert_int_equal(notification.type, NOTIFY_INVALID_SYNTAX);
	assert_int_equal(notification.data.length, 0);
	network_free(network);
}

/* conforms: RFC7401-4.3-1 RFC7401-5.2.1-8 */
static void an_unknown_critical_parameter_is_told(void **state)
{
	const struct change critical = {6001, "?", 1};
	struct catch catch;
	struct network *network = catch_update(&catch);
	struct flying forged;

	(void)state;
	forge(network, &catch.packet, &critical, 1, 0, &forged);
	deliver(network, &forged);
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_UPDATE], 0);
	assert_int_equal(network->hosts[1].last_notification, NOTIFY_UNSUPPORTED_CRITICAL_PARAMETER_TYPE);
	network_free(network);
}

/* conforms: RFC7401-5.2.1-9 */
static void an_unknown_parameter_that_is_not_critical_is_ignored(void **state)
{
	const struct change harmless = {6000, "?", 1};
	struct catch catch;
	struct network *network = catch_update(&catch);
	struct flying forged;

	(void)state;
	forge(network, &catch.packet, &harmless, 1, 0, &forged);
	deliver(network, &forged);
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_UPDATE], 1);
	network_free(network);
}

/* ---- ACK ---- */

/* conforms: RFC7401-5.3.5-4 RFC7401-10-1 */
static void one_of_several_acknowledgments_is_enough(void **state)
{
	static const uint8_t ids[] = {0, 0, 0, 9, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 5};
	const struct change several = number(PARAMETER_ACK, ids, 4);
	struct deafness deafness;
	struct network *network = ask(&deafness);
	struct flying forged;

	(void)state;
	forge(network, &deafness.packet, &several, 1, 0, &forged);
	deliver(network, &forged);
	assert_false(asks_again(network));
	network_free(network);
}

/* conforms: RFC7401-6.12.2-2 RFC7401-6.12.2-3 */
static void an_acknowledgment_needs_mac_and_signature(void **state)
{
	struct flying forged;

	(void)state;
	for (unsigned spoil = SPOIL_MAC; spoil <= SPOIL_SIGNATURE; spoil++) {
		struct deafness deafness;
		struct network *network = ask(&deafness);

		forge(network, &deafness.packet, NULL, 0, spoil, &forged);
		deliver(network, &forged);
		assert_true(asks_again(network));
		network_free(network);
	}
}

/* It is dropped, and it does not make the peer look alive either: the UPDATE goes out again. */
/* conforms: RFC7401-6.12.2-1 */
static void an_acknowledgment_of_nothing_is_dropped(void **state)
{
	static const uint8_t ids[] = {0, 0, 0, 7, 1, 0, 0, 0};
	const struct change others = number(PARAMETER_ACK, ids, 2);
	struct deafness deafness;
	struct network *network = ask(&deafness);
	struct flying forged;

	(void)state;
	forge(network, &deafness.packet, &others, 1, 0, &forged);
	deliver(network, &forged);
	assert_int_equal(counted(&network->hosts[0], HOST_COUNT_DROP_REPLAYED), 1);
	assert_true(asks_again(network));
	network_free(network);
}

/* Somebody sends again and again what a peer once said, which is dead by now. */
/* conforms: RFC7401-6.12-2 RFC7401-6.12.2-1 */
static void repetitions_are_no_sign_of_life(void **state)
{
	(void)state;
	for (int with_seq = 0; with_seq < 2; with_seq++) {
		struct deafness deafness;
		struct network *network = ask(&deafness);
		struct catch catch;

		if (with_seq) {
			network_free(network);
			network = catch_update(&catch);
			deafness.packet = catch.packet;
		}
		deliver(network, &deafness.packet); /* once it was news */
		network_crash(network, with_seq ? 0 : 1);
		network->fate = NULL;
		for (int i = 0; i < 400; i++) {
			network->hosts[with_seq].sent[1 - with_seq] = network->now;
			network_run(network, MILLISECONDS(100));
			deliver(network, &deafness.packet);
		}
		assert_int_equal(network->hosts[with_seq].failed, 1);
		network_free(network);
	}
}

struct times {
	unsigned count;
	instant at[4];
};

static packet_fate note_times(struct network *network, struct flying *packet)
{
	struct times *times = network->fate_context;

	if (packet->from == 0 && flying_type(packet) == HIP_PACKET_UPDATE && times->count < 4)
		times->at[times->count++] = network->now;
	return FATE_LOSE;
}

/* conforms: RFC7401-6.11-2 */
static void an_update_is_repeated_with_growing_pauses(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct times times = {.count = 0};

	(void)state;
	network_associate(network, 0, 1);
	network->fate = note_times;
	network->fate_context = &times;
	network->hosts[0].sent[1] = network->now + 1;
	network_run(network, SECONDS(4));
	assert_true(times.count >= 3);
	for (unsigned i = 2; i < times.count; i++)
		assert_true(times.at[i] - times.at[i - 1] >= 2 * (times.at[i - 1] - times.at[i - 2]));
	network_free(network);
}

/* ---- NOTIFY ---- */

struct lines {
	unsigned count;
	char last[256];
};

static void note_line(void *context, log_level level, const char *line)
{
	struct lines *lines = context;

	(void)level;
	lines->count++;
	snprintf(lines->last, sizeof lines->last, "%s", line);
}

static struct network *with_log(struct log *log, struct lines *lines)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	*log = (struct log){.write = note_line, .context = lines, .maximum = LOG_LEVEL_INFO};
	*lines = (struct lines){.count = 0};
	for (size_t i = 0; i < 2; i++) {
		network_crash(network, i);
		network->hosts[i].configuration.log = log;
		network_boot(network, i);
	}
	return network;
}

/* A NOTIFY of host 1 to host 0, well signed. */
static void notify(struct network *network, uint16_t type, struct span data)
{
	struct network_host *from = &network->hosts[1], *to = &network->hosts[0];
	const struct parameter_notification notification = {.type = type, .data = data};
	struct flying packet = {
		.from = 1, .source = network_endpoint(network, 1), .destination = network_endpoint(network, 0)};
	struct packet_builder builder;

	packet_builder_start(&builder, packet.octets, sizeof packet.octets, HIP_PACKET_NOTIFY, 0, &from->hit, &to->hit);
	parameter_notification_write(&builder, &notification);
	packet_reserve_signature(&builder, from->identity);
	assert_int_equal(packet_builder_finish(&builder, &packet.length), HIPHOP_OK);
	assert_int_equal(packet_sign(packet.octets, packet.length, from->identity), HIPHOP_OK);
	network->now += SECONDS(1);
	deliver(network, &packet);
}

static const uint16_t errors[] = {NOTIFY_UNSUPPORTED_CRITICAL_PARAMETER_TYPE, NOTIFY_INVALID_SYNTAX,
	NOTIFY_NO_DH_PROPOSAL_CHOSEN, NOTIFY_INVALID_DH_CHOSEN, NOTIFY_NO_HIP_PROPOSAL_CHOSEN,
	NOTIFY_INVALID_HIP_CIPHER_CHOSEN, NOTIFY_UNSUPPORTED_HIT_SUITE, NOTIFY_AUTHENTICATION_FAILED,
	NOTIFY_CHECKSUM_FAILED, NOTIFY_HIP_MAC_FAILED, NOTIFY_ENCRYPTION_FAILED, NOTIFY_INVALID_HIT,
	NOTIFY_BLOCKED_BY_POLICY, NOTIFY_RESPONDER_BUSY_PLEASE_RETRY, 11, 9999};

/* Errors that are known, and some that are not, to a host that has an association: all are logged, none does anything.
 */
/* conforms: RFC7401-5.2.19-3 RFC7401-5.3.6-1 RFC7401-6.13-1 RFC7401-6.13-2 RFC7401-8-2 */
static void an_error_is_logged_and_changes_nothing(void **state)
{
	struct log log;
	struct lines lines;
	struct network *network = with_log(&log, &lines);
	struct network_host *a = &network->hosts[0];
	unsigned sent, changes;

	(void)state;
	network_associate(network, 0, 1);
	sent = sent_in_all(a), changes = a->changes;
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		char number[16];

		lines.count = 0;
		notify(network, errors[i], (struct span){(const uint8_t *)"data", 4});
		snprintf(number, sizeof number, "%u", errors[i]);
		assert_int_equal(lines.count, 1);
		assert_non_null(strstr(lines.last, number));
		assert_int_equal(network_state(network, 0, 1), HOST_ESTABLISHED);
		assert_int_equal(sent_in_all(a), sent);
		assert_int_equal(a->changes, changes);
		assert_int_equal(network_sa_count(a), 1);
	}
	network_free(network);
}

/* conforms: RFC7401-5.2.19-4 */
static void data_of_an_unknown_status_is_ignored(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	uint8_t data[600];
	unsigned sent;

	(void)state;
	memset(data, 0xff, sizeof data);
	network_associate(network, 0, 1);
	sent = sent_in_all(&network->hosts[0]);
	notify(network, 20000, (struct span){data, sizeof data});
	notify(network, 65535, (struct span){data, 1});
	notify(network, NOTIFY_I2_ACKNOWLEDGEMENT, (struct span){data, 3});
	assert_int_equal(network_state(network, 0, 1), HOST_ESTABLISHED);
	assert_int_equal(sent_in_all(&network->hosts[0]), sent);
	network_free(network);
}

/* conforms: RFC7401-6.13-2 RFC7401-8-2 */
static void an_error_does_not_end_an_exchange(void **state)
{
	uint8_t type = HIP_PACKET_R2;
	struct catch catch;
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	catch_next(network, &catch, type);
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, MILLISECONDS(100));
	assert_int_equal(network_state(network, 0, 1), HOST_I2_SENT);
	notify(network, NOTIFY_AUTHENTICATION_FAILED, (struct span){NULL, 0});
	notify(network, NOTIFY_BLOCKED_BY_POLICY, (struct span){NULL, 0});
	assert_int_equal(network_state(network, 0, 1), HOST_I2_SENT);
	deliver(network, &catch.packet);
	network_run(network, MILLISECONDS(100));
	assert_true(network_esp(network, 0, 1));
	network_free(network);
}

/* A signature that fails under a right MAC is a fault worth a line. */
/* conforms: RFC7401-6.12.1-6 RFC7401-6.12.2-4 */
static void a_wrong_signature_of_an_update_is_logged(void **state)
{
	struct log log;
	struct lines lines;

	(void)state;
	for (unsigned answer = 0; answer < 2; answer++) {
		struct network *network = with_log(&log, &lines);
		struct catch catch;
		struct flying forged;

		network_associate(network, 0, 1);
		catch_next(network, &catch, HIP_PACKET_UPDATE);
		catch.to_skip = answer;
		network->hosts[0].sent[1] = network->now + 1;
		while (!catch.full)
			network_run(network, MILLISECONDS(50));
		network->fate = NULL;
		lines.count = 0;
		forge(network, &catch.packet, NULL, 0, SPOIL_SIGNATURE, &forged);
		deliver(network, &forged);
		assert_int_equal(lines.count, 1);
		assert_non_null(strstr(lines.last, "signature"));
		network_free(network);
	}
}

/* The sender is told that something is wrong, the log says what. */
/* conforms: RFC7401-5.2.19-6 */
static void what_is_wrong_is_logged(void **state)
{
	static const struct change changes[] = {{6001, "?", 1}, {.type = PARAMETER_SEQ}};
	static const char *const said[] = {"critical parameter 6001", "lacks a parameter"};
	struct log log;
	struct lines lines;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct network *network = with_log(&log, &lines);
		struct catch catch;
		struct flying forged;

		network_associate(network, 0, 1);
		catch_next(network, &catch, HIP_PACKET_UPDATE);
		network->hosts[0].sent[1] = network->now + 1;
		while (!catch.full)
			network_run(network, MILLISECONDS(50));
		network->fate = NULL;
		lines.count = 0;
		forge(network, &catch.packet, &changes[i], 1, 0, &forged);
		deliver(network, &forged);
		assert_int_equal(lines.count, 1);
		assert_non_null(strstr(lines.last, said[i]));
		assert_non_null(strstr(lines.last, "UPDATE"));
		network_free(network);
	}
}

/* A KEYMAT index with a new Diffie-Hellman key. */
/* conforms: RFC7402-6.9-1 RFC7402-6.9-2 */
static void a_rekeying_that_cannot_be_is_dropped_and_logged(void **state)
{
	struct log log;
	struct lines lines;
	struct network *network = with_log(&log, &lines);
	uint8_t esp_info[12] = {[3] = 1, [8] = 0x12, [11] = 0x34}, key[3 + 64] = {DH_GROUP_NIST_P256, 0, 64};
	const struct change changes[] = {
		{PARAMETER_ESP_INFO, esp_info, sizeof esp_info}, {PARAMETER_DIFFIE_HELLMAN, key, sizeof key}};
	struct host_association_view view;
	struct diffie_hellman *own;
	struct catch catch;
	struct flying forged;

	(void)state;
	network_associate(network, 0, 1);
	catch_next(network, &catch, HIP_PACKET_UPDATE);
	network->hosts[0].sent[1] = network->now + 1;
	while (!catch.full)
		network_run(network, MILLISECONDS(50));
	network->fate = NULL;
	assert_true(host_association_find(network->hosts[0].host, &network->hosts[1].hit, &view));
	for (unsigned i = 0; i < 4; i++)
		esp_info[4 + i] = (uint8_t)(view.spi_in >> (24 - 8 * i));
	assert_int_equal(diffie_hellman_new(DH_GROUP_NIST_P256, &network->random, &own), HIPHOP_OK);
	memcpy(key + 3, diffie_hellman_public_value(own).data, 64);
	diffie_hellman_free(own);
	lines.count = 0;
	forge(network, &catch.packet, changes, 2, 0, &forged);
	deliver(network, &forged);
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_UPDATE], 0);
	assert_int_equal(lines.count, 1);
	assert_non_null(strstr(lines.last, "DIFFIE_HELLMAN"));
	assert_int_equal(network_sa_count(&network->hosts[1]), 1);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(update_ids_have_a_window),
		cmocka_unit_test(update_ids_wrap_around),
		cmocka_unit_test(repetitions_are_acknowledged_at_a_limited_rate),
		cmocka_unit_test(an_acknowledgment_is_not_acknowledged),
		cmocka_unit_test(an_update_of_nothing_is_invalid),
		cmocka_unit_test(an_unknown_critical_parameter_is_told),
		cmocka_unit_test(an_unknown_parameter_that_is_not_critical_is_ignored),
		cmocka_unit_test(one_of_several_acknowledgments_is_enough),
		cmocka_unit_test(an_acknowledgment_needs_mac_and_signature),
		cmocka_unit_test(an_acknowledgment_of_nothing_is_dropped),
		cmocka_unit_test(repetitions_are_no_sign_of_life),
		cmocka_unit_test(an_update_is_repeated_with_growing_pauses),
		cmocka_unit_test(an_error_is_logged_and_changes_nothing),
		cmocka_unit_test(data_of_an_unknown_status_is_ignored),
		cmocka_unit_test(an_error_does_not_end_an_exchange),
		cmocka_unit_test(a_wrong_signature_of_an_update_is_logged),
		cmocka_unit_test(what_is_wrong_is_logged),
		cmocka_unit_test(a_rekeying_that_cannot_be_is_dropped_and_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
