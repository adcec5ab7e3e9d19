/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gathering fields for one digest.  Knows no object.  One thread.
 */

#include "policy/fingerprint.h"

#include "base/hash.h"

void
fingerprint_init(struct fingerprint *f)
{
	*f = (struct fingerprint){ .digester = digester_new() };
}

void
fingerprint_fini(struct fingerprint *f)
{
	digester_free(f->digester);
	text_free(&f->text);
}

void
fingerprint_u64(struct fingerprint *f, uint64_t n)
{
	char b[sizeof(n)];

	memcpy(b, &n, sizeof(n));
	text_add(&f->text, (struct str){ .p = b, .len = sizeof(b) });
}

void
fingerprint_str(struct fingerprint *f, struct str s)
{
	fingerprint_u64(f, s.len);
	text_add(&f->text, s);
}

void
fingerprint_digest(struct fingerprint *f, const struct digest *d)
{
	char b[sizeof(d->b)];

	memcpy(b, d->b, sizeof(b));
	text_add(&f->text, (struct str){ .p = b, .len = sizeof(b) });
}

struct digest
fingerprint_take(struct fingerprint *f)
{
	struct digest d;

	digester_add(f->digester, text_str(&f->text));
	d = digester_take(f->digester);
	text_clear(&f->text);
	return d;
}

uint64_t
fingerprint_take_hash(struct fingerprint *f)
{
	uint64_t hash = hash_bytes(f->text.p, f->text.len);

	text_clear(&f->text);
	return hash;
}
