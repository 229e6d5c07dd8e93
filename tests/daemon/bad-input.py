#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bad input: the right error, a message that says what, nothing left behind."""

import json
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bundle
import tap
from env import Env
from tap import check, equal


def refuse(env, name, pattern, path, sid=None, **options):
    """CreateSandbox fails with @name, a message like @pattern, and leaves nothing."""
    error = env.raises(name, lambda: env.manager.create_sandbox(sid or env.new_id("bad"), path, **options), pattern)
    check(len(error.text) < 1000, "message of %d characters" % len(error.text))
    equal(env.manager.sandboxes(), [], "sandboxes")
    env.no_leaks()


def document(**changes):
    """A good config.json with top-level members replaced; None removes one."""
    result = bundle.spec(["true"])
    for key, value in changes.items():
        if value is None:
            del result[key]
        else:
            result[key] = value
    return result


def process(**changes):
    return document(process=dict(bundle.spec(["true"])["process"], **changes))


def refuse_config(env, config, pattern, name="InvalidArgument"):
    refuse(env, name, pattern, env.bundles.make(document=config))


def test_good(env):
    """a good bundle is taken, so that the others fail for their own reason"""
    sandbox = env.manager.create_sandbox("good", env.bundle(["true"]))
    equal(sandbox.get("State"), "created", "state")
    env.raises("InvalidState", sandbox.ping)
    sandbox.delete()


# ---- the bundle -----------------------------------------------------------------

def test_no_bundle(env):
    """a bundle that does not exist"""
    refuse(env, "NotFound", "no-such-bundle", env.path("no-such-bundle"))


def test_relative_bundle(env):
    """a bundle path that is not absolute"""
    refuse(env, "InvalidArgument", "absolute", "bundle")
    refuse(env, "InvalidArgument", "", "")


def test_bundle_is_file(env):
    """a bundle that is a file"""
    refuse(env, ("InvalidArgument", "NotFound"), "bus.conf", env.path("bus.conf"))


def test_no_config(env):
    """a bundle without config.json"""
    path = env.bundle()
    os.unlink(os.path.join(path, "config.json"))
    refuse(env, "NotFound", "config.json", path)


def test_unreadable_config(env):
    """config.json that is a directory, a FIFO, a socket or a link to nowhere does not hang"""
    path = env.bundle()
    config = os.path.join(path, "config.json")
    wanted = ("InvalidArgument", "NotFound", "NotAuthorized", "NotSupported", "Failed")
    os.unlink(config)
    os.mkdir(config)
    refuse(env, wanted, "config.json", path)
    os.rmdir(config)
    os.mkfifo(config)
    refuse(env, wanted, "config.json", path)
    os.unlink(config)
    os.symlink("/nowhere", config)
    refuse(env, wanted, "config.json", path)
    os.unlink(config)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(config)
        refuse(env, wanted, "config.json", path)


def test_config_link_out(env):
    """config.json that is a link out of the bundle"""
    path = env.bundle()
    config = os.path.join(path, "config.json")
    os.rename(config, env.path("outside.json"))
    os.symlink(env.path("outside.json"), config)
    refuse(env, ("InvalidArgument", "NotFound"), "config.json", path)


# ---- the text of config.json -----------------------------------------------------

def test_not_json(env):
    """config.json that is not JSON"""
    for text in ("", "{", "hello", "{'a': 1}", '{"a": 1,}', '{"a": 1} x', "[]", "null", '{"a": 01}', "{\"a\": \"\t\"}"):
        refuse_config(env, text, "config.json")


def test_bad_text(env):
    """config.json with a byte order mark, bad UTF-8, NUL bytes or an escaped NUL"""
    good = json.dumps(document())
    refuse_config(env, b"\xef\xbb\xbf" + good.encode(), "config.json")
    refuse_config(env, good.replace("guest", "gu\xffst").encode("latin-1"), "config.json")
    refuse_config(env, good.encode() + b"\0", "config.json")
    refuse_config(env, good.replace("guest", "gu" + "\\" + "u0000st"), "config.json")


def test_too_deep(env):
    """config.json with more than 64 levels"""
    refuse_config(env, json.dumps(document())[:-1] + ', "x": ' + "[" * 64 + "]" * 64 + "}", "config.json.*(deep|level|nest)")
    refuse_config(env, "[" * 200000, "config.json")


def test_too_large(env):
    """config.json of more than 4 MiB"""
    refuse_config(env, json.dumps(document(annotations={"a": "x" * (4 << 20)})), "config.json.*(large|big|bytes|MiB|size)")


