/*
 * verb_queue: mail that waits. The queue process does it all; here its words
 * are only passed on.
 */
#include <string.h>

#include "ctl/ctl.h"
#include "lib/ipc_ctl.h"

static const char *const words[] = { "list", "show", "count", "destinations", "ages",
	"flush", "hold", "release", "remove" };

int
verb_queue(struct ctl *c, int argc, char **argv)
{
	static char list[] = "list";
	char *args[CTL_ARGS_MAX] = { list };
	int n = 1;

	if (argc > CTL_ARGS_MAX)
		return ctl_usage("too many arguments");
	for (size_t i = 0; argc > 1 && i < nitems(words); i++)
		if (strcmp(words[i], argv[1]) == 0)
			return talk(c, ROLE_QUEUE, argc - 1, argv + 1, NULL,
			    false);
	/* `postern queue --json`, `mailq -v`: a list */
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-')
			return ctl_usage("queue: \"%s\" is no verb; to see "
			    "some messages: queue list WHAT", argv[i]);
		if (strcmp(argv[i], "--destinations") == 0)
			args[0] = argv[i] + 2;
		if (strcmp(argv[i], "--json") == 0)
			args[n++] = argv[i];
	}
	return talk(c, ROLE_QUEUE, n, args, NULL, false);
}

int
verb_queue_do(struct ctl *c, int argc, char **argv)
{
	static char flush[] = "flush";

	if (argc > CTL_ARGS_MAX)
		return ctl_usage("too many arguments");
	if (argc < 2 && strcmp(argv[0], "flush") != 0 &&
	    strcmp(argv[0], "retry") != 0)
		return ctl_usage("%s: of which message? postern queue lists "
		    "them", argv[0]);
	if (strcmp(argv[0], "retry") == 0)
		argv[0] = flush;
	return talk(c, ROLE_QUEUE, argc, argv, NULL, false);
}
