#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The control groups that bundles name: whose they are, who may name one, and that they go. The machines of
libvirt's test driver have no processes; tests/clients/podman-stats.py has those that do."""

import glob
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bundle
import callers
import host
import tap
import testdriver
from gi.repository import GLib
from tap import check, equal
from testdriver import TestDriverEnv, eventually

GROUP = 54321
MEMBER = callers.User(2, (GROUP,))
TOP = "/virtpod-test.%d" % os.getpid()    # of control groups, which are the whole machine's


class Idle:
    """A process that stands for a container, or for nothing."""

    def __enter__(self):
        self.process = subprocess.Popen(["sleep", "100000"])
        self.option = {"standin-pid": GLib.Variant("u", self.process.pid)}
        return self

    def place(self, controller="memory"):
        return host.control_group_of(self.process.pid, controller)

    def __exit__(self, *_unused):
        self.process.kill()
        self.process.wait()


class GroupsEnv(TestDriverEnv):
    def document(self, path, args=("sleep", "100000"), **changes):
        document = bundle.spec(list(args), **changes)
        document["linux"]["cgroupsPath"] = path
        return document

    def make(self, path, sid=None, **options):
        return self.manager.create_sandbox(sid or self.new_id("s"), self.bundles.make(document=self.document(path)),
                                           **options)

    def stop(self):
        super().stop()
        host.remove_control_groups(TOP)


def there(path):
    return host.control_groups(TOP + path) != []


def resources(env, sandbox):
    return [(r["kind"], r["path"]) for r in env.record(sandbox)["resources"] if r["kind"].startswith("cgroup")]


def test_life(env):
    """made by a start, with what stands for the container in it; recorded; gone with the end"""
    with Idle() as standin:
        before = standin.place()
        sandbox = env.make(TOP + "/a/./life/", **standin.option)
        check(not there("/a/life"), "it is made by a start")
        sandbox.start()
        equal(standin.place(), TOP + "/a/life", "place")
        equal(resources(env, sandbox), [("cgroup", TOP + "/a/life")], "record")
        sandbox.stop(force=True)
        check(not there("/a/life"), "the group of what has ended")
        check(standin.place() != TOP + "/a/life" and before is not None, "place: %s" % standin.place())
        equal(resources(env, sandbox), [], "record")
        sandbox.delete(force=True)
    sandbox = env.make(TOP + "/a/life")
    sandbox.start()
    check(there("/a/life"), "once more")
    sandbox.delete(force=True)
    check(not there("/a/life"), "the group of what was deleted")


def test_another(env):
    """another container has one if something stands for it, and it goes with the container"""
    sandbox = env.make(TOP + "/b/own")
    sandbox.start()
    check(there("/b/own"), "the machine's")
    with Idle() as standin:
        document = env.document(TOP + "/b/other")
        other = sandbox.create_container("other", env.bundles.make(document=document), **standin.option)
        equal(standin.place(), TOP + "/b/other", "place")
        env.stop_daemon(kill=True)
        env.start_daemon()
        other = env.manager.container("other")
        eventually(lambda: other.get("State") == "created", "the container")
        other.delete(force=True)
        eventually(lambda: not there("/b/other"), "no group of a container that was deleted")
    plain = sandbox.create_container("plain", env.bundles.make(document=env.document(TOP + "/b/plain")))
    check(not there("/b/plain"), "a group for nothing")
    plain.delete(force=True)
    sandbox.delete(force=True)
    eventually(lambda: not there("/b/own"), "no group")