def test_duplicate_key(env):
    """config.json with a key twice"""
    text = json.dumps(document())
    refuse_config(env, text[:-1] + ', "hostname": "other"}', "hostname")
    refuse_config(env, text.replace('"cwd": "/"', '"cwd": "/", "cwd": "/tmp"'), "cwd")


# ---- its contents ------------------------------------------------------------------

def test_wrong_types(env):
    """members of a wrong type; the message has the JSON path"""
    refuse_config(env, document(process=[]), "process")
    refuse_config(env, document(root="rootfs"), "root")
    refuse_config(env, document(hostname=7), "hostname")
    refuse_config(env, document(mounts={}), "mounts")
    refuse_config(env, document(ociVersion=1), "ociVersion")
    refuse_config(env, document(annotations={"a": 1}), "annotations")
    refuse_config(env, process(args="true"), "process.args")
    refuse_config(env, process(args=["true", 7]), r"process\.args\[1\]")
    refuse_config(env, process(env=[None]), r"process\.env\[0\]")
    refuse_config(env, process(terminal="yes"), "process.terminal")
    refuse_config(env, process(user={"uid": "root", "gid": 0}), "process.user.uid")
    refuse_config(env, document(mounts=[{"destination": 7}]), r"mounts\[0\]\.destination")


def test_numbers(env):
    """numbers that do not fit"""
    for uid in ("-1", "4294967296", "1e3", "18446744073709551616", "0.5"):
        text = json.dumps(process(user={"uid": 4711, "gid": 0})).replace("4711", uid)
        refuse_config(env, text, "uid")


def test_no_root(env):
    """config.json without root"""
    refuse_config(env, document(root=None), "root")
    refuse_config(env, document(root={}), "root")
    refuse_config(env, document(root={"path": ""}), "root.path")


def test_no_process(env):
    """config.json without process"""
    refuse_config(env, document(process=None), "process")


def test_empty_args(env):
    """process.args that is missing or empty, or names no program"""
    without = bundle.spec(["true"])
    del without["process"]["args"]
    refuse_config(env, without, "process.args")
    refuse_config(env, process(args=[]), "process.args")
    refuse_config(env, process(args=[""]), "process.args")


def test_bad_cwd(env):
    """process.cwd that is not absolute"""
    refuse_config(env, process(cwd="tmp"), "process.cwd")


def test_bad_mount(env):
    """a mount destination that is not absolute"""
    refuse_config(env, document(mounts=[{"destination": "x", "type": "tmpfs", "source": "x"}]), r"mounts\[0\]")


def test_bad_annotation(env):
    """an unknown container type"""
    refuse_config(env, document(annotations={"io.kubernetes.cri.container-type": "podlet"}), "podlet|container-type")


def test_no_such_sandbox(env):
    """a container for a sandbox that does not exist"""
    refuse_config(env, document(annotations={"io.kubernetes.cri.container-type": "container",
                                             "io.kubernetes.cri.sandbox-id": "nobody"}), "nobody", "NotFound")
    refuse_config(env, document(annotations={"io.kubernetes.cri.container-type": "container"}), "sandbox-id|sandbox id")


# ---- the root file system -----------------------------------------------------------

def test_no_rootfs(env):
    """a root file system that does not exist"""
    refuse(env, "NotFound", "rootfs", env.bundles.make(rootfs=False))


def test_rootfs_is_file(env):
    """a root file system that is a file"""
    path = env.bundles.make(rootfs=False)
    with open(os.path.join(path, "rootfs"), "w", encoding="ascii"):
        pass
    refuse(env, ("InvalidArgument", "NotFound"), "rootfs", path)


def test_rootfs_link_out(env):
    """a root file system that is a link out of the bundle"""
    for target in ("/", "..", "/etc", "../../.."):
        path = env.bundles.make(rootfs=False)
        os.symlink(target, os.path.join(path, "rootfs"))
        refuse(env, ("InvalidArgument", "NotAuthorized"), "rootfs", path)


def test_rootfs_dots(env):
    """a relative root.path that leads out of the bundle"""
    for target in ("..", "rootfs/../..", "../template-rootfs"):
        refuse_config(env, document(root={"path": target}), "root", ("InvalidArgument", "NotAuthorized", "NotFound"))


# ---- ids and options -----------------------------------------------------------------

def test_ids(env):
    """ids that are empty, too long or have characters they may not have"""
    path = env.bundle()
    for sid in ("", "a/b", "/", "..", ".", "../x", ".hidden", "-x", "a b", "a\n", "\u00fc", "a" * 129, "%s", "a:b"):
        env.raises("InvalidArgument", lambda sid=sid: env.manager.create_sandbox(sid, path), "id")
    env.no_leaks()


