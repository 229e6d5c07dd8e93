#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Verbs and states on libvirt's test driver: each verb in each state it does not
belong to, and what the verbs do when agents answer, fail or say nothing."""

import json
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import testdriver
from env import srcdir
from gi.repository import GLib
from tap import check, equal, match
from testdriver import Pending, TestDriverEnv, eventually, pump, read_all

NOTHING = "{}"


# ---- states ----------------------------------------------------------------------------

def sandbox_calls(sandbox, bundle):
    """Verb -> (words of its message, call) for what docs/states.md has of sandboxes."""
    return {
        "Start": ("start", sandbox.start),
        "Pause": ("pause", lambda: sandbox.call("Pause")),
        "Resume": ("resume", lambda: sandbox.call("Resume")),
        "Update": ("update", lambda: sandbox.call("Update", "(a{sv})", {})),
        "CreateContainer": ("create a container in", lambda: sandbox.create_container("more", bundle)),
        "Ping": ("ping", sandbox.ping),
        "GetGuestDetails": ("ask the guest of", lambda: sandbox.call("GetGuestDetails")),
        "GetStats": ("get statistics of", lambda: sandbox.call("GetStats")),
        "GetMetrics": ("get metrics of", lambda: sandbox.call("GetMetrics")),
        "OpenConsole": ("open the console of", lambda: sandbox.call("OpenConsole", "(a{sv})", {})),
        "ListDevices": ("list the devices of", lambda: sandbox.call("ListDevices")),
        "UpdateInterface, UpdateRoutes, SetIPTables": ("set the network of", lambda: sandbox.call("UpdateRoutes", "(aa{sv})", [])),
        "ListInterfaces, ListRoutes, GetIPTables": ("list the network of", lambda: sandbox.call("ListInterfaces")),
        "PortForward": ("forward a port of", lambda: sandbox.call("PortForward", "(qa{sv})", 80, {})),
        "AttachDevice": ("plug a device into", lambda: sandbox.call("AttachDevice", "(a{sv})", bus.options(
            {"kind": "nic", "interface": "eth0"}))),
        "DetachDevice": ("plug a device out of", lambda: sandbox.call("DetachDevice", "(sa{sv})", "nic0", {})),
        "RescanNetwork": ("look for interfaces of", lambda: sandbox.call("RescanNetwork", "(a{sv})", {})),
        "GetDomainXML (live)": ("read the live XML of",
                                lambda: sandbox.call("GetDomainXML", "(a{sv})", bus.options({"live": True}))),
        "Delete": ("delete", sandbox.delete),
    }


def container_calls(container):
    return {
        "Start": ("start", container.start),
        "Kill": ("kill", lambda: container.kill("TERM")),
        "Pause": ("pause", lambda: container.call("Pause")),
        "Resume": ("resume", lambda: container.call("Resume")),
        "Update": ("update", lambda: container.call("Update", "(s)", NOTHING)),
        "Exec, ExecProcessSpec": ("exec in", lambda: container.exec(["true"])),
        "Attach": ("attach to", lambda: container.call("Attach", "(a{sv})", {})),
        "GetStats": ("get statistics of", lambda: container.call("GetStats")),
        "ListPids": ("list the processes of", lambda: container.call("ListPids")),
        "CopyIn, CopyOut": ("copy files of", lambda: container.call("CopyOut", "(sa{sv})", "/x", {})),
        "Delete": ("delete", container.delete),
    }


def allowed(noun, column):
    """What docs/states.md says: call -> the states in a column."""
    with open(os.path.join(srcdir, "docs/states.md"), encoding="utf-8") as f:
        table = f.read().split("<!-- states: %s -->" % noun)[1].split("<!-- end -->")[0].split("| Call ")[1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:] if line]
    return {row[0]: row[column].split(", ") for row in rows}


def refuse_all(env, noun, name, state, calls, table, culprit="it"):
    """Each call that @state is not for is refused, with verb, name and state; returns how many."""
    refused = 0
    for verb, (words, call) in calls.items():
        if table[verb] == ["any"] or state in table[verb]:
            continue
        env.raises("InvalidState", call,
                   r'^%s %s "%s": %s is %s$' % (re.escape(words), noun, name, culprit, state))
        refused += 1
    return refused


def test_sandbox_states(env):
    """each verb of a sandbox is refused in each state it is not for, by name"""
    table = allowed("sandbox", 1)
    # before there is an agent: it takes over what is so when it appears
    env.house.delay["CreateSandbox"] = 3
    sandbox, _ = env.create(("sleep", "1000"))
    name = sandbox.get("Id")
    calls = sandbox_calls(sandbox, env.bundle())
    n = refuse_all(env, "sandbox", name, "created", calls, table)
    begun = Pending(sandbox, "Start", "(a{sv})", {})
    eventually(lambda: sandbox.get("State") == "starting", "state starting")
    n += refuse_all(env, "sandbox", name, "starting", calls, table)
    begun.result()
    n += refuse_all(env, "sandbox", name, "ready", calls, table)
    sandbox.call("Pause")
    n += refuse_all(env, "sandbox", name, "paused", calls, table)
    sandbox.call("Resume")
    env.agent(sandbox).delay["DestroySandbox"] = 3
    ending = Pending(sandbox, "Stop", "(ta{sv})", 0, {})
    eventually(lambda: sandbox.get("State") == "stopping", "state stopping")
    n += refuse_all(env, "sandbox", name, "stopping", calls, table)
    ending.result()
    n += refuse_all(env, "sandbox", name, "stopped", calls, table)
    equal(n, 16 + 16 + 3 + 15 + 17 + 16, "calls that were refused")


def test_container_states(env):
    """each verb of a container is refused in each state it is not for, by name"""
    table = allowed("container", 1)
    sandbox, container = env.create(("sleep", "1000"))
    name = sandbox.get("Id")
    calls = container_calls(container)
    n = refuse_all(env, "container", name, "creating", calls, table)
    sandbox.start()
    n += refuse_all(env, "container", name, "created", calls, table)
    container.start()
    n += refuse_all(env, "container", name, "running", calls, table)
    container.call("Pause")
    n += refuse_all(env, "container", name, "paused", calls, table)
    container.call("Resume")
    container.kill("KILL")
    container.wait()
    n += refuse_all(env, "container", name, "stopped", calls, table)
    equal(n, 10 + 2 + 3 + 5 + 9, "calls that were refused")


def test_container_in_paused_sandbox(env):
    """nothing in the guest of a paused machine can be asked"""
    table = allowed("container", 2)
    sandbox, container = env.start_sandbox()
    process = container.exec(["sleep", "1000"], exec_id="p", terminal=True)
    sandbox.call("Pause")
    calls = container_calls(container)
    for verb in ("Start", "Resume"):    # of which its own state is in the way
        del calls[verb]
    n = refuse_all(env, "container", sandbox.get("Id"), "paused", calls, table, "its sandbox")
    equal(n, 7, "calls that were refused")
    for words, call in (("kill", lambda: process.kill("TERM")),
                        ("resize the terminal of", lambda: process.call("ResizeTty", "(qq)", 80, 24))):
        env.raises("InvalidState", call, r'^%s process "p": its sandbox is paused$' % words)
    sandbox.call("Resume")
    process.kill("KILL")
    equal(process.wait(), 137, "status")
    sandbox.delete(force=True)
    env.no_leaks(env.before)


def held(container, exec_id="held", args=("sleep", "1000"), **values):
    given, fds = bus.stream_options(dict(values, start=False), None, values.pop("stdout", None), None)
    (path,), _ = container.call_with_fds("Exec", "(sasa{sv})", (exec_id, list(args), given), fds)
    return bus.Process(container.connection, path)


def test_process_states(env):
    """each verb of a process is refused in each state it is not for, by name"""
    sandbox, container = env.start_sandbox(run=False)
    first = bus.Process(container.connection, container.call("GetProcess", "(s)", ""))
    for verb in ("Start", "Delete"):
        env.raises("InvalidState", lambda: first.call(verb), r"^%s first process of container" % verb.lower())
    container.start()
    process = held(container)
    equal(process.get("State"), "created", "state")
    equal(container.call("GetProcess", "(s)", "held"), process.path, "GetProcess")
    verbs = {"kill": lambda: process.kill("TERM"), "start": lambda: process.call("Start"),
             "resize the terminal of": lambda: process.call("ResizeTty", "(qq)", 80, 24),
             "close stdin of": lambda: process.call("CloseStdin"), "delete": lambda: process.call("Delete")}

    def refused(state, *names):
        for name in names:
            env.raises("InvalidState", verbs[name], r'^%s process "held": it is %s$' % (name, state))

    refused("created", "kill", "resize the terminal of", "close stdin of")
    process.call("Start")
    refused("running", "start", "delete")
    env.raises("InvalidState", verbs["resize the terminal of"], "has none")
    process.kill("KILL")
    equal(process.wait(), 137, "status")
    refused("stopped", "start", "kill", "close stdin of", "resize the terminal of")
    process.call("Delete")
    env.raises("NotFound", lambda: container.call("GetProcess", "(s)", "held"))
    sandbox.delete(force=True)
    env.no_leaks(env.before)


# ---- execs -----------------------------------------------------------------------------

def test_exec_held(env):
    """an exec that is held: not in the guest, waited for, deleted, or refused by the guest"""
    sandbox, container = env.start_sandbox()
    agent = env.agent(sandbox)
    before = agent.calls.count("ExecProcess")
    out, inner = os.pipe()
    process = held(container, args=("sh", "-c", "echo late; exit 4"), stdout=inner)
    os.close(inner)
    waiting = Pending(process, "Wait")
    equal(agent.calls.count("ExecProcess"), before, "calls to the guest")
    env.raises("AlreadyExists", lambda: container.exec(["true"], exec_id="held"))
    agent.fail["ExecProcess"] = ("INTERNAL", "broken on purpose")
    env.raises("AgentFailed", lambda: process.call("Start"), "on purpose")
    equal(process.get("State"), "created", "state after a start that failed")
    del agent.fail["ExecProcess"]
    process.call("Start")
    equal(waiting.result()[0], 4, "status for one who waited from the beginning")
    equal(read_all(out), b"late\n", "output")
    other = held(container, "other")
    waiting = Pending(other, "Wait")
    other.call("Delete")
    eventually(waiting.done, "answer to who waited")
    equal(waiting.error.name, "InvalidState", "answer to who waited")
    env.raises("CommandNotFound", lambda: held(container, "third", ("no-such",)).call("Start"), "no-such")
    sandbox.delete(force=True)
    env.no_leaks(env.before)


def test_exec_spec(env):
    """ExecProcessSpec takes a whole process, checked"""
    sandbox, container = env.start_sandbox(env=["FROM=spec"])
    run = lambda text, **values: container.call("ExecProcessSpec", "(ssa{sv})", "", text, bus.options(values))
    path = run(json.dumps({"args": ["sh", "-c", "exit ${#FROM}"], "cwd": "/", "env": ["PATH=/bin:/usr/bin"]}))
    equal(bus.Process(container.connection, path).wait(), 0, "nothing is inherited")
    for text, name, pattern in (
            ("", "InvalidArgument", "process"), ("[]", "InvalidArgument", "object"), (NOTHING, "InvalidArgument", "args"),
            ('{"args": [], "cwd": "/"}', "InvalidArgument", "args"), ('{"args": [""], "cwd": "/"}', "InvalidArgument", "args"),
            ('{"args": ["x"]}', "InvalidArgument", "cwd"), ('{"args": ["x"], "cwd": "tmp"}', "InvalidArgument", "cwd"),
            ('{"args": ["x"], "cwd": "/", "user": {"uid": -1}}', "InvalidArgument", "user.uid"),
            ('{"args": ["x"], "cwd": "/", "execCPUAffinity": {"initial": "1"}}', "NotSupported", "execCPUAffinity"),
            (" " * (1 << 20) + NOTHING, "InvalidArgument", "are allowed")):
        env.raises(name, lambda: run(text), pattern)
    env.raises("InvalidArgument", lambda: run('{"args": ["x"], "cwd": "/"}', cwd="/"), "cwd")
    sandbox.delete(force=True)


def test_exec_detached(env):
    """a detached exec has /dev/null, and its object goes with it"""
    sandbox, container = env.start_sandbox()
    process = container.exec(["sh", "-c", "cat; sleep 0.2; exit 5"], exec_id="d", detach=True)
    equal(process.wait(), 5, "status")

    def gone():
        try:
            container.call("GetProcess", "(s)", "d")
        except bus.BusError as error:
            return error.name == "NotFound"
        return False

    eventually(gone, "object gone")
    container.exec(["true"], exec_id="d").wait()
    sandbox.delete(force=True)
    env.no_leaks(env.before)


# ---- pause, kill, update ------------------------------------------------------------------

def test_pause_races(env):
    """pause and what comes in between"""
    sandbox, container = env.start_sandbox()
    agent = env.agent(sandbox)
    agent.delay["PauseContainer"] = 1
    first, second = Pending(container, "Pause"), Pending(container, "Pause")
    eventually(second.done, "answer of the second")
    match(str(second.error), "InvalidState: pause container .*: it is being paused$", "second pause")
    container.kill("KILL")
    eventually(first.done, "answer of the first")
    check(first.error is None or first.error.name == "InvalidState", "first pause: %s" % first.error)
    equal(container.wait(), 137, "status")
    equal(container.get("State"), "stopped", "state")
    agent.delay.clear()
    sandbox.call("Pause")
    agent.hang_up()
    eventually(lambda: sandbox.get("State") == "lost", "a paused sandbox whose agent goes is lost")
    sandbox.delete()
    env.no_leaks(env.before)


def test_pause_failures(env):
    """an agent that cannot pause, and one that does not answer"""
    sandbox, container = env.start_sandbox()
    agent = env.agent(sandbox)
    agent.fail["PauseContainer"] = ("INTERNAL", "broken on purpose")
    env.raises("AgentFailed", lambda: container.call("Pause"), "pause container .*on purpose")
    equal(container.get("State"), "running", "state")
    agent.fail["PauseContainer"] = ("UNIMPLEMENTED", "what is that")
    env.raises("NotSupported", lambda: container.call("Pause"))
    sandbox.delete(force=True)


def test_stop_paused(env):
    """a paused sandbox is stopped, with the guest and without"""
    for force in (False, True):
        sandbox, container = env.start_sandbox()
        agent = env.agent(sandbox)
        sandbox.call("Pause")
        sandbox.stop(force=force)
        equal(("DestroySandbox" in agent.calls), not force, "DestroySandbox was asked for")
        equal((sandbox.get("State"), container.get("State")), ("stopped", "stopped"), "states")
        sandbox.delete()
    env.no_leaks(env.before)


def test_resume_refreshes(env):
    """the guest is given time and entropy when it has booted and when it stood still"""
    sandbox, _ = env.start_sandbox()
    agent = env.agent(sandbox)
    count = lambda: (agent.calls.count("SetGuestDateTime"), agent.calls.count("ReseedRandomDev"))
    eventually(lambda: count() == (1, 1), "calls at the start")
    sandbox.call("Pause")
    sandbox.call("Resume")
    eventually(lambda: count() == (2, 2), "calls after resume")
    agent.fail["SetGuestDateTime"] = agent.fail["ReseedRandomDev"] = ("UNIMPLEMENTED", "no")
    sandbox.call("Pause")
    sandbox.call("Resume")
    equal(sandbox.get("State"), "ready", "state with an agent that cannot")
    sandbox.delete(force=True)


def test_kill_gone(env):
    """a signal that comes too late is success"""
    sandbox, container = env.start_sandbox()
    agent = env.agent(sandbox)
    agent.fail["SignalProcess"] = ("INTERNAL", "ESRCH: No such process")
    container.kill("TERM")
    container.kill("KILL", all=True)
    agent.fail["SignalProcess"] = ("INTERNAL", "ECHILD: No child processes")
    env.raises("AgentFailed", lambda: container.kill("TERM"), "ECHILD")
    del agent.fail["SignalProcess"]
    container.kill("SIGUSR1")
    equal(container.wait(), 128 + 10, "status")
    sandbox.delete(force=True)


def test_update(env):
    """Update reaches the agent, checked"""
    sandbox, container = env.start_sandbox()
    agent = env.agent(sandbox)
    update = lambda text: container.call("Update", "(s)", text)
    update('{"memory": {"limit": 1000000}, "cpu": {"shares": 5, "cpus": "0-9"}}')
    equal(agent.calls.count("UpdateContainer"), 1, "calls")
    update('{"cpu": {"cpus": "3", "mems": "0"}, "blockIO": {"weight": 10}}')
    equal(agent.calls.count("UpdateContainer"), 1, "calls, after what is the host's only")
    for text, name in (("", "InvalidArgument"), ("[]", "InvalidArgument"), ('{"pids": {}}', "InvalidArgument"),
                       ('{"cpu": {"shares": -1}}', "InvalidArgument"), ('{"unknown": 1}', "NotSupported"),
                       (" " * (1 << 16) + NOTHING, "InvalidArgument")):
        env.raises(name, lambda: update(text))
    agent.fail["UpdateContainer"] = ("INTERNAL", "broken on purpose")
    env.raises("AgentFailed", lambda: update('{"pids": {"limit": 5}}'), "update container .*on purpose")
    sandbox.delete(force=True)


# ---- looking --------------------------------------------------------------------------

def test_stats(env):
    """statistics: shape, units, sums, and an agent that fails"""
    sandbox, container = env.start_sandbox()
    more = sandbox.create_container(env.new_id("more"), env.bundle(["sleep", "1000"]))
    stats = container.call("GetStats")
    equal({key: stats[key] for key in ("cpu.usage-usec", "cpu.user-usec", "cpu.system-usec", "memory.usage-bytes",
                                       "memory.cache-bytes", "memory.limit-bytes", "pids.current", "pids.limit")},
          {"cpu.usage-usec": 3000, "cpu.user-usec": 2000, "cpu.system-usec": 1000, "memory.usage-bytes": 100,
           "memory.cache-bytes": 11, "memory.limit-bytes": 2 ** 64 - 1, "pids.current": 1, "pids.limit": 2 ** 64 - 1},
          "statistics")
    equal(stats["network"][0]["name"], "eth0", "network")
    whole = sandbox.call("GetStats")
    equal((whole["containers"], whole["cpu.usage-usec"], whole["memory.usage-bytes"]), (2, 6000, 200), "sums")
    other, _ = env.create()
    every = env.manager.call("GetStats", "(a{sv})", bus.options({"containers": True}))
    equal(sorted(every), sorted([sandbox.path, container.path, more.path]), "rows")
    equal(sorted(env.manager.call("GetStats", "(a{sv})", bus.options({"sandboxes": [sandbox.get("Id")]}))),
          [sandbox.path], "rows of one")
    env.raises("NotFound", lambda: env.manager.call("GetStats", "(a{sv})", bus.options({"sandboxes": ["nobody"]})))
    env.raises("InvalidArgument", lambda: env.manager.call("GetStats", "(a{sv})", bus.options({"sandbox": True})))
    env.agent(sandbox).fail["StatsContainer"] = ("INTERNAL", "broken on purpose")
    env.raises("AgentFailed", lambda: sandbox.call("GetStats"), "get statistics of sandbox .*on purpose")
    match(env.manager.call("GetStats", "(a{sv})", {})[sandbox.path]["error"], "on purpose", "row of one that fails")
    for target in (sandbox, other):
        target.delete(force=True)


def test_pids_and_metrics(env):
    """ListPids and GetMetrics, and agents that have neither"""
    sandbox, container = env.start_sandbox()
    agent = env.agent(sandbox)
    equal(len(container.call("ListPids")), 1, "pids")
    text = sandbox.call("GetMetrics")
    match(text, r"(?m)^virtpod_agent_calls_total\{sandbox=\"%s\"\} \d+$" % sandbox.get("Id"), "host's metrics")
    match(text, r"(?m)^guest_up 1$", "guest's metrics")
    agent.fail["GetMetrics"] = ("UNIMPLEMENTED", "no")
    match(sandbox.call("GetMetrics"), r"\A# HELP virtpod_[^\n]*\n", "host's part alone")
    for code in ("UNIMPLEMENTED", "INVALID_ARGUMENT"):
        agent.fail["GetDiagnosticData"] = (code, "no such log")
        env.raises("NotSupported", lambda: container.call("ListPids"))
    sandbox.delete(force=True)


def test_oom(env):
    """OOM events are told once each, and only those of the sandbox's own containers"""
    sandbox, container = env.start_sandbox()
    heard = []
    number = env.manager.connection.signal_subscribe(
        bus.NAME, "org.virtpod.Sandbox1", "OOM", None, None, 0, lambda *args: heard.append(args[5].unpack()[0]))
    queue = env.agent(sandbox).sandbox.oom
    for cid in ("nobody", "", "../x", sandbox.get("Id")):
        queue.put(cid)
    eventually(lambda: heard, "signal OOM")
    equal(heard, [sandbox.get("Id")], "signals")
    equal(container.get("OomKilled"), True, "OomKilled")
    queue.put(sandbox.get("Id"))
    eventually(lambda: len(heard) == 2, "the second signal")
    env.manager.connection.signal_unsubscribe(number)
    sandbox.delete(force=True)
    env.no_leaks(env.before)


