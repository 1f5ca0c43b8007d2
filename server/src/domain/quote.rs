//! Quotes that are held: a token names what was quoted, so that the sale gets it though the rules have changed since.

use std::fmt;

use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac as _};
use rust_decimal::Decimal;
use serde::Serialize;
use sha2::Sha256;
use uuid::Uuid;

use super::offline::OfflinePolicy;
use super::rejection::Rejection;
use super::sale::{Customer, MemberKey, Sale, SaleLine, SaleRedemption};

/// The first byte of a token: how the rest is laid out.
const LAYOUT: u8 = 1;
/// Bytes before the id of the program.
const HEAD: usize = 1 + 4 + 4 + 1 + 16 + 16 + 8 + 8;
/// Bytes of the seal: 128 bits, as nobody can guess.
const SEAL: usize = 16;
/// A key as HMAC wants it: followed by zeros.
type Block = hmac::digest::Key<Hmac<Sha256>>;

/// What was quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Quote {
    pub(crate) merchant_id: u32,
    pub(crate) program_id: String,
    /// That rated it.
    pub(crate) version: u32,
    pub(crate) holder: Holder,
    /// Hash of the `Basket`.
    pub(crate) basket: [u8; 16],
    /// When the sale was made, as it was quoted.
    pub(crate) at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
}

/// Who was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    Member(Uuid),
    /// Who is no member yet: hash of the identifier.
    Customer([u8; 16]),
}

/// What of a sale decides what it earns and what points pay of it: the same of the sale that is quoted and the one that is
/// recorded. Its serialized form is canonical. What is known only when the customer has paid is not in it.
#[derive(Debug, Serialize)]
pub(crate) struct Basket<'a> {
    store_id: &'a str,
    terminal_id: &'a str,
    document_type: &'a str,
    program_id: &'a str,
    currency_code: &'a str,
    total: Decimal,
    lines: &'a [SaleLine],
    redemptions: &'a [SaleRedemption],
    do_not_earn: bool,
    customer: Option<&'a Customer>,
}

/// The secret that all servers of a database share, and nobody else knows.
#[derive(Clone)]
pub(crate) struct QuoteKey([u8; 32]);

impl<'a> Basket<'a> {
    pub(crate) fn of(sale: &'a Sale) -> Self {
        Self {
            store_id: &sale.store_id,
            terminal_id: &sale.terminal_id,
            document_type: &sale.document_type,
            program_id: &sale.program_id,
            currency_code: &sale.currency_code,
            total: sale.total,
            lines: &sale.lines,
            redemptions: &sale.redemptions,
            do_not_earn: sale.do_not_earn,
            customer: sale.customer.as_ref(),
        }
    }
}

impl Quote {
    /// The token: the quote and its seal.
    pub(crate) fn seal(&self, key: &QuoteKey) -> Vec<u8> {
        let (kind, holder) = match self.holder {
            Holder::Member(member_id) => (0, *member_id.as_bytes()),
            Holder::Customer(hash) => (1, hash),
        };
        let mut token = vec![LAYOUT];
        token.extend(self.merchant_id.to_be_bytes());
        token.extend(self.version.to_be_bytes());
        token.push(kind);
        token.extend(holder);
        token.extend(self.basket);
        token.extend(self.at.timestamp_micros().to_be_bytes());
        token.extend(self.expires_at.timestamp_micros().to_be_bytes());
        token.extend(self.program_id.as_bytes());
        let seal = key.seal(&token);
        token.extend(seal);
        token
    }

    /// The quote of a token; `None` where it is not one that was sealed with this key.
    pub(crate) fn open(token: &[u8], key: &QuoteKey) -> Option<Self> {
        let (said, seal) = token.split_at_checked(token.len().checked_sub(SEAL)?)?;
        if !key.has_sealed(said, seal) {
            return None;
        }
        let mut reader = Reader(said);
        if said.len() < HEAD || reader.take::<1>()? != [LAYOUT] {
            return None;
        }
        let merchant_id = u32::from_be_bytes(reader.take()?);
        let version = u32::from_be_bytes(reader.take()?);
        let holder = match (reader.take::<1>()?, reader.take()?) {
            ([0], member_id) => Holder::Member(Uuid::from_bytes(member_id)),
            (_, hash) => Holder::Customer(hash),
        };
        Some(Self {
            merchant_id,
            version,
            holder,
            basket: reader.take()?,
            at: DateTime::from_timestamp_micros(i64::from_be_bytes(reader.take()?))?,
            expires_at: DateTime::from_timestamp_micros(i64::from_be_bytes(reader.take()?))?,
            program_id: std::str::from_utf8(reader.0).ok()?.to_owned(),
        })
    }

