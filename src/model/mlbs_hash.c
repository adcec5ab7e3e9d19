/* SPDX-License-Identifier: Apache-2.0 */
/* See mlbs_hash.h. */

#include "model/mlbs_hash.h"

#include "base/arena.h"
#include "model/mesh_load_balancing_strategy.h"
#include "model/outbound_policy.h"

#define HASH(field) offsetof(struct hash_text, field)

/* One hash policy as it is written. */
struct hash_text {
	struct mlbs_hash hash;
	bool has_header;
	bool has_cookie;
	bool has_connection;
	bool has_query;
	bool has_state;
	struct str header;
	struct str cookie;
	struct str path;
	struct policy_value ttl;
	struct str query;
	struct str state;
};

static const struct bind_value hash_types[] = {
	{ "Header", MLBS_HASH_HEADER },
	{ "Cookie", MLBS_HASH_COOKIE },
	{ "Connection", MLBS_HASH_CONNECTION },
	{ "SourceIP", MLBS_HASH_CONNECTION },
	{ "QueryParameter", MLBS_HASH_QUERY },
	{ "FilterState", MLBS_HASH_FILTER_STATE },
	{ NULL, 0 },
};

static const struct bind header_rows[] = {
	{ .key = "name", .type = BIND_STR, .offset = HASH(header) },
	{ .type = BIND_END },
};

static const struct bind cookie_rows[] = {
	{ .key = "name", .type = BIND_STR, .offset = HASH(cookie) },
	{ .key = "ttl",
	    .type = BIND_READ,
	    .offset = HASH(ttl),
	    .read = value_read_time },
	{ .key = "path", .type = BIND_STR, .offset = HASH(path) },
	{ .type = BIND_END },
};

static const struct bind connection_rows[] = {
	{ .key = "sourceIP",
	    .type = BIND_BOOL,
	    .offset = HASH(hash.uses_source) },
	{ .type = BIND_END },
};

static const struct bind query_rows[] = {
	{ .key = "name", .type = BIND_STR, .offset = HASH(query) },
	{ .type = BIND_END },
};

static const struct bind state_rows[] = {
	{ .key = "key", .type = BIND_STR, .offset = HASH(state) },
	{ .type = BIND_END },
};

static const struct bind hash_rows[] = {
	{ .key = "type",
	    .type = BIND_ENUM,
	    .offset = HASH(hash.type),
	    .values = hash_types },
	{ .key = "terminal",
	    .type = BIND_BOOL,
	    .offset = HASH(hash.is_terminal) },
	{ .key = "header",
	    .type = BIND_STRUCT,
	    .sub = header_rows,
	    .has_offset = HASH(has_header) },
	{ .key = "cookie",
	    .type = BIND_STRUCT,
	    .sub = cookie_rows,
	    .has_offset = HASH(has_cookie) },
	{ .key = "connection",
	    .type = BIND_STRUCT,
	    .sub = connection_rows,
	    .has_offset = HASH(has_connection) },
	{ .key = "queryParameter",
	    .type = BIND_STRUCT,
	    .sub = query_rows,
	    .has_offset = HASH(has_query) },
	{ .key = "filterState",
	    .type = BIND_STRUCT,
	    .sub = state_rows,
	    .has_offset = HASH(has_state) },
	{ .type = BIND_END },
};

/* The part that the type wants. */
static const char *
find_name(struct hash_text *t, bool *is_given)
{
	switch (t->hash.type) {
	case MLBS_HASH_HEADER:
		t->hash.name = t->header;
		*is_given = t->has_header;
		return "header";
	case MLBS_HASH_COOKIE:
		t->hash.name = t->cookie;
		t->hash.is_given = t->ttl.is_given;
		t->hash.ttl_ms = t->ttl.number;
		t->hash.path = t->path;
		*is_given = t->has_cookie;
		return "cookie";
	case MLBS_HASH_CONNECTION:
		*is_given = t->has_connection;
		return "connection";
	case MLBS_HASH_QUERY:
		t->hash.name = t->query;
		*is_given = t->has_query;
		return "queryParameter";
	case MLBS_HASH_FILTER_STATE:
		t->hash.name = t->state;
		*is_given = t->has_state;
		return "filterState";
	case MLBS_HASH_UNKNOWN:
		break;
	}
	*is_given = false;
	return "type";
}

