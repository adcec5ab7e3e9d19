/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bundle is 150 certificates and some milliseconds: it is read when the
 * first context needs it, and a thousand contexts share it.  A bundle that
 * could not be read is tried again by the next one who asks.  Any thread.
 */

#include "tls/system_store.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>

#include "tls/library.h"
#include "tls/pem.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static X509_STORE *shared;

static X509_STORE *
load(const char *path, struct text *why)
{
	X509_STORE *store = X509_STORE_new();

	if (store == NULL)
		abort();
	ERR_clear_error();
	if (X509_STORE_load_file_ex(store, path, library_ctx(), NULL) == 1)
		return store;
	ERR_clear_error();
	X509_STORE_free(store);
	text_addf(why, "the system's CA bundle %s cannot be read", path);
	return NULL;
}

X509_STORE *
system_store(struct text *why)
{
	const char *path = pem_ops.system_ca();
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
