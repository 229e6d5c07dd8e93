#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""virtpod create and exec --detach as conmon and containerd's shim call them, and
virtpod-proxy, whose end they wait for as that of the container."""

import array
import ctypes
import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cli_harness import TIMEOUT, VIRTPOD, Bus, contains, equal, main, without_namespace  # noqa: E402


class Engine(Bus):
    """What conmon is: it gets the orphans of its children, and gives them pipes."""

    def __init__(self):
        pr_set_child_subreaper = 36
        ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1)
        self.ends = []
        super().__init__()
        self.pid_file = os.path.join(self.directory, "pidfile")
        self.socket_path = os.path.join(self.directory, "console")

    def __exit__(self, *args):
        super().__exit__(*args)
        for end in self.ends:
            os.close(end)
        # a proxy that a failed test leaves sees the bus go and stays: it is ours to end
        for pid in self.children():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    @staticmethod
    def children():
        with open("/proc/self/task/%d/children" % os.getpid(), encoding="ascii") as f:
            return [int(pid) for pid in f.read().split()]

    def call(self, *args, stdin=subprocess.DEVNULL):
        """Runs virtpod with pipes that a proxy may go on to hold; returns its status
        and our ends of stdout and stderr."""
        out, err = os.pipe(), os.pipe()
        self.ends += [out[0], err[0]]
        process = self.popen(*args, stdin=stdin, stdout=out[1], stderr=err[1])
        os.close(out[1])
        os.close(err[1])
        return process.wait(TIMEOUT), out[0], err[0]

    def create(self, name, *options, verb="create"):
        status, out, err = self.call(verb, *options, "--pid-file", self.pid_file, name)
        if status != 0:
            raise AssertionError("create: status %d: %s" % (status, os.read(err, 4096)))
        return self.pid(), out, err

    def pid(self):
        with open(self.pid_file, encoding="ascii") as f:
            return int(f.read())

    @staticmethod
    def read_all(fd):
        data = b""
        while True:
            more = os.read(fd, 65536)
            if not more:
                return data
            data += more

    @staticmethod
    def status(pid):
        """Of the end of a proxy."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > deadline:
                raise AssertionError("the proxy does not end")
            time.sleep(0.02)

    def listen(self):
        listener = socket.socket(socket.AF_UNIX)
        listener.settimeout(TIMEOUT)
        listener.bind(self.socket_path)
        listener.listen(1)
        return listener


def take_terminal(listener):
    """What conmon does with a console socket, in a thread of its own: the master."""
    connection, _ = listener.accept()
    fds = array.array("i")
    _, ancillary, _, _ = connection.recvmsg(1, socket.CMSG_SPACE(fds.itemsize))
    fds.frombytes(ancillary[0][2][:fds.itemsize])
    connection.close()
    return fds[0]


def read_until(fd, text):
    seen = b""
    while text not in seen:
        if not select.select([fd], [], [], TIMEOUT)[0]:
            raise AssertionError("%r did not come: %r" % (text, seen))
        seen += os.read(fd, 4096)
    return seen


def test_life():
    with Engine() as bus:
        pid, out, err = bus.create("out-exit_7", "--bundle", "/b", "--no-pivot", "--no-new-keyring")
        name, bundle, options = bus.calls("CreateSandbox")[0]
        equal((name, bundle), ("out-exit_7", "/b"))
        equal(without_namespace(options), {"standin-pid": pid, "stdin-path": "/proc/%d/fd/0" % pid, "stdout-path": "/proc/%d/fd/1" % pid,
                                           "stderr-path": "/proc/%d/fd/2" % pid})
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        equal((int(fields[1]), int(fields[3])), (os.getpid(), pid), "parent and session")
        equal(sorted(os.listdir("/proc/%d/fd" % pid))[:3], ["0", "1", "2"])
        equal(bus.run("start", "out-exit_7").returncode, 0)
        equal(bus.status(pid), 7)
        equal((bus.read_all(out), bus.read_all(err)), (b"to stdout\n", b"to stderr\n"))
        equal([call[0] for call in bus.calls() if call[0] != "Wait"],
              ["CreateSandbox", "GetContainer", "Start", "GetProcess", "GetContainer", "Start"])
        equal(bus.run("delete", "out-exit_7").returncode, 0)


def test_it_holds_nothing_else():
    with Engine() as bus:
        read_end, write_end = os.pipe()
        os.set_inheritable(write_end, True)
        process = bus.popen("create", "--pid-file", bus.pid_file, "wait", stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, close_fds=False)
        os.close(write_end)
        equal(process.wait(TIMEOUT), 0)
        equal(os.read(read_end, 1), b"", "end of file of a pipe of the engine's own")
        os.close(read_end)
        equal(os.readlink("/proc/%d/cwd" % bus.pid()), "/")
        bus.run("delete", "--force", "wait")
        equal(bus.status(bus.pid()), 137)