def test_oom_flood(env):
    """a guest that reports all the time is slowed down"""
    sandbox, _ = env.start_sandbox()
    agent = env.agent(sandbox)
    for _ in range(1000):
        agent.sandbox.oom.put(sandbox.get("Id"))
    began, before = time.monotonic(), agent.calls.count("GetOOMEvent")
    threading.Event().wait(2)
    asked = agent.calls.count("GetOOMEvent") - before
    most = 8 * (time.monotonic() - began) + 2
    check(asked <= most, "questions: %d, at most %.1f" % (asked, most))
    eventually(lambda: agent.calls.count("GetOOMEvent") >= before + 2, "further questions")
    sandbox.delete(force=True)


def test_events(env):
    """SandboxEvent tells a life in order"""
    told = []
    number = env.manager.connection.signal_subscribe(
        bus.NAME, "org.virtpod.Manager1", "SandboxEvent", None, None, 0, lambda *args: told.append(args[5].unpack()))
    sandbox, container = env.start_sandbox()
    sandbox.call("Pause")
    sandbox.call("Resume")
    container.call("Pause")
    container.call("Resume")
    container.exec(["false"], exec_id="e").wait()
    container.kill("KILL")
    container.wait()
    sandbox.stop()
    sandbox.delete()
    eventually(lambda: any(event == "deleted" for _, event, _ in told), "the last event")
    wanted = ["created", "container-created", "starting", "ready", "container-started", "paused", "resumed",
              "container-paused", "container-resumed", "exec-exited", "container-exited", "stopping", "stopped",
              "container-deleted", "deleted"]
    names = [event for _, event, _ in told]
    equal(sorted(names), sorted(wanted), "events")
    equal([n for n in names if n not in ("container-deleted",)], [n for n in wanted if n != "container-deleted"], "order")
    sid = sandbox.path.rsplit("/", 1)[1]
    for path, event, details in told:
        check(path == sandbox.path and details["id"] and details["time"] > 0, "%s: %r" % (event, details))
    details = {event: details for _, event, details in told}
    equal((details["exec-exited"]["exec-id"], details["exec-exited"]["exit-status"]), ("e", 1), "exec-exited")
    equal(details["container-exited"]["exit-status"], 137, "container-exited")
    equal(details["stopped"]["reason"], "stopped", "stopped of " + sid)
    env.manager.connection.signal_unsubscribe(number)


