/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_WEB_SOCKET_H
#define SUPPORT_WEB_SOCKET_H

/* As much of RFC 6455 as a test needs: the handshake's key, whole frames. */

#include <stdbool.h>

#include "support/bytes.h"

enum ws_opcode { WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9 };

/* Of the handshake in section 1.3, and what is answered to it. */
#define WS_KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define WS_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

/* Base64 of a SHA-1, and a NUL. */
#define WS_ACCEPT_TEXT 29

/* What a server answers to a key (section 4.2.2). */
void ws_accept(const char *key, char out[WS_ACCEPT_TEXT]);
/* A client masks. */
void ws_add(struct bytes *to, enum ws_opcode op, bool is_masked, const void *p,
    size_t n);
/* A whole frame from the front, unmasked, to the end of payload. */
bool ws_take(struct bytes *from, enum ws_opcode *op, struct bytes *payload);
/* Every whole text that came goes back, as a server sends it. */
void ws_echo(struct bytes *from, struct bytes *to);

#endif
