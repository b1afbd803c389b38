//! The list of expected failures.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

/// Heads what `BLESS=1` has added.
const UNEXPLAINED: &str = "write a reason here";

/// Places with their tier (`simd/simd_address.wast:12 fast`), or whole scripts (`simd/simd_address.wast`), under headings that
/// give the reason.
pub(crate) struct ExpectedFailures {
    reasons: BTreeMap<String, String>,
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/spec/expected_failures.txt")
}

impl ExpectedFailures {
    pub(crate) fn read() -> ExpectedFailures {
        let text = std::fs::read_to_string(path()).expect("the list can be read");
        let mut reasons = BTreeMap::new();
        let mut reason = String::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            match line.strip_prefix("# ") {
                Some(heading) => reason = heading.to_owned(),
                None => drop(reasons.insert(line.to_owned(), reason.clone())),
            }
        }
        ExpectedFailures { reasons }
    }

    /// Compares the list with what failed.
    pub(crate) fn check(&self, failures: &BTreeMap<String, String>) {
        if std::env::var_os("BLESS").is_some() {
            self.rewrite(failures);
        }
        let unexpected = failures
            .iter()
            .filter(|(place, _)| {
                self.reason(place)
                    .is_none_or(|reason| reason == UNEXPLAINED)
            })
            .map(|(place, reason)| format!("{place}: {reason}"));
        let passing = self
            .reasons
            .iter()
            .filter(|(listed, _)| {
                let is_met = |place: &String| place == *listed || script_of(place) == *listed;
                !failures.keys().any(is_met)
            })
            .map(|(place, reason)| format!("{place} holds now, although: {reason}"));
        let wrong: Vec<String> = unexpected.chain(passing).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// The reason for a failure, which is listed by itself or with its whole script.
    fn reason(&self, place: &str) -> Option<&String> {
        let by_itself = self.reasons.get(place);
        by_itself.or_else(|| self.reasons.get(script_of(place)))
    }

    fn rewrite(&self, failures: &BTreeMap<String, String>) {
        let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for place in failures.keys() {
            let listed = match self.reasons.get(place) {
                None if self.reasons.contains_key(script_of(place)) => script_of(place),
                _ => place,
            };
            let reason = self.reason(place).map_or(UNEXPLAINED, String::as_str);
            let places = places.entry(reason).or_default();
            if places.last() != Some(&listed) {
                places.push(listed);
            }
        }
        let mut text = String::new();
        for (reason, places) in places {
            let _ = write!(text, "# {reason}\n{}\n\n", places.join("\n"));
        }
        std::fs::write(path(), text).expect("the list can be written");
    }
}

/// The script of a place.
fn script_of(place: &str) -> &str {
    place.split_once(':').map_or(place, |(script, _)| script)
}