def test_sandbox_small(env):
    """devices, console, size"""
    sandbox, _ = env.start_sandbox()
    devices = sandbox.call("ListDevices")
    check({"share", "channel"} <= {d["kind"] for d in devices}, "devices: %r" % devices)
    update = lambda **values: sandbox.call("Update", "(a{sv})", bus.options(values))
    update(vcpus=GLib.Variant("u", sandbox.get("Vcpus")))
    env.raises("NotSupported", lambda: update(vcpus=GLib.Variant("u", 99)), "vcpus: it has")
    env.raises("InvalidArgument", lambda: update(vcpus=GLib.Variant("u", 0)), "vcpus")
    _, fds = sandbox.call_with_fds("OpenConsole", "(a{sv})", ({},))
    equal(read_all(fds[0]), b"", "console of a machine that has none")
    env.raises("InvalidArgument", lambda: sandbox.call("OpenConsole", "(a{sv})", bus.options({"tail": 1})))
    sandbox.delete(force=True)


def test_prune(env):
    """Prune deletes what has ended, and nothing else"""
    running, own = env.start_sandbox()
    ended = running.create_container(env.new_id("c"), env.bundle(["true"]))
    ended.start()
    ended.wait()
    created, _ = env.create()
    stopped, _ = env.start_sandbox()
    stopped.stop()
    prune = lambda **values: sorted(env.manager.call("Prune", "(a{sv})", bus.options(values)))
    wanted = sorted([("sandbox", stopped.get("Id")), ("container", ended.get("Id"))])
    equal(prune(**{"dry-run": True}), wanted, "what would go")
    equal(prune(**{"older-than-usec": 1 << 62}), [], "older than time")
    equal(prune(), wanted, "what went")
    equal(prune(), [], "the second time")
    equal((running.get("State"), own.get("State"), created.get("State")), ("ready", "running", "created"), "the others")
    for target in (running, created):
        target.delete(force=True)
    env.no_leaks(env.before)


# ---- files -----------------------------------------------------------------------------

def test_copy_unable(env):
    """an agent that cannot copy, and arguments that are none"""
    sandbox, container = env.start_sandbox()
    out = lambda path, **values: container.call_with_fds("CopyOut", "(sa{sv})", (path, bus.options(values)))
    env.raises("NotSupported", lambda: out("/etc"), "cannot copy")
    env.raises("InvalidArgument", lambda: out("etc"), "absolute")
    env.raises("InvalidArgument", lambda: out("/etc", mkdir=True), "mkdir")
    null = os.open("/dev/null", os.O_RDONLY)
    into = lambda path, **values: container.call_with_fds("CopyIn", "(hsa{sv})", (0, path, bus.options(values)), (null,))
    env.raises("NotSupported", lambda: into("/etc"), "cannot copy")
    env.raises("InvalidArgument", lambda: into("/etc", dereference=True), "dereference")
    env.raises("InvalidArgument", lambda: container.call("CopyIn", "(hsa{sv})", 0, "/etc", {}), "tar")
    os.close(null)
    sandbox.delete(force=True)
    env.no_leaks(env.before)


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    testdriver.main(TESTS, TestDriverEnv())
