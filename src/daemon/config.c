/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the file to struct config: the settings are walked group by group, each
 * is looked up in the table, and what belongs together is checked at the end.
 * Reading goes on after an error, so that all of them are told at once.  Main
 * thread.
 */

#include "daemon/config.h"

#include <libconfig.h>
#include <stdlib.h>
#include <string.h>

#include "base/problem.h"
#include "base/xalloc.h"
#include "daemon/config_check.h"
#include "daemon/config_grants.h"
#include "daemon/config_services.h"

struct load {
	struct config *config;
	struct problems *pr;
};

static void
complain(const struct load *l, const config_setting_t *s, const char *name,
    const char *what)
{
	problem_add(l->pr, PROBLEM_ERROR, config_setting_source_file(s),
	    config_setting_source_line(s), name, "%s", what);
}

static void
set_defaults(struct config *c, enum option_scope scope, void *base)
{
	size_t i;

	for (i = 0; i < CONFIG_OPTIONS; i++)
		if (option_rows[i].scope == scope)
			option_set_default(&option_rows[i], base, &c->arena);
}

/* Names outlive libconfig's tree. */
static const char *
keep(struct config *c, const char *text)
{
	return arena_strdup(&c->arena, str_of(text));
}

static void
note_place(struct config *c, size_t row, const config_setting_t *s)
{
	const char *file = config_setting_source_file(s);

	c->places[row] = (struct option_place){
		.file = keep(c, file != NULL ? file : c->path),
		.line = config_setting_source_line(s),
	};
}

static void
unknown(const struct load *l, const config_setting_t *s, const char *name)
{
	char *near = option_nearest(name);

	problem_add(l->pr, PROBLEM_ERROR, config_setting_source_file(s),
	    config_setting_source_line(s), name,
	    "there is no such option%s%s%s",
	    near != NULL ? "; did you mean " : "", near != NULL ? near : "",
	    near != NULL ? "?" : "");
	free(near);
}

static void load_group(const struct load *l, const config_setting_t *group,
    const char *prefix, enum option_scope scope, void *base);

static void
load_listener(const struct load *l, const config_setting_t *s, unsigned i)
{
	struct config_listener *to = &l->config->listeners[i];

	set_defaults(l->config, OPTION_IN_LISTENER, to);
	load_group(l, s, "listeners.", OPTION_IN_LISTENER, to);
	if (!addr_parse(str_of(to->address), (uint16_t)to->port, &to->addr))
		complain(
		    l, s, "listeners.address", "wants an IPv4 or IPv6 address");
}

static void
load_identity(const struct load *l, const config_setting_t *s, unsigned i)
{
	struct config_identity *to = &l->config->identities[i];
	const char *file = config_setting_source_file(s);

	set_defaults(l->config, OPTION_IN_IDENTITY, to);
	to->file = keep(l->config, file != NULL ? file : l->config->path);
	to->line = config_setting_source_line(s);
	load_group(l, s, "identity.", OPTION_IN_IDENTITY, to);
	if (to->mesh[0] == '\0' || to->cert[0] == '\0' || to->key[0] == '\0')
		complain(l, s, "identity", "wants mesh, cert and key");
}

static void
load_service(const struct load *l, const config_setting_t *s, unsigned i)
{
	struct config *c = l->config;
	const char *file = config_setting_source_file(s);
	struct service_entry *to = &c->services[i];

	set_defaults(c, OPTION_IN_SERVICE, to);
	to->file = keep(c, file != NULL ? file : c->path);
	to->line = config_setting_source_line(s);
	if (!config_setting_is_group(s)) {
		complain(l, s, "services", "wants a group: { … }");
		return;
	}
	load_group(l, s, "services.", OPTION_IN_SERVICE, to);
	config_service_entry(s, &c->arena, to, l->pr);
}

static void
load_grant(const struct load *l, const config_setting_t *s, unsigned i)
{
	struct config *c = l->config;
	struct config_grant *to = &c->grant_entries[i];
	size_t errors = l->pr->errors;

	set_defaults(c, OPTION_IN_GRANT, to);
	if (!config_setting_is_group(s)) {
		complain(l, s, "grants", "wants a group: { … }");
		return;
	}
	load_group(l, s, "grants.", OPTION_IN_GRANT, to);
	if (l->pr->errors == errors)
		config_grant_entry(s, c->path, &c->arena, to, l->pr);
	c->grants[i] = to->grant;
}

static void
make_listeners(struct config *c, size_t n)
{
	c->listeners = arena_alloc(&c->arena, (n + 1) * sizeof(*c->listeners));
	c->n_listeners = n;
}

static void
make_identities(struct config *c, size_t n)
{
	c->identities =
	    arena_alloc(&c->arena, (n + 1) * sizeof(*c->identities));
	c->n_identities = n;
}

