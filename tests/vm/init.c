/* SPDX-License-Identifier: MIT */
/**
 * Process 1 of the virtual machine of tests/vm/boot: loads the modules of the initial RAM disk, makes a root file
 * system of the host's with a RAM disk over it, runs the job, and switches the machine off.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define VIRTIO_9P "trans=virtio,version=9p2000.L,msize=512000"
#define JOB       "/run/job"

struct file_system {
	const char *type, *source, *folder, *options;
};

/* The host's files are taken not to change while the machine runs. */
static const struct file_system before[] = {
	{"9p", "host", "/lower", VIRTIO_9P ",ro,cache=loose"},
	{"tmpfs", "tmpfs", "/over", ""},
	{"overlay", "overlay", "/root", "lowerdir=/lower,upperdir=/over/upper,workdir=/over/work"},
	{0},
};

static const struct file_system after[] = {
	{"proc", "proc", "/proc", ""},
	{"sysfs", "sysfs", "/sys", ""},
	{"devtmpfs", "devtmpfs", "/dev", ""},
	{"tmpfs", "tmpfs", "/run", "mode=755"},
	{"9p", "job", JOB, VIRTIO_9P},
	{0},
};

_Noreturn static void end(const char *what)
{
	if (what)
		perror(what);
	sync();
	reboot(RB_POWER_OFF);
	_exit(1);
}

static void mount_all(const struct file_system *each)
{
	for (; each->type; each++) {
		mkdir(each->folder, 0755);
		if (mount(each->source, each->folder, each->type, 0, each->options) < 0)
			end(each->folder);
		if (each->folder[1] == 'o') {
			mkdir("/over/upper", 0755);
			mkdir("/over/work", 0755);
		}
	}
}

static void load_modules(void)
{
	struct dirent **names;
	int count = scandir("/modules", &names, NULL, alphasort);
	if (count < 0 || chdir("/modules") < 0)
		end("/modules");
	for (int i = 0; i < count; i++) {
		int file = open(names[i]->d_name, O_RDONLY | O_CLOEXEC);
		if (names[i]->d_name[0] != '.' && syscall(SYS_finit_module, file, "", 0) < 0)
			end(names[i]->d_name);
		close(file);
	}
}

/* Runs the job with its output in a file of the host. Returns its status as a shell tells it. */
static int run_job(void)
{
	int status, input = open("/dev/null", O_RDONLY), output = open(JOB "/output", O_WRONLY | O_APPEND);
	pid_t job = fork(), ended;
	if (job == 0) {
		dup2(input, 0);
		dup2(output, 1);
		dup2(output, 2);
		close(open(JOB "/begun", O_CREAT | O_WRONLY, 0644));
		execl("/bin/bash", "bash", JOB "/script", (char *)NULL);
		_exit(127);
	}
	while ((ended = wait(&status)) != job)
		if (ended < 0)
			end("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(void)
{
	load_modules();
	mount_all(before);
	if (chdir("/root") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
		end("/root");
	umask(022);
	mount_all(after);
	int status = run_job();
	FILE *file = fopen(JOB "/status.new", "w");
	if (file && fprintf(file, "%d\n", status) > 0 && fclose(file) == 0)
		rename(JOB "/status.new", JOB "/status");
	end(NULL);
}
