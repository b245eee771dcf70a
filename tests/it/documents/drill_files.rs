//! docs/drill-files.md and the schema beside it say what drill files are: each example is right, and what
//! the page says of a wrong one is what the program says.

use std::path::Path;

use firedrill_drill::expectation::Expectation;
use firedrill_drill::file::DrillFile;
use jsonschema::Validator;
use serde_json::Value;

use crate::support::process::Process;
use crate::support::repository;

const PAGE: &str = include_str!("../../../docs/drill-files.md");
const SCHEMA: &str = include_str!("../../../docs/drill-files.schema.json");

/// What is inside of the page's fences of this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("\n```{language}\n");
    PAGE.split(&fence).skip(1).map(|from| from.split_once("```").unwrap().0).collect()
}

/// An example as a whole drill: what it leaves out, because it shows something else, is added.
fn whole(example: &str) -> String {
    let head = "name: example\nworkload: drill\njob: firedrill\n";
    let calm = "{ for: 30s, rate: 20/s, work: {} }";
    let phases = format!("phases:\n  calm: {calm}\n  burning: {calm}\n");
    if example.starts_with("- ") {
        format!("{head}{phases}expect:\n{example}")
    } else if example.starts_with("given:") {
        format!("{head}{phases}{example}expect:\n  - nothing_else: fires\n")
    } else if example.starts_with("phases:") {
        format!("{head}{example}expect:\n  - nothing_else: fires\n")
    } else {
        example.to_owned()
    }
}

fn schema() -> Validator {
    jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap()
}

/// A file as the validators of editors see it.
fn plain(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap()
}

/// The page's drills that are right, each whole.
fn right() -> Vec<String> {
    let examples = blocks("yaml").into_iter().filter(|example| !example.starts_with("name: errors"));
    examples.map(whole).collect()
}

#[test]
fn every_example_is_right_and_the_schema_says_so_too() {
    let schema = schema();
    for example in right() {
        let problems = DrillFile::check(&example).err();
        assert_eq!(problems, None, "{example}");
        let errors: Vec<_> = schema.iter_errors(&plain(&example)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}\n{example}");
    }
}

#[test]
fn every_drill_that_ships_is_right_and_the_schema_says_so_too() {
    let schema = schema();
    let drills = repository::files("drills");
    assert!(!drills.is_empty());
    for path in drills.into_iter().chain([repository::path("examples/drill-your-own/drill.yaml")]) {
        let yaml = std::fs::read_to_string(&path).unwrap();
        let problems = DrillFile::check(&yaml).err();
        assert_eq!(problems, None, "{}", path.display());
        let errors: Vec<_> = schema.iter_errors(&plain(&yaml)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
}

#[test]
fn the_page_about_other_services_shows_the_phases_that_its_example_has() {
    let page = include_str!("../../../docs/drill-your-own.md");
    let example = include_str!("../../../examples/drill-your-own/drill.yaml");
    let shown = page.split("```yaml\n").nth(1).and_then(|from| from.split("```").next()).unwrap();
    assert!(example.contains(shown), "{shown}");
}

#[test]
fn there_is_an_example_of_each_expectation_and_each_key() {
    let all = right().join("\n");
    for kind in Expectation::KEYS {
        assert!(PAGE.contains(&format!("### `{kind}`:")), "{kind} has no section");
    }
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let of_types = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    let keys = of_types.flat_map(|of| of["properties"].as_object().into_iter().flatten());
    let keys: Vec<_> =
        keys.map(|(key, _)| key).filter(|key| !["seed", "alone"].contains(&key.as_str())).collect();
    assert!(keys.len() > 40, "{keys:?}");
    for key in keys {
        assert!(
            all.contains(&format!("{key}: ")) || all.contains(&format!("{key}:\n")),
            "no example has {key}"
        );
    }
    for shape in ["ramp", "steps", "poisson"] {
        assert!(all.contains(&format!("rate: {{ {shape}: ")), "no example has {shape}");
    }
}

#[test]
fn the_schema_refuses_what_cannot_be_read() {
    let schema = schema();
    let calm = "phases: { calm: { for: 1s, rate: 1/s, work: {} } }";
    let expecting = |expectation: &str| format!("name: x\n{calm}\nexpect:\n  - {expectation}\n");
    let sending =
        |phase: &str| format!("name: x\nphases: {{ calm: {phase} }}\nexpect:\n  - nothing_else: fires\n");
    assert!(schema.is_valid(&plain(&expecting("nothing_else: fires"))));
    assert!(schema.is_valid(&plain(&sending("{ for: 1s }"))));
    let expectations = [
        "countz: all phases",
        "counts: all",
        "{ counts: all phases, during: calm }",
        "{ query: up, equals: many, within: 5% }",
        "{ query: up, between: [1] }",
        "{ query: up, between: [1, 2, 3] }",
        "{ query: up, equals: 1, within: -1 }",
        "{ query: up, equals: slow_ratio(1), within: 1 }",
        "quantile: 0.9",
        "{ quantile: many, within: 5% }",
        "{ alert: A, fires: calm }",
        "{ alert: A, fires: { during: calm, within: 60 } }",
        "{ alert: A, fires: { during: calm } }",
        "{ alert: A, never: resolves }",
        "{ alert: A, notifies: { within: 1s } }",
        "{ alert: A, notifies: [pager] }",
        "{ alert: A, severity: ~ }",
        "{ series: up, exist: always }",
        "series: up",
        "{ scrapes: gaps }",
        "{ panels: { a: b } }",
    ];
    let phases = [
        "{ rate: 1/s, work: {} }",
        "{ for: 1, rate: 1/s, work: {} }",
        "{ for: 1s, rate: 1 }",
        "{ for: 1s, rate: fast, work: {} }",
        "{ for: 1s, rate: { ramp: [1/s] } }",
        "{ for: 1s, rate: { steps: [] } }",
        "{ for: 1s, rate: { rmp: [1/s, 2/s] } }",
        "{ for: 1s, rate: 1/s, work: { latncy: [1] } }",
        "{ for: 1s, rate: 1/s, request: { method: GET } }",
        "{ for: 1s, rate: 1/s, mix: [{ weight: 0, work: {} }] }",
        "{ for: 1s, rate: 1/s, work: {}, hang_up: now }",
    ];
    for yaml in expectations.map(expecting).into_iter().chain(phases.map(sending)) {
        assert!(DrillFile::read(&yaml).is_err(), "it can be read:\n{yaml}");
        assert!(!schema.is_valid(&plain(&yaml)), "the schema takes it:\n{yaml}");
    }
}

#[tokio::test]
async fn what_the_page_says_of_a_wrong_file_and_of_a_right_one_is_what_the_program_says() {
    let directory =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("drill-files-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let wrong = blocks("yaml").into_iter().find(|example| example.starts_with("name: errors")).unwrap();
    let right = blocks("yaml")[0];
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    std::fs::write(path("errors.yaml"), wrong).unwrap();
    std::fs::write(path("drill.yaml"), right).unwrap();
    let ended = Process::start(&["check", &path("errors.yaml"), &path("drill.yaml")]).ended().await;
    let here = format!("{}/", directory.display());
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(ended.stderr.replace(&here, ""), blocks("text")[0]);
    let console = "$ firedrill check drill.yaml\n".to_owned() + &ended.stdout.replace(&here, "");
    assert_eq!(console, blocks("console")[0]);
    assert_eq!(ended.code, Some(1));
}
