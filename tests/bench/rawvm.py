# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same virtual machine without libvirt and without virtpodd."""

import json
import os
import subprocess
import time

import env
import tap
from ttrpc_client import Agent, Messages
from world import bench_program

VIRTIOFSD = "/usr/lib/qemu/virtiofsd"


class Template:
    """The command lines of a running sandbox, and its requests to the agent."""

    messages = None

    def __init__(self, pid, bundle, directory, cid="raw"):
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            self.qemu = f.read().decode().split("\0")[:-1]
        self.bundle = bundle
        self.cid = cid
        subprocess.run([bench_program("messages"), bundle, cid, directory], check=True)
        Template.messages = Template.messages or Messages()
        self.create_sandbox = self._request("CreateSandbox", directory + "/create-sandbox")
        self.create_container = self._request("CreateContainer", directory + "/create-container")

    def _request(self, method, path):
        with open(path, "rb") as f:
            return self.messages["grpc.%sRequest" % method].FromString(f.read())

    def arguments(self, directory, more=()):
        """libvirt hands descriptors over: they become paths below @directory. The
        machine runs at once, and there is no secret to share with libvirt."""
        ends = {"charmonitor": "monitor", "charserial0": "console", "charchannel0": "agent", "chr-vu-fs0": "fs"}
        out = []
        words = iter(self.qemu)
        for word in words:
            if word == "-S":
                continue
            value = next(words) if word in ("-object", "-chardev") else None
            if word == "-object" and value.startswith("{") and json.loads(value)["qom-type"] == "secret":
                continue
            if word == "-chardev" and value.startswith("socket,"):
                name = value.split("id=")[1].split(",")[0]
                value = "socket,id=%s,path=%s/%s.sock" % (name, directory, ends[name])
                value += "" if name == "chr-vu-fs0" else ",server=on,wait=off"
            out += [word] if value is None else [word, value]
        return out + list(more)


class RawVm:
    """Started and ready when the constructor returns; @seconds is how long that took."""

    def __init__(self, template, directory, more=(), timeout=90):
        self.template = template
        self.dir = directory
        self.agent = None
        self.execs = 0
        os.makedirs(os.path.join(directory, "shared", template.cid, "rootfs"))
        start = time.monotonic()
        with open(os.path.join(directory, "log"), "ab") as log:
            subprocess.run(["mount", "--rbind", template.bundle + "/rootfs",
                            os.path.join(directory, "shared", template.cid, "rootfs")], check=True)
            fs = os.path.join(directory, "fs.sock")
            self.fsd = subprocess.Popen([VIRTIOFSD, "--socket-path=" + fs, "-o", "source=%s/shared" % directory],
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            self._appears(fs)
            self.qemu = subprocess.Popen(template.arguments(directory, more), stdin=subprocess.DEVNULL,
                                         stdout=log, stderr=log)
        agent = os.path.join(directory, "agent.sock")
        self._appears(agent)
        self.agent = Agent(agent, template.messages, sync=True, timeout=timeout)
        self.agent.call("Check")
        self.ready_seconds = time.monotonic() - start
        self.seconds = self.ready_seconds
        self.start_time = start

    def _appears(self, path):
        deadline = time.monotonic() + 20
        while not os.path.exists(path):
            if time.monotonic() > deadline:
                raise tap.Failure("%s: is not made" % path)
            time.sleep(0.002)

    def run_container(self):
        """As virtpodd does it; @seconds is then from the start to the running container."""
        template = self.template
        self.agent.call("CreateSandbox", request=template.create_sandbox)
        self.agent.call("CreateContainer", request=template.create_container)
        self.agent.call("StartContainer", container_id=template.cid)
        self.seconds = time.monotonic() - self.start_time

    def start_process(self, args):
        """Runs a process in the container; returns its name for wait()."""
        self.execs += 1
        name = "x%d" % self.execs
        process = self.template.messages["grpc.Process"]()
        process.CopyFrom(self.template.create_container.OCI.Process)
        del process.Args[:]
        process.Args.extend(args)
        self.agent.call("ExecProcess", container_id=self.template.cid, exec_id=name,
                        request=self.template.messages["grpc.ExecProcessRequest"](
                            container_id=self.template.cid, exec_id=name, process=process))
        return name

    def wait(self, name):
        """Its status; what it wrote must have been read."""
        return self.agent.call("WaitProcess", container_id=self.template.cid, exec_id=name, timeout=120).status

    def exec(self, args):
        """Runs a process to its end; returns (status, what it wrote)."""
        name = self.start_process(args)
        data = self.agent.read_all(self.template.cid, name)
        return self.wait(name), data

    def close(self):
        if self.agent is not None:
            self.agent.close()
        for process in (self.qemu, self.fsd):
            process.kill()
            process.wait()
        subprocess.run(["umount", "-l", os.path.join(self.dir, "shared", self.template.cid, "rootfs")], check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def available():
    return env.guest_image() is not None and os.access(VIRTIOFSD, os.X_OK)
