/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_crypto.h"
#include "overlay/storage.h"

#define NAMES OVERLAY_KIND_SIP_REGISTRATION_FIRST_COME
#define PUT   OVERLAY_KIND_PUT
#define START SECONDS(1000)

static const struct hit resource = {{0x20, 0x01, 0x00, 0x20, 9, 9, 9, 9, 5, 6, 7, 8, 9, 10, 11, 12}};
static const struct hit low = {{0x20, 0x01, 0x00, 0x22, 1}}, high = {{0x20, 0x01, 0x00, 0x22, 2}};
static struct storage storage;
static struct seeded_random generator;
static struct random_source randomness;
static struct overlay_limits limits;

static int start(void **state)
{
	(void)state;
	randomness = seeded_random_start(&generator, 1);
	limits = (struct overlay_limits){
		.storage_bytes = 100000, .storage_values = 100, .owner_bytes = 20000, .owner_values = 10};
	storage_start(&storage, &limits, &randomness);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	storage_free(&storage);
	assert_int_equal(storage.values, 0);
	assert_int_equal(storage.bytes, 0);
	return 0;
}

/* The storage does not look at signatures, so none is made. */
static struct store_candidate candidate(
	uint32_t kind, const struct hit *signer, wall_milliseconds storage_time, const char *text)
{
	return (struct store_candidate){.kind = kind_find(kind),
		.resource = resource,
		.signer = *signer,
		.data = {.storage_time = storage_time,
			.lifetime_s = 100,
			.exists = true,
			.value = {(const uint8_t *)text, strlen(text)},
			.signed_octets = {(const uint8_t *)text, strlen(text)}}};
}

static hiphop_error put_with(instant now, struct store_candidate value, struct store_terms terms)
{
	bool changed;

	return storage_put(&storage, now, &value, 1, &terms, &changed);
}

static hiphop_error put(uint32_t kind, const struct hit *signer, wall_milliseconds storage_time, const char *text)
{
	return put_with(START, candidate(kind, signer, storage_time, text),
		(struct store_terms){.right = STORE_ORIGINAL, .copies = 1});
}

static void values_replace_older_ones(void **state)
{
	(void)state;
	assert_int_equal(put(PUT, &low, 10, "first"), HIPHOP_OK);
	assert_int_equal(put(PUT, &low, 10, "first"), HIPHOP_OK);
	assert_int_equal(put(PUT, &low, 10, "other"), HIPHOP_REPLAYED);
	assert_int_equal(put(PUT, &low, 9, "older"), HIPHOP_REPLAYED);
	assert_int_equal(put(PUT, &low, 11, "second"), HIPHOP_OK);
	assert_int_equal(put(PUT, &high, 5, "of another"), HIPHOP_OK);
	struct stored_resource *found = storage_find(&storage, PUT, &resource);
	assert_non_null(found);
	assert_int_equal(found->count, 2);
	assert_int_equal(found->generation, 3);
	assert_int_equal(storage.values, 2);
	assert_null(storage_find(&storage, NAMES, &resource));
}

static void the_generation_counter_guards(void **state)
{
	struct store_terms terms = {.right = STORE_ORIGINAL, .generation = 5};

	(void)state;
	assert_int_equal(put_with(START, candidate(PUT, &low, 1, "a"), terms), HIPHOP_WRONG_STATE);
	assert_int_equal(put(PUT, &low, 1, "a"), HIPHOP_OK);
	assert_int_equal(put_with(START, candidate(PUT, &low, 2, "b"), terms), HIPHOP_WRONG_STATE);
	terms.generation = 1;
	assert_int_equal(put_with(START, candidate(PUT, &low, 2, "b"), terms), HIPHOP_OK);
	terms = (struct store_terms){.right = STORE_REPLICA, .generation = 77};
	assert_int_equal(put_with(START, candidate(PUT, &low, 3, "c"), terms), HIPHOP_OK);
	assert_int_equal(storage_find(&storage, PUT, &resource)->generation, 77);
}

