/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_KERNEL_TLS_H
#define TLS_KERNEL_TLS_H

/*
 * TLS records by the Linux kernel, on a socket that is connected: whether this
 * one has it, keys for either direction, and how to tell records apart.  What
 * to do with it is for wire_tls_kernel.  Any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"
#include "net/wire_tagged.h"
#include "tls/record_key.h"

/* Asked of the kernel once; false: why says so, and what helps. */
bool kernel_tls_is_there(struct text *why) MUST_CHECK;

/*
 * The direction that k is for (k->is_sealing) is the kernel's from here on,
 * with the key, the IV and the number of the next record of k.  Once more is a
 * change of keys.  0, or an errno and nothing has changed.
 */
int kernel_tls_start(int fd, const struct record_key *k) MUST_CHECK;

/*
 * Can this kernel change keys (Linux 6.14)?  Learnt from the first connection
 * of TLS 1.3: one whose k, for sending, was just set.
 */
void kernel_tls_learn(int fd, const struct record_key *k);
bool kernel_tls_can_renew(void);

/* Of the next record; false: this kernel does not tell. */
bool kernel_tls_number(int fd, const struct record_key *k, uint64_t *out);

extern const struct wire_tagging kernel_tls_tagging;

/* The key as the kernel wants it, for tests; its length, 0: not built in. */
#define KERNEL_TLS_KEY_MOST 64
size_t kernel_tls_key(
    const struct record_key *k, uint8_t out[KERNEL_TLS_KEY_MOST]);

#endif
