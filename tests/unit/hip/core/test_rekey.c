/* SPDX-License-Identifier: MIT */
/* A peer that asks for new ESP keys by UPDATE (RFC 7402 section 6.9), with its packets made here octet by octet, wrong
 * ones included. Two hosts that rekey with each other are in tests/unit/daemon/test_rekeying.c. */
#include "host_network.h"

#include "hip/core/host_internal.h"

#define NEW_SPI 0xabcdef01

/* Answers with ESP_INFO that host 1 sent; they do not get through. */
struct answers {
	unsigned count;
	struct flying last;
};

static packet_fate catch_answers(struct network *network, struct flying *packet)
{
	struct answers *answers = network->fate_context;
	struct packet_view view;

	if (packet->from != 1 || flying_type(packet) != HIP_PACKET_UPDATE)
		return FATE_PASS;
	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	if (!packet_find(&view, PARAMETER_ESP_INFO))
		return FATE_PASS;
	answers->count++;
	answers->last = *packet;
	return FATE_LOSE;
}

static struct network *start_with_log(struct answers *answers, const struct log *log)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	network_crash(network, 1);
	network->hosts[1].configuration.log = log;
	network_boot(network, 1);
	network_associate(network, 0, 1);
	answers->count = 0;
	network->fate = catch_answers;
	network->fate_context = answers;
	return network;
}

static struct network *start(struct answers *answers)
{
	return start_with_log(answers, NULL);
}

static struct session *session_of(struct network *network, size_t a, size_t b)
{
	return association_find(network->hosts[a].host, &network->hosts[b].hit)->session;
}

/* What an UPDATE of host 0 has; NULL leaves it out. */
struct content {
	const struct parameter_esp_info *esp_info;
	const uint32_t *seq, *ack;
	struct diffie_hellman *key;
};

static void send_update(struct network *network, const struct content *content)
{
	struct host *host = network->hosts[0].host;
	struct association *association = association_find(host, &network->hosts[1].hit);
	const struct protection protection = session_protection(association->session);
	struct parameter_diffie_hellman public;
	struct parameter_sequence_list acks = {.count = 1};
	struct outgoing out;
	struct way way;

	outgoing_start(host, &out, HIP_PACKET_UPDATE, &association->peer);
	if (content->esp_info)
		parameter_esp_info_write(&out.builder, content->esp_info);
	if (content->seq)
		parameter_number_write(&out.builder, PARAMETER_SEQ, *content->seq);
	if (content->ack) {
		acks.items[0] = *content->ack;
		parameter_sequence_list_write(&out.builder, PARAMETER_ACK, &acks);
	}
	if (content->key) {
		public.group = diffie_hellman_group_id(content->key);
		public.public_value = diffie_hellman_public_value(content->key);
		parameter_diffie_hellman_write(&out.builder, &public);
	}
	assert_int_equal(outgoing_protect(host, &out, &protection), HIPHOP_OK);
	assert_int_equal(outgoing_finish(&out), HIPHOP_OK);
	assert_true(way_of_session(host, association, &way));
	assert_int_equal(outgoing_send(host, &way, out.octets, out.length), HIPHOP_OK);
	network_drain(network, &network->hosts[0]);
	network_run(network, MILLISECONDS(100));
}

static void ask(struct network *network, uint16_t index, uint32_t old_spi, uint32_t seq, struct diffie_hellman *key)
{
	const struct parameter_esp_info esp_info = {.keymat_index = index, .old_spi = old_spi, .new_spi = NEW_SPI};

	send_update(network, &(struct content){.esp_info = &esp_info, .seq = &seq, .key = key});
}

/* The answer as it should be; its Update ID and ESP_INFO. */
static uint32_t read_answer(
	const struct answers *answers, uint32_t seq, struct packet_view *view, struct parameter_esp_info *esp_info)
{
	struct parameter_sequence_list acks;
	uint32_t id;

	assert_int_equal(answers->count, 1);
	assert_int_equal(packet_parse(answers->last.octets, answers->last.length, view), HIPHOP_OK);
	assert_int_equal(parameter_esp_info_read(packet_find(view, PARAMETER_ESP_INFO), esp_info), HIPHOP_OK);
	assert_int_equal(parameter_number_read(packet_find(view, PARAMETER_SEQ), &id), HIPHOP_OK);
	assert_int_equal(parameter_sequence_list_read(packet_find(view, PARAMETER_ACK), &acks), HIPHOP_OK);
	assert_int_equal(acks.count, 1);
	assert_int_equal(acks.items[0], seq);
	return id;
}

