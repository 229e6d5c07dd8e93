# SPDX-License-Identifier: LGPL-2.1-or-later
"""podman with its own storage and configuration below a test's directory, and
virtpod as its runtime. Nothing of the machine's podman is used or touched."""

import contextlib
import os
import pty
import select
import shutil
import socket
import subprocess
import threading
import time

import host
import netns
import tap
from env import Env, program

IMAGE = "localhost/busybox"
# the first container of a pod: the first process of a pid namespace ends by TERM only if it wants to
INFRA = "/bin/infra"
INFRA_SCRIPT = "#!/bin/sh\ntrap 'exit 0' TERM\nwhile :; do sleep 1000 & wait $!; done\n"

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

# the plugins of Debian's containernetworking-plugins, whatever else is installed
NETWORK_CONF = """\
[network]
network_backend = "cni"
network_config_dir = "{dir}/net"
cni_plugin_dirs = ["{plugins}"]
default_subnet = "10.88.0.0/16"
"""
PLUGINS = "/usr/lib/cni"

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

# conmon starts a runtime with next to no environment
RUNTIME = """#!/bin/sh
export VIRTPOD_BUS_ADDRESS='{address}' VIRTPOD_EXEC_PATH='{programs}'
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


def run_program(args, environment, stdin, timeout):
    return subprocess.run(args, input=stdin, capture_output=True, env=environment, timeout=timeout, check=False)


def run_on_terminal(args, environment, typed, timeout):
    """See PodmanEnv.on_terminal()."""
    command = ["sh", "-c", "stty rows 40 cols 100; exec \"$@\"", "sh", *args]
    deadline = time.monotonic() + timeout
    seen = b""
    typed = list(typed)
    pid, master = pty.fork()
    if pid == 0:
        try:
            os.execvpe("sh", command, environment)
        finally:
            os._exit(125)
    try:
        while True:
            if typed and typed[0][0] in seen:
                os.write(master, typed.pop(0)[1])
            if time.monotonic() > deadline:
                raise tap.Failure("no end; seen: %r, not typed: %r" % (seen, typed))
            if select.select([master], [], [], 1)[0]:
                seen += os.read(master, 4096)
    except OSError:  # the other side was closed
        pass
    finally:
        os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen


class PodmanEnv(Env):
    """The world of a test program with podman in it."""

    driver = None

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
        self._write("virtpod", RUNTIME.format(address=self.address, programs=os.path.dirname(program("virtpod-proxy")),
                                              virtpod=program("virtpod")))
        os.chmod(self.runtime, 0o755)
        self.driver = "overlay" if overlay_works(self.path("podman", "probe")) else "vfs"
        self._write("podman/containers.conf", CONTAINERS_CONF.format(dir=self.path("podman"), runtime=self.runtime))
        self._write("podman/storage.conf", STORAGE_CONF.format(dir=self.path("podman"), driver=self.driver))
        self._write("podman/registries.conf", "")
        self._import_image()

    def _write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)

    def _import_image(self):
        root = self.path("image")
        self.bundles.rootfs(root)
        with open(os.path.join(root, INFRA[1:]), "w", encoding="ascii") as f:
            f.write(INFRA_SCRIPT)
        os.chmod(os.path.join(root, INFRA[1:]), 0o755)
        # storage drivers that copy would make a file of each hard link
        for name in os.listdir(os.path.join(root, "bin")):
            if name not in ("busybox", os.path.basename(INFRA), *APPLETS):
                os.unlink(os.path.join(root, "bin", name))
        archive = self.path("image.tar")
        subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True)
        done = self.podman("import", "--change", "CMD=/bin/sh", archive, IMAGE)
        tap.equal(done.returncode, 0, "podman import (%r)" % done.stderr)

    def snapshot(self):
        """Without the mount by which podman makes its storage private, which it leaves
        or takes away as it likes."""
        now = super().snapshot()
        own = self.path("podman/root/%s " % self.driver)
        return now._replace(mounts=[mount for mount in now.mounts if not mount.startswith(own)])

    def podman_env(self):
        return {"PATH": PATH, "HOME": self.path("podman"), "LC_ALL": "C",
                "CONTAINERS_CONF": self.path("podman/containers.conf"),
                "CONTAINERS_STORAGE_CONF": self.path("podman/storage.conf"),
                "CONTAINERS_REGISTRIES_CONF": self.path("podman/registries.conf"),
                "XDG_RUNTIME_DIR": ""}

    @staticmethod
    def podman_command(*args):
        return ["podman", *args]

    def podman(self, *args, stdin=b"", timeout=240):
        """Runs podman; stdout and stderr of the result are bytes."""
        return run_program(self.podman_command(*args), self.podman_env(), stdin, timeout)

    def ok(self, *args, **kwargs):
        """The stdout of a podman that must succeed, as text."""
        done = self.podman(*args, **kwargs)
        tap.equal(done.returncode, 0, "status of podman %s (stderr: %r)" % (" ".join(args), done.stderr))
        return done.stdout.decode()

    def run_ended(self, *args, **kwargs):
        """podman run of something that ends; it leaves nothing."""
        return self.podman("run", "--rm", "--network", "none", *args, **kwargs)

    def inspect(self, name, what):
        return self.ok("inspect", "--format", "{{%s}}" % what, name).strip()

    def remove_pod(self, name):
        """podman takes the control group of a pod's conmons away, and fails when one of them is on its way out still."""
        tap.eventually(lambda: self.podman("pod", "rm", "--force", "--time", "0", "--ignore", name).returncode == 0,
                       "podman pod rm " + name, 240)

    def nothing_left(self):
        """Nothing of what podman ever started is there. conmon tidies up behind its back."""
        tap.eventually(lambda: self.ok("ps", "--all", "--quiet") == "", "no container of podman", 60)
        tap.eventually(lambda: self.manager.sandboxes() == [], "no sandbox", 60)
        tap.eventually(lambda: self.libvirt.domains() == [], "no domain", 60)
        tap.eventually(lambda: not any(name in command for _, _, command in host.family().values()
                                       for name in ("conmon", "virtpod-proxy")), "no process", 60)

    def on_terminal(self, args, typed, timeout=240):
        """Runs podman on a terminal of 40 x 100; types the second of each pair in
        @typed when the first has come. Returns the status and what was seen."""
        return run_on_terminal(self.podman_command(*args), self.podman_env(), typed, timeout)


