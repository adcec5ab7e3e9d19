/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file is read once, however many services name it, and checked for what it
 * is to be.  One that is broken is reported where it is named, and what was
 * good before goes on counting; a list of the revoked that does not come any
 * more goes out of date by itself.  Main thread.
 */

#include "daemon/tls_files.h"

#include <stdlib.h>

#include "base/problem.h"
#include "base/xalloc.h"
#include "daemon/config.h"
#include "feed/read_file.h"
#include "tls/pem.h"

#define PEM_MOST_BYTES ((size_t)64 << 20)

struct held {
	char *path;
	bool (*check)(struct str pem, struct text *why);
	struct file_look look;
	struct text bytes; /* p NULL: never good */
};

struct tls_files {
	struct held *held;
	struct given_file *given;
	size_t n;
	size_t cap;
};

struct tls_files *
tls_files_new(void)
{
	return xcalloc(1, sizeof(struct tls_files));
}

static void
drop(struct tls_files *f)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		free(f->held[i].path);
		text_free(&f->held[i].bytes);
	}
	free(f->held);
	free(f->given);
}

void
tls_files_free(struct tls_files *f)
{
	if (f == NULL)
		return;
	drop(f);
	free(f);
}

static struct held *
find(const struct tls_files *f, struct str path)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (str_eq(str_of(f->held[i].path), path))
			return &f->held[i];
	return NULL;
}

/* What is good now, or was the last time. */
static void
load(struct held *h, struct held *old, const struct service_entry *e,
    const char *option, struct problems *pr)
{
	struct text why = TEXT_EMPTY;

	file_look_first(&h->look, h->path);
	if (read_file(h->path, PEM_MOST_BYTES, &h->bytes, &why) == READ_OK &&
	    h->check(text_str(&h->bytes), &why)) {
		text_free(&why);
		return;
	}
	problem_add(pr, PROBLEM_ERROR, e->file, e->line, option, "%s: %s%s",
	    h->path, why.len > 0 ? why.p : "it does not exist",
	    old != NULL && old->bytes.p != NULL
		? "; what was good before goes on counting"
		: "");
	text_free(&h->bytes);
	text_free(&why);
	if (old == NULL)
		return;
	h->bytes = old->bytes;
	old->bytes = TEXT_EMPTY;
}

static void
add(struct tls_files *f, const struct tls_files *before, struct str path,
    bool (*check)(struct str, struct text *), const struct service_entry *e,
    const char *option, struct problems *pr)
{
	struct held *h;

	if (find(f, path) != NULL)
		return;
	if (f->n == f->cap) {
		f->cap = f->cap * 2 + 8;
		f->held = xreallocarray(f->held, f->cap, sizeof(*f->held));
	}
	h = &f->held[f->n++];
	*h = (struct held){ .path = str_dup(path), .check = check };
	load(h, find(before, path), e, option, pr);
}

static bool
is_word(struct str ca)
{
	return str_eq(ca, STR("auto")) || str_eq(ca, STR("system"));
}

static void
add_entry(struct tls_files *f, const struct tls_files *before,
    const struct service_entry *e, struct problems *pr)
{
	const struct service_options *o = &e->options;
	size_t i;

	if (e->given[SERVICE_OPTION_TLS_CA] && !is_word(o->tls_ca))
		add(f, before, o->tls_ca, pem_ops.check_ca, e,
		    "services.tls.ca", pr);
	if (!e->given[SERVICE_OPTION_TLS_CRL])
		return;
	for (i = 0; i < o->tls_crl.n; i++)
		add(f, before, o->tls_crl.v[i], pem_ops.check_crl, e,
		    "services.tls.crl", pr);
}

void
tls_files_read(struct tls_files *f, const struct config *c, struct problems *pr)
{
	struct tls_files before = *f;
	size_t i;

	*f = (struct tls_files){ .held = NULL };
	for (i = 0; i < c->n_services; i++)
		add_entry(f, &before, &c->services[i], pr);
	f->given = xcalloc(f->n + 1, sizeof(*f->given));
	for (i = 0; i < f->n; i++)
		f->given[i] = (struct given_file){
			.path = str_of(f->held[i].path),
			.bytes = text_str(&f->held[i].bytes),
		};
	drop(&before);
}

enum file_state
tls_files_look(struct tls_files *f)
{
	enum file_state state = FILE_SAME;
	size_t i;

	for (i = 0; i < f->n; i++)
		state = file_state_of_both(
		    state, file_look_again(&f->held[i].look, f->held[i].path));
	return state;
}

size_t
tls_files_count(const struct tls_files *f)
{
	return f->n;
}

const struct given_file *
tls_files_get(const struct tls_files *f, size_t *n)
{
	*n = f->n;
	return f->given;
}
