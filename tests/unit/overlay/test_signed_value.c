/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_crypto.h"
#include "overlay/signed_value.h"

#include <stdlib.h>

static struct fake_identity identity;
static struct overlay_crypto crypto;
static struct hit self;
static const struct hit resource = {{0x20, 0x01, 0x00, 0x20, 9, 9, 9, 9, 5, 6, 7, 8, 9, 10, 11, 12}};

static int start(void **state)
{
	(void)state;
	self = fake_identity_start(&identity, 1);
	crypto = fake_crypto(&identity);
	return 0;
}

/* Makes a StoredData and gives its length. */
static size_t make(uint8_t *octets, size_t size, const struct kind *kind, bool exists, const char *text)
{
	struct unsigned_value value = {.kind = kind,
		.resource = resource,
		.storage_time = 1234,
		.index = 3,
		.key = {self.octets, HIT_LENGTH},
		.exists = exists,
		.value = {(const uint8_t *)text, strlen(text)}};
	struct buffer kept;
	struct writer writer = writer_over(octets, size);

	assert_int_equal(signed_value_make(&value, &crypto, &kept), HIPHOP_OK);
	stored_data_write(&writer, 1234, 60, (struct span){kept.data, kept.length});
	assert_int_equal(writer_status(&writer), HIPHOP_OK);
	assert_int_equal(writer.position, stored_data_size((struct span){kept.data, kept.length}));
	buffer_free(&kept);
	return writer.position;
}

static hiphop_error verify(const uint8_t *octets, size_t length, const struct kind *kind, struct stored_data *data)
{
	struct reader reader = reader_over(octets, length);
	struct hit signer;
	hiphop_error error = stored_data_read(&reader, kind->model, data);

	if (!error && reader_left(&reader))
		error = HIPHOP_MALFORMED;
	if (!error)
		error = signed_value_verify(data, kind, &resource, &crypto, "sha256", &signer);
	if (!error)
		assert_true(hit_equal(&signer, &self));
	return error;
}

static void round_trip(void **state)
{
	const struct kind *kind = kind_find(OVERLAY_KIND_PUT);
	uint8_t octets[512];
	struct stored_data data;

	(void)state;
	size_t length = make(octets, sizeof(octets), kind, true, "value");
	assert_int_equal(verify(octets, length, kind, &data), HIPHOP_OK);
	assert_int_equal(data.storage_time, 1234);
	assert_int_equal(data.lifetime_s, 60);
	assert_true(data.exists);
	assert_int_equal(data.value.length, 5);
	assert_memory_equal(data.value.data, "value", 5);
	length = make(octets, sizeof(octets), kind, false, "");
	assert_int_equal(verify(octets, length, kind, &data), HIPHOP_OK);
	assert_false(data.exists);
}

/* One flipped bit anywhere but in the lifetime and the two octets that name the TLS algorithm must be noticed. */
static void every_change_is_noticed(void **state)
{
	const struct kind *kind = kind_find(OVERLAY_KIND_PUT);
	uint8_t octets[512];
	struct stored_data data;
	size_t length = make(octets, sizeof(octets), kind, true, "value");
	size_t algorithm = 16 + 2 + HIT_LENGTH + 1 + 4 + 5;

	(void)state;
	for (size_t bit = 0; bit < length * 8; bit++) {
		size_t place = bit / 8;
		octets[place] ^= (uint8_t)(1 << bit % 8);
		hiphop_error error = verify(octets, length, kind, &data);
		if ((place >= 12 && place < 16) || (place >= algorithm && place < algorithm + 2))
			assert_int_equal(error, HIPHOP_OK);
		else
			assert_int_not_equal(error, HIPHOP_OK);
		octets[place] ^= (uint8_t)(1 << bit % 8);
	}
}

static void truncations_fail(void **state)
{
	const struct kind *kind = kind_find(OVERLAY_KIND_PUT);
	uint8_t octets[512];
	struct stored_data data;
	size_t length = make(octets, sizeof(octets), kind, true, "value");

	(void)state;
	for (size_t cut = 0; cut < length; cut++) {
		uint8_t *exact = malloc(cut ? cut : 1);
		assert_non_null(exact);
		memcpy(exact, octets, cut);
		assert_int_not_equal(verify(exact, cut, kind, &data), HIPHOP_OK);
		free(exact);
	}
}

static void it_belongs_to_its_place(void **state)
{
	const struct kind *kind = kind_find(OVERLAY_KIND_PUT);
	uint8_t octets[512];
	struct stored_data data;
	struct hit signer, elsewhere = resource;
	size_t length = make(octets, sizeof(octets), kind, true, "value");

	(void)state;
	assert_int_equal(verify(octets, length, kind, &data), HIPHOP_OK);
	elsewhere.octets[15] ^= 1;
	assert_int_equal(
		signed_value_verify(&data, kind, &elsewhere, &crypto, "sha256", &signer), HIPHOP_BAD_SIGNATURE);
	assert_int_equal(signed_value_verify(&data, kind_find(OVERLAY_KIND_SIP_REGISTRATION_FIRST_COME), &resource,
				 &crypto, "sha256", &signer),
		HIPHOP_BAD_SIGNATURE);
}

