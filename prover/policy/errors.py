"""What a model may fail with."""


class ModelError(Exception):
    """A model or an adapter cannot be loaded or run as asked. One line, with the mend."""
