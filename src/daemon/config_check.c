/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See config_check.h.  Each value by itself was checked when it was read, in
 * config_option.c.
 */

#include "daemon/config_check.h"

#include <string.h>

#include "base/problem.h"
#include "daemon/config.h"
#include "daemon/config_services.h"
#include "net/name_servers.h"
#include "policy/mesh_log.h"
#include "tls/kernel_tls.h"
#include "tls/tls_records.h"

static void
complain_at(const struct config *c, struct problems *pr, const char *option,
    const char *what)
{
	const struct option_place *at = &c->places[option_find(option)];

	problem_add(pr, PROBLEM_ERROR, at->file, at->line, option, "%s", what);
}

static void
warn_weak(const struct config *c, struct problems *pr, bool is_weak,
    const char *option, const char *what)
{
	const char *at = config_has(c, option) ? option : "compat";
	const struct option_place *place = &c->places[option_find(at)];

	if (is_weak)
		problem_add(pr, PROBLEM_WARNING, place->file, place->line, at,
		    "%s", what);
}

/* An operator who opens a door is told which one. */
static void
warn_of_weakness(const struct config *c, struct problems *pr)
{
	warn_weak(c, pr, c->verifies_none_without_ca, "verify_without_ca",
	    "servers of services without caCert are not verified at all");
	warn_weak(c, pr, c->mes_without_rule_allows, "mes_without_rule",
	    "a MeshExternalService without a rule is open to every caller of "
	    "its mesh");
	warn_weak(c, pr, c->is_report_only, "report_only",
	    "NOBODY IS DENIED: what permissions would refuse is only logged "
	    "and counted, and every caller with a certificate of the mesh may "
	    "use every service");
	warn_weak(c, pr, c->is_kuma2, "compat",
	    "verification modes of MeshExternalService have Kuma's literal "
	    "meaning: some verify less than they say");
	warn_weak(c, pr, c->keeps_revoked, "on_revoke",
	    "open connections outlive the permission that they were made "
	    "with");
	warn_weak(c, pr, !c->has_sandbox, "sandbox",
	    "the process keeps every system call");
}

static void
check_listeners(const struct config *c, struct problems *pr)
{
	size_t i, j;

	for (i = 0; i < c->n_listeners; i++)
		for (j = 0; j < i; j++)
			if (c->listeners[i].port != 0 &&
			    addr_eq(
				&c->listeners[i].addr, &c->listeners[j].addr))
				problem_add(pr, PROBLEM_ERROR, c->path, 0,
				    "listeners", "two of them are %s port %u",
				    c->listeners[i].address,
				    c->listeners[i].port);
}

static void
check_identities(const struct config *c, struct problems *pr)
{
	const struct config_identity *a;
	size_t i, j;

	for (i = 0; i < c->n_identities; i++) {
		a = &c->identities[i];
		for (j = 0; j < i; j++)
			if (strcmp(a->mesh, c->identities[j].mesh) == 0)
				problem_add(pr, PROBLEM_ERROR, a->file, a->line,
				    "identity.mesh",
				    "mesh %s has two identities", a->mesh);
	}
}

/* The resolver's library passes over what it does not understand. */
static void
check_servers(const struct config *c, struct problems *pr)
{
	const struct option_texts *v = &c->dns_servers;
	const struct option_place *at = &c->places[option_find("dns.servers")];
	size_t i;

	if (v->n > NAME_SERVERS_MOST)
		problem_add(pr, PROBLEM_ERROR, at->file, at->line,
		    "dns.servers", "are %zu; at most %d are used", v->n,
		    NAME_SERVERS_MOST);
	for (i = 0; i < v->n; i++)
		if (!name_server_is_valid(str_of(v->v[i])))
			problem_add(pr, PROBLEM_ERROR, at->file, at->line,
			    "dns.servers",
			    "\"%s\" is no address; one is \"10.0.0.53\" or "
			    "\"[fd00::53]:5353\"",
			    v->v[i]);
}

