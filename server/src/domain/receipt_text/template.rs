//! Templates: text with placeholders, line by line.
//!
//! `{name}` stands for a value; what is behind `{right}` goes to the right end of the line; `{?name}` prints nothing. A line
//! is left out where one of the values that it names does not exist. A line that names values of a list, such as rewards,
//! is printed for each element. `{{` and `}}` stand for braces.

use super::Document;
use super::placeholder::{List, Placeholder};

/// A template that can be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Line>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Line {
    left: Vec<Piece>,
    /// `None`: nothing goes to the right end.
    right: Option<Vec<Piece>>,
    conditions: Vec<Placeholder>,
    list: Option<List>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(Placeholder),
}

/// What fills a template in.
pub(super) trait Values {
    /// A value; `None` where it does not exist. Of a list the one of the element at `place`.
    fn value(&self, placeholder: Placeholder, place: usize) -> Option<String>;

    /// How many elements a list has.
    fn count(&self, list: List) -> usize;
}

impl Template {
    /// The template of this text; what is wrong with it where it is none.
    pub(super) fn parse(document: Document, text: &str) -> Result<Self, String> {
        let lines = text.split('\n').zip(1..);
        lines
            .map(|(text, number)| Line::parse(document, text).map_err(|wrong| format!("line {number}: {wrong}")))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The lines with their values, `width` characters wide where that is enough, and line breaks between.
    pub(super) fn fill(&self, values: &impl Values, width: usize) -> String {
        let mut printed = Vec::new();
        for line in &self.0 {
            let count = line.list.map_or(1, |list| values.count(list));
            printed.extend((0..count).filter_map(|place| line.fill(values, place, width)));
        }
        printed.join("\n")
    }
}

impl Line {
    fn parse(document: Document, text: &str) -> Result<Self, String> {
        let mut line = Self::default();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            line.push(Piece::Text(before.to_owned()));
            if let Some(behind) = brace.strip_prefix("{{") {
                line.push(Piece::Text("{".to_owned()));
                rest = behind;
            } else if let Some(behind) = brace.strip_prefix("}}") {
                line.push(Piece::Text("}".to_owned()));
                rest = behind;
            } else if let Some(behind) = brace.strip_prefix('{') {
                let (name, behind) = behind.split_once('}').ok_or("a `{` has no `}`")?;
                line.push_named(document, name)?;
                rest = behind;
            } else {
                return Err("a `}` has no `{`; one to print is `}}`".to_owned());
            }
        }
        line.push(Piece::Text(rest.to_owned()));
        Ok(line)
    }

    fn push(&mut self, piece: Piece) {
        match &mut self.right {
            Some(right) => right.push(piece),
            None => self.left.push(piece),
        }
    }

    fn push_named(&mut self, document: Document, name: &str) -> Result<(), String> {
        if name == "right" {
            if self.right.is_some() {
                return Err("has `{right}` twice".to_owned());
            }
            self.right = Some(Vec::new());
            return Ok(());
        }
        let (is_condition, plain) = match name.strip_prefix('?') {
            Some(plain) => (true, plain),
            None => (false, name),
        };
        let placeholder = Placeholder::named(document, plain).ok_or_else(|| {
            let names = Placeholder::names(document).join(", ");
            format!("`{plain}` is no placeholder here; there are {names}")
        })?;
        if is_condition {
            self.conditions.push(placeholder);
            return Ok(());
        }
        if let Some(list) = placeholder.list() {
            if self.list.is_some_and(|other| other != list) {
                return Err(format!("`{plain}` is of another list than what is before it"));
            }
            self.list = Some(list);
        }
        self.push(Piece::Value(placeholder));
        Ok(())
    }

    fn fill(&self, values: &impl Values, place: usize, width: usize) -> Option<String> {
        let holds = |condition: &Placeholder| match condition.list() {
            Some(list) => values.count(list) > 0,
            None => values.value(*condition, place).is_some(),
        };
        if !self.conditions.iter().all(holds) {
            return None;
        }
        let fill = |pieces: &[Piece]| -> Option<String> {
            let texts = pieces.iter().map(|piece| match piece {
                Piece::Text(text) => Some(text.clone()),
                Piece::Value(placeholder) => values.value(*placeholder, place),
            });
            texts.collect()
        };
        let left = fill(&self.left)?;
        Some(match &self.right {
            Some(right) => pair(&left, &fill(right)?, width),
            None => left,
        })
    }
}

/// One text at the left and one at the right end of a line, which is longer where it has to be: printers break it.
fn pair(left: &str, right: &str, width: usize) -> String {
    let used = left.chars().count() + right.chars().count();
    let gap = width.saturating_sub(used).max(1);
    format!("{left}{}{right}", " ".repeat(gap))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two;

    impl Values for Two {
        fn value(&self, placeholder: Placeholder, place: usize) -> Option<String> {
            match placeholder.list() {
                Some(_) => Some(format!("reward {place}")),
                None => (placeholder == Placeholder::Balance).then(|| "88".to_owned()),
            }
        }

        fn count(&self, list: List) -> usize {
            match list {
                List::Rewards => 2,
                List::Items => 0,
            }
        }
    }

    fn filled(text: &str) -> String {
        Template::parse(Document::Sale, text)
            .map(|template| template.fill(&Two, 12))
            .unwrap()
    }

    #[test]
    fn lines_are_filled_in_repeated_or_left_out() {
        for (text, expected) in [
            ("Hello", "Hello"),
            ("a\n\nb", "a\n\nb"),
            ("you have {balance}!", "you have 88!"),
            ("have{right}{balance}", "have      88"),
            ("all you have{right}{balance}", "all you have 88"),
            ("a\n{used}\nb", "a\nb"),
            ("a\n{?used}used\nb", "a\nb"),
            ("{?balance}there", "there"),
            ("{?reward}For you:\n- {reward}", "For you:\n- reward 0\n- reward 1"),
            ("{?item}Bought:\n- {item}\nend", "end"),
            ("{{{balance}}} {{right}}", "{88} {right}"),
        ] {
            assert_eq!(filled(text), expected, "{text}");
        }
    }

    #[test]
    fn values_stand_at_the_right_end_and_never_touch_the_names() {
        assert_eq!(pair("Tier", "Gold", 42), format!("Tier{}Gold", " ".repeat(34)));
        let long = "x".repeat(50);
        assert_eq!(pair(&long, "1", 42), format!("{long} 1"));
        assert_eq!(pair("Αξία", "1", 42).chars().count(), 42);
    }

    #[test]
    fn what_is_no_template_says_what_is_wrong_with_it() {
        for (text, expected) in [
            ("a\n{balanc}", "line 2: `balanc` is no placeholder here; there are "),
            ("{?nothing}", "line 1: `nothing` is no placeholder here; "),
            ("{given_back}", "line 1: `given_back` is no placeholder here; "),
            ("{balance", "line 1: a `{` has no `}`"),
            ("balance}", "line 1: a `}` has no `{`"),
            ("{right}{right}", "line 1: has `{right}` twice"),
            (
                "{item}{reward}",
                "line 1: `reward` is of another list than what is before it",
            ),
            ("{}", "line 1: `` is no placeholder here; "),
        ] {
            let wrong = Template::parse(Document::Sale, text).unwrap_err();
            assert!(wrong.starts_with(expected), "{text}: {wrong}");
        }
    }
}
