#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command's verbs against virtpodd, with libvirt's test driver below it."""

import json
import os
import select
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import tap
import testdriver
from env import program
from tap import check, equal, match
from testdriver import TestDriverEnv, eventually

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"


def command(env, *args):
    return [program("virtpod"), "--address", env.address, *args]


def run(env, *args, status=0, stdin=b""):
    """What it prints: on stdout when it should succeed, else on stderr."""
    done = subprocess.run(command(env, *args), input=stdin, capture_output=True, timeout=60, check=False)
    equal(done.returncode, status, "status of %s (%s)" % (" ".join(args), done.stderr.decode()))
    if status == 0:
        equal(done.stderr, b"", "stderr of %s" % " ".join(args))
    return (done.stdout if status == 0 else done.stderr).decode()


def read_line(stream, what):
    check(select.select([stream], [], [], 60)[0], "nothing came: " + what)
    return stream.readline().decode()


def test_check(env):
    """check: every row has a name, a status and, when it is not ok, a hint"""
    done = subprocess.run(command(env, "check", "--json"), capture_output=True, timeout=60, check=False)
    rows = json.loads(done.stdout)
    names = [row["check"] for row in rows]
    equal(len(names), len(set(names)), "names are unique")
    for name in ("bus", "virtpodd", "libvirt", "state-dir", "socket-names", "cgroups", "memory", "open-files",
                 "polkit", "configuration"):
        check(name in names, "no row %s in %s" % (name, names))
    for row in rows:
        check(row["status"] in ("ok", "warning", "error"), row)
        equal(row["hint"] == "", row["status"] == "ok", "hint of %s" % row["check"])
    by_name = {row["check"]: row for row in rows}
    equal(by_name["libvirt"]["status"], "warning", "libvirt's test driver runs no guests")
    match(by_name["libvirt"]["found"], r"^libvirt [0-9.]+ at test:///default, driver TEST", "libvirt")
    worst = max(("ok", "warning", "error").index(row["status"]) for row in rows)
    equal(done.returncode, worst, "exit status")
    env.raises("InvalidArgument", lambda: env.manager.call("Check", "(a{sv})", {"frob": testdriver.GLib.Variant("b", True)}))


def test_list(env):
    """list: filters, and what an unknown one says"""
    sandbox, _ = env.start_sandbox(sid="one")
    other, _ = env.create(sid="two")
    equal(run(env, "list", "--quiet"), "one\ntwo\n", "ids")
    equal(run(env, "list", "--quiet", "--filter", "state=running"), "one\n", "by state")
    equal(run(env, "list", "-q", "--sandboxes", "--filter", "state=created"), "two\n", "sandboxes by state")
    match(run(env, "list", "--no-headers", "--filter", "id=one"), r"^one +\S+ +running +/\S+ +%s +one$" % TIME, "row")
    match(run(env, "list", "--filter", "colour=red", status=1), r'^virtpod: list: filter "colour": .*\(InvalidArgument\)$',
          "unknown filter")
    sandbox.delete(force=True)
    other.delete(force=True)


def test_pause_update(env):
    """pause, update and resume a container; pause a sandbox; wrong states are said"""
    sandbox, _ = env.start_sandbox(sid="one")
    run(env, "pause", "one")
    equal(json.loads(run(env, "state", "one"))["status"], "paused", "status")
    match(run(env, "pause", "one", status=1), r"^virtpod: pause one: .*paused.*\(InvalidState\)$", "again")
    run(env, "resume", "one")
    equal(json.loads(run(env, "state", "one"))["status"], "running", "status")
    run(env, "pause", "--sandbox", "one")
    equal(sandbox.get("State"), "paused", "state of the sandbox")
    run(env, "resume", "--sandbox", "one")
    equal(sandbox.get("State"), "ready", "state of the sandbox")
    run(env, "update", "--memory", "64m", "--pids-limit", "10", "one")
    run(env, "update", "--cpus", "0.5", "one")
    match(run(env, "update", "--resources", "-", "one", status=1, stdin=b'{"memory": {"limit": "much"}}'),
          r"memory\.limit.*\(InvalidArgument\)$", "wrong type")
    match(run(env, "update", "--resources", "-", "one", status=1, stdin=b"no json"), r"\(InvalidArgument\)$", "no JSON")
    sandbox.delete(force=True)


def test_wait(env):
    """wait: before the end, after it, many at once, and a sandbox"""
    sandbox, container = env.start_sandbox(["sh", "-c", "sleep 0.5; exit 7"], sid="one")
    waiting = [subprocess.Popen(command(env, "wait", "one"), stdout=subprocess.PIPE) for _ in range(3)]
    for child in waiting:
        equal((child.communicate(timeout=60)[0], child.returncode), (b"7\n", 0), "status")
    equal(run(env, "wait", "one", "one"), "7\n7\n", "after the end")
    document = json.loads(run(env, "wait", "--json", "one"))
    equal((document[0]["id"], document[0]["exitStatus"]), ("one", 7), "JSON")
    sandbox.stop()
    equal(run(env, "wait", "--sandbox", "one"), "7\n", "of the sandbox")
    container.delete()