class PodmanNetworkEnv(PodmanEnv):
    """The same in a network namespace of its own, with podman's bridge networks; what
    it and the plugins keep of them is out of the machine's sight too."""

    def require(self):
        if not os.path.exists(os.path.join(PLUGINS, "bridge")):
            tap.skip_all("containernetworking-plugins is not installed")
        if not os.path.exists("/dev/net/tun"):
            tap.skip_all("there is no /dev/net/tun")
        if shutil.which("iptables", path=PATH) is None:
            tap.skip_all("iptables is not installed")
        super().require()
        if subprocess.run(["unshare", "--net", "iptables", "-t", "nat", "-S"], capture_output=True,
                          env={"PATH": PATH}, check=False).returncode != 0:
            tap.skip_all("this kernel translates no addresses")

    def start(self):
        host.own_network_namespace()
        netns.run("ip", "link", "set", "lo", "up")
        super().start()

    def _import_image(self):
        for path in ("/run/netns", "/var/lib/cni"):
            os.makedirs(path, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", path], check=True)
        os.mkdir(self.path("podman/net"))
        with open(self.path("podman/containers.conf"), "a", encoding="ascii") as f:
            f.write(NETWORK_CONF.format(dir=self.path("podman"), plugins=PLUGINS))
        super()._import_image()

    @staticmethod
    def networks_left():
        """What containers had, as opposed to what networks have."""
        return ([name for _index, name in socket.if_nameindex() if name.startswith(("veth", "vp", "tap"))]
                + os.listdir("/run/netns"))

    def nothing_left(self):
        super().nothing_left()
        tap.eventually(lambda: self.networks_left() == [], "no interfaces and no namespaces", 60)


@contextlib.contextmanager
def server(address, text, family=socket.AF_INET):
    """Serves @text on the host to whoever connects; gives the port."""
    with socket.socket(family) as listening:
        listening.bind((address, 0))
        listening.listen()

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _peer = listening.accept()
                    with connection:
                        connection.sendall(text)

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
