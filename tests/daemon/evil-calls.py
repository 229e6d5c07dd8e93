#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# alone: it times another sandbox's calls to 50 ms
"""Agents that are hostile in what they answer: exits, output, statistics, archives, ends."""

import io
import os
import subprocess
import sys
import tarfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
from evil_agent import answer, field, fields, refusal
from evil_case import END, MIB, STOP_MS, Case, behaviour, clean, main, named, silent
from tap import Skip, check, equal, took
from testdriver import Pending, Signals, eventually


# ---- processes ----------------------------------------------------------------------------------------

def exits(title, status_wanted, make):
    """@make: (agent, stream of WaitProcess) -> what is sent."""
    def play(t):
        t.run()
        eventually(lambda: t.agent.waiting, "WaitProcess")
        wait = Pending(t.container, "Wait")
        stream = t.agent.waiting[0]
        t.agent.send(make(stream))
        t.agent.end_processes()
        equal(wait.result()[0], status_wanted, "status")
        equal(t.container.get("State"), "stopped", "container")
        t.ready()
    named("exit: " + title, play)


exits("while it runs", 0, answer)
exits("-1", 255, lambda s: answer(s, field(1, -1)))
exits("2^31-1", 255, lambda s: answer(s, field(1, 0x7FFFFFFF)))
exits("2^63", 0, lambda s: answer(s, field(1, 1 << 63)))
exits("twice, differently", 3, lambda s: answer(s, field(1, 3)) + answer(s, field(1, 4)))
exits("of calls that were never made", 137, lambda s: b"".join(answer(s + 100 + i, field(1, 9)) for i in range(50)))
exits("an error instead", 137, lambda s: refusal(s, 13, "I forgot"))
exits("of another type", 137, lambda s: answer(s, field(1, b"zero")))


def output(title, ends, play_it, attach=True):
    """What is sent for ReadStdout, read by somebody or by nobody."""
    def play(t):
        ours, theirs = os.pipe() if attach else (None, None)
        reader = subprocess.Popen(["cat"], stdin=ours, stdout=subprocess.DEVNULL) if attach else None
        t.create(stdout=theirs)
        held = []
        t.agent.on["ReadStdout"] = lambda *call: held.append(call)
        for fd in (ours, theirs):
            if fd is not None:
                os.close(fd)
        t.sandbox.start()
        t.container.start()
        try:
            eventually(lambda: held, "ReadStdout")
            t.agent.on["ReadStdout"] = play_it
            play_it(*held[0])
            if ends == "lost":
                t.lost()
            elif ends == "half":    # nothing else can be said before the rest
                time.sleep(1)
                equal(t.sandbox.get("State"), "ready", "state")
            else:
                time.sleep(1)
                t.ready()
        finally:
            if reader is not None:
                t.sandbox.delete(force=True)
                t.sandbox = None
                reader.wait(120)
    named("output: " + title, play)


def asked(request):
    return dict(fields(request.payload)).get(3, 0)


def chunk(agent, stream, request):
    agent.send(answer(stream, field(1, bytes(asked(request)))))


def drop(agent, stream, _request):
    agent.send(answer(stream, field(1, b"x")))


output("a flood", "ready", chunk)
output("a flood that nobody reads", "ready", chunk, attach=False)
output("a flood in single bytes", "ready", drop)
output("a byte more than was asked for", "lost",
       lambda a, s, r: a.send(answer(s, field(1, bytes(asked(r) + 1)))))
output("4 MiB where 256 KiB were asked for", "lost",
       lambda a, s, r: a.send(answer(s, field(1, bytes(4 * MIB - 100)))))
output("a byte a second of a long answer", "half",
       lambda a, s, r: a.later(a.trickle, answer(s, field(1, bytes(100)))[:12], 0.3))
output("the end, again and again", "ready", lambda a, s, r: a.send(answer(s) * 20))
output("an error of 200 KiB", "ready", lambda a, s, r: a.send(refusal(s, 13, "\x1b[1m" * 50000)))


