#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host's half of networks, without machines: what is made in a sandbox's network namespace and taken away again."""

import functools
import json
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import bundle
import host
import netns
import tap
import testdriver
from netns import Pod
from tap import check, equal, match
from testdriver import Pending, TestDriverEnv, eventually

MAC = "02:00:00:00:00:0a"


def make_pod(env, name="pod"):
    """A namespace with one interface."""
    pod = Pod(env.path(env.new_id(name)))
    pod.add_veth("host-" + os.path.basename(pod.path), mac=MAC, mtu=1400)
    pod.ip("addr", "add", "10.88.0.2/24", "dev", "eth0")
    pod.ip("route", "add", "default", "via", "10.88.0.1")
    env.pods.append(pod)
    return pod


def create(env, pod, sid="box", **changes):
    document = netns.document(pod.path, ["sleep", "1000"], **changes)
    return env.manager.create_sandbox(sid, env.bundles.make(document=document))


def taps_in(pod):
    return [name for name in pod.links() if name.startswith("vp")]


def check_clean(pod):
    equal((taps_in(pod), pod.qdiscs(), host.interfaces()), ([], [], []), "taps in the pod, qdiscs, taps on the host")


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


def test_plug_refused(env):
    """an interface that the machine does not take: taps, record and devices are as before, and again afterwards"""
    pod = make_pod(env)
    sandbox = create(env, pod)
    sandbox.start()
    pod.add_veth("more", "net1", mac="02:00:00:00:01:01")
    before = (taps_in(pod), pod.qdiscs(), env.record(sandbox)["resources"], sandbox.call("ListDevices"))
    check([row["interface"] for row in before[3] if row["kind"] == "nic"] == ["eth0"], "devices: %s" % before[3])
    plug = lambda name, kind="nic": sandbox.call("AttachDevice", "(a{sv})", bus.options({"kind": kind, "interface": name}))
    for _ in range(2):
        # libvirt's test driver has no such thing
        env.raises("NotSupported", lambda: plug("net1"), "plug a device into")
        equal((taps_in(pod), pod.qdiscs(), env.record(sandbox)["resources"], sandbox.call("ListDevices")), before,
              "what there is")
    env.raises("NotFound", lambda: plug("net7"), "interface \"net7\"")
    env.raises("AlreadyExists", lambda: plug("eth0"), "the guest has it")
    env.raises("NotSupported", lambda: plug("eth0", "disk"), "only \"nic\"")
    env.raises("InvalidArgument", lambda: plug(""), "interface: is missing")
    env.raises("NotFound", lambda: sandbox.call("DetachDevice", "(sa{sv})", "nic7", {}), "nic7: there is no such device")
    env.raises("InvalidArgument", lambda: sandbox.call("DetachDevice", "(sa{sv})", "nic0", bus.options({"now": True})),
               "\"now\"")
    other = env.manager.create_sandbox("other", env.bundles.make(document=netns.document(pod.path, ["true"])),
                                       network="none")
    other.start()
    env.raises("NotSupported", lambda: other.call("AttachDevice", "(a{sv})", bus.options(
        {"kind": "nic", "interface": "net1"})), "network.model is not tcfilter")
    other.delete(force=True)
    sandbox.delete(force=True)
    check_clean(pod)


