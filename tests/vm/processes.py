#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Short processes and much output in a real guest: every status, signal and byte.

VIRTPOD_TEST_PROCESSES sets how many processes, VIRTPOD_TEST_MEGABYTES how much output;
`make soak` takes 1000 and 1024.
"""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import processes
import tap
from env import Env
from tap import equal
from testdriver import Pending

COUNT = int(os.environ.get("VIRTPOD_TEST_PROCESSES", "120"))
MEGABYTES = int(os.environ.get("VIRTPOD_TEST_MEGABYTES", "64"))

class Shared:
    """One guest for all of it."""

    sandbox = container = None


def test_start(env):
    """a sandbox whose container waits"""
    sid = env.new_id()
    Shared.sandbox = env.manager.create_sandbox(sid, env.bundle(["sleep", "100000"]))
    Shared.sandbox.start()
    Shared.container = env.manager.container(sid)
    Shared.container.start()


def test_processes(env):
    """exit statuses and signals of further processes, up to four at once"""
    began = time.monotonic()
    # busybox's shell ignores QUIT
    cases = processes.sample(processes.endings(deaf={signal.SIGQUIT}), COUNT)
    count = processes.run(Shared.container, cases, 4, lambda process: Pending(process, "Wait"))
    process = Shared.container.exec(["sleep", "100000"])
    process.kill("QUIT")
    equal(process.wait(), 131, "status of a process that got QUIT")
    print("# %d processes in %.1f s" % (count, time.monotonic() - began))


def test_random_output(env):
    """random bytes on stdout are those that the guest wrote"""
    began = time.monotonic()
    processes.random_output(Shared.container, MEGABYTES)
    print("# %d MiB in %.1f s" % (MEGABYTES, time.monotonic() - began))


def test_end(env):
    """all of this left nothing behind"""
    Shared.sandbox.delete(force=True)
    equal(env.manager.sandboxes(), [], "sandboxes")
    tap.eventually(lambda: env.libvirt.domains() == [], "no domain left")


if __name__ == "__main__":
    ENV = Env(libvirt="embed")
    ENV.require()
    tap.run([test_start, test_processes, test_random_output, test_end], ENV)