    /// Refuses a quote that is not held any more when the sale is made: when it arrives, or, of a till without a line, when
    /// it was made there, as far as its merchant lets that decide.
    pub(crate) fn check_time(&self, sale: &Sale, policy: &OfflinePolicy, now: DateTime<Utc>) -> Result<(), Rejection> {
        let made_offline = sale.occurred_at.filter(|at| sale.offline && policy.reaches(*at, now));
        if made_offline.unwrap_or(now) < self.expires_at {
            return Ok(());
        }
        Err(Rejection::QuoteExpired {
            expires_at: self.expires_at,
        })
    }

    /// Whether the customer of a sale, who was no member when it was quoted, is the one who was told.
    pub(crate) fn is_for_customer(&self, hash: [u8; 16], member: &MemberKey) -> bool {
        match self.holder {
            Holder::Customer(told) => member.identifier().is_some() && told == hash,
            // Whose it is shows when the member is found.
            Holder::Member(_) => true,
        }
    }
}

impl QuoteKey {
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// HMAC-SHA256, cut to `SEAL` bytes.
    fn seal(&self, said: &[u8]) -> [u8; SEAL] {
        let mut cut = [0; SEAL];
        for (to, from) in cut.iter_mut().zip(self.hmac(said).finalize().into_bytes()) {
            *to = from;
        }
        cut
    }

    /// Takes as long whatever is different, so that nobody finds a seal out byte by byte.
    fn has_sealed(&self, said: &[u8], seal: &[u8]) -> bool {
        seal.len() == SEAL && self.hmac(said).verify_truncated_left(seal).is_ok()
    }

    fn hmac(&self, said: &[u8]) -> Hmac<Sha256> {
        let mut block = Block::default();
        for (to, from) in block.iter_mut().zip(self.0) {
            *to = from;
        }
        Hmac::<Sha256>::new(&block).chain_update(said)
    }
}

impl fmt::Debug for QuoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QuoteKey(…)")
    }
}

/// Bytes that are read from the front.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_at_checked(N)?;
        self.0 = rest;
        first.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quote(holder: Holder) -> Quote {
        Quote {
            merchant_id: 7,
            program_id: "club".to_owned(),
            version: 12,
            holder,
            basket: [3; 16],
            at: DateTime::from_timestamp_micros(1_768_471_200_000_001).unwrap(),
            expires_at: DateTime::from_timestamp_micros(1_768_472_100_000_000).unwrap(),
        }
    }

    #[test]
    fn a_token_says_what_was_quoted() {
        let key = QuoteKey::new([9; 32]);
        for holder in [Holder::Member(Uuid::from_u128(5)), Holder::Customer([8; 16])] {
            let quote = quote(holder);

            assert_eq!(Quote::open(&quote.seal(&key), &key), Some(quote));
        }
    }

    #[test]
    fn whatever_is_changed_of_a_token_breaks_its_seal() {
        let (key, other) = (QuoteKey::new([9; 32]), QuoteKey::new([10; 32]));
        let token = quote(Holder::Member(Uuid::from_u128(5))).seal(&key);

        for place in 0..token.len() {
            for bit in 0..8 {
                let mut changed = token.clone();
                changed[place] ^= 1 << bit;
                assert_eq!(Quote::open(&changed, &key), None, "byte {place}, bit {bit}");
            }
            assert_eq!(Quote::open(&token[..place], &key), None, "cut at {place}");
        }
        assert_eq!(Quote::open(&token, &other), None);
        assert_eq!(Quote::open(&[token, vec![0]].concat(), &key), None);
    }

    /// RFC 4231, test case 1; a shorter key is followed by zeros.
    #[test]
    fn the_seal_is_the_hmac_of_the_standard() {
        let mut secret = [0; 32];
        secret[..20].fill(0x0b);

        let seal = QuoteKey::new(secret).seal(b"Hi There");

        assert_eq!(
            format!("{:032x}", u128::from_be_bytes(seal)),
            "b0344c61d8db38535ca8afceaf0bf12b"
        );
    }

    #[test]
    fn a_key_shows_in_no_log() {
        assert_eq!(format!("{:?}", QuoteKey::new([9; 32])), "QuoteKey(…)");
    }
}
