/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/local_socket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_BACKLOG 16
/** A client in more groups than this is taken to be in none. */
#define GROUPS_MAXIMUM 256

static hiphop_error make_name(const char *path, struct sockaddr_un *name)
{
	*name = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof name->sun_path)
		return HIPHOP_TOO_LARGE;
	strcpy(name->sun_path, path);
	return HIPHOP_OK;
}

/** Makes the directory that holds `path`, if it is absent. */
static hiphop_error make_directory(const char *path, uid_t owner, gid_t group)
{
	char directory[sizeof((struct sockaddr_un *)0)->sun_path];
	const char *slash = strrchr(path, '/');
	if (!slash || slash == path)
		return HIPHOP_OK;
	size_t length = (size_t)(slash - path);
	memcpy(directory, path, length);
	directory[length] = 0;
	if (mkdir(directory, 0755) < 0)
		return errno == EEXIST ? HIPHOP_OK : HIPHOP_SYSTEM;
	/* Without the right to give it away it stays ours, which serves as well. */
	int ignored = chown(directory, owner, group);
	(void)ignored;
	return HIPHOP_OK;
}

/** Removes a socket that nobody answers at any more. */
static hiphop_error clear_stale(const char *path)
{
	struct stat status;
	int client;
	if (lstat(path, &status) < 0)
		return errno == ENOENT ? HIPHOP_OK : HIPHOP_SYSTEM;
	if (!S_ISSOCK(status.st_mode))
		return HIPHOP_EXISTS;
	hiphop_error error = local_socket_connect(path, &client);
	if (!error) {
		close(client);
		return HIPHOP_EXISTS;
	}
	if (error != HIPHOP_NOT_FOUND)
		return HIPHOP_EXISTS;
	return unlink(path) < 0 && errno != ENOENT ? HIPHOP_SYSTEM : HIPHOP_OK;
}

static hiphop_error bind_and_listen(int descriptor, const struct sockaddr_un *name, uid_t owner, gid_t group)
{
	/* Closed to all until its owner is right. */
	mode_t before = umask(0177);
	int bound = bind(descriptor, (const struct sockaddr *)name, sizeof *name);
	umask(before);
	if (bound < 0)
		return errno == EADDRINUSE ? HIPHOP_EXISTS : HIPHOP_SYSTEM;
	int ignored = chown(name->sun_path, owner, group);
	(void)ignored;
	if (chmod(name->sun_path, 0660) < 0 || listen(descriptor, LISTEN_BACKLOG) < 0)
		return HIPHOP_SYSTEM;
	return HIPHOP_OK;
}

hiphop_error local_socket_listen(const char *path, uid_t owner, gid_t group, int *listener)
{
	struct sockaddr_un name;
	*listener = -1;
	hiphop_error error = make_name(path, &name);
	if (!error)
		error = make_directory(path, owner, group);
	if (!error)
		error = clear_stale(path);
	if (error)
		return error;
	int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return HIPHOP_SYSTEM;
	error = bind_and_listen(descriptor, &name, owner, group);
	if (error) {
		int kept = errno;
		close(descriptor);
		errno = kept;
		return error;
	}
	*listener = descriptor;
	return HIPHOP_OK;
}

hiphop_error local_socket_accept(int listener, int *client)
{
	*client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (*client >= 0)
		return HIPHOP_OK;
	return errno == EAGAIN ? HIPHOP_NOT_FOUND : HIPHOP_SYSTEM;
}

bool local_socket_peer(int client, uid_t *user, gid_t *group)
{
	struct ucred credentials;
	socklen_t room = sizeof credentials;
	if (getsockopt(client, SOL_SOCKET, SO_PEERCRED, &credentials, &room) < 0 || room != sizeof credentials)
		return false;
	*user = credentials.uid;
	*group = credentials.gid;
	return true;
}

bool local_socket_peer_has_group(int client, gid_t group)
{
	gid_t groups[GROUPS_MAXIMUM];
	socklen_t room = sizeof groups;
	if (getsockopt(client, SOL_SOCKET, SO_PEERGROUPS, groups, &room) < 0)
		return false;
	for (size_t i = 0; i < room / sizeof *groups; i++)
		if (groups[i] == group)
			return true;
	return false;
}

hiphop_error local_socket_connect(const char *path, int *client)
{
	struct sockaddr_un name;
	hiphop_error error = make_name(path, &name);
	*client = -1;
	if (error)
		return error;
	int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return HIPHOP_SYSTEM;
	if (connect(descriptor, (struct sockaddr *)&name, sizeof name) == 0) {
		*client = descriptor;
		return HIPHOP_OK;
	}
	int kept = errno;
	close(descriptor);
	errno = kept;
	if (kept == ENOENT || kept == ECONNREFUSED || kept == ENOTDIR)
		return HIPHOP_NOT_FOUND;
	return kept == EACCES || kept == EPERM ? HIPHOP_REFUSED : HIPHOP_SYSTEM;
}

hiphop_error local_socket_read(int client, void *data, size_t capacity, size_t *length)
{
	*length = 0;
	ssize_t got = recv(client, data, capacity, MSG_DONTWAIT);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? HIPHOP_OK : HIPHOP_SYSTEM;
	*length = (size_t)got;
	return got == 0 ? HIPHOP_NOT_FOUND : HIPHOP_OK;
}

hiphop_error local_socket_wait(int client, int milliseconds)
{
	struct pollfd wait = {.fd = client, .events = POLLIN};
	int ready = poll(&wait, 1, milliseconds);
	if (ready < 0)
		return HIPHOP_SYSTEM;
	return ready == 0 ? HIPHOP_TIMEOUT : HIPHOP_OK;
}

hiphop_error local_socket_write(int client, const void *data, size_t length, size_t *written)
{
	*written = 0;
	ssize_t sent = send(client, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EAGAIN || errno == EINTR ? HIPHOP_OK : HIPHOP_SYSTEM;
	*written = (size_t)sent;
	return HIPHOP_OK;
}

bool local_socket_is_hung_up(int client)
{
	struct pollfd look = {.fd = client, .events = 0};
	return poll(&look, 1, 0) == 1 && look.revents & (POLLHUP | POLLERR);
}
