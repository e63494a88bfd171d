/* lock: waits for who lets go, and gives up on who does not. */
#include "lib/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t/unit/tap.h"

int
main(void)
{
	char path[] = "/tmp/postern-lock-XXXXXX", c = 'x';
	int a = mkstemp(path), b = open(path, O_RDWR), go[2], status = -1;
	pid_t pid;

	ok(lock_wait(a, 0) == 0, "nobody has it");
	errno = 0;
	ok(lock_wait(b, 0) == -1 && errno == EAGAIN, "somebody has it");
	ok(lock_wait(b, 20) == -1 && errno == EAGAIN, "and keeps it");
	if (pipe(go) == -1 || (pid = fork()) == -1)
		return 1;
	if (pid == 0) { /* holds what its parent has locked */
		close(go[1]);
		(void)!read(go[0], &c, 1);
		_exit(0);
	}
	close(a);
	ok(lock_wait(b, 1) == -1, "a copy of the descriptor holds it, too");
	(void)!write(go[1], &c, 1);
	ok(lock_wait(b, 3600 * 1000) == 0, "it is let go");
	waitpid(pid, &status, 0);
	ok(flock(b, LOCK_UN) == 0 && lock_wait(b, 0) == 0, "and taken again");
	errno = 0;
	ok(lock_wait(-1, 1000) == -1 && errno == EBADF, "no file");
	unlink(path);
	return done();
}
