/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checksum, names, times, counts, with tabs between them.  Names have no tabs
 * and no control characters (see conn/uses.h).  The first line says since when
 * the ledger is kept.
 */

#include "admin/ledger_file.h"

#include "base/siphash.h"

#define SUM_DIGITS 16
#define OF_LEDGER 'l'

/* It guards against accidents only, so the key is no secret. */
static uint64_t
sum_of(struct str line)
{
	static const uint64_t key[2] = { 0x7a65677265737331, 1 };

	return siphash24(key, line.p, line.len);
}

static void
print_line(struct text *line, struct text *out)
{
	text_addf(out, "%016llx\t%s\n",
	    (unsigned long long)sum_of(text_str(line)), line->p);
	text_clear(line);
}

void
ledger_file_print(const struct uses *u, int64_t since_s, struct text *out)
{
	struct text line = TEXT_EMPTY;
	const struct use *e;
	unsigned i;

	text_addf(
	    &line, "%c\tzegress\t1\t\t%lld", OF_LEDGER, (long long)since_s);
	print_line(&line, out);
	for (e = u->table; e != NULL; e = e->hh.next) {
		text_add(&line, e->key);
		text_addf(&line, "\t%lld\t%lld", (long long)e->first_s,
		    (long long)e->last_s);
		for (i = 0; i < USE_COUNTS; i++) {
			text_add_char(&line, '\t');
			text_add_u64(&line, e->n[i]);
		}
		print_line(&line, out);
	}
	text_free(&line);
}

static bool
is_whole(struct str *line)
{
	static const char hex[] = "0123456789abcdef";
	uint64_t sum;
	unsigned i;

	if (line->len <= SUM_DIGITS || line->p[SUM_DIGITS] != '\t')
		return false;
	sum = sum_of(str_from(*line, SUM_DIGITS + 1));
	for (i = 0; i < SUM_DIGITS; i++)
		if (line->p[i] != hex[sum >> (60 - 4 * i) & 15])
			return false;
	*line = str_from(*line, SUM_DIGITS + 1);
	return true;
}

static bool
read_time(struct str *rest, int64_t *out)
{
	uint64_t n;

	if (!str_to_u64(str_cut(rest, '\t'), INT64_MAX / 1000, &n))
		return false;
	*out = (int64_t)n;
	return true;
}

static bool
read_use(struct str rest, const struct use_name *name, struct uses *u)
{
	uint64_t n[USE_COUNTS];
	int64_t first_s, last_s;
	unsigned i;

	if (!read_time(&rest, &first_s) || !read_time(&rest, &last_s))
		return false;
	for (i = 0; i < USE_COUNTS; i++)
		if (!str_to_u64(str_cut(&rest, '\t'), UINT64_MAX, &n[i]))
			return false;
	if (rest.p != NULL || last_s < first_s)
		return false;
	uses_add(u, name, first_s, last_s, n);
	return true;
}

static bool
read_line(struct str line, struct uses *u, struct ledger_read *out)
{
	struct use_name name = { .kind = '\0' };
	struct str kind;

	if (!is_whole(&line))
		return false;
	kind = str_cut(&line, '\t');
	name.service = str_cut(&line, '\t');
	name.identity = str_cut(&line, '\t');
	name.host = str_cut(&line, '\t');
	if (kind.len != 1)
		return false;
	name.kind = kind.p[0];
	if (name.kind == OF_LEDGER)
		return read_time(&line, &out->since_s);
	return (name.kind == USE_OF_SERVICE || name.kind == USE_OF_RULE) &&
	       read_use(line, &name, u);
}

void
ledger_file_read(struct str bytes, struct uses *u, struct ledger_read *out)
{
	*out = (struct ledger_read){ .good = 0 };
	while (bytes.len > 0) {
		if (read_line(str_cut(&bytes, '\n'), u, out))
			out->good++;
		else
			out->bad++;
	}
}
