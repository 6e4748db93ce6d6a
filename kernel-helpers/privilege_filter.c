/* SPDX-License-Identifier: MIT */
/** The seccomp filters of the two processes: lists of what they may call. */
#include "kernel-helpers/privilege.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* What libc, malloc, stdio and OpenSSL need on their own. A libc takes now the old, now the new call, and on 32 bits
 * those with 64-bit times and sizes: all ways are here. */
static const char *const calls_of_every_role[] = {"read", "write", "readv", "writev", "close", "close_range", "fstat",
	"fstat64", "newfstatat", "fstatat64", "statx", "lseek", "_llseek", "munmap", "mremap", "madvise", "brk",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "sigaltstack", "futex", "futex_time64",
	"sched_yield", "getpid", "gettid", "getuid", "getuid32", "geteuid", "geteuid32", "getgid", "getgid32",
	"getegid", "getegid32", "clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64",
	"gettimeofday", "clock_nanosleep", "clock_nanosleep_time64", "nanosleep", "exit", "exit_group",
	"restart_syscall", "getrandom", "poll", "ppoll", "ppoll_time64", "fcntl", "fcntl64", "sendmsg", "recvmsg",
	"sendto", "recvfrom", "bind", "getsockname", "getsockopt", "setsockopt", NULL};

static const char *const calls_of_daemon[] = {
	/* threads */
	"set_robust_list", "rseq", "sched_getaffinity", "membarrier", "set_tid_address", "getrlimit", "ugetrlimit",
	/* the loop */
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2", "pipe2",
	"timerfd_create", "timerfd_settime", "timerfd_settime64", "timerfd_gettime", "timerfd_gettime64", "signalfd4",
	/* the network */
	"recvmmsg", "recvmmsg_time64", "sendmmsg", "connect", "accept", "accept4", "listen", "getpeername", "shutdown",
	"send", "recv",
	/* the state file */
	"openat", "open", "unlink", "unlinkat", "fsync", "fdatasync", "ftruncate", "ftruncate64", "pread64", "pwrite64",
	"preadv", "pwritev", "flock", "fchmod", "access", "faccessat", "faccessat2", "stat", "stat64", "lstat",
	"lstat64", "readlink", "readlinkat", "fallocate", "getcwd", "umask", "getdents64", "statfs", "statfs64",
	"fstatfs", "fstatfs64",
	/* the end of the helper */
	"wait4", "waitid", NULL};

static const char *const calls_of_helper[] = {NULL};

/* What neither they nor any library of theirs ever calls, and what an intruder wants first. */
static const char *const deadly_calls[] = {
	/* other programs and processes */
	"execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise",
	"pidfd_open", "pidfd_getfd", "pidfd_send_signal", "kill", "tkill", "kcmp",
	/* privilege */
	"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid", "setgroups",
	"capset", "unshare", "setns", "chroot", "pivot_root", "personality",
	/* the file system */
	"mount", "umount2", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
	"open_by_handle_at", "name_to_handle_at", "mknod", "mknodat", "symlink", "symlinkat", "link", "linkat",
	"setxattr", "lsetxattr", "fsetxattr", "swapon", "swapoff",
	/* the kernel */
	"bpf", "perf_event_open", "userfaultfd", "init_module", "finit_module", "delete_module", "kexec_load",
	"kexec_file_load", "reboot", "syslog", "acct", "quotactl", "add_key", "request_key", "keyctl", "iopl", "ioperm",
	"modify_ldt", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname",
	"fanotify_init", "seccomp", NULL};

/** A call that is treated so for one value of one argument (after a mask). */
struct narrow_rule {
	const char *call;
	unsigned argument;
	uint64_t mask, value;
};

/* No memory becomes code any more. */
static const struct narrow_rule narrow_of_every_role[] = {
	{"mmap", 2, PROT_EXEC, 0},
	{"mmap2", 2, PROT_EXEC, 0},
	{"mprotect", 2, PROT_EXEC, 0},
	{NULL, 0, 0, 0},
};

