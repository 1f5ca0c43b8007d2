//! Programs.

use chrono_tz::Tz;
use loyalty_api::v1 as wire;
use rust_decimal::Decimal;

use super::expiry_policy::{expiry, expiry_to_wire, inactivity, inactivity_to_wire};
use super::tier::{tier_spend_basis, tier_spend_window, tier_to_wire, tiers, window_to_wire};
use super::{birthday_bonus, decimal, enrolment_policy, redemption_policy, timestamp};
use crate::domain::answer::ProgramRecord;
use crate::domain::configuration::ProgramEdit;
use crate::domain::number::{Currency, Rounding};
use crate::domain::outcome::Accounting;
use crate::domain::program::{
    DocumentTreatment, DocumentType, EarnRate, EnrolmentPolicy, Program, ProgramState, ProgramUnit, RatedBasis,
    TierSpendBasis, TierSpendWindow,
};
use crate::domain::shortfall::ShortfallPolicy;
use crate::grpc::fields::{Bounds, Fields};

const MOST_DOCUMENT_TYPES: usize = 100;
const MOST_PENDING_DAYS: u32 = 366;
pub(super) const BILLION: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
pub(super) const MILLION: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);

/// A percentage.
pub(super) const PERCENT: Bounds = Bounds::up_to(Decimal::ONE_HUNDRED, 4);

/// Every field that an update can name.
const CHANGEABLE: [&str; 24] = [
    "name",
    "state",
    "time_zone",
    "tiers",
    "tier_spend_basis",
    "tier_spend_window",
    "valid_from",
    "valid_until",
    "redeem_until",
    "expiry",
    "inactivity",
    "birthday_bonus",
    "redemption",
    "rated_basis",
    "earn_on_points_paid_part",
    "document_types",
    "max_discount_percent",
    "exclude_percent_discounted_lines",
    "carry_fractions",
    "enrolment",
    "pending_days",
    "expense_account",
    "cost_center",
    "shortfall_policy",
];

/// The currency of a code; one without minor units when it is wrong.
pub(in crate::grpc) fn currency(fields: &mut Fields, field: &str, code: &str) -> Currency {
    let known = iso_currency::Currency::from_code(code);
    let minor_units = known.and_then(|known| known.exponent());
    match minor_units {
        Some(minor_units) if minor_units <= 4 => Currency {
            code: code.to_owned(),
            minor_units: u32::from(minor_units),
        },
        _ => {
            let description = if code.is_empty() {
                "is missing"
            } else {
                "is no ISO 4217 code of a currency"
            };
            fields.wrong(field, description);
            Currency {
                code: String::new(),
                minor_units: 4,
            }
        }
    }
}

/// A new program: its fixed fields, and everything else as an edit of the defaults.
pub(in crate::grpc) fn new_program(fields: &mut Fields, given: wire::Program) -> (Program, ProgramEdit) {
    refuse_output_fields(fields, &given);
    let currency = currency(fields, "program.currency_code", &given.currency_code);
    let unit = match fields.choice("program.unit", given.unit) {
        Some(wire::ProgramUnit::Value) => ProgramUnit::Value,
        Some(wire::ProgramUnit::Points | wire::ProgramUnit::Unspecified) | None => ProgramUnit::Points,
    };
    let decimals = match (unit, given.decimals) {
        (ProgramUnit::Points, None) => 0,
        (ProgramUnit::Points, Some(decimals)) => {
            if decimals > 4 {
                fields.wrong("program.decimals", "must be 0 to 4");
            }
            decimals
        }
        (ProgramUnit::Value, None) => currency.minor_units,
        (ProgramUnit::Value, Some(_)) => {
            fields.wrong(
                "program.decimals",
                "is the currency's in a value program; leave it empty",
            );
            0
        }
    };
    let defaults = Program {
        name: String::new(),
        state: ProgramState::Active,
        unit,
        currency,
        time_zone: Tz::UTC,
        decimals,
        tiers: Vec::new(),
        tier_spend_basis: TierSpendBasis::default(),
        tier_spend_window: TierSpendWindow::default(),
        valid_from: None,
        valid_until: None,
        redeem_until: None,
        expiry: None,
        inactivity: None,
        birthday_bonus: None,
        redemption: None,
        rated_basis: RatedBasis::default(),
        earn_on_points_paid_part: false,
        document_types: Vec::new(),
        max_discount_percent: None,
        exclude_percent_discounted_lines: false,
        carry_fractions: false,
        enrolment: EnrolmentPolicy::default(),
        pending_days: 0,
        accounting: Accounting::default(),
        shortfall_policy: ShortfallPolicy::default(),
    };
    let paths: Vec<String> = CHANGEABLE.iter().map(|path| (*path).to_owned()).collect();
    (defaults, program_edit(fields, given, &paths))
}

