#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Interfaces that come and go while a sandbox runs: the host's half, without machines."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import netns
import pods
from pods import MAC, check_clean, create, make_pod, taps_in
from tap import check, equal, match
from testdriver import Pending, eventually


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
    for name in ("a\nb", "\x1b[31m", "x" * 5000, "net1/../net1"):
        env.raises("NotFound", lambda given=name: plug(given), "the network namespace has none of that name")
        env.raises("NotFound", lambda given=name: sandbox.call("DetachDevice", "(sa{sv})", given, {}),
                   "there is no such device")
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


def test_metrics(env):
    """what the host counts at each tap, by the interface's name, whatever that is; none when the namespace has gone"""
    pod = make_pod(env)
    pod.add_veth("more", 'q"\\net', mac="02:00:00:00:01:01")
    sandbox = create(env, pod)
    sandbox.start()
    nics = {row["interface"]: row["source"] for row in sandbox.call("ListDevices") if row["kind"] == "nic"}
    equal(sorted(nics), ["eth0", 'q"\\net'], "interfaces")
    for name, shown in (("eth0", "eth0"), ('q"\\net', 'q\\"\\\\net')):
        for metric in ("receive_bytes", "receive_packets", "receive_drop", "transmit_bytes"):
            match(sandbox.call("GetMetrics"), r'(?m)^virtpod_tap_%s_total\{sandbox="box",interface="%s",tap="%s"\} \d+$' % (
                metric, re.escape(shown), nics[name]), "metrics")
    pod.remove()
    check("virtpod_tap" not in sandbox.call("GetMetrics"), "metrics of taps that have gone")
    sandbox.delete(force=True)


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


if __name__ == "__main__":
    pods.main(globals())
