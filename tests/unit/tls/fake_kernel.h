/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_TLS_FAKE_KERNEL_H
#define UNIT_TLS_FAKE_KERNEL_H

/*
 * TLS of the Linux kernel, played by this process: what the manual of the
 * kernel says of setsockopt(2), sendmsg(2) and recvmsg(2) on a socket that has
 * keys, so that what we do with it is tested where no kernel has it.  It is no
 * proof that a real one does the same.
 */

#include <stdbool.h>

struct fake_kernel {
	bool is_on;
	bool renews;     /* keys, as Linux 6.14 */
	bool tells;      /* numbers */
	int refuses_out; /* errno of its setsockopt(2); 0: takes it */
	int refuses_in;
};

extern struct fake_kernel fake_kernel;

/* Before descriptors are used again. */
void fake_kernel_forget(void);

#endif
