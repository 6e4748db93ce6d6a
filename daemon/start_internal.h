/* SPDX-License-Identifier: MIT */
/** The steps of the start, in three files: what is made ready, what is opened, what is given up. */
#ifndef HIPHOP_DAEMON_START_INTERNAL_H
#define HIPHOP_DAEMON_START_INTERNAL_H

#include "daemon/loop.h"

#include <stdbool.h>

typedef bool (*start_step)(struct hiphopd *hiphopd);

/* start_identity.c: with privilege, before anything is open */
bool start_state_directory(struct hiphopd *hiphopd);
bool start_lock(struct hiphopd *hiphopd);
bool start_identity(struct hiphopd *hiphopd);
bool start_more_identities(struct hiphopd *hiphopd);

/* start_certificates.c: likewise */
bool start_certificates(struct hiphopd *hiphopd);

/* start_network.c: with privilege */
bool start_policy(struct hiphopd *hiphopd);
bool start_tunnel(struct hiphopd *hiphopd);
bool start_underlay(struct hiphopd *hiphopd);
bool start_network_setup(struct hiphopd *hiphopd);
bool start_sip(struct hiphopd *hiphopd);
bool start_network_watch(struct hiphopd *hiphopd);

/** Logs one sentence as an error; returns false, so that a step can end with it. */
bool start_fail(const struct hiphopd *hiphopd, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
