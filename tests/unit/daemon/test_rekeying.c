/* SPDX-License-Identifier: MIT */
/* Two hosts renew their ESP keys by UPDATE (RFC 7402 sections 6.8 to 6.10) while packets run both ways through their
 * real data planes: none is lost, none comes twice, and both ends have the same keys, whatever befalls the UPDATEs. */
#include "rekey_pair.h"

#include "../failing_allocation.h"
#include "hip/core/host_internal.h"

#include <malloc.h>

static const struct host_configuration patient = {.rekey = {.time = SECONDS(100000)}};

static struct pair *start(const struct host_configuration *one, const struct host_configuration *other)
{
	struct pair *pair = pair_make(one, other);

	pair->next_traffic = pair->now;
	pair_run(pair, MILLISECONDS(50));
	return pair;
}

static const struct session *session_of(struct pair *pair, size_t index)
{
	return association_find(pair->ends[index].host, &pair->ends[1 - index].hit)->session;
}

/* ---- one begins ---- */

static void check_new_spis(
	struct pair *pair, const struct host_association_view *before, const struct host_association_view *after)
{
	assert_true(pair_is_settled(pair));
	assert_int_not_equal(before->spi_in, after->spi_in);
	assert_int_not_equal(before->spi_out, after->spi_out);
	assert_true(after->spi_in > 255 && after->spi_out > 255);
}

/* conforms: RFC7402-3.2.1-3 RFC7402-4.1.3-1 RFC7402-6.8-3 RFC7402-6.8-7 */
static void keys_are_renewed_from_either_end(void **state)
{
	struct pair *pair = start(&patient, &patient);

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct host_association_view before = pair_view(pair, 0), after;

		pair_rekey(pair, i % 2, i / 2 == 1);
		pair_run(pair, MILLISECONDS(25));
		/* The old pair stands while the new one is made ready. */
		assert_int_equal(pair_sa_count(&pair->ends[0]), 2);
		pair_run(pair, MILLISECONDS(200));
		after = pair_view(pair, 0);
		check_new_spis(pair, &before, &after);
		assert_int_equal(after.rekeys, i + 1);
		assert_int_equal(pair_view(pair, 1).rekeys, i + 1);
		assert_int_equal(pair->ends[0].rekeyed, i + 1);
		/* The old pair goes when the new one has been in use for a while. */
		pair_run(pair, SECONDS(4));
		assert_int_equal(pair_sa_count(&pair->ends[0]), 1);
		assert_int_equal(pair_sa_count(&pair->ends[1]), 1);
	}
	/* Request, answer and acknowledgment, and no more. */
	assert_int_equal(pair->ends[0].updates + pair->ends[1].updates, 12);
	pair_check_traffic(pair);
	pair_free(pair);
}

/* Every UPDATE as it was sent. */
struct seen {
	unsigned count;
	struct parameter_esp_info esp_info[8];
	bool has_esp_info[8], has_public[8], has_seq[8], has_ack[8];
	uint8_t group[8];
	size_t from[8];
};

static struct pair_fate note_update(struct pair *pair, size_t from, const struct packet_view *view)
{
	struct seen *seen = pair->fate_context;
	const struct parameter_view *public = packet_find(view, PARAMETER_DIFFIE_HELLMAN);
	struct parameter_diffie_hellman key;
	unsigned i = seen->count;

	if (i < 8) {
		seen->count++;
		seen->from[i] = from;
		seen->has_seq[i] = packet_find(view, PARAMETER_SEQ) != NULL;
		seen->has_ack[i] = packet_find(view, PARAMETER_ACK) != NULL;
		seen->has_esp_info[i] =
			!parameter_esp_info_read(packet_find(view, PARAMETER_ESP_INFO), &seen->esp_info[i]);
		seen->has_public[i] = public && !parameter_diffie_hellman_read(public, &key);
		seen->group[i] = seen->has_public[i] ? key.group : 0;
	}
	return (struct pair_fate){.copies = 1};
}

/* conforms: RFC7402-5.3.1-1 RFC7402-5.3.2-1 RFC7402-4.1.3-2 RFC7402-5.1.1-1 RFC7402-6.8-4 RFC7402-6.8-5
 * RFC7402-6.9.1-1 RFC7402-6.9.1-2 */
