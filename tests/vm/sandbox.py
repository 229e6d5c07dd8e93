#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One running sandbox: exec, terminals, signals, a second container."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
import tty

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import tap
from env import Env
from tap import check, equal, eventually, match

CONTAINER_TYPE = "io.kubernetes.cri.container-type"
SANDBOX_ID = "io.kubernetes.cri.sandbox-id"


class Shared:
    """The sandbox most tests of this program use: starting one takes seconds."""

    sandbox = None
    id = "shared"


def start_sandbox(env, sid, args, **changes):
    sandbox = env.manager.create_sandbox(sid, env.bundle(args, **changes))
    sandbox.start()
    container = env.manager.container(sid)
    container.start()
    return sandbox, container


def read_all(fd, timeout=60):
    """Bytes until the writer's end is closed; a terminal says EIO for that."""
    data = b""
    deadline = time.monotonic() + timeout
    while True:
        ready, _, _ = select.select([fd], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            raise tap.Failure("no end of file; read so far: %s" % tap.short(data))
        try:
            chunk = os.read(fd, 65536)
        except OSError:
            return data
        if not chunk:
            return data
        data += chunk


def test_start(env):
    """a sandbox starts and says so"""
    Shared.sandbox, container = start_sandbox(
        env, Shared.id, ["sh", "-c", "trap 'exit 3' USR1; touch /tmp/up; while :; do sleep 1 & wait $!; done"],
        annotations={CONTAINER_TYPE: "sandbox", SANDBOX_ID: Shared.id})
    equal(Shared.sandbox.get("State"), "ready", "sandbox state")
    equal(container.get("State"), "running", "container state")
    check(container.get("Pid") > 0, "container has no pid")
    check(Shared.sandbox.get("HypervisorPid") > 0, "no hypervisor pid")
    equal(Shared.sandbox.get("Accelerator") in ("tcg", "kvm"), True, "accelerator is named")
    equal(Shared.sandbox.get("AgentState"), "ready", "agent state")
    stages = Shared.sandbox.get("StartStages")
    check(len(stages) >= 2, "start stages: %r" % stages)
    print("# stages: " + ", ".join("%s %.0f ms" % (name, usec / 1000) for name, usec in stages))


def test_ping(env):
    """the agent answers"""
    match(Shared.sandbox.ping(), ".", "agent version")
    check("agent-version" in Shared.sandbox.call("GetGuestDetails"), "details do not name the version")


def test_domain_xml(env):
    """both domain XML documents name the sandbox"""
    for live in (False, True):
        xml = Shared.sandbox.call("GetDomainXML", "(a{sv})", bus.options({"live": live}))
        match(xml, "<name>%s</name>" % Shared.sandbox.get("DomainName"), "XML")
        match(xml, "virtpod:sandbox", "metadata")
    equal(env.libvirt.domains(), [Shared.sandbox.get("DomainName")], "domains")


def test_objects(env):
    """the object manager announces sandbox and container"""
    paths = env.manager.objects()
    check(Shared.sandbox.path in paths, "sandbox is not announced")
    check("org.virtpod.Container1" in paths[env.manager.container(Shared.id).path], "container is not announced")


def test_exec(env):
    """exec has its own output and status"""
    result = env.virtpod("exec", Shared.id, "sh", "-c", "echo out; echo err >&2; exit 9")
    equal((result.returncode, result.stdout, result.stderr), (9, b"out\n", b"err\n"), "result")


def test_exec_sees_container(env):
    """exec is in the container's namespaces"""
    eventually(lambda: env.virtpod("exec", Shared.id, "test", "-e", "/tmp/up").returncode == 0, "file of the container")
    result = env.virtpod("exec", Shared.id, "cat", "/proc/1/cmdline")
    match(result.stdout.decode(), "USR1", "process 1")


def test_exec_stdin(env):
    """exec -i reads stdin to its end"""
    data = os.urandom(300000)
    result = env.virtpod("exec", "-i", Shared.id, "cat", stdin=data)
    equal((result.returncode, result.stdout == data), (0, True), "status, same bytes")


def test_exec_options(env):
    """exec with environment, directory and user"""
    result = env.virtpod("exec", "-e", "A=1", "-w", "/tmp", "-u", "65534:65534", Shared.id,
                         "sh", "-c", "echo $A $(pwd) $(id -u) $(id -g)")
    equal((result.returncode, result.stdout), (0, b"1 /tmp 65534 65534\n"), "result")


def test_exec_127(env):
    """exec of a program that is not there has status 127"""
    result = env.virtpod("exec", Shared.id, "no-such-program")
    equal(result.returncode, 127, "status (%r)" % result.stderr)
    env.raises("CommandNotFound", lambda: env.manager.container(Shared.id).exec(["no-such-program"]), "no-such-program")


def test_exec_126(env):
    """exec of a file that is not executable has status 126"""
    result = env.virtpod("exec", Shared.id, "/etc/not-executable")
    equal(result.returncode, 126, "status (%r)" % result.stderr)
    env.raises("CommandNotExecutable", lambda: env.manager.container(Shared.id).exec(["/etc/not-executable"]))


def test_exec_kill(env):
    """an exec can be killed through its object"""
    process = env.manager.container(Shared.id).exec(["sleep", "100"], exec_id="sleeper")
    equal(process.get("ExecId"), "sleeper", "exec id")
    env.raises("AlreadyExists", lambda: env.manager.container(Shared.id).exec(["true"], exec_id="sleeper"), "sleeper")
    process.kill("KILL")
    equal(process.wait(), 128 + signal.SIGKILL, "status")
    env.raises("InvalidState", lambda: process.kill("TERM"))
    env.raises("InvalidArgument", lambda: process.kill("NOSUCH"), "NOSUCH")


def test_exec_many(env):
    """twelve execs at once each get their own status"""
    container = env.manager.container(Shared.id)
    processes = [container.exec(["sh", "-c", "sleep 0.2; exit %d" % i]) for i in range(12)]
    equal([p.wait() for p in processes], list(range(12)), "statuses")


def test_exec_fds(env):
    """the fds of an exec are closed when its output has ended"""
    reader, writer = os.pipe()
    process = env.manager.container(Shared.id).exec(["echo", "hello"], stdout=writer)
    os.close(writer)
    equal(read_all(reader), b"hello\n", "stdout")
    os.close(reader)
    equal(process.wait(), 0, "status")


def test_exec_gone_reader(env):
    """an exec whose reader went away ends, and the sandbox goes on"""
    reader, writer = os.pipe()
    process = env.manager.container(Shared.id).exec(["sh", "-c", "yes || true; exit 5"], stdout=writer)
    os.close(writer)
    os.read(reader, 100)
    os.close(reader)
    try:
        process.wait(timeout=3)
    except bus.BusError:
        process.kill("KILL")
    equal(env.virtpod("exec", Shared.id, "true").returncode, 0, "status of the next exec")


def test_tty(env):
    """exec -t gives a terminal: size, input, control characters"""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (33, 99))
    process = subprocess.Popen(env.client("exec", "-it", Shared.id, "sh", "-c", "tty; stty size; read x; echo got $x; cat"),
                               stdin=slave, stdout=slave, stderr=slave, env=env.client_env(), start_new_session=True,
                               preexec_fn=lambda: os.close(master))
    os.close(slave)
    out = b""

    def seen(text):
        nonlocal out
        deadline = time.monotonic() + 30
        while text not in out:
            ready, _, _ = select.select([master], [], [], max(0, deadline - time.monotonic()))
            check(ready, "%r not in %r" % (text, out))
            out += os.read(master, 4096)

    try:
        seen(b"33 99")
        match(out.decode(), "/dev/(pts/|console)", "tty")
        os.write(master, b"line\r")
        seen(b"got line")
        os.write(master, b"\x03")
        equal(process.wait(120), 128 + signal.SIGINT, "status after ^C")
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_tty_resize(env):
    """a new window size reaches the terminal"""
    master, slave = pty.openpty()
    tty.setraw(slave)
    container = env.manager.container(Shared.id)
    process = container.exec(["sh", "-c", "trap 'stty size; exit 4' WINCH; echo up; while :; do sleep 0.1; done"],
                             stdin=slave, stdout=slave, terminal=True)
    os.close(slave)
    match(os.read(master, 100).decode(), "up", "output")
    process.call("ResizeTty", "(qq)", 123, 45)
    equal(process.wait(), 4, "status")
    match(os.read(master, 100).decode(), "45 123", "size")
    env.raises("InvalidState", lambda: process.call("ResizeTty", "(qq)", 80, 25))
    os.close(master)