static void
make_services(struct config *c, size_t n)
{
	c->services = arena_alloc(&c->arena, (n + 1) * sizeof(*c->services));
	c->n_services = n;
}

static void
make_grants(struct config *c, size_t n)
{
	c->grant_entries =
	    arena_alloc(&c->arena, (n + 1) * sizeof(*c->grant_entries));
	c->grants = arena_alloc(&c->arena, (n + 1) * sizeof(*c->grants));
	c->n_grants = n;
}

static const struct entry_list {
	const char *name;
	void (*make)(struct config *c, size_t n);
	void (*load)(
	    const struct load *l, const config_setting_t *s, unsigned i);
} entry_lists[] = {
	{ "listeners", make_listeners, load_listener },
	{ "identity", make_identities, load_identity },
	{ "services", make_services, load_service },
	{ "grants", make_grants, load_grant },
};

static const struct entry_list *
find_list(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(entry_lists); i++)
		if (strcmp(entry_lists[i].name, name) == 0)
			return &entry_lists[i];
	return NULL;
}

/* ( { … }, { … } ): entries are made first, then each is filled in. */
static void
load_entries(const struct load *l, const config_setting_t *s,
    const struct entry_list *list)
{
	unsigned n, i;

	if (!config_setting_is_list(s)) {
		complain(l, s, list->name, "wants a list of groups: ( { … } )");
		return;
	}
	n = (unsigned)config_setting_length(s);
	list->make(l->config, n);
	for (i = 0; i < n; i++)
		list->load(l, config_setting_get_elem(s, i), i);
}

static void
load_setting(const struct load *l, const config_setting_t *s, const char *name,
    enum option_scope scope, void *base)
{
	size_t row = option_find(name);
	char *prefix;

	if (row < CONFIG_OPTIONS) {
		if (scope == OPTION_IN_CONFIG)
			note_place(l->config, row, s);
		if (option_set(
			&option_rows[row], base, &l->config->arena, s, l->pr))
			return;
	} else if (!option_is_group(name)) {
		unknown(l, s, name);
	} else if (find_list(name) != NULL) {
		load_entries(l, s, find_list(name));
	} else {
		prefix = xasprintf("%s.", name);
		load_group(l, s, prefix, scope, base);
		free(prefix);
	}
}

static void
load_group(const struct load *l, const config_setting_t *group,
    const char *prefix, enum option_scope scope, void *base)
{
	const config_setting_t *s;
	unsigned n, i;
	char *name;

	if (!config_setting_is_group(group)) {
		name = str_dup(str_first(str_of(prefix), strlen(prefix) - 1));
		complain(l, group, name, "wants a group: { … }");
		free(name);
		return;
	}
	n = (unsigned)config_setting_length(group);
	for (i = 0; i < n; i++) {
		s = config_setting_get_elem(group, i);
		name = xasprintf("%s%s", prefix, config_setting_name(s));
		load_setting(l, s, name, scope, base);
		free(name);
	}
}

bool
config_has(const struct config *c, const char *option)
{
	return c->places[option_find(option)].line > 0;
}

/* What is set by name counts more than what compat implies. */
static void
apply_compat(struct config *c)
{
	if (!c->is_kuma2)
		return;
	if (!config_has(c, "verify_without_ca"))
		c->verifies_none_without_ca = true;
	if (!config_has(c, "mes_without_rule"))
		c->mes_without_rule_allows = true;
}

/* What is the same towards callers and servers is one option. */
static void
assemble_h2(struct config *c)
{
	unsigned streams = c->h2_server.streams, ping_ms = c->h2_server.ping_ms;

	c->h2.head_ms = c->conn.head_ms;
	c->h2_server = c->h2;
	c->h2_server.streams = streams;
	c->h2_server.ping_ms = ping_ms;
}

/* The pieces that are made of several options. */
static void
assemble(struct config *c)
{
	struct config_listener *only;

	if (c->n_listeners == 0) {
		only = arena_alloc(&c->arena, sizeof(*only));
		set_defaults(c, OPTION_IN_LISTENER, only);
		c->n_listeners = addr_parse(
		    str_of(only->address), (uint16_t)only->port, &only->addr);
		c->listeners = only;
	}
	c->dns.servers = c->dns_servers.v;
	c->dns.n_servers = c->dns_servers.n;
	c->dns.hosts_file = c->hosts_file[0] != '\0' ? c->hosts_file : NULL;
	c->addr_rules = (struct addr_rules){
		.allow = c->allow.v,
		.n_allow = c->allow.n,
		.deny = c->deny.v,
		.n_deny = c->deny.n,
	};
	c->expiry_days_are_good =
	    expiry_days_parse(str_of(c->expiry_warning_days), &c->expiry_days);
	assemble_h2(c);
	apply_compat(c);
}

