//! Broken text never breaks the tool: any prefix, deletion or splice of a real file is read without a panic.

use sessionlint_testkit::check;
use std::fs;
use std::path::{Path, PathBuf};

fn fixtures() -> Vec<String> {
    let mut pending = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures")];
    let mut texts = Vec::new();
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                texts.push(fs::read_to_string(path).unwrap());
            }
        }
    }
    texts.sort();
    texts
}

/// Numbers that are the same on every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

/// A place in a text where it can be cut.
fn cut(numbers: &mut Numbers, text: &str) -> usize {
    let mut at = numbers.below(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

fn assert_read(texts: &[String]) {
    let directory = tempfile::TempDir::new().unwrap();
    for (index, text) in texts.iter().enumerate() {
        fs::write(directory.path().join(format!("{index}.rs")), text).unwrap();
    }
    let outcome = check(directory.path(), &["."], |_| {});
    assert_eq!(outcome.summary.files, texts.len());
    let broken: Vec<_> = outcome.skipped.iter().filter(|skipped| skipped.reason.contains("internal")).collect();
    for one in &broken {
        let index: usize = Path::new(&one.path).file_stem().unwrap().to_str().unwrap().parse().unwrap();
        let _ = std::fs::write(std::env::temp_dir().join(format!("sessionlint-broken-{index}.rs")), &texts[index]);
    }
    assert!(broken.is_empty());
    assert!(outcome.summary.functions > texts.len() / 4, "the texts are looked at");
}

#[test]
fn any_prefix_is_read() {
    let mut numbers = Numbers(1);
    let texts = fixtures();
    let prefixes = (0..600).map(|_| {
        let text = &texts[numbers.below(texts.len())];
        text[..cut(&mut numbers, text)].to_owned()
    });
    assert_read(&prefixes.collect::<Vec<_>>());
}

#[test]
fn any_deletion_is_read() {
    let mut numbers = Numbers(2);
    let texts = fixtures();
    let deletions = (0..600).map(|_| {
        let text = &texts[numbers.below(texts.len())];
        let (a, b) = (cut(&mut numbers, text), cut(&mut numbers, text));
        let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 40));
        let to = (to..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap();
        format!("{}{}", &text[..from], &text[to..])
    });
    assert_read(&deletions.collect::<Vec<_>>());
}

#[test]
fn any_splice_is_read() {
    let mut numbers = Numbers(3);
    let texts = fixtures();
    let splices = (0..600).map(|_| {
        let (one, other) = (&texts[numbers.below(texts.len())], &texts[numbers.below(texts.len())]);
        format!("{}{}", &one[..cut(&mut numbers, one)], &other[cut(&mut numbers, other)..])
    });
    assert_read(&splices.collect::<Vec<_>>());
}
