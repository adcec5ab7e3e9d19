/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zegressctl: a line to the daemon, and what it answers.  Besides, what
 * needs no daemon: connect, replay, and check where none runs.
 */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "base/xalloc.h"
#include "ctl/ask.h"
#include "ctl/connect.h"

#ifndef ZEGRESS_RUNSTATEDIR
#define ZEGRESS_RUNSTATEDIR "/run"
#endif
#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "development"
#endif
/* Beside EXIT_SUCCESS and EXIT_FAILURE. */
#define EXIT_USAGE 2
#define EXIT_NOBODY 3

#define DEFAULT_SOCKET ZEGRESS_RUNSTATEDIR "/zegress/control.sock"

static int
usage(FILE *to, int status)
{
	fputs("usage: zegressctl [-s SOCKET] COMMAND [ARGUMENT ...]\n"
	      "  -s SOCKET  the daemon's socket, if not " DEFAULT_SOCKET "\n"
	      "  -V         print the version, and end\n"
	      "commands of the daemon (zegressctl help lists them all):\n"
	      "  status, services, explain, conns, clusters, ledger, check,\n"
	      "  dump, grant, grants, reload, drain\n"
	      "without a daemon:\n"
	      "  check [-f FILE]  what is wrong with a configuration and its\n"
	      "                   resources, as zegressd -t\n"
	      "  connect ...      be a mesh caller (zegressctl connect "
	      "--help)\n"
	      "  replay LOG --resources DIR [--config FILE]\n"
	      "                   what an access log tells of, decided again\n"
	      "exit status: 0, 1 when the command failed, 2 for a wrong call, "
	      "3 without a daemon\n",
	    to);
	return status;
}

/* The daemon that was installed or built beside this program, else in PATH. */
static void
exec_daemon(char *const argv[])
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash, *path;

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		path = xasprintf("%.*s/zegressd", (int)(slash - self), self);
		execv(path, argv);
		free(path);
	}
	execvp("zegressd", argv);
	fprintf(stderr, "zegressctl: zegressd: %s\n", strerror(errno));
}

static int
exec_check(const char *file)
{
	char name[] = "zegressd", t[] = "-t", f[] = "-f";
	char *path = file != NULL ? xstrdup(file) : NULL;
	char *argv[] = { name, t, path != NULL ? f : NULL, path, NULL };

	exec_daemon(argv);
	free(path);
	return EXIT_FAILURE;
}

static char *
join(int n, char *const words[])
{
	struct text line = TEXT_EMPTY;
	int i;

	for (i = 0; i < n; i++)
		text_addf(&line, "%s%s", i > 0 ? " " : "", words[i]);
	return text_take(&line);
}

static int
ask_daemon(const char *socket_path, int n, char *const words[])
{
	char *line = join(n, words);
	enum ask_status s = ask(socket_path, line);
	int error = errno;

	free(line);
	switch (s) {
	case ASK_OK:
		return EXIT_SUCCESS;
	case ASK_FAILED:
	case ASK_BROKEN:
		return EXIT_FAILURE;
	case ASK_NOBODY:
		break;
	}
	fprintf(stderr, "zegressctl: %s: %s\n", socket_path, strerror(error));
	return EXIT_NOBODY;
}

/* A text has blanks, and the daemon takes all that follows for it. */
static int
grant(const char *socket_path, int argc, char *argv[])
{
	char **words = xcalloc((size_t)argc, sizeof(*words));
	int i, n = 0, status, reason = 0;

	for (i = 0; i < argc; i++) {
		if (strchr(argv[i], '\n') != NULL) {
			fputs(
			    "zegressctl: a line end in an argument\n", stderr);
			free(words);
			return EXIT_USAGE;
		}
		if (strcmp(argv[i], "--reason") == 0 && i + 1 < argc)
			reason = i++;
		else
			words[n++] = argv[i];
	}
	if (reason > 0) {
		words[n++] = argv[reason];
		words[n++] = argv[reason + 1];
	}
	status = ask_daemon(socket_path, n, words);
	free(words);
	return status;
}

/* The daemon is asked first, unless a file is named. */
static int
check(const char *socket_path, int argc, char *argv[])
{
	int status;

	if (argc == 3 && strcmp(argv[1], "-f") == 0)
		return exec_check(argv[2]);
	if (argc != 1)
		return usage(stderr, EXIT_USAGE);
	status = ask_daemon(socket_path, argc, argv);
	if (status != EXIT_NOBODY)
		return status;
	fputs("zegressctl: no daemon answers, so the files are checked\n",
	    stderr);
	return exec_check(NULL);
}

/* zegressd has what it takes to read resources. */
static int
replay(const char *socket_path, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "resources", required_argument, NULL, 'R' },
		{ "config", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	char name[] = "zegressd", r[] = "-r", f[] = "-f", dir[] = "-R";
	char *words[8] = { name };
	size_t n = 1;
	int c;

	(void)socket_path;
	optind = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if ((c != 'R' && c != 'f') || n > 3)
			return usage(stderr, EXIT_USAGE);
		words[n++] = c == 'R' ? dir : f;
		words[n++] = optarg;
	}
	if (optind != argc - 1)
		return usage(stderr, EXIT_USAGE);
	words[n++] = r;
	words[n] = argv[optind];
	exec_daemon(words);
	return EXIT_USAGE;
}

/* What this program does itself; all else is the daemon's. */
static const struct {
	const char *name;
	int (*run)(const char *socket_path, int argc, char *argv[]);
} commands[] = {
	{ "check", check },
	{ "connect", connect_main },
	{ "grant", grant },
	{ "replay", replay },
};

int
main(int argc, char *argv[])
{
	const char *socket_path = DEFAULT_SOCKET;
	size_t i;
	int c;

	while ((c = getopt(argc, argv, "+s:Vh")) != -1)
		switch (c) {
		case 's':
			socket_path = optarg;
			break;
		case 'V':
			printf("zegressctl %s\n", PACKAGE_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			return usage(stdout, EXIT_SUCCESS);
		default:
			return usage(stderr, EXIT_USAGE);
		}
	argc -= optind;
	argv += optind;
	if (argc < 1)
		return usage(stderr, EXIT_USAGE);
	for (i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[0], commands[i].name) == 0)
			return commands[i].run(socket_path, argc, argv);
	return ask_daemon(socket_path, argc, argv);
}
