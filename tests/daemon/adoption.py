#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sandboxes outlive the daemon: the next one takes them over."""

import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import host
import testdriver
from tap import check, equal, match
from testdriver import Pending, TestDriverEnv, eventually


def restart(env, kill=True):
    env.stop_daemon(kill=kill)
    env.start_daemon()


def states(env):
    return {row[0]: row[1] for row in env.manager.sandboxes()}


def sandbox(env, sid):
    return env.manager.sandbox(sid)


def read_some(fd, wanted, timeout=20):
    """Bytes of a FIFO opened without blocking, until @wanted are there."""
    data = b""

    def more():
        nonlocal data
        try:
            data += os.read(fd, 65536)
        except BlockingIOError:
            pass
        return len(data) >= wanted
    eventually(more, "%d bytes" % wanted, timeout)
    return data


def attach(container, **which):
    """name -> descriptor"""
    (indices,), ends = container.call_with_fds("Attach", "(a{sv})", (bus.options(which),))
    return {name: ends[index] for name, index in indices.items()}


def get_process(container, exec_id):
    return bus.Process(container.connection, container.call("GetProcess", "(s)", exec_id))


def fifo(env, name):
    path = env.path(name)
    os.mkfifo(path)
    return path, os.open(path, os.O_RDONLY | os.O_NONBLOCK)


def test_without_own(env):
    """KILL: a sandbox whose own container was deleted is what it was, and ends with its last one"""
    env.start_sandbox(["sleep", "1000"], sid="pod", annotations={"k": "v"})
    before = sandbox(env, "pod")
    before.create_container("left", env.bundle(["sleep", "1000"])).start()
    own = env.manager.container("pod")
    own.kill("KILL")
    equal(own.wait(), 137, "status")
    own.delete()
    restart(env)
    equal(states(env), {"pod": "ready"}, "states")
    equal(sandbox(env, "pod").get("Annotations"), {"k": "v"}, "annotations")
    left = env.manager.container("left")
    equal(left.get("State"), "running", "the other one")
    equal(left.exec(["sh", "-c", "exit 5"]).wait(), 5, "exec")
    left.delete(force=True)
    equal(states(env), {}, "states at the end")
    env.no_leaks(env.before)


def test_running(env, kill=True):
    """KILL: containers go on, are seen again, can be waited for, get execs"""
    env.start_sandbox(["sh", "-c", "read x; exit 7"], sid="one", labels={"a": "b"})
    before = sandbox(env, "one")
    old = {key: before.get(key) for key in ("CreatedAt", "StartedAt", "DomainUUID", "DomainName", "Labels", "Handler",
                                            "Vcpus", "MemoryBytes", "Accelerator")}
    before.create_container("two", env.bundle(["sleep", "1000"])).start()
    started = env.manager.container("two").get("StartedAt")
    restart(env, kill)
    equal(states(env), {"one": "ready"}, "states")
    again = sandbox(env, "one")
    equal({key: again.get(key) for key in old}, old, "properties")
    equal(again.get("AgentState"), "ready", "agent")
    containers = {name: env.manager.container(name) for name in ("one", "two")}
    equal({name: c.get("State") for name, c in containers.items()}, {"one": "running", "two": "running"}, "containers")
    equal(containers["two"].get("StartedAt"), started, "started")
    process = containers["two"].exec(["sh", "-c", "exit 5"])
    equal(process.wait(), 5, "exec")
    wait = Pending(containers["two"], "Wait")
    containers["two"].kill("KILL")
    equal(wait.result()[0], 137, "status of two")
    containers["two"].delete()
    third = again.create_container("three", env.bundle(["sh", "-c", "exit 3"]))
    third.start()
    equal(third.wait(), 3, "a container made after")
    third.delete()
    again.delete(force=True)
    equal(states(env), {}, "states")
    env.no_leaks()


def test_term(env):
    """TERM leaves sandboxes running"""
    test_running(env, kill=False)


