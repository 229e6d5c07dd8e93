#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""virtpod cp: where things go, what they are called, and what a guest may not do."""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cli_harness import VIRTPOD, Bus, contains, equal, main  # noqa: E402


class World:
    """A mock with a container "wait-1" whose files are in .box, and a directory .host to work in."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="vp-cp-")
        self.box, self.host = os.path.join(self.top, "box"), os.path.join(self.top, "host")
        os.mkdir(self.box)
        os.mkdir(self.host)
        os.environ["MOCK_FILES"] = self.box
        self.bus = Bus()

    def __enter__(self):
        self.bus.__enter__()
        for name in ("wait-1", "wait-cut", "wait-copy.AgentFailed"):
            equal(self.bus.run("run", "--detach", name).returncode, 0)
        return self

    def __exit__(self, *args):
        self.bus.__exit__(*args)
        os.environ.pop("MOCK_FILES")
        shutil.rmtree(self.top)

    def cp(self, *args, **kwargs):
        return subprocess.run([VIRTPOD, "cp", *args], env=dict(self.bus.environment(), **kwargs.pop("env", {})),
                              cwd=self.host, capture_output=True, timeout=60, **kwargs)

    def ok(self, *args, **kwargs):
        done = self.cp(*args, **kwargs)
        equal((done.returncode, done.stderr), (0, b""), args)
        return done.stdout

    def fails(self, why, *args, **kwargs):
        done = self.cp(*args, **kwargs)
        equal(done.returncode, 1, args)
        contains(done.stderr.decode(), why)

    def tree(self, top):
        """path -> content, or target of a link, or None for a directory"""
        found = {}
        for folder, folders, files in os.walk(top):
            for name in folders + files:
                path = os.path.join(folder, name)
                key = os.path.relpath(path, top)
                if os.path.islink(path):
                    found[key] = "-> " + os.readlink(path)
                elif os.path.isdir(path):
                    found[key] = None
                else:
                    with open(path, encoding="utf-8") as content:
                        found[key] = content.read()
        return found


def write(*path, text="x"):
    os.makedirs(os.path.dirname(os.path.join(*path)), exist_ok=True)
    with open(os.path.join(*path), "w", encoding="utf-8") as out:
        out.write(text)


def test_into_a_container():
    with World() as w:
        write(w.host, "f", text="file")
        write(w.host, "tree/sub/g", text="deep")
        os.symlink("nowhere", os.path.join(w.host, "tree/link"))
        os.mkdir(os.path.join(w.box, "dir"))
        tree = {"sub": None, "sub/g": "deep", "link": "-> nowhere"}

        w.ok("f", "wait-1:/dir")                    # into a directory
        w.ok("f", "wait-1:/dir/new")                # under a new name
        w.ok("f", "wait-1:dir/")                    # relative is from the root
        equal(w.tree(w.box), {"dir": None, "dir/f": "file", "dir/new": "file"})
        w.ok("tree", "wait-1:/copy")                # becomes it
        w.ok("tree/.", "wait-1:/dir/f2")            # what is in it becomes it
        w.ok("tree", "wait-1:/dir")                 # goes into it
        equal(w.tree(os.path.join(w.box, "copy")), tree)
        equal(w.tree(os.path.join(w.box, "dir/f2")), tree)
        equal(w.tree(os.path.join(w.box, "dir/tree")), tree)
        w.ok("tree/.", "wait-1:/")                  # what is in it goes into it
        equal(w.tree(w.box)["sub/g"], "deep")
        w.ok("..", "wait-1:/dir/up", "--no-overwrite")
        equal(w.bus.calls("CopyIn")[-1][1:], ["/dir", {"no-overwrite": True}])
        contains(sorted(os.listdir(os.path.join(w.box, "dir/up"))), "host")

        w.fails('"missing": No such file', "missing", "wait-1:/dir")
        w.fails('"/nowhere": No such file', "f", "wait-1:/nowhere/")
        w.fails('"f": Not a directory', "f/", "wait-1:/dir")
        w.fails("(NotFound)", "f", "nobody:/x")
        w.fails("(AgentFailed)", "f", "wait-copy.AgentFailed:/x")


def test_owners():
    with World() as w:
        write(w.host, "f")
        if os.geteuid() == 0:
            os.chown(os.path.join(w.host, "f"), 1234, 4321)
        os.chmod(os.path.join(w.host, "f"), 0o4755)
        w.ok("f", "wait-1:/a")
        w.ok("--archive", "f", "wait-1:/b")
        rows = [row[0] for row in w.bus.calls("unpacked")]
        equal(rows[0], ["a", 0, 0, 0o4755])
        equal(rows[1][1:3], [1234, 4321] if os.geteuid() == 0 else [os.getuid(), os.getgid()])


def test_out_of_a_container():
    with World() as w:
        write(w.box, "etc/f", text="file")
        write(w.box, "tree/sub/g", text="deep")
        os.symlink("f", os.path.join(w.box, "etc/to-f"))
        os.mkdir(os.path.join(w.host, "dir"))
        w.ok("wait-1:/etc/f", ".")
        w.ok("wait-1:etc/f", "dir/new")
        w.ok("wait-1:/etc/../etc/f", "dir")
        w.ok("wait-1:/tree", "copy")
        w.ok("wait-1:/tree/.", "dir")
        w.ok("wait-1:/tree", "dir/")
        equal(w.tree(w.host), {
            "f": "file", "dir": None, "dir/new": "file", "dir/f": "file", "dir/sub": None, "dir/sub/g": "deep",
            "dir/tree": None, "dir/tree/sub": None, "dir/tree/sub/g": "deep",
            "copy": None, "copy/sub": None, "copy/sub/g": "deep"})
        equal(w.bus.calls("CopyOut")[2], ["/etc/f", {}])
        w.ok("--follow-link", "wait-1:/etc/to-f", "followed")
        equal(w.bus.calls("CopyOut")[-1], ["/etc/to-f", {"dereference": True}])
        w.fails('"f": File exists', "--no-overwrite", "wait-1:/etc/f", "f")
        w.fails("(NotFound)", "wait-1:/missing", "f")
        w.fails('"no/such": No such file', "wait-1:/etc/f", "no/such/place")
        w.fails('"no-such": No such file', "wait-1:/etc/f", "no-such/")
        w.fails('"f": Not a directory', "wait-1:/etc/f", "f/under")


def test_streams():
    with World() as w:
        write(w.box, "etc/f", text="file")
        data = w.ok("wait-1:/etc", "-")
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            equal(sorted(tar.getnames()), ["etc", "etc/f"])
        os.mkdir(os.path.join(w.box, "new"))
        w.ok("-", "wait-1:/new", input=data)
        equal(w.tree(os.path.join(w.box, "new")), {"etc": None, "etc/f": "file"})
        w.fails("(InvalidArgument)", "-", "wait-1:/new", input=b"no tar at all" * 100)


def test_odd_names():
    """Names are bytes, in every locale."""
    with World() as w:
        for number, name in enumerate(("caf\u00e9", "new\nline", "a:b", "-x", "tab\t")):
            write(w.host, name, text=str(number))
            for locale in ("C", "C.UTF-8"):
                w.ok("--", "./" + name, "wait-1:/" + name, env={"LC_ALL": locale})
                w.ok("wait-1:/" + name, "back%d%s" % (number, locale), env={"LC_ALL": locale})
                equal(w.tree(w.host)["back%d%s" % (number, locale)], str(number))


def test_cut_streams():
    """A stream that ends between two members is a failure, and said to be one."""
    with World() as w:
        write(w.box, "etc/f", text="file")
        w.fails("the stream ended before the archive did", "wait-cut:/etc", "copy")
        w.fails("the stream ended before the archive did", "wait-cut:/etc", "-")


def test_hostile_guest():
    """What was not asked for does not arrive: not beside the copy, not through links."""
    with World() as w:
        write(w.host, "victim", text="precious")
        write(w.box, "f")
        os.mkdir(os.path.join(w.host, "into"))
        for name, link in ((".bashrc", None), ("../victim", None), ("/victim", None), ("f/../../victim", None)):
            with tarfile.open(os.path.join(w.box, "f.tar"), "w") as tar:
                member = tarfile.TarInfo(name)
                member.size = 4
                tar.addfile(member, io.BytesIO(b"evil"))
            w.fails("a member ", "wait-1:/f", "into")
            equal(w.tree(w.host), {"victim": "precious", "into": None}, name)
        with tarfile.open(os.path.join(w.box, "f.tar"), "w") as tar:
            for name, kind, link in (("f", tarfile.DIRTYPE, ""), ("f/up", tarfile.SYMTYPE, "../.."),
                                     ("f/up/victim", tarfile.REGTYPE, "")):
                member = tarfile.TarInfo(name)
                member.type, member.linkname, member.mode = kind, link, 0o755
                tar.addfile(member)
        w.fails('"up": Not a directory', "wait-1:/f", "into")
        equal(w.tree(w.host)["victim"], "precious")


def test_program():
    """It is a program of its own: virtpod has no library of it, and says when it is not there."""
    with World() as w:
        missing = {"VIRTPOD_EXEC_PATH": "/nonexistent"}
        done = w.cp("wait-1:/f", "into", env=missing)
        equal((done.returncode, done.stderr),
              (1, b"virtpod: cp: /nonexistent/virtpod-cp: No such file or directory\n"), "no program")
        equal(w.cp("--help", env=missing).returncode, 1, "nor its help")
        equal(w.bus.run("help", "cp").stdout, w.ok("--help"), "help and --help")
        equal(w.bus.run("list", "--quiet").returncode, 0, "other verbs")
    needed = subprocess.run(["ldd", VIRTPOD], capture_output=True, text=True, check=True).stdout
    equal([line.split()[0] for line in needed.splitlines() if "archive" in line], [], "what virtpod loads")


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
