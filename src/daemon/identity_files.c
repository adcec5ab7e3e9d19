/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three files an identity.  An operator who renews them replaces one after the
 * other, so a half-done change is met now and then: what does not fit together
 * is reported and the last good pair goes on serving.  Main thread.
 */

#include "daemon/identity_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/problem.h"
#include "base/str.h"
#include "base/xalloc.h"
#include "daemon/config.h"
#include "feed/read_file.h"
#include "tls/pem.h"

#define PEM_MOST_BYTES ((size_t)4 << 20)

struct pems {
	struct text cert;
	struct text key;
	struct text ca;
};

struct held {
	char *mesh;
	struct pems pems;
};

struct identity_files {
	struct held *held; /* as in the configuration */
	size_t n;
	struct given_identity *given;
};

struct identity_files *
identity_files_new(void)
{
	return xcalloc(1, sizeof(struct identity_files));
}

static void
pems_wipe(struct pems *p)
{
	text_wipe(&p->cert);
	text_wipe(&p->key);
	text_wipe(&p->ca);
}

static void
held_free(struct held *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		free(v[i].mesh);
		pems_wipe(&v[i].pems);
	}
	free(v);
}

void
identity_files_free(struct identity_files *f)
{
	if (f == NULL)
		return;
	held_free(f->held, f->n);
	free(f->given);
	free(f);
}

static bool
read_one(const struct config_identity *id, const char *option, const char *path,
    struct text *out, struct problems *pr)
{
	struct text why = TEXT_EMPTY;
	bool is_good = read_file(path, PEM_MOST_BYTES, out, &why) == READ_OK;

	if (!is_good)
		problem_add(pr, PROBLEM_ERROR, id->file, id->line, option,
		    "%s: %s", path, why.p);
	text_free(&why);
	return is_good;
}

static bool
fits(
    const struct config_identity *id, const struct pems *p, struct problems *pr)
{
	struct text why = TEXT_EMPTY;
	bool is_good =
	    pem_ops.check_pair(text_str(&p->cert), text_str(&p->key), &why);

	if (!is_good)
		problem_add(pr, PROBLEM_ERROR, id->file, id->line, "identity",
		    "%s and %s: %s", id->cert, id->key, why.p);
	else if (p->ca.len > 0 && !pem_ops.check_ca(text_str(&p->ca), &why)) {
		is_good = false;
		problem_add(pr, PROBLEM_ERROR, id->file, id->line,
		    "identity.ca", "%s: %s", id->ca, why.p);
	}
	text_free(&why);
	return is_good;
}

static bool
read_pems(const struct config_identity *id, struct pems *p, struct problems *pr)
{
	bool is_good = read_one(id, "identity.cert", id->cert, &p->cert, pr);

	is_good &= read_one(id, "identity.key", id->key, &p->key, pr);
	if (id->ca[0] != '\0')
		is_good &= read_one(id, "identity.ca", id->ca, &p->ca, pr);
	if (is_good && fits(id, p, pr))
		return true;
	pems_wipe(p);
	return false;
}

static struct held *
find(const struct identity_files *f, const char *mesh)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (strcmp(f->held[i].mesh, mesh) == 0)
			return &f->held[i];
	return NULL;
}

static void
give(struct identity_files *f)
{
	size_t i;

	free(f->given);
	f->given = xcalloc(f->n + 1, sizeof(*f->given));
	for (i = 0; i < f->n; i++)
		f->given[i] = (struct given_identity){
			.mesh = f->held[i].mesh,
			.cert_pem = text_str(&f->held[i].pems.cert),
			.key_pem = text_str(&f->held[i].pems.key),
			.ca_pem = text_str(&f->held[i].pems.ca),
		};
}

void
identity_files_read(
    struct identity_files *f, const struct config *c, struct problems *pr)
{
	struct held *held = xcalloc(c->n_identities + 1, sizeof(*held)), *old;
	size_t i;

	for (i = 0; i < c->n_identities; i++) {
		held[i].mesh = xstrdup(c->identities[i].mesh);
		if (read_pems(&c->identities[i], &held[i].pems, pr))
			continue;
		old = find(f, held[i].mesh);
		if (old == NULL)
			continue;
		held[i].pems = old->pems;
		old->pems = (struct pems){ .cert = TEXT_EMPTY };
	}
	held_free(f->held, f->n);
	f->held = held;
	f->n = c->n_identities;
	give(f);
}

const struct given_identity *
identity_files_get(const struct identity_files *f, size_t *n)
{
	*n = f->n;
	return f->given;
}
