//! What somebody may have meant.

/// Similarity from which two names are near, from 0 to 1.
const NEAR: f64 = 0.6;

/// The names that are near to this one, the most similar first (normalised Damerau-Levenshtein).
pub fn near<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let similarity = |candidate| strsim::normalized_damerau_levenshtein(name, candidate);
    let mut near: Vec<_> = names.into_iter().map(|candidate| (similarity(candidate), candidate)).collect();
    near.retain(|(similarity, _)| *similarity >= NEAR);
    near.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.cmp(y)));
    near.into_iter().map(|(_, candidate)| candidate).collect()
}

/// The name that is nearest to one that does not exist, if any is near.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    near(name, names).into_iter().next()
}

/// What to write instead of a name that does not exist: the nearest one, or any of them.
#[must_use]
pub fn suggest<'a>(name: &str, names: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(nearest) = nearest(name, names.clone()) {
        return format!("did you mean `{nearest}`?");
    }
    match &names.into_iter().collect::<Vec<_>>()[..] {
        [only] => format!("use `{only}`"),
        all => format!("use one of {}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_suggests_the_right_one_and_a_strange_one_all() {
        let names = ["counts", "query", "quantile", "alert"];
        assert_eq!(nearest("quantil", names), Some("quantile"));
        assert_eq!(nearest("Alert", names), Some("alert"));
        assert_eq!(nearest("xyz", names), None);
        assert_eq!(suggest("qeury", names), "did you mean `query`?");
        assert_eq!(suggest("xyz", names), "use one of counts, query, quantile, alert");
        assert_eq!(suggest("xyz", ["counts"]), "use `counts`");
    }

    #[test]
    fn a_long_common_prefix_does_not_make_names_near() {
        let names = ["http_server_request_duration_seconds", "http_server_active_requests"];
        assert_eq!(near("http_server_request_duration_second", names), names[..1]);
        assert_eq!(nearest("http_server_x", names), None);
    }
}
