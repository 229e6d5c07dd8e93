# SPDX-License-Identifier: LGPL-2.1-or-later
"""libvirt for tests: a private libvirtd, or a root directory for qemu:///embed."""

import os
import shutil
import subprocess

from host import stop_process
from tap import eventually

tools = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/lib")


class CapabilityCache:
    """What libvirt found out about the emulators takes seconds to find again:
    kept between test programs in @path, where each copies it from and to."""

    def __init__(self, path):
        self.path = path

    def load(self, target):
        if self.path and os.path.isdir(self.path):
            shutil.copytree(self.path, target, dirs_exist_ok=True)

    def save(self, source):
        """The first program that has something to save leaves it."""
        if not self.path or os.path.isdir(self.path) or not os.path.isdir(source):
            return
        new = "%s.%d" % (self.path, os.getpid())
        shutil.copytree(source, new)
        try:
            os.rename(new, self.path)
        except OSError:
            shutil.rmtree(new)


class Embed:
    """qemu:///embed?root=DIR: libvirt's QEMU driver inside virtpodd."""

    def __init__(self, root, cache):
        self.root = root
        self.cache = CapabilityCache(cache)
        self.uri = "qemu:///embed?root=" + root

    def start(self):
        os.makedirs(os.path.join(self.root, "etc"))
        shutil.copy(os.path.join(tools, "qemu.conf"), os.path.join(self.root, "etc/qemu.conf"))
        self.cache.load(os.path.join(self.root, "cache/qemu"))

    def stop(self):
        self.cache.save(os.path.join(self.root, "cache/qemu"))

    def domains(self):
        """Status files are the only thing another process sees of embedded domains."""
        try:
            names = os.listdir(os.path.join(self.root, "run/qemu"))
        except FileNotFoundError:
            return []
        return sorted(name[:-4] for name in names if name.endswith(".xml"))

    def log(self):
        return ""


class Libvirtd:
    """A libvirtd of our own, that thinks it is the system's."""

    def __init__(self, root, cache):
        self.root = root
        self.cache = CapabilityCache(cache)
        self.socket = os.path.join(root, "sock/libvirt-sock")
        self.uri = "qemu+unix:///system?socket=" + self.socket
        self.process = None

    def start(self):
        os.makedirs(os.path.join(self.root, "log"), exist_ok=True)
        self.cache.load(os.path.join(self.root, "cache/qemu"))
        with open(os.path.join(self.root, "log/out"), "wb") as log:
            self.process = subprocess.Popen([os.path.join(tools, "private-libvirtd"), self.root],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually(self._answers, "libvirtd", timeout=90)

    def _answers(self):
        if self.process.poll() is not None:
            raise RuntimeError("libvirtd ended with status %d\n%s" % (self.process.returncode, self.log()))
        return os.path.exists(self.socket) and self.virsh("version").returncode == 0

    def virsh(self, *args):
        return subprocess.run(["virsh", "-q", "-c", self.uri, *args], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)

    def daemon_pid(self):
        with open(os.path.join(self.root, "libvirtd.pid"), encoding="ascii") as f:
            return int(f.read())

    def kill(self, signum):
        """Ends the daemon alone: its reaper stays as long as there are domains."""
        pid = self.daemon_pid()
        os.kill(pid, signum)
        eventually(lambda: not os.path.exists("/proc/%d" % pid), "end of libvirtd", 30)

    def restart(self):
        """After it was killed: the domains of before are found again."""
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        self.start()

    def stop(self):
        if self.process is not None:
            for name in self.domains():
                self.virsh("destroy", name)
            stop_process(self.process)
            self.process = None
        self.cache.save(os.path.join(self.root, "cache/qemu"))

    def domains(self):
        return sorted(self.virsh("list", "--all", "--name").stdout.split())

    def destroy(self, name):
        self.virsh("destroy", name)

    def log(self):
        text = ""
        for name in ("out", "libvirtd.log"):
            try:
                with open(os.path.join(self.root, "log", name), encoding="utf-8", errors="replace") as f:
                    text += f.read()[-2000:]
            except FileNotFoundError:
                pass
        return text


class TestLibvirtd(Libvirtd):
    """A libvirtd that serves the test driver: its domains are only names, and they
    outlive the virtpodd that made them, as QEMU's do."""

    def __init__(self, root):
        super().__init__(root, None)
        self.uri = "test+unix:///default?socket=" + self.socket
        self.holder = None

    def start(self):
        super().start()
        # the driver forgets everything when its last connection is closed
        self.holder = subprocess.Popen(["virsh", "-q", "-c", self.uri], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.holder.stdin.write(b"echo ready\n")
        self.holder.stdin.flush()
        while b"ready" not in self.holder.stdout.readline():
            pass

    def stop(self):
        if self.holder is not None:
            self.holder.stdin.close()
            self.holder.wait()
            self.holder.stdout.close()
            self.holder = None
        super().stop()
