/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of services about client certificates.  Whether anything is there,
 * and fits, is found when it is read: see key_files.c.  Main thread.
 */

#include <stdlib.h>

#include "daemon/key_source.h"
#include "daemon/service_reading.h"

static void
check_source(
    const struct service_reading *r, enum service_option o, struct str source)
{
	struct text why = TEXT_EMPTY;
	char *text = str_dup(source);

	if (!key_source_check(text, &why))
		service_reading_tell(r, PROBLEM_ERROR, o, "%s", why.p);
	free(text);
	text_free(&why);
}

void
config_check_keys(
    const struct service_reading *r, const struct service_options *o)
{
	if ((o->tls_cert.len > 0) != (o->tls_key.len > 0))
		service_reading_tell(r, PROBLEM_ERROR,
		    o->tls_cert.len > 0 ? SERVICE_OPTION_TLS_CERT
					: SERVICE_OPTION_TLS_KEY,
		    "wants tls.cert and tls.key, which belong together, in "
		    "the same entry");
	check_source(r, SERVICE_OPTION_TLS_CERT, o->tls_cert);
	check_source(r, SERVICE_OPTION_TLS_KEY, o->tls_key);
}
