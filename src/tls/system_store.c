/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bundle is 150 certificates and some milliseconds: it is read when the
 * first snapshot that needs it is built, and a thousand contexts share it.  A
 * bundle that could not be read is tried again by the next one who asks.  Any
 * thread.
 */

#include "tls/system_store.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/attr.h"
#include "tls/library.h"

/* The variable is OpenSSL's own, so that one setting serves every program. */
const char *
system_store_path(void)
{
	static const char *const paths[] = {
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/ca-bundle.pem",
		"/etc/pki/tls/cacert.pem",
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
		"/etc/ssl/cert.pem",
	};
	const char *env = secure_getenv("SSL_CERT_FILE");
	size_t i;

	if (env != NULL && *env != '\0')
		return env;
	for (i = 0; i < ARRAY_LEN(paths); i++)
		if (access(paths[i], R_OK) == 0)
			return paths[i];
	return NULL;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static X509_STORE *shared;

static X509_STORE *
load(const char *path, struct text *why)
{
	X509_STORE *store = X509_STORE_new();

	if (store == NULL)
		abort();
	ERR_clear_error();
	if (library_load_bundle(store, path))
		return store;
	ERR_clear_error();
	X509_STORE_free(store);
	text_addf(why, "the system's CA bundle %s cannot be read", path);
	return NULL;
}

X509_STORE *
system_store(struct text *why)
{
	const char *path = system_store_path();
	X509_STORE *store;

	if (path == NULL) {
		text_add(why, STR("this host has no CA bundle; install "
				  "ca-certificates or give caCert"));
		return NULL;
	}
	pthread_mutex_lock(&lock);
	if (shared == NULL)
		shared = load(path, why);
	store = shared;
	pthread_mutex_unlock(&lock);
	return store;
}
