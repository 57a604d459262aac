"""A Docker engine of the tests' own, which may be stopped and killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import docker


class Engine:
    """An engine without network, with its state in ``folder``; it shares nothing with any other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"unix://{folder}/engine.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str | None:
        """Start it; why that did not work, or None."""
        (self.folder / "daemon.json").write_text("{}")
        command = ["dockerd", "--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/exec",
                   "--pidfile", f"{self.folder}/pid", "--config-file", f"{self.folder}/daemon.json",
                   "-H", self.address, "--bridge=none", "--iptables=false", "--ip6tables=false"]  # fmt: skip
        (self.folder / "pid").unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + 60
        while time.monotonic() < end and self._process.poll() is None:
            done = subprocess.run(["docker", "-H", self.address, "version"], capture_output=True, check=False)
            if done.returncode == 0:
                return None
            time.sleep(0.1)
        self.stop(signal.SIGKILL)
        return (self.folder / "log").read_text(errors="replace")[-500:]

    def stop(self, number: signal.Signals) -> None:
        """Send it a signal and wait for its end, and for that of the daemon that it has started."""
        if self._process is None:
            return
        place = self.folder / "exec" / "containerd" / "containerd.pid"
        daemon = place.read_text().strip() if place.exists() else ""
        self._process.send_signal(number)
        self._process.wait(60)
        end = time.monotonic() + 20
        while daemon and Path("/proc", daemon).exists() and time.monotonic() < end:
            time.sleep(0.02)
        place.unlink(missing_ok=True)  # or the next one would wait for a daemon of that number

    def load(self, tag: str) -> None:
        """Have the image ``tag`` of the usual engine."""
        with subprocess.Popen(["docker", "save", tag], stdout=subprocess.PIPE) as save:
            subprocess.run(
                ["docker", "-H", self.address, "load"], stdin=save.stdout, check=True, capture_output=True
            )

    def containers(self) -> list[str]:
        """All that are there, running or not."""
        client = docker.DockerClient(base_url=self.address)
        try:
            return [str(row["Id"]) for row in client.api.containers(all=True)]
        finally:
            client.close()

    def remove(self) -> None:
        """End it and remove its folder, with what a killed one has left mounted."""
        self.stop(signal.SIGTERM)
        for place in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"{self.folder}/exec/".encode() in (place / "cmdline").read_bytes():
                    os.kill(int(place.name), signal.SIGKILL)
        mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        for mount in sorted((place for place in mounts if place.startswith(f"{self.folder}/")), reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def engine_problem() -> str | None:
    """Why no second engine can be started here."""
    if os.geteuid() != 0:
        return "an engine of the tests' own needs root"
    if shutil.which("dockerd") is None or shutil.which("docker") is None:
        return "dockerd is not installed here"
    return None


def short_folder() -> Path:
    """A folder whose name leaves room for those of sockets in it."""
    return Path(tempfile.mkdtemp(prefix="dg-engine-"))
