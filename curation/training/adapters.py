"""The trained adapter as one file to take away: a zip, written while it is sent."""

import io
import zipfile
from collections.abc import Iterator

from curation import artifacts
from curation.training.models import TrainingJob

CHUNK = 256 * 1024
# What a LoRA adapter is made of. Weights are safetensors: nothing that could run code leaves here.
SUFFIXES = (".safetensors", ".json", ".jinja", ".md", ".model", ".txt")


def adapter_files(job: TrainingJob) -> list[str]:
    """Names of the files of the job's adapter; empty while there is none."""
    names = artifacts.files_in(f"{job.folder}/out/adapter")
    if "adapter_model.safetensors" not in names:
        return []
    return [name for name in names if name.endswith(SUFFIXES)]


class _Outlet(io.RawIOBase):
    """Takes what the zip writes and gives it away in pieces; it cannot seek, so zip does not try."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self.pieces = b"".join(self.pieces), []
        return taken


def zipped(job: TrainingJob, names: list[str]) -> Iterator[bytes]:
    """The files as a zip, in constant memory. Stored, not packed: weights do not get smaller."""
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name in names:
            with (
                artifacts.open_artifact(f"{job.folder}/out/adapter/{name}") as source,
                archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as target,
            ):
                while chunk := source.read(CHUNK):
                    target.write(chunk)
                    yield outlet.take()
    yield outlet.take()
