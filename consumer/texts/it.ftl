# The Italian texts. How to write texts, and what can be shown in them, stands at the head of en.ftl.
#
# Every noun of `what` is masculine, so that `done` agrees with all of them. Dates have no article, which would depend on the
# day (il 7, l'8).

what = { $channel ->
    [card_present] pagamento con carta
    [ecommerce] pagamento online
    [atm] prelievo
    [transfer] bonifico
    [direct_debit] addebito diretto
    [cheque] assegno
    [fee] addebito per commissioni
    [salary] accredito dello stipendio
    [refund] rimborso
   *[other] movimento
}
done = { $status ->
    [authorised] autorizzato
    [declined] rifiutato
    [reversed] stornato
   *[posted] { $channel ->
        [refund] accreditato
       *[other] contabilizzato
    }
}
when = { $date } ore { $time }
who = { $has_counterparty ->
    [yes] {" "}{ $channel ->
        [transfer] { $status ->
            [reversed] ({ $counterparty })
           *[posted] { $direction ->
                [credit] da { $counterparty }
               *[debit] a { $counterparty }
            }
        }
        [direct_debit] a favore di { $counterparty }
        [cheque] a favore di { $counterparty }
        [fee] a favore di { $counterparty }
        [salary] da { $counterparty }
        [refund] da { $counterparty }
        [ecommerce] su { $counterparty }
       *[other] presso { $counterparty }
    }
   *[no] {""}
}
card = { $has_card ->
    [yes] , carta *{ $card }
   *[no] { account }
}
account = { $has_account ->
    [yes] , conto *{ $account }
   *[no] {""}
}
your-account = { $has_account ->
    [yes] tuo conto *{ $account }
   *[no] tuo conto
}
available = { $has_balance ->
    [yes] {" "}Saldo disponibile: { $balance }.
   *[no] {""}
}

large_debit =
    .none = { $bank }: { when }, { what } { done }{ card }.
    .some = { $bank }: { when }, { what } di { $amount } { done }{ card }.
    .full = { $bank }: { when }, { what } di { $amount }{ who } { done }{ card }.{ available }

card_not_present =
    .none = { large_debit.none } { not-you }
    .some = { large_debit.some } { not-you }
    .full = { $bank }: { when }, { what } di { $amount }{ who } { done }{ card }. { not-you }

not-you = Non lo riconosci? Chiama il numero sulla carta.

atm_withdrawal =
    .none = { large_debit.none }
    .some = { large_debit.some }
    .full = { large_debit.full }

salary_received =
    .none = { $bank }: { when }, stipendio accreditato{ account }.
    .some = { $bank }: { when }, stipendio di { $amount } accreditato{ account }.
    .full = { $bank }: { when }, stipendio di { $amount }{ who } accreditato{ account }.{ available }

refund_or_reversal =
    .none = { large_debit.none }
    .some = { large_debit.some }
    .full = { large_debit.full }

low_balance =
    .none = { $bank }: { when }, il saldo disponibile del { your-account } era sotto la tua soglia di avviso.
    .some = { low_balance.none }
    .full = { $bank }: { when }, il saldo disponibile del { your-account } era di { $balance }, sotto la tua soglia di avviso.

overdrawn =
    .none = { $bank }: { when }, il { your-account } era scoperto.
    .some = { overdrawn.none }
    .full = { $bank }: { when }, il { your-account } era scoperto.{ available }
