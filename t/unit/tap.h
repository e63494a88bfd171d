/*
 * tap: just enough Test Anything Protocol for unit tests. A test is a
 * main() that calls ok() and ends with `return done();`.
 */
#ifndef T_UNIT_TAP_H
#define T_UNIT_TAP_H

#include <stdbool.h>
#include <stdio.h>

static struct {
	int run, failed;
} tap;

/* Name is a sentence about behaviour; # would end it for a TAP reader. */
static inline bool
tap_ok(bool cond, const char *name, const char *file, int line)
{
	tap.run++;
	if (!cond)
		tap.failed++;
	printf("%sok %d - ", cond ? "" : "not ", tap.run);
	for (; *name != '\0'; name++)
		putchar(*name == '#' || (unsigned char)*name < ' ' ? '?' :
		                                                     *name);
	putchar('\n');
	if (!cond)
		printf("# failed at %s:%d\n", file, line);
	return cond;
}

#define ok(cond, name) tap_ok((cond), (name), __FILE__, __LINE__)

/* Prints the plan; the exit status of the test. */
static inline int
done(void)
{
	printf("1..%d\n", tap.run);
	fflush(stdout);
	return tap.failed == 0 ? 0 : 1;
}

#endif
