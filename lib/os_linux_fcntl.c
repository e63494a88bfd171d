/*
 * os_linux_fcntl: fcntl(2) for dns alone. libunbound makes its sockets
 * non-blocking by F_SETFL, which the sandbox forbids: it could take O_APPEND
 * off the log (lib/os_linux_calls.c). Here the same is done by FIONBIO, which
 * can do nothing else. Not in the library: dns is linked with it, and its
 * symbols come before those of libc.
 */
#ifdef __linux__

#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#undef fcntl
#undef fcntl64
int fcntl(int fd, int cmd, ...);
int fcntl64(int fd, int cmd, ...);

static int
call(int fd, int cmd, unsigned long arg)
{
	int on = (arg & O_NONBLOCK) != 0;

	if (cmd == F_SETFL)
		return ioctl(fd, FIONBIO, &on);
#ifdef SYS_fcntl
	return (int)syscall(SYS_fcntl, fd, cmd, arg);
#else
	return (int)syscall(SYS_fcntl64, fd, cmd, arg);
#endif
}

int
fcntl(int fd, int cmd, ...)
{
	unsigned long arg;
	va_list ap;

	va_start(ap, cmd);
	arg = va_arg(ap, unsigned long);
	va_end(ap);
	return call(fd, cmd, arg);
}

int
fcntl64(int fd, int cmd, ...)
{
	unsigned long arg;
	va_list ap;

	va_start(ap, cmd);
	arg = va_arg(ap, unsigned long);
	va_end(ap);
	return call(fd, cmd, arg);
}

#else
typedef int os_linux_fcntl_is_elsewhere;
#endif
