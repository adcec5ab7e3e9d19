/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-GCM by intel-ipsec-mb, whose code for VAES and AVX-512 needs a quarter
 * of the time of OpenSSL 3.0's, and whose calls for small records cost less on
 * every CPU with AES instructions.  Only its direct calls are used: no jobs,
 * and of its manager only the functions that it has chosen for this CPU.  The
 * only file that knows the library.
 *
 * Without AES instructions it falls back on code whose time depends on the
 * key: there it is of no use.  Its ChaCha20 is three times slower than
 * OpenSSL's unless the CPU has AVX-512, and hardly faster then: left alone.
 */

#include <assert.h>
/* Else it takes names that are not its own, such as SHA1. */
#define NO_COMPAT_IMB_API_053
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/slab.h"
#include "tls/record_cipher.h"

#define KEY_ALIGNMENT 64
/* AES in hardware, and the multiplication for the tag. */
#define NEEDED (IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ)
#define NEEDED_WIDE \
	(IMB_CPUFLAGS_AVX512 | IMB_FEATURE_VAES | IMB_FEATURE_VPCLMULQDQ)

/* Of one length of keys. */
struct gcm_calls {
	aes_gcm_pre_t prepare;
	aes_gcm_enc_dec_t seal;
	aes_gcm_enc_dec_t open;
	aes_gcm_init_t start;
	aes_gcm_enc_dec_update_t seal_part;
	aes_gcm_enc_dec_finalize_t seal_end;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct {
	bool is_of_use;
	struct gcm_calls aes128;
	struct gcm_calls aes256;
	struct record_engine engine;
} lib;

/* Keys of either direction are alike; 1 KiB with what comes behind them. */
struct mb_cipher {
	struct gcm_key_data key;
	struct record_cipher base;
	const struct gcm_calls *calls;
};

static_assert(
    sizeof(struct mb_cipher) % SLAB_ALIGN == 0 && KEY_ALIGNMENT <= SLAB_ALIGN,
    "slab.h asks for this");

/* They go together when connections fall silent. */
static struct slab_pool keys = SLAB_POOL(sizeof(struct mb_cipher));

/* Its tests of itself are of this CPU's functions. */
static bool
is_of_use(const IMB_MGR *m)
{
	uint64_t f = m->features;

	return m->imb_errno == 0 && (f & NEEDED) == NEEDED &&
	       (f & IMB_FEATURE_AESNI_EMU) == 0 &&
	       ((f & IMB_FEATURE_SELF_TEST) == 0 ||
		   (f & IMB_FEATURE_SELF_TEST_PASS) != 0);
}

static struct mb_cipher *
cipher_of(struct record_cipher *c)
{
	return CONTAINER_OF(c, struct mb_cipher, base);
}

static bool
mb_can(enum record_aead a)
{
	return a == RECORD_AES128_GCM || a == RECORD_AES256_GCM;
}

static struct record_cipher *
mb_make(enum record_aead a, const uint8_t *key, bool is_sealing)
{
	struct mb_cipher *c = slab_take(&keys);

	(void)is_sealing;
	c->base.engine = &lib.engine;
	c->calls = a == RECORD_AES128_GCM ? &lib.aes128 : &lib.aes256;
	c->calls->prepare(key, &c->key);
	return &c->base;
}

static void
mb_free(struct record_cipher *c)
{
	struct mb_cipher *mine = cipher_of(c);

	OPENSSL_cleanse(mine, sizeof(*mine));
	slab_give(&keys, mine);
}

static bool
mb_seal(struct record_cipher *base, const struct record_bytes *b,
    const uint8_t *end, size_t n_end)
{
	struct mb_cipher *c = cipher_of(base);
	const struct gcm_calls *f = c->calls;
	uint8_t *tag = b->out + b->n + n_end;
	struct gcm_context_data state;

	if (n_end == 0) {
		f->seal(&c->key, &state, b->out, b->in, b->n, b->nonce, b->aad,
		    b->aad_len, tag, RECORD_TAG);
	} else {
		f->start(&c->key, &state, b->nonce, b->aad, b->aad_len);
		f->seal_part(&c->key, &state, b->out, b->in, b->n);
		f->seal_part(&c->key, &state, b->out + b->n, end, n_end);
		f->seal_end(&c->key, &state, tag, RECORD_TAG);
	}
	OPENSSL_cleanse(&state, sizeof(state));
	return true;
}

static bool
mb_open(struct record_cipher *base, const struct record_bytes *b,
    const uint8_t tag[RECORD_TAG])
{
	struct mb_cipher *c = cipher_of(base);
	struct gcm_context_data state;
	uint8_t is[RECORD_TAG];

	c->calls->open(&c->key, &state, b->out, b->in, b->n, b->nonce, b->aad,
	    b->aad_len, is, RECORD_TAG);
	OPENSSL_cleanse(&state, sizeof(state));
	return CRYPTO_memcmp(is, tag, RECORD_TAG) == 0;
}

static void
set_up(void)
{
	IMB_MGR *m = alloc_mb_mgr(0);

	if (m == NULL)
		return;
	init_mb_mgr_auto(m, NULL);
	lib.aes128 = (struct gcm_calls){ m->gcm128_pre, m->gcm128_enc,
		m->gcm128_dec, m->gcm128_init, m->gcm128_enc_update,
		m->gcm128_enc_finalize };
	lib.aes256 = (struct gcm_calls){ m->gcm256_pre, m->gcm256_enc,
		m->gcm256_dec, m->gcm256_init, m->gcm256_enc_update,
		m->gcm256_enc_finalize };
	lib.engine = (struct record_engine){
		.name = (m->features & NEEDED_WIDE) == NEEDED_WIDE
			    ? "intel-ipsec-mb (VAES)"
			    : "intel-ipsec-mb",
		.can = mb_can,
		.make = mb_make,
		.seal = mb_seal,
		.open = mb_open,
		.free = mb_free,
	};
	lib.is_of_use = is_of_use(m);
	/* A quarter of a megabyte of queues that nobody needs. */
	free_mb_mgr(m);
}

const struct record_engine *
record_engine_ipsec_mb(void)
{
	pthread_once(&once, set_up);
	return lib.is_of_use ? &lib.engine : NULL;
}