def test_input():
    with Engine() as bus:
        read_end, write_end = os.pipe()
        status, out, _ = bus.call("create", "--pid-file", bus.pid_file, "cat", stdin=read_end)
        os.close(read_end)
        equal((status, bus.run("start", "cat").returncode), (0, 0))
        os.write(write_end, b"typed")
        os.close(write_end)
        equal(bus.status(bus.pid()), 0)
        equal(bus.read_all(out), b"typed")


def test_streams_that_have_no_path():
    with Engine() as bus:
        ours, theirs = socket.socketpair()
        with tempfile.TemporaryFile() as output:
            process = bus.popen("create", "--pid-file", bus.pid_file, "cat", stdin=theirs, stdout=output,
                                stderr=subprocess.DEVNULL)
            theirs.close()
            equal(process.wait(TIMEOUT), 0)
            options = bus.calls("CreateSandbox")[0][2]
            equal(sorted(without_namespace(options)), ["standin-pid", "stderr-path", "stdin", "stdout"])
            bus.run("start", "cat")
            ours.sendall(b"by socket")
            ours.shutdown(socket.SHUT_WR)
            equal(bus.status(bus.pid()), 0)
            output.seek(0)
            equal(output.read(), b"by socket")
        ours.close()


def test_failures_leave_nothing():
    with Engine() as bus:
        for name, deletes in (("create.NotSupported", 0), ("boot.TimedOut", 1), ("boot.CommandNotFound", 2)):
            status, _, err = bus.call("create", "--pid-file", bus.pid_file, name)
            equal(status, 1, name)
            contains(bus.read_all(err), b"virtpod: create %s: " % name.encode())
            equal(os.path.exists(bus.pid_file), False, "pid file")
            equal(len(bus.calls("Delete")), deletes, name)
        equal(bus.children(), [p.pid for p in bus.processes], "proxies")
        status, _, err = bus.call("create", "--pid-file", "/nonexistent/pid", "wait")
        equal(status, 1)
        contains(bus.read_all(err), b"/nonexistent/pid")
        equal(bus.run("list", "-q").stdout, b"")


def test_no_proxy():
    with Engine() as bus:
        env = dict(bus.environment(), VIRTPOD_EXEC_PATH="/nonexistent")
        bus.environment = lambda: env
        status, _, err = bus.call("create", "wait")
        equal(status, 1)
        contains(bus.read_all(err), b"virtpod: create wait: virtpod-proxy: cannot be executed")
        equal(bus.calls("CreateSandbox"), [])


def test_signals():
    with Engine() as bus:
        pid, _, _ = bus.create("wait")
        bus.run("start", "wait")
        for count, number in enumerate((signal.SIGUSR1, signal.SIGUSR2), 1):
            os.kill(pid, number)
            bus.wait_for_call("Kill", count)
        os.kill(pid, signal.SIGTERM)
        equal(bus.status(pid), 143)
        equal([call[0] for call in bus.calls("Kill")], ["10", "12", "15"])


def test_numeric_kill():
    with Engine() as bus:
        pid, _, _ = bus.create("wait")
        bus.run("start", "wait")
        equal(bus.run("kill", "wait", "9").returncode, 0)
        equal(bus.status(pid), 137)
        contains(bus.run("kill", "wait", "9").stderr, b"container not running")


