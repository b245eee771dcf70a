//! Names in a drill file.

use crate::file::place::Place;
use crate::promql::is_name;
use firedrill_contract::quoted;

/// A value that is put between the quotes of a matcher.
pub(crate) fn check_quotable(value: &str, place: &mut Place<'_>) {
    if value.is_empty() {
        place.refuse("the name is empty: give one, or remove the key");
    }
    if value.contains(|c: char| c.is_control() || matches!(c, '"' | '\'' | '`' | '\\')) {
        place.refuse("quotes, backslashes and control characters cannot stand here: use a name without them");
    }
}

pub(crate) fn check_label(name: &str, place: &mut Place<'_>) {
    if !is_name(name) {
        place.refuse(format!("`{}` is not a label name: use letters, digits and _", quoted(name)));
    }
}

/// That none of these is empty or there twice.
pub(crate) fn check_names(texts: &[String], place: &mut Place<'_>) {
    for (n, text) in texts.iter().enumerate() {
        if text.trim().is_empty() {
            place.at(n).refuse("the name is empty: give one, or remove the element");
        } else if texts[..n].contains(text) {
            place.at(n).refuse(format!("`{}` is listed twice: remove one", quoted(text)));
        }
    }
}
