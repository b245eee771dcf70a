//! Which drills may run at the same time.

use super::preparation::Prepared;

/// Steps that follow one another. The lanes of a step run side by side, the drills of a lane one after another.
type Steps<T> = Vec<Vec<Vec<T>>>;

/// Side by side go drills of different workloads; those of the same one follow one another, since their
/// requests could not be told apart. Those that go alone come last.
pub(super) fn arrange(drills: Vec<Prepared>, parallel: bool) -> Steps<Prepared> {
    arrange_by(drills, parallel, |prepared| (prepared.drill.file.alone, prepared.drill.file.workload.clone()))
}

fn arrange_by<T>(all: Vec<T>, parallel: bool, key: impl Fn(&T) -> (bool, Option<String>)) -> Steps<T> {
    if !parallel {
        return all.into_iter().map(|one| vec![vec![one]]).collect();
    }
    let (alone, together): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| key(one).0);
    let mut lanes: Vec<(Option<String>, Vec<T>)> = Vec::new();
    for one in together {
        let (_, workload) = key(&one);
        match lanes.iter_mut().find(|(of, _)| workload.is_some() && *of == workload) {
            Some((_, lane)) => lane.push(one),
            None => lanes.push((workload, vec![one])),
        }
    }
    let side_by_side = lanes.into_iter().map(|(_, lane)| lane).collect::<Vec<_>>();
    let first = (!side_by_side.is_empty()).then_some(side_by_side);
    first.into_iter().chain(alone.into_iter().map(|one| vec![vec![one]])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arranged(parallel: bool) -> Steps<&'static str> {
        let drills = vec!["a1 a", "crash! d", "b1 b", "a2 a", "outage! d", "none"];
        arrange_by(drills, parallel, |drill| {
            let workload = drill.split_once(' ').map(|(_, workload)| workload.to_owned());
            (drill.contains('!'), workload)
        })
    }

    #[test]
    fn drills_of_one_workload_follow_one_another_and_those_that_go_alone_come_last() {
        let expected = vec![
            vec![vec!["a1 a", "a2 a"], vec!["b1 b"], vec!["none"]],
            vec![vec!["crash! d"]],
            vec![vec!["outage! d"]],
        ];
        assert_eq!(arranged(true), expected);
    }

    #[test]
    fn unless_told_otherwise_one_follows_the_other() {
        assert!(arranged(false).iter().all(|step| step.len() == 1 && step[0].len() == 1));
        assert_eq!(arranged(false)[1], [["crash! d"]]);
    }
}