def written(title, ends, taken):
    """What WriteStdin says it took. @taken: length -> number."""
    def play(t):
        theirs, ours = os.pipe()
        t.create(stdin=theirs)
        os.close(theirs)
        t.agent.on["WriteStdin"] = lambda a, s, r: a.send(answer(s, field(1, taken(len(dict(fields(r.payload)).get(3, b""))))))
        try:
            t.sandbox.start()
            t.container.start()
            os.write(ours, b"x" * 60000)
            if ends == "lost":
                t.lost()
            else:
                time.sleep(1)
                check(t.agent.calls.count("WriteStdin") < 200, "%d writes" % t.agent.calls.count("WriteStdin"))
                t.ready()
        finally:
            os.close(ours)
    named("input: " + title, play)


written("takes nothing, for ever", "ready", lambda n: 0)
written("takes more than there was", "lost", lambda n: 100000)
written("takes 2^32-1", "lost", lambda n: 0xFFFFFFFF)


# ---- calls -----------------------------------------------------------------------------------------------

def call(title, method, names, make, calling, pattern=None):
    """@make: stream -> what is sent to @method; @calling: case -> the call."""
    def play(t):
        t.run()
        t.agent.on[method] = lambda a, s, r: a.send(make(s))
        if names == "ok":
            calling(t)
        else:
            t.raises(names, lambda: calling(t), pattern)
        if names == "AgentUnavailable":
            t.lost()
        else:
            t.ready()
    named("%s: %s" % (method, title), play)


def details(t):
    values = t.sandbox.call("GetGuestDetails")
    check(len(repr(values)) < 64 << 10, "%d characters of details" % len(repr(values)))
    for value in values.values():
        for text in value if isinstance(value, list) else [value]:
            check(str(text).isprintable(), "details: %r" % text)


def kill(t):
    t.container.kill("TERM")


def agent_details(data):
    return lambda s: answer(s, field(2, data))


call("200 KiB of version", "Version", "ok", lambda s: answer(s, field(2, "v" * 200000)),
     lambda t: check(len(t.sandbox.ping()) < 100, "version"))
call("escapes in the version", "Version", "ok", lambda s: answer(s, field(2, b"\x1b]0;x\x07\xff\n")),
     lambda t: clean(t.sandbox.ping()))
call("a quarter of a MiB more than there can be", "Version", "AgentUnavailable",
     lambda s: answer(s, bytes(512 << 10)), lambda t: t.sandbox.ping())
call("the answer to another call", "Version", END, lambda s: answer(s, field(1, 1) + field(2, 7)),
     lambda t: t.sandbox.ping())
call("100,000 handlers", "GetGuestDetails", END, agent_details(field(3, "") * 100000), details)
call("1,000 handlers", "GetGuestDetails", "ok", agent_details(field(4, "h" * 100) * 1000), details)
call("escapes in handlers", "GetGuestDetails", "ok", agent_details(field(4, b"\x1b[31m\n\x00\xff") * 3), details)
call("memory blocks of 2^64-1", "GetGuestDetails", "ok", lambda s: answer(s, field(1, -1)), details)
call("never answered", "SignalProcess", "TimedOut", lambda s: b"", kill)
call("4 MiB of answer", "SignalProcess", "AgentUnavailable", lambda s: answer(s, bytes(4 * MIB - 100)), kill)
call("success that is none", "SignalProcess", "ok", answer, kill)


def number_of(result, most):
    check(len(result) <= most, "%d of them" % len(result))


def metrics(t):
    text = t.sandbox.call("GetMetrics")
    check(len(text) < 1 << 20, "%d characters" % len(text))


def stats(t):
    values = t.container.call("GetStats")
    check(len(repr(values)) < 1 << 20, "%d characters" % len(repr(values)))
    for row in values.get("network", []):
        check(row["name"].isprintable() and len(row["name"]) <= 70, "name %r" % row["name"])


def pids(t):
    return t.container.call("ListPids")


NETWORK = field(1, "eth0") + field(2, 1)
HUGE = (1 << 64) - 1
call("100,000 interfaces", "StatsContainer", END, lambda s: answer(s, field(2, b"") * 100000), stats)
call("1,000 interfaces", "StatsContainer", "ok", lambda s: answer(s, field(2, NETWORK) * 1000), stats)
call("escapes in an interface", "StatsContainer", "ok",
     lambda s: answer(s, field(2, field(1, b"\x1b[2J\n\xff" * 50) + field(2, -1))), stats)
call("numbers of 2^64-1", "StatsContainer", "ok",
     lambda s: answer(s, field(1, field(1, field(1, field(1, HUGE) + field(3, HUGE)))
                              + field(2, field(1, HUGE) + field(2, field(1, HUGE) + field(4, HUGE))))), stats)