/// The changes that a mask names.
pub(in crate::grpc) fn program_edit(fields: &mut Fields, given: wire::Program, paths: &[String]) -> ProgramEdit {
    let mut edit = ProgramEdit::default();
    if paths.is_empty() {
        fields.wrong("update_mask", "names no field");
    }
    for path in paths {
        match path.as_str() {
            "name" => edit.name = Some(fields.text("program.name", given.name.clone(), 1, 200)),
            "state" => edit.state = Some(state(fields, given.state)),
            "time_zone" => edit.time_zone = Some(time_zone(fields, &given.time_zone)),
            "tiers" => edit.tiers = Some(tiers(fields, given.tiers.clone())),
            "tier_spend_basis" => edit.tier_spend_basis = Some(tier_spend_basis(fields, given.tier_spend_basis)),
            "tier_spend_window" => edit.tier_spend_window = Some(tier_spend_window(fields, given.tier_spend_window)),
            "valid_from" => edit.valid_from = Some(fields.date("program.valid_from", &given.valid_from)),
            "valid_until" => edit.valid_until = Some(fields.date("program.valid_until", &given.valid_until)),
            "redeem_until" => edit.redeem_until = Some(fields.date("program.redeem_until", &given.redeem_until)),
            "expiry" => edit.expiry = Some(expiry(fields, "program.expiry", given.expiry.clone())),
            "inactivity" => {
                let given = given.inactivity;
                edit.inactivity = Some(inactivity(fields, "program.inactivity", given));
            }
            "birthday_bonus" => {
                let given = given.birthday_bonus.clone();
                edit.birthday_bonus = Some(birthday_bonus::bonus(fields, "program.birthday_bonus", given));
            }
            "redemption" => {
                let redemption = given.redemption.clone();
                edit.redemption = Some(redemption.map(|given| redemption_policy::policy(fields, given)));
            }
            "rated_basis" => edit.rated_basis = Some(rated_basis(fields, given.rated_basis)),
            "earn_on_points_paid_part" => edit.earn_on_points_paid_part = Some(given.earn_on_points_paid_part),
            "max_discount_percent" => {
                let percent = given.max_discount_percent.clone();
                edit.max_discount_percent = Some(fields.decimal("program.max_discount_percent", percent, PERCENT));
            }
            "exclude_percent_discounted_lines" => {
                edit.exclude_percent_discounted_lines = Some(given.exclude_percent_discounted_lines);
            }
            "carry_fractions" => edit.carry_fractions = Some(given.carry_fractions),
            "enrolment" => edit.enrolment = Some(enrolment_policy::policy(fields, given.enrolment.clone())),
            "pending_days" => {
                if given.pending_days > MOST_PENDING_DAYS {
                    fields.wrong("program.pending_days", format!("must be at most {MOST_PENDING_DAYS}"));
                }
                edit.pending_days = Some(given.pending_days);
            }
            "expense_account" => {
                let account = given.expense_account.clone();
                edit.expense_account = Some(fields.text("program.expense_account", account, 0, 64));
            }
            "cost_center" => {
                let center = given.cost_center.clone();
                edit.cost_center = Some(fields.text("program.cost_center", center, 0, 64));
            }
            "shortfall_policy" => edit.shortfall_policy = Some(shortfall_policy(fields, given.shortfall_policy)),
            "document_types" => edit.document_types = Some(document_types(fields, given.document_types.clone())),
            other => fields.wrong("update_mask", format!("`{other}` cannot be changed")),
        }
    }
    edit
}

fn refuse_output_fields(fields: &mut Fields, given: &wire::Program) {
    let set = [
        ("program.version", given.version != 0),
        ("program.etag", !given.etag.is_empty()),
        ("program.created_at", given.created_at.is_some()),
        ("program.updated_at", given.updated_at.is_some()),
    ];
    for (field, _) in set.into_iter().filter(|(_, is_set)| *is_set) {
        fields.wrong(field, "is set by the server");
    }
}

