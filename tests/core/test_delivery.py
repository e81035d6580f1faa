from pathlib import Path

import pytest

from consumer.core.catalogue import InDoubtPolicy
from consumer.core.delivery import (
    FINAL,
    RESENDS_MAX,
    TRANSITIONS,
    UNTOLD,
    ImpossibleTransition,
    Remark,
    State,
    Trigger,
    after,
    effective,
    mermaid,
    provable,
    replayed,
    resolution,
)

PICTURE = Path(__file__).parents[2] / "docs" / "state-machine.md"
POSSIBLE = sorted(TRANSITIONS)


def test_the_table_says_where_a_trigger_leads() -> None:
    assert after(State.PENDING, Trigger.CLAIM) is State.CLAIMED


def test_a_trigger_that_a_state_does_not_know_is_refused_by_name() -> None:
    with pytest.raises(ImpossibleTransition, match="accept in pending"):
        after(State.PENDING, Trigger.ACCEPT)


def test_every_state_can_be_reached() -> None:
    assert {State.PENDING, *TRANSITIONS.values()} == set(State)


def test_only_proof_a_receipt_or_an_operator_leads_out_of_a_final_state() -> None:
    ways_out = {trigger for state, trigger in TRANSITIONS if state in FINAL}

    assert ways_out == {Trigger.PROVE, Trigger.DELIVER, Trigger.UNDELIVER}


def test_what_ended_untold_stays_so() -> None:
    assert not [state for state, _ in TRANSITIONS if state in UNTOLD]


def test_only_what_has_begun_can_fall_into_doubt() -> None:
    assert [state for (state, _), target in TRANSITIONS.items() if target is State.IN_DOUBT] == [State.SENDING]


@pytest.mark.parametrize(("state", "trigger"), POSSIBLE)
def test_a_first_attempt_is_what_its_trigger_says(state: State, trigger: Trigger) -> None:
    assert effective(state, trigger, doubts=0, proven=False) is trigger


@pytest.mark.parametrize(("state", "trigger"), POSSIBLE)
def test_what_may_have_been_told_never_ends_as_untold(state: State, trigger: Trigger) -> None:
    end = after(state, effective(state, trigger, doubts=1, proven=False))

    assert end not in UNTOLD


def test_a_notice_in_doubt_more_often_than_it_may_be_resent_is_held() -> None:
    assert effective(State.SENDING, Trigger.DOUBT, doubts=RESENDS_MAX, proven=False) is Trigger.HOLD


@pytest.mark.parametrize("trigger", [Trigger.RETRY, Trigger.REJECT, Trigger.DOUBT, Trigger.HOLD, Trigger.ACCEPT])
def test_proof_of_an_earlier_send_wins_over_the_end_of_a_later_one(trigger: Trigger) -> None:
    assert effective(State.SENDING, trigger, doubts=1, proven=True) is Trigger.ACCEPT


def test_an_impossible_trigger_is_refused_even_where_proof_would_win() -> None:
    with pytest.raises(ImpossibleTransition):
        effective(State.SENDING, Trigger.CLAIM, doubts=1, proven=True)


@pytest.mark.parametrize(
    ("policy", "doubts", "fresh", "expected"),
    [
        (InDoubtPolicy.RESEND, 1, True, Trigger.RESEND),
        (InDoubtPolicy.RESEND, 1, False, Trigger.HOLD),
        (InDoubtPolicy.RESEND, 2, True, Trigger.HOLD),
        (InDoubtPolicy.HOLD, 1, True, Trigger.HOLD),
    ],
)
def test_a_doubt_is_resolved_by_policy_once_and_while_fresh(
    policy: InDoubtPolicy, doubts: int, fresh: bool, expected: Trigger
) -> None:
    assert resolution(policy, doubts=doubts, fresh=fresh) is expected


def test_late_proof_changes_exactly_the_states_in_which_a_notice_may_have_been_told_but_is_not_known_to_be() -> None:
    changing = {state for state in State if provable(state)}

    assert changing == {State.PENDING, State.CLAIMED, State.IN_DOUBT, State.HELD}


def test_a_history_replays_along_the_table_and_remarks_change_nothing() -> None:
    history = [Remark.RECORDED, Trigger.CLAIM, Trigger.BEGIN, Trigger.ACCEPT, Remark.PROOF_KEPT]

    assert replayed(entry.value for entry in history) is State.ACCEPTED


def test_a_history_that_leaves_the_table_is_refused() -> None:
    with pytest.raises(ImpossibleTransition):
        replayed([Remark.RECORDED.value, Trigger.ACCEPT.value])


def test_the_picture_shows_every_transition_and_no_other() -> None:
    drawn = set()
    for line in mermaid().splitlines():
        ends, colon, names = line.partition(": ")
        source, _, target = ends.strip().partition(" --> ")
        if colon and source != "[*]":
            drawn |= {(source, name, target) for name in names.split(", ")}

    table = {(state.value, trigger.value, target.value) for (state, trigger), target in TRANSITIONS.items()}
    assert drawn == table


def test_the_picture_in_the_docs_is_the_table() -> None:
    picture = PICTURE.read_text(encoding="utf-8").partition("```mermaid\n")[2].partition("\n```")[0]

    assert picture == mermaid(), f"paste what consumer.core.delivery.mermaid() returns into {PICTURE.name}"


def test_the_docs_explain_every_state_and_every_trigger() -> None:
    text = PICTURE.read_text(encoding="utf-8")

    missing = [name.value for name in (*State, *Trigger, *Remark) if f"| `{name.value}` |" not in text]

    assert missing == []
