/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header.  The choice and the counts are the process's, as OpenSSL's
 * own set-up is: contexts are made in many places, and all must agree.
 */

#include "tls/tls_records.h"

#include <stdatomic.h>

static atomic_int choice = TLS_RECORDS_OPENSSL;
static atomic_uint_fast64_t wires[TLS_ENGINE_OWN + 1];

void
tls_records_choose(enum tls_records r)
{
	atomic_store(&choice, (int)r);
}

bool
tls_records_may_be_own(void)
{
	return atomic_load_explicit(&choice, memory_order_relaxed) ==
	       TLS_RECORDS_OWN;
}

void
tls_engine_add(enum tls_engine e)
{
	atomic_fetch_add_explicit(&wires[e], 1, memory_order_relaxed);
}

void
tls_engine_remove(enum tls_engine e)
{
	atomic_fetch_sub_explicit(&wires[e], 1, memory_order_relaxed);
}

uint64_t
tls_engine_wires(enum tls_engine e)
{
	return atomic_load_explicit(&wires[e], memory_order_relaxed);
}
