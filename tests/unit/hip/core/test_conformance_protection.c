/* SPDX-License-Identifier: MIT */
/* HIP_MAC and HIP_SIGNATURE are verified each for itself: a packet with one of them right and the other wrong changes
 * nothing and gets no answer. (A single changed octet is found by either, so it does not show that both are looked at.)
 */
#include "forge.h"

struct before {
	unsigned sent, changes, sas;
	size_t associations;
	host_state state;
};

static struct before look(struct network *network, size_t to, size_t from)
{
	struct network_host *self = &network->hosts[to];

	return (struct before){.sent = sent_in_all(self),
		.changes = self->changes,
		.sas = network_sa_count(self),
		.associations = host_association_count(self->host),
		.state = network_state(network, to, from)};
}

/* A NOTIFY is allowed where `told`. */
static void nothing_comes_of(struct network *network, const struct flying *packet, host_counter counter, bool told)
{
	struct network_host *self = target_of(network, packet);
	struct before before = look(network, self->index, packet->from);
	unsigned notified = self->out_of_type[HIP_PACKET_NOTIFY];
	uint64_t drops = counted(self, counter);
	struct before after;

	network->now += MILLISECONDS(100); /* so that it is not the rates that refuse */
	deliver(network, packet);
	after = look(network, self->index, packet->from);
	notified = self->out_of_type[HIP_PACKET_NOTIFY] - notified;
	assert_int_equal(counted(self, counter), drops + 1);
	assert_int_equal(after.sent - notified, before.sent);
	assert_true(told || notified == 0);
	assert_int_equal(after.changes, before.changes);
	assert_int_equal(after.sas, before.sas);
	assert_int_equal(after.associations, before.associations);
	assert_int_equal(after.state, before.state);
}

/* Of what the sender is told: nothing, that the signature is wrong, also that the MAC is. */
enum told { TOLD_NOTHING, TOLD_SIGNATURE, TOLD_BOTH };

static void spoil_each(struct network *network, const struct catch *catch, enum told told)
{
	struct flying forged;

	assert_true(catch->full);
	forge(network, &catch->packet, NULL, 0, SPOIL_MAC, &forged);
	nothing_comes_of(network, &forged, HOST_COUNT_DROP_MAC, told == TOLD_BOTH);
	forge(network, &catch->packet, NULL, 0, SPOIL_SIGNATURE, &forged);
	nothing_comes_of(network, &forged, HOST_COUNT_DROP_SIGNATURE, told != TOLD_NOTHING);
	/* Nothing but the spoilt octet was wrong. */
	forge(network, &catch->packet, NULL, 0, 0, &forged);
	deliver(network, &forged);
}

static void spoil_in_exchange(uint8_t type, enum told told)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct catch catch;

	catch_next(network, &catch, type);
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, MILLISECONDS(500));
	spoil_each(network, &catch, told);
	network_run(network, MILLISECONDS(100));
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	network_free(network);
}

/* conforms: RFC7401-5.3.3-8 RFC7401-5.3.3-9 RFC7401-6.9-13 RFC7401-6.9-14 */
static void i2_needs_both(void **state)
{
	(void)state;
	spoil_in_exchange(HIP_PACKET_I2, TOLD_BOTH);
}

/* conforms: RFC7401-5.3.4-1 RFC7401-6.10-3 RFC7401-6.10-4 RFC7401-6.10-5 */
static void r2_needs_both(void **state)
{
	(void)state;
	spoil_in_exchange(HIP_PACKET_R2, TOLD_SIGNATURE);
}

/* Host 0 asks whether host 1 is there. */
static void catch_update(struct network *network, struct catch *catch)
{
	network_associate(network, 0, 1);
	catch_next(network, catch, HIP_PACKET_UPDATE);
	network->hosts[0].sent[1] = network->now + 1;
	while (!catch->full)
		network_run(network, MILLISECONDS(50));
	network->fate = NULL;
}

/* conforms: RFC7401-6.12.1-4 RFC7401-6.12.1-5 */
static void update_with_seq_needs_both(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct catch catch;

	(void)state;
	catch_update(network, &catch);
	spoil_each(network, &catch, TOLD_SIGNATURE);
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_UPDATE], 1);
	network_free(network);
}

/* Also the echo must be that of the CLOSE. */
/* conforms: RFC7401-5.3.8-1 RFC7401-5.3.8-2 */
static void close_and_close_ack_need_both(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	const struct change other_echo = {PARAMETER_ECHO_RESPONSE_SIGNED, "sixteen octets..", 16};
	struct catch close, answer;
	struct flying forged;

	(void)state;
	network_associate(network, 0, 1);
	catch_next(network, &close, HIP_PACKET_CLOSE);
	assert_int_equal(host_close(network->hosts[0].host, network->now, &network->hosts[1].hit), HIPHOP_OK);
	network_drain(network, &network->hosts[0]);
	catch_next(network, &answer, HIP_PACKET_CLOSE_ACK);
	spoil_each(network, &close, TOLD_SIGNATURE);
	assert_int_equal(network_state(network, 1, 0), HOST_CLOSED);
	network->fate = NULL;
	forge(network, &answer.packet, &other_echo, 1, 0, &forged);
	nothing_comes_of(network, &forged, HOST_COUNT_DROP_ECHO, false);
	spoil_each(network, &answer, TOLD_NOTHING);
	assert_int_equal(network_state(network, 0, 1), HOST_UNASSOCIATED);
	network_free(network);
}

