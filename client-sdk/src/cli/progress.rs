//! How far long work is, on the standard error, where it disturbs no answer.

use std::{
    fmt::Write as _,
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use clap::ValueEnum;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ProgressStyle {
    /// A bar where people look at it, nothing where the standard error is no terminal.
    Auto,
    /// A bar that moves in its line.
    Bar,
    /// A line now and then, for logs.
    Lines,
    /// Nothing.
    None,
}

/// Squares of a bar.
const WIDTH: u64 = 24;
/// Between two pictures of a bar: as often as an eye sees.
const BAR_PAUSE: Duration = Duration::from_millis(100);
/// Between two lines.
const LINE_PAUSE: Duration = Duration::from_secs(5);

/// How far a piece of work is.
#[derive(Debug)]
pub(super) struct Progress {
    /// `Bar`, `Lines` or `None`.
    style: ProgressStyle,
    /// What is counted, in the plural.
    what: &'static str,
    /// How much it is; `None`: nobody knows.
    total: Option<u64>,
    done: u64,
    began: Instant,
    shown: Option<Instant>,
}

impl Progress {
    /// Nothing done yet.
    pub(super) fn of(style: ProgressStyle, what: &'static str, total: Option<u64>) -> Self {
        let style = match style {
            ProgressStyle::Auto if std::io::stderr().is_terminal() => ProgressStyle::Bar,
            ProgressStyle::Auto => ProgressStyle::None,
            said => said,
        };
        Self {
            style,
            what,
            total,
            done: 0,
            began: Instant::now(),
            shown: None,
        }
    }

    /// So much more is done.
    pub(super) fn advance(&mut self, by: u64) {
        self.done = self.done.saturating_add(by);
        let pause = match self.style {
            ProgressStyle::Bar => BAR_PAUSE,
            _ => LINE_PAUSE,
        };
        let since = self.shown.unwrap_or(self.began);
        if since.elapsed() >= pause {
            self.show();
        }
    }

    /// The work has ended, well or not.
    pub(super) fn finish(mut self) {
        self.show();
        if self.style == ProgressStyle::Bar {
            // Nobody reads it where the standard error is closed.
            let _ = writeln!(std::io::stderr());
        }
    }

    fn show(&mut self) {
        self.shown = Some(Instant::now());
        let text = picture(self.what, self.done, self.total, self.began.elapsed());
        let mut out = std::io::stderr().lock();
        let _ = match self.style {
            // What the picture before had at its end goes.
            ProgressStyle::Bar => write!(out, "\r{text}\x1b[K").and_then(|()| out.flush()),
            ProgressStyle::Lines => writeln!(out, "{text}"),
            ProgressStyle::Auto | ProgressStyle::None => Ok(()),
        };
    }
}

/// Such as `[############            ]  50 % 500 of 1,000 sales, 250/s, 2 s to go`.
fn picture(what: &str, done: u64, total: Option<u64>, took: Duration) -> String {
    let mut text = String::new();
    let per_second = u128::from(done) * 1_000 / took.as_millis().max(1);
    let per_second = u64::try_from(per_second).unwrap_or(u64::MAX);
    // Nothing fails that is written into memory.
    let _ = match total.filter(|total| *total > 0) {
        Some(total) => {
            let share = |of: u64| {
                let share = u128::from(done.min(total)) * u128::from(of) / u128::from(total);
                usize::try_from(share).unwrap_or_default()
            };
            let (squares, width) = (share(WIDTH), usize::try_from(WIDTH).unwrap_or_default());
            let bar = format!("{}{}", "#".repeat(squares), " ".repeat(width - squares));
            let of = grouped(total);
            write!(text, "[{bar}] {:3} % {} of {of} {what}", share(100), grouped(done))
        }
        None => write!(text, "{} {what}", grouped(done)),
    };
    if per_second > 0 {
        let _ = write!(text, ", {}/s", grouped(per_second));
        if let Some(left) = total.map(|total| total.saturating_sub(done)).filter(|left| *left > 0) {
            let _ = write!(text, ", {} s to go", grouped(left.div_ceil(per_second)));
        }
    }
    text
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_shows_how_much_is_done_how_fast_and_how_long_it_will_take() {
        let second = Duration::from_secs(1);
        for (done, total, took, expected) in [
            (
                0,
                Some(1_000),
                second,
                "[                        ]   0 % 0 of 1,000 sales",
            ),
            (
                500,
                Some(1_000),
                second * 2,
                "[############            ]  50 % 500 of 1,000 sales, 250/s, 2 s to go",
            ),
            (
                1_000,
                Some(1_000),
                second * 4,
                "[########################] 100 % 1,000 of 1,000 sales, 250/s",
            ),
            // More than was there when it began.
            (3, Some(2), second, "[########################] 100 % 3 of 2 sales, 3/s"),
            (1_234_567, None, second, "1,234,567 sales, 1,234,567/s"),
            (0, Some(0), second, "0 sales"),
            (7, None, Duration::ZERO, "7 sales, 7,000/s"),
        ] {
            assert_eq!(picture("sales", done, total, took), expected);
        }
    }
}