void
config_check_host(
    const struct config *c, enum problem_level level, struct problems *pr)
{
	const struct option_place *at = &c->places[option_find("tls_records")];
	struct text why = TEXT_EMPTY;

	if (c->tls_records == TLS_RECORDS_KERNEL && !kernel_tls_is_there(&why))
		problem_add(pr, level, at->file, at->line, "tls_records",
		    "\"kernel\" cannot be had: %s; \"own\" does without",
		    why.p);
	text_free(&why);
}

static bool
lies_in(const char *inner, const char *outer)
{
	size_t n = strlen(outer);

	while (n > 1 && outer[n - 1] == '/')
		n--;
	return n > 0 && strncmp(inner, outer, n) == 0 &&
	       (n == 1 || inner[n] == '/' || inner[n] == '\0');
}

/* Whoever writes policies chooses the names of files there. */
static void
check_mesh_logs(const struct config *c, struct problems *pr)
{
	const char *folder = c->mesh_log_folder;
	const char *const others[] = { c->resources, c->secrets, c->state,
		c->access_log, c->path };
	size_t i;

	if (folder[0] == '\0')
		return;
	if (folder[0] != '/')
		complain_at(c, pr, "mesh_access_log",
		    "wants the absolute path of a directory");
	for (i = 0; i < ARRAY_LEN(others); i++)
		if (others[i][0] == '/' && lies_in(others[i], folder))
			complain_at(c, pr, "mesh_access_log",
			    "holds resources, secrets, state, access_log or "
			    "this file: give MeshAccessLogs a directory of "
			    "their own");
	for (i = 0; i < 3; i++)
		if (others[i][0] == '/' && lies_in(folder, others[i]))
			complain_at(c, pr, "mesh_access_log",
			    "lies in resources, secrets or state: give "
			    "MeshAccessLogs a directory of their own");
}

static void
check_sinks(const struct config *c, struct problems *pr)
{
	const struct option_texts *v = &c->mesh_log_sinks;
	const struct option_place *at =
	    &c->places[option_find("mesh_access_log_sinks")];
	struct str host;
	uint16_t port;
	size_t i;

	if (v->n > MESH_LOG_SINKS_MAX)
		problem_add(pr, PROBLEM_ERROR, at->file, at->line,
		    "mesh_access_log_sinks", "are %zu; at most %d are used",
		    v->n, MESH_LOG_SINKS_MAX);
	for (i = 0; i < v->n; i++)
		if (!mesh_log_sink_parse(str_of(v->v[i]), &host, &port))
			problem_add(pr, PROBLEM_ERROR, at->file, at->line,
			    "mesh_access_log_sinks",
			    "\"%s\" is no \"HOST:PORT\"; one is "
			    "\"logs.example:5000\" or \"[fd00::5]:5000\"",
			    v->v[i]);
}

void
config_check(const struct config *c, struct problems *pr)
{
	struct addr a;

	if (c->admin_address[0] != '\0' &&
	    !addr_parse(str_of(c->admin_address), (uint16_t)c->admin_port, &a))
		complain_at(
		    c, pr, "admin.address", "wants an IP address, or \"\"");
	if (c->dns.min_ttl_s > c->dns.max_ttl_s)
		complain_at(
		    c, pr, "dns.min_ttl_s", "is more than dns.max_ttl_s");
	if (c->http.line_bytes > c->http.head_bytes)
		complain_at(c, pr, "limits.line_bytes",
		    "is more than limits.head_bytes");
	if (!c->expiry_days_are_good)
		complain_at(c, pr, "expiry_warning_days",
		    "wants up to 16 numbers of days, as \"30 7 1\"");
	if (c->is_fips && (c->tls_records == TLS_RECORDS_OWN ||
			      c->tls_records == TLS_RECORDS_KERNEL))
		complain_at(c, pr, "tls_records",
		    "with fips records stay with OpenSSL: take it out, or "
		    "fips");
	if (!c->dns.ipv4 && !c->dns.ipv6)
		complain_at(c, pr, "dns.ipv4", "no address family is left");
	check_servers(c, pr);
	check_mesh_logs(c, pr);
	check_sinks(c, pr);
	check_listeners(c, pr);
	check_identities(c, pr);
	config_check_services(c->services, c->n_services, pr);
	warn_of_weakness(c, pr);
}
