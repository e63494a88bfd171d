/*
 * structure_print FILE...: what FETCH would say of each message's form, a
 * response each, as t/e2e/structure-like-dovecot.py compares it.
 * -t N: makes each record and each answer N times, and prints the times.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/imap_out.h"
#include "lib/limits.h"
#include "lib/structure.h"

static int
sink(void *arg, struct span s)
{
	return fwrite(s.p, 1, s.n, arg) == s.n ? 0 : -1;
}

static int
no_sink(void *arg, struct span s)
{
	(void)arg;
	(void)s;
	return 0;
}

static struct span
read_all(const char *path)
{
	struct stat st;
	size_t n = 0;
	ssize_t r;
	char *p;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1 || fstat(fd, &st) == -1)
		die("%s", path);
	p = xmalloc((size_t)st.st_size + 1);
	while ((r = read(fd, p + n, (size_t)st.st_size - n)) > 0)
		n += (size_t)r;
	close(fd);
	return span_of(p, n);
}

static void
say(struct imap_out *o, unsigned number, const struct structure *s)
{
	out_untagged(o);
	out_num(o, number);
	out_atom(o, "FETCH");
	out_open(o);
	out_atom(o, "RFC822.SIZE");
	out_num(o, structure_size(s));
	out_atom(o, "ENVELOPE");
	structure_envelope(s, o);
	out_atom(o, "BODY");
	structure_body(s, false, o);
	out_atom(o, "BODYSTRUCTURE");
	structure_body(s, true, o);
	out_close(o);
	out_end(o);
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
measure(int argc, char **argv, unsigned times)
{
	double make = 0, tell = 0, t;
	size_t bytes = 0, records = 0;
	struct structure s;
	struct imap_out o;
	struct span m;
	struct buf b;
	unsigned n;
	int i;

	out_init(&o, no_sink, NULL);
	buf_init(&b, STRUCTURE_MAX);
	for (i = 0; i < argc; i++) {
		m = read_all(argv[i]);
		t = seconds();
		for (n = 0; n < times; n++) {
			buf_clear(&b);
			structure_make(m, &b);
		}
		make += seconds() - t;
		t = seconds();
		for (n = 0; n < times; n++)
			if (structure_open(buf_get(&b), &s) == 0)
				say(&o, 1, &s);
		tell += seconds() - t;
		bytes += m.n;
		records += b.n;
		free((void *)(uintptr_t)m.p);
	}
	printf("%d messages, %zu bytes: make %.2f us each, %.0f MB/s; "
	       "open and tell %.2f us each; records %zu bytes each\n",
	    argc, bytes, make * 1e6 / times / argc,
	    (double)bytes * times / make / 1e6, tell * 1e6 / times / argc,
	    records / (size_t)argc);
	out_fini(&o);
	buf_fini(&b);
}

int
main(int argc, char **argv)
{
	struct structure s;
	struct imap_out o;
	uint64_t times;
	struct span m;
	struct buf b;
	int i;

	if (argc > 3 && strcmp(argv[1], "-t") == 0) {
		if (span_num(span_str(argv[2]), 1, 1000000, &times) == -1)
			return EX_USAGE;
		measure(argc - 3, argv + 3, (unsigned)times);
		return EX_OK;
	}
	out_init(&o, sink, stdout);
	buf_init(&b, STRUCTURE_MAX);
	for (i = 1; i < argc; i++) {
		m = read_all(argv[i]);
		buf_clear(&b);
		structure_make(m, &b);
		if (structure_open(buf_get(&b), &s) == -1)
			die("%s: our own record is damaged", argv[i]);
		say(&o, (unsigned)i, &s);
		free((void *)(uintptr_t)m.p);
	}
	if (out_flush(&o) == -1)
		die("stdout");
	out_fini(&o);
	buf_fini(&b);
	return EX_OK;
}
