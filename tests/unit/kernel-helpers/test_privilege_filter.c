/* SPDX-License-Identifier: MIT */
/** The calls that the sandboxes forbid, tried one by one from within. What must go on working is in test_sandbox.c. */
#include "tests/unit/kernel-helpers/cmocka_all.h"
#include "tests/unit/kernel-helpers/sandbox_case.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static char here[] = "/tmp", text[] = "x", *arguments[] = {text, NULL};
static uint8_t room[4096];

#define P(pointer) ((long)(intptr_t)(pointer))

struct forbidden {
	const char *name;
	long number, arguments[6];
	int daemon, helper; /* how it ends */
};

static const struct forbidden calls[] = {
	/* other programs and processes */
	{"execve", SYS_execve, {P("/bin/true"), P(arguments), 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"execveat", SYS_execveat, {AT_FDCWD, P("/bin/true"), P(arguments), 0, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"a new process", SYS_clone, {SIGCHLD, 0, 0, 0, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"vfork", SYS_vfork, {0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"clone3", SYS_clone3, {P(room), 88}, ENOSYS, ENOSYS},
	{"a thread in the helper", SYS_clone, {CLONE_THREAD, 0, 0, 0, 0}, EINVAL, EPERM},
	{"ptrace", SYS_ptrace, {0, 0, 0, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"process_vm_readv", SYS_process_vm_readv, {1, 0, 0, 0, 0, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"process_vm_writev", SYS_process_vm_writev, {1, 0, 0, 0, 0, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"pidfd_open", SYS_pidfd_open, {1, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"kill", SYS_kill, {1, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"tkill", SYS_tkill, {1, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"tgkill of another", SYS_tgkill, {1, 1, 0}, EPERM, EPERM},
	{"prlimit of another", SYS_prlimit64, {1, 0, 0, P(room)}, EPERM, EPERM},
	/* privilege */
	{"setuid", SYS_setuid, {0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"setgid", SYS_setgid, {0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"setresuid", SYS_setresuid, {0, 0, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"setgroups", SYS_setgroups, {0, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"capset", SYS_capset, {P(room), P(room)}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"unshare", SYS_unshare, {CLONE_NEWUSER}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"setns", SYS_setns, {0, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"chroot", SYS_chroot, {P(here)}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"prctl keepcaps", SYS_prctl, {PR_SET_KEEPCAPS, 1, 0, 0, 0}, EPERM, EPERM},
	{"prctl dumpable", SYS_prctl, {PR_SET_DUMPABLE, 1, 0, 0, 0}, EPERM, EPERM},
	{"prctl seccomp", SYS_prctl, {PR_SET_SECCOMP, 0, 0, 0, 0}, EPERM, EPERM},
	{"seccomp", SYS_seccomp, {0, 0, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	/* files */
	{"mount", SYS_mount, {P(text), P(here), P("tmpfs"), 0, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"umount", SYS_umount2, {P(here), 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"pivot_root", SYS_pivot_root, {P(here), P(here)}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"open_by_handle_at", SYS_open_by_handle_at, {0, P(room), 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"mknodat", SYS_mknodat, {AT_FDCWD, P(text), 0, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"linkat", SYS_linkat, {AT_FDCWD, P(text), AT_FDCWD, P(here), 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"symlinkat", SYS_symlinkat, {P(text), AT_FDCWD, P(here)}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"mkdirat", SYS_mkdirat, {AT_FDCWD, P(text), 0700}, EPERM, EPERM},
	{"renameat2", SYS_renameat2, {AT_FDCWD, P(text), AT_FDCWD, P(here), 0}, EPERM, EPERM},
	{"fchmodat", SYS_fchmodat, {AT_FDCWD, P(here), 0777}, EPERM, EPERM},
	{"fchownat", SYS_fchownat, {AT_FDCWD, P(here), 0, 0, 0}, EPERM, EPERM},
	{"chdir", SYS_chdir, {P("/")}, EPERM, EPERM},
	{"open in the helper", SYS_openat, {AT_FDCWD, 0, O_RDONLY, 0}, EFAULT, EPERM},
	{"memfd_create", SYS_memfd_create, {P(text), 0}, EPERM, EPERM},
	/* memory that is code */
	{"mmap of code", SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}, EPERM, EPERM},
	{"mprotect to code", SYS_mprotect, {P(room), 4096, PROT_READ | PROT_EXEC}, EPERM, EPERM},
	{"pkey_mprotect", SYS_pkey_mprotect, {P(room), 4096, PROT_EXEC, -1}, EPERM, EPERM},
	/* sockets */
	{"AF_UNIX", SYS_socket, {AF_UNIX, SOCK_STREAM, 0}, EPERM, EPERM},
	{"AF_NETLINK", SYS_socket, {AF_NETLINK, SOCK_RAW, 0}, EPERM, 0},
	{"AF_PACKET", SYS_socket, {AF_PACKET, SOCK_RAW, 0}, EPERM, EPERM},
	{"AF_VSOCK", SYS_socket, {AF_VSOCK, SOCK_STREAM, 0}, EPERM, EPERM},
	{"AF_ALG", SYS_socket, {AF_ALG, SOCK_SEQPACKET, 0}, EPERM, EPERM},
	{"AF_XDP", SYS_socket, {44, SOCK_RAW, 0}, EPERM, EPERM},
	{"socketpair", SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, P(room)}, EPERM, EPERM},
	{"connect in the helper", SYS_connect, {0, P(room), 16}, ENOTSOCK, EPERM},
	{"a tunnel queue", SYS_ioctl, {0, TUNSETIFF, P(room)}, EPERM, ENOTTY},
	{"ioctl of a terminal", SYS_ioctl, {0, TIOCSTI, P(text)}, EPERM, EPERM},
	/* the kernel */
	{"bpf", SYS_bpf, {0, 0, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"perf_event_open", SYS_perf_event_open, {P(room), 0, -1, -1, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"userfaultfd", SYS_userfaultfd, {0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"keyctl", SYS_keyctl, {KEYCTL_GET_KEYRING_ID, 0, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"add_key", SYS_add_key, {P(text), P(text), 0, 0, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"init_module", SYS_init_module, {0, 0, P(text)}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"kexec_load", SYS_kexec_load, {0, 0, 0, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"reboot", SYS_reboot, {0, 0, 0, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	{"clock_settime", SYS_clock_settime, {0, 0}, SANDBOX_KILLED, SANDBOX_KILLED},
	/* A newer libuv asks for this and goes on without it. */
	{"io_uring_setup", SYS_io_uring_setup, {8, P(room)}, EPERM, EPERM},
	{"io_uring_enter", SYS_io_uring_enter, {0, 0, 0, 0, 0, 0}, EPERM, EPERM},
	{"a call of the future", 999, {0}, EPERM, EPERM},
#ifdef __x86_64__
	{"a call of the x32 kind", 0x40000000 + SYS_execve, {P("/bin/true"), P(arguments), 0}, SANDBOX_KILLED,
		SANDBOX_KILLED},
#endif
};

static int make_call(const void *argument)
{
	const struct forbidden *call = argument;
	const long *with = call->arguments;

	errno = 0;
	if (syscall(call->number, with[0], with[1], with[2], with[3], with[4], with[5]) >= 0)
		return 0;
	return errno;
}

static void try_all(privilege_role role)
{
	const struct sandbox_place place = {.role = role};
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		int expected = role == PRIVILEGE_ROLE_HELPER ? calls[i].helper : calls[i].daemon;
		int found = sandbox_try(&place, make_call, &calls[i]);

		if (found == expected)
			continue;
		wrong++;
		print_error("%s: ends with %d, not %d\n", calls[i].name, found, expected);
	}
	assert_int_equal(wrong, 0);
}

static void the_daemon_may_not(void **state)
{
	(void)state;
	try_all(PRIVILEGE_ROLE_DAEMON);
}

static void the_helper_may_not(void **state)
{
	(void)state;
	try_all(PRIVILEGE_ROLE_HELPER);
}

int main(void)
{
#ifdef __SANITIZE_ADDRESS__
	return 0; /* the sanitizer's own calls are not on the lists */
#endif
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_daemon_may_not),
		cmocka_unit_test(the_helper_may_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
