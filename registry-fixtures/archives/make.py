#!/usr/bin/env python3
"""Makes the hostile archives beside it, and what must become of each (expected.json). usage: make.py DIR

layer-*.tar claim to be the layer, in format 1, of the tree at packages/p/1; they are built block by block by
../trees/layer.py. archive-*.tar are what a hostile tool may hand over as an image archive; Python's tarfile writes
them. The two called "good" are what the others are variations of, and must be taken.
"""

import io
import json
import os
import sys
import tarfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "trees"))
from layer import block, directory, header, padded, pax, record  # noqa: E402

target = sys.argv[1]
expected = {}
END = bytes(1024)
TOP = directory(b"packages") + directory(b"packages/p") + directory(b"packages/p/1")
P = b"packages/p/1/"


def entry(path: bytes, data: bytes = b"data\n", mode: int = 0o644, **other) -> bytes:
    return header(path, b"0", mode, len(data), **other) + padded(data)


def symlink(path: bytes, to: bytes) -> bytes:
    return header(path, b"2", 0o777, target=to)


def link(path: bytes, to: bytes) -> bytes:
    return header(path, b"1", 0o644, target=to)


def layer(name: str, code: str, data: bytes, says: str = "") -> None:
    write(f"layer-{name}.tar", code, data, says)


def write(name: str, code: str, data: bytes, says: str) -> None:
    with open(os.path.join(target, name), "wb") as file:
        file.write(data)
    expected[name] = {"code": code, "says": says}


A = entry(P + b"a")
Z = entry(P + b"z")
layer("good", "", TOP + A + directory(P + b"d") + entry(P + b"d/x", mode=0o755) + link(P + b"e", P + b"a")
      + symlink(P + b"s", b"/etc/passwd") + END)

# Places
layer("escape", "UNSAFE", TOP + entry(P + b"../../../x") + END, "..")
layer("escape-directory", "UNSAFE", TOP + directory(P + b"..") + END, "..")
layer("dot", "UNSAFE", TOP + entry(P + b"./x") + END, ".")
layer("empty-name", "UNSAFE", TOP + entry(P + b"d//x") + END, "empty")
layer("absolute", "UNSAFE", TOP + entry(b"/etc/x") + END, "absolute")
layer("elsewhere", "UNSAFE", directory(b"etc") + entry(b"etc/passwd") + END, "not below")
layer("other-version", "UNSAFE", TOP + A + directory(b"packages/p/2") + END, "not below")
layer("name-that-starts-alike", "UNSAFE", TOP + directory(b"packages/p/1-") + END, "not below")
layer("tree-is-a-link", "UNSAFE", directory(b"packages") + directory(b"packages/p") + symlink(b"packages/p/1", b"/") + END,
      "no directory")
layer("whiteout", "UNSAFE", TOP + entry(P + b".wh.a", b"") + END, ".wh.")
layer("opaque-whiteout", "UNSAFE", TOP + entry(P + b".wh..wh..opq", b"") + END, ".wh.")
layer("long-name", "UNSAFE", TOP + entry(P + b"n" * 256) + END, "255")
layer("long-path", "UNSAFE", TOP + entry(P + b"/".join([b"n" * 200] * 16)) + END, "3072")
layer("no-parent", "INTEGRITY", TOP + entry(P + b"d/x") + END, "in no directory")
layer("below-a-file", "INTEGRITY", TOP + A + entry(P + b"a/x") + END, "in no directory")
layer("below-a-symlink", "INTEGRITY", TOP + symlink(P + b"d", b"/etc") + entry(P + b"d/x") + END, "in no directory")
layer("closed-parent", "INTEGRITY", TOP + directory(P + b"d") + directory(P + b"e") + entry(P + b"d/x") + END, "order")

# Order
layer("twice", "INTEGRITY", TOP + A + entry(P + b"a", b"other") + END, "twice")
layer("directory-twice", "INTEGRITY", TOP + directory(P + b"d") * 2 + END, "twice")
layer("unsorted", "INTEGRITY", TOP + Z + A + END, "order")
layer("sorted-as-text", "INTEGRITY", TOP + entry(P + b"d-") + directory(P + b"d") + END, "order")

