//! Functions, and what is made of them.

use sessionlint_diagnostics::{FileId, Span};

/// Holds the body of a function to the text beside it.
fn check(source: &str, expected: &str) {
    let span = Span::new(FileId(0), 0, source.len() as u32);
    let function = crate::declarations::function(source, span, &|_| None).unwrap();
    let line = |span: Span| Some(1 + source[..span.start as usize].matches('\n').count() as u32);
    let shown = sessionlint_ir::text(&function.body.unwrap(), &line);
    let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    assert_eq!(trimmed(&shown), trimmed(expected.trim_start_matches('\n')), "\n{shown}");
}

#[test]
fn a_question_mark_is_a_test_with_an_exit() {
    check(
        "async fn save(pool: &Pool) -> Result<(), Error> {
    let mut tx = pool.begin().await?;
    tx.commit().await
}",
        "
    1 async function(pool: &Pool) -> Result<(), Error>
        b0:
    2     _4 = pool.begin()
    2     _3 = await _4
    2     `?` _3 is Ok: to b2, else b3
        b1:
          return
        b2:
    2     tx = _3@Ok
    2     drop _4, _3: statement ends
    3     _6 = tx.commit()
    3     _5 = await _6
    3     returned = success _5
    4     drop _6, _5: block ends with returned
    4     drop tx, pool: end of the body with returned
          to b1
        b3:
    2     returned = error _3@Err
    2     drop _4, _3, pool: `?` with returned
          to b1
        b4:
          diverges",
    );
}

#[test]
fn what_a_loop_owns_is_dropped_where_it_is_left() {
    check(
        "fn drain(list: Vec<Job>) {
    for job in list {
        if job.is_last() { break; }
        run(job);
    }
}",
        "
    1 function(list: Vec<Job>) -> ()
        b0:
          to b2
        b1:
          return
        b2:
    2     while something: to b4, else b3
        b3:
    6     drop list: end of the body with returned
          to b1
        b4:
    2     bind job = list[]
    3     _5 = job.is_last()
    3     _6 = _5
    3     drop _5: statement ends
    3     if _6: to b5, else b6
        b5:
    3     drop _7, _4, job: break of the loop at b2
          to b3
        b6:
          to b7
        b7:
    3     drop _4: statement ends
    4     _8 = run(job)
    4     drop _8: statement ends
    5     drop job: block ends with returned
          to b2
        b8:
    3     drop _7: statement ends
          to b7",
    );
}

#[test]
fn a_closure_stands_inside_with_what_it_captures() {
    check(
        "fn each(tx: &mut Tx, rows: &[Row]) {
    rows.iter().for_each(|row| tx.put(row, \"text\"));
}",
        "
    1 function(tx: &mut Tx, rows: &[Row]) -> ()
        b0:
    2     _4 = rows.iter()
    2     _5 = inside #0
    2     _3 = _4.for_each(_5)
    2     drop _5, _4, _3: statement ends
    3     drop rows, tx: end of the body with returned
          to b1
        b1:
          return
        inside #0:
    2     closure(row)
            captures tx
            b0:
    2         _2 = tx.put(row, \"text\")
    2         returned = success _2
    2         drop _2, tx, row: end of the body with returned
              to b1
            b1:
              return",
    );
}

#[test]
fn a_call_of_what_is_no_name_stands_where_that_stands() {
    check(
        "fn first(steps: &[Step]) {

    steps[0](1);
}",
        "
    1 function(steps: &[Step]) -> ()
        b0:
    3     _2 = (steps[])(1)
    3     drop _2: statement ends
    4     drop steps: end of the body with returned
          to b1
        b1:
          return",
    );
}
