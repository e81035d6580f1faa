"""Writers' schemas from the registry of AWS Glue, remembered: a version never changes."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Self
from uuid import UUID

import boto3
from botocore import exceptions as aws
from botocore.config import Config

from consumer.adapters.registry.memory import UNKNOWN_FOR_S, Asking, Memory, Refusal, at_once
from consumer.errors import Unavailable

_WHAT = "glue"
_ATTEMPTS_MAX = 3
_ABOUT_THE_QUESTION = frozenset({"EntityNotFoundException", "InvalidInputException"})
_STALE = frozenset({"ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"})


class GlueSchemas:
    """Asks once for each version of a schema; any number of threads may use it.

    Credentials come by boto3's own search; they need `glue:GetSchemaVersion`. Asked `at_once`, a question blocks the
    thread that asks: at most three attempts, each with `timeout_s` to connect and as much for each wait for bytes.
    """

    def __init__(
        self,
        *,
        region: str,
        timeout_s: float,
        endpoint_url: str | None = None,
        unknown_for_s: float = UNKNOWN_FOR_S,
        asking: Asking = at_once,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is asked yet, not even for credentials."""
        self._region = region
        self._timeout_s = timeout_s
        self._endpoint_url = endpoint_url
        self._memory = Memory(unknown_for_s=unknown_for_s, clock=clock, asking=asking)
        self._lock = threading.Lock()
        self._client: Any = None

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let the connections go."""
        with self._lock:
            if self._client is not None:
                self._client.close()

    def by_version(self, version: UUID) -> str:
        """The Avro schema in JSON; as `ports.SchemaVersions` promises."""
        return self._memory.schema(str(version), lambda: self._ask(str(version)))

    def _ask(self, version: str) -> str | Refusal | None:
        try:
            answer = self._current().get_schema_version(SchemaVersionId=version)
        except aws.ClientError as problem:
            code = str(problem.response.get("Error", {}).get("Code", ""))
            if code in _ABOUT_THE_QUESTION:
                return None
            if code in _STALE:
                self._client = None  # the next question looks for credentials anew
            raise Unavailable(_WHAT, code if code.isidentifier() else "refused") from None
        except aws.BotoCoreError as problem:
            raise Unavailable(_WHAT, type(problem).__name__) from None
        except Exception:  # noqa: BLE001 - of what is no answer of AWS's, a proxy's page say, its parsers make anything
            raise Unavailable(_WHAT, "not_a_registry") from None
        return _schema(answer)

    def _current(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = boto3.Session().client(
                    "glue",
                    region_name=self._region,
                    endpoint_url=self._endpoint_url,
                    config=Config(
                        retries={"total_max_attempts": _ATTEMPTS_MAX, "mode": "standard"},
                        connect_timeout=self._timeout_s,
                        read_timeout=self._timeout_s,
                    ),
                )
            return self._client


def _schema(answer: Mapping[str, Any]) -> str | Refusal:
    format_, schema = answer.get("DataFormat"), answer.get("SchemaDefinition")
    if not isinstance(format_, str) or not isinstance(schema, str):
        raise Unavailable(_WHAT, "not_a_registry")
    return schema if format_ == "AVRO" else Refusal("the registry's schema is not Avro")
