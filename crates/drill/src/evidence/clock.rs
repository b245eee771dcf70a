//! A source's clock against the drill's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use firedrill_contract::Time;

/// How far a clock was ahead of the drill's, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Ahead by this; behind where it is negative.
    pub ahead_ms: i64,
    /// Give or take this: half the time that asking took.
    pub give_or_take_ms: i64,
    /// By how much, at least, it was put forward against the drill's since the drill began; back where it is negative.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub moved_ms: i64,
}

/// What is not worth a member in a run file.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(crate) fn is_zero(millis: &i64) -> bool {
    *millis == 0
}

impl Clock {
    /// A clock that showed `there` at some moment from `before` to `after`.
    pub(super) fn measured(there: Time, before: Time, after: Time) -> Self {
        let took = after.millis().saturating_sub(before.millis());
        let middle = before.millis().saturating_add(took / 2);
        // Half of the time that it took, and a millisecond for what both clocks round.
        Self { ahead_ms: there.millis().saturating_sub(middle), give_or_take_ms: took / 2 + 1, moved_ms: 0 }
    }

    /// The same, with how it moved since it was like that, as far as that is sure.
    pub(super) fn since(self, earlier: Self) -> Self {
        let moved = self.ahead_ms.saturating_sub(earlier.ahead_ms);
        let doubt = self.give_or_take_ms.saturating_add(earlier.give_or_take_ms);
        let surely = moved.saturating_abs().saturating_sub(doubt).max(0);
        Self { moved_ms: moved.signum() * surely, ..self }
    }

    /// What this clock shows at a moment of the drill's.
    ///
    /// A difference that is no more than what cannot be told is taken for none.
    pub(super) fn there(self, here: Time) -> Time {
        if self.ahead_ms.saturating_abs() <= self.give_or_take_ms {
            here
        } else {
            Time::from_millis(here.millis().saturating_add(self.ahead_ms))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: i64 = 1_763_844_000_000;

    #[test]
    fn a_clock_is_as_sure_as_the_answer_was_quick() {
        let at = Time::from_millis;
        let clock = Clock::measured(at(10_000), at(9_000), at(9_400));
        assert_eq!(clock, Clock { ahead_ms: 800, give_or_take_ms: 201, moved_ms: 0 });
        let clock_at = |ahead_ms| Clock { ahead_ms, give_or_take_ms: 200, moved_ms: 0 };
        let moved = [5_000, -5_000, 300].map(|ahead| clock_at(ahead).since(clock_at(0)).moved_ms);
        assert_eq!(moved, [4_600, -4_600, 0], "what may be the time that asking took is no move");
        assert_eq!(clock.there(at(0)), at(800));
        let same = Clock::measured(at(9_300), at(9_000), at(9_400));
        assert_eq!(same.there(at(5)), at(5), "a difference that may be none is none");
    }

    #[test]
    fn a_clock_that_is_as_far_off_as_can_be_is_read() {
        let (now, never) = (Time::from_millis(NOW), Time::from_millis(i64::MIN));
        let clock = Clock::measured(never, now, now);
        assert_eq!(clock.there(now), never + Duration::from_millis(NOW.unsigned_abs()));
    }
}