call("the same group 10,000 times", "StatsContainer", END,
     lambda s: answer(s, field(1, field(2, field(6, field(1, "k") + field(2, 1)))) * 10000), stats)
call("4 MiB", "StatsContainer", "AgentUnavailable", lambda s: answer(s, bytes(4 * MIB - 100)), stats)
call("400 KiB", "GetMetrics", "ok", lambda s: answer(s, field(1, "metric 1\n" * 45000)), metrics)
call("a MiB", "GetMetrics", "AgentUnavailable", lambda s: answer(s, field(1, bytes(MIB))), metrics)
call("no UTF-8", "GetMetrics", "ok", lambda s: answer(s, field(1, b"\xff\xfe\xc3\x28" * 1000)), metrics)
call("100,000 processes", "GetDiagnosticData", END, lambda s: answer(s, field(1, "1\n" * 100000)), pids)
call("30,000 processes", "GetDiagnosticData", "ok", lambda s: answer(s, field(1, "7\n" * 30000)),
     lambda t: number_of(pids(t), 30000))
call("process 2^64", "GetDiagnosticData", END, lambda s: answer(s, field(1, "18446744073709551616")), pids)
call("process -1", "GetDiagnosticData", END, lambda s: answer(s, field(1, "-1\n")), pids)
call("a text that is no list", "GetDiagnosticData", END, lambda s: answer(s, field(1, "\x1b[31m; rm -rf /")), pids)


def ooms(title, cid, most):
    """@cid: case -> whom the guest names, as fast as it is asked."""
    def play(t):
        signals = Signals(t.env.address)
        t.create()
        t.agent.on["GetOOMEvent"] = lambda a, s, r: a.send(answer(s, field(1, cid(t))) * 2)
        t.sandbox.start()
        t.container.start()
        time.sleep(2)
        check(t.agent.calls.count("GetOOMEvent") < 40, "asked %d times" % t.agent.calls.count("GetOOMEvent"))
        check(len(signals.named("OOM")) <= most, "%d signals" % len(signals.named("OOM")))
        signals.close()
        t.sandbox.ping()
    named("out of memory: " + title, play)


ooms("all the time", lambda t: t.container.get("Id"), 12)
ooms("containers it does not have", lambda t: "\x1b[31mnone" * 100, 0)
ooms("a container of another sandbox", lambda t: "neighbour", 0)


def run_exec(t):
    return t.container.exec(["true"])


call("never answered", "ExecProcess", "TimedOut", lambda s: b"", run_exec)
call("refused in escapes", "ExecProcess", END, lambda s: refusal(s, 13, "\x1b[2J" * 100), run_exec)
call("answered for the next one as well", "ExecProcess", "ok",
     lambda s: answer(s) + answer(s + 2, field(1, 5)) + answer(s + 4), run_exec)


# ---- archives ----------------------------------------------------------------------------------------