static void the_packets_are_as_the_rfc_has_them(void **state)
{
	struct pair *pair = start(&patient, &patient);
	struct seen seen;

	(void)state;
	pair->fate = note_update;
	pair->fate_context = &seen;
	for (unsigned dh = 0; dh < 2; dh++) {
		const struct host_association_view before = pair_view(pair, 0);
		const uint32_t index = session_of(pair, 0)->keys.keymat.index;
		const struct host_association_view *after = &before;

		memset(&seen, 0, sizeof seen);
		pair_rekey(pair, 0, dh == 1);
		pair_run(pair, MILLISECONDS(100));
		assert_int_equal(seen.count, 3);
		assert_true(seen.has_esp_info[0] && seen.has_seq[0] && !seen.has_ack[0]);
		assert_true(seen.has_esp_info[1] && seen.has_seq[1] && seen.has_ack[1]);
		assert_true(!seen.has_esp_info[2] && !seen.has_seq[2] && seen.has_ack[2]);
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(seen.has_public[i], dh);
			assert_int_equal(seen.esp_info[i].keymat_index, dh ? 0 : index);
			assert_true(!dh || seen.group[i] == session_of(pair, 0)->keys.group);
		}
		assert_int_equal(seen.esp_info[0].old_spi, after->spi_in);
		assert_int_equal(seen.esp_info[1].old_spi, after->spi_out);
	}
	pair_free(pair);
}

/* ---- limits ---- */

struct trigger {
	struct host_configuration configuration;
	duration span;
};

/* conforms: RFC7402-3.3.7-1 RFC7402-6.8-1 */
static void each_limit_begins_a_rekeying(void **state)
{
	static const struct trigger triggers[] = {
		{{.rekey = {.time = SECONDS(4)}}, SECONDS(5)},
		{{.rekey = {.time = SECONDS(100000), .packets = 300}}, SECONDS(3)},
		{{.rekey = {.time = SECONDS(100000), .octets = 3000}}, SECONDS(3)},
		{{.rekey = {.time = SECONDS(100000), .packets = 300}, .rekey_without_diffie_hellman = true},
			SECONDS(3)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof triggers / sizeof triggers[0]; i++) {
		for (size_t begins = 0; begins < 2; begins++) {
			struct pair *pair = start(begins ? &patient : &triggers[i].configuration,
				begins ? &triggers[i].configuration : &patient);

			/* Only what comes in, or only what goes out, counts as well. */
			pair->ends[i % 2].mute = true;
			pair_run(pair, triggers[i].span);
			assert_in_range(pair_view(pair, 0).rekeys, 1, 3);
			assert_true(host_counter_value(pair->ends[begins].host, HOST_COUNT_REKEY_BEGUN) > 0);
			assert_int_equal(host_counter_value(pair->ends[1 - begins].host, HOST_COUNT_REKEY_BEGUN), 0);
			assert_true(host_counter_value(pair->ends[1 - begins].host, HOST_COUNT_REKEY_ANSWERED) > 0);
			pair_check_traffic(pair);
			pair_free(pair);
		}
	}
}

/* conforms: RFC7402-3.3.6-3 RFC7402-6.8-8 */
static void soft_limits_lie_before_hard_ones_and_differ(void **state)
{
	struct pair *pair = start(&patient, &patient);
	uint64_t different = 0, last = 0;

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		const struct host_association_view view = pair_view(pair, 0);

		assert_true(view.soft.packets <= view.hard.packets - view.hard.packets / 4);
		assert_true(view.soft.octets <= view.hard.octets - view.hard.octets / 4);
		assert_true(view.hard.packets == UINT64_C(1) << 32 && view.hard.octets == UINT64_C(1) << 38);
		assert_true(view.rekey_at < view.expire_at);
		different += view.soft.packets != last;
		last = view.soft.packets;
		pair_rekey(pair, 0, false);
		pair_run(pair, SECONDS(1));
	}
	assert_true(different > 15);
	pair_free(pair);
}

static struct pair_fate lose_esp_info(struct pair *pair, size_t from, const struct packet_view *view)
{
	(void)pair;
	(void)from;
	return (struct pair_fate){.copies = packet_find(view, PARAMETER_ESP_INFO) == NULL};
}