/* Host 1 has a new pair, with the keys that come next in this KEYMAT; the old one goes after a while. */
static void check_new_pair(struct network *network, struct keymat *keymat, const struct parameter_esp_info *answered)
{
	struct host_sa *sa = network_outbound(&network->hosts[1], &network->hosts[0].hit);
	struct session *session = session_of(network, 0, 1);
	struct esp_keys out, in;

	assert_int_equal(
		keymat_draw_esp_keys(keymat, session->keys.suite, &network->hosts[0].hit, &out, &in), HIPHOP_OK);
	assert_int_equal(sa->spi_out, NEW_SPI);
	assert_int_equal(sa->spi_in, answered->new_spi);
	assert_memory_equal(&sa->keys_in, &out, sizeof out);
	assert_memory_equal(&sa->keys_out, &in, sizeof in);
	/* The old pair receives until the peer is heard on the new one. */
	network_run(network, SECONDS(20));
	assert_int_equal(network_sa_count(&network->hosts[1]), 2);
	host_note_sa(network->hosts[1].host, network->now, sa->spi_in, HOST_SA_HEARD);
	network_run(network, SECONDS(2));
	assert_int_equal(network_sa_count(&network->hosts[1]), 2);
	network_run(network, SECONDS(2));
	assert_int_equal(network_sa_count(&network->hosts[1]), 1);
	assert_int_equal(network_state(network, 1, 0), HOST_ESTABLISHED);
}

static void new_keys_come_from_the_same_keymat(void **state)
{
	struct answers answers;
	struct network *network = start(&answers);
	struct session *session = session_of(network, 0, 1);
	struct keymat keymat = session->keys.keymat;
	struct parameter_esp_info esp_info;
	struct packet_view view;
	uint32_t id, spi_in = session_of(network, 1, 0)->spi_in;

	(void)state;
	ask(network, (uint16_t)keymat.index, session->spi_in, 0, NULL);
	id = read_answer(&answers, 0, &view, &esp_info);
	assert_int_equal(esp_info.old_spi, spi_in);
	assert_int_equal(esp_info.keymat_index, keymat.index);
	assert_null(packet_find(&view, PARAMETER_DIFFIE_HELLMAN));
	/* It receives by the new pair already, and sends by the old one. */
	assert_int_equal(network_sa_count(&network->hosts[1]), 2);
	assert_non_null(network_inbound(&network->hosts[1], esp_info.new_spi));
	assert_int_equal(network_outbound(&network->hosts[1], &network->hosts[0].hit)->spi_in, spi_in);
	send_update(network, &(struct content){.ack = &id});
	check_new_pair(network, &keymat, &esp_info);
	network_free(network);
}

/* The answer to the only request has a public value. With `own_key` of this end it makes a new KEYMAT, from which both
 * ends draw the keys of the new pair. */
static void answer_makes_a_new_keymat(
	struct network *network, const struct answers *answers, struct diffie_hellman *own_key)
{
	struct session *session = session_of(network, 0, 1);
	size_t length = hash_length(session->keys.rhash);
	struct parameter_diffie_hellman public;
	struct parameter_esp_info esp_info;
	struct shared_secret secret;
	struct packet_view view;
	struct keymat keymat;
	uint32_t id = read_answer(answers, 0, &view, &esp_info);

	assert_int_equal(esp_info.keymat_index, 0);
	assert_int_equal(
		parameter_diffie_hellman_read(packet_find(&view, PARAMETER_DIFFIE_HELLMAN), &public), HIPHOP_OK);
	assert_int_equal(diffie_hellman_agree(own_key, public.public_value, &secret), HIPHOP_OK);
	assert_int_equal(
		keymat_start(&keymat, session->keys.rhash, &secret, (struct span){session->keys.i, length},
			(struct span){session->keys.j, length}, &network->hosts[0].hit, &network->hosts[1].hit),
		HIPHOP_OK);
	send_update(network, &(struct content){.ack = &id});
	check_new_pair(network, &keymat, &esp_info);
}

static void new_keys_come_from_a_new_keymat(void **state)
{
	struct answers answers;
	struct network *network = start(&answers);
	struct session *session = session_of(network, 0, 1);
	struct diffie_hellman *key;

	(void)state;
	assert_int_equal(diffie_hellman_new(session->keys.group, &network->random, &key), HIPHOP_OK);
	ask(network, 0, session->spi_in, 0, key);
	answer_makes_a_new_keymat(network, &answers, key);
	diffie_hellman_free(key);
	network_free(network);
}

