/* pending: every answer finds who asked, or nobody. */
#include "lib/pending.h"

#include "t/unit/tap.h"

enum { MANY = 200 };

int
main(void)
{
	struct pending p = { 0 };
	uint32_t id[MANY], old;
	int who[MANY], i, left;
	bool good = true;

	for (i = 0; i < MANY; i++) {
		id[i] = pending_add(&p, &who[i]);
		good = good && id[i] != 0;
	}
	ok(good && p.waiting == MANY, "many may wait");
	for (i = MANY - 1; i >= 0; i -= 2)
		good = good && pending_take(&p, id[i]) == &who[i];
	ok(good && p.waiting == MANY / 2, "answers find who asked");
	ok(pending_take(&p, id[1]) == NULL, "a second answer finds nobody");
	old = id[1];
	id[1] = pending_add(&p, &who[1]);
	ok(id[1] != old && pending_take(&p, old) == NULL,
	    "a late answer does not find who came after");
	ok(pending_take(&p, id[1]) == &who[1], "but its own does");
	ok(pending_take(&p, 0) == NULL, "nobody has id 0");
	ok(pending_take(&p, 0xffffffff) == NULL, "an id never given");
	for (left = 0; pending_take_any(&p) != NULL; left++)
		;
	ok(left == MANY / 2 && p.waiting == 0, "all left are found");
	pending_fini(&p);
	return done();
}
