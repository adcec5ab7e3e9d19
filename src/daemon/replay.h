/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_REPLAY_H
#define DAEMON_REPLAY_H

/*
 * `zegressctl replay`: the decisions that an access log tells of, made again
 * under other resources.  Needs no running daemon.  Main thread.
 */

#include <stdbool.h>

enum replay_result {
	REPLAY_SAME,
	REPLAY_CHANGED,
	REPLAY_FAILED /* also: some resources are refused */
};

struct replay_options {
	const char *log;       /* "-": standard input */
	const char *resources; /* NULL: those of the configuration */
	const char *config;
	bool may_lack_config; /* then all is as by default */
};

/* What is found goes to standard output, what is wrong to standard error. */
enum replay_result replay(const struct replay_options *o);

#endif
