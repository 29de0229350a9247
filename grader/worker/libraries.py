"""What the interpreter and torch need to run, file by file: the allow-list of the walls.

Folders of libraries are not opened whole: on several systems they hold other people's Python packages, and
on some all of them. The shared libraries are found as the loader would find them, from the names that the
programs themselves ask for.
"""

from __future__ import annotations

import importlib.util
import mmap
import os
import re
import struct
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

NOT_STANDARD = {"site-packages", "dist-packages"}
_CODE = (".py", ".pyc", ".so")
_LIBRARY = re.compile(r"\.so(\.\d+)*$")
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)([^;]*)(?:;(.*))?")

_LOADER_CACHE = "/etc/ld.so.cache"
_CACHE_MAGIC = b"glibc-ld.so.cache1.1"
_DEFAULT_FOLDERS = ("/lib64", "/usr/lib64", "/lib", "/usr/lib")
# Opened by name at run time, so that no file says that it needs them.
_OF_THE_DRIVER = re.compile(r"lib(cuda|nvidia|nvcuvid|nvoptix)[-.a-z0-9]*\.so")


def readable_paths(packages: Iterable[str] = (), *, cuda: bool = False) -> list[str]:
    """Every file and folder that a worker may read, and no more.

    Args:
        packages: distributions besides torch and numpy, together with what they require. One that is not
            installed is left out.
        cuda: also the driver's libraries and what the driver reads.
    """
    folders, objects = _packages(["torch", "numpy", *packages])
    standard = standard_library()
    objects.append(os.path.realpath(sys.executable))
    # Nobody opens a window from here, and Tk alone would ask for a dozen libraries.
    objects += sorted(str(p) for p in Path(standard, "lib-dynload").glob("*.so") if "_tkinter" not in p.name)
    entries = [*_entries(standard), *folders]
    wanted = [*entries, *_shared_libraries(objects, entries, cuda=cuda), _LOADER_CACHE, "/dev/urandom"]
    if cuda:
        wanted += ["/proc/driver/nvidia", "/proc/devices", "/sys/devices/system", "/sys/bus/pci/devices"]
    return [path for path in dict.fromkeys(wanted) if os.path.exists(path)]


def cuda_devices() -> list[str]:
    """The device files that the CUDA driver opens for writing."""
    return sorted(str(path) for path in Path("/dev").glob("nvidia*"))


def standard_library() -> str:
    """The folder of the standard library, which may hold `site-packages` too."""
    return sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix})