static void lives_end(void **state)
{
	(void)state;
	assert_int_equal(put(PUT, &low, 1, "a"), HIPHOP_OK);
	assert_int_equal(storage_next_wake(&storage), START + SECONDS(100));
	storage_expire(&storage, START + SECONDS(99));
	assert_int_equal(
		stored_value_lifetime(storage_find(&storage, PUT, &resource)->values[0], START + SECONDS(99)), 1);
	storage_expire(&storage, START + SECONDS(100));
	assert_null(storage_find(&storage, PUT, &resource));
	assert_int_equal(storage_next_wake(&storage), INSTANT_NEVER);
	/* A lifetime over the Kind's is cut. */
	struct store_candidate long_lived = candidate(PUT, &low, 1, "a");
	long_lived.data.lifetime_s = UINT32_MAX;
	assert_int_equal(put_with(START, long_lived, (struct store_terms){.right = STORE_ORIGINAL}), HIPHOP_OK);
	assert_int_equal(storage_next_wake(&storage), START + SECONDS(kind_find(PUT)->maximum_lifetime_s));
	long_lived.data.lifetime_s = 0;
	long_lived.data.storage_time = 2;
	long_lived.data.signed_octets.length = 0;
	assert_int_equal(
		put_with(START, long_lived, (struct store_terms){.right = STORE_ORIGINAL}), HIPHOP_INVALID_ARGUMENT);
}

static void a_name_is_kept_for_its_owner(void **state)
{
	instant later = START + SECONDS(200);
	struct store_terms original = {.right = STORE_ORIGINAL, .copies = 1};

	(void)state;
	assert_int_equal(put(NAMES, &low, 1, "a"), HIPHOP_OK);
	assert_int_equal(put(NAMES, &high, 2, "b"), HIPHOP_REFUSED);
	storage_expire(&storage, later);
	struct stored_resource *found = storage_find(&storage, NAMES, &resource);
	assert_non_null(found);
	assert_true(found->values[0]->tombstone);
	assert_int_equal(stored_value_lifetime(found->values[0], later), 0);
	assert_int_equal(stored_value_tombstone(found->values[0], later), 30 * 86400 - 100);
	assert_int_equal(put_with(later, candidate(NAMES, &high, 3, "b"), original), HIPHOP_REFUSED);
	assert_int_equal(put_with(later, candidate(NAMES, &low, 3, "again"), original), HIPHOP_OK);
	assert_false(found->values[0]->tombstone);
	/* After the tombstone the name is free. */
	storage_expire(&storage, later + SECONDS(101));
	storage_expire(&storage, later + SECONDS(101) + SECONDS(30 * 86400));
	assert_null(storage_find(&storage, NAMES, &resource));
	assert_int_equal(put(NAMES, &high, 1, "b"), HIPHOP_OK);
}

static void a_tombstone_travels(void **state)
{
	struct store_candidate dead = candidate(NAMES, &low, 1, "a");
	struct store_terms terms = {.right = STORE_MERGE, .generation = 1, .copies = 3, .tombstone_s = 500};

	(void)state;
	dead.data.lifetime_s = 0;
	assert_int_equal(put_with(START, dead, terms), HIPHOP_OK);
	assert_true(storage_find(&storage, NAMES, &resource)->values[0]->tombstone);
	assert_int_equal(storage_next_wake(&storage), START + SECONDS(500));
	assert_int_equal(put(NAMES, &high, 2, "b"), HIPHOP_REFUSED);
	/* Nobody makes it last longer than the Kind says. */
	dead.data.storage_time = 2;
	terms.tombstone_s = UINT32_MAX;
	assert_int_equal(put_with(START, dead, terms), HIPHOP_OK);
	assert_int_equal(storage_next_wake(&storage), START + SECONDS(30 * 86400));
}

static const struct hit *owner_now(void)
{
	return &storage_find(&storage, NAMES, &resource)->values[0]->owner;
}