def test_wait_deleted(env):
    """wait: a container that is deleted before it ran is an error"""
    sandbox, _ = env.create(sid="one")
    child = subprocess.Popen(command(env, "wait", "one"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(0.3)
    sandbox.delete(force=True)
    out, err = child.communicate(timeout=60)
    equal((out, child.returncode), (b"", 1), "nothing printed")
    match(err.decode(), r"^virtpod: wait one: .*\((InvalidState|NotFound)\)$", "error")


def listen(env, child, args=("true",)):
    """Makes things happen until @child has printed something; that is not looked at."""
    def happens():
        sandbox, container = env.start_sandbox(args)
        container.wait()
        sandbox.delete(force=True)
        return select.select([child.stdout], [], [], 0.2)[0]

    eventually(happens, "the first event")
    while select.select([child.stdout], [], [], 0.5)[0]:
        child.stdout.readline()


def test_events(env):
    """events: what happens to a sandbox, in order"""
    child = subprocess.Popen(command(env, "events", "--format", "json", "--properties"), stdout=subprocess.PIPE, bufsize=0)
    plain = subprocess.Popen(command(env, "events", "--filter", "event=container-exited"), stdout=subprocess.PIPE, bufsize=0)
    try:
        listen(env, child)
        listen(env, plain, ["sh", "-c", "exit 1"])
        sandbox, container = env.start_sandbox(["sh", "-c", "exit 3"], sid="one")
        equal(container.wait(), 3, "status")
        seen = []
        while "container-exited" not in [line["event"] for line in seen if line.get("sandbox") == "one"]:
            seen.append(json.loads(read_line(child.stdout, "after %s" % seen[-1:])))
        mine = [line["event"] for line in seen if line.get("sandbox") == "one"]
        wanted = [event for event in mine if event in ("created", "starting", "ready", "container-started", "container-exited")]
        equal(wanted, ["created", "starting", "ready", "container-started", "container-exited"], "order of %s" % mine)
        last = seen[-1]
        equal((last["container"], last["exit-status"]), ("one", 3), "details")
        states = [line["properties"].get("State") for line in seen
                  if line["event"] == "properties-changed" and line["path"] == sandbox.path]
        check("ready" in states, "states: %s" % states)
        match(read_line(plain.stdout, "plain"), r"^%s one container-exited container=one exit-status=3$" % TIME, "text")
        container.delete()
    finally:
        for process in (child, plain):
            process.kill()
            process.communicate()


def test_inspect(env):
    """inspect: sandbox, devices, containers with their OCI state, as JSON and as text"""
    sandbox, _ = env.start_sandbox(sid="one", labels={"tier": "web"})
    document = json.loads(run(env, "inspect", "one"))
    equal(document["Sandbox"]["Labels"], {"tier": "web"}, "labels")
    equal(document["Containers"][0]["OCI"]["status"], "running", "OCI state")
    check("channel" in [device["kind"] for device in document["Devices"]], document["Devices"])
    text = run(env, "inspect", "--format", "text", "one")
    for line in ("Sandbox:", "  Id: one", "    tier: web", "Containers:", "      status: running"):
        check("\n" + line + "\n" in "\n" + text, "%s in %s" % (line, text))
    sandbox.delete(force=True)
    # one that never started has no devices
    other, _ = env.create(sid="two")
    equal("Devices" in json.loads(run(env, "inspect", "two")), False, "devices")
    other.delete(force=True)


def test_attach(env):
    """attach: input to and output of a container that was started detached"""
    sandbox, container = env.start_sandbox(["sh", "-c", "echo hello; read x; echo got $x; exit 4"], sid="one")
    done = subprocess.run(command(env, "attach", "one"), input=b"line\n", capture_output=True, timeout=60, check=False)
    equal((done.returncode, done.stdout, done.stderr), (4, b"hello\ngot line\n", b""), "attach")
    container.delete()


def test_attach_busy(env):
    """attach: one at a time, and a signal goes to the container"""
    sandbox, container = env.start_sandbox(["sh", "-c", "echo here; exec sleep 1000"], sid="one")
    first = subprocess.Popen(command(env, "attach", "--no-stdin", "one"), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    equal(first.stdout.readline(), b"here\n", "output at the first attachment")

    def busy():
        done = subprocess.run(command(env, "attach", "--no-stdin", "one"), stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=60, check=False)
        return b"(Busy)" in done.stderr and done.returncode == 125

    check(busy(), "a second attachment")
    first.terminate()
    equal(first.wait(60), 143, "status")
    first.communicate()
    container.delete(force=True)


def test_prune(env):
    """prune: what has ended, and nothing that runs"""
    sandbox, _ = env.start_sandbox(sid="runs")
    ended, _ = env.start_sandbox(sid="ended")
    ended.stop()
    equal(json.loads(run(env, "prune", "--dry-run", "--json")), [{"id": "ended", "kind": "sandbox"}], "dry run")
    equal(run(env, "prune", "--older-than", "1000", "--quiet"), "", "too young")
    match(run(env, "prune"), r"^ID +KIND\nended +sandbox$", "pruned")
    equal(run(env, "list", "--quiet", "--sandboxes"), "runs\n", "what is left")
    sandbox.delete(force=True)


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    testdriver.main(TESTS, TestDriverEnv())
