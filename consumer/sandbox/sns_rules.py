"""What AWS refuses of a Publish to a phone number, in its own order and with its own codes."""

import re
from collections.abc import Mapping

import msgspec

from consumer.sandbox.sns_script import Refuse

TEXT_CHARACTERS_MAX = 1600
_E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")
_NAME = re.compile(r"MessageAttributes\.entry\.([0-9]+)\.Name\Z")
_DATA_TYPE = re.compile(r"(String|String\.Array|Number|Binary)\Z")
_VALUES = {
    "AWS.SNS.SMS.SenderID": ("String", re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9-]{1,9}[A-Za-z0-9]\Z")),
    "AWS.SNS.SMS.SMSType": ("String", re.compile(r"(Promotional|Transactional)\Z")),
    "AWS.SNS.SMS.MaxPrice": ("Number", re.compile(r"[0-9]+(\.[0-9]+)?\Z")),
    "AWS.MM.SMS.OriginationNumber": ("String", re.compile(r"\+?[0-9]{5,14}\Z")),
    "AWS.MM.SMS.EntityId": ("String", re.compile(r".{1,50}\Z")),
    "AWS.MM.SMS.TemplateId": ("String", re.compile(r".{1,50}\Z")),
}


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """One message attribute as it came over the wire."""

    name: str
    data_type: str
    value: str


def attributes_of(form: Mapping[str, str]) -> tuple[Attribute, ...]:
    """The message attributes in a query-protocol form, in the order of their numbers."""
    numbers = sorted(int(found[1]) for key in form if (found := _NAME.match(key)))
    prefixes = [f"MessageAttributes.entry.{number}" for number in numbers]
    return tuple(
        Attribute(
            name=form[f"{prefix}.Name"],
            data_type=form.get(f"{prefix}.Value.DataType", ""),
            value=form.get(f"{prefix}.Value.StringValue", ""),
        )
        for prefix in prefixes
    )


def refusal_of_action(form: Mapping[str, str]) -> Refuse | None:
    """Why AWS would not do this, or None. Like AWS's own, the message of a bad number holds the number."""
    match form.get("Action"):
        case "GetSMSAttributes":
            return None
        case "Publish":
            return _refusal_of_publish(form)
        case _:
            return Refuse(status=400, code="InvalidAction", message="The action is not valid for this endpoint.")


def _refusal_of_publish(form: Mapping[str, str]) -> Refuse | None:
    targets = [name for name in ("PhoneNumber", "TopicArn", "TargetArn") if form.get(name)]
    if len(targets) != 1:
        return _invalid("PhoneNumber Reason: exactly one of TopicArn, TargetArn and PhoneNumber is required")
    if targets != ["PhoneNumber"]:
        return Refuse(status=404, code="NotFound", message="Topic does not exist")
    if not _E164.match(form["PhoneNumber"]):
        return _invalid(f"PhoneNumber Reason: {form['PhoneNumber']} is not valid to publish to")
    if not form.get("Message"):
        return _invalid("Empty message")
    if len(form["Message"]) > TEXT_CHARACTERS_MAX:
        return _invalid("Message too long")
    return next((refused for attribute in attributes_of(form) if (refused := _refusal_of(attribute))), None)


def _refusal_of(attribute: Attribute) -> Refuse | None:
    if attribute.name.startswith(("AWS.", "Amazon.")) and attribute.name not in _VALUES:
        return _wrong_value("Message attribute names starting with 'AWS.' or 'Amazon.' are reserved for use by Amazon.")
    if not _DATA_TYPE.match(attribute.data_type):
        return _wrong_value(f"The message attribute '{attribute.name}' has an invalid message attribute type")
    if not attribute.value:
        return _wrong_value(f"The message attribute '{attribute.name}' must contain a non-empty value")
    if attribute.name not in _VALUES:
        return None
    data_type, value = _VALUES[attribute.name]
    if attribute.data_type != data_type:
        return _invalid(f"MessageAttributes Reason: {attribute.name} must be of type {data_type}")
    if not value.match(attribute.value):
        return _invalid(f"MessageAttributes Reason: {attribute.name} has a value that is not allowed")
    return None


def _invalid(what: str) -> Refuse:
    return Refuse(status=400, code="InvalidParameter", message=f"Invalid parameter: {what}")


def _wrong_value(what: str) -> Refuse:
    return Refuse(status=400, code="ParameterValueInvalid", message=what)
