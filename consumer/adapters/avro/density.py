"""How much more there may be in memory than in a record: a few bytes can be made to become many values."""

from consumer.adapters.avro.types import ArrayType, MapType, RecordType, Type, UnionType, bytes_min

VALUES_MAX = 327_680
"""That may be built of one record: at worst some 200 bytes each."""


def density(of: Type) -> float:
    """The most values that one byte may become wherever the bytes say how often something is repeated; 1 at least."""
    match of:
        case RecordType(fields=fields):
            return max((density(field.type) for field in fields), default=1.0)
        case UnionType(branches=branches):
            return max(map(density, branches))
        case ArrayType(items=items):
            return _repeated(items)
        case MapType(values=values):
            return _repeated(values) if bytes_min(values) else 1.0 + _values_of_nothing(values)
        case _:
            return 1.0


def _repeated(of: Type) -> float:
    """The same for a part that is repeated; it takes a byte at least."""
    match of:
        case RecordType(fields=fields):
            free = sum(_values_of_nothing(field.type) for field in fields)
            densest = max((_repeated(field.type) for field in fields if bytes_min(field.type)), default=0.0)
            return (1 + free) / bytes_min(of) + densest
        case UnionType(branches=branches):
            return max(float(_values_of_nothing(one)) if not bytes_min(one) else _repeated(one) for one in branches)
        case ArrayType() | MapType():
            return density(of)
        case _:
            return 1.0


def _values_of_nothing(of: Type) -> int:
    """How many values stand there without a byte for them; 0 where it takes one."""
    if bytes_min(of):
        return 0
    if isinstance(of, RecordType):
        return 1 + sum(_values_of_nothing(field.type) for field in of.fields)
    return 1
