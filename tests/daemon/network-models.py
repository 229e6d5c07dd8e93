#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Namespaces that virtpod makes, models other than the usual one, limits and queues: the host's half."""

import json
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bundle
import host
import netns
import pods
from netns import Pod
from pods import MAC, check_clean, create, make_pod, taps_in
from tap import check, equal, match
from testdriver import Pending, eventually


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
        found = ("<interface" in xml, bool(re.search("<interface type=['\"]user['\"]>", xml)), sandbox.get("NetworkNamespace"))
        equal(found, (network == "user", network == "user", ""), "interface, of type user, namespace: " + network)
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


if __name__ == "__main__":
    pods.main(globals())
