//! How answers are written: as tables for people, as CSV and JSON for programs.

use clap::ValueEnum;

use crate::csv::write_line;

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Columns for people.
    Table,
    /// Comma-separated values, as of RFC 4180.
    Csv,
    /// JSON: an object, or of several an array of them; numbers as texts, so that none loses decimals.
    Json,
}

/// What a command did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) answer: Answer,
    /// What is said beside the answer, on the standard error, each in a line of its own.
    pub(super) notes: Vec<String>,
    /// Whether nothing is left to do.
    pub(super) is_whole: bool,
}

impl From<Answer> for Done {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            notes: Vec::new(),
            is_whole: true,
        }
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// One thing: names and values.
    One(Vec<(&'static str, String)>),
    /// Several of a kind.
    Several {
        columns: Vec<&'static str>,
        rows: Vec<Vec<String>>,
    },
}

impl Answer {
    pub(super) fn text(&self, format: Format) -> String {
        match format {
            Format::Table => self.table(),
            Format::Csv => self.csv(),
            Format::Json => self.json(),
        }
    }

    fn table(&self) -> String {
        match self {
            Self::One(fields) => {
                let width = fields
                    .iter()
                    .map(|(name, _)| name.chars().count())
                    .max()
                    .unwrap_or_default();
                let lines = fields.iter().map(|(name, value)| format!("{name:width$}  {value}\n"));
                lines.collect()
            }
            Self::Several { columns, rows } => {
                let names: Vec<String> = columns.iter().map(|name| name.to_uppercase()).collect();
                let lines: Vec<&Vec<String>> = std::iter::once(&names).chain(rows).collect();
                let width_of = |place: usize| {
                    let cells = lines.iter().filter_map(|line| line.get(place));
                    cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
                };
                let widths: Vec<usize> = (0..columns.len()).map(width_of).collect();
                let mut text = String::new();
                for line in lines {
                    let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
                    text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
                    text.push('\n');
                }
                text
            }
        }
    }

    fn csv(&self) -> String {
        let mut out = Vec::new();
        let mut line = |fields: &[String]| {
            // Nothing fails that is written into memory.
            let _ = write_line(&mut out, fields);
        };
        match self {
            Self::One(fields) => {
                line(&fields.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
                line(&fields.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>());
            }
            Self::Several { columns, rows } => {
                line(&columns.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
                rows.iter().for_each(|row| line(row));
            }
        }
        String::from_utf8(out).unwrap_or_default()
    }

    fn json(&self) -> String {
        let object = |fields: Vec<(&'static str, &String)>| {
            let fields = fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.as_str().into()));
            serde_json::Value::Object(fields.collect())
        };
        let value = match self {
            Self::One(fields) => object(fields.iter().map(|(name, value)| (*name, value)).collect()),
            Self::Several { columns, rows } => {
                let rows = rows
                    .iter()
                    .map(|row| object(columns.iter().copied().zip(row).collect()));
                serde_json::Value::Array(rows.collect())
            }
        };
        format!("{value:#}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn several() -> Answer {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        Answer::Several {
            columns: vec!["kind", "points"],
            rows: vec![row(["EARN", "10"]), row(["a,b", "-2.5"])],
        }
    }

    #[test]
    fn a_table_has_columns_under_their_names() {
        assert_eq!(several().text(Format::Table), "KIND  POINTS\nEARN  10\na,b   -2.5\n");
        let one = Answer::One(vec![("member", "ada".to_owned()), ("points", "10".to_owned())]);
        assert_eq!(one.text(Format::Table), "member  ada\npoints  10\n");
    }

    #[test]
    fn programs_get_csv_and_json() {
        assert_eq!(
            several().text(Format::Csv),
            "kind,points\r\nEARN,10\r\n\"a,b\",-2.5\r\n"
        );
        let json: serde_json::Value = serde_json::from_str(&several().text(Format::Json)).unwrap();
        assert_eq!(json[1]["points"], "-2.5");
    }
}
