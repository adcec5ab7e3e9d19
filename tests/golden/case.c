/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a golden case and printing what it leads to; see case.h. */

#include "case.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "daemon/config.h"

static struct str
last_word(struct str s)
{
	size_t i;

	s = str_trim(s);
	for (i = s.len; i > 0 && s.p[i - 1] != ' '; i--)
		;
	return str_from(s, i);
}

static bool
is_bad(struct str pem)
{
	for (; pem.len >= 3; pem = str_from(pem, 1))
		if (str_starts(pem, STR("bad")))
			return true;
	return pem.len == 0;
}

static bool
check_ca(struct str pem, struct text *why)
{
	if (!is_bad(pem))
		return true;
	text_add_z(why, "no certificate in it");
	return false;
}

static bool
check_pair(struct str cert, struct str key, struct text *why)
{
	if (str_eq(last_word(cert), last_word(key)))
		return true;
	text_add_z(why, "the key is another one's");
	return false;
}

static const char *
system_ca(void)
{
	return "/etc/ssl/certs/ca-certificates.crt";
}

static const char *
no_system_ca(void)
{
	return NULL;
}

const struct tls_ops case_tls = {
	.check_ca = check_ca,
	.check_pair = check_pair,
	.system_ca = system_ca,
};

const struct tls_ops case_tls_without_system = {
	.check_ca = check_ca,
	.check_pair = check_pair,
	.system_ca = no_system_ca,
};

bool
read_whole(const char *path, struct text *out)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	if (f == NULL)
		return false;
	do {
		n = fread(text_reserve(out, 4096), 1, 4096, f);
		out->len += n;
	} while (n > 0);
	text_reserve(out, 0);
	fclose(f);
	return true;
}

static void
read_setting(struct case_settings *c, struct str key, struct str value)
{
	if (str_eq(key, STR("zone")))
		c->set.zone = value;
	else if (str_eq(key, STR("verify_without_ca")))
		c->set.verify_without_ca = str_eq(value, STR("system"));
	else if (str_eq(key, STR("mes_without_rule")))
		c->set.mes_without_rule_allows = str_eq(value, STR("allow"));
	else if (str_eq(key, STR("mixed_endpoints")))
		c->set.serve_mixed_endpoints = str_eq(value, STR("serve"));
	else if (str_eq(key, STR("modes")))
		c->set.modes_as_kuma2 = str_eq(value, STR("kuma-2"));
	else if (str_eq(key, STR("relays_only")))
		c->set.relays_only = str_eq(value, STR("true"));
	else if (str_eq(key, STR("system_ca")))
		c->tls = &case_tls_without_system;
	else if (str_eq(key, STR("secrets")))
		c->set.secrets_dir = value.p;
	else if (str_eq(key, STR("identity.mesh")))
		c->identity.mesh = value.p;
	else if (str_eq(key, STR("identity.cert")))
		c->identity.cert_pem = value;
	else if (str_eq(key, STR("identity.key")))
		c->identity.key_pem = value;
	else if (str_eq(key, STR("identity.ca")))
		c->identity.ca_pem = value;
	else
		abort();
}

void
case_settings_read(const char *path, struct case_settings *out)
{
	struct text t = TEXT_EMPTY;
	struct str rest, line, key;
	char *at;

	*out = (struct case_settings){ .tls = &case_tls };
	out->set.verify_without_ca = true;
	out->set.serve_mixed_endpoints = true;
	if (!read_whole(path, &t))
		abort();
	out->text = text_take(&t);
	rest = str_of(out->text);
	/* Values are terminated where they stand, since some are C strings. */
	for (at = out->text; *at != '\0'; at++)
		if (*at == '\n')
			*at = '\0';
	while (rest.len > 0) {
		line = str_of(rest.p);
		rest = str_from(rest, line.len + 1);
		key = str_cut(&line, '=');
		if (key.len > 0)
			read_setting(out, key, line);
	}
	out->set.identities = &out->identity;
	out->set.n_identities = out->identity.mesh != NULL;
}

void
case_services_read(
    const char *dir, struct case_settings *c, struct problems *pr)
{
	char *path = xasprintf("%s/zegressd.conf", dir);
	struct build_settings all;

	if (access(path, F_OK) == 0) {
		config_free(c->config);
		c->config = config_load(path, pr);
		if (c->config == NULL)
			abort();
		config_build_settings(c->config, &all);
		c->set.services = all.services;
		c->set.n_services = all.n_services;
	}
	free(path);
}

void
case_settings_free(struct case_settings *c)
{
	config_free(c->config);
	free(c->text);
}

static int
is_yaml(const struct dirent *e)
{
	return str_ends(str_of(e->d_name), STR(".yaml"));
}

bool
case_load(struct store *st, const char *dir)
{
	struct text bytes = TEXT_EMPTY;
	struct dirent **v;
	char *path;
	int i, n;

	n = scandir(dir, &v, is_yaml, alphasort);
	if (n == -1)
		return false;
	for (i = 0; i < n; i++) {
		path = xasprintf("%s/%s", dir, v[i]->d_name);
		text_clear(&bytes);
		if (read_whole(path, &bytes) && bytes.len > 0)
			store_put_file(st, v[i]->d_name, text_str(&bytes));
		else
			store_drop_file(st, v[i]->d_name);
		free(path);
		free(v[i]);
	}
	free(v);
	text_free(&bytes);
	(void)store_commit(st);
	return true;
}

static void
print_problems(const struct problems *pr, struct text *out)
{
	size_t i;

	for (i = 0; i < pr->n; i++) {
		problem_print(&pr->v[i], out);
		text_add_char(out, '\n');
	}
}

void
case_print(const struct store *st, const struct problems *pr,
    const struct snapshot *s, struct text *out)
{
	print_problems(store_problems(st), out);
	print_problems(pr, out);
	snapshot_print(s, out);
}
