/* SPDX-License-Identifier: MIT */
/* What a host says about its identity besides the key: the A control and its name; and opportunistic mode as a choice.
 */
#include "host_network.h"

#include "hip/wire/parameters.h"

/* ---- what goes over the wire ---- */

/* Packets of each type that had the A control and those that had not. */
struct controls_seen {
	unsigned with[64], without[64];
};

static packet_fate note_controls(struct network *network, struct flying *packet)
{
	struct controls_seen *seen = network->fate_context;
	struct packet_view view;

	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	/* The rest of the bits is reserved. */
	assert_int_equal(view.controls & ~HIP_CONTROL_ANONYMOUS, 0);
	if (view.controls & HIP_CONTROL_ANONYMOUS)
		seen->with[view.type % 64]++;
	else
		seen->without[view.type % 64]++;
	return FATE_PASS;
}

static void configure_again(struct network *network, size_t index)
{
	network_crash(network, index);
	network_boot(network, index);
}

static void make_anonymous(struct network *network, size_t index)
{
	network->hosts[index].configuration.overlay = false;
	network->hosts[index].configuration.anonymous = true;
	configure_again(network, index);
}

static bool sees_anonymous(struct network *network, size_t a, size_t b)
{
	struct host_association_view view;

	assert_true(host_association_find(network->hosts[a].host, &network->hosts[b].hit, &view));
	return view.anonymous;
}

/* ---- the A control ---- */

/* conforms: RFC7401-5.1.2-2 RFC7401-5.3.3-2 */
static void an_anonymous_initiator_says_so(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct controls_seen seen = {{0}, {0}};

	(void)state;
	make_anonymous(network, 0);
	network->fate = note_controls;
	network->fate_context = &seen;
	network_associate(network, 0, 1);
	host_close(network->hosts[0].host, network->now, &network->hosts[1].hit);
	network_run(network, SECONDS(1));
	assert_int_equal(seen.with[HIP_PACKET_I1], 1);
	assert_int_equal(seen.with[HIP_PACKET_I2], 1);
	assert_int_equal(seen.with[HIP_PACKET_CLOSE], 1);
	assert_int_equal(seen.without[HIP_PACKET_R1], 1);
	assert_int_equal(seen.without[HIP_PACKET_R2], 1);
	assert_int_equal(seen.without[HIP_PACKET_CLOSE_ACK], 1);
	assert_int_equal(seen.without[HIP_PACKET_I1] + seen.without[HIP_PACKET_I2] + seen.with[HIP_PACKET_R1], 0);
	network_free(network);
}

/* conforms: RFC7401-5.1.2-2 RFC7401-5.3.2-1 RFC7401-6.8-16 */
static void an_anonymous_responder_says_so(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct controls_seen seen = {{0}, {0}};

	(void)state;
	make_anonymous(network, 1);
	network->fate = note_controls;
	network->fate_context = &seen;
	network_associate(network, 0, 1);
	assert_int_equal(seen.with[HIP_PACKET_R1], 1);
	assert_int_equal(seen.with[HIP_PACKET_R2], 1);
	assert_int_equal(seen.without[HIP_PACKET_I1], 1);
	assert_int_equal(seen.without[HIP_PACKET_I2], 1);
	network_free(network);
}

static void the_peer_is_shown_as_anonymous(void **state)
{
	struct network *network = network_make(3, TRANSPORT_UDP);

	(void)state;
	make_anonymous(network, 0);
	network_associate(network, 0, 1);
	network_associate(network, 2, 0);
	assert_true(sees_anonymous(network, 1, 0));
	assert_true(sees_anonymous(network, 2, 0));
	assert_false(sees_anonymous(network, 0, 1));
	assert_false(sees_anonymous(network, 0, 2));
	network_free(network);
}

struct kept_log {
	unsigned lines;
	char hit[HIT_TEXT_SIZE];
};

static void look_for_hit(void *context, log_level level, const char *line)
{
	struct kept_log *kept = context;

	(void)level;
	kept->lines++;
	assert_null(strstr(line, kept->hit));
}

