//! A place in a drill file: checks descend to a value and report what is wrong with it.

use std::ops::Range;

use super::problem::Problem;
use super::yaml::{self, Node, Step};

/// A place in a drill file, and the problems reported so far, there and elsewhere.
pub(crate) struct Place<'a> {
    text: &'a str,
    /// Nothing where the text has no such value, or is not known.
    node: Option<&'a Node>,
    location: Range<usize>,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Place<'a> {
    pub(super) fn root(text: &'a str, root: &'a Node, problems: &'a mut Vec<Problem>) -> Self {
        Self { text, node: Some(root), location: yaml::location(root), problems }
    }

    /// A place in a file whose text is not at hand.
    pub(crate) const fn unknown(problems: &'a mut Vec<Problem>) -> Self {
        Self { text: "", node: None, location: 0..0, problems }
    }

    /// The value there. What is missing is where it would stand: at the innermost value on the way that exists.
    pub(crate) fn at<'s>(&mut self, step: impl Into<Step<'s>>) -> Place<'_> {
        let node = self.node.and_then(|node| yaml::child(node, step.into()));
        let location = node.map_or_else(|| self.location.clone(), yaml::location);
        Place { text: self.text, node, location, problems: self.problems }
    }

    /// Reports what is wrong here.
    pub(crate) fn refuse(&mut self, message: impl Into<String>) {
        self.problems.push(Problem::new(self.location.clone(), message));
    }

    /// Reports what is wrong with a name in a longer text, such as a query.
    pub(crate) fn refuse_name(&mut self, name: &str, message: impl Into<String>) {
        let here = self.text.get(self.location.clone()).unwrap_or_default();
        let belongs_to_a_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let whole = |at: &usize| {
            !here[..*at].ends_with(belongs_to_a_name)
                && !here[at + name.len()..].starts_with(belongs_to_a_name)
        };
        let start = here.match_indices(name).map(|(at, _)| at).find(whole).map(|at| self.location.start + at);
        let location = start.map_or_else(|| self.location.clone(), |start| start..start + name.len());
        self.problems.push(Problem::new(location, message));
    }

    pub(super) fn location(&self) -> Range<usize> {
        self.location.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_value_there_or_the_nearest_around_it() {
        let text = "name: x\nphases:\n  calm: &calm { for: 1s }\n  hot:\n    <<: *calm\n    rate: 2/s\nexpect:\n  - query: |\n      abc +\n      b\n    equals: 1.50\n";
        let root = yaml::parse(text).unwrap();
        let mut problems = Vec::new();
        let mut place = Place::root(text, &root, &mut problems);
        let mut hot = place.at("phases");
        let mut hot = hot.at("hot");
        hot.at("rate").refuse("rate");
        hot.at("for").refuse("merged");
        let mut expect = place.at("expect");
        expect.at(0).at("equals").refuse("equals");
        expect.at(0).at("within").at(3).refuse("missing");
        expect.at(7).refuse("no element");
        expect.at(0).at("query").refuse_name("b", "name");
        expect.at(0).at("query").refuse_name("c", "no name");
        let places = problems.iter().map(|problem| {
            let before = &text[..problem.location.start];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap().len() + 1;
            (&*problem.message, line, column, &text[problem.location.clone()])
        });
        assert_eq!(
            places.collect::<Vec<_>>(),
            [
                ("rate", 6, 11, "2/s"),
                ("merged", 5, 9, "*calm"),
                ("equals", 11, 13, "1.50"),
                ("missing", 8, 5, ""),
                ("no element", 8, 3, ""),
                ("name", 10, 7, "b"),
                ("no name", 9, 7, "abc +\n      b\n    "),
            ]
        );
    }
}