def test_mounts_of_its_own():
    """whoever is in another mount namespace than the host's first process hands it over"""
    if subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        print("# may not have one here")
        return
    with Engine() as bus:
        process = subprocess.Popen(["unshare", "--mount", VIRTPOD, "create", "--pid-file", bus.pid_file, "wait"],
                                   env=bus.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        equal(process.wait(TIMEOUT), 0)
        contains(sorted(bus.calls("CreateSandbox")[0][2]), "mount-namespace")
        equal(subprocess.run(["unshare", "--mount", VIRTPOD, "run", "true"], env=bus.environment(), timeout=TIMEOUT,
                             stdin=subprocess.DEVNULL).returncode, 0)
        contains(sorted(bus.calls("CreateSandbox")[1][2]), "mount-namespace")
        try:
            here = os.readlink("/proc/1/ns/mnt") == os.readlink("/proc/self/ns/mnt")
        except PermissionError:  # root in a sandbox: it cannot tell either
            here = False
        equal(bus.run("run", "--detach", "one").returncode, 0)
        equal("mount-namespace" in bus.calls("CreateSandbox")[2][2], not here, "from here")
        bus.run("delete", "--force", "wait")
        equal(bus.status(bus.pid()), 137)


def terminal_of(bus, *args):
    """Runs virtpod with a console socket; returns the master."""
    with bus.listen() as listener:
        process = bus.popen(*args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        master = take_terminal(listener)
        bus.ends.append(master)
        equal(process.wait(TIMEOUT), 0, args)
    os.unlink(bus.socket_path)
    return master


def set_size(master, rows, columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def test_terminal():
    with Engine() as bus:
        master = terminal_of(bus, "create", "--pid-file", bus.pid_file, "--console-socket", bus.socket_path,
                             "tty-exit_4")
        equal(sorted(without_namespace(bus.calls("CreateSandbox")[0][2])), ["standin-pid", "stdin-path", "stdout-path"])
        set_size(master, 40, 100)
        bus.wait_for_call("ResizeTty")
        equal(bus.calls("ResizeTty")[-1], [100, 40])
        bus.run("start", "tty-exit_4")
        os.write(master, b"\x03\r")
        equal(read_until(master, b"\r"), b"\x03\r", "bytes are not changed on the host")
        os.write(master, b"q")
        equal(bus.status(bus.pid()), 4)


def test_terminal_must_fit():
    with Engine() as bus:
        status, _, err = bus.call("create", "tty")
        equal(status, 1)
        contains(bus.read_all(err), b"there is no --console-socket")
        with bus.listen():
            status, _, err = bus.call("create", "--console-socket", bus.socket_path, "wait")
        equal(status, 1)
        contains(bus.read_all(err), b"there is a --console-socket")
        status, _, err = bus.call("create", "--console-socket", "/nonexistent/socket", "tty-wait")
        equal(status, 1)
        contains(bus.read_all(err), b"/nonexistent/socket")
        equal(bus.run("list", "-q").stdout, b"")


def write_process(bus, **members):
    path = os.path.join(bus.directory, "process.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(dict({"cwd": "/", "user": {"uid": 0, "gid": 0}}, **members), f)
    return path


def test_exec_process():
    with Engine() as bus:
        bus.run("run", "--detach", "wait")
        process = write_process(bus, args=["out", "exit_9"])
        pid, out, err = bus.create("wait", "--process", process, "--detach", verb="exec")
        equal(bus.status(pid), 9)
        equal((bus.read_all(out), bus.read_all(err)), (b"to stdout\n", b"to stderr\n"))
        exec_id, text, options = bus.calls("ExecProcessSpec")[0]
        equal((exec_id, json.loads(text)["args"]), ("", ["out", "exit_9"]))
        equal(sorted(options), ["standin-pid", "stderr-path", "stdin-path", "stdout-path"])
        done = bus.run("exec", "--process", process, "wait")
        equal((done.returncode, done.stdout), (9, b"to stdout\n"), "in the foreground")


def test_exec_failures():
    with Engine() as bus:
        bus.run("run", "--detach", "wait")
        for error, status in (("CommandNotFound", 127), ("CommandNotExecutable", 126), ("AgentFailed", 125)):
            process = write_process(bus, args=["start." + error])
            got, _, err = bus.call("exec", "--process", process, "--detach", "--pid-file", bus.pid_file, "wait")
            equal(got, status, error)
            contains(bus.read_all(err), error.encode())
        got, _, err = bus.call("exec", "--process", "/nonexistent/process", "--detach", "wait")
        equal(got, 125)
        contains(bus.read_all(err), b"/nonexistent/process")
        equal(bus.children(), [p.pid for p in bus.processes], "proxies")


def test_exec_terminal():
    with Engine() as bus:
        bus.run("run", "--detach", "wait")
        process = write_process(bus, args=["tty", "exit_3"], terminal=True)
        master = terminal_of(bus, "exec", "--pid-file", bus.pid_file, "--process", process, "--detach", "--tty",
                             "--console-socket", bus.socket_path, "wait")
        os.write(master, b"hiq")
        equal(bus.status(bus.pid()), 3)
        equal(bus.calls("ExecProcessSpec")[0][2].get("terminal"), None, "the object says it")


def test_run():
    with Engine() as bus:
        pid, out, _ = bus.create("out-exit_5", "--detach", verb="run")
        equal(bus.status(pid), 5)
        equal(bus.read_all(out), b"to stdout\n")
        bus.run("delete", "out-exit_5")
        child = bus.popen("run", "--pid-file", bus.pid_file, "wait", stdin=subprocess.DEVNULL)
        bus.wait_for_call("Start", 4)
        equal(bus.pid(), child.pid, "in the foreground the command itself stands for it")
        bus.run("kill", "wait", "9")
        equal(child.wait(TIMEOUT), 137)


def test_daemon_restarts():
    with Engine() as bus:
        pid, _, _ = bus.create("wait")
        bus.run("start", "wait")
        waits = len(bus.calls("Wait"))
        bus.processes[-1].kill()
        bus.processes[-1].wait()
        os.environ["MOCK_CONTAINERS"] = "wait"
        try:
            bus.start_mock()
        finally:
            del os.environ["MOCK_CONTAINERS"]
        bus.wait_for_call("Wait", waits + 1)
        os.kill(pid, signal.SIGINT)
        equal(bus.status(pid), 130)


def can_change_root():
    """Root, and / is a mount point, as it is not in a plain chroot."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as f:
        mounted = any(line.split()[4] == "/" for line in f)
    return os.geteuid() == 0 and mounted and subprocess.run(["unshare", "-m", "true"], check=False).returncode == 0


def test_bus_restarts():
    """With the container's root file system for its own, where there is no bus."""
    with Engine() as bus:
        bundle = os.path.join(bus.directory, "bundle")
        os.makedirs(os.path.join(bundle, "files"))
        open(os.path.join(bundle, "files", "mark"), "wb").close()
        with open(os.path.join(bundle, "config.json"), "w", encoding="ascii") as f:
            f.write('{"root": {"path": "%s"}}' % ("files" if can_change_root() else ""))
        pid, _, _ = bus.create("wait", "--bundle", bundle)
        if can_change_root():
            equal(os.listdir("/proc/%d/root" % pid), ["mark"], "its root")
        bus.run("start", "wait")
        waits = len(bus.calls("Wait"))
        for process in bus.processes:
            process.kill()
            process.wait()
        bus.start_bus()
        os.environ["MOCK_CONTAINERS"] = "wait"
        try:
            bus.start_mock()
        finally:
            del os.environ["MOCK_CONTAINERS"]
        bus.wait_for_call("Wait", waits + 1)
        os.kill(pid, signal.SIGINT)
        equal(bus.status(pid), 130)


def test_daemon_forgets():
    with Engine() as bus:
        pid, _, _ = bus.create("wait")
        bus.run("start", "wait")
        bus.processes[-1].kill()
        bus.processes[-1].wait()
        bus.start_mock()
        equal(bus.status(pid), 137)


def test_calls_of_engines():
    """Each command line that podman, containerd's shim and CRI-O were seen to use."""
    with Engine() as bus:
        log = ["--root", "/run/moby", "--log", os.path.join(bus.directory, "log.json"), "--log-format", "json"]
        process = write_process(bus, args=["wait"])
        resources = os.path.join(bus.directory, "resources")
        with open(resources, "w", encoding="ascii") as f:
            f.write('{"memory":{"limit":67108864}}')
        for name, options in (("wait", []), ("wait-2", log), ("wait-3", ["--root=/run/crio"]),
                              ("wait-4", ["--systemd-cgroup"])):
            status, _, err = bus.call(*options, "create", "--bundle", "/b", "--pid-file", bus.pid_file, name)
            equal(status, 0, options)
            proxy = bus.pid()
            for verb in (["start", name], ["state", name], ["pause", name], ["resume", name],
                         ["update", "--resources=" + resources, name], ["ps", "--format", "json", name],
                         ["kill", name, "10"]):
                equal(bus.run(*options, *verb).returncode, 0, verb)
            pids = json.loads(bus.run(*options, "ps", "--format", "json", name).stdout)
            equal(pids, [4711] if options == log else [7, 12], "ps with %s" % options)
            done = bus.run(*options, "update", "--resources", "-", name, stdin=b'{"pids":{"limit":5}}')
            equal(done.returncode, 0, done.stderr)
            equal(json.loads(bus.calls("Update")[-1][0]), {"pids": {"limit": 5}})
            status, _, _ = bus.call(*options, "exec", "--process", process, "--detach", "--pid-file", bus.pid_file,
                                    name)
            equal(status, 0, "exec")
            equal(bus.run(*options, "kill", "--all", name, "9").returncode, 0)
            equal(bus.status(proxy), 137, "container")
            equal(bus.run(*options, "delete", "--force", name).returncode, 0)
            equal(bus.status(bus.pid()), 137, "exec ends with its container")
            equal(bus.run(*options, "delete", "--force", name).returncode, 0, "a second time")
            status, _, err = bus.call(*options, "state", name)
            equal(status, 1)
            contains(bus.read_all(err), b"does not exist")
        with open(log[3], encoding="utf-8") as f:
            contains(json.loads(f.read().splitlines()[-1])["msg"], "does not exist")


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