/* Logs are kept for long. */
/* conforms: RFC7401-5.1.2-1 RFC7401-6.8-17 */
static void the_log_has_no_anonymous_hit(void **state)
{
	struct kept_log kept = {.lines = 0};
	const struct log log = {look_for_hit, &kept, LOG_LEVEL_DEBUG};
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	make_anonymous(network, 0);
	hit_format(&network->hosts[0].hit, kept.hit);
	network->hosts[1].configuration.log = &log;
	configure_again(network, 1);
	network_associate(network, 0, 1);
	assert_int_equal(kept.lines, 1);
	/* It goes without a word, is missed, and lost. */
	network_crash(network, 0);
	for (int i = 0; i < 150; i++) {
		network_esp(network, 1, 0);
		network_run(network, MILLISECONDS(200));
	}
	assert_int_equal(network_state(network, 1, 0), HOST_CLOSING);
	assert_true(kept.lines >= 3);
	network_free(network);
}

static packet_fate set_reserved_controls(struct network *network, struct flying *packet)
{
	(void)network;
	/* Of an I1, which nothing protects but the checksum. */
	if (flying_type(packet) == HIP_PACKET_I1) {
		packet->octets[6] = 0xff;
		packet->octets[7] = 0xfe;
		assert_int_equal(packet_set_checksum(packet->octets, packet->length, HIP_CARRIER_UDP,
					 &packet->source.address, &packet->destination.address),
			HIPHOP_OK);
	}
	return FATE_PASS;
}

/* conforms: RFC7401-5.1.2-2 */
static void reserved_controls_are_ignored(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	network->fate = set_reserved_controls;
	network_associate(network, 0, 1);
	assert_false(sees_anonymous(network, 1, 0));
	network_free(network);
}

static void anonymous_initiators_can_be_refused(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct host *responder;

	(void)state;
	make_anonymous(network, 0);
	network->hosts[1].configuration.refuse_anonymous = true;
	configure_again(network, 1);
	responder = network->hosts[1].host;
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, SECONDS(20));
	assert_int_equal(network_state(network, 0, 1), HOST_FAILED);
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_R1], 0);
	assert_int_equal(host_association_count(responder), 0);
	assert_true(host_counter_value(responder, HOST_COUNT_DROP_POLICY) > 0);
	network_free(network);
}

static packet_fate hide_a_of_i1(struct network *network, struct flying *packet)
{
	(void)network;
	if (flying_type(packet) == HIP_PACKET_I1) {
		packet->octets[7] = 0;
		assert_int_equal(packet_set_checksum(packet->octets, packet->length, HIP_CARRIER_UDP,
					 &packet->source.address, &packet->destination.address),
			HIPHOP_OK);
	}
	return FATE_PASS;
}

static void an_anonymous_i2_is_refused_too(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	make_anonymous(network, 0);
	network->hosts[1].configuration.refuse_anonymous = true;
	configure_again(network, 1);
	network->fate = hide_a_of_i1;
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, SECONDS(20));
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_R1], 1);
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_R2], 0);
	assert_int_equal(network->hosts[1].usable, 0);
	network_free(network);
}

static void what_cannot_be_anonymous(void **state)
{
	struct network *network = network_make(1, TRANSPORT_UDP);
	struct host_configuration configuration = network->hosts[0].configuration;
	struct host *host;

	(void)state;
	configuration.anonymous = true;
	assert_int_equal(host_create(&configuration, network->now, &host), HIPHOP_INVALID_ARGUMENT);
	configuration.overlay = false;
	assert_int_equal(domain_identifier_from_text("host.example.com", &configuration.name), HIPHOP_OK);
	assert_int_equal(host_create(&configuration, network->now, &host), HIPHOP_INVALID_ARGUMENT);
	configuration.anonymous = false;
	assert_int_equal(host_create(&configuration, network->now, &host), HIPHOP_OK);
	host_free(host);
	network_free(network);
}

/* ---- names ---- */

static void give_name(struct network *network, size_t index, const char *name)
{
	assert_int_equal(domain_identifier_from_text(name, &network->hosts[index].configuration.name), HIPHOP_OK);
	configure_again(network, index);
}

static void assert_called(struct network *network, size_t a, size_t b, const char *name)
{
	struct host_association_view view;
	char text[DOMAIN_IDENTIFIER_TEXT_SIZE];

	assert_true(host_association_find(network->hosts[a].host, &network->hosts[b].hit, &view));
	if (name)
		assert_string_equal(domain_identifier_format(view.name, text), name);
	else
		assert_null(view.name);
}

