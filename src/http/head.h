/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

/*
 * The head of a message, neutral to the version of HTTP: control data and
 * fields as ranges of the bytes they came in, plus edits (RFC 9110).  Nothing
 * is copied.  A head is valid until its stream's next pull_head(); in a tunnel,
 * until its pull_body().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Fields that the gateway itself looks at; everything else is FIELD_OTHER. */
enum field_id {
#define FIELD(id, name, flags) FIELD_##id,
#include "http/field.tbl.h"
	FIELD_OTHER
};

struct field {
	enum field_id id;
	bool is_removed;
	/* Not for compression tables, on any hop (RFC 7541, section 7.1.3). */
	bool is_secret;
	struct str name;  /* as written; lower case from HTTP/2 */
	struct str value; /* trimmed */
};

enum body_kind {
	BODY_NONE,
	BODY_LENGTH,   /* content_length bytes */
	BODY_STREAMED, /* of unknown length, ended in order (chunked, h2) */
	BODY_TO_CLOSE, /* an HTTP/1 response that ends with the connection */
	BODY_TUNNEL    /* bytes of another protocol, until either side ends */
};

/* The most fields a message may have (limits.headers may be less). */
#define HEAD_FIELDS_MAX 128
#define HEAD_ADDED_MAX 16

struct head {
	bool is_request;
	uint8_t minor; /* of HTTP/1.x; 1 for HTTP/2 */
	struct str method;
	struct str scheme;    /* empty in HTTP/1 origin-form */
	struct str authority; /* Host or :authority; edits go here */
	bool has_host;
	struct str path; /* origin-form target, or "*" */
	uint16_t status;
	struct str reason;
	enum body_kind body;
	uint64_t content_length;
	/* It was given; the answer to HEAD has one without having a body. */
	bool has_length;
	bool expects_continue;
	bool
	    wants_close; /* Connection: close, or HTTP/1.0 without keep-alive */
	bool is_head_request; /* the response has no body whatever it says */
	/*
	 * The protocol that a request asks to go on with, or an answer agrees
	 * to: one token of Upgrade that Connection names (RFC 9110, section
	 * 7.8), or :protocol of an extended CONNECT (RFC 8441), whose method is
	 * CONNECT here.  Empty: none.  Writers say it in their version's way.
	 * HTTP/1.1: an Upgrade that says more than that, or that Connection
	 * does not name, leaves it empty and is still among the fields.
	 */
	struct str upgrade;
	bool takes_trailers; /* TE: trailers; writers say it again */
	/*
	 * n_fields; the stream's memory.  Not to be changed: remove and add, so
	 * that a writer may copy neighbours as they stand (has_lines).
	 */
	struct field *fields;
	size_t n_fields;
	bool has_lines; /* fields point into lines as HTTP/1.1 writes them */
	size_t n_added;
	struct field added[HEAD_ADDED_MAX]; /* name and value live elsewhere */
};

/* Everything empty; the fields' memory is given later. */
void head_init(struct head *h);
/* FIELD_OTHER unless it is in the table; any case.  name is a token. */
enum field_id field_id_of(struct str name);
/* In lower case; not of FIELD_OTHER.  For ever. */
struct str field_name(enum field_id id);
/* Each message has its own: of no use in compression tables. */
bool field_is_unique(const struct field *f);
/* Concerns one connection only (RFC 9110, section 7.6.1). */
bool field_is_hop_by_hop(enum field_id id);
/* Not removed, and fit for trailers (RFC 9110, section 6.5.1). */
bool field_may_trail(const struct field *f);

/* Writers pass it over: it is removed, or they say it in their own way. */
static inline bool
field_is_unwritten(const struct head *h, const struct field *f)
{
	if (f->is_removed)
		return true;
	if (f->id == FIELD_OTHER)
		return false;
	return f->id == FIELD_CONTENT_LENGTH || field_is_hop_by_hop(f->id) ||
	       (f->id == FIELD_HOST && h->is_request);
}

/* False also for a Content-Length of 0: nothing follows the head. */
bool head_has_body(const struct head *h);
/* The first that is not removed; p is NULL without it. */
struct str head_get(const struct head *h, enum field_id id);
void head_remove(struct head *h, enum field_id id);
void head_remove_name(struct head *h, struct str name);
/* name and value must live as long as the head; HEAD_ADDED_MAX at once. */
void head_add(struct head *h, struct str name, struct str value);
/*
 * Remove hop-by-hop fields and those that Connection names (RFC 9110, section
 * 7.6.1), Upgrade and TE included (upgrade and takes_trailers stay);
 * Transfer-Encoding and Content-Length are framing and written anew.
 * wants_close is forgotten with them: it spoke of the connection that the
 * message came by.
 */
void head_remove_hop_by_hop(struct head *h);

#endif
