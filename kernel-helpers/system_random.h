/* SPDX-License-Identifier: MIT */
/**
 * Random octets of the kernel, drawn through a small pool so that a nonce costs no system call.
 */
#ifndef HIPHOP_KERNEL_HELPERS_SYSTEM_RANDOM_H
#define HIPHOP_KERNEL_HELPERS_SYSTEM_RANDOM_H

#include "hip/base/error.h"
#include "hip/base/random.h"

#include <stddef.h>
#include <stdint.h>

#define SYSTEM_RANDOM_POOL 1024

/** The pool of one thread. Octets handed out are wiped from it. */
struct system_random {
	uint8_t pool[SYSTEM_RANDOM_POOL];
	size_t left;
};

/** Waits until the kernel's generator is seeded, fills the pool and returns a source over it. `random` must stay in
 * place and must not be shared by threads or used on both sides of a fork. HIPHOP_SYSTEM when the kernel gives no
 * octets. */
hiphop_error system_random_start(struct system_random *random, struct random_source *source);
/** Wipes the pool. */
void system_random_stop(struct system_random *random);

#endif