/* An R1 with a bad signature is ignored without a word, whatever else is in it. */
/* conforms: RFC7401-4.1.3-2 RFC7401-4.1.3-3 RFC7401-5.3.2-12 RFC7401-6.8-10 */
static void r1_needs_its_signature(void **state)
{
	static const uint8_t group[] = {DH_GROUP_NIST_P384};
	const struct change downgrade = {PARAMETER_DH_GROUP_LIST, group, sizeof group};
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct catch catch;
	struct flying forged;

	(void)state;
	catch_next(network, &catch, HIP_PACKET_R1);
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, MILLISECONDS(100));
	network->fate = NULL;
	forge(network, &catch.packet, NULL, 0, SPOIL_SIGNATURE, &forged);
	nothing_comes_of(network, &forged, HOST_COUNT_DROP_SIGNATURE, false);
	/* A reason to abort or restart counts only under a good signature. */
	forge(network, &catch.packet, &downgrade, 1, SPOIL_SIGNATURE, &forged);
	nothing_comes_of(network, &forged, HOST_COUNT_DROP_SIGNATURE, false);
	deliver(network, &catch.packet);
	network_run(network, MILLISECONDS(100));
	assert_true(network_esp(network, 0, 1));
	network_free(network);
}

/* ---- whose key it is ---- */

/* `packet` as host 2 would send it in the name of its sender: all is right, but the HIT is not that of the key. */
static void forge_in_the_name(struct network *network, const struct flying *packet, struct flying *forged)
{
	struct network_host *from = &network->hosts[packet->from];
	struct host_identity *own = from->identity;
	uint8_t octets[HOST_IDENTITY_OCTETS_MAXIMUM + 32];
	struct parameter_list list;
	struct span host_id;
	struct change changes[2] = {{.type = PARAMETER_HOST_ID}, {.type = PARAMETER_ENCRYPTED}};

	from->identity = network->hosts[2].identity;
	host_id = forge_host_id(from->identity, octets, sizeof octets);
	assert_int_equal(parameters_parse(host_id.data, host_id.length, &list), HIPHOP_OK);
	changes[0].contents = list.items[0].contents.data;
	changes[0].length = list.items[0].contents.length;
	forge(network, packet, changes, 2, 0, forged);
	from->identity = own;
}

/* Catches a packet of an exchange that 0 begins with 1, and makes another with the key of a third host of it. */
static void forge_during_an_exchange(struct network *network, uint8_t type, struct catch *catch, struct flying *forged)
{
	catch_next(network, catch, type);
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, MILLISECONDS(100));
	network->fate = NULL;
	forge_in_the_name(network, &catch->packet, forged);
}

/* conforms: RFC7401-5.3.2-13 RFC7401-6.8-18 */
static void an_r1_with_the_key_of_another_is_dropped(void **state)
{
	struct network *network = network_make(3, TRANSPORT_UDP);
	struct catch catch;
	struct flying forged;

	(void)state;
	forge_during_an_exchange(network, HIP_PACKET_R1, &catch, &forged);
	nothing_comes_of(network, &forged, HOST_COUNT_DROP_IDENTITY, false);
	deliver(network, &catch.packet);
	network_run(network, MILLISECONDS(100));
	assert_true(network_esp(network, 0, 1));
	network_free(network);
}

/* conforms: RFC7401-6.9-11 */
static void an_i2_with_the_key_of_another_is_refused(void **state)
{
	struct network *network = network_make(3, TRANSPORT_UDP);
	struct catch catch;
	struct flying forged;

	(void)state;
	forge_during_an_exchange(network, HIP_PACKET_I2, &catch, &forged);
	nothing_comes_of(network, &forged, HOST_COUNT_DROP_IDENTITY, true);
	assert_int_equal(network->hosts[1].last_notification, NOTIFY_INVALID_HIT);
	deliver(network, &catch.packet);
	network_run(network, MILLISECONDS(100));
	assert_true(network_esp(network, 0, 1));
	network_free(network);
}

/* One value each: two are refused even where both were offered. */
/* conforms: RFC7401-6.9-10 RFC7401-6.9-12 RFC7402-6.5-1 */
static void an_i2_chooses_one_of_each(void **state)
{
	static const struct change changes[] = {{PARAMETER_HIP_CIPHER, "\0\2\0\4", 4},
		{PARAMETER_ESP_TRANSFORM, "\0\0\0\15\0\10", 6}, {PARAMETER_TRANSPORT_FORMAT_LIST, "\17\377\17\376", 4}};
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct catch catch;
	struct flying forged;

	(void)state;
	catch_next(network, &catch, HIP_PACKET_I2);
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, MILLISECONDS(100));
	network->fate = NULL;
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		forge(network, &catch.packet, &changes[i], 1, 0, &forged);
		nothing_comes_of(network, &forged, HOST_COUNT_DROP_NO_PROPOSAL, true);
	}
	deliver(network, &catch.packet);
	network_run(network, MILLISECONDS(100));
	assert_true(network_esp(network, 0, 1));
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(i2_needs_both),
		cmocka_unit_test(r2_needs_both),
		cmocka_unit_test(update_with_seq_needs_both),
		cmocka_unit_test(close_and_close_ack_need_both),
		cmocka_unit_test(r1_needs_its_signature),
		cmocka_unit_test(an_r1_with_the_key_of_another_is_dropped),
		cmocka_unit_test(an_i2_with_the_key_of_another_is_refused),
		cmocka_unit_test(an_i2_chooses_one_of_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