def test_exited_meanwhile(env):
    """what ended while no daemon ran is found out"""
    env.start_sandbox(["sh", "-c", "sleep 1; exit 9"], sid="one")
    own = env.manager.container("one")
    process = own.exec(["sh", "-c", "sleep 1; exit 4"], exec_id="late")
    check(process is not None, "exec")
    env.stop_daemon(kill=True)
    time.sleep(1.5)
    env.start_daemon()
    own = env.manager.container("one")
    equal(own.wait(), 9, "status")
    equal((own.get("State"), own.get("ExitStatus")), ("stopped", 9), "container")
    late = get_process(own, "late")
    equal(late.wait(), 4, "exec")
    restart(env)
    own = env.manager.container("one")
    equal((own.get("State"), own.get("ExitStatus")), ("stopped", 9), "after one more restart")
    equal(get_process(own, "late").wait(), 4, "exec after one more restart")
    sandbox(env, "one").delete(force=True)
    env.no_leaks()


def test_output(env):
    """output through a FIFO goes on; with nobody bound it can be attached to"""
    path, reader = fifo(env, "out")
    one = env.manager.create_sandbox("one", env.bundle(["sh", "-c", "while read line; do echo got $line; done"]),
                                     **{"stdout-path": path})
    one.start()
    own = env.manager.container("one")
    own.start()
    for turn in range(3):
        fds = attach(own, stdin=True)
        os.write(fds["stdin"], b"%d\n" % turn)
        equal(read_some(reader, 6), b"got %d\n" % turn, "line")
        os.close(fds["stdin"])
        restart(env)
        own = env.manager.container("one")
    os.close(reader)
    os.unlink(path)
    sandbox(env, "one").delete(force=True)
    env.no_leaks()


def test_states(env):
    """every state is what it was; starts that were under way have failed"""
    env.create(sid="created", stdout=env.null)
    env.start_sandbox(sid="ready", run=False)
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
    agent.mute.clear()
    env.house.mute.clear()
    before = states(env)
    equal(before["starting"], "starting", "state")
    for _ in range(2):
        restart(env)
        before["starting"] = "failed"
        equal(states(env), before, "states")
        equal(sandbox(env, "starting").get("ExitReason"), "start-failed", "reason")
        equal(sandbox(env, "stopped").get("ExitReason"), "stopped", "reason")
        equal(env.manager.container("ready").get("State"), "created", "container")
        equal([m for m in host.mounts() if "/starting" in m], [], "mounts")
    env.manager.container("ready").start()
    equal(env.manager.container("ready").get("State"), "running", "started after")
    created = sandbox(env, "created")
    created.start()
    env.manager.container("created").start()
    equal(env.manager.container("created").wait(), 0, "created before, run after")
    for sid in before:
        sandbox(env, sid).delete(force=True)
    env.no_leaks()


def test_lost(env):
    """a domain that went meanwhile: lost, status 137, nothing left"""
    one, _ = env.start_sandbox(sid="one")
    one.create_container("two", env.bundle(["sh", "-c", "exit 3"])).start()
    equal(env.manager.container("two").wait(), 3, "status")
    name = one.get("DomainName")
    env.stop_daemon(kill=True)
    env.libvirt.destroy(name)
    env.house.agents[name].stop()
    env.start_daemon()
    equal(states(env), {"one": "lost"}, "states")
    equal(sandbox(env, "one").wait(), 137, "status")
    equal(env.manager.container("one").get("ExitStatus"), 137, "of what ran")
    equal(env.manager.container("two").get("ExitStatus"), 3, "of what had ended")
    equal([m for m in host.mounts() if env.state_dir in m], [], "mounts")
    sandbox(env, "one").delete(force=True)
    env.no_leaks()


def test_silent(env):
    """an agent that does not answer any more: lost, and its domain destroyed"""
    one, _ = env.start_sandbox(sid="one")
    name = one.get("DomainName")
    env.stop_daemon(kill=True)
    env.house.agents[name].mute.add("Check")
    env.options += ["--set", "agent.connect-timeout-ms=1500"]
    env.start_daemon()
    env.options = env.options[:-2]
    testdriver.eventually(lambda: states(env) == {"one": "lost"}, "it is lost")
    check(name not in env.libvirt.domains(), "the domain is still there")
    sandbox(env, "one").delete(force=True)
    restart(env)
    env.no_leaks()


