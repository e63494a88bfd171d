/* die: the one place where a process gives up, and allocation, which may. */
#include "lib/die.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/arith.h"
#include "lib/log.h"

void
die(const char *fmt, ...)
{
	int saved = errno;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	if (saved != 0)
		log_msg(LL_ERROR, "die", "%s: %s", text, strerror(saved));
	else
		log_msg(LL_ERROR, "die", "%s", text);
	(void)log_fini();
	/* No exit(): handlers might meet the state that brought us here. */
	_exit(EX_SOFTWARE);
}

void *
xmalloc(size_t n)
{
	void *p = malloc(n == 0 ? 1 : n);

	if (p == NULL)
		die("malloc of %zu bytes", n);
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n == 0 ? 1 : n, size == 0 ? 1 : size);

	if (p == NULL)
		die("calloc of %zu times %zu bytes", n, size);
	return p;
}

void *
xreallocarray(void *p, size_t n, size_t size)
{
	size_t all;
	void *q;

	if (!size_mul(n, size, &all)) {
		errno = ENOMEM;
		die("array of %zu times %zu bytes", n, size);
	}
	if ((q = realloc(p, all == 0 ? 1 : all)) == NULL)
		die("realloc of %zu bytes", all);
	return q;
}

char *
xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xmalloc(n), s, n);
}

void
fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}