def test_longest_id(env):
    """an id of 128 characters is taken"""
    sandbox = env.manager.create_sandbox("a" * 128, env.bundle())
    sandbox.delete()
    env.no_leaks()


def test_id_in_use(env):
    """an id that is in use"""
    sandbox = env.manager.create_sandbox("twice", env.bundle())
    env.raises("AlreadyExists", lambda: env.manager.create_sandbox("twice", env.bundle()), "twice")
    equal(len(env.manager.sandboxes()), 1, "sandboxes")
    sandbox.delete()
    env.no_leaks()


def test_unknown_option(env):
    """an unknown option, and one of a wrong type"""
    path = env.bundle()
    refuse(env, "InvalidArgument", "no-such-option", path, **{"no-such-option": True})
    refuse(env, "InvalidArgument", "handler", path, handler=7)
    sandbox = env.manager.create_sandbox("opt", path)
    env.raises("InvalidArgument", lambda: sandbox.start(sooner=True), "sooner")
    env.raises("InvalidArgument", lambda: sandbox.stop(whole=True), "whole")
    env.raises("InvalidArgument", lambda: sandbox.delete(**{"for": True}), "for")
    container = env.manager.container("opt")
    env.raises("InvalidArgument", lambda: container.start(now=True), "now")
    env.raises("InvalidArgument", lambda: container.delete(now=True), "now")
    sandbox.delete()
    env.no_leaks()


def test_unknown_handler(env):
    """an unknown runtime handler"""
    refuse(env, ("InvalidArgument", "NotFound"), "nohandler", env.bundle(), handler="nohandler")


def test_bad_stream(env):
    """a stream path that is not absolute, and a stream given twice"""
    path = env.bundle()
    refuse(env, "InvalidArgument", "stdout", path, **{"stdout-path": "relative"})
    with open("/dev/null", "rb") as null:
        refuse(env, "InvalidArgument", "stdin", path, stdin=null.fileno(), **{"stdin-path": "/dev/null"})


def test_unknown_filter(env):
    """an unknown list filter"""
    env.raises("InvalidArgument", lambda: env.manager.sandboxes(colour="red"), "colour")
    env.raises("InvalidArgument", lambda: env.manager.containers(colour="red"), "colour")


# ---- state ------------------------------------------------------------------------------

def test_not_found(env):
    """sandboxes and containers that do not exist"""
    env.raises("NotFound", lambda: env.manager.sandbox("nobody"), "nobody")
    env.raises("NotFound", lambda: env.manager.container("nobody"), "nobody")
    for command in (["kill"], ["state"], ["exec"], ["delete"]):
        args = command + ["nobody"] + (["true"] if command == ["exec"] else [])
        result = env.virtpod(*args)
        check(result.returncode != 0, "%s: status 0" % command)
        check(b"nobody" in result.stderr and b"NotFound" in result.stderr, "%s: %r" % (command, result.stderr))


def test_not_running(env):
    """calls that need a running sandbox or container"""
    sandbox = env.manager.create_sandbox("idle", env.bundle())
    container = env.manager.container("idle")
    env.raises("InvalidState", sandbox.ping)
    env.raises("InvalidState", lambda: sandbox.call("GetGuestDetails"))
    env.raises("InvalidState", container.start)
    env.raises("InvalidState", lambda: container.kill("TERM"))
    env.raises("InvalidState", lambda: container.exec(["true"]))
    sandbox.delete()
    env.no_leaks()


def test_bad_signal(env):
    """signals that do not exist"""
    sandbox = env.manager.create_sandbox("signals", env.bundle())
    container = env.manager.container("signals")
    for name in ("", "0", "NOSUCH", "-1", "65", "SIGSIGTERM"):
        env.raises("InvalidArgument", lambda name=name: container.kill(name))
    sandbox.delete()


def test_limits(env):
    """more sandboxes than the configuration allows"""
    for i in range(3):
        env.manager.create_sandbox("limit%d" % i, env.bundle())
    env.raises("ResourceExhausted", lambda: env.manager.create_sandbox("limit3", env.bundle()), "max-sandboxes|sandboxes")
    for i in range(3):
        env.manager.sandbox("limit%d" % i).delete()
    env.no_leaks()


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    ENV = Env(libvirt="test", options=["--set", "daemon.max-sandboxes=3"])
    ENV.require()
    tap.run(TESTS, ENV)
