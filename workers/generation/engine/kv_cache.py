"""Keys and values in a buffer with room to spare, whose rows can be given to new requests."""

from __future__ import annotations

import torch
from transformers.cache_utils import DynamicLayer

COLUMNS = 64  # the buffers grow by this many tokens at a time


class GrowingLayer(DynamicLayer):
    """DynamicLayer that writes into a buffer with room to spare, instead of copying each step."""

    def update(self, key_states, value_states, *args, **kwargs):
        """Append (rows, heads, new, size) and return all, as DynamicLayer does."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.room_k = key_states.new_empty((*key_states.shape[:2], 0, key_states.shape[3]))
            self.room_v = value_states.new_empty(
                (*value_states.shape[:2], 0, value_states.shape[3])
            )
            self.used = 0
        end = self.used + key_states.shape[-2]
        if end > self.room_k.shape[-2]:
            self.resize(end)
        self.room_k[:, :, self.used : end] = key_states
        self.room_v[:, :, self.used : end] = value_states
        self.show(end)
        return self.keys, self.values

    def resize(self, columns: int) -> None:
        """Make room for at least ``columns`` tokens, keeping what is there."""
        columns = -(-columns // COLUMNS) * COLUMNS
        self.room_k = _wider(self.room_k, columns, self.used)
        self.room_v = _wider(self.room_v, columns, self.used)

    def show(self, used: int) -> None:
        """Say how many columns count."""
        self.used = used
        self.keys = self.room_k[:, :, :used]
        self.values = self.room_v[:, :, :used]

    def select(self, rows: torch.Tensor) -> None:
        """Keep these rows, in this order; a row may come several times."""
        self.room_k = self.room_k.index_select(0, rows)
        self.room_v = self.room_v.index_select(0, rows)
        self.show(self.used)

    def put(self, lanes: torch.Tensor, other: GrowingLayer, rows: torch.Tensor) -> None:
        """Write rows of another layer into lanes, so that both end at the same column.

        What stood in the lanes is zeroed: a masked NaN would still be a NaN.
        """
        begin = self.used - other.used
        for room, source in ((self.room_k, other.keys), (self.room_v, other.values)):
            block = room.new_zeros((len(lanes), room.shape[1], self.used, room.shape[3]))
            block[:, :, begin:] = source.index_select(0, rows)
            room[lanes, :, : self.used] = block

    def drop_left(self, columns: int) -> None:
        """Forget the oldest columns, which no lane uses any more."""
        keep = self.used - columns
        for room in (self.room_k, self.room_v):
            room[:, :, :keep] = room[:, :, columns : self.used].clone()
        self.show(keep)


def _wider(room: torch.Tensor, columns: int, used: int) -> torch.Tensor:
    wider = room.new_empty((*room.shape[:2], columns, room.shape[3]))
    wider[:, :, :used] = room[:, :, :used]
    return wider
