/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's engine "pkcs11" and the keys that were asked for.  The engine is
 * loaded on the first call and stays; so do keys, since any context may yet be
 * made with them: there are as many as keys that the configuration has ever
 * named.  The lock is held to look a name up, never while a token is asked.
 * Any thread.
 */

/* Engines are deprecated; Debian 12 has no provider for PKCS #11. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "tls/token.h"

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ui.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "tls/library.h"
#include "tls/tls_init.h"
#include "tls/token_key.h"

#define PREFIX STR("token:")
#define RANDOM_BYTES 32

struct token {
	char *uri;
	char *name;
	EVP_PKEY *key;
	struct token *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct token *tokens;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static ENGINE *engine; /* NULL: cannot be had */

static void
load(void)
{
	tls_init();
	OPENSSL_init_crypto(
	    OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_ENGINE_DYNAMIC, NULL);
	engine = ENGINE_by_id("pkcs11");
	if (engine == NULL)
		return;
	/* It tells on standard error what it returns as an error as well. */
	(void)ENGINE_ctrl_cmd_string(engine, "QUIET", NULL, 1);
	if (ENGINE_init(engine) == 1)
		return;
	ENGINE_free(engine);
	engine = NULL;
}

static bool
has_engine(struct text *why)
{
	(void)pthread_once(&once, load);
	if (engine == NULL)
		text_add_z(why, "OpenSSL's engine pkcs11 cannot be loaded: "
				"install libengine-pkcs11-openssl, and start "
				"again");
	return engine != NULL;
}

/* The engine's own words, without the URI that they may repeat. */
static void
add_error(const char *what, struct text *why)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	text_addf(why,
	    "the token has no such %s, or does not give it (%s): see "
	    "`p11tool --list-all`, and that the PIN is in the file of "
	    "pin-source",
	    what, reason != NULL ? reason : "it does not say why");
	ERR_clear_error();
}

static EVP_PKEY *
load_key(const char *uri, struct text *why)
{
	UI_METHOD *nobody = UI_create_method("nobody is asked");
	EVP_PKEY *key;

	ERR_clear_error();
	key = ENGINE_load_private_key(engine, uri, nobody, NULL);
	if (key == NULL)
		add_error("private key", why);
	UI_destroy_method(nobody);
	return key;
}

static char *
new_name(void)
{
	uint8_t random[RANDOM_BYTES];
	struct text name = TEXT_EMPTY;
	size_t i;

	if (!library_random(random, sizeof(random)))
		abort();
	text_add(&name, PREFIX);
	for (i = 0; i < sizeof(random); i++)
		text_addf(&name, "%02x", random[i]);
	return text_take(&name);
}

static struct token *
find_uri(const char *uri, const EVP_PKEY *key)
{
	struct token *t;

	for (t = tokens; t != NULL; t = t->next)
		if (strcmp(t->uri, uri) == 0 && EVP_PKEY_eq(t->key, key) == 1)
			return t;
	return NULL;
}

/* Takes the reference over. */
static struct token *
add(const char *uri, EVP_PKEY *key)
{
	struct token *t = xcalloc(1, sizeof(*t));

	t->uri = xstrdup(uri);
	t->name = new_name();
	t->key = key;
	t->next = tokens;
	tokens = t;
	return t;
}

/* Of one that is the same, what was opened last is used from now on. */
static struct token *
keep(const char *uri, EVP_PKEY *key)
{
	struct token *t = find_uri(uri, key);

	if (t == NULL)
		return add(uri, key);
	EVP_PKEY_free(t->key);
	t->key = key;
	return t;
}

bool
token_key(struct str uri, struct text *out, struct text *why)
{
	EVP_PKEY *key = NULL;
	char *text;

	if (!has_engine(why))
		return false;
	text = str_dup(uri);
	key = load_key(text, why);
	if (key != NULL) {
		pthread_mutex_lock(&lock);
		text_add_z(out, keep(text, key)->name);
		pthread_mutex_unlock(&lock);
	}
	free(text);
	return key != NULL;
}

static X509 *
load_cert(const char *uri, struct text *why)
{
	struct {
		const char *uri;
		X509 *cert;
	} ask = { .uri = uri };

	ERR_clear_error();
	if (ENGINE_ctrl_cmd(engine, "LOAD_CERT_CTRL", 0, &ask, NULL, 1) != 1 ||
	    ask.cert == NULL)
		add_error("certificate", why);
	return ask.cert;
}

static bool
print_cert(X509 *cert, struct text *out)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n = 0;

	if (b == NULL)
		abort();
	if (PEM_write_bio_X509(b, cert) == 1)
		n = BIO_get_mem_data(b, &p);
	if (n > 0)
		text_add(out, (struct str){ .p = p, .len = (size_t)n });
	BIO_free(b);
	return n > 0;
}

bool
token_cert(struct str uri, struct text *out, struct text *why)
{
	bool is_good = false;
	X509 *cert;
	char *text;

	if (!has_engine(why))
		return false;
	text = str_dup(uri);
	cert = load_cert(text, why);
	if (cert != NULL)
		is_good = print_cert(cert, out);
	X509_free(cert);
	free(text);
	return is_good;
}

EVP_PKEY *
token_find(struct str name)
{
	EVP_PKEY *key = NULL;
	struct token *t;

	if (!str_starts(name, PREFIX))
		return NULL;
	pthread_mutex_lock(&lock);
	for (t = tokens; t != NULL && key == NULL; t = t->next)
		if (str_eq(str_of(t->name), name))
			key = t->key;
	if (key != NULL)
		EVP_PKEY_up_ref(key);
	pthread_mutex_unlock(&lock);
	return key;
}
