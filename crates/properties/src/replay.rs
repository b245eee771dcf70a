//! What fuzzing kept: the corpus of each target, and each input that once broke its property.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use tar::Archive;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A test for each target, and one that no corpus is left out.
macro_rules! replay {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            holds_for_all_of(stringify!($target), super::$target);
        })*

        #[test]
        fn no_corpus_is_left_out() {
            let targets = [$(stringify!($target)),*];
            for archive in fs::read_dir(Path::new(ROOT).join("fuzz/corpus")).unwrap() {
                let name = archive.unwrap().file_name().into_string().unwrap();
                let target = name.strip_suffix(".tar.gz").unwrap_or_else(|| panic!("{name} is no archive"));
                assert!(targets.contains(&target), "no test replays {name}");
            }
        }
    };
}

replay!(work drill_file run_file webhook prometheus alertmanager grafana exposition http);

fn holds_for_all_of(target: &str, property: fn(&[u8])) {
    let corpus = corpus(target);
    assert!(!corpus.is_empty(), "{target} has no corpus");
    for (name, input) in corpus.into_iter().chain(regressions(target)) {
        let holds = std::panic::catch_unwind(|| property(&input));
        assert!(holds.is_ok(), "{target} does not hold for {name}");
    }
}

fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let path = Path::new(ROOT).join(format!("fuzz/corpus/{target}.tar.gz"));
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut archive = Archive::new(GzDecoder::new(file));
    let inputs = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut input = Vec::new();
        entry.read_to_end(&mut input).unwrap();
        (entry.path().unwrap().display().to_string(), input)
    });
    inputs.collect()
}

/// Nothing where no input ever broke the property.
fn regressions(target: &str) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(Path::new(ROOT).join("tests/data/fuzz").join(target));
    let paths = files.into_iter().flatten().map(|file| file.unwrap().path());
    paths.map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect()
}
