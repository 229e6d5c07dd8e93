#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# alone: a guest has half a minute to answer
"""What goes wrong with the guest: no kernel, one that never answers, a program that is not there."""

import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bundle
import env as environment
import tap
from env import Env
from tap import equal, took


class State:
    path = None


def failed_start(env, name, pattern):
    """A sandbox whose start fails with @name leaves nothing but itself, and that can be deleted."""
    sid = env.new_id()
    sandbox = env.manager.create_sandbox(sid, env.bundle(["true"]))
    started = time.monotonic()
    env.raises(name, sandbox.start, pattern)
    duration = time.monotonic() - started
    equal(sandbox.get("State"), "failed", "state")
    tap.eventually(lambda: env.libvirt.domains() == [], "no domain left")
    sandbox.delete()
    env.no_leaks()
    return duration


def bad_program(env, program, name, pattern):
    """The sandbox's start or the container's fails with @name; nothing stays."""
    sid = env.new_id()
    sandbox = env.manager.create_sandbox(sid, env.bundle([program]))

    def start():
        sandbox.start()
        env.manager.container(sid).start()

    try:
        env.raises(name, start, pattern)
    finally:
        sandbox.delete(force=True)
    env.no_leaks()


def test_before(env):
    """a good run before: libvirt and GLib keep what they made"""
    equal(env.run(["true"]).returncode, 0, "status")


def test_no_such_program(env):
    """a program that is not in the root file system: CommandNotFound"""
    bad_program(env, "/bin/no-such-program", "CommandNotFound", "no-such-program")


def test_not_executable(env):
    """a file that is not executable: CommandNotExecutable"""
    bad_program(env, "/etc/not-executable", "CommandNotExecutable", "not-executable")


def test_no_stream(env):
    """a stream path that does not exist: NotFound, and the message names it"""
    sid = env.new_id()

    def start():
        env.manager.create_sandbox(sid, env.bundle(["true"]), **{"stdout-path": env.path("no-such-fifo")}).start()
        env.manager.container(sid).start()

    try:
        env.raises("NotFound", start, "no-such-fifo")
    finally:
        env.virtpod("delete", "--force", sid)
    env.no_leaks()


def test_short_deadline(env):
    """a start that may take 300 ms: TimedOut, and nothing is left"""
    sandbox = env.manager.create_sandbox(env.new_id(), env.bundle(["true"]))
    started = time.monotonic()
    try:
        env.raises("TimedOut", lambda: sandbox.start(timeout_usec=300000))
        took(started, 15, "a start that may take 300 ms")
    finally:
        sandbox.delete(force=True)
    env.no_leaks()


def test_no_kernel(env):
    """a guest kernel that is missing: NotFound, and the message names the file"""
    os.rename(os.path.join(State.path, "vmlinux"), os.path.join(State.path, "gone"))
    try:
        failed_start(env, "NotFound", "vmlinux")
    finally:
        os.rename(os.path.join(State.path, "gone"), os.path.join(State.path, "vmlinux"))


def test_no_initrd(env):
    """a guest image that is missing: NotFound, and the message names the file"""
    os.rename(os.path.join(State.path, "initrd.img"), os.path.join(State.path, "gone"))
    try:
        failed_start(env, "NotFound", "initrd.img")
    finally:
        os.rename(os.path.join(State.path, "gone"), os.path.join(State.path, "initrd.img"))


def failed_image(env, names, seconds):
    """A start with the image as it is fails with one of @names in time and leaves nothing."""
    sandbox = env.manager.create_sandbox(env.new_id(), env.bundle(["true"]))
    started = time.monotonic()
    try:
        env.raises(names, sandbox.start)
        took(started, seconds, "the start")
        equal(sandbox.get("State"), "failed", "state")
    finally:
        sandbox.delete(force=True)
    env.no_leaks()


def other_initrd(data):
    """Puts @data in the image's place; returns what brings the good one back."""
    path = os.path.join(State.path, "initrd.img")
    os.rename(path, path + ".good")
    with open(path, "wb") as f:
        f.write(data)
    return lambda: os.rename(path + ".good", path)


def test_panic(env):
    """a guest that panics: an error at once"""
    restore = other_initrd(b"not an archive\n" * 100)
    try:
        failed_image(env, ("AgentUnavailable", "HypervisorFailed"), 28)
    finally:
        restore()


def test_silent_guest(env):
    """a guest that never answers: TimedOut after the deadline"""
    tree = os.path.join(State.path, "tree")
    os.makedirs(os.path.join(tree, "bin"))
    shutil.copy(bundle.busybox(), os.path.join(tree, "bin/busybox"))
    with open(os.path.join(tree, "init"), "w", encoding="ascii") as f:
        f.write("#!/bin/busybox sh\nexec /bin/busybox sleep 1000\n")
    os.chmod(os.path.join(tree, "init"), 0o755)
    archive = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=tree, input=b"bin\nbin/busybox\ninit\n",
                             stdout=subprocess.PIPE, check=True).stdout
    restore = other_initrd(archive)
    try:
        failed_image(env, ("TimedOut", "AgentUnavailable"), 80)
    finally:
        restore()


def test_after(env):
    """and a good run after"""
    equal(env.run(["true"]).returncode, 0, "status")
    env.no_leaks()


def copy_image():
    """The tests rename files of the image: they do it to a copy."""
    State.path = os.path.join("/var/tmp", "virtpod-test-image.%d" % os.getpid())
    os.mkdir(State.path)
    for name in ("vmlinux", "initrd.img", "manifest"):
        shutil.copy(os.path.join(environment.guest_image(), name), State.path)
    os.environ["VIRTPOD_GUEST_DIR"] = State.path


if __name__ == "__main__":
    ENV = Env(libvirt="embed", options=["--set", "agent.connect-timeout-ms=30000"])
    ENV.require()
    copy_image()
    try:
        tap.run([test_before, test_no_such_program, test_not_executable, test_no_stream, test_short_deadline,
                 test_no_kernel, test_no_initrd, test_panic, test_silent_guest, test_after], ENV)
    finally:
        shutil.rmtree(State.path)