def test_close_stdin(env):
    """CloseStdin ends what reads stdin"""
    reader, writer = os.pipe()
    process = env.manager.container(Shared.id).exec(["cat"], stdin=reader)
    os.close(reader)
    os.write(writer, b"x")
    process.call("CloseStdin")
    equal(process.wait(), 0, "status")
    os.close(writer)


def test_second_container(env):
    """a second container runs in the same virtual machine"""
    path = env.bundle(["sh", "-c", "cat /proc/sys/kernel/random/boot_id; exit 8"],
                      annotations={CONTAINER_TYPE: "container", SANDBOX_ID: Shared.id})
    result = env.virtpod("run", "--bundle", path, "second")
    equal(result.returncode, 8, "status (%r)" % result.stderr)
    boot = env.virtpod("exec", Shared.id, "cat", "/proc/sys/kernel/random/boot_id")
    equal(result.stdout, boot.stdout, "boot id")
    equal(Shared.sandbox.get("State"), "ready", "sandbox state")
    equal(len(Shared.sandbox.call("ListContainers")), 1, "containers left")


def test_containers_apart(env):
    """containers of a sandbox do not see each other's processes and files"""
    path = env.bundle(["sh", "-c", "ls /proc | grep -c '^[0-9]'; test -e /tmp/up && echo shared"],
                      annotations={CONTAINER_TYPE: "container", SANDBOX_ID: Shared.id})
    result = env.virtpod("run", "--bundle", path, "apart")
    check(b"shared" not in result.stdout, "file of the other container is seen")
    check(int(result.stdout.split()[0]) <= 4, "processes: %r" % result.stdout)


