#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stand-in for virtpodd: the interfaces of data/*.xml with scripted answers.

It exists for the tests of the command line client only. What a container does
is in its id, a list of words joined by "-":

  out            prints a line on stdout and one on stderr
  cat            copies stdin to stdout until end-of-file
  tty            has a terminal; echoes what it reads, ends at "q"
  wait           runs until a signal ends it
  exit_N         ends with status N
  join           belongs to a sandbox that runs already
  slow           its virtual machine takes 30 s to start
  delay          its virtual machine takes 1.5 s to start
  vanish         the daemon dies while the container runs
  create.NAME, boot.NAME, start.NAME, delete.NAME, wait.NAME
                 that step fails with org.virtpod.Error.NAME

Every call is a line of JSON in the log: [member, object, argument...].
"""

import json
import os
import re
import signal
import sys
import threading

from gi.repository import Gio, GLib

INTERFACES = ("Manager1", "Sandbox1", "Container1", "Process1")
ERROR = "org.virtpod.Error."
MANAGER = "/org/virtpod/Manager"
CREATED = 1767323045678901  # 2026-01-02T03:04:05.678901Z


def escape(name):
    return re.sub(r"^[0-9]|[^A-Za-z0-9]", lambda m: "_%02x" % ord(m.group()), name) or "_"


class Failure(Exception):
    def __init__(self, name, message):
        super().__init__(message)
        self.name = name


class Object:
    """One exported object: methods are call_NAME(), properties a dictionary of variants."""

    def __init__(self, daemon, interface, path):
        self.daemon = daemon
        self.path = path
        self.properties = {}
        info = daemon.interfaces[interface]
        self.registration = daemon.bus.register_object(path, info, self.on_call, self.on_get, None)

    def on_call(self, bus, sender, path, interface, method, parameters, invocation):
        arguments = list(parameters.unpack())
        self.daemon.log([method, path] + arguments)
        fd_list = invocation.get_message().get_unix_fd_list()
        # taken out: the bindings keep the message, and with it the descriptors, too long
        fds = fd_list.steal_fds() if fd_list is not None else []
        try:
            getattr(self, "call_" + method)(invocation, fds, *arguments)
        except Failure as error:
            for fd in fds:
                os.close(fd)
            invocation.return_dbus_error(ERROR + error.name, str(error))

    def on_get(self, bus, sender, path, interface, name):
        return self.properties[name]

    def unregister(self):
        self.daemon.bus.unregister_object(self.registration)


def fail(words, step):
    for word in words:
        if word.startswith(step + "."):
            name = word[len(step) + 1:]
            raise Failure(name, "%s: told to fail" % step)


class Process(Object):
    """A first process or an exec: a thread plays the program, the main loop answers."""

    def __init__(self, daemon, path, container, exec_id, words, terminal, fds):
        super().__init__(daemon, "Process1", path)
        self.words, self.fds, self.container = words, fds, container
        self.terminal = terminal
        self.status = None
        self.waiting = []
        self.properties = {
            "ExecId": GLib.Variant("s", exec_id), "Container": GLib.Variant("o", container),
            "Pid": GLib.Variant("u", 7), "State": GLib.Variant("s", "running"),
            "Terminal": GLib.Variant("b", terminal), "ExitStatus": GLib.Variant("u", 0),
            "ExitedAt": GLib.Variant("t", 0),
        }

    def start(self):
        threading.Thread(target=self.play, daemon=True).start()

    def write(self, stream, data):
        fd = self.fds.get(stream)
        while fd is not None and data:
            data = data[os.write(fd, data):]

    def play(self):
        status = 0
        if "out" in self.words:
            self.write("stdout", b"to stdout\n")
            self.write("stderr", b"to stderr\n")
        if "cat" in self.words or "tty" in self.words:
            while True:
                data = os.read(self.fds["stdin"], 65536) if "stdin" in self.fds else b""
                self.write("stdout", data)
                if not data or ("tty" in self.words and b"q" in data):
                    break
        for word in self.words:
            if word.startswith("exit_"):
                status = int(word[5:])
        if "vanish" in self.words:
            os.kill(os.getpid(), signal.SIGKILL)
        if "wait" not in self.words:
            GLib.idle_add(self.end, status)

    def end(self, status):
        if self.status is None:
            self.status = status
            for fd in set(self.fds.values()):
                os.close(fd)
            self.fds = {}
            for invocation in self.waiting:
                self.answer(invocation)
        return GLib.SOURCE_REMOVE

    def answer(self, invocation):
        invocation.return_value(GLib.Variant("(ut)", (self.status, CREATED)))

    def call_Wait(self, invocation, fds):
        fail(self.words, "wait")
        if self.status is None:
            self.waiting.append(invocation)
        else:
            self.answer(invocation)

    def call_Kill(self, invocation, fds, name):
        name = name[3:] if name.startswith("SIG") else name
        try:
            number = int(name) if name.isdigit() else getattr(signal, "SIG" + name)
        except AttributeError:
            raise Failure("InvalidArgument", "signal \"%s\": is unknown" % name)
        if self.status is not None:
            raise Failure("InvalidState", "process: has ended")
        invocation.return_value(None)
        if name not in ("USR1", "USR2", "WINCH"):
            self.end(128 + number)

    def call_ResizeTty(self, invocation, fds, columns, rows):
        if not self.terminal:
            raise Failure("InvalidState", "process: has no terminal")
        invocation.return_value(None)

    def call_CloseStdin(self, invocation, fds):
        invocation.return_value(None)


class Container(Object):
    def __init__(self, daemon, sandbox, name, bundle, streams):
        path = sandbox.path + "/container/" + escape(name)
        super().__init__(daemon, "Container1", path)
        self.name, self.sandbox, self.bundle = name, sandbox, bundle
        self.words = name.split("-")
        self.state = "created"
        terminal = "tty" in self.words
        self.process = Process(daemon, path + "/process/_", path, "", self.words, terminal, streams)
        self.processes = [self.process]
        self.properties = {
            "Id": GLib.Variant("s", name), "Sandbox": GLib.Variant("o", sandbox.path),
            "Bundle": GLib.Variant("s", bundle), "State": GLib.Variant("s", "created"),
            "Pid": GLib.Variant("u", 0), "Terminal": GLib.Variant("b", terminal),
            "CreatedAt": GLib.Variant("t", CREATED), "StartedAt": GLib.Variant("t", 0),
            "ExitStatus": GLib.Variant("u", 0), "ExitedAt": GLib.Variant("t", 0),
        }

    def call_Start(self, invocation, fds, options):
        fail(self.words, "start")
        self.state = "running"
        invocation.return_value(GLib.Variant("(u)", (7,)))
        self.process.start()

    def call_Kill(self, invocation, fds, name, options):
        if self.state != "running":
            raise Failure("InvalidState", "container \"%s\": does not run" % self.name)
        self.process.call_Kill(invocation, fds, name)

    def call_Wait(self, invocation, fds):
        self.process.call_Wait(invocation, fds)

    def call_Delete(self, invocation, fds, options):
        fail(self.words, "delete")
        if self.state == "running" and self.process.status is None and not options.get("force"):
            raise Failure("InvalidState", "container \"%s\": is running" % self.name)
        self.process.end(137)
        self.daemon.forget(self)
        invocation.return_value(GLib.Variant("(ut)", (self.process.status, CREATED)))

    def call_Exec(self, invocation, fds, exec_id, args, options):
        fail([a for a in args if a.startswith("start.")], "start")
        exec_id = exec_id or "exec%d" % len(self.processes)
        process = Process(self.daemon, self.path + "/process/" + exec_id, self.path, exec_id, args,
                          options.get("terminal", False), take_streams(fds, options))
        self.processes.append(process)
        process.start()
        invocation.return_value(GLib.Variant("(o)", (process.path,)))

    def call_GetState(self, invocation, fds):
        state = {"ociVersion": "1.0.2", "id": self.name, "status": self.state, "bundle": self.bundle}
        invocation.return_value(GLib.Variant("(s)", (json.dumps(state),)))

    def call_GetProcess(self, invocation, fds, exec_id):
        invocation.return_value(GLib.Variant("(o)", (self.process.path,)))


class Sandbox(Object):
    def __init__(self, daemon, name):
        super().__init__(daemon, "Sandbox1", "/org/virtpod/sandbox/" + escape(name))
        self.name = name
        self.words = name.split("-")
        self.containers = []
        text = {"Id": name, "Handler": "default", "DomainName": "vp-" + name, "DomainUUID": "",
                "Accelerator": "tcg", "ExitReason": "", "AgentState": "ready",
                "State": "ready" if "join" in self.words else "created"}
        times = {"CreatedAt": CREATED, "StartedAt": 0, "ExitedAt": 0, "MemoryBytes": 256 << 20}
        self.properties = {key: GLib.Variant("s", value) for key, value in text.items()}
        self.properties.update({key: GLib.Variant("t", value) for key, value in times.items()})
        self.properties.update({
            "HypervisorPid": GLib.Variant("u", 4242), "Vcpus": GLib.Variant("u", 1),
            "StartStages": GLib.Variant("a(st)", [("plan", 1500), ("boot", 2500000)]),
            "Labels": GLib.Variant("a{ss}", {"quote": "a\"b\\c\n"}),
        })

    def call_Start(self, invocation, fds, options):
        fail(self.words, "boot")
        delay = 30000 if "slow" in self.words else 1500 if "delay" in self.words else 0
        GLib.timeout_add(delay, lambda: invocation.return_value(None))

    def call_Stop(self, invocation, fds, timeout, options):
        invocation.return_value(None)

    def call_Delete(self, invocation, fds, options):
        for container in list(self.containers):
            self.daemon.forget(container)
        self.daemon.sandboxes.pop(self.name, None)
        invocation.return_value(None)

    def call_ListContainers(self, invocation, fds):
        invocation.return_value(GLib.Variant("(ao)", ([c.path for c in self.containers],)))

    def call_GetDomainXML(self, invocation, fds, options):
        name = "live" if options.get("live") else "made"
        invocation.return_value(GLib.Variant("(s)", ("<domain type='qemu'>%s</domain>" % name,)))


def take_streams(fds, options):
    """The descriptors of one call, by stream."""
    return {key: fds[options[key]] for key in ("stdin", "stdout", "stderr") if key in options}


class Manager(Object):
    def __init__(self, daemon):
        super().__init__(daemon, "Manager1", MANAGER)
        text = {"Version": "9.8.7", "HypervisorUri": "test:///default", "HypervisorState": "connected",
                "Accelerator": "tcg"}
        self.properties = {key: GLib.Variant("s", value) for key, value in text.items()}
        self.properties.update({
            "HypervisorVersion": GLib.Variant("t", 7002000), "LibvirtVersion": GLib.Variant("t", 9000000),
            "RuntimeHandlers": GLib.Variant("as", ["default"]),
            "NSandboxes": GLib.Variant("u", 0), "NContainers": GLib.Variant("u", 0),
        })

    def call_CreateSandbox(self, invocation, fds, name, bundle, options):
        words = name.split("-")
        fail(words, "create")
        if name in self.daemon.containers:
            raise Failure("AlreadyExists", "container \"%s\": exists" % name)
        sandbox = Sandbox(self.daemon, name)
        container = Container(self.daemon, sandbox, name, bundle, take_streams(fds, options))
        sandbox.containers.append(container)
        self.daemon.sandboxes[name] = sandbox
        self.daemon.containers[name] = container
        invocation.return_value(GLib.Variant("(o)", (sandbox.path,)))

    def find(self, table, kind, name):
        if name not in table:
            raise Failure("NotFound", "%s \"%s\": does not exist" % (kind, name))
        return GLib.Variant("(o)", (table[name].path,))

    def call_GetSandbox(self, invocation, fds, name):
        invocation.return_value(self.find(self.daemon.sandboxes, "sandbox", name))

    def call_GetContainer(self, invocation, fds, name):
        invocation.return_value(self.find(self.daemon.containers, "container", name))

    def call_GetConfig(self, invocation, fds, handler):
        if handler not in ("", "default", "big"):
            raise Failure("NotFound", "handler \"%s\": is not configured" % handler)
        memory = ("1024", "handler big (/c:9)") if handler == "big" else ("256", "default")
        rows = [("hypervisor.accel", "tcg", "/c:2"), ("hypervisor.memory-mib", *memory),
                ("guest.cmdline-extra", "a=\"b\"", "command line")]
        invocation.return_value(GLib.Variant("(a(sss))", (rows,)))

    def call_Explain(self, invocation, fds, bundle, options):
        if os.path.basename(bundle) == "refused":
            raise Failure("NotSupported", "%s/config.json: linux.intelRdt.closID: not here" % bundle)
        invocation.return_value(GLib.Variant("(s)", ("%s of %s" % (options.get("format", "text"), bundle),)))

    def call_ListSandboxes(self, invocation, fds, filters):
        rows = [(s.name, s.properties["State"].get_string(), "default", CREATED, s.path)
                for s in self.daemon.sandboxes.values()]
        invocation.return_value(GLib.Variant("(a(sssto))", (rows,)))

    def call_ListContainers(self, invocation, fds, filters):
        rows = [(c.name, c.sandbox.name, c.state, c.bundle, 7 if c.state == "running" else 0, CREATED, c.path)
                for c in self.daemon.containers.values()]
        invocation.return_value(GLib.Variant("(a(ssssuto))", (rows,)))


class Daemon:
    def __init__(self, address, data, log):
        self.log_file = open(log, "a", buffering=1)
        self.interfaces = {}
        for name in INTERFACES:
            with open(os.path.join(data, "org.virtpod.%s.xml" % name)) as xml:
                node = Gio.DBusNodeInfo.new_for_xml(xml.read())
            self.interfaces[name] = node.lookup_interface("org.virtpod." + name)
        flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
        self.bus = Gio.DBusConnection.new_for_address_sync(address, flags, None, None)
        self.sandboxes, self.containers = {}, {}
        self.manager = Manager(self)

    def log(self, entry):
        self.log_file.write(json.dumps(entry) + "\n")

    def forget(self, container):
        for process in container.processes:
            process.end(137)
            process.unregister()
        container.unregister()
        container.sandbox.containers.remove(container)
        self.containers.pop(container.name, None)
        if not container.sandbox.containers:
            self.sandboxes.pop(container.sandbox.name, None)
            container.sandbox.unregister()

    def run(self):
        loop = GLib.MainLoop()
        Gio.bus_own_name_on_connection(self.bus, "org.virtpod", Gio.BusNameOwnerFlags.NONE, None,
                                       lambda *_: loop.quit())
        print("ready", flush=True)
        loop.run()


if __name__ == "__main__":
    Daemon(sys.argv[1], sys.argv[2], sys.argv[3]).run()
