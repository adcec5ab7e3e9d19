/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life of what is remembered of a mesh's callers.  Any thread.
 */

#include "tls/callers.h"

#include <stdlib.h>

#include "base/ref.h"
#include "base/xalloc.h"
#include "tls/chain_table.h"
#include "tls/session_table.h"

/* A session takes about 400 bytes; memory is used as they come. */
#define SESSIONS_MAX 32768
#define SESSION_BYTES ((size_t)16 * 1024 * 1024)

struct callers {
	struct ref ref;
	struct digest scope;
	struct session_table *sessions;
	struct chain_table *chains;
};

struct callers *
callers_new(const struct digest *scope)
{
	struct callers *c = xcalloc(1, sizeof(*c));

	ref_init(&c->ref);
	c->scope = *scope;
	c->sessions = session_table_new(SESSIONS_MAX, SESSION_BYTES);
	c->chains = chain_table_new();
	return c;
}

struct callers *
callers_ref(struct callers *c)
{
	ref_up(&c->ref);
	return c;
}

void
callers_unref(struct callers *c)
{
	if (c == NULL || !ref_down(&c->ref))
		return;
	session_table_free(c->sessions);
	chain_table_free(c->chains);
	free(c);
}

const struct digest *
callers_scope(const struct callers *c)
{
	return &c->scope;
}

struct session_table *
callers_sessions(const struct callers *c)
{
	return c->sessions;
}

struct chain_table *
callers_chains(const struct callers *c)
{
	return c->chains;
}
