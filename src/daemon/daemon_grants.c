/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grants as they are asked for over the control socket: who gave what is in the
 * log, whatever comes of it.  Main thread.
 */

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/config.h"
#include "daemon/daemon_state.h"
#include "daemon/grants.h"
#include "daemon/publish.h"
#include "policy/snapshot.h"

/* One mesh has a service of that name: that one is meant. */
static struct str
find_mesh(struct daemon *d, struct str service)
{
	struct service *const *v;
	struct str mesh = STR_NONE;
	size_t n, i;

	v = snapshot_services(publisher_snapshot(d->publisher), &n);
	for (i = 0; i < n; i++) {
		if (!str_eq(v[i]->name, service))
			continue;
		if (mesh.len > 0 && !str_eq(mesh, v[i]->mesh))
			return STR_NONE;
		mesh = v[i]->mesh;
	}
	return mesh;
}

static bool
has_service(struct daemon *d, struct str mesh, struct str service)
{
	struct service *const *v;
	size_t n, i;

	v = snapshot_services(publisher_snapshot(d->publisher), &n);
	for (i = 0; i < n; i++)
		if (str_eq(v[i]->name, service) && str_eq(v[i]->mesh, mesh))
			return true;
	return false;
}

static bool
check(struct daemon *d, const struct grant *g, struct text *why)
{
	if (!grant_check(g, why))
		return false;
	if (g->until_s <= g->given_s)
		text_add_z(why, "that time is over");
	else if (g->until_s - g->given_s > GRANT_LONGEST_S)
		text_add_z(why, "a grant lasts a year at most");
	else if (!has_service(d, g->mesh, g->service))
		text_addf(why, "mesh %.*s has no service %.*s",
		    STR_ARG(g->mesh), STR_ARG(g->service));
	else
		return true;
	return false;
}

static bool
give(struct daemon *d, const struct grant *g, struct text *out)
{
	struct text why = TEXT_EMPTY, what = TEXT_EMPTY;
	struct grant given = *g;
	bool is_good;

	is_good =
	    check(d, g, &why) && grants_add(d->grants, g, &given.id, &why);
	if (is_good) {
		grant_print(&given, &what);
		log_warn("grant",
		    "%.*s may use %.*s of mesh %.*s, beside all permissions "
		    "(%s)",
		    STR_ARG(g->caller), STR_ARG(g->service), STR_ARG(g->mesh),
		    what.p);
		text_addf(out, "%s\n", what.p);
		daemon_publish_grants(d, out);
	} else {
		log_warn(
		    "grant", "uid %" PRIu32 " was refused: %s", g->uid, why.p);
		text_addf(out, "grant: %s\n", why.p);
	}
	text_free(&why);
	text_free(&what);
	return is_good;
}

bool
daemon_grant(void *arg, const struct grant_wish *w, struct text *out)
{
	struct daemon *d = arg;
	struct text caller = TEXT_EMPTY;
	struct grant g = {
		.mesh = w->mesh.len > 0 ? w->mesh : find_mesh(d, w->service),
		.service = w->service,
		.reason = w->reason,
		.given_s = publisher_now_s(d->publisher),
		.uid = w->uid,
	};
	char *mesh;
	bool is_good;

	if (g.mesh.len == 0) {
		text_addf(out,
		    "grant: no mesh, or several, have a service %.*s: say "
		    "--mesh\n",
		    STR_ARG(w->service));
		return false;
	}
	/* The snapshot that it is of goes. */
	mesh = str_dup(g.mesh);
	g.mesh = str_of(mesh);
	g.until_s = w->until_s > 0 ? w->until_s : g.given_s + w->for_s;
	if (str_index(w->caller, '/') == -1)
		text_addf(&caller, "spiffe://%s/", mesh);
	text_add(&caller, w->caller);
	g.caller = text_str(&caller);
	is_good = give(d, &g, out);
	text_free(&caller);
	free(mesh);
	return is_good;
}

bool
daemon_revoke_grant(void *arg, uint64_t id, uint32_t uid, struct text *out)
{
	struct daemon *d = arg;
	struct text why = TEXT_EMPTY;
	bool is_good = grants_remove(d->grants, id, &why);

	log_info("grant", "uid %" PRIu32 " revoked grant %" PRIu64 "%s%s", uid,
	    id, why.len > 0 ? ": " : "", why.len > 0 ? why.p : "");
	if (why.len > 0)
		text_addf(out, "grant: %s\n", why.p);
	if (is_good) {
		text_addf(out, "grant %" PRIu64 " is over\n", id);
		daemon_publish_grants(d, out);
	}
	text_free(&why);
	return is_good;
}

static void
list_grant(const struct grant *g, struct text *out)
{
	text_addf(out, "%.*s to %.*s of mesh %.*s; ", STR_ARG(g->caller),
	    STR_ARG(g->service), STR_ARG(g->mesh));
	grant_print(g, out);
}

/* What is over stays in the file, and is told. */
static void
list_configured(struct daemon *d, const struct config *c, struct text *out)
{
	int64_t now_s = publisher_now_s(d->publisher);
	const struct grant *g;
	size_t i;

	for (i = 0; i < c->n_grants; i++) {
		g = &c->grants[i];
		text_add_z(out, "- ");
		list_grant(g, out);
		if (g->until_s <= now_s)
			text_add_z(out, "; it is over: take it out");
		else if (!has_service(d, g->mesh, g->service))
			text_add_z(out, "; there is no such service");
		text_add_char(out, '\n');
	}
	if (c->n_grants > 0)
		text_add_z(out,
		    "those with - end earlier only by an edit of the file, and "
		    "zegressctl reload\n");
}

void
daemon_list_grants(void *arg, struct text *out)
{
	struct daemon *d = arg;
	const struct config *c = publisher_config(d->publisher);
	const struct grant *v;
	size_t n, i;

	v = grants_list(d->grants, &n);
	for (i = 0; i < n; i++) {
		text_addf(out, "%" PRIu64 " ", v[i].id);
		list_grant(&v[i], out);
		text_add_char(out, '\n');
	}
	list_configured(d, c, out);
	if (n + c->n_grants == 0)
		text_add_z(out, "no grants\n");
}
