/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A snapshot in words, in one order whatever came first: what zegressctl,
 * /config_dump and the golden tests show.  Keys are never among it, PEM only
 * by digest.  Any thread.
 */

#include "base/clock.h"
#include "policy/authorize.h"
#include "policy/service_option.h"
#include "policy/snapshot.h"
#include "policy/traffic_print.h"

static void
print_digest(struct text *out, const char *what, const struct digest *d)
{
	char hex[17];

	digest_print(d, hex);
	text_addf(out, " %s=%s", what, hex);
}

static const char *
kind_name(enum service_kind kind)
{
	switch (kind) {
	case SERVICE_EXTERNAL:
		return "external";
	case SERVICE_MESH_EXTERNAL:
		return "mesh-external";
	case SERVICE_INTERNAL:
		return "internal";
	}
	return "?";
}

static const char *
version_name(uint16_t version)
{
	switch (version) {
	case 0x0301:
		return "1.0";
	case 0x0302:
		return "1.1";
	case 0x0303:
		return "1.2";
	case 0x0304:
		return "1.3";
	default:
		return "?";
	}
}

static void
print_name(struct text *out, const struct tls_name *name)
{
	switch (name->match) {
	case TLS_NAME_EXACT:
		break;
	case TLS_NAME_PREFIX:
		text_add_z(out, "prefix:");
		break;
	case TLS_NAME_SUFFIX:
		text_add_z(out, "suffix:");
		break;
	}
	text_add(out, name->value);
}

static void
print_verification(struct text *out, const struct tls_spec *t)
{
	size_t i;

	if (!t->verify_chain && !t->verify_names)
		text_add_z(out, " verify=nothing");
	if (t->verify_chain && t->use_system_ca)
		text_add_z(out, " ca=system");
	else if (t->verify_chain && t->ca != NULL)
		print_digest(out, "ca", &t->ca->digest);
	else if (t->verify_names)
		text_add_z(out, " ca=any");
	if (!t->verify_names) {
		if (t->verify_chain)
			text_add_z(out, " names=any");
		return;
	}
	for (i = 0; i < t->n_names; i++) {
		text_add_z(out, i == 0 ? " names=" : ",");
		print_name(out, &t->names[i]);
	}
}

/* What is not as usual. */
static void
print_switches(struct text *out, const struct tls_spec *t)
{
	static const char *const choices[TLS_CHOICE_N] = { "ciphers",
		"ciphersuites", "groups", "signatures" };
	enum tls_choice i;
	struct str list;

	if (t->is_weak)
		text_add_z(out, " weak");
	if (t->crl != NULL)
		print_digest(out, t->crl_whole_chain ? "crl-of-chain" : "crl",
		    &t->crl->digest);
	if (t->ocsp != TLS_OCSP_OFF)
		text_addf(out, " ocsp=%s",
		    t->ocsp == TLS_OCSP_CHECK ? "check" : "require");
	for (i = 0; i < TLS_CHOICE_N; i++) {
		list = tls_spec_choice(t, i);
		if (list.len > 0)
			text_addf(out, " %s=%.*s", choices[i], STR_ARG(list));
	}
	if (t->allow_renegotiation)
		text_add_z(out, " renegotiation");
	if (t->no_resumption)
		text_add_z(out, " no-resumption");
}

static void
print_tls(struct text *out, const struct tls_spec *t)
{
	if (t->sni.len > 0)
		text_addf(out, "    tls sni=%.*s", STR_ARG(t->sni));
	else
		text_add_z(out, "    tls no-sni");
	print_verification(out, t);
	if (t->cert != NULL)
		print_digest(out, "client-certificate", &t->cert->digest);
	text_addf(out, " versions=%s-%s", version_name(t->min_version),
	    version_name(t->max_version));
	if (t->alpn.len > 0)
		text_addf(out, " alpn=%.*s", STR_ARG(t->alpn));
	print_switches(out, t);
	text_add_char(out, '\n');
}

static void
print_endpoint(struct text *out, const char *what, const struct endpoint *e)
{
	text_addf(out, "  %s %.*s ", what, STR_ARG(e->key));
	endpoint_print_place(e, out);
	if (e->zone.len > 0)
		text_addf(out, " zone=%.*s", STR_ARG(e->zone));
	text_addf(out, " weight=%u", e->weight);
	if (e->priority > 0)
		text_addf(out, " priority=%u", e->priority);
}

static void
print_origin(struct text *out, struct str origin)
{
	text_addf(out, " (%.*s)\n", STR_ARG(origin));
}

static void
print_local(struct text *out, const struct service_endpoint *se)
{
	print_endpoint(out, "endpoint", se->endpoint);
	text_addf(out, " ruleset=%u", se->ruleset);
	if (se->is_zoned)
		text_add_z(out, " zoned");
	print_origin(out, se->endpoint->origin);
	if (se->endpoint->tls != NULL)
		print_tls(out, se->endpoint->tls);
}

static const char *
effect_name(enum rule_effect effect)
{
	switch (effect) {
	case RULE_ALLOW:
		return "allow";
	case RULE_DENY:
		return "deny";
	case RULE_ALLOW_SHADOW_DENY:
		return "allow-shadow-deny";
	}
	return "?";
}

static void
print_principal(struct text *out, const struct principal *p)
{
	text_add_z(out, "      ");
	principal_print(p, out);
	text_add_char(out, '\n');
}

static void
print_until(struct text *out, int64_t until_s)
{
	char at[CLOCK_TEXT];

	if (until_s == 0)
		return;
	clock_print(until_s * 1000, at);
	text_addf(out, " until=%s", at);
}

