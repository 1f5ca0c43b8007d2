//! Numbers as tables show them. The workspace computes without floats, and so does its benchmark.

/// `12345` as `12,345`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Thousandths with two decimals: µs as ms, ms as s.
pub(crate) fn thousandths(number: u64) -> String {
    let hundredths = (number + 5) / 10;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// A quotient with two decimals, or one from 10 on.
pub(crate) fn ratio(dividend: u64, divisor: u64) -> String {
    let hundredths = (dividend * 100 + divisor / 2) / divisor.max(1);
    if hundredths < 1_000 {
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    } else {
        let tenths = (hundredths + 5) / 10;
        format!("{}.{}", tenths / 10, tenths % 10)
    }
}

/// A quotient as a percentage.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    format!("{} %", (part * 100 + whole / 2) / whole.max(1))
}

/// KiB as whole MiB.
pub(crate) fn mib(kib: u64) -> String {
    grouped(kib.div_ceil(1_024))
}
