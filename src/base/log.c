/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's own log.  A line is built on the stack and leaves in one
 * write(2), so that lines of several threads never mix and logging works when
 * memory is short.  The access log is not here: see conn/.  Any thread.
 */

#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_BYTES 4096

struct line {
	char p[LINE_BYTES];
	size_t len;
};

static const struct {
	const char *name;
	const char *priority; /* sd-daemon(3) */
} levels[] = {
	[LOG_ERROR] = { "error", "<3>" },
	[LOG_WARN] = { "warning", "<4>" },
	[LOG_INFO] = { "info", "<6>" },
	[LOG_DEBUG] = { "debug", "<7>" },
};

static _Atomic enum log_level most_level = LOG_INFO;
static pthread_once_t target_once = PTHREAD_ONCE_INIT;
static bool is_journal;

void
log_set_level(enum log_level most)
{
	atomic_store_explicit(&most_level, most, memory_order_relaxed);
}

enum log_level
log_get_level(void)
{
	return atomic_load_explicit(&most_level, memory_order_relaxed);
}

static void
look_at_target(void)
{
	is_journal = getenv("JOURNAL_STREAM") != NULL;
}

/* All of s or nothing: half an escape would say something else. */
static void
put(struct line *l, const char *s, size_t n)
{
	if (n > LINE_BYTES - 1 - l->len)
		return;
	memcpy(l->p + l->len, s, n);
	l->len += n;
}

static void
put_z(struct line *l, const char *s)
{
	put(l, s, strlen(s));
}

/* The length of the UTF-8 character at p, 0 if that is not one. */
static size_t
utf8_len(const unsigned char *p)
{
	size_t i, n;

	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	/* The end of the string is no continuation, so this stops there. */
	for (i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* C1 controls (U+0080 to U+009F) move a terminal as ESC [ does. */
	if (p[0] == 0xc2 && p[1] < 0xa0)
		return 0;
	return n;
}

/* What a peer or a file gave can neither end the line nor drive a terminal. */
static void
put_escaped(struct line *l, const char *s)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char c;
	size_t n;

	for (; (c = (unsigned char)*s) != '\0'; s += n) {
		n = c < 0x80 ? c >= ' ' && c != 0x7f
			     : utf8_len((const void *)s);
		if (n > 0) {
			put(l, s, n);
			continue;
		}
		n = 1;
		put(l, (char[]){ '\\', 'x', hex[c >> 4], hex[c & 15] }, 4);
	}
}

static void
start_line(struct line *l, enum log_level level)
{
	char at[CLOCK_TEXT];

	l->len = 0;
	pthread_once(&target_once, look_at_target);
	if (is_journal) {
		put_z(l, levels[level].priority);
		return;
	}
	clock_print(clock_wall_ms(), at);
	put_z(l, at);
	put_z(l, " ");
	put_z(l, levels[level].name);
	put_z(l, ": ");
}

void
log_at(enum log_level level, const char *object, const char *fmt, ...)
{
	char message[LINE_BYTES];
	struct line l;
	va_list ap;
	ssize_t ignored;

	if (level > log_get_level())
		return;
	va_start(ap, fmt);
	if (vsnprintf(message, sizeof(message), fmt, ap) < 0)
		message[0] = '\0';
	va_end(ap);
	start_line(&l, level);
	if (object != NULL) {
		put_escaped(&l, object);
		put_z(&l, ": ");
	}
	put_escaped(&l, message);
	l.p[l.len++] = '\n';
	/* A log that cannot be written leaves nobody to tell it to. */
	ignored = write(STDERR_FILENO, l.p, l.len);
	(void)ignored;
}

bool
log_limit_take(struct log_limit *l, uint64_t now_ms, unsigned interval_ms,
    unsigned burst, unsigned *kept_back)
{
	*kept_back = 0;
	if (l->said + l->kept_back == 0 ||
	    now_ms - l->since_ms >= interval_ms) {
		*kept_back = l->kept_back;
		*l = (struct log_limit){ .since_ms = now_ms };
	}
	if (l->said >= burst) {
		l->kept_back++;
		return false;
	}
	l->said++;
	return true;
}
