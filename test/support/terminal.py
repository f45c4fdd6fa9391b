"""Runs a command on a terminal of its own and talks to it.

usage: terminal.py STEPS COMMAND [ARG ...]

STEPS is a JSON list of [expected, answer, mode]: the answer is typed once the text is seen after what was seen
before, and the terminal is in the mode: "raw" where a shell edits a line, "cooked" where a program reads lines. What
is typed between the two gets lost.
Prints JSON: everything the terminal showed, how the command ended (null if a step was not seen within 20
seconds, and it was killed), and the step that was waited for then.
"""
import json, os, pty, select, signal, sys, termios, time

steps, command = json.loads(sys.argv[1]), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)

shown, seen, missed = "", 0, None


def read(seconds):
    """False at the end of the terminal, which is when nobody has it open any more."""
    global shown
    ready, _, _ = select.select([terminal], [], [], seconds)
    if not ready:
        return True
    try:
        data = os.read(terminal, 65536)
    except OSError:
        return False
    shown += data.decode(errors="replace")
    return data != b""


def mode():
    return "cooked" if termios.tcgetattr(terminal)[3] & termios.ICANON else "raw"


for expected, answer, wanted in steps:
    deadline = time.monotonic() + 20
    alive = True
    while alive and (expected not in shown[seen:] or mode() != wanted) and time.monotonic() < deadline:
        alive = read(0.05)
    if expected not in shown[seen:] or mode() != wanted:
        missed = expected
        break
    seen = shown.index(expected, seen) + len(expected)
    os.write(terminal, answer.encode())

deadline = time.monotonic() + (0 if missed else 20)
while read(0.2) and time.monotonic() < deadline:
    pass
ended, status = os.waitpid(pid, os.WNOHANG)
while ended == 0 and missed is None and time.monotonic() < deadline:
    time.sleep(0.02)
    ended, status = os.waitpid(pid, os.WNOHANG)
if ended == 0:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
print(json.dumps({"shown": shown, "missed": missed, "status": os.waitstatus_to_exitcode(status) if ended else None}))
