/* SPDX-License-Identifier: MIT */
/**
 * Names of algorithms as people write them: "P-256", "p256" and "p-256" are one name, and so are "aes-128-gcm-16" and
 * strongSwan's "aes128gcm16".
 */
#ifndef HIPHOP_HIP_CRYPTO_ALGORITHM_NAME_H
#define HIPHOP_HIP_CRYPTO_ALGORITHM_NAME_H

#include <stdbool.h>

/** Whether `written` is `name`: case, '-' and '_' do not count. A NULL `name` is nothing's name. */
bool algorithm_is_called(const char *written, const char *name);

#endif
