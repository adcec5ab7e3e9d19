/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text for an operator in front of a terminal: what serves, what does not and
 * why, in the words of the resources.  JSON is config_dump.c's.
 */

#include "admin/status.h"

#include <inttypes.h>

#include "admin/expiry.h"
#include "base/clock.h"
#include "base/problem.h"
#include "model/store.h"
#include "policy/snapshot.h"
#include "tls/identity_store.h"
#include "tls/tls_records.h"

static const char *
phase_text(enum admin_phase p)
{
	switch (p) {
	case PHASE_STARTING:
		return "starting";
	case PHASE_SERVING:
		return "serving";
	case PHASE_DRAINING:
		return "draining";
	}
	return "";
}

static void
print_listeners(const struct admin_state *s, struct text *out)
{
	size_t i;

	for (i = 0; i < s->n_listeners; i++)
		text_addf(out, "listener    %s %s\n", s->listeners[i].name,
		    s->listeners[i].is_ingress ? "ingress" : "egress");
}

static void
print_mesh(const struct tls_mesh_info *m, struct text *out)
{
	char until[CLOCK_TEXT], ca_until[CLOCK_TEXT];

	clock_print(m->not_after_s * 1000, until);
	clock_print(m->ca_not_after_s * 1000, ca_until);
	text_addf(out, "mesh        %.*s as %.*s until %s, CA until %s%s\n",
	    STR_ARG(m->mesh), STR_ARG(m->spiffe), until, ca_until,
	    m->is_minted ? ", minted: can impersonate the mesh" : "");
}

static void
print_meshes(const struct admin_state *s, struct text *out)
{
	struct tls_mesh_info info;
	size_t i;

	for (i = 0; i < tls_identities_count(s->identities); i++) {
		tls_identities_info(s->identities, i, &info);
		print_mesh(&info, out);
	}
}

static void
print_refused(const struct admin_state *s, struct text *out)
{
	const struct refused *r;
	size_t n, i;

	r = store_refused(s->store, &n);
	for (i = 0; i < n; i++)
		text_addf(out, "refused     %s:%u %.*s %.*s%s%.*s, %s\n",
		    r[i].file, r[i].line, STR_ARG(r[i].kind),
		    STR_ARG(r[i].mesh), r[i].mesh.len > 0 ? "/" : "",
		    STR_ARG(r[i].name),
		    r[i].has_last_good ? "its last good version serves"
				       : "nothing serves in its place");
}

/* Kinds that are accepted, and have no effect here. */
static void
print_not_used(const struct admin_state *s, struct text *out)
{
	const char *before = "not used    ";
	size_t n;

	for (unsigned k = 0; k < KIND_N; k++) {
		if (kind_row(k)->use != KIND_NOT_USED)
			continue;
		(void)store_list(s->store, k, &n);
		if (n == 0)
			continue;
		text_addf(out, "%s%s %zu", before, kind_row(k)->name, n);
		before = ", ";
	}
	if (*before == ',')
		text_add_char(out, '\n');
}

void
status_print(const struct admin_state *s, struct text *out)
{
	char at[CLOCK_TEXT];
	size_t n;

	snapshot_services(s->snapshot, &n);
	clock_print(s->reload_ms, at);
	text_addf(out, "state       %s for %" PRIu64 " s, zone %s\n",
	    phase_text(s->phase), s->uptime_s, s->zone);
	print_listeners(s, out);
	text_addf(out, "workers     %zu\n", s->n_workers);
	text_addf(out, "connections %" PRIu64 "\n", s->connections);
	text_addf(out, "revoked     %" PRIu64 " since the start\n", s->revoked);
	text_addf(out, "services    %zu\n", n);
	print_meshes(s, out);
	expiry_print_near(s->expiry, clock_wall_s(), out);
	text_add_z(out, "records     ");
	tls_records_print(out);
	text_add_char(out, '\n');
	text_addf(out, "resources   read %s in %u ms, %" PRIu64 " changes\n",
	    at, s->reload_took_ms, s->reloads);
	if (s->feed_error != NULL)
		text_addf(
		    out, "resources   cannot be read: %s\n", s->feed_error);
	text_addf(out, "refused     %zu%s\n", s->refused,
	    s->refused > 0 ? ": `zegressctl check` says why" : "");
	print_refused(s, out);
	print_not_used(s, out);
}

bool
check_print(const struct admin_state *s, struct text *out)
{
	size_t i;

	for (i = 0; i < s->problems->n; i++) {
		problem_print(&s->problems->v[i], out);
		text_add_char(out, '\n');
	}
	if (s->feed_error != NULL)
		text_addf(out, "%s\n", s->feed_error);
	if (s->refused > 0 || s->feed_error != NULL)
		return false;
	if (s->problems->n == 0)
		text_add_z(out, "nothing is refused\n");
	return true;
}

static void
service_line(const struct service *s, struct text *out)
{
	size_t i;

	text_addf(out, "%.*s %s", STR_ARG(s->key), protocol_name(s->protocol));
	text_addf(out, " local=%zu remote=%zu", s->n_local, s->n_remote);
	if (s->unreachable_zone.len > 0)
		text_addf(
		    out, " no-ingress=%.*s", STR_ARG(s->unreachable_zone));
	for (i = 0; i < s->n_snis; i++)
		text_addf(out, " %.*s", STR_ARG(s->snis[i]));
	text_add_char(out, '\n');
}

bool
services_print(const struct admin_state *s, struct str name, bool is_verbose,
    struct text *out)
{
	struct service *const *v;
	bool is_found = name.len == 0;
	size_t n, i;

	v = snapshot_services(s->snapshot, &n);
	for (i = 0; i < n; i++) {
		if (name.len > 0 && !str_eq(v[i]->name, name) &&
		    !str_eq(v[i]->key, name))
			continue;
		is_found = true;
		if (is_verbose) {
			service_print(v[i], out);
			expiry_print_service(s->expiry, v[i], out);
		} else {
			service_line(v[i], out);
		}
	}
	if (!is_found)
		text_addf(out, "no service %.*s\n", STR_ARG(name));
	return is_found;
}
