#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host's half of networks, without machines: what is made in a sandbox's network namespace and taken away again."""

import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import host
import netns
import pods
from netns import Pod
from pods import MAC, check_clean, create, make_pod, taps_in
from tap import check, equal, match
from testdriver import Pending, eventually


def test_connect(env):
    """an interface of the namespace becomes one of the machine; delete leaves it as it was"""
    pod = make_pod(env)
    sandbox = create(env, pod)
    equal(host.interfaces(), [], "taps before the start")
    sandbox.start()
    taps = taps_in(pod)
    equal((len(taps), host.interfaces()), (1, []), "taps in the pod, on the host")
    xml = sandbox.call("GetDomainXML", "(a{sv})", {})
    match(xml, "<interface type=['\"]ethernet['\"]>", "document")
    match(xml, MAC, "document")
    match(xml, "<mtu size=['\"]1400['\"]/>", "document")
    match(xml, "<target dev=['\"]%s['\"] managed=['\"]no['\"]/>" % taps[0], "document")
    match(pod.filters("eth0"), "Redirect to device " + taps[0], "filter of eth0")
    match(pod.filters(taps[0]), "Redirect to device eth0", "filter of the tap")
    match(pod.ip("-d", "link", "show", taps[0]), r"mtu 1400.*\n.*\n.*alias virtpod box eth0|alias virtpod box eth0",
          "tap")
    sandbox.stop()
    check_clean(pod)
    sandbox.delete()
    check_clean(pod)
    match(pod.ip("addr", "show", "eth0"), "10.88.0.2/24", "the namespace's own addresses")


def test_interfaces(env):
    """each interface that is up has a tap of its own"""
    pod = make_pod(env)
    for i in range(1, 4):
        pod.add_veth("more-%d" % i, "net%d" % i, mac="02:00:00:00:01:0%d" % i)
    sandbox = create(env, pod)
    sandbox.start()
    taps = taps_in(pod)
    equal(len(taps), 4, "taps")
    for name in ("eth0", "net1", "net2", "net3"):
        check(any("device " + t in pod.filters(name) for t in taps), "%s is not connected" % name)
    sandbox.delete(force=True)
    check_clean(pod)


def test_told(env):
    """the agent hears of interfaces, then routes, then neighbours; of nothing where there is nothing"""
    calls = ("UpdateInterface", "UpdateRoutes", "AddARPNeighbors", "CreateSandbox")
    pod = make_pod(env)
    pod.add_veth("more", "net1", mac="02:00:00:00:01:01")
    pod.ip("addr", "add", "fd88::2/64", "dev", "eth0", "nodad")
    pod.ip("neigh", "add", "10.88.0.1", "lladdr", "02:00:00:00:00:01", "dev", "eth0", "nud", "permanent")
    sandbox = create(env, pod)
    sandbox.start()
    agent = env.agent(sandbox)
    equal([name for name in agent.calls if name in calls],
          ["UpdateInterface", "UpdateInterface", "UpdateRoutes", "AddARPNeighbors", "CreateSandbox"], "calls")
    guest = agent.sandbox
    eth0 = guest.interfaces[MAC]
    equal((eth0.name, eth0.mtu, sorted((a.address, a.mask) for a in eth0.IPAddresses)),
          ("eth0", 1400, [("10.88.0.2", "24"), ("fd88::2", "64")]), "interface")
    equal([(r.dest, r.gateway, r.device) for r in guest.routes.Routes], [("", "10.88.0.1", "eth0")], "routes")
    equal([(n.toIPAddress.address, n.lladdr) for n in guest.neighbours], [("10.88.0.1", "02:00:00:00:00:01")],
          "neighbours")
    sandbox.delete(force=True)
    sandbox, _container = env.create(["true"])
    sandbox.start()
    equal([name for name in env.agent(sandbox).calls if name in calls], ["CreateSandbox"], "calls")
    sandbox.delete(force=True)


def test_guest_refuses(env):
    """a guest that does not take its network: the start fails by name and nothing is left"""
    for method in ("UpdateInterface", "UpdateRoutes"):
        pod = make_pod(env)
        env.house.fail[method] = ("INTERNAL", "broken on purpose")
        sandbox = create(env, pod)
        env.raises("AgentFailed", sandbox.start, "network of sandbox .*broken on purpose")
        env.house.fail.clear()
        check_clean(pod)
        sandbox.delete()