fn state(fields: &mut Fields, number: i32) -> ProgramState {
    match fields.choice("program.state", number) {
        Some(wire::ProgramState::Draft) => ProgramState::Draft,
        Some(wire::ProgramState::Paused) => ProgramState::Paused,
        Some(wire::ProgramState::Archived) => {
            fields.wrong("program.state", "is reached by ArchiveProgram only");
            ProgramState::Archived
        }
        Some(wire::ProgramState::Active | wire::ProgramState::Unspecified) | None => ProgramState::Active,
    }
}

fn time_zone(fields: &mut Fields, name: &str) -> Tz {
    if name.is_empty() {
        return Tz::UTC;
    }
    name.parse().unwrap_or_else(|_| {
        fields.wrong("program.time_zone", "is no IANA time zone");
        Tz::UTC
    })
}

/// A rate.
pub(super) fn earn_rate(fields: &mut Fields, at: &str, given: wire::EarnRate) -> EarnRate {
    let bounds = Bounds::up_to(BILLION, 4).positive();
    let rounding = fields.choice(&format!("{at}.rounding"), given.rounding);
    EarnRate {
        amount: fields.required_decimal(&format!("{at}.amount"), given.amount, bounds),
        points: fields.required_decimal(&format!("{at}.points"), given.points, bounds),
        rounding: rounding.map_or(Rounding::Floor, rounding_of),
        complete_steps: given.complete_steps,
        vat_percent: fields.decimal(
            &format!("{at}.vat_percent"),
            given.vat_percent,
            Bounds::up_to(Decimal::ONE_HUNDRED, 2),
        ),
    }
}

pub(super) fn value_per_point(fields: &mut Fields, field: &str, given: Option<wire::Decimal>) -> Option<Decimal> {
    fields.decimal(field, given, Bounds::up_to(MILLION, 4).positive())
}

pub(super) fn rounding_of(rounding: wire::Rounding) -> Rounding {
    match rounding {
        wire::Rounding::Unspecified | wire::Rounding::Floor => Rounding::Floor,
        wire::Rounding::HalfUp => Rounding::HalfUp,
        wire::Rounding::Ceiling => Rounding::Ceiling,
        wire::Rounding::None => Rounding::None,
    }
}

fn rated_basis(fields: &mut Fields, number: i32) -> RatedBasis {
    match fields.choice("program.rated_basis", number) {
        Some(wire::RatedBasis::Net) => RatedBasis::Net,
        Some(wire::RatedBasis::Gross | wire::RatedBasis::Unspecified) | None => RatedBasis::Gross,
    }
}

fn shortfall_policy(fields: &mut Fields, number: i32) -> ShortfallPolicy {
    match fields.choice("program.shortfall_policy", number) {
        Some(wire::ShortfallPolicy::ClampToZero) => ShortfallPolicy::ClampToZero,
        Some(wire::ShortfallPolicy::Refuse) => ShortfallPolicy::Refuse,
        Some(wire::ShortfallPolicy::AllowNegative | wire::ShortfallPolicy::Unspecified) | None => {
            ShortfallPolicy::AllowNegative
        }
    }
}

fn document_types(fields: &mut Fields, given: Vec<wire::DocumentType>) -> Vec<DocumentType> {
    if !fields.at_most("program.document_types", &given, MOST_DOCUMENT_TYPES) {
        return Vec::new();
    }
    let mut types = Vec::with_capacity(given.len());
    for (place, given) in given.into_iter().enumerate() {
        let field = |name: &str| format!("program.document_types[{place}].{name}");
        let document_type = fields.text(&field("document_type"), given.document_type, 1, 64);
        let treatment = match fields.choice(&field("treatment"), given.treatment) {
            Some(wire::DocumentTreatment::Issuing) => DocumentTreatment::Issuing,
            Some(wire::DocumentTreatment::Returning) => DocumentTreatment::Returning,
            Some(wire::DocumentTreatment::Ignored) => DocumentTreatment::Ignored,
            Some(wire::DocumentTreatment::Unspecified) | None => {
                // An unknown value has been noted as such.
                if given.treatment == i32::from(wire::DocumentTreatment::Unspecified) {
                    fields.wrong(field("treatment"), "is missing");
                }
                continue;
            }
        };
        types.push(DocumentType {
            document_type,
            treatment,
        });
    }
    types
}

