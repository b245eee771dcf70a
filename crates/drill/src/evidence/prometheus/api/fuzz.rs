//! What has to hold whatever a Prometheus answers.

use http::StatusCode;

use super::{Groups, Unanswered, data, intervals, matrix, moment, query_result, sure};
use crate::evidence::clock::Clock;
use crate::evidence::fuzz::invariant::{is_short, round_trips};
use crate::evidence::prometheus::evidence::{QueryResult, Rule};
use crate::evidence::series::Labels;
use firedrill_contract::Time;
use firedrill_net::client::{Answer, Client};

/// Reads an answer as one to each question that there is.
pub(in crate::evidence) fn read(client: &Client, status: StatusCode, body: &[u8]) {
    let answer = Answer::unasked(client, status, body);
    let success = status.is_success();
    if let Ok(result) = query_result(&answer).map_err(is_short) {
        assert!(success || !matches!(result, QueryResult::Values(_)), "{result:?}");
        round_trips(&result);
    }
    if let Ok(series) = matrix(&answer).map_err(refused) {
        assert!(success);
        assert!(series.iter().all(|series| series.samples.is_sorted_by_key(|sample| sample.0)));
        round_trips(&series);
    }
    if let Ok(there) = moment(&answer).map_err(is_short) {
        let (before, after) = (Time::from_millis(0), Time::from_millis(10));
        let _ = Clock::measured(there, before, after).there(before);
    }
    if let Ok(intervals) = intervals(&answer).map_err(is_short) {
        round_trips(&intervals);
    }
    if let Ok(groups) = sure(data::<Groups>(&answer), &answer).map_err(is_short) {
        round_trips(&Vec::<Rule>::from(groups));
    }
    let _ = data::<Vec<Labels>>(&answer).map_err(refused);
    let _ = sure(data::<Vec<String>>(&answer), &answer).map_err(is_short);
}

fn refused(why: Unanswered) {
    if let Unanswered::Failed(failure) = why {
        is_short(failure);
    }
}