static void names_of_both_kinds_are_told(void **state)
{
	struct network *network = network_make(3, TRANSPORT_UDP);

	(void)state;
	give_name(network, 0, "alice@example.com");
	give_name(network, 1, "bob.example.com");
	network_associate(network, 0, 1);
	assert_called(network, 1, 0, "alice@example.com");
	assert_called(network, 0, 1, "bob.example.com");
	network_associate(network, 2, 0);
	assert_called(network, 0, 2, NULL);
	assert_called(network, 2, 0, "alice@example.com");
	network_free(network);
}

/* The longest names fit beside the other parameters, and HIP_MAC_2 covers them. */
static void the_longest_name_fits(void **state)
{
	static const char label[] = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg";
	struct network *network = network_make(2, TRANSPORT_UDP);
	char name[256];

	(void)state;
	snprintf(name, sizeof name, "%s.%s.%s.%.61s", label, label, label, label);
	give_name(network, 0, name);
	give_name(network, 1, name);
	network_associate(network, 0, 1);
	assert_called(network, 1, 0, name);
	assert_called(network, 0, 1, name);
	network_free(network);
}

/* A host that was restarted under another name is called by that. */
static void a_new_exchange_brings_the_new_name(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	give_name(network, 0, "old.example.com");
	network_associate(network, 0, 1);
	assert_called(network, 1, 0, "old.example.com");
	give_name(network, 0, "new.example.com");
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, SECONDS(1));
	assert_called(network, 1, 0, "new.example.com");
	network_crash(network, 0);
	memset(&network->hosts[0].configuration.name, 0, sizeof network->hosts[0].configuration.name);
	network_boot(network, 0);
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, SECONDS(1));
	assert_called(network, 1, 0, NULL);
	network_free(network);
}

/* A name that cannot be read is no name, and no reason to refuse a host that has proved its HIT. */
static void a_broken_name_is_none(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct domain_identifier *name = &network->hosts[0].configuration.name;

	(void)state;
	*name = (struct domain_identifier){.type = DOMAIN_IDENTIFIER_FQDN, .length = 3, .octets = "\77ab"};
	configure_again(network, 0);
	network_associate(network, 0, 1);
	assert_called(network, 1, 0, NULL);
	*name = (struct domain_identifier){.type = 9, .length = 3, .octets = "abc"};
	configure_again(network, 0);
	network_introduce(network, 1, 0);
	host_close(network->hosts[1].host, network->now, &network->hosts[0].hit);
	network_run(network, SECONDS(80));
	network_associate(network, 1, 0);
	assert_called(network, 1, 0, NULL);
	network_free(network);
}

/* ---- opportunistic mode ---- */

static void ask_opportunistically(struct network *network, size_t a, size_t b)
{
	struct endpoint endpoint = network_endpoint(network, b);

	assert_int_equal(host_connect_opportunistic(network->hosts[a].host, network->now, &endpoint), HIPHOP_OK);
	network_run(network, SECONDS(20));
}

static void a_host_can_refuse_to_answer(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	network->hosts[1].configuration.refuse_opportunists = true;
	configure_again(network, 1);
	ask_opportunistically(network, 0, 1);
	assert_int_equal(network->hosts[0].learnt_count, 0);
	assert_int_equal(network->hosts[0].failed, 1);
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_R1], 0);
	assert_true(host_counter_value(network->hosts[1].host, HOST_COUNT_DROP_POLICY) > 0);
	/* Asked by its HIT it answers, and it may ask others. */
	network_associate(network, 0, 1);
	host_close(network->hosts[1].host, network->now, &network->hosts[0].hit);
	network_run(network, SECONDS(80));
	ask_opportunistically(network, 1, 0);
	assert_int_equal(network->hosts[1].learnt_count, 1);
	network_free(network);
}

static void a_host_can_refuse_to_ask(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct endpoint endpoint = network_endpoint(network, 1);

	(void)state;
	network->hosts[0].configuration.never_opportunistic = true;
	configure_again(network, 0);
	assert_int_equal(host_connect_opportunistic(network->hosts[0].host, network->now, &endpoint), HIPHOP_REFUSED);
	network_run(network, SECONDS(5));
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I1], 0);
	/* It is still asked by others. */
	ask_opportunistically(network, 1, 0);
	assert_int_equal(network->hosts[1].learnt_count, 1);
	network_free(network);
}

static void an_anonymous_host_answers_no_opportunist(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	make_anonymous(network, 1);
	ask_opportunistically(network, 0, 1);
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_R1], 0);
	assert_int_equal(network->hosts[0].learnt_count, 0);
	network_free(network);
}

