#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sandboxes come and go twenty times: nothing stays behind."""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import host
import tap
from env import Env
from tap import check, equal, eventually, took

CYCLES = int(os.environ.get("VIRTPOD_TEST_CYCLES", "20"))


class State:
    before = None


def test_first(env):
    """one cycle before counting starts: libvirt and GLib keep what they made"""
    equal(env.run(["true"]).returncode, 0, "status")
    # the machine has ended when that is told; libvirt may not have cleared up behind it
    eventually(lambda: env.snapshot().domains == [], "no domains")
    State.before = env.snapshot()


def test_cycles(env):
    """create, start, exec, stop and delete"""
    for i in range(CYCLES):
        result = env.run(["sh", "-c", "echo %d" % i])
        equal((result.returncode, result.stdout), (0, b"%d\n" % i), "cycle %d (%r)" % (i, result.stderr))


def test_no_leaks(env):
    """no domain, mount, process, zombie, descriptor, file or interface is left"""
    check(State.before is not None, "no snapshot")
    env.no_leaks(State.before)


def test_create_delete(env):
    """sandboxes that never start leave nothing"""
    for _ in range(CYCLES):
        env.manager.create_sandbox(env.new_id(), env.bundle(["true"])).delete()
    env.no_leaks(State.before)


def test_cancelled_run(env):
    """virtpod run that is killed while the machine starts leaves a sandbox that delete removes"""
    sid = env.new_id()
    process = subprocess.Popen(env.client("run", "--bundle", env.bundle(["sleep", "1000"]), sid),
                               stdin=subprocess.DEVNULL, env=env.client_env())
    eventually(lambda: [s for s in env.manager.sandboxes() if s[1] == "starting"], "starting sandbox", 20)
    time.sleep(0.3)
    process.kill()
    process.wait()
    equal(env.virtpod("delete", "--force", sid).returncode, 0, "status of delete")
    env.no_leaks()


def test_lost_machine(env):
    """a hypervisor that is killed is noticed; delete removes the rest"""
    sid = env.new_id()
    sandbox = env.manager.create_sandbox(sid, env.bundle(["sleep", "1000"]))
    sandbox.start()
    container = env.manager.container(sid)
    container.start()
    os.kill(sandbox.get("HypervisorPid"), 9)
    equal(container.wait(), 137, "container's status")
    eventually(lambda: sandbox.get("State") in ("stopped", "failed", "lost"), "sandbox that does not run")
    env.raises("InvalidState", sandbox.ping)
    sandbox.delete(force=True)
    env.no_leaks()


def test_stop_needs_no_guest(env):
    """a guest that is stopped in its tracks can be stopped and deleted"""
    sid = env.new_id()
    sandbox = env.manager.create_sandbox(sid, env.bundle(["sleep", "1000"]))
    sandbox.start()
    env.manager.container(sid).start()
    os.kill(sandbox.get("HypervisorPid"), 19)
    started = time.monotonic()
    sandbox.stop(timeout_usec=1000000, force=True)
    took(started, 30, "Stop")
    sandbox.delete()
    env.no_leaks()


def test_daemon_stops(env):
    """virtpodd ends on TERM with status 0 and starts again"""
    equal(env.stop_daemon(), 0, "status")
    equal([m for m in host.mounts() if env.state_dir in m], [], "mounts")
    env.start_daemon()
    equal(env.run(["true"]).returncode, 0, "status of a run")


if __name__ == "__main__":
    ENV = Env(libvirt=os.environ.get("VIRTPOD_TEST_LIBVIRT", "embed"))
    ENV.require()
    tap.run([test_first, test_cycles, test_no_leaks, test_create_delete, test_cancelled_run, test_lost_machine,
             test_stop_needs_no_guest, test_daemon_stops], ENV)
