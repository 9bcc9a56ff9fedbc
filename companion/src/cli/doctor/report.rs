//! What was found, a line each.

use std::fmt;

/// Findings in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Report {
    findings: Vec<Finding>,
}

#[derive(Debug)]
struct Finding {
    verdict: Verdict,
    about: &'static str,
    words: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Note,
    Mend,
}

impl Report {
    /// As it should be.
    pub(super) fn good(&mut self, about: &'static str, words: impl Into<String>) {
        self.add(Verdict::Good, about, words.into());
    }

    /// Good to know.
    pub(super) fn note(&mut self, about: &'static str, words: impl Into<String>) {
        self.add(Verdict::Note, about, words.into());
    }

    /// Sign-ins fail, or are not safe, until this is mended.
    pub(super) fn mend(&mut self, about: &'static str, words: impl Into<String>) {
        self.add(Verdict::Mend, about, words.into());
    }

    pub(super) fn to_mend(&self) -> usize {
        let mend = self
            .findings
            .iter()
            .filter(|finding| finding.verdict == Verdict::Mend);
        mend.count()
    }

    pub(super) fn print(&self) {
        for finding in &self.findings {
            println!("{finding}");
        }
    }

    fn add(&mut self, verdict: Verdict, about: &'static str, words: String) {
        self.findings.push(Finding {
            verdict,
            about,
            words,
        });
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Good => "ok  ",
            Verdict::Note => "note",
            Verdict::Mend => "MEND",
        };
        // What a provider says may hold line ends, which would forge a finding.
        let words: String = self
            .words
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        write!(f, "{verdict}  {}: {words}", self.about)
    }
}
