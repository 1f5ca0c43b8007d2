//! Between the SDK's values and the generated messages: the parts that all messages share; the messages themselves are in
//! the files below, by noun.

mod adjustment;
mod birthday_bonus;
mod configuration_change;
mod entry;
mod expiry;
mod expiry_change;
mod feed;
mod import;
mod inactivity;
mod member;
mod member_change;
mod offline;
mod operation;
#[cfg(feature = "presets")]
mod preset;
mod product;
mod program;
mod receipt;
mod receipt_templates;
mod redemption;
mod redemption_quote;
mod redemption_reversal;
mod report;
mod reward;
mod rule;
mod sale;
mod sale_record;
mod sale_return;
mod stand_alone;
mod sync;
mod tier;
mod verification;

use chrono::{DateTime, NaiveDate, Utc};
use loyalty_api::v1;
use prost_types::Timestamp;
use rust_decimal::Decimal;

use crate::{error::Error, money::Money};

/// The longest second: chrono counts a leap second as nanoseconds beyond it, which the wire has no place for.
const LAST_NANOSECOND: u32 = 999_999_999;

/// Declares an enum of the contract that survives values it does not know: the variants have the names of the generated
/// ones, and any other number is kept as it is.
macro_rules! open_enum {
    ($(#[$attribute:meta])* $name:ident { $($(#[$variant_attribute:meta])* $variant:ident,)+ }) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_attribute])* $variant,)+
            /// A value that this version of the SDK does not know, by its number in the contract.
            Other(i32),
        }

        impl $name {
            /// The value with this number in the contract.
            pub fn from_number(number: i32) -> Self {
                match loyalty_api::v1::$name::try_from(number) {
                    $(Ok(loyalty_api::v1::$name::$variant) => Self::$variant,)+
                    _ => Self::Other(number),
                }
            }

            /// The value's number in the contract.
            pub fn number(self) -> i32 {
                match self {
                    $(Self::$variant => loyalty_api::v1::$name::$variant.into(),)+
                    Self::Other(number) => number,
                }
            }
        }
    };
}
pub(crate) use open_enum;

/// The part of an answer that the contract promises.
pub(crate) fn present<T>(field: &'static str, part: Option<T>) -> Result<T, Error> {
    part.ok_or(Error::InvalidAnswer {
        field,
        value: String::new(),
    })
}

pub(crate) fn decimal_message(number: Decimal) -> v1::Decimal {
    v1::Decimal {
        value: number.to_string(),
    }
}

fn money_message(money: &Money) -> v1::Money {
    v1::Money {
        currency_code: money.currency_code.clone(),
        amount: Some(decimal_message(money.amount)),
    }
}

pub(crate) fn decimal(field: &'static str, message: Option<v1::Decimal>) -> Result<Decimal, Error> {
    let v1::Decimal { value } = present(field, message)?;
    Decimal::from_str_exact(&value).map_err(|_| Error::InvalidAnswer { field, value })
}

fn optional_decimal(field: &'static str, message: Option<v1::Decimal>) -> Result<Option<Decimal>, Error> {
    message.map(|message| decimal(field, Some(message))).transpose()
}

fn money(field: &'static str, message: Option<v1::Money>) -> Result<Money, Error> {
    let message = present(field, message)?;
    Ok(Money {
        amount: decimal(field, message.amount)?,
        currency_code: message.currency_code,
    })
}

pub(crate) fn timestamp(instant: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: instant.timestamp(),
        nanos: instant.timestamp_subsec_nanos().min(LAST_NANOSECOND).cast_signed(),
    }
}

fn instant(field: &'static str, message: Option<Timestamp>) -> Result<DateTime<Utc>, Error> {
    let Timestamp { seconds, nanos } = present(field, message)?;
    u32::try_from(nanos)
        .ok()
        .filter(|nanos| *nanos <= LAST_NANOSECOND)
        .and_then(|nanos| DateTime::from_timestamp(seconds, nanos))
        .ok_or_else(|| Error::InvalidAnswer {
            field,
            value: format!("{seconds} s {nanos} ns"),
        })
}

fn optional_instant(field: &'static str, message: Option<Timestamp>) -> Result<Option<DateTime<Utc>>, Error> {
    message.map(|message| instant(field, Some(message))).transpose()
}

/// A date as the contract writes it; empty without one.
pub(crate) fn day_text(day: Option<NaiveDate>) -> String {
    day.map(|day| day.format("%Y-%m-%d").to_string()).unwrap_or_default()
}

fn day(field: &'static str, text: String) -> Result<Option<NaiveDate>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    match NaiveDate::parse_from_str(&text, "%Y-%m-%d") {
        Ok(day) => Ok(Some(day)),
        Err(_) => Err(Error::InvalidAnswer { field, value: text }),
    }
}

/// Where the contract says empty, the SDK says `None`.
fn optional_text<T: From<String>>(text: String) -> Option<T> {
    (!text.is_empty()).then(|| text.into())
}

#[cfg(test)]
mod tests;
