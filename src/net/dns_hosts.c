/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hosts(5): an address and its names a line.  Lines that make no sense are
 * passed over, as other readers of this file do.  A file that cannot be read
 * has no names.
 */

#include "net/dns_hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "net/dns_parse.h"

#define LOOK_MS 5000
/* A hosts file is not a database. */
#define NAMES_MOST 100000

struct host {
	UT_hash_handle hh;
	struct addr *addrs;
	size_t n;
	char name[];
};

struct dns_hosts {
	char *path;
	struct host *names;
	uint64_t looked_ms; /* 0: never */
	struct timespec changed;
	off_t size;
	ino_t inode;
};

static void
forget(struct dns_hosts *h)
{
	struct host *host, *next;

	HASH_ITER(hh, h->names, host, next)
	{
		HASH_DEL(h->names, host);
		free(host->addrs);
		free(host);
	}
}

static struct host *
get_host(struct dns_hosts *h, const char *name)
{
	size_t len = strlen(name);
	struct host *host;

	HASH_FIND(hh, h->names, name, len, host);
	if (host != NULL || HASH_COUNT(h->names) >= NAMES_MOST)
		return host;
	host = xcalloc(1, sizeof(*host) + len + 1);
	memcpy(host->name, name, len + 1);
	HASH_ADD_KEYPTR(hh, h->names, host->name, len, host);
	return host;
}

static void
add_name(struct dns_hosts *h, struct str word, const struct addr *a)
{
	char name[DNS_NAME_TEXT];
	struct host *host;

	if (!dns_name_fold(word, name))
		return;
	host = get_host(h, name);
	if (host == NULL || host->n == DNS_ADDRS_MOST)
		return;
	host->addrs = xreallocarray(host->addrs, host->n + 1, sizeof(*a));
	host->addrs[host->n++] = *a;
}

static struct str
next_word(struct str *line)
{
	size_t n = 0;
	struct str word;

	*line = str_trim(*line);
	while (n < line->len && line->p[n] != ' ' && line->p[n] != '\t')
		n++;
	word = str_first(*line, n);
	*line = str_from(*line, n);
	return word;
}

static void
add_line(struct dns_hosts *h, struct str line)
{
	struct str rest = str_cut(&line, '#'), word = next_word(&rest);
	struct addr a;

	if (!addr_parse(word, 0, &a))
		return;
	while ((word = next_word(&rest)).len > 0)
		add_name(h, word, &a);
}

static void
load(struct dns_hosts *h)
{
	FILE *f = fopen(h->path, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	forget(h);
	if (f == NULL)
		return;
	while ((n = getline(&line, &cap, f)) > 0)
		add_line(h, (struct str){ .p = line, .len = (size_t)n });
	free(line);
	fclose(f);
}

static void
look(struct dns_hosts *h, uint64_t now_ms)
{
	struct stat st = { .st_size = -1 };

	if (h->path == NULL ||
	    (h->looked_ms != 0 && now_ms < h->looked_ms + LOOK_MS))
		return;
	h->looked_ms = now_ms > 0 ? now_ms : 1;
	if (stat(h->path, &st) == -1)
		st = (struct stat){ .st_size = -1 };
	if (st.st_mtim.tv_sec == h->changed.tv_sec &&
	    st.st_mtim.tv_nsec == h->changed.tv_nsec && st.st_size == h->size &&
	    st.st_ino == h->inode)
		return;
	h->changed = st.st_mtim;
	h->size = st.st_size;
	h->inode = st.st_ino;
	load(h);
}

struct dns_hosts *
dns_hosts_new(const char *path)
{
	struct dns_hosts *h = xcalloc(1, sizeof(*h));

	if (path != NULL)
		h->path = xstrdup(path);
	return h;
}

void
dns_hosts_free(struct dns_hosts *h)
{
	if (h == NULL)
		return;
	forget(h);
	free(h->path);
	free(h);
}

size_t
dns_hosts_find(struct dns_hosts *h, uint64_t now_ms, const char *name,
    struct addr *addrs, size_t max)
{
	struct host *host;
	size_t n;

	look(h, now_ms);
	HASH_FIND(hh, h->names, name, strlen(name), host);
	if (host == NULL)
		return 0;
	n = host->n < max ? host->n : max;
	memcpy(addrs, host->addrs, n * sizeof(*addrs));
	return n;
}
