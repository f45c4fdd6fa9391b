"""Starts a command many times, kills it at a random moment, and waits until every descendant is gone.

usage: killer.py COUNT LONGEST_SECONDS SEED COMMAND [ARG ...]

As a child subreaper it inherits whatever a killed parent leaves, so nothing can hide by being orphaned.
Prints JSON: how often each signal was sent, how runs ended, and the command lines of whatever outlived a run
by five seconds (which it then kills).
"""
import ctypes, json, os, random, signal, sys, time

count, longest, seed, command = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
PR_SET_CHILD_SUBREAPER = 36
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
chance = random.Random(seed)
sent, ended, survivors = {}, {}, []


def children():
    me, found = os.getpid(), []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as file:
                if int(file.read().rsplit(")", 1)[1].split()[1]) == me:
                    with open(f"/proc/{entry}/cmdline") as line:
                        found.append((int(entry), line.read().replace("\0", " ")))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


for turn in range(count):
    number = chance.choice([signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
    ready, started = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        devnull = os.open("/dev/null", os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(devnull, descriptor)
        os.execvp(command[0], command)
    # Closed by the start of the command, which then leads a session of its own.
    os.close(started)
    os.read(ready, 1)
    os.close(ready)
    time.sleep(chance.random() * longest)
    name = signal.Signals(number).name
    sent[name] = sent.get(name, 0) + 1
    # Ctrl-C reaches the whole foreground group; the others are sent to the one process.
    (os.killpg if number == signal.SIGINT else os.kill)(child, number)
    deadline = time.monotonic() + 5
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            ended[code] = ended.get(code, 0) + 1
        elif pid == 0:
            if time.monotonic() > deadline:
                survivors += [line for _, line in children()]
                for other, _ in children():
                    os.kill(other, signal.SIGKILL)
                deadline = time.monotonic() + 5
            time.sleep(0.002)

print(json.dumps({"sent": sent, "ended": ended, "survivors": survivors}))
