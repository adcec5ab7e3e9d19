/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remembering which address family works (RFC 8305, section 4, leaves the
 * order to such history).  Pure.
 */

#include "net/families.h"

#include <stddef.h>
#include <sys/socket.h>

static const struct family *
of(const struct families *f, int af)
{
	return af == AF_INET6 ? &f->v6 : &f->v4;
}

bool
families_is_unusable(const struct families *f, int af, uint64_t now_ms)
{
	return f != NULL && now_ms < of(f, af)->unusable_until_ms;
}

void
families_won(struct families *f, int af)
{
	if (f != NULL)
		*(af == AF_INET6 ? &f->v6 : &f->v4) =
		    (struct family){ .losses = 0 };
}

void
families_lost(struct families *f, int af, uint64_t now_ms)
{
	struct family *one;

	if (f == NULL)
		return;
	one = af == AF_INET6 ? &f->v6 : &f->v4;
	one->losses++;
	/* One that was unusable has to prove itself at the first try. */
	if (now_ms < one->unusable_until_ms ||
	    (one->pause_ms == 0 && one->losses < FAMILIES_LOSSES))
		return;
	one->pause_ms =
	    one->pause_ms == 0 ? FAMILIES_LEAST_MS : one->pause_ms * 2;
	if (one->pause_ms > FAMILIES_MOST_MS)
		one->pause_ms = FAMILIES_MOST_MS;
	one->unusable_until_ms = now_ms + one->pause_ms;
}