/// A program on the wire.
pub(in crate::grpc) fn program(record: ProgramRecord) -> wire::Program {
    let program = record.program;
    wire::Program {
        program_id: record.program_id,
        name: program.name,
        state: state_to_wire(program.state).into(),
        unit: match program.unit {
            ProgramUnit::Points => wire::ProgramUnit::Points,
            ProgramUnit::Value => wire::ProgramUnit::Value,
        }
        .into(),
        currency_code: program.currency.code,
        time_zone: program.time_zone.name().to_owned(),
        decimals: Some(program.decimals),
        tiers: program.tiers.iter().map(tier_to_wire).collect(),
        tier_spend_basis: match program.tier_spend_basis {
            TierSpendBasis::WholeSale => wire::TierSpendBasis::WholeSale,
            TierSpendBasis::WithoutPointsPaidPart => wire::TierSpendBasis::WithoutPointsPaidPart,
        }
        .into(),
        tier_spend_window: window_to_wire(program.tier_spend_window),
        valid_from: program.valid_from.map(|day| day.to_string()).unwrap_or_default(),
        valid_until: program.valid_until.map(|day| day.to_string()).unwrap_or_default(),
        redeem_until: program.redeem_until.map(|day| day.to_string()).unwrap_or_default(),
        expiry: program.expiry.map(expiry_to_wire),
        inactivity: program.inactivity.map(inactivity_to_wire),
        birthday_bonus: program.birthday_bonus.map(birthday_bonus::to_wire),
        redemption: program.redemption.as_ref().map(redemption_policy::to_wire),
        rated_basis: match program.rated_basis {
            RatedBasis::Gross => wire::RatedBasis::Gross,
            RatedBasis::Net => wire::RatedBasis::Net,
        }
        .into(),
        earn_on_points_paid_part: program.earn_on_points_paid_part,
        document_types: program.document_types.into_iter().map(document_type_to_wire).collect(),
        max_discount_percent: program.max_discount_percent.and_then(decimal),
        exclude_percent_discounted_lines: program.exclude_percent_discounted_lines,
        carry_fractions: program.carry_fractions,
        enrolment: enrolment_policy::to_wire(program.enrolment),
        pending_days: program.pending_days,
        expense_account: program.accounting.expense_account,
        cost_center: program.accounting.cost_center,
        shortfall_policy: match program.shortfall_policy {
            ShortfallPolicy::AllowNegative => wire::ShortfallPolicy::AllowNegative,
            ShortfallPolicy::ClampToZero => wire::ShortfallPolicy::ClampToZero,
            ShortfallPolicy::Refuse => wire::ShortfallPolicy::Refuse,
        }
        .into(),
        version: record.version,
        etag: record.since_version.to_string(),
        created_at: Some(timestamp(record.created_at)),
        updated_at: Some(timestamp(record.updated_at)),
    }
}

/// A rate on the wire.
pub(super) fn earn_rate_to_wire(rate: &EarnRate) -> wire::EarnRate {
    wire::EarnRate {
        amount: decimal(rate.amount),
        points: decimal(rate.points),
        rounding: rounding_to_wire(rate.rounding).into(),
        complete_steps: rate.complete_steps,
        vat_percent: rate.vat_percent.and_then(decimal),
    }
}

fn state_to_wire(state: ProgramState) -> wire::ProgramState {
    match state {
        ProgramState::Draft => wire::ProgramState::Draft,
        ProgramState::Active => wire::ProgramState::Active,
        ProgramState::Paused => wire::ProgramState::Paused,
        ProgramState::Archived => wire::ProgramState::Archived,
    }
}

pub(super) fn rounding_to_wire(rounding: Rounding) -> wire::Rounding {
    match rounding {
        Rounding::Floor => wire::Rounding::Floor,
        Rounding::HalfUp => wire::Rounding::HalfUp,
        Rounding::Ceiling => wire::Rounding::Ceiling,
        Rounding::None => wire::Rounding::None,
    }
}

fn document_type_to_wire(listed: DocumentType) -> wire::DocumentType {
    let treatment = match listed.treatment {
        DocumentTreatment::Issuing => wire::DocumentTreatment::Issuing,
        DocumentTreatment::Returning => wire::DocumentTreatment::Returning,
        DocumentTreatment::Ignored => wire::DocumentTreatment::Ignored,
    };
    wire::DocumentType {
        document_type: listed.document_type,
        treatment: treatment.into(),
    }
}