def member(name, data=b"", kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.mode = kind, link, len(data), 0o4777
    return info, data


def archive(*members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def copies(title, data, look=None):
    """`virtpod cp` of what the guest calls an archive: nothing comes to be outside the target."""
    def play(t):
        if "cp" not in t.env.virtpod("--help").stdout.decode().split():
            raise Skip("virtpod has no cp")
        t.run()
        left = {"data": data}

        def read(agent, stream, request):
            n = asked(request)
            piece, left["data"] = left["data"][:n], left["data"][n:]
            agent.send(answer(stream, field(1, piece) if piece else b""))

        def wait(agent, stream, _request):
            agent.send(answer(stream))

        t.agent.on.update(ReadStdout=read, WaitProcess=wait)
        place = t.env.path("cp-%s" % t.sandbox.get("Id"))
        os.makedirs(os.path.join(place, "target"))
        with open(os.path.join(place, "victim"), "w", encoding="ascii") as f:
            f.write("as it was")
        before = set(os.listdir(t.env.dir))
        t.env.virtpod("cp", "%s:/x" % t.container.get("Id"), os.path.join(place, "target"), timeout=20)
        equal(sorted(os.listdir(place)), ["target", "victim"], "beside the target")
        equal(set(os.listdir(t.env.dir)), before, "above the target")
        with open(os.path.join(place, "victim"), encoding="ascii") as f:
            equal(f.read(), "as it was", "victim")
        check(not os.path.exists("/evil-was-here"), "at the root")
        if look is not None:
            look(t, place)
        t.agent.on.clear()
    named("archive: " + title, play)


def honest_copy(_t, place):
    with open(os.path.join(place, "target/x"), "rb") as f:
        equal(f.read(), b"fine", "what was copied")


DIR, LINK, HARD = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
copies("an honest one", archive(member("x", b"fine")), honest_copy)
copies("names that lead up", archive(member("x", kind=DIR), member("x/../../victim", b"evil"),
                                     member("../victim", b"evil"), member("../../../../evil-was-here", b"evil")))
copies("names that begin at the root", archive(member("/evil-was-here", b"evil")))
copies("a link up, then through it", archive(member("x", kind=DIR), member("x/up", kind=LINK, link="../.."),
                                             member("x/up/victim", b"evil")))
copies("a link to the root, then through it", archive(member("x", kind=LINK, link="/"),
                                                      member("x/evil-was-here", b"evil")))
copies("a second name of a file outside", archive(member("x", kind=HARD, link="../victim"), member("x", b"evil")))
copies("a directory that becomes a link", archive(member("x", kind=DIR), member("x", kind=LINK, link=".."),
                                                  member("x/victim", b"evil")))
copies("a device and a pipe", archive(member("x", kind=tarfile.CHRTYPE), member("p", kind=tarfile.FIFOTYPE)))
copies("noise", os.urandom(100000))
copies("the first half of one", archive(member("x", bytes(100000)))[:50000])


@behaviour
def late_answers(t):
    """late: answers that come after their calls were given up, large ones too"""
    t.run()
    t.agent.on["Version"] = silent
    for size in (0, 100, 4 * MIB - 100):
        t.raises("TimedOut", t.sandbox.ping)
        t.agent.send(answer(t.agent.streams["Version"], bytes(size)))
    t.ready()


@behaviour
def takes_nothing(t):
    """full: takes nothing while calls are made"""
    t.run()
    t.agent.reads = False
    spec = t.env.bundle(["true"] + ["x" * 100000] * 2)
    calls = [Pending(t.sandbox, "CreateContainer", "(ssa{sv})", "full%d" % i, spec, {}) for i in range(6)]
    outcomes = {pending.outcome() for pending in calls}
    check(outcomes <= {"TimedOut", "ResourceExhausted", "AgentUnavailable", "Cancelled"}, "outcomes: %r" % outcomes)
    t.lost()


@behaviour
def many_calls(t):
    """full: 1,200 calls that are never answered"""
    t.run()
    t.agent.on["Version"] = silent
    calls = []
    for _ in range(12):    # a connection may wait for 128 replies
        sandbox = bus.Sandbox(bus.connect(t.env.address), t.sandbox.path)
        calls += [Pending(sandbox, "Ping") for _ in range(100)]
    outcomes = [pending.outcome() for pending in calls]
    equal(set(outcomes), {"TimedOut", "ResourceExhausted"}, "outcomes")
    check(outcomes.count("ResourceExhausted") > 100, "%d refused" % outcomes.count("ResourceExhausted"))


def stops(title, method, play_it):
    def play(t):
        t.run()
        t.agent.on[method] = play_it
        began = time.monotonic()
        t.sandbox.stop()
        took(began, STOP_MS / 1000 + 1, "Stop")
        check(t.sandbox.get("State") in ("stopped", "lost"), "state")
    named("stop: " + title, play)


stops("the end is never answered", "DestroySandbox", silent)
stops("kills are never answered", "SignalProcess", silent)
stops("the end is answered with noise", "DestroySandbox", lambda a, s, r: a.send(b"\xff" * 4096))
stops("the end is refused", "DestroySandbox", lambda a, s, r: a.send(refusal(s, 7, "no")))
stops("the end is answered a byte a second", "DestroySandbox", lambda a, s, r: a.later(a.trickle, answer(s), 1))
stops("processes do not end", "SignalProcess", lambda a, s, r: a.send(answer(s)))


@behaviour
def storm(t):
    """storm: 20 sandboxes whose agents hang up at the same moment"""
    cases = [Case(t.env).run() for _ in range(20)]
    for other in cases:
        other.agent.hang_up()
    for other in cases:
        other.lost()
        other.end()


if __name__ == "__main__":
    main()
