//! CSV files as spreadsheets write them, record by record, so that a file of any size takes no more memory than a record.

use std::io::{self, BufRead, Error, ErrorKind};

/// Bytes of a record: far more than a member has, and few enough to read a file that is none without harm.
const LONGEST_RECORD: u64 = 1 << 20;

/// Reads records, of RFC 4180; a semicolon may stand for the comma, as where that is the decimal point.
pub(super) struct CsvReader<R> {
    input: R,
    separator: char,
    /// The line that was read last, from 1.
    line: u64,
}

/// What is read at a place of a record.
#[derive(Clone, Copy, PartialEq)]
enum State {
    BeginsField,
    Plain,
    Quoted,
    /// Behind a quote inside of quotes: another one stands for a quote, and without one the field is over.
    BehindQuote,
}

impl<R: BufRead> CsvReader<R> {
    /// A reader of records that takes the separator from the first of them, which has the names of the columns.
    pub(super) fn new(input: R) -> io::Result<(Self, Vec<String>)> {
        let mut reader = Self {
            input,
            separator: ',',
            line: 0,
        };
        let mut first = reader.line()?.unwrap_or_default();
        if let Some(rest) = first.strip_prefix('\u{feff}') {
            first = rest.to_owned();
        }
        if first.contains(';') && !first.contains(',') {
            reader.separator = ';';
        }
        let names = reader.record_of(first)?;
        Ok((reader, names))
    }

    /// The next record that is not empty, with the number of the line on which it begins.
    pub(super) fn record(&mut self) -> io::Result<Option<(u64, Vec<String>)>> {
        while let Some(line) = self.line()? {
            let number = self.line;
            if !line.trim().is_empty() {
                return Ok(Some((number, self.record_of(line)?)));
            }
        }
        Ok(None)
    }

    /// The fields of the record that begins with a line.
    fn record_of(&mut self, first: String) -> io::Result<Vec<String>> {
        let (begin, mut line) = (self.line, first);
        let (mut fields, mut field, mut state, mut length) = (Vec::new(), String::new(), State::BeginsField, 0);
        loop {
            length += u64::try_from(line.len()).unwrap_or(u64::MAX);
            for character in line.trim_end_matches(['\r', '\n']).chars() {
                state = match (state, character) {
                    (State::BeginsField, '"') => State::Quoted,
                    (State::Quoted, '"') => State::BehindQuote,
                    (State::BehindQuote, '"') | (State::Quoted, _) => {
                        field.push(character);
                        State::Quoted
                    }
                    (_, separator) if separator == self.separator => {
                        fields.push(std::mem::take(&mut field));
                        State::BeginsField
                    }
                    (State::BehindQuote, _) => return Err(damaged(self.line, "a quote inside of quotes stands alone")),
                    (State::BeginsField | State::Plain, _) => {
                        field.push(character);
                        State::Plain
                    }
                };
            }
            if state != State::Quoted {
                fields.push(field);
                return Ok(fields);
            }
            field.push('\n');
            if length > LONGEST_RECORD {
                return Err(damaged(begin, "a record is longer than a megabyte"));
            }
            line = self.line()?.ok_or_else(|| damaged(begin, "a quote is not closed"))?;
        }
    }

    /// The next line, with its end.
    fn line(&mut self) -> io::Result<Option<String>> {
        let mut bytes = Vec::new();
        let mut bounded = io::Read::take(&mut self.input, LONGEST_RECORD + 1);
        let length = bounded.read_until(b'\n', &mut bytes)?;
        self.line += 1;
        if u64::try_from(length).is_ok_and(|length| length > LONGEST_RECORD) {
            return Err(damaged(self.line, "a record is longer than a megabyte"));
        }
        match String::from_utf8(bytes) {
            Ok(_) if length == 0 => Ok(None),
            Ok(line) => Ok(Some(line)),
            Err(_) => Err(damaged(self.line, "the text is not UTF-8")),
        }
    }
}

fn damaged(line: u64, what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("line {line}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Vec<(u64, Vec<String>)>, String> {
        let (mut reader, names) = CsvReader::new(text).map_err(|error| error.to_string())?;
        let mut records = vec![(1, names)];
        while let Some(record) = reader.record().map_err(|error| error.to_string())? {
            records.push(record);
        }
        Ok(records)
    }

    fn record(line: u64, fields: &[&str]) -> (u64, Vec<String>) {
        (line, fields.iter().map(|&field| field.to_owned()).collect())
    }

    #[test]
    fn records_are_read_as_spreadsheets_write_them() {
        let plain = [record(1, &["a", "b"]), record(2, &["1", "2"])];
        for text in [
            "a,b\n1,2\n",
            "a,b\r\n1,2",
            "\u{feff}a,b\n1,2\n",
            "a;b\n1;2\n",
            "a,b\n\"1\",2\r\n\r\n \n",
        ] {
            assert_eq!(read(text.as_bytes()), Ok(plain.to_vec()), "{text:?}");
        }
        let quoted = "a,b\n\"say \"\"when\"\", now\",\"two\r\nlines\"\n\n,5\" pipe\n";
        let expected = [
            record(1, &["a", "b"]),
            record(2, &["say \"when\", now", "two\nlines"]),
            record(5, &["", "5\" pipe"]),
        ];
        assert_eq!(read(quoted.as_bytes()), Ok(expected.to_vec()));
        assert_eq!(read(b""), Ok(vec![record(1, &[""])]));
    }

    #[test]
    fn what_is_no_csv_is_told_with_its_line() {
        let long = [b"a,b\n".as_slice(), &vec![b'x'; (1 << 20) + 1]].concat();
        let cases: [(&[u8], &str); 4] = [
            (b"a,b\n1,\"2\n3\n", "line 2: a quote is not closed"),
            (b"a,b\n1,\"2\"3\n", "line 2: a quote inside of quotes stands alone"),
            (b"a,b\n1,\xff\n", "line 2: the text is not UTF-8"),
            (&long, "line 2: a record is longer than a megabyte"),
        ];
        for (text, message) in cases {
            assert_eq!(read(text), Err(message.to_owned()));
        }
    }
}
