/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities from URI SANs: kept whole, compared whole.  The certificate they
 * come from has been verified in tls/.  An identity is one piece of memory.
 * Pure; any thread.
 */

#include "policy/identity.h"

#include <stdlib.h>

#include "base/reader.h"
#include "base/xalloc.h"

#define SPIFFE "spiffe://"
#define TAG "kuma://"
/* Of the packed form: it may lie in sessions of an older process. */
#define PACK_VERSION 1

/*
 * The part behind spiffe://<mesh>/, or p NULL: a trust domain alone, or
 * another mesh that merely starts alike, is nobody here.
 */
static struct str
service_in(struct str uri, struct str mesh)
{
	struct str rest;

	if (mesh.len == 0 || !str_starts(uri, STR(SPIFFE)))
		return STR_NONE;
	rest = str_from(uri, sizeof(SPIFFE) - 1);
	if (!str_starts(rest, mesh))
		return STR_NONE;
	rest = str_from(rest, mesh.len);
	if (rest.len < 2 || rest.p[0] != '/')
		return STR_NONE;
	return str_from(rest, 1);
}

static bool
is_plain(struct str uri)
{
	size_t i;

	for (i = 0; i < uri.len; i++)
		if (uri.p[i] <= ' ' || uri.p[i] >= 0x7f)
			return false;
	return true;
}

static int
compare(const void *a, const void *b)
{
	const struct str *x = a, *y = b;

	return str_cmp(*x, *y);
}

static struct identity *
copy_uris(const struct str *uris, size_t n)
{
	struct identity *id;
	size_t i, bytes = 0;
	char *at;

	for (i = 0; i < n; i++)
		bytes += uris[i].len + 1;
	id = xcalloc(1, sizeof(*id) + n * sizeof(*id->uris) + bytes);
	id->uris = (struct str *)(void *)(id + 1);
	id->n_uris = n;
	at = (char *)(id->uris + n);
	for (i = 0; i < n; i++) {
		if (uris[i].len > 0)
			memcpy(at, uris[i].p, uris[i].len);
		id->uris[i] = (struct str){ .p = at, .len = uris[i].len };
		at += uris[i].len + 1;
	}
	return id;
}

enum identity_status
identity_new(struct str mesh, const struct str *uris, size_t n,
    int64_t not_after_s, struct identity **out)
{
	struct identity *id;
	size_t i;

	*out = NULL;
	if (n > IDENTITY_URIS_MAX)
		return IDENTITY_BAD_SAN;
	for (i = 0; i < n; i++)
		if (!is_plain(uris[i]))
			return IDENTITY_BAD_SAN;
	for (i = 0; i < n; i++)
		if (service_in(uris[i], mesh).p != NULL)
			break;
	if (i == n)
		return IDENTITY_NO_SPIFFE;
	id = copy_uris(uris, n);
	id->spiffe = id->uris[i];
	id->service = service_in(id->spiffe, mesh);
	id->not_after_s = not_after_s;
	qsort(id->uris, n, sizeof(*id->uris), compare);
	*out = id;
	return IDENTITY_OK;
}

struct identity *
identity_dup(const struct identity *id)
{
	struct identity *copy = copy_uris(id->uris, id->n_uris);
	size_t i;

	for (i = 0; i < id->n_uris; i++)
		if (id->uris[i].p == id->spiffe.p)
			copy->spiffe = copy->uris[i];
	copy->service =
	    str_from(copy->spiffe, copy->spiffe.len - id->service.len);
	copy->not_after_s = id->not_after_s;
	return copy;
}

void
identity_free(struct identity *id)
{
	free(id);
}

bool
identity_has(const struct identity *id, struct str uri)
{
	return bsearch(&uri, id->uris, id->n_uris, sizeof(uri), compare) !=
	       NULL;
}

struct str
identity_tag(const struct identity *id, struct str tag)
{
	struct str uri;
	size_t i;

	for (i = 0; i < id->n_uris; i++) {
		uri = id->uris[i];
		if (!str_starts(uri, STR(TAG)))
			continue;
		uri = str_from(uri, sizeof(TAG) - 1);
		if (uri.len > tag.len && str_starts(uri, tag) &&
		    uri.p[tag.len] == '/')
			return str_from(uri, tag.len + 1);
	}
	return STR_NONE;
}

static void
add_number(struct text *out, uint64_t n, unsigned bytes)
{
	while (bytes-- > 0)
		text_add_char(out, (char)(unsigned char)(n >> 8 * bytes));
}

static void
add_uri(struct text *out, struct str uri)
{
	add_number(out, uri.len, 4);
	text_add(out, uri);
}

/* The SPIFFE name first, so that it is the first one again. */
void
identity_pack(const struct identity *id, struct text *out)
{
	size_t i;

	add_number(out, PACK_VERSION, 1);
	add_number(out, (uint64_t)id->not_after_s, 8);
	add_number(out, id->n_uris, 2);
	add_uri(out, id->spiffe);
	for (i = 0; i < id->n_uris; i++)
		if (id->uris[i].p != id->spiffe.p)
			add_uri(out, id->uris[i]);
}

/* Whoever could write a session could write this: nothing is believed. */
struct identity *
identity_unpack(struct str packed, struct str mesh)
{
	struct str uris[IDENTITY_URIS_MAX];
	struct identity *id;
	struct reader r;
	uint64_t not_after;
	size_t i, n;

	reader_init(&r, packed.p, packed.len);
	if (reader_u8(&r) != PACK_VERSION)
		return NULL;
	not_after = (uint64_t)reader_u32(&r) << 32;
	not_after |= reader_u32(&r);
	n = reader_u16(&r);
	if (reader_is_bad(&r) || n > IDENTITY_URIS_MAX)
		return NULL;
	for (i = 0; i < n; i++)
		uris[i] = reader_bytes(&r, reader_u32(&r));
	if (reader_is_bad(&r) || reader_left(&r) > 0)
		return NULL;
	if (identity_new(mesh, uris, n, (int64_t)not_after, &id) != IDENTITY_OK)
		return NULL;
	return id;
}
