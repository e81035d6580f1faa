# The Italian texts. How to write texts, and what can be shown in them, stands at the head of en.ftl.
#
# Every noun of `what` is masculine, so that `done` agrees with all of them.

what = { $channel ->
    [card_present] pagamento con carta
    [ecommerce] pagamento online con carta
    [atm] prelievo di contante
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
when = il { $date } alle { $time }
who = { $has_counterparty ->
    [yes] {" "}{ $channel ->
        [transfer] { $direction ->
            [credit] da
           *[debit] a
        }
        [direct_debit] a favore di
        [cheque] a favore di
        [fee] a favore di
        [salary] da
        [refund] da
       *[other] presso
    } { $counterparty }
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
your-card = { $has_card ->
    [yes] la tua carta *{ $card }
   *[no] la tua carta
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
    .none = { $bank }: { what } { done } { when }{ card }.
    .some = { $bank }: { what } di { $amount } { done } { when }{ card }.
    .full = { $bank }: { what } di { $amount }{ who } { done } { when }{ card }.{ available }

card_not_present =
    .none = { $bank }: pagamento online con { your-card } { done } { when }. { not-you }
    .some = { $bank }: pagamento online di { $amount } con { your-card } { done } { when }. { not-you }
    .full = { $bank }: pagamento online di { $amount }{ who } con { your-card } { done } { when }. { not-you }

not-you = Non lo riconosci? Chiama il numero sul retro della carta.

atm_withdrawal =
    .none = { large_debit.none }
    .some = { large_debit.some }
    .full = { large_debit.full }

salary_received =
    .none = { $bank }: stipendio accreditato { when }{ account }.
    .some = { $bank }: stipendio di { $amount } accreditato { when }{ account }.
    .full = { $bank }: stipendio di { $amount }{ who } accreditato { when }{ account }.{ available }

refund_or_reversal =
    .none = { large_debit.none }
    .some = { large_debit.some }
    .full = { large_debit.full }

low_balance =
    .none = { $bank }: { when } il saldo disponibile del { your-account } era sotto la tua soglia di avviso.
    .some = { low_balance.none }
    .full = { $bank }: { when } il saldo disponibile del { your-account } era di { $balance }, sotto la tua soglia di avviso.

overdrawn =
    .none = { $bank }: { when } il { your-account } era scoperto.
    .some = { overdrawn.none }
    .full = { $bank }: { when } il { your-account } era scoperto.{ available }
