# SPDX-License-Identifier: LGPL-2.1-or-later
"""OCI bundles for tests: a root file system that is busybox, and a config.json."""

import copy
import json
import os
import shutil
import subprocess

DEFAULT_ENV = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"]
CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]

SPEC = {
    "ociVersion": "1.0.2",
    "process": {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": ["sh"],
        "env": DEFAULT_ENV,
        "cwd": "/",
        "capabilities": {kind: CAPABILITIES for kind in ("bounding", "effective", "permitted")},
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
        "noNewPrivileges": True,
    },
    "root": {"path": "rootfs", "readonly": False},
    "hostname": "guest",
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
         "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
         "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs",
         "options": ["nosuid", "noexec", "nodev", "ro"]},
    ],
    "linux": {
        "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
        "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list"],
        "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    },
}


def busybox():
    path = shutil.which("busybox")
    if path is None:
        raise FileNotFoundError("busybox: not found")
    return path


def make_rootfs(path):
    """A root file system of busybox and hard links to it, one for each applet."""
    for name in ("bin", "sbin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "usr/bin", "usr/sbin", "var"):
        os.makedirs(os.path.join(path, name), exist_ok=True)
    os.chmod(os.path.join(path, "tmp"), 0o1777)
    program = os.path.join(path, "bin/busybox")
    shutil.copy(busybox(), program)
    applets = subprocess.run([program, "--list"], stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    for name in applets:
        if name != "busybox":
            os.link(program, os.path.join(path, "bin", name))
    with open(os.path.join(path, "etc/passwd"), "w", encoding="ascii") as f:
        f.write("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n")
    with open(os.path.join(path, "etc/group"), "w", encoding="ascii") as f:
        f.write("root:x:0:\nnogroup:x:65534:\n")
    with open(os.path.join(path, "etc/not-executable"), "w", encoding="ascii") as f:
        f.write("data\n")


def spec(args, **changes):
    """The default document with changes: env (added), cwd, terminal, user,
    annotations, mounts (added), readonly, hostname, rootfs."""
    document = copy.deepcopy(SPEC)
    process = document["process"]
    process["args"] = list(args)
    process["env"] = DEFAULT_ENV + changes.pop("env", [])
    for key in ("cwd", "terminal"):
        if key in changes:
            process[key] = changes.pop(key)
    if "user" in changes:
        process["user"] = dict(zip(("uid", "gid"), changes.pop("user")))
    if "rootfs" in changes:
        document["root"]["path"] = changes.pop("rootfs")
    if "readonly" in changes:
        document["root"]["readonly"] = changes.pop("readonly")
    document["mounts"] = document["mounts"] + changes.pop("mounts", [])
    for key in ("annotations", "hostname"):
        if key in changes:
            document[key] = changes.pop(key)
    if changes:
        raise TypeError("spec: %s" % ", ".join(changes))
    return document


def bind(source, destination, *options):
    return {"destination": destination, "type": "bind", "source": source, "options": ["rbind", *options]}


def write_config(path, document):
    """Writes config.json; text and bytes go in as they are."""
    data = document if isinstance(document, (str, bytes)) else json.dumps(document, indent=1)
    with open(os.path.join(path, "config.json"), "wb") as f:
        f.write(data.encode() if isinstance(data, str) else data)


class Bundles:
    """Makes bundles below @path; their root file systems are hard links into one, as
    long as a file can have so many."""

    # of a busybox with 300 names; ext4 lets a file have 65000
    links_at_most = 100 * 300

    def __init__(self, path):
        self.path = path
        self.template = None
        self.count = 0

    def _is_full(self):
        return os.stat(os.path.join(self.template, "bin/sh")).st_nlink > self.links_at_most

    def rootfs(self, path):
        if self.template is None or self._is_full():
            number = "" if self.template is None else "-%d" % self.count
            self.template = os.path.join(self.path, "template-rootfs" + number)
            make_rootfs(self.template)
        shutil.copytree(self.template, path, copy_function=os.link, symlinks=True)

    def make(self, args=("true",), document=None, rootfs=True, **changes):
        """Returns the path of a new bundle for @args, or for a whole config.json @document."""
        self.count += 1
        path = os.path.join(self.path, "bundle-%d" % self.count)
        os.makedirs(path)
        if rootfs:
            self.rootfs(os.path.join(path, "rootfs"))
        write_config(path, spec(args, **changes) if document is None else document)
        return path
