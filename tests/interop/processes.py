# SPDX-License-Identifier: Apache-2.0
"""Starts other programs, waits for them, and ends every one of them."""

import contextlib
import socket
import subprocess
import time
import urllib.request

PIPE = subprocess.PIPE
# It ends with us, however we end.
WITH_US = ["setpriv", "--pdeathsig", "KILL"]

running = []
given = set()


def start(words, **streams):
    streams.setdefault("stdin", subprocess.DEVNULL)
    process = subprocess.Popen(WITH_US + [str(word) for word in words],
                               **streams)
    running.append(process)
    return process


def stop_all():
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    running.clear()


def free_port(address):
    """Never the same twice, although nobody listens on it yet."""
    while True:
        with socket.create_server((address, 0)) as holder:
            port = holder.getsockname()[1]
        if port not in given:
            given.add(port)
            return port


def looks(process, seconds):
    """One look after another, while there is time and the process lives."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        yield
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)


def wait_until_ready(process, url, seconds=30):
    for _ in looks(process, seconds):
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
    if process.returncode is not None:
        raise RuntimeError(f"{process.args[3]} ended: {process.returncode}")
    raise RuntimeError(f"{url} is not ready after {seconds} s")
