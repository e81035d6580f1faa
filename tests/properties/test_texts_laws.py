"""Laws of what reaches a phone: our own texts always may, what somebody planted in a name never does."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from consumer.core.egress import refusal
from consumer.core.event import Event
from consumer.core.gsm7 import Encoding, encoding, parts
from consumer.core.leaks import leaks
from consumer.core.masking import at_level, masked_values
from consumer.core.names import NAME_CHARACTERS_MAX, cleaned
from consumer.core.preferences import DetailLevel
from consumer.core.text import Text
from tests.builders import account, transaction
from tests.properties.telling_strategies import NAMES, NUMBERS, ZONES, card_numbers, events, grouped, ibans, kinds_of
from tests.texts import SHIPPED, told

LEVELS = st.sampled_from(DetailLevel)
LANGUAGES = st.sampled_from([*SHIPPED.languages, "it-CH", "de"])
HOSTS = st.sampled_from(
    ["evil-bank.example", "login.evil-bank.com", "10.11.12.13", "www.evil-bank.zip", "xn--evl-1ma.it"]
)
SCHEMES = st.sampled_from(["", "http://", "https://", "HTTPS://"])
PATHS = st.sampled_from(["", "/", "/login?x=1", ":8080", "#a"])


def texts(event: Event, level: DetailLevel, language: str, zone: str) -> list[Text]:
    return [told(event, kind.name, level=level, language=language, time_zone=zone) for kind in kinds_of(event)]


def free(text: Text) -> str:
    """What others wrote, in capitals, without anything between letters and digits."""
    return "".join(filter(str.isalnum, " ".join(text.free))).upper()


@settings(max_examples=200)
@given(events(st.none() | NAMES), LEVELS, LANGUAGES, ZONES)
def test_the_guard_never_refuses_our_own_texts_whatever_a_counterparty_is_called(
    event: Event, level: DetailLevel, language: str, zone: str
) -> None:
    for text in texts(event, level, language, zone):
        assert refusal(text) is None
        assert encoding(text.body) is Encoding.GSM7
        assert text.parts == parts(text.body)


@settings(max_examples=100)
@given(st.data(), grouped(card_numbers()), NAMES, LANGUAGES)
def test_a_card_number_in_a_name_never_reaches_a_text(data: st.DataObject, card: str, name: str, language: str) -> None:
    event = data.draw(events(st.sampled_from([card, f"{name} {card}", f"{card}{name}", f"{card} {name}"])))
    number = "".join(filter(str.isdigit, card))

    for text in texts(event, DetailLevel.FULL, language, "UTC"):
        assert number not in free(text)


@settings(max_examples=100)
@given(st.data(), grouped(ibans()), NAMES, LANGUAGES)
def test_an_iban_in_a_name_never_reaches_a_text(data: st.DataObject, iban: str, name: str, language: str) -> None:
    event = data.draw(events(st.sampled_from([iban, f"{name} {iban}", f"({iban}) {name}", iban.lower()])))
    number = "".join(filter(str.isalnum, iban))

    for text in texts(event, DetailLevel.FULL, language, "UTC"):
        assert number not in free(text)


@settings(max_examples=100)
@given(st.data(), SCHEMES, HOSTS, PATHS, NAMES)
def test_a_link_in_a_name_never_reaches_a_text(
    data: st.DataObject, scheme: str, host: str, path: str, name: str
) -> None:
    url = f"{scheme}{host}{path}"
    event = data.draw(events(st.sampled_from([url, f"{name} {url}", f"{url} {name}", f"({url}) {name}", url.upper()])))

    for text in texts(event, DetailLevel.FULL, "it", "UTC"):
        assert host not in text.body.lower()
        assert "://" not in text.body


@settings(max_examples=100)
@given(events(NAMES), LANGUAGES)
def test_a_level_shows_nothing_that_a_higher_one_is_needed_for(event: Event, language: str) -> None:
    for text in texts(event, DetailLevel.NONE, language, "UTC"):
        assert not any(currency in text.body for currency in ("EUR", "GBP", "JPY", "KWD", "CHF", "IDR", "XYZ"))
    shown = [set(masked_values(event, level)) for level in DetailLevel]
    assert shown[0] <= shown[1] <= shown[2]
    assert shown[1] - shown[0] <= {"amount"}


@settings(max_examples=100)
@given(events(NAMES), LEVELS, LEVELS)
def test_what_was_masked_once_comes_down_to_the_same(event: Event, then: DetailLevel, now: DetailLevel) -> None:
    assert at_level(masked_values(event, then), now) == masked_values(event, then.lower_of(now))


@settings(max_examples=200)
@given(NAMES | st.text(max_size=300))
def test_a_clean_name_is_short_harmless_and_stays_as_it_is(name: str) -> None:
    clean = cleaned(name)
    assume(clean is not None)
    assert clean is not None

    assert list(leaks(clean)) == []
    assert len(clean) <= NAME_CHARACTERS_MAX
    assert cleaned(clean) == clean


@settings(max_examples=100)
@given(NUMBERS)
def test_no_more_of_an_account_number_is_shown_than_stays_hidden(number: str) -> None:
    masked = masked_values(transaction(account=account(number=number)), DetailLevel.FULL).get("account")

    shown = "" if masked is None else masked.last_four  # type: ignore[union-attr]
    assert 2 * len(shown) <= len(number)
    assert "".join(filter(str.isalnum, number)).endswith(shown) or not number.isascii()
