/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_SHARED_BYTES_H
#define MODEL_SHARED_BYTES_H

/*
 * One copy of bytes that many documents hold alike: the same CA inline in
 * thousands of services, the path of their file.  Counted; overwritten when
 * nobody holds them any more, since they may be a key.  Main thread.
 */

#include "base/str.h"

/* A view, terminated, that lasts until it is dropped as often as taken. */
struct str shared_bytes_take(struct str bytes) MUST_CHECK;
void shared_bytes_drop(struct str taken);

#endif