static void
parse_failed(const struct load *l, const config_t *tree)
{
	const char *file = config_error_file(tree);

	if (file == NULL)
		file = l->config->path;
	if (config_error_type(tree) == CONFIG_ERR_FILE_IO)
		problem_add(
		    l->pr, PROBLEM_ERROR, file, 0, NULL, "cannot be read");
	else
		problem_add(l->pr, PROBLEM_ERROR, file,
		    (unsigned)config_error_line(tree), NULL, "%s",
		    config_error_text(tree));
}

/* @include is relative to the file that it stands in. */
static void
set_include_dir(config_t *tree, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir;

	if (slash == NULL)
		return;
	dir = xasprintf("%.*s", (int)(slash - path + 1), path);
	config_set_include_dir(tree, dir);
	free(dir);
}

struct config *
config_load(const char *path, struct problems *pr)
{
	struct config *c = xcalloc(1, sizeof(*c));
	struct load l = { .config = c, .pr = pr };
	size_t errors = pr->errors;
	config_t tree;

	arena_init(&c->arena, 0);
	c->path = keep(c, path);
	set_defaults(c, OPTION_IN_CONFIG, c);
	config_init(&tree);
	set_include_dir(&tree, path);
	if (config_read_file(&tree, path)) {
		load_group(
		    &l, config_root_setting(&tree), "", OPTION_IN_CONFIG, c);
		assemble(c);
		config_check(c, pr);
	} else {
		parse_failed(&l, &tree);
	}
	config_destroy(&tree);
	if (pr->errors == errors)
		return c;
	config_free(c);
	return NULL;
}

void
config_free(struct config *c)
{
	if (c == NULL)
		return;
	arena_fini(&c->arena);
	free(c);
}

static bool
has_only_ingresses(const struct config *c)
{
	size_t i;

	for (i = 0; i < c->n_listeners; i++)
		if (!c->listeners[i].is_ingress)
			return false;
	return c->n_listeners > 0;
}

void
config_build_settings(const struct config *c, struct build_settings *out)
{
	*out = (struct build_settings){
		.zone = str_of(c->zone),
		.verify_without_ca = !c->verifies_none_without_ca,
		.mes_without_rule_allows = c->mes_without_rule_allows,
		.report_only = c->is_report_only,
		.serve_mixed_endpoints = !c->refuses_mixed_endpoints,
		.modes_as_kuma2 = c->is_kuma2,
		.relays_only = has_only_ingresses(c),
		.secrets_dir = c->secrets[0] != '\0' ? c->secrets : NULL,
		.mesh_log_folder =
		    c->mesh_log_folder[0] != '\0' ? c->mesh_log_folder : NULL,
		.mesh_log_sinks = c->mesh_log_sinks.v,
		.n_mesh_log_sinks = c->mesh_log_sinks.n,
		.services = c->services,
		.n_services = c->n_services,
		.grants = c->grants,
		.n_grants = c->n_grants,
	};
}

/* All values of a row, as text. */
static void
print_row(const struct config *c, const struct option_row *r, struct text *out)
{
	size_t i;

	switch (r->scope) {
	case OPTION_IN_CONFIG:
		option_print(r, c, out);
		break;
	case OPTION_IN_LISTENER:
		for (i = 0; i < c->n_listeners; i++)
			option_print(r, &c->listeners[i], out);
		break;
	case OPTION_IN_IDENTITY:
		for (i = 0; i < c->n_identities; i++)
			option_print(r, &c->identities[i], out);
		break;
	case OPTION_IN_SERVICE:
		for (i = 0; i < c->n_services; i++)
			option_print(r, &c->services[i], out);
		break;
	case OPTION_IN_GRANT:
		for (i = 0; i < c->n_grants; i++)
			option_print(r, &c->grant_entries[i], out);
		break;
	}
}

static bool
row_differs(
    const struct option_row *r, const struct config *a, const struct config *b)
{
	struct text x = TEXT_EMPTY, y = TEXT_EMPTY;
	bool differs;

	print_row(a, r, &x);
	print_row(b, r, &y);
	differs = !str_eq(text_str(&x), text_str(&y));
	text_free(&x);
	text_free(&y);
	return differs;
}

void
config_fixed_changes(
    const struct config *a, const struct config *b, struct text *out)
{
	const struct option_row *r;
	size_t i;

	for (i = 0; i < CONFIG_OPTIONS; i++) {
		r = &option_rows[i];
		if (!r->is_reloadable && row_differs(r, a, b))
			text_addf(
			    out, "%s%s", out->len > 0 ? ", " : "", r->name);
	}
}
