# SPDX-License-Identifier: LGPL-2.1-or-later
"""P8, P14 to P17, P28, P29: many sandboxes, on libvirt's test driver. What lists and
starts is compared with libvirt-dbus, which has the same driver in it."""

import os
import shutil
import subprocess
import time

from gi.repository import Gio, GLib

import bus
import host
import tap
from fake_agent import AgentHouse
from report import alternate, line, note, ratio_line, value_line
from world import bench_program, cpu_seconds, process_memory, wakeups

LIBVIRT = "org.libvirt"
TEST_DRIVER = "/org/libvirt/Test"
IDLE_SECONDS = 20
SETTLE_SECONDS = 8     # until the daemon has given back what it needed to get here
LIVE = 50
SUBSCRIBERS = 10
STORM = 100            # sandboxes in one round


def run(env, rounds, wanted):
    if "P28" in wanted:
        daemon_start(env, rounds or 7)
    if "P8" in wanted:
        daemon_memory(env)
    if "P29" in wanted or "P8" in wanted:
        idle(env, wanted)
    if {"P14", "P15", "P16"} & set(wanted):
        lists(env, rounds or 11, wanted)
    if "P17" in wanted:
        subscribers(env, rounds or 7)


class Many:
    """Sandboxes that were created and not started. They share one specification, as pods of one image do."""

    def __init__(self, env, prefix):
        self.env, self.prefix = env, prefix
        self.bundle = env.bundle(["true"])
        self.sandboxes = []

    def grow(self, count):
        while len(self.sandboxes) < count:
            self.sandboxes.append(self.env.manager.create_sandbox("%s%d" % (self.prefix, len(self.sandboxes)), self.bundle))
        return self

    def end(self):
        for sandbox in self.sandboxes:
            sandbox.delete(force=True)


# ---- P8, P29 ----------------------------------------------------------------------

def memory_line(name, env, base, count, **more):
    time.sleep(SETTLE_SECONDS)
    memory = process_memory(env.daemon.pid)
    base = base or memory
    line(name, rss="%.0fKiB" % (memory["Rss"] / 1024),
         private="%.0fKiB" % ((memory["Private_Dirty"] + memory.get("Private_Clean", 0)) / 1024),
         dirty="%.0fKiB" % (memory["Private_Dirty"] / 1024),
         per_sandbox="" if count == 0 else "%.1fKiB" % ((memory["Rss"] - base["Rss"]) / 1024 / count), **more)
    return base


def daemon_memory(env):
    many = Many(env, "m")
    base = None
    for count in (0, 10, 100, 1000):
        many.grow(count)
        base = memory_line("P8-n%d" % count, env, base, count, goal="rss<=%dKiB" % (8192 + 64 * count))
    many.end()


def idle(env, wanted):
    """What the daemon does while nothing happens, with sandboxes whose agents are connected."""
    # what a thousand left between the pages that are used is not these ones'
    env.stop_daemon()
    env.start_daemon()
    time.sleep(SETTLE_SECONDS)
    before = process_memory(env.daemon.pid)
    house = AgentHouse(os.path.join(env.state_dir, "sandboxes"))
    bundle = env.bundle(["sleep", "100000"])
    sandboxes = []
    for number in range(LIVE):
        sandbox = env.manager.create_sandbox("i%d" % number, bundle)
        sandbox.start()
        env.manager.container("i%d" % number).start()
        sandboxes.append(sandbox)
    if "P8" in wanted:
        memory_line("P8-running%d" % LIVE, env, before, LIVE)
    if "P29" in wanted:
        time.sleep(SETTLE_SECONDS)
        cpu, woken = cpu_seconds(env.daemon.pid), wakeups(env.daemon.pid)
        time.sleep(IDLE_SECONDS)
        cpu = cpu_seconds(env.daemon.pid) - cpu
        # a thread of a pool that ends because it had nothing to do is not counted
        woken = sum(count - woken.get(task, 0) for task, count in wakeups(env.daemon.pid).items())
        line("P29", value="%.4f%%" % (cpu / IDLE_SECONDS * 100), wakeups="%.2f/s" % (woken / IDLE_SECONDS), n=LIVE,
             seconds=IDLE_SECONDS, goal="<=0.05%,0/s")
    for sandbox in sandboxes:
        sandbox.delete(force=True)
    house.stop()


# ---- libvirt-dbus -----------------------------------------------------------------

class LibvirtDbus:
    """libvirt-dbus on the same bus, and as many domains in its test driver."""

    def __init__(self, env):
        self.env = env
        program = shutil.which("libvirt-dbus")
        if program is None:
            raise tap.Skip("libvirt-dbus is not installed")
        self.program = program
        self.process = None
        self.connection = bus.connect(env.address)

    def start(self):
        """Seconds from exec until it has its name."""
        began = time.monotonic()
        self.process = subprocess.Popen([self.program, "--session"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS=self.env.address))
        wait_for_name(self.env, LIBVIRT, self.process)
        return time.monotonic() - began

    def stop(self):
        host.stop_process(self.process)
        self.process = None

    def call(self, path, interface, method, signature="()", *args):
        reply = self.connection.call_sync(LIBVIRT, path, interface, method, GLib.Variant(signature, args), None,
                                          Gio.DBusCallFlags.NONE, 20000, None)
        return reply.unpack()

    def domains(self):
        return self.call(TEST_DRIVER, "org.libvirt.Connect", "ListDomains", "(u)", 0)[0]

    def grow(self, count, template):
        have = len(self.domains())
        for number in range(have, count):
            xml = template.replace("@NAME@", "bench-%d" % number)
            self.call(TEST_DRIVER, "org.libvirt.Connect", "DomainCreateXML", "(su)", xml, 0)


