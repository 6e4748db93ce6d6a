/* SPDX-License-Identifier: MIT */
#include "overlay/signed_value.h"

#include "overlay/message.h"

#include <string.h>

/* TLS HashAlgorithm and SignatureAlgorithm (RFC 5246 section 7.4.1.4.1) by the algorithm of the Host Identity. The
 * Host Identity decides how to verify; the field is there because RFC 6940 has it. */
static const struct {
	uint16_t algorithm;
	uint8_t hash, signature;
} tls_algorithms[] = {
	{5, 4, 1}, /* RSA, SHA-256 */
	{7, 5, 3}, /* ECDSA, SHA-384: the RHASH of its HIT Suite */
	{9, 2, 3}, /* ECDSA_LOW, SHA-1 */
};

static void write_tls_algorithm(struct writer *writer, uint16_t algorithm)
{
	uint8_t hash = 4, signature = 255;

	for (size_t i = 0; i < sizeof(tls_algorithms) / sizeof(tls_algorithms[0]); i++) {
		if (tls_algorithms[i].algorithm == algorithm) {
			hash = tls_algorithms[i].hash;
			signature = tls_algorithms[i].signature;
		}
	}
	writer_u8(writer, hash);
	writer_u8(writer, signature);
}

/* ---- Reading ---- */

static struct span span_since(const struct reader *reader, size_t start)
{
	return (struct span){reader->data + start, reader->position - start};
}

static void read_entry(struct reader *reader, data_model model, struct stored_data *data)
{
	size_t start = reader->position;

	if (model == DATA_MODEL_ARRAY)
		data->index = reader_u32(reader);
	else if (model == DATA_MODEL_DICTIONARY)
		data->key = reader_vector16(reader);
	uint8_t exists = reader_u8(reader);
	data->exists = exists == 1;
	data->value = reader_vector32(reader);
	if (exists > 1 || (!data->exists && data->value.length))
		reader->failed = true;
	if (!reader->failed)
		data->entry = span_since(reader, start);
}

static void read_signature(struct reader *reader, struct stored_data *data)
{
	reader_skip(reader, 2); /* SignatureAndHashAlgorithm */
	size_t start = reader->position;
	data->identity_type = reader_u8(reader);
	struct span identity = reader_vector16(reader);
	if (!reader->failed)
		data->identity = span_since(reader, start);
	data->signature = reader_vector16(reader);
	if (data->identity_type != SIGNER_IDENTITY_HOST_IDENTITY)
		return;
	struct reader inner = reader_over(identity.data, identity.length);
	data->algorithm = reader_u16(&inner);
	data->host_identity = reader_span(&inner, reader_left(&inner));
	reader->failed |= inner.failed;
}

