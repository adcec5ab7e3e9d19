/* SPDX-License-Identifier: Apache-2.0 */
/* See revoked.h. */

#include "conn/revoked.h"

#include <inttypes.h>
#include <stdlib.h>

void
revoked_free(struct revoked *r)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		free(r->v[i].service);
		free(r->v[i].rule);
	}
	*r = (struct revoked){ .n = 0 };
}

/* NULL: there is no room for one more. */
static struct revoked_row *
get_row(struct revoked *r, struct str service, struct str rule)
{
	struct revoked_row *row;
	size_t i;

	for (i = 0; i < r->n; i++)
		if (str_eq(str_of(r->v[i].service), service) &&
		    str_eq(str_of(r->v[i].rule), rule))
			return &r->v[i];
	if (r->n == REVOKED_ROWS)
		return NULL;
	row = &r->v[r->n++];
	row->service = str_dup(service);
	row->rule = str_dup(rule);
	return row;
}

void
revoked_add(struct revoked *r, struct str service, struct str rule,
    uint64_t connections, uint64_t requests)
{
	struct revoked_row *row = get_row(r, service, rule);

	r->connections += connections;
	r->requests += requests;
	if (row == NULL)
		return;
	row->connections += connections;
	row->requests += requests;
}

void
revoked_merge(struct revoked *to, const struct revoked *from)
{
	uint64_t connections = from->connections, requests = from->requests;
	size_t i;

	for (i = 0; i < from->n; i++) {
		const struct revoked_row *row = &from->v[i];

		revoked_add(to, str_of(row->service), str_of(row->rule),
		    row->connections, row->requests);
		connections -= row->connections;
		requests -= row->requests;
	}
	to->connections += connections;
	to->requests += requests;
}

bool
revoked_is_empty(const struct revoked *r)
{
	return r->connections + r->requests == 0;
}

static void
print_counts(uint64_t connections, uint64_t requests, struct text *out)
{
	text_addf(out, "%" PRIu64 " connections, %" PRIu64 " requests",
	    connections, requests);
}

void
revoked_print(
    const struct revoked *r, size_t rows, const char *before, struct text *out)
{
	uint64_t connections = r->connections, requests = r->requests;
	size_t i;

	print_counts(connections, requests, out);
	for (i = 0; i < r->n && i < rows; i++) {
		const struct revoked_row *row = &r->v[i];

		text_add_z(out, before);
		print_counts(row->connections, row->requests, out);
		text_addf(out, " of %s: %s", row->service, row->rule);
		connections -= row->connections;
		requests -= row->requests;
	}
	if (connections + requests == 0)
		return;
	text_add_z(out, before);
	print_counts(connections, requests, out);
	text_add_z(out, " of others");
}