def covered(readable: Iterable[str], hidden: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of a hidden path and the readable one that opens it: at the same place, or above it."""
    opened = {os.path.realpath(path): path for path in readable}
    pairs = []
    for path in hidden:
        real = Path(os.path.realpath(path))
        pairs += [(path, opened[str(above)]) for above in (real, *real.parents) if str(above) in opened]
    return pairs


def _entries(standard: str) -> list[str]:
    return [entry.path for entry in sorted(os.scandir(standard), key=lambda e: e.name)
            if entry.name not in NOT_STANDARD]  # fmt: skip


def _packages(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """The top-level files and folders of distributions and all they require, and the libraries in them."""
    folders: dict[str, None] = {}
    objects: list[str] = []
    waiting, seen = list(names), set()
    while waiting:
        name = waiting.pop()
        if (key := re.sub(r"[-_.]+", "-", name).lower()) in seen:
            continue
        seen.add(key)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        waiting += _requirements(distribution)
        root = os.path.abspath(str(distribution.locate_file("")))
        record = distribution.read_text("RECORD")
        if record is None:  # installed by something else than pip
            found, libraries = _imported_from(name)
            folders.update(dict.fromkeys(found))
            objects += libraries
            continue
        for line in record.splitlines():
            path = line.rsplit(",", 2)[0].strip('"')
            # A whole folder of a package; but of the folder that all packages share, the file alone.
            top, _, below = path.partition("/")
            if top == ".." or top.endswith((".dist-info", ".data")):
                continue
            if not below and not path.endswith(_CODE):
                continue
            folders[f"{root}/{path if top == '__pycache__' else top}"] = None
            if _LIBRARY.search(path):
                objects.append(f"{root}/{path}")
    return list(folders), objects


def _requirements(distribution: metadata.Distribution) -> Iterator[str]:
    for requirement in distribution.requires or []:
        match = _REQUIREMENT.match(requirement)
        if match and "extra" not in (match[3] or ""):
            yield match[1]


def _imported_from(name: str) -> tuple[list[str], list[str]]:
    spec = importlib.util.find_spec(name.replace("-", "_"))
    if spec is None:
        return [], []
    places = list(spec.submodule_search_locations or ([spec.origin] if spec.origin else []))
    objects = [str(path) for place in places for path in Path(place).rglob("*.so*") if path.is_file()]
    return places, objects


def _shared_libraries(objects: list[str], inside: list[str], *, cuda: bool) -> list[str]:
    """The libraries that the objects ask for, and those ask for in turn, except what lies `inside`."""
    cache = _loader_cache()
    found: dict[str, None] = {}
    asked: set[str] = set()
    if cuda:
        for name in [name for name in cache if _OF_THE_DRIVER.match(name)]:
            objects = [*objects, *cache[name]]
            found.update(dict.fromkeys(cache[name]))
    waiting = list(objects)
    while waiting:
        path = waiting.pop()
        if (real := os.path.realpath(path)) in asked:
            continue
        asked.add(real)
        try:
            interpreter, needed, folders = _dynamic_section(path)
        except (OSError, ValueError, struct.error):
            continue
        here = os.path.dirname(real)
        own = [f.replace("$ORIGIN", here).replace("${ORIGIN}", here) for f in folders]
        places = [os.path.join(f, name) for name in needed for f in (*own, *_DEFAULT_FOLDERS)]
        places += [place for name in needed for place in cache.get(name, [])]
        if interpreter:
            places.append(interpreter)
        for place in places:
            if os.path.isfile(place):
                waiting.append(place)
                found[os.path.join(os.path.realpath(os.path.dirname(place)), os.path.basename(place))] = None
    within = {path for path, _ in covered(inside, found)}
    return [path for path in found if path not in within]


def _loader_cache() -> dict[str, list[str]]:
    """Where the loader finds each library by name (glibc, sysdeps/generic/dl-cache.h)."""
    try:
        data = Path(_LOADER_CACHE).read_bytes()
        start = data.index(_CACHE_MAGIC)
    except (OSError, ValueError):
        return {}
    data = data[start:]
    (count,) = struct.unpack_from("<I", data, len(_CACHE_MAGIC))
    places: dict[str, list[str]] = {}
    for i in range(count):
        _, key, value = struct.unpack_from("<iII", data, 48 + 24 * i)
        places.setdefault(_text(data, key), []).append(_text(data, value))
    return places


def _dynamic_section(path: str) -> tuple[str, list[str], list[str]]:
    """An ELF file's loader, the names of the libraries that it needs, and the folders it names for them.

    Raises:
        ValueError: it is no 64-bit little-endian ELF file.
    """
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path} is no library of this machine")
        (offset,) = struct.unpack_from("<Q", data, 32)
        size, count = struct.unpack_from("<HH", data, 54)
        interpreter, dynamic, loaded = "", (0, 0), []
        for i in range(count):
            kind, _, at, address, _, length = struct.unpack_from("<IIQQQQ", data, offset + i * size)
            if kind == 1:
                loaded.append((address, at, length))
            elif kind == 2:
                dynamic = (at, length)
            elif kind == 3:
                interpreter = _text(data, at)
        tags = [struct.unpack_from("<qQ", data, dynamic[0] + i) for i in range(0, dynamic[1], 16)]
        table = dict(tags).get(5, 0)
        strings = next((at + table - a for a, at, length in loaded if a <= table < a + length), 0)
        needed = [_text(data, strings + value) for tag, value in tags if tag == 1]
        folders = [_text(data, strings + value) for tag, value in tags if tag in (15, 29)]
        return interpreter, needed, [f for line in folders for f in line.split(":") if f]


def _text(data: bytes | mmap.mmap, at: int) -> str:
    return os.fsdecode(data[at : data.find(b"\0", at)])