hiphop_error stored_data_read_kept(struct span signed_octets, data_model model, wall_milliseconds storage_time,
	uint32_t lifetime_s, struct stored_data *data)
{
	struct reader reader = reader_over(signed_octets.data, signed_octets.length);

	memset(data, 0, sizeof(*data));
	data->storage_time = storage_time;
	data->lifetime_s = lifetime_s;
	data->signed_octets = signed_octets;
	read_entry(&reader, model, data);
	read_signature(&reader, data);
	if (reader.failed || reader_left(&reader))
		return HIPHOP_MALFORMED;
	if (data->value.length > OVERLAY_VALUE_MAXIMUM || data->host_identity.length > SIGNER_HOST_IDENTITY_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	return HIPHOP_OK;
}

hiphop_error stored_data_read(struct reader *reader, data_model model, struct stored_data *data)
{
	struct span octets = reader_vector32(reader);

	memset(data, 0, sizeof(*data));
	if (reader->failed)
		return HIPHOP_TRUNCATED;
	struct reader inner = reader_over(octets.data, octets.length);
	wall_milliseconds storage_time = reader_u64(&inner);
	uint32_t lifetime_s = reader_u32(&inner);
	struct span rest = reader_span(&inner, reader_left(&inner));
	if (inner.failed)
		return HIPHOP_MALFORMED;
	return stored_data_read_kept(rest, model, storage_time, lifetime_s, data);
}

/* ---- Writing ---- */

size_t stored_data_size(struct span signed_octets)
{
	return 4 + 8 + 4 + signed_octets.length;
}

void stored_data_write(
	struct writer *writer, wall_milliseconds storage_time, uint32_t lifetime_s, struct span signed_octets)
{
	size_t mark = writer_begin_vector(writer, 4);

	writer_u64(writer, storage_time);
	writer_u32(writer, lifetime_s);
	writer_copy(writer, signed_octets.data, signed_octets.length);
	writer_end_vector(writer, mark, 4);
}

static void write_entry(struct writer *writer, const struct unsigned_value *value)
{
	if (value->kind->model == DATA_MODEL_ARRAY) {
		writer_u32(writer, value->index);
	} else if (value->kind->model == DATA_MODEL_DICTIONARY) {
		size_t mark = writer_begin_vector(writer, 2);
		writer_copy(writer, value->key.data, value->key.length);
		writer_end_vector(writer, mark, 2);
	}
	writer_u8(writer, value->exists);
	size_t mark = writer_begin_vector(writer, 4);
	writer_copy(writer, value->value.data, value->value.length);
	writer_end_vector(writer, mark, 4);
}

void stored_data_write_nonexistent(struct writer *writer, uint32_t index, data_model model)
{
	struct kind kind = {.model = model};
	struct unsigned_value value = {.kind = &kind, .index = index};
	size_t mark = writer_begin_vector(writer, 4);

	writer_u64(writer, 0);
	writer_u32(writer, 0);
	write_entry(writer, &value);
	writer_u16(writer, 0);
	writer_u8(writer, SIGNER_IDENTITY_NONE);
	writer_u16(writer, 0);
	writer_u16(writer, 0);
	writer_end_vector(writer, mark, 4);
}

static void write_identity(struct writer *writer, const struct overlay_crypto *crypto)
{
	writer_u8(writer, SIGNER_IDENTITY_HOST_IDENTITY);
	size_t mark = writer_begin_vector(writer, 2);
	writer_u16(writer, crypto->algorithm);
	writer_copy(writer, crypto->host_identity, crypto->host_identity_length);
	writer_end_vector(writer, mark, 2);
}

/* ---- Signing and verifying ---- */

static void begin_input(
	struct writer *input, const struct hit *resource, const struct kind *kind, wall_milliseconds storage_time)
{
	reload_write_resource(input, resource);
	writer_u32(input, kind->id);
	writer_u64(input, storage_time);
}

hiphop_error signed_value_make(
	const struct unsigned_value *value, const struct overlay_crypto *crypto, struct buffer *signed_octets)
{
	uint8_t input_octets[OVERLAY_MESSAGE_MAXIMUM], output_octets[OVERLAY_MESSAGE_MAXIMUM];
	struct writer input = writer_over(input_octets, sizeof(input_octets));
	struct writer output = writer_over(output_octets, sizeof(output_octets));
	struct unsigned_value indexless = *value;
	struct buffer signature = {0};

	indexless.index = 0;
	begin_input(&input, &value->resource, value->kind, value->storage_time);
	write_entry(&input, &indexless);
	write_identity(&input, crypto);
	if (input.failed)
		return HIPHOP_TOO_LARGE;
	hiphop_error error = crypto->sign(crypto->context, input_octets, input.position, &signature);
	if (error)
		return error;
	write_entry(&output, value);
	write_tls_algorithm(&output, crypto->algorithm);
	write_identity(&output, crypto);
	size_t mark = writer_begin_vector(&output, 2);
	writer_copy(&output, signature.data, signature.length);
	writer_end_vector(&output, mark, 2);
	buffer_free(&signature);
	if (output.failed)
		return HIPHOP_TOO_LARGE;
	return buffer_copy(signed_octets, output_octets, output.position);
}

static hiphop_error verify_signature(const struct stored_data *data, const struct kind *kind,
	const struct hit *resource, const struct overlay_crypto *crypto)
{
	uint8_t octets[OVERLAY_MESSAGE_MAXIMUM];
	struct writer input = writer_over(octets, sizeof(octets));

	begin_input(&input, resource, kind, data->storage_time);
	size_t entry = input.position;
	writer_copy(&input, data->entry.data, data->entry.length);
	if (kind->model == DATA_MODEL_ARRAY && !input.failed)
		memset(octets + entry, 0, 4);
	writer_copy(&input, data->identity.data, data->identity.length);
	if (input.failed)
		return HIPHOP_TOO_LARGE;
	return crypto->verify(crypto->context, data->algorithm, data->host_identity.data, data->host_identity.length,
		octets, input.position, data->signature.data, data->signature.length);
}

hiphop_error signed_value_verify(const struct stored_data *data, const struct kind *kind, const struct hit *resource,
	const struct overlay_crypto *crypto, const char *hash_name, struct hit *signer)
{
	if (data->identity_type != SIGNER_IDENTITY_HOST_IDENTITY)
		return HIPHOP_UNSUPPORTED;
	hiphop_error error = crypto->hit_of(
		crypto->context, data->algorithm, data->host_identity.data, data->host_identity.length, signer);
	if (!error)
		error = kind_permits(kind, crypto, hash_name, resource, signer, data->key);
	if (!error)
		error = verify_signature(data, kind, resource, crypto);
	return error;
}
