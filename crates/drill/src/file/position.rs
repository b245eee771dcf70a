//! Where everything is in a file: its text once more, as a tree of positions.

use std::{fmt, iter};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::read::{Misread, Step, options};
use firedrill_contract::quoted;

/// The positions of all that a text holds.
#[derive(Debug)]
pub(super) struct Positions(Spanned<Node>);

#[derive(Debug)]
enum Node {
    Nothing,
    Scalar,
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl Positions {
    /// Reads any YAML.
    pub(super) fn of(yaml: &str) -> Result<Self, Misread> {
        serde_saphyr::from_str_with_options(yaml, options())
            .map(Self)
            .map_err(|error| Misread::of(&error, yaml))
    }

    /// Where this is, or as much of the way to it as there is.
    pub(super) fn at(&self, place: &[Step]) -> Location {
        let Self(root) = self;
        let mut here = root;
        for wanted in place {
            match here.value.steps().find(|(step, _)| step == wanted) {
                Some((_, next)) => here = next,
                None => break,
            }
        }
        here.referenced
    }

    /// What leads to the value that begins here: the outermost, where several do.
    pub(super) fn path_to(&self, at: Location) -> Option<Vec<Step>> {
        let Self(root) = self;
        let begins_at = |node: &Spanned<Node>| {
            (node.referenced.line(), node.referenced.column()) == (at.line(), at.column())
        };
        let mut open = vec![(Vec::new(), root)];
        while let Some((path, node)) = open.pop() {
            if begins_at(node) {
                return Some(path);
            }
            open.extend(node.value.steps().map(|(step, next)| ([path.as_slice(), &[step]].concat(), next)));
        }
        None
    }

    /// A key without a value reads as if it were left out, which nobody means who writes it.
    pub(super) fn refuse_nothing(&self) -> Result<(), Misread> {
        let Self(root) = self;
        refuse_nothing(root)
    }
}

fn refuse_nothing(within: &Spanned<Node>) -> Result<(), Misread> {
    match &within.value {
        Node::Nothing | Node::Scalar => Ok(()),
        Node::List(elements) => elements.iter().try_for_each(|element| match element.value {
            Node::Nothing => {
                Err(Misread::at(element.referenced, "found an element without a value, expected one"))
            }
            _ => refuse_nothing(element),
        }),
        Node::Map(entries) => entries.iter().try_for_each(|(key, value)| match value.value {
            Node::Nothing => Err(Misread::at(
                key.referenced,
                format!(
                    "found \"{}\" without a value, expected one, or that the key is left out",
                    quoted(&key.value)
                ),
            )),
            _ => refuse_nothing(value),
        }),
    }
}

impl Node {
    /// What it holds, each with the step that leads there.
    fn steps(&self) -> Box<dyn Iterator<Item = (Step, &Spanned<Node>)> + '_> {
        match self {
            Self::Nothing | Self::Scalar => Box::new(iter::empty()),
            Self::List(elements) => {
                Box::new(elements.iter().enumerate().map(|(n, element)| (Step::Element(n), element)))
            }
            Self::Map(entries) => {
                Box::new(entries.iter().map(|(key, value)| (Step::Key(key.value.clone()), value)))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Anything;
        impl<'de> Visitor<'de> for Anything {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Nothing)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_str<E>(self, _: &str) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Node, A::Error> {
                let mut all = Vec::new();
                while let Some(element) = elements.next_element()? {
                    all.push(element);
                }
                Ok(Node::List(all))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    all.push(entry);
                }
                Ok(Node::Map(all))
            }
        }
        deserializer.deserialize_any(Anything)
    }
}
