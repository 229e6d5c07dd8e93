#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# alone: it times another sandbox's calls to 50 ms
"""Agents that are hostile on the channel: handshake, frames, envelopes, bytes out of nowhere."""

import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

from evil_agent import ACK, DATA, REQUEST, answer, field, frame, refusal, status, varint
from evil_case import END, MIB, behaviour, main, named, silent
from tap import check
from testdriver import Pending


# ---- the handshake -----------------------------------------------------------------------

def handshake(title, names, on_sync=None, on_connect=None):
    def play(t):
        t.create()
        t.agent.on_sync = on_sync
        t.agent.on_connect = on_connect
        if names == "ok":
            t.sandbox.start()
            t.ready()
        else:
            t.fails(names)
    named("handshake: " + title, play)


def first_part(agent, token):
    agent.send((ACK + token)[:-1])


def hang_up_and_count(agent):
    agent.hang_up()
    return True


handshake("connected and nothing is read", "TimedOut", on_connect=lambda a: True)
handshake("hangs up at once", "AgentUnavailable", on_connect=hang_up_and_count)
handshake("never answers", "TimedOut", silent)
handshake("somebody else's token", "TimedOut", lambda a, token: a.send(ACK + bytes(16)))
handshake("all but the last byte of the answer", "TimedOut", first_part)
handshake("the answer a byte a second", "TimedOut", lambda a, token: a.later(a.trickle, ACK + token, 1.0))
handshake("the answer in single bytes", "ok", lambda a, token: a.trickle(ACK + token, 0))
handshake("our own words back", "TimedOut", lambda a, token: a.send(b"\xffVPSYNC\x01" + token))
handshake("a flood of noise", "TimedOut", lambda a, token: a.later(a.flood, os.urandom(65536), 2))
handshake("a flood of wrong tokens", "TimedOut", lambda a, token: a.later(a.flood, (ACK + bytes(16)) * 4000, 2))
handshake("a flood of almost right tokens", "TimedOut",
          lambda a, token: a.later(a.flood, (ACK + token[:15] + bytes([token[15] ^ 1])) * 4000, 2))
handshake("8 MiB of noise, then the answer", "ok", lambda a, token: a.send(bytes(8 * MIB) + ACK + token))
handshake("the answer a thousand times", "AgentUnavailable", lambda a, token: a.send((ACK + token) * 1000))
handshake("a frame of 4 GiB right behind it", "AgentUnavailable",
          lambda a, token: a.send(ACK + token + frame(1, length=0xFFFFFFFF)))
handshake("half closed before the answer", "AgentUnavailable", lambda a, token: a.hang_up(socket.SHUT_WR))
handshake("half closed after the answer", "AgentUnavailable",
          lambda a, token: (a.ack(token), a.hang_up(socket.SHUT_WR)))


# ---- answers to the first call ----------------------------------------------------------------

def first_answer(title, names, make, pattern=None):
    """@make: stream -> what is sent instead of the answer to Check."""
    def play(t):
        t.create()
        t.agent.on["Check"] = lambda a, stream, r: a.send(make(stream))
        if names == "ok":
            t.sandbox.start()
            t.ready()
        else:
            t.fails(names, pattern)
    named("first answer: " + title, play)


def nested(depth):
    data = b""
    for _ in range(depth):
        data = field(9, data)
    return data


OK = field(1, 1)
first_answer("a frame of 4 GiB", "AgentUnavailable", lambda s: frame(s, length=0xFFFFFFFF), "violation")
first_answer("a frame one byte too long", "AgentUnavailable", lambda s: frame(s, length=4 * MIB + 1), "violation")
first_answer("4 MiB announced for two bytes", "AgentUnavailable", lambda s: frame(s, length=4 * MIB), "violation")
first_answer("a frame of type 0", "AgentUnavailable", lambda s: frame(s, kind=0), "violation")
first_answer("a frame of type 255", "AgentUnavailable", lambda s: frame(s, kind=255), "violation")
first_answer("a request instead", "AgentUnavailable", lambda s: frame(s, kind=REQUEST), "violation")
first_answer("data instead", "AgentUnavailable", lambda s: frame(s, b"x" * 100, kind=DATA), "violation")
first_answer("a header and nothing more", "TimedOut", lambda s: frame(s, length=100))
first_answer("half a header", "TimedOut", lambda s: frame(s)[:5])
first_answer("to stream 0", "TimedOut", lambda s: answer(0, OK))
first_answer("to stream 2^32-1", "TimedOut", lambda s: answer(0xFFFFFFFF, OK))
first_answer("to the stream before and after", "TimedOut", lambda s: answer(s + 2, OK) + answer(s + 1, OK))
first_answer("with flags nobody knows", "ok", lambda s: frame(s, field(2, OK), flags=0xFF))
first_answer("twice", "ok", lambda s: answer(s, OK) * 2)
first_answer("a thousand times", "AgentUnavailable", lambda s: answer(s, OK) * 1000)
first_answer("the last of 60 unasked ones of 1 MiB", "ok",
             lambda s: frame(8, bytes(MIB)) * 60 + answer(s, OK))