static void an_answer_without_acknowledgment_changes_nothing(void **state)
{
	struct answers answers;
	struct network *network = start(&answers);
	struct session *session = session_of(network, 0, 1);
	uint16_t index = (uint16_t)session->keys.keymat.index;

	(void)state;
	ask(network, index, session->spi_in, 0, NULL);
	ask(network, index, session->spi_in, 0, NULL);
	assert_int_equal(answers.count, 2);
	assert_int_equal(network_sa_count(&network->hosts[1]), 2);
	network_run(network, SECONDS(35));
	assert_int_equal(answers.count, 8);
	assert_int_equal(network_sa_count(&network->hosts[1]), 1);
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	assert_null(session_of(network, 1, 0)->rekeying);
	network_free(network);
}

/* conforms: RFC7402-5.1.1-2 */
static void past_the_end_of_keymat_there_is_a_new_one(void **state)
{
	struct answers answers;
	struct network *network = start(&answers);
	struct session *session = session_of(network, 0, 1);

	(void)state;
	ask(network, 65535, session->spi_in, 0, NULL);
	/* The old key of the other end serves (RFC 7402 section 6.10 step 1). */
	answer_makes_a_new_keymat(network, &answers, session->own_key);
	network_free(network);
}

/* conforms: RFC7401-6.12-2 */
static void a_request_that_was_overtaken_is_answered_once(void **state)
{
	struct answers answers;
	struct network *network = start(&answers);
	struct session *session = session_of(network, 0, 1);
	uint16_t index = (uint16_t)session->keys.keymat.index;

	(void)state;
	send_update(network, &(struct content){.seq = (const uint32_t[]){3}});
	ask(network, index, session->spi_in, 1, NULL);
	assert_int_equal(answers.count, 1);
	/* The same again gets the same answer, another that came before only an acknowledgment. */
	ask(network, index, session->spi_in, 1, NULL);
	assert_int_equal(answers.count, 2);
	ask(network, index, session->spi_in, 3, NULL);
	assert_int_equal(answers.count, 2);
	network_free(network);
}

static void count_complaints(void *context, log_level level, const char *line)
{
	unsigned *complaints = context;

	*complaints += level <= LOG_LEVEL_WARNING && strstr(line, "DIFFIE_HELLMAN");
}

/* conforms: RFC7402-6.9-1 RFC7402-6.9-2 */
static void what_cannot_be_is_refused(void **state)
{
	unsigned complaints = 0;
	const struct log log = {.write = count_complaints, .context = &complaints, .maximum = LOG_LEVEL_INFO};
	struct answers answers;
	struct network *network = start_with_log(&answers, &log);
	struct session *session = session_of(network, 0, 1);
	uint16_t index = (uint16_t)session->keys.keymat.index;
	unsigned before = network->hosts[1].out_of_type[HIP_PACKET_UPDATE];
	struct diffie_hellman *key;

	(void)state;
	assert_int_equal(diffie_hellman_new(3, &network->random, &key), HIPHOP_OK);
	ask(network, index, session->spi_in + 1, 0, NULL); /* another old SPI: acknowledged, and no more */
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_UPDATE], before + 1);
	ask(network, 0, session->spi_in, 1, key); /* another group */
	diffie_hellman_free(key);
	assert_int_equal(diffie_hellman_new(session->keys.group, &network->random, &key), HIPHOP_OK);
	ask(network, index, session->spi_in, 2, key);          /* an index, though KEYMAT is new */
	ask(network, 0, session->spi_in, 3, session->own_key); /* the key in use again */
	assert_int_equal(answers.count, 0);
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_UPDATE], before + 1);
	assert_int_equal(host_counter_value(network->hosts[1].host, HOST_COUNT_DROP_MALFORMED), 3);
	assert_int_equal(complaints, 3);
	assert_int_equal(network_sa_count(&network->hosts[1]), 1);
	diffie_hellman_free(key);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_keys_come_from_the_same_keymat),
		cmocka_unit_test(new_keys_come_from_a_new_keymat),
		cmocka_unit_test(an_answer_without_acknowledgment_changes_nothing),
		cmocka_unit_test(past_the_end_of_keymat_there_is_a_new_one),
		cmocka_unit_test(a_request_that_was_overtaken_is_answered_once),
		cmocka_unit_test(what_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
