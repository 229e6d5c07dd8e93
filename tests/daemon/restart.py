#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A daemon that was killed, and its domains with it: the next one tells what became
of its sandboxes and cleans up. adoption.py is about domains that live on."""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import host
import testdriver
from tap import check, equal, match
from testdriver import Pending, TestDriverEnv, eventually


def directories(env):
    return sorted(os.listdir(os.path.join(env.state_dir, "sandboxes")))


def mounts(env):
    return [m for m in host.mounts() if env.dir in m]


def populate(env):
    """A sandbox in each state, one of them in the middle of its start; their ids."""
    created, _ = env.create(sid="created")
    ready, _ = env.start_sandbox(sid="ready", run=False)
    running, _ = env.start_sandbox(sid="running")
    running.create_container("second", env.bundle(["sleep", "1000"])).start()
    stopped, _ = env.start_sandbox(sid="stopped")
    stopped.stop()
    env.house.fail["CreateSandbox"] = ("INTERNAL", "no")
    failed, _ = env.create(sid="failed")
    env.raises("AgentFailed", failed.start)
    env.house.fail.clear()
    env.house.mute.add("CreateContainer")
    starting, _ = env.create(sid="starting")
    Pending(starting, "Start", "(a{sv})", {})
    agent = env.agent(starting)
    eventually(lambda: "CreateContainer" in agent.calls, "start under way")
    env.house.mute.clear()
    states = {row[0]: row[1] for row in env.manager.sandboxes()}
    equal(states, {name: name if name != "running" else "ready" for name in states}, "states")
    return sorted(states)


# what the next daemon finds of those of populate (), whose domains went with libvirt's test driver
AFTER = {"created": "created", "ready": "lost", "running": "lost", "stopped": "stopped", "failed": "failed",
         "starting": "failed"}


def told(env):
    """The new daemon tells what became of everything, and nothing of it is left but the records."""
    equal({row[0]: row[1] for row in env.manager.sandboxes()}, AFTER, "states")
    equal(mounts(env), [], "mounts")
    equal(env.manager.container("running").wait(), 137, "status of what ran")
    equal(env.manager.sandbox("running").wait(), 137, "status of its sandbox")
    eventually(lambda: not [p for p in env.snapshot().processes if "sleep 1000" in p and "virtpodd" not in p], "processes")


def clean(env):
    """Nothing is left; every id can be used again."""
    for row in env.manager.sandboxes():
        bus.Sandbox(env.manager.connection, row[-1]).delete(force=True)
    equal(env.manager.sandboxes(), [], "sandboxes")
    equal(directories(env), [], "directories")
    equal(mounts(env), [], "mounts")
    eventually(lambda: not env.house.agents, "agents of what is gone")


def test_kill(env):
    """KILL with sandboxes in every state, twice"""
    for _ in range(2):
        ids = populate(env)
        equal(len(directories(env)), len(ids), "directories")
        check(mounts(env), "there are no mounts to clean up")
        env.stop_daemon(kill=True)
        equal(len(directories(env)), len(ids), "directories of the killed daemon")
        for name in ids:
            env.agent_of_directory(name).stop()
        env.start_daemon()
        told(env)
        clean(env)
    sandbox, container = env.start_sandbox(["true"], sid="running")
    equal(container.wait(), 0, "status")
    sandbox.delete(force=True)
    clean(env)


def test_killed_cleaning(env):
    """a daemon that is killed while it cleans up"""
    ids = populate(env)
    env.stop_daemon(kill=True)
    for name in ids:
        env.agent_of_directory(name).stop()
    for _ in range(5):
        with open(env.path("virtpodd.log"), "ab") as log:
            daemon = subprocess.Popen(env.daemon_command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        connection = bus.connect(env.address)
        eventually(lambda: len(connection.get_unique_name()) > 0, "bus")
        daemon.kill()
        daemon.wait()
        connection.close_sync(None)
    env.start_daemon()
    told(env)
    clean(env)


def test_bad_records(env):
    """records that are missing, empty, cut off, of another version or not ours"""
    texts = {"missing": None, "empty": "", "cut": '{"version": 1, "id": "cu', "newer": '{"version": 99}', "binary": "\0\1\2",
             "huge": "x" * (2 << 20)}
    base = os.path.join(env.state_dir, "sandboxes")
    env.stop_daemon(kill=True)
    for name, text in texts.items():
        os.makedirs(os.path.join(base, "vp-" + name, "shared", "x", "rootfs"))
        if text is not None:
            with open(os.path.join(base, "vp-" + name, "record.json"), "w", encoding="latin-1") as f:
                f.write(text)
    os.mkdir(os.path.join(base, "vp-fifo"))
    os.mkfifo(os.path.join(base, "vp-fifo", "record.json"))
    os.mkdir(os.path.join(base, "vp-link"))
    victim = env.path("victim")
    os.mkdir(victim)
    with open(os.path.join(victim, "file"), "w", encoding="ascii"):
        pass
    os.symlink(victim, os.path.join(base, "vp-link", "shared"))
    os.symlink("/etc/passwd", os.path.join(base, "vp-link", "record.json"))
    env.start_daemon()
    equal(env.manager.sandboxes(), [], "sandboxes")
    clean(env)
    equal(os.listdir(victim), ["file"], "what a link led to")
    # those that were there at all are kept for somebody to look at
    quarantine = os.path.join(env.state_dir, "quarantine")
    equal(len(os.listdir(quarantine)), len(texts) - 1 + 2, "quarantined")
    shutil.rmtree(quarantine)


def test_mounts_of_others(env):
    """a mount that somebody else made below a sandbox's directory is not followed"""
    sandbox, _ = env.start_sandbox(sid="mounted")
    inside = os.path.join(env.directory(sandbox), "shared", "mounted")
    check(os.path.isdir(inside), "no share")
    bundle = env.manager.container("mounted").get("Bundle")
    env.stop_daemon(kill=True)
    env.start_daemon()
    clean(env)
    check(os.path.exists(os.path.join(bundle, "rootfs/bin/busybox")), "the bundle was emptied")


def test_second_daemon(env):
    """a second daemon for the same state directory refuses to start and touches nothing"""
    sandbox, _ = env.start_sandbox(sid="mine")
    for command in (env.daemon_command(),):
        result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                timeout=60, check=False)
        equal(result.returncode, 1, "status")
        match(result.stdout.decode(), "another daemon", "message")
    other = env.daemon_command()
    other[other.index("--state-dir") + 1] = env.path("other")
    result = subprocess.run(other, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            timeout=60, check=False)
    equal(result.returncode, 1, "status when the name is taken")
    equal(sandbox.get("State"), "ready", "state")
    sandbox.delete(force=True)


def test_state_directory(env):
    """a state directory that others may write to is refused"""
    path = env.path("loose")
    os.mkdir(path)
    os.chmod(path, 0o777)
    command = env.daemon_command()
    command[command.index("--state-dir") + 1] = path
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            timeout=60, check=False)
    equal(result.returncode, 1, "status")
    match(result.stdout.decode(), "state directory", "message")


def test_end(env):
    """the daemon ends well"""
    equal(env.stop_daemon(), 0, "status")
    env.start_daemon()


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    testdriver.main(TESTS, TestDriverEnv())
