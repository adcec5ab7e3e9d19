/* SPDX-License-Identifier: Apache-2.0 */
/* See dump.h. */

#include "differential/dump.h"

#include <inttypes.h>
#include <stdio.h>

static void
put_hex(struct str s)
{
	putchar('"');
	for (size_t i = 0; i < s.len; i++)
		printf("%02x", (unsigned char)s.p[i]);
	putchar('"');
}

static void
put_fields(const char *name, const struct fields *f)
{
	printf(",\"%s\":[", name);
	for (size_t i = 0; i < f->n; i++) {
		printf(i > 0 ? ",[" : "[");
		put_hex(f->v[i].name);
		putchar(',');
		put_hex(f->v[i].value);
		putchar(']');
	}
	putchar(']');
}

static void
put_message(const struct message *m)
{
	printf("{\"method\":");
	put_hex(m->method);
	printf(",\"target\":");
	put_hex(m->target);
	printf(",\"status\":%u,\"whole\":%s,\"end\":%zu", m->status,
	    m->is_whole ? "true" : "false", m->end);
	put_fields("fields", &m->fields);
	put_fields("trailers", &m->trailers);
	printf(",\"body\":");
	put_hex(text_str(&m->body));
	putchar('}');
}

void
dump(uint64_t seed, struct str bytes, const struct stream_kind *kind,
    const struct reading *ours)
{
	printf("{\"seed\":%" PRIu64 ",\"requests\":%s,\"head\":%s,\"bytes\":",
	    seed, kind->is_requests ? "true" : "false",
	    kind->answers_head ? "true" : "false");
	put_hex(bytes);
	printf(",\"messages\":[");
	for (size_t i = 0; i < ours->n; i++) {
		if (i > 0)
			putchar(',');
		put_message(ours->v[i]);
	}
	printf("]}\n");
}
