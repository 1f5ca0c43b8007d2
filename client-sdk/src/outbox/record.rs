//! Records of an outbox file: what is in them, and how a reader knows that they are whole.

use loyalty_api::v1;
use prost::Message as _;

/// How every file begins; the last byte is the version of the format.
pub(super) const MAGIC: [u8; 16] = *b"LOYALTY-OUTBOX\0\x01";
/// The length of the body, the checksum of that, and the checksum of the body: a length that is damaged must not be taken
/// for that of a record which was not finished.
const HEAD: usize = 12;
/// No record is longer: the largest message that a server takes, and what stands around it.
const LONGEST_BODY: usize = 6 << 20;

/// What is written down.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Record {
    /// The first of a file: the position of the first operation behind it.
    Start { position: u64 },
    /// Something that the till did.
    Operation {
        position: u64,
        /// Microseconds since 1970 in UTC.
        recorded_at: i64,
        message: Box<v1::SyncSalesRequest>,
    },
    /// All operations before this position are answered.
    Answered { before: u64 },
    /// An operation that was refused, with its answer.
    Refused {
        position: u64,
        recorded_at: i64,
        message: Box<v1::SyncSalesRequest>,
        answer: Box<v1::SyncSalesResponse>,
    },
    /// Somebody has seen to the refusal.
    Settled { position: u64 },
    /// Operations before this position were lost by damage that somebody repaired.
    Lost { before: u64 },
}

/// What stands at a place of a file.
#[derive(Debug, PartialEq)]
pub(super) enum Read {
    /// A record, and where the next one is.
    Record(Record, usize),
    /// The end of the file.
    End,
    /// The file ends in the middle of a record, or in nothing but zeros: a write that was not finished.
    Unfinished,
    /// Something else than was written.
    Damaged(&'static str),
}

impl Record {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let mut put = |kind: u8, numbers: &[u64]| {
            body.push(kind);
            for number in numbers {
                body.extend_from_slice(&number.to_le_bytes());
            }
        };
        match self {
            Self::Start { position } => put(1, &[*position]),
            Self::Operation {
                position,
                recorded_at,
                message,
            } => {
                put(2, &[*position, recorded_at.cast_unsigned()]);
                body.extend_from_slice(&message.encode_to_vec());
            }
            Self::Answered { before } => put(3, &[*before]),
            Self::Refused {
                position,
                recorded_at,
                message,
                answer,
            } => {
                let message = message.encode_to_vec();
                put(4, &[*position, recorded_at.cast_unsigned(), message.len() as u64]);
                body.extend_from_slice(&message);
                body.extend_from_slice(&answer.encode_to_vec());
            }
            Self::Settled { position } => put(5, &[*position]),
            Self::Lost { before } => put(6, &[*before]),
        }
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
        let mut bytes = Vec::with_capacity(HEAD + body.len());
        bytes.extend_from_slice(&length);
        bytes.extend_from_slice(&checksum(&length).to_le_bytes());
        bytes.extend_from_slice(&checksum(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        bytes
    }

    /// Reads what stands in `file` from `at` on.
    pub(super) fn read(file: &[u8], at: usize) -> Read {
        let rest = file.get(at..).unwrap_or_default();
        if rest.is_empty() {
            return Read::End;
        }
        // No record begins with a length of 0: a file that was made longer before its bytes were written has zeros there.
        if rest.iter().all(|byte| *byte == 0) {
            return Read::Unfinished;
        }
        let Some((head, behind)) = rest.split_at_checked(HEAD) else {
            return Read::Unfinished;
        };
        let (length, sums) = head.split_at(4);
        let (length_sum, sum) = sums.split_at(4);
        let size = number(length)
            .and_then(|size| usize::try_from(size).ok())
            .unwrap_or_default();
        if number(length_sum) != Some(checksum(length)) || size == 0 || size > LONGEST_BODY {
            return Read::Damaged("a record has a length that none has");
        }
        let Some(body) = behind.get(..size) else {
            return Read::Unfinished;
        };
        if number(sum) != Some(checksum(body)) {
            return Read::Damaged("a record does not have its checksum");
        }
        match Self::decode(body) {
            Some(record) => Read::Record(record, at + HEAD + size),
            None => Read::Damaged("a record of a kind that this version does not know"),
        }
    }

    fn decode(body: &[u8]) -> Option<Self> {
        let (kind, rest) = body.split_first()?;
        let (first, rest) = long(rest)?;
        Some(match kind {
            1 => Self::Start { position: first },
            2 => {
                let (recorded_at, message) = long(rest)?;
                Self::Operation {
                    position: first,
                    recorded_at: recorded_at.cast_signed(),
                    message: Box::new(v1::SyncSalesRequest::decode(message).ok()?),
                }
            }
            3 => Self::Answered { before: first },
            4 => {
                let (recorded_at, rest) = long(rest)?;
                let (length, rest) = long(rest)?;
                let (message, answer) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                Self::Refused {
                    position: first,
                    recorded_at: recorded_at.cast_signed(),
                    message: Box::new(v1::SyncSalesRequest::decode(message).ok()?),
                    answer: Box::new(v1::SyncSalesResponse::decode(answer).ok()?),
                }
            }
            5 => Self::Settled { position: first },
            6 => Self::Lost { before: first },
            _ => return None,
        })
    }
}

fn number(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

fn long(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*number), rest))
}

