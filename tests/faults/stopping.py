"""A store that stops at one of its changes: by an error that passes, or as if the process had been killed there."""

from tutorial_zarr.stores import WrapperStore


class StoppedError(Exception):
    """Stands for the end of the process, or for a store that fails."""


class Stopping(WrapperStore):
    """Fails at the change number `left`; with `dead`, at all that come after it as well."""

    left, dead = 10**6, True

    def _count(self):
        self.left -= 1
        if self.left == -1 or (self.left < 0 and self.dead):
            raise StoppedError("here the process ends")

    def set(self, key, value):
        self._count()
        super().set(key, value)

    def set_if(self, key, value, tag, writer=""):
        self._count()
        return super().set_if(key, value, tag, writer)

    def get_tagged(self, key):
        return self.store.get_tagged(key)

    def delete(self, key):
        self._count()
        super().delete(key)
