/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipes of a loop.  How many it lends is bounded, because each takes two
 * descriptors from the connections, and keeps what it holds outside of all
 * socket buffers.  Own thread.
 */

#include "net/pipe.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "net/loop.h"
#include "net/loop_state.h"

#define LENT_MOST 64
#define IDLE_MOST 8
#define RETRY_MS 1000
/* The kernel gives a pipe that many bytes, in pages, if the limits let it. */
#define SIZE_WANTED (1024 * 1024)
/* And no fewer than this unless its user has too many: not worth it then. */
#define SIZE_LEAST (64 * 1024)

static void
destroy(struct pipe *p)
{
	close(p->in);
	close(p->out);
	free(p);
}

static struct pipe *
create(void)
{
	struct pipe *p;
	int fd[2];

	if (pipe2(fd, O_NONBLOCK | O_CLOEXEC) == -1)
		return NULL;
	p = xcalloc(1, sizeof(*p));
	p->out = fd[0];
	p->in = fd[1];
	if (fcntl(p->in, F_SETPIPE_SZ, SIZE_WANTED) < SIZE_LEAST &&
	    fcntl(p->in, F_GETPIPE_SZ) < SIZE_LEAST) {
		destroy(p);
		return NULL;
	}
	return p;
}

static struct pipe *
take_idle(struct pipes *all)
{
	struct pipe *p = all->idle;

	all->idle = p->next;
	all->n_idle--;
	p->next = NULL;
	return p;
}

struct pipe *
pipe_borrow(struct loop *l)
{
	struct pipes *all = &l->pipes;
	struct pipe *p;

	if (all->is_useless || all->n_lent == LENT_MOST)
		return NULL;
	if (all->idle != NULL) {
		p = take_idle(all);
	} else {
		if (loop_now_ms(l) < all->retry_ms)
			return NULL;
		p = create();
		if (p == NULL) {
			all->retry_ms = loop_now_ms(l) + RETRY_MS;
			return NULL;
		}
	}
	all->n_lent++;
	return p;
}

void
pipe_return(struct loop *l, struct pipe *p)
{
	struct pipes *all = &l->pipes;

	all->n_lent--;
	/* The bytes of one connection never reach another one. */
	if (p->held > 0 || all->n_idle == IDLE_MOST) {
		destroy(p);
		return;
	}
	p->next = all->idle;
	all->idle = p;
	all->n_idle++;
}

void
pipes_give_up(struct loop *l)
{
	l->pipes.is_useless = true;
}

void
pipes_fini(struct loop *l)
{
	while (l->pipes.idle != NULL)
		destroy(take_idle(&l->pipes));
}
