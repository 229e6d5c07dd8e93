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
  create.NAME, boot.NAME, start.NAME, delete.NAME, wait.NAME, pause.NAME,
  update.NAME, stats.NAME, copy.NAME
                 that step fails with org.virtpod.Error.NAME
  cut            what is copied out of it ends too early

Files of a container are those below the directory named by MOCK_FILES: CopyIn
unpacks there and CopyOut packs from there, by tarfile.

Every call is a line of JSON in the log: [member, object, argument...]; another one,
["may ask", object, member], for those whose flags allow to ask for a password.
"""

import io
import json
import os
import re
import signal
import socket
import sys
import tarfile
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
        if invocation.get_message().get_flags() & Gio.DBusMessageFlags.ALLOW_INTERACTIVE_AUTHORIZATION:
            self.daemon.log(["may ask", path, method])
        fd_list = invocation.get_message().get_unix_fd_list()
        # taken out: the bindings keep the message, and with it the descriptors, too long
        fds = fd_list.steal_fds() if fd_list is not None else []
        try:
            call = getattr(self, "call_" + method, None)
            if call is None:
                raise Failure("NotSupported", "%s: the mock has none" % method)
            call(invocation, fds, *arguments)
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

    def serve(self):
        """After Attach(): plays the part of the program that reads."""
        self.write("stdout", b"attached\n")
        while "stdin" in self.fds:
            data = os.read(self.fds["stdin"], 65536)
            self.write("stdout", data)
            if not data or b"q" in data:
                GLib.idle_add(self.end, 5)
                return

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
        if number not in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH):
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
            "Pid": GLib.Variant("u", 4711), "Terminal": GLib.Variant("b", terminal),
            "CreatedAt": GLib.Variant("t", CREATED), "StartedAt": GLib.Variant("t", 0),
            "ExitStatus": GLib.Variant("u", 0), "ExitedAt": GLib.Variant("t", 0),
        }

    def on_get(self, bus, sender, path, interface, name):
        if name == "State":
            return GLib.Variant("s", self.state if self.process.status is None else "stopped")
        return super().on_get(bus, sender, path, interface, name)

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

    def call_ExecProcessSpec(self, invocation, fds, exec_id, text, options):
        spec = json.loads(text)
        options["terminal"] = spec.get("terminal", False)
        self.call_Exec(invocation, fds, exec_id, spec["args"], options)

    def call_GetState(self, invocation, fds):
        state = {"ociVersion": "1.0.2", "id": self.name, "status": self.state, "bundle": self.bundle}
        invocation.return_value(GLib.Variant("(s)", (json.dumps(state),)))

    def call_GetProcess(self, invocation, fds, exec_id):
        invocation.return_value(GLib.Variant("(o)", (self.process.path,)))

    def call_Pause(self, invocation, fds):
        fail(self.words, "pause")
        self.state = "paused"
        invocation.return_value(None)

    def call_Resume(self, invocation, fds):
        self.state = "running"
        invocation.return_value(None)

    def call_Update(self, invocation, fds, resources):
        fail(self.words, "update")
        invocation.return_value(None)

    def call_GetStats(self, invocation, fds):
        fail(self.words, "stats")
        if self.state != "running" or self.process.status is not None:
            raise Failure("InvalidState", "container \"%s\": does not run" % self.name)

        def table(kind, **values):
            return {key.replace("_", "-"): GLib.Variant(kind, value) for key, value in values.items()}

        stats = {"cpu.usage-usec": GLib.Variant("t", 1500), "memory.usage-bytes": GLib.Variant("t", 10 << 20),
                 "memory.limit-bytes": GLib.Variant("t", 2 ** 64 - 1), "pids.current": GLib.Variant("t", 3),
                 "memory.stat": GLib.Variant("a{st}", {"anon": 4096}),
                 "blkio.service-bytes": GLib.Variant("aa{sv}", [dict(table("t", major=8, minor=1, value=512),
                                                                     **table("s", op="read"))]),
                 "network": GLib.Variant("aa{sv}", [dict(table("t", rx_bytes=2048), **table("s", name="eth0"))])}
        invocation.return_value(GLib.Variant("(a{sv})", (stats,)))

    def call_ListPids(self, invocation, fds):
        invocation.return_value(GLib.Variant("(au)", ([7, 12],)))

    def call_Attach(self, invocation, fds, options):
        """The streams it has are replaced by ours: what "cat" and "tty" read comes from there."""
        out, handles, mine = Gio.UnixFDList.new(), {}, {}
        if self.process.terminal:
            theirs, ours = socket.socketpair()
            handles["terminal"] = out.append(theirs.detach())
            mine = {"stdin": ours.fileno(), "stdout": os.dup(ours.detach())}
        else:
            for name in ("stdin", "stdout", "stderr"):
                if options.get(name, True):
                    ends = os.pipe() if name != "stdin" else os.pipe()[::-1]
                    handles[name] = out.append(ends[0])
                    os.close(ends[0])
                    mine[name] = ends[1]
        self.process.fds = mine
        reply = GLib.Variant("(a{sh})", (handles,))
        invocation.return_value_with_unix_fd_list(reply, out)
        threading.Thread(target=self.process.serve, daemon=True).start()

    def files(self, path):
        return os.path.join(os.environ["MOCK_FILES"], path.lstrip("/"))

    def call_CopyOut(self, invocation, fds, path, options):
        fail(self.words, "copy")
        place = self.files(path)
        if not os.path.lexists(place):
            raise Failure("NotFound", "%s: no such file" % path)
        read_end, write_end = os.pipe()
        threading.Thread(target=self.pack, args=(place, path, write_end), daemon=True).start()
        out = Gio.UnixFDList.new()
        index = out.append(read_end)
        os.close(read_end)
        invocation.return_value_with_unix_fd_list(GLib.Variant("(h)", (index,)), out)

    def pack(self, place, path, fd):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as tar:
            if os.path.isfile(place + ".tar"):  # what a hostile guest would send
                data.write(open(place + ".tar", "rb").read())
            else:
                tar.add(os.path.realpath(place), arcname=os.path.basename(path) or ".")
        stream = data.getvalue()
        if "cut" in self.words:  # between two members: what tar itself takes for an end
            stream = stream.rstrip(b"\0")
            stream += bytes(-len(stream) % 512)
        try:
            with os.fdopen(fd, "wb") as out:
                out.write(stream)
        except BrokenPipeError:
            pass

    def call_CopyIn(self, invocation, fds, tar, path, options):
        fail(self.words, "copy")
        fd = os.dup(fds[tar])
        os.close(fds[tar])
        threading.Thread(target=self.unpack, args=(invocation, fd, self.files(path)), daemon=True).start()

    def unpack(self, invocation, fd, place):
        try:
            with os.fdopen(fd, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
                names = [[m.name, m.uid, m.gid, m.mode] for m in tar if tar.extract(m, place) or True]
            self.daemon.log(["unpacked", place] + names)
            GLib.idle_add(lambda: invocation.return_value(None) and False)
        except (OSError, tarfile.TarError) as error:
            text = str(error)
            GLib.idle_add(lambda: invocation.return_dbus_error(ERROR + "InvalidArgument", text) and False)


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

    def call_Pause(self, invocation, fds):
        invocation.return_value(None)

    def call_Resume(self, invocation, fds):
        invocation.return_value(None)

    def call_Wait(self, invocation, fds):
        invocation.return_value(GLib.Variant("(ut)", (9, CREATED)))

    def call_ListDevices(self, invocation, fds):
        device = {"kind": GLib.Variant("s", "disk"), "id": GLib.Variant("s", "disk0")}
        invocation.return_value(GLib.Variant("(aa{sv})", ([device],)))

    def call_ListInterfaces(self, invocation, fds):
        row = {"name": GLib.Variant("s", "eth0"), "mac": GLib.Variant("s", "02:00:00:00:00:0a"),
               "mtu": GLib.Variant("t", 1400), "flags": GLib.Variant("t", 1),
               "addresses": GLib.Variant("as", ["10.0.0.2/24", "fd00::2/64"])}
        invocation.return_value(GLib.Variant("(aa{sv})", ([row],)))

    def call_ListRoutes(self, invocation, fds):
        rows = [{key: GLib.Variant("s", value) for key, value in
                 (("family", "ipv4"), ("dest", dest), ("gateway", gateway), ("device", "eth0"), ("source", ""))}
                for dest, gateway in (("10.9.0.0/16", ""), ("", "10.0.0.1"))]
        invocation.return_value(GLib.Variant("(aa{sv})", (rows,)))

    def call_GetIPTables(self, invocation, fds, family):
        invocation.return_value(GLib.Variant("(s)", ("*filter\n# %s\nCOMMIT\n" % family,)))

    def call_SetIPTables(self, invocation, fds, family, rules):
        invocation.return_value(GLib.Variant("(s)", ("%s: %s" % (family, rules),)))

    def call_OpenConsole(self, invocation, fds, options):
        read_end, write_end = os.pipe()
        text = b"boot\r\n\x1b[31mred\x1b[0m \xc3\xa9 \xff\x07\n"
        os.write(write_end, text[-options["tail-bytes"]:] if "tail-bytes" in options else text)
        os.close(write_end)
        out = Gio.UnixFDList.new()
        index = out.append(read_end)
        os.close(read_end)
        invocation.return_value_with_unix_fd_list(GLib.Variant("(h)", (index,)), out)

    def call_GetDomainXML(self, invocation, fds, options):
        name = "live" if options.get("live") else "made"
        invocation.return_value(GLib.Variant("(s)", ("<domain type='qemu'>%s</domain>" % name,)))


def take_streams(fds, options):
    """The descriptors of one call, by stream; what is given by path is opened."""
    streams = {key: fds[options[key]] for key in ("stdin", "stdout", "stderr") if key in options}
    for key, flags in (("stdin", os.O_RDONLY), ("stdout", os.O_WRONLY), ("stderr", os.O_WRONLY)):
        if key + "-path" in options:
            streams[key] = os.open(options[key + "-path"], flags | os.O_NOCTTY)
    return streams


class Manager(Object):
    def __init__(self, daemon):
        super().__init__(daemon, "Manager1", MANAGER)
        self.samples = 0
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
        self.emit(sandbox.path, "created", {"id": GLib.Variant("s", name), "time": GLib.Variant("t", CREATED)})
        self.emit(sandbox.path, "container-exited",
                  {"id": GLib.Variant("s", name), "time": GLib.Variant("t", CREATED),
                   "container": GLib.Variant("s", name), "exit-status": GLib.Variant("u", 3)})
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
        if handler == "big":
            rows += [("runtime.overhead-vcpus", "0.2505", "handler big (/c:9)"),
                     ("runtime.overhead-memory-mib", "1500", "handler big (/c:9)")]
        invocation.return_value(GLib.Variant("(a(sss))", (rows,)))

    def call_Check(self, invocation, fds, options):
        rows = [("libvirt", "ok", "libvirt 9.0.0", ""), ("acceleration", "warning", "tcg", "switch it on")]
        if os.path.exists(os.environ.get("MOCK_FILES", "") + "/broken"):
            rows.append(("guest-kernel", "error", "/vmlinux: \x1b[2Jno such file", "correct guest.kernel"))
        invocation.return_value(GLib.Variant("(a(ssss))", (rows,)))

    def call_GetStats(self, invocation, fds, options):
        """Every call a second later, half of it used; a list as the bus documents it."""
        self.samples += 1
        now = CREATED + self.samples * 1000000
        table = {}
        for name, sandbox in self.daemon.sandboxes.items():
            if "sandboxes" in options and name not in options["sandboxes"]:
                continue
            fail(name.split("-"), "stats")
            table[sandbox.path] = {
                "vm.cpu-usage-usec": GLib.Variant("t", self.samples * 1250000),
                "vm.memory-bytes": GLib.Variant("t", 300 << 20), "overhead.memory-bytes": GLib.Variant("t", 44 << 20),
                "containers": GLib.Variant("u", len(sandbox.containers)), "time-usec": GLib.Variant("t", now),
                "network": GLib.Variant("aa{sv}", [{"name": GLib.Variant("s", "eth0"),
                                                    "rx-bytes": GLib.Variant("t", 2048)}])}
            if not options.get("containers"):
                continue
            for container in sandbox.containers:
                table[container.path] = {
                    "cpu.usage-usec": GLib.Variant("t", self.samples * 500000),
                    "memory.usage-bytes": GLib.Variant("t", 10 << 20),
                    "memory.limit-bytes": GLib.Variant("t", 2 ** 64 - 1), "pids.current": GLib.Variant("t", 3),
                    "time-usec": GLib.Variant("t", now),
                    "blkio.service-bytes": GLib.Variant("aa{sv}", [
                        {"op": GLib.Variant("s", "read"), "value": GLib.Variant("t", 4096)},
                        {"op": GLib.Variant("s", "read"), "value": GLib.Variant("t", 1024)}])}
                if "mute" in container.words:
                    table[container.path] = {"error": GLib.Variant("s", "agent: timed out")}
        invocation.return_value(GLib.Variant("(a{oa{sv}})", (table,)))

    def call_Prune(self, invocation, fds, options):
        invocation.return_value(GLib.Variant("(a(ss))", ([("sandbox", "old"), ("container", "done")],)))

    def emit(self, path, event, details):
        self.daemon.bus.emit_signal(None, MANAGER, "org.virtpod.Manager1", "SandboxEvent",
                                    GLib.Variant("(osa{sv})", (path, event, details)))

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
        for name in os.environ.get("MOCK_CONTAINERS", "").split():
            self.adopt(name)

    def adopt(self, name):
        """A container that runs already, as after a restart."""
        sandbox = self.sandboxes[name] = Sandbox(self, name)
        container = self.containers[name] = Container(self, sandbox, name, "/", {})
        sandbox.containers.append(container)
        container.state = "running"
        container.process.start()

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
        # before that a client would find nobody of the name
        Gio.bus_own_name_on_connection(self.bus, "org.virtpod", Gio.BusNameOwnerFlags.NONE,
                                       lambda *_: print("ready", flush=True), lambda *_: loop.quit())
        loop.run()


if __name__ == "__main__":
    Daemon(sys.argv[1], sys.argv[2], sys.argv[3]).run()
