/* SPDX-License-Identifier: MIT */
/**
 * Signals as a descriptor that a loop can watch. Once it is open they interrupt nothing any more, in no thread, until
 * the process ends: so a second Ctrl-C cannot cut off what the first one began.
 */
#ifndef HIPHOP_KERNEL_HELPERS_SIGNAL_DESCRIPTOR_H
#define HIPHOP_KERNEL_HELPERS_SIGNAL_DESCRIPTOR_H

#include "hip/base/error.h"

/**
 * Blocks SIGINT, SIGTERM and SIGHUP in the calling thread, and so in those that it will start, and opens a descriptor
 * that is readable when one has come; never blocks, closed over exec, owned by the caller. HIPHOP_SYSTEM. Call it
 * before there are other threads.
 */
hiphop_error signal_descriptor_open(int *descriptor);
/** The number of the next signal that has come, or 0. */
int signal_descriptor_next(int descriptor);

#endif
