/*
 * fuzz_main: runs a fuzz target without libFuzzer, as a test. Each file given
 * (or in a directory given) goes in whole, and cut at every byte; always in
 * a heap copy of exactly that size, so that a sanitizer sees a read behind
 * the end. Prints TAP, a line a file.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "lib/die.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { SEED_MAX = 1 << 20 };

static int count, failed;

/* The first n bytes, alone. */
static void
run_prefix(const uint8_t *bytes, size_t n)
{
	uint8_t *copy = malloc(n);

	if (copy == NULL && n > 0)
		die("malloc");
	if (n > 0)
		memcpy(copy, bytes, n);
	(void)LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static void
run_file(const char *path)
{
	static uint8_t bytes[SEED_MAX + 1];
	FILE *f = fopen(path, "rb");
	size_t n = 0, i;
	bool whole = false;

	printf("# %s\n", path); /* before: the target may abort */
	fflush(stdout);
	if (f != NULL) {
		n = fread(bytes, 1, sizeof(bytes), f);
		whole = !ferror(f) && n <= SEED_MAX;
		fclose(f);
	}
	for (i = 0; whole && i <= n; i++)
		run_prefix(bytes, i);
	if (!whole)
		failed++;
	printf("%sok %d - %s cut at each of %zu bytes\n", whole ? "" : "not ",
	    ++count, path, n);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In order of names, so that two runs print the same. */
static void
run_dir(const char *dir)
{
	DIR *d = opendir(dir);
	char **paths = NULL;
	struct dirent *e;
	size_t n = 0, i;

	if (d == NULL)
		die("%s", dir);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		paths = xreallocarray(paths, n + 1, sizeof(*paths));
		if (asprintf(&paths[n], "%s/%s", dir, e->d_name) == -1)
			die("asprintf");
		n++;
	}
	closedir(d);
	if (n > 0)
		qsort(paths, n, sizeof(*paths), by_name);
	for (i = 0; i < n; i++) {
		run_file(paths[i]);
		free(paths[i]);
	}
	free(paths);
}

int
main(int argc, char **argv)
{
	struct stat st;
	int i;

	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE|DIRECTORY...\n", argv[0]);
		return EX_USAGE;
	}
	for (i = 1; i < argc; i++) {
		if (stat(argv[i], &st) == -1)
			die("%s", argv[i]);
		if (S_ISDIR(st.st_mode))
			run_dir(argv[i]);
		else
			run_file(argv[i]);
	}
	printf("1..%d\n", count);
	return failed > 0 ? EX_DATAERR : EX_OK;
}
