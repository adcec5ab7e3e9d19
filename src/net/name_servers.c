/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of name servers.  A server that fails at a name is not put behind:
 * the fault is more often the name's, and the next one is asked all the same.
 */

#include "net/name_servers.h"

#include <string.h>

#include "net/addr.h"

#define BEHIND_MS 5000
#define BEHIND_MOST_MS 60000

bool
name_server_is_valid(struct str s)
{
	struct addr a;
	uint64_t port;
	size_t n = s.len;

	if (addr_parse(s, 0, &a))
		return true;
	while (n > 0 && s.p[n - 1] != ':')
		n--;
	return n > 0 && addr_parse(str_first(s, n - 1), 0, &a) &&
	       str_to_u64(str_from(s, n), UINT16_MAX, &port) && port > 0;
}

bool
name_servers_add(struct name_servers *s, const char *text)
{
	size_t len = strlen(text);

	if (s->n == NAME_SERVERS_MOST || len >= NAME_SERVER_TEXT)
		return false;
	s->v[s->n] = (struct name_server){ .queries = 0 };
	memcpy(s->v[s->n++].text, text, len + 1);
	return true;
}

bool
name_server_is_behind(const struct name_server *s, uint64_t now_ms)
{
	return now_ms < s->behind_until_ms;
}

/* Of those that are behind, the one whose time is over first. */
static bool
is_better(
    const struct name_server *a, const struct name_server *b, uint64_t now_ms)
{
	return name_server_is_behind(b, now_ms) &&
	       a->behind_until_ms < b->behind_until_ms;
}

struct name_server *
name_servers_pick(struct name_servers *s, unsigned without, uint64_t now_ms)
{
	struct name_server *best = NULL;
	size_t i;

	for (i = 0; i < s->n; i++)
		if ((without & 1u << i) == 0 &&
		    (best == NULL || is_better(&s->v[i], best, now_ms)))
			best = &s->v[i];
	return best;
}

static void
put_behind(struct name_server *s, uint64_t now_ms)
{
	uint64_t ms = BEHIND_MS;
	unsigned i;

	for (i = 0; i < s->silent && ms < BEHIND_MOST_MS; i++)
		ms *= 2;
	s->silent++;
	s->behind_until_ms =
	    now_ms + (ms < BEHIND_MOST_MS ? ms : BEHIND_MOST_MS);
}

void
name_server_note(
    struct name_server *s, enum name_server_result r, uint64_t now_ms)
{
	switch (r) {
	case NAME_SERVER_ANSWERED:
		s->answers++;
		break;
	case NAME_SERVER_FAILED:
		s->failures++;
		break;
	case NAME_SERVER_SILENT:
		s->timeouts++;
		/* Questions that were asked together fail together. */
		if (!name_server_is_behind(s, now_ms))
			put_behind(s, now_ms);
		return;
	}
	s->silent = 0;
	s->behind_until_ms = 0;
}
