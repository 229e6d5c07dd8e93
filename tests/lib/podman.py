# SPDX-License-Identifier: LGPL-2.1-or-later
"""podman with its own storage and configuration below a test's directory, and
virtpod as its runtime. Nothing of the machine's podman is used or touched."""

import os
import shutil
import subprocess

import tap
from env import Env, program

IMAGE = "localhost/busybox"
APPLETS = ("sh", "awk", "basename", "cat", "chmod", "cp", "cut", "date", "dd", "df", "dirname", "echo", "env", "false",
           "grep", "head", "hostname", "id", "kill", "ln", "ls", "mkdir", "mount", "mv", "nproc", "ps", "pwd", "rm",
           "sed", "sleep", "sort", "stat", "stty", "tail", "test", "touch", "tr", "true", "tty", "uname", "wc")

CONTAINERS_CONF = """\
[containers]
# the defaults ask for more than a root without CAP_SYS_RESOURCE may have
default_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{dir}/tmp"
runtime = "virtpod"
[engine.runtimes]
virtpod = ["{runtime}"]
"""

STORAGE_CONF = """\
[storage]
driver = "{driver}"
graphroot = "{dir}/root"
runroot = "{dir}/run"
"""

# conmon starts a runtime with next to no environment
RUNTIME = """#!/bin/sh
export VIRTPOD_BUS_ADDRESS='{address}' VIRTPOD_PROXY='{proxy}'
exec '{virtpod}' "$@"
"""


def overlay_works(path):
    """Whether an overlay can be mounted below @path; it cannot on another overlay."""
    for name in ("lower", "upper", "work", "merged"):
        os.makedirs(os.path.join(path, name))
    options = "lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work".format(path)
    merged = os.path.join(path, "merged")
    done = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, merged], stderr=subprocess.DEVNULL,
                          check=False)
    if done.returncode == 0:
        subprocess.run(["umount", merged], check=True)
    shutil.rmtree(path)
    return done.returncode == 0


class PodmanEnv(Env):
    """The world of a test program with podman in it."""

    def require(self):
        for tool in ("podman", "conmon"):
            if shutil.which(tool) is None:
                tap.skip_all("%s is not installed" % tool)
        if program("virtpod-proxy") is None:
            tap.skip_all("virtpod-proxy is not built")
        super().require()

    def start(self):
        super().start()
        os.mkdir(self.path("podman"))
        self.runtime = self.path("virtpod")
        self._write("virtpod", RUNTIME.format(address=self.address, proxy=program("virtpod-proxy"),
                                              virtpod=program("virtpod")))
        os.chmod(self.runtime, 0o755)
        driver = "overlay" if overlay_works(self.path("podman", "probe")) else "vfs"
        self._write("podman/containers.conf", CONTAINERS_CONF.format(dir=self.path("podman"), runtime=self.runtime))
        self._write("podman/storage.conf", STORAGE_CONF.format(dir=self.path("podman"), driver=driver))
        self._write("podman/registries.conf", "")
        self._import_image()

    def _write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)

    def _import_image(self):
        root = self.path("image")
        self.bundles.rootfs(root)
        # storage drivers that copy would make a file of each hard link
        for name in os.listdir(os.path.join(root, "bin")):
            if name != "busybox" and name not in APPLETS:
                os.unlink(os.path.join(root, "bin", name))
        archive = self.path("image.tar")
        subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True)
        done = self.podman("import", "--change", "CMD=/bin/sh", archive, IMAGE)
        tap.equal(done.returncode, 0, "podman import (%r)" % done.stderr)

    def podman_env(self):
        return {"PATH": os.environ["PATH"], "HOME": self.path("podman"), "LC_ALL": "C",
                "CONTAINERS_CONF": self.path("podman/containers.conf"),
                "CONTAINERS_STORAGE_CONF": self.path("podman/storage.conf"),
                "CONTAINERS_REGISTRIES_CONF": self.path("podman/registries.conf"),
                "XDG_RUNTIME_DIR": ""}

    @staticmethod
    def podman_command(*args):
        return ["podman", *args]

    def podman(self, *args, stdin=b"", timeout=240):
        """Runs podman; stdout and stderr of the result are bytes."""
        return subprocess.run(self.podman_command(*args), input=stdin, capture_output=True, env=self.podman_env(),
                              timeout=timeout, check=False)

    def ok(self, *args, **kwargs):
        """The stdout of a podman that must succeed, as text."""
        done = self.podman(*args, **kwargs)
        tap.equal(done.returncode, 0, "status of podman %s (stderr: %r)" % (" ".join(args), done.stderr))
        return done.stdout.decode()
