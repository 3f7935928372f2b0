//! What becomes of a panic? A sentence with its message and its place in these sources, instead of the end of a run.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo};
use std::sync::{Mutex, Once, PoisonError};

thread_local! {
    /// How many catches are open on this thread.
    static OPEN: Cell<usize> = const { Cell::new(0) };
    /// Whether this is a worker thread of an engine: what panics on it is caught on the thread that waits for it.
    static WORKS: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic on this thread was.
    static HERE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Where the last panic on a worker thread was.
static ELSEWHERE: Mutex<Option<String>> = Mutex::new(None);
static HOOK: Once = Once::new();

/// Runs something, and gives what it gives, or the message of its panic with the place in our sources.
///
/// # Errors
/// When it panics.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| note(info, &before)));
    });
    OPEN.set(OPEN.get() + 1);
    // What is left of values that the work had in hand is thrown away by those who call this.
    let done = std::panic::catch_unwind(AssertUnwindSafe(work));
    OPEN.set(OPEN.get() - 1);
    done.map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let message = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message");
        let elsewhere = || ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner).take();
        let place = HERE.take().or_else(elsewhere).unwrap_or_else(|| "at an unknown place".to_owned());
        format!("{} ({place})", message.split_whitespace().collect::<Vec<_>>().join(" "))
    })
}

/// Notes where a panic is that will be caught; others are told as before.
fn note(info: &PanicHookInfo<'_>, before: &dyn Fn(&PanicHookInfo<'_>)) {
    let place = info.location().map(ToString::to_string);
    if OPEN.get() > 0 {
        HERE.set(place);
    } else if WORKS.get() {
        *ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner) = place;
    } else {
        before(info);
    }
}

/// Says that the thread that runs this is a worker of an engine.
pub(crate) fn works() {
    WORKS.set(true);
}

/// Panics where a test asks for it: in a build for debugging, when `SESSIONLINT_PANIC` names this step and what it is about.
pub(crate) fn provoked(step: &str, about: impl FnOnce() -> String) {
    if cfg!(debug_assertions)
        && let Ok(wanted) = std::env::var("SESSIONLINT_PANIC")
        && let Some(wanted) = wanted.strip_prefix(step).and_then(|wanted| wanted.strip_prefix(' '))
        && about() == wanted
    {
        panic!("a test asked for it:\n{step} {wanted}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_and_the_place_are_told() {
        let line = line!() + 1;
        let what = caught(|| panic!("one\n  {}", "two")).unwrap_err();
        assert!(what.starts_with("one two (crates/engine/src/panics.rs:"), "{what}");
        assert!(what.contains(&format!("panics.rs:{line}:")), "{what}");
        assert_eq!(caught(|| 3), Ok(3));
    }

    #[test]
    fn a_catch_within_another_takes_its_own() {
        let outer = caught(|| {
            let inner = caught(|| panic!("inner")).unwrap_err();
            assert!(inner.starts_with("inner ("), "{inner}");
            panic!("outer")
        });
        assert!(outer.unwrap_err().starts_with("outer ("));
    }

    #[test]
    fn what_panics_on_a_worker_is_told_where_somebody_waits() {
        let threads = rayon::ThreadPoolBuilder::new().num_threads(1).start_handler(|_| works()).build().unwrap();
        let what = caught(|| threads.install(|| panic!("far away"))).unwrap_err();
        assert!(what.starts_with("far away (crates/engine/src/panics.rs:"), "{what}");
    }
}
