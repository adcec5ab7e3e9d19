/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_WIRE_SOCK_H
#define NET_WIRE_SOCK_H

/* What the files that make up the socket below a wire share, and nobody else.
 */

#include "net/wire.h"

/* Note a failure; IO_FAIL. */
enum io wire_sock_read_failed(struct wire *w, int error);
enum io wire_sock_send_failed(struct wire *w, int error);
/* w goes, with what it has not sent. */
void wire_sock_forget(struct wire *w);
/* Send what is in w->pipe, and give it back when nothing is. */
enum io wire_sock_flush_pipe(struct wire *w);

#endif
