#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every method and property from a shell, with systemd's busctl."""

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import tap
import testdriver
from env import srcdir
from tap import check, equal, match
from testdriver import TestDriverEnv, eventually

USED = set()


def busctl(env, *args, status=0):
    result = subprocess.run(["busctl", "--address=" + env.address, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            timeout=60, check=False, text=True)
    equal(result.returncode != 0, status != 0, "status of %s (%s)" % (" ".join(args), result.stderr.strip()))
    return result.stdout if status == 0 else result.stderr


def call(env, path, interface, method, *args, status=0):
    USED.add((interface, method))
    return busctl(env, "call", "org.virtpod", path, "org.virtpod." + interface, method, *args, status=status).strip()


def prop(env, path, interface, name):
    return busctl(env, "get-property", "org.virtpod", path, "org.virtpod." + interface, name).strip()


def test_walk(env):
    """a sandbox from CreateSandbox to Delete"""
    manager = bus.MANAGER
    bundle = env.bundle(["sleep", "1000"])
    equal(call(env, manager, "Manager1", "CreateSandbox", "ssa{sv}", "web", bundle, "1", "labels", "a{ss}", "1", "app", "web"),
          'o "/org/virtpod/sandbox/web"', "CreateSandbox")
    sandbox = "/org/virtpod/sandbox/web"
    container = sandbox + "/container/web"
    equal(call(env, manager, "Manager1", "GetSandbox", "s", "web"), 'o "%s"' % sandbox, "GetSandbox")
    equal(call(env, manager, "Manager1", "GetContainer", "s", "web"), 'o "%s"' % container, "GetContainer")
    match(call(env, manager, "Manager1", "GetConfig", "s", ""), r'"hypervisor\.uri" "test:///default"', "GetConfig")
    match(call(env, manager, "Manager1", "Explain", "sa{sv}", env.bundle(), "1", "format", "s", "xml"), r"<domain type=", "Explain")
    match(call(env, manager, "Manager1", "ListSandboxes", "a{ss}", "1", "label:app", "web"), r'^a\(sssto\) 1 "web" "created"', "list")
    equal(call(env, manager, "Manager1", "Reload"), "", "Reload")
    equal(call(env, manager, "Manager1", "Drain", "a{sv}", "0"), "", "Drain")
    equal(call(env, manager, "Manager1", "Drain", "a{sv}", "1", "off", "b", "true"), "", "Drain")
    match(call(env, manager, "Manager1", "OpenPrivateConnection", "a{sv}", "0"), r"^h \d+$", "OpenPrivateConnection")
    match(call(env, manager, "Manager1", "ListContainers", "a{ss}", "0"), r'^a\(ssssuto\) 1 "web" "web" "creating"', "list")
    equal(call(env, sandbox, "Sandbox1", "Start", "a{sv}", "1", "timeout_usec", "t", "60000000"), "", "Start")
    equal(call(env, sandbox, "Sandbox1", "Ping"), 's "fake-1"', "Ping")
    match(call(env, sandbox, "Sandbox1", "GetGuestDetails"), "^a{sv} 6 ", "GetGuestDetails")
    match(call(env, sandbox, "Sandbox1", "GetDomainXML", "a{sv}", "1", "live", "b", "true"), "<domain", "GetDomainXML")
    equal(call(env, sandbox, "Sandbox1", "ListContainers"), 'ao 1 "%s"' % container, "ListContainers")
    equal(call(env, sandbox, "Sandbox1", "CreateContainer", "ssa{sv}", "side", env.bundle(["sh", "-c", "exit 3"]), "0"),
          'o "%s/container/side"' % sandbox, "CreateContainer")
    match(call(env, container, "Container1", "Start", "a{sv}", "0"), r"^u \d+$", "Start")
    match(call(env, container, "Container1", "GetState"), r'\\"status\\":\\"running\\"|\\"status\\": \\"running\\"', "GetState")
    match(call(env, container, "Container1", "Exec", "sasa{sv}", "one", "2", "sleep", "1000", "1", "cwd", "s", "/"),
          r'^o "%s/process/one"$' % container, "Exec")
    process = container + "/process/one"
    equal(call(env, container, "Container1", "GetProcess", "s", "one"), 'o "%s"' % process, "GetProcess")
    equal(call(env, process, "Process1", "CloseStdin"), "", "CloseStdin")
    match(call(env, process, "Process1", "ResizeTty", "qq", "80", "24", status=1), "terminal", "ResizeTty")
    equal(call(env, process, "Process1", "Kill", "s", "TERM"), "", "Kill")
    match(call(env, process, "Process1", "Wait"), r"^ut 143 \d+$", "Wait")
    match(call(env, container, "Container1", "Attach", "a{sv}", "0"), r"^a{sh} 3 ", "Attach")
    equal(call(env, container, "Container1", "Kill", "sa{sv}", "KILL", "1", "all", "b", "true"), "", "Kill")
    match(call(env, container, "Container1", "Wait"), r"^ut 137 \d+$", "Wait")
    match(call(env, sandbox + "/container/side", "Container1", "Delete", "a{sv}", "1", "force", "b", "true"), r"^ut \d+ \d+$", "Delete")
    equal(call(env, sandbox, "Sandbox1", "Stop", "ta{sv}", "0", "0"), "", "Stop")
    match(call(env, sandbox, "Sandbox1", "Wait"), r"^ut 137 \d+$", "Wait")
    match(call(env, sandbox, "Sandbox1", "Ping", status=1), "stopped", "error")
    equal(call(env, sandbox, "Sandbox1", "Delete", "a{sv}", "0"), "", "Delete")
    env.no_leaks(env.before)


def test_running(env):
    """what can be asked of a sandbox that runs, and done to it"""
    sandbox, container = (o.path for o in env.start_sandbox(["sleep", "1000"], sid="web"))
    for path, interface in ((sandbox, "Sandbox1"), (container, "Container1")):
        equal(call(env, path, interface, "Pause"), "", "Pause")
        equal(prop(env, path, interface, "State"), 's "paused"', "state")
        equal(call(env, path, interface, "Resume"), "", "Resume")
        match(call(env, path, interface, "GetStats"), r'"cpu\.usage-usec" t \d', "GetStats")
    match(call(env, bus.MANAGER, "Manager1", "GetStats", "a{sv}", "0"), '"%s"' % sandbox, "GetStats")
    match(call(env, sandbox, "Sandbox1", "GetMetrics"), r'^s "', "GetMetrics")
    match(call(env, sandbox, "Sandbox1", "ListDevices"), r"^aa{sv} [1-9]", "ListDevices")
    match(call(env, sandbox, "Sandbox1", "OpenConsole", "a{sv}", "0"), r"^h \d+$", "OpenConsole")
    match(call(env, sandbox, "Sandbox1", "Update", "a{sv}", "1", "vcpus", "u", "2", status=1), "vcpus", "Update")
    equal(call(env, container, "Container1", "Update", "s", '{"pids": {"limit": 100}}'), "", "Update")
    match(call(env, container, "Container1", "ListPids"), r"^au [1-9]", "ListPids")
    process = '{"args": ["sleep", "1000"], "cwd": "/"}'
    path = call(env, container, "Container1", "ExecProcessSpec", "ssa{sv}", "held", process, "1", "start", "b", "false")
    equal(path, 'o "%s/process/held"' % container, "ExecProcessSpec")
    equal(call(env, container + "/process/held", "Process1", "Start"), "", "Start")
    match(call(env, container + "/process/held", "Process1", "Delete", status=1), "running", "Delete")
    match(call(env, container, "Container1", "CopyOut", "sa{sv}", "no/root", "0", status=1), "path: must be absolute", "CopyOut")
    match(call(env, bus.MANAGER, "Manager1", "Check", "a{sv}", "0"), r'^a\(ssss\) [1-9]', "Check")
    equal(call(env, sandbox, "Sandbox1", "Stop", "ta{sv}", "0", "1", "force", "b", "true"), "", "Stop")
    equal(call(env, bus.MANAGER, "Manager1", "Prune", "a{sv}", "0"), 'a(ss) 1 "sandbox" "web"', "Prune")
    env.no_leaks(env.before)


def test_network(env):
    """the guest's network, as it is and as it is set"""
    sandbox = env.start_sandbox(["sleep", "1000"], sid="net")[0].path
    equal(call(env, sandbox, "Sandbox1", "UpdateInterface", "a{sv}", "2", "name", "s", "eth0", "mac", "s",
               "02:00:00:00:00:0a"), "", "UpdateInterface")
    match(call(env, sandbox, "Sandbox1", "ListInterfaces"), r'^aa{sv} 1 .*"eth0"', "ListInterfaces")
    equal(call(env, sandbox, "Sandbox1", "UpdateRoutes", "aa{sv}", "1", "2", "device", "s", "eth0", "gateway", "s",
               "10.0.0.1"), "", "UpdateRoutes")
    match(call(env, sandbox, "Sandbox1", "ListRoutes"), r'^aa{sv} 1 .*"10\.0\.0\.1"', "ListRoutes")
    match(call(env, sandbox, "Sandbox1", "GetIPTables", "s", "ipv4", status=1), "none is installed", "GetIPTables")
    match(call(env, sandbox, "Sandbox1", "SetIPTables", "ss", "ipv5", "", status=1), "family", "SetIPTables")
    match(call(env, sandbox, "Sandbox1", "AttachDevice", "a{sv}", "2", "kind", "s", "nic", "interface", "s", "eth1", status=1),
          'interface "eth1"', "AttachDevice")
    match(call(env, sandbox, "Sandbox1", "DetachDevice", "sa{sv}", "nic9", "0", status=1), "nic9", "DetachDevice")
    equal(call(env, sandbox, "Sandbox1", "RescanNetwork", "a{sv}", "0"), "asas 0 0", "RescanNetwork")
    match(call(env, sandbox, "Sandbox1", "PortForward", "qa{sv}", "0", "0", status=1), "port", "PortForward")
    equal(call(env, sandbox, "Sandbox1", "Delete", "a{sv}", "1", "force", "b", "true"), "", "Delete")
    env.no_leaks(env.before)


def test_all_methods(env):
    """that was every method there is"""
    USED.add(("Container1", "CopyIn"))  # takes a descriptor, which busctl has no words for
    for interface in ("Manager1", "Sandbox1", "Container1", "Process1"):
        tree = ElementTree.parse(os.path.join(srcdir, "data", "org.virtpod.%s.xml" % interface))
        equal({m.get("name") for m in tree.iter("method")} - {m for i, m in USED if i == interface}, set(), interface)


def test_properties(env):
    """get-property of every property"""
    sandbox, container = env.start_sandbox()
    paths = {"Manager1": bus.MANAGER, "Sandbox1": sandbox.path, "Container1": container.path,
             "Process1": container.path + "/process/_"}
    for interface, path in paths.items():
        tree = ElementTree.parse(os.path.join(srcdir, "data", "org.virtpod.%s.xml" % interface))
        for node in tree.iter("property"):
            value = prop(env, path, interface, node.get("name"))
            equal(value.split()[0], node.get("type"), node.get("name"))
    equal(prop(env, sandbox.path, "Sandbox1", "State"), 's "ready"', "state")
    sandbox.delete(force=True)


def test_tree(env):
    """tree and introspect find the objects"""
    sandbox, container = env.start_sandbox()
    paths = busctl(env, "tree", "--list", "org.virtpod").split()
    for path in (bus.MANAGER, sandbox.path, container.path, container.path + "/process/_"):
        check(path in paths, "%s is not in the tree" % path)
    match(busctl(env, "introspect", "org.virtpod", sandbox.path), r"\.GetDomainXML +method", "introspect")
    value = json.loads(busctl(env, "--json=short", "call", "org.virtpod", bus.MANAGER, "org.virtpod.Manager1",
                              "ListSandboxes", "a{ss}", "0"))
    equal(value["data"][0][0][1], "ready", "state")
    sandbox.delete(force=True)


def test_monitor(env):
    """monitor shows what happens"""
    with open(env.path("monitor.log"), "w", encoding="utf-8") as log:
        monitor = subprocess.Popen(["busctl", "--address=" + env.address, "monitor", "org.virtpod"], stdout=log, stderr=log)
    read = lambda: open(env.path("monitor.log"), encoding="utf-8").read()
    try:
        eventually(lambda: "Monitoring" in read() or "NameLost" in read(), "monitor")
        _, container = env.start_sandbox(["sh", "-c", "exit 5"])
        equal(container.wait(), 5, "status")
        eventually(lambda: re.search(r"Member=Exited", read()), "Exited")
        container.delete()
    finally:
        monitor.terminate()
        monitor.wait()
    os.unlink(env.path("monitor.log"))


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    if shutil.which("busctl") is None:
        tap.skip_all("busctl is not installed")
    testdriver.main(TESTS, TestDriverEnv())
