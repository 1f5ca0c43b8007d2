//! How messages are read: as prost does, but a request is looked through before. Two bytes of an empty list element become
//! hundreds in memory, so that two megabytes of nothing would take half a gigabyte; such a request is refused unread.

use std::collections::{HashMap, HashSet};
use std::marker::PhantomData;
use std::sync::LazyLock;

use prost::bytes::Buf as _;
use prost::{Message, Name};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic_prost::{ProstCodec, ProstDecoder, ProstEncoder};

/// What a request may take in memory, about. The most that any call has use for are lots of an import, 100 of each of 500
/// members: 384 bytes unpacked with their three times, which makes 19 megabytes. What else finds room in the two of such a
/// message adds four.
pub const UNPACKED_LIMIT_BYTES: usize = 32 << 20;

/// What a field takes, about: most are texts or other messages, which take 24.
const FIELD_BYTES: usize = 32;

/// Messages in messages that are followed; prost refuses deeper ones.
const DEPTH: usize = 100;

/// Reads and writes messages as [`ProstCodec`] does, and refuses requests that would take more than
/// [`UNPACKED_LIMIT_BYTES`], with the code OUT_OF_RANGE.
#[derive(Debug)]
pub struct BoundedCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for BoundedCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for BoundedCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Name + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = BoundedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::default().encoder()
    }

    fn decoder(&mut self) -> Self::Decoder {
        BoundedDecoder {
            shape: SHAPES.of_request::<U>(),
            decoder: ProstCodec::<T, U>::default().decoder(),
        }
    }
}

/// Reads messages.
#[derive(Debug)]
pub struct BoundedDecoder<U> {
    /// Of a request.
    shape: Option<usize>,
    decoder: ProstDecoder<U>,
}

impl<U: Message + Default> Decoder for BoundedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        if let Some(shape) = self.shape {
            // The library hands over whole messages in one piece.
            let mut room = UNPACKED_LIMIT_BYTES;
            if SHAPES.fill(shape, bytes.chunk(), &mut room, DEPTH).is_none() {
                return Err(Status::out_of_range("the request would take too much memory"));
            }
        }
        self.decoder.decode(bytes)
    }
}

static SHAPES: LazyLock<Shapes> = LazyLock::new(Shapes::of_contract);

/// What messages consist of.
struct Shapes {
    by_name: HashMap<String, usize>,
    all: Vec<Shape>,
}

#[derive(Default)]
struct Shape {
    /// What one takes, about.
    bytes: usize,
    /// Fields that are messages, and which.
    messages: HashMap<u64, usize>,
    /// Fields that are lists of anything else.
    lists: HashSet<u64>,
}

impl Shapes {
    fn of_contract() -> Self {
        let set = FileDescriptorSet::decode(crate::FILE_DESCRIPTOR_SET).unwrap_or_default();
        let mut found: Vec<(String, DescriptorProto)> = Vec::new();
        for file in set.file {
            let package = format!(".{}", file.package());
            for message in file.message_type {
                collect(&package, message, &mut found);
            }
        }
        let by_name: HashMap<String, usize> = found.iter().map(|(name, _)| name.clone()).zip(0..).collect();
        let all = found.iter().map(|(_, message)| Shape::of(message, &by_name)).collect();
        Self { by_name, all }
    }

    /// The shape of a request; answers are read as they are.
    fn of_request<M: Name>(&self) -> Option<usize> {
        let name = format!(".{}", M::full_name());
        self.by_name.get(&name).copied().filter(|_| name.ends_with("Request"))
    }

    /// Takes from `room` what a message takes; `None` when it is not enough. What is malformed is left to the decoder, which
    /// stops at the same place.
    fn fill(&self, shape: usize, mut bytes: &[u8], room: &mut usize, depth: usize) -> Option<()> {
        let shape = self.all.get(shape)?;
        *room = room.checked_sub(shape.bytes)?;
        while let Some(tag) = varint(&mut bytes) {
            match tag & 7 {
                0 => drop(varint(&mut bytes)),
                1 => bytes = bytes.get(8..).unwrap_or_default(),
                5 => bytes = bytes.get(4..).unwrap_or_default(),
                2 => {
                    let Some(length) = varint(&mut bytes).and_then(|length| usize::try_from(length).ok()) else {
                        return Some(());
                    };
                    let Some((inside, rest)) = bytes.split_at_checked(length) else {
                        return Some(());
                    };
                    bytes = rest;
                    match shape.messages.get(&(tag >> 3)) {
                        Some(message) if depth > 0 => self.fill(*message, inside, room, depth - 1)?,
                        _ if shape.lists.contains(&(tag >> 3)) => *room = room.checked_sub(FIELD_BYTES)?,
                        // A text of the message, or nothing that it knows.
                        _ => {}
                    }
                }
                // A group, which nothing is read of, begins or ends; what is in it looks like fields of the message.
                3 | 4 => {}
                _ => return Some(()),
            }
        }
        Some(())
    }
}