def test_killed(env):
    """the daemon killed, once while it is ready, once before its record is gone: the next one removes it"""
    sandbox = env.make(TOP + "/c/killed", sid="killed")
    sandbox.start()
    env.stop_daemon(kill=True)
    check(there("/c/killed"), "it outlives the daemon")
    env.start_daemon()
    check(there("/c/killed"), "it is the sandbox's")
    env.manager.sandbox("killed").delete(force=True)
    check(not there("/c/killed"), "deleted by another daemon")
    sandbox = env.make(TOP + "/c/unreadable", sid="unreadable")
    sandbox.start()
    record = os.path.join(env.directory(sandbox), "record.json")
    domain = sandbox.get("DomainName")
    env.stop_daemon(kill=True)
    with open(record, "w", encoding="ascii") as f:
        f.write("{")
    env.libvirt.destroy(domain)
    env.start_daemon()
    eventually(lambda: not there("/c/unreadable"), "no group of what cannot be read")


def test_somebodys(env):
    """a group with processes, or with groups, is left alone; so is what came into it meanwhile"""
    mounts = [name for name in glob.glob("/sys/fs/cgroup/memory/") + ["/sys/fs/cgroup/"]
              if os.path.exists(name + "cgroup.procs")]
    place = mounts[0].rstrip("/") + TOP + "/d/busy"
    os.makedirs(place)
    with Idle() as other:
        with open(place + "/cgroup.procs", "w", encoding="ascii") as f:
            f.write(str(other.process.pid))
        for path in ("/d/busy", "/d"):
            with Idle() as standin:
                sandbox = env.make(TOP + path, **standin.option)
                sandbox.start()
                equal(resources(env, sandbox), [], "record")
                check(standin.place() != TOP + path, "what stands for it is in " + path)
                sandbox.delete(force=True)
        equal(other.place(), TOP + "/d/busy", "place of a stranger")
    tap.eventually(lambda: host.control_groups(TOP + "/d/busy") == [] or not os.rmdir(place), "an empty group", 60)
    sandbox = env.make(TOP + "/d/mine")
    sandbox.start()
    with Idle() as other:
        with open(place.replace("busy", "mine") + "/cgroup.procs", "w", encoding="ascii") as f:
            f.write(str(other.process.pid))
        sandbox.delete(force=True)
        equal(other.place(), TOP + "/d/mine", "place of who came later")


def test_who(env):
    """others than root may create sandboxes, and name no control group"""
    path = env.bundles.make(document=env.document(TOP + "/e/theirs"))
    manager, interface = "/org/virtpod/Manager", "org.virtpod.Manager1"
    box = "/org/virtpod/sandbox/theirs"
    outcomes = callers.run(env.address, MEMBER, [
        (manager, interface, "CreateSandbox", "ssa{sv}", ["theirs", path, {}]),
        (box, "org.virtpod.Sandbox1", "Start", "a{sv}", [{}])])
    equal([outcome["name"] for outcome in outcomes], ["ok", "ok"], outcomes)
    check(not there("/e/theirs"), "a group by the wish of another user")
    env.manager.sandbox("theirs").delete(force=True)


def test_paths(env):
    """paths that lead elsewhere are refused or have no group; names that the kernel has for itself neither"""
    for path in ("/../x", "/a/../../x", ".."):
        env.raises("InvalidArgument", lambda path=path: env.make(path), "cgroupsPath")
    for path in ("/", "//./", "system.slice:virtpod:x", TOP + "/cgroup.procs", TOP + "/f/memory.max", TOP + "/x\ny"):
        sandbox = env.make(path)
        sandbox.start()
        equal(resources(env, sandbox), [], "record of %r" % path)
        sandbox.delete(force=True)
    check(not there("/f"), "a directory on the way to nothing")


def test_nothing_left(env):
    """no group is left but the directories above"""
    left = {name for name in host.control_groups(TOP) if "/" in name}
    equal(left, {"d/mine"}, "groups")    # the test's own stranger has kept it from going


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    if not any(os.access("/sys/fs/cgroup" + name + "/cgroup.procs", os.W_OK) for name in ("/memory", "")):
        tap.skip_all("no control groups can be made here")
    testdriver.main(TESTS, GroupsEnv(["--set", "daemon.group=%d" % GROUP, "--set", "daemon.orphan-grace-ms=300"],
                                     outlive=True))