static const struct narrow_rule narrow_of_daemon[] = {
	{"clone", 0, CLONE_THREAD, CLONE_THREAD},
	{"socket", 0, UINT32_MAX, AF_INET},
	{"socket", 0, UINT32_MAX, AF_INET6},
	{"ioctl", 1, UINT32_MAX, FIONBIO},
	{"ioctl", 1, UINT32_MAX, FIONREAD},
	{"ioctl", 1, UINT32_MAX, FIOCLEX},
	{"prctl", 0, UINT32_MAX, PR_SET_NAME},
	{"prlimit64", 0, UINT32_MAX, 0},
	{NULL, 0, 0, 0},
};

static const struct narrow_rule narrow_of_helper[] = {
	{"socket", 0, UINT32_MAX, AF_INET},
	{"socket", 0, UINT32_MAX, AF_INET6},
	{"socket", 0, UINT32_MAX, AF_NETLINK},
	{"ioctl", 1, UINT32_MAX, TUNSETIFF},
	{NULL, 0, 0, 0},
};

/* A new process, where a new thread may be. */
static const struct narrow_rule deadly_narrow[] = {
	{"clone", 0, CLONE_THREAD, 0},
	{NULL, 0, 0, 0},
};

static int treat_calls(scmp_filter_ctx filter, uint32_t action, const char *const *names)
{
	for (; *names; names++) {
		int call = seccomp_syscall_resolve_name(*names);
		if (call == __NR_SCMP_ERROR)
			continue; /* not a call that the library knows */
		int code = seccomp_rule_add(filter, action, call, 0);
		if (code < 0 && code != -EDOM) /* not a call of this architecture */
			return code;
	}
	return 0;
}

static int treat_narrow(scmp_filter_ctx filter, uint32_t action, const struct narrow_rule *rule)
{
	for (; rule->call; rule++) {
		struct scmp_arg_cmp compare = {
			.arg = rule->argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = rule->mask, .datum_b = rule->value};
		int call = seccomp_syscall_resolve_name(rule->call);
		if (call == __NR_SCMP_ERROR)
			continue;
		int code = seccomp_rule_add_array(filter, action, call, 1, &compare);
		if (code < 0 && code != -EDOM)
			return code;
	}
	return 0;
}

/** A signal to a thread of its own, as raise and abort send it. */
static int allow_own_signals(scmp_filter_ctx filter)
{
	const struct narrow_rule rules[] = {
		{"tgkill", 0, UINT32_MAX, (uint32_t)getpid()},
		{NULL, 0, 0, 0},
	};
	return treat_narrow(filter, SCMP_ACT_ALLOW, rules);
}

static int fill_filter(scmp_filter_ctx filter, privilege_role role)
{
	bool helper = role == PRIVILEGE_ROLE_HELPER;
	int code = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	/* An old kernel cannot log; it still refuses. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	if (code == 0)
		code = treat_calls(filter, SCMP_ACT_ALLOW, calls_of_every_role);
	if (code == 0)
		code = treat_calls(filter, SCMP_ACT_ALLOW, helper ? calls_of_helper : calls_of_daemon);
	if (code == 0)
		code = treat_calls(filter, SCMP_ACT_KILL_PROCESS, deadly_calls);
	if (code == 0)
		code = treat_narrow(filter, SCMP_ACT_KILL_PROCESS, deadly_narrow);
	if (code == 0)
		code = treat_narrow(filter, SCMP_ACT_ALLOW, narrow_of_every_role);
	if (code == 0)
		code = treat_narrow(filter, SCMP_ACT_ALLOW, helper ? narrow_of_helper : narrow_of_daemon);
	if (code == 0)
		code = allow_own_signals(filter);
	/* The arguments of clone3 are out of a filter's sight; on ENOSYS libc takes clone instead. */
	if (code == 0)
		code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return code;
}

hiphop_error privilege_filter_calls(privilege_role role)
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