/* conforms: RFC7402-6.8-2 RFC7402-6.8-9 RFC7401-6.11-2 */
static void keys_that_cannot_be_renewed_serve_until_the_hard_limit(void **state)
{
	static const struct host_configuration hasty = {
		.rekey = {.time = SECONDS(10)}, .expire = {.time = SECONDS(100)}};
	struct pair *pair = start(&hasty, &patient);
	uint32_t spi_in = pair_view(pair, 0).spi_in;

	(void)state;
	pair->fate = lose_esp_info;
	pair_run(pair, SECONDS(90));
	/* Eight times, and again after a while; and still the same keys. */
	assert_in_range(pair->ends[0].updates, 8, 30);
	assert_true(host_counter_value(pair->ends[0].host, HOST_COUNT_REKEY_FAILED) >= 1);
	assert_int_equal(pair_view(pair, 0).spi_in, spi_in);
	pair_check_traffic(pair);
	assert_int_equal(pair->ends[0].usable, 1);
	pair_run(pair, SECONDS(11));
	/* A base exchange has made new ones. */
	assert_int_equal(host_counter_value(pair->ends[0].host, HOST_COUNT_KEYS_EXPIRED), 1);
	assert_int_equal(pair->ends[0].over, 1);
	assert_int_equal(pair->ends[0].usable, 2);
	assert_int_not_equal(pair_view(pair, 0).spi_in, spi_in);
	assert_true(pair_is_settled(pair));
	pair_free(pair);
}

/* What end 0 sends while nothing comes back. */
struct outstanding {
	uint32_t id;
	unsigned requests, others;
	instant at[8];
};

static struct pair_fate note_and_lose(struct pair *pair, size_t from, const struct packet_view *view)
{
	struct outstanding *outstanding = pair->fate_context;
	uint32_t id = UINT32_MAX;

	if (from != 0)
		return (struct pair_fate){.copies = 0};
	parameter_number_read(packet_find(view, PARAMETER_SEQ), &id);
	if (packet_find(view, PARAMETER_ESP_INFO) && outstanding->requests < 8) {
		outstanding->at[outstanding->requests++] = pair->now;
		assert_true(outstanding->requests == 1 || id == outstanding->id);
		outstanding->id = id;
	} else {
		outstanding->others++;
	}
	return (struct pair_fate){.copies = 0};
}

/* conforms: RFC7402-6.8-6 RFC7402-6.8-10 RFC7401-6.11-1 RFC7401-6.11-2 */
static void an_outstanding_request_is_repeated_and_nothing_else_sent(void **state)
{
	struct pair *pair = start(&patient, &patient);
	struct outstanding outstanding = {.requests = 0};

	(void)state;
	/* Nothing is heard, which is a reason to ask by UPDATE whether the peer is there. */
	pair->ends[1].mute = true;
	pair->fate = note_and_lose;
	pair->fate_context = &outstanding;
	pair_rekey(pair, 0, false);
	pair_run(pair, SECONDS(4));
	assert_in_range(outstanding.requests, 4, 6);
	assert_int_equal(outstanding.others, 0);
	for (unsigned i = 2; i < outstanding.requests; i++)
		assert_int_equal(
			outstanding.at[i] - outstanding.at[i - 1], 2 * (outstanding.at[i - 1] - outstanding.at[i - 2]));
	pair_free(pair);
}

/* conforms: RFC7402-3.3.6-3 */
static void behind_the_hard_limit_nothing_is_sealed(void **state)
{
	static const struct host_configuration narrow = {.rekey = {.time = SECONDS(100000), .packets = 100},
		.expire = {.time = SECONDS(200000), .packets = 400}};
	struct pair *pair = start(&narrow, &patient);
	struct esp_usage usage;
	uint32_t spi_in = pair_view(pair, 0).spi_in;

	(void)state;
	pair->fate = lose_esp_info;
	while (pair_view(pair, 0).spi_in == spi_in) {
		assert_true(esp_usage(pair->ends[0].esp, spi_in, &usage));
		assert_true(usage.packets_out <= 400);
		pair_run(pair, MILLISECONDS(5));
	}
	pair_run(pair, SECONDS(1));
	assert_int_equal(host_counter_value(pair->ends[0].host, HOST_COUNT_KEYS_EXPIRED), 1);
	assert_true(pair_is_settled(pair));
	pair_free(pair);
}

