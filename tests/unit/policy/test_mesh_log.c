/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of MeshAccessLogs, where their files may lie, and who gets them. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/mesh_log.h"
#include "unit/policy/build_yaml.h"

#include "base/arena.h"

/* "literal|OP:most literal|…" */
static char *
parsed(const char *format)
{
	struct text out = TEXT_EMPTY, why = TEXT_EMPTY;
	struct mesh_log_value v = { .n_pieces = 0 };
	struct arena a;

	arena_init(&a, 0);
	if (mesh_log_parse(&a, str_of(format), &v, &why))
		for (size_t i = 0; i < v.n_pieces; i++)
			text_addf(&out, "[%.*s|%d:%u]",
			    STR_ARG(v.pieces[i].literal), (int)v.pieces[i].op,
			    (unsigned)v.pieces[i].most);
	else
		text_addf(&out, "no: %s", why.p);
	arena_fini(&a);
	text_free(&why);
	return text_take(&out);
}

/* As parsed() writes it. */
static const char *
piece(const char *literal, enum mesh_log_op op, unsigned most)
{
	static char v[4][128];
	static unsigned at;
	char *to = v[at++ % 4];

	(void)snprintf(to, 128, "[%s|%d:%u]", literal, (int)op, most);
	return to;
}

Test(mesh_log, one_operator)
{
	static const struct {
		const char *format;
		const char *literal;
		enum mesh_log_op op;
		unsigned most;
	} rows[] = {
		{ "plain", "plain", MESH_LOG_NONE, 0 },
		{ "%START_TIME%", "", MESH_LOG_START_TIME, 0 },
		{ "a %KUMA_MESH%", "a ", MESH_LOG_KUMA_MESH, 0 },
		{ "%REQ(:METHOD)%", "", MESH_LOG_METHOD, 0 },
		{ "%REQ(:authority):8%", "", MESH_LOG_AUTHORITY, 8 },
		{ "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%", "", MESH_LOG_PATH, 0 },
		{ "%REQ(X-Request-Id?X-Other)%", "", MESH_LOG_REQUEST_ID, 0 },
		{ "%REQ(AUTHORIZATION)%", "", MESH_LOG_NOT_KEPT, 0 },
		{ "%REQ()%", "", MESH_LOG_NOT_KEPT, 0 },
		{ "%RESP(:STATUS)%", "", MESH_LOG_RESPONSE_CODE, 0 },
		{ "%RESP(grpc-status)%", "", MESH_LOG_GRPC_STATUS, 0 },
		{ "%RESP(:METHOD)%", "", MESH_LOG_NOT_KEPT, 0 },
		{ "100%%", "100%", MESH_LOG_NONE, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *is = parsed(rows[i].format);

		cr_expect_str_eq(is,
		    piece(rows[i].literal, rows[i].op, rows[i].most), "%s",
		    rows[i].format);
		free(is);
	}
}

Test(mesh_log, several)
{
	char *is = parsed("%BYTES_SENT%%% of %DURATION%ms");
	char want[512];

	(void)snprintf(want, sizeof(want), "%s%s%s%s",
	    piece("", MESH_LOG_BYTES_SENT, 0), piece("%", MESH_LOG_NONE, 0),
	    piece(" of ", MESH_LOG_DURATION, 0), piece("ms", MESH_LOG_NONE, 0));
	cr_expect_str_eq(is, want);
	free(is);
	is = parsed("");
	cr_expect_str_eq(is, "");
	free(is);
}

Test(mesh_log, formats_that_are_refused)
{
	static const struct {
		const char *format;
		const char *why;
	} rows[] = {
		{ "%", "a % without its %" },
		{ "50% of", "a % without its %" },
		{ "%START_TIME", "a % without its %" },
		{ "%START_TIME %", "a % without its %" },
		{ "%REQ(:METHOD%", "a ( without its )" },
		{ "%REQ%", "REQ wants a name in ()" },
		{ "%START_TIME(%s)%", "START_TIME takes nothing in ()" },
		{ "%KUMA_MESH():3%", "KUMA_MESH takes nothing in ()" },
		{ "%REQ(:PATH):x%", "a length behind :" },
		{ "%REQ(:PATH):99999%", "a length behind :" },
		{ "%DYNAMIC_METADATA(a)%",
		    "no operator is named \"DYNAMIC_METADATA\"; there are "
		    "START_TIME, " },
		{ "%start_time%", "a % without its %" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *is = parsed(rows[i].format);

		cr_expect(
		    strncmp(is, "no: ", 4) == 0 &&
			strncmp(is + 4, rows[i].why, strlen(rows[i].why)) == 0,
		    "%s: %s", rows[i].format, is);
		free(is);
	}
}

Test(mesh_log, caps)
{
	char many[4 * MESH_LOG_FORMAT_MAX];
	char *is;

	memset(many, 'x', sizeof(many));
	many[MESH_LOG_FORMAT_MAX] = '\0';
	is = parsed(many);
	cr_expect_eq(is[0], '[');
	free(is);
	many[MESH_LOG_FORMAT_MAX] = 'x';
	many[MESH_LOG_FORMAT_MAX + 1] = '\0';
	is = parsed(many);
	cr_expect_str_eq(is, "no: longer than 4096 bytes");
	free(is);
	many[0] = '\0';
	for (int i = 0; i <= MESH_LOG_PIECES_MAX; i++)
		(void)strcat(many, "%DURATION%");
	is = parsed(many);
	cr_expect_str_eq(is, "no: more than 128 operators");
	free(is);
}

Test(mesh_log, kumas_own_formats_are_read)
{
	char *tcp = parsed(mesh_log_tcp_format);
	char *http = parsed(mesh_log_http_format);

	cr_expect_eq(tcp[0], '[', "%s", tcp);
	cr_expect_eq(http[0], '[', "%s", http);
	free(tcp);
	free(http);
}

Test(mesh_log, paths)
{
	static const struct {
		const char *path;
		const char *folder;
		const char *rest; /* NULL: it does not lie there */
	} rows[] = {
		{ "/logs/a", "/logs", "a" },
		{ "/logs/a", "/logs/", "a" },
		{ "/logs/a/b.log", "/logs", "a/b.log" },
		{ "/a", "/", "a" },
		{ "/logs", "/logs", NULL },
		{ "/logs/", "/logs", NULL },
		{ "/logs/a/", "/logs", NULL },
		{ "/logsother/a", "/logs", NULL },
		{ "/logs//a", "/logs", NULL },
		{ "/logs/./a", "/logs", NULL },
		{ "/logs/../etc/passwd", "/logs", NULL },
		{ "/logs/a/..", "/logs", NULL },
		{ "/logs/a\nb", "/logs", NULL },
		{ "/logs/...", "/logs", "..." },
		{ "/dev/stdout", "/logs", NULL },
		{ "/logs/a", "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str rest;
		bool is = mesh_log_path_is_below(
		    str_of(rows[i].path), str_of(rows[i].folder), &rest);

		cr_expect_eq(is, rows[i].rest != NULL, "%s", rows[i].path);
		if (is && rows[i].rest != NULL)
			cr_expect(str_eq(rest, str_of(rows[i].rest)), "%s",
			    rows[i].path);
	}
}

Test(mesh_log, what_a_sink_is)
{
	static const struct {
		const char *to;
		const char *host; /* NULL: it is none */
		unsigned port;
	} rows[] = {
		{ "logs.example:5000", "logs.example", 5000 },
		{ "192.0.2.1:65535", "192.0.2.1", 65535 },
		{ "[2001:db8::1]:1", "2001:db8::1", 1 },
		{ "logs", NULL, 0 },
		{ "logs:", NULL, 0 },
		{ ":5000", NULL, 0 },
		{ "logs:0", NULL, 0 },
		{ "logs:65536", NULL, 0 },
		{ "2001:db8::1:5000", NULL, 0 },
		{ "tcp://logs:5000", NULL, 0 },
		{ "lo gs:5000", NULL, 0 },
		{ "", NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str host = STR_NONE;
		uint16_t port = 0;
		bool is = mesh_log_sink_parse(str_of(rows[i].to), &host, &port);

		cr_expect_eq(is, rows[i].host != NULL, "%s", rows[i].to);
		if (!is || rows[i].host == NULL)
			continue;
		cr_expect(str_eq(host, str_of(rows[i].host)), "%s", rows[i].to);
		cr_expect_eq(port, rows[i].port, "%s", rows[i].to);
	}
}

#define MAL(name, target, to, backends)                                 \
	"type: MeshAccessLog\nmesh: m\nname: " name                     \
	"\nspec: { targetRef: { " target " }, to: [ { targetRef: { " to \
	" }, default: { backends: [ " backends " ] } } ] }\n---\n"
#define TO_FILE(path, more) "{ type: File, file: { path: " path more " } }"
#define TO_SINK(to) "{ type: Tcp, tcp: { address: '" to "' } }"
#define TO_OTLP(to, more)                                                      \
	"{ type: OpenTelemetry, openTelemetry: { endpoint: '" to "'" more " }" \
	" }"
static const char two_services[] =
    MESH("m", "") ES("m", "api", "api", "192.0.2.1:80", "") MES("m", "pay");

static const char *const sinks[] = { "logs:5000", "[::1]:5001", "otel:4317" };

/* What the services say of logs, "key path;", and then the problems. */
static char *
built(const char *policies, const char *folder)
{
	struct build_settings set = default_settings;
	struct problems pr = { .n = 0 };
	struct store *st = store_new();
	struct text yaml = TEXT_EMPTY, out = TEXT_EMPTY;
	struct service *const *v;
	struct snapshot *s;
	size_t i, j, n;

	set.mesh_log_folder = folder;
	set.mesh_log_sinks = sinks;
	set.n_mesh_log_sinks = ARRAY_LEN(sinks);
	text_addf(&yaml, "%s%s", two_services, policies);
	s = build_in(st, yaml.p, &set, NULL, NULL, &pr);
	v = snapshot_services(s, &n);
	for (i = 0; i < n; i++)
		for (j = 0; j < v[i]->n_logs; j++)
			text_addf(&out, "%.*s %.*s;", STR_ARG(v[i]->name),
			    STR_ARG(v[i]->logs[j].to));
	for (i = 0; i < pr.n; i++)
		if (strstr(pr.v[i].path, "backends") != NULL)
			text_addf(
			    &out, " %s: %s", pr.v[i].path, pr.v[i].message);
	text_add_z(&out, "");
	snapshot_unref(s);
	store_free(st);
	problems_free(&pr);
	text_free(&yaml);
	return text_take(&out);
}

Test(mesh_log, whom_it_is_about)
{
	static const struct {
		const char *what;
		const char *policies;
		const char *want;
	} rows[] = {
		{ "all of the mesh",
		    MAL("a", "kind: Mesh", "kind: Mesh",
			TO_FILE("/logs/a", "")),
		    "api /logs/a;pay /logs/a;" },
		{ "by its name",
		    MAL("a", "kind: Mesh", "kind: MeshService, name: api",
			TO_FILE("/logs/a", "")),
		    "api /logs/a;" },
		{ "a MeshExternalService",
		    MAL("a", "kind: Mesh",
			"kind: MeshExternalService, name: pay",
			TO_FILE("/logs/a", "")),
		    "pay /logs/a;" },
		{ "a narrower one goes before",
		    MAL("a", "kind: Mesh", "kind: Mesh", TO_FILE("/logs/a", ""))
			MAL("b", "kind: Mesh", "kind: MeshService, name: api",
			    TO_FILE("/logs/b", "")),
		    "api /logs/b;pay /logs/a;" },
		{ "of callers that share the egress",
		    MAL("a", "kind: MeshSubset, tags: { a: b }", "kind: Mesh",
			TO_FILE("/logs/a", "")),
		    "pay /logs/a;" },
		{ "sinks",
		    MAL("a", "kind: Mesh", "kind: MeshService, name: api",
			TO_SINK("LOGS:5000") ", " TO_SINK("[::1]:5001")),
		    "api LOGS:5000;api [::1]:5001;" },
		{ "a collector, by OTLP's port if none is given",
		    MAL("a", "kind: Mesh", "kind: MeshService, name: api",
			TO_OTLP("otel", "") ", " TO_OTLP(
			    "otel:4317", ", body: { stringValue: a }")),
		    "api otel:4317;api otel:4317;" },
		{ "two files",
		    MAL("a", "kind: Mesh", "kind: MeshService, name: api",
			TO_FILE("/logs/a", "") ", " TO_FILE("/logs/b", "")),
		    "api /logs/a;api /logs/b;" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *is = built(rows[i].policies, "/logs");

		cr_expect_str_eq(is, rows[i].want, "%s", rows[i].what);
		free(is);
	}
}

Test(mesh_log, what_is_not_written)
{
	static const struct {
		const char *backend;
		const char *folder;
		const char *said;
	} rows[] = {
		{ TO_FILE("/logs/a", ""), NULL,
		    "backends[0].file.path: takes no effect here: "
		    "mesh_access_log in zegressd.conf names no directory" },
		{ TO_FILE("/dev/stdout", ""), "/logs",
		    "backends[0].file.path: takes no effect here: files may "
		    "only be written below /logs" },
		{ TO_FILE("/logs/../etc/x", ""), "/logs",
		    "files may only be written below /logs" },
		{ TO_SINK("logs:5001"), "/logs",
		    "backends[0].tcp.address: takes no effect here: "
		    "mesh_access_log_sinks in zegressd.conf does not name it" },
		{ "{ type: Tcp, tcp: { address: 'logs:5000', format: { "
		  "type: Plain, plain: '%' } } }",
		    NULL, "backends[0].tcp.format.plain: a % without its %" },
		{ TO_OTLP("a", ""), "/logs",
		    "backends[0].openTelemetry.endpoint: takes no effect here: "
		    "mesh_access_log_sinks in zegressd.conf does not name it" },
		{ "{ type: OpenTelemetry, openTelemetry: { backendRef: { "
		  "kind: MeshOpenTelemetryBackend, name: a } } }",
		    "/logs",
		    "backends[0].openTelemetry.backendRef: takes no effect" },
		{ TO_OTLP("otel", ", body: { intValue: 1 }"), "/logs",
		    "backends[0].openTelemetry.body: takes no effect here: "
		    "only text, stringValue, and kvlistValue" },
		{ TO_OTLP("otel", ", body: { kvlistValue: { values: [ { key: "
				  "a, value: { intValue: 1 } } ] } }"),
		    "/logs", "backends[0].openTelemetry.body: takes no" },
		{ TO_OTLP("otel", ", attributes: [ { key: a, value: '%A%' } ]"),
		    "/logs",
		    "backends[0].openTelemetry.attributes[0].value: no "
		    "operator is named \"A\"" },
		{ TO_OTLP("otel", ", body: { kvlistValue: { values: [ { key: "
				  "a, value: { stringValue: '%' } } ] } }"),
		    "/logs",
		    "backends[0].openTelemetry.body.kvlistValue.values[0]."
		    "value: a % without its %" },
		{ TO_OTLP("otel", ", body: { stringValue: '%' }"), "/logs",
		    "backends[0].openTelemetry.body: a % without its %" },
		{ TO_OTLP("otel", ", body: '%'"), "/logs",
		    "backends[0].openTelemetry.body: a % without its %" },
		{ TO_FILE("/logs/a",
		      ", format: { type: Plain, plain: '%NO_SUCH%' }"),
		    "/logs",
		    "backends[0].file.format.plain: no operator is named "
		    "\"NO_SUCH\"; there are START_TIME" },
		{ TO_FILE("/logs/a",
		      ", format: { type: Json, json: [ { key: a, value: "
		      "'%START_TIME%' }, { key: b, value: '5%' } ] }"),
		    "/logs",
		    "backends[0].file.format.json[1].value: a % without" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text policy = TEXT_EMPTY;
		char *is;

		text_addf(&policy, MAL("a", "kind: Mesh", "kind: Mesh", "%s"),
		    rows[i].backend);
		is = built(policy.p, rows[i].folder);
		cr_expect_eq(is[0], ' ', "%s", is);
		cr_expect(strstr(is, rows[i].said) != NULL, "not \"%s\": %s",
		    rows[i].said, is);
		/* Said once, though two services are concerned. */
		cr_expect(
		    strstr(is, "backends") == strrchr(is, '[') ||
			strstr(strstr(is, "backends") + 1, "spec.to") == NULL,
		    "%s", is);
		free(is);
		text_free(&policy);
	}
}

/* Some of it is always "-", and that is told; the rest is written. */
Test(mesh_log, what_is_not_kept)
{
	char *is =
	    built(MAL("a", "kind: Mesh", "kind: MeshService, name: api",
		      TO_FILE("/logs/a", ", format: { type: Plain, plain: "
					 "'%REQ(AUTHORIZATION)%' }")),
		"/logs");

	cr_expect(strncmp(is, "api /logs/a;", 12) == 0, "%s", is);
	cr_expect(strstr(is, "always \"-\" for some") != NULL, "%s", is);
	free(is);
}

/* Each field is short enough, all of them are not. */
Test(mesh_log, too_much_json)
{
	struct text fields = TEXT_EMPTY, policy = TEXT_EMPTY;
	char *is;

	for (int i = 0; i < 60; i++)
		text_addf(&fields, "{ key: k%d, value: '%0400d' }, ", i, 0);
	text_addf(&policy, MAL("a", "kind: Mesh", "kind: Mesh", "%s%.*s%s"),
	    "{ type: File, file: { path: /logs/a, format: { type: Json, "
	    "json: [ ",
	    (int)fields.len, fields.p, "] } } }");
	is = built(policy.p, "/logs");
	cr_expect(strstr(is, "file.format.json: more than 64 fields, or more "
			     "than 16384 bytes of them") != NULL,
	    "%s", is);
	cr_expect_eq(is[0], ' ');
	free(is);
	text_free(&fields);
	text_free(&policy);
}
