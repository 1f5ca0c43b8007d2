//! Any call of the contract by its name, with messages as bytes: what is true of all calls is tested over the contract's
//! descriptors, so that a new call cannot be forgotten.

use std::time::Duration;

use prost::Message as _;
use prost::bytes::{Buf, BufMut, Bytes};
use prost_reflect::{DescriptorPool, MessageDescriptor};
use prost_types::{FileDescriptorSet, MethodDescriptorProto};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Request, Status};

/// A stream that has been silent for so long has told what it had to tell.
const SILENCE: Duration = Duration::from_millis(500);

/// Messages as they are.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

/// A method of the contract.
pub(crate) struct Method {
    /// Service and method, such as `LedgerService/RecordSale`.
    pub(crate) call: String,
    pub(crate) descriptor: MethodDescriptorProto,
}

/// All methods of the contract.
pub(crate) fn methods() -> Vec<Method> {
    let set = FileDescriptorSet::decode(loyalty_api::FILE_DESCRIPTOR_SET).expect("the contract");
    let services = set.file.into_iter().flat_map(|file| file.service);
    let methods = services.flat_map(|service| {
        let name = service.name().to_owned();
        let method = move |descriptor: MethodDescriptorProto| Method {
            call: format!("{name}/{}", descriptor.name()),
            descriptor,
        };
        service.method.into_iter().map(method)
    });
    methods.collect()
}

/// The messages that a call takes and gives.
pub(crate) fn message_of(call: &str) -> (MessageDescriptor, MessageDescriptor) {
    let pool = DescriptorPool::decode(loyalty_api::FILE_DESCRIPTOR_SET).expect("the contract");
    let (service, method) = call.split_once('/').expect("a call");
    let service = pool.get_service_by_name(&format!("loyalty.v1.{service}"));
    let mut methods = service.as_ref().expect("a service").methods();
    let method = methods.find(|known| known.name() == method).expect("a method");
    (method.input(), method.output())
}

/// Makes a call, with a key or without; all its answers.
pub(crate) async fn call(
    channel: &Channel,
    key: Option<&str>,
    call: &str,
    messages: Vec<Vec<u8>>,
) -> Result<Vec<Bytes>, Status> {
    let messages = messages.into_iter().map(Bytes::from).collect::<Vec<_>>();
    let mut request = Request::new(tokio_stream::iter(messages));
    if let Some(key) = key {
        let header = format!("Bearer {key}").parse().expect("a header");
        request.metadata_mut().insert("authorization", header);
    }
    path_with(channel, &format!("/loyalty.v1.{call}"), request).await
}

/// Makes a call of any path.
pub(crate) async fn path_with(
    channel: &Channel,
    path: &str,
    request: Request<impl tokio_stream::Stream<Item = Bytes> + Send + 'static>,
) -> Result<Vec<Bytes>, Status> {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready()
        .await
        .map_err(|error| Status::from_error(Box::new(error)))?;
    let path = path.parse().expect("a path");
    let mut answers = grpc.streaming(request, path, Raw).await?.into_inner();
    let mut all = Vec::new();
    while let Ok(answer) = tokio::time::timeout(SILENCE, answers.message()).await {
        match answer? {
            Some(answer) => all.push(answer),
            None => break,
        }
    }
    Ok(all)
}
