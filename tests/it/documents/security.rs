//! SECURITY.md names, for each threat, tests that there are.

use std::path::Path;

/// Everything in which a test can be declared.
fn sources() -> String {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let patterns =
        ["crates/*/src/**/*.rs", "tests/it/**/*.rs", "deploy/tests/*.py", "deploy/terraform/*/tests/*.hcl"];
    let paths = patterns.iter().flat_map(|pattern| glob::glob(root.join(pattern).to_str().unwrap()).unwrap());
    paths.map(|path| std::fs::read_to_string(path.unwrap()).unwrap()).collect()
}

#[test]
fn each_test_that_a_defence_is_shown_by_is_there() {
    let page =
        std::fs::read_to_string(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("SECURITY.md"))
            .unwrap();
    let sources = sources();
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