def test_corrupt(env):
    """a record that cannot be read is put aside; its domain goes after the grace"""
    one, _ = env.start_sandbox(sid="one")
    two, _ = env.start_sandbox(sid="two")
    name = one.get("DomainName")
    path = os.path.join(env.directory(one), "record.json")
    check(two.get("State") == "ready", "state")
    env.stop_daemon(kill=True)
    with open(path, "w", encoding="ascii") as f:
        f.write('{"version": 2, "id": "on')
    env.start_daemon()
    equal(states(env), {"two": "ready"}, "states")
    quarantine = os.path.join(env.state_dir, "quarantine")
    equal(len(os.listdir(quarantine)), 1, "quarantined")
    check(os.stat(quarantine).st_mode & 0o777 == 0o700, "mode")
    check(name in env.libvirt.domains(), "it went at once")
    eventually(lambda: name not in env.libvirt.domains(), "reaped")
    eventually(lambda: not os.path.exists(os.path.dirname(path)), "directory gone")
    sandbox(env, "two").delete(force=True)
    for entry in os.listdir(quarantine):
        os.unlink(os.path.join(quarantine, entry))
    os.rmdir(quarantine)
    env.no_leaks()


def test_foreign(env):
    """a domain of another daemon is left alone"""
    one, _ = env.start_sandbox(sid="one")
    name = one.get("DomainName")
    env.stop_daemon(kill=True)
    env.options += ["--state-dir", env.path("other")]
    env.start_daemon()
    equal(states(env), {}, "states")
    time.sleep(2.5)
    check(name in env.libvirt.domains(), "destroyed")
    env.stop_daemon()
    env.options = env.options[:-2]
    env.start_daemon()
    equal(states(env), {"one": "ready"}, "states")
    sandbox(env, "one").delete(force=True)
    env.no_leaks()


def test_version_1(env):
    """a record as version 1 wrote it is adopted"""
    one, _ = env.start_sandbox(["sh", "-c", "read x; exit 7"], sid="one")
    record = env.record(one)
    path = os.path.join(env.directory(one), "record.json")
    env.stop_daemon(kill=True)
    old = {"version": 1, **{key: record[key] for key in ("id", "handler", "bundle", "domain-name", "domain-uuid", "state",
                                                         "created-at")},
           "containers": [{key: c[key] for key in ("id", "bundle", "state", "created-at")} for c in record["containers"]],
           "resources": record["resources"]}
    with open(path, "w", encoding="utf-8") as f:
        json.dump(old, f)
    specs = os.path.join(os.path.dirname(path), "specs")
    os.unlink(os.path.join(specs, "one"))
    os.rmdir(specs)
    env.start_daemon()
    equal(states(env), {"one": "ready"}, "states")
    own = env.manager.container("one")
    equal(own.get("State"), "running", "container")
    equal(env.record(sandbox(env, "one"))["version"], 2, "version now")
    own.kill("KILL")
    equal(own.wait(), 137, "status")
    sandbox(env, "one").delete(force=True)
    env.no_leaks()


def test_secrets(env):
    """records are for nobody else's eyes, and have no environment or arguments in them"""
    one, _ = env.start_sandbox(["sh", "-c", "sleep 1000; : hush-argument"], sid="one", env=["SECRET=hush-env"])
    directory = env.directory(one)
    with open(os.path.join(directory, "record.json"), encoding="utf-8") as f:
        check("hush" not in f.read(), "the record has them")
    equal(os.stat(os.path.join(directory, "record.json")).st_mode & 0o777, 0o600, "record")
    equal(os.stat(os.path.join(directory, "specs")).st_mode & 0o777, 0o700, "specs")
    equal(os.stat(os.path.join(directory, "specs/one")).st_mode & 0o777, 0o600, "spec")
    # the environment is still that of the container after the bundle has changed
    bundle = env.manager.container("one").get("Bundle")
    os.rename(bundle + "/config.json", bundle + "/away")
    restart(env)
    out, inner = os.pipe()
    own = env.manager.container("one")
    own.exec(["sh", "-c", "echo $SECRET"], stdout=inner).wait()
    os.close(inner)
    equal(testdriver.read_all(out), b"hush-env\n", "environment")
    sandbox(env, "one").delete(force=True)
    env.no_leaks()


def test_delete_on_stop(env):
    """daemon.on-stop=delete: TERM leaves nothing"""
    env.stop_daemon()
    env.options += ["--set", "daemon.on-stop=delete"]
    env.start_daemon()
    env.start_sandbox(sid="one")
    equal(env.stop_daemon(), 0, "status")
    equal(os.listdir(os.path.join(env.state_dir, "sandboxes")), [], "directories")
    env.options = env.options[:-2]
    env.start_daemon()
    equal(states(env), {}, "states")


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    testdriver.main(TESTS, TestDriverEnv(["--set", "daemon.orphan-grace-ms=1500"], outlive=True))