static void when_two_claims_meet(void **state)
{
	struct store_terms merge = {.right = STORE_MERGE, .generation = 1, .copies = 1, .may_displace = true};
	struct store_terms replica = {.right = STORE_REPLICA, .generation = 1, .copies = 1};

	(void)state;
	assert_int_equal(put(NAMES, &high, 1, "high"), HIPHOP_OK);
	/* As many copies: the lower HIT. */
	assert_int_equal(put_with(START, candidate(NAMES, &low, 1, "low"), merge), HIPHOP_OK);
	assert_true(hit_equal(owner_now(), &low));
	assert_int_equal(put_with(START, candidate(NAMES, &high, 5, "high"), merge), HIPHOP_REFUSED);
	/* More copies win. */
	merge.copies = 2;
	assert_int_equal(put_with(START, candidate(NAMES, &high, 5, "high"), merge), HIPHOP_OK);
	assert_true(hit_equal(owner_now(), &high));
	assert_int_equal(storage_find(&storage, NAMES, &resource)->count, 1);
	assert_int_equal(storage.values, 1);
	/* Who may not displace does not, however many it says. */
	merge.copies = 200;
	merge.may_displace = false;
	assert_int_equal(put_with(START, candidate(NAMES, &low, 9, "low"), merge), HIPHOP_REFUSED);
	/* A replica holder follows the responsible peer. */
	assert_int_equal(put_with(START, candidate(NAMES, &low, 9, "low"), replica), HIPHOP_OK);
	assert_true(hit_equal(owner_now(), &low));
	assert_int_equal(storage.conflict_total, 2);
	assert_true(hit_equal(&storage.conflicts[1].winner, &high));
}

static void limits_hold(void **state)
{
	static char large[OVERLAY_VALUE_MAXIMUM + 2];
	struct hit owner = low;

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	assert_int_equal(put(PUT, &low, 1, large), HIPHOP_TOO_LARGE);
	/* Values of one owner, under many names. */
	for (unsigned i = 0; i < 12; i++) {
		struct store_candidate value = candidate(PUT, &low, 1, "a");
		value.resource.octets[15] = (uint8_t)(100 + i);
		assert_int_equal(put_with(START, value, (struct store_terms){.right = STORE_ORIGINAL}),
			i < 10 ? HIPHOP_OK : HIPHOP_LIMITED);
	}
	/* Replacing stays possible. */
	struct store_candidate again = candidate(PUT, &low, 2, "bb");
	again.resource.octets[15] = 100;
	assert_int_equal(put_with(START, again, (struct store_terms){.right = STORE_ORIGINAL}), HIPHOP_OK);
	/* Values under one name. */
	for (unsigned i = 0; i < 70; i++) {
		owner.octets[14] = (uint8_t)(i + 1);
		assert_int_equal(put(PUT, &owner, 1, "a"), i < 64 ? HIPHOP_OK : HIPHOP_TOO_LARGE);
	}
	/* Values in all: 100. */
	unsigned stored = 0;
	for (unsigned i = 0; i < 60; i++) {
		struct store_candidate value = candidate(PUT, &low, 1, "a");
		value.signer.octets[13] = (uint8_t)(i + 1);
		value.resource.octets[14] = (uint8_t)(i + 1);
		stored += put_with(START, value, (struct store_terms){.right = STORE_ORIGINAL}) == HIPHOP_OK;
	}
	assert_int_equal(storage.values, 100);
	assert_int_equal(stored, 100 - 10 - 64);
}

static void octets_of_an_owner_are_limited(void **state)
{
	static char large[OVERLAY_VALUE_MAXIMUM + 1];
	unsigned stored = 0;

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	for (unsigned i = 0; i < 9; i++) {
		struct store_candidate value = candidate(PUT, &low, 1, large);
		value.resource.octets[15] = (uint8_t)i;
		stored += put_with(START, value, (struct store_terms){.right = STORE_ORIGINAL}) == HIPHOP_OK;
	}
	assert_int_equal(stored, 4);
}

