/* SPDX-License-Identifier: MIT */
/** The seccomp filters of the two processes: lists of what they may call. */
#include "kernel-helpers/privilege.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* What libc, malloc, stdio and OpenSSL need on their own. */
static const char *const calls_of_every_role[] = {"read", "write", "readv", "writev", "close", "close_range", "fstat",
	"newfstatat", "statx", "lseek", "mmap", "mprotect", "munmap", "mremap", "madvise", "brk", "rt_sigaction",
	"rt_sigprocmask", "rt_sigreturn", "sigaltstack", "futex", "sched_yield", "getpid", "gettid", "getuid",
	"geteuid", "getgid", "getegid", "clock_gettime", "clock_getres", "gettimeofday", "clock_nanosleep", "nanosleep",
	"exit", "exit_group", "restart_syscall", "getrandom", "tgkill", "poll", "ppoll", "fcntl", "sendmsg", "recvmsg",
	"sendto", "recvfrom", "bind", "getsockname", "getsockopt", "setsockopt", NULL};

static const char *const calls_of_daemon[] = {
	/* threads */
	"set_robust_list", "rseq", "sched_getaffinity", "prlimit64", "getrlimit", "membarrier", "set_tid_address",
	/* the loop */
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "eventfd2", "pipe2", "timerfd_create",
	"timerfd_settime", "timerfd_gettime", "signalfd4",
	/* the network */
	"recvmmsg", "sendmmsg", "connect", "accept", "accept4", "listen", "getpeername", "shutdown",
	/* the state file */
	"openat", "open", "unlink", "unlinkat", "fsync", "fdatasync", "ftruncate", "pread64", "pwrite64", "preadv",
	"pwritev", "flock", "fchmod", "access", "faccessat", "faccessat2", "stat", "lstat", "readlink", "readlinkat",
	"fallocate", "getcwd", "umask", "getdents64", "statfs", "fstatfs", NULL};

static const char *const calls_of_helper[] = {NULL};

/** A call that is allowed for one value of one argument (after a mask). */
struct narrow_rule {
	const char *call;
	unsigned argument;
	uint64_t mask, value;
};

static const struct narrow_rule narrow_of_daemon[] = {
	{"clone", 0, CLONE_THREAD, CLONE_THREAD},
	{"socket", 0, UINT32_MAX, AF_INET},
	{"socket", 0, UINT32_MAX, AF_INET6},
	{"ioctl", 1, UINT32_MAX, FIONBIO},
	{"ioctl", 1, UINT32_MAX, FIONREAD},
	{"ioctl", 1, UINT32_MAX, FIOCLEX},
	{"prctl", 0, UINT32_MAX, PR_SET_NAME},
	{NULL, 0, 0, 0},
};

static const struct narrow_rule narrow_of_helper[] = {
	{"socket", 0, UINT32_MAX, AF_INET},
	{"socket", 0, UINT32_MAX, AF_INET6},
	{"socket", 0, UINT32_MAX, AF_NETLINK},
	{"ioctl", 1, UINT32_MAX, TUNSETIFF},
	{NULL, 0, 0, 0},
};

static int allow_calls(scmp_filter_ctx filter, const char *const *names)
{
	for (; *names; names++) {
		int call = seccomp_syscall_resolve_name(*names);
		if (call == __NR_SCMP_ERROR)
			continue; /* not a call of this architecture */
		int code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
		if (code < 0)
			return code;
	}
	return 0;
}

static int allow_narrow(scmp_filter_ctx filter, const struct narrow_rule *rule)
{
	for (; rule->call; rule++) {
		struct scmp_arg_cmp compare = {
			.arg = rule->argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = rule->mask, .datum_b = rule->value};
		int code = seccomp_rule_add_array(
			filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(rule->call), 1, &compare);
		if (code < 0)
			return code;
	}
	return 0;
}

static int fill_filter(scmp_filter_ctx filter, privilege_filter role)
{
	bool helper = role == PRIVILEGE_FILTER_HELPER;
	int code = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	/* An old kernel cannot log; it still refuses. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	if (code == 0)
		code = allow_calls(filter, calls_of_every_role);
	if (code == 0)
		code = allow_calls(filter, helper ? calls_of_helper : calls_of_daemon);
	if (code == 0)
		code = allow_narrow(filter, helper ? narrow_of_helper : narrow_of_daemon);
	/* The arguments of clone3 are out of a filter's sight; on ENOSYS libc takes clone instead. */
	if (code == 0)
		code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return code;
}

hiphop_error privilege_filter_calls(privilege_filter role)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return HIPHOP_NO_MEMORY;
	int code = fill_filter(filter, role);
	if (code == 0)
		code = seccomp_load(filter);
	seccomp_release(filter);
	if (code == 0)
		return HIPHOP_OK;
	return code == -EINVAL || code == -ENOSYS || code == -EOPNOTSUPP ? HIPHOP_UNSUPPORTED : HIPHOP_SYSTEM;
}
