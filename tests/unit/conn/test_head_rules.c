/* SPDX-License-Identifier: Apache-2.0 */
/* conn/head_rules.h: what leaves us, in both directions. */

#include "conn/head_rules.h"

#include <criterion/criterion.h>

#define MESH "spiffe://default/"
#define FIELDS 12

struct rig {
	struct head h;
	struct field fields[FIELDS];
	struct service_options options;
	struct identity *identity;
	struct addr from;
	struct arena arena;
	struct head_rules rules;
	char id[REQUEST_ID_TEXT];
};

static void
init_as(struct rig *r, const char *spiffe, const char *from)
{
	struct str uris[] = { STR("kuma://kuma.io/zone/east"), str_of(spiffe) };

	*r = (struct rig){ .options = { .host = HOST_ENDPOINT } };
	head_init(&r->h);
	r->h.fields = r->fields;
	r->h.is_request = true;
	cr_assert_eq(identity_new(STR("default"), uris, ARRAY_LEN(uris), 1,
			 &r->identity),
	    IDENTITY_OK);
	cr_assert(addr_parse(str_of(from), 4711, &r->from));
	arena_init(&r->arena, 0);
	r->rules = (struct head_rules){
		.options = &r->options,
		.version = HTTP_1_1,
		.identity = r->identity,
		.from = &r->from,
		.arena = &r->arena,
	};
}

static void
init(struct rig *r)
{
	init_as(r, MESH "web", "10.1.2.3");
}

static void
fini(struct rig *r)
{
	identity_free(r->identity);
	arena_fini(&r->arena);
}

static void
add(struct rig *r, const char *name, const char *value)
{
	cr_assert_lt(r->h.n_fields, FIELDS);
	r->fields[r->h.n_fields++] =
	    (struct field){ .id = field_id_of(str_of(name)),
		    .name = str_of(name),
		    .value = str_of(value) };
}

static void
print(struct text *out, const struct field *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!f[i].is_removed)
			text_addf(out, "%.*s: %.*s\n", STR_ARG(f[i].name),
			    STR_ARG(f[i].value));
}

/* All that is left, the request id aside. */
static void
expect_left(struct rig *r, const char *want)
{
	struct text got = TEXT_EMPTY;

	head_remove(&r->h, FIELD_X_REQUEST_ID);
	print(&got, r->h.fields, r->h.n_fields);
	print(&got, r->h.added, r->h.n_added);
	cr_expect(str_eq(text_str(&got), str_of(want)), "'%.*s', not '%s'",
	    STR_ARG(text_str(&got)), want);
	text_free(&got);
}

#define PROTO "x-forwarded-proto: https\n"

Test(head_rules, nothing_of_the_mesh_leaves)
{
	struct rig r;

	init(&r);
	add(&r, "Accept", "a");
	add(&r, "X-Kuma-Tags", "&kuma.io/service=web&");
	add(&r, "X-Forwarded-Client-Cert", "URI=spiffe://default/admin");
	add(&r, "x-forwarded-client-cert", "By=x");
	add(&r, "X_Forwarded-Client_Cert", "URI=spiffe://default/admin");
	add(&r, "x_kuma_tags", "&kuma.io/service=web&");
	add(&r, "Connection", "close, x-mine, x-kuma-tags");
	add(&r, "X-Mine", "1");
	add(&r, "TE", "trailers");
	add(&r, "Upgrade", "websocket");
	add(&r, "X-Forwarded-For", "1.1.1.1");
	add(&r, "Via", "1.0 before");
	r.h.wants_close = true;
	r.h.upgrade = STR("websocket");
	r.h.takes_trailers = true;
	cr_expect(head_make_ours(&r.h, r.id, &r.rules));
	expect_left(
	    &r, "Accept: a\nX-Forwarded-For: 1.1.1.1\nVia: 1.0 before\n" PROTO);
	cr_expect_not(r.h.wants_close);
	cr_expect(str_eq(r.h.upgrade, STR("websocket")));
	cr_expect(r.h.takes_trailers);
	fini(&r);
}

Test(head_rules, x_forwarded_proto_stays)
{
	struct rig r;

	init(&r);
	add(&r, "X-Forwarded-Proto", "http");
	(void)head_make_ours(&r.h, r.id, &r.rules);
	expect_left(&r, "X-Forwarded-Proto: http\n");
	fini(&r);
}

