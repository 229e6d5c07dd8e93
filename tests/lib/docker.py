# SPDX-License-Identifier: LGPL-2.1-or-later
"""dockerd and the containerd it needs, with all they keep below a test's directory and
a network namespace of their own. podman makes the image; dockerd has no registry."""

import os
import shutil
import subprocess

import host
import tap
from env import builddir
from podman import IMAGE, PATH as INSTALLED, PodmanNetworkEnv, run_on_terminal

# where tools/check unpacks what would start a service if it were installed
UNPACKED = os.path.join(builddir, "tests/docker")
PATH = ":".join([os.path.join(UNPACKED, "usr/sbin"), os.path.join(UNPACKED, "usr/bin"), INSTALLED])

# what another file system or an orchestrator would need is left out
CONTAINERD_CONF = """\
version = 2
root = "{dir}/containerd/root"
state = "{dir}/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.aufs",
                    "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
                    "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = "{dir}/containerd.sock"
[ttrpc]
address = "{dir}/containerd.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
path = "{dir}/opt"
"""


class DockerEnv(PodmanNetworkEnv):
    containerd = None
    dockerd = None

    def require(self):
        for tool in ("dockerd", "docker", "containerd", "containerd-shim-runc-v2", "runc"):
            if shutil.which(tool, path=PATH) is None:
                tap.skip_all("%s is neither installed nor in %s, where tools/check unpacks it" % (tool, UNPACKED))
        done = subprocess.run(["dockerd", "--version"], env={"PATH": PATH}, capture_output=True, check=False)
        if b"version 20." not in done.stdout:
            tap.skip_all("this is not a dockerd of Debian 12 that can run: %r" % (done.stdout or done.stderr))
        if not any(os.path.exists("/sys/fs/cgroup/" + name) for name in ("devices", "cgroup.controllers")):
            tap.skip_all("no control groups are mounted, and dockerd does not start without")
        super().require()

    def mount_hierarchies(self):
        """Those of control groups that are not mounted, out of the machine's sight: containerd's shim has no
        figures of a process as long as there are any."""
        with open("/proc/self/mounts", encoding="utf-8") as f:
            mounted = {option for line in f if line.split()[2] == "cgroup" for option in line.split()[3].split(",")}
        with open("/proc/self/cgroup", encoding="ascii") as f:
            controllers = [line.split(":")[1] for line in f]
        for names in controllers:
            if names and not set(names.split(",")) & mounted:
                place = self.path("hierarchy-" + names.replace("=", "-"))
                os.mkdir(place)
                subprocess.run(["mount", "-t", "cgroup", "-o", names, "none", place], check=True)

    def start(self):
        super().start()
        self.mount_hierarchies()
        # what containerd's shims and dockerd have at fixed places is out of the machine's sight too
        for path in ("/run/containerd", "/run/docker"):
            os.makedirs(path, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", path], check=True)
        os.mkdir(self.path("docker"))
        archive = self.path("docker", "image.tar")
        self.ok("save", "--format", "docker-archive", "--output", archive, IMAGE)
        self._write("docker/containerd.toml", CONTAINERD_CONF.format(dir=self.path("docker")))
        self.containerd = self._spawn("containerd", "--config", self.path("docker", "containerd.toml"))
        tap.eventually(lambda: host.listens(self.path("docker", "containerd.sock")), "containerd", 120)
        self.dockerd = self._spawn(
            "dockerd", "--data-root", self.path("docker", "data"), "--exec-root", self.path("docker", "exec"),
            "--pidfile", self.path("docker", "dockerd.pid"), "--host", "unix://" + self.path("docker", "docker.sock"),
            "--containerd", self.path("docker", "containerd.sock"), "--userland-proxy=false",
            "--config-file", self.path("docker", "daemon.json"), "--add-runtime", "virtpod=" + self.runtime)
        tap.eventually(lambda: host.listens(self.path("docker", "docker.sock")), "dockerd", 120)
        tap.equal(self.docker("load", "--input", archive).returncode, 0, "docker load")

    def _spawn(self, name, *args):
        if name == "dockerd":
            self._write("docker/daemon.json", "{}")
        with open(self.path(name + ".log"), "wb") as log:
            return subprocess.Popen([name, *args], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    env={"PATH": PATH, "HOME": self.path("docker")})

    def stop(self):
        for process in (self.dockerd, self.containerd):
            if process is not None:
                host.stop_process(process, timeout=60)
        self.dockerd = self.containerd = None
        super().stop()

    def diagnostics(self):
        text = super().diagnostics()
        for name in ("containerd", "dockerd"):
            if self.dir is not None and os.path.exists(self.path(name + ".log")):
                with open(self.path(name + ".log"), encoding="utf-8", errors="replace") as f:
                    text += "\n--- %s\n%s" % (name, "".join(f.readlines()[-15:]))
        return text

    def client_command(self, *args):
        return ["docker", "--host", "unix://" + self.path("docker", "docker.sock"), *args]

    def client_environment(self):
        return {"PATH": PATH, "HOME": self.path("docker"), "LC_ALL": "C", "TERM": "xterm"}

    def docker(self, *args, stdin=b"", timeout=240):
        """Runs docker; stdout and stderr of the result are bytes."""
        return subprocess.run(self.client_command(*args), input=stdin, capture_output=True,
                              env=self.client_environment(), timeout=timeout, check=False)

    def docker_on_terminal(self, args, typed, timeout=240):
        return run_on_terminal(self.client_command(*args), self.client_environment(), typed, timeout)

    def docker_ok(self, *args, **kwargs):
        """The stdout of a docker that must succeed, as text."""
        done = self.docker(*args, **kwargs)
        tap.equal(done.returncode, 0, "status of docker %s (stderr: %r)" % (" ".join(args), done.stderr))
        return done.stdout.decode()

    def docker_state(self, name):
        return tuple(self.docker_ok("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name).split())

    def docker_run(self, *args, **kwargs):
        """docker run of something that ends; it leaves nothing."""
        return self.docker("run", "--rm", "--runtime", "virtpod", *args, **kwargs)

    def all_gone(self):
        tap.equal(self.docker_ok("ps", "--all", "--quiet"), "", "containers of docker")
        tap.eventually(lambda: self.manager.sandboxes() == [], "no sandbox", 60)
        tap.eventually(lambda: self.libvirt.domains() == [], "no domain", 60)
        tap.eventually(lambda: not any("virtpod-proxy" in command or "shim-runc" in command
                                       for _, _, command in host.family().values()), "no process", 120)
        tap.eventually(lambda: self.networks_left() == [], "no interfaces", 60)