/* conforms: RFC7402-5.1.1-2 */
static void at_the_end_of_keymat_there_is_a_new_one(void **state)
{
	struct pair *pair = start(&patient, &patient);
	struct seen seen = {0};
	uint32_t index = 0;
	unsigned renewed = 0;

	(void)state;
	pair->fate = note_update;
	pair->fate_context = &seen;
	for (unsigned i = 0; i < 320; i++) {
		seen.count = 0;
		pair_rekey(pair, i % 2, false);
		pair_run(pair, MILLISECONDS(45));
		pair_run_without_traffic(pair, MILLISECONDS(455));
		assert_true(pair_is_settled(pair));
		assert_int_equal(seen.has_public[0], session_of(pair, 0)->keys.keymat.index < index);
		renewed += seen.has_public[0];
		index = session_of(pair, 0)->keys.keymat.index;
		assert_true(index <= keymat_capacity(&session_of(pair, 0)->keys.keymat));
		assert_int_equal(index, session_of(pair, 1)->keys.keymat.index);
	}
	assert_true(renewed >= 1);
	pair_check_traffic(pair);
	pair_free(pair);
}

/* ---- both at once, and what befalls the packets ---- */

typedef enum { ONE_BEGINS, OTHER_BEGINS, BOTH_BEGIN, BOTH_BEGIN_WITH_ONE_KEY } beginning;

/* What is done to the packet with this place among the UPDATEs. */
struct accident {
	unsigned place, place_2;
	struct pair_fate fate, fate_2;
	unsigned next;
};

static struct pair_fate befall(struct pair *pair, size_t from, const struct packet_view *view)
{
	struct accident *accident = pair->fate_context;
	unsigned place = accident->next++;

	(void)from;
	(void)view;
	if (place == accident->place)
		return accident->fate;
	if (place == accident->place_2)
		return accident->fate_2;
	return (struct pair_fate){.copies = 1};
}

static void begin(struct pair *pair, beginning how, bool diffie_hellman)
{
	if (how != OTHER_BEGINS)
		pair_rekey(pair, 0, diffie_hellman);
	if (how != ONE_BEGINS)
		pair_rekey(pair, 1, how == BOTH_BEGIN_WITH_ONE_KEY ? !diffie_hellman : diffie_hellman);
}

static void rekey_with_accident(struct pair *pair, beginning how, bool diffie_hellman, struct accident accident)
{
	const struct host_association_view before = pair_view(pair, 0);
	struct host_association_view after;
	duration waited = 0;

	pair->fate = befall;
	pair->fate_context = &accident;
	begin(pair, how, diffie_hellman);
	do {
		pair_run(pair, MILLISECONDS(50));
		waited += MILLISECONDS(50);
	} while (!pair_is_settled(pair) && waited < SECONDS(20));
	pair_run(pair, MILLISECONDS(50));
	pair_run_without_traffic(pair, MILLISECONDS(370));
	after = pair_view(pair, 0);
	check_new_spis(pair, &before, &after);
	assert_int_equal(after.rekeys, pair_view(pair, 1).rekeys);
	pair->fate = NULL;
	pair_check_traffic(pair);
}

static const struct pair_fate fates[] = {
	{.copies = 0},                                              /* lost */
	{.copies = 2},                                              /* twice */
	{.copies = 2, .late = {0, MILLISECONDS(400)}},              /* once more, when it is all over */
	{.copies = 1, .late = {MILLISECONDS(15)}},                  /* overtaken by the next */
	{.copies = 1, .late = {MILLISECONDS(300)}},                 /* overtaken by its repetition */
	{.copies = 2, .late = {MILLISECONDS(25), MILLISECONDS(30)}} /* late and twice */
};
#define FATES (sizeof fates / sizeof fates[0])

/* conforms: RFC7401-5.3.5-7 RFC7401-6.11-1 RFC7401-6.12-2 RFC7402-6.8-6 RFC7402-6.9-3 */
static void every_single_accident_is_survived(void **state)
{
	struct pair *pair = start(&patient, &patient);

	(void)state;
	for (int how = ONE_BEGINS; how <= BOTH_BEGIN_WITH_ONE_KEY; how++) {
		for (unsigned dh = 0; dh < 2; dh++) {
			for (unsigned place = 0; place < 5; place++) {
				for (size_t fate = 0; fate < FATES; fate++)
					rekey_with_accident(pair, (beginning)how, dh,
						(struct accident){.place = place, .fate = fates[fate], .place_2 = 99});
			}
		}
	}
	assert_true(host_counter_value(pair->ends[0].host, HOST_COUNT_REKEY_CROSSED) > 50);
	assert_int_equal(host_counter_value(pair->ends[0].host, HOST_COUNT_REKEY_FAILED), 0);
	assert_int_equal(host_counter_value(pair->ends[0].host, HOST_COUNT_KEYS_EXPIRED), 0);
	assert_int_equal(pair->ends[0].usable + pair->ends[1].usable, 2);
	pair_free(pair);
}

