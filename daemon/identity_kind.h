/* SPDX-License-Identifier: MIT */
#ifndef HIPHOP_DAEMON_IDENTITY_KIND_H
#define HIPHOP_DAEMON_IDENTITY_KIND_H

#include "hip/crypto/host_identity.h"

#include <stddef.h>

#define IDENTITY_KIND_SIZE 32

/** What kind of key a Host Identity is, in the words of `hiphop keygen --type`: writes to `room`, and returns it. */
const char *identity_kind_name(const struct host_identity *identity, char room[static IDENTITY_KIND_SIZE]);

#endif
