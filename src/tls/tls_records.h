/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_TLS_RECORDS_H
#define TLS_TLS_RECORDS_H

/*
 * Who seals and opens the records of open wires: OpenSSL, tls/record, or the
 * kernel.  One choice a process, made before the first context; and how many
 * wires each of them has now.  Any thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* In the order of the words of the option tls_records. */
enum tls_records {
	TLS_RECORDS_AUTO, /* what we trust and is fast: at present our own */
	TLS_RECORDS_OPENSSL,
	TLS_RECORDS_OWN,   /* wherever a connection allows it */
	TLS_RECORDS_KERNEL /* wherever it takes what our own would */
};

void tls_records_choose(enum tls_records r);
/* For people: "our own, AES-GCM by OpenSSL". */
void tls_records_print(struct text *out);
/* May a wire leave OpenSSL after its handshake? */
bool tls_records_may_be_own(void);
/* And from ours go to the kernel? */
bool tls_records_may_be_kernel(void);

/* An open wire changes from one to the other, begins, or ends. */
enum tls_engine {
	TLS_ENGINE_OPENSSL,
	TLS_ENGINE_OWN,     /* whoever does the cipher */
	TLS_ENGINE_KERNEL,  /* it seals at least */
	TLS_ENGINE_IPSEC_MB /* of OWN, the ones that it does it for */
};
void tls_engine_add(enum tls_engine e);
void tls_engine_remove(enum tls_engine e);
uint64_t tls_engine_wires(enum tls_engine e);

#endif
