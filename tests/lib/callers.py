# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls made by another user, in a process of his own.

    callers.run(address, callers.User(65534), [call, ...]) -> [outcome, ...]

A call is (path, interface, method, signature, arguments); "h" takes a descriptor
of /dev/null. An outcome is {"name": "ok" or the error's, "text": of the reply}.
"""

import collections
import json
import os
import subprocess
import sys

User = collections.namedtuple("User", "uid groups", defaults=((),))

NOBODY = User(65534)




def make_calls(connection, calls):
    import bus
    from gi.repository import Gio, GLib

    outcomes = []
    for path, interface, method, signature, arguments in calls:
        fds = Gio.UnixFDList.new()
        if "h" in signature:
            fds.append(0)
        arguments = [GLib.Variant(*a["v"]) if isinstance(a, dict) and "v" in a else a for a in arguments]
        try:
            reply, _fds = connection.call_with_unix_fd_list_sync(
                bus.NAME, path, interface, method, GLib.Variant("(%s)" % signature, tuple(arguments)), None,
                Gio.DBusCallFlags.NO_AUTO_START, 120000, fds, None)
            outcomes.append({"name": "ok", "text": reply.print_(False)})
        except GLib.Error as error:
            failure = bus.BusError(error)
            outcomes.append({"name": failure.name, "text": failure.text})
    return outcomes


def private(connection):
    """A private connection, asked for over @connection."""
    import bus
    from gi.repository import Gio, GLib

    try:
        _reply, fds = connection.call_with_unix_fd_list_sync(
            bus.NAME, bus.MANAGER, "org.virtpod.Manager1", "OpenPrivateConnection",
            GLib.Variant("(a{sv})", ({},)), None, 0, 120000, None, None)
    except GLib.Error as error:
        raise bus.BusError(error) from None
    stream = Gio.Socket.new_from_fd(fds.steal_fds()[0]).connection_factory_create_connection()
    return Gio.DBusConnection.new_sync(
        stream, None, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
        None, None)


def run(address, user, calls, way="bus"):
    """@way: "bus", "socket" (@address is the daemon's own), "private" (asked for over the bus at @address) or "left"
    (the same, and the bus is left)."""
    result = subprocess.run([sys.executable, os.path.abspath(__file__), way, address, json.dumps(user)],
                            input=json.dumps(calls).encode(), stdout=subprocess.PIPE, timeout=300, check=True,
                            env=dict(os.environ, HOME="/"))
    return json.loads(result.stdout)


def become(user):
    os.setgroups(user.groups)
    os.setresgid(user.uid, user.uid, user.uid)
    os.setresuid(user.uid, user.uid, user.uid)


def main():
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import bus
    from gi.repository import GLib

    way, address, user = sys.argv[1:]
    calls = json.load(sys.stdin)
    # after the imports: the tree may be below a directory that is closed to others
    become(User(*json.loads(user)))
    try:
        connection = bus.connect(address)
    except GLib.Error as error:
        print(json.dumps([{"name": "not connected", "text": error.message}] * len(calls)))
        return
    on_bus = connection
    if way in ("private", "left"):
        try:
            connection = private(on_bus)
        except bus.BusError as error:
            print(json.dumps([{"name": error.name, "text": error.text}] * len(calls)))
            return
    # who has a private connection and stays on the bus can be looked up there by polkit
    if way == "left":
        on_bus.close_sync(None)
    print(json.dumps(make_calls(connection, calls)))


if __name__ == "__main__":
    main()
