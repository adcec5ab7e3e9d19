/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An operator who renews a certificate replaces one file after the other, so a
 * half-done change is met now and then: what does not fit together is reported
 * and the last good pair goes on serving.  Main thread.
 */

#include "daemon/key_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/problem.h"
#include "base/str.h"
#include "base/xalloc.h"
#include "daemon/config.h"
#include "daemon/key_source.h"
#include "feed/read_file.h"
#include "tls/pem.h"
#include "tls/token.h"

#define PEM_MOST_BYTES ((size_t)4 << 20)

enum part { PART_CERT, PART_KEY, PART_CA, PARTS };

struct part_held {
	char *source; /* as in the configuration; NULL: there is none */
	char *path;   /* NULL: it is in no file */
	struct file_look look;
	struct text pem; /* last good one */
};

/*
 * Of an identity, which is its mesh's whatever files it comes from; or of all
 * services that name these two.
 */
struct held {
	char *name;
	const char *mesh; /* of that name; NULL: of services */
	const char *option;
	struct part_held parts[PARTS];
	UT_hash_handle hh; /* by name */
};

struct key_files {
	struct held *held; /* identities first, as in the configuration */
	struct held *by_name;
	size_t n;
	size_t n_identities;
	struct given_identity *identities;
	struct given_pair *pairs;
};

/* One that is being read, with its place. */
struct reading {
	const char *file;
	unsigned line;
	struct held *to;
	struct problems *pr;
};

static const char *const part_names[PARTS] = {
	[PART_CERT] = "cert",
	[PART_KEY] = "key",
	[PART_CA] = "ca",
};

struct key_files *
key_files_new(void)
{
	return xcalloc(1, sizeof(struct key_files));
}

static void
held_fini(struct held *h)
{
	enum part i;

	for (i = 0; i < PARTS; i++) {
		free(h->parts[i].source);
		free(h->parts[i].path);
		text_wipe(&h->parts[i].pem);
	}
	free(h->name);
}

static void
forget(struct key_files *f)
{
	size_t i;

	HASH_CLEAR(hh, f->by_name);
	for (i = 0; i < f->n; i++)
		held_fini(&f->held[i]);
	free(f->held);
}

void
key_files_free(struct key_files *f)
{
	if (f == NULL)
		return;
	forget(f);
	free(f->identities);
	free(f->pairs);
	free(f);
}

static void
complain(const struct reading *r, enum part part, const char *why)
{
	const struct part_held *h = &r->to->parts[part];
	char *path = xasprintf("%s.%s", r->to->option, part_names[part]);

	problem_add(r->pr, PROBLEM_ERROR, r->file, r->line, path, "%s: %s",
	    h->source, why);
	free(path);
}

/* What a token holds stays there: out is a name that only we know. */
static bool
read_token(const char *uri, enum part part, struct text *out, struct text *why)
{
	return part == PART_KEY ? token_key(str_of(uri), out, why)
				: token_cert(str_of(uri), out, why);
}

static bool
read_source(struct part_held *h, enum part part, struct text *why)
{
	if (!key_source_check(h->source, why))
		return false;
	if (key_source_kind(h->source) == KEY_IN_TOKEN)
		return read_token(h->source, part, &h->pem, why);
	h->path = key_source_path(h->source, why);
	file_look_first(&h->look, h->path);
	return h->path != NULL &&
	       read_file(h->path, PEM_MOST_BYTES, &h->pem, why) == READ_OK;
}

static bool
read_part(const struct reading *r, enum part part)
{
	struct part_held *h = &r->to->parts[part];
	struct text why = TEXT_EMPTY;
	bool is_good;

	if (h->source == NULL)
		return true;
	is_good = read_source(h, part, &why);
	if (!is_good)
		complain(r, part, why.p != NULL ? why.p : "cannot be read");
	text_free(&why);
	return is_good;
}

static struct str
pem_of(const struct held *h, enum part part)
{
	return text_str(&h->parts[part].pem);
}

static bool
has_same_pems(const struct held *a, const struct held *b)
{
	enum part i;

	for (i = 0; i < PARTS; i++)
		if (!str_eq(pem_of(a, i), pem_of(b, i)))
			return false;
	return true;
}

static bool
fits(const struct reading *r)
{
	const struct held *h = r->to;
	struct text why = TEXT_EMPTY;
	bool is_good =
	    pem_ops.check_pair(pem_of(h, PART_CERT), pem_of(h, PART_KEY), &why);

	if (!is_good)
		problem_add(r->pr, PROBLEM_ERROR, r->file, r->line, h->option,
		    "%s and %s: %s", h->parts[PART_CERT].source,
		    h->parts[PART_KEY].source, why.p);
	else if (h->parts[PART_CA].source != NULL) {
		is_good = pem_ops.check_ca(pem_of(h, PART_CA), &why);
		if (!is_good)
			complain(r, PART_CA, why.p);
	}
	text_free(&why);
	return is_good;
}

/* What was good once need not be looked at again. */
static bool
read_parts(const struct reading *r, const struct held *old)
{
	bool is_good = true;
	enum part i;

	for (i = 0; i < PARTS; i++)
		is_good &= read_part(r, i);
	return is_good && ((old != NULL && pem_of(old, PART_CERT).len > 0 &&
			       has_same_pems(old, r->to)) ||
			      fits(r));
}

