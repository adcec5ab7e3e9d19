/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stateless: libssl gives all parameters with the call that derives, so there
 * is nothing to keep in a context, and to allocate, between two calls.
 *
 * The secrets that own records need pass through here.  OpenSSL tells them
 * otherwise only to a keylog callback, as text: five lines a handshake, each of
 * 64 bytes printed one by one, wanted or not.  Any thread.
 */

#include "tls/lean_kdf.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#include "tls/kdf.h"
#include "tls/secret_watch.h"

/* OpenSSL runs a handshake's derivations in the thread that called it. */
static _Thread_local const struct secret_watch *watch;

void
secret_watch_set(const struct secret_watch *w)
{
	watch = w;
}

struct asked {
	int mode;
	enum kdf_hash h;
	bool has_hash;
	bool is_odd;
	struct str key;
	struct str salt;
	struct str prefix;
	struct str label;
	struct str data;
	struct str seed[KDF_PIECES_MOST];
	size_t n_seed;
};

static struct str
octets(const OSSL_PARAM *p)
{
	return (struct str){ .p = p->data, .len = p->data_size };
}

static bool
is_called(const OSSL_PARAM *p, const char *key)
{
	return strcmp(p->key, key) == 0;
}

static void
read_seed(struct asked *a, const OSSL_PARAM *p)
{
	if (a->n_seed < KDF_PIECES_MOST)
		a->seed[a->n_seed++] = octets(p);
	else
		a->is_odd = true;
}

static void
read_param(struct asked *a, const OSSL_PARAM *p)
{
	if (is_called(p, OSSL_KDF_PARAM_DIGEST))
		a->has_hash = p->data_type == OSSL_PARAM_UTF8_STRING &&
			      kdf_hash_find(p->data, &a->h);
	else if (is_called(p, OSSL_KDF_PARAM_MODE))
		a->is_odd |= OSSL_PARAM_get_int(p, &a->mode) != 1;
	else if (is_called(p, OSSL_KDF_PARAM_KEY) ||
		 is_called(p, OSSL_KDF_PARAM_SECRET))
		a->key = octets(p);
	else if (is_called(p, OSSL_KDF_PARAM_SALT))
		a->salt = octets(p);
	else if (is_called(p, OSSL_KDF_PARAM_PREFIX))
		a->prefix = octets(p);
	else if (is_called(p, OSSL_KDF_PARAM_LABEL))
		a->label = octets(p);
	else if (is_called(p, OSSL_KDF_PARAM_DATA))
		a->data = octets(p);
	else if (is_called(p, OSSL_KDF_PARAM_SEED))
		read_seed(a, p);
}

/* False: not for us, so nothing is derived. */
static bool
read_asked(const OSSL_PARAM *p, struct asked *a)
{
	*a = (struct asked){ .mode = -1 };
	for (; p != NULL && p->key != NULL; p++)
		read_param(a, p);
	return a->has_hash && !a->is_odd;
}

static void
tell(struct str label, const uint8_t *secret, size_t n)
{
	if (watch == NULL)
		return;
	if (str_eq(label, STR("c ap traffic")))
		watch->on_secret(watch->arg, true, secret, n);
	else if (str_eq(label, STR("s ap traffic")))
		watch->on_secret(watch->arg, false, secret, n);
}

static bool
expand(const struct asked *a, struct str secret, struct str data, uint8_t *out,
    size_t n)
{
	char label[64];

	if (a->label.len == 0 || a->prefix.len > sizeof(label) ||
	    a->label.len > sizeof(label) - a->prefix.len)
		return false;
	if (a->prefix.len > 0)
		memcpy(label, a->prefix.p, a->prefix.len);
	memcpy(label + a->prefix.len, a->label.p, a->label.len);
	return kdf_expand_label(a->h, secret,
	    (struct str){ .p = label, .len = a->prefix.len + a->label.len },
	    data, out, n);
}

/* The next secret of the schedule: of the one before, and of what is new. */
static bool
extract(const struct asked *a, uint8_t *out, size_t n)
{
	uint8_t nothing[KDF_HASH_MOST] = { 0 }, salt[KDF_HASH_MOST];
	struct str zeroes, key = a->key, used = STR_NONE;
	size_t len = kdf_hash_len(a->h);
	bool is_ok = n == len;

	zeroes = (struct str){ .p = (const void *)nothing, .len = len };
	if (is_ok && a->salt.len > 0) {
		kdf_hash_of_nothing(a->h, nothing);
		is_ok = expand(a, a->salt, zeroes, salt, len);
		memset(nothing, 0, sizeof(nothing));
		used = (struct str){ .p = (const void *)salt, .len = len };
	}
	if (is_ok)
		kdf_extract(a->h, used, key.len > 0 ? key : zeroes, out);
	OPENSSL_cleanse(salt, sizeof(salt));
	return is_ok;
}

static int
derive_tls13(void *ctx, unsigned char *out, size_t n, const OSSL_PARAM params[])
{
	struct asked a;

	(void)ctx;
	if (!read_asked(params, &a))
		return 0;
	if (a.mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY)
		return extract(&a, out, n) ? 1 : 0;
	if (a.mode != EVP_KDF_HKDF_MODE_EXPAND_ONLY || a.key.len == 0 ||
	    !expand(&a, a.key, a.data, out, n))
		return 0;
	tell(a.label, out, n);
	return 1;
}

static int
derive_tls12(void *ctx, unsigned char *out, size_t n, const OSSL_PARAM params[])
{
	struct asked a;

	(void)ctx;
	if (!read_asked(params, &a) || a.key.len == 0 || a.n_seed == 0)
		return 0;
	return kdf_prf(a.h, a.key, a.seed, a.n_seed, out, n) ? 1 : 0;
}

static void *
new_ctx(void *provider)
{
	static char nothing;

	(void)provider;
	return &nothing;
}

static void
free_ctx(void *ctx)
{
	(void)ctx;
}

/* OpenSSL keeps functions of all kinds in tables of this type. */
static const OSSL_DISPATCH tls13[] = {
	{ OSSL_FUNC_KDF_NEWCTX, (void (*)(void))new_ctx },
	{ OSSL_FUNC_KDF_FREECTX, (void (*)(void))free_ctx },
	{ OSSL_FUNC_KDF_DERIVE, (void (*)(void))derive_tls13 },
	{ 0, NULL },
};

static const OSSL_DISPATCH tls12[] = {
	{ OSSL_FUNC_KDF_NEWCTX, (void (*)(void))new_ctx },
	{ OSSL_FUNC_KDF_FREECTX, (void (*)(void))free_ctx },
	{ OSSL_FUNC_KDF_DERIVE, (void (*)(void))derive_tls12 },
	{ 0, NULL },
};

const OSSL_ALGORITHM lean_kdfs[] = {
	{ "TLS13-KDF", "provider=lean", tls13, "key schedule of TLS 1.3" },
	{ "TLS1-PRF", "provider=lean", tls12, "key derivation of TLS 1.2" },
	{ NULL, NULL, NULL, NULL },
};
