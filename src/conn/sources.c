/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts by source address.  The table of counts is bounded by the number of
 * connections; the table of last log lines has a fixed size, where two sources
 * that share a slot share its one line a second.  A worker's thread.
 */

#include "conn/sources.h"

#include "base/hash.h"
#include "base/xalloc.h"

/* An IPv4 host as its v4-mapped IPv6 address. */
struct host_key {
	uint8_t b[16];
};

struct source {
	struct host_key key;
	size_t relays;
	size_t dials;
	UT_hash_handle hh;
};

#define LOG_SLOTS 1024
#define LOG_INTERVAL_MS 1000

struct log_slot {
	uint64_t said_ms; /* 0: never */
	unsigned kept_back;
};

struct sources {
	struct source *table;
	struct log_slot logged[LOG_SLOTS];
};

static struct host_key
host_key(const struct addr *a)
{
	struct host_key k = { .b = { 0 } };

	if (a->u.sa.sa_family == AF_INET6) {
		memcpy(k.b, &a->u.in6.sin6_addr, sizeof(k.b));
	} else if (a->u.sa.sa_family == AF_INET) {
		k.b[10] = k.b[11] = 0xff;
		memcpy(k.b + 12, &a->u.in.sin_addr, 4);
	}
	return k;
}

struct sources *
sources_new(void)
{
	return xcalloc(1, sizeof(struct sources));
}

void
sources_free(struct sources *s)
{
	struct source *src, *next;

	if (s == NULL)
		return;
	HASH_ITER(hh, s->table, src, next)
	{
		HASH_DEL(s->table, src);
		free(src);
	}
	free(s);
}

struct source *
source_enter(struct sources *s, const struct addr *a, size_t max_relays,
    size_t max_dials)
{
	struct host_key key = host_key(a);
	struct source *src;

	HASH_FIND(hh, s->table, &key, sizeof(key), src);
	if (src == NULL) {
		if (max_relays == 0 || max_dials == 0)
			return NULL;
		src = xcalloc(1, sizeof(*src));
		src->key = key;
		HASH_ADD(hh, s->table, key, sizeof(src->key), src);
	}
	if (src->relays >= max_relays || src->dials >= max_dials)
		return NULL;
	src->relays++;
	src->dials++;
	return src;
}

void
source_dialled(struct source *src)
{
	src->dials--;
}

void
source_leave(struct sources *s, struct source *src, bool is_dialling)
{
	if (is_dialling)
		src->dials--;
	if (--src->relays > 0)
		return;
	HASH_DEL(s->table, src);
	free(src);
}

bool
sources_may_log(struct sources *s, const struct addr *a, uint64_t now_ms,
    unsigned *kept_back)
{
	struct host_key key = host_key(a);
	struct log_slot *slot =
	    &s->logged[hash_bytes(&key, sizeof(key)) % LOG_SLOTS];

	if (slot->said_ms != 0 && now_ms < slot->said_ms + LOG_INTERVAL_MS) {
		slot->kept_back++;
		return false;
	}
	*kept_back = slot->kept_back;
	slot->kept_back = 0;
	slot->said_ms = now_ms != 0 ? now_ms : 1;
	return true;
}