DOMAIN = "<domain type='test'><name>@NAME@</name><memory unit='MiB'>256</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>"


def wait_for_name(env, name, process):
    """Polls once a millisecond: what is measured takes tens of them."""
    connection = bus.connect(env.address)
    end = time.monotonic() + 60
    while not bus.has_owner(connection, name):
        tap.check(process.poll() is None and time.monotonic() < end, "%s has no owner" % name)
        time.sleep(0.001)
    connection.close_sync(None)


# ---- P14, P15, P16 ------------------------------------------------------------------

def sweep(env, calls, rounds):
    """Milliseconds of a round of @calls: (name, path, interface, method, parameters as text)."""
    done = subprocess.run([bench_program("sweep"), "calls", env.address, str(rounds)], stdout=subprocess.PIPE, check=True,
                          input="".join("\t".join(call) + "\n" for call in calls), text=True)
    return float(done.stdout) * 1e3


def lists(env, rounds, wanted):
    try:
        other = LibvirtDbus(env)
        other.start()
    except tap.Skip as reason:
        note(str(reason))
        other = None
    many = Many(env, "l").grow(10)
    rows = [(bus.NAME, bus.MANAGER, "org.virtpod.Manager1", "ListSandboxes", "(@a{ss} {},)")]
    objects = [(bus.NAME, bus.ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "()")]
    all_domains = (LIBVIRT, TEST_DRIVER, "org.libvirt.Connect", "ListDomains", "(uint32 0,)")

    if other and "P14" in wanted:
        other.grow(10, DOMAIN)
        states = [all_domains]
        for path in other.domains():
            states += [(LIBVIRT, path, "org.freedesktop.DBus.Properties", "Get", "('org.libvirt.Domain', 'Name')"),
                       (LIBVIRT, path, "org.libvirt.Domain", "GetState", "(uint32 0,)")]
        ratio_line("P14", alternate(rounds, lambda: sweep(env, states, 30), lambda: sweep(env, rows, 300)), "ms",
                   goal=">=10")
    if other and "P15" in wanted:
        many.grow(60)
        other.grow(60, DOMAIN)
        xml = [all_domains] + [(LIBVIRT, path, "org.libvirt.Domain", "GetXMLDesc", "(uint32 0,)")
                               for path in other.domains()]
        ratio_line("P15", alternate(rounds, lambda: sweep(env, xml, 10), lambda: sweep(env, objects, 30)), "ms",
                   goal=">=20,b<=3ms")
    if "P16" in wanted:
        times = {}
        for count in (10, 1000):
            many.grow(count)
            times[count] = [sweep(env, rows, 3000 // count) for _ in range(rounds)]
        ratio_line("P16", [(a, b) for a, b in zip((t / 1000 * 1e3 for t in times[1000]), (t / 10 * 1e3 for t in times[10]))],
                   "us/object", goal="<=1.2")
        value_line("P16-list1000", times[1000], "ms", goal="<=10ms")
    many.end()
    if other:
        other.stop()


# ---- P17 ------------------------------------------------------------------------------

def subscribers(env, rounds):
    """Sandboxes come and go with nobody listening and with ten who do; nobody misses a signal."""
    bundle = env.bundle(["true"])
    heard = []

    def storm():
        start = time.monotonic()
        for number in range(STORM):
            env.manager.create_sandbox("s%d" % number, bundle).delete()
        return STORM / (time.monotonic() - start)

    def listened():
        listeners = [subprocess.Popen([bench_program("sweep"), "listen", env.address, bus.NAME, str(4 * STORM)],
                                      stdout=subprocess.PIPE, text=True) for _ in range(SUBSCRIBERS)]
        for listener in listeners:
            tap.equal(listener.stdout.readline(), "ready\n", "listener")
        rate = storm()
        # a sandbox and its container come and go: four signals
        heard.extend(int(listener.communicate(timeout=20)[0]) for listener in listeners)
        return rate

    pairs = alternate(rounds, listened, storm)
    ratio_line("P17", pairs, "/s", goal=">=0.8")
    line("P17-heard", fewest=min(heard), most=max(heard), sent=4 * STORM, subscribers=SUBSCRIBERS)


# ---- P28 ------------------------------------------------------------------------------

def daemon_start(env, rounds):
    """From exec until the name is owned, alone and with records of sandboxes to look after."""
    other = None
    if shutil.which("libvirt-dbus"):
        other = LibvirtDbus(env)

    def start():
        env.stop_daemon(kill=True)
        began = time.monotonic()
        with open(env.path("virtpodd.log"), "ab") as log:
            env.daemon = subprocess.Popen(env.daemon_command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for_name(env, bus.NAME, env.daemon)
        return (time.monotonic() - began) * 1e3

    def theirs():
        seconds = other.start()
        other.stop()
        return seconds * 1e3

    start()
    if other:
        ratio_line("P28", alternate(rounds, start, theirs), "ms", goal="a<=30ms")
    else:
        value_line("P28", [start() for _ in range(rounds)], "ms", goal="<=30ms")
    for count in (50, 1000):
        env.manager = bus.Manager(bus.connect(env.address))
        many = Many(env, "r%d-" % count).grow(count)
        values = [start() for _ in range(max(3, rounds // 2))]
        env.manager = bus.Manager(bus.connect(env.address))
        kept = len(env.manager.sandboxes())
        value_line("P28-n%d" % count, values, "ms", kept=kept)
        for entry in env.manager.sandboxes():
            bus.Sandbox(env.manager.connection, entry[-1]).delete(force=True)
        many.sandboxes.clear()
