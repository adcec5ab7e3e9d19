/* SPDX-License-Identifier: Apache-2.0 */
/* Network namespaces by unshare(2), and all in them by iproute2. */

#include "support/two_hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const outside[] = {
	"ip link set lo up",
	"ip addr add 192.0.2.1/32 dev lo",
	"ip addr add 2001:db8:c::1/128 dev lo nodad",
	"ip addr add 10.9.0.1/24 dev wire0",
	"ip addr add 10.8.0.1/24 dev wire1",
	"ip addr add 2001:db8:9::1/64 dev wire0 nodad",
	"ip link set wire0 up",
	"ip link set wire1 up",
	/* Dropped also where a host forwards by default. */
	"ip -6 route add blackhole 2001:db8::/32",
};

static const char *const here[] = {
	"ip link set lo up",
	"ip addr add 10.9.0.2/24 dev wire0",
	"ip addr add 10.9.0.3/24 dev wire0",
	"ip addr add 10.8.0.2/24 dev wire1",
	"ip addr add 10.8.0.3/24 dev wire1",
	"ip addr add 2001:db8:9::2/64 dev wire0 nodad",
	"ip addr add 2001:db8:9::3/64 dev wire0 nodad",
	"ip link set wire0 up",
	"ip link set wire1 up",
	"ip route add 192.0.2.1 via 10.9.0.1 dev wire0 src 10.9.0.2 metric 1",
	"ip route add 192.0.2.1 via 10.8.0.1 dev wire1 src 10.8.0.2 metric 2",
	"ip route add 2001:db8:c::1 via 2001:db8:9::1 dev wire0 "
	"src 2001:db8:9::2",
};

bool
two_hosts_run(const char *command)
{
	int status = system(command);

	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
run_all(const char *const *commands, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!two_hosts_run(commands[i])) {
			(void)fprintf(stderr, "failed: %s\n", commands[i]);
			abort();
		}
}

/* A new one, in which the thread is; -1: not permitted. */
static int
enter_new(void)
{
	if (unshare(CLONE_NEWNET) != 0)
		return -1;
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

static void
go(int ns)
{
	if (setns(ns, CLONE_NEWNET) != 0) {
		perror("setns");
		abort();
	}
}

void
two_hosts_go_out(const struct two_hosts *h)
{
	go(h->outside);
}

void
two_hosts_go_in(const struct two_hosts *h)
{
	go(h->here);
}

/* Both wires, with an end on either side: names it by a process there. */
static bool
join(const struct two_hosts *h)
{
	char command[256];
	pid_t pid;
	bool ok;

	go(h->outside);
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)pause();
		_exit(0);
	}
	go(h->here);
	(void)snprintf(command, sizeof(command),
	    "for w in wire0 wire1; do ip link add $w type veth "
	    "peer name $w netns %d || exit 1; done 2>/dev/null",
	    (int)pid);
	ok = pid > 0 && two_hosts_run(command);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return ok;
}

bool
two_hosts_start(struct two_hosts *h, char why[256])
{
	h->outside = enter_new();
	if (h->outside != -1)
		h->here = enter_new();
	if (h->outside == -1 || h->here == -1) {
		(void)snprintf(why, 256,
		    "network namespaces are not permitted here (%s): run it "
		    "as root, or below unshare -r",
		    strerror(errno));
		return false;
	}
	if (access("/proc/thread-self/net/if_inet6", F_OK) != 0 ||
	    !two_hosts_run("ip -V >/dev/null 2>&1") || !join(h)) {
		(void)snprintf(why, 256,
		    "it wants iproute2, and a kernel with IPv6 and veth");
		return false;
	}
	go(h->outside);
	run_all(outside, sizeof(outside) / sizeof(outside[0]));
	go(h->here);
	run_all(here, sizeof(here) / sizeof(here[0]));
	return true;
}
