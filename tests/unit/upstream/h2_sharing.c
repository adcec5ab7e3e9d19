/* SPDX-License-Identifier: Apache-2.0 */
/* See h2_sharing.h. */

#include "h2_sharing.h"

#include <criterion/criterion.h>

void
sharing_init(struct h2_sharing *t)
{
	rig_init(&t->g);
}

void
sharing_fini(struct h2_sharing *t)
{
	service_unref(t->s);
	h2_host_stop(t->h);
	rig_fini(&t->g);
}

struct service *
sharing_service(struct h2_sharing *t, enum protocol protocol, unsigned weight)
{
	return rig_service_of(protocol, "s", "r0 r1",
	    (const struct rig_endpoint[]){ { .key = "a",
					       .host = "127.0.0.1",
					       .port = t->h->port,
					       .weight = weight },
		{ .key = NULL } });
}

void
sharing_start(struct h2_sharing *t, unsigned streams)
{
	const struct h2_host_options o = { .streams = streams, .holds = true };

	t->h = h2_host_start(t->g.loop, &o);
	rig_start(&t->g);
	t->s = sharing_service(t, PROTO_HTTP2, 1);
	t->c = clusters_get(t->g.clusters, t->s);
}

void
sharing_ask(struct h2_sharing *t, unsigned i)
{
	rig_lease(t->c, &RIG_ANY, false, &t->counter, &t->e[i]);
}

void
sharing_begin(struct h2_sharing *t, unsigned i)
{
	struct rig_exchange *x = &t->e[i];

	sharing_ask(t, i);
	cr_assert(RIG_UNTIL(&t->g, x->is_done), "exchange %u", i);
	cr_assert_eq(
	    x->lease.status, REACH_OK, "exchange %u: %s", i, x->lease.detail);
	rig_send(x, "/");
}

void
sharing_begin_all(struct h2_sharing *t, unsigned n)
{
	unsigned before = h2_host_requests(t->h);

	for (unsigned i = 0; i < n; i++)
		sharing_begin(t, i);
	cr_assert(RIG_UNTIL(&t->g, h2_host_requests(t->h) == before + n));
}

void
sharing_finish(struct h2_sharing *t, unsigned i)
{
	struct rig_exchange *x = &t->e[i];
	enum pull pull = PULL_WAIT;

	cr_assert(RIG_UNTIL(&t->g, (pull = rig_read(x)) != PULL_WAIT), "%u", i);
	cr_expect_eq(pull, PULL_END, "exchange %u: %s", i,
	    stream_error_text(x->lease.stream->error));
	cr_expect_eq(x->status, 200);
	lease_end(&x->lease, true);
}

void
sharing_warm_up(struct h2_sharing *t)
{
	sharing_begin(t, 0);
	cr_assert(RIG_UNTIL(&t->g, h2_host_requests(t->h) == 1));
	h2_host_answer(t->h, 0, 1);
	sharing_finish(t, 0);
}
