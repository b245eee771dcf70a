//! What holds of the answers of every source.

use firedrill_net::client::Failure;

/// A run file holds it as it was found.
pub(in crate::evidence) fn round_trips<T>(found: &T)
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let json = serde_json::to_string(found).expect("evidence has a form in JSON");
    let again: T = serde_json::from_str(&json).expect("what was written is read");
    // As text, since no two NaN are equal.
    assert_eq!(serde_json::to_string(&again).expect("it has a form"), json);
}

/// A failure is short, however long the answer was.
pub(in crate::evidence) fn is_short(failure: Failure) {
    let text = failure.to_string();
    assert!(text.starts_with("GET /: ") && text.chars().count() < 1_000, "{text}");
}
