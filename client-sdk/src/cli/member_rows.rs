//! Members in a table: what its columns are called, and what a row says.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use crate::{
    id::ProgramId,
    import::{ImportedMember, OpeningLot},
    new_member::NewMember,
};

/// The columns, in whatever order, of which a table has those that it needs; a further lot has `points_2` and so on.
pub(super) const COLUMNS: &str = "customer_id, card, phone, email, qr_code, name, language, birth_date, customer_group, \
    territory, assigned_rule_id, enrolled_at, points, accrued_at, expires_at, tier_spend, tier_spend_day, \
    lifetime_earned, lifetime_redeemed, lifetime_expired";

/// The columns of a table.
pub(super) struct Columns(Vec<Column>);

/// What a column has, and its name.
struct Column {
    name: String,
    content: Content,
}

#[derive(Clone, Copy)]
enum Content {
    Text(fn(NewMember, String) -> NewMember),
    BirthDate,
    EnrolledAt,
    /// Of the lot with this number.
    Points(u8),
    AccruedAt(u8),
    ExpiresAt(u8),
    TierSpend,
    TierSpendDay,
    /// Of what was earned, redeemed, expired.
    Lifetime(usize),
}

/// What is wrong with a row, and in which column.
pub(super) type Unreadable = (String, String);

impl Columns {
    /// Those that the first line of a table names.
    pub(super) fn named(names: &[String]) -> Result<Self, String> {
        let mut columns: Vec<Column> = Vec::new();
        for name in names {
            let name = name.trim().to_ascii_lowercase();
            let content = content(&name).ok_or_else(|| format!("no column is called {name:?}; there are {COLUMNS}"))?;
            if columns.iter().any(|column| column.name == name) {
                return Err(format!("two columns are called {name:?}"));
            }
            columns.push(Column { name, content });
        }
        let has = |name: &str| columns.iter().any(|column| column.name == name);
        if !["customer_id", "card", "phone", "email", "qr_code"]
            .iter()
            .any(|name| has(name))
        {
            return Err("no column says who the members are: customer_id, card, phone, email or qr_code".to_owned());
        }
        Ok(Self(columns))
    }

    /// The member of a row.
    pub(super) fn member(
        &self,
        program_id: &ProgramId,
        row_number: u64,
        cells: &[String],
    ) -> Result<ImportedMember, Unreadable> {
        let (has, needs) = (cells.len(), self.0.len());
        if has != needs {
            return Err((
                String::new(),
                format!("it has {has} fields, and there are {needs} columns"),
            ));
        }
        let mut row = ImportedMember::new(row_number, NewMember::new(program_id.clone()));
        let mut lots: Vec<(u8, Lot)> = Vec::new();
        let (mut spend, mut spend_day) = (None, None);
        let mut lifetime = [Decimal::ZERO; 3];
        for (column, cell) in self.0.iter().zip(cells).map(|(column, cell)| (column, cell.trim())) {
            if cell.is_empty() {
                continue;
            }
            let wrong = |message: String| (column.name.clone(), message);
            match column.content {
                Content::Text(set) => row.member = set(row.member, cell.to_owned()),
                Content::BirthDate => row.member = row.member.birth_date(day(cell).map_err(wrong)?),
                Content::EnrolledAt => row = row.enrolled_at(instant(cell).map_err(wrong)?),
                Content::Points(number) => lot(&mut lots, number).points = Some(decimal(cell).map_err(wrong)?),
                Content::AccruedAt(number) => lot(&mut lots, number).accrued_at = Some(instant(cell).map_err(wrong)?),
                Content::ExpiresAt(number) => lot(&mut lots, number).expires = Some(expiry(cell).map_err(wrong)?),
                Content::TierSpend => spend = Some(decimal(cell).map_err(wrong)?),
                Content::TierSpendDay => spend_day = Some(day(cell).map_err(wrong)?),
                Content::Lifetime(place) => {
                    if let Some(number) = lifetime.get_mut(place) {
                        *number = decimal(cell).map_err(wrong)?;
                    }
                }
            }
        }
        lots.sort_by_key(|(number, _)| *number);
        for (number, given) in lots {
            let Some(points) = given.points else {
                return Err((of_lot("points", number), "is missing".to_owned()));
            };
            let lot = OpeningLot::new(points);
            let lot = given.accrued_at.map_or(lot, |at| lot.accrued_at(at));
            row = row.lot(match given.expires {
                None => lot,
                Some(None) => lot.never_expires(),
                Some(Some(at)) => lot.expires_at(at),
            });
        }
        let [earned, redeemed, expired] = lifetime;
        row = row.lifetime(earned, redeemed, expired);
        match (spend, spend_day) {
            (Some(amount), Some(day)) => Ok(row.tier_spend(day, amount)),
            (None, None) => Ok(row),
            (Some(_), None) => Err(("tier_spend_day".to_owned(), "is missing".to_owned())),
            (None, Some(_)) => Err(("tier_spend".to_owned(), "is missing".to_owned())),
        }
    }
}

