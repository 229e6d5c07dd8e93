# SPDX-License-Identifier: LGPL-2.1-or-later
"""A sandbox with two containers as a small sequential machine, and whether a
history of overlapping calls can be told as a run of it.

A call takes effect somewhere between its beginning and its reply; a long one
(Start, Stop, ...) in two points there: where it enters a state that others see, and
where it leaves it. What happens by itself, such as the end of a process that was
killed, may happen at any moment after its cause. A history is right when there is
an order of all these points, within the calls, by which every call got the answer
that the machine gives at its points.

Nothing here is taken from the daemon's code: docs/states.md says what this says.
"""

import collections

ENDED = ("stopped", "failed", "lost")
UP = ("ready", "paused")
IN_GUEST = ("created", "running", "paused")
# the object, or what is named, is not there
ABSENT = ("NotFound", "org.freedesktop.DBus.Error.UnknownMethod", "org.freedesktop.DBus.Error.UnknownObject",
          "org.freedesktop.DBus.Error.UnknownInterface", "org.freedesktop.DBus.Error.InvalidArgs")
# the guest did not do what it was asked
GUEST = ("AgentFailed", "AgentUnavailable", "TimedOut", "Cancelled")
FAILED_START = GUEST + ("HypervisorFailed",)

# instance: how many sandboxes of this id there have been; cancel: the start was
# given up; hung: the agent has gone; killed: "o" and "b" of containers that were told to end
State = collections.namedtuple("State", "instance sandbox own b cancel hung killed")
NOTHING = State(0, "-", "-", "-", False, False, "")

# called, replied: moments of one clock; result: "ok", a value or an error's name
Call = collections.namedtuple("Call", "client name target called replied result")


def lose(state):
    """Every container of @state that exists has ended."""
    return state._replace(own="stopped" if state.own != "-" else "-", b="stopped" if state.b != "-" else "-")


def gone(state):
    return state._replace(sandbox="-", own="-", b="-", cancel=False, hung=False, killed="")


def of(state, target):
    return state.own if target == "o" else state.b


def put(state, target, value):
    return state._replace(own=value) if target == "o" else state._replace(b=value)


def by_itself(state):
    """States that may follow without a call."""
    if state.sandbox == "stopping":
        yield lose(state)._replace(sandbox="stopped")
        if state.hung:
            yield lose(state)._replace(sandbox="lost")
        for target in "ob":
            if of(state, target) not in ("-", "stopped"):
                yield put(state, target, "stopped")
    if state.hung:    # nobody is left who could say how a process ends
        for target in "ob":
            if of(state, target) in ("running", "paused"):
                yield put(state, target, "stopped")
    if state.sandbox in UP and (state.cancel or state.hung):
        yield state._replace(sandbox="stopping")
    if state.sandbox == "starting":    # the last step of a start
        for target in "ob":
            if of(state, target) == "creating":
                yield put(state, target, "created")
    for target in state.killed:
        if of(state, target) in IN_GUEST:
            yield put(state, target, "stopped")