def test_rescan(env):
    """addresses that have changed are told; an interface that cannot be plugged is the error, after the rest"""
    pod = make_pod(env)
    sandbox = create(env, pod)
    sandbox.start()
    guest = env.agent(sandbox).sandbox
    pod.ip("addr", "add", "10.88.7.2/24", "dev", "eth0")
    pod.ip("route", "add", "10.200.0.0/16", "via", "10.88.0.1")
    equal(sandbox.call("RescanNetwork", "(a{sv})", {}), ([], []), "rescan")
    equal(sorted(a.address for a in guest.interfaces[MAC].IPAddresses), ["10.88.0.2", "10.88.7.2"], "addresses")
    check("10.200.0.0/16" in [r.dest for r in guest.routes.Routes], "routes")
    pod.add_veth("more", "net1", mac="02:00:00:00:01:01")
    pod.ip("addr", "del", "10.88.7.2/24", "dev", "eth0")
    env.raises("NotSupported", lambda: sandbox.call("RescanNetwork", "(a{sv})", {}), "plug a device into")
    equal([a.address for a in guest.interfaces[MAC].IPAddresses], ["10.88.0.2"], "addresses")
    pod.ip("link", "del", "net1")
    # the test driver's machine never had it, so it is gone at once
    pod.ip("link", "set", "eth0", "down")
    equal(sandbox.call("RescanNetwork", "(a{sv})", {}), ([], ["nic0"]), "rescan")
    equal((taps_in(pod), pod.qdiscs()), ([], []), "taps and queueing disciplines")
    pod.remove()
    env.raises("NotFound", lambda: sandbox.call("RescanNetwork", "(a{sv})", {}), "network namespace")
    sandbox.delete(force=True)


def test_watch(env):
    """network.watch: the guest is told of what changes, also what changed while nobody looked; what fails is a warning"""
    env.stop_daemon()
    env.options += ["--set", "network.watch=true"]
    try:
        env.start_daemon()
        pod = make_pod(env)
        sandbox = create(env, pod)
        sandbox.start()
        guest = env.agent(sandbox).sandbox
        addresses = lambda: sorted(a.address for a in guest.interfaces[MAC].IPAddresses)
        pod.ip("addr", "add", "10.88.7.2/24", "dev", "eth0")
        eventually(lambda: addresses() == ["10.88.0.2", "10.88.7.2"], "address")
        pod.ip("route", "add", "10.200.0.0/16", "via", "10.88.0.1")
        eventually(lambda: "10.200.0.0/16" in [r.dest for r in guest.routes.Routes], "route")
        sandbox.call("Pause")
        pod.ip("addr", "del", "10.88.7.2/24", "dev", "eth0")
        sandbox.call("Resume")
        eventually(lambda: addresses() == ["10.88.0.2"], "address that has gone")
        # the test driver takes none; that is tried once for each change, and leaves nothing
        pod.add_veth("more", "net1", mac="02:00:00:00:01:01")
        eventually(lambda: "the guest's is not the same" in env.diagnostics(), "warning")
        pod.ip("link", "del", "net1")
        pod.ip("addr", "add", "10.88.8.2/24", "dev", "eth0")
        eventually(lambda: addresses() == ["10.88.0.2", "10.88.8.2"], "address")
        eventually(lambda: len(taps_in(pod)) == 1, "taps")
        sandbox.delete(force=True)
        check_clean(pod)
        env.stop_daemon()
    finally:
        del env.options[-2:]
        if env.daemon is None:
            env.start_daemon()


def test_plug_at_once(env):
    """calls that come together are done one after the other, also when the sandbox ends meanwhile"""
    pod = make_pod(env)
    sandbox = create(env, pod)
    sandbox.start()
    for i in range(1, 4):
        pod.add_veth("more-%d" % i, "net%d" % i, mac="02:00:00:00:01:0%d" % i)
    calls = [Pending(sandbox, "AttachDevice", "(a{sv})", bus.options({"kind": "nic", "interface": "net%d" % (1 + i % 3)}))
             for i in range(12)]
    stop = Pending(sandbox, "Stop", "(ta{sv})", 0, bus.options({"force": True}))
    check(all(call.outcome() != "ok" for call in calls), "plugged into nothing")
    equal(stop.outcome(), "ok", "Stop")
    check_clean(pod)
    sandbox.delete()


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


def own_namespace(env, hooks=None, sid="box"):
    """A sandbox whose bundle asks for a new namespace."""
    document = bundle.spec(["sleep", "1000"])
    if hooks is not None:
        document["hooks"] = hooks
    sandbox = env.manager.create_sandbox(sid, env.bundles.make(document=document))
    return sandbox, os.path.join(env.directory(sandbox), "netns")


