/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header.  The choice and the counts are the process's, as OpenSSL's
 * own set-up is: contexts are made in many places, and all must agree.
 */

#include "tls/tls_records.h"

#include <stdatomic.h>

#include "tls/record_cipher.h"

static atomic_int choice = TLS_RECORDS_AUTO;
static atomic_uint_fast64_t wires[TLS_ENGINE_IPSEC_MB + 1];

void
tls_records_choose(enum tls_records r)
{
	atomic_store(&choice, (int)r);
}

static enum tls_records
chosen(void)
{
	return (enum tls_records)atomic_load_explicit(
	    &choice, memory_order_relaxed);
}

bool
tls_records_may_be_own(void)
{
	switch (chosen()) {
	case TLS_RECORDS_AUTO:
	case TLS_RECORDS_OWN:
	case TLS_RECORDS_KERNEL:
		return true;
	case TLS_RECORDS_OPENSSL:
		break;
	}
	return false;
}

bool
tls_records_may_be_kernel(void)
{
	return chosen() == TLS_RECORDS_KERNEL;
}

void
tls_records_print(struct text *out)
{
	if (tls_records_may_be_kernel())
		text_add_z(out, "the kernel's, where it does not take them ");
	if (tls_records_may_be_own())
		text_addf(out, "our own, AES-GCM by %s",
		    record_engine_for(RECORD_AES128_GCM)->name);
	else
		text_add_z(out, "OpenSSL's");
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
