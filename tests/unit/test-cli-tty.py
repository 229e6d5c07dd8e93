#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""virtpod on a terminal: raw mode and its end, window size, the status line."""

import errno
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cli_harness import TIMEOUT, VIRTPOD, Bus, contains, equal, main  # noqa: E402


class Terminal:
    """A program on a pseudo-terminal of its own."""

    def __init__(self, bus, *args, columns=80, rows=24):
        ready_read, ready_write = os.pipe()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.read(ready_read, 1)
                os.execve(VIRTPOD, [VIRTPOD, *args], bus.environment())
            finally:
                os._exit(99)
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.fd)
        os.write(ready_write, b"x")
        os.close(ready_write)
        os.close(ready_read)
        self.output = b""

    def resize(self, columns, rows):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def is_raw(self):
        return not termios.tcgetattr(self.fd)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

    def wait_raw(self):
        deadline = time.monotonic() + TIMEOUT
        while not self.is_raw():
            equal(time.monotonic() < deadline, True, "raw mode")
            time.sleep(0.02)

    def read(self, timeout):
        if not select.select([self.fd], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        self.output += data
        return bool(data)

    def expect(self, text):
        deadline = time.monotonic() + TIMEOUT
        while text not in self.output:
            equal(time.monotonic() < deadline, True, "waiting for %r in %r" % (text, self.output))
            self.read(0.2)

    def send(self, data):
        os.write(self.fd, data)

    def wait(self):
        """The exit status, after everything was read; the settings must be the first ones again."""
        after = None
        while self.read(TIMEOUT):
            pass
        try:
            after = termios.tcgetattr(self.fd)
        except termios.error:
            pass
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        if after is not None:
            equal(after, self.before, "terminal settings")
        return status


def test_raw_mode_and_echo():
    with Bus() as bus:
        terminal = Terminal(bus, "run", "tty-exit_6")
        terminal.wait_raw()
        terminal.send(b"h\x03i\r")
        terminal.expect(b"h\x03i\r")
        terminal.send(b"q")
        equal(terminal.wait(), 6)
        equal(terminal.output, b"h\x03i\rq", "each byte once")
        equal(bus.calls("Kill"), [], "^C is a byte here")


def test_window_size():
    with Bus() as bus:
        terminal = Terminal(bus, "run", "tty", columns=100, rows=30)
        bus.wait_for_call("Wait")
        equal(bus.calls("ResizeTty"), [[100, 30]])
        terminal.resize(132, 43)
        bus.wait_for_call("ResizeTty", 2)
        equal(bus.calls("ResizeTty")[1], [132, 43])
        terminal.send(b"q")
        equal(terminal.wait(), 0)


def test_terminal_comes_back_when_it_fails():
    with Bus() as bus:
        for ident, status in (("tty-start.CommandNotFound", 127), ("tty-wait.AgentFailed", 125)):
            terminal = Terminal(bus, "run", ident)
            equal(terminal.wait(), status)
            contains(terminal.output, b"told to fail")


def test_terminal_comes_back_after_a_signal():
    with Bus() as bus:
        for number, status in ((signal.SIGTERM, 143), (signal.SIGHUP, 129)):
            waits = len(bus.calls("Wait"))
            terminal = Terminal(bus, "run", "tty-wait")
            terminal.wait_raw()
            bus.wait_for_call("Wait", waits + 1)
            os.kill(terminal.pid, number)
            equal(terminal.wait(), status)


def test_terminal_comes_back_after_a_crash():
    with Bus() as bus:
        terminal = Terminal(bus, "run", "tty")
        terminal.wait_raw()
        os.kill(terminal.pid, signal.SIGSEGV)
        deadline = time.monotonic() + TIMEOUT
        while termios.tcgetattr(terminal.fd) != terminal.before:
            equal(time.monotonic() < deadline, True, "terminal settings after SIGSEGV")
            time.sleep(0.02)
        equal(os.waitstatus_to_exitcode(os.waitpid(terminal.pid, 0)[1]) < 0, True)
        os.close(terminal.fd)


def test_no_raw_mode_without_a_terminal_inside():
    with Bus() as bus:
        terminal = Terminal(bus, "run", "cat")
        bus.wait_for_call("Wait")
        equal(terminal.is_raw(), False)
        terminal.send(b"line\n")
        terminal.expect(b"line\r\nline\r\n")
        terminal.send(b"\x04")
        equal(terminal.wait(), 0)


def test_interrupt_key_without_a_terminal_inside():
    with Bus() as bus:
        terminal = Terminal(bus, "run", "wait")
        bus.wait_for_call("Wait")
        terminal.send(b"\x03")
        equal(terminal.wait(), 130)
        equal([call[0] for call in bus.calls("Kill")], ["INT"])


def test_exec_terminal():
    with Bus() as bus:
        bus.run("run", "--detach", "wait")
        terminal = Terminal(bus, "exec", "-it", "wait", "tty", "exit_3", columns=90, rows=20)
        terminal.wait_raw()
        bus.wait_for_call("ResizeTty")
        equal(bus.calls("ResizeTty"), [[90, 20]])
        terminal.send(b"abq")
        equal(terminal.wait(), 3)
        equal(terminal.output, b"abq")


def test_status_line():
    with Bus() as bus:
        terminal = Terminal(bus, "run", "delay-out")
        equal(terminal.wait(), 0)
        contains(terminal.output, b"starting virtual machine...\r\x1b[K")
        contains(terminal.output, b"to stdout\r\n")
        terminal = Terminal(bus, "run", "out")
        terminal.wait()
        equal(b"starting" in terminal.output, False, "a quick start says nothing")



def test_password():
    with Bus() as bus:
        terminal = Terminal(bus, "run", "out")
        equal(terminal.wait(), 0)
        calls = [call[0] for call in bus.calls() if call[0] != "may ask"]
        equal([name for name, in bus.calls("may ask")], calls, "calls that may ask")
        terminal = Terminal(bus, "--no-ask-password", "run", "out-2")
        equal(terminal.wait(), 0)
        equal(bus.run("run", "out-3").returncode, 0)
        equal(len(bus.calls("may ask")), len(calls), "calls that may ask")


def test_attach_and_detach():
    with Bus() as bus:
        equal(bus.run("run", "--detach", "tty-wait").returncode, 0)
        terminal = Terminal(bus, "attach", "tty-wait", columns=100, rows=40)
        terminal.expect(b"attached")
        terminal.wait_raw()
        bus.wait_for_call("ResizeTty")
        equal(bus.calls("ResizeTty"), [[100, 40]])
        terminal.send(b"echo\x10x")
        terminal.expect(b"echo\x10x")
        terminal.resize(90, 30)
        bus.wait_for_call("ResizeTty", 2)
        terminal.send(b"\x10")
        terminal.send(b"\x11")
        equal(terminal.wait(), 0)
        contains(terminal.output, b"detached; it goes on running")
        equal(bus.calls("Kill"), [])
        # and again, to the end
        terminal = Terminal(bus, "attach", "--detach-keys", "x", "tty-wait")
        terminal.expect(b"attached")
        terminal.wait_raw()
        terminal.send(b"\x10\x11q")
        equal(terminal.wait(), 5)


def test_attach_without_a_terminal():
    with Bus() as bus:
        equal(bus.run("run", "--detach", "wait").returncode, 0)
        done = bus.run("attach", "wait", stdin=b"some input\n\x10\x11")
        equal((done.returncode, done.stdout, done.stderr), (5, b"attached\nsome input\n\x10\x11", b""))
        equal(bus.calls("Attach"), [[{}]])
        equal(bus.run("run", "--detach", "wait-2").returncode, 0)
        child = bus.popen("attach", "--no-stdin", "wait-2", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        equal(child.stdout.readline(), b"attached\n")
        child.terminate()
        equal(child.wait(TIMEOUT), 143)
        equal((bus.calls("Attach")[-1], bus.calls("Kill")), ([{"stdin": False}], [["TERM", {}]]))
        child.stdout.close()


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
