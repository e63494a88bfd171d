/* die: allocation never returns NULL and never wraps. */
#include "lib/die.h"

#include <sys/wait.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/arith.h"
#include "t/unit/tap.h"

/* Does an array of n times size bytes end the process? */
static bool
dies(size_t n, size_t size)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(1);
		free(xreallocarray(NULL, n, size));
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == EX_SOFTWARE;
}

int
main(void)
{
	size_t r = 7;
	char *p;

	ok(dies(SIZE_MAX / 2, 3), "a product that wraps");
	ok(!dies(100, 3), "one that does not");
	ok(size_add(SIZE_MAX - 1, 1, &r) && r == SIZE_MAX, "a sum that fits");
	r = 7;
	ok(!size_add(SIZE_MAX, 1, &r) && r == 7, "one that does not");
	ok(!size_mul(SIZE_MAX, 2, &r) && r == 7, "a product that does not");
	ok(size_mul(SIZE_MAX, 1, &r) && r == SIZE_MAX, "one that does");
	p = xmalloc(0);
	ok(p != NULL, "no bytes are memory, too");
	free(p);
	p = xcalloc(0, 0);
	ok(p != NULL, "likewise cleared");
	free(p);
	p = xstrdup("abc");
	ok(strcmp(p, "abc") == 0, "strdup");
	free(p);
	return done();
}
