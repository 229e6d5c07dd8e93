#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same with a libvirtd in a process of its own."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import tap
from env import Env
from tap import equal, eventually


def test_run(env):
    """a container runs"""
    result = env.run(["sh", "-c", "cat; exit 4"], stdin=b"through\n")
    equal((result.returncode, result.stdout), (4, b"through\n"), "result (%r)" % result.stderr)


def test_virsh_lists(env):
    """virsh lists the sandbox's domain"""
    sandbox = env.manager.create_sandbox(env.new_id(), env.bundle(["sleep", "1000"]))
    sandbox.start()
    equal(env.libvirt.domains(), [sandbox.get("DomainName")], "domains")
    sandbox.delete(force=True)
    # the call does not wait for libvirt's own clean-up
    eventually(lambda: env.libvirt.domains() == [], "domains gone after delete")
    env.no_leaks()


def test_destroyed_outside(env):
    """a domain that virsh destroys is noticed"""
    sid = env.new_id()
    sandbox = env.manager.create_sandbox(sid, env.bundle(["sleep", "1000"]))
    sandbox.start()
    container = env.manager.container(sid)
    container.start()
    env.libvirt.virsh("destroy", sandbox.get("DomainName"))
    equal(container.wait(), 137, "status")
    sandbox.delete(force=True)
    env.no_leaks()


def test_libvirtd_down(env):
    """without libvirtd: HypervisorUnavailable, and nothing is left behind"""
    sandbox = env.manager.create_sandbox(env.new_id(), env.bundle(["true"]))
    os.kill(env.libvirt.daemon_pid(), signal.SIGKILL)
    env.libvirt.process.wait(20)
    eventually(lambda: env.manager.get("HypervisorState") != "connected", "HypervisorState down")
    env.raises("HypervisorUnavailable", sandbox.start)
    sandbox.delete(force=True)
    equal(os.listdir(os.path.join(env.state_dir, "sandboxes")), [], "files")
    equal(env.manager.sandboxes(), [], "sandboxes")


def test_libvirtd_back(env):
    """when libvirtd is back, virtpodd finds it and a container runs"""
    env.libvirt.restart()
    eventually(lambda: env.manager.get("HypervisorState") == "connected", "HypervisorState connected", 60)
    equal(env.run(["true"]).returncode, 0, "status")


if __name__ == "__main__":
    ENV = Env(libvirt="libvirtd")
    ENV.require()
    tap.run([test_run, test_virsh_lists, test_destroyed_outside, test_libvirtd_down, test_libvirtd_back], ENV)
