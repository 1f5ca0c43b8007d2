//! Who is calling.

use super::Context;

/// The merchant a call belongs to: everything it reads and writes is this merchant's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) merchant_id: u32,
}

/// In the development mode, which listens on loopback only, everybody is the merchant `default`.
pub(super) fn caller(context: &Context) -> Caller {
    Caller {
        merchant_id: context.merchant_id,
    }
}
