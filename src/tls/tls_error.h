/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_TLS_ERROR_H
#define TLS_TLS_ERROR_H

/* What OpenSSL's error queue of this thread means, for us and for people. */

#include "base/str.h"
#include "tls/wire_tls.h"

/*
 * Read and empty the queue; a sentence goes to why.  OTHER when it says
 * nothing that we know.
 */
enum tls_failure tls_error_take(struct text *why);

/* "bad_record_mac(20)"; nothing for one that we never send. */
void tls_error_name_alert(int alert, struct text *out);
/* What the peer means by it. */
void tls_error_explain_alert(int alert, struct text *why);

#endif
