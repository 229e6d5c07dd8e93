#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest image under QEMU alone, spoken to by a client that is not ours."""

import os
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import env as environment
import host
import tap
from tap import check, equal, eventually

CMDLINE = "console=ttyS0 quiet panic=-1 mitigations=off cryptomgr.notests no_timer_check"
BOOT_SECONDS = 60


class Machine:
    """A QEMU with the image; what tap.run() wants of an environment."""

    devices = ()  # more options of QEMU; "DIR" in one is the machine's directory

    def __init__(self):
        self.messages = None

    def start(self):
        self.dir = tempfile.mkdtemp(prefix="virtpod-boot.")
        self.channel = os.path.join(self.dir, "agent.sock")
        self.console = os.path.join(self.dir, "console.log")
        self.messages = ttrpc_client.Messages()
        image = environment.guest_image()
        self.started = time.monotonic()
        self.qemu = subprocess.Popen(
            ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
             "-machine", "q35,accel=tcg", "-cpu", "qemu64", "-m", "256",
             "-kernel", image + "/vmlinux", "-initrd", image + "/initrd.img", "-append", CMDLINE,
             "-serial", "file:" + self.console, "-device", "virtio-serial-pci",
             "-chardev", "socket,id=agent,server=on,wait=off,path=" + self.channel,
             "-device", "virtserialport,chardev=agent,name=org.virtpod.agent.0"]
            + [word.replace("DIR", self.dir) for word in self.devices], stdin=subprocess.DEVNULL)
        eventually(lambda: os.path.exists(self.channel), "QEMU's socket")

    def stop(self):
        host.stop_process(self.qemu)
        for name in os.listdir(self.dir):
            os.unlink(os.path.join(self.dir, name))
        os.rmdir(self.dir)

    def begin_test(self):
        pass

    def complaints(self):
        return []

    def diagnostics(self):
        try:
            with open(self.console, encoding="utf-8", errors="replace") as f:
                return "--- console\n" + f.read()[-3000:]
        except (AttributeError, FileNotFoundError):
            return ""

    def agent(self, sync):
        return ttrpc_client.Agent(self.channel, self.messages, sync=sync, timeout=BOOT_SECONDS)


def test_boots(machine):
    """the agent answers Health.Check of a client that only speaks ttrpc"""
    agent = machine.agent(sync=False)
    answer = agent.start("Check", service="grpc.Health").result(BOOT_SECONDS)
    print("# %.2f s from the start of QEMU to the answer" % (time.monotonic() - machine.started))
    equal(answer.status, 1, "serving status")
    agent.close()


def test_first_frame(machine):
    """the first frame of a Kata client is answered byte for byte in the frame format"""
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(BOOT_SECONDS)
        channel.connect(machine.channel)
        body = b"\x0a\x0bgrpc.Health\x12\x05Check"
        channel.sendall(len(body).to_bytes(4, "big") + (1).to_bytes(4, "big") + b"\x01\x00" + body)
        header = b""
        while len(header) < 10:
            header += channel.recv(10 - len(header))
    equal(header[4:], b"\0\0\0\1\2\0", "stream, type and flags")
    check(int.from_bytes(header[:4], "big") < 100, "length")


def test_reconnect_sync(machine):
    """a client that synchronises takes over the channel, many times"""
    for _ in range(10):
        agent = machine.agent(sync=True)
        equal(agent.start("Check", service="grpc.Health").result(20).status, 1, "serving status")
        agent.close()


def test_half_frame(machine):
    """a client that leaves in the middle of a frame does not disturb the next"""
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(machine.channel)
        channel.sendall(b"\0\0\1\0\0\0\0\1\1\0half")
        time.sleep(0.2)
    agent = machine.agent(sync=True)
    equal(agent.start("Check", service="grpc.Health").result(20).status, 1, "serving status")
    agent.close()


def test_details(machine):
    """GetGuestDetails names the agent's version"""
    agent = machine.agent(sync=True)
    details = agent.start("GetGuestDetails").result(20)
    check(details.agent_details.version, "no version")
    check(details.agent_details.init_daemon, "the agent is not process 1")
    agent.close()


def test_unimplemented(machine):
    """a method the agent does not have is UNIMPLEMENTED by name"""
    agent = machine.agent(sync=True)
    try:
        agent.start("MemHotplugByProbe").result(20)
        raise tap.Failure("answered")
    except ttrpc_client.RpcError as error:
        equal(error.code, "UNIMPLEMENTED", "code")
        check("MemHotplugByProbe" in error.message, "message: %s" % error.message)
    agent.close()


if __name__ == "__main__":
    if environment.guest_image() is None:
        tap.skip_all("the guest image is not built (make guest-image)")
    try:
        import ttrpc_client
    except ImportError as missing:
        tap.skip_all(str(missing))
    tap.run([test_boots, test_first_frame, test_reconnect_sync, test_half_frame, test_details,
             test_unimplemented], Machine())