/// CRC-32 as of Ethernet and zip: reflected, polynomial EDB88320.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| TABLE[usize::from(sum.to_le_bytes()[0] ^ byte)] ^ (sum >> 8);
    !bytes.iter().fold(!0, step)
}

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut place = 0;
    while place < 256 {
        let mut sum = place as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 {
                0xEDB8_8320 ^ (sum >> 1)
            } else {
                sum >> 1
            };
            bit += 1;
        }
        table[place] = sum;
        place += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<Record> {
        let message = Box::new(v1::SyncSalesRequest {
            position: 7,
            operation: Some(v1::sync_sales_request::Operation::ReleaseHold(v1::ReleaseHoldRequest {
                request_id: "request".to_owned(),
                hold_id: "hold".to_owned(),
                ..v1::ReleaseHoldRequest::default()
            })),
        });
        vec![
            Record::Start { position: 7 },
            Record::Operation {
                position: 7,
                recorded_at: -1,
                message: message.clone(),
            },
            Record::Answered { before: 8 },
            Record::Refused {
                position: 7,
                recorded_at: 1,
                message,
                answer: Box::new(v1::SyncSalesResponse {
                    position: 7,
                    ..v1::SyncSalesResponse::default()
                }),
            },
            Record::Settled { position: 7 },
            Record::Lost { before: 9 },
        ]
    }

    #[test]
    fn the_checksum_is_the_well_known_one() {
        assert_eq!(checksum(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let file: Vec<u8> = records().iter().flat_map(Record::encode).collect();
        let (mut at, mut read) = (0, Vec::new());
        while let Read::Record(record, next) = Record::read(&file, at) {
            read.push(record);
            at = next;
        }

        assert_eq!(read, records());
        assert_eq!(Record::read(&file, at), Read::End);
    }

    #[test]
    fn a_file_that_ends_anywhere_in_a_record_is_unfinished_there() {
        for record in records() {
            let bytes = record.encode();
            for length in 1..bytes.len() {
                assert_eq!(
                    Record::read(&bytes[..length], 0),
                    Read::Unfinished,
                    "{record:?} {length}"
                );
            }
        }
    }

    #[test]
    fn no_bit_of_a_record_changes_unseen_or_makes_it_look_unfinished() {
        for record in records() {
            let bytes = record.encode();
            for place in 0..bytes.len() * 8 {
                let mut changed = bytes.clone();
                changed[place / 8] ^= 1 << (place % 8);
                let read = Record::read(&changed, 0);
                assert!(matches!(read, Read::Damaged(_)), "{record:?} {place}: {read:?}");
            }
        }
    }
}
