#!/usr/bin/env python3
"""Layer format 1 a second time, from docs/formats.md and not from the code: the golden digests are what both say.

usage: layer.py TREE PATH [MODE=FILE]...   the layer of TREE at PATH (packages/...), on standard output
"""

import os
import stat
import sys

BLOCK = 512
TIME = 315532800


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)


def block(name: bytes, kind: bytes, mode: int, size: int = 0, target: bytes = b"", uid: int = 0, gid: int = 0,
          time: int = TIME) -> bytes:
    """One ustar block; the checksum counts its own field as blanks."""
    cut = name[:100].rstrip(b"/") if len(name) > 100 else name
    fields = b"".join([
        cut.ljust(100, b"\0"), b"%07o\0" % mode, b"%07o\0" % uid, b"%07o\0" % gid,
        b"%011o\0" % (size if size < 8 << 30 else 0), b"%011o\0" % time, b" " * 8, kind,
        target[:100].ljust(100, b"\0"), b"ustar\x0000", bytes(64), b"0000000\0" * 2, bytes(155 + 12),
    ])
    assert len(fields) == BLOCK
    return fields[:148] + b"%06o\0 " % sum(fields) + fields[156:]


def record(keyword: bytes, value: bytes) -> bytes:
    length = 0
    while (text := b"%d %s=%s\n" % (length, keyword, value)) and len(text) != length:
        length = len(text)
    return text


def is_utf8(data: bytes) -> bool:
    try:
        return data.decode() is not None
    except UnicodeDecodeError:
        return False


def fits(data: bytes) -> bool:
    return len(data) <= 100 and data.isascii()


def pax(records: bytes) -> bytes:
    return block(b"PaxHeader", b"x", 0o644, len(records)) + padded(records) if records else b""


def header(name: bytes, kind: bytes, mode: int, size: int = 0, target: bytes = b"", **other: int) -> bytes:
    records = b""
    if not (is_utf8(name) and is_utf8(target)):
        records += record(b"hdrcharset", b"BINARY")
    if not fits(name):
        records += record(b"path", name)
    if not fits(target):
        records += record(b"linkpath", target)
    if size >= 8 << 30:
        records += record(b"size", b"%d" % size)
    return pax(records) + block(name, kind, mode, size, target, **other)


def directory(path: bytes) -> bytes:
    return header(path + b"/", b"5", 0o755)


def below(host: bytes, path: bytes, modes: dict, inodes: dict):
    """The entries in a directory, depth first, the names of each directory by bytes."""
    for name in sorted(os.listdir(host)):
        place, at = host + b"/" + name, path + b"/" + name
        status = os.lstat(place)
        if stat.S_ISDIR(status.st_mode):
            yield directory(at)
            yield from below(place, at, modes, inodes)
        elif stat.S_ISLNK(status.st_mode):
            yield header(at, b"2", 0o777, target=os.readlink(place))
        else:
            mode = modes.get(at) or (0o755 if status.st_mode & 0o111 else 0o644)
            first = inodes.setdefault((status.st_dev, status.st_ino), at)
            if first != at:
                yield header(at, b"1", mode, target=first)
                continue
            yield header(at, b"0", mode, status.st_size)
            with open(place, "rb") as file:
                while data := file.read(1 << 20):
                    yield data
            yield bytes(-status.st_size % BLOCK)


def layer(tree: bytes, path: bytes, modes: dict):
    parts = path.split(b"/")
    for i in range(len(parts)):
        yield directory(b"/".join(parts[: i + 1]))
    yield from below(tree, path, modes, {})
    yield bytes(2 * BLOCK)


if __name__ == "__main__":
    sys.setrecursionlimit(10000)
    tree, path, *given = [os.fsencode(argument) for argument in sys.argv[1:]]
    modes = {path + b"/" + name: int(mode, 8) for mode, name in (word.split(b"=", 1) for word in given)}
    for data in layer(tree, path, modes):
        sys.stdout.buffer.write(data)