# Kinds and attributes
layer("device", "INTEGRITY", TOP + header(P + b"null", b"3", 0o666) + END, "unknown type")
layer("block-device", "INTEGRITY", TOP + header(P + b"sda", b"4", 0o666) + END, "unknown type")
layer("fifo", "INTEGRITY", TOP + header(P + b"fifo", b"6", 0o666) + END, "unknown type")
layer("unknown-type", "INTEGRITY", TOP + header(P + b"x", b"Z", 0o644) + END, "unknown type")
layer("old-file", "INTEGRITY", TOP + header(P + b"x", b"\0", 0o644) + END, "unknown type")
layer("gnu-long-name", "INTEGRITY", TOP + block(b"././@LongLink", b"L", 0o644, 9) + padded(b"/etc/x\0") + Z + END, "unknown type")
layer("gnu-sparse", "INTEGRITY", TOP + header(P + b"x", b"S", 0o644) + END, "unknown type")
layer("global-header", "INTEGRITY", TOP + block(b"x", b"g", 0o644, 11) + padded(record(b"path", b"/x")) + A + END, "unknown type")
layer("setuid", "UNSAFE", TOP + entry(P + b"a", mode=0o4755) + END, "mode 4755")
layer("setgid-directory", "UNSAFE", TOP + header(P + b"d/", b"5", 0o2755) + END, "mode 2755")
layer("odd-mode", "UNSAFE", TOP + entry(P + b"a", mode=0o600) + END, "mode 600")
layer("owner", "UNSAFE", TOP + entry(P + b"a", uid=1000) + END, "1000:0")
layer("link-to-nothing", "INTEGRITY", TOP + link(P + b"a", P + b"z") + Z + END, "no file before")
layer("link-out", "INTEGRITY", TOP + link(P + b"a", b"/etc/passwd") + END, "no file before")
layer("link-up", "INTEGRITY", TOP + link(P + b"a", b"../../../../etc/passwd") + END, "no file before")
layer("link-through-symlink", "INTEGRITY", TOP + symlink(P + b"d", b"/etc") + link(P + b"e", P + b"d/passwd") + END,
      "no file before")
layer("link-to-symlink", "INTEGRITY", TOP + symlink(P + b"a", b"/etc/passwd") + link(P + b"b", P + b"a") + END, "no file before")
layer("empty-target", "UNSAFE", TOP + symlink(P + b"a", b"") + END, "target")

# One reading only: what another reader would take differently
layer("padding", "INTEGRITY", TOP + header(P + b"a", b"0", 0o644, 5) + b"data\n" + bytes(506) + b"x" + END, "padding")
layer("time", "INTEGRITY", TOP + block(P + b"a", b"0", 0o644, 0, time=0) + END, "not written")
layer("checksum", "INTEGRITY", TOP + A[:148] + b"000000\0 " + A[156:] + END, "not written")
layer("user-name", "INTEGRITY", TOP + A[:148] + b"%06o\0 " % (sum(A[:148] + b" " * 8 + A[156:512]) + ord("u")) + A[156:265] + b"u"
      + A[266:] + END, "not written")
layer("needless-pax", "INTEGRITY", TOP + pax(record(b"path", P + b"a")) + A + END, "not written")
layer("two-paths", "INTEGRITY", TOP + pax(record(b"path", P + b"b") + record(b"path", P + b"c" * 100)) + A + END, "not written")
layer("two-sizes", "INTEGRITY", TOP + pax(record(b"size", b"1")) + A + END, "")
layer("two-pax", "INTEGRITY", TOP + pax(record(b"path", P + b"\xc3\xa9")) * 2 + A + END, "unknown type")
layer("attributes", "INTEGRITY", TOP + pax(record(b"SCHILY.xattr.security.capability", b"\1\0\0\2")) + A + END, "not written")
layer("lying-record", "INTEGRITY", TOP + block(b"PaxHeader", b"x", 0o644, 12) + padded(b"99 path=/x\n\n") + A + END, "not written")
layer("endless-pax", "INTEGRITY", TOP + block(b"PaxHeader", b"x", 0o644, 1 << 30) + END, "too long")
layer("charset", "INTEGRITY", TOP + pax(record(b"hdrcharset", b"BINARY")) + A + END, "not written")
layer("after-its-end", "INTEGRITY", TOP + END + A + END, "follows")
layer("more-zeros", "INTEGRITY", TOP + A + END + bytes(8192), "follows")
layer("one-zero-block", "INTEGRITY", TOP + bytes(512) + A + END, "single zero")
layer("no-end", "INTEGRITY", TOP + A, "cut off")
layer("half-end", "INTEGRITY", TOP + A + END[:512], "cut off")
layer("cut-in-header", "INTEGRITY", TOP + A[:300], "cut off")
layer("cut-in-body", "INTEGRITY", TOP + header(P + b"a", b"0", 0o644, 100000) + bytes(5000), "cut off")
layer("size-swallows-rest", "INTEGRITY", TOP + header(P + b"a", b"0", 0o644, 3072) + padded(b"data\n") + Z + END, "cut off")
layer("size-uncovers-body", "INTEGRITY", TOP + header(P + b"a", b"0", 0o644, 0) + padded(b"data\n") + END, "unknown type")
layer("nothing", "INTEGRITY", b"", "cut off")