def test_empty(env):
    """a namespace with nothing in it, and one that is not named: no interface, no error"""
    pod = Pod(env.path("empty"))
    env.pods.append(pod)
    sandbox = create(env, pod)
    sandbox.start()
    check("<interface" not in sandbox.call("GetDomainXML", "(a{sv})", {}), "there is an interface")
    sandbox.delete(force=True)
    sandbox, _container = env.create(["true"])
    sandbox.start()
    check("<interface" not in sandbox.call("GetDomainXML", "(a{sv})", {}), "there is an interface")
    sandbox.delete(force=True)


def test_host_namespace(env):
    """the host's own namespace is refused, by whatever path; with network.model=none there is nothing to refuse"""
    for path in ("/proc/%d/ns/net" % env.daemon.pid, "/proc/self/ns/net"):
        document = netns.document(path, ["true"])
        sandbox = env.manager.create_sandbox("box", env.bundles.make(document=document))
        env.raises("NotSupported", sandbox.start, "network namespace .*host's own")
        sandbox.delete()
    env.stop_daemon()
    env.options += ["--set", "network.model=none"]
    try:
        env.start_daemon()
        sandbox = env.manager.create_sandbox("box", env.bundles.make(document=document))
        sandbox.start()
        sandbox.delete(force=True)
        env.stop_daemon()
    finally:
        del env.options[-2:]
        if env.daemon is None:
            env.start_daemon()


def test_bad_namespaces(env):
    """what is no network namespace is named, and nothing is made"""
    for path, error in (("/no/such/file", "NotFound"), ("/dev/null", "InvalidArgument"),
                        ("/proc/self/ns/mnt", "InvalidArgument")):
        sandbox = env.manager.create_sandbox("box", env.bundles.make(document=netns.document(path, ["true"])))
        env.raises(error, sandbox.start, "network namespace \"%s\"" % path)
        sandbox.delete()
    equal(host.interfaces(), [], "taps")


def test_collision(env):
    """two sandboxes in one namespace: the second is refused, the first keeps what it has"""
    pod = make_pod(env)
    first = create(env, pod, "first")
    first.start()
    before = pod.filters("eth0")
    second = create(env, pod, "second")
    env.raises("AlreadyExists", second.start, "interface \"eth0\": .*ingress")
    second.delete()
    equal((len(taps_in(pod)), pod.filters("eth0"), host.interfaces()), (1, before, []), "what is left")
    first.delete(force=True)
    check_clean(pod)


def test_same_mac(env):
    """interfaces that a guest could not tell apart are refused by name"""
    pod = make_pod(env)
    pod.add_veth("twin", "eth1", mac=MAC)
    sandbox = create(env, pod)
    env.raises("NotSupported", sandbox.start, "\"eth0\" and \"eth1\"")
    sandbox.delete()
    check_clean(pod)


