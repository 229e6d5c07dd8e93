#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hooks of bundles: when they run, with what, and what follows from one that fails or hangs."""

import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bundle
import testdriver
from tap import check, equal, match, took
from testdriver import Pending, TestDriverEnv, eventually

PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"


def hook(script, **more):
    return {"path": "/bin/sh", "args": ["hook", "-c", script], "env": [PATH], **more}


def note(env, name, then="true"):
    """A hook that writes down that it ran, and the state it was given."""
    directory = env.path("notes")
    os.makedirs(directory, exist_ok=True)
    return hook("echo %s >> %s/order; cat > %s/%s; %s" % (name, directory, directory, name, then))


def order(env):
    """The hooks that ran since the last time, in order."""
    path = env.path("notes", "order")
    try:
        with open(path, encoding="ascii") as f:
            names = f.read().split()
        os.unlink(path)
        return names
    except FileNotFoundError:
        return []


def state(env, name):
    with open(env.path("notes", name), encoding="utf-8") as f:
        return json.load(f)


def make_bundle(env, hooks, args=("sleep", "1000"), **changes):
    document = bundle.spec(args, **changes)
    document["hooks"] = hooks
    return env.bundles.make(document=document)


def all_kinds(env, prefix=""):
    return {kind: [note(env, prefix + kind)] for kind in ("prestart", "createRuntime", "poststart", "poststop")}


def test_order(env):
    """each kind at its point, with the state of that point on its stdin"""
    hooks = all_kinds(env)
    hooks["createRuntime"].append(note(env, "second"))
    path = make_bundle(env, hooks, annotations={"a.b": "c"})
    sandbox = env.manager.create_sandbox("box", path)
    equal(order(env), [], "hooks before the machine runs")
    sandbox.start()
    equal(order(env), ["prestart", "createRuntime", "second"], "hooks of the start")
    container = env.manager.container("box")
    container.start()
    equal(order(env), ["poststart"], "hooks once it runs")
    container.kill("KILL")
    container.wait()
    sandbox.stop()
    equal(order(env), [], "hooks before it is deleted")
    sandbox.delete()
    equal(order(env), ["poststop"], "hooks after it was deleted")
    for name, status in (("prestart", "creating"), ("createRuntime", "creating"), ("poststart", "running"),
                         ("poststop", "stopped")):
        got = state(env, name)
        got.pop("pid", None)    # the test driver's machines have none
        equal(got, {"ociVersion": "1.0.2", "id": "box", "status": status, "bundle": path,
                    "annotations": {"a.b": "c"}}, "state for " + name)
    env.no_leaks(env.before)


def test_further_container(env):
    """hooks of a container that joins a running sandbox, and of its removal"""
    sandbox, _ = env.start_sandbox()
    second = sandbox.create_container("second", make_bundle(env, all_kinds(env)))
    equal(order(env), ["prestart", "createRuntime"], "hooks of its creation")
    second.start()
    second.delete(force=True)
    equal(order(env), ["poststart", "poststop"], "hooks until it is gone")
    sandbox.delete(force=True)
    equal(order(env), [], "hooks after that")
    env.no_leaks(env.before)


def test_many_containers(env):
    """one Delete of a sandbox ends each of its containers"""
    sandbox = env.manager.create_sandbox("pod", make_bundle(env, all_kinds(env, "a-")))
    sandbox.create_container("never", make_bundle(env, {"poststop": [note(env, "b-poststop")]}))
    sandbox.start()
    sandbox.create_container("third", make_bundle(env, all_kinds(env, "c-")))
    equal(order(env), ["a-prestart", "a-createRuntime", "c-prestart", "c-createRuntime"], "hooks of the start")
    sandbox.delete(force=True)
    equal(order(env), ["c-poststop", "b-poststop", "a-poststop"], "hooks of the end")
    env.no_leaks(env.before)


def test_never_prepared(env):
    """a container that never came to its hooks has none at its end"""
    sandbox = env.manager.create_sandbox("box", make_bundle(env, all_kinds(env)))
    sandbox.delete()
    equal(order(env), [], "hooks")


def test_failing(env):
    """a hook that fails takes the start back; the hooks of the end run"""
    for kind in ("prestart", "createRuntime"):
        hooks = all_kinds(env)
        hooks[kind] = [note(env, kind, "echo out of addresses >&2; exit 7"), note(env, "not-reached")]
        sandbox = env.manager.create_sandbox("box", make_bundle(env, hooks))
        env.raises("Failed", sandbox.start, r'hook %s "/bin/sh": exit status 7: out of addresses' % kind)
        equal(order(env), ["prestart", "createRuntime"][:["prestart", "createRuntime"].index(kind) + 1] + ["poststop"],
              "hooks")
        equal((sandbox.get("State"), sandbox.get("ExitReason")), ("failed", "start-failed"), "state")
        equal([m for m in env.snapshot().mounts if env.dir in m], [], "mounts")
        sandbox.delete()
        equal(order(env), [], "hooks of the end, again")
        env.no_leaks(env.before)
    sandbox, _ = env.start_sandbox()
    env.raises("NotFound", lambda: sandbox.create_container("second", make_bundle(
        env, {"prestart": [{"path": "/no/such/hook"}]})), "/no/such/hook")
    equal(len(sandbox.call("ListContainers")), 1, "containers")
    equal(os.listdir(os.path.join(env.directory(sandbox), "shared")), [sandbox.get("Id")], "share")
    equal(sandbox.get("State"), "ready", "sandbox")
    sandbox.delete(force=True)
    env.no_leaks(env.before)