static void every_two_accidents_are_survived(void **state)
{
	const struct pair_fate worst[] = {fates[0], fates[2], fates[3]};
	struct pair *pair = start(&patient, &patient);

	(void)state;
	for (int how = ONE_BEGINS; how <= BOTH_BEGIN; how += BOTH_BEGIN - ONE_BEGINS) {
		for (unsigned place = 0; place < 4; place++) {
			for (unsigned second = place + 1; second < 6; second++) {
				for (size_t n = 0; n < 9; n++)
					rekey_with_accident(pair, (beginning)how, false,
						(struct accident){.place = place,
							.fate = worst[n / 3],
							.place_2 = second,
							.fate_2 = worst[n % 3]});
			}
		}
	}
	assert_int_equal(pair->ends[0].usable + pair->ends[1].usable, 2);
	pair_free(pair);
}

/* One end says nothing, so the other never hears it under the new keys: only acknowledgments tell. */
static void a_silent_end_loses_nothing_either(void **state)
{
	(void)state;
	for (size_t silent = 0; silent < 2; silent++) {
		struct pair *pair = start(&patient, &patient);

		pair->ends[silent].mute = true;
		for (unsigned place = 0; place < 3; place++) {
			for (size_t fate = 0; fate < FATES; fate++)
				rekey_with_accident(pair, ONE_BEGINS, false,
					(struct accident){.place = place, .fate = fates[fate], .place_2 = 99});
		}
		pair_run(pair, SECONDS(5));
		/* The pair before is kept longer than usual. */
		assert_int_equal(pair_sa_count(&pair->ends[1 - silent]), 2);
		pair_run(pair, SECONDS(60));
		assert_int_equal(pair_sa_count(&pair->ends[1 - silent]), 1);
		pair_check_traffic(pair);
		pair_free(pair);
	}
}

static struct pair_fate lose_acknowledgments(struct pair *pair, size_t from, const struct packet_view *view)
{
	(void)pair;
	(void)from;
	return (struct pair_fate){.copies = packet_find(view, PARAMETER_ESP_INFO) != NULL};
}

/* RFC 7402 section 3.3.2: what comes in by the new pair tells as much as the acknowledgment. */
static void traffic_stands_for_an_acknowledgment(void **state)
{
	struct pair *pair = start(&patient, &patient);

	(void)state;
	pair->fate = lose_acknowledgments;
	for (unsigned i = 0; i < 4; i++) {
		pair_rekey(pair, i % 2, false);
		pair_run(pair, MILLISECONDS(60));
		assert_true(pair_is_settled(pair));
	}
	pair_check_traffic(pair);
	pair_free(pair);
}

/* The next request speaks of the new pair as of the one in use. */
static void the_next_request_stands_for_an_acknowledgment(void **state)
{
	struct pair *pair = start(&patient, &patient);

	(void)state;
	pair->ends[0].mute = pair->ends[1].mute = true;
	pair->fate = lose_acknowledgments;
	pair_rekey(pair, 0, false);
	pair_run(pair, MILLISECONDS(60));
	assert_false(pair_is_settled(pair));
	pair_rekey(pair, 0, true);
	pair_run(pair, MILLISECONDS(60));
	assert_int_equal(pair_view(pair, 0).rekeys, 2);
	assert_int_equal(pair_view(pair, 1).rekeys, 1);
	pair->fate = NULL;
	pair_run(pair, SECONDS(2));
	assert_int_equal(pair_view(pair, 1).rekeys, 2);
	assert_true(pair_is_settled(pair));
	pair->ends[0].mute = pair->ends[1].mute = false;
	pair_run(pair, SECONDS(1));
	pair_check_traffic(pair);
	pair_free(pair);
}

