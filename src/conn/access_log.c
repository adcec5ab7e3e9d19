/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns entries into lines and writes the lines of a turn together.  A line is
 * never split between two writes, so that several workers may append to one
 * file; what they write to a pipe or a terminal would mix, so there they take
 * turns.  The file is shared by all threads, a struct access_log is one's own.
 */

#include "conn/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/log.h"
#include "base/xalloc.h"

/* Lines of a turn are written when they are this many bytes. */
#define WRITE_AT (32 * 1024)

static const char *const names[] = {
#define LOG_FIELD(id, name, help) [LOG_##id] = name,
#include "conn/access_log.tbl.h"
};

/* A template is literal text and fields by turns. */
struct piece {
	struct str literal; /* before the field */
	int field;          /* -1: none, the end */
};

struct access_log_file {
	char *path; /* NULL: standard output */
	_Atomic int fd;
	_Atomic bool is_regular; /* else writers take turns */
	pthread_mutex_t turn;
	char *format; /* NULL: JSON */
	struct piece *pieces;
	size_t n_pieces;
};

struct access_log {
	struct access_log_file *file;
	struct loop *loop;
	struct text lines;
	bool is_due;
	struct log_limit complaints;
};

static int
field_find(struct str name)
{
	for (int i = 0; i < LOG_FIELD_N; i++)
		if (str_eq(name, str_of(names[i])))
			return i;
	return -1;
}

static void
add_piece(struct access_log_file *f, struct str literal, int field)
{
	f->pieces =
	    xreallocarray(f->pieces, f->n_pieces + 1, sizeof(*f->pieces));
	f->pieces[f->n_pieces++] =
	    (struct piece){ .literal = literal, .field = field };
}

/* %{field}; anything else stands for itself. */
static bool
parse_format(struct access_log_file *f, struct text *why)
{
	struct str rest = str_of(f->format);
	const char *from;

	while ((from = strstr(rest.p, "%{")) != NULL) {
		struct str name = str_from(rest, (size_t)(from - rest.p) + 2);
		struct str literal = str_first(rest, (size_t)(from - rest.p));
		ptrdiff_t end = str_index(name, '}');
		int field;

		if (end < 0) {
			text_add_z(why, "a %{ without its }");
			return false;
		}
		rest = str_from(name, (size_t)end + 1);
		name = str_first(name, (size_t)end);
		field = field_find(name);
		if (field < 0) {
			text_addf(
			    why, "no field is named \"%.*s\"", STR_ARG(name));
			return false;
		}
		add_piece(f, literal, field);
	}
	add_piece(f, rest, -1);
	return true;
}

