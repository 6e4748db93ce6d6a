/* SPDX-License-Identifier: MIT */
/* NOTIFY: each error is told to who has earned it, seldom enough, and shown (RFC 7401 sections 4.3, 5.2.19 and 6.9.1).
 */
#include "forge.h"

/* What the hosts tell of NOTIFYs. */
static struct host_notify_count count_of(struct network *network, size_t index, uint16_t type)
{
	struct host_notify_count count;

	assert_true(host_notify_count_at(network->hosts[index].host, notification_index(type), &count));
	return count;
}

static void catch_i2(struct network *network, struct catch *catch)
{
	catch_next(network, catch, HIP_PACKET_I2);
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	while (!catch->full)
		network_run(network, MILLISECONDS(20));
	network->fate = NULL;
}

/* conforms: RFC7401-6.9.1-1 RFC7401-6.9.1-2 RFC7401-5.2.1-8 */
static void an_unknown_critical_parameter_of_a_solved_i2(void **state)
{
	const struct change critical = {6001, "?", 1};
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct catch catch;
	struct flying forged;

	(void)state;
	catch_i2(network, &catch);
	forge(network, &catch.packet, &critical, 1, 0, &forged);
	deliver(network, &forged);
	assert_int_equal(network->hosts[1].last_notification, NOTIFY_UNSUPPORTED_CRITICAL_PARAMETER_TYPE);
	assert_int_equal(count_of(network, 1, NOTIFY_UNSUPPORTED_CRITICAL_PARAMETER_TYPE).sent, 1);
	/* With a wrong solution: not a word. */
	struct parameter_solution solution;
	struct packet_view view;
	struct flying wrong;

	assert_int_equal(packet_parse(forged.octets, forged.length, &view), HIPHOP_OK);
	assert_int_equal(parameter_solution_read(packet_find(&view, PARAMETER_SOLUTION), &solution), HIPHOP_OK);
	wrong = forged;
	wrong.octets[packet_find(&view, PARAMETER_SOLUTION)->offset + 4 + 4] ^= 1;
	network->now += SECONDS(2);
	deliver(network, &wrong);
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_NOTIFY], 1);
	network_free(network);
}

/* ESP_INFO with a reserved SPI: the MAC and the signature are right, so it is told, without details. */
/* conforms: RFC7401-5.2.19-5 RFC7401-6.9.1-1 */
static void a_malformed_i2_that_verifies(void **state)
{
	static const uint8_t esp_info[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};
	const struct change malformed = {PARAMETER_ESP_INFO, esp_info, sizeof esp_info};
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct catch catch;
	struct flying forged;

	(void)state;
	catch_i2(network, &catch);
	forge(network, &catch.packet, &malformed, 1, SPOIL_SIGNATURE, &forged);
	deliver(network, &forged);
	assert_int_equal(network->hosts[1].last_notification, NOTIFY_AUTHENTICATION_FAILED);
	forge(network, &catch.packet, &malformed, 1, 0, &forged);
	deliver(network, &forged);
	assert_int_equal(network->hosts[1].last_notification, NOTIFY_INVALID_SYNTAX);
	assert_int_equal(host_association_count(network->hosts[1].host), 0);
	network_free(network);
}

/* Any number of bad packets brings out a few NOTIFYs a second, to one peer and in all. */
static void they_are_few(void **state)
{
	const struct change critical = {6001, "?", 1};
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct catch catch;
	struct flying forged;

	(void)state;
	catch_i2(network, &catch);
	forge(network, &catch.packet, &critical, 1, 0, &forged);
	for (unsigned i = 0; i < 200; i++)
		deliver(network, &forged);
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_NOTIFY], 5);
	assert_int_equal(counted(&network->hosts[1], HOST_COUNT_DROP_NOTIFY_RATE), 195);
	network->now += SECONDS(2);
	for (unsigned i = 0; i < 200; i++)
		deliver(network, &forged);
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_NOTIFY], 7);
	network_free(network);
}