impl Shape {
    fn of(message: &DescriptorProto, by_name: &HashMap<String, usize>) -> Self {
        let messages = message.field.iter().filter(|field| field.r#type() == Type::Message);
        let messages = messages.filter_map(|field| {
            let number = u64::try_from(field.number()).ok()?;
            Some((number, *by_name.get(field.type_name())?))
        });
        let is_list =
            |field: &&FieldDescriptorProto| field.label() == Label::Repeated && field.r#type() != Type::Message;
        let lists = message.field.iter().filter(is_list);
        Self {
            bytes: message.field.len() * FIELD_BYTES,
            messages: messages.collect(),
            lists: lists.filter_map(|field| u64::try_from(field.number()).ok()).collect(),
        }
    }
}

fn collect(around: &str, mut message: DescriptorProto, found: &mut Vec<(String, DescriptorProto)>) {
    let name = format!("{around}.{}", message.name());
    for inside in std::mem::take(&mut message.nested_type) {
        collect(&name, inside, found);
    }
    found.push((name, message));
}

/// The next number; `None` when there is none.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in 0..10 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1;

    /// Whether the message fits.
    fn fits<M: Message + Name>(message: &M) -> bool {
        let shape = SHAPES.of_request::<M>().unwrap_or(usize::MAX);
        let mut room = UNPACKED_LIMIT_BYTES;
        SHAPES.fill(shape, &message.encode_to_vec(), &mut room, DEPTH).is_some()
    }

    fn number(value: &str) -> Option<v1::Decimal> {
        let value = value.to_owned();
        Some(v1::Decimal { value })
    }

    #[test]
    fn the_largest_requests_of_the_contract_fit() {
        let line = v1::SaleLine {
            product_id: "p".repeat(64),
            quantity: number("1.5"),
            unit_price: number("10"),
            amount: number("15"),
            ..v1::SaleLine::default()
        };
        let sale = v1::RecordSaleRequest {
            sale: Some(v1::Sale {
                lines: vec![line; 1_000],
                ..v1::Sale::default()
            }),
            ..v1::RecordSaleRequest::default()
        };
        let day = v1::OpeningSpend {
            day: "2026-01-01".to_owned(),
            amount: number("1"),
        };
        let time = prost_types::Timestamp {
            seconds: 1_700_000_000,
            nanos: 0,
        };
        let lot = v1::OpeningLot {
            points: number("10"),
            accrued_at: Some(time),
            expiry: Some(v1::opening_lot::Expiry::ExpiresAt(time)),
            pending_until: Some(time),
        };
        let import = |lots, days| v1::ImportMembersRequest {
            rows: vec![
                v1::ImportedMember {
                    lots: vec![lot.clone(); lots],
                    tier_spend: vec![day.clone(); days],
                    ..v1::ImportedMember::default()
                };
                500
            ],
            ..v1::ImportMembersRequest::default()
        };

        assert!(fits(&sale));
        for import in [import(100, 60), import(0, 230)] {
            assert!(import.encoded_len() > 2 << 20, "{}", import.encoded_len());
            assert!(fits(&import));
        }
    }

    #[test]
    fn lists_of_nothing_do_not_fit() {
        let sale = |count| v1::RecordSaleRequest {
            sale: Some(v1::Sale {
                lines: vec![v1::SaleLine::default(); count],
                ..v1::Sale::default()
            }),
            ..v1::RecordSaleRequest::default()
        };

        assert!(fits(&sale(10_000)));
        assert!(!fits(&sale(200_000)));
    }

    #[test]
    fn only_requests_are_looked_through() {
        assert!(SHAPES.of_request::<v1::RecordSaleRequest>().is_some());
        assert!(SHAPES.of_request::<v1::RecordSaleResponse>().is_none());
    }
}
