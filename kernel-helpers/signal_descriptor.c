/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/signal_descriptor.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

hiphop_error signal_descriptor_open(int *descriptor)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	*descriptor = -1;
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return HIPHOP_SYSTEM;
	*descriptor = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return *descriptor < 0 ? HIPHOP_SYSTEM : HIPHOP_OK;
}

int signal_descriptor_next(int descriptor)
{
	struct signalfd_siginfo information;
	if (read(descriptor, &information, sizeof information) != (ssize_t)sizeof information)
		return 0;
	return (int)information.ssi_signo;
}
