# SPDX-License-Identifier: LGPL-2.1-or-later
"""P1, P2, P6: what a sandbox's start and end cost beside what they cannot do without."""

import os
import shutil
import subprocess
import threading
import time
import uuid

import libvirt
import libvirtd
import tap
from rawvm import RawVm, Template
from report import alternate, line, note, ratio_line, text, value_line
from ttrpc_client import Agent

# stages of a start that are spent in libvirt or in the guest
NOT_OURS = ("domain", "agent", "guest")


class Starts:
    """One sandbox after the other, through D-Bus and by hand."""

    def __init__(self, env):
        self.env = env
        self.bundle = env.bundle(["sleep", "1000"])
        self.template = None
        self.stages = []
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
        self.env.manager.container(sid).start()
        return sandbox

    def virtpod(self):
        start = time.monotonic()
        sandbox = self._start()
        seconds = time.monotonic() - start
        stages = {name: usec / 1e6 for name, usec in sandbox.get("StartStages")}
        self.stages.append(stages)
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
        for name in starts.stages[0]:
            value_line("P1-stage-" + name, [stages[name] * 1e3 for stages in starts.stages], "ms")


class FakeGuestStart:
    """P2 is a few milliseconds in seconds of somebody else's: they are not found by
    taking one from the other. Here libvirt is its test driver, which has no
    machine to start, and an agent that answers at once plays the guest."""


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
        domain = self.connection.createXML(xml, 0)
        agent = Agent(directory + "/agent.sock", self.starts.template.messages, sync=True, timeout=90)
        agent.call("Check")
        start = time.monotonic()
        domain.destroy()
        seconds = time.monotonic() - start
        agent.close()
        shutil.rmtree(directory, ignore_errors=True)
        return seconds


def delete_cost(env, rounds):
    """P6."""
    starts = Starts(env)
    starts.first()
    destroys = Destroys(env, starts)
    destroys.destroy()

    def delete():
        starts.virtpod()
        return starts.deletes[-1]

    ratio_line("P6", alternate(rounds, delete, destroys.destroy), "s", goal="<=1.10")