/* Hosts behind one address share what it gets, and all hosts what there is. */
static void they_are_few_for_all(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct host *host = network->hosts[1].host;
	struct packet_view view = {.type = HIP_PACKET_I2};
	struct host_arrival arrival = {.local = network_endpoint(network, 1), .remote = network_endpoint(network, 0)};
	struct incoming in = {.arrival = &arrival, .now = network->now, .view = view};
	unsigned one, all;

	(void)state;
	for (uint8_t i = 0; i < 50; i++) {
		in.view.sender = network->hosts[0].hit;
		in.view.sender.octets[15] = i;
		notify_sender(host, &in, NOTIFY_BLOCKED_BY_POLICY, (struct span){NULL, 0}, SHOWN_PUZZLE);
	}
	network_drain(network, &network->hosts[1]);
	one = network->hosts[1].out_of_type[HIP_PACKET_NOTIFY];
	assert_int_equal(one, 5);
	for (uint8_t i = 0; i < 200; i++) {
		in.view.sender.octets[14] = 1;
		in.view.sender.octets[15] = i;
		arrival.remote.address.octets[15] = i;
		notify_sender(host, &in, NOTIFY_BLOCKED_BY_POLICY, (struct span){NULL, 0}, SHOWN_PUZZLE);
	}
	network_drain(network, &network->hosts[1]);
	all = network->hosts[1].out_of_type[HIP_PACKET_NOTIFY];
	assert_int_equal(all, 20);
	network_free(network);
}

/* A NOTIFY is never answered, whatever is wrong with it. */
static void never_in_answer_to_a_notify(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct packet_view view = {.type = HIP_PACKET_NOTIFY, .sender = network->hosts[0].hit};
	struct host_arrival arrival = {.local = network_endpoint(network, 1), .remote = network_endpoint(network, 0)};
	const struct incoming in = {.arrival = &arrival, .now = network->now, .view = view};

	(void)state;
	for (size_t i = 0; i < NOTIFICATION_RULES; i++) {
		uint16_t type = notification_rule_at(i)->type;

		if (type != NOTIFY_CREDENTIALS_REQUIRED && type != NOTIFY_INVALID_CERTIFICATE)
			notify_sender(network->hosts[1].host, &in, type, (struct span){NULL, 0}, SHOWN_IDENTITY);
	}
	network_drain(network, &network->hosts[1]);
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_NOTIFY], 0);
	network_free(network);
}

static void both_ends_count_it_by_name(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct host_notify_count count;

	(void)state;
	network->hosts[1].barred[0] = true;
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, SECONDS(30));
	/* An I1 is refused without a word. */
	assert_int_equal(count_of(network, 1, NOTIFY_BLOCKED_BY_POLICY).sent, 0);
	network->hosts[1].barred[0] = false;
	struct catch catch;

	catch_i2(network, &catch);
	network->hosts[1].barred[0] = true;
	deliver(network, &catch.packet);
	network_run(network, MILLISECONDS(100));
	assert_int_equal(count_of(network, 1, NOTIFY_BLOCKED_BY_POLICY).sent, 1);
	assert_int_equal(count_of(network, 0, NOTIFY_BLOCKED_BY_POLICY).received, 1);
	assert_string_equal(count_of(network, 0, NOTIFY_BLOCKED_BY_POLICY).name, "BLOCKED_BY_POLICY");
	/* The exchange goes on until its own time is over, and then tells why. */
	assert_int_equal(network_state(network, 0, 1), HOST_I2_SENT);
	network_run(network, SECONDS(60));
	assert_int_equal(network->hosts[0].last.reason, HIPHOP_REFUSED);
	assert_false(host_notify_count_at(network->hosts[0].host, NOTIFICATION_RULES + 1, &count));
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unknown_critical_parameter_of_a_solved_i2),
		cmocka_unit_test(a_malformed_i2_that_verifies),
		cmocka_unit_test(they_are_few),
		cmocka_unit_test(they_are_few_for_all),
		cmocka_unit_test(never_in_answer_to_a_notify),
		cmocka_unit_test(both_ends_count_it_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
