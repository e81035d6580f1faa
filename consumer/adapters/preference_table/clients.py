"""How the clients are set that read the topic, and that ask about it."""

from collections.abc import Mapping

_LOG_LEVEL = 2
"""Of librdkafka's own lines, unless set: what it says of lesser things comes through its error callback too, as a code."""
_OWN: Mapping[str, str | bool] = {
    "group.id": "avviso-preferences",  # librdkafka wants one; nothing is joined and nothing committed
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "isolation.level": "read_committed",
    "enable.partition.eof": True,
}
_GROUP_ONLY = ("group.protocol", "group.instance.id", "group.remote.assignor", "partition.assignment.strategy")


def common(settings: Mapping[str, str | int | float | bool]) -> dict[str, object]:
    """The given settings without those of a group's member, which neither is."""
    group_free = {name: value for name, value in settings.items() if name not in _GROUP_ONLY}
    return {"client.id": "avviso", "log_level": _LOG_LEVEL, **group_free}


def reading(settings: Mapping[str, str | int | float | bool]) -> dict[str, object]:
    """Those with which the topic is read: what decides over that is ours alone."""
    return {**common(settings), **_OWN}
