"""What the bank's customers read, kind by kind and word by word."""

import pytest

from consumer.core.event import Channel, Counterparty, Direction, Event, TransactionStatus
from consumer.core.gsm7 import Encoding, encoding
from consumer.core.preferences import DetailLevel
from tests.builders import account, balance, euros, transaction
from tests.deciding import CATALOGUE
from tests.texts import SHIPPED, body, told

AUTHORISED, REVERSED = TransactionStatus.AUTHORISED, TransactionStatus.REVERSED
BARE = {"card_last_four": None, "counterparty": Counterparty(), "balance_after": None}


def named(name: str) -> Counterparty:
    return Counterparty(name=name)


PURCHASE = transaction(status=AUTHORISED)
ONLINE = transaction(channel=Channel.ECOMMERCE, status=AUTHORISED, counterparty=named("Zalando"))
CASH = transaction(channel=Channel.ATM, counterparty=named("Via Roma 12"))
SALARY = transaction(
    channel=Channel.SALARY, direction=Direction.CREDIT, card_last_four=None, counterparty=named("ACME S.p.A.")
)
REFUND = transaction(channel=Channel.REFUND, direction=Direction.CREDIT)
UNDONE = transaction(status=REVERSED)
ORDINARY: dict[str, Event] = {
    "large_debit": PURCHASE,
    "card_not_present": ONLINE,
    "atm_withdrawal": CASH,
    "salary_received": SALARY,
    "refund_or_reversal": REFUND,
    "low_balance": balance(),
    "overdrawn": balance(available=euros("-12.50")),
}


@pytest.mark.parametrize(
    ("level", "english", "italian"),
    [
        (
            DetailLevel.NONE,
            "Banca Sol: card payment authorised on 22 Nov at 14:29, card ending 4242.",
            "Banca Sol: 22 nov ore 14:29, pagamento con carta autorizzato, carta *4242.",
        ),
        (
            DetailLevel.SOME,
            "Banca Sol: card payment of EUR 250.00 authorised on 22 Nov at 14:29, card ending 4242.",
            "Banca Sol: 22 nov ore 14:29, pagamento con carta di EUR 250,00 autorizzato, carta *4242.",
        ),
        (
            DetailLevel.FULL,
            (
                "Banca Sol: card payment of EUR 250.00 at Libreria Manzoni authorised on 22 Nov at 14:29, card ending 4242. "
                "Available balance: EUR 1,200.00."
            ),
            (
                "Banca Sol: 22 nov ore 14:29, pagamento con carta di EUR 250,00 presso Libreria Manzoni autorizzato, "
                "carta *4242. Saldo disponibile: EUR 1.200,00."
            ),
        ),
    ],
)
def test_each_level_tells_more(level: DetailLevel, english: str, italian: str) -> None:
    assert body(PURCHASE, "large_debit", level=level) == english
    assert body(PURCHASE, "large_debit", level=level, language="it") == italian


@pytest.mark.parametrize(
    ("channel", "english", "italian"),
    [
        (Channel.CARD_PRESENT, "card payment of EUR 250.00 at Rossi", "pagamento con carta di EUR 250,00 presso Rossi"),
        (Channel.ECOMMERCE, "online card payment of EUR 250.00 at Rossi", "pagamento online di EUR 250,00 su Rossi"),
        (Channel.ATM, "cash withdrawal of EUR 250.00 at Rossi", "prelievo di EUR 250,00 presso Rossi"),
        (Channel.TRANSFER, "transfer of EUR 250.00 to Rossi", "bonifico di EUR 250,00 a Rossi"),
        (
            Channel.DIRECT_DEBIT,
            "direct debit of EUR 250.00 to Rossi",
            "addebito diretto di EUR 250,00 a favore di Rossi",
        ),
        (Channel.CHEQUE, "cheque of EUR 250.00 to Rossi", "assegno di EUR 250,00 a favore di Rossi"),
        (Channel.FEE, "fee of EUR 250.00 to Rossi", "addebito per commissioni di EUR 250,00 a favore di Rossi"),
        (Channel.OTHER, "transaction of EUR 250.00 at Rossi", "movimento di EUR 250,00 presso Rossi"),
    ],
)
def test_money_that_leaves_is_called_by_its_channel(channel: Channel, english: str, italian: str) -> None:
    event = transaction(channel=channel, counterparty=named("Rossi"))

    assert english in body(event, "large_debit")
    assert italian in body(event, "large_debit", language="it")