class Machine:
    """The rules. @overlapping (call, names) tells whether another call of one of these
    names (and the same target) was under way at some time of @call; @faulty: the
    guest was told to fail."""

    def __init__(self, faulty, overlapping):
        self.faulty = faulty
        self.overlapping = overlapping

    def steps(self, call, phase, state):
        """(new phase, state) that may follow by one point of @call. Phase 0: not begun;
        -1: over; else the instance it began in, plus 1."""
        yield from getattr(self, call.name)(call, phase, state)

    def guest_may_fail(self, state):
        return self.faulty or state.hung or state.cancel or state.sandbox != "ready"

    # ---- the sandbox ----

    def create(self, call, phase, state):
        if call.result == "ok" and state.sandbox == "-":
            yield -1, State(state.instance + 1, "created", "creating", "-", False, False, "")
        if call.result == "AlreadyExists" and (state.sandbox != "-" or self.overlapping(call, ("create",))):
            yield -1, state

    def start(self, call, phase, state):
        if phase > 0:
            if phase - 1 != state.instance or state.sandbox != "starting":
                return
            if call.result == "ok":
                ready = state._replace(sandbox="ready")
                for target in "ob":
                    if of(ready, target) == "creating":
                        ready = put(ready, target, "created")
                yield -1, ready
            elif self.faulty or state.hung or state.cancel:
                yield -1, lose(state)._replace(sandbox="failed")
        elif call.result == "InvalidState":
            if state.sandbox not in ("-", "created"):
                yield -1, state
        elif call.result in ABSENT and state.sandbox == "-":
            yield -1, state
        elif (call.result == "ok" or call.result in FAILED_START) and state.sandbox == "created":
            if call.result != "Cancelled" or self.overlapping(call, ("stop", "stop_force", "delete_force")):
                yield state.instance + 1, state._replace(sandbox="starting")

    def stop(self, call, phase, state):
        if phase > 0:
            if phase - 1 != state.instance or state.sandbox in ENDED or state.sandbox == "-":
                yield -1, state
        elif call.result == "ok":
            if state.sandbox == "created":
                yield -1, lose(state)._replace(sandbox="stopped")
            elif state.sandbox in ENDED:
                yield -1, state
            elif state.sandbox in UP:
                yield state.instance + 1, state._replace(sandbox="stopping")
            elif state.sandbox == "starting":
                yield state.instance + 1, state._replace(cancel=True)
            elif state.sandbox == "stopping":
                yield state.instance + 1, state
        elif call.result in ABSENT and state.sandbox == "-":
            yield -1, state

    stop_force = stop

    def delete(self, call, phase, state):
        if call.result == "ok" and state.sandbox in ("created",) + ENDED:
            yield -1, gone(state)
        elif call.result == "InvalidState" and state.sandbox in ("starting", "stopping") + UP:
            yield -1, state
        elif call.result in ABSENT and state.sandbox == "-":
            yield -1, state

    def delete_force(self, call, phase, state):
        if phase > 0:
            mine = phase - 1 == state.instance and state.sandbox != "-"
            if call.result == "ok" and mine and state.sandbox in ENDED:
                yield -1, gone(state)
            elif call.result in ABSENT and not mine:
                yield -1, state
        elif call.result in ABSENT and state.sandbox == "-":
            yield -1, state
        elif state.sandbox in ("created",) + ENDED:
            if call.result == "ok":
                yield -1, gone(state)
        elif state.sandbox in UP:
            yield state.instance + 1, state._replace(sandbox="stopping")
        elif state.sandbox == "starting":
            yield state.instance + 1, state._replace(cancel=True)
        elif state.sandbox == "stopping":
            yield state.instance + 1, state

    def pause(self, call, phase, state):
        yield from self.change(call, state, "ready", "paused")

    def resume(self, call, phase, state):
        yield from self.change(call, state, "paused", "ready")

    def change(self, call, state, before, after):
        if call.result == "ok":
            if state.sandbox == before:
                yield -1, state._replace(sandbox=after)
        elif call.result in ABSENT and state.sandbox == "-":
            yield -1, state
        elif state.sandbox != "-" and call.result in ("InvalidState", "NotFound", "HypervisorFailed"):
            # another change is under way, or the machine is on its way out
            if state.sandbox != before or state.hung or self.overlapping(call, ("pause", "resume")):
                yield -1, state

    def state(self, call, phase, state):
        seen = state.sandbox if call.target == "s" else of(state, call.target)
        if call.result == "ok:" + seen or (call.result in ABSENT and seen == "-"):
            yield -1, state

    def list(self, call, phase, state):
        seen = "".join(target for target in "ob" if of(state, target) != "-")
        if call.result == "ok:" + seen or (call.result in ABSENT and state.sandbox == "-"):
            yield -1, state

    def look(self, call, phase, state):
        """Whether the manager finds a container."""
        if (call.result == "ok") == (of(state, call.target) != "-") and call.result in ("ok",) + ABSENT:
            yield -1, state

    def hang_up(self, call, phase, state):
        if state.sandbox in ("starting", "stopping") + UP:
            yield -1, state._replace(hung=True)
        # it was not there yet, or only its directory was
        yield -1, state

    # ---- containers ----

    def add(self, call, phase, state):
        if phase > 0:
            mine = phase - 1 == state.instance
            if call.result == "ok":
                if mine and state.b == "creating" and state.sandbox in UP:
                    yield -1, state._replace(b="created")
            elif not mine or state.sandbox == "-":
                yield -1, state
            elif call.result in ABSENT:    # it was made, and deleted before the reply
                if state.b == "creating" and state.sandbox in UP:
                    yield phase, state._replace(b="created")
                if state.b == "-":
                    yield -1, state
            elif self.guest_may_fail(state):
                yield -1, state._replace(b="-", killed=state.killed.replace("b", ""))
        elif call.result == "AlreadyExists":
            if state.b != "-" or self.overlapping(call, ("add",)):
                yield -1, state
        elif call.result in ABSENT and state.sandbox == "-":
            yield -1, state
        elif call.result == "InvalidState" and state.sandbox not in ("-", "created", "ready"):
            yield -1, state
        elif state.b == "-" and state.sandbox == "created" and call.result == "ok":
            yield -1, state._replace(b="creating")
        elif state.b == "-" and state.sandbox == "created" and call.result in ABSENT:
            yield state.instance + 1, state._replace(b="creating")
        elif state.b == "-" and state.sandbox == "ready" and call.result in ("ok", "InvalidState") + GUEST + ABSENT:
            yield state.instance + 1, state._replace(b="creating")

    def run(self, call, phase, state):
        now = of(state, call.target)
        if call.result == "ok":
            if now == "created" and self.may_ask(call, state):
                yield -1, put(state, call.target, "running")
        elif call.result in ABSENT:
            if now == "-" or call.target in state.killed:
                yield -1, state
        elif now == "-":
            return
        elif call.result == "InvalidState":
            if now != "created" or state.sandbox != "ready" or call.target in state.killed or \
               self.overlapping(call, ("run",)):
                yield -1, state
        elif call.result in GUEST and (self.guest_may_fail(state) or call.target in state.killed):
            yield -1, state

    def kill(self, call, phase, state):
        now = of(state, call.target)
        removing = call.target in state.killed
        if call.result == "ok":
            if now in IN_GUEST or (now == "stopped" and removing):
                yield -1, self.killed(call, state)
        elif call.result in ABSENT:
            if now == "-" or removing:
                yield -1, state
        elif call.result == "InvalidState":
            if now in ("creating", "stopped") or (now != "-" and (removing or state.sandbox not in ("ready", "stopping"))):
                yield -1, state
        elif call.result in GUEST and now != "-" and (self.guest_may_fail(state) or removing):
            # it may have been delivered all the same
            yield -1, state
            yield -1, self.killed(call, state)

    @staticmethod
    def killed(call, state):
        return state if call.target in state.killed else state._replace(
            killed="".join(sorted(state.killed + call.target)))

    def may_ask(self, call, state):
        """Also of a machine that was paused after the question."""
        return state.sandbox == "ready" or (state.sandbox == "paused" and self.overlapping(call, ("pause",)))

    def freeze(self, call, phase, state):
        yield from self.change_container(call, state, "running", "paused")

    def thaw(self, call, phase, state):
        yield from self.change_container(call, state, "paused", "running")

    def change_container(self, call, state, before, after):
        now = of(state, call.target)
        killed = call.target in state.killed
        if call.result == "ok":
            if now == before and self.may_ask(call, state):
                yield -1, put(state, call.target, after)
        elif call.result in ABSENT:
            if now == "-" or killed:
                yield -1, state
        elif now == "-":
            return
        elif call.result == "InvalidState":
            if now != before or state.sandbox != "ready" or killed or self.overlapping(call, ("freeze", "thaw")):
                yield -1, state
        elif call.result in GUEST and (self.guest_may_fail(state) or killed):
            yield -1, state

    def exec(self, call, phase, state):
        now = of(state, call.target)
        may_run = now in ("created", "running") and state.sandbox == "ready"
        if call.result == "ok":
            if may_run:
                yield -1, state
        elif call.result in ABSENT:
            if now == "-" or call.target in state.killed:
                yield -1, state
        elif call.result == "InvalidState":
            if now not in ("-", "running") or (now != "-" and (state.sandbox != "ready" or call.target in state.killed)):
                yield -1, state
        elif call.result in GUEST and now != "-" and (self.guest_may_fail(state) or call.target in state.killed):
            yield -1, state

    def remove(self, call, phase, state):
        """Delete of the second container, by force."""
        if phase > 0:
            mine = phase - 1 == state.instance and state.b != "-"
            if mine and call.result == "ok":
                yield -1, state._replace(b="-", killed=state.killed.replace("b", ""))
            elif not mine and (call.result in ABSENT or call.result == "ok"):
                yield -1, state
            elif call.result == "InvalidState" and self.overlapping(call, ("remove", "add")):
                yield -1, state
        elif call.result in ABSENT:
            if state.b == "-":
                yield -1, state
        elif state.b == "-":
            return
        elif call.result == "InvalidState":
            if state.sandbox == "starting" or self.overlapping(call, ("remove", "add")):
                yield -1, state
        elif call.result == "ok":
            yield state.instance + 1, self.killed(call, state)

    def wait(self, call, phase, state):
        now = of(state, call.target)
        if call.result in ABSENT:
            if now == "-":
                yield -1, state
        elif call.result == "ok:137":
            if phase == 0 and now != "-":
                yield state.instance + 1, state
            elif phase > 0 and (now in ("-", "stopped") or phase - 1 != state.instance):
                yield -1, state
        elif call.result == "InvalidState":    # it was deleted before it ran
            if phase == 0 and now in ("creating", "created", "stopped"):
                yield state.instance + 1, state
            elif phase > 0 and (now in ("-", "stopped") or phase - 1 != state.instance):
                yield -1, state


