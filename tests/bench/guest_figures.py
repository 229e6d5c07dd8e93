# SPDX-License-Identifier: LGPL-2.1-or-later
"""P11, P19, P21 and sizes: what happens in a running guest."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

import env as environment
import tap
from bundle import spec
from door_figures import exec_through
from rawvm import RawVm, Template
from report import alternate, line, note, ratio_line

STREAM_MIB = 64
EXECS = 10
GUEST_PROC = "/guest-proc"


def sizes():
    """Of the programs as they are installed."""
    strip = os.environ.get("STRIP") or "strip"
    with tempfile.TemporaryDirectory() as directory:
        for name in ("virtpodd", "virtpod", "virtpod-agent", "containerd-shim-virtpod-v2"):
            path = os.path.join(directory, name)
            shutil.copy(environment.program(name), path)
            subprocess.run([strip, path], check=True)
            line("size-" + name, value="%.0fKiB" % (os.path.getsize(path) / 1024))
    image = environment.guest_image()
    for name in ("vmlinux", "initrd.img") if image else ():
        line("size-" + name, value="%.0fKiB" % (os.path.getsize(os.path.join(image, name)) / 1024))


class Running:
    """A sandbox of virtpod's and the same machine by hand, both with a container that waits.

    A container never sees the guest's own processes. The one made by hand has
    the guest's /proc bound into it, which only a client of the agent can ask for."""

    def __init__(self, env):
        document = spec(["sleep", "10000"])
        for kind in document["process"]["capabilities"]:
            document["process"]["capabilities"][kind] = ["CAP_MKNOD"]
        bundle = env.bundle(document=document)
        sid = env.new_id("g")
        self.sandbox = env.manager.create_sandbox(sid, bundle)
        self.sandbox.start()
        self.container = env.manager.container(sid)
        self.container.start()
        template = Template(self.sandbox.get("HypervisorPid"), bundle, env.dir)
        template.create_container.OCI.Mounts.add(destination=GUEST_PROC, source="/proc", type="bind",
                                                 options=["rbind", "ro"])
        self.blast_path = env.path("rawg/blast.sock")
        self.vm = RawVm(template, env.path("rawg"), more=[
            "-chardev", "socket,id=blast,path=%s,server=on,wait=off" % self.blast_path,
            "-device", '{"driver":"virtserialport","bus":"virtio-serial0.0","nr":2,"chardev":"blast","name":"blast"}'])
        self.vm.run_container()

    def exec(self, args):
        """(status, output) of a process in virtpod's container."""
        reader, writer = os.pipe()
        process = self.container.exec(args, stdout=writer)
        os.close(writer)
        with os.fdopen(reader, "rb") as f:
            data = f.read()
        return process.wait(), data

    def close(self):
        self.vm.close()
        self.sandbox.delete(force=True)


def run(env, rounds, wanted):
    running = Running(env)
    try:
        if "P11" in wanted:
            memory(running)
        if "P19" in wanted:
            exec_round_trip(running, rounds)
        if "P20" in wanted:
            exec_through(env, running, rounds)
        if "P21" in wanted:
            stream(running, rounds)
    finally:
        running.close()


# ---- P11 ----------------------------------------------------------------------

def kib(text, key):
    return int(re.search(r"^%s:\s+(\d+) kB" % key, text, re.MULTILINE).group(1))


def memory(running):
    status, data = running.vm.exec(["/bin/cat", GUEST_PROC + "/1/status", GUEST_PROC + "/meminfo"])
    tap.equal(status, 0, "status of cat")
    text = data.decode()
    note("process 1 of the guest is %s" % text.split()[1])
    line("P11-agent", rss="%dKiB" % kib(text, "VmRSS"), anon="%dKiB" % kib(text, "RssAnon"),
         file="%dKiB" % kib(text, "RssFile"), goal="rss<=1024KiB")
    total, free = kib(text, "MemTotal"), kib(text, "MemFree")
    line("P11-guest", used="%dKiB" % (total - free), total="%dKiB" % total,
         available="%dKiB" % kib(text, "MemAvailable"), slab="%dKiB" % kib(text, "Slab"))


# ---- P19 ----------------------------------------------------------------------

def exec_round_trip(running, rounds):
    """Exec and Wait over D-Bus against the same two requests at the agent's socket."""
    def virtpod():
        start = time.monotonic()
        for _ in range(EXECS):
            process = running.container.exec(["true"])
            process.wait()
        return (time.monotonic() - start) / EXECS * 1e3

    def raw():
        start = time.monotonic()
        for _ in range(EXECS):
            running.vm.exec(["/bin/true"])
        return (time.monotonic() - start) / EXECS * 1e3

    virtpod()
    raw()
    ratio_line("P19", alternate(rounds, virtpod, raw), "ms")


# ---- P21 ----------------------------------------------------------------------

def stream(running, rounds):
    """What dd writes into a pipe in the guest against what it writes into a virtio-serial port."""
    command = ["dd", "if=/dev/zero", "bs=64k", "count=%d" % (STREAM_MIB * 16)]

    def virtpod():
        reader, writer = os.pipe()
        process = running.container.exec(command, stdout=writer)
        os.close(writer)
        rate = drain(reader)
        os.close(reader)
        tap.equal(process.wait(), 0, "status of dd")
        return rate

    raw = blaster(running, command)
    virtpod()
    raw()
    ratio_line("P21", alternate(rounds, virtpod, raw), "MiB/s", goal=">=0.85")


def drain(fd):
    """MiB/s from the first bytes on: starting dd is not what is measured."""
    total = first = len(os.read(fd, 1 << 20))
    start = time.monotonic()
    while total < STREAM_MIB << 20:
        n = len(os.read(fd, 1 << 20))
        tap.check(n > 0, "the stream ends after %d bytes" % total)
        total += n
    return (total - first) / (1 << 20) / (time.monotonic() - start)


def blaster(running, command):
    vm = running.vm
    script = ("for p in /sys/class/virtio-ports/*; do if [ \"$(cat $p/name)\" = blast ]; then "
              "IFS=: read a b < $p/dev; mknod /dev/blast c $a $b; fi; done; ls -l /dev/blast")
    status, data = vm.exec(["/bin/sh", "-c", script])
    tap.equal(status, 0, "making the port's node: %r" % data)
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(running.blast_path)

    def raw():
        name = vm.start_process(["/bin/dd", *command[1:], "of=/dev/blast"])
        rate = drain(peer.fileno())
        tap.equal(vm.wait(name), 0, "status of dd")
        return rate

    return raw
