# The English texts.
#
# How to write texts (for translators; no Python needed)
#
# 1. One file per language, called by its language tag: it.ftl, pt-BR.ftl. The format is Fluent: https://projectfluent.org
#    Save it as UTF-8. Avviso reads all files when it starts and refuses to start on a mistake, with a list of all of them.
# 2. Every alert kind of the catalogue has three texts, one for each detail level that a customer can choose:
#      .none   only that something happened
#      .some   amounts too
#      .full   names and balances too
#    What a level does not allow is not there: { $amount } in .none is a mistake, found at start.
# 3. What can be shown:
#      { $bank }          the bank's name, as set by the bank
#      { $date } { $time} when it happened, on the customer's own clock: 22 Nov, 14:30. Every text has to tell both.
#      { $amount }        EUR 1,250.00 (from .some on; transactions only)
#      { $card }          last four digits of the card used (transactions only)
#      { $account }       last four characters of the account
#      { $counterparty }  the shop, the payer, the payee (.full; transactions only)
#      { $balance }       what may be spent, after the event (.full)
# 4. An event need not have a card, an account number, a counterparty or a balance. Ask first, as `card` does below:
#    $has_card, $has_account, $has_counterparty, $has_balance, $has_amount are yes or no. What is shown unasked must be there
#    always: $date and $time are, $amount is in transactions, $balance in balances.
# 5. What the words can depend on, and what cannot be shown:
#      $status     authorised, posted, declined, reversed
#      $channel    card_present, ecommerce, atm, transfer, direct_debit, cheque, fee, salary, refund, other
#      $direction  debit, credit
#      $reason     (balances only) movement, hold, end_of_day, correction, other
# 6. Pieces that several texts share are messages of their own, as `what` and `when` are. A piece that may be empty ends in
#    {""}, and {" "} is a space that is not to be lost.
# 7. A text longer than 160 characters costs twice. With a single letter outside the GSM alphabet (È, á, ç, any emoji) the limit is
#    70; write one anywhere in a file, and names in all its texts keep theirs too. Typographic quotes and dashes are made plain.
# 8. No links, no phone numbers, nothing that asks for a reply: whoever gets used to those in the bank's texts will believe them in
#    a thief's.
# 9. -locale says whose amounts and dates these are, where the file's name alone does not.

-locale = en-GB

# Pieces

what = { $channel ->
    [card_present] card payment
    [ecommerce] online card payment
    [atm] cash withdrawal
    [transfer] transfer
    [direct_debit] direct debit
    [cheque] cheque
    [fee] fee
    [salary] salary payment
    [refund] refund
   *[other] transaction
}
done = { $status ->
    [authorised] authorised
    [declined] declined
    [reversed] reversed
   *[posted] { $channel ->
        [refund] credited
       *[other] booked
    }
}
when = on { $date } at { $time }
who = { $has_counterparty ->
    [yes] {" "}{ $channel ->
        [transfer] { $status ->
            [reversed] ({ $counterparty })
           *[posted] { $direction ->
                [credit] from { $counterparty }
               *[debit] to { $counterparty }
            }
        }
        [direct_debit] to { $counterparty }
        [cheque] to { $counterparty }
        [fee] to { $counterparty }
        [salary] from { $counterparty }
        [refund] from { $counterparty }
       *[other] at { $counterparty }
    }
   *[no] {""}
}
card = { $has_card ->
    [yes] , card ending { $card }
   *[no] { account }
}
account = { $has_account ->
    [yes] , account ending { $account }
   *[no] {""}
}
your-account = { $has_account ->
    [yes] your account ending { $account }
   *[no] your account
}
available = { $has_balance ->
    [yes] {" "}Available balance: { $balance }.
   *[no] {""}
}

# Texts

large_debit =
    .none = { $bank }: { what } { done } { when }{ card }.
    .some = { $bank }: { what } of { $amount } { done } { when }{ card }.
    .full = { $bank }: { what } of { $amount }{ who } { done } { when }{ card }.{ available }

card_not_present =
    .none = { large_debit.none } { not-you }
    .some = { large_debit.some } { not-you }
    .full = { $bank }: { what } of { $amount }{ who } { done } { when }{ card }. { not-you }

not-you = Not you? Call the number on your card.

atm_withdrawal =
    .none = { large_debit.none }
    .some = { large_debit.some }
    .full = { large_debit.full }

salary_received =
    .none = { $bank }: salary received { when }{ account }.
    .some = { $bank }: salary of { $amount } received { when }{ account }.
    .full = { $bank }: salary of { $amount }{ who } received { when }{ account }.{ available }

refund_or_reversal =
    .none = { large_debit.none }
    .some = { large_debit.some }
    .full = { large_debit.full }

low_balance =
    .none = { $bank }: { when } the available balance of { your-account } was below your alert limit.
    .some = { low_balance.none }
    .full = { $bank }: { when } the available balance of { your-account } was { $balance }, below your alert limit.

overdrawn =
    .none = { $bank }: { when } { your-account } was overdrawn.
    .some = { overdrawn.none }
    .full = { $bank }: { when } { your-account } was overdrawn.{ available }