def test_hanging(env):
    """a hook that hangs: killed with its children, TimedOut, nothing left"""
    hooks = {"createRuntime": [hook("sleep 1000 & sleep 1000", timeout=1)]}
    sandbox = env.manager.create_sandbox("box", make_bundle(env, hooks))
    began = time.monotonic()
    env.raises("TimedOut", sandbox.start, "hook createRuntime .*1 s")
    check(time.monotonic() - began >= 1, "it did not wait")
    took(began, 15, "a hook that may take a second")
    sandbox.delete()
    env.no_leaks(env.before)
    # no time of its own: the configured one
    sandbox = env.manager.create_sandbox("box", make_bundle(env, {"prestart": [hook("sleep 1000")]}))
    env.raises("TimedOut", sandbox.start, "10 s")
    sandbox.delete()
    env.no_leaks(env.before)


def test_stopped(env):
    """Stop while a hook runs does not wait for it, and others are served meanwhile"""
    hooks = {"createRuntime": [note(env, "begun", "sleep 1000 & sleep 1000")]}
    hooks["createRuntime"][0]["timeout"] = 1000
    sandbox = env.manager.create_sandbox("box", make_bundle(env, hooks))
    call = Pending(sandbox, "Start", "(a{sv})", {})
    eventually(lambda: order(env) == ["begun"], "hook")
    other, _ = env.start_sandbox()
    other.delete(force=True)
    began = time.monotonic()
    sandbox.stop()
    equal(call.outcome(), "Cancelled", "start")
    took(began, 15, "Stop")
    sandbox.delete()
    env.no_leaks(env.before)


def test_late_failures(env):
    """poststart and poststop that fail or hang are logged, no more"""
    hooks = {"poststart": [hook("echo sad >&2; exit 9"), note(env, "poststart")],
             "poststop": [hook("sleep 1000", timeout=1), note(env, "poststop")]}
    sandbox = env.manager.create_sandbox("box", make_bundle(env, hooks))
    sandbox.start()
    container = env.manager.container("box")
    container.start()
    equal((container.get("State"), order(env)), ("running", ["poststart"]), "after the start")
    sandbox.delete(force=True)
    equal(order(env), ["poststop"], "after the end")
    log = "\n".join(env._new_log())
    match(log, r"hook poststart .*exit status 9: sad", "log")
    match(log, r"hook poststop .*no end within 1 s", "log")
    env.no_leaks(env.before)


def test_poststart_outlives_nothing(env):
    """a poststart hook ends with its machine; Start is answered"""
    sandbox = env.manager.create_sandbox("box", make_bundle(env, {"poststart": [note(env, "begun", "sleep 1000")]}))
    sandbox.start()
    call = Pending(env.manager.container("box"), "Start", "(a{sv})", {})
    eventually(lambda: order(env) == ["begun"], "hook")
    sandbox.delete(force=True)
    equal(call.outcome(), "ok", "start")
    env.no_leaks(env.before)


def test_network_namespace(env):
    """create hooks run in the specification's network namespace, the others in the host's"""
    holder = subprocess.Popen(["unshare", "--net", "sleep", "1000"])
    try:
        path = "/proc/%d/ns/net" % holder.pid
        mine = os.readlink("/proc/self/ns/net")
        eventually(lambda: os.readlink(path) != mine, "namespace")
        theirs = os.readlink(path)
        hooks = {kind: [note(env, kind, "readlink /proc/self/ns/net > %s" % env.path("notes", kind + ".net"))]
                 for kind in ("prestart", "createRuntime", "poststart", "poststop")}
        document = bundle.spec(["sleep", "1000"])
        document["hooks"] = hooks
        next(n for n in document["linux"]["namespaces"] if n["type"] == "network")["path"] = path
        sandbox = env.manager.create_sandbox("box", env.bundles.make(document=document))
        sandbox.start()
        env.manager.container("box").start()
        sandbox.delete(force=True)
        order(env)
        for kind, wanted in (("prestart", theirs), ("createRuntime", theirs), ("poststart", mine), ("poststop", mine)):
            with open(env.path("notes", kind + ".net"), encoding="ascii") as f:
                equal(f.read().strip(), wanted, "namespace of " + kind)
    finally:
        holder.kill()
        holder.wait()
    sandbox = env.manager.create_sandbox("gone", env.bundles.make(document=document))
    env.raises("NotFound", sandbox.start, "network namespace .*ns/net")
    equal(order(env), [], "hooks of a sandbox that was not made")
    sandbox.delete()


def test_daemon_restarts(env):
    """hooks that are due when the daemon is killed run when the next one deletes the container"""
    sandbox = env.manager.create_sandbox("box", make_bundle(env, all_kinds(env)))
    sandbox.start()
    order(env)
    env.stop_daemon(kill=True)
    env.start_daemon()
    equal(order(env), [], "hooks of the new daemon's start")
    env.manager.sandbox("box").delete(force=True)
    equal(order(env), ["poststop"], "hooks of the end")


def test_switched_off(env):
    """daemon.hooks=false: NotSupported that names the hooks, before anything is made"""
    env.stop_daemon()
    env.options += ["--set", "daemon.hooks=false"]
    env.start_daemon()
    for kind in ("prestart", "createRuntime", "poststart", "poststop"):
        env.raises("NotSupported", lambda: env.manager.create_sandbox("box", make_bundle(env, {kind: [note(env, kind)]})),
                   r"hooks\.%s: .*daemon\.hooks" % kind)
    equal((env.manager.sandboxes(), order(env)), ([], []), "sandboxes and hooks")
    sandbox, container = env.create(["true"])
    sandbox.start()
    sandbox.delete(force=True)


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    testdriver.main(TESTS, TestDriverEnv(options=["--set", "daemon.hook-timeout-ms=10000"]))
