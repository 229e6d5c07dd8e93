# SPDX-License-Identifier: LGPL-2.1-or-later
"""virtpod's D-Bus objects as a test sees them: Gio, with file descriptors."""

import gi

gi.require_version("Gio", "2.0")
gi.require_version("GLib", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

NAME = "org.virtpod"
MANAGER = "/org/virtpod/Manager"
ROOT = "/org/virtpod"


class BusError(Exception):
    """An error reply: @name as "NotFound" (our prefix removed), @text without GDBus's own prefix."""

    def __init__(self, error):
        remote = Gio.DBusError.get_remote_error(error) or "local.%s" % error.domain
        text = error.message.split(": ", 1)[1] if error.message.startswith("GDBus.Error:") else error.message
        self.name = remote.replace("org.virtpod.Error.", "")
        self.text = text
        super().__init__("%s: %s" % (self.name, text))


def connect(address):
    """A connection of its own, so that a test can drop it."""
    flags = (Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
             | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)
    connection = Gio.DBusConnection.new_for_address_sync(address, flags, None, None)
    connection.set_exit_on_close(False)
    return connection


def has_owner(connection, name=NAME):
    reply = connection.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                 "NameHasOwner", GLib.Variant("(s)", (name,)), None, 0, 120000, None)
    return reply.unpack()[0]


def options(values=None, fds=None):
    """Python values to the GVariants of an a{sv}. @fds: {"stdout": index in the fd list}."""
    out = {}
    for key, value in (values or {}).items():
        if isinstance(value, GLib.Variant):
            out[key] = value
        elif isinstance(value, bool):
            out[key] = GLib.Variant("b", value)
        elif isinstance(value, int):
            out[key] = GLib.Variant("t", value)
        elif isinstance(value, str):
            out[key] = GLib.Variant("s", value)
        elif isinstance(value, (list, tuple)):
            out[key] = GLib.Variant("as", list(value))
        elif isinstance(value, dict):
            out[key] = GLib.Variant("a{ss}", value)
        else:
            raise TypeError(key)
    for key, index in (fds or {}).items():
        out[key] = GLib.Variant("h", index)
    return out


class Object:
    """One interface of one object."""

    interface = None
    wait_forever = 2 ** 31 - 1

    def __init__(self, connection, path):
        self.connection = connection
        self.path = path

    def call_with_fds(self, method, signature="()", args=(), fds=(), timeout=120):
        """Returns the reply's values and its list of descriptors."""
        fd_list = Gio.UnixFDList.new()
        for fd in fds:
            fd_list.append(fd)
        try:
            reply, out = self.connection.call_with_unix_fd_list_sync(
                NAME, self.path, self.interface, method, GLib.Variant(signature, tuple(args)), None,
                Gio.DBusCallFlags.NO_AUTO_START, int(timeout * 1000), fd_list, None)
        except GLib.Error as error:
            raise BusError(error) from None
        return reply.unpack(), (out.steal_fds() if out else [])

    def call(self, method, signature="()", *args, timeout=120):
        """Returns nothing, the one value, or the tuple of values of the reply."""
        values, _fds = self.call_with_fds(method, signature, args, timeout=timeout)
        return None if not values else values[0] if len(values) == 1 else values

    def get(self, name):
        try:
            reply = self.connection.call_sync(
                NAME, self.path, "org.freedesktop.DBus.Properties", "Get",
                GLib.Variant("(ss)", (self.interface, name)), None, 0, 120000, None)
        except GLib.Error as error:
            raise BusError(error) from None
        return reply.unpack()[0]


def stream_options(values, stdin, stdout, stderr):
    """Options and descriptors that bind the given ends to a process's streams."""
    fds = []
    keys = {}
    for key, fd in (("stdin", stdin), ("stdout", stdout), ("stderr", stderr)):
        if fd is not None:
            keys[key] = len(fds)
            fds.append(fd)
    return options(values, keys), fds


class Process(Object):
    interface = "org.virtpod.Process1"

    def wait(self, timeout=120):
        return self.call("Wait", timeout=timeout)[0]

    def kill(self, signal):
        self.call("Kill", "(s)", signal)


class Container(Object):
    interface = "org.virtpod.Container1"

    def start(self, **values):
        return self.call("Start", "(a{sv})", options(values))

    def wait(self, timeout=120):
        return self.call("Wait", timeout=timeout)[0]

    def kill(self, signal, **values):
        self.call("Kill", "(sa{sv})", signal, options(values))

    def delete(self, **values):
        return self.call("Delete", "(a{sv})", options(values))[0]

    def exec(self, args, exec_id="", stdin=None, stdout=None, stderr=None, **values):
        given, fds = stream_options(values, stdin, stdout, stderr)
        (path,), _ = self.call_with_fds("Exec", "(sasa{sv})", (exec_id, args, given), fds)
        return Process(self.connection, path)


class Sandbox(Object):
    interface = "org.virtpod.Sandbox1"

    def start(self, **values):
        self.call("Start", "(a{sv})", options(values))

    def stop(self, timeout_usec=0, **values):
        self.call("Stop", "(ta{sv})", timeout_usec, options(values))

    def delete(self, **values):
        self.call("Delete", "(a{sv})", options(values))

    def wait(self, timeout=120):
        return self.call("Wait", timeout=timeout)[0]

    def ping(self):
        return self.call("Ping")

    def create_container(self, cid, bundle, stdin=None, stdout=None, stderr=None, **values):
        given, fds = stream_options(values, stdin, stdout, stderr)
        (path,), _ = self.call_with_fds("CreateContainer", "(ssa{sv})", (cid, bundle, given), fds)
        return Container(self.connection, path)


class Manager(Object):
    interface = "org.virtpod.Manager1"

    def __init__(self, connection):
        super().__init__(connection, MANAGER)

    def create_sandbox(self, sid, bundle, stdin=None, stdout=None, stderr=None, **values):
        given, fds = stream_options(values, stdin, stdout, stderr)
        (path,), _ = self.call_with_fds("CreateSandbox", "(ssa{sv})", (sid, bundle, given), fds)
        return Sandbox(self.connection, path)

    def sandbox(self, sid):
        return Sandbox(self.connection, self.call("GetSandbox", "(s)", sid))

    def container(self, cid):
        return Container(self.connection, self.call("GetContainer", "(s)", cid))

    def sandboxes(self, **filters):
        return self.call("ListSandboxes", "(a{ss})", filters)

    def containers(self, **filters):
        return self.call("ListContainers", "(a{ss})", filters)

    def objects(self):
        """What the object manager announces: path -> interfaces."""
        reply = self.connection.call_sync(
            NAME, ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", None, None, 0, 120000, None)
        return reply.unpack()[0]