static void
take_pems(struct held *to, struct held *from)
{
	enum part i;

	for (i = 0; i < PARTS; i++) {
		text_wipe(&to->parts[i].pem);
		if (from == NULL)
			continue;
		to->parts[i].pem = from->parts[i].pem;
		from->parts[i].pem = TEXT_EMPTY;
	}
}

static struct held *
find(struct held *table, const char *name)
{
	struct held *h;

	HASH_FIND_STR(table, name, h);
	return h;
}

static char *
copy_or_null(struct str s)
{
	return s.len > 0 ? str_dup(s) : NULL;
}

static void
read_held(struct key_files *now, struct held *by_name, const struct reading *r)
{
	struct held *h = r->to, *old = find(by_name, h->name);

	if (!read_parts(r, old))
		take_pems(h, old);
	HASH_ADD_KEYPTR(hh, now->by_name, h->name, strlen(h->name), h);
	now->n++;
}

static void
read_identity(struct key_files *now, struct held *by_name,
    const struct config_identity *id, struct problems *pr)
{
	struct held *to = &now->held[now->n];
	const struct reading r = {
		.file = id->file, .line = id->line, .to = to, .pr = pr
	};

	to->name = xasprintf("identity %s", id->mesh);
	to->mesh = strchr(to->name, ' ') + 1;
	to->option = "identity";
	to->parts[PART_CERT].source = xstrdup(id->cert);
	to->parts[PART_KEY].source = xstrdup(id->key);
	to->parts[PART_CA].source = copy_or_null(str_of(id->ca));
	read_held(now, by_name, &r);
	now->n_identities++;
}

/* Most entries name none, and many the same. */
static void
read_pair(struct key_files *now, struct held *by_name,
    const struct service_entry *e, struct problems *pr)
{
	const struct service_options *o = &e->options;
	struct held *to = &now->held[now->n];
	const struct reading r = {
		.file = e->file, .line = e->line, .to = to, .pr = pr
	};
	char *name;

	if (o->tls_cert.len == 0 || o->tls_key.len == 0)
		return;
	name = xasprintf(
	    "services %.*s\n%.*s", STR_ARG(o->tls_cert), STR_ARG(o->tls_key));
	if (find(now->by_name, name) != NULL) {
		free(name);
		return;
	}
	to->name = name;
	to->option = "services.tls";
	to->parts[PART_CERT].source = str_dup(o->tls_cert);
	to->parts[PART_KEY].source = str_dup(o->tls_key);
	read_held(now, by_name, &r);
}

static int
compare(const void *a, const void *b)
{
	return given_pair_cmp(a, b);
}

static void
give(struct key_files *f)
{
	const struct held *h;
	size_t i;

	free(f->identities);
	free(f->pairs);
	f->identities = xcalloc(f->n_identities + 1, sizeof(*f->identities));
	f->pairs = xcalloc(f->n - f->n_identities + 1, sizeof(*f->pairs));
	for (i = 0; i < f->n; i++) {
		h = &f->held[i];
		if (i < f->n_identities)
			f->identities[i] = (struct given_identity){
				.mesh = h->mesh,
				.cert_pem = pem_of(h, PART_CERT),
				.key_pem = pem_of(h, PART_KEY),
				.ca_pem = pem_of(h, PART_CA),
			};
		else
			f->pairs[i - f->n_identities] = (struct given_pair){
				.cert = str_of(h->parts[PART_CERT].source),
				.key = str_of(h->parts[PART_KEY].source),
				.cert_pem = pem_of(h, PART_CERT),
				.key_pem = pem_of(h, PART_KEY),
			};
	}
	qsort(f->pairs, f->n - f->n_identities, sizeof(*f->pairs), compare);
}

void
key_files_read(struct key_files *f, const struct config *c, struct problems *pr)
{
	struct key_files now = { .n = 0 };
	size_t i;

	now.held =
	    xcalloc(c->n_identities + c->n_services + 1, sizeof(*now.held));
	for (i = 0; i < c->n_identities; i++)
		read_identity(&now, f->by_name, &c->identities[i], pr);
	for (i = 0; i < c->n_services; i++)
		read_pair(&now, f->by_name, &c->services[i], pr);
	forget(f);
	now.identities = f->identities;
	now.pairs = f->pairs;
	*f = now;
	give(f);
}

enum file_state
key_files_look(struct key_files *f)
{
	enum file_state state = FILE_SAME;
	struct part_held *h;
	enum part part;
	size_t i;

	for (i = 0; i < f->n; i++)
		for (part = 0; part < PARTS; part++) {
			h = &f->held[i].parts[part];
			if (h->path != NULL)
				state = file_state_of_both(
				    state, file_look_again(&h->look, h->path));
		}
	return state;
}

size_t
key_files_count(const struct key_files *f)
{
	enum part part;
	size_t i, n = 0;

	for (i = 0; i < f->n; i++)
		for (part = 0; part < PARTS; part++)
			n += f->held[i].parts[part].path != NULL;
	return n;
}

const struct given_identity *
key_files_identities(const struct key_files *f, size_t *n)
{
	*n = f->n_identities;
	return f->identities;
}

const struct given_pair *
key_files_pairs(const struct key_files *f, size_t *n)
{
	*n = f->n - f->n_identities;
	return f->pairs;
}
