"""Processor time of servers and of the whole machine; latencies as percentiles."""

import contextlib
from typing import Any

import psutil


def cpu_seconds(roots: list[int]) -> float:
    """Processor time of these process trees so far, with that of their children who have ended."""
    total = 0.0
    for root in roots:
        try:
            top = psutil.Process(root)
            for process in [top, *top.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total


def machine_seconds() -> float:
    """Processor time that all programs on this machine have used since it was started."""
    times = psutil.cpu_times()
    return sum(
        getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal")
    )


def percentiles(seconds: list[float]) -> dict[str, Any]:
    """How many, and p50, p95, p99 and the longest in milliseconds; without any: only the count 0."""
    if not seconds:
        return {"count": 0}
    ordered = sorted(seconds)
    marks = {
        f"p{share}_ms": round(1000 * ordered[min(len(ordered) - 1, share * len(ordered) // 100)], 1)
        for share in (50, 95, 99)
    }
    return {"count": len(ordered), **marks, "max_ms": round(1000 * ordered[-1], 1)}
