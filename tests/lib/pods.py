# SPDX-License-Identifier: LGPL-2.1-or-later
"""Network namespaces as tests of sandboxes' networks need them: pods, and a host of one's own."""

import functools
import os

import host
import netns
import tap
import testdriver
from netns import Pod
from tap import equal
from testdriver import TestDriverEnv

MAC = "02:00:00:00:00:0a"


def make_pod(env, name="pod"):
    """A namespace with one interface."""
    pod = Pod(env.path(env.new_id(name)))
    pod.add_veth("host-" + os.path.basename(pod.path), mac=MAC, mtu=1400)
    pod.ip("addr", "add", "10.88.0.2/24", "dev", "eth0")
    pod.ip("route", "add", "default", "via", "10.88.0.1")
    env.pods.append(pod)
    return pod


def create(env, pod, sid="box", **changes):
    document = netns.document(pod.path, ["sleep", "1000"], **changes)
    return env.manager.create_sandbox(sid, env.bundles.make(document=document))


def taps_in(pod):
    return [name for name in pod.links() if name.startswith("vp")]


def check_clean(pod):
    equal((taps_in(pod), pod.qdiscs(), host.interfaces()), ([], [], []), "taps in the pod, qdiscs, taps on the host")


class NetworkEnv(TestDriverEnv):
    """With a network namespace of its own that is the host's: no test sees another's interfaces."""

    def __init__(self):
        super().__init__()
        self.pods = []

    def start(self):
        host.own_network_namespace()
        super().start()

    def remove_pods(self):
        for pod in self.pods:
            pod.remove()
        self.pods.clear()


def with_pods(test):
    """The namespaces of a test go with it."""
    @functools.wraps(test)
    def wrapper(env):
        try:
            test(env)
        finally:
            env.remove_pods()
    return wrapper


def main(names):
    """Runs those of @names, a module's, that are tests."""
    if not os.path.exists("/dev/net/tun"):
        tap.skip_all("there is no /dev/net/tun")
    testdriver.main([with_pods(value) for name, value in list(names.items()) if name.startswith("test_")], NetworkEnv())