static void
read_hash(struct binder *b, const struct node *n, const struct path *at,
    struct mlbs_hash *out)
{
	struct hash_text t = { .has_header = false };
	const char *part;
	bool is_given;

	if (!bind_map(b, hash_rows, n, at, &t))
		return;
	part = find_name(&t, &is_given);
	*out = t.hash;
	if (t.hash.type == MLBS_HASH_UNKNOWN)
		bind_error(
		    b, n->line, PATH_IN(at, "type"), "unrecognized type");
	else if (!is_given)
		bind_error(b, n->line,
		    &(const struct path){ .up = at, .key = str_of(part) },
		    "must be defined");
	if (t.path.len > 0 && !str_starts(t.path, STR("/")))
		bind_error(b, n->line, PATH_IN(PATH_IN(at, "cookie"), "path"),
		    "must be an absolute path");
}

VALUE_READER(mlbs_read_hashes)
{
	struct policy_value *value = field;
	const struct node_entry *e;
	struct mlbs_hash *v;
	size_t i = 0;

	if (!bind_expect(b, n, NODE_LIST, at))
		return;
	v = arena_alloc(b->arena, (n->n + 1) * sizeof(*v));
	for (e = n->first; e != NULL; e = e->next, i++)
		read_hash(b, e->value, PATH_ITEM(at, i), &v[i]);
	value->is_given = true;
	value->list.items = v;
	value->list.n = n->n;
}

static const struct bind_value types[] = {
	{ "RoundRobin", MLBS_ROUND_ROBIN },
	{ "LeastRequest", MLBS_LEAST_REQUEST },
	{ "RingHash", MLBS_RING },
	{ "Random", MLBS_RANDOM },
	{ "Maglev", MLBS_MAGLEV },
	{ NULL, 0 },
};

static void
read_type(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	const struct bind_value *t = types;
	struct policy_value *v = field;

	if (!bind_expect(b, n, NODE_TEXT, at))
		return;
	while (t->name != NULL && !str_eq(n->text, str_of(t->name)))
		t++;
	v->is_given = t->name != NULL;
	v->number = (uint64_t)t->value;
	if (t->name == NULL)
		bind_error(b, n->line, at,
		    "must be one of RoundRobin, LeastRequest, RingHash, "
		    "Random, Maglev");
}

static const struct bind none_rows[] = {
	{ .type = BIND_END },
};

static const struct bind least_rows[] = {
	OUTBOUND_ROW("choiceCount", MLBS_CHOICES, value_read_count),
	OUTBOUND_ROW("activeRequestBias", MLBS_BIAS, value_read_decimal),
	{ .type = BIND_END },
};

static const struct bind ring_rows[] = {
	OUTBOUND_ROW("hashFunction", MLBS_RING_FUNCTION, value_read_text),
	OUTBOUND_ROW("minRingSize", MLBS_RING_LEAST, value_read_count),
	OUTBOUND_ROW("maxRingSize", MLBS_RING_MOST, value_read_count),
	OUTBOUND_ROW("hashPolicies", MLBS_RING_HASH, mlbs_read_hashes),
	{ .type = BIND_END },
};

static const struct bind maglev_rows[] = {
	OUTBOUND_ROW("tableSize", MLBS_TABLE_SIZE, value_read_count),
	OUTBOUND_ROW("hashPolicies", MLBS_MAGLEV_HASH, mlbs_read_hashes),
	{ .type = BIND_END },
};

const struct bind mlbs_balancer_rows[] = {
	OUTBOUND_ROW("type", MLBS_TYPE, read_type),
	{ .key = "roundRobin", .type = BIND_STRUCT, .sub = none_rows },
	{ .key = "random", .type = BIND_STRUCT, .sub = none_rows },
	{ .key = "leastRequest", .type = BIND_STRUCT, .sub = least_rows },
	{ .key = "ringHash", .type = BIND_STRUCT, .sub = ring_rows },
	{ .key = "maglev", .type = BIND_STRUCT, .sub = maglev_rows },
	{ .type = BIND_END },
};