static void all_or_nothing(void **state)
{
	struct store_candidate values[3] = {
		candidate(PUT, &low, 5, "a"), candidate(PUT, &high, 5, "b"), candidate(NAMES, &low, 5, "c")};
	struct store_terms terms = {.right = STORE_ORIGINAL, .copies = 1};
	bool changed;

	(void)state;
	assert_int_equal(put(NAMES, &high, 1, "mine"), HIPHOP_OK);
	assert_int_equal(storage_put(&storage, START, values, 3, &terms, &changed), HIPHOP_REFUSED);
	assert_null(storage_find(&storage, PUT, &resource));
	assert_int_equal(storage_put(&storage, START, values, 2, &terms, &changed), HIPHOP_OK);
	assert_true(changed);
	assert_int_equal(storage_find(&storage, PUT, &resource)->count, 2);
	assert_int_equal(storage_put(&storage, START, values, 2, &terms, &changed), HIPHOP_OK);
	assert_false(changed);
	values[1] = candidate(PUT, &low, 6, "twice");
	assert_int_equal(storage_put(&storage, START, values, 2, &terms, &changed), HIPHOP_MALFORMED);
}

static void arrays_append(void **state)
{
	struct store_terms terms = {.right = STORE_ORIGINAL, .copies = 1};

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		struct store_candidate value = candidate(0x3, &low, 1 + i, "\xFF\xFF\xFF\xFFrest");
		value.data.index = 0xFFFFFFFF;
		assert_int_equal(put_with(START, value, terms), i < 4 ? HIPHOP_OK : HIPHOP_TOO_LARGE);
	}
	struct stored_resource *found = storage_find(&storage, 0x3, &resource);
	assert_int_equal(found->count, 4);
	assert_int_equal(found->values[2]->index, 2);
	assert_memory_equal(found->values[2]->octets.data, "\0\0\0\2rest", 8);
}

static void the_closest_resource(void **state)
{
	struct hit from = resource, closest;
	struct store_candidate value = candidate(PUT, &low, 1, "a");

	(void)state;
	from.octets[4]++;
	closest = storage_closest(&storage, PUT, &from);
	assert_true(hit_is_null(&closest));
	assert_int_equal(put(PUT, &low, 1, "a"), HIPHOP_OK);
	closest = storage_closest(&storage, PUT, &from);
	assert_true(hit_equal(&closest, &resource));
	value.resource.octets[4] += 2;
	assert_int_equal(put_with(START, value, (struct store_terms){.right = STORE_ORIGINAL}), HIPHOP_OK);
	closest = storage_closest(&storage, PUT, &from);
	assert_true(hit_equal(&closest, &value.resource));
}

static void the_queue(void **state)
{
	(void)state;
	assert_null(storage_take_queued(&storage));
	put(PUT, &low, 1, "a");
	put(NAMES, &low, 1, "a");
	assert_int_equal(storage.queued, 2);
	put(PUT, &low, 2, "b");
	assert_int_equal(storage.queued, 2);
	struct stored_resource *first = storage_take_queued(&storage);
	assert_int_equal(first->kind->id, PUT);
	storage_queue(&storage, first);
	storage_drop(&storage, first);
	assert_int_equal(storage.queued, 1);
	assert_int_equal(storage_take_queued(&storage)->kind->id, NAMES);
	assert_null(storage_take_queued(&storage));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(values_replace_older_ones, start, stop),
		cmocka_unit_test_setup_teardown(the_generation_counter_guards, start, stop),
		cmocka_unit_test_setup_teardown(lives_end, start, stop),
		cmocka_unit_test_setup_teardown(a_name_is_kept_for_its_owner, start, stop),
		cmocka_unit_test_setup_teardown(a_tombstone_travels, start, stop),
		cmocka_unit_test_setup_teardown(when_two_claims_meet, start, stop),
		cmocka_unit_test_setup_teardown(limits_hold, start, stop),
		cmocka_unit_test_setup_teardown(octets_of_an_owner_are_limited, start, stop),
		cmocka_unit_test_setup_teardown(all_or_nothing, start, stop),
		cmocka_unit_test_setup_teardown(arrays_append, start, stop),
		cmocka_unit_test_setup_teardown(the_closest_resource, start, stop),
		cmocka_unit_test_setup_teardown(the_queue, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
