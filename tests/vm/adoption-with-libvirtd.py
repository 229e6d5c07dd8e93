#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Adoption with a libvirtd in a process of its own: what libvirt is asked at in
adoption.py, and what can be only then: libvirtd ends as well, and others pause,
resume and destroy machines."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import adoption
import tap
from tap import equal, eventually


def restart_both(env):
    """The daemon and libvirtd are killed, and come back in that order."""
    env.stop_daemon(kill=True)
    env.libvirt.kill(signal.SIGKILL)
    env.connected = False
    env.start_daemon()
    env.connected = True
    equal(env.manager.get("HypervisorState") == "connected", False, "connected")
    env.libvirt.restart()
    eventually(lambda: env.manager.get("HypervisorState") == "connected", "libvirt connection", 60)


def test_both_killed(env):
    """libvirtd killed with the daemon, and back after it: adopted, and so is what was paused"""
    for paused in (False, True):
        sid = "both%d" % paused
        sandbox = adoption.start_counter(env, sid)
        pid = sandbox.get("HypervisorPid")
        if paused:
            sandbox.call("Pause")
        restart_both(env)
        eventually(lambda: sid in [row[0] for row in env.manager.sandboxes()], "the sandbox", 60)
        sandbox = env.manager.sandbox(sid)
        eventually(lambda: sandbox.get("State") == ("paused" if paused else "ready"), "its state", 60)
        equal(sandbox.get("HypervisorPid"), pid, "the same process")
        if paused:
            adoption.goes_on(env, sid)
        else:
            # it is shown as soon as libvirt says that its machine runs
            eventually(lambda: sandbox.get("AgentState") == "ready", "its agent", 60)
            adoption.after_restart(env, sid)
        adoption.end_counter(env, sid)
    env.no_leaks()


def test_changed_outside(env):
    """paused or resumed by somebody else while no daemon runs: it is what libvirt says it is"""
    sandbox = adoption.start_counter(env, "outside")
    name = sandbox.get("DomainName")
    env.stop_daemon(kill=True)
    equal(env.libvirt.virsh("suspend", name).returncode, 0, "suspend")
    env.start_daemon()
    equal(env.manager.sandbox("outside").get("State"), "paused", "state")
    adoption.goes_on(env, "outside")
    env.manager.sandbox("outside").call("Pause")
    env.stop_daemon(kill=True)
    equal(env.libvirt.virsh("resume", name).returncode, 0, "resume")
    env.start_daemon()
    adoption.after_restart(env, "outside")
    adoption.end_counter(env, "outside")
    env.no_leaks()


def test_destroyed_outside(env):
    """destroyed by somebody else while no daemon runs: lost"""
    sandbox = env.manager.create_sandbox("gone", env.bundle(["sleep", "1000"]))
    sandbox.start()
    env.manager.container("gone").start()
    name = sandbox.get("DomainName")
    env.stop_daemon(kill=True)
    equal(env.libvirt.virsh("destroy", name).returncode, 0, "destroy")
    env.start_daemon()
    equal(env.manager.sandbox("gone").get("State"), "lost", "state")
    equal(env.manager.container("gone").wait(), 137, "status")
    env.manager.sandbox("gone").delete()
    env.no_leaks()


if __name__ == "__main__":
    ENV = adoption.ManagedEnv(libvirt="libvirtd")
    ENV.require()
    ALL = [adoption.test_start, adoption.test_kill, adoption.test_exit_meanwhile, adoption.test_paused,
           test_both_killed, test_changed_outside, test_destroyed_outside]
    tap.run([test for test in ALL if not sys.argv[1:] or test.__name__ in sys.argv[1:]], ENV)
