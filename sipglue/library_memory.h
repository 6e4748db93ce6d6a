/* SPDX-License-Identifier: MIT */
/**
 * Memory for libosip2, which crashes in places when an allocation fails, and in others says success for half a copy.
 * So none of its allocations fails: when the heap gives nothing, they come from a small reserve, and a flag says that
 * this happened, so that the caller lets go of what it was making. The library knows one allocator for the whole
 * process; reserve and flag belong to the thread.
 */
#ifndef HIPHOP_SIPGLUE_LIBRARY_MEMORY_H
#define HIPHOP_SIPGLUE_LIBRARY_MEMORY_H

#include <stdbool.h>

/** Hands our allocator to the library. May be called again. */
void library_memory_start(void);
/** Between these two calls allocations are watched; the second says whether one came from the reserve. */
void library_memory_watch(void);
bool library_memory_failed(void);

#endif