/* RFC 7402 section 6.10 step 2: an end that has drawn more, for a rekeying that came to nothing, say. */
static void of_two_indexes_the_greater_counts(void **state)
{
	struct pair *pair = start(&patient, &patient);

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct session *session = association_find(pair->ends[i / 2].host, &pair->ends[1 - i / 2].hit)->session;
		uint32_t index = session->keys.keymat.index + 33;

		session->keys.keymat.index = index;
		begin(pair, i % 2 ? BOTH_BEGIN : ONE_BEGINS, false);
		pair_run(pair, MILLISECONDS(300));
		assert_true(pair_is_settled(pair));
		assert_int_equal(session_of(pair, 0)->keys.keymat_index, index);
		assert_int_equal(session_of(pair, 1)->keys.keymat_index, index);
	}
	pair_check_traffic(pair);
	pair_free(pair);
}

/* An answer to what was given up long ago is not taken for a request. */
static void an_answer_that_comes_too_late_is_ignored(void **state)
{
	static const struct pair_fate ages = {.copies = 1, .late = {SECONDS(45)}};
	struct pair *pair = start(&patient, &patient);
	struct accident accident = {.place = 1, .fate = ages, .place_2 = 99};

	(void)state;
	pair->fate = befall;
	pair->fate_context = &accident;
	pair_rekey(pair, 0, false);
	pair_run(pair, MILLISECONDS(30));
	pair->fate = lose_esp_info;
	pair_run(pair, SECONDS(40));
	assert_int_equal(host_counter_value(pair->ends[0].host, HOST_COUNT_REKEY_FAILED), 1);
	pair_run(pair, SECONDS(8));
	pair->fate = NULL;
	pair_run(pair, SECONDS(60));
	assert_true(pair_is_settled(pair));
	pair_check_traffic(pair);
	pair_free(pair);
}

/* ---- a long life ---- */

static void a_thousand_rekeyings_take_no_memory(void **state)
{
	struct pair *pair = start(&patient, &patient);
	size_t before = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		if (i == 100)
			before = mallinfo2().uordblks;
		if (i % 3 == 2)
			pair_rekey(pair, 1 - i % 2, i % 16 == 0);
		pair_rekey(pair, i % 2, i % 16 == 0);
		pair_run(pair, MILLISECONDS(45));
		pair_run_without_traffic(pair, MILLISECONDS(955));
		assert_true(pair_is_settled(pair));
		if (i % 50 == 0)
			pair_check_traffic(pair);
	}
	pair_check_traffic(pair);
	assert_true(pair_view(pair, 0).rekeys >= 1000);
	assert_in_range(pair->ends[0].highest_sas, 2, 3);
	assert_in_range(pair->ends[1].highest_sas, 2, 3);
	/* Under AddressSanitizer both are zero, and its own search for leaks does the work. */
	assert_true(mallinfo2().uordblks < before + 8192);
	pair_free(pair);
}

/* ---- without memory ---- */

static unsigned allowed, failing_place, inputs;

static void fail_at(struct pair *pair, size_t to, const uint8_t *octets)
{
	(void)pair;
	(void)to;
	(void)octets;
	if (++inputs == failing_place)
		failing_allocation_after(allowed);
}

static void stop_failing(struct pair *pair)
{
	(void)pair;
	failing_allocation_stop();
}

static hiphop_error rekey_without_memory(struct pair *pair, bool diffie_hellman)
{
	hiphop_error error;

	if (failing_place == 0)
		failing_allocation_after(allowed);
	error = host_rekey(pair->ends[0].host, pair->now, &pair->ends[1].hit, diffie_hellman);
	failing_allocation_stop();
	pair_drain(&pair->ends[0]);
	return error;
}

/* Allocation fails in the beginning, or in one of the packets: the old SAs go on, and the next rekeying works. */
static void memory_runs_out_at_every_point(void **state)
{
	struct pair *pair;
	unsigned failed = 0;

	(void)state;
	pair = start(&patient, &patient);
	for (failing_place = 0; failing_place < 4; failing_place++) {
		for (allowed = 0; allowed < 120; allowed += allowed < 40 ? 1 : 7) {
			duration waited = 0;
			hiphop_error error;

			inputs = 0;
			pair->before_input = fail_at;
			pair->after_input = stop_failing;
			error = rekey_without_memory(pair, allowed % 2);
			failed += error != HIPHOP_OK;
			assert_true(failing_place == 0 || error == HIPHOP_OK);
			do {
				pair_run(pair, MILLISECONDS(100));
				waited += MILLISECONDS(100);
			} while (!pair_is_settled(pair) && waited < SECONDS(30));
			pair->before_input = NULL;
			assert_true(pair_is_settled(pair));
			pair_check_traffic(pair);
		}
	}
	assert_true(failed > 5);
	assert_int_equal(pair->ends[0].usable + pair->ends[1].usable, 2);
	pair_free(pair);
}

