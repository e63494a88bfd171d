/* box: a Maildir made for a test of lib/mailbox.h; one at a time. */
#ifndef T_UNIT_BOX_H
#define T_UNIT_BOX_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/mailbox.h"
#include "lib/maildir.h"
#include "t/unit/tree.h"

static int box = -1;
static char dir[64];

static inline void
box_end(void)
{
	if (box == -1)
		return;
	close(box);
	box = -1;
	tree_remove(dir);
}

static inline void
box_new(void)
{
	box_end();
	(void)snprintf(dir, sizeof(dir), "/tmp/postern-mailbox-XXXXXX");
	if (mkdtemp(dir) == NULL)
		die("mkdtemp");
	box = open(dir, O_RDONLY | O_DIRECTORY);
	if (box == -1 || maildir_make(box, "", false) == -1)
		die("%s", dir);
}

static inline void
put(const char *path, const char *text)
{
	int fd = openat(box, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("%s", path);
	close(fd);
}

static inline struct mailbox *
open_it(bool read_only)
{
	struct mailbox *m = mailbox_open(dup(box), read_only);

	if (m == NULL)
		die("mailbox_open");
	return m;
}

/* A message of one line; its uid. */
static inline uint32_t
append(struct mailbox *m)
{
	struct mailbox_new *n = mailbox_new_begin(m);
	uint32_t uid;

	if (n == NULL || mailbox_new_write(n, SPAN("x\n")) == -1 ||
	    mailbox_new_commit(n, 0, 0, 1000000000, &uid) == -1)
		die("append");
	return uid;
}

#endif
