/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exchanges between requests.  They rest with the worker, not with the
 * connection: most connections are idle most of the time, and an exchange is
 * larger than all else that such a one holds beside TLS.  A worker's thread.
 */

#include <stdlib.h>

#include "base/xalloc.h"
#include "conn/exchange.h"

/* More requests than these at once are rare enough to allocate for. */
#define SPARES_MOST 256

struct exchange *
exchange_take(struct conn *c, const struct exchange_host *host)
{
	struct conns *cs = c->all;
	struct exchange *x = cs->spare_exchanges;

	if (x == NULL) {
		x = xmalloc(sizeof(*x));
		exchange_init(x, c, host);
		return x;
	}
	cs->spare_exchanges = x->next_spare;
	cs->n_spare_exchanges--;
	x->conn = c;
	x->host = host;
	return x;
}

void
exchange_give(struct exchange *x)
{
	struct conns *cs;

	if (x == NULL)
		return;
	cs = x->conn->all;
	if (cs->n_spare_exchanges == SPARES_MOST || cs->is_freeing) {
		exchange_fini(x);
		free(x);
		return;
	}
	x->conn = NULL;
	x->pin = NULL;
	x->next_spare = cs->spare_exchanges;
	cs->spare_exchanges = x;
	cs->n_spare_exchanges++;
}

void
exchange_forget_services(struct conns *cs)
{
	struct exchange *x;

	for (x = cs->spare_exchanges; x != NULL; x = x->next_spare) {
		service_unref(x->kept);
		x->kept = NULL;
	}
}

void
exchange_free_spares(struct conns *cs)
{
	struct exchange *x;

	while ((x = cs->spare_exchanges) != NULL) {
		cs->spare_exchanges = x->next_spare;
		exchange_fini(x);
		free(x);
	}
	cs->n_spare_exchanges = 0;
}
