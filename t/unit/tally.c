/* tally: one limit for a host, however many processes count. */
#include "lib/tally.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/die.h"
#include "t/unit/tap.h"

enum { MINUTE = 60, THEN = 1000 * MINUTE };

static struct sockaddr_storage
client(const char *ip)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in *v4 = (void *)&ss;
	struct sockaddr_in6 *v6 = (void *)&ss;

	if (inet_pton(AF_INET, ip, &v4->sin_addr) == 1)
		v4->sin_family = AF_INET;
	else if (inet_pton(AF_INET6, ip, &v6->sin6_addr) == 1)
		v6->sin6_family = AF_INET6;
	else
		die("%s", ip);
	return ss;
}

static uint32_t
add(enum tally_kind kind, const char *ip, int delta, int64_t wall)
{
	struct sockaddr_storage ss = client(ip);

	return tally_add(kind, tally_network((struct sockaddr *)&ss), delta,
	    wall);
}

/* As process 1: counts three connections of ip, then dies without -1. */
static void
other_process(int fd, const char *ip)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (tally_open(fd, 1, 2) == -1)
			_exit(1);
		(void)add(TALLY_CONNECTED, ip, 1, THEN);
		(void)add(TALLY_CONNECTED, ip, 2, THEN);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

int
main(void)
{
	char name[] = "/tmp/tally.XXXXXX";
	int fd = mkstemp(name), i;
	uint32_t wrong = 0;

	unlink(name);
	if (fd == -1 || ftruncate(fd, (off_t)tally_size(2)) == -1)
		die("%s", name);
	ok(add(TALLY_CONNECTED, "192.0.2.1", 1, THEN) == 0,
	    "without a mapping all is zero");
	other_process(fd, "192.0.2.7");
	ok(tally_open(fd, 0, 2) == 0, "a mapping opens");
	ok(add(TALLY_CONNECTED, "192.0.2.7", 0, THEN) == 3,
	    "what others count is seen");
	ok(add(TALLY_CONNECTED, "192.0.2.7", 1, THEN) == 4, "and added to");
	other_process(fd, "192.0.2.8");
	ok(add(TALLY_CONNECTED, "192.0.2.7", 0, THEN) == 1,
	    "a new process forgets what the dead one held");
	ok(add(TALLY_CONNECTED, "192.0.2.7", -1, THEN) == 0, "one left");
	ok(add(TALLY_CONNECTED, "192.0.2.7", -1, THEN) == 0,
	    "below zero there is nothing");
	ok(add(TALLY_CONNECTED, "::ffff:192.0.2.8", 0, THEN) == 3,
	    "IPv4 in IPv6 is the same client");
	(void)add(TALLY_CONNECTED, "2001:db8::1", 1, THEN);
	ok(add(TALLY_CONNECTED, "2001:db8::f:2", 1, THEN) == 2,
	    "an IPv6 /64 is one client");
	ok(add(TALLY_CONNECTED, "2001:db8:0:1::1", 0, THEN) == 0,
	    "the next /64 is another");

	(void)tally_add(TALLY_CONNECTED, SPAN("uid=33"), 1, THEN);
	ok(tally_add(TALLY_CONNECTED, SPAN("uid=33"), 1, THEN) == 2 &&
		tally_add(TALLY_CONNECTED, SPAN("uid=34"), 0, THEN) == 0,
	    "a client may have another name than an address");

	for (i = 0; i < 60; i++)
		(void)add(TALLY_CONNECTS, "192.0.2.1", 1, THEN + i % 10);
	ok(add(TALLY_CONNECTS, "192.0.2.1", 0, THEN + 59) == 60,
	    "a minute's events");
	ok(add(TALLY_MESSAGES, "192.0.2.1", 0, THEN) == 0,
	    "kinds are kept apart");
	ok(add(TALLY_CONNECTS, "192.0.2.1", 0, THEN + 90) == 30,
	    "half a minute later half of them");
	ok(add(TALLY_CONNECTS, "192.0.2.1", 1, THEN + 120) == 1,
	    "then they are forgotten");
	for (i = 0; i < 70000; i++)
		(void)add(TALLY_RCPTS, "192.0.2.1", 1, THEN);
	ok(add(TALLY_RCPTS, "192.0.2.1", 0, THEN) == 65535,
	    "a count does not wrap");
	for (i = 1; i < 255; i++) {
		char ip[32];

		snprintf(ip, sizeof(ip), "198.51.100.%d", i);
		wrong += add(TALLY_CONNECTED, ip, 1, THEN) != 1;
	}
	ok(wrong < 10, "clients seldom share both cells");
	return done();
}
