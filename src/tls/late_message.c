/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */

#include "tls/late_message.h"

#include <string.h>

size_t
late_message_len(const struct late_cut *c)
{
	return (size_t)c->head[1] << 16 | (size_t)c->head[2] << 8 | c->head[3];
}

/* As much of bytes as brings the message to `to` bytes. */
static void
take(struct late_cut *c, struct str *bytes, size_t to)
{
	size_t n = to - c->have, kept = 0;

	if (n > bytes->len)
		n = bytes->len;
	if (c->have < sizeof(c->head)) {
		kept = sizeof(c->head) - c->have;
		if (kept > n)
			kept = n;
		memcpy(c->head + c->have, bytes->p, kept);
	}
	c->have += n;
	*bytes = str_from(*bytes, n);
}

enum late_status
late_message_next(
    struct late_cut *c, struct str *bytes, struct late_message *out)
{
	if (c->have < LATE_HEADER)
		take(c, bytes, LATE_HEADER);
	if (c->have < LATE_HEADER)
		return LATE_MORE;
	if (bytes->len > 0)
		take(c, bytes, LATE_HEADER + late_message_len(c));
	if (c->have < LATE_HEADER + late_message_len(c))
		return LATE_MORE;
	*out = (struct late_message){
		.type = c->head[0],
		.len = late_message_len(c),
		.first = c->head[LATE_HEADER],
	};
	*c = (struct late_cut){ .have = 0 };
	return LATE_DONE;
}

bool
late_message_is_open(const struct late_cut *c)
{
	return c->have > 0;
}
