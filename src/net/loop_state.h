/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_LOOP_STATE_H
#define NET_LOOP_STATE_H

/*
 * What a loop is made of: for the files of net/ that make up the loop, and for
 * those that register events of their own.  Nobody else includes this.
 */

#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/loop.h"
#include "net/pipe.h"

struct task {
	void (*fn)(void *arg);
	void *arg;
};

struct tasks {
	struct task *v;
	size_t n;
	size_t cap;
};

struct loop {
	struct event_base *base;

	/* Only these three are touched by other threads. */
	pthread_mutex_t lock;
	struct tasks posted;
	int wake_fd;
	struct event wake;
	atomic_bool is_stopping;
	_Atomic uint64_t longest_ms;

	uint64_t now_ms; /* 0 while nothing has happened in this turn */
	struct tasks later;

	/* A heap by armed_ms; libevent only knows when to wake us. */
	struct timer **timers;
	size_t n_timers;
	size_t cap_timers;
	struct event alarm;
	uint64_t alarm_ms; /* 0: not pending */

	uint8_t *scratch[SCRATCH_N];
	/* The buffer of a wire whose bytes wire_read() has handed out. */
	uint8_t *lent;
	size_t lent_cap;

	struct pipes pipes;
	size_t unsent; /* in the buffers of all wires */
};

/* Every event callback begins with this: the turn's time starts here. */
void loop_enter(struct loop *l);

void tasks_add(struct tasks *t, void (*fn)(void *arg), void *arg);
/* Run what is there now; what is added meanwhile stays. */
void tasks_run(struct tasks *t);

void loop_post_init(struct loop *l);
void loop_post_fini(struct loop *l);

void timers_init(struct loop *l);
void timers_fini(struct loop *l);
/* See that the loop wakes up for the first of them. */
void timers_arm(struct loop *l);
void timers_run(struct loop *l);

#endif
