/* SPDX-License-Identifier: MIT */
#ifndef HIPHOP_DAEMON_VERSION_H
#define HIPHOP_DAEMON_VERSION_H

/** What `hiphop status` and `--version` say. */
#define HIPHOP_VERSION "0.1.0"

#endif
