/* SPDX-License-Identifier: MIT */
/* For cppcheck, which does not read system headers: what <sys/queue.h> means by a walk. */
#define TAILQ_FOREACH(each, head, link) for ((each) = (head)->tqh_first; (each); (each) = (each)->link.tqe_next)
