/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where PEM comes from: inline, a Secret of the mesh, or a file that a feed
 * keeps as one; or what the configuration names.  Policy opens nothing: what
 * stands in the secrets directory is in the store already, as
 * secrets/MESH/NAME, and files of the configuration were read before.  Main
 * thread.
 */

#include <stdlib.h>

#include "model/secret.h"
#include "policy/compile.h"

static unsigned
line_of(const struct resource *r, const struct data_source *source)
{
	return source->line > 0 ? source->line : r->line;
}

static struct blob *
secret_blob(struct compile *c, struct str mesh, struct str name)
{
	const struct resource *secret =
	    store_find(c->store, KIND_SECRET, mesh, name);

	if (secret == NULL)
		return NULL;
	return share_blob(c->share, secret_of(secret)->data);
}

static struct str
secrets_dir(const struct compile *c)
{
	struct str dir = str_of(c->set->secrets_dir);

	while (str_ends(dir, STR("/")))
		dir.len--;
	return dir;
}

/* The name of the Secret that <secrets>/<mesh>/<name> is, or p NULL. */
static struct str
secret_of_path(const struct compile *c, struct str mesh, struct str path)
{
	struct str dir = secrets_dir(c);

	if (dir.len == 0 || !str_starts(path, dir))
		return STR_NONE;
	path = str_from(path, dir.len);
	if (!str_starts(path, STR("/")))
		return STR_NONE;
	path = str_from(path, 1);
	if (!str_eq(str_cut(&path, '/'), mesh) || path.len == 0 ||
	    str_index(path, '/') != -1)
		return STR_NONE;
	return path;
}

static struct blob *
file_blob(struct compile *c, const struct resource *r, struct str mesh,
    const struct data_source *source, const char *path,
    enum problem_level level)
{
	struct str name = secret_of_path(c, mesh, source->value);
	struct str dir = secrets_dir(c);
	struct blob *b = NULL;

	if (name.p != NULL)
		b = secret_blob(c, mesh, name);
	if (b != NULL)
		return b;
	if (name.p != NULL)
		problem_add(c->pr, level, r->file, line_of(r, source), path,
		    "file %.*s does not exist: put it there",
		    STR_ARG(source->value));
	else
		problem_add(c->pr, level, r->file, line_of(r, source), path,
		    "file %.*s is not used, only files of mesh %.*s in the "
		    "secrets directory are: move it to %.*s/%.*s/NAME, or give "
		    "it as secret, inline or inlineString",
		    STR_ARG(source->value), STR_ARG(mesh),
		    STR_ARG(dir.len > 0 ? dir : STR("SECRETS")), STR_ARG(mesh));
	return NULL;
}

struct blob *
source_blob(struct compile *c, const struct resource *r, struct str mesh,
    const struct data_source *source, const char *path,
    enum problem_level level)
{
	struct blob *b = NULL;

	switch (source->kind) {
	case SOURCE_NONE:
		problem_add(c->pr, level, r->file, r->line, path,
		    "is missing: give it as secret, inline or inlineString");
		return NULL;
	case SOURCE_INLINE:
		return share_blob(c->share, source->value);
	case SOURCE_SECRET:
		b = secret_blob(c, mesh, source->value);
		if (b == NULL)
			problem_add(c->pr, level, r->file, line_of(r, source),
			    path,
			    "Secret %.*s of mesh %.*s does not exist: add it, "
			    "as a resource or in the secrets directory",
			    STR_ARG(source->value), STR_ARG(mesh));
		return b;
	case SOURCE_FILE:
		return file_blob(c, r, mesh, source, path, level);
	}
	return NULL;
}

int
given_pair_cmp(const struct given_pair *a, const struct given_pair *b)
{
	int order = str_cmp(a->cert, b->cert);

	return order != 0 ? order : str_cmp(a->key, b->key);
}

static int
compare(const void *a, const void *b)
{
	return given_pair_cmp(a, b);
}

bool
given_pair_blobs(struct compile *c, const struct resource *r,
    const struct service_options *o, struct blob **cert, struct blob **key)
{
	const struct given_pair wanted = { .cert = o->tls_cert,
		.key = o->tls_key };
	const struct given_pair *p = NULL;

	if (c->set->n_pairs > 0)
		p = bsearch(&wanted, c->set->pairs, c->set->n_pairs, sizeof(*p),
		    compare);
	if (p == NULL || p->cert_pem.len == 0) {
		problem_add(c->pr, PROBLEM_ERROR, r->file, r->line, "tls",
		    "its client certificate, tls.cert and tls.key of services "
		    "in the configuration, was never usable: mend %.*s and "
		    "%.*s",
		    STR_ARG(o->tls_cert), STR_ARG(o->tls_key));
		return false;
	}
	*cert = share_blob(c->share, p->cert_pem);
	*key = share_blob(c->share, p->key_pem);
	return true;
}