def test_many(env):
    """a thousand addresses and routes start like one"""
    pod = make_pod(env)
    lines = ["addr add 10.%d.%d.1/24 dev eth0\nroute add 172.16.%d.%d/32 via 10.88.0.1" % (100 + i // 250, i % 250, i // 250, i % 250)
             for i in range(1000)]
    netns.run("ip", "-batch", "-", netns=pod.path, data="\n".join(lines) + "\n")
    sandbox = create(env, pod)
    sandbox.start()
    equal(len(taps_in(pod)), 1, "taps")
    guest = env.agent(sandbox).sandbox
    equal((len(guest.interfaces[MAC].IPAddresses), len(guest.routes.Routes)), (1001, 1001), "what the guest was told")
    sandbox.delete(force=True)
    check_clean(pod)


def test_too_many(env):
    """more routes than the bound are a named error"""
    pod = make_pod(env)
    lines = ["route add 172.%d.%d.%d/32 via 10.88.0.1" % (16 + i // 62500, i // 250 % 250, i % 250) for i in range(4096)]
    netns.run("ip", "-batch", "-", netns=pod.path, data="\n".join(lines) + "\n")
    sandbox = create(env, pod)
    env.raises("ResourceExhausted", sandbox.start, "more than 4096 routes")
    sandbox.delete()
    check_clean(pod)


def test_namespace_vanishes(env):
    """a namespace that goes away under a running sandbox: it can be stopped and deleted"""
    pod = make_pod(env)
    sandbox = create(env, pod)
    sandbox.start()
    pod.remove()
    equal(sandbox.get("State"), "ready", "state")
    sandbox.stop()
    sandbox.delete()
    equal(host.interfaces(), [], "taps on the host")


def test_namespace_replaced(env):
    """another namespace of the same name is left alone"""
    pod = make_pod(env)
    sandbox = create(env, pod)
    sandbox.start()
    pod.remove()
    other = Pod(pod.path)
    other.add_veth("other0", mac=MAC)
    netns.run("tc", "qdisc", "add", "dev", "eth0", "ingress", netns=other.path)
    before = other.qdiscs()
    sandbox.delete(force=True)
    equal((other.qdiscs(), other.links()), (before, ["lo", "eth0"]), "the other namespace")
    equal(host.interfaces(), [], "taps on the host")


def test_failed_start(env):
    """a start that fails after the network was made takes it away"""
    pod = make_pod(env)
    document = netns.document(pod.path, ["sleep", "1000"])
    document["hooks"] = {"createRuntime": [{"path": "/bin/false", "args": ["false"]}]}
    sandbox = env.manager.create_sandbox("box", env.bundles.make(document=document))
    env.raises("Failed", sandbox.start, "createRuntime")
    check_clean(pod)
    sandbox.delete()


def test_killed(env):
    """a daemon that is killed: the next one takes away what the sandbox had"""
    pod = make_pod(env)
    sandbox = create(env, pod)
    sandbox.start()
    equal(len(taps_in(pod)), 1, "taps")
    env.stop_daemon(kill=True)
    env.start_daemon()
    # the test driver's machines end with their daemon
    again = env.manager.sandbox("box")
    eventually(lambda: again.get("State") == "lost", "state lost")
    check_clean(pod)
    again.delete()


def test_killed_while_starting(env):
    """the same for a start that was under way"""
    pod = make_pod(env)
    env.house.mute.add("UpdateInterface")
    sandbox = create(env, pod)
    pending = Pending(sandbox, "Start", "(a{sv})", {})
    eventually(lambda: taps_in(pod) and "Redirect" in pod.filters("eth0"), "tap that is joined")
    check(not pending.done(), "the start has ended")
    env.stop_daemon(kill=True)
    env.house.mute.clear()
    env.start_daemon()
    again = env.manager.sandbox("box")
    eventually(lambda: again.get("State") == "failed", "state failed")
    check_clean(pod)
    again.delete()


def test_unreadable(env):
    """a record that cannot be read: its taps are known by their notes, and another's stay"""
    pod = make_pod(env)
    sandbox = create(env, pod)
    sandbox.start()
    record = os.path.join(env.directory(sandbox), "record.json")
    env.stop_daemon(kill=True)
    with open(record, "w", encoding="ascii") as f:
        f.write("{")
    # one that was not moved yet, and two that are not the sandbox's
    for name, note, place in (("vp0-7", "virtpod box eth7", None), ("vp0-8", "virtpod box2 eth0", pod.path),
                              ("vp0-9", "box eth0", pod.path)):
        netns.run("ip", "tuntap", "add", name, "mode", "tap", netns=place)
        netns.run("ip", "link", "set", name, "alias", note, netns=place)
    equal((len(taps_in(pod)), len(pod.qdiscs()), host.interfaces()), (3, 2, ["vp0-7"]), "before")
    env.start_daemon()
    eventually(lambda: not os.path.exists(os.path.dirname(record)), "directory of the sandbox")
    equal((sorted(taps_in(pod)), pod.qdiscs(), host.interfaces()), (["vp0-8", "vp0-9"], [], []), "after")
    quarantine = os.path.join(env.state_dir, "quarantine")
    equal(len(os.listdir(quarantine)), 1, "quarantined")
    shutil.rmtree(quarantine)


if __name__ == "__main__":
    pods.main(globals())
