//! Does a comment say in which order things are done: that the commit waits for other work, or that what is written is kept only if it is
//! sent?

use crate::intent::{Intent, spoken};

/// So many words at most stand between the word for the commit and the one that says in which order.
const NEAR: usize = 6;

impl Intent {
    /// Whether a comment says that the commit waits for something that is done first: "commit once the file is written".
    pub fn defers_commit(&self, comment: &str) -> bool {
        let said = spoken(comment);
        !said.iter().any(|word| self.order_unless.contains(word))
            && comment.split(['.', ';', '!', '?']).any(|sentence| self.defers_commit_in(&spoken(sentence)))
    }

    /// Whether a comment says that what is written is kept only if something is sent: "we don't store it if we fail to send it".
    pub fn keeps_what_is_sent(&self, comment: &str) -> bool {
        let said = spoken(comment);
        !said.iter().any(|word| self.order_unless.contains(word))
            && comment.split(['.', ';', '!', '?']).any(|sentence| self.keeps_what_is_sent_in(&spoken(sentence)))
    }

    fn keeps_what_is_sent_in(&self, said: &[String]) -> bool {
        let phrase_at = |at: usize, phrases: &[String]| {
            phrases.iter().map(|phrase| phrase.split(' ').collect::<Vec<_>>()).find_map(|phrase| {
                let end = at + phrase.len();
                said.get(at..end).is_some_and(|window| window.iter().eq(phrase.iter())).then_some(end)
            })
        };
        // Near behind a place, with nothing between that begins something else.
        let next = |from: usize, phrases: &[String]| {
            (from..said.len().min(from + NEAR))
                .take_while(|at| !said.get(*at).is_some_and(|word| self.order_ends_at.contains(word)))
                .find_map(|at| phrase_at(at, phrases))
        };
        let sends_behind = |from: Option<usize>| from.and_then(|from| next(from, &self.sends)).is_some();
        let negated = |at: usize| (at.saturating_sub(NEAR)..at).any(|other| self.negations.contains(&said[other]));
        (0..said.len()).any(|at| {
            let kept = phrase_at(at, &self.keeps).or(phrase_at(at, &self.commits));
            let is_strict = kept.is_some_and(|end| sends_behind(next(end, &self.strict_conditions)));
            let is_negated = negated(at) && kept.is_some_and(|end| sends_behind(next(end, &self.conditions)));
            let is_undone = sends_behind(phrase_at(at, &self.undone).and_then(|end| next(end, &self.conditions)));
            let is_before = phrase_at(at, &self.sends)
                .filter(|_| !negated(at))
                .and_then(|end| next(end, &self.commit_comes_before))
                .is_some_and(|end| next(end, &self.commits).is_some());
            is_strict || is_negated || is_undone || is_before
        })
    }

    fn defers_commit_in(&self, said: &[String]) -> bool {
        let is_in = |words: &[String], at: usize| said.get(at).is_some_and(|word| words.contains(word));
        let negated = |until: usize| (0..until).any(|at| is_in(&self.negations, at));
        let in_one = |from: usize, to: usize| (from..to).all(|at| !is_in(&self.order_ends_at, at));
        let behind = |from: usize| {
            self.commit_comes_behind.iter().any(|phrase| {
                let phrase: Vec<&str> = phrase.split(' ').collect();
                (from..said.len().min(from + NEAR)).any(|at| {
                    let end = at + phrase.len();
                    said.get(at..end).is_some_and(|window| window.iter().eq(phrase.iter()))
                        && end < said.len()
                        && !is_in(&self.order_is_how_often, end)
                        && in_one(from, at)
                })
            })
        };
        // "while the transaction is still open"
        let meanwhile = (0..said.len()).filter(|at| is_in(&self.meanwhile, *at) && !negated(*at)).any(|at| {
            let near = at..said.len().min(at + 2 * NEAR);
            near.clone().any(|at| is_in(&self.transactions, at)) && near.clone().any(|at| is_in(&self.open, at))
        });
        meanwhile
            || (0..said.len()).filter(|at| is_in(&self.commits, *at)).any(|at| {
                let before = (at.saturating_sub(NEAR)..at)
                    .any(|order| is_in(&self.commit_comes_before, order) && in_one(order, at) && !negated(order));
                let first = negated(at) && (at..said.len()).any(|other| is_in(&self.first, other));
                before || first || behind(at + 1)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_says_that_the_commit_waits() {
        let intent = Intent::built_in();
        for comment in [
            "We don't commit the transaction yet, first we need to write the metadata file.",
            "Upload before committing: the row must never point to a missing file",
            "Tell the other side before the transaction commits",
            "commit once the metadata file is written",
            "Only commit after the upload is through",
            "The row is committed only when the answer is there. It may be long in coming.",
            "Never commit until the payment is confirmed",
            "Delete the file while the DB transaction is still open. On failure, roll back",
        ] {
            assert!(intent.defers_commit(comment), "{comment}");
        }
        for comment in [
            "Send the mail after the commit",
            "once committed, tell everybody",
            "commit before the upload",
            "not before committing",
            "commit, and after that tell everybody",
            "commit once per batch",
            "Committed only once",
            "TODO: commit only after the upload",
            "the transaction is not committed yet",
            "Commit. After that the mail is sent",
            "upload the file first",
            "nothing slow may be done while the transaction is open, not even this",
            "while the transaction runs, others wait",
        ] {
            assert!(!intent.defers_commit(comment), "{comment}");
        }
    }

    #[test]
    fn a_comment_says_that_only_what_is_sent_is_kept() {
        let intent = Intent::built_in();
        for comment in [
            "a transaction, to make sure that we don't store the shares if we fail to send them",
            "it will be kept in the database only if we successfully sent it out",
            "The invitation must be sent before we commit.",
            "So the row is rolled back if the upload fails",
            "Not saved unless the mail went out and was mailed, or: never saved until it was mailed",
        ] {
            assert!(intent.keeps_what_is_sent(comment), "{comment}");
        }
        for comment in [
            "Commit only after the row is written",
            "The mail is sent once the row is stored",
            "send the mail after the commit",
            "rolled back if the second row is there",
            "TODO: not stored if we fail to send it",
            "Don't store it. If we send it twice, nobody minds",
            "Store the share, and if nobody was faster, send it",
        ] {
            assert!(!intent.keeps_what_is_sent(comment), "{comment}");
        }
    }
}