/* The data plane cannot take the new pair: the other end, which may use it, finds out and makes a base exchange. */
static void a_pair_that_cannot_be_installed_is_noticed(void **state)
{
	(void)state;
	for (size_t fails = 0; fails < 2; fails++) {
		struct pair *pair = start(&patient, &patient);

		pair->ends[fails].install_fails = true;
		pair_rekey(pair, 0, false);
		pair_run(pair, MILLISECONDS(100));
		pair->ends[fails].install_fails = false;
		pair_run(pair, SECONDS(60));
		assert_true(pair_is_settled(pair));
		for (size_t i = 0; i < 2; i++)
			pair->ends[i].received = 0;
		pair_run(pair, SECONDS(1));
		assert_in_range(pair->ends[0].received, 150, 250);
		assert_in_range(pair->ends[1].received, 150, 250);
		pair_free(pair);
	}
}

/* ---- wishes that cannot be ---- */

static void a_wish_that_cannot_be_is_refused(void **state)
{
	struct pair *pair = start(&patient, &patient);
	struct host *host = pair->ends[0].host;
	struct hit nobody = pair->ends[1].hit;

	(void)state;
	nobody.octets[15] ^= 1;
	assert_int_equal(host_rekey(host, pair->now, &nobody, false), HIPHOP_NOT_FOUND);
	pair_rekey(pair, 0, false);
	assert_int_equal(host_rekey(host, pair->now, &pair->ends[1].hit, true), HIPHOP_EXISTS);
	pair_run(pair, MILLISECONDS(100));
	assert_int_equal(host_close(host, pair->now, &pair->ends[1].hit), HIPHOP_OK);
	assert_int_equal(host_rekey(host, pair->now, &pair->ends[1].hit, false), HIPHOP_NOT_FOUND);
	host_note_sa(host, pair->now, 1234, HOST_SA_HARD_LIMIT);
	pair_free(pair);
}

/* conforms: RFC7402-3.3.1-1 */
static void an_association_that_ends_takes_all_pairs_along(void **state)
{
	(void)state;
	for (unsigned after_ms = 0; after_ms < 40; after_ms += 5) {
		struct pair *pair = start(&patient, &patient);

		pair->ends[0].mute = pair->ends[1].mute = true;
		pair_rekey(pair, 0, false);
		pair_run(pair, MILLISECONDS(after_ms));
		assert_int_equal(host_close(pair->ends[1].host, pair->now, &pair->ends[0].hit), HIPHOP_OK);
		pair_run(pair, SECONDS(2));
		assert_int_equal(pair_sa_count(&pair->ends[0]), 0);
		assert_int_equal(pair_sa_count(&pair->ends[1]), 0);
		pair_free(pair);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_renewed_from_either_end),
		cmocka_unit_test(the_packets_are_as_the_rfc_has_them),
		cmocka_unit_test(each_limit_begins_a_rekeying),
		cmocka_unit_test(soft_limits_lie_before_hard_ones_and_differ),
		cmocka_unit_test(keys_that_cannot_be_renewed_serve_until_the_hard_limit),
		cmocka_unit_test(an_outstanding_request_is_repeated_and_nothing_else_sent),
		cmocka_unit_test(behind_the_hard_limit_nothing_is_sealed),
		cmocka_unit_test(at_the_end_of_keymat_there_is_a_new_one),
		cmocka_unit_test(every_single_accident_is_survived),
		cmocka_unit_test(every_two_accidents_are_survived),
		cmocka_unit_test(a_silent_end_loses_nothing_either),
		cmocka_unit_test(traffic_stands_for_an_acknowledgment),
		cmocka_unit_test(the_next_request_stands_for_an_acknowledgment),
		cmocka_unit_test(of_two_indexes_the_greater_counts),
		cmocka_unit_test(an_answer_that_comes_too_late_is_ignored),
		cmocka_unit_test(a_thousand_rekeyings_take_no_memory),
		cmocka_unit_test(memory_runs_out_at_every_point),
		cmocka_unit_test(a_pair_that_cannot_be_installed_is_noticed),
		cmocka_unit_test(a_wish_that_cannot_be_is_refused),
		cmocka_unit_test(an_association_that_ends_takes_all_pairs_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
