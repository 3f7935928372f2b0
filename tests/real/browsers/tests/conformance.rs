//! Browser sessions run against chromedriver. `WEBDRIVER_URL` names it; the pages that the fixtures want are not there.

use std::time::Duration;

fn url() -> String {
    std::env::var("WEBDRIVER_URL").expect("WEBDRIVER_URL names a driver")
}

/// How many sessions are alive in the driver.
fn alive() -> usize {
    let answer = ureq::get(format!("{}/sessions", url())).call().unwrap().body_mut().read_to_string().unwrap();
    answer.matches("\"id\"").count()
}

/// Waits until so many are alive, or gives what there is.
fn alive_soon(wanted: usize) -> usize {
    for _ in 0..40 {
        if alive() == wanted {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    alive()
}

/// Runs to the end of a runtime, as a short program does.
fn program<F: Future>(future: impl FnOnce() -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let output = runtime.block_on(future());
    runtime.shutdown_timeout(Duration::from_millis(1));
    output
}

/// The same on one thread: nothing that was spawned gets its turn once the program has its answer.
fn short_program<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn a_session_that_nobody_ends_stays_in_the_driver() {
    let url = url();
    let before = alive();
    program(|| fixture_thirtyfour::every_way_ends_it(&url)).ok();
    assert_eq!(alive_soon(before), before);
    program(|| fixture_thirtyfour::leaked(&url)).unwrap();
    assert_eq!(alive_soon(before), before + 1, "leaked, it stays");

    let before = alive();
    program(|| fixture_fantoccini::every_way_ends_it(&url)).ok();
    assert_eq!(alive_soon(before), before);
    short_program(fixture_fantoccini::question_mark_leaves(&url)).unwrap_err();
    assert_eq!(alive_soon(before), before + 1, "the runtime ended before the session did");
}