first_answer("100,000 empty frames", "AgentUnavailable", lambda s: frame(s + 2) * 100000)
first_answer("not protobuf", "AgentUnavailable", lambda s: frame(s, b"\xff" * 50))
first_answer("protobuf that ends early", "AgentUnavailable", lambda s: frame(s, field(2, OK)[:-1]))
first_answer("a number of 11 bytes", "AgentUnavailable", lambda s: frame(s, b"\x10" + b"\xff" * 10 + b"\x01"))
first_answer("field number 0", END, lambda s: frame(s, b"\0\0"))
first_answer("a group", "AgentUnavailable", lambda s: frame(s, b"\x1b\x1b\x1b"))
first_answer("a length of 2^64-1", "AgentUnavailable", lambda s: frame(s, b"\x12" + varint(-1)))
first_answer("a payload of another type", END, lambda s: answer(s, field(1, b"text")))
first_answer("10,000 levels of nesting", "ok", lambda s: answer(s, OK + nested(10000)))
first_answer("100,000 unknown fields outside", "AgentUnavailable", lambda s: frame(s, b"\x48\x01" * 100000))
first_answer("100,000 unknown fields inside", END, lambda s: answer(s, b"\x48\x01" * 100000))
first_answer("20,000 statuses", END, lambda s: frame(s, status(13, "x") * 20000))
first_answer("50,000 details of an error", END,
             lambda s: frame(s, field(1, field(1, 13) + field(3, field(1, "t")) * 50000)))
first_answer("it does not serve", "AgentFailed", lambda s: answer(s, field(1, 2)))
first_answer("it is not ready, always", "TimedOut", lambda s: refusal(s, 14, "soon"))
first_answer("an error that no list has", "AgentFailed", lambda s: refusal(s, 999, "what"), "what")
first_answer("a negative error", "AgentFailed", lambda s: refusal(s, -1, "what"))
first_answer("an error with 200 KiB of text", "AgentFailed", lambda s: refusal(s, 13, "long " * 40000), "long long")
first_answer("an error in bytes that are no UTF-8", "AgentFailed",
             lambda s: refusal(s, 13, b"\xc3\x28\xff\xfe\xed\xa0\x80"), r"\\xff")
first_answer("an error with escapes, lines and NUL", "AgentFailed",
             lambda s: refusal(s, 13, "a\x1b[2J\r\n\0<4>kernel: panic\x7f"), r"\\x1b")
first_answer("an error that is written backwards", "AgentFailed",
             lambda s: refusal(s, 13, "\u202eexe.txt\u200b\u2028"), r"202e")
first_answer("an error and a payload", "AgentFailed", lambda s: frame(s, status(13, "both") + field(2, OK)), "both")


# ---- the steps of a start -------------------------------------------------------------------------

def step(title, names, method, play_it, pattern=None):
    def play(t):
        t.create()
        t.agent.on[method] = play_it
        t.fails(names, pattern)
    named("%s: %s" % (method, title), play)


def ahead(agent, stream, _request):
    """Answers calls that will be made."""
    agent.send(answer(stream, OK) + b"".join(answer(stream + 2 * i) for i in range(1, 30)))


for METHOD in ("CreateSandbox", "CreateContainer"):
    step("never answered", "TimedOut", METHOD, silent)
    step("hangs up", "AgentUnavailable", METHOD, lambda a, s, r: a.hang_up())
    step("half an answer, then the end", "AgentUnavailable", METHOD,
         lambda a, s, r: (a.send(answer(s, bytes(100))[:50]), a.hang_up()))
    step("an answer a byte a second", ("TimedOut", "AgentUnavailable"), METHOD, lambda a, s, r: a.later(a.trickle, answer(s), 1.0))
    step("refused in 4,000 lines", "InvalidArgument", METHOD, lambda a, s, r: a.send(refusal(s, 3, "no\n" * 4000)))


@behaviour
def answers_before_it_is_asked(t):
    """CreateSandbox: answered before it is made, which fools nobody but the guest"""
    t.create()
    t.agent.on["Check"] = ahead
    t.agent.on["CreateSandbox"] = silent
    outcome = Pending(t.sandbox, "Start", "(a{sv})", {}).outcome()
    check((outcome, t.sandbox.get("State")) in (("ok", "ready"), ("TimedOut", "failed")), "outcome: " + outcome)


# ---- bytes out of nowhere, in a sandbox that runs -----------------------------------------------------

def unasked(title, ends, make):
    """@make: agent -> nothing. @ends: "lost" or "ready"."""
    def play(t):
        t.run()
        make(t.agent)
        if ends == "lost":
            t.lost()
        else:
            t.ready()
    named("running: " + title, play)


unasked("a frame of 4 GiB", "lost", lambda a: a.send(frame(1, length=0xFFFFFFFF)))
unasked("a request of the guest", "lost", lambda a: a.send(frame(1, kind=REQUEST)))
unasked("noise", "lost", lambda a: a.send(b"\xa5" * 100000))
unasked("a handshake nobody asked for", "lost", lambda a: a.send((ACK + bytes(16)) * 10))
unasked("60 answers nobody asked for", "ready", lambda a: a.send(answer(1, b"x" * 1000) * 60))
unasked("a flood of answers nobody asked for", "lost", lambda a: a.flood(answer(1) * 1000, 1))
unasked("hangs up", "lost", lambda a: a.hang_up())
unasked("half closed", "lost", lambda a: a.hang_up(socket.SHUT_WR))
unasked("a byte of a frame a second, and nothing else", "lost",
        lambda a: (a.on.update(Check=silent), a.later(a.trickle, frame(1, bytes(100))[:3], 0.5)))


@behaviour
def hangs(t):
    """running: says nothing any more"""
    t.run()
    t.agent.on = {method: silent for method in ("Check", "Version", "SignalProcess", "DestroySandbox")}
    t.raises(("TimedOut", "AgentUnavailable"), t.sandbox.ping)
    t.lost()


if __name__ == "__main__":
    main()
