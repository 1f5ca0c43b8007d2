//! The words of receipts.

use super::Language;
use crate::domain::program::ProgramUnit;

/// What a language calls the lines.
pub(super) struct Words {
    pub(super) earned: &'static str,
    pub(super) used: &'static str,
    pub(super) paid: &'static str,
    pub(super) to_pay: &'static str,
    pub(super) balance: &'static str,
    pub(super) worth: &'static str,
    pub(super) pending_until: &'static str,
    pub(super) next_expiry: &'static str,
    pub(super) tier: &'static str,
    pub(super) next_tier: &'static str,
    pub(super) missing: &'static str,
    pub(super) rewards: &'static str,
    pub(super) returned: &'static str,
    pub(super) refund: &'static str,
    pub(super) given_back: &'static str,
    pub(super) given_back_lapsed: &'static str,
    pub(super) taken_back: &'static str,
    pub(super) owed: &'static str,
}

/// The words for a program of a unit.
pub(super) fn of(language: Language, unit: ProgramUnit) -> &'static Words {
    match (language, unit) {
        (Language::English, ProgramUnit::Points) => &ENGLISH,
        (Language::English, ProgramUnit::Value) => &ENGLISH_VALUE,
        (Language::Spanish, ProgramUnit::Points) => &SPANISH,
        (Language::Spanish, ProgramUnit::Value) => &SPANISH_VALUE,
        (Language::Portuguese, ProgramUnit::Points) => &PORTUGUESE,
        (Language::Portuguese, ProgramUnit::Value) => &PORTUGUESE_VALUE,
        (Language::Greek, ProgramUnit::Points) => &GREEK,
        (Language::Greek, ProgramUnit::Value) => &GREEK_VALUE,
    }
}

const ENGLISH: Words = Words {
    earned: "Points earned",
    used: "Points used",
    paid: "Paid with points",
    to_pay: "To pay",
    balance: "Points balance",
    worth: "Worth",
    pending_until: "Earned points usable from",
    next_expiry: "Next points expire on",
    tier: "Your level",
    next_tier: "Next level",
    missing: "Still to spend",
    rewards: "You can have",
    returned: "Goods returned",
    refund: "Refund",
    given_back: "Points given back",
    given_back_lapsed: "Of them expired",
    taken_back: "Points taken back",
    owed: "Points owed",
};

const ENGLISH_VALUE: Words = Words {
    earned: "Credit earned",
    used: "Credit used",
    paid: "Paid with credit",
    balance: "Credit balance",
    pending_until: "Earned credit usable from",
    next_expiry: "Next credit expires on",
    given_back: "Credit given back",
    given_back_lapsed: "Of it expired",
    taken_back: "Credit taken back",
    owed: "Credit owed",
    ..ENGLISH
};

const SPANISH: Words = Words {
    earned: "Puntos ganados",
    used: "Puntos usados",
    paid: "Pagado con puntos",
    to_pay: "A pagar",
    balance: "Saldo de puntos",
    worth: "Valor",
    pending_until: "Puntos ganados utilizables desde",
    next_expiry: "Próximos puntos vencen el",
    tier: "Su nivel",
    next_tier: "Próximo nivel",
    missing: "Le faltan",
    rewards: "Puede canjear",
    returned: "Importe devuelto",
    refund: "Reembolso",
    given_back: "Puntos que recupera",
    given_back_lapsed: "De ellos vencidos",
    taken_back: "Puntos descontados",
    owed: "Puntos que debe",
};

const SPANISH_VALUE: Words = Words {
    earned: "Saldo ganado",
    used: "Saldo usado",
    paid: "Pagado con saldo",
    balance: "Saldo disponible",
    pending_until: "Saldo ganado utilizable desde",
    next_expiry: "Próximo saldo vence el",
    given_back: "Saldo que recupera",
    given_back_lapsed: "De él vencido",
    taken_back: "Saldo descontado",
    owed: "Saldo que debe",
    ..SPANISH
};

const PORTUGUESE: Words = Words {
    earned: "Pontos ganhos",
    used: "Pontos usados",
    paid: "Pago com pontos",
    to_pay: "A pagar",
    balance: "Saldo de pontos",
    worth: "Valor",
    pending_until: "Pontos ganhos disponíveis a partir de",
    next_expiry: "Próximos pontos expiram em",
    tier: "O seu nível",
    next_tier: "Próximo nível",
    missing: "Ainda faltam",
    rewards: "Pode trocar por",
    returned: "Valor devolvido",
    refund: "Reembolso",
    given_back: "Pontos recuperados",
    given_back_lapsed: "Dos quais expirados",
    taken_back: "Pontos descontados",
    owed: "Pontos em dívida",
};

const PORTUGUESE_VALUE: Words = Words {
    earned: "Saldo ganho",
    used: "Saldo usado",
    paid: "Pago com saldo",
    balance: "Saldo disponível",
    pending_until: "Saldo ganho disponível a partir de",
    next_expiry: "Próximo saldo expira em",
    given_back: "Saldo recuperado",
    given_back_lapsed: "Do qual expirado",
    taken_back: "Saldo descontado",
    owed: "Saldo em dívida",
    ..PORTUGUESE
};

const GREEK: Words = Words {
    earned: "Πόντοι που κερδίσατε",
    used: "Πόντοι που εξαργυρώσατε",
    paid: "Πληρωμή με πόντους",
    to_pay: "Πληρωτέο",
    balance: "Υπόλοιπο πόντων",
    worth: "Αξία",
    pending_until: "Διαθέσιμοι από",
    next_expiry: "Επόμενη λήξη πόντων",
    tier: "Το επίπεδό σας",
    next_tier: "Επόμενο επίπεδο",
    missing: "Απομένουν",
    rewards: "Μπορείτε να πάρετε",
    returned: "Αξία επιστροφής",
    refund: "Επιστροφή χρημάτων",
    given_back: "Πόντοι που επιστρέφονται",
    given_back_lapsed: "Από αυτούς έληξαν",
    taken_back: "Πόντοι που αφαιρούνται",
    owed: "Οφειλόμενοι πόντοι",
};

const GREEK_VALUE: Words = Words {
    earned: "Αξία που κερδίσατε",
    used: "Αξία που εξαργυρώσατε",
    paid: "Πληρωμή με υπόλοιπο",
    balance: "Υπόλοιπο",
    pending_until: "Διαθέσιμη από",
    next_expiry: "Επόμενη λήξη υπολοίπου",
    given_back: "Υπόλοιπο που επιστρέφεται",
    given_back_lapsed: "Από αυτό έληξε",
    taken_back: "Υπόλοιπο που αφαιρείται",
    owed: "Οφειλόμενο υπόλοιπο",
    ..GREEK
};
