"""Writes the golden layout: an OCI image layout of one image, by a second implementation of what we write.

usage: make.py DIRECTORY

The documents are Python's own JSON with sorted members; the layers are those of ../trees/layer.py, uncompressed,
so that no compressor has a part in it. Prints the image ID and the manifest digests of the encodings, where the
compressed blobs are made up, as JSON.
"""
import hashlib, json, os, subprocess, sys, tempfile

out = sys.argv[1]
blobs = os.path.join(out, "blobs", "sha256")
layer_py = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "trees", "layer.py")
OCI = "application/vnd.oci.image."


def canonical(document):
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def put(media_type, data):
    with open(os.path.join(blobs, digest(data)[7:]), "wb") as file:
        file.write(data)
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


def layer(path, files):
    """The layer of a tree at `path`: text files, and links where the text starts with an arrow."""
    with tempfile.TemporaryDirectory() as tree:
        for name, text in files.items():
            place = os.path.join(tree, name)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if text.startswith("-> "):
                os.symlink(text[3:], place)
            else:
                with open(place, "w", encoding="utf-8") as file:
                    file.write(text)
                os.chmod(place, 0o755 if name.startswith("bin/") else 0o644)
        return subprocess.run([sys.executable, layer_py, tree, path], check=True, stdout=subprocess.PIPE).stdout


trees = {
    "hello 1.0": ("packages/hello/1.0", {"bin/hello": "#!/bin/sh\necho hello\n", "share/grüße": "hallo\n"}),
    "sh 2~rc1": ("packages/sh/2~rc1", {"bin/sh": "-> ../../../hello/1.0/bin/hello"}),
}
os.makedirs(blobs, exist_ok=True)
tars = {name: layer(path, files) for name, (path, files) in trees.items()}
created = "2023-11-14T22:13:20Z"
config = {
    "created": created,
    "author": "somebody",
    "architecture": "amd64",
    "os": "linux",
    "config": {
        "Entrypoint": ["/bin/hello", "-c"],
        "Cmd": ['echo "$0"', ""],
        "Env": ["EMPTY=", "LANG=C.UTF-8", "PATH=/bin", "WITH=a=b c"],
        "User": "user:1000",
        "WorkingDir": "/work",
        "ExposedPorts": {"8080/tcp": {}, "53/udp": {}},
        "Volumes": {"/data": {}},
        "Labels": {"org.example": '"quoted" \u2028 ä', "10": "ten", "9": "nine"},
        "StopSignal": "SIGRTMIN+3",
    },
    "rootfs": {"type": "layers", "diff_ids": [digest(tar) for tar in tars.values()]},
    "history": [{"created": created, "created_by": name} for name in tars],
}
config = put(OCI + "config.v1+json", canonical(config))


def manifest(layers):
    return canonical({
        "schemaVersion": 2,
        "mediaType": OCI + "manifest.v1+json",
        "config": config,
        "layers": layers,
        "annotations": {"org.opencontainers.image.title": "web"},
    })


image = put(OCI + "manifest.v1+json", manifest([put(OCI + "layer.v1.tar", tar) for tar in tars.values()]))
image["annotations"] = {"org.opencontainers.image.ref.name": "hello:1.0"}
for name, document in {
    "oci-layout": {"imageLayoutVersion": "1.0.0"},
    "index.json": {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [image]},
}.items():
    with open(os.path.join(out, name), "wb") as file:
        file.write(canonical(document))


def made_up(encoding, suffix):
    """The manifest of the same image, with blobs of 100 bytes whose digest is that of their layer's name."""
    return digest(manifest([
        {"mediaType": OCI + "layer.v1.tar" + suffix, "digest": digest(f"{name} {encoding}".encode()), "size": 100}
        for name in tars
    ]))


print(json.dumps({
    "id": config["digest"],
    "none": image["digest"],
    "gzip-1": made_up("gzip-1", "+gzip"),
    "zstd-1": made_up("zstd-1", "+zstd"),
}, indent=2))
