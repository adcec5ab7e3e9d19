/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zegressd: what the command line asks for.  ARCHITECTURE.md leads on from
 * here; the daemon itself begins in daemon.c.
 */

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/problem.h"
#include "daemon/daemon.h"
#include "daemon/paths.h"
#include "daemon/replay.h"
#include "daemon/validate.h"
#include "tls/tls_init.h"

static int
usage(FILE *to, int status)
{
	fputs("usage: zegressd [-f FILE] [-t] [-V] [-d]\n"
	      "       zegressd [-f FILE] [-R DIRECTORY] -r LOG\n"
	      "  -f FILE  read FILE instead of " DEFAULT_CONFIG "\n"
	      "  -t       check the configuration and every resource, and end\n"
	      "  -r LOG   decide again what an access log tells of, and end\n"
	      "  -R DIR   by the resources in DIR\n"
	      "  -V       print the version, and end\n"
	      "  -d       log more, for debugging\n",
	    to);
	return status;
}

static int
version(void)
{
	printf("zegressd %s\n%s\n", PACKAGE_VERSION, tls_library_version());
	return EXIT_SUCCESS;
}

static int
test(const char *config_path)
{
	struct problems pr = PROBLEMS_NONE;
	struct text line;
	bool is_good;
	size_t i;

	is_good = validate(config_path, &pr);
	for (i = 0; i < pr.n; i++) {
		line = TEXT_EMPTY;
		problem_print(&pr.v[i], &line);
		fprintf(stderr, "%s\n", line.p);
		text_free(&line);
	}
	problems_free(&pr);
	return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
decide_again(struct replay_options *o, const char *config_path)
{
	o->may_lack_config = config_path == NULL;
	o->config = config_path != NULL ? config_path : DEFAULT_CONFIG;
	switch (replay(o)) {
	case REPLAY_SAME:
		return EXIT_SUCCESS;
	case REPLAY_CHANGED:
		return 1;
	case REPLAY_FAILED:
		break;
	}
	return 2;
}

/*
 * What a reload took goes back to the system when it is freed: tables and
 * documents are blocks of this size, and libraries keep smaller ones between
 * them.  Unless it is set, glibc's bound grows with the blocks it meets.
 */
static void
map_large_blocks(void)
{
#ifdef M_MMAP_THRESHOLD
	(void)mallopt(M_MMAP_THRESHOLD, 64 * 1024);
#endif
}

int
main(int argc, char *argv[])
{
	const char *config_path = NULL;
	struct replay_options again = { .log = NULL };
	bool is_test = false;
	int c;

	while ((c = getopt(argc, argv, "f:tr:R:Vdh")) != -1)
		switch (c) {
		case 'f':
			config_path = optarg;
			break;
		case 't':
			is_test = true;
			break;
		case 'r':
			again.log = optarg;
			break;
		case 'R':
			again.resources = optarg;
			break;
		case 'V':
			return version();
		case 'd':
			log_set_level(LOG_DEBUG);
			break;
		case 'h':
			return usage(stdout, EXIT_SUCCESS);
		default:
			return usage(stderr, 2);
		}
	if (optind < argc)
		return usage(stderr, 2);
	if (again.log == NULL && again.resources != NULL)
		return usage(stderr, 2);
	if ((is_test || again.log != NULL) && log_get_level() < LOG_DEBUG)
		log_set_level(LOG_ERROR);
	if (again.log != NULL)
		return decide_again(&again, config_path);
	if (config_path == NULL)
		config_path = DEFAULT_CONFIG;
	map_large_blocks();
	return is_test ? test(config_path) : daemon_run(config_path);
}