static void
print_ruleset(struct text *out, size_t index, const struct ruleset *set)
{
	const struct rule *rule;
	size_t i, j;

	text_addf(out, "  ruleset %zu%s\n", index,
	    set->n_rules == 0 ? ": no rule, denies" : "");
	for (i = 0; i < set->n_rules; i++) {
		rule = &set->rules[i];
		text_addf(out, "    %s%s", effect_name(rule->effect),
		    rule->is_report ? " report-only" : "");
		print_until(out, rule->until_s);
		print_origin(out, rule->origin.text);
		for (j = 0; j < rule->n_principals; j++)
			print_principal(out, &rule->principals[j]);
	}
}

/* Where options come from, each place once, in the order of the options. */
static void
print_sources(struct text *out, const struct service_options *o)
{
	const struct option_source *v = o->sources;
	size_t i, j;

	for (i = 0; i < o->n_sources; i++) {
		for (j = 0; j < i && !str_eq(v[j].place, v[i].place);)
			j++;
		if (j < i)
			continue;
		text_addf(out, "  options of %.*s:", STR_ARG(v[i].place));
		for (j = i; j < o->n_sources; j++)
			if (str_eq(v[j].place, v[i].place))
				text_addf(out, " %s",
				    service_option_rows[v[j].option].name);
		text_add_char(out, '\n');
	}
}

/* Those that are not the default. */
static void
print_options(struct text *out, const struct service_options *o)
{
	const struct service_options *standard = service_options_standard();
	const char *before = "  options:";
	enum service_option i;

	for (i = 0; i < SERVICE_OPTION_N; i++) {
		if (service_option_eq(i, o, standard))
			continue;
		text_addf(out, "%s %s=", before, service_option_rows[i].name);
		service_option_print(i, o, out);
		before = "";
	}
	if (before[0] == '\0')
		text_add_char(out, '\n');
	print_sources(out, o);
}

static void
print_within(const struct service_endpoint *v, size_t n, uint64_t scope,
    const char **before, struct text *out)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if ((scope >> v[i].ruleset & 1) == 0)
			continue;
		text_addf(out, "%s%.*s", *before, STR_ARG(v[i].endpoint->key));
		*before = ", ";
	}
}

/* A name that is not for all endpoints says for which. */
static void
print_sni(const struct service *s, size_t i, struct text *out)
{
	const char *before = " only for ";
	const struct sni_scope *scope;

	text_addf(out, "  sni %.*s", STR_ARG(s->snis[i]));
	scope = s->scopes == NULL ? NULL : &s->scopes[i];
	if (scope != NULL &&
	    (scope->rulesets != mask_below(s->n_rulesets) ||
		scope->relays != mask_below(s->n_relay_sets))) {
		print_within(
		    s->local, s->n_local, scope->rulesets, &before, out);
		print_within(
		    s->remote, s->n_remote, scope->relays, &before, out);
		if (scope->rulesets == 0 && scope->relays == 0)
			text_add_z(out, " for nothing");
	}
	text_add_char(out, '\n');
}

void
service_print(const struct service *s, struct text *out)
{
	size_t i;

	text_addf(out, "service %.*s", STR_ARG(s->key));
	print_origin(out, s->origin);
	text_addf(out, "  kind=%s protocol=%s stats=%.*s%s\n",
	    kind_name(s->kind), protocol_name(s->protocol),
	    STR_ARG(s->stats_name),
	    s->is_locality_aware ? " locality-aware" : "");
	if (s->report != REPORT_OFF)
		text_addf(out, "  %.*s: nobody is denied\n",
		    STR_ARG(report_mode_text(s->report)));
	print_options(out, s->options);
	for (i = 0; i < s->n_snis; i++)
		print_sni(s, i, out);
	for (i = 0; i < s->n_local; i++)
		print_local(out, &s->local[i]);
	for (i = 0; i < s->n_remote; i++) {
		print_endpoint(out, "relay", s->remote[i].endpoint);
		print_origin(out, s->remote[i].endpoint->origin);
	}
	if (s->n_local + s->n_remote + s->unreachable_zone.len == 0)
		text_add_z(out, "  no endpoint\n");
	if (s->unreachable_zone.len > 0)
		text_addf(out, "  unreachable zone %.*s\n",
		    STR_ARG(s->unreachable_zone));
	for (i = 0; i < s->n_rulesets; i++)
		print_ruleset(out, i, &s->rulesets[i]);
	traffic_print(s->traffic, out);
	mesh_logs_print(s->logs, s->n_logs, out);
}

static void
print_mesh(struct text *out, const struct mesh_spec *m)
{
	text_addf(out, "mesh %s (%s)\n ", m->mesh, m->origin);
	print_digest(out, "client-ca", &m->ca->digest);
	if (m->cert != NULL)
		print_digest(
		    out, "identity=given certificate", &m->cert->digest);
	else if (m->ca_cert != NULL)
		print_digest(
		    out, "identity=minted issuer", &m->ca_cert->digest);
	if (m->cert == NULL)
		text_addf(
		    out, " life=%llus", (unsigned long long)m->leaf_life_s);
	text_add_char(out, '\n');
}

void
snapshot_print(const struct snapshot *s, struct text *out)
{
	struct mesh_spec *const *meshes;
	struct service *const *services;
	const struct str *hosts;
	size_t i, n;

	meshes = snapshot_meshes(s, &n);
	for (i = 0; i < n; i++)
		print_mesh(out, meshes[i]);
	hosts = snapshot_ingress_hosts(s, &n);
	for (i = 0; i < n; i++)
		text_addf(
		    out, "ingress of this zone %.*s\n", STR_ARG(hosts[i]));
	if (snapshot_zone_egresses(s) != NULL)
		service_print(snapshot_zone_egresses(s), out);
	services = snapshot_services(s, &n);
	for (i = 0; i < n; i++)
		service_print(services[i], out);
}
