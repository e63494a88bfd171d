/*
 * os_linux: what the two halves of lib/os.h on Linux share. Nobody else
 * includes this.
 */
#ifndef LIB_OS_LINUX_H
#define LIB_OS_LINUX_H

/*
 * Enters the filter for OS_MAY_* bits. 1: done, 0: the kernel has no
 * filters, -1 and errno: it refused this one.
 */
int os_linux_calls_enter(unsigned may);

#endif
