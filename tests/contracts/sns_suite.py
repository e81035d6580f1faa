"""What any SNS must do with our texts: one suite for the scripted endpoint and for moto."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from consumer.adapters.sns import SnsProvider
from consumer.core.delivery import Accepted, Outcome
from consumer.core.preferences import Phone
from consumer.ports import SmsProvider
from tests.contracts.sns_bench import sms

THREADS = 20
TEXTS_PER_THREAD = 5


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A text that the other side took."""

    phone: str
    text: str
    message_id: str


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """A provider, and what the other side has taken from it so far."""

    provider: SnsProvider
    sent: Callable[[], Sequence[Sent]]


class SendSuite:
    """Subclasses bring the fixture `wire`."""

    def test_a_text_is_accepted_under_the_id_that_the_other_side_gave_it(self, wire: Wire) -> None:
        outcome = wire.provider.publish(sms())

        (sent,) = wire.sent()
        assert isinstance(outcome, Accepted)
        assert outcome.message_id == sent.message_id

    def test_one_publish_is_one_text_to_one_phone(self, wire: Wire) -> None:
        wire.provider.publish(sms(phone=Phone("+393331112222"), text="first"))
        wire.provider.publish(sms(phone=Phone("+447700900123"), text="second"))

        assert [(sent.phone, sent.text) for sent in wire.sent()] == [
            ("+393331112222", "first"),
            ("+447700900123", "second"),
        ]

    @pytest.mark.parametrize(
        "text",
        [
            "Addebito di EUR 250,00 sul conto ..3456 alle 14:30",
            "perché così è: àèéìòù",
            "€ ^ { } [ ] ~ \\ |",
            "a+b & c=d % 100 ; <b>not bold</b> \"quoted\" 'too'",
            "two\nlines",
            " spaces at both ends ",
            "Ελληνικά, кириллица, 日本語, العربية",
            "👩\u200d👩\u200d👧 family",
        ],
    )
    def test_a_text_arrives_as_it_was_written(self, wire: Wire, text: str) -> None:
        wire.provider.publish(sms(text=text))

        assert [sent.text for sent in wire.sent()] == [text]

    def test_a_text_of_1600_characters_is_accepted(self, wire: Wire) -> None:
        outcome = wire.provider.publish(sms(text="è" * 1600))

        assert isinstance(outcome, Accepted)
        assert [len(sent.text) for sent in wire.sent()] == [1600]

    def test_twenty_threads_send_each_text_once_and_every_id_is_another(self, wire: Wire) -> None:
        phones = [Phone(f"+3934012{number:05d}") for number in range(THREADS * TEXTS_PER_THREAD)]

        def send(phone: Phone) -> Outcome:
            return wire.provider.publish(sms(phone=phone))

        with ThreadPoolExecutor(THREADS) as threads:
            outcomes = list(threads.map(send, phones))

        ids = {outcome.message_id for outcome in outcomes if isinstance(outcome, Accepted)}
        assert len(ids) == len(phones)
        assert sorted(sent.phone for sent in wire.sent()) == [phone.e164 for phone in phones]

    def test_a_probe_is_answered_and_sends_nothing(self, wire: Wire) -> None:
        outcome = wire.provider.probe()

        assert isinstance(outcome, Accepted)
        assert outcome.message_id == ""
        assert wire.sent() == []

    def test_the_provider_is_what_the_port_asks_for(self, wire: Wire) -> None:
        port: SmsProvider = wire.provider

        assert isinstance(port.publish(sms()), Accepted)
