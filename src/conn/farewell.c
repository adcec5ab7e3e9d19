/* SPDX-License-Identifier: Apache-2.0 */
/* See farewell.h. */

#include "conn/farewell.h"

/* How long the caller may take to see our last word. */
#define LINGER_MS 2000

/* The rest of the answer is on its way, or was until now. */
static bool
is_sending(struct farewell *f)
{
	const struct wire *w = f->wire;
	bool moves = w->bytes_out != f->sent;

	f->sent = w->bytes_out;
	f->stalled_ms = moves ? 0 : f->stalled_ms + LINGER_MS;
	return moves ||
	       (wire_unsent(w) > 0 &&
		   f->stalled_ms < f->conn->all->env.limits->stream_idle_ms);
}

static void
on_deadline(void *arg)
{
	struct farewell *f = arg;

	if (is_sending(f))
		timer_set(&f->deadline, LINGER_MS);
	else
		farewell_done(f);
}

void
farewell_start(
    struct farewell *f, struct conn *c, const struct wire *w, enum outcome last)
{
	*f = (struct farewell){
		.conn = c, .wire = w, .last = last, .sent = w->bytes_out
	};
	timer_init(&f->deadline, c->all->env.loop, on_deadline, f);
	timer_set(&f->deadline, LINGER_MS);
}

void
farewell_done(void *arg)
{
	struct farewell *f = arg;

	conn_end(f->conn, f->last, NULL);
}

void
farewell_stop(struct farewell *f)
{
	timer_stop(&f->deadline);
}
