/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of services about TLS towards the server.  Names of ciphers and the
 * like are asked of the TLS library that will use them.  Files are read in
 * tls_files.c, since they may change; what only a resource can tell is asked in
 * policy/compile_tls_options.c.  Main thread.
 */

#include "daemon/service_reading.h"
#include "policy/tls_name.h"
#include "tls/pem.h"

#define NAME_MOST 253 /* RFC 1035, section 2.3.4 */

/* A server name is a DNS name, never an address (RFC 6066, section 3). */
static bool
is_server_name(struct str s)
{
	struct text dns = TEXT_EMPTY;
	struct tls_name name;
	const char *wants;
	bool is_good;

	text_add_z(&dns, "dns:");
	text_add(&dns, s);
	is_good =
	    tls_name_parse(text_str(&dns), &name, &wants) && s.len <= NAME_MOST;
	text_free(&dns);
	return is_good;
}

static void
check_sni(const struct service_reading *r, struct str sni)
{
	if (!is_server_name(sni))
		service_reading_tell(r, PROBLEM_ERROR, SERVICE_OPTION_TLS_SNI,
		    "wants \"auto\", \"none\" or a DNS name, as "
		    "\"api.example\"");
}

static void
check_names(const struct service_reading *r, const struct service_options *o)
{
	const struct str_list *list = &o->tls_names;
	struct tls_name name;
	const char *wants;
	size_t i;

	for (i = 0; i < list->n; i++)
		if (!tls_name_parse(list->v[i], &name, &wants))
			service_reading_tell(r, PROBLEM_ERROR,
			    SERVICE_OPTION_TLS_NAMES, "%.*s: %s",
			    STR_ARG(list->v[i]), wants);
	if (list->n > 0 && o->tls_verify_names == TLS_OFF)
		service_reading_tell(r, PROBLEM_WARNING,
		    SERVICE_OPTION_TLS_NAMES,
		    "takes no effect, since tls.verify_names is \"off\": take "
		    "one out");
}

/* A path is taken from wherever the daemon starts, so it begins at the root. */
static void
check_path(
    const struct service_reading *r, enum service_option o, struct str path)
{
	if (!str_starts(path, STR("/")))
		service_reading_tell(r, PROBLEM_ERROR, o,
		    "%.*s: wants %san absolute path of a file", STR_ARG(path),
		    o == SERVICE_OPTION_TLS_CA ? "\"auto\", \"system\" or "
					       : "");
}

static void
check_files(const struct service_reading *r, const struct service_options *o)
{
	size_t i;

	if (!str_eq(o->tls_ca, STR("auto")) &&
	    !str_eq(o->tls_ca, STR("system")))
		check_path(r, SERVICE_OPTION_TLS_CA, o->tls_ca);
	for (i = 0; i < o->tls_crl.n; i++)
		check_path(r, SERVICE_OPTION_TLS_CRL, o->tls_crl.v[i]);
}

/* A name behind a "?" may be unknown, but not all of a list. */
static void
check_choice(const struct service_reading *r, enum service_option o,
    enum tls_choice what, const struct str_list *list)
{
	struct text why = TEXT_EMPTY;
	size_t i, known = 0;
	bool may_lack;
	struct str name;

	for (i = 0; i < list->n; i++) {
		name = list->v[i];
		may_lack = str_starts(name, STR("?"));
		if (may_lack)
			name = str_from(name, 1);
		text_clear(&why);
		if (pem_ops.check_choice(what, name, &why))
			known++;
		else if (!may_lack || str_index(name, ':') != -1)
			service_reading_tell(r, PROBLEM_ERROR, o,
			    "%.*s; correct it, take it out, or put a \"?\" in "
			    "front to leave it out where it is not known",
			    STR_ARG(text_str(&why)));
	}
	if (list->n > 0 && known == 0)
		service_reading_tell(r, PROBLEM_ERROR, o,
		    "leaves nothing that the TLS library knows");
	text_free(&why);
}

void
config_check_tls(
    const struct service_reading *r, const struct service_options *o)
{
	check_sni(r, o->tls_sni);
	check_names(r, o);
	check_files(r, o);
	check_choice(
	    r, SERVICE_OPTION_TLS_CIPHERS, TLS_CHOICE_CIPHERS, &o->tls_ciphers);
	check_choice(r, SERVICE_OPTION_TLS_CIPHERSUITES,
	    TLS_CHOICE_CIPHERSUITES, &o->tls_ciphersuites);
	check_choice(
	    r, SERVICE_OPTION_TLS_GROUPS, TLS_CHOICE_GROUPS, &o->tls_groups);
	check_choice(r, SERVICE_OPTION_TLS_SIGNATURES, TLS_CHOICE_SIGNATURES,
	    &o->tls_signatures);
}
