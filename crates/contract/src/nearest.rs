//! What somebody may have meant.

/// The name that is nearest to one that does not exist, if any is near (Jaro-Winkler above 0.8).
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_the_right_one_and_a_strange_one_none() {
        let names = ["counts", "query", "quantile", "alert"];
        assert_eq!(nearest("quantil", names), Some("quantile"));
        assert_eq!(nearest("Alert", names), Some("alert"));
        assert_eq!(nearest("xyz", names), None);
    }
}