static char id_128[129], id_129[130];

static const struct {
	const char *id;
	const char *second;
	bool is_kept;
} ids[] = {
	{ "1", NULL, true },
	{ "0af7651916cd43dd-8448eb211c80319c/\"'{}~!", NULL, true },
	{ id_128, NULL, true },
	{ id_129, NULL, false },
	{ "", NULL, false },
	{ NULL, NULL, false },
	{ "a b", NULL, false },
	{ "a\tb", NULL, false },
	{ "\xc3\xa4", NULL, false },
	{ "1", "1", false },
};

Test(head_rules, which_request_ids_are_kept)
{
	struct rig r;
	bool is_new;

	memset(id_128, 'a', 128);
	memset(id_129, 'a', 129);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		init(&r);
		if (ids[i].id != NULL)
			add(&r, "X-Request-Id", ids[i].id);
		if (ids[i].second != NULL)
			add(&r, "x-request-id", ids[i].second);
		is_new = head_make_ours(&r.h, r.id, &r.rules);
		cr_expect_eq(is_new, !ids[i].is_kept, "%zu", i);
		cr_expect(
		    str_eq(head_get(&r.h, FIELD_X_REQUEST_ID),
			ids[i].is_kept ? str_of(ids[i].id) : str_of(r.id)),
		    "%zu", i);
		if (!ids[i].is_kept)
			cr_expect_eq(strlen(r.id), 36);
		fini(&r);
	}
}

static const struct {
	enum forwarded_for rule;
	const char *from;
	const char *first;
	const char *second;
	const char *want;
} forwarded[] = {
	{ FORWARDED_FOR_KEEP, "10.1.2.3", "1.1.1.1", NULL,
	    "X-Forwarded-For: 1.1.1.1\n" PROTO },
	{ FORWARDED_FOR_KEEP, "10.1.2.3", NULL, NULL, PROTO },
	{ FORWARDED_FOR_APPEND, "10.1.2.3", NULL, NULL,
	    "x-forwarded-for: 10.1.2.3\n" PROTO },
	{ FORWARDED_FOR_APPEND, "10.1.2.3", "1.1.1.1", NULL,
	    "x-forwarded-for: 1.1.1.1, 10.1.2.3\n" PROTO },
	{ FORWARDED_FOR_APPEND, "fd00::1", "1.1.1.1,2.2.2.2", "3.3.3.3",
	    "x-forwarded-for: 1.1.1.1,2.2.2.2, 3.3.3.3, fd00::1\n" PROTO },
	{ FORWARDED_FOR_APPEND, "10.1.2.3", "", "3.3.3.3",
	    "x-forwarded-for: 3.3.3.3, 10.1.2.3\n" PROTO },
	{ FORWARDED_FOR_REMOVE, "10.1.2.3", "1.1.1.1", "2.2.2.2", PROTO },
};

Test(head_rules, x_forwarded_for)
{
	struct rig r;

	for (size_t i = 0; i < ARRAY_LEN(forwarded); i++) {
		init_as(&r, MESH "web", forwarded[i].from);
		r.options.forwarded_for = forwarded[i].rule;
		if (forwarded[i].first != NULL)
			add(&r, "X-Forwarded-For", forwarded[i].first);
		if (forwarded[i].second != NULL)
			add(&r, "x-forwarded-for", forwarded[i].second);
		(void)head_make_ours(&r.h, r.id, &r.rules);
		expect_left(&r, forwarded[i].want);
		fini(&r);
	}
}

static const struct {
	const char *own;
	const char *spiffe;
	const char *want;
} certs[] = {
	{ "", MESH "web", "URI=spiffe://default/web" },
	{ MESH "egress", MESH "web",
	    "By=spiffe://default/egress;URI=spiffe://default/web" },
	{ "", MESH "a;By=b", "URI=\"spiffe://default/a;By=b\"" },
	{ "", MESH "a,URI=b", "URI=\"spiffe://default/a,URI=b\"" },
	{ "", MESH "a\"b\\c", "URI=\"spiffe://default/a\\\"b\\\\c\"" },
};

