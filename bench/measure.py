"""Runs a command: one line of JSON with wall and CPU seconds (descendants included) and MB of memory.

usage: measure.py COMMAND ARGUMENT...   memory: the most that all its processes had at once, seen every 20 ms
"""

import json
import os
import resource
import subprocess
import sys
import threading
import time

PAGE = os.sysconf("SC_PAGESIZE")


def resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm") as file:
            total = int(file.read().split()[1]) * PAGE
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                total += sum(resident(int(child)) for child in file.read().split())
        return total
    except OSError:
        return 0


start = time.monotonic()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
most = [0]


def watch() -> None:
    while child.returncode is None:
        most[0] = max(most[0], resident(child.pid))
        time.sleep(0.02)


threading.Thread(target=watch, daemon=True).start()
complaint = child.communicate()[1]
wall = time.monotonic() - start
if child.returncode != 0:
    sys.exit(f"{' '.join(sys.argv[1:])}: {complaint.decode()}")
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"wall": wall, "cpu": used.ru_utime + used.ru_stime, "memory": most[0] / 1e6}))
