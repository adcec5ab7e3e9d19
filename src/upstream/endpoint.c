/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a live_endpoint and its health.  Who uses it next is decided in
 * pick.c; its idle connections are moved by pool.c.
 */

#include "upstream/endpoint.h"

#include <stdlib.h>

#include "base/xalloc.h"

struct live_endpoint *
live_endpoint_new(const struct service_endpoint *se)
{
	struct live_endpoint *e = xcalloc(1, sizeof(*e));

	e->refs = 1;
	e->endpoint = endpoint_ref(se->endpoint);
	e->ruleset = se->ruleset;
	e->is_zoned = se->is_zoned;
	TAILQ_INIT(&e->shared);
	TAILQ_INIT(&e->idle);
	TAILQ_INIT(&e->pinned);
	return e;
}

struct live_endpoint *
live_endpoint_ref(struct live_endpoint *e)
{
	e->refs++;
	return e;
}

void
live_endpoint_unref(struct live_endpoint *e)
{
	if (e == NULL || --e->refs > 0)
		return;
	endpoint_unref(e->endpoint);
	free(e->failure);
	free(e);
}

void
live_endpoint_failed(struct live_endpoint *e, uint64_t now_ms, const char *text)
{
	free(e->failure);
	e->failure = xstrdup(text);
	e->failed_ms = now_ms;
	e->is_failing = true;
}

void
live_endpoint_worked(struct live_endpoint *e)
{
	e->is_failing = false;
}

bool
live_endpoint_is_healthy(const struct live_endpoint *e, uint64_t now_ms)
{
	return !e->is_failing || now_ms - e->failed_ms >= ENDPOINT_FAILED_MS;
}
