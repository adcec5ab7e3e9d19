/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

/*
 * One event loop a thread, on libevent.  Everything of a loop belongs to its
 * thread, but for loop_post() and loop_stop().
 */

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct loop;

struct loop *loop_new(void) MUST_CHECK;
void loop_free(struct loop *l);
/* Until loop_stop(). */
void loop_run(struct loop *l);
/* One turn: what is due now, without waiting (tests and scenarios). */
void loop_turn(struct loop *l);
/* Any thread. */
void loop_stop(struct loop *l);

/* Milliseconds, monotonic, read once a turn. */
uint64_t loop_now_ms(const struct loop *l);

/*
 * Run fn(arg) in l's thread, soon, in order.  Any thread.  Never lost while
 * the loop lives; what is left when it is freed is run then.
 */
void loop_post(struct loop *l, void (*fn)(void *arg), void *arg);

/*
 * Run fn(arg) after the events of this turn: how an object that may still be
 * on the stack of its own callback is freed.  Own thread.
 */
void loop_later(struct loop *l, void (*fn)(void *arg), void *arg);

/* The longest turn since last asked, for the watchdog.  Any thread. */
uint64_t loop_longest_turn_ms(struct loop *l);

/*
 * A descriptor that is not a wire: listeners, sockets of DNS, inotify.  Level
 * triggered.  fn may stop and free it.  Zeroed memory is a stopped watch.
 */
struct watch {
	struct event ev;
	struct loop *loop;
	void (*fn)(void *arg, int fd, bool can_read, bool can_write);
	void *arg;
};
void watch_start(struct watch *w, struct loop *l, int fd, bool want_read,
    bool want_write, void (*fn)(void *, int, bool, bool), void *arg);
void watch_stop(struct watch *w);

/*
 * One deadline, by clock_ms().  Setting it later than it stands costs nothing:
 * it is moved only when it fires early, so a timer may be set for every byte.
 * Zeroed memory is a timer that is not set: stopping it is fine.
 */
struct timer {
	struct loop *loop;
	void (*fn)(void *arg);
	void *arg;
	uint64_t due_ms; /* 0: not set */
	uint64_t
	    armed_ms; /* its place in the loop's heap, never after due_ms */
	size_t at;    /* in the heap, from 1; 0: not there */
};
void timer_init(struct timer *t, struct loop *l, void (*fn)(void *), void *arg);
/* From now; replaces what was set. */
void timer_set(struct timer *t, uint64_t ms);
/*
 * Of ten seconds and more: up to about a second later, at a moment that many
 * share.  For what is set on every connection and matters on few.
 */
void timer_set_about(struct timer *t, uint64_t ms);
void timer_stop(struct timer *t);
/*
 * As timer_stop(), but its place in the loop stays, for one that is set again
 * soon: both are a store.  Before its memory goes it has to be stopped.
 */
void timer_pause(struct timer *t);
bool timer_is_set(const struct timer *t);

/*
 * The loop's scratch memory: big, shared by all its connections, and valid
 * only until the next call that fills the same one.
 */
enum scratch {
	SCRATCH_IN,    /* what was read from a socket */
	SCRATCH_PLAIN, /* what was decrypted */
	SCRATCH_OUT,   /* what is about to be written */
	SCRATCH_N
};
#define SCRATCH_ROOM 64 /* free bytes before and after each, for a record */
#define SCRATCH_SIZE (256 * 1024)
#define SCRATCH_BULK (1024 * 1024) /* what SCRATCH_IN alone has */
uint8_t *loop_scratch(struct loop *l, enum scratch which);

#endif
