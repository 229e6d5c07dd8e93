# SPDX-License-Identifier: LGPL-2.1-or-later
"""P1, P2, P6: what a sandbox's start and end cost beside what they cannot do without."""

import os
import shutil
import statistics
import threading
import time
import uuid

import libvirt
import libvirtd
from rawvm import RawVm, Template
from report import alternate, ratio_line, value_line
from ttrpc_client import Agent

# stages of a start that wait for libvirt or for the guest's answers
NOT_OURS = ("domain", "agent", "guest", "containers")


class Starts:
    """One sandbox after the other, through D-Bus and by hand."""

    def __init__(self, env):
        self.env = env
        self.bundle = env.bundle(["sleep", "1000"])
        self.template = None
        self.last_start = 0
        self.stages = []
        self.ready = []
        self.own = []
        self.deletes = []
        self.number = 0

    def first(self):
        """One that is not counted: libvirt, the page cache and GLib get warm, and
        the machine's command line is taken from it."""
        sandbox = self._start()
        self.template = Template(sandbox.get("HypervisorPid"), self.bundle, self.env.dir)
        self.xml = sandbox.call("GetDomainXML", "(a{sv})", {})
        self.directory = os.path.dirname(self.xml.split("/agent.sock")[0].split('path="')[-1] + "/x")
        sandbox.delete(force=True)

    def _start(self):
        sid = self.env.new_id("b")
        sandbox = self.env.manager.create_sandbox(sid, self.bundle)
        sandbox.start()
        container = self.env.manager.container(sid)
        before = time.monotonic()
        container.start()
        self.last_start = time.monotonic() - before
        return sandbox

    def virtpod(self):
        start = time.monotonic()
        sandbox = self._start()
        seconds = time.monotonic() - start
        stages = {name: usec / 1e6 for name, usec in sandbox.get("StartStages")}
        self.stages.append(stages)
        self.ready.append(seconds - self.last_start - stages.get("guest", 0) - stages.get("containers", 0))
        self.own.append(seconds - self.last_start - sum(stages.get(name, 0) for name in NOT_OURS))
        start = time.monotonic()
        sandbox.delete(force=True)
        self.deletes.append(time.monotonic() - start)
        return seconds

    def raw(self):
        self.number += 1
        with RawVm(self.template, self.env.path("raw%d" % self.number)) as vm:
            vm.run_container()
            return vm.seconds


def start_cost(env, rounds, wanted):
    """P1 and, from the same starts, P2."""
    starts = Starts(env)
    starts.first()
    pairs = alternate(rounds, starts.virtpod, starts.raw)
    if "P1" in wanted:
        ratio_line("P1", pairs, "s", goal="<=1.15")
    if "P2" in wanted:
        share = statistics.median(own / a for own, (a, _) in zip(starts.own, pairs))
        value_line("P2", [own * 1e3 for own in starts.own], "ms", goal="<=25ms,<=1%", of_P1="%.2f%%" % (share * 100))
        for name in starts.stages[0]:
            value_line("P2-stage-" + name, [stages[name] * 1e3 for stages in starts.stages], "ms")


def begin_libvirt_loop():
    libvirt.virEventRegisterDefaultImpl()

    def turn():
        while True:
            libvirt.virEventRunDefaultImpl()

    threading.Thread(target=turn, daemon=True).start()


class Destroys:
    """libvirt alone: the same domain, destroyed by libvirt's own client."""

    def __init__(self, env, starts):
        self.env = env
        self.starts = starts
        self.number = 0
        self.ready = []
        libvirt.registerErrorHandler(lambda *_: None, None)
        begin_libvirt_loop()
        uri = env.uri()
        if env.flavour == "embed":
            driver = libvirtd.Embed(env.path("libvirt2"), env.libvirt.cache.path)
            os.mkdir(driver.root)
            driver.start()
            uri = driver.uri
        self.connection = libvirt.open(uri)

    def destroy(self):
        self.number += 1
        directory = self.env.path("destroy%d" % self.number)
        os.makedirs(directory + "/shared")
        name = "bench-destroy-%d" % self.number
        xml = self.starts.xml.replace(self.starts.directory, directory)
        for tag, value in (("name", name), ("uuid", str(uuid.uuid4()))):
            head, rest = xml.split("<%s>" % tag, 1)
            xml = "%s<%s>%s</%s>%s" % (head, tag, value, tag, rest.split("</%s>" % tag, 1)[1])
        start = time.monotonic()
        domain = self.connection.createXML(xml, 0)
        agent = Agent(directory + "/agent.sock", self.starts.template.messages, sync=True, timeout=90)
        agent.call("Check")
        self.ready.append(time.monotonic() - start)
        start = time.monotonic()
        domain.destroy()
        seconds = time.monotonic() - start
        agent.close()
        shutil.rmtree(directory, ignore_errors=True)
        return seconds


def delete_cost(env, rounds):
    """P6 and, of the machines that had to be started for it, P1-libvirt."""
    starts = Starts(env)
    starts.first()
    destroys = Destroys(env, starts)
    destroys.destroy()
    destroys.ready.clear()

    def delete():
        starts.virtpod()
        return starts.deletes[-1]

    ratio_line("P6", alternate(rounds, delete, destroys.destroy), "s", goal="<=1.10")
    ratio_line("P1-libvirt", list(zip(starts.ready, destroys.ready)), "s")
