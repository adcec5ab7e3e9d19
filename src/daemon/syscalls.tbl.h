/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * System calls, no guard: define ALLOWED and DEADLY, include, and they are
 * undefined again.  ALLOWED: the daemon, glibc, OpenSSL, c-ares, libevent and
 * libsystemd make it while serving.  DEADLY: nothing of ours ever makes it, so
 * whoever does is not us.  Any other one fails with EPERM.
 */

/* Memory. */
ALLOWED(brk) ALLOWED(madvise) ALLOWED(mmap) ALLOWED(mprotect) ALLOWED(mremap) ALLOWED(munmap)
/* Threads (those there are), time, signals. */
ALLOWED(futex) ALLOWED(set_robust_list) ALLOWED(rseq)
ALLOWED(gettid) ALLOWED(getpid) ALLOWED(tgkill) ALLOWED(sched_yield) ALLOWED(sched_getaffinity)
ALLOWED(clock_gettime) ALLOWED(clock_nanosleep) ALLOWED(nanosleep) ALLOWED(gettimeofday) ALLOWED(time)
ALLOWED(rt_sigaction) ALLOWED(rt_sigprocmask) ALLOWED(rt_sigreturn) ALLOWED(sigaltstack) ALLOWED(restart_syscall)
ALLOWED(exit) ALLOWED(exit_group) ALLOWED(prctl) ALLOWED(getrandom) ALLOWED(getrusage) ALLOWED(membarrier)
/* Who we are: asked for by OpenSSL and libsystemd. */
ALLOWED(getuid) ALLOWED(geteuid) ALLOWED(getgid) ALLOWED(getegid) ALLOWED(uname) ALLOWED(sysinfo)
ALLOWED(prlimit64) ALLOWED(getrlimit)
/* Files and directories: resources, secrets, identities, the access log. */
ALLOWED(open) ALLOWED(openat) ALLOWED(close) ALLOWED(read) ALLOWED(pread64) ALLOWED(readv) ALLOWED(write) ALLOWED(writev)
ALLOWED(fstat) ALLOWED(stat) ALLOWED(lstat) ALLOWED(newfstatat) ALLOWED(statx) ALLOWED(lseek) ALLOWED(getdents64)
ALLOWED(access) ALLOWED(faccessat) ALLOWED(faccessat2) ALLOWED(readlink) ALLOWED(readlinkat) ALLOWED(fadvise64)
ALLOWED(fcntl) ALLOWED(ioctl) ALLOWED(dup) ALLOWED(dup2) ALLOWED(dup3) ALLOWED(unlink) ALLOWED(unlinkat)
ALLOWED(fsync) ALLOWED(rename) ALLOWED(renameat) ALLOWED(renameat2)
ALLOWED(inotify_add_watch) ALLOWED(inotify_rm_watch)
/* Events. */
ALLOWED(epoll_create1) ALLOWED(epoll_ctl) ALLOWED(epoll_wait) ALLOWED(epoll_pwait) ALLOWED(epoll_pwait2)
ALLOWED(eventfd2) ALLOWED(pipe2) ALLOWED(poll) ALLOWED(ppoll) ALLOWED(select) ALLOWED(pselect6)
ALLOWED(timerfd_create) ALLOWED(timerfd_settime)
/* The network. */
ALLOWED(socket) ALLOWED(bind) ALLOWED(connect) ALLOWED(accept) ALLOWED(accept4) ALLOWED(shutdown)
ALLOWED(getsockname) ALLOWED(getpeername) ALLOWED(getsockopt) ALLOWED(setsockopt)
ALLOWED(sendto) ALLOWED(sendmsg) ALLOWED(sendmmsg) ALLOWED(recvfrom) ALLOWED(recvmsg) ALLOWED(recvmmsg)
ALLOWED(splice) ALLOWED(tee) ALLOWED(sendfile)

DEADLY(execve) DEADLY(execveat) DEADLY(fork) DEADLY(vfork) DEADLY(ptrace)
DEADLY(process_vm_readv) DEADLY(process_vm_writev) DEADLY(mount) DEADLY(umount2) DEADLY(pivot_root)
DEADLY(chroot) DEADLY(setns) DEADLY(unshare) DEADLY(bpf) DEADLY(userfaultfd) DEADLY(keyctl) DEADLY(add_key)
DEADLY(request_key) DEADLY(init_module) DEADLY(finit_module) DEADLY(delete_module) DEADLY(kexec_load)
DEADLY(open_by_handle_at) DEADLY(perf_event_open) DEADLY(setuid) DEADLY(setgid) DEADLY(setreuid)
DEADLY(setregid) DEADLY(setresuid) DEADLY(setresgid) DEADLY(setgroups) DEADLY(capset) DEADLY(personality)

#undef ALLOWED
#undef DEADLY
    /* clang-format on */
