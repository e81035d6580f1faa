"""What a small bank tells and how: enough kinds and classes for every re-check."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec

from consumer.core.catalogue import AlertClass, AlertKind, Catalogue, InDoubtPolicy, SmsType
from consumer.core.preferences import Repeat
from consumer.core.texts import Texts


def _kind(name: str, alert_class: AlertClass, *, mandatory: bool = False) -> AlertKind:
    return AlertKind(
        name=name,
        alert_class=alert_class,
        event_type="TransactionPosted",
        rule="debit_from_threshold",
        enabled_by_default=False,
        mandatory=mandatory,
        thresholds={"EUR": Decimal(100)},
        repeat=Repeat.EVERY_TIME,
        tolerance_ratio=Decimal(0),
        freshness=alert_class.freshness,
        in_doubt=alert_class.in_doubt,
        bypasses_quiet_hours=alert_class.bypasses_quiet_hours,
    )


def _class(name: str, rank: int, **changes: Any) -> AlertClass:
    ordinary = AlertClass(
        name=name,
        rank=rank,
        sms_type=SmsType.TRANSACTIONAL,
        freshness=timedelta(hours=12),
        in_doubt=InDoubtPolicy.HOLD,
    )
    return msgspec.structs.replace(ordinary, **changes)


SECURITY = _class("security", 0, bypasses_quiet_hours=True)
TRANSACTION = _class("transaction", 1)
MARKETING = _class("marketing", 4, sms_type=SmsType.PROMOTIONAL, consent_required=True)
CATALOGUE = Catalogue(
    version="1",
    kinds=(
        _kind("card_not_present", SECURITY, mandatory=True),
        _kind("atm_withdrawal", TRANSACTION),
        _kind("large_debit", TRANSACTION),
        _kind("new_offer", MARKETING),
    ),
)

_TEXTS = """
-locale = {locale}
who = {{ $has_counterparty ->
    [yes] {{" "}}{{ $counterparty }}
   *[no] {{""}}
}}
card_not_present =
    .none = Card {{ $date }} {{ $time }}
    .some = Card {{ $date }} {{ $time }}
    .full = Card {{ $date }} {{ $time }}
atm_withdrawal =
    .none = Cash {{ $date }} {{ $time }} {long}
    .some = Cash {{ $date }} {{ $time }} {long}
    .full = Cash {{ $date }} {{ $time }} {long}
large_debit =
    .none = {debit} {{ $date }} {{ $time }}
    .some = {debit} {{ $amount }} {{ $date }} {{ $time }}
    .full = {debit} {{ $amount }}{{ who }} {{ $date }} {{ $time }}
new_offer =
    .none = Offer {{ $date }} {{ $time }}
    .some = Offer {{ $date }} {{ $time }}
    .full = Offer {{ $date }} {{ $time }}
"""
TEXTS = Texts.from_sources(
    {
        "en": _TEXTS.format(locale="en-GB", debit="Debit", long="x" * 160),
        "it": _TEXTS.format(locale="it-IT", debit="Addebito", long="x" * 160),
    },
    kinds=CATALOGUE.kinds,
    bank="Banca Esempio",
    default_language="en",
)
