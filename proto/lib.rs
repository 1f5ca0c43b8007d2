//! The gRPC contract of the loyalty-points service: messages, clients and servers generated from the files in
//! `loyalty/v1/`, where every element is described.

pub mod codec;

/// Version 1 of the contract, package `loyalty.v1`.
pub mod v1 {
    tonic::include_proto!("loyalty.v1");
}

/// The descriptors of the contract, for reflection: an encoded `google.protobuf.FileDescriptorSet`.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

#[cfg(test)]
mod tests {
    use super::FILE_DESCRIPTOR_SET;
    use prost::Message as _;

    #[test]
    fn the_descriptor_set_holds_every_service() {
        let set = prost_types::FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap_or_default();

        let mut services: Vec<String> = set
            .file
            .iter()
            .flat_map(|file| &file.service)
            .map(|service| service.name().to_owned())
            .collect();
        services.sort();

        assert_eq!(
            services,
            ["LedgerService", "ProgramService", "RedemptionService", "RuleService"]
        );
    }
}
