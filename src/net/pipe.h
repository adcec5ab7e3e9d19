/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_PIPE_H
#define NET_PIPE_H

/*
 * Pipes that bytes cross between two sockets without being copied.  A loop
 * keeps a few that are empty; a wire has one only while bytes are in it, and
 * who gets none copies instead.  For net/wire_*.c only.
 *
 * Own thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct loop;

struct pipe {
	int in;
	int out;
	size_t held;
	struct pipe *next; /* of those that are idle */
};

/* Of a loop; zeroed memory has none. */
struct pipes {
	struct pipe *idle;
	unsigned n_idle;
	unsigned n_lent;
	uint64_t retry_ms; /* none were to be had: not before then */
	bool is_useless;   /* the kernel does not splice these sockets */
};

/* An empty pipe, or NULL. */
struct pipe *pipe_borrow(struct loop *l) MUST_CHECK;
/* What is still in it is lost. */
void pipe_return(struct loop *l, struct pipe *p);
/* The kernel cannot: no more of them for this loop. */
void pipes_give_up(struct loop *l);
void pipes_fini(struct loop *l);

#endif
