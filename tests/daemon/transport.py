#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A configuration that asks for a channel this host may not have."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import tap
from env import Env


def test_vsock_is_refused(env):
    """an agent over vsock on a host without: NotSupported naming key and source, and nothing is left"""
    if os.path.exists("/dev/vhost-vsock"):
        raise tap.Skip("this host has /dev/vhost-vsock")
    sandbox = env.manager.create_sandbox("v", env.bundle())
    env.raises("NotSupported", sandbox.start, r"command line: agent\.transport: the host has no /dev/vhost-vsock")
    sandbox.delete()
    env.no_leaks()


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    ENV = Env(libvirt="test", options=["--set", "agent.transport=vsock"])
    ENV.require()
    tap.run(TESTS, ENV)
