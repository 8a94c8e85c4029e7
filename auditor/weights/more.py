"""How a header parser says that the bytes at hand are not enough."""


class NeedMoreError(Exception):
    """The header goes on beyond the bytes at hand: the start of the file up to ``length`` is wanted."""

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length