Test(head_rules, our_client_cert_replaces_the_callers)
{
	struct text want = TEXT_EMPTY;
	struct rig r;

	for (size_t i = 0; i < ARRAY_LEN(certs); i++) {
		init_as(&r, certs[i].spiffe, "10.1.2.3");
		r.options.forwards_client_cert = true;
		r.rules.own_spiffe = str_of(certs[i].own);
		add(&r, "X-Forwarded-Client-Cert", "URI=spiffe://default/root");
		(void)head_make_ours(&r.h, r.id, &r.rules);
		text_clear(&want);
		text_addf(&want, "x-forwarded-client-cert: %s\n" PROTO,
		    certs[i].want);
		expect_left(&r, want.p);
		fini(&r);
	}
	text_free(&want);
}

Test(head_rules, via_is_appended)
{
	struct rig r;

	for (unsigned version = 0; version < 2; version++) {
		init(&r);
		r.options.via = STR("egress");
		r.rules.version = version == 0 ? HTTP_1_1 : HTTP_2;
		add(&r, "Via", "1.0 before");
		(void)head_make_ours(&r.h, r.id, &r.rules);
		expect_left(&r,
		    version == 0 ? "Via: 1.0 before\n" PROTO "via: 1.1 egress\n"
				 : "Via: 1.0 before\n" PROTO "via: 2 egress\n");
		fini(&r);
	}
}

Test(head_rules, answers_go_as_they_came)
{
	struct rig r;

	init(&r);
	r.h.is_request = false;
	add(&r, "Server", "x");
	add(&r, "X-Kuma-Tags", "theirs");
	add(&r, "Connection", "close");
	add(&r, "Keep-Alive", "1");
	r.rules.identity = NULL;
	r.rules.from = NULL;
	head_answer_ours(&r.h, &r.rules);
	expect_left(&r, "Server: x\nX-Kuma-Tags: theirs\n");
	fini(&r);
}

Test(head_rules, via_and_server_of_answers)
{
	struct rig r;

	init(&r);
	r.h.is_request = false;
	r.options.via = STR("egress");
	r.options.server = STR("gate");
	r.rules.version = HTTP_2;
	add(&r, "Server", "x");
	add(&r, "server", "y");
	head_answer_ours(&r.h, &r.rules);
	expect_left(&r, "via: 2 egress\nserver: gate\n");
	fini(&r);
}

Test(head_rules, everything_at_once_fits)
{
	struct rig r;

	init(&r);
	r.options.via = STR("egress");
	r.options.forwards_client_cert = true;
	r.options.forwarded_for = FORWARDED_FOR_APPEND;
	cr_expect(head_make_ours(&r.h, r.id, &r.rules));
	/* Room for an upgrade's two fields. */
	cr_expect_leq(r.h.n_added + 2, HEAD_ADDED_MAX);
	fini(&r);
}

Test(head_rules, methods_that_may_be_sent_twice)
{
	static const struct {
		const char *method;
		bool is_idempotent;
	} methods[] = { { "GET", true }, { "HEAD", true }, { "PUT", true },
		{ "DELETE", true }, { "OPTIONS", true }, { "TRACE", true },
		{ "POST", false }, { "PATCH", false }, { "CONNECT", false },
		{ "get", false }, { "", false } };

	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		cr_expect_eq(method_is_idempotent(str_of(methods[i].method)),
		    methods[i].is_idempotent, "%s", methods[i].method);
}

static const struct {
	const char *challenges;
	bool binds;
} challenges[] = {
	{ "NTLM", true },
	{ "negotiate", true },
	{ "Negotiate YII=", true },
	{ "Basic realm=\"x\", NTLM", true },
	{ "Basic realm=\"x\"", false },
	{ "Bearer ntlm", false },
	{ "", false },
};

Test(head_rules, challenges_that_bind_the_connection)
{
	struct rig r;

	for (size_t i = 0; i < ARRAY_LEN(challenges); i++) {
		init(&r);
		add(&r, "WWW-Authenticate", "Digest realm=a");
		add(&r, "WWW-Authenticate", challenges[i].challenges);
		cr_expect_eq(head_binds_connection(&r.h), challenges[i].binds,
		    "%s", challenges[i].challenges);
		fini(&r);
	}
}
