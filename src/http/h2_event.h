/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_H2_EVENT_H
#define HTTP_H2_EVENT_H

/* The rows of h2_event.tbl.h as numbers: events first, abuses after them. */

enum h2_event {
#define H2_EVENT(id, ...) H2_##id,
#define H2_ABUSE(id, ...) H2_##id##_FLOOD,
#include "http/h2_event.tbl.h"
	H2_EVENT_N
};

enum h2_abuse {
#define H2_EVENT(...)
#define H2_ABUSE(id, ...) H2_ABUSE_##id,
#include "http/h2_event.tbl.h"
	H2_ABUSE_N
};

#endif
