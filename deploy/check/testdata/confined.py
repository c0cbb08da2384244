"""Runs a program under the SystemCallFilter= lines of a systemd unit: confined.py UNIT PROGRAM ARG...

A call that the lines do not allow fails with EPERM, as SystemCallErrorNumber=EPERM has it.
"""
import os
import subprocess
import sys

import seccomp


def members(name):
    """The names of the calls in a set, such as @system-service, or of one call."""
    if not name.startswith("@"):
        return {name}
    calls = set()
    for line in subprocess.check_output(["systemd-analyze", "syscall-filter", name], text=True).splitlines()[1:]:
        word = line.strip()
        if word and not word.startswith("#"):
            calls |= members(word)
    return calls


allowed = set()
for line in open(sys.argv[1]):
    key, _, value = line.strip().partition("=")
    if key != "SystemCallFilter":
        continue
    if value.startswith("~"):
        for name in value[1:].split():
            allowed -= members(name)
    else:
        for name in value.split():
            allowed |= members(name)
allowed |= members("@default") | {"execve"}  # systemd always allows these

f = seccomp.SyscallFilter(seccomp.ERRNO(1))
for name in sorted(allowed):
    try:
        f.add_rule(seccomp.ALLOW, name)
    except (RuntimeError, ValueError, OSError):
        pass  # of another architecture
f.load()
os.execv(sys.argv[2], sys.argv[2:])