class Undecided(Exception):
    """The search was given up."""


def overlaps(calls):
    def overlapping(call, names):
        return any(other is not call and other.name in names
                   and (other.target == call.target or "s" in (other.target, call.target))
                   and other.called < call.replied and call.called < other.replied for other in calls)
    return overlapping


def explain(calls, faulty, start=NOTHING, limit=400000):
    """None when the history is a run of the machine, else how far the best attempt
    came: (calls that got their answer, the state, calls that could not)."""
    machine = Machine(faulty, overlaps(calls))
    seen = set()
    best = (-1, start, ())
    todo = [((0,) * len(calls), start)]
    while todo:
        phases, state = todo.pop()
        if (phases, state) in seen:
            continue
        seen.add((phases, state))
        if len(seen) > limit:
            raise Undecided
        open_calls = [i for i, phase in enumerate(phases) if phase != -1]
        if not open_calls:
            return None
        # nothing may take effect before what was answered before it was called
        first_reply = min(calls[i].replied for i in open_calls)
        under_way = [i for i in open_calls if calls[i].called < first_reply]
        if len(calls) - len(open_calls) > best[0]:
            best = (len(calls) - len(open_calls), state, tuple(calls[i] for i in under_way))
        for following in by_itself(state):
            todo.append((phases, following))
        for i in under_way:
            for phase, following in machine.steps(calls[i], phases[i], state):
                todo.append((phases[:i] + (phase,) + phases[i + 1:], following))
    return best
