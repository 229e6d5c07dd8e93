#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""virtpodd where no libvirtd runs."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import tap
from env import Env
from tap import check, equal, eventually


class NoLibvirt(Env):
    """The socket of a libvirtd that does not run."""

    connected = False

    def uri(self):
        return "qemu+unix:///system?socket=" + self.path("no-libvirt-sock")


def test_serves(env):
    """virtpodd serves the bus and says that libvirt is not there"""
    eventually(lambda: env.manager.get("HypervisorState") in ("down", "connecting"), "state")
    equal(env.manager.get("LibvirtVersion"), 0, "libvirt's version")
    check(env.manager.get("Version"), "no version")


def test_start(env):
    """Start says HypervisorUnavailable and leaves nothing"""
    before = env.snapshot()
    try:
        sandbox = env.manager.create_sandbox("s", env.bundle())
    except Exception as error:
        check("HypervisorUnavailable" in str(error), "error: %s" % error)
    else:
        env.raises("HypervisorUnavailable", sandbox.start)
        sandbox.delete(force=True)
    equal(env.manager.sandboxes(), [], "sandboxes")
    env.no_leaks(before)


def test_client(env):
    """virtpod run says so too, with status 125"""
    result = env.run(["true"])
    equal(result.returncode, 125, "status")
    check(b"HypervisorUnavailable" in result.stderr, "stderr: %r" % result.stderr)
    equal(env.manager.sandboxes(), [], "sandboxes")


def test_ends(env):
    """and it ends at once when told to"""
    equal(env.stop_daemon(), 0, "status")
    env.start_daemon()


if __name__ == "__main__":
    ENV = NoLibvirt(libvirt="test")
    ENV.require()
    tap.run([test_serves, test_start, test_client, test_ends], ENV)
