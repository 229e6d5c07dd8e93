# SPDX-License-Identifier: LGPL-2.1-or-later
"""containerd with its own root, state and sockets below a test's directory, and the
shim of the build. Nothing of the machine's containerd is used or touched: the
directory in which shims have their sockets is one of the test's own as well."""

import hashlib
import io
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import tarfile
import time

import host
import tap
from env import Env, program
from podman import overlay_works

IMAGE = "localhost/busybox:latest"
RUNTIME = "io.containerd.virtpod.v2"
SHIM = "containerd-shim-virtpod-v2"
RUN = "/run/containerd"
# ctr sets the size when the process runs already; goes on when it is that of on_terminal()
SIZE = 'until [ "$(stty size 2>/dev/null)" = "40 100" ]; do sleep 0.1; done; '

CONFIG = """\
version = 2
root = "{dir}/root"
state = "{dir}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{dir}/containerd.sock"
[ttrpc]
  address = "{dir}/containerd.sock.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
  path = "{dir}/opt"
"""


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layer_of(root):
    """A tar of the directory @root, hard links as such."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.add(root, arcname=".")
    return out.getvalue()


def write_image(path, root, name, command):
    """An OCI archive of one layer."""
    layer = layer_of(root)
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": command, "Env": ["PATH=/bin:/sbin"]},
                         "rootfs": {"type": "layers", "diff_ids": [digest(layer)]}}).encode()

    def descriptor(kind, data):
        return {"mediaType": "application/vnd.oci.image.%s" % kind, "digest": digest(data), "size": len(data)}

    manifest = json.dumps({"schemaVersion": 2, "config": descriptor("config.v1+json", config),
                           "layers": [descriptor("layer.v1.tar", layer)]}).encode()
    entry = dict(descriptor("manifest.v1+json", manifest), annotations={"io.containerd.image.name": name},
                 platform={"architecture": "amd64", "os": "linux"})
    files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
             "index.json": json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()}
    for data in (layer, config, manifest):
        files["blobs/sha256/" + digest(data).split(":")[1]] = data
    with tarfile.open(path, "w") as tar:
        for key, data in files.items():
            info = tarfile.TarInfo(key)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


class ContainerdEnv(Env):
    """The world of a test program with containerd in it."""

    containerd = None
    events = None

    def require(self):
        for tool in ("containerd", "ctr"):
            if shutil.which(tool) is None:
                tap.skip_all("%s is not installed" % tool)
        if program(SHIM) is None:
            tap.skip_all("%s is not built" % SHIM)
        super().require()

    def start(self):
        super().start()
        os.makedirs(RUN, exist_ok=True)
        # in our own mount namespace
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", RUN], check=True)
        os.mkdir(self.path("containerd"))
        os.makedirs(self.path("containerd/opt/bin"))
        os.symlink(program(SHIM), self.path("containerd/opt/bin", SHIM))
        self.snapshotter = "overlayfs" if overlay_works(self.path("containerd/probe")) else "native"
        self.write_config()
        self.start_containerd()
        self.import_image()

    def write_config(self):
        with open(self.path("containerd/config.toml"), "w", encoding="ascii") as f:
            f.write(CONFIG.format(dir=self.path("containerd")))

    def start_containerd(self):
        with open(self.path("containerd.log"), "ab") as log:
            self.containerd = subprocess.Popen(["containerd", "--config", self.path("containerd/config.toml")],
                                               stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                               env=dict(os.environ, VIRTPOD_BUS_ADDRESS=self.address))
        tap.eventually(lambda: self.ctr("version").returncode == 0, "containerd", 120)

    def stop_containerd(self, kill=False):
        if self.containerd is None:
            return
        if kill:
            self.containerd.kill()
        host.stop_process(self.containerd)
        self.containerd = None

    def stop(self):
        if self.dir is not None:
            self.stop_containerd()
        super().stop()
        subprocess.run(["umount", "--lazy", RUN], stderr=subprocess.DEVNULL, check=False)

    def import_image(self, namespace="default", name=IMAGE, command=("/bin/sh",)):
        if not os.path.isdir(self.path("image")):
            self.bundles.rootfs(self.path("image"))
        write_image(self.path("image.tar"), self.path("image"), name, list(command))
        self.ok("--namespace", namespace, "image", "import", "--snapshotter", self.snapshotter, self.path("image.tar"))

    # ---- ctr -------------------------------------------------------------------

    def command(self, *args):
        return ["ctr", "--address", self.path("containerd/containerd.sock"), *args]

    def ctr(self, *args, stdin=b"", timeout=180):
        return subprocess.run(self.command(*args), input=stdin, capture_output=True, timeout=timeout, check=False)

    def ok(self, *args, **kwargs):
        """The stdout of a ctr that must succeed, as text."""
        done = self.ctr(*args, **kwargs)
        tap.equal(done.returncode, 0, "status of ctr %s (stderr: %r)" % (" ".join(args), done.stderr))
        return done.stdout.decode()

    def run_args(self, *args):
        return ["run", "--runtime", RUNTIME, "--snapshotter", self.snapshotter, *args]

    def run(self, *args, **kwargs):
        """ctr run; options, image, id, command."""
        return self.ctr(*self.run_args(*args), **kwargs)

    def run_detached(self, name, *command, options=()):
        self.ok(*self.run_args("--detach", *options, IMAGE, name, *command))

    def status(self, name):
        """As `ctr task ls` has it; None: there is no such task."""
        for line in self.ok("task", "ls").splitlines():
            words = line.split()
            if words and words[0] == name:
                return words[2]
        return None

    def reaches(self, name, *statuses):
        """containerd shows UNKNOWN for a moment when it is too busy to ask."""
        tap.eventually(lambda: self.status(name) in statuses, "%s: one of %r" % (name, statuses), 120)

    def kill_and_remove(self, name):
        self.ctr("task", "kill", "--signal", "9", name)
        self.reaches(name, None, "STOPPED")
        self.ctr("task", "rm", name)
        self.ok("container", "rm", name)

    def shims(self):
        """pids of those that serve."""
        return sorted(pid for pid, (_, state, command) in host.family().items() if SHIM in command and state != "Z")

    def nothing_left(self):
        tap.eventually(lambda: self.manager.sandboxes() == [], "no sandbox", 120)
        tap.eventually(lambda: self.libvirt.domains() == [], "no domain", 120)
        tap.eventually(lambda: self.shims() == [], "no shim", 120)
        tap.eventually(lambda: not any("/containerd/state/" in mount for mount in host.mounts()), "no mount", 60)
        sockets = os.path.join(RUN, "s")
        tap.eventually(lambda: not os.path.isdir(sockets) or os.listdir(sockets) == [], "no socket of a shim", 60)

    # ---- events ----------------------------------------------------------------

    def watch_events(self):
        """Topics and events are written to a file from now on."""
        with open(self.path("events"), "wb") as out:
            self.events = subprocess.Popen(self.command("events"), stdin=subprocess.DEVNULL, stdout=out,
                                           stderr=subprocess.DEVNULL)
        tap.eventually(self._is_watching, "the first event", 60)

    def _is_watching(self):
        self.ok("namespaces", "label", "default", "virtpod-test=%d" % time.monotonic_ns())
        return os.path.getsize(self.path("events")) > 0

    def seen_events(self, name):
        """[(topic, event)] of a container."""
        seen = []
        with open(self.path("events"), encoding="utf-8") as f:
            for line in f:
                # DATE TIME ZONE ZONE NAMESPACE TOPIC JSON
                head, brace, rest = line.partition("{")
                topic = head.split()[-1]
                event = json.loads(brace + rest) if rest.endswith("}\n") else {}
                if event.get("container_id") == name and topic.startswith("/tasks/"):
                    seen.append((topic, event))
        return seen

    def unwatch_events(self):
        self.events.send_signal(signal.SIGTERM)
        self.events.wait()

    # ---- terminals -------------------------------------------------------------

    def on_terminal(self, args, typed, timeout=300):
        """Runs ctr on a terminal of 40 x 100; types the second of each pair in
        @typed when the first has come. Returns the status and what was seen."""
        command = ["sh", "-c", "stty rows 40 cols 100; exec \"$@\"", "sh", *self.command(*args)]
        deadline = time.monotonic() + timeout
        typed = list(typed)
        seen = b""
        pid, master = pty.fork()
        if pid == 0:
            try:
                os.execvp("sh", command)
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
