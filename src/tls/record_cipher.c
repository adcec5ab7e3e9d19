/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */

#include "tls/record_cipher.h"

static const struct record_engine *
fast_engine(void)
{
#ifdef HAVE_IPSEC_MB
	return record_engine_ipsec_mb();
#else
	return NULL;
#endif
}

const struct record_engine *
record_engine_at(size_t i)
{
	const struct record_engine *fast = fast_engine();

	if (fast != NULL && i-- == 0)
		return fast;
	return i == 0 ? record_engine_evp() : NULL;
}

const struct record_engine *
record_engine_for(enum record_aead a)
{
	const struct record_engine *fast = fast_engine();

	return fast != NULL && fast->can(a) ? fast : record_engine_evp();
}

bool
record_cipher_is_fast(const struct record_cipher *c)
{
	return c != NULL && c->engine != record_engine_evp();
}

void
record_cipher_free(struct record_cipher *c)
{
	if (c != NULL)
		c->engine->free(c);
}
