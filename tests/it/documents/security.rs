//! SECURITY.md names, for each threat, tests that there are; and what the sources must not do for a defence to hold.

use crate::support::repository;

/// The texts of the files that match one of these patterns, by their paths.
fn sources(patterns: &[&str]) -> Vec<(String, String)> {
    let paths =
        patterns.iter().flat_map(|pattern| glob::glob(repository::path(pattern).to_str().unwrap()).unwrap());
    let sources: Vec<_> = paths
        .map(|path| path.unwrap())
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    assert!(!sources.is_empty(), "nothing matches {patterns:?}");
    sources
}

/// Each line of these files that has one of these words.
fn lines_with(patterns: &[&str], words: &[&str]) -> Vec<String> {
    let lines = sources(patterns).into_iter().flat_map(|(path, text)| {
        let has_one = text.lines().filter(|line| words.iter().any(|word| line.contains(word)));
        has_one.map(|line| format!("{path}: {}", line.trim())).collect::<Vec<_>>()
    });
    lines.collect()
}

#[test]
fn each_test_that_a_defence_is_shown_by_is_there() {
    let page = repository::read("SECURITY.md");
    let declared_in =
        ["crates/*/src/**/*.rs", "tests/it/**/*.rs", "deploy/tests/*.py", "deploy/terraform/*/tests/*.hcl"];
    let sources: String = sources(&declared_in).into_iter().map(|(_, text)| text).collect();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| threat"))
        .map(|line| line.trim_matches('|').split(" | ").collect())
        .collect();
    assert!(rows.len() > 20, "{}", rows.len());
    for row in rows {
        let [_, _, shown_by] = row[..] else { panic!("three cells, not {row:?}") };
        let names: Vec<_> = shown_by.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "nothing shows {row:?}");
        for name in names {
            let declared = match name.split_once('.') {
                Some((_, test)) => format!("def {test}("),
                None if shown_by.contains(&format!("run `{name}`")) => format!("run \"{name}\""),
                None => format!("fn {name}("),
            };
            assert!(sources.contains(&declared), "there is no test {name}");
        }
    }
}

#[test]
fn what_takes_requests_has_nothing_to_make_one_with() {
    let clients = [
        "firedrill_net",
        "::connect(",
        "hyper::client",
        "reqwest",
        "UdpSocket",
        "lookup_host",
        "to_socket_addrs",
        "Command::new",
    ];
    for of in ["contract", "server", "service", "pager"] {
        let sources = format!("crates/{of}/src/**/*.rs");
        assert_eq!(lines_with(&[&sources], &clients), Vec::<String>::new(), "{of} could ask somebody");
    }
    assert_ne!(lines_with(&["crates/net/src/**/*.rs"], &clients), Vec::<String>::new());
}

#[test]
fn a_verdict_asks_nobody_and_reads_nothing() {
    let outside = [
        "firedrill_net::Client",
        "firedrill_net::Connector",
        "hyper",
        "tokio",
        "std::fs",
        "Instant::now",
        "SystemTime",
    ];
    for module in ["expectation", "judge", "report"] {
        let (file, folder) =
            (format!("crates/drill/src/{module}.rs"), format!("crates/drill/src/{module}/**/*.rs"));
        assert_eq!(lines_with(&[&file, &folder], &outside), Vec::<String>::new(), "{module} is pure");
    }
}