def set_up_hook(env, name="up", then="true"):
    """What an engine does: a pair, one end of which goes to the namespace of the pid it is told."""
    path = env.path(name + ".sh")
    with open(path, "w", encoding="ascii") as f:
        f.write("""set -e
cat > %(dir)s/%(name)s.state
pid=$(sed -n 's/.*"pid": *\\([0-9]*\\).*/\\1/p' %(dir)s/%(name)s.state)
readlink /proc/self/ns/net /proc/$pid/ns/net > %(dir)s/%(name)s.net
nsenter --net=/proc/%(host)d/ns/net ip link add host-%(name)s type veth peer name eth0 netns $pid
nsenter --net=/proc/%(host)d/ns/net ip link set host-%(name)s up
ip link set eth0 address %(mac)s mtu 1300 up
ip addr add 10.89.0.2/24 dev eth0
ip route add default via 10.89.0.1
%(then)s
""" % {"dir": env.dir, "name": name, "host": os.getpid(), "mac": MAC, "then": then})
    return {"path": "/bin/sh", "args": ["sh", path], "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}


def test_own_namespace(env):
    """a bundle that asks for a new namespace has one while it has a machine"""
    sandbox, path = own_namespace(env)
    equal((sandbox.get("NetworkNamespace"), os.path.exists(path)), ("", False), "before the start")
    sandbox.start()
    equal(sandbox.get("NetworkNamespace"), path, "namespace")
    check(["netns", path] in [[r["kind"], r["path"]] for r in env.record(sandbox)["resources"]], "record")
    equal([line.split(": ")[1] for line in netns.run("ip", "-o", "link", netns=path).splitlines()], ["lo"], "links in it")
    check("<interface" not in sandbox.call("GetDomainXML", "(a{sv})", {}), "there is an interface")
    sandbox.stop()
    equal((os.path.exists(path), sandbox.get("NetworkNamespace")), (False, ""), "namespace after the end")
    check("netns" not in [r["kind"] for r in env.record(sandbox)["resources"]], "it is still in the record")
    sandbox.delete()
    env.no_leaks(env.before)


def test_own_namespace_hooks(env):
    """hooks set up a new namespace before it is looked at; they get there by the pid they are told"""
    for kind in ("prestart", "createRuntime"):
        sandbox, path = own_namespace(env, {kind: [set_up_hook(env)]})
        sandbox.start()
        with open(env.path("up.net"), encoding="ascii") as f:
            equal(len(set(f.read().split())), 1, "namespaces of the hook and of the pid it was told")
        xml = sandbox.call("GetDomainXML", "(a{sv})", {})
        match(xml, MAC, "document")
        match(xml, "<mtu size=['\"]1300['\"]/>", "document")
        eth0 = env.agent(sandbox).sandbox.interfaces[MAC]
        equal((eth0.name, [a.address for a in eth0.IPAddresses]), ("eth0", ["10.89.0.2"]), "interface")
        match(netns.run("ip", "-o", "link", netns=path), "vp[0-9a-f]*-0", "tap")
        sandbox.delete(force=True)
        equal((os.path.exists(path), host.interfaces()), (False, []), "namespace, taps of the host")
        # the other end goes with the namespace, which the kernel takes down in its time
        eventually(lambda: "host-up" not in netns.run("ip", "-o", "link"), "end of the pair")
    env.no_leaks(env.before)


def test_named_namespace_hooks(env):
    """the same in a namespace that the bundle names, which is nobody's to remove"""
    pod = Pod(env.path("empty"))
    env.pods.append(pod)
    document = netns.document(pod.path, ["sleep", "1000"])
    document["hooks"] = {"createRuntime": [set_up_hook(env, "named")]}
    sandbox = env.manager.create_sandbox("box", env.bundles.make(document=document))
    sandbox.start()
    equal((len(taps_in(pod)), sandbox.get("NetworkNamespace")), (1, pod.path), "taps, namespace")
    sandbox.delete(force=True)
    check_clean(pod)
    equal(pod.links(), ["lo", "eth0"], "links")


def test_own_namespace_failures(env):
    """whatever fails in the start: the namespace goes, and what hooks did is taken back by theirs"""
    def poststop(name):
        return {"path": "/bin/sh", "args": ["sh", "-c", "echo >> %s" % env.path(name)]}

    def count(name):
        return os.path.getsize(env.path(name)) if os.path.exists(env.path(name)) else 0

    # a hook; a step after it
    sandbox, path = own_namespace(env, {"prestart": [set_up_hook(env, "bad", "exit 3")], "poststop": [poststop("one")]})
    env.raises("Failed", sandbox.start, "hook prestart .*exit status 3")
    equal((os.path.exists(path), count("one")), (False, 1), "namespace, poststop hooks")
    sandbox.delete()
    env.house.fail["UpdateInterface"] = ("INTERNAL", "broken on purpose")
    sandbox, path = own_namespace(env, {"prestart": [set_up_hook(env, "later")], "poststop": [poststop("two")]})
    env.raises("AgentFailed", sandbox.start, "broken on purpose")
    env.house.fail.clear()
    equal((os.path.exists(path), count("two"), host.interfaces()), (False, 1, []), "namespace, poststop hooks, taps")
    sandbox.delete()
    equal(count("two"), 1, "poststop hooks")
    env.no_leaks(env.before)


def test_own_namespace_killed(env):
    """a daemon that is killed: the next one removes the namespace; also of a start that was under way"""
    sandbox, path = own_namespace(env, {"createRuntime": [set_up_hook(env, "first")]})
    sandbox.start()
    env.stop_daemon(kill=True)
    check(os.path.exists(path), "the namespace has gone with the daemon")
    env.start_daemon()
    again = env.manager.sandbox("box")
    eventually(lambda: again.get("State") == "lost", "state lost")
    equal(os.path.exists(path), False, "namespace")
    again.delete()
    sandbox, path = own_namespace(env, {"createRuntime": [set_up_hook(env, "second", "sleep 1000")]}, "half")
    pending = Pending(sandbox, "Start", "(a{sv})", {})
    eventually(lambda: os.path.exists(env.path("second.net")), "hook")
    check(not pending.done(), "the start has ended")
    with open(env.path("second.state"), encoding="ascii") as f:
        pid = json.load(f)["pid"]
    env.stop_daemon(kill=True)
    env.start_daemon()
    again = env.manager.sandbox("half")
    eventually(lambda: again.get("State") == "failed", "state failed")
    equal(os.path.exists(path), False, "namespace")
    again.delete()
    # nobody is left who would end it
    os.killpg(pid, signal.SIGKILL)


def test_own_namespace_unreadable(env):
    """a record that cannot be read: the namespace beside it is removed with the rest"""
    sandbox, path = own_namespace(env)
    sandbox.start()
    record = os.path.join(env.directory(sandbox), "record.json")
    env.stop_daemon(kill=True)
    with open(record, "w", encoding="ascii") as f:
        f.write("{")
    env.start_daemon()
    eventually(lambda: not os.path.exists(os.path.dirname(path)), "directory of the sandbox")


def test_network_option(env):
    """the model that CreateSandbox is given, also after the daemon was started again"""
    def made(network):
        # a bundle that asks for a namespace, which a model that wants none does not make
        return env.manager.create_sandbox("box", env.bundles.make(), network=network)

    for network in ("user", "none"):
        sandbox = made(network)
        env.stop_daemon(kill=True)
        env.start_daemon()
        sandbox = env.manager.sandbox("box")
        sandbox.start()
        xml = sandbox.call("GetDomainXML", "(a{sv})", {})
        equal(("<interface" in xml, bool(re.search("<interface type=['\"]user['\"]>", xml)), sandbox.get("NetworkNamespace")),
              (network == "user", network == "user", ""), "interface, of type user, namespace with network=" + network)
        if network == "user":
            guest = env.agent(sandbox).sandbox
            (eth0,) = guest.interfaces.values()
            equal([(a.address, a.mask) for a in eth0.IPAddresses], [("10.0.2.15", "24")], "addresses")
            equal([(r.dest, r.gateway) for r in guest.routes.Routes], [("", "10.0.2.2")], "routes")
        sandbox.delete(force=True)
    env.raises("InvalidArgument", lambda: made("bridge"), "option network: network.model: ")
    pod = make_pod(env)
    sandbox = env.manager.create_sandbox("box", env.bundles.make(document=netns.document(pod.path, ["true"])),
                                         network="user")
    env.raises("NotSupported", sandbox.start, "option network: .*network namespace")
    sandbox.delete()
    sandbox, _container = env.start_sandbox()
    document = bundle.spec(["true"], annotations={"io.kubernetes.cri.container-type": "container",
                                                  "io.kubernetes.cri.sandbox-id": sandbox.get("Id")})
    env.raises("InvalidArgument", lambda: env.manager.create_sandbox(
        "joins", env.bundles.make(document=document), network="user"), "whose network it has")
    sandbox.delete(force=True)


def test_macvtap(env):
    """network.model=macvtap: a device on each interface, in the namespace; it goes with the sandbox"""
    env.stop_daemon()
    env.options += ["--set", "network.model=macvtap", "--set", "network.tx-max-rate=2000000"]
    try:
        env.start_daemon()
        pod = make_pod(env)
        pod.add_veth("more", "net1", mac="02:00:00:00:01:01")
        sandbox = create(env, pod)
        sandbox.start()
        taps = taps_in(pod)
        equal((len(taps), host.interfaces(), pod.qdiscs()), (2, [], []), "devices in the pod, on the host; disciplines")
        equal(sorted(roots(pod.path)), ["eth0", "net1"], "interfaces with a limit")
        for name, mac in zip(taps, (MAC, "02:00:00:00:01:01")):
            match(pod.ip("-d", "link", "show", name), r"UP(.|\n)*link/ether %s(.|\n)*macvtap mode passthru" % mac, name)
        xml = sandbox.call("GetDomainXML", "(a{sv})", {})
        match(xml, "<target dev=['\"]%s['\"] managed=['\"]no['\"]/>" % taps[0], "document")
        # who comes second is refused, and takes nothing away
        other = create(env, pod, "second")
        env.raises("AlreadyExists", other.start, "interface \"eth0\": somebody else")
        other.delete()
        equal((taps_in(pod), host.interfaces()), (taps, []), "devices")
        env.stop_daemon(kill=True)
        env.start_daemon()
        again = env.manager.sandbox("box")
        eventually(lambda: again.get("State") == "lost", "state lost")
        check_clean(pod)
        equal(roots(pod.path), {}, "limits")
        again.delete()
        env.house.fail["UpdateInterface"] = ("INTERNAL", "broken on purpose")
        sandbox = create(env, pod)
        env.raises("AgentFailed", sandbox.start, "broken on purpose")
        env.house.fail.clear()
        check_clean(pod)
        sandbox.delete()
        # all or nothing: the second interface is taken
        pod.ip("link", "add", "link", "net1", "name", "mine", "type", "macvlan", "mode", "bridge")
        sandbox = create(env, pod)
        env.raises("AlreadyExists", sandbox.start, "interface \"net1\"")
        check_clean(pod)
        sandbox.delete()
        env.stop_daemon()
    finally:
        del env.options[-4:]
        if env.daemon is None:
            env.start_daemon()


def roots(netns_path):
    """device -> the discipline at its root, of those that are token buckets."""
    rows = (line.split() for line in netns.run("tc", "qdisc", "show", netns=netns_path).splitlines())
    return {row[row.index("dev") + 1]: " ".join(row) for row in rows if row[1] == "tbf"}


def test_rates(env):
    """limits of what a guest may receive and send; they go with the taps"""
    env.stop_daemon()
    env.options += ["--set", "network.rx-max-rate=4000000", "--set", "network.tx-max-rate=2000000"]
    try:
        env.start_daemon()
        pod = make_pod(env)
        sandbox = create(env, pod)
        sandbox.start()
        (device,) = taps_in(pod)
        found = roots(pod.path)
        equal(sorted(found), sorted(["eth0", device]), "interfaces with a limit")
        match(found[device], "rate 4Mbit", "what the guest receives")
        match(found["eth0"], "rate 2Mbit", "what the guest sends")
        check("<bandwidth" not in sandbox.call("GetDomainXML", "(a{sv})", {}), "libvirt limits it, too")
        # who comes second is refused, and takes nothing away
        other = create(env, pod, "second")
        env.raises("AlreadyExists", other.start, "ingress")
        equal(roots(pod.path), found, "limits")
        other.delete()
        sandbox.stop()
        equal(roots(pod.path), {}, "limits after the end")
        check_clean(pod)
        sandbox.delete()
        # somebody's discipline stays, and is said to be there
        netns.run("tc", "qdisc", "add", "dev", "eth0", "root", "handle", "77:", "tbf", "rate", "1mbit", "burst", "32kb",
                  "limit", "64kb", netns=pod.path)
        before = roots(pod.path)
        sandbox = create(env, pod)
        env.raises("AlreadyExists", sandbox.start, "interface \"eth0\": .*its rate cannot be limited")
        equal(roots(pod.path), before, "limits")
        check_clean(pod)
        sandbox.delete()
        # killed: what is left is found by the record
        pod = make_pod(env)
        sandbox = create(env, pod)
        sandbox.start()
        equal(len(roots(pod.path)), 2, "limits")
        env.stop_daemon(kill=True)
        env.start_daemon()
        again = env.manager.sandbox("box")
        eventually(lambda: again.get("State") == "lost", "state lost")
        equal(roots(pod.path), {}, "limits after the daemon was killed")
        again.delete()
        sandbox = env.manager.create_sandbox("box", env.bundles.make(), network="user")
        env.raises("NotSupported", sandbox.start, "no interface on the host whose rate could be limited")
        sandbox.delete()
        env.stop_daemon()
    finally:
        del env.options[-4:]
        if env.daemon is None:
            env.start_daemon()


def test_queues(env):
    """network.queues: a tap with many"""
    env.stop_daemon()
    env.options += ["--set", "network.queues=2", "--set", "network.vhost=false"]
    try:
        env.start_daemon()
        pod = make_pod(env)
        sandbox = create(env, pod)
        sandbox.start()
        match(sandbox.call("GetDomainXML", "(a{sv})", {}), "<driver name=['\"]qemu['\"] queues=['\"]2['\"]/>", "document")
        match(pod.ip("-d", "link", "show", taps_in(pod)[0]), "multi_queue", "tap")
        sandbox.delete(force=True)
        check_clean(pod)
        env.stop_daemon()
    finally:
        del env.options[-4:]
        if env.daemon is None:
            env.start_daemon()


class NetworkEnv(TestDriverEnv):
    """With a network namespace of its own that is the host's: no test sees another's interfaces."""

    def __init__(self):
        super().__init__()
        self.pods = []

    def start(self):
        host.own_network_namespace()
        super().start()

    def remove_pods(self):
        for pod in self.pods:
            pod.remove()
        self.pods.clear()


def with_pods(test):
    """The namespaces of a test go with it."""
    @functools.wraps(test)
    def wrapper(env):
        try:
            test(env)
        finally:
            env.remove_pods()
    return wrapper


TESTS = [with_pods(value) for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    if not os.path.exists("/dev/net/tun"):
        tap.skip_all("there is no /dev/net/tun")
    testdriver.main(TESTS, NetworkEnv())
