#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every method and property of the bus, on libvirt's test driver."""

import json
import os
import statistics
import sys
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import testdriver
from env import srcdir
from gi.repository import GLib
from tap import check, equal, match
from testdriver import Pending, Signals, TestDriverEnv, eventually, now_usec, read_all


def all_properties(target):
    """What Properties.GetAll says of an object."""
    reply = target.connection.call_sync(
        bus.NAME, target.path, "org.freedesktop.DBus.Properties", "GetAll",
        GLib.Variant("(s)", (target.interface,)), None, 0, 120000, None)
    return reply.unpack()[0]


def documented(interface, kind):
    """Names of an interface's methods, properties or signals in its XML."""
    tree = ElementTree.parse(os.path.join(srcdir, "data", interface + ".xml"))
    return {node.get("name") for node in tree.iter(kind)}


def wait_pending(target):
    return Pending(target, "Wait", timeout=bus.Object.wait_forever // 1000)


def many_waits(env, target, number=50):
    """Waits of a connection of their own: a bus limits the calls under way of each."""
    own = type(target)(bus.connect(env.address), target.path)
    return [wait_pending(own) for _ in range(number)]


# ---- the manager ---------------------------------------------------------------------

def test_manager(env):
    """the manager's properties"""
    values = all_properties(env.manager)
    equal(set(values), documented("org.virtpod.Manager1", "property"), "properties")
    equal(values["HypervisorUri"], "test:///default", "HypervisorUri")
    equal(values["HypervisorState"], "connected", "HypervisorState")
    check(values["LibvirtVersion"] > 1000000, "LibvirtVersion: %r" % values["LibvirtVersion"])
    check(values["HypervisorVersion"] > 0, "HypervisorVersion")
    match(values["Version"], r"^\d+\.\d+", "Version")
    check(values["Accelerator"] in ("kvm", "tcg"), "Accelerator: %r" % values["Accelerator"])
    equal(values["RuntimeHandlers"], ["default"], "RuntimeHandlers")
    equal((values["NSandboxes"], values["NContainers"]), (0, 0), "counts")


def test_lists(env):
    """ListSandboxes and ListContainers with each filter"""
    one, own = env.create(sid="list-1", labels={"app": "web", "tier": "front"})
    env.create(sid="list-2", labels={"app": "web"})
    three, _ = env.create(sid="list-3")
    more = three.create_container("list-3b", env.bundle())
    ids = lambda **f: sorted(row[0] for row in env.manager.sandboxes(**f))
    equal(ids(), ["list-1", "list-2", "list-3"], "all")
    equal(ids(id="list-2"), ["list-2"], "by id")
    equal(ids(id="list"), [], "by part of an id")
    equal(ids(state="created"), ["list-1", "list-2", "list-3"], "by state")
    equal(ids(state="ready"), [], "by another state")
    equal(len(ids(handler="default")), 3, "by handler")
    equal(ids(handler=""), [], "by no handler")
    equal(ids(**{"label:app": "web"}), ["list-1", "list-2"], "by label")
    equal(ids(**{"label:app": "web", "label:tier": "front"}), ["list-1"], "by two labels")
    equal(ids(**{"label:app": ""}), [], "by an empty label")
    equal(ids(**{"label:app": "web", "id": "list-3"}), [], "by what excludes each other")
    row = env.manager.sandboxes(id="list-1")[0]
    equal(row[1:3] + row[4:], ("created", "default", one.path), "row")
    check(abs(row[3] - now_usec()) < 600e6, "creation time: %d" % row[3])

    ids = lambda **f: sorted(row[0] for row in env.manager.containers(**f))
    equal(ids(), ["list-1", "list-2", "list-3", "list-3b"], "containers")
    equal(ids(sandbox="list-3"), ["list-3", "list-3b"], "of a sandbox")
    equal(ids(sandbox="list-3", id="list-3b"), ["list-3b"], "of a sandbox by id")
    equal(ids(state="running"), [], "by state")
    row = env.manager.containers(id="list-3b")[0]
    equal(row[1:5] + row[6:], ("list-3", "creating", more.get("Bundle"), 0, more.path), "row")
    equal((env.manager.get("NSandboxes"), env.manager.get("NContainers")), (3, 4), "counts")
    equal(sorted(three.call("ListContainers")), sorted([env.manager.container("list-3").path, more.path]), "of three")
    equal(own.get("Sandbox"), one.path, "container's sandbox")
    for name in ("list-1", "list-2", "list-3"):
        env.manager.sandbox(name).delete()
    equal(env.manager.get("NContainers"), 0, "containers after")
    env.no_leaks(env.before)


def test_object_manager(env):
    """the object manager announces sandboxes and containers, with all properties"""
    sandbox, container = env.create(sid="a.b-c_1")
    match(sandbox.path, r"^/org/virtpod/sandbox/a_2eb_2dc_5f1$", "path")
    objects = env.manager.objects()
    equal(set(objects), {sandbox.path, container.path}, "objects")
    equal(set(objects[sandbox.path]["org.virtpod.Sandbox1"]), documented("org.virtpod.Sandbox1", "property"), "sandbox")
    equal(set(objects[container.path]["org.virtpod.Container1"]),
          documented("org.virtpod.Container1", "property"), "container")
    sandbox.delete()
    equal(env.manager.objects(), {}, "objects after")


# ---- one sandbox, from create to delete -----------------------------------------------

def test_sandbox(env):
    """a sandbox's properties in each state"""
    began = now_usec()
    sandbox, container = env.create(["sleep", "1000"], labels={"a": "b"})
    values = all_properties(sandbox)
    equal(set(values), documented("org.virtpod.Sandbox1", "property"), "properties")
    equal(values["State"], "created", "state")
    equal(values["Labels"], {"a": "b"}, "labels")
    equal(values["StartStages"], [], "stages before")
    equal((values["AgentState"], values["ExitReason"], values["Vcpus"]), ("down", "", 0), "before the start")
    equal((values["StartedAt"], values["ExitedAt"]), (0, 0), "times before the start")
    equal(env.record(sandbox)["state"], "created", "record")

    sandbox.start()
    values = all_properties(sandbox)
    equal((values["State"], values["AgentState"]), ("ready", "ready"), "states")
    equal([name for name, _usec in values["StartStages"]],
          ["plan", "namespace", "scan", "share", "taps", "cgroup", "domain", "connect", "account", "door", "console",
           "agent", "addresses", "guest", "containers"], "stages")
    check(all(0 < usec < 60e6 for _name, usec in values["StartStages"]), "stages: %r" % values["StartStages"])
    check(values["Vcpus"] >= 1 and values["MemoryBytes"] >= 64 << 20, "size: %r" % values)
    check(began <= values["CreatedAt"] <= values["StartedAt"] <= now_usec(), "times")
    equal(env.record(sandbox)["state"], "ready", "record")
    equal(container.get("State"), "created", "container")

    sandbox.stop()
    values = all_properties(sandbox)
    equal((values["State"], values["ExitReason"], values["AgentState"]), ("stopped", "stopped", "down"), "after Stop")
    check(values["StartedAt"] <= values["ExitedAt"] <= now_usec(), "time of the end")
    equal(values["HypervisorPid"], 0, "pid")
    equal(env.record(sandbox)["state"], "stopped", "record")
    sandbox.stop()
    env.raises("InvalidState", sandbox.start, "stopped")
    env.raises("InvalidState", sandbox.ping)
    sandbox.delete()
    env.raises("NotFound", lambda: env.manager.sandbox(values["Id"]))
    env.no_leaks(env.before)


def test_container(env):
    """a container's properties and OCI state in each state"""
    out, inner = os.pipe()
    sandbox, container = env.create(["sh", "-c", "echo $0; exit 7", "hello"], stdout=inner, annotations={"k": "v"})
    os.close(inner)
    values = all_properties(container)
    equal(set(values), documented("org.virtpod.Container1", "property"), "properties")
    equal((values["State"], values["Terminal"], values["Pid"]), ("creating", False, 0), "before")
    state = json.loads(container.call("GetState"))
    equal((state["id"], state["status"], state["bundle"], state["annotations"]),
          (values["Id"], "creating", values["Bundle"], {"k": "v"}), "OCI state")
    equal((state["rootfs"], state["created"][:2]), (values["Bundle"] + "/rootfs", "20"), "what runc's has, too")
    sandbox.start()
    equal(container.get("State"), "created", "after the start of the sandbox")
    equal(json.loads(container.call("GetState"))["status"], "created", "OCI status")
    container.start()
    equal(container.call("Wait")[0], 7, "status")
    values = all_properties(container)
    equal((values["State"], values["ExitStatus"]), ("stopped", 7), "after")
    check(values["CreatedAt"] <= values["StartedAt"] <= values["ExitedAt"] <= now_usec(), "times: %r" % values)
    equal(json.loads(container.call("GetState"))["status"], "stopped", "OCI status")
    equal(read_all(out), b"hello\n", "stdout")
    equal(sandbox.get("State"), "ready", "a sandbox outlives its container")
    env.raises("InvalidState", container.start, "stopped")
    env.raises("InvalidState", lambda: container.kill("TERM"), "stopped")
    env.raises("InvalidState", lambda: container.exec(["true"]), "stopped")
    equal(container.delete(), 7, "status of Delete")
    equal(env.manager.sandboxes(), [], "deleting its own container deletes the sandbox")
    env.no_leaks(env.before)


def test_guest_details(env):
    """Ping and GetGuestDetails"""
    sandbox, _ = env.start_sandbox(run=False)
    equal(sandbox.ping(), "fake-1", "version")
    details = sandbox.call("GetGuestDetails")
    equal(set(details), {"agent-version", "init-daemon", "device-handlers", "storage-handlers", "supports-seccomp",
                         "mem-block-size-bytes"}, "keys")
    equal((details["agent-version"], details["init-daemon"], details["mem-block-size-bytes"]),
          ("fake-1", True, 128 << 20), "details")
    equal(details["storage-handlers"], ["ephemeral", "virtio-fs", "local"], "storage handlers")
    sandbox.delete(force=True)
    env.no_leaks(env.before)


def test_xml(env):
    """GetDomainXML, our document and the live one"""
    sandbox, _ = env.create(["sleep", "1000"])
    xml = lambda **values: sandbox.call("GetDomainXML", "(a{sv})", bus.options(values))
    env.raises("InvalidState", xml)
    env.raises("InvalidState", lambda: xml(live=True), "created")
    env.raises("InvalidArgument", lambda: xml(alive=True), "alive")
    sandbox.start()
    for text in (xml(), xml(live=True)):
        root = ElementTree.fromstring(text)
        equal(root.find("name").text, sandbox.get("DomainName"), "name")
        equal(root.find("uuid").text, sandbox.get("DomainUUID"), "uuid")
        match(text, sandbox.get("Id"), "metadata")
    sandbox.stop()
    xml()
    env.raises("InvalidState", lambda: xml(live=True), "stopped")
    sandbox.delete()


# ---- waiting ---------------------------------------------------------------------------

def test_wait(env):
    """Wait before and after the end, by many at once"""
    sandbox, container = env.create(["sh", "-c", "read x; exit 5"])
    waits = many_waits(env, container)
    sandbox_waits = many_waits(env, sandbox)
    sandbox.start()
    container.start()
    process = bus.Process(env.manager.connection, container.call("GetProcess", "(s)", ""))
    waits += many_waits(env, process)
    check(not any(wait.done() for wait in waits), "a wait ended too early")
    process.call("CloseStdin")
    equal({wait.result()[0] for wait in waits}, {5}, "statuses")
    equal(len({wait.result()[1] for wait in waits}), 1, "times")
    equal(container.wait(), 5, "a late wait")
    check(not any(wait.done() for wait in sandbox_waits), "a wait of the sandbox ended too early")
    sandbox.stop()
    equal({wait.result()[0] for wait in sandbox_waits}, {5}, "statuses of the sandbox")
    equal(sandbox.call("Wait"), (5, sandbox.get("ExitedAt")), "a late wait of the sandbox")
    sandbox.delete()
    env.no_leaks(env.before)


def test_wait_deleted(env):
    """Wait for what is deleted before it ran says InvalidState"""
    sandbox, container = env.create()
    waits = [wait_pending(container), wait_pending(sandbox)]
    equal(env.manager.sandboxes()[0][0], sandbox.get("Id"), "sandbox")
    sandbox.delete()
    for wait in waits:
        equal(wait.outcome(), "InvalidState", "wait")
    env.no_leaks(env.before)


# ---- processes --------------------------------------------------------------------------

def test_exec(env):
    """Exec with each option, and its object"""
    sandbox, container = env.start_sandbox(env=["FROM=spec"])
    out, inner = os.pipe()
    process = container.exec(["sh", "-c", "echo $FROM $MORE; pwd; exit 3"], stdout=inner, env=["MORE=exec"], cwd="/tmp")
    os.close(inner)
    values = all_properties(process)
    equal(set(values), documented("org.virtpod.Process1", "property"), "properties")
    equal(values["Container"], container.path, "container")
    match(values["ExecId"], r"^[0-9a-f]{32}$", "id that was chosen")
    equal(process.wait(), 3, "status")
    equal(read_all(out), b"spec exec\n/tmp\n", "stdout")
    values = all_properties(process)
    equal((values["State"], values["ExitStatus"]), ("stopped", 3), "state")
    equal(process.wait(), 3, "a late wait")
    equal(container.call("GetProcess", "(s)", values["ExecId"]), process.path, "GetProcess")
    env.raises("InvalidState", lambda: process.kill("TERM"), "stopped")
    env.raises("InvalidState", lambda: process.call("CloseStdin"))
    env.raises("InvalidArgument", lambda: container.exec([]), "args")
    env.raises("InvalidArgument", lambda: container.exec([""]), "args")
    env.raises("InvalidArgument", lambda: container.exec(["true"], exec_id="a/b"), "exec id")
    env.raises("InvalidArgument", lambda: container.exec(["true"], cwd="tmp"), "cwd")
    env.raises("InvalidArgument", lambda: container.exec(["true"], user="root:x:y"), "user")
    env.raises("InvalidArgument", lambda: container.exec(["true"], env=["novalue"]), "env")
    env.raises("CommandNotFound", lambda: container.exec(["no-such-program"]), "no-such-program")
    env.raises("CommandNotExecutable", lambda: container.exec(["/etc/passwd"]), "passwd")
    env.raises("NotFound", lambda: container.call("GetProcess", "(s)", "nobody"), "nobody")
    named = container.exec(["sleep", "1000"], exec_id="named")
    env.raises("AlreadyExists", lambda: container.exec(["true"], exec_id="named"), "named")
    named.kill("TERM")
    equal(named.wait(), 128 + 15, "status of a killed process")
    sandbox.delete(force=True)
    env.no_leaks(env.before)


def test_streams(env):
    """stdin, stdout and stderr as descriptors and as paths"""
    out, out_inner = os.pipe()
    err, err_inner = os.pipe()
    inner, into = os.pipe()
    sandbox, container = env.create(["sh", "-c", "cat; echo problem >&2"], stdin=inner, stdout=out_inner, stderr=err_inner)
    for fd in (inner, out_inner, err_inner):
        os.close(fd)
    sandbox.start()
    container.start()
    data = os.urandom(100000)
    os.set_blocking(into, True)
    pid = os.fork()
    if pid == 0:
        view = memoryview(data)
        while view:
            view = view[os.write(into, view):]
        os._exit(0)
    os.close(into)
    equal(read_all(out) == data, True, "stdout is stdin")
    equal(read_all(err), b"problem\n", "stderr")
    os.waitpid(pid, 0)
    equal(container.wait(), 0, "status")
    path = env.path("out")
    with open(path, "wb"):
        pass
    sandbox2 = env.manager.create_sandbox("paths", env.bundle(["sh", "-c", "echo one; echo two >&2"]),
                                          **{"stdout-path": path, "stderr-path": "/dev/null", "stdin-path": "/dev/null"})
    sandbox2.start()
    other = env.manager.container("paths")
    other.start()
    equal(other.wait(), 0, "status")
    with open(path, "rb") as f:
        equal(f.read(), b"one\n", "file")
    sandbox.delete(force=True)
    sandbox2.delete(force=True)
    os.unlink(path)
    env.no_leaks(env.before)


def test_attach(env):
    """Attach gives what was buffered and what comes"""
    sandbox, container = env.start_sandbox(["sh", "-c", "echo early; read line; echo got $line"])
    (fds,), ends = container.call_with_fds("Attach", "(a{sv})", ({},))
    equal(sorted(fds), ["stderr", "stdin", "stdout"], "ends")
    env.raises("Busy", lambda: container.call_with_fds("Attach", "(a{sv})", ({},)))
    os.write(ends[fds["stdin"]], b"hi\n")
    equal(read_all(ends[fds["stdout"]]), b"early\ngot hi\n", "stdout")
    os.close(ends[fds["stdin"]])
    os.close(ends[fds["stderr"]])
    equal(container.wait(), 0, "status")
    env.raises("InvalidArgument", lambda: container.call_with_fds("Attach", "(a{sv})", (bus.options({"x": True}),)))
    sandbox.delete(force=True)

    sandbox, container = env.start_sandbox(["sh", "-c", "echo kept; exit 4"])
    equal(container.wait(), 4, "status")
    (fds,), ends = container.call_with_fds("Attach", "(a{sv})", (bus.options({"stdout": True}),))
    equal(sorted(fds), ["stdout"], "ends")
    equal(read_all(ends[fds["stdout"]]), b"kept\n", "what was kept")
    sandbox.delete(force=True)
    env.no_leaks(env.before)


def test_terminal(env):
    """a terminal: Attach, ResizeTty, one stream"""
    sandbox, container = env.start_sandbox(["sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do read x && break; done; stty size; exit 2"],
                                           terminal=True)
    check(container.get("Terminal"), "Terminal")
    process = bus.Process(env.manager.connection, container.call("GetProcess", "(s)", ""))
    (fds,), ends = container.call_with_fds("Attach", "(a{sv})", ({},))
    equal(sorted(fds), ["terminal"], "ends")
    process.call("ResizeTty", "(qq)", 91, 37)
    env.raises("InvalidArgument", lambda: process.call("ResizeTty", "(qq)", 0, 37))
    os.write(ends[0], b"\n")
    match(read_all(ends[0]).decode(), r"37 91", "size")
    equal(container.wait(), 2, "status")
    env.raises("InvalidState", lambda: process.call("ResizeTty", "(qq)", 80, 24))
    sandbox.delete(force=True)
    sandbox, container = env.start_sandbox()
    process = bus.Process(env.manager.connection, container.call("GetProcess", "(s)", ""))
    env.raises("InvalidState", lambda: process.call("ResizeTty", "(qq)", 80, 24), "terminal")
    sandbox.delete(force=True)
    env.no_leaks(env.before)


def test_kill(env):
    """Kill by name and number, one process or all; a container that was not started"""
    for signal, status in (("TERM", 143), ("SIGINT", 130), ("9", 137)):
        sandbox, container = env.start_sandbox()
        container.kill(signal)
        equal(container.wait(), status, "status after " + signal)
        sandbox.delete(force=True)
    sandbox, container = env.start_sandbox()
    other = container.exec(["sleep", "1000"])
    env.raises("InvalidArgument", lambda: container.kill("TERM", all=True), "all")
    container.kill("KILL", all=True)
    equal((container.wait(), other.wait()), (137, 137), "statuses")
    sandbox.delete(force=True)

    sandbox, container = env.start_sandbox(run=False)
    container.kill("WINCH")
    equal(container.get("State"), "created", "state after a signal that ends nothing")
    container.start()
    container.kill("KILL")
    equal(container.wait(), 137, "status")
    sandbox.delete(force=True)
    sandbox, container = env.start_sandbox(run=False)
    container.kill("KILL")
    equal(container.wait(), 137, "status of one that did not run")
    env.raises("InvalidState", container.start, "stopped")
    equal(container.delete(), 137, "status of Delete")
    env.no_leaks(env.before)


# ---- more than one container ---------------------------------------------------------------

def test_two_containers(env):
    """a second container, before and after the start of its sandbox"""
    sandbox, own = env.create(["sleep", "1000"])
    sid = sandbox.get("Id")
    early = sandbox.create_container(sid + "-early", env.bundle(["sh", "-c", "exit 3"]))
    equal(early.get("State"), "creating", "before the start")
    sandbox.start()
    late = sandbox.create_container(sid + "-late", env.bundle(["sleep", "1000"]))
    equal([c.get("State") for c in (own, early, late)], ["created"] * 3, "states")
    own.start()
    early.start()
    late.start()
    equal(early.wait(), 3, "status")
    equal([c["id"] for c in env.record(sandbox)["containers"]], [sid, sid + "-early", sid + "-late"], "record")
    env.raises("InvalidState", lambda: late.delete(), "running")
    env.raises("AlreadyExists", lambda: sandbox.create_container(sid, env.bundle()))
    equal(early.delete(), 3, "status of Delete")
    env.raises("NotFound", lambda: env.manager.container(sid + "-early"))
    late.delete(force=True)
    deleted = now_usec()
    equal(os.listdir(os.path.join(env.directory(sandbox), "shared")), [sid], "share")
    equal(list(env.agent(sandbox).sandbox.containers), [sid], "containers of the guest")
    again = sandbox.create_container(sid + "-late", env.bundle(["true"]))
    # so long a guest may still take its files for those of the other
    check(now_usec() - deleted >= 1000000, "made after %d us" % (now_usec() - deleted))
    again.start()
    equal(again.wait(), 0, "status of one with an id that was used")
    again.delete()
    own.delete(force=True)
    equal(env.manager.sandboxes(), [], "sandboxes")
    env.no_leaks(env.before)


def test_annotations(env):
    """a bundle whose annotations name a sandbox joins it"""
    cri = lambda kind, sid: {"io.kubernetes.cri.container-type": kind, "io.kubernetes.cri.sandbox-id": sid}
    pod, _ = env.create(["sleep", "1000"], sid="pod", annotations=cri("sandbox", "pod"))
    pod.start()
    joined = env.manager.create_sandbox("joined", env.bundle(["sh", "-c", "exit 9"], annotations=cri("container", "pod")))
    equal(joined.path, pod.path, "the sandbox it got")
    container = env.manager.container("joined")
    equal((container.get("Sandbox"), container.get("State")), (pod.path, "created"), "container")
    container.start()
    equal(container.wait(), 9, "status")
    crio = {"io.kubernetes.cri-o.ContainerType": "container", "io.kubernetes.cri-o.SandboxID": "pod"}
    pod.create_container("joined2", env.bundle(annotations=crio))
    env.raises("InvalidArgument", lambda: pod.create_container("joined3", env.bundle(annotations=cri("container", "other"))),
               "other")
    equal(len(pod.call("ListContainers")), 3, "containers")
    pod.delete(force=True)
    env.raises("NotFound", lambda: env.manager.create_sandbox("late", env.bundle(annotations=cri("container", "pod"))), "pod")
    env.no_leaks(env.before)


# ---- signals --------------------------------------------------------------------------------

def test_signals(env):
    """Exited, InterfacesAdded, InterfacesRemoved and PropertiesChanged"""
    signals = Signals(env.address)
    # what takes long on a busy machine is a job
    objects = lambda name: [entry[3][0] for entry in signals.named(name) if "/job/" not in entry[3][0]]
    sandbox, container = env.create(["sh", "-c", "read x; exit 6"])
    eventually(lambda: objects("InterfacesAdded") == [sandbox.path, container.path], "InterfacesAdded")
    sandbox.start()
    container.start()
    process = container.exec(["sh", "-c", "exit 8"], exec_id="other")
    equal(process.wait(), 8, "status")
    bus.Process(env.manager.connection, container.path + "/process/_").call("CloseStdin")
    equal(container.wait(), 6, "status")
    sandbox.stop()
    sandbox.delete()
    eventually(lambda: len(objects("InterfacesRemoved")) == 2, "InterfacesRemoved")
    equal([(entry[3][0], entry[3][1]) for entry in signals.named("Exited", container.path)], [("other", 8), ("", 6)], "Exited")
    states = signals.values(sandbox.path, "State")
    check(states[0] == "starting" and states[-1] == "stopped" and "ready" in states, "states: %r" % states)
    equal(signals.values(container.path, "State"), ["created", "running", "stopped"], "states of the container")
    check("stopped" in signals.values(process.path, "State"), "states of the process")
    equal(signals.values(container.path, "ExitStatus"), [6], "exit status")
    # told when the main loop has time for it
    eventually(lambda: signals.values(bus.MANAGER, "NSandboxes")[-1:] == [0], "count of none")
    equal(signals.values(bus.MANAGER, "NSandboxes")[0], 1, "first count")
    signals.close()


# ---- again and again --------------------------------------------------------------------------

def test_cycles(env):
    """200 times create, start, run and delete leave nothing"""
    sizes = []
    bundle = env.bundle(["true"])
    for i in range(200):
        sid = "cycle-%d" % i
        sandbox = env.manager.create_sandbox(sid, bundle)
        sandbox.start()
        container = env.manager.container(sid)
        container.start()
        equal(container.wait(), 0, "status")
        if i % 2 == 0:
            sandbox.stop()
            sandbox.delete()
        else:
            container.delete()
        if i in (0, 19):
            env.no_leaks(env.before)
        if i % 20 == 19:
            sizes.append(env.rss())
    env.no_leaks(env.before)
    # a step, as when a thread takes a heap of its own, is not growth
    slope = statistics.median(later - before for before, later in zip(sizes, sizes[1:])) / 20
    print("# RSS after each 20 cycles: %s kB; %.2f kB a cycle" % (" ".join(map(str, sizes)), slope))
    check(slope < 8 or testdriver.sanitized(env), "memory grows by %.1f kB a cycle" % slope)


def test_end(env):
    """the daemon ends well (a sanitizer's build tells of its leaks here)"""
    equal(env.stop_daemon(), 0, "status")
    env.start_daemon()


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    testdriver.main(TESTS, TestDriverEnv())
