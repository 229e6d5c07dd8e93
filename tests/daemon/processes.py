#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A thousand short processes: every exit status, every signal, every byte.

VIRTPOD_TEST_PROCESSES sets how many (1000), VIRTPOD_TEST_MEGABYTES how much output
(64; "make soak": 1024).
"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import processes
import testdriver
from tap import equal
from testdriver import Pending, TestDriverEnv

COUNT = int(os.environ.get("VIRTPOD_TEST_PROCESSES", "1000"))
MEGABYTES = int(os.environ.get("VIRTPOD_TEST_MEGABYTES", "64"))


def wait(process):
    return Pending(process, "Wait")


def test_execs(env):
    """further processes of one container, one after the other and eight at once"""
    sandbox, container = env.start_sandbox()
    began = time.monotonic()
    cases = processes.sample(processes.endings(), COUNT)
    count = processes.run(container, cases[:COUNT // 4], 1, wait)
    count += processes.run(container, cases[COUNT // 4:], 8, wait)
    print("# %d processes in %.1f s" % (count, time.monotonic() - began))
    sandbox.delete(force=True)
    env.no_leaks(env.before)


def test_first_processes(env):
    """first processes of containers"""
    sandbox, _ = env.start_sandbox()
    for number, (command, wanted) in enumerate(processes.sample(processes.endings(), 40)):
        container = sandbox.create_container("c%d" % number, env.bundle(["sh", "-c", command]))
        container.start()
        equal(container.wait(), wanted, "status of " + command)
        equal(container.delete(), wanted, "status of Delete after " + command)
    sandbox.delete(force=True)
    env.no_leaks(env.before)


def test_random_output(env):
    """random bytes on stdout are those that the process wrote"""
    sandbox, container = env.start_sandbox()
    began = time.monotonic()
    processes.random_output(container, MEGABYTES)
    print("# %d MiB in %.1f s" % (MEGABYTES, time.monotonic() - began))
    sandbox.delete(force=True)
    env.no_leaks(env.before)


if __name__ == "__main__":
    testdriver.main([test_execs, test_first_processes, test_random_output], TestDriverEnv())
