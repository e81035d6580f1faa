"""The composition root of the commands beside `run`: decide on paper, look into the outbox, mind the schemas."""

from datetime import UTC, datetime
from pathlib import Path

from consumer.adapters import resources
from consumer.adapters.avro import Library, check
from consumer.adapters.catalogue_file import load_catalogue
from consumer.adapters.json_files import UnusableInput, read_event, read_memory, read_preferences
from consumer.adapters.outbox_sqlite import SqliteOutboxReader
from consumer.adapters.registry import Asking, Registered, RegistrationRefused, Registry, Tls, at_once, register
from consumer.adapters.text_files import read_texts
from consumer.core.catalogue import Catalogue
from consumer.core.pseudonym import Pseudonyms
from consumer.core.texts import InvalidTexts, Texts
from consumer.errors import Broken, ExitCode
from consumer.settings import Settings
from consumer.whatif import Answer, Trial

__all__ = [
    "RegistrationRefused",
    "UnusableInput",
    "alerts_of_the_bank",
    "decide_on_paper",
    "outbox_reader",
    "register_schemas",
    "registry_at",
    "schema_problems",
]


def alerts_of_the_bank(settings: Settings) -> tuple[Catalogue, Texts]:
    """The catalogue and its texts, each checked against the other; raises Broken with all that is wrong."""
    catalogue = load_catalogue(settings.catalogue_path or resources.catalogue())
    sources = read_texts(settings.texts_path or resources.texts())
    try:
        texts = Texts.from_sources(
            sources,
            kinds=catalogue.kinds,
            bank=settings.bank_name,
            default_language=settings.default_language,
            parts_max=settings.dispatch.parts_max,
        )
    except InvalidTexts as problem:
        raise Broken(str(problem), ExitCode.SETTINGS) from None
    return catalogue, texts


def decide_on_paper(
    settings: Settings, *, event: Path, preferences: Path, memory: Path | None, now: datetime | None
) -> list[Answer]:
    """What an event in a JSON file comes to for each customer that it names. Raises UnusableInput or Broken."""
    catalogue, texts = alerts_of_the_bank(settings)
    pseudonyms = Pseudonyms(b"nothing of this run is kept")
    happened = read_event(event, resources.schemas())
    trial = Trial(
        catalogue=catalogue,
        texts=texts,
        pseudonyms=pseudonyms,
        memory=read_memory(memory, happened, pseudonyms),
        now=now or datetime.now(UTC),
    )
    return trial.answers(happened, read_preferences(preferences, resources.schemas()))


def outbox_reader(settings: Settings) -> SqliteOutboxReader:
    """The outbox of the settings, beside a running process. Raises Broken where there is none."""
    return SqliteOutboxReader.open(settings.outbox.path)


def schema_problems(folder: Path | None) -> list[str]:
    """What is wrong with the schemas of a folder (None: those that Avviso brings along), a line for each."""
    return [str(problem) for problem in check(folder or resources.schemas())]


def register_schemas(settings: Settings, url: str | None) -> list[Registered]:
    """Tell the registry (at `url`, else that of the settings) the schemas of every topic that is read.

    Raises Broken where there is no registry, RegistrationRefused or Unavailable.
    """
    url = url or settings.registry.url
    if url is None:
        raise Broken("name the registry: --registry URL, or AVVISO_REGISTRY__URL", ExitCode.SETTINGS)
    library = Library(resources.schemas())
    topics = {
        settings.topics.transactions: library.versions("TransactionPosted"),
        settings.topics.balances: library.versions("BalanceChanged"),
        settings.topics.preferences: library.versions("AlertPreferences"),
    }
    with registry_at(settings, url) as registry:
        return register(registry, topics)


def registry_at(settings: Settings, url: str, asking: Asking = at_once) -> Registry:
    """A client of that registry, signing in as the settings say."""
    password, token = settings.registry.password, settings.registry.token
    key_password = settings.registry.client_key_password
    return Registry(
        url,
        tls=Tls(
            ca_bundle=settings.registry.ca_bundle,
            certificate=settings.registry.client_certificate,
            key=settings.registry.client_key,
            key_password=key_password.get_secret_value() if key_password else None,
        ),
        timeout_s=settings.registry.timeout_s,
        username=settings.registry.username,
        password=password.get_secret_value() if password else None,
        token=token.get_secret_value() if token else None,
        asking=asking,
    )