/* Another's key under our signature, and another's Host Identity over our signature. */
static void nobody_signs_for_another(void **state)
{
	const struct kind *kind = kind_find(OVERLAY_KIND_PUT);
	struct fake_identity thief;
	uint8_t octets[512];
	struct stored_data data;

	(void)state;
	struct hit thief_hit = fake_identity_start(&thief, 2);
	crypto = fake_crypto(&thief);
	size_t length = make(octets, sizeof(octets), kind, true, "value");
	assert_int_equal(verify(octets, length, kind, &data), HIPHOP_REFUSED);
	(void)thief_hit;
}

/* RFC 6940 section 7.4.2.2: the storing peer may give an appended entry its index. */
static void an_array_index_is_not_signed(void **state)
{
	const struct kind *kind = kind_find(0x3);
	uint8_t octets[512], digest[64];
	size_t digest_length;
	struct stored_data data;
	struct hit own, signer;
	struct unsigned_value value = {.kind = kind, .index = 0xFFFFFFFF, .exists = true, .value = {octets, 0}};
	struct buffer kept;

	(void)state;
	fake_digest(NULL, "sha256", self.octets, HIT_LENGTH, digest, &digest_length);
	assert_int_equal(resource_id_from_digest(digest, digest_length, &own), HIPHOP_OK);
	value.resource = own;
	assert_int_equal(signed_value_make(&value, &crypto, &kept), HIPHOP_OK);
	memset(kept.data, 0, 3);
	kept.data[3] = 2;
	struct span span = {kept.data, kept.length};
	assert_int_equal(stored_data_read_kept(span, kind->model, 0, 1, &data), HIPHOP_OK);
	assert_int_equal(data.index, 2);
	assert_int_equal(signed_value_verify(&data, kind, &own, &crypto, "sha256", &signer), HIPHOP_OK);
	assert_int_equal(signed_value_verify(&data, kind, &resource, &crypto, "sha256", &signer), HIPHOP_REFUSED);
	buffer_free(&kept);
}

static void nonexistent_values_carry_no_signature(void **state)
{
	uint8_t octets[128];
	struct writer writer = writer_over(octets, sizeof(octets));
	struct stored_data data;
	struct hit signer;

	(void)state;
	stored_data_write_nonexistent(&writer, 0, DATA_MODEL_SINGLE);
	struct reader reader = reader_over(octets, writer.position);
	assert_int_equal(stored_data_read(&reader, DATA_MODEL_SINGLE, &data), HIPHOP_OK);
	assert_int_equal(reader_left(&reader), 0);
	assert_false(data.exists);
	assert_int_equal(data.identity_type, SIGNER_IDENTITY_NONE);
	assert_int_equal(
		signed_value_verify(&data, kind_find(2), &resource, &crypto, "sha256", &signer), HIPHOP_UNSUPPORTED);
}

static void too_large_values_are_refused(void **state)
{
	static uint8_t value[OVERLAY_VALUE_MAXIMUM + 1], octets[OVERLAY_VALUE_MAXIMUM + 512];
	const struct kind *kind = kind_find(OVERLAY_KIND_PUT);
	struct buffer kept;
	struct stored_data data;

	(void)state;
	for (size_t length = OVERLAY_VALUE_MAXIMUM; length <= sizeof(value); length++) {
		struct unsigned_value unsigned_value = {.kind = kind,
			.resource = resource,
			.key = {self.octets, HIT_LENGTH},
			.exists = true,
			.value = {value, length}};
		struct writer writer = writer_over(octets, sizeof(octets));
		assert_int_equal(signed_value_make(&unsigned_value, &crypto, &kept), HIPHOP_OK);
		stored_data_write(&writer, 0, 1, (struct span){kept.data, kept.length});
		buffer_free(&kept);
		assert_int_equal(verify(octets, writer.position, kind, &data),
			length > OVERLAY_VALUE_MAXIMUM ? HIPHOP_TOO_LARGE : HIPHOP_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(round_trip, start),
		cmocka_unit_test_setup(every_change_is_noticed, start),
		cmocka_unit_test_setup(truncations_fail, start),
		cmocka_unit_test_setup(it_belongs_to_its_place, start),
		cmocka_unit_test_setup(nobody_signs_for_another, start),
		cmocka_unit_test_setup(an_array_index_is_not_signed, start),
		cmocka_unit_test_setup(nonexistent_values_carry_no_signature, start),
		cmocka_unit_test_setup(too_large_values_are_refused, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