/// What a row says of a lot.
#[derive(Default)]
struct Lot {
    points: Option<Decimal>,
    accrued_at: Option<DateTime<Utc>>,
    /// When; `Some(None)`: never.
    expires: Option<Option<DateTime<Utc>>>,
}

/// What the row says of the lot with this number.
fn lot(lots: &mut Vec<(u8, Lot)>, number: u8) -> &mut Lot {
    let place = lots.iter().position(|(given, _)| *given == number);
    let place = place.unwrap_or_else(|| {
        lots.push((number, Lot::default()));
        lots.len() - 1
    });
    &mut lots[place].1
}

/// The name of a column of a lot.
fn of_lot(name: &str, number: u8) -> String {
    match number {
        1 => name.to_owned(),
        further => format!("{name}_{further}"),
    }
}

fn content(name: &str) -> Option<Content> {
    for lot_column in ["points", "accrued_at", "expires_at"] {
        let number = match name.strip_prefix(lot_column) {
            Some("") => 1,
            Some(further) => {
                let number = further.strip_prefix('_').and_then(|number| number.parse().ok());
                number.filter(|number| (2..=100).contains(number))?
            }
            None => continue,
        };
        return Some(match lot_column {
            "points" => Content::Points(number),
            "accrued_at" => Content::AccruedAt(number),
            _ => Content::ExpiresAt(number),
        });
    }
    Some(match name {
        "customer_id" => Content::Text(NewMember::customer_id),
        "card" => Content::Text(NewMember::card),
        "phone" => Content::Text(NewMember::phone),
        "email" => Content::Text(NewMember::email),
        "qr_code" => Content::Text(NewMember::qr_code),
        "name" => Content::Text(NewMember::name),
        "language" => Content::Text(NewMember::language),
        "customer_group" => Content::Text(NewMember::customer_group),
        "territory" => Content::Text(NewMember::territory),
        "assigned_rule_id" => Content::Text(NewMember::assigned_rule),
        "birth_date" => Content::BirthDate,
        "enrolled_at" => Content::EnrolledAt,
        "tier_spend" => Content::TierSpend,
        "tier_spend_day" => Content::TierSpendDay,
        "lifetime_earned" => Content::Lifetime(0),
        "lifetime_redeemed" => Content::Lifetime(1),
        "lifetime_expired" => Content::Lifetime(2),
        _ => return None,
    })
}

fn decimal(cell: &str) -> Result<Decimal, String> {
    cell.parse()
        .map_err(|_| format!("{cell:?} is no number with a decimal point, such as 1250.5"))
}

fn day(cell: &str) -> Result<NaiveDate, String> {
    cell.parse()
        .map_err(|_| format!("{cell:?} is no day such as 2026-01-31"))
}

