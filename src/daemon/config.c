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

/* ( { … }, { … } ): entries are made first, then each is filled in. */
static void
load_entries(const struct load *l, const config_setting_t *s, const char *name)
{
	bool is_listeners = strcmp(name, "listeners") == 0;
	struct config *c = l->config;
	unsigned n, i;

	if (!config_setting_is_list(s)) {
		complain(l, s, name, "wants a list of groups: ( { … } )");
		return;
	}
	n = (unsigned)config_setting_length(s);
	if (is_listeners) {
		c->listeners =
		    arena_alloc(&c->arena, (n + 1) * sizeof(*c->listeners));
		c->n_listeners = n;
	} else {
		c->identities =
		    arena_alloc(&c->arena, (n + 1) * sizeof(*c->identities));
		c->n_identities = n;
	}
	for (i = 0; i < n; i++) {
		if (is_listeners)
			load_listener(l, config_setting_get_elem(s, i), i);
		else
			load_identity(l, config_setting_get_elem(s, i), i);
	}
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
	} else if (strcmp(name, "listeners") == 0 ||
		   strcmp(name, "identity") == 0) {
		load_entries(l, s, name);
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

static void
complain_at(const struct load *l, const char *option, const char *what)
{
	const struct option_place *at = &l->config->places[option_find(option)];

	problem_add(
	    l->pr, PROBLEM_ERROR, at->file, at->line, option, "%s", what);
}

static bool
is_given(const struct config *c, const char *option)
{
	return c->places[option_find(option)].line > 0;
}

/* What is set by name counts more than what compat implies. */
static void
apply_compat(struct config *c)
{
	if (!c->is_kuma2)
		return;
	if (!is_given(c, "verify_without_ca"))
		c->verifies_none_without_ca = true;
	if (!is_given(c, "mes_without_rule"))
		c->mes_without_rule_allows = true;
}

static void
warn_weak(
    const struct load *l, bool is_weak, const char *option, const char *what)
{
	const struct config *c = l->config;
	const char *at = is_given(c, option) ? option : "compat";
	const struct option_place *place = &c->places[option_find(at)];

	if (is_weak)
		problem_add(l->pr, PROBLEM_WARNING, place->file, place->line,
		    at, "%s", what);
}

/* An operator who opens a door is told which one. */
static void
warn_of_weakness(const struct load *l)
{
	const struct config *c = l->config;

	warn_weak(l, c->verifies_none_without_ca, "verify_without_ca",
	    "servers of services without caCert are not verified at all");
	warn_weak(l, c->mes_without_rule_allows, "mes_without_rule",
	    "a MeshExternalService without a rule is open to every caller of "
	    "its mesh");
	warn_weak(l, c->is_kuma2, "compat",
	    "verification modes of MeshExternalService have Kuma's literal "
	    "meaning: some verify less than they say");
	warn_weak(l, c->keeps_revoked, "on_revoke",
	    "open connections outlive the permission that they were made "
	    "with");
	warn_weak(l, !c->has_sandbox, "sandbox",
	    "the process keeps every system call");
}

static void
check_listeners(const struct load *l)
{
	const struct config *c = l->config;
	size_t i, j;

	for (i = 0; i < c->n_listeners; i++)
		for (j = 0; j < i; j++)
			if (c->listeners[i].port != 0 &&
			    addr_eq(
				&c->listeners[i].addr, &c->listeners[j].addr))
				problem_add(l->pr, PROBLEM_ERROR, c->path, 0,
				    "listeners", "two of them are %s port %u",
				    c->listeners[i].address,
				    c->listeners[i].port);
}

static void
check_identities(const struct load *l)
{
	const struct config *c = l->config;
	const struct config_identity *a;
	size_t i, j;

	for (i = 0; i < c->n_identities; i++) {
		a = &c->identities[i];
		for (j = 0; j < i; j++)
			if (strcmp(a->mesh, c->identities[j].mesh) == 0)
				problem_add(l->pr, PROBLEM_ERROR, a->file,
				    a->line, "identity.mesh",
				    "mesh %s has two identities", a->mesh);
	}
}

/* An address, with or without a port. */
static bool
is_server(struct str s)
{
	struct addr a;
	uint64_t port;
	size_t n = s.len;

	if (addr_parse(s, 0, &a))
		return true;
	while (n > 0 && s.p[n - 1] != ':')
		n--;
	return n > 0 && addr_parse(str_first(s, n - 1), 0, &a) &&
	       str_to_u64(str_from(s, n), UINT16_MAX, &port) && port > 0;
}

/* The resolver's library passes over what it does not understand. */
static void
check_servers(const struct load *l)
{
	const struct option_texts *v = &l->config->dns_servers;
	const struct option_place *at =
	    &l->config->places[option_find("dns.servers")];
	size_t i;

	for (i = 0; i < v->n; i++)
		if (!is_server(str_of(v->v[i])))
			problem_add(l->pr, PROBLEM_ERROR, at->file, at->line,
			    "dns.servers",
			    "\"%s\" is no address; one is \"10.0.0.53\" or "
			    "\"[fd00::53]:5353\"",
			    v->v[i]);
}

static void
check_together(const struct load *l)
{
	const struct config *c = l->config;
	struct addr a;

	if (c->admin_address[0] != '\0' &&
	    !addr_parse(str_of(c->admin_address), (uint16_t)c->admin_port, &a))
		complain_at(l, "admin.address", "wants an IP address, or \"\"");
	if (c->dns.min_ttl_s > c->dns.max_ttl_s)
		complain_at(l, "dns.min_ttl_s", "is more than dns.max_ttl_s");
	if (!c->dns.ipv4 && !c->dns.ipv6)
		complain_at(l, "dns.ipv4", "no address family is left");
	check_servers(l);
	check_listeners(l);
	check_identities(l);
	warn_of_weakness(l);
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
		check_together(&l);
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
		.serve_mixed_endpoints = !c->refuses_mixed_endpoints,
		.modes_as_kuma2 = c->is_kuma2,
		.relays_only = has_only_ingresses(c),
		.secrets_dir = c->secrets[0] != '\0' ? c->secrets : NULL,
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
