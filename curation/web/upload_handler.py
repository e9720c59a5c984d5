"""Uploads that are too large for memory, on disk without a name."""

import tempfile
from typing import Any

from django.conf import settings
from django.core.files import uploadhandler
from django.core.files.uploadedfile import UploadedFile


class FileUploadHandler(uploadhandler.FileUploadHandler):
    """Like Django's handler for temporary files, but its file has no name: the system takes it away with
    the last process that has it open, so one that is killed in the middle leaves nothing behind."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        file = tempfile.TemporaryFile(dir=settings.HOME)  # noqa: SIM115  (closed with the request)
        self.file = UploadedFile(
            file, self.file_name, self.content_type, 0, self.charset, self.content_type_extra
        )

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            self.file.write(raw_data)
        except OSError:  # a full disk gets its room back at once, not when the collector comes by
            self.file.close()
            raise

    def file_complete(self, file_size: int) -> UploadedFile:
        self.file.seek(0)
        self.file.size = file_size
        return self.file

    def upload_interrupted(self) -> None:
        if hasattr(self, "file"):
            self.file.close()