def test_own_and_other(env):
    """what runs is not deleted; what is deleted is not the sandbox while its own container is there"""
    path = env.bundle(["sleep", "1000"], annotations={CONTAINER_TYPE: "container", SANDBOX_ID: Shared.id})
    other = Shared.sandbox.create_container("other", path)
    equal(other.get("State"), "created", "state")
    env.raises("InvalidState", lambda: env.manager.container(Shared.id).delete())
    other.start()
    env.raises("InvalidState", other.delete)
    other.kill("KILL")
    equal(other.wait(), 128 + signal.SIGKILL, "status")
    equal(other.delete(), 128 + signal.SIGKILL, "status again")
    env.raises("NotFound", lambda: env.manager.container("other"), "other")


def test_state(env):
    """virtpod state prints the OCI state"""
    state = json.loads(env.virtpod("state", Shared.id).stdout)
    equal((state["id"], state["status"]), (Shared.id, "running"), "id and status")
    check("ociVersion" in state and os.path.isdir(state["bundle"]), "state: %r" % state)


def test_list(env):
    """virtpod list names the container"""
    equal(env.virtpod("list", "-q").stdout.split(), [Shared.id.encode()], "list")


def test_kill_handled(env):
    """a signal the process handles: it decides its status; the sandbox is gone after delete"""
    container = env.manager.container(Shared.id)
    env.raises("InvalidArgument", lambda: container.kill("NOSUCH"), "NOSUCH")
    equal(env.virtpod("kill", Shared.id, "USR1").returncode, 0, "status of kill")
    equal(container.wait(), 3, "status")
    equal(container.get("State"), "stopped", "state")
    env.raises("InvalidState", lambda: container.kill("TERM"))
    env.raises("InvalidState", lambda: container.exec(["true"]))
    equal(env.virtpod("delete", Shared.id).returncode, 0, "status of delete")
    env.raises("NotFound", lambda: env.manager.sandbox(Shared.id), Shared.id)


def start_run(env, script):
    """`virtpod run` of a shell script that says "up" when it is ready; returns id and process."""
    sid = env.new_id()
    process = subprocess.Popen(env.client("run", "--bundle", env.bundle(["sh", "-c", script]), sid),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=env.client_env())
    equal(process.stdout.readline(), b"up\n", "first line")
    return sid, process


def test_forwarded_term(env):
    """TERM to virtpod run goes to the container, whose status is virtpod's"""
    _sid, process = start_run(env, "trap 'exit 12' TERM; echo up; while :; do sleep 0.1; done")
    try:
        process.terminate()
        equal(process.wait(120), 12, "status")
    finally:
        process.kill()
        process.wait()


def test_kill_kill(env):
    """virtpod kill ID KILL ends a container that ignores TERM"""
    sid, process = start_run(env, "trap '' TERM; echo up; while :; do sleep 0.1; done")
    try:
        equal(env.virtpod("kill", sid).returncode, 0, "status of kill TERM")
        time.sleep(0.5)
        equal(process.poll(), None, "status after TERM")
        equal(env.virtpod("kill", sid, "KILL").returncode, 0, "status of kill KILL")
        equal(process.wait(120), 128 + signal.SIGKILL, "status")
    finally:
        process.kill()
        process.wait()


def test_nothing_left(env):
    """no sandbox, domain or mount is left"""
    equal(env.manager.sandboxes(), [], "sandboxes")
    tap.eventually(lambda: env.libvirt.domains() == [], "no domain left")


TESTS = [test_start, test_ping, test_domain_xml, test_objects, test_exec, test_exec_sees_container, test_exec_stdin,
         test_exec_options, test_exec_127, test_exec_126, test_exec_kill, test_exec_many, test_exec_fds,
         test_exec_gone_reader, test_tty, test_tty_resize, test_close_stdin, test_second_container,
         test_containers_apart, test_own_and_other, test_state, test_list, test_kill_handled,
         test_forwarded_term, test_kill_kill, test_nothing_left]

if __name__ == "__main__":
    ENV = Env(libvirt=os.environ.get("VIRTPOD_TEST_LIBVIRT", "embed"))
    ENV.require()
    tap.run(TESTS, ENV)
