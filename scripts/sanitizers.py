"""How a program built with sanitizers is started, so that a finding ends it and names its lines."""

import functools
import os
import subprocess

_OPTIONS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


def environment():
    """This environment, with the sanitizers' options. What the caller has set stays."""
    env = dict(os.environ)
    for name, value in _OPTIONS.items():
        env.setdefault(name, value)
        env.setdefault(name.replace("OPTIONS", "SYMBOLIZER_PATH"), "/usr/bin/llvm-symbolizer-16")
    return env


@functools.cache
def prefix():
    """Words to put before a command. clang 16's sanitizers cannot map their shadow where the kernel spreads
    addresses over more than 28 bits, so spreading is switched off where that is allowed."""
    try:
        with open("/proc/sys/vm/mmap_rnd_bits", encoding="ascii") as file:
            if int(file.read()) <= 28:
                return ()
    except (OSError, ValueError):
        pass
    words = ("setarch", "-R")
    return words if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0 else ()
