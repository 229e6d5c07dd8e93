# SPDX-License-Identifier: LGPL-2.1-or-later
"""The world of a test program: a private bus, a libvirt, virtpodd, bundles.

Everything lives below one temporary directory and in one mount namespace, so
that what is left over after a test is seen, and gone when the program ends.

    env = Env(libvirt="embed")
    tap.run([test_a, test_b], env)
"""

import collections
import os
import re
import shutil
import subprocess
import tempfile
import time

import bus
import host
import libvirtd
import tap
from bundle import Bundles

BUS_CONF = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>custom</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/> <allow own="*"/> <allow send_type="method_call"/> <allow send_type="signal"/>
    <allow send_requested_reply="true"/> <allow receive_type="*"/> <allow send_destination="*"/>
  </policy>
</busconfig>
"""

builddir = os.path.abspath(os.environ.get("top_builddir", "."))
srcdir = os.path.abspath(os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), "../..")))
# where virtpod finds the programs that it runs
os.environ["VIRTPOD_EXEC_PATH"] = builddir


def program(name):
    """A program of the build, wherever its fragment puts it; None when it was not built."""
    for folder in ("", "daemon", "clients/virtpod", "guest/agent", "tests/daemon", "tools"):
        path = os.path.join(builddir, folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def guest_image():
    """Directory of the built guest image, or None."""
    for path in (os.environ.get("VIRTPOD_GUEST_DIR"), os.path.join(builddir, "guest/image")):
        if path and os.path.isfile(os.path.join(path, "manifest")):
            return os.path.abspath(path)
    return None


class Snapshot(collections.namedtuple("Snapshot", "domains mounts processes files fds interfaces")):
    """What exists at one moment. Each field is a list of strings."""

    def new_in(self, later):
        """Lines that name what @later has and this has not."""
        lines = []
        for field in self._fields:
            extra = collections.Counter(getattr(later, field)) - collections.Counter(getattr(self, field))
            lines += ["%s: %s%s" % (field, name, " x%d" % n if n > 1 else "") for name, n in sorted(extra.items())]
        return lines


class Env:
    """@libvirt: "test" (test:///default), "testd" (the same in a libvirtd, so that
    domains outlive virtpodd), "embed" or "libvirtd". @options: more
    of virtpodd's, e.g. ["--set", "agent.connect-timeout-ms=2000"]. @guest: whether
    a guest image is needed."""

    connected = True    # whether to wait until virtpodd has its libvirt

    def __init__(self, libvirt="test", options=(), guest=None):
        self.flavour = libvirt
        self.options = list(options)
        self.guest = libvirt not in ("test", "testd") if guest is None else guest
        self.dir = None
        self.libvirt = None
        self.dbus = None
        self.daemon = None
        self.manager = None
        self.bundles = None
        self.ids = 0
        self.log_offset = 0
        self.before = None

    # ---- up and down ---------------------------------------------------------

    def require(self):
        """Ends the program as skipped when this machine cannot run it. The first thing to call."""
        if os.geteuid() != 0:
            tap.skip_all("needs root")
        if not any(mount.startswith("/ (") for mount in host.mounts()):
            tap.skip_all("/ is not a mount point, as in a plain chroot; do: mount --bind DIR DIR; chroot DIR")
        for name in ("virtpodd", "virtpod"):
            if program(name) is None:
                tap.skip_all("%s is not built" % name)
        tools = ["dbus-daemon", "busybox"]
        if self.flavour != "test":
            tools += ["libvirtd", "virsh"]
        if self.guest:
            tools += ["qemu-system-x86_64"]
        for tool in tools:
            if shutil.which(tool) is None:
                tap.skip_all("%s is not installed" % tool)
        if self.guest and guest_image() is None:
            tap.skip_all("the guest image is not built (make guest-image)")
        host.run_below_reaper()

    def start(self):
        host.own_mount_namespace()
        self.dir = tempfile.mkdtemp(prefix="virtpod-test.")
        os.chmod(self.dir, 0o755)
        os.mkdir(self.path("bundles"))
        self.bundles = Bundles(self.path("bundles"))
        self._start_bus()
        cache = os.path.join(builddir, "tests/cache-" + self.flavour)
        os.makedirs(os.path.dirname(cache), exist_ok=True)
        if self.flavour == "embed":
            self.libvirt = libvirtd.Embed(self.path("libvirt"), cache)
        elif self.flavour == "libvirtd":
            self.libvirt = libvirtd.Libvirtd(self.path("libvirt"), cache)
        elif self.flavour == "testd":
            self.libvirt = libvirtd.TestLibvirtd(self.path("libvirt"))
        if self.libvirt is not None:
            os.mkdir(self.libvirt.root)
            self.libvirt.start()
        self.start_daemon()

    def stop(self):
        """Everything goes; what a test failed to remove is removed here."""
        if self.dir is None:
            return
        if self.daemon is not None:
            self._delete_sandboxes()
            self.stop_daemon()
        if self.libvirt is not None:
            self.libvirt.stop()
        if self.dbus is not None:
            host.stop_process(self.dbus)
        host.end_family()
        for mount in reversed(host.mounts()):
            target = mount.rsplit(" (", 1)[0]
            if target.startswith(self.dir + "/"):
                subprocess.run(["umount", "-l", target], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir = None

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def _start_bus(self):
        self.address = "unix:path=" + self.path("bus")
        with open(self.path("bus.conf"), "w", encoding="ascii") as f:
            f.write(BUS_CONF.format(path=self.path("bus")))
        with open(self.path("bus.log"), "wb") as log:
            self.dbus = subprocess.Popen(["dbus-daemon", "--nofork", "--config-file", self.path("bus.conf")],
                                         stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        tap.eventually(lambda: host.listens(self.path("bus")), "dbus-daemon", 60)

    @property
    def state_dir(self):
        return self.path("state")

    def uri(self):
        return "test:///default" if self.libvirt is None else self.libvirt.uri

    def daemon_command(self):
        command = [program("virtpodd"), "--address", self.address, "--state-dir", self.state_dir,
                   "--uri", self.uri(), "--log-level", "debug"]
        image = guest_image()
        if self.guest and image:
            command += ["--set", "guest.kernel=%s/vmlinux" % image, "--set", "guest.initrd=%s/initrd.img" % image]
        # e.g. VIRTPOD_TEST_WRAPPER="valgrind" or "gdb -batch -ex run -ex bt --args"
        return os.environ.get("VIRTPOD_TEST_WRAPPER", "").split() + command + self.options

    def start_daemon(self, timeout=60):
        """Starts virtpodd and waits until it serves; also after stop_daemon()."""
        with open(self.path("virtpodd.log"), "ab") as log:
            self.daemon = self.spawn_daemon(stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        connection = bus.connect(self.address)
        tap.eventually(lambda: self._serves(connection), "virtpodd on the bus", timeout)
        self.manager = bus.Manager(connection)
        if self.connected:
            tap.eventually(lambda: self.manager.get("HypervisorState") == "connected",
                           "libvirt connection", timeout)

    def spawn_daemon(self, **how):
        return subprocess.Popen(self.daemon_command(), **how)

    def _serves(self, connection):
        if self.daemon.poll() is not None:
            raise tap.Failure("virtpodd ended with status %d" % self.daemon.returncode)
        return bus.has_owner(connection)

    def stop_daemon(self, kill=False):
        """Returns its exit status; with @kill it gets no chance to tidy up."""
        if kill:
            self.daemon.kill()
        status = host.stop_process(self.daemon)
        self.daemon = None
        return status

    def _delete_sandboxes(self):
        try:
            for entry in self.manager.sandboxes():
                bus.Sandbox(self.manager.connection, entry[-1]).delete(force=True)
        except Exception as error:
            tap.diagnose("clean up: %s" % error)

    # ---- what tests use -------------------------------------------------------

    def new_id(self, prefix="t"):
        self.ids += 1
        return "%s%d" % (prefix, self.ids)

    def bundle(self, args=("true",), **changes):
        return self.bundles.make(args, **changes)

    def client_env(self):
        # the command has no threads but GDBus's, of which ThreadSanitizer cannot tell
        return dict(os.environ, VIRTPOD_BUS_ADDRESS=self.address, LC_ALL="C", TSAN_OPTIONS="report_bugs=0")

    def client(self, *args):
        return [program("virtpod"), *args]

    def virtpod(self, *args, stdin=b"", timeout=180):
        """Runs the command; stdout and stderr of the result are bytes."""
        return subprocess.run(self.client(*args), input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=self.client_env(), timeout=timeout, check=False)

    def run(self, args, *options, stdin=b"", timeout=180, **changes):
        """`virtpod run` of a new bundle; returns the result."""
        return self.virtpod("run", *options, "--bundle", self.bundle(args, **changes), self.new_id(),
                            stdin=stdin, timeout=timeout)

    def snapshot(self):
        """What the daemon, libvirt and we have now."""
        processes = [("zombie " if state == "Z" else "") + command for _parent, state, command in host.family().values()]
        return Snapshot(
            domains=self.libvirt.domains() if self.libvirt else [],
            mounts=host.mounts(), processes=processes,
            files=host.files_below(self.state_dir) if os.path.isdir(self.state_dir) else [],
            fds=host.descriptors(self.daemon.pid) if self.daemon else [], interfaces=host.interfaces())

    def no_leaks(self, before=None, timeout=60.0):
        """Fails when something exists that did not at @before (default: when the
        test began); what is on its way out is given a moment."""
        before = before or self.before
        deadline = time.monotonic() + timeout
        while True:
            left = before.new_in(self.snapshot())
            if not left:
                return
            if time.monotonic() > deadline:
                raise tap.Failure("left behind:\n  " + "\n  ".join(left))
            time.sleep(0.1)

    def raises(self, name, call, pattern=None):
        """Checks that @call fails with the D-Bus error @name (or one of several)
        and a message that matches @pattern."""
        try:
            result = call()
        except bus.BusError as error:
            names = name if isinstance(name, tuple) else (name,)
            tap.check(error.name in names, "error: got %s, wanted %s" % (error, " or ".join(names)))
            tap.check("\n" not in error.text, "message has more than one line: %r" % error.text)
            if pattern is not None:
                tap.match(error.text, pattern, "message")
            return error
        raise tap.Failure("no error but %r; wanted %s" % (result, name))

    def begin_test(self):
        """Remembers where the daemon's log is now and what there is."""
        self.before = self.snapshot()
        try:
            self.log_offset = os.path.getsize(self.path("virtpodd.log"))
        except (FileNotFoundError, TypeError):
            self.log_offset = 0

    def _new_log(self):
        """Lines the daemon has logged since the test began; not those of libvirt's event loop."""
        try:
            with open(self.path("virtpodd.log"), "rb") as f:
                f.seek(self.log_offset)
                lines = f.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return []
        return [line for line in lines if not re.search(r"(Update|Dispatch|Add|Remove) (timeout|handle) ", line)]

    def complaints(self):
        """What GLib or a sanitizer found wrong with the daemon since the test began."""
        return [line for line in self._new_log()
                if re.search(r"assertion '.*' failed|CRITICAL|Sanitizer|runtime error:", line)]

    def diagnostics(self):
        """What the daemon and libvirt logged since the test began, or the end of it."""
        if self.dir is None:
            return ""
        text = "\n".join(["--- virtpodd", *self._new_log()[-60:], ""])
        if self.libvirt is not None:
            text += self.libvirt.log()
        return text
