#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon killed while an interface is plugged into a virtual machine and out of one, and
made to fail when it has nearly done it: the machine goes on, the next daemon leaves the
interface to be plugged in anew, and nothing else of it. And what it did in the guest for a
connection ends."""

import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import host
import netns
import tap
from crash import CrashEnv, points_of_source, require_failpoints, trace_of
from env import Env
from fault_points import OF_MACHINES
from netns import Pod
from tap import check, equal, eventually
from testdriver import Pending

NAME = "plug"
DEADLINE = 240    # seconds, for what takes moments on a quiet machine
IN = ("nic.record.after", "step.tap.run.after", "virt.attach.after", "step.join.run.after", "step.settle.run.before")
OUT = ("virt.detach.before", "virt.detach.after", "nic.unplugged", "nic.removed")
PORT = 7080


class Shared:
    pod = None
    passed = set()


def sandbox(env):
    return env.manager.sandbox(NAME)


def attach(env):
    return Pending(sandbox(env), "AttachDevice", "(a{sv})", bus.options({"kind": "nic", "interface": "eth0"}),
                   timeout=DEADLINE)


def detach(env):
    return Pending(sandbox(env), "DetachDevice", "(sa{sv})", "nic0", {}, timeout=DEADLINE)


def run(env, script):
    """What a shell in the guest says."""
    done = env.virtpod("exec", NAME, "sh", "-c", script, timeout=DEADLINE)
    check(done.returncode == 0, "%s: status %d: %s" % (script, done.returncode, done.stderr))
    return done.stdout.decode()


def taps():
    return [name for name in Shared.pod.links() if name.startswith("vp")]


def record(env):
    with open(os.path.join(env.state_dir, "sandboxes", sandbox(env).get("DomainName"), "record.json"),
              encoding="utf-8") as f:
        return f.read()


def is_clean(env):
    nics = [row for row in sandbox(env).call("ListDevices") if row["kind"] == "nic"]
    return not (nics or taps() or Shared.pod.qdiscs() or host.interfaces() or '"tap' in record(env))


def check_clean(env, what):
    """No interface, of the host, in the record or in the guest."""
    eventually(lambda: is_clean(env), "a sandbox without interfaces after " + what, DEADLINE)
    equal(run(env, "ls /sys/class/net").split(), ["lo"], "interfaces of the guest after " + what)


def check_reachable(env):
    """Whoever plugged it in; where it does not lead is told."""
    try:
        run(env, "for i in $(seq 30); do ping -c 1 -W 5 10.97.0.1 && exit 0; sleep 1; done; exit 1")
    except Exception:
        tap.diagnose("in the guest:\n" + run(env, "ip addr; ip route; ip neigh; cat /proc/net/dev"))
        for device in ["eth0", *taps()]:
            tap.diagnose(netns.run("tc", "-s", "filter", "show", "dev", device, "ingress", netns=Shared.pod.path))
        tap.diagnose(Shared.pod.ip("-s", "addr") + netns.run("ip", "neigh"))
        raise


def check_plugged(env):
    """It can be plugged in, and leads somewhere."""
    equal(attach(env).result(), ("nic0",), "handle")
    equal((len(taps()), len(Shared.pod.qdiscs()), host.interfaces()), (1, 2, []), "taps and queueing disciplines")
    check("tap-changing" not in record(env), "the record has it as half plugged")
    check_reachable(env)


def restart(env, arm=None):
    """Another daemon, whether the one before has ended or not."""
    trace = env.path("trace")
    env.end_daemon()
    check(env.start_armed(arm, trace), "the daemon ended")
    eventually(lambda: sandbox(env).get("AgentState") == "ready", "agent", DEADLINE)
    Shared.passed |= set(trace_of(trace))


def strike(env, call, point):
    """@call is not answered, since the daemon is killed at @point."""
    restart(env, point + "=kill")
    pending = call(env)
    eventually(lambda: env.daemon.poll() is not None, "end of the daemon at " + point, DEADLINE)
    equal(env.daemon.returncode, -signal.SIGKILL, "status of the daemon")
    check(pending.outcome() != "ok", "%s: plugged" % point)
    restart(env)


def test_start(env):
    """a machine whose namespace has an interface that was down when it started"""
    Shared.pod = Pod(env.path("plug.netns"))
    document = netns.document(Shared.pod.path, ["sleep", "100000"])
    for kind in document["process"]["capabilities"]:
        document["process"]["capabilities"][kind] = ["CAP_NET_RAW", "CAP_NET_BIND_SERVICE"]
    made = env.manager.create_sandbox(NAME, env.bundles.make(document=document))
    made.start()
    env.manager.container(NAME).start()
    Shared.pod.add_veth("outside")
    Shared.pod.ip("addr", "add", "10.97.0.2/24", "dev", "eth0")
    netns.run("ip", "addr", "add", "10.97.0.1/24", "dev", "outside")
    check_clean(env, "the start")


def test_error(env):
    """it fails when it is nearly there: everything is undone, in the guest as well"""
    restart(env, "step.settle.run.after=error")
    check(attach(env).outcome() != "ok", "it was plugged in")
    check_clean(env, "a failure")
    check_plugged(env)
    detach(env).result()
    check_clean(env, "a detach")


def test_killed_in(env):
    """the daemon is killed while it plugs one in: the next takes out what there is of it"""
    for point in IN:
        strike(env, attach, point)
        check_clean(env, point)
    check_plugged(env)


def test_killed_out(env):
    """the daemon is killed while it takes one out: the next goes on"""
    for point in OUT:
        strike(env, detach, point)
        check_clean(env, point)
        check_plugged(env)


def test_watched(env):
    """the same with network.watch: what was half plugged in is in again, once it is out"""
    env.options += ["--set", "network.watch=true"]
    strike(env, detach, "virt.detach.before")
    eventually(lambda: not is_clean(env) and "tap-changing" not in record(env), "interface", DEADLINE)
    check_reachable(env)
    del env.options[-2:]


def test_libvirt_gone(env):
    """libvirt is killed when it is to plug one in, and before it takes one out: when it is back, neither is there"""
    restart(env, "virt.attach.before=delay:5000")
    detach(env).result()
    check_clean(env, "a detach")
    pending = attach(env)
    eventually(host.interfaces, "tap, where libvirt opens it", DEADLINE)
    env.libvirt.kill(signal.SIGKILL)
    equal(pending.outcome(), "HypervisorUnavailable", "AttachDevice")
    equal(len([row for row in sandbox(env).call("ListDevices") if row["kind"] == "nic"]), 1, "devices that are known of")
    env.libvirt.restart()
    check_clean(env, "libvirt was away")
    restart(env)
    check_plugged(env)
    env.libvirt.kill(signal.SIGKILL)
    equal(detach(env).outcome(), "HypervisorUnavailable", "DetachDevice")
    env.libvirt.restart()
    check_clean(env, "libvirt was away once more")


def test_connection(env):
    """a connection into the guest ends with the daemon it was made by"""
    with open(os.devnull, "r+b") as null:
        listener = subprocess.Popen(env.client("exec", NAME, "nc", "-l", "-p", str(PORT), "-e", "sleep", "100000"),
                                    env=env.client_env(), stdin=null, stdout=null, stderr=null)
    established = "grep -c ' 0100007F:.* 0100007F:%04X 01 ' /proc/net/tcp || true" % PORT

    def connect():
        try:
            return sandbox(env).call_with_fds("PortForward", "(qa{sv})", (PORT, {}))[1][0]
        except bus.BusError as error:
            check(error.name == "NotFound", str(error))
            return None    # it does not listen yet
    fd = eventually(connect, "connection", DEADLINE)
    equal(run(env, established).strip(), "1", "connections in the guest")
    restart(env)
    eventually(lambda: run(env, established).strip() == "0", "end of the connection in the guest", DEADLINE)
    os.close(fd)
    listener.wait(DEADLINE)    # it ended with the daemon


def test_driven(env):
    """each point of plugging was passed"""
    wanted = {name for name in points_of_source() if OF_MACHINES.match(name)}
    equal(sorted(wanted - Shared.passed), [], "points nothing came by")


def test_delete(env):
    """nothing is left"""
    sandbox(env).delete(force=True)
    equal((taps(), Shared.pod.qdiscs(), host.interfaces()), ([], [], []), "taps and queueing disciplines")


class PluggingEnv(CrashEnv):
    def start(self):
        host.own_network_namespace()
        netns.run("ip", "link", "set", "lo", "up")
        super().start()
        self.house.blind = True

    def begin_test(self):
        """One machine is for all tests."""
        Env.begin_test(self)

    def stop(self):
        super().stop()
        if Shared.pod is not None:
            Shared.pod.remove()


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    require_failpoints()
    if not os.path.exists("/dev/net/tun"):
        tap.skip_all("there is no /dev/net/tun")
    ENV = PluggingEnv(request_ms=60000, connect_ms=240000, stop_ms=5000)
    # not within the daemon: its libvirt would be killed as well
    ENV.use_machines("libvirtd")
    ENV.require()
    tap.run([test for test in TESTS if not sys.argv[1:] or test.__name__ in sys.argv[1:]], ENV)
