/*
 * map: written, found again; and what a damaged file does not do.
 */
#include "lib/map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/limits.h"
#include "t/unit/tap.h"

static char dir[] = "/tmp/postern-map-XXXXXX";
static char path[64], tmp[70];

static bool
is(struct map *m, struct span key, struct span want)
{
	struct span got;

	return map_get(m, key, &got) == MAP_FOUND && span_eq(got, want);
}

static int
make(unsigned n)
{
	struct map_writer *w = map_create(path, 0640);
	char key[16];

	if (w == NULL)
		return -1;
	for (unsigned i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "k%u", i);
		map_put(w, span_str(key), span_str(key));
	}
	map_put(w, SPAN(""), SPAN("empty key"));
	map_put(w, SPAN("a\0b"), SPAN(""));
	return map_commit(w);
}

static void
test_whole(void)
{
	struct map *m;
	struct stat st;
	struct span got;
	char large[MAP_KEY_MAX + 1] = "";

	ok(make(1000) == 0, "a map is made");
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0640,
	    "with the mode that was asked for");
	ok(access(tmp, F_OK) == -1, "and no file is left");
	m = map_open(open(path, O_RDONLY));
	ok(m != NULL, "it opens");
	ok(is(m, SPAN("k0"), SPAN("k0")) && is(m, SPAN("k999"), SPAN("k999")),
	    "keys are found");
	ok(is(m, SPAN(""), SPAN("empty key")), "the empty key, too");
	ok(is(m, SPAN("a\0b"), SPAN("")), "and one with a NUL byte");
	ok(map_get(m, SPAN("k1000"), &got) == MAP_NONE, "others are not");
	ok(map_get(m, span_of(large, sizeof(large)), &got) == MAP_NONE,
	    "nor one longer than a key may be");
	ok(map_get(NULL, SPAN("k0"), &got) == MAP_NONE, "no map has none");
	ok(make(1) == 0 && is(m, SPAN("k999"), SPAN("k999")),
	    "a reader keeps the old map while it is replaced");
	map_close(m);
	m = map_open(open(path, O_RDONLY));
	ok(map_get(m, SPAN("k999"), &got) == MAP_NONE,
	    "who opens it then has the new one");
	map_close(m);
}

static void
test_writers(void)
{
	struct map_writer *w = map_create(path, 0600);
	char large[MAP_VALUE_MAX + 1];

	ok(map_create(path, 0600) == NULL && errno == EWOULDBLOCK,
	    "two do not write at once");
	map_put(w, SPAN("k"), SPAN("v"));
	map_abort(w);
	ok(access(tmp, F_OK) == -1 && access(path, F_OK) == 0,
	    "who gives up leaves the old map");
	memset(large, 'x', sizeof(large));
	w = map_create(path, 0600);
	ok(map_put(w, SPAN("k"), span_of(large, sizeof(large))) == -1,
	    "a value too large is refused");
	ok(map_commit(w) == -1, "and then nothing is committed");
	ok(map_create("/nonexistent/map", 0600) == NULL,
	    "no directory, no map");
}

static bool
opens_cut_at(const char *bytes, size_t n)
{
	char cut[70];
	struct map *m;
	FILE *f;

	snprintf(cut, sizeof(cut), "%s/cut", dir);
	f = fopen(cut, "w");
	fwrite(bytes, 1, n, f);
	fclose(f);
	m = map_open(open(cut, O_RDONLY));
	unlink(cut);
	map_close(m);
	return m != NULL;
}

static void
test_damage(void)
{
	static char bytes[65536];
	struct span got;
	size_t n, opened = 0;
	char bad[70];
	struct map *m;
	FILE *f;

	ok(make(20) == 0, "a small map");
	f = fopen(path, "r");
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	for (size_t i = 0; i < n; i++)
		opened += opens_cut_at(bytes, i);
	ok(opened == 0, "cut at any byte it does not open");
	ok(opens_cut_at(bytes, n), "whole it does");
	ok(!opens_cut_at(bytes, n + 1), "with a byte more it does not");

	/* Positions and lengths of records and slots all point outside. */
	snprintf(bad, sizeof(bad), "%s/bad", dir);
	memset(bytes + 2048, 0xff, n - 2048);
	f = fopen(bad, "w");
	fwrite(bytes, 1, n, f);
	fclose(f);
	m = map_open(open(bad, O_RDONLY));
	for (int i = 0; i < 256 && m != NULL; i++) {
		char key[16];

		snprintf(key, sizeof(key), "k%d", i);
		opened += map_get(m, span_str(key), &got) == MAP_FOUND;
	}
	ok(opened == 0, "damaged inside it finds nothing, and nothing breaks");
	map_close(m);
	unlink(bad);
	errno = 0;
	ok(map_open(open("/dev/null", O_RDONLY)) == NULL && errno != 0,
	    "a device is no map");
	ok(map_open(-1) == NULL, "no descriptor is none");
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/map.cdb", dir);
	snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	test_whole();
	test_writers();
	test_damage();
	unlink(path);
	rmdir(dir);
	return done();
}
