/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The services that a Dataplane offers; nothing else of it matters to an
 * egress.  Main thread.
 */

#include "model/dataplane.h"

#include "base/arena.h"
#include "model/kind_rows.h"
#include "model/target_bind.h"

static void
read_inbound(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	struct dataplane *dp = field;
	const struct node_entry *e;
	const struct node *service;
	size_t i = 0;

	if (!bind_expect(b, n, NODE_LIST, at) || n->n == 0)
		return;
	dp->services = arena_alloc(b->arena, n->n * sizeof(*dp->services));
	for (e = n->first; e != NULL; e = e->next, i++) {
		service = node_get(
		    node_get(e->value, STR("tags")), STR("kuma.io/service"));
		if (!node_is_given(service))
			continue;
		if (bind_str(b, service,
			PATH_KEY(PATH_IN(PATH_ITEM(at, i), "tags"),
			    STR("kuma.io/service")),
			&dp->services[dp->n_services]))
			dp->n_services++;
	}
}

static const struct bind networking_rows[] = {
	{ .key = "inbound",
	    .type = BIND_READ,
	    .offset = 0,
	    .read = read_inbound },
	{ .key = "address", .type = BIND_SKIP },
	{ .key = "advertisedAddress", .type = BIND_SKIP },
	{ .key = "gateway", .type = BIND_SKIP },
	{ .key = "outbound", .type = BIND_SKIP },
	{ .key = "listeners", .type = BIND_SKIP },
	{ .key = "transparentProxying", .type = BIND_SKIP },
	{ .key = "admin", .type = BIND_SKIP },
	{ .type = BIND_END },
};

const struct bind dataplane_bind[] = {
	{ .key = "networking", .type = BIND_STRUCT, .sub = networking_rows },
	{ .key = "metrics", .type = BIND_SKIP },
	{ .key = "probes", .type = BIND_SKIP },
	{ .key = "envoy", .type = BIND_SKIP },
	{ .type = BIND_END },
};

void
dataplane_check(struct resource *r, struct problems *pr)
{
	(void)r;
	(void)pr;
}

const struct dataplane *
dataplane_of(const struct resource *r)
{
	return r != NULL && r->kind == KIND_DATAPLANE ? r->spec : NULL;
}