@pytest.mark.parametrize(
    ("status", "english", "italian"),
    [(AUTHORISED, "authorised", "autorizzato"), (TransactionStatus.POSTED, "booked", "contabilizzato")],
)
def test_what_is_reserved_and_what_is_booked_are_told_apart(
    status: TransactionStatus, english: str, italian: str
) -> None:
    event = transaction(status=status)

    for kind in ("large_debit", "card_not_present", "atm_withdrawal"):
        assert f" {english} " in body(event, kind, level=DetailLevel.NONE)
        assert f" {italian}," in body(event, kind, level=DetailLevel.NONE, language="it")


def test_a_card_used_at_a_distance_says_what_to_do() -> None:
    assert body(ONLINE, "card_not_present") == (
        "Banca Sol: online card payment of EUR 250.00 at Zalando authorised on 22 Nov at 14:29, card ending 4242. "
        "Not you? Call the number on your card."
    )
    assert body(ONLINE, "card_not_present", language="it") == (
        "Banca Sol: 22 nov ore 14:29, pagamento online di EUR 250,00 su Zalando autorizzato, carta *4242. "
        "Non lo riconosci? Chiama il numero sulla carta."
    )


def test_pay_that_arrived() -> None:
    assert body(SALARY, "salary_received") == (
        "Banca Sol: salary of EUR 250.00 from ACME S.p.A. received on 22 Nov at 14:29, account ending 3456. "
        "Available balance: EUR 1,200.00."
    )
    assert body(SALARY, "salary_received", language="it") == (
        "Banca Sol: 22 nov ore 14:29, stipendio di EUR 250,00 da ACME S.p.A. accreditato, conto *3456. "
        "Saldo disponibile: EUR 1.200,00."
    )


def test_a_refund_and_a_reversal_are_told_apart() -> None:
    assert "refund of EUR 250.00 from Libreria Manzoni credited on" in body(REFUND, "refund_or_reversal")
    assert "rimborso di EUR 250,00 da Libreria Manzoni accreditato" in body(REFUND, "refund_or_reversal", language="it")
    assert "card payment of EUR 250.00 at Libreria Manzoni reversed on" in body(UNDONE, "refund_or_reversal")
    assert "pagamento con carta di EUR 250,00 presso Libreria Manzoni stornato" in body(
        UNDONE, "refund_or_reversal", language="it"
    )


@pytest.mark.parametrize("direction", Direction)
def test_an_undone_transfer_does_not_say_which_way_the_money_went(direction: Direction) -> None:
    """Core systems differ: some publish the way of the transfer, some that of the money coming back."""
    event = transaction(channel=Channel.TRANSFER, status=REVERSED, direction=direction, counterparty=named("Rossi"))

    assert "transfer of EUR 250.00 (Rossi) reversed" in body(event, "refund_or_reversal")
    assert "bonifico di EUR 250,00 (Rossi) stornato" in body(event, "refund_or_reversal", language="it")


def test_a_balance_is_told_at_level_full_only() -> None:
    low = balance(available=euros("40.00"))

    assert body(low, "low_balance") == (
        "Banca Sol: on 22 Nov at 14:29 the available balance of your account ending 3456 was EUR 40.00, "
        "below your alert limit."
    )
    assert body(low, "low_balance", language="it", level=DetailLevel.SOME) == (
        "Banca Sol: 22 nov ore 14:29, il saldo disponibile del tuo conto *3456 era sotto la tua soglia di avviso."
    )


def test_less_than_nothing() -> None:
    overdrawn = balance(available=euros("-12.50"))

    assert body(overdrawn, "overdrawn") == (
        "Banca Sol: on 22 Nov at 14:29 your account ending 3456 was overdrawn. Available balance: EUR -12.50."
    )
    assert body(overdrawn, "overdrawn", language="it", level=DetailLevel.NONE) == (
        "Banca Sol: 22 nov ore 14:29, il tuo conto *3456 era scoperto."
    )


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Banca Sol: card payment of EUR 250.00 booked on 22 Nov at 14:29."),
        ("it", "Banca Sol: 22 nov ore 14:29, pagamento con carta di EUR 250,00 contabilizzato."),
    ],
)
def test_what_an_event_lacks_leaves_no_gap(language: str, sentence: str) -> None:
    event = transaction(account=account(number=""), **BARE)

    assert body(event, "large_debit", language=language) == sentence


@pytest.mark.parametrize("language", SHIPPED.languages)
@pytest.mark.parametrize("level", DetailLevel)
@pytest.mark.parametrize("kind", [kind.name for kind in CATALOGUE.kinds])
def test_an_ordinary_text_is_one_part_of_gsm7(kind: str, level: DetailLevel, language: str) -> None:
    text = told(ORDINARY[kind], kind, level=level, language=language)

    assert encoding(text.body) is Encoding.GSM7
    assert text.parts == 1
    assert "  " not in text.body
    assert " ," not in text.body
    assert " ." not in text.body


def test_english_and_italian_ship() -> None:
    assert SHIPPED.languages == ("en", "it")
