/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static hiphop_error file_error(int error_number)
{
	switch (error_number) {
	case ENOENT:
	case ENOTDIR:
		return HIPHOP_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS:
		return HIPHOP_REFUSED;
	case EEXIST:
	case EWOULDBLOCK:
		return HIPHOP_EXISTS;
	case ENAMETOOLONG:
		return HIPHOP_TOO_LARGE;
	default:
		return HIPHOP_SYSTEM;
	}
}

/** Closes without losing the errno of what went wrong before. */
static hiphop_error close_with(int descriptor, hiphop_error error)
{
	int kept = errno;
	close(descriptor);
	errno = kept;
	return error;
}

static hiphop_error read_all(int descriptor, uint8_t *data, size_t length, size_t *done)
{
	for (*done = 0; *done < length;) {
		ssize_t got = read(descriptor, data + *done, length - *done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return HIPHOP_SYSTEM;
		if (got == 0)
			break;
		*done += (size_t)got;
	}
	return HIPHOP_OK;
}

hiphop_error file_read(const char *path, size_t maximum, struct buffer *content)
{
	struct stat status;
	*content = (struct buffer){0};
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (descriptor < 0)
		return file_error(errno);
	if (fstat(descriptor, &status) < 0)
		return close_with(descriptor, HIPHOP_SYSTEM);
	if (!S_ISREG(status.st_mode)) {
		errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
		return close_with(descriptor, HIPHOP_SYSTEM);
	}
	if (status.st_size < 0 || (uintmax_t)status.st_size > maximum)
		return close_with(descriptor, HIPHOP_TOO_LARGE);
	content->data = malloc((size_t)status.st_size + 1);
	if (!content->data)
		return close_with(descriptor, HIPHOP_NO_MEMORY);
	hiphop_error error = read_all(descriptor, content->data, (size_t)status.st_size, &content->length);
	if (error)
		file_free_secret(content);
	return close_with(descriptor, error);
}

void file_free_secret(struct buffer *content)
{
	if (content->data)
		bytes_wipe(content->data, content->length);
	buffer_free(content);
}

static hiphop_error write_all(int descriptor, const uint8_t *data, size_t length)
{
	while (length > 0) {
		ssize_t written = write(descriptor, data, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return HIPHOP_SYSTEM;
		data += written;
		length -= (size_t)written;
	}
	return fsync(descriptor) < 0 ? HIPHOP_SYSTEM : HIPHOP_OK;
}

/** link() refuses an existing name where rename() would replace it. */
static hiphop_error put_in_place(const char *temporary, const char *path, bool replace)
{
	if (replace)
		return rename(temporary, path) < 0 ? file_error(errno) : HIPHOP_OK;
	hiphop_error error = link(temporary, path) < 0 ? file_error(errno) : HIPHOP_OK;
	int kept = errno;
	unlink(temporary);
	errno = kept;
	return error;
}

hiphop_error file_write_secret(const char *path, const void *data, size_t length, bool replace)
{
	char temporary[PATH_MAX];
	if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary)
		return HIPHOP_TOO_LARGE;
	if (!replace && access(path, F_OK) == 0)
		return HIPHOP_EXISTS;
	int descriptor = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	if (descriptor < 0)
		return file_error(errno);
	hiphop_error error = close_with(descriptor, write_all(descriptor, data, length));
	if (!error)
		error = put_in_place(temporary, path, replace);
	if (error) {
		int kept = errno;
		unlink(temporary);
		errno = kept;
	}
	return error;
}

bool file_is_open_to_others(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && status.st_mode & (S_IRWXG | S_IRWXO);
}

/** Makes every directory of the path but the last. */
static hiphop_error make_parents(const char *path)
{
	char part[PATH_MAX];
	size_t length = strlen(path);
	if (length >= sizeof part)
		return HIPHOP_TOO_LARGE;
	memcpy(part, path, length + 1);
	for (char *slash = part + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return file_error(errno);
		*slash = '/';
	}
	return HIPHOP_OK;
}

/** Only a plain file with one name is given away, lest a link lead to somebody else's. */
static void give_file(int directory, const char *name, uid_t owner, gid_t group)
{
	struct stat status;
	int descriptor = openat(directory, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (descriptor < 0)
		return;
	if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1) {
		int ignored = fchown(descriptor, owner, group);
		(void)ignored;
	}
	close(descriptor);
}

static hiphop_error give_directory(const char *path, uid_t owner, gid_t group)
{
	static const char *const files[] = {"lock", "hiphop.db", "hiphop.db-wal", "hiphop.db-shm", "hiphop.db-journal"};
	int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (descriptor < 0)
		return file_error(errno);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		give_file(descriptor, files[i], owner, group);
	hiphop_error error = fchown(descriptor, owner, group) < 0 ? file_error(errno) : HIPHOP_OK;
	return close_with(descriptor, error);
}

hiphop_error directory_prepare(const char *path, bool give, uid_t owner, gid_t group)
{
	hiphop_error error = make_parents(path);
	if (error)
		return error;
	if (mkdir(path, 0750) < 0 && errno != EEXIST)
		return file_error(errno);
	return give ? give_directory(path, owner, group) : HIPHOP_OK;
}

hiphop_error directory_lock(const char *path, int *descriptor)
{
	char name[PATH_MAX];
	*descriptor = -1;
	if (snprintf(name, sizeof name, "%s/lock", path) >= (int)sizeof name)
		return HIPHOP_TOO_LARGE;
	int lock = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (lock < 0)
		return file_error(errno);
	if (flock(lock, LOCK_EX | LOCK_NB) < 0)
		return close_with(lock, file_error(errno));
	*descriptor = lock;
	return HIPHOP_OK;
}
