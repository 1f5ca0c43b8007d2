//! Who calls: roles, and the text of an API key, `lk_<merchant>-<key>_<secret>`. The text names the key, so that it is
//! looked up by its number and only one secret is compared; the merchant's number leads, as in every key of a table.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Begins every key, so that one that leaks is found by its look.
const PREFIX: &str = "lk_";

/// Characters of a key's id, hexadecimal.
const KEY_ID_LENGTH: usize = 12;

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A till: sells, redeems, takes back, enrols.
    Terminal,
    /// The shop's office: members, corrections and reports besides.
    BackOffice,
    /// Looks at everything and changes nothing.
    ReadOnly,
    /// Everything, the configuration included.
    Operator,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Terminal, Self::BackOffice, Self::ReadOnly, Self::Operator];

    /// As the contract writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminal => "TERMINAL",
            Self::BackOffice => "BACK_OFFICE",
            Self::ReadOnly => "READ_ONLY",
            Self::Operator => "OPERATOR",
        }
    }

    /// Whether a caller may say that somebody else acts: who works for several people, and is trusted to say for whom.
    pub(crate) fn may_name_actor(self) -> bool {
        matches!(self, Self::BackOffice | Self::Operator)
    }
}

/// Names a key: the merchant, and the key among the merchant's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyId {
    pub(crate) merchant_id: u32,
    pub(crate) key_id: String,
}

impl KeyId {
    /// From `<merchant>-<key>`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (merchant, key_id) = text.split_once('-')?;
        let merchant_id: u32 = merchant.parse().ok()?;
        let is_canonical = merchant_id.to_string() == merchant && key_id.len() == KEY_ID_LENGTH && is_hex(key_id);
        is_canonical.then(|| Self {
            merchant_id,
            key_id: key_id.to_owned(),
        })
    }

    /// A new one from random bytes.
    pub(crate) fn new(merchant_id: u32, random: [u8; KEY_ID_LENGTH / 2]) -> Self {
        Self {
            merchant_id,
            key_id: hex(&random),
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.merchant_id, self.key_id)
    }
}

/// The secret of a key. It shows in no log.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) [u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Reads the text of a key.
pub(crate) fn parse_key(text: &str) -> Option<(KeyId, Secret)> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
    Some((KeyId::parse(id)?, Secret(unhex(secret)?)))
}

/// Writes the text of a key.
pub(crate) fn key_text(id: &KeyId, secret: &Secret) -> String {
    format!("{PREFIX}{id}_{}", hex(&secret.0))
}

/// Whether this can be the name of who acts: 1 to 64 printable ASCII characters, no blanks around them.
pub(crate) fn is_actor(name: &str) -> bool {
    let is_printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    (1..=64).contains(&name.len()) && name.bytes().all(is_printable) && name.trim() == name
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !is_hex(text) {
        return None;
    }
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let id = KeyId::new(70_000, [0, 1, 2, 3, 254, 255]);
        let secret = Secret(std::array::from_fn(|place| u8::try_from(place * 8).unwrap()));

        let text = key_text(&id, &secret);

        assert!(text.starts_with("lk_70000-00010203feff_0008101820"), "{text}");
        assert_eq!(parse_key(&text), Some((id, secret)));
    }

    #[test]
    fn nothing_else_is_a_key() {
        let secret = "0".repeat(64);
        for id in [
            "",
            "1",
            "-",
            "1-",
            "-000000000000",
            "01-000000000000",
            "+1-000000000000",
            "1-00000000000",
            "1-0000000000000",
            "1-00000000000G",
            "1-ABCDEF000000",
            "4294967296-000000000000",
        ] {
            assert_eq!(parse_key(&format!("lk_{id}_{secret}")), None, "{id}");
        }
        for text in [
            "",
            "lk_",
            "lk_1-000000000000",
            "lk_1-000000000000_",
            "Lk_1-000000000000_0",
        ] {
            assert_eq!(parse_key(text), None, "{text}");
        }
        for secret in [
            "0".repeat(63),
            "0".repeat(65),
            "g".repeat(64),
            format!("{}_", "0".repeat(63)),
            "é".repeat(32),
            "F".repeat(64),
        ] {
            assert_eq!(parse_key(&format!("lk_1-000000000000_{secret}")), None, "{secret}");
        }
        assert!(parse_key(&format!("lk_1-000000000000_{secret}")).is_some());
    }

    #[test]
    fn a_secret_does_not_show() {
        let id = KeyId::new(1, [7; 6]);

        let told = format!("{:?}", parse_key(&key_text(&id, &Secret([171; 32]))));

        assert!(
            told.contains("070707070707") && !told.contains("171") && !told.contains("ab"),
            "{told}"
        );
    }

    #[test]
    fn who_acts_has_a_name_that_a_header_and_a_list_can_hold() {
        for name in ["a", "Ana María".replace('í', "i").as_str(), "till 7", &"x".repeat(64)] {
            assert!(is_actor(name), "{name:?}");
        }
        for name in ["", " a", "a ", "a\tb", "José", &"x".repeat(65)] {
            assert!(!is_actor(name), "{name:?}");
        }
    }
}
