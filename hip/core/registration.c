/* SPDX-License-Identifier: MIT */
#include "hip/core/registration.h"

#define STEPS       8
#define ONE         65536 /* of the fractions below */
#define ZERO_SECOND 64

/* 2^(n / 8) */
static const uint32_t fractions[STEPS] = {65536, 71468, 77936, 84990, 92682, 101070, 110218, 120194};

duration registration_lifetime(uint8_t value)
{
	duration part = SECONDS(1) * fractions[value % STEPS] / ONE;

	if (!value)
		return 0;
	return value >= ZERO_SECOND ? part << (value - ZERO_SECOND) / STEPS
				    : part >> (ZERO_SECOND / STEPS - value / STEPS);
}

uint8_t registration_value(duration lifetime)
{
	uint8_t value = UINT8_MAX;

	while (value && registration_lifetime(value) > lifetime)
		value--;
	return value;
}