static int
open_file(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

static void
note_kind(struct access_log_file *f)
{
	struct stat st;

	atomic_store(&f->is_regular,
	    fstat(atomic_load(&f->fd), &st) == 0 && S_ISREG(st.st_mode));
}

struct access_log_file *
access_log_open(const char *path, const char *format, struct text *why)
{
	struct access_log_file *f = xcalloc(1, sizeof(*f));

	atomic_init(&f->fd, -1);
	pthread_mutex_init(&f->turn, NULL);
	if (strcmp(format, "json") != 0) {
		f->format = xstrdup(format);
		if (!parse_format(f, why))
			goto fail;
	}
	if (strcmp(path, "stdout") == 0) {
		atomic_store(&f->fd, STDOUT_FILENO);
		note_kind(f);
		return f;
	}
	f->path = xstrdup(path);
	atomic_store(&f->fd, open_file(path));
	if (atomic_load(&f->fd) != -1) {
		note_kind(f);
		return f;
	}
	text_addf(why, "%s: %s", path, strerror(errno));
fail:
	access_log_close(f);
	return NULL;
}

bool
access_log_reopen(struct access_log_file *f)
{
	int fd;

	if (f->path == NULL)
		return true;
	fd = open_file(f->path);
	if (fd == -1)
		return false;
	/* Writers use the number; what it stands for changes under them. */
	if (dup3(fd, atomic_load(&f->fd), O_CLOEXEC) == -1) {
		(void)close(fd);
		return false;
	}
	(void)close(fd);
	note_kind(f);
	return true;
}

void
access_log_close(struct access_log_file *f)
{
	if (f == NULL)
		return;
	if (f->path != NULL && atomic_load(&f->fd) != -1)
		(void)close(atomic_load(&f->fd));
	pthread_mutex_destroy(&f->turn);
	free(f->path);
	free(f->format);
	free(f->pieces);
	free(f);
}

struct access_log *
access_log_new(struct access_log_file *f, struct loop *l)
{
	struct access_log *a = xcalloc(1, sizeof(*a));

	a->file = f;
	a->loop = l;
	return a;
}

bool
access_log_write_all(int fd, struct str s)
{
	ssize_t n;

	while (s.len > 0) {
		n = write(fd, s.p, s.len);
		if (n > 0)
			s = str_from(s, (size_t)n);
		else if (n == 0 || errno != EINTR)
			return false;
	}
	return true;
}

static bool
write_in_turn(struct access_log_file *f, struct str s)
{
	bool takes_turns = !atomic_load(&f->is_regular), is_written;
	int error;

	if (takes_turns)
		pthread_mutex_lock(&f->turn);
	is_written = access_log_write_all(atomic_load(&f->fd), s);
	error = errno;
	if (takes_turns)
		pthread_mutex_unlock(&f->turn);
	errno = error;
	return is_written;
}

static void
write_lines(struct access_log *a)
{
	unsigned kept_back;
	int error;

	a->is_due = false;
	if (a->lines.len == 0)
		return;
	if (!write_in_turn(a->file, text_str(&a->lines))) {
		error = errno;
		if (log_limit_take(&a->complaints, loop_now_ms(a->loop), 10000,
			1, &kept_back))
			log_error("access log", "lines were lost: %s",
			    strerror(error));
	}
	text_clear(&a->lines);
}

static void
on_turn_end(void *arg)
{
	write_lines(arg);
}

void
access_log_free(struct access_log *a)
{
	if (a == NULL)
		return;
	write_lines(a);
	text_free(&a->lines);
	loop_later(a->loop, free, a); /* after on_turn_end(), if that is due */
}

/* The longest that a byte can become. */
#define ESCAPED_MOST 6

static char *
put(char *to, struct str s)
{
	if (s.len > 0)
		memcpy(to, s.p, s.len);
	return to + s.len;
}

static bool
is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

#ifdef __SSE2__
/* A bit for each of 16 bytes that is not plain. */
static unsigned
find_others(const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	/* Signed, so bytes over 0x7f are below, too. */
	__m128i other = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));

	other = _mm_or_si128(other, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)));
	other = _mm_or_si128(other, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
	other = _mm_or_si128(other, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
	return (unsigned)_mm_movemask_epi8(other);
}
#endif

/* How many bytes are plain before the first that is not. */
static size_t
count_plain(struct str s)
{
	size_t i = 0;
#ifdef __SSE2__
	unsigned others = 0;

	for (; s.len - i >= 16 && others == 0; i += 16)
		others = find_others(s.p + i);
	/* The last 16 overlap those before. */
	if (others == 0 && i > 0 && i < s.len) {
		i = s.len;
		others = find_others(s.p + i - 16);
	}
	if (others != 0)
		return i - 16 + (size_t)__builtin_ctz(others);
#endif
	while (i < s.len && is_plain(s.p[i]))
		i++;
	return i;
}

static char *
put_escape(char *to, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	if (c == '"' || c == '\\') {
		*to++ = '\\';
		*to++ = (char)c;
		return to;
	}
	to = put(to, STR("\\u00"));
	*to++ = hex[c >> 4];
	*to++ = hex[c & 15];
	return to;
}

/* RFC 8259, section 7; bytes outside ASCII go as \u00xx of their value. */
static char *
put_escaped(char *to, struct str s)
{
	size_t n;

	for (;;) {
		n = count_plain(s);
		to = put(to, str_first(s, n));
		if (n == s.len)
			return to;
		to = put_escape(to, (unsigned char)s.p[n]);
		s = str_from(s, n + 1);
	}
}

void
access_log_escape(struct text *out, struct str s)
{
	char *to = text_reserve(out, s.len * ESCAPED_MOST);

	if (s.len > 0)
		out->len += (size_t)(put_escaped(to, s) - to);
}

static void
add_quoted(struct text *out, struct str key, struct str value)
{
	char *from = text_reserve(out, key.len + value.len * ESCAPED_MOST + 2);
	char *to = put(from, key);

	*to++ = '"';
	if (value.len > 0)
		to = put_escaped(to, value);
	*to++ = '"';
	out->len += (size_t)(to - from);
}

static void
add_json(struct text *out, const struct log_entry *e)
{
	static const struct str keys[] = {
#define LOG_FIELD(id, name, help) [LOG_##id] = STR(",\"" name "\":"),
#include "conn/access_log.tbl.h"
	};
	size_t begin = out->len;

	for (int i = 0; i < LOG_FIELD_N; i++) {
		if (e->has_number[i]) {
			text_add(out, keys[i]);
			text_add_u64(out, e->number[i]);
		} else if (e->text[i].p != NULL) {
			add_quoted(out, keys[i], e->text[i]);
		}
	}
	/* In place of the first comma. */
	if (out->len == begin)
		text_add_char(out, '{');
	else
		out->p[begin] = '{';
	text_add(out, STR("}\n"));
}

static void
add_template(struct text *out, const struct access_log_file *f,
    const struct log_entry *e)
{
	for (size_t i = 0; i < f->n_pieces; i++) {
		const struct piece *p = &f->pieces[i];

		text_add(out, p->literal);
		if (p->field < 0)
			break;
		if (e->has_number[p->field])
			text_add_u64(out, e->number[p->field]);
		else if (e->text[p->field].p != NULL)
			access_log_escape(out, e->text[p->field]);
		else
			text_add_char(out, '-');
	}
	text_add_char(out, '\n');
}

void
access_log_write(struct access_log *a, const struct log_entry *e)
{
	if (a->file->format == NULL)
		add_json(&a->lines, e);
	else
		add_template(&a->lines, a->file, e);
	if (a->lines.len >= WRITE_AT) {
		write_lines(a);
	} else if (!a->is_due) {
		a->is_due = true;
		loop_later(a->loop, on_turn_end, a);
	}
}