def archive(name: str, code: str, says: str, *members, cut: int = 0, change=None, **options) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=options.pop("format", tarfile.PAX_FORMAT)) as tar:
        for path, kind, *more in members:
            info = tarfile.TarInfo(path)
            info.type = kind
            body = more[0] if more and isinstance(more[0], bytes) else b""
            if more and isinstance(more[0], str):
                info.linkname = more[0]
            info.size = len(body)
            info.pax_headers = more[1] if len(more) > 1 else {}
            tar.addfile(info, io.BytesIO(body))
    # tarfile fills up to 10 KiB with zeros; two blocks are the end.
    data = out.getvalue().rstrip(b"\0")
    data += bytes(-len(data) % 512) + END
    write(f"archive-{name}.tar", code, (change(data) if change else data)[: -cut or None], says)


FILE, DIR, SYM, LNK = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
archive("good", "", "", ("./", DIR), ("./blobs/", DIR), ("./blobs/x", FILE, b"data\n"), ("\u00e9" * 120, FILE, b"long"),
        ("blobs/link", LNK, "./blobs/x"), ("latest", SYM, "blobs/x"))
archive("gnu-good", "", "", ("d/" + "n" * 150, FILE, b"long"), ("s", SYM, "t" * 150), format=tarfile.GNU_FORMAT)
archive("escape", "UNSAFE", "..", ("../x", FILE, b"x"))
archive("escape-inside", "UNSAFE", "..", ("a/../../x", FILE, b"x"))
archive("escape-in-long-name", "UNSAFE", "..", ("n" * 120 + "/../../x", FILE, b"x"))
archive("absolute", "UNSAFE", "absolute", ("/etc/x", FILE, b"x"))
archive("twice", "UNSAFE", "twice", ("a", FILE, b"1"), ("./a", FILE, b"2"))
archive("directory-becomes-link", "UNSAFE", "twice", ("a", DIR), ("a", SYM, "/etc"))
archive("below-a-symlink", "UNSAFE", "below", ("a", SYM, "/etc"), ("a/x", FILE, b"x"))
archive("deep-below-a-symlink", "UNSAFE", "below", ("a", SYM, "/etc"), ("a/b/c/x", FILE, b"x"))
archive("below-a-file", "UNSAFE", "below", ("a", FILE, b"x"), ("a/x", FILE, b"x"))
archive("link-out", "UNSAFE", "absolute", ("a", LNK, "/etc/passwd"))
archive("link-up", "UNSAFE", "..", ("a", LNK, "../passwd"))
archive("link-to-symlink", "UNSAFE", "hard link", ("s", SYM, "/etc/passwd"), ("a", LNK, "s"))
archive("link-through-symlink", "UNSAFE", "hard link", ("s", SYM, "/etc"), ("a", LNK, "s/passwd"))
archive("device", "UNSAFE", "device", ("null", tarfile.CHRTYPE))
archive("fifo", "UNSAFE", "fifo", ("fifo", tarfile.FIFOTYPE))
archive("unknown-type", "UNSAFE", "unknown type", ("x", b"Z"))
archive("whiteout", "UNSAFE", ".wh.", (".wh.a", FILE, b""))
archive("sparse", "UNSAFE", "sparse", ("x", FILE, b"1\n0\n1\n", {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1099511627776"}))
archive("not-utf8", "INTEGRITY", "UTF-8", ("x", FILE, b"x", {"path": "\udcff" * 8}), change=lambda data: data)
archive("checksum", "INTEGRITY", "damaged", ("x", FILE, b"x"), change=lambda data: data.replace(b"ustar", b"usTar", 1))
archive("no-end", "INTEGRITY", "cut off", ("x", FILE, b"x"), cut=1024)
archive("cut-in-body", "INTEGRITY", "damaged", ("x", FILE, b"x" * 5000), cut=3000)
archive("too-much", "INTEGRITY", "more than", ("x", FILE, b"x"), ("y", FILE, b"x" * 40000))
archive("too-many", "INTEGRITY", "entries", *((f"{i}", FILE, b"") for i in range(20)))

with open(os.path.join(target, "expected.json"), "w") as file:
    json.dump(expected, file, indent=1, sort_keys=True)
    file.write("\n")
