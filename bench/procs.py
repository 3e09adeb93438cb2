"""Processes under measurement: starting them pinned, their CPU clocks, memory and descriptors."""

import os
import signal
import subprocess
import time

PROXY_CPU = 0
METER_CPU = 1
CLOCK_TICK = os.sysconf("SC_CLK_TCK")


def spawn(argv, cpu, log_path=None, env=None, cwd=None, stdin=None, stdout=None):
    """Starts argv pinned to one CPU, in a process group of its own."""
    log = open(log_path, "ab") if log_path else subprocess.DEVNULL
    full_env = dict(os.environ, **(env or {}))
    return subprocess.Popen(["taskset", "-c", str(cpu), *map(str, argv)], env=full_env, cwd=cwd,
                            stdin=stdin or subprocess.DEVNULL, stdout=stdout or log, stderr=log,
                            start_new_session=True)


def stop(process, patience=5):
    """Ends a process that spawn started, and its group."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def _stat_fields(pid):
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rpartition(")")[2].split()


def tree(root):
    """root and all its living descendants."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parents[int(name)] = int(_stat_fields(name)[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    found, grown = {root}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return sorted(found)


def cpu_ns(pid):
    """The process CPU clock: every thread, finished ones too, in nanoseconds."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return 0


def user_share(pids, before=None):
    """(user ticks, system ticks) of pids, less `before`."""
    user = system = 0
    for pid in pids:
        try:
            fields = _stat_fields(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
        user += int(fields[11])
        system += int(fields[12])
    return (user - before[0], system - before[1]) if before else (user, system)


def rss_kb(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/status") as f:
            for line in f:
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1])
    return total


def open_descriptors(pids):
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)


def machine_busy_ns():
    """Time both CPUs spent on anything (stolen time too: the hypervisor's other guests disturb as well)."""
    with open("/proc/stat") as f:
        fields = [int(x) for x in f.readline().split()[1:9]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields
    return (user + nice + system + irq + softirq + steal) * 1_000_000_000 // CLOCK_TICK


class ForeignWatch:
    """CPU time that is not ours, as a share of one CPU, from construction to `percent()`."""

    def __init__(self, our_pids):
        self.pids = [*our_pids, os.getpid()]
        self.started = time.monotonic_ns()
        self.busy = machine_busy_ns()
        self.ours = self._ours()

    def _ours(self):
        children = os.times()
        reaped = int((children.children_user + children.children_system) * 1e9)
        return sum(cpu_ns(pid) for pid in self.pids) + reaped

    def percent(self):
        elapsed = time.monotonic_ns() - self.started
        foreign = (machine_busy_ns() - self.busy) - (self._ours() - self.ours)
        return max(0.0, 100.0 * foreign / elapsed)