/* Makes the I1 without a Responder one with it, as if the anonymous host answered opportunists. */
static packet_fate name_the_responder(struct network *network, struct flying *packet)
{
	if (flying_type(packet) == HIP_PACKET_I1) {
		memcpy(packet->octets + 24, network->hosts[1].hit.octets, HIT_LENGTH);
		assert_int_equal(packet_set_checksum(packet->octets, packet->length, HIP_CARRIER_UDP,
					 &packet->source.address, &packet->destination.address),
			HIPHOP_OK);
	}
	return FATE_PASS;
}

/* conforms: RFC7401-6.8-17 */
static void an_opportunist_takes_no_anonymous_answer(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	make_anonymous(network, 1);
	network->fate = name_the_responder;
	ask_opportunistically(network, 0, 1);
	assert_true(network->hosts[1].out_of_type[HIP_PACKET_R1] > 0);
	assert_int_equal(network->hosts[0].learnt_count, 0);
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I2], 0);
	assert_true(host_counter_value(network->hosts[0].host, HOST_COUNT_DROP_POLICY) > 0);
	network_free(network);
}

/* ---- SPIs of several hosts on one machine ---- */

struct neighbouring_host {
	uint32_t refused[3];
	unsigned asked;
};

static bool refuse_the_first(void *context, uint32_t spi)
{
	struct neighbouring_host *other = context;

	if (other->asked < 3)
		other->refused[other->asked] = spi;
	return other->asked++ < 3;
}

static bool any_address(void *context, const struct address *remote, struct address *source)
{
	(void)context;
	(void)remote;
	return address_parse("192.0.2.1", source) == HIPHOP_OK;
}

static void an_spi_of_another_host_is_not_taken(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *a = &network->hosts[0];
	struct neighbouring_host other = {.asked = 0};

	(void)state;
	a->configuration.environment = (struct host_environment){
		.context = &other, .source_address = any_address, .spi_is_taken = refuse_the_first};
	configure_again(network, 0);
	network_associate(network, 0, 1);
	assert_int_equal(other.asked, 4);
	for (size_t i = 0; i < 3; i++) {
		assert_false(host_has_spi(a->host, other.refused[i]));
		assert_null(network_inbound(a, other.refused[i]));
	}
	assert_true(host_has_spi(a->host, network_outbound(a, &network->hosts[1].hit)->spi_in));
	network_free(network);
}

static void locators_can_be_asked_for(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct endpoint endpoint = network_endpoint(network, 1), found[HOST_LOCATORS_MAXIMUM];

	(void)state;
	assert_int_equal(
		host_locators(network->hosts[0].host, &network->hosts[1].hit, found, HOST_LOCATORS_MAXIMUM), 0);
	network_introduce(network, 0, 1);
	assert_int_equal(
		host_locators(network->hosts[0].host, &network->hosts[1].hit, found, HOST_LOCATORS_MAXIMUM), 1);
	assert_true(endpoint_equal(&found[0], &endpoint));
	assert_int_equal(host_locators(network->hosts[0].host, &network->hosts[1].hit, found, 0), 0);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_anonymous_initiator_says_so),
		cmocka_unit_test(an_anonymous_responder_says_so),
		cmocka_unit_test(the_peer_is_shown_as_anonymous),
		cmocka_unit_test(the_log_has_no_anonymous_hit),
		cmocka_unit_test(reserved_controls_are_ignored),
		cmocka_unit_test(anonymous_initiators_can_be_refused),
		cmocka_unit_test(an_anonymous_i2_is_refused_too),
		cmocka_unit_test(what_cannot_be_anonymous),
		cmocka_unit_test(names_of_both_kinds_are_told),
		cmocka_unit_test(the_longest_name_fits),
		cmocka_unit_test(a_new_exchange_brings_the_new_name),
		cmocka_unit_test(a_broken_name_is_none),
		cmocka_unit_test(a_host_can_refuse_to_answer),
		cmocka_unit_test(a_host_can_refuse_to_ask),
		cmocka_unit_test(an_anonymous_host_answers_no_opportunist),
		cmocka_unit_test(an_opportunist_takes_no_anonymous_answer),
		cmocka_unit_test(an_spi_of_another_host_is_not_taken),
		cmocka_unit_test(locators_can_be_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
