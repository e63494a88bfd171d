/*
 * verb_who: sessions of mailboxes, and their end. Master knows them; here its
 * words are only passed on.
 */
#include <string.h>

#include "ctl/ctl.h"
#include "lib/ipc_ctl.h"

static int
ask(struct ctl *c, int argc, char **argv)
{
	if (argc > CTL_ARGS_MAX)
		return ctl_usage("too many arguments");
	for (int i = 1; i < argc; i++)
		if (argv[i][0] == '\0' || (argv[i][0] == '-' &&
		    (strcmp(argv[0], "who") != 0 ||
		    strcmp(argv[i], "--json") != 0)))
			return ctl_usage("%s: what is \"%s\"?", argv[0],
			    argv[i]);
	return talk(c, ROLE_MASTER, argc, argv, NULL, false);
}

int
verb_who(struct ctl *c, int argc, char **argv)
{
	return ask(c, argc, argv);
}

int
verb_kick(struct ctl *c, int argc, char **argv)
{
	if (argc < 2)
		return ctl_usage("kick: whom? postern who lists the sessions");
	return ask(c, argc, argv);
}
