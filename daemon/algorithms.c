/* SPDX-License-Identifier: MIT */
#include "daemon/algorithms.h"

#include "hip/crypto/algorithm_name.h"
#include "hip/crypto/diffie_hellman.h"
#include "hip/crypto/esp_suite.h"
#include "hip/crypto/hip_cipher.h"
#include "hip/crypto/hit_suite.h"

#include <stdio.h>

/** Copies the columns that all four tables have. */
#define TAKE_ROW(row, algorithm)                                                                                       \
	do {                                                                                                           \
		if (!(row))                                                                                            \
			return false;                                                                                  \
		*(algorithm) = (struct algorithm){.id = (uint8_t)(row)->id,                                            \
			.name = (row)->name,                                                                           \
			.alias = (row)->alias,                                                                         \
			.weakness = (row)->weakness};                                                                  \
		return true;                                                                                           \
	} while (0)

static bool hit_suite_row(size_t index, struct algorithm *algorithm)
{
	const struct hit_suite_entry *row = hit_suite_at(index);
	TAKE_ROW(row, algorithm);
}

static bool dh_group_row(size_t index, struct algorithm *algorithm)
{
	const struct diffie_hellman_group *row = diffie_hellman_group_at(index);
	TAKE_ROW(row, algorithm);
}

static bool hip_cipher_row(size_t index, struct algorithm *algorithm)
{
	const struct hip_cipher *row = hip_cipher_at(index);
	TAKE_ROW(row, algorithm);
}

static bool esp_suite_row(size_t index, struct algorithm *algorithm)
{
	const struct esp_suite *row = esp_suite_at(index);
	TAKE_ROW(row, algorithm);
}

static const struct {
	const char *name;
	bool (*row)(size_t index, struct algorithm *algorithm);
} kinds[] = {
	[ALGORITHM_HIT_SUITE] = {"HIT suite", hit_suite_row},
	[ALGORITHM_DH_GROUP] = {"Diffie-Hellman group", dh_group_row},
	[ALGORITHM_HIP_CIPHER] = {"HIP cipher", hip_cipher_row},
	[ALGORITHM_ESP_SUITE] = {"ESP suite", esp_suite_row},
};

const char *algorithm_kind_name(algorithm_kind kind)
{
	return kinds[kind].name;
}

bool algorithm_at(algorithm_kind kind, size_t index, struct algorithm *algorithm)
{
	return kinds[kind].row(index, algorithm);
}

bool algorithm_by_id(algorithm_kind kind, uint8_t id, struct algorithm *algorithm)
{
	for (size_t i = 0; algorithm_at(kind, i, algorithm); i++)
		if (algorithm->id == id)
			return true;
	return false;
}

bool algorithm_by_name(algorithm_kind kind, const char *name, struct algorithm *algorithm)
{
	for (size_t i = 0; algorithm_at(kind, i, algorithm); i++)
		if (algorithm_is_called(name, algorithm->name) || algorithm_is_called(name, algorithm->alias))
			return true;
	return false;
}

void algorithm_names(algorithm_kind kind, char *text, size_t size)
{
	struct algorithm algorithm;
	size_t length = 0;
	*text = 0;
	for (size_t i = 0; length < size && algorithm_at(kind, i, &algorithm); i++)
		length += (size_t)snprintf(text + length, size - length, "%s%s", i ? ", " : "", algorithm.name);
}
