/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The snapshot as JSON, for programs.  PEM never appears: what it was is told
 * by the first digits of its digest, so that two dumps can be compared and
 * neither is a secret.
 */

#include "admin/config_dump.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/clock.h"
#include "model/store.h"
#include "policy/service_option.h"
#include "policy/snapshot.h"
#include "tls/identity_store.h"

/* Bytes that are no UTF-8 become an empty text: jansson would refuse them. */
static json_t *
text_of(struct str s)
{
	json_t *j = json_stringn(s.p != NULL ? s.p : "", s.len);

	return j != NULL ? j : json_string("");
}

static json_t *
number_of(size_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *
time_of(int64_t wall_ms)
{
	char t[CLOCK_TEXT];

	clock_print(wall_ms, t);
	return json_string(t);
}

static json_t *
blob_of(const struct blob *b)
{
	char digest[17];

	if (b == NULL)
		return json_null();
	digest_print(&b->digest, digest);
	return json_sprintf("sha256:%s…", digest);
}

static const char *
kind_text(enum service_kind k)
{
	switch (k) {
	case SERVICE_EXTERNAL:
		return "ExternalService";
	case SERVICE_MESH_EXTERNAL:
		return "MeshExternalService";
	case SERVICE_INTERNAL:
		return "internal";
	}
	return "";
}

static const char *
effect_text(enum rule_effect e)
{
	switch (e) {
	case RULE_ALLOW:
		return "Allow";
	case RULE_DENY:
		return "Deny";
	case RULE_ALLOW_SHADOW_DENY:
		return "AllowWithShadowDeny";
	}
	return "";
}

static const char *
match_text(enum tls_name_match m)
{
	switch (m) {
	case TLS_NAME_EXACT:
		return "exact";
	case TLS_NAME_PREFIX:
		return "prefix";
	case TLS_NAME_SUFFIX:
		return "suffix";
	}
	return "";
}

static json_t *
names_of(const struct tls_spec *t)
{
	json_t *a = json_array(), *o;
	size_t i;

	for (i = 0; i < t->n_names; i++) {
		o = json_object();
		json_object_set_new(o, match_text(t->names[i].match),
		    text_of(t->names[i].value));
		json_array_append_new(a, o);
	}
	return a;
}

static const char *
ocsp_text(enum tls_ocsp o)
{
	switch (o) {
	case TLS_OCSP_OFF:
		return "off";
	case TLS_OCSP_CHECK:
		return "check";
	case TLS_OCSP_REQUIRE:
		return "require";
	}
	return "";
}

static void
add_switches(json_t *o, const struct tls_spec *t)
{
	static const char *const choices[TLS_CHOICE_N] = { "ciphers",
		"ciphersuites", "groups", "signature_algorithms" };
	enum tls_choice i;

	json_object_set_new(o, "weak", json_boolean(t->is_weak));
	json_object_set_new(o, "resumption", json_boolean(!t->no_resumption));
	json_object_set_new(o, "crl", blob_of(t->crl));
	json_object_set_new(
	    o, "crl_whole_chain", json_boolean(t->crl_whole_chain));
	json_object_set_new(o, "ocsp", json_string(ocsp_text(t->ocsp)));
	for (i = 0; i < TLS_CHOICE_N; i++)
		json_object_set_new(
		    o, choices[i], text_of(tls_spec_choice(t, i)));
}

static json_t *
tls_of(const struct tls_spec *t)
{
	json_t *o;

	if (t == NULL)
		return json_null();
	o = json_object();
	json_object_set_new(o, "sni", text_of(t->sni));
	json_object_set_new(o, "verify_chain", json_boolean(t->verify_chain));
	json_object_set_new(o, "verify_names", json_boolean(t->verify_names));
	json_object_set_new(o, "names", names_of(t));
	json_object_set_new(
	    o, "ca", t->use_system_ca ? json_string("system") : blob_of(t->ca));
	json_object_set_new(o, "client_cert", blob_of(t->cert));
	json_object_set_new(
	    o, "client_key", json_string(t->key != NULL ? "[masked]" : ""));
	json_object_set_new(
	    o, "min_version", json_sprintf("0x%04x", t->min_version));
	json_object_set_new(
	    o, "max_version", json_sprintf("0x%04x", t->max_version));
	json_object_set_new(
	    o, "allow_renegotiation", json_boolean(t->allow_renegotiation));
	add_switches(o, t);
	return o;
}

static json_t *
endpoints_of(const struct service_endpoint *v, size_t n)
{
	json_t *a = json_array(), *o;
	const struct endpoint *e;
	size_t i;

	for (i = 0; i < n; i++) {
		e = v[i].endpoint;
		o = json_object();
		json_object_set_new(o, "key", text_of(e->key));
		json_object_set_new(o, "origin", text_of(e->origin));
		json_object_set_new(o, "host", text_of(e->host));
		json_object_set_new(o, "port", number_of(e->port));
		json_object_set_new(o, "zone", text_of(e->zone));
		json_object_set_new(o, "weight", number_of(e->weight));
		json_object_set_new(o, "priority", number_of(e->priority));
		json_object_set_new(o, "ruleset", number_of(v[i].ruleset));
		json_object_set_new(o, "tls", tls_of(e->tls));
		json_array_append_new(a, o);
	}
	return a;
}

/* As people write it: "not " before, "*" behind a prefix. */
static json_t *
text_of_test(const struct uri_test *test)
{
	struct uri_test copy = *test;
	struct principal one = { .tests = &copy, .n_tests = 1 };
	struct text t = TEXT_EMPTY;
	json_t *o;

	principal_print(&one, &t);
	o = text_of(text_str(&t));
	text_free(&t);
	return o;
}

static json_t *
principals_of(const struct principal *v, size_t n)
{
	json_t *all = json_array(), *one;
	size_t i, j;

	for (i = 0; i < n; i++) {
		one = json_array();
		for (j = 0; j < v[i].n_tests; j++)
			json_array_append_new(
			    one, text_of_test(&v[i].tests[j]));
		json_array_append_new(all, one);
	}
	return all;
}

static json_t *
rules_of(const struct ruleset *s)
{
	json_t *a = json_array(), *o;
	size_t i;

	for (i = 0; i < s->n_rules; i++) {
		o = json_object();
		json_object_set_new(
		    o, "action", json_string(effect_text(s->rules[i].effect)));
		json_object_set_new(
		    o, "origin", text_of(s->rules[i].origin.text));
		if (s->rules[i].is_report)
			json_object_set_new(o, "report", json_true());
		if (s->rules[i].until_s != 0)
			json_object_set_new(
			    o, "until", time_of(s->rules[i].until_s * 1000));
		json_object_set_new(o, "principals",
		    principals_of(
			s->rules[i].principals, s->rules[i].n_principals));
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *
headers_of(const struct rate_rule *r)
{
	json_t *a = json_array(), *o;
	size_t i;

	for (i = 0; i < r->n_headers; i++) {
		o = json_object();
		json_object_set_new(o, "name", text_of(r->headers[i].name));
		json_object_set_new(o, "value", text_of(r->headers[i].value));
		json_object_set_new(
		    o, "added", json_boolean(r->headers[i].is_added));
		json_array_append_new(a, o);
	}
	return a;
}

static const char *
unit_text(enum rate_of of)
{
	switch (of) {
	case RATE_OF_REQUESTS:
		return "requests";
	case RATE_OF_CONNECTIONS:
		return "connections";
	}
	return "";
}

static json_t *
rate_of(const struct rate_rule *r)
{
	json_t *o = json_object();

	json_object_set_new(o, "of", json_string(unit_text(r->of)));
	json_object_set_new(o, "num", number_of(r->num));
	json_object_set_new(o, "interval_ms", number_of(r->interval_ms));
	if (r->of == RATE_OF_REQUESTS) {
		json_object_set_new(o, "status", number_of(r->status));
		json_object_set_new(o, "headers", headers_of(r));
	}
	json_object_set_new(o, "origin", text_of(r->origin));
	json_object_set_new(
	    o, "principals", principals_of(r->callers, r->n_callers));
	json_object_set_new(o, "except", principals_of(r->except, r->n_except));
	return o;
}

/* Nothing of what the fault does not do. */
static json_t *
fault_of(const struct fault_rule *r)
{
	json_t *o = json_object();

	if (r->abort_status > 0)
		json_object_set_new(o, "abort",
		    json_pack("{s:i,s:f}", "status", (int)r->abort_status,
			"percentage", r->abort_chance / 10000.0));
	if (r->delay_ms > 0)
		json_object_set_new(o, "delay",
		    json_pack("{s:I,s:f}", "ms", (json_int_t)r->delay_ms,
			"percentage", r->delay_chance / 10000.0));
	if (r->bytes_per_s > 0)
		json_object_set_new(o, "bandwidth",
		    json_pack("{s:I,s:f}", "bytes_per_s",
			(json_int_t)r->bytes_per_s, "percentage",
			r->bandwidth_chance / 10000.0));
	json_object_set_new(o, "origin", text_of(r->origin));
	json_object_set_new(
	    o, "principals", principals_of(r->callers, r->n_callers));
	json_object_set_new(o, "except", principals_of(r->except, r->n_except));
	return o;
}

static void
add_traffic(json_t *o, const struct traffic_policy *t)
{
	json_t *rates = json_array(), *faults = json_array();
	size_t i;

	for (i = 0; t != NULL && i < t->n_rates; i++)
		json_array_append_new(rates, rate_of(&t->rates[i]));
	for (i = 0; t != NULL && i < t->n_faults; i++)
		json_array_append_new(faults, fault_of(&t->faults[i]));
	json_object_set_new(o, "rates", rates);
	json_object_set_new(o, "faults", faults);
}

static json_t *
list_of(const struct str_list *list)
{
	json_t *a = json_array();
	size_t i;

	for (i = 0; i < list->n; i++)
		json_array_append_new(a, text_of(list->v[i]));
	return a;
}

static json_t *
option_of(enum service_option i, const struct service_options *o)
{
	switch (service_option_rows[i].type) {
	case SERVICE_VALUE_STR:
		return text_of(*service_option_str(i, o));
	case SERVICE_VALUE_STRS:
		return list_of(service_option_strs(i, o));
	case SERVICE_VALUE_UINT:
		return number_of(*service_option_uint(i, o));
	case SERVICE_VALUE_BOOL:
		return json_boolean(*service_option_bool(i, o));
	case SERVICE_VALUE_ONE_OF:
		return text_of(service_option_word(i, o));
	}
	return json_null();
}

/* As zegressd.conf has them, all that mean something here. */
static json_t *
options_of(const struct service *s)
{
	const bool has_requests = service_has_requests(s);
	const struct service_option_row *r;
	json_t *all = json_object();
	enum service_option i;

	for (i = 0; i < SERVICE_OPTION_N; i++) {
		r = &service_option_rows[i];
		if (has_requests || r->whom != SERVICE_FOR_REQUESTS)
			json_object_set_new(
			    all, r->name, option_of(i, s->options));
	}
	return all;
}

static json_t *
service_of(const struct service *s)
{
	json_t *o = json_object(), *snis = json_array(), *sets = json_array();
	size_t i;

	for (i = 0; i < s->n_snis; i++)
		json_array_append_new(snis, text_of(s->snis[i]));
	for (i = 0; i < s->n_rulesets; i++)
		json_array_append_new(sets, rules_of(&s->rulesets[i]));
	json_object_set_new(o, "key", text_of(s->key));
	json_object_set_new(o, "kind", json_string(kind_text(s->kind)));
	json_object_set_new(o, "mesh", text_of(s->mesh));
	json_object_set_new(o, "name", text_of(s->name));
	json_object_set_new(
	    o, "protocol", json_string(protocol_name(s->protocol)));
	json_object_set_new(o, "origin", text_of(s->origin));
	json_object_set_new(o, "cluster", text_of(s->stats_name));
	json_object_set_new(o, "server_names", snis);
	json_object_set_new(o, "local", endpoints_of(s->local, s->n_local));
	json_object_set_new(o, "remote", endpoints_of(s->remote, s->n_remote));
	json_object_set_new(
	    o, "unreachable_zone", text_of(s->unreachable_zone));
	json_object_set_new(
	    o, "locality_aware", json_boolean(s->is_locality_aware));
	json_object_set_new(o, "rulesets", sets);
	add_traffic(o, s->traffic);
	if (s->n_local > 0)
		json_object_set_new(o, "options", options_of(s));
	return o;
}

static json_t *
services_of(const struct snapshot *s)
{
	json_t *a = json_array();
	struct service *const *v;
	size_t n, i;

	v = snapshot_services(s, &n);
	for (i = 0; i < n; i++)
		json_array_append_new(a, service_of(v[i]));
	return a;
}

static json_t *
meshes_of(const struct tls_identities *t)
{
	json_t *a = json_array(), *o;
	struct tls_mesh_info m;
	size_t i;

	for (i = 0; i < tls_identities_count(t); i++) {
		tls_identities_info(t, i, &m);
		o = json_object();
		json_object_set_new(o, "mesh", text_of(m.mesh));
		json_object_set_new(o, "origin", text_of(m.origin));
		json_object_set_new(o, "identity", text_of(m.spiffe));
		json_object_set_new(o, "minted", json_boolean(m.is_minted));
		json_object_set_new(
		    o, "not_after", time_of(m.not_after_s * 1000));
		json_object_set_new(
		    o, "ca_not_after", time_of(m.ca_not_after_s * 1000));
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *
refused_of(const struct store *st)
{
	json_t *a = json_array(), *o;
	const struct refused *r;
	size_t n, i;

	r = store_refused(st, &n);
	for (i = 0; i < n; i++) {
		o = json_object();
		json_object_set_new(o, "file", text_of(str_of(r[i].file)));
		json_object_set_new(o, "line", number_of(r[i].line));
		json_object_set_new(o, "kind", text_of(r[i].kind));
		json_object_set_new(o, "mesh", text_of(r[i].mesh));
		json_object_set_new(o, "name", text_of(r[i].name));
		json_object_set_new(
		    o, "last_good_serves", json_boolean(r[i].has_last_good));
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *
listeners_of(const struct admin_state *s)
{
	json_t *a = json_array(), *o;
	size_t i;

	for (i = 0; i < s->n_listeners; i++) {
		o = json_object();
		json_object_set_new(
		    o, "address", json_string(s->listeners[i].name));
		json_object_set_new(o, "role",
		    json_string(
			s->listeners[i].is_ingress ? "ingress" : "egress"));
		json_array_append_new(a, o);
	}
	return a;
}

void
config_dump(const struct admin_state *s, struct text *out)
{
	json_t *o = json_object();
	char *bytes;

	json_object_set_new(o, "zone", json_string(s->zone));
	json_object_set_new(o, "listeners", listeners_of(s));
	json_object_set_new(o, "meshes", meshes_of(s->identities));
	json_object_set_new(o, "services", services_of(s->snapshot));
	json_object_set_new(o, "refused", refused_of(s->store));
	bytes = json_dumps(o, JSON_INDENT(1));
	json_decref(o);
	if (bytes == NULL)
		return;
	text_add_z(out, bytes);
	text_add_char(out, '\n');
	free(bytes);
}