/// An instant; of a day, its beginning in UTC.
fn instant(cell: &str) -> Result<DateTime<Utc>, String> {
    let of_day = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN).and_utc();
    let instant = cell.parse().or_else(|_| cell.parse().map(of_day));
    instant
        .map_err(|_| format!("{cell:?} is no instant such as 2026-01-31T00:00:00-05:00, and no day such as 2026-01-31"))
}

/// An instant; `None`: never.
fn expiry(cell: &str) -> Result<Option<DateTime<Utc>>, String> {
    match cell {
        "never" => Ok(None),
        other => instant(other)
            .map(Some)
            .map_err(|message| format!("{message}, and not never")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        line.split(',').map(str::to_owned).collect()
    }

    fn member(names: &str, cells: &str) -> Result<ImportedMember, Unreadable> {
        let columns = Columns::named(&texts(names)).unwrap();
        columns.member(&ProgramId::from("club"), 7, &texts(cells))
    }

    #[test]
    fn a_row_says_who_and_what_the_member_has() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let new = || NewMember::new("club").customer_id("ada");
        let row = |member| ImportedMember::new(7, member);
        let cases = [
            ("customer_id", "ada", row(new())),
            (" Customer_ID ,name,card", "ada, Ada ,", row(new().name("Ada"))),
            (
                "customer_id,points",
                "ada,12.5",
                row(new()).lot(OpeningLot::new(Decimal::new(125, 1))),
            ),
            (
                "customer_id,points_2,expires_at_2,points,expires_at,accrued_at",
                "ada,3,2026-02-01T00:00:00-05:00,4,never,2025-01-01",
                row(new())
                    .lot(
                        OpeningLot::new(4)
                            .never_expires()
                            .accrued_at(at("2025-01-01T00:00:00Z")),
                    )
                    .lot(OpeningLot::new(3).expires_at(at("2026-02-01T05:00:00Z"))),
            ),
            ("customer_id,points_2,points_3", "ada,,", row(new())),
            (
                "customer_id,birth_date,enrolled_at,tier_spend,tier_spend_day",
                "ada,1990-05-06,2020-01-01,100,2026-01-02",
                row(new().birth_date(day("1990-05-06")))
                    .enrolled_at(at("2020-01-01T00:00:00Z"))
                    .tier_spend(day("2026-01-02"), 100),
            ),
            (
                "customer_id,lifetime_expired,lifetime_earned,lifetime_redeemed",
                "ada,1,10,7",
                row(new()).lifetime(10, 7, 1),
            ),
        ];
        for (names, cells, expected) in cases {
            assert_eq!(member(names, cells), Ok(expected), "{names}");
        }
    }

    #[test]
    fn what_a_row_cannot_say_is_told_with_its_column() {
        for (names, cells, column) in [
            ("customer_id,points", "ada", ""),
            ("customer_id,points", "ada,ten", "points"),
            ("customer_id,points,expires_at", "ada,,never", "points"),
            ("customer_id,points_3,expires_at_3", "ada,,never", "points_3"),
            ("customer_id,points,expires_at", "ada,1,sometime", "expires_at"),
            ("customer_id,birth_date", "ada,31.1.2000", "birth_date"),
            ("customer_id,tier_spend,tier_spend_day", "ada,5,", "tier_spend_day"),
            ("customer_id,tier_spend,tier_spend_day", "ada,,2026-01-01", "tier_spend"),
        ] {
            let wrong = member(names, cells).unwrap_err();
            assert_eq!(wrong.0, column, "{names}: {cells}");
        }
    }

    #[test]
    fn columns_are_those_that_are_known_each_once_and_say_who() {
        for (names, message) in [
            ("customer_id,colour", "no column is called \"colour\""),
            ("customer_id,points_1", "no column is called \"points_1\""),
            ("customer_id,points_101", "no column is called \"points_101\""),
            ("customer_id,points,Points", "two columns are called \"points\""),
            ("name,points", "no column says who the members are"),
            ("", "no column is called \"\""),
        ] {
            let Err(error) = Columns::named(&texts(names)) else {
                panic!("{names}");
            };
            assert!(error.starts_with(message), "{error}");
        }
    }
}
